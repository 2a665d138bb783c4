//! The configuration that engines generate for an object.

use super::{schema::State, words::IdentityType};
use crate::{
    arm::{ArmId, workspaces::AuthMode},
    framework::Attr,
};

/// An object without what Azure chooses by itself, and without the keys of the account, which a foundryhub_storage_auth may set.
pub(super) fn of(mut state: State) -> State {
    state.shared_access_key_enabled = Attr::Null;
    state.system_datastores_auth_mode = state.system_datastores_auth_mode.known().map(AuthMode::documented).into();
    if state.is_encrypted() || state.high_business_impact_enabled.known() == Some(&false) {
        state.high_business_impact_enabled = Attr::Null;
    }
    if state.data_isolation_enabled.known() == Some(&true) {
        state.data_isolation_enabled = Attr::Null;
    }
    if state.identity.known().is_some_and(|identity| identity.kind.known() == Some(&IdentityType::System)) {
        state.identity = Attr::Null;
    }
    let isolation = state.managed_network.known().and_then(|network| network.isolation_mode.known());
    if isolation.is_some_and(|mode| mode.is("Disabled")) {
        state.managed_network = Attr::Null;
    }
    let own_group = state.id.known().and_then(|id| {
        let group = format!("/subscriptions/{}/resourceGroups/{}", id.subscription(), id.resource_group());
        ArmId::parse(&group).ok()
    });
    let projects =
        state.workspace_hub_config.known().and_then(|config| config.default_workspace_resource_group.known());
    if projects.is_some() && projects == own_group.as_ref() {
        state.workspace_hub_config = Attr::Null;
    }
    state
}
