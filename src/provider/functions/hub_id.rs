//! `hub_id`: the id of a hub, from its parts.

use serde::Deserialize;

use super::parsed;
use crate::{
    arm::{ResourceGroupName, SubscriptionId, WorkspaceId, WorkspaceName},
    framework::{
        Type,
        function::{Function, FunctionError, Parameter, Signature},
    },
};

#[derive(Debug)]
pub(crate) struct HubId;

#[derive(Debug, Deserialize)]
pub(crate) struct Arguments {
    subscription_id: String,
    resource_group_name: String,
    name: String,
}

impl Function for HubId {
    type Arguments = Arguments;
    type Output = WorkspaceId;

    fn name(&self) -> &'static str {
        "hub_id"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "The ARM id of a hub, from its parts.",
            description: "Makes the ARM id of a hub from subscription, resource group and name, whether the hub exists or not. \
                          `parse_hub_id` does the reverse.",
            parameters: vec![
                Parameter::new("subscription_id", Type::String, "GUID of the subscription."),
                Parameter::new("resource_group_name", Type::String, "Name of the resource group."),
                Parameter::new("name", Type::String, "Name of the hub."),
            ],
            variadic: None,
            returns: Type::String,
        }
    }

    fn call(&self, arguments: Arguments) -> Result<WorkspaceId, FunctionError> {
        let subscription: SubscriptionId = parsed(0, &arguments.subscription_id)?;
        let group: ResourceGroupName = parsed(1, &arguments.resource_group_name)?;
        let name: WorkspaceName = parsed(2, &arguments.name)?;
        Ok(WorkspaceId::of(&subscription, &group, &name))
    }
}
