//! A hub that does not exist any more, while its account may still have what this resource has changed.

use super::{explain, own_values::OwnValues, schema::State};
use crate::{
    arm::{Call, Read, WorkspaceId, storage_accounts::StorageAccount},
    framework::{Attr, Diagnostics, Private, resource::Outcome},
    provider::{Session, properties::Properties},
};

/// Reads the object of a missing hub. It stays in the state while destroying it may still restore the account; its mode is
/// null, so that each plan shows it.
pub(super) async fn read(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut state: State,
    mut private: Private,
) -> Outcome<State> {
    let nothing_to_restore = Outcome::none(Diagnostics::default());
    let wanted = Properties { mode: None, shared_keys: state.restores().shared_keys };
    let (Some(account), Some(shared_keys)) = (state.storage_account_id.known().cloned(), wanted.shared_keys) else {
        return nothing_to_restore;
    };
    let warning = match session.arm.get::<StorageAccount>(&account, Read::Remembered, call).await {
        Ok(found) => {
            let now = Properties { mode: None, shared_keys: Some(found.shared_key_enabled()) };
            if OwnValues::load(&private).to_restore(&wanted, &now) == Properties::default() {
                return nothing_to_restore;
            }
            state.shared_access_key_enabled = now.shared_keys.into();
            explain::hub_missing_keys_to_restore(hub, &account, shared_keys)
        }
        Err(error) if error.is_not_found() => return nothing_to_restore,
        Err(error) => explain::hub_missing_account_not_readable(hub, &account, &error),
    };
    forget_original_mode(&mut state, &mut private, hub);
    state.system_datastores_auth_mode = Attr::Null;
    state.hub_principal_id = Attr::Null;
    state.hub_user_assigned_principal_ids = Attr::Null;
    Outcome::kept(state, private, warning)
}

/// Forgets the original mode of a hub that does not exist any more, with a warning, and keeps what the account was.
pub(super) fn forget_original_mode(state: &mut State, private: &mut Private, hub: &WorkspaceId) -> Diagnostics {
    let mut original = Properties::of(&state.original);
    let mut own_values = OwnValues::load(private);
    own_values.mode = Default::default();
    own_values.save(private);
    let forgotten = original.mode.take();
    state.original = original.attributes().into();
    forgotten.map(|mode| explain::hub_recreated(hub, &mode)).into_iter().collect()
}
