//! The resource types, one file each.

pub mod role_assignment;
pub mod storage_auth;
