//! The data sources.

pub(super) mod hubs;
