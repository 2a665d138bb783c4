//! The refusal of a configured text that cannot be read as one of the types of `arm`.

use crate::{
    arm::{IdError, workspaces::UnknownAuthMode},
    framework::schema::Refusal,
};

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        Self::invalid(format!("{error}."))
    }
}

impl From<UnknownAuthMode> for Refusal {
    fn from(error: UnknownAuthMode) -> Self {
        Self::invalid(format!("{error}."))
    }
}
