//! The walk keys of objects that manage a hub, and the shared keys of its account.

use super::properties::Properties;
use crate::{
    arm::{StorageAccountId, WorkspaceId},
    framework::walk::{Key, Walk},
};

/// Only one object may manage a hub.
pub(crate) fn hub_key(hub: &WorkspaceId) -> Key {
    Key::new(hub.arm().key())
}

/// The objects of several hubs may manage the shared keys of one account.
pub(crate) fn account_key(account: &StorageAccountId) -> Key {
    Key::new(account.arm().key()).shared()
}

/// Notes that hub and account are as this run wants them.
pub(crate) fn note_written(walk: &Walk, hub: &WorkspaceId, account: Option<&StorageAccountId>, target: &Properties) {
    walk.note_written(&hub_key(hub));
    if let (Some(account), Some(_)) = (account, target.shared_keys) {
        walk.note_written(&account_key(account));
    }
}
