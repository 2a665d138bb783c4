//! How texts that Azure's types do not take are refused in a configuration.

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
