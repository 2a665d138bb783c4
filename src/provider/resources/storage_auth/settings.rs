//! The two properties that this resource is about: the hub's mode and the account's keys.

use serde::{Deserialize, Serialize};

use crate::{
    arm::workspaces::{AuthMode, AuthModeKind},
    framework::Attr,
};

/// The two properties that this resource is about, in HCL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SettingAttributes {
    /// The hub's.
    pub system_datastores_auth_mode: Attr<AuthMode>,
    /// The account's.
    pub shared_access_key_enabled: Attr<bool>,
}

/// The two properties as far as they are known or wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// The hub's `systemDatastoresAuthMode`.
    pub(super) mode: Option<AuthMode>,
    /// The account's `allowSharedKeyAccess`.
    pub(super) keys: Option<bool>,
}

impl Settings {
    /// What HCL has.
    pub(super) fn of(attributes: &Attr<SettingAttributes>) -> Self {
        let Some(attributes) = attributes.known() else { return Self::default() };
        Self {
            mode: attributes.system_datastores_auth_mode.known().cloned(),
            keys: attributes.shared_access_key_enabled.known().copied(),
        }
    }

    /// As HCL has it.
    pub(super) fn attributes(&self) -> SettingAttributes {
        SettingAttributes {
            system_datastores_auth_mode: self.mode.clone().into(),
            shared_access_key_enabled: self.keys.into(),
        }
    }

    /// Whether `now` is as wanted. What is not known to be so is not.
    pub(super) fn is_met_by(&self, now: &Self) -> bool {
        self.mode.as_ref().is_none_or(|mode| now.mode.as_ref() == Some(mode))
            && self.keys.is_none_or(|keys| now.keys == Some(keys))
    }

    /// Whether the hub does not sign in with keys.
    pub(super) fn leaves_keys(&self) -> bool {
        self.mode.as_ref().is_some_and(|mode| mode.kind() != AuthModeKind::AccessKey)
    }

    /// Whether the hub signs in with keys.
    pub(super) fn needs_keys(&self) -> bool {
        self.mode.as_ref().is_some_and(|mode| mode.kind() == AuthModeKind::AccessKey)
    }

    /// Whether somebody may lose access when `now` becomes this: the hub leaves keys, or keys go off.
    pub(super) fn takes_keys_away(&self, now: &Self) -> bool {
        (self.leaves_keys() && !now.leaves_keys()) || (self.keys == Some(false) && now.keys != Some(false))
    }

    /// Whether the hub begins to need keys when `now` becomes this.
    pub(super) fn comes_to_need_keys(&self, now: &Self) -> bool {
        self.needs_keys() && !now.needs_keys()
    }

    /// Whether the hub would sign in with keys that its account refuses.
    pub(super) fn locks_the_hub_out(&self) -> bool {
        self.keys == Some(false) && self.needs_keys()
    }
}
