//! `Microsoft.Authorization`: role assignments, role definitions, and what follows from them.

mod assignments;
pub(crate) mod definitions;
mod ledger;
pub(crate) mod platform;
pub(crate) mod rbac;

pub(crate) use assignments::{answer, seed};
pub(crate) use ledger::{Assignment, Assignments};
