//! `foundryhub_hubs`: all hubs of a subscription or resource group.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use crate::{
    arm::{Call, ResourceGroupName, StorageAccountId, SubscriptionId, WorkspaceId, workspaces::AuthMode},
    framework::{
        Attr, Diagnostics, Type,
        context::Context,
        data_source::{DataSource, Read},
        schema::{Attribute, Block, Nesting, Presence},
        timeouts::{self, ReadTimeout},
    },
    provider::{
        Session,
        hubs::{self, ListedHub, Place},
        key_states::KeyStates,
        principal::PrincipalId,
        report,
    },
};

#[derive(Debug)]
pub(crate) struct Hubs;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    subscription_id: Attr<SubscriptionId>,
    resource_group_name: Attr<ResourceGroupName>,
    kinds: Attr<Vec<Attr<Kind>>>,
    hubs: Attr<Vec<HubAttributes>>,
    timeouts: Attr<ReadTimeout>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HubAttributes {
    id: Attr<WorkspaceId>,
    name: Attr<String>,
    resource_group_name: Attr<String>,
    location: Attr<String>,
    kind: Attr<Kind>,
    system_datastores_auth_mode: Attr<AuthMode>,
    storage_account_id: Attr<StorageAccountId>,
    shared_access_key_enabled: Attr<bool>,
    principal_id: Attr<PrincipalId>,
    user_assigned_principal_ids: Attr<Vec<Attr<PrincipalId>>>,
    tags: Attr<BTreeMap<String, Attr<String>>>,
}

/// How long the whole read may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);

const DESCRIPTION: &str = "The hubs of a subscription or of a resource group, with the mode of each and whether its storage account accepts shared keys.

There is no filter on the mode or on shared keys, and none should be built from this: these are what an apply changes. With \
`for_each` over the hubs that are on keys, a hub is among them until it is switched. Then it is not, the next plan destroys \
its `foundryhub_storage_auth`, and destroying puts the hub back on keys:

```terraform
# Wrong: it reverts every other time.
resource \"foundryhub_storage_auth\" \"hub\" {
  for_each = {
    for hub in data.foundryhub_hubs.all.hubs : hub.id => hub
    if hub.system_datastores_auth_mode == \"accesskey\"
  }
  hub_id = each.key
}
```

Choose hubs by what stays as it is, such as name, resource group, location or tags. Mode and key state are for outputs and \
`check` blocks.

The guide [Importing all hubs](../guides/importing-hubs.md) takes every hub of a subscription into the state, with OpenTofu, too.

A storage account that does not exist, or that the caller may not read, is no failure: its hubs have no \
`shared_access_key_enabled`, and a warning names it.";

impl DataSource for Hubs {
    type Client = Session;
    type State = State;

    fn name(&self) -> &'static str {
        "foundryhub_hubs"
    }

    fn schema(&self) -> Block {
        let attributes = vec![
            Attribute::optional(
                "subscription_id",
                Type::String,
                "GUID of the subscription. That of the provider block if not set.",
            )
            .or_computed()
            .parsed::<SubscriptionId>(),
            Attribute::optional(
                "resource_group_name",
                Type::String,
                "Name of a resource group, to which the list is limited.",
            )
            .parsed::<ResourceGroupName>(),
            Attribute::optional(
                "kinds",
                Type::set(Type::String),
                "Kinds of workspaces: `Hub`, and `Default`, which is a workspace without a hub. `Hub` alone if not set.",
            )
            .parsed::<Kind>(),
            Attribute::nested(
                "hubs",
                Nesting::List,
                Presence::Computed,
                hub_attributes(),
                "The hubs, in the order of their ids.",
            ),
        ];
        let blocks = vec![timeouts::block_of(&[("read", "For reading all pages; 5 minutes if not set.")])];
        Block { description: DESCRIPTION, attributes, blocks }
    }

    async fn read(&self, context: Context<Session>, mut config: State) -> Read<State> {
        let session = context.client.ok_or_else(report::unconfigured)?;
        let allowed = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.read, READING);
        let call = Call::new(context.cancel, allowed);
        let subscription = session.subscription_to_read(&config.subscription_id, &call).await?;
        let kinds: Vec<_> = config.kinds.elements().copied().collect();
        let kinds = if kinds.is_empty() { vec![Kind::Hub] } else { kinds };
        let kinds: Vec<_> = kinds.into_iter().map(Kind::in_azure).collect();
        let place = Place {
            subscription: subscription.to_string(),
            resource_group: config.resource_group_name.text().map(str::to_owned),
        };
        let mut key_states = KeyStates::new(session.clone(), call.clone()).fresh();
        // In the order of ids, so that a list in another order is no change.
        let mut hubs: BTreeMap<WorkspaceId, HubAttributes> = BTreeMap::new();
        let mut pages = pin!(hubs::pages(&session, place, &kinds, &call));
        while let Some(page) = pages.try_next().await? {
            // Without a hub that cannot be read, whatever is made of each would be destroyed.
            let page: Vec<_> = page.into_iter().collect::<Result<_, _>>()?;
            key_states.read(page.iter().filter_map(|listed| listed.account.as_ref())).await?;
            for listed in page.iter().filter(|listed| listed.account.is_none()) {
                key_states.without_account(&listed.id, &listed.hub);
            }
            hubs.extend(page.into_iter().map(|listed| (listed.id.clone(), attributes_of(listed, &key_states))));
        }
        config.subscription_id = subscription.into();
        config.hubs = hubs.into_values().collect::<Vec<_>>().into();
        Ok((config, key_states.warning().map(Diagnostics::from).unwrap_or_default()))
    }
}

fn hub_attributes() -> Vec<Attribute> {
    let computed = |name, ty, description| Attribute::computed(name, ty, description);
    vec![
        computed("id", Type::String, "ARM id of the hub.").parsed::<WorkspaceId>(),
        computed("name", Type::String, "Its name."),
        computed("resource_group_name", Type::String, "The name of its resource group."),
        computed("location", Type::String, "Its region, such as `westeurope`."),
        computed("kind", Type::String, "`Hub` or `Default`.").parsed::<Kind>(),
        computed(
            "system_datastores_auth_mode",
            Type::String,
            "How its system datastores sign in to the storage account: `identity`, `accesskey` or `userdelegationsas`.",
        ),
        computed("storage_account_id", Type::String, "ARM id of its default storage account.")
            .parsed::<StorageAccountId>(),
        computed(
            "shared_access_key_enabled",
            Type::Bool,
            "Whether that account accepts shared keys. Null where the account cannot be read.",
        ),
        computed("principal_id", Type::String, "Object id of its system-assigned identity, if it has one.")
            .parsed::<PrincipalId>(),
        computed("user_assigned_principal_ids", Type::set(Type::String), "Object ids of its user-assigned identities.")
            .parsed::<PrincipalId>(),
        computed("tags", Type::map(Type::String), "Its tags."),
    ]
}

fn attributes_of(ListedHub { id, account, hub }: ListedHub, key_states: &KeyStates) -> HubAttributes {
    let mut identities: Vec<_> = hub.user_assigned_principal_ids().map(PrincipalId::from).map(Attr::from).collect();
    identities.sort_by(|a, b| a.text().cmp(&b.text()));
    HubAttributes {
        name: id.name().to_owned().into(),
        resource_group_name: id.resource_group().to_owned().into(),
        location: Some(hub.location.clone()).filter(|location| !location.is_empty()).into(),
        kind: Kind::of(hub.kind()).into(),
        // In the words of the documentation, since HCL compares with regard to case.
        system_datastores_auth_mode: hub.properties.system_datastores_auth_mode.documented().into(),
        shared_access_key_enabled: account.as_ref().and_then(|account| key_states.of(account)).into(),
        storage_account_id: account.into(),
        principal_id: hub.system_principal_id().map(PrincipalId::from).into(),
        user_assigned_principal_ids: identities.into(),
        tags: hub.tags.into_iter().map(|(name, value)| (name, value.into())).collect::<BTreeMap<_, _>>().into(),
        id: id.into(),
    }
}
