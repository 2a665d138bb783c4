//! Fills the state with what was read of hub and account.

use super::{
    schema::State,
    settings::{SettingAttributes, Settings},
};
use crate::{
    framework::Attr,
    provider::{hub::HubAndAccount, principal::PrincipalId},
};

/// Fills the state. Spellings that mean the same stay.
pub(super) fn observe(state: &mut State, current: &HubAndAccount) {
    fill(state, current);
    note(state, &settings_of(current));
}

/// Fills in the computed attributes of the hub.
pub(super) fn fill(state: &mut State, current: &HubAndAccount) {
    state.id = state.hub_id.text().map(str::to_owned).into();
    if state.storage_account_id.known() != Some(&current.account_id) {
        state.storage_account_id = current.account_id.clone().into();
    }
    state.hub_principal_id = current.hub.system_principal_id().map(PrincipalId::from).into();
    let assigned = current.hub.user_assigned_principal_ids().map(|id| PrincipalId::from(id).into());
    state.hub_user_assigned_principal_ids = Attr::Known(assigned.collect());
    if state.original.is_null() {
        state.original = SettingAttributes::default().into();
    }
}

/// Fills in the two properties.
pub(super) fn note(state: &mut State, now: &Settings) {
    if let Some(mode) = &now.mode
        && state.system_datastores_auth_mode.known() != Some(mode)
    {
        state.system_datastores_auth_mode = mode.clone().into();
    }
    match now.keys {
        Some(keys) => state.shared_access_key_enabled = keys.into(),
        None if state.shared_access_key_enabled.is_unknown() => state.shared_access_key_enabled = Attr::Null,
        None => {}
    }
}

pub(super) fn settings_of(current: &HubAndAccount) -> Settings {
    Settings { mode: Some(current.hub.properties.system_datastores_auth_mode.clone()), keys: current.account.keys() }
}

/// Whether the hub was recreated: a hub keeps its system-assigned identity as long as it exists.
pub(super) fn is_recreated(state: &State, current: &HubAndAccount) -> bool {
    let known = state.hub_principal_id.text().zip(current.hub.system_principal_id());
    known.is_some_and(|(known, now)| !known.eq_ignore_ascii_case(now))
}
