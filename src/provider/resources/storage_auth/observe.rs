//! From what was read of hub and account to the state.

use super::{
    schema::State,
    settings::{SettingAttributes, Settings},
};
use crate::{
    framework::Attr,
    provider::{hub::HubAndAccount, principal::PrincipalId},
};

/// Takes what was seen into the state. Spellings that mean the same stay.
pub(super) fn observe(state: &mut State, look: &HubAndAccount) {
    fill(state, look);
    note(state, &settings_of(look));
}

/// Fills in what only Azure knows of the hub.
pub(super) fn fill(state: &mut State, look: &HubAndAccount) {
    state.id = state.hub_id.text().map(str::to_owned).into();
    if state.storage_account_id.known() != Some(&look.account_id) {
        state.storage_account_id = look.account_id.clone().into();
    }
    state.hub_principal_id = look.hub.system_principal_id().map(PrincipalId::from).into();
    let assigned = look.hub.user_assigned_principal_ids().map(|id| PrincipalId::from(id).into());
    state.hub_user_assigned_principal_ids = Attr::Known(assigned.collect());
    if state.original.is_null() {
        state.original = SettingAttributes::default().into();
    }
}

/// Takes the two properties into the state.
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

/// The two properties as they were read.
pub(super) fn settings_of(look: &HubAndAccount) -> Settings {
    Settings { mode: Some(look.hub.properties.system_datastores_auth_mode.clone()), keys: look.account.keys() }
}

/// Whether another hub has the name now: a hub's system-assigned identity stays the same as long as the hub is there.
pub(super) fn is_another_hub(state: &State, look: &HubAndAccount) -> bool {
    let known = state.hub_principal_id.text().zip(look.hub.system_principal_id());
    known.is_some_and(|(known, now)| !known.eq_ignore_ascii_case(now))
}
