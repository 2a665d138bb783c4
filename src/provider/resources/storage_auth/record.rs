//! What the private data remember: which values of the two properties are this resource's own doing, so that a value that
//! somebody else has set is told from them.

use serde::{Deserialize, Serialize};

use super::{
    schema::State,
    settings::{SettingAttributes, Settings},
};
use crate::{
    arm::workspaces::AuthMode,
    framework::{Attr, Private},
};

/// The name in the private data.
const WRITTEN: &str = "written";

/// What this resource has made of both properties.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// Of the hub's mode, spelled as it is sent.
    pub(super) mode: Trace<String>,
    /// Of the account's keys.
    pub(super) keys: Trace<bool>,
}

/// The values of one property that are this resource's own doing. None when it has never written the property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Trace<T>(Vec<T>);

impl<T> Default for Trace<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq + Clone> Trace<T> {
    /// Notes that `value` was written over `before`. What was found after it, if anybody looked, tells whether it is in
    /// force: until it is, either value may turn up and is nobody else's doing.
    pub(super) fn write(&mut self, value: &T, before: Option<&T>, after: Option<&T>) {
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

    /// Whether it is not somebody else's doing that the property has this value. Where nothing was ever written from here
    /// there is nothing that somebody else could have changed.
    pub(super) fn explains(&self, now: &T) -> bool {
        self.0.is_empty() || self.0.contains(now)
    }

    /// What was written last.
    pub(super) fn last(&self) -> Option<&T> {
        self.0.last()
    }
}

impl Record {
    /// What the private data of an object have.
    pub(super) fn load(private: &Private) -> Self {
        private.get(WRITTEN).unwrap_or_default()
    }

    /// The same for an object that is removed to be made again. If it is tainted, the engine has not kept its private data,
    /// and what the state knows of the properties it has written counts as its doing.
    pub(super) fn of_replaced(private: &Private, prior: &State) -> Self {
        private.get(WRITTEN).unwrap_or_else(|| {
            let (original, now) = (Settings::of(&prior.original), prior.settings());
            let mode = original.mode.and(now.mode).map(|mode| wire(&mode));
            Self {
                mode: Trace(mode.into_iter().collect()),
                keys: Trace(original.keys.and(now.keys).into_iter().collect()),
            }
        })
    }

    /// Puts it into the private data.
    pub(super) fn save(&self, private: &mut Private) {
        private.set(WRITTEN, self);
    }

    /// What of `wanted` is to be put back where `now` is found: not what is so already, what is not there, or what
    /// somebody else has changed since.
    pub(super) fn put_back(&self, wanted: &Settings, now: &Settings) -> Settings {
        let mode = wanted
            .mode
            .as_ref()
            .filter(|wanted| now.mode.as_ref().is_some_and(|now| now != *wanted && self.mode.explains(&wire(now))));
        let keys = wanted.keys.filter(|wanted| now.keys.is_some_and(|now| now != *wanted && self.keys.explains(&now)));
        Settings { mode: mode.cloned(), keys }
    }

    /// The mode that was written last.
    pub(super) fn last_mode(&self) -> Option<AuthMode> {
        self.mode.last().map(AuthMode::new)
    }
}

/// A mode as it is sent, which is how the record has it.
pub(super) fn wire(mode: &AuthMode) -> String {
    mode.wire().to_owned()
}

/// Takes into `original` what was `found` of each property that may have been written for the first time.
pub(super) fn note_original(original: &mut Settings, wrote: &Settings, found: &Settings) {
    if wrote.mode.is_some() && original.mode.is_none() {
        original.mode.clone_from(&found.mode);
    }
    if wrote.keys.is_some() && original.keys.is_none() {
        original.keys = found.keys;
    }
}

/// What `original` is going to have after an update from `now` to `target`. What the plan says it must still be true at
/// the apply, which has the same prior object and no other knowledge of the plan.
pub(super) fn plan_original(
    original: &Attr<SettingAttributes>,
    now: &Settings,
    target: &State,
    wants_keys: &Attr<bool>,
) -> SettingAttributes {
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
        planned.shared_access_key_enabled = match (wants_keys, now.keys) {
            (Attr::Known(wanted), Some(now)) if *wanted != now => now.into(),
            (Attr::Known(_), None) | (Attr::Unknown, _) => Attr::Unknown,
            _ => Attr::Null,
        };
    }
    planned
}

/// The `original` of an object after a change that was `completed` or not: what was planned, where that was known.
pub(super) fn as_planned(
    planned: &Attr<SettingAttributes>,
    found: Settings,
    completed: bool,
) -> Attr<SettingAttributes> {
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
        let mut keys = Trace::default();
        assert!(keys.explains(&true) && keys.explains(&false));
        keys.write(&false, Some(&true), Some(&false));
        assert!(keys.explains(&false) && !keys.explains(&true));
        // A policy kept keys off.
        keys.write(&true, Some(&false), Some(&false));
        assert!(keys.explains(&false) && keys.explains(&true));
        assert_eq!(keys.last(), Some(&true));

        // Nobody knows what became of it.
        let mut mode = Trace::default();
        let text = |text: &str| text.to_owned();
        mode.write(&text("identity"), Some(&text("accesskey")), None);
        assert!(mode.explains(&text("identity")) && mode.explains(&text("accesskey")));
        assert!(!mode.explains(&text("userdelegationsas")));
    }

    #[test]
    fn only_ones_own_changes_are_put_back() {
        let settings = |mode: &str, keys| Settings { mode: Some(AuthMode::new(mode)), keys };
        let mut record = Record::default();
        record.mode.write(&"identity".to_owned(), None, Some(&"identity".to_owned()));
        let wanted = settings("accesskey", Some(true));
        assert_eq!(record.put_back(&wanted, &settings("Identity", Some(false))), wanted);
        let others = settings("UserDelegationSAS", Some(true));
        assert_eq!(record.put_back(&wanted, &others), Settings::default());
        let hidden = Settings { mode: None, keys: None };
        assert_eq!(record.put_back(&wanted, &hidden), Settings::default());
    }
}
