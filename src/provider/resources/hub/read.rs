//! Reading: what hub and account are now.

use super::{explain, schema::State};
use crate::{
    arm::{Call, Read, WorkspaceId, storage_accounts::StorageAccount},
    framework::{Attr, Diagnostics, Private, resource::Outcome, walk::Walk},
    provider::{
        Session, claims,
        hub::{self, HubError},
    },
};

pub(super) async fn read(
    session: &Session,
    walk: &Walk,
    call: &Call,
    id: &WorkspaceId,
    mut state: State,
    private: Private,
) -> Outcome<State> {
    let (account, keys) = (&state.storage_account_id, &state.shared_access_key_enabled);
    hub::spare_reads(session, id, |hub| state.is_as(id, hub), account, keys, call).await;
    let hub = match hub::read_twice_if_missing(session, id, Read::Remembered, call).await {
        Ok(hub) => hub,
        Err(HubError::Missing(_)) => {
            claims::note_gone(walk, id);
            return Outcome::none(Diagnostics::default());
        }
        Err(HubError::NotReadable(error)) => {
            return Outcome::kept(state, private, hub::not_readable(id, &error));
        }
    };
    if let Some(error) = explain::not_a_hub(id, &hub) {
        return Outcome::kept(state, private, error);
    }
    state.set_service(id, &hub);
    let diagnostics = read_keys(session, call, &mut state, Read::Remembered).await;
    Outcome { state: Some(state), private, diagnostics }
}

/// Sets whether the hub's account accepts shared keys. Where that cannot be read, what was known before stays.
pub(super) async fn read_keys(session: &Session, call: &Call, state: &mut State, read: Read) -> Diagnostics {
    let Some(account) = state.storage_account_id.known().cloned() else { return Diagnostics::default() };
    let keys = &mut state.shared_access_key_enabled;
    match session.arm.get::<StorageAccount>(&account, read, call).await {
        Ok(found) => {
            *keys = found.shared_key_enabled().into();
            Diagnostics::default()
        }
        Err(error) => {
            let known = keys.known().is_some();
            if !known {
                *keys = Attr::Null;
            }
            // A caller who may not read the account has nothing to lose where nothing was known of it.
            if known || !error.is_forbidden() {
                hub::account_unobserved(&account, &error).into()
            } else {
                Diagnostics::default()
            }
        }
    }
}
