//! What an object stands for beside the other objects of a run: its hub, and the keys of the hub's account.

use super::settings::Settings;
use crate::{
    arm::{StorageAccountId, WorkspaceId},
    framework::walk::{Key, Walk},
};

/// A hub has one object.
pub(super) fn hub_key(hub: &WorkspaceId) -> Key {
    Key::new(hub.arm().key())
}

/// The keys of an account may be set by the objects of several hubs.
pub(super) fn account_key(account: &StorageAccountId) -> Key {
    Key::new(account.arm().key()).shared()
}

/// Notes what of hub and account this run wants as it is now.
pub(super) fn wrote(walk: &Walk, hub: &WorkspaceId, account: Option<&StorageAccountId>, target: &Settings) {
    walk.wrote(&hub_key(hub));
    if let (Some(account), Some(_)) = (account, target.keys) {
        walk.wrote(&account_key(account));
    }
}
