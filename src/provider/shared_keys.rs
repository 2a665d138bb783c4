//! Changes whether a storage account accepts shared keys, and reads back whether it does.

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::{
    Session, hub, report,
    walk_keys::account_key,
    write_error::{self, Write},
};
use crate::{
    arm::{Call, Error, Read, StorageAccountId, WorkspaceId, storage_accounts::StorageAccount},
    framework::{Diagnostic, Path, Summary, walk::Walk},
};

/// The pauses before a value that should have changed is read again, as Azure's answers may be stale for some seconds.
pub(crate) const REREAD_PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// What became of a change.
#[derive(Debug)]
pub(crate) struct SharedKeysChange {
    /// Whether a request was sent that may have had an effect.
    pub(crate) sent: bool,
    /// Whether shared keys are enabled now, if that is known.
    pub(crate) found: Option<bool>,
    pub(crate) result: Result<(), Diagnostic>,
}

impl SharedKeysChange {
    fn not_sent(error: Diagnostic) -> Self {
        Self { sent: false, found: None, result: Err(error) }
    }
}

/// Sets shared keys while no other resource of this run does. The lock is held for this alone, since a hub that waits for
/// others on its account must not block them.
pub(crate) async fn set_locked(
    session: &Session,
    walk: &Walk,
    call: &Call,
    account: &StorageAccountId,
    enabled: bool,
) -> SharedKeysChange {
    match locked(session, call, account).await {
        Ok(_lock) => set(session, walk, call, account, enabled).await,
        Err(error) => SharedKeysChange::not_sent(error),
    }
}

/// Waits for the lock of the account.
///
/// # Errors
/// The call ends before that.
pub(crate) async fn locked(
    session: &Session,
    call: &Call,
    account: &StorageAccountId,
) -> Result<OwnedMutexGuard<()>, Diagnostic> {
    session.lock(account.arm(), call).await.map_err(|error| {
        let next = "Other resources of this run change the same account. Raise the timeouts block.";
        Diagnostic::error("Shared keys were not changed yet", report::explain(&error, next))
    })
}

/// Sets shared keys for good: creations that fail leave them so.
pub(crate) async fn set(
    session: &Session,
    walk: &Walk,
    call: &Call,
    account: &StorageAccountId,
    enabled: bool,
) -> SharedKeysChange {
    let change = change(session, walk, call, account, enabled).await;
    if change.result.is_ok() {
        session.key_holds.add(account.arm(), enabled);
    }
    change
}

/// Sets shared keys and reads them back: with a policy Azure may answer with success and keep the old value.
pub(crate) async fn change(
    session: &Session,
    walk: &Walk,
    call: &Call,
    account: &StorageAccountId,
    enabled: bool,
) -> SharedKeysChange {
    walk.note_changing(&account_key(account));
    let arm = &session.arm;
    let (found, problem) = match arm.set_shared_key_access(account, enabled, call).await {
        Ok(answer) => match reread(session, call, account, enabled, answer.shared_key_enabled()).await {
            Ok(got) => (Some(got), None),
            Err(error) => (None, Some(hub::account_not_readable(account, &error))),
        },
        Err(error) if !error.may_have_had_effect() => {
            return SharedKeysChange::not_sent(keys_not_set(account, enabled, &error));
        }
        Err(error) => {
            let found = match error.is_interruption() {
                true => None,
                false => arm.get::<StorageAccount>(account, Read::Fresh, call).await.ok(),
            };
            (found.map(|account| account.shared_key_enabled()), Some(keys_not_set(account, enabled, &error)))
        }
    };
    let result = match (problem, found) {
        (Some(problem), _) => Err(problem),
        (None, Some(got)) if got != enabled => Err(keys_not_kept(account, enabled, got)),
        (None, _) => Ok(()),
    };
    SharedKeysChange { sent: true, found, result }
}

/// Whether shared keys are enabled after a change. Where Azure `answered` with the new value, an old one may be stale; where a
/// policy keeps the old value, it answers with that.
async fn reread(
    session: &Session,
    call: &Call,
    account: &StorageAccountId,
    enabled: bool,
    answered: bool,
) -> Result<bool, Error> {
    let arm = &session.arm;
    let read = || arm.get::<StorageAccount>(account, Read::Fresh, call);
    let mut got = read().await?.shared_key_enabled();
    for pause in REREAD_PAUSES.into_iter().filter(|_| answered == enabled) {
        if got == enabled || arm.pause(pause, "waiting for Azure to show a change", call).await.is_err() {
            break;
        }
        got = read().await?.shared_key_enabled();
    }
    Ok(got)
}

fn keys_not_set(account: &StorageAccountId, keys: bool, error: &Error) -> Diagnostic {
    let (summary, next) = if error.is_not_found() {
        (
            Summary("The storage account was deleted during the apply"),
            "It was there a moment ago. The next plan shows what is left.".to_owned(),
        )
    } else {
        let attempt = Write {
            doing: "changing the storage account",
            not_allowed: Summary("Not allowed to change the storage account"),
            action: "Microsoft.Storage/storageAccounts/write",
            scope: account.as_str(),
            roles: "Storage Account Contributor, Contributor and Owner allow it; roles for data do not.",
        };
        write_error::explain(error, attempt).unwrap_or((Summary("Cannot change the storage account"), String::new()))
    };
    let told = report::explain(error, &next);
    let detail = format!("Shared keys of {account} could not be {}.\n\n{told}", enabled(keys));
    summary.error(detail).at(Path::root("shared_access_key_enabled"))
}

fn keys_not_kept(account: &StorageAccountId, asked: bool, got: bool) -> Diagnostic {
    let detail = format!(
        "Azure accepted allowSharedKeyAccess {asked} for {account}, which has {got} now. A policy that modifies requests does \
         that: look for a policy assignment that sets allowSharedKeyAccess, and ask for an exemption. So does somebody else who \
         writes the account at the same time, such as an azurerm_storage_account in this apply: order the two by depends_on, and \
         leave the setting to one of them, by ignore_changes in the other."
    );
    Diagnostic::error("The storage account did not keep the setting", detail)
        .at(Path::root("shared_access_key_enabled"))
}

/// A warning, since the hub fetches the keys by itself later.
pub(crate) fn not_resynced(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let next = format!(
        "If the keys were rotated while the hub did not use them, run az ml workspace sync-keys --name {} --resource-group {}.",
        hub.name(),
        hub.resource_group()
    );
    Diagnostic::warning("The hub has not fetched the current keys", format!("{}\n\n{next}", report::explain(error, "")))
}

/// How shared keys are called in texts.
pub(crate) fn enabled(keys: bool) -> &'static str {
    if keys { "enabled" } else { "disabled" }
}
