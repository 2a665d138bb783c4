//! The values of the two properties that this resource has set, in its private data. Any other value was set by somebody
//! else.

use serde::{Deserialize, Serialize};

use super::schema::State;
use crate::{
    arm::workspaces::AuthMode,
    framework::{Attr, Private},
    provider::properties::{Properties, PropertyAttributes},
};

const WRITTEN: &str = "written";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct OwnValues {
    /// The hub's modes, as they are sent.
    pub(super) mode: PropertyValues<String>,
    #[serde(rename = "keys")]
    pub(super) shared_keys: PropertyValues<bool>,
}

/// The values of one property that this resource has set; none where it has never changed the property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PropertyValues<T>(Vec<T>);

impl<T> Default for PropertyValues<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq + Clone> PropertyValues<T> {
    /// Notes that `before` was changed to `value`. As long as the value read `after` it, if any, differs, the property may
    /// have either value without anybody else having changed it.
    pub(super) fn note_write(&mut self, value: &T, before: Option<&T>, after: Option<&T>) {
        if after == Some(value) {
            self.0 = vec![value.clone()];
            return;
        }
        for value in before.into_iter().chain([value]) {
            if !self.0.contains(value) {
                self.0.push(value.clone());
            }
        }
    }

    /// Whether nobody else has changed the property to this value. Where this resource never changed it, there is no change
    /// of ours that somebody else could have undone.
    pub(super) fn may_be_ours(&self, now: &T) -> bool {
        self.0.is_empty() || self.0.contains(now)
    }

    pub(super) fn last(&self) -> Option<&T> {
        self.0.last()
    }
}

impl OwnValues {
    pub(super) fn load(private: &Private) -> Self {
        private.get(WRITTEN).unwrap_or_default()
    }

    /// The same for an object that is replaced. If it is tainted, the engine has not kept its private data, and the values in
    /// the state of properties that have an original value count.
    pub(super) fn of_replaced(private: &Private, prior: &State) -> Self {
        private.get(WRITTEN).unwrap_or_else(|| {
            let (original, now) = (Properties::of(&prior.original), prior.properties());
            let mode = original.mode.and(now.mode).map(|mode| as_sent(&mode));
            Self {
                mode: PropertyValues(mode.into_iter().collect()),
                shared_keys: PropertyValues(original.shared_keys.and(now.shared_keys).into_iter().collect()),
            }
        })
    }

    pub(super) fn save(&self, private: &mut Private) {
        private.set(WRITTEN, self);
    }

    /// What of `wanted` to restore: not what `now` has already or does not know, and not what somebody else has changed.
    pub(super) fn to_restore(&self, wanted: &Properties, now: &Properties) -> Properties {
        let mode = wanted.mode.as_ref().filter(|wanted| {
            now.mode.as_ref().is_some_and(|now| now != *wanted && self.mode.may_be_ours(&as_sent(now)))
        });
        let shared_keys = wanted
            .shared_keys
            .filter(|wanted| now.shared_keys.is_some_and(|now| now != *wanted && self.shared_keys.may_be_ours(&now)));
        Properties { mode: mode.cloned(), shared_keys }
    }

    pub(super) fn last_mode(&self) -> Option<AuthMode> {
        self.mode.last().map(AuthMode::new)
    }
}

pub(super) fn as_sent(mode: &AuthMode) -> String {
    mode.wire().to_owned()
}

/// Sets `original` to what was `found` of each property that may have been changed for the first time.
pub(super) fn note_original(original: &mut Properties, sent: &Properties, found: &Properties) {
    if sent.mode.is_some() && original.mode.is_none() {
        original.mode.clone_from(&found.mode);
    }
    if sent.shared_keys.is_some() && original.shared_keys.is_none() {
        original.shared_keys = found.shared_keys;
    }
}

/// The `original` after an update from `now` to `target`. It must still be true at the apply, which has the same prior
/// object and knows nothing else of the plan.
pub(super) fn plan_original(
    original: &Attr<PropertyAttributes>,
    now: &Properties,
    target: &State,
    wants_keys: &Attr<bool>,
) -> PropertyAttributes {
    let mut planned = original.known().cloned().unwrap_or_default();
    let mode = &target.system_datastores_auth_mode;
    if planned.system_datastores_auth_mode.is_null() {
        planned.system_datastores_auth_mode = match (mode.known(), &now.mode) {
            (Some(wanted), Some(now)) if wanted != now => now.clone().into(),
            (Some(_), None) => Attr::Unknown,
            (None, _) if mode.is_unknown() => Attr::Unknown,
            _ => Attr::Null,
        };
    }
    if planned.shared_access_key_enabled.is_null() {
        planned.shared_access_key_enabled = match (wants_keys, now.shared_keys) {
            (Attr::Known(wanted), Some(now)) if *wanted != now => now.into(),
            (Attr::Known(_), None) | (Attr::Unknown, _) => Attr::Unknown,
            _ => Attr::Null,
        };
    }
    planned
}

/// The `original` after a change: what was planned, where that was known and the change was `completed`.
pub(super) fn as_planned(
    planned: &Attr<PropertyAttributes>,
    found: Properties,
    completed: bool,
) -> Attr<PropertyAttributes> {
    let mut found = found.attributes();
    if let Some(planned) = planned.known().filter(|_| completed) {
        if !planned.system_datastores_auth_mode.is_unknown() {
            found.system_datastores_auth_mode = planned.system_datastores_auth_mode.clone();
        }
        if !planned.shared_access_key_enabled.is_unknown() {
            found.shared_access_key_enabled = planned.shared_access_key_enabled.clone();
        }
    }
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_did_not_stick_does_not_make_the_old_one_somebody_elses() {
        let mut shared_keys = PropertyValues::default();
        assert!(shared_keys.may_be_ours(&true) && shared_keys.may_be_ours(&false));
        shared_keys.note_write(&false, Some(&true), Some(&false));
        assert!(shared_keys.may_be_ours(&false) && !shared_keys.may_be_ours(&true));
        // A policy kept keys off.
        shared_keys.note_write(&true, Some(&false), Some(&false));
        assert!(shared_keys.may_be_ours(&false) && shared_keys.may_be_ours(&true));
        assert_eq!(shared_keys.last(), Some(&true));

        // The result is not known.
        let mut mode = PropertyValues::default();
        let text = |text: &str| text.to_owned();
        mode.note_write(&text("identity"), Some(&text("accesskey")), None);
        assert!(mode.may_be_ours(&text("identity")) && mode.may_be_ours(&text("accesskey")));
        assert!(!mode.may_be_ours(&text("userdelegationsas")));
    }

    #[test]
    fn only_own_changes_are_restored() {
        let properties = |mode: &str, shared_keys| Properties { mode: Some(AuthMode::new(mode)), shared_keys };
        let mut own_values = OwnValues::default();
        own_values.mode.note_write(&"identity".to_owned(), None, Some(&"identity".to_owned()));
        let wanted = properties("accesskey", Some(true));
        assert_eq!(own_values.to_restore(&wanted, &properties("Identity", Some(false))), wanted);
        let others = properties("UserDelegationSAS", Some(true));
        assert_eq!(own_values.to_restore(&wanted, &others), Properties::default());
        let hidden = Properties { mode: None, shared_keys: None };
        assert_eq!(own_values.to_restore(&wanted, &hidden), Properties::default());
    }
}
