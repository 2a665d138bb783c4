//! Reading a hub and its storage account, and saying why that cannot be done.

use futures_util::future::join;

use super::{Session, report};
use crate::{
    arm::{
        self, Call, Read, StorageAccountId, WorkspaceId,
        storage_accounts::StorageAccount,
        workspaces::{Workspace, WorkspaceKind},
    },
    framework::{Diagnostic, Path, Severity},
};

/// The attribute by which every kind of thing names a hub.
const HUB: &str = "hub_id";

/// Why a hub could not be read.
#[derive(Debug)]
pub enum Unread {
    /// It does not exist.
    Missing(arm::Error),
    /// Azure does not say.
    Failed(arm::Error),
}

impl Unread {
    /// The error for whoever needs the hub now.
    pub fn error(&self, hub: &WorkspaceId) -> Diagnostic {
        let diagnostic = match self {
            Self::Missing(error) => {
                let next = "Check the id, or let hub_id refer to the resource that makes the hub.";
                let detail = format!("There is no {hub}.\n\n{}", report::explain(error, next));
                Diagnostic::error("The hub does not exist", detail)
            }
            Self::Failed(error) => {
                let action = "Microsoft.MachineLearningServices/workspaces/read";
                let next = report::lacks(error, action, hub.as_str(), "Reader");
                report::failure("Cannot read the hub", error, &next)
            }
        };
        diagnostic.at(Path::root(HUB))
    }

    /// The same for a plan. A hub that is missing may be made before the apply, and who may not look at it may be allowed
    /// to do what comes next.
    pub fn while_planning(&self, hub: &WorkspaceId) -> Diagnostic {
        match self {
            Self::Missing(_) => {
                let detail = format!(
                    "There is no {hub}. If it is made before this is applied, all is well; otherwise the apply will fail."
                );
                Diagnostic::warning("The hub does not exist", detail).at(Path::root(HUB))
            }
            Self::Failed(error) if error.is_forbidden() => {
                let summary = "The hub cannot be seen".to_owned();
                Diagnostic { severity: Severity::Warning, summary, ..self.error(hub) }
            }
            Self::Failed(_) => self.error(hub),
        }
    }
}

/// Reads a hub.
///
/// # Errors
/// When it is missing or cannot be read.
pub async fn read(session: &Session, id: &WorkspaceId, read: Read, call: &Call) -> Result<Workspace, Unread> {
    session.arm.get::<Workspace>(id, read, call).await.map_err(|error| match error.is_not_found() {
        true => Unread::Missing(error),
        false => Unread::Failed(error),
    })
}

/// The storage account of a hub.
///
/// # Errors
/// A message when Azure names none, or something else.
pub fn account_of(id: &WorkspaceId, hub: &Workspace) -> Result<StorageAccountId, Diagnostic> {
    let named = &hub.properties.storage_account;
    StorageAccountId::parse(named).map_err(|_| {
        let detail = format!("Azure names no storage account for {id}: {named:?}.");
        Diagnostic::error("The hub has no storage account", detail).at(Path::root(HUB))
    })
}

/// Why a project stands for no hub; `None` when the workspace is none.
pub fn refused_project(id: &WorkspaceId, hub: &Workspace) -> Option<Diagnostic> {
    if hub.kind() != WorkspaceKind::Project {
        return None;
    }
    let of = match hub.properties.hub_resource_id.as_deref().filter(|id| !id.is_empty()) {
        Some(of) => format!("Set hub_id to its hub:\n{of}"),
        None => "Set hub_id to its hub; Azure does not name it.".to_owned(),
    };
    let detail = format!("{id} is a project, which uses the storage account and the authorization of its hub. {of}");
    Some(Diagnostic::error("Not a hub", detail).at(Path::root(HUB)))
}

/// Why a workspace of this kind has no storage authorization of its own; `None` when it has one.
pub fn refused_kind(id: &WorkspaceId, hub: &Workspace) -> Option<Diagnostic> {
    let detail = match hub.kind() {
        WorkspaceKind::Hub | WorkspaceKind::Default => return None,
        WorkspaceKind::Project => return refused_project(id, hub),
        WorkspaceKind::FeatureStore => {
            format!("{id} is a feature store, which has no storage authorization of this sort.")
        }
        WorkspaceKind::Other => format!(
            "{id} is a workspace of the kind {:?}. This resource is for hubs, and for workspaces of kind Default.",
            hub.kind_text
        ),
    };
    Some(Diagnostic::error("Not a hub", detail).at(Path::root(HUB)))
}

/// The account could not be read.
pub fn account_not_read(account: &StorageAccountId, error: &arm::Error) -> Diagnostic {
    let next = report::lacks(error, "Microsoft.Storage/storageAccounts/read", account.as_str(), "Reader");
    report::failure("Cannot read the storage account", error, &next).at(Path::root("shared_access_key_enabled"))
}

/// A hub together with its storage account.
#[derive(Debug)]
pub struct HubAndAccount {
    /// The hub.
    pub hub: Workspace,
    /// The id of its account.
    pub account_id: StorageAccountId,
    /// Its account.
    pub account: Account,
}

/// What is known of a storage account.
#[derive(Debug)]
pub enum Account {
    /// It is there.
    Seen(StorageAccount),
    /// It does not exist.
    Gone(arm::Error),
    /// The caller may not look at it.
    Hidden(arm::Error),
}

/// Why hub and account could not be read.
#[derive(Debug)]
pub enum Unseen {
    /// The hub could not. Beside it what was found of the account whose id was known.
    Hub(Unread, Option<Result<Account, Diagnostic>>),
    /// The hub names no account, or the account could not be read.
    Account(Diagnostic),
}

impl HubAndAccount {
    /// Reads hub and account: two requests, at once where the account's id is `known`.
    ///
    /// # Errors
    /// When the hub is missing or either cannot be read. That the account is missing, or may not be read, is no error.
    pub async fn read(
        session: &Session,
        hub_id: &WorkspaceId,
        known: Option<StorageAccountId>,
        read: Read,
        call: &Call,
    ) -> Result<Self, Unseen> {
        let (hub, early) = match known {
            None => (self::read(session, hub_id, read, call).await, None),
            Some(account_id) => {
                let account = Account::read(session, &account_id, read, call);
                let (hub, account) = join(self::read(session, hub_id, read, call), account).await;
                (hub, Some((account_id, account)))
            }
        };
        let hub = match hub {
            Ok(hub) => hub,
            Err(unread) => return Err(Unseen::Hub(unread, early.map(|(_, account)| account))),
        };
        let account_id = account_of(hub_id, &hub).map_err(Unseen::Account)?;
        let account = match early {
            Some((id, account)) if id == account_id => account,
            // A hub of the same name was made anew, on another account.
            _ => Account::read(session, &account_id, read, call).await,
        };
        Ok(Self { hub, account: account.map_err(Unseen::Account)?, account_id })
    }
}

impl Account {
    async fn read(session: &Session, id: &StorageAccountId, read: Read, call: &Call) -> Result<Self, Diagnostic> {
        match session.arm.get::<StorageAccount>(id, read, call).await {
            Ok(account) => Ok(Self::Seen(account)),
            Err(error) if error.is_not_found() => Ok(Self::Gone(error)),
            Err(error) if error.is_forbidden() => Ok(Self::Hidden(error)),
            Err(error) => Err(account_not_read(id, &error)),
        }
    }

    /// Whether it takes shared keys; `None` where that is not known.
    pub fn keys(&self) -> Option<bool> {
        match self {
            Self::Seen(account) => Some(account.shared_key_enabled()),
            Self::Gone(_) | Self::Hidden(_) => None,
        }
    }
}
