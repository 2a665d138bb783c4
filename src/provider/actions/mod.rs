//! The actions.

pub(super) mod resync_keys;
pub(super) mod rotate_storage_keys;
