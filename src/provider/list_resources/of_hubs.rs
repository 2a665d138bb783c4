//! What all lists of hubs share: pages that are read as they are asked for, with the state of the hubs' storage accounts where it
//! matters.

use std::{collections::HashSet, future::ready};

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};

use super::{LISTING, skipped};
use crate::{
    arm::{Call, ResourceGroupName, StorageAccountId, SubscriptionId, WorkspaceId, workspaces::WorkspaceKind},
    framework::{
        Attr, Diagnostic, Diagnostics, Type,
        context::Context,
        list_resource::{Listed, Objects},
        schema::Attribute,
    },
    provider::{
        Session, hub,
        hubs::{self, ListedHub, Page, Place},
        key_states::KeyStates,
        report,
    },
};

/// Whether a storage account is asked about, and what the answer is.
pub(super) enum Account<'a> {
    /// Nobody wants to know.
    NotRead,
    /// The account of the hub, and whether it accepts shared keys as far as that is known.
    Read(&'a StorageAccountId, Option<bool>),
}

/// What makes the objects of one resource type of hubs.
pub(super) trait OfHubs: Send + 'static {
    type State: Send + 'static;

    /// The kinds of workspaces that are listed.
    const KINDS: &'static [WorkspaceKind];

    /// Whether the storage accounts matter.
    fn reads_accounts(&self) -> bool;

    /// Whether a hub may be listed, as far as that can be said without its storage account.
    fn may_have(&self, hub: &ListedHub) -> bool;

    /// The object of a hub; `None` where the hub is none of those that are wanted.
    fn object(&self, hub: &ListedHub, account: Account<'_>) -> Option<Self::State>;
}

/// The attributes that say where hubs are listed.
pub(super) fn place() -> Vec<Attribute> {
    let text = |name, description| Attribute::optional(name, Type::String, description);
    vec![
        text("subscription_id", "GUID of the subscription. That of the provider block if not set.")
            .parsed::<SubscriptionId>(),
        text("resource_group_name", "Name of a resource group, to which the list is limited.")
            .parsed::<ResourceGroupName>(),
    ]
}

/// The hubs of a place as objects. One that cannot be read is a warning in its place.
pub(super) fn objects<O: OfHubs>(
    context: Context<Session>,
    subscription: Attr<SubscriptionId>,
    group: Attr<ResourceGroupName>,
    of: O,
) -> Objects<O::State> {
    let Some(session) = context.client else {
        return stream::once(ready(Err(report::unconfigured().into()))).boxed();
    };
    let call = Call::new(context.cancel, LISTING);
    let search = async move {
        let subscription = match subscription.known() {
            Some(subscription) => subscription.clone(),
            None => session.subscription_to_read(&call).await?,
        };
        let place = Place { subscription: subscription.to_string(), resource_group: group.text().map(str::to_owned) };
        let pages = hubs::pages(&session, place, O::KINDS, &call).boxed();
        let accounts = of.reads_accounts().then(|| KeyStates::new(session, call));
        let search = Search { pages, accounts, of, names: Names::default() };
        let chunks = stream::unfold(search, |mut search| async move { Some((search.chunk().await?, search)) });
        Ok::<_, Diagnostics>(chunks.flat_map(stream::iter))
    };
    stream::once(search).try_flatten().boxed()
}

/// A list in progress.
struct Search<O> {
    pages: BoxStream<'static, Result<Page, Diagnostic>>,
    /// Where the accounts matter, what is known of them.
    accounts: Option<KeyStates>,
    of: O,
    names: Names,
}

impl<O: OfHubs> Search<O> {
    /// What an engine gets of the next page.
    async fn chunk(&mut self) -> Option<Vec<Result<Listed<O::State>, Diagnostics>>> {
        let page = match self.pages.next().await? {
            Ok(page) => page,
            Err(error) => return Some(vec![Err(error.into())]),
        };
        let (mut chunk, mut hubs) = (Vec::new(), Vec::new());
        for listed in page {
            match listed {
                Ok(hub) if self.of.may_have(&hub) => hubs.push(hub),
                Ok(_) => {}
                Err(unreadable) => chunk.push(Err(skipped(unreadable))),
            }
        }
        if let Some(accounts) = &mut self.accounts {
            let read = accounts.read(hubs.iter().filter_map(|hub| hub.account.as_ref()));
            if let Err(interrupted) = Box::pin(read).await {
                return Some(vec![Err(interrupted.into())]);
            }
            chunk.extend(accounts.warning().map(|warning| Err(warning.into())));
        }
        chunk.extend(hubs.iter().filter_map(|hub| self.listed(hub).map_err(skipped).transpose()));
        Some(chunk)
    }

    fn listed(&mut self, hub: &ListedHub) -> Result<Option<Listed<O::State>>, Diagnostic> {
        let object = match &self.accounts {
            None => self.of.object(hub, Account::NotRead),
            Some(accounts) => {
                let account = hub::account_of(&hub.id, &hub.hub)?;
                self.of.object(hub, Account::Read(&account, accounts.of(&account)))
            }
        };
        let Some(object) = object else { return Ok(None) };
        Ok(Some(Listed { display_name: self.names.of(&hub.id), object, warnings: Diagnostics::default() }))
    }
}

/// The names of hubs listed so far, to tell equal ones apart.
#[derive(Debug, Default)]
struct Names(HashSet<String>);

impl Names {
    /// The name of a hub, with its resource group where a hub of another one was listed by that name before.
    fn of(&mut self, hub: &WorkspaceId) -> String {
        match self.0.insert(hub.name().to_lowercase()) {
            true => hub.name().to_owned(),
            false => format!("{} ({})", hub.name(), hub.resource_group()),
        }
    }
}
