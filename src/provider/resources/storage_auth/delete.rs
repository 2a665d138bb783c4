//! Deleting: restores what this resource has changed and nobody else has changed since or still needs.

use super::{
    apply::Replaced, change::Change, explain, own_values::OwnValues, schema::State, set_state::set_properties,
};
use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId},
    framework::{
        Diagnostic, Diagnostics, Private,
        resource::Outcome,
        walk::{Fate, Succession},
    },
    provider::{
        Session,
        hub::{self, Account, HubAndAccount, HubError, ReadError},
        properties::Properties,
        walk_keys::{account_key, hub_key},
    },
};

/// What can be restored.
struct Current {
    account: StorageAccountId,
    now: Properties,
}

/// Deletes an object. Where another object manages the same hub, the current values are that one's.
pub(super) async fn delete(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut prior: State,
    mut private: Private,
    succession: &Succession,
) -> Outcome<State> {
    let original = Properties::of(&prior.original);
    if succession.is_replacement() {
        OwnValues::of_replaced(&private, &prior).save(&mut private);
    }
    let known = prior.storage_account_id.known().cloned();
    let _locks = match locks(session, call, hub, known.as_ref()).await {
        Ok(locks) => locks,
        Err(error) => return failed(prior, private, Diagnostics::default(), error),
    };
    let key = hub_key(hub);
    match succession.fate(&key) {
        Fate::Undo => {}
        Fate::HandOver => {
            succession.hand_over(&key, Replaced { own_values: OwnValues::load(&private), state: prior });
            return deleted(explain::handed_over(hub, &original).into_iter().collect());
        }
        Fate::Keep | Fate::Succeeded => {
            return deleted(explain::kept_for_another(hub, &original).into_iter().collect());
        }
    }
    let mut diagnostics = Diagnostics::default();
    if let (Some(account), Some(_)) = (&known, prior.restores().shared_keys)
        && matches!(succession.fate(&account_key(account)), Fate::Keep)
    {
        diagnostics.push(explain::keys_kept_for_another(account, original.shared_keys));
        prior.keep_keys();
    }
    if prior.restores() == Properties::default() {
        return deleted(diagnostics);
    }
    restore(session, call, hub, prior, private, diagnostics, succession).await
}

async fn restore(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut prior: State,
    mut private: Private,
    mut diagnostics: Diagnostics,
    succession: &Succession,
) -> Outcome<State> {
    let wanted = prior.restores();
    let there = match read(session, call, hub, &prior, &wanted, &mut diagnostics).await {
        Ok(Some(there)) => there,
        Ok(None) => return deleted(diagnostics),
        Err(error) => return failed(prior, private, diagnostics, error),
    };
    let own_values = OwnValues::load(&private);
    let target = own_values.to_restore(&wanted, &there.now);
    diagnostics.extend(left_alone(hub, &there, &wanted, &target, &own_values));
    let mut change = Change {
        session,
        walk: succession.walk(),
        call,
        hub,
        account: &there.account,
        now: there.now.clone(),
        sent: Properties::default(),
        own_values,
        completed_by: "destroy",
        diagnostics,
    };
    let result = change.run(&target, None).await;
    let Change { now, own_values, diagnostics, .. } = change;
    match result {
        Ok(()) => deleted(diagnostics),
        Err(error) => {
            own_values.save(&mut private);
            set_properties(&mut prior, &now);
            failed(prior, private, diagnostics, error)
        }
    }
}

fn failed(prior: State, private: Private, mut diagnostics: Diagnostics, error: Diagnostic) -> Outcome<State> {
    diagnostics.push(error);
    Outcome { state: Some(prior), private, diagnostics }
}

fn deleted(diagnostics: Diagnostics) -> Outcome<State> {
    Outcome::none(diagnostics)
}

async fn locks(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    account: Option<&StorageAccountId>,
) -> Result<impl Sized, Diagnostic> {
    let lock = async |id| session.lock(id, call).await.map_err(|error| explain::not_locked(&error));
    let hub = lock(hub.arm()).await?;
    let account = match account {
        Some(account) => Some(lock(account.arm()).await?),
        None => None,
    };
    Ok((hub, account))
}

/// Reads what can be restored; `None` when hub and account do not exist or were recreated.
async fn read(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    prior: &State,
    wanted: &Properties,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Current>, Diagnostic> {
    let known = prior.storage_account_id.known().cloned();
    let current = match HubAndAccount::read(session, hub, known.clone(), Read::Fresh, call).await {
        Ok(current) => current,
        Err(ReadError::Account(error)) => return Err(error),
        Err(ReadError::Hub(error @ HubError::NotReadable(_), _)) => return Err(error.diagnostic(hub)),
        // The account and what was changed there outlive the hub.
        Err(ReadError::Hub(HubError::Missing(_), found)) => {
            let Some((account, found)) = known.zip(found) else { return Ok(None) };
            return match found? {
                Account::Found(found) => {
                    let now = Properties { mode: None, shared_keys: Some(found.account.shared_key_enabled()) };
                    Ok(Some(Current { account, now }))
                }
                Account::Missing(_) => Ok(None),
                Account::NotReadable(error) => Err(hub::account_not_readable(&account, &error)),
            };
        }
    };
    if let Some(known) = known.filter(|known| *known != current.account_id) {
        diagnostics.push(explain::another_account(hub, &known, &current.account_id));
        return Ok(None);
    }
    match &current.account {
        // Switching only the hub back to keys, without knowing whether the account accepts them, may lock it out.
        Account::NotReadable(error) if wanted.shared_keys.is_some() => {
            return Err(hub::account_not_readable(&current.account_id, error));
        }
        Account::NotReadable(error) => diagnostics.push(hub::account_unobserved(&current.account_id, error)),
        Account::Found(_) | Account::Missing(_) => {}
    }
    Ok(Some(Current { now: Properties::in_azure(&current), account: current.account_id }))
}

/// Warnings about what is not restored because somebody else has changed it since.
fn left_alone(
    hub: &WorkspaceId,
    there: &Current,
    wanted: &Properties,
    target: &Properties,
    own_values: &OwnValues,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    if let (None, Some(wanted), Some(now), Some(ours)) =
        (&target.mode, &wanted.mode, &there.now.mode, own_values.last_mode())
        && wanted != now
    {
        let what = format!("systemDatastoresAuthMode of {hub}");
        diagnostics.push(explain::left_alone(&what, ours.wire(), now.wire(), wanted.wire()));
    }
    if let (None, Some(wanted), Some(now), Some(ours)) =
        (target.shared_keys, wanted.shared_keys, there.now.shared_keys, own_values.shared_keys.last())
        && wanted != now
    {
        let what = format!("allowSharedKeyAccess of {}", there.account);
        diagnostics.push(explain::left_alone(&what, &ours.to_string(), &now.to_string(), &wanted.to_string()));
    }
    diagnostics
}
