//! What all lists of hubs share: pages that are read as they are asked for, with the state of the hubs' storage accounts where it
//! matters.

use std::{collections::HashSet, future::ready, vec};

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

/// How many hubs have their storage accounts read at once. It is no more than [`KeyStates`] reads without a list, since an
/// engine may want no further hubs.
const AT_ONCE: usize = 8;

/// Whether a storage account is asked about, and what the answer is.
pub(super) enum Account<'a> {
    /// It does not matter.
    NotRead,
    /// The account of the hub, and whether it accepts shared keys as far as that is known.
    Read(&'a StorageAccountId, Option<bool>),
}

/// What makes the objects of one resource type of hubs.
pub(super) trait OfHubs: Send + Sync + 'static {
    type State: Send + 'static;

    /// The kinds of workspaces that are listed.
    const KINDS: &'static [WorkspaceKind];

    /// Whether a hub may be listed, as far as that can be said without its storage account.
    fn may_have(&self, hub: &ListedHub) -> bool;

    /// Whether the storage account of such a hub matters.
    fn needs_account(&self, hub: &ListedHub) -> bool;

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
        let subscription = session.subscription_to_read(&subscription, &call).await?;
        let place = Place { subscription: subscription.to_string(), resource_group: group.text().map(str::to_owned) };
        let pages = hubs::pages(&session, place, O::KINDS, &call).boxed();
        let accounts = KeyStates::new(session, call);
        let search = Search { pages: Some(pages), page: Vec::new().into_iter(), accounts, of, names: Names::default() };
        let chunks = stream::unfold(search, |mut search| async move { Some((search.chunk().await?, search)) });
        Ok::<_, Diagnostics>(chunks.flat_map(stream::iter))
    };
    stream::once(search).try_flatten().boxed()
}

/// A list in progress.
struct Search<O> {
    /// `None` once all have been read.
    pages: Option<BoxStream<'static, Result<Page, Diagnostic>>>,
    /// What is left of the last page.
    page: vec::IntoIter<Result<ListedHub, Diagnostic>>,
    accounts: KeyStates,
    of: O,
    names: Names,
}

/// What an engine gets at a time.
type Chunk<S> = Vec<Result<Listed<S>, Diagnostics>>;

impl<O: OfHubs> Search<O> {
    /// The next hubs. What is not known of accounts is told at the end.
    async fn chunk(&mut self) -> Option<Chunk<O::State>> {
        if self.page.len() == 0 {
            match self.pages.as_mut()?.next().await {
                Some(Ok(page)) => self.page = page.into_iter(),
                Some(Err(error)) => return Some(self.end(Some(error))),
                None => return Some(self.end(None)),
            }
        }
        let of = &self.of;
        let wanted = |listed: &Result<ListedHub, Diagnostic>| listed.as_ref().map_or(true, |hub| of.may_have(hub));
        let hubs: Vec<_> = self.page.by_ref().filter(wanted).take(AT_ONCE).collect();
        let needed = hubs.iter().flatten().filter(|hub| of.needs_account(hub)).filter_map(|hub| hub.account.as_ref());
        if let Err(error) = Box::pin(self.accounts.read(needed)).await {
            return Some(self.end(Some(error)));
        }
        let listed = |hub: Result<ListedHub, Diagnostic>| match hub {
            Ok(hub) => self.listed(&hub).map_err(skipped).transpose(),
            Err(unreadable) => Some(Err(skipped(unreadable))),
        };
        Some(hubs.into_iter().filter_map(listed).collect())
    }

    /// What comes last.
    fn end(&mut self, error: Option<Diagnostic>) -> Chunk<O::State> {
        self.pages = None;
        self.page = Vec::new().into_iter();
        [self.accounts.warning(), error].into_iter().flatten().map(|diagnostic| Err(diagnostic.into())).collect()
    }

    fn listed(&mut self, hub: &ListedHub) -> Result<Option<Listed<O::State>>, Diagnostic> {
        let object = if self.of.needs_account(hub) {
            let account = hub::account_of(&hub.id, &hub.hub)?;
            self.of.object(hub, Account::Read(&account, self.accounts.of(&account)))
        } else {
            self.of.object(hub, Account::NotRead)
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
