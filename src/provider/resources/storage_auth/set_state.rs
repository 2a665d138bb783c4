//! Sets in the state what was read of hub and account.

use super::schema::State;
use crate::{
    arm::{StorageAccountId, workspaces::Workspace},
    framework::Attr,
    provider::{
        hub::HubAndAccount,
        principal::PrincipalId,
        properties::{Properties, PropertyAttributes},
    },
};

pub(super) fn set_all(state: &mut State, current: &HubAndAccount) {
    set_computed(state, &current.hub, &current.account_id);
    set_properties(state, &Properties::in_azure(current));
}

/// Sets the computed attributes of the hub.
pub(super) fn set_computed(state: &mut State, hub: &Workspace, account: &StorageAccountId) {
    state.id = state.hub_id.text().map(str::to_owned).into();
    state.storage_account_id = account.clone().into();
    state.hub_principal_id = hub.system_principal_id().map(PrincipalId::from).into();
    let mut assigned: Vec<&str> = hub.user_assigned_principal_ids().collect();
    // The order of a set in a state.
    assigned.sort_unstable();
    state.hub_user_assigned_principal_ids =
        Attr::Known(assigned.into_iter().map(|id| PrincipalId::from(id).into()).collect());
    if state.original.is_null() {
        state.original = PropertyAttributes::default().into();
    }
}

/// Sets the two properties, as far as they are known.
pub(super) fn set_properties(state: &mut State, now: &Properties) {
    if let Some(mode) = &now.mode {
        state.system_datastores_auth_mode = mode.clone().into();
    }
    match now.shared_keys {
        Some(shared_keys) => state.shared_access_key_enabled = shared_keys.into(),
        None if state.shared_access_key_enabled.is_unknown() => state.shared_access_key_enabled = Attr::Null,
        None => {}
    }
}
