//! Names of flags in the private data.

/// Set on an object that was imported or moved here until it is known which of its role assignments are the platform's.
pub(super) const PLATFORM_UNCHECKED: &str = "taken_over";

/// Set while the role assignments of one object differ in description or condition, of which the state has only one.
pub(super) const DIFFER: &str = "differ";
