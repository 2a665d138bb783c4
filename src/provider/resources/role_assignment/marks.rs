//! Names of marks in the private data.

/// Set on an object that came from elsewhere, until it could be told which of its role assignments are the platform's.
pub(super) const TAKEN_OVER: &str = "taken_over";

/// Set while the role assignments of one object differ in description or condition, which the state cannot say.
pub(super) const DIFFER: &str = "differ";
