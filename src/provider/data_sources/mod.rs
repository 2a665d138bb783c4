//! The data sources.

pub(super) mod hub;
pub(super) mod hubs;
mod kind;
