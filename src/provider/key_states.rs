//! Whether the storage accounts of many hubs accept shared keys.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    pin::pin,
    sync::Arc,
};

use futures_util::{TryStreamExt as _, future::join_all};

use super::{Session, hub, report};
use crate::{
    arm::{
        self, Call, ErrorCode, Item, List, Read, StorageAccountId, WORTH_A_LIST, WorkspaceId,
        storage_accounts::StorageAccount, workspaces::Workspace,
    },
    framework::{Diagnostic, Summary},
};

/// How many accounts a warning names.
const NAMED: usize = 10;

/// Whether storage accounts accept shared keys, read as they are asked for: a few accounts each by itself, and with more
/// of them all accounts of the subscription by one list, or those of their resource groups where the caller may not list more.
/// An account that does not exist, or that the caller may not read, has no state, which [`Self::warning`] tells, and is no
/// failure.
#[derive(Debug)]
pub(crate) struct KeyStates {
    session: Arc<Session>,
    call: Call,
    /// How recent the answers about single accounts have to be.
    recency: Read,
    /// `None` for an account that could not be read.
    known: HashMap<StorageAccountId, Option<bool>>,
    /// Accounts of the lists in a form that the provider does not understand, with what is wrong.
    malformed: HashMap<StorageAccountId, String>,
    /// By the subscription's GUID in lower case.
    subscriptions: HashMap<String, Subscription>,
    /// By what the reasons have in common, since many accounts can fail for one.
    unread: BTreeMap<String, Unread>,
}

/// What has been read of a subscription's accounts.
#[derive(Debug, Default)]
struct Subscription {
    /// How many accounts were read by themselves.
    single: usize,
    /// What came of its list.
    list: Option<Listed>,
    /// The resource groups that were listed instead, in lower case.
    groups: HashMap<String, Listed>,
}

/// Whether a list gave all accounts of its place. If not, the error says that there is no such place, or that the caller may
/// not list it.
type Listed = Result<(), arm::Error>;

/// Accounts that could not be read for one reason.
#[derive(Debug)]
struct Unread {
    accounts: BTreeSet<String>,
    why: String,
}

impl KeyStates {
    /// Nothing is read yet.
    pub(crate) fn new(session: Arc<Session>, call: Call) -> Self {
        Self {
            session,
            call,
            recency: Read::Remembered,
            known: HashMap::new(),
            malformed: HashMap::new(),
            subscriptions: HashMap::new(),
            unread: BTreeMap::new(),
        }
    }

    /// The same with no answer that an earlier read of the run has got.
    #[must_use]
    pub(crate) fn fresh(self) -> Self {
        Self { recency: Read::Fresh, ..self }
    }

    /// Reads the accounts that have not been read before.
    ///
    /// # Errors
    /// The call is interrupted, its deadline passes, or a request fails in a way that says nothing about the accounts.
    pub(crate) async fn read(
        &mut self,
        accounts: impl IntoIterator<Item = &StorageAccountId>,
    ) -> Result<(), Diagnostic> {
        let mut new: BTreeMap<String, HashSet<StorageAccountId>> = BTreeMap::new();
        for account in accounts.into_iter().filter(|account| !self.known.contains_key(account)) {
            new.entry(account.subscription().to_lowercase()).or_default().insert(account.clone());
        }
        for (subscription, accounts) in new {
            let mut state = self.subscriptions.remove(&subscription).unwrap_or_default();
            let read = self.read_of(&subscription, &mut state, accounts.into_iter().collect()).await;
            self.subscriptions.insert(subscription, state);
            read.map_err(|error| report::failure(Summary("The storage accounts were not read"), &error, ""))?;
        }
        Ok(())
    }

    /// Notes a hub whose storage account cannot be asked for, since Azure names it in a form that is no id of one. A hub for
    /// which Azure names none has nothing to be known.
    pub(crate) fn without_account(&mut self, id: &WorkspaceId, hub: &Workspace) {
        let named = &hub.properties.storage_account;
        if !named.is_empty() {
            let why = "Azure names them as storage accounts of hubs, but they are not ids of storage accounts in a form that \
                       the provider understands. Please report this.";
            self.unread(why, [format!("{named} (of {id})")], || why.to_owned());
        }
    }

    /// Whether an account that was read accepts shared keys; `None` where that is not known.
    pub(crate) fn of(&self, account: &StorageAccountId) -> Option<bool> {
        self.known.get(account).copied().flatten()
    }

    /// The warning about accounts that could not be read since the last one.
    pub(crate) fn warning(&mut self) -> Option<Diagnostic> {
        let unread = std::mem::take(&mut self.unread);
        if unread.is_empty() {
            return None;
        }
        let mut detail = "Whether these storage accounts accept shared keys is not known.".to_owned();
        for Unread { accounts, why } in unread.into_values() {
            let named: Vec<_> = accounts.iter().take(NAMED).map(String::as_str).collect();
            let more = accounts.len() - named.len();
            let more = if more > 0 { format!("\nand {more} more") } else { String::new() };
            detail.push_str(&format!("\n\n{}{more}:\n{why}", named.join("\n")));
        }
        Some(Diagnostic::warning("The key state of storage accounts is not known", detail))
    }

    async fn read_of(
        &mut self,
        subscription: &str,
        state: &mut Subscription,
        accounts: Vec<StorageAccountId>,
    ) -> Result<(), arm::Error> {
        if state.list.is_none() && state.single + accounts.len() < WORTH_A_LIST {
            state.single += accounts.len();
            return self.read_each(accounts).await;
        }
        let listed = match &state.list {
            Some(listed) => listed,
            None => state.list.insert(self.list(List::in_subscription(subscription)).await?),
        };
        match listed {
            Ok(()) => self.settle(accounts),
            Err(error) if error.is_forbidden() => {
                self.read_groups(subscription, error, &mut state.groups, accounts).await?;
            }
            Err(error) => self.refused(accounts, Some(&format!("/subscriptions/{subscription}")), error),
        }
        Ok(())
    }

    async fn read_each(&mut self, accounts: Vec<StorageAccountId>) -> Result<(), arm::Error> {
        let (session, recency, call) = (&self.session, self.recency, &self.call);
        let reads = accounts.iter().map(|id| session.arm.get::<Item<StorageAccount>>(id, recency, call));
        let read = join_all(reads).await;
        for (id, account) in accounts.into_iter().zip(read) {
            match told(account)? {
                Ok(account) => {
                    self.note(id.clone(), account);
                    self.settle(vec![id]);
                }
                Err(error) => self.refused(vec![id], None, &error),
            }
        }
        Ok(())
    }

    /// Lists the resource groups of these accounts that were not listed before, since those of the subscription may not be.
    async fn read_groups(
        &mut self,
        subscription: &str,
        denied: &arm::Error,
        groups: &mut HashMap<String, Listed>,
        accounts: Vec<StorageAccountId>,
    ) -> Result<(), arm::Error> {
        let mut by_group: BTreeMap<String, Vec<StorageAccountId>> = BTreeMap::new();
        for account in accounts {
            by_group.entry(account.resource_group().to_lowercase()).or_default().push(account);
        }
        for group in by_group.keys().filter(|group| !groups.contains_key(*group)).cloned().collect::<Vec<_>>() {
            let listed = self.list(List::in_resource_group(subscription, &group)).await?;
            groups.insert(group, listed);
        }
        let subscription = format!("/subscriptions/{subscription}");
        let is_one_denied = groups.values().filter(|listed| is_denied(listed)).count() == 1;
        for (group, accounts) in by_group {
            match &groups[&group] {
                Ok(()) => self.settle(accounts),
                // One role on the subscription helps with all groups.
                Err(error) if error.is_forbidden() && !is_one_denied => {
                    self.refused(accounts, Some(&subscription), denied);
                }
                Err(error) => self.refused(accounts, Some(&format!("{subscription}/resourceGroups/{group}")), error),
            }
        }
        Ok(())
    }

    /// Reads a list, of which no more is kept than the state of each account.
    async fn list(&mut self, list: List<StorageAccount>) -> Result<Listed, arm::Error> {
        let mut pages = pin!(self.session.arm.pages(list.items(), &self.call));
        loop {
            let page = match told(pages.try_next().await)? {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            };
            for item in page.value {
                let id = match &item {
                    Item::Readable(account) => &account.id,
                    Item::Unreadable { id, .. } => id,
                };
                if let Ok(id) = StorageAccountId::parse(id) {
                    self.note(id, item);
                }
            }
        }
    }

    fn note(&mut self, id: StorageAccountId, account: Item<StorageAccount>) {
        match account {
            Item::Readable(account) => drop(self.known.insert(id, Some(account.shared_key_enabled()))),
            Item::Unreadable { why, .. } => drop(self.malformed.insert(id, why)),
        }
    }

    /// Notes why there is no state of those that should be known by now.
    fn settle(&mut self, accounts: Vec<StorageAccountId>) {
        for account in accounts {
            if self.known.contains_key(&account) {
                continue;
            }
            let why = match self.malformed.get(&account) {
                None => "They do not exist, or are in no list that the caller may read.".to_owned(),
                Some(why) => {
                    format!("Azure answers in a form that the provider does not understand: {why}. Please report this.")
                }
            };
            self.unread(&why, [account.as_str().to_owned()], || why.clone());
            self.known.insert(account, None);
        }
    }

    /// Notes accounts that Azure refused to tell of, by themselves or in the list of a place.
    fn refused(&mut self, accounts: Vec<StorageAccountId>, place: Option<&str>, error: &arm::Error) {
        let code = error.code().map_or("", ErrorCode::as_str);
        let reason = format!("{code} {}", place.unwrap_or_default());
        let names = accounts.iter().map(|account| account.as_str().to_owned());
        self.unread(&reason, names, || {
            let scope = place.or_else(|| accounts.first().map(StorageAccountId::as_str)).unwrap_or_default();
            let next = report::lacks(error, "Microsoft.Storage/storageAccounts/read", scope, "Reader");
            report::explain(error, &next)
        });
        self.known.extend(accounts.into_iter().map(|account| (account, None)));
    }

    fn unread(&mut self, reason: &str, accounts: impl IntoIterator<Item = String>, why: impl FnOnce() -> String) {
        let new = || Unread { accounts: BTreeSet::new(), why: why() };
        self.unread.entry(reason.to_owned()).or_insert_with(new).accounts.extend(accounts);
    }
}

fn is_denied(listed: &Listed) -> bool {
    listed.as_ref().is_err_and(arm::Error::is_forbidden)
}

/// A result that says something about accounts.
fn told<T>(result: Result<T, arm::Error>) -> Result<Result<T, arm::Error>, arm::Error> {
    match result {
        Err(error) if !hub::is_gone_or_hidden(&error) => Err(error),
        told => Ok(told),
    }
}
