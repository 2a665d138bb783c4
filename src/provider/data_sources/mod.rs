//! The data sources.
//!
//! They take no answer that an earlier read of the run has got: a plan and an apply look the same to them, and in an apply
//! others may have written since, on whom the data source depends.

pub(super) mod hub;
pub(super) mod hubs;
mod kind;
pub(super) mod storage_access;
pub(super) mod storage_key_usage;
