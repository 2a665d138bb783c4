//! `parse_hub_id`: the parts of a hub's id.

use serde::{Deserialize, Serialize};

use super::parsed;
use crate::{
    arm::WorkspaceId,
    framework::{
        Type,
        function::{Function, FunctionError, Parameter, Signature},
    },
};

#[derive(Debug)]
pub(crate) struct ParseHubId;

#[derive(Debug, Deserialize)]
pub(crate) struct Arguments {
    id: String,
}

/// Members that azurerm's `parse_resource_id` has, too, have its names.
#[derive(Debug, Serialize)]
pub(crate) struct Parts {
    subscription_id: String,
    resource_group_name: String,
    resource_provider: &'static str,
    resource_type: &'static str,
    full_resource_type: &'static str,
    resource_name: String,
    hub_name: String,
}

impl Function for ParseHubId {
    type Arguments = Arguments;
    type Output = Parts;

    fn name(&self) -> &'static str {
        "parse_hub_id"
    }

    fn signature(&self) -> Signature {
        let members = [
            "subscription_id",
            "resource_group_name",
            "resource_provider",
            "resource_type",
            "full_resource_type",
            "resource_name",
            "hub_name",
        ];
        Signature {
            summary: "The parts of a hub's ARM id.",
            description: "Splits the ARM id of a hub into its parts. Fixed segments may be in any case; the parts keep the \
                          spelling that they have in the id. What is no id of a workspace is an error.\n\n\
                          The result has these members, of which all but `hub_name` have the names that they have in the \
                          result of azurerm's `parse_resource_id`:\n\n\
                          | member | |\n|---|---|\n\
                          | `subscription_id` | GUID of the subscription |\n\
                          | `resource_group_name` | name of the resource group |\n\
                          | `resource_provider` | `Microsoft.MachineLearningServices` |\n\
                          | `resource_type` | `workspaces` |\n\
                          | `full_resource_type` | `Microsoft.MachineLearningServices/workspaces` |\n\
                          | `resource_name` | name of the hub |\n\
                          | `hub_name` | the same |",
            parameters: vec![Parameter::new("id", Type::String, "ARM id of the hub.")],
            variadic: None,
            returns: Type::object(members.map(|name| (name, Type::String))),
        }
    }

    fn call(&self, Arguments { id }: Arguments) -> Result<Parts, FunctionError> {
        let id: WorkspaceId = parsed(0, &id)?;
        let full_resource_type = WorkspaceId::RESOURCE_TYPE;
        let (resource_provider, resource_type) = full_resource_type.split_once('/').unwrap_or_default();
        Ok(Parts {
            subscription_id: id.subscription().to_owned(),
            resource_group_name: id.resource_group().to_owned(),
            resource_provider,
            resource_type,
            full_resource_type,
            resource_name: id.name().to_owned(),
            hub_name: id.name().to_owned(),
        })
    }
}
