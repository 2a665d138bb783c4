//! The resource types, a folder each: `mod.rs` is the life of an object, from its plan to its import, and the files beside it
//! are what that life is told in.

pub(super) mod role_assignment;
pub(super) mod storage_auth;
