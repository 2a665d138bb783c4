//! Reads a hub and its storage account.

use futures_util::future::join;

use super::{Session, report};
use crate::{
    arm::{
        self, Call, ErrorCode, Read, StorageAccountId, WorkspaceId,
        storage_accounts::{StorageAccount, WholeAccount},
        workspaces::{Workspace, WorkspaceKind},
    },
    framework::{Attr, Diagnostic, Path, Severity, Summary},
};

const HUB: &str = "hub_id";

/// Why a hub could not be read.
#[derive(Debug)]
pub(crate) enum HubError {
    Missing(arm::Error),
    NotReadable(arm::Error),
}

impl HubError {
    fn of(error: arm::Error) -> Self {
        if error.is_not_found() { Self::Missing(error) } else { Self::NotReadable(error) }
    }

    pub(crate) fn diagnostic(&self, hub: &WorkspaceId) -> Diagnostic {
        let diagnostic = match self {
            Self::Missing(error) => {
                let next = "Check hub_id, or let it refer to the resource that creates the hub.";
                let detail = format!("There is no {hub}.\n\n{}", report::explain(error, next));
                Diagnostic::error("The hub does not exist", detail)
            }
            Self::NotReadable(error) => not_readable(hub, error),
        };
        diagnostic.at(Path::root(HUB))
    }

    /// The same for a plan: a hub that is missing may be created before the apply, and a caller who may not read it may
    /// still be allowed to do what comes next.
    pub(crate) fn while_planning(&self, hub: &WorkspaceId) -> Diagnostic {
        match self {
            Self::Missing(_) => {
                let detail = format!("There is no {hub}. {}", report::MAY_BE_CREATED);
                Diagnostic::warning("The hub does not exist", detail).at(Path::root(HUB))
            }
            Self::NotReadable(error) if error.is_forbidden() => {
                Diagnostic { severity: Severity::Warning, ..self.diagnostic(hub) }
            }
            Self::NotReadable(_) => self.diagnostic(hub),
        }
    }
}

/// A failed read of a hub that does not say that it is missing.
pub(crate) fn not_readable(hub: &WorkspaceId, error: &arm::Error) -> Diagnostic {
    let action = "Microsoft.MachineLearningServices/workspaces/read";
    report::not_readable(Summary("Cannot read the hub"), error, action, hub.as_str(), "Reader")
}

pub(crate) async fn read(session: &Session, id: &WorkspaceId, read: Read, call: &Call) -> Result<Workspace, HubError> {
    session.arm.get::<Workspace>(id, read, call).await.map_err(HubError::of)
}

/// The same where a hub that is missing drops an object from the state: its absence is believed after it was told twice.
pub(crate) async fn read_twice_if_missing(
    session: &Session,
    id: &WorkspaceId,
    read: Read,
    call: &Call,
) -> Result<Workspace, HubError> {
    match self::read(session, id, read, call).await {
        Err(HubError::Missing(_)) => self::read(session, id, Read::Fresh, call).await,
        found => found,
    }
}

/// Spares the requests by which a refresh reads a hub and its account, as far as lists say of them what the state has: that the hub
/// `is_known`, and whether the account accepts shared keys.
pub(crate) async fn spare_reads(
    session: &Session,
    id: &WorkspaceId,
    is_known: impl FnOnce(&Workspace) -> bool,
    account: &Attr<StorageAccountId>,
    keys: &Attr<bool>,
    call: &Call,
) {
    let hub = session.arm.spare_get::<Workspace>(id, |hub| hub.is_whole() && is_known(hub), call);
    let account = async {
        if let (Some(account), Some(keys)) = (account.known(), keys.known()) {
            let is_known = |found: &StorageAccount| found.is_whole() && found.shared_key_enabled() == *keys;
            session.arm.spare_get(account, is_known, call).await;
        }
    };
    join(hub, account).await;
}

/// The id of a hub's storage account.
pub(crate) fn account_of(id: &WorkspaceId, hub: &Workspace) -> Result<StorageAccountId, Diagnostic> {
    let named = &hub.properties.storage_account;
    StorageAccountId::parse(named).map_err(|_| {
        let detail = format!("Azure answers {named:?} where the id of the storage account of {id} is expected.");
        Diagnostic::error("The hub has no storage account", detail).at(Path::root(HUB))
    })
}

/// The error for a workspace that is a project.
pub(crate) fn refused_project(id: &WorkspaceId, hub: &Workspace) -> Option<Diagnostic> {
    if hub.kind() != WorkspaceKind::Project {
        return None;
    }
    let of = match hub.properties.hub_resource_id.as_deref().filter(|id| !id.is_empty()) {
        Some(of) => format!("Set hub_id to its hub:\n{of}"),
        None => "Set hub_id to its hub.".to_owned(),
    };
    let detail = format!("{id} is a project, which uses the storage account and the authorization of its hub. {of}");
    Some(Diagnostic::error("Not a hub", detail).at(Path::root(HUB)))
}

const HUBS_ALONE: &str = "Only hubs and workspaces of kind Default have a storage authorization of their own.";

/// The error for a workspace of a kind that has no storage authorization of its own.
pub(crate) fn refused_kind(id: &WorkspaceId, hub: &Workspace) -> Option<Diagnostic> {
    let detail = match hub.kind() {
        WorkspaceKind::Hub | WorkspaceKind::Default => return None,
        WorkspaceKind::Project => return refused_project(id, hub),
        WorkspaceKind::FeatureStore => {
            format!("{id} is a feature store. {HUBS_ALONE}")
        }
        WorkspaceKind::Other => format!("{id} is a workspace of kind {:?}. {HUBS_ALONE}", hub.kind_text),
    };
    Some(Diagnostic::error("Not a hub", detail).at(Path::root(HUB)))
}

/// Whether a failed read says that there is no such resource, or that the caller may not read it, as Azure also says of a
/// subscription that the caller does not see. Then what depends on the resource is not known, and that is no failure; any other
/// error says nothing about it.
pub(crate) fn is_gone_or_hidden(error: &arm::Error) -> bool {
    error.is_not_found() || error.is_forbidden() || error.code() == Some(&ErrorCode::SubscriptionNotFound)
}

pub(crate) fn account_not_readable(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    let action = "Microsoft.Storage/storageAccounts/read";
    report::not_readable(Summary("Cannot read the storage account"), error, action, account.as_str(), "Reader")
        .at(Path::root("shared_access_key_enabled"))
}

/// The same as a warning, where nothing is to be changed at the account.
pub(crate) fn account_unobserved(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    let reason = account_not_readable(account, error);
    let detail =
        format!("Whether shared keys are enabled is not known, and a change goes unnoticed.\n\n{}", reason.detail);
    let warning = Diagnostic::warning("Cannot read the storage account", detail);
    Diagnostic { of_provider: reason.of_provider, ..warning }.at(Path::root("shared_access_key_enabled"))
}

#[derive(Debug)]
pub(crate) struct HubAndAccount {
    pub hub: Workspace,
    pub account_id: StorageAccountId,
    pub account: Account,
}

#[derive(Debug)]
pub(crate) enum Account {
    Found(Box<WholeAccount>),
    Missing(arm::Error),
    /// The caller may not read it.
    NotReadable(arm::Error),
}

#[derive(Debug)]
pub(crate) enum ReadError {
    /// The hub could not be read. Beside it the account, where its id was known.
    Hub(HubError, Option<Result<Account, Diagnostic>>),
    Account(Diagnostic),
}

impl HubAndAccount {
    /// Reads hub and account with two requests, at the same time where the account's id is `known`. A missing account, or
    /// one that the caller may not read, is no error.
    pub(crate) async fn read(
        session: &Session,
        hub_id: &WorkspaceId,
        known: Option<StorageAccountId>,
        read: Read,
        call: &Call,
    ) -> Result<Self, ReadError> {
        let (hub, early) = match known {
            None => (read_twice_if_missing(session, hub_id, read, call).await, None),
            Some(account_id) => {
                let account = Account::read(session, &account_id, read, call);
                let (hub, account) = join(read_twice_if_missing(session, hub_id, read, call), account).await;
                (hub, Some((account_id, account)))
            }
        };
        let hub = match hub {
            Ok(hub) => hub,
            Err(error) => return Err(ReadError::Hub(error, early.map(|(_, account)| account))),
        };
        let account_id = account_of(hub_id, &hub).map_err(ReadError::Account)?;
        let account = match early {
            Some((id, account)) if id == account_id => account,
            // The hub was recreated with another account.
            _ => Account::read(session, &account_id, read, call).await,
        };
        Ok(Self { hub, account: account.map_err(ReadError::Account)?, account_id })
    }
}

impl Account {
    async fn read(session: &Session, id: &StorageAccountId, read: Read, call: &Call) -> Result<Self, Diagnostic> {
        match session.arm.get::<WholeAccount>(id, read, call).await {
            Ok(found) => Ok(Self::Found(Box::new(found))),
            Err(error) if !is_gone_or_hidden(&error) => Err(account_not_readable(id, &error)),
            Err(error) if error.is_not_found() => Ok(Self::Missing(error)),
            Err(error) => Ok(Self::NotReadable(error)),
        }
    }

    /// Whether it accepts shared keys; `None` where that is not known.
    pub(crate) fn shared_keys(&self) -> Option<bool> {
        match self {
            Self::Found(found) => Some(found.account.shared_key_enabled()),
            Self::Missing(_) | Self::NotReadable(_) => None,
        }
    }

    pub(crate) fn found(&self) -> Option<&WholeAccount> {
        match self {
            Self::Found(found) => Some(found),
            Self::Missing(_) | Self::NotReadable(_) => None,
        }
    }
}
