//! The list of storage authorizations: hubs, chosen by how they and their storage accounts are set.

use serde::Deserialize;

use super::of_hubs::{self, Account, OfHubs};
use crate::{
    arm::{
        ResourceGroupName, SubscriptionId,
        workspaces::{AuthMode, AuthModeKind, WorkspaceKind},
    },
    framework::{
        Attr, Type,
        context::Context,
        list_resource::{ListRequest, ListResource, Objects},
        resource::Resource,
        schema::{Attribute, Block},
    },
    provider::{
        Session,
        hubs::ListedHub,
        resources::storage_auth::{StorageAuth, listed, unread},
    },
};

pub(crate) struct StorageAuths;

type State = <StorageAuth as Resource>::State;

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    subscription_id: Attr<SubscriptionId>,
    resource_group_name: Attr<ResourceGroupName>,
    mode: Attr<AuthMode>,
    only_shared_key_enabled: Attr<bool>,
    broken: Attr<bool>,
}

const DESCRIPTION: &str = "Finds hubs, and workspaces of kind `Default`, whose storage authorization `foundryhub_storage_auth` can manage, by how they and their storage accounts are set.

Projects are left out, since they use the authorization of their hub. A hub whose storage account cannot be read is left out \
by the filters that need to know whether that account accepts shared keys; a warning names it.

Generated configuration keeps the mode of each hub. Whether the storage account accepts shared keys is not in it, so that \
importing enforces nothing: add `shared_access_key_enabled` where it is to stay as it is.";

impl ListResource for StorageAuths {
    type Resource = StorageAuth;
    type Config = Config;

    fn resource(&self) -> StorageAuth {
        StorageAuth
    }

    fn schema(&self) -> Block {
        let flag = |name, description| Attribute::optional(name, Type::Bool, description);
        let mut attributes = of_hubs::place();
        attributes.extend([
            Attribute::optional("mode", Type::String, "Only hubs in this mode: `identity`, `accesskey` or `userdelegationsas`.")
                .parsed::<AuthMode>(),
            flag("only_shared_key_enabled", "Whether only hubs are listed whose storage account accepts shared keys."),
            flag(
                "broken",
                "Whether only hubs are listed that are in `accesskey` mode while their storage account refuses shared keys, so that they have no access to their data. With `false` only the others are.",
            ),
        ]);
        Block { description: DESCRIPTION, attributes, blocks: Vec::new() }
    }

    fn list(
        &self,
        context: Context<Session>,
        ListRequest { config, include_object }: ListRequest<Config>,
    ) -> Objects<State> {
        let (subscription, group) = (config.subscription_id.clone(), config.resource_group_name.clone());
        of_hubs::objects(context, subscription, group, Filter { config, include_object })
    }
}

/// The hubs that a configuration wants.
struct Filter {
    config: Config,
    include_object: bool,
}

impl OfHubs for Filter {
    type State = State;

    /// Those whose storage authorization can be managed.
    const KINDS: &'static [WorkspaceKind] = &[WorkspaceKind::Hub, WorkspaceKind::Default];

    fn may_have(&self, hub: &ListedHub) -> bool {
        let mode = mode_of(hub);
        self.config.mode.known().is_none_or(|wanted| wanted == mode)
            && (self.config.broken.known() != Some(&true) || mode.kind() == AuthModeKind::AccessKey)
    }

    /// A hub that uses identities has its data whatever its account is.
    fn needs_account(&self, hub: &ListedHub) -> bool {
        let Config { only_shared_key_enabled, broken, .. } = &self.config;
        self.include_object
            || only_shared_key_enabled.known() == Some(&true)
            || (broken.known().is_some() && mode_of(hub).kind() == AuthModeKind::AccessKey)
    }

    fn object(&self, hub: &ListedHub, account: Account<'_>) -> Option<State> {
        let Account::Read(account, shared_keys) = account else { return Some(unread(&hub.id)) };
        let is_broken = match mode_of(hub).kind() {
            AuthModeKind::AccessKey => shared_keys.map(|enabled| !enabled),
            _ => Some(false),
        };
        let Config { only_shared_key_enabled, broken, .. } = &self.config;
        let is_wanted = (only_shared_key_enabled.known() != Some(&true) || shared_keys == Some(true))
            && broken.known().is_none_or(|wanted| is_broken == Some(*wanted));
        is_wanted.then(|| listed(&hub.id, &hub.hub, account, shared_keys))
    }
}

fn mode_of(hub: &ListedHub) -> &AuthMode {
    &hub.hub.properties.system_datastores_auth_mode
}
