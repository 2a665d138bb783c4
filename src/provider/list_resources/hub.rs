//! The list of hubs.

use serde::Deserialize;

use super::of_hubs::{self, Account, OfHubs};
use crate::{
    arm::{ResourceGroupName, SubscriptionId, workspaces::WorkspaceKind},
    framework::{
        Attr,
        context::Context,
        list_resource::{ListRequest, ListResource, Objects},
        resource::Resource,
        schema::Block,
    },
    provider::{Session, hubs::ListedHub, resources::hub::Hub},
};

pub(crate) struct Hubs;

type State = <Hub as Resource>::State;

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    subscription_id: Attr<SubscriptionId>,
    resource_group_name: Attr<ResourceGroupName>,
}

const DESCRIPTION: &str = "Finds hubs that `foundryhub_hub` can manage, with all their settings.

Projects and workspaces without a hub are left out. Where only the storage authorization of hubs that somebody else manages is \
wanted, list `foundryhub_storage_auth` instead.

Generated configuration keeps the mode of each hub. Whether the storage account accepts shared keys is not in it, so that \
importing enforces nothing.";

impl ListResource for Hubs {
    type Resource = Hub;
    type Config = Config;

    fn resource(&self) -> Hub {
        Hub
    }

    fn schema(&self) -> Block {
        Block { description: DESCRIPTION, attributes: of_hubs::place(), blocks: Vec::new() }
    }

    fn list(
        &self,
        context: Context<Session>,
        ListRequest { config, include_object }: ListRequest<Config>,
    ) -> Objects<State> {
        let Config { subscription_id, resource_group_name } = config;
        of_hubs::objects(context, subscription_id, resource_group_name, Whole(include_object))
    }
}

/// All hubs, and whether with what is known of their accounts.
struct Whole(bool);

impl OfHubs for Whole {
    type State = State;

    const KINDS: &'static [WorkspaceKind] = &[WorkspaceKind::Hub];

    fn may_have(&self, _hub: &ListedHub) -> bool {
        true
    }

    fn needs_account(&self, _hub: &ListedHub) -> bool {
        self.0
    }

    fn object(&self, hub: &ListedHub, account: Account<'_>) -> Option<State> {
        let mut object = State::of(&hub.id, &hub.hub);
        if let Account::Read(_, shared_keys) = account {
            object.shared_access_key_enabled = shared_keys.into();
        }
        Some(object)
    }
}
