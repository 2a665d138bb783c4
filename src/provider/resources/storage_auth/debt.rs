//! A hub that is gone, while its account still has what this resource made of it.

use super::{explain, record::Record, schema::State, settings::Settings};
use crate::{
    arm::{Call, Read, WorkspaceId, storage_accounts::StorageAccount},
    framework::{Attr, Diagnostics, Private, resource::Outcome},
    provider::Session,
};

/// The object of a hub that does not exist. It stays as long as destroying it would still change the account, or as that
/// cannot be told; without a mode, so that each plan shows it.
pub(super) async fn of_a_hub_that_is_gone(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut state: State,
    mut private: Private,
) -> Outcome<State> {
    let gone = Outcome { state: None, private: Private::default(), diagnostics: Diagnostics::default() };
    let wanted = Settings { mode: None, keys: state.restores().keys };
    let (Some(account), Some(keys)) = (state.storage_account_id.known().cloned(), wanted.keys) else { return gone };
    let found = match session.arm.get::<StorageAccount>(&account, Read::Remembered, call).await {
        Ok(found) => {
            let now = Settings { mode: None, keys: Some(found.shared_key_enabled()) };
            if Record::load(&private).put_back(&wanted, &now) == Settings::default() {
                return gone;
            }
            state.shared_access_key_enabled = now.keys.into();
            explain::hub_gone_and_keys_owed(hub, &account, keys)
        }
        Err(error) if error.is_not_found() => return gone,
        Err(error) => explain::hub_gone_and_account_hidden(hub, &account, &error),
    };
    forget_the_hub(&mut state, &mut private, hub);
    state.system_datastores_auth_mode = Attr::Null;
    state.hub_principal_id = Attr::Null;
    state.hub_user_assigned_principal_ids = Attr::Null;
    Outcome { state: Some(state), private, diagnostics: found.into() }
}

/// Forgets what the hub was before it was first changed from here, since that hub is gone. What the account was stays.
/// Warns where something is forgotten.
pub(super) fn forget_the_hub(state: &mut State, private: &mut Private, hub: &WorkspaceId) -> Diagnostics {
    let mut original = Settings::of(&state.original);
    let mut record = Record::load(private);
    record.mode = Default::default();
    record.save(private);
    let forgotten = original.mode.take();
    state.original = original.attributes().into();
    forgotten.map(|mode| explain::hub_made_anew(hub, &mode)).into_iter().collect()
}
