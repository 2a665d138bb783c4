//! `Microsoft.Authorization`: role assignments, role definitions, and what follows from them.

mod assignments;
pub(crate) mod definitions;
pub(crate) mod platform;
pub(crate) mod rbac;

pub(crate) use assignments::{Assignment, Assignments, answer, seed};
