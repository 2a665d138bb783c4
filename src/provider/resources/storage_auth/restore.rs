//! Destroying: putting back what this resource has changed, as far as nobody else has a say in it.

use super::{
    apply::Replaced,
    change::Change,
    explain,
    keys::{account_key, hub_key},
    observe::{note, settings_of},
    record::Record,
    schema::State,
    settings::Settings,
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
        hub::{self, Account, HubAndAccount, Unread, Unseen},
    },
};

/// What is there to be put back.
struct There {
    account: StorageAccountId,
    now: Settings,
}

/// Removes an object. Where another object for the same hub takes its place or stays, what is in force is that one's.
pub(super) async fn destroy(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut prior: State,
    mut private: Private,
    succession: &Succession,
) -> Outcome<State> {
    let original = Settings::of(&prior.original);
    if succession.is_replacement() {
        Record::of_replaced(&private, &prior).save(&mut private);
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
            succession.hand_over(&key, Replaced { record: Record::load(&private), state: prior });
            return gone(explain::handed_over(hub, &original).into_iter().collect());
        }
        Fate::Keep | Fate::Succeeded => {
            return gone(explain::kept_for_another(hub, &original).into_iter().collect());
        }
    }
    let mut found = Diagnostics::default();
    if let (Some(account), Some(_)) = (&known, prior.restores().keys)
        && matches!(succession.fate(&account_key(account)), Fate::Keep)
    {
        found.push(explain::keys_kept_for_another(account, original.keys));
        prior.keep_keys();
    }
    if prior.restores() == Settings::default() {
        return gone(found);
    }
    restore(session, call, hub, prior, private, found, succession).await
}

/// Puts back what this resource has changed.
async fn restore(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut prior: State,
    mut private: Private,
    mut found: Diagnostics,
    succession: &Succession,
) -> Outcome<State> {
    let wanted = prior.restores();
    let there = match look(session, call, hub, &prior, &wanted, &mut found).await {
        Ok(Some(there)) => there,
        Ok(None) => return gone(found),
        Err(error) => return failed(prior, private, found, error),
    };
    let record = Record::load(&private);
    let target = record.put_back(&wanted, &there.now);
    found.extend(left_alone(hub, &there, &wanted, &target, &record));
    let mut change = Change {
        session,
        walk: succession.walk(),
        call,
        hub,
        account: &there.account,
        now: there.now.clone(),
        wrote: Settings::default(),
        record,
        found,
    };
    let result = change.run(&target, None).await;
    let Change { now, record, found, .. } = change;
    match result {
        Ok(()) => gone(found),
        Err(error) => {
            record.save(&mut private);
            note(&mut prior, &now);
            failed(prior, private, found, error)
        }
    }
}

fn failed(prior: State, private: Private, mut diagnostics: Diagnostics, error: Diagnostic) -> Outcome<State> {
    diagnostics.push(error);
    Outcome { state: Some(prior), private, diagnostics }
}

/// Nothing is left of the object.
fn gone(diagnostics: Diagnostics) -> Outcome<State> {
    Outcome { state: None, private: Private::default(), diagnostics }
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

/// What there is to put back; nothing when hub and account are gone or others than those that were changed.
async fn look(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    prior: &State,
    wanted: &Settings,
    found: &mut Diagnostics,
) -> Result<Option<There>, Diagnostic> {
    let known = prior.storage_account_id.known().cloned();
    let look = match HubAndAccount::read(session, hub, known.clone(), Read::Fresh, call).await {
        Ok(look) => look,
        Err(Unseen::Account(error)) => return Err(error),
        Err(Unseen::Hub(unread @ Unread::Failed(_), _)) => return Err(unread.error(hub)),
        // The account outlives the hub, and so does what was changed there.
        Err(Unseen::Hub(Unread::Missing(_), found)) => {
            let Some((account, found)) = known.zip(found) else { return Ok(None) };
            return match found? {
                Account::Seen(found) => {
                    let now = Settings { mode: None, keys: Some(found.shared_key_enabled()) };
                    Ok(Some(There { account, now }))
                }
                Account::Gone(_) => Ok(None),
                Account::Hidden(error) => Err(hub::account_not_read(&account, &error)),
            };
        }
    };
    if let Some(known) = known.filter(|known| *known != look.account_id) {
        found.push(explain::another_account(hub, &known, &look.account_id));
        return Ok(None);
    }
    match &look.account {
        // To put the hub back to keys alone, without a look at whether the account takes them, may lock it out.
        Account::Hidden(error) if wanted.keys.is_some() => {
            return Err(hub::account_not_read(&look.account_id, error));
        }
        Account::Hidden(error) => found.push(explain::account_hidden(&look.account_id, error)),
        Account::Seen(_) | Account::Gone(_) => {}
    }
    Ok(Some(There { now: settings_of(&look), account: look.account_id }))
}

/// Warnings about what is not put back because somebody else has changed it since.
fn left_alone(hub: &WorkspaceId, there: &There, wanted: &Settings, target: &Settings, record: &Record) -> Diagnostics {
    let mut found = Diagnostics::default();
    if let (None, Some(wanted), Some(now), Some(ours)) =
        (&target.mode, &wanted.mode, &there.now.mode, record.last_mode())
        && wanted != now
    {
        let what = format!("systemDatastoresAuthMode of {hub}");
        found.push(explain::left_alone(&what, ours.wire(), now.wire(), wanted.wire()));
    }
    if let (None, Some(wanted), Some(now), Some(ours)) = (target.keys, wanted.keys, there.now.keys, record.keys.last())
        && wanted != now
    {
        let what = format!("allowSharedKeyAccess of {}", there.account);
        found.push(explain::left_alone(&what, &ours.to_string(), &now.to_string(), &wanted.to_string()));
    }
    found
}
