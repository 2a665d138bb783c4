//! Looking at a hub together with its account.

use futures_util::future::join;

use super::{explain, schema::Settings};
use crate::{
    arm::{self, Call, Read, StorageAccountId, WorkspaceId, storage_accounts::StorageAccount, workspaces::Workspace},
    framework::Diagnostic,
    provider::Session,
};

/// What is there.
#[derive(Debug)]
pub(super) struct Look {
    /// The hub.
    pub(super) hub: Workspace,
    /// The id of its account.
    pub(super) account_id: StorageAccountId,
    /// Its account.
    pub(super) account: Account,
}

/// What is known of a storage account.
#[derive(Debug)]
pub(super) enum Account {
    /// It is there.
    Seen(StorageAccount),
    /// It does not exist.
    Gone(arm::Error),
    /// The caller may not look at it.
    Hidden(arm::Error),
}

/// Why there is nothing to see.
#[derive(Debug)]
pub(super) enum Unseen {
    /// The hub does not exist.
    NoHub(arm::Error),
    /// It could not be looked at, or makes no sense.
    Failed(Diagnostic),
}

impl Look {
    /// Looks at hub and account: two requests, at once where the account's id is `known`.
    pub(super) async fn at(
        session: &Session,
        hub_id: &WorkspaceId,
        known: Option<StorageAccountId>,
        read: Read,
        call: &Call,
    ) -> Result<Self, Unseen> {
        let look = || session.arm.get::<Workspace>(hub_id, read, call);
        let (hub, early) = match known {
            None => (look().await, None),
            Some(account_id) => {
                let (hub, account) = join(look(), Account::at(session, &account_id, read, call)).await;
                (hub, Some((account_id, account)))
            }
        };
        let hub = match hub {
            Ok(hub) => hub,
            Err(error) if error.is_not_found() => return Err(Unseen::NoHub(error)),
            Err(error) => return Err(Unseen::Failed(explain::hub_not_read(hub_id, &error))),
        };
        let named = &hub.properties.storage_account;
        let account_id =
            StorageAccountId::parse(named).map_err(|_| Unseen::Failed(explain::no_account_id(hub_id, named)))?;
        let account = match early {
            Some((id, account)) if id == account_id => account,
            // A hub of the same name was made anew, on another account.
            _ => Account::at(session, &account_id, read, call).await,
        };
        Ok(Self { hub, account: account.map_err(Unseen::Failed)?, account_id })
    }

    /// The two properties as they are.
    pub(super) fn settings(&self) -> Settings {
        Settings { mode: Some(self.hub.properties.system_datastores_auth_mode.clone()), keys: self.account.keys() }
    }
}

impl Account {
    async fn at(session: &Session, id: &StorageAccountId, read: Read, call: &Call) -> Result<Self, Diagnostic> {
        match session.arm.get::<StorageAccount>(id, read, call).await {
            Ok(account) => Ok(Self::Seen(account)),
            Err(error) if error.is_not_found() => Ok(Self::Gone(error)),
            Err(error) if error.is_forbidden() => Ok(Self::Hidden(error)),
            Err(error) => Err(explain::account_not_read(id, &error)),
        }
    }

    fn keys(&self) -> Option<bool> {
        match self {
            Self::Seen(account) => Some(account.shared_key_enabled()),
            Self::Gone(_) | Self::Hidden(_) => None,
        }
    }
}
