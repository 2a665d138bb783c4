//! Destroying: putting back what this resource has changed, as far as nobody else has a say in it.

use super::{
    CREATES, KEYS, MODE, OTHERS, account_of,
    apply::Bequest,
    change::Change,
    explain,
    look::{Account, Look, Unseen},
    note,
    record::Record,
    schema::{Settings, State},
};
use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId},
    framework::{Diagnostic, Diagnostics, Private, resource::Outcome},
    provider::Session,
};

/// What is there to be put back.
struct There {
    account: StorageAccountId,
    now: Settings,
}

/// Removes an object. Where another object for the same hub takes its place or stays, what is in force is that one's, and
/// this one only hands on what it knows.
pub(super) async fn destroy(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut prior: State,
    mut private: Private,
    replacing: bool,
) -> Outcome<State> {
    let original = Settings::of(&prior.original);
    if replacing {
        Record::of_replaced(&private, &prior).save(&mut private);
    }
    if replacing && private.get::<String>(CREATES).as_deref() == Some(hub.arm().key().as_str()) {
        // With create_before_destroy the new object is there already.
        if session.has_claimed(hub.arm(), MODE) {
            return gone(explain::kept_for_another(hub, &original).into());
        }
        session.bequeath(hub.arm(), Bequest { record: Record::load(&private), state: prior });
        return gone(Diagnostics(explain::handed_on(hub, &original).into_iter().collect()));
    }
    let removed = session.note_object(hub.arm(), |all| all.removed += 1).removed;
    if private.get(OTHERS).is_some_and(|others: usize| removed <= others) {
        session.bequeath(hub.arm(), Bequest { record: Record::load(&private), state: prior });
        return gone(explain::kept_for_another(hub, &original).into());
    }
    if let Some(bequest) = session.inherit::<Bequest>(hub.arm()) {
        bequest.join(&mut prior, &mut private);
    }
    if prior.restores() == Settings::default() {
        return gone(Diagnostics::default());
    }
    restore(session, call, hub, prior, private).await
}

/// Puts back what this resource has changed.
async fn restore(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut prior: State,
    mut private: Private,
) -> Outcome<State> {
    let failed = |prior, private, mut diagnostics: Diagnostics, error| {
        diagnostics.push(error);
        Outcome { state: Some(prior), private, diagnostics }
    };
    let known = account_of(&prior);
    let _turns = match turns(session, call, hub, known.as_ref()).await {
        Ok(turns) => turns,
        Err(error) => return failed(prior, private, Diagnostics::default(), error),
    };
    let mut found = Diagnostics::default();
    let wanted = unclaimed(session, hub, &prior, &mut found);
    if wanted == Settings::default() {
        return gone(found);
    }
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

/// Nothing is left of the object.
fn gone(diagnostics: Diagnostics) -> Outcome<State> {
    Outcome { state: None, private: Private::default(), diagnostics }
}

async fn turns(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    account: Option<&StorageAccountId>,
) -> Result<impl Sized, Diagnostic> {
    let turn = async |id| session.turn(id, call).await.map_err(|error| explain::not_our_turn(&error));
    let hub = turn(hub.arm()).await?;
    let account = match account {
        Some(account) => Some(turn(account.arm()).await?),
        None => None,
    };
    Ok((hub, account))
}

/// What destroying puts back, less what something else of this run has made its own.
fn unclaimed(session: &Session, hub: &WorkspaceId, prior: &State, found: &mut Diagnostics) -> Settings {
    let (mut wanted, original) = (prior.restores(), Settings::of(&prior.original));
    if let Some(mode) = wanted.mode.take_if(|_| session.has_claimed(hub.arm(), MODE)) {
        let first = original.mode.unwrap_or(mode);
        found.push(explain::claimed(&format!("systemDatastoresAuthMode of {hub}"), first.wire()));
    }
    let account = account_of(prior);
    let claimed = account.as_ref().is_some_and(|account| session.has_claimed(account.arm(), KEYS));
    if let (Some(keys), Some(account)) = (wanted.keys.take_if(|_| claimed), account) {
        let first = original.keys.unwrap_or(keys);
        found.push(explain::claimed(&format!("allowSharedKeyAccess of {account}"), &first.to_string()));
    }
    wanted
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
    let known = account_of(prior);
    let look = match Look::at(session, hub, known.clone(), Read::Fresh, call).await {
        Ok(look) => look,
        Err(Unseen::Failed(error)) => return Err(error),
        // The account outlives the hub, and so does what was changed there.
        Err(Unseen::NoHub(_)) => {
            let Some(account) = known else { return Ok(None) };
            return match session.arm.storage_accounts().get(&account, Read::Fresh, call).await {
                Ok(found) => {
                    let now = Settings { mode: None, keys: Some(found.shared_key_enabled()) };
                    Ok(Some(There { account, now }))
                }
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(explain::account_not_read(&account, &error)),
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
            return Err(explain::account_not_read(&look.account_id, error));
        }
        Account::Hidden(error) => found.push(explain::account_hidden(&look.account_id, error)),
        Account::Seen(_) | Account::Gone(_) => {}
    }
    Ok(Some(There { now: look.settings(), account: look.account_id }))
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
