//! The resource types, a folder each: `mod.rs` is the life of an object, from its plan to its import, and the files beside it
//! are what that life is told in.

pub mod role_assignment;
pub mod storage_auth;
