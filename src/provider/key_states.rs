//! Whether the storage accounts of many hubs accept shared keys.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use futures_util::future::join_all;

use super::{Session, report};
use crate::{
    arm::{self, Call, ErrorCode, List, Read, StorageAccountId, storage_accounts::StorageAccount},
    framework::Diagnostic,
};

/// So many accounts of a subscription are read by a list instead of each by itself.
const WORTH_A_LIST: usize = 10;

/// How many accounts a warning names.
const NAMED: usize = 10;

/// Whether storage accounts accept shared keys, read as they are asked for: a few accounts each by itself, and with more
/// of them all accounts of the subscription by one list, or those of their resource groups where the caller may not list more.
/// An account that cannot be read has no state, which [`Self::warning`] tells, and is no failure.
#[derive(Debug)]
pub(crate) struct KeyStates {
    session: Arc<Session>,
    call: Call,
    /// How recent the answers have to be.
    recency: Read,
    /// `None` for an account that could not be read.
    known: HashMap<StorageAccountId, Option<bool>>,
    /// By the subscription's GUID in lower case.
    subscriptions: HashMap<String, Subscription>,
    /// By Azure's error code, since many accounts can fail for one reason; `None` for those that a list lacks.
    unread: BTreeMap<Option<String>, Unread>,
}

/// What has been read of a subscription's accounts.
#[derive(Debug, Default)]
struct Subscription {
    /// How many accounts were read by themselves.
    single: usize,
    /// Whether its list gave all accounts; an error where it could not be read.
    list: Option<Result<(), arm::Error>>,
    /// The resource groups that were listed instead, in lower case.
    groups: HashSet<String>,
}

/// Accounts that could not be read, and why: an error, or they are not in the list.
#[derive(Debug, Default)]
struct Unread {
    accounts: Vec<StorageAccountId>,
    error: Option<arm::Error>,
}

impl KeyStates {
    /// Nothing is read yet.
    pub(crate) fn new(session: Arc<Session>, call: Call) -> Self {
        Self {
            session,
            call,
            recency: Read::Remembered,
            known: HashMap::new(),
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
    /// Only when the call is interrupted or its deadline passes.
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
            read.map_err(|error| report::failure("The storage accounts were not read", &error, ""))?;
        }
        Ok(())
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
        for Unread { accounts, error } in unread.into_values() {
            let why = match &error {
                None => "they do not exist, or are in no list that the caller may read.".to_owned(),
                Some(error) => {
                    let action = "Microsoft.Storage/storageAccounts/read";
                    let scope = accounts.first().map_or("", |account| account.as_str());
                    report::explain(error, &report::lacks(error, action, scope, "Reader"))
                }
            };
            let named: Vec<_> = accounts.iter().take(NAMED).map(StorageAccountId::as_str).collect();
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
        if state.list.is_none() {
            let listed = self.list(List::in_subscription(subscription)).await;
            state.list = Some(settled(listed)?);
        }
        match &state.list {
            Some(Err(error)) if error.is_forbidden() => {
                self.read_groups(subscription, &mut state.groups, accounts).await
            }
            Some(Err(error)) => {
                self.unread(accounts, Some(error));
                Ok(())
            }
            _ => {
                self.not_listed(accounts);
                Ok(())
            }
        }
    }

    async fn read_each(&mut self, accounts: Vec<StorageAccountId>) -> Result<(), arm::Error> {
        let (session, recency, call) = (&self.session, self.recency, &self.call);
        let reads = accounts.iter().map(|id| session.arm.get::<StorageAccount>(id, recency, call));
        let read = join_all(reads).await;
        for (id, account) in accounts.into_iter().zip(read) {
            match settled(account)? {
                Ok(account) => drop(self.known.insert(id, Some(account.shared_key_enabled()))),
                Err(error) => self.unread(vec![id], Some(&error)),
            }
        }
        Ok(())
    }

    /// Lists the resource groups of these accounts that were not listed before.
    async fn read_groups(
        &mut self,
        subscription: &str,
        listed: &mut HashSet<String>,
        accounts: Vec<StorageAccountId>,
    ) -> Result<(), arm::Error> {
        let mut by_group: BTreeMap<String, Vec<StorageAccountId>> = BTreeMap::new();
        for account in accounts {
            by_group.entry(account.resource_group().to_lowercase()).or_default().push(account);
        }
        for (group, accounts) in by_group {
            let read = match listed.insert(group.clone()) {
                true => settled(self.list(List::in_resource_group(subscription, &group)).await)?,
                false => Ok(()),
            };
            match read {
                Ok(()) => self.not_listed(accounts),
                Err(error) => self.unread(accounts, Some(&error)),
            }
        }
        Ok(())
    }

    async fn list(&mut self, list: List<StorageAccount>) -> Result<(), arm::Error> {
        let listed = self.session.arm.list(list, self.recency, &self.call).await?;
        let accounts = listed.value.iter().filter_map(|account| {
            let id = StorageAccountId::parse(&account.id).ok()?;
            Some((id, Some(account.shared_key_enabled())))
        });
        self.known.extend(accounts);
        Ok(())
    }

    /// Notes those that a list of all of them did not have.
    fn not_listed(&mut self, accounts: Vec<StorageAccountId>) {
        let missing: Vec<_> = accounts.into_iter().filter(|account| !self.known.contains_key(account)).collect();
        if !missing.is_empty() {
            self.unread(missing, None);
        }
    }

    fn unread(&mut self, accounts: Vec<StorageAccountId>, error: Option<&arm::Error>) {
        self.known.extend(accounts.iter().map(|account| (account.clone(), None)));
        let code = error.map(|error| error.code().map_or("", ErrorCode::as_str).to_owned());
        let unread = self.unread.entry(code).or_default();
        if unread.error.is_none() {
            unread.error = error.cloned();
        }
        unread.accounts.extend(accounts);
    }
}

/// A result that says something about what was read, and not only that the call has ended.
fn settled<T>(result: Result<T, arm::Error>) -> Result<Result<T, arm::Error>, arm::Error> {
    match result {
        Err(error) if error.is_interruption() => Err(error),
        settled => Ok(settled),
    }
}
