//! `required_roles`: the roles that an access or a scenario takes.

use serde::{Deserialize, Serialize};

use super::parsed;
use crate::{
    arm::{ArmId, RoleDefinitionId},
    framework::{
        Type,
        function::{Function, FunctionError, Parameter, Signature},
        schema::Refusal,
    },
    provider::roles::{self, Access, Role, Scenario},
};

#[derive(Debug)]
pub(crate) struct RequiredRoles;

#[derive(Debug, Deserialize)]
pub(crate) struct Arguments {
    purpose: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct RequiredRole {
    role_definition_name: &'static str,
    role_definition_id: RoleDefinitionId,
}

impl Function for RequiredRoles {
    type Arguments = Arguments;
    type Output = Vec<RequiredRole>;

    fn name(&self) -> &'static str {
        "required_roles"
    }

    fn signature(&self) -> Signature {
        let role = Type::object([("role_definition_name", Type::String), ("role_definition_id", Type::String)]);
        Signature {
            summary: "The roles on a hub's storage account that an access or a scenario takes.",
            description: "The roles that somebody needs on the storage account of a hub that uses Microsoft Entra authorization: \
                          those that a `foundryhub_role_assignment` with this `access` or `scenario` assigns, for modules that \
                          assign them by other means. Each has a `role_definition_name` and a `role_definition_id`, which is in \
                          the form without a subscription. The role assignments of the scenarios `model_as_a_service` and \
                          `azure_search` are the platform's, and asking for them is an error.",
            parameters: vec![Parameter::new(
                "purpose",
                Type::String,
                "An access, `contributor` or `reader`, or a scenario: `ai_speech`, `fine_tuning`, `prompt_flow` or `own_data`.",
            )],
            variadic: None,
            returns: Type::list(role),
        }
    }

    fn call(&self, Arguments { purpose }: Arguments) -> Result<Vec<RequiredRole>, FunctionError> {
        let roles = match purpose.parse::<Access>() {
            Ok(access) => access.roles(),
            Err(_) if roles::scenario(&purpose).is_some() => parsed::<Scenario>(0, &purpose)?.roles,
            Err(_) => {
                let accesses = [Access::Contributor, Access::Reader].map(Access::word);
                let words: Vec<_> = accesses.into_iter().chain(roles::assigned_by_users()).collect();
                return Err(FunctionError::from(Refusal::not_one_of(&purpose, &words)).at(0));
            }
        };
        let required = |role: &Role| RequiredRole {
            role_definition_name: role.name,
            role_definition_id: RoleDefinitionId::within(&ArmId::root(), role.guid),
        };
        Ok(roles.iter().map(required).collect())
    }
}
