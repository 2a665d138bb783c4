//! The objects of a list.

use super::{
    schema::State,
    set_state::{set_computed, set_properties},
};
use crate::{
    arm::{StorageAccountId, WorkspaceId, workspaces::Workspace},
    provider::properties::Properties,
};

/// The object of a hub of which nothing but the id is wanted.
pub(crate) fn unread(id: &WorkspaceId) -> State {
    State::unread(id)
}

/// The object of a hub as a read makes it. `shared_keys` is whether its account accepts shared keys, as far as that is known.
pub(crate) fn listed(
    id: &WorkspaceId,
    hub: &Workspace,
    account: &StorageAccountId,
    shared_keys: Option<bool>,
) -> State {
    let mut state = State::unread(id);
    set_computed(&mut state, hub, account);
    let mode = Some(hub.properties.system_datastores_auth_mode.clone());
    set_properties(&mut state, &Properties { mode, shared_keys });
    state
}
