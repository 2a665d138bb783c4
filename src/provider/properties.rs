//! The two properties that decide about storage authorization: the hub's mode, and whether its account accepts shared keys.

use serde::{Deserialize, Serialize};

use crate::{
    arm::workspaces::{AuthMode, AuthModeKind},
    framework::Attr,
    provider::hub::HubAndAccount,
};

/// The two properties in HCL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PropertyAttributes {
    pub system_datastores_auth_mode: Attr<AuthMode>,
    pub shared_access_key_enabled: Attr<bool>,
}

/// The two properties as far as they are known or wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties {
    /// The hub's `systemDatastoresAuthMode`.
    pub(crate) mode: Option<AuthMode>,
    /// The account's `allowSharedKeyAccess`.
    pub(crate) shared_keys: Option<bool>,
}

impl Properties {
    pub(crate) fn of(attributes: &Attr<PropertyAttributes>) -> Self {
        let Some(attributes) = attributes.known() else { return Self::default() };
        Self {
            mode: attributes.system_datastores_auth_mode.known().cloned(),
            shared_keys: attributes.shared_access_key_enabled.known().copied(),
        }
    }

    pub(crate) fn in_azure(current: &HubAndAccount) -> Self {
        let mode = current.hub.properties.system_datastores_auth_mode.clone();
        Self { mode: Some(mode), shared_keys: current.account.shared_keys() }
    }

    pub(crate) fn attributes(&self) -> PropertyAttributes {
        PropertyAttributes {
            system_datastores_auth_mode: self.mode.clone().into(),
            shared_access_key_enabled: self.shared_keys.into(),
        }
    }

    /// Whether `now` is known to be as wanted.
    pub(crate) fn is_met_by(&self, now: &Self) -> bool {
        self.mode.as_ref().is_none_or(|mode| now.mode.as_ref() == Some(mode))
            && self.shared_keys.is_none_or(|shared_keys| now.shared_keys == Some(shared_keys))
    }

    pub(crate) fn uses_identity(&self) -> bool {
        self.mode.as_ref().is_some_and(|mode| mode.kind() != AuthModeKind::AccessKey)
    }

    pub(crate) fn uses_keys(&self) -> bool {
        self.mode.as_ref().is_some_and(|mode| mode.kind() == AuthModeKind::AccessKey)
    }

    /// Whether somebody may lose access when `now` becomes this: the hub stops using keys, or keys are disabled.
    pub(crate) fn removes_key_access(&self, now: &Self) -> bool {
        (self.uses_identity() && !now.uses_identity())
            || (self.shared_keys == Some(false) && now.shared_keys != Some(false))
    }

    /// Whether the hub starts to use keys when `now` becomes this.
    pub(crate) fn switches_to_keys(&self, now: &Self) -> bool {
        self.uses_keys() && !now.uses_keys()
    }

    /// Whether the hub would use keys that its account refuses.
    pub(crate) fn locks_the_hub_out(&self) -> bool {
        self.shared_keys == Some(false) && self.uses_keys()
    }
}
