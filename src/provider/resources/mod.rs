//! The resource types, a folder each. `mod.rs` has the operations in the order of an object's life, and calls the other files.

pub(super) mod hub;
pub(super) mod role_assignment;
pub(super) mod storage_auth;
