//! The refusal of a configured text that is not of one of Azure's types.

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
