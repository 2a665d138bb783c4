//! The times of our last writes of each assignment, by which stale answers of Azure are recognized.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::assignment::StateAssignment;
use crate::{
    arm::{RoleAssignmentId, role_assignments::RoleAssignment},
    framework::Private,
};

/// How long Azure may fail to find an assignment that it has just created.
const SETTLES_WITHIN: time::Duration = time::Duration::minutes(5);

/// The times of our last writes, by the assignment's name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct WriteTimes(BTreeMap<String, Times>);

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Times {
    #[serde(with = "time::serde::rfc3339::option")]
    created: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    updated: Option<OffsetDateTime>,
}

const WRITTEN: &str = "written";

impl WriteTimes {
    pub(super) fn load(private: &Private) -> Self {
        private.get(WRITTEN).unwrap_or_default()
    }

    /// Keeps those of these entries in the private data.
    pub(super) fn save(mut self, entries: &[StateAssignment], private: &mut Private) {
        self.0.retain(|name, _| entries.iter().any(|entry| entry.id.name.to_string() == *name));
        private.set(WRITTEN, &self);
    }

    pub(super) fn note(&mut self, found: &RoleAssignment, id: &RoleAssignmentId) {
        let properties = &found.properties;
        self.0.insert(id.name.to_string(), Times { created: properties.created_on, updated: properties.updated_on });
    }

    /// Forgets a write, because a later one may have had its effect.
    pub(super) fn forget(&mut self, id: &RoleAssignmentId) {
        self.0.remove(&id.name.to_string());
    }

    /// Whether an answer of this time that does not find the assignment may be stale.
    pub(super) fn may_be_missed(&self, id: &RoleAssignmentId, answered: Option<OffsetDateTime>) -> bool {
        let created = self.0.get(&id.name.to_string()).and_then(|times| times.created);
        created.zip(answered).is_some_and(|(created, answered)| answered - created < SETTLES_WITHIN)
    }

    /// Whether an answer shows the assignment as it was before our last write.
    pub(super) fn is_stale(&self, id: &RoleAssignmentId, found: &RoleAssignment) -> bool {
        let ours = self.0.get(&id.name.to_string()).and_then(|times| times.updated);
        ours.zip(found.properties.updated_on).is_some_and(|(ours, theirs)| theirs < ours)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::arm::ArmId;

    #[test]
    fn an_answer_is_too_early_for_five_minutes() {
        let scope = ArmId::parse("/subscriptions/s").unwrap();
        let id = RoleAssignmentId::new(scope, uuid::Uuid::nil());
        let made = datetime!(2026-01-01 00:00:00 UTC);
        let mut found = RoleAssignment::default();
        found.properties.created_on = Some(made);
        found.properties.updated_on = Some(made);
        let mut write_times = WriteTimes::default();
        write_times.note(&found, &id);
        let at = |minutes| Some(made + time::Duration::minutes(minutes));
        assert!(write_times.may_be_missed(&id, at(4)));
        assert!(!write_times.may_be_missed(&id, at(5)));
        assert!(!write_times.may_be_missed(&id, None));
        assert!(!WriteTimes::default().may_be_missed(&id, at(1)));
        assert!(!write_times.is_stale(&id, &found));
        found.properties.updated_on = Some(made - time::Duration::seconds(1));
        assert!(write_times.is_stale(&id, &found));
    }
}
