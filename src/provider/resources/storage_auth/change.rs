//! Looking at a hub with its account, and bringing both to where they shall be.

use std::time::Duration;

use futures_util::future::join;

use super::{explain, schema::Settings};
use crate::{
    arm::{
        self, Call, Error, Read, StorageAccountId, WorkspaceId,
        storage_accounts::StorageAccount,
        workspaces::{AuthMode, AuthModeKind, Workspace},
    },
    framework::{Diagnostic, Diagnostics, Severity},
    provider::{
        Session,
        access::{self, Access, Check, Finding},
    },
};

/// How long the hub may take to be put back after the account refused. It is granted beyond the operation's own time,
/// since the hub would otherwise be left without access.
const PUTTING_BACK: Duration = Duration::from_secs(5 * 60);

/// The pauses between looks at a value that should have changed.
const LATE: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

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
        let workspaces = session.arm.workspaces();
        let (hub, early) = match known {
            None => (workspaces.get(hub_id, read, call).await, None),
            Some(account_id) => {
                let (hub, account) =
                    join(workspaces.get(hub_id, read, call), Account::at(session, &account_id, read, call)).await;
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
        match session.arm.storage_accounts().get(id, read, call).await {
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

/// A change under way.
#[derive(Debug)]
pub(super) struct Change<'c> {
    pub(super) session: &'c Session,
    pub(super) call: &'c Call,
    pub(super) hub: &'c WorkspaceId,
    pub(super) account: &'c StorageAccountId,
    /// What is there, as far as is known.
    pub(super) now: Settings,
    /// What was written, or may have been.
    pub(super) wrote: Settings,
    /// What there is to say beside an error that ended it.
    pub(super) found: Diagnostics,
}

impl Change<'_> {
    /// Brings hub and account to `target`; what it leaves open stays. The hub goes first in both directions: on the way to
    /// identities it must not need keys when they go off, and on the way back the order is the product's, so the gap in
    /// between is kept short.
    ///
    /// Where somebody may lose access, `access` is asked before anything is changed and again before keys go off.
    pub(super) async fn run(&mut self, target: &Settings, access: Option<&Access<'_>>) -> Result<(), Diagnostic> {
        let before = self.now.clone();
        let mode = target.mode.as_ref().filter(|mode| self.now.mode.as_ref() != Some(mode));
        let keys = target.keys.filter(|keys| self.now.keys != Some(*keys));
        let access = access.filter(|access| access.check != Check::Off && target.takes_keys_away(&before));
        if let Some(access) = access {
            let findings = access.before_anything(keys == Some(false)).await;
            self.weigh(&findings, access.check)?;
        }
        if let Some(mode) = mode {
            let set = self.set_mode(mode, self.call).await;
            set.map_err(|(error, interrupted)| self.incomplete(error, interrupted))?;
        }
        if let (Some(access), Some(false)) = (access, keys) {
            let findings = access.before_keys_go_off(mode.is_some()).await;
            let weighed = findings.and_then(|findings| self.weigh(&findings, access.check));
            weighed.map_err(|error| self.incomplete(error, false))?;
        }
        if let Some(keys) = keys
            && let Err((error, interrupted)) = self.set_keys(keys).await
        {
            let error = self.put_hub_back(&before, error).await;
            return Err(self.incomplete(error, interrupted));
        }
        let needs_keys = self.now.mode.as_ref().is_some_and(|mode| mode.kind() == AuthModeKind::AccessKey);
        if needs_keys && (mode.is_some() || keys == Some(true)) {
            if self.now.locks_the_hub_out() {
                self.found.push(explain::keys_are_off(self.hub, self.account));
            } else if let Err(error) = self.session.arm.workspaces().resync_keys(self.hub, self.call).await {
                self.found.push(explain::not_resynced(self.hub, &error));
            }
        }
        Ok(())
    }

    /// Takes note of findings; the last of those that stop is the error.
    fn weigh(&mut self, findings: &[Finding], check: Check) -> Result<(), Diagnostic> {
        self.found.extend(access::judge(findings, check));
        match self.found.0.iter().rposition(|found| found.severity == Severity::Error) {
            Some(position) => Err(self.found.0.remove(position)),
            None => Ok(()),
        }
    }

    /// An error together with what is there now.
    fn incomplete(&self, error: Diagnostic, interrupted: bool) -> Diagnostic {
        Diagnostic { detail: error.detail + &explain::left(&self.now, interrupted), ..error }
    }

    async fn set_mode(&mut self, mode: &AuthMode, call: &Call) -> Result<(), (Diagnostic, bool)> {
        let workspaces = self.session.arm.workspaces();
        match workspaces.patch_auth_mode(self.hub, mode, call).await {
            Ok(hub) => {
                self.wrote.mode = Some(mode.clone());
                let got = hub.properties.system_datastores_auth_mode;
                self.now.mode = Some(got.clone());
                if got == *mode { Ok(()) } else { Err((explain::mode_not_kept(self.hub, mode, &got), false)) }
            }
            Err(Error::NotKept { got, .. }) => {
                self.wrote.mode = Some(mode.clone());
                let got = AuthMode::new(got);
                self.now.mode = Some(got.clone());
                Err((explain::mode_not_kept(self.hub, mode, &got), false))
            }
            Err(error) => {
                let interrupted = error.is_interruption() && error.may_have_had_effect();
                if error.may_have_had_effect() {
                    self.wrote.mode = Some(mode.clone());
                    if !interrupted && let Ok(hub) = workspaces.get(self.hub, Read::Fresh, call).await {
                        self.now.mode = Some(hub.properties.system_datastores_auth_mode);
                    }
                }
                Err((explain::mode_not_set(self.hub, mode, &error), interrupted))
            }
        }
    }

    /// Switches keys, and looks whether they are: a policy may answer with success and keep the old value.
    async fn set_keys(&mut self, keys: bool) -> Result<(), (Diagnostic, bool)> {
        let accounts = self.session.arm.storage_accounts();
        match accounts.patch_shared_key(self.account, keys, self.call).await {
            Ok(answer) => {
                self.wrote.keys = Some(keys);
                let look = async || {
                    let account = accounts.get(self.account, Read::Fresh, self.call).await;
                    account.map_err(|error| (explain::account_not_read(self.account, &error), error.is_interruption()))
                };
                let mut account = look().await?;
                // Where Azure's own answer was right, an old value may just be late. A policy does not let go of it.
                for pause in LATE.into_iter().filter(|_| answer.shared_key_enabled() == keys) {
                    if account.shared_key_enabled() == keys || self.call.cancel.is_cancelled() {
                        break;
                    }
                    tokio::time::sleep(pause).await;
                    account = look().await?;
                }
                let got = account.shared_key_enabled();
                self.now.keys = Some(got);
                if got == keys { Ok(()) } else { Err((explain::keys_not_kept(self.account, keys, got), false)) }
            }
            Err(error) => {
                let interrupted = error.is_interruption() && error.may_have_had_effect();
                if error.may_have_had_effect() {
                    self.wrote.keys = Some(keys);
                    if !interrupted && let Ok(account) = accounts.get(self.account, Read::Fresh, self.call).await {
                        self.now.keys = Some(account.shared_key_enabled());
                    }
                }
                Err((explain::keys_not_set(self.account, keys, &error), interrupted))
            }
        }
    }

    /// Puts the hub back when it was switched to keys that the account then refused to take.
    async fn put_hub_back(&mut self, before: &Settings, error: Diagnostic) -> Diagnostic {
        let Some(mode) = before.mode.as_ref().filter(|mode| self.now.mode.as_ref() != Some(mode)) else { return error };
        if !self.now.locks_the_hub_out() || self.call.cancel.is_cancelled() {
            return error;
        }
        let call = Call::new(self.call.cancel.clone(), PUTTING_BACK);
        let result = self.set_mode(mode, &call).await;
        explain::put_back(error, mode, result.map_err(|(second, _)| second))
    }
}
