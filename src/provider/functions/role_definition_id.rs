//! `role_definition_id`: the id of a role by its name or GUID.

use serde::Deserialize;

use super::parsed;
use crate::{
    arm::{ArmId, RoleDefinitionId},
    framework::{
        Type,
        function::{Function, FunctionError, Parameter, Signature},
    },
    provider::roles,
};

#[derive(Debug)]
pub(crate) struct RoleDefinitionIdOf;

#[derive(Debug, Deserialize)]
pub(crate) struct Arguments {
    role: String,
    scope: Vec<String>,
}

impl Function for RoleDefinitionIdOf {
    type Arguments = Arguments;
    type Output = RoleDefinitionId;

    fn name(&self) -> &'static str {
        "role_definition_id"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "The id of a role definition, from the role's name or GUID.",
            description: "The id of a role definition, from the name of a built-in role that has to do with hubs and their \
                          storage, or from the GUID or an id of any role. Nothing is looked up in Azure: built-in roles have the \
                          same GUID everywhere, and a custom role has to be named by its GUID.\n\n\
                          With a scope the id is in the form of the scope's subscription, as Azure answers it and as \
                          `foundryhub_role_assignment` has it in `role_assignments`, otherwise in the form without a \
                          subscription. Both mean the same role.",
            parameters: vec![Parameter::new(
                "role",
                Type::String,
                "Name of a built-in role, such as `Storage Blob Data Contributor`, in any case; or the GUID or an id of a role.",
            )],
            variadic: Some(Parameter::new(
                "scope",
                Type::String,
                "ARM id of a scope, such as a hub, a storage account or a subscription. One at most.",
            )),
            returns: Type::String,
        }
    }

    fn call(&self, Arguments { role, scope }: Arguments) -> Result<RoleDefinitionId, FunctionError> {
        if scope.len() > 1 {
            return Err(FunctionError::new("There is more than one scope.").at(2));
        }
        let scope = scope.first().map_or_else(|| Ok(ArmId::root()), |scope| parsed(1, scope))?;
        let guid = match roles::by_name(&role) {
            Some(role) => role.guid,
            // What has neither the form of a GUID nor that of an id was meant as a name.
            None if !role.is_empty() && !role.starts_with('/') && role.parse::<RoleDefinitionId>().is_err() => {
                let did_you_mean = roles::did_you_mean(&role, roles::ALL.iter().map(|role| role.name));
                let text = format!(
                    "{role:?} is not one of the built-in roles that have to do with hubs.{did_you_mean} Name any other role \
                     by its GUID."
                );
                return Err(FunctionError::new(text).at(0));
            }
            None => parsed::<RoleDefinitionId>(0, &role)?.guid(),
        };
        Ok(RoleDefinitionId::within(&scope, guid))
    }
}
