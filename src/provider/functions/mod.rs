//! The functions. None sends anything: what Azure has the same everywhere is a constant.

pub(super) mod hub_id;
pub(super) mod parse_hub_id;
pub(super) mod required_roles;
pub(super) mod role_definition_id;

use std::str::FromStr;

use crate::framework::{function::FunctionError, schema::Refusal};

/// The argument at this position, read by the rule that attributes of the type have, too.
fn parsed<T: FromStr<Err: Into<Refusal>>>(position: usize, text: &str) -> Result<T, FunctionError> {
    text.parse().map_err(|error: T::Err| FunctionError::from(error.into()).at(position))
}
