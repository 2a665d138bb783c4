//! The storage account of a hub that is created: it is changed first, and put back where the hub is refused.

use std::time::Duration;

use super::{explain, schema::State};
use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId, storage_accounts::WholeAccount},
    framework::{Diagnostic, Diagnostics, walk::Walk},
    provider::{
        Session,
        access::{Access, AccessCheck},
        hub, shared_keys,
    },
};

/// How long putting the account back may take. It may exceed the operation's timeout, and is done after an interrupt, too:
/// the account would otherwise refuse keys for a hub that does not exist.
const PUT_BACK_TIMEOUT: Duration = Duration::from_secs(60);

/// What an apply works with.
#[derive(Clone, Copy)]
pub(super) struct Apply<'a> {
    pub(super) session: &'a Session,
    pub(super) walk: &'a Walk,
    pub(super) call: &'a Call,
}

/// An account that has its shared keys as a creation needs them.
pub(super) struct Prepared<'a> {
    pub(super) account: &'a StorageAccountId,
    pub(super) keys: bool,
    /// Whether this creation changed it.
    pub(super) is_changed: bool,
}

/// Makes the account accept or refuse keys as the configuration wants it. The hub does not exist yet, so that nobody uses it;
/// others on its account may.
pub(super) async fn prepare<'a>(
    apply: Apply<'_>,
    id: &WorkspaceId,
    account: &'a StorageAccountId,
    keys: Option<bool>,
    planned: &State,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Prepared<'a>>, Diagnostic> {
    let Apply { session, walk, call } = apply;
    let Some(keys) = keys else { return Ok(None) };
    let mut is_checked = keys || planned.requirements().check == AccessCheck::Off;
    loop {
        // What is read holds until the change, and until others of this run know of it.
        let lock = shared_keys::locked(session, call, account).await?;
        let found = now(apply, account, call).await?;
        let before = found.account.shared_key_enabled();
        if before == keys {
            session.key_holds.add(account.arm(), before);
            return Ok(Some(Prepared { account, keys, is_changed: false }));
        }
        if is_checked {
            let change = shared_keys::change(session, walk, call, account, keys).await;
            // Nothing is known to be changed, or everything is as before.
            if change.result.is_err() && (!change.sent || change.found == Some(before)) {
                return change.result.map(|()| None);
            }
            session.key_holds.add(account.arm(), before);
            drop(lock);
            let prepared = Some(Prepared { account, keys, is_changed: true });
            return match change.result {
                Ok(()) => Ok(prepared),
                Err(error) => Err(put_back(apply, prepared, error).await),
            };
        }
        drop(lock);
        check(apply, id, account, &found, planned, diagnostics).await?;
        is_checked = true;
    }
}

/// Checks who would lose access when the account refuses keys, which waits for other hubs that this run switches.
async fn check(
    Apply { session, call, .. }: Apply<'_>,
    id: &WorkspaceId,
    account: &StorageAccountId,
    found: &WholeAccount,
    planned: &State,
    diagnostics: &mut Diagnostics,
) -> Result<(), Diagnostic> {
    let requirements = planned.requirements();
    let access = Access { session, call, hub_id: id, hub: None, account, found_account: Some(found), requirements };
    let (findings, others) = access.check_before_changes(true).await;
    diagnostics.extend(access.apply_messages(&findings));
    diagnostics.take_error().map_or(Ok(()), Err)?;
    diagnostics.extend(access.apply_messages(&access.check_others(&others).await?));
    diagnostics.take_error().map_or(Ok(()), Err)
}

async fn now(
    Apply { session, .. }: Apply<'_>,
    account: &StorageAccountId,
    call: &Call,
) -> Result<WholeAccount, Diagnostic> {
    match session.arm.get::<WholeAccount>(account, Read::Fresh, call).await {
        Ok(found) => Ok(found),
        Err(error) if error.is_not_found() => Err(explain::account_missing(account, &error)),
        Err(error) => Err(hub::account_not_readable(account, &error)),
    }
}

/// Puts the account back to what it was before this run, unless others of this run need it as it is, and says so beside the
/// error that made it necessary.
pub(super) async fn put_back(apply: Apply<'_>, prepared: Option<Prepared<'_>>, error: Diagnostic) -> Diagnostic {
    let Some(Prepared { account, keys, is_changed }) = prepared else { return error };
    let call = Call::uninterrupted(PUT_BACK_TIMEOUT);
    let lock = shared_keys::locked(apply.session, &call, account).await;
    match (apply.session.key_holds.remove(account.arm()), lock) {
        (Some(before), _) if before == keys => error,
        (Some(before), Ok(_lock)) => {
            let change = shared_keys::change(apply.session, apply.walk, &call, account, before).await;
            explain::put_back(error, account, before, change.result)
        }
        (Some(before), Err(refused)) => explain::put_back(error, account, before, Err(refused)),
        (None, _) if is_changed => explain::left_for_others(error, account, keys),
        (None, _) => error,
    }
}
