//! The times of our last writes of each assignment, by which stale answers of Azure are recognized.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::assignment::StateAssignment;
use crate::{
    arm::{RoleAssignmentId, role_assignments::RoleAssignment},
    framework::Private,
};

/// How long Azure may fail to find an assignment that it has just created.
const SETTLES_WITHIN: time::Duration = time::Duration::minutes(5);

/// The times of our last writes, by the assignment's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Ticks>", into = "BTreeMap<String, Ticks>")]
pub(super) struct WriteTimes(BTreeMap<Uuid, Times>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct Times {
    #[serde(with = "time::serde::rfc3339::option")]
    created: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    updated: Option<OffsetDateTime>,
}

/// Times as private data has them: in units of 100 ns since 1970, as precisely as Azure tells them, and once where both are the
/// same. An engine writes all private data with each object that it has applied, so that every byte counts.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Ticks {
    Both(i64),
    Each(Option<i64>, Option<i64>),
}

/// The name of the entry.
const TIMES: &str = "times";
/// The name of the entry as earlier versions wrote it, with names and times as Azure writes them.
const WRITTEN: &str = "written";

const NANOSECONDS: i128 = 100;

impl From<Times> for Ticks {
    fn from(Times { created, updated }: Times) -> Self {
        let ticks = |time: Option<OffsetDateTime>| {
            time.and_then(|time| (time.unix_timestamp_nanos() / NANOSECONDS).try_into().ok())
        };
        match (ticks(created), ticks(updated)) {
            (Some(created), Some(updated)) if created == updated => Self::Both(created),
            (created, updated) => Self::Each(created, updated),
        }
    }
}

impl From<Ticks> for Times {
    fn from(ticks: Ticks) -> Self {
        let time = |ticks| OffsetDateTime::from_unix_timestamp_nanos(i128::from(ticks) * NANOSECONDS).ok();
        match ticks {
            Ticks::Both(ticks) => Self { created: time(ticks), updated: time(ticks) },
            Ticks::Each(created, updated) => Self { created: created.and_then(time), updated: updated.and_then(time) },
        }
    }
}

impl From<BTreeMap<String, Ticks>> for WriteTimes {
    fn from(ticks: BTreeMap<String, Ticks>) -> Self {
        Self(ticks.into_iter().filter_map(|(name, ticks)| Some((name.parse().ok()?, ticks.into()))).collect())
    }
}

impl From<WriteTimes> for BTreeMap<String, Ticks> {
    fn from(times: WriteTimes) -> Self {
        times.0.into_iter().map(|(name, times)| (name.simple().to_string(), times.into())).collect()
    }
}

impl WriteTimes {
    pub(super) fn load(private: &Private) -> Self {
        let earlier = || {
            let times: BTreeMap<String, Times> = private.get(WRITTEN)?;
            Some(Self(times.into_iter().filter_map(|(name, times)| Some((name.parse().ok()?, times))).collect()))
        };
        private.get(TIMES).or_else(earlier).unwrap_or_default()
    }

    /// Keeps those of these entries in the private data. What says the same already stays as it is: another spelling alone would
    /// be a change outside of Terraform to a refresh.
    pub(super) fn save(mut self, entries: &[StateAssignment], private: &mut Private) {
        self.0.retain(|name, _| entries.iter().any(|entry| entry.id.name == *name));
        if self != Self::load(private) {
            private.remove(WRITTEN);
            private.set(TIMES, &self);
        }
    }

    pub(super) fn note(&mut self, found: &RoleAssignment, id: &RoleAssignmentId) {
        let properties = &found.properties;
        self.0.insert(id.name, Times { created: properties.created_on, updated: properties.updated_on });
    }

    /// Forgets a write, because a later one may have had its effect.
    pub(super) fn forget(&mut self, id: &RoleAssignmentId) {
        self.0.remove(&id.name);
    }

    /// Whether an answer of this time that does not find the assignment may be stale.
    pub(super) fn may_be_missed(&self, id: &RoleAssignmentId, answered: Option<OffsetDateTime>) -> bool {
        let created = self.0.get(&id.name).and_then(|times| times.created);
        created.zip(answered).is_some_and(|(created, answered)| answered - created < SETTLES_WITHIN)
    }

    /// Whether an answer shows the assignment as it was before our last write.
    pub(super) fn is_stale(&self, id: &RoleAssignmentId, found: &RoleAssignment) -> bool {
        let ours = self.0.get(&id.name).and_then(|times| times.updated);
        ours.zip(found.properties.updated_on).is_some_and(|(ours, theirs)| theirs < ours)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{super::choice::Role, *};
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

    #[test]
    fn earlier_private_data_is_read_and_stays_as_it_is_until_something_is_written() {
        let scope = ArmId::parse("/subscriptions/s").unwrap();
        let id = RoleAssignmentId::new(scope, Uuid::from_u128(7));
        let (created, updated) = (datetime!(2026-01-01 00:00:00.1234567 UTC), datetime!(2026-01-02 00:00:00 UTC));
        let mut private = Private::default();
        let times = serde_json::json!({ "created": "2026-01-01T00:00:00.1234567Z", "updated": "2026-01-02T00:00:00Z" });
        private.set(WRITTEN, &serde_json::json!({ id.name.to_string(): times }));
        let earlier = private.clone();
        let mut write_times = WriteTimes::load(&private);
        assert_eq!(write_times.0[&id.name], Times { created: Some(created), updated: Some(updated) });
        let role = Role { name: "Reader".to_owned(), guid: Uuid::nil() };
        let entries = [StateAssignment::found(&role, id.clone(), &RoleAssignment::default())];
        write_times.clone().save(&entries, &mut private);
        assert_eq!(private, earlier);

        let mut found = RoleAssignment::default();
        found.properties.created_on = Some(created);
        for later in [None, Some(updated), Some(created)] {
            found.properties.updated_on = later;
            write_times.note(&found, &id);
            write_times.clone().save(&entries, &mut private);
            assert_eq!(WriteTimes::load(&private), write_times);
            assert_eq!(private.get::<serde_json::Value>(WRITTEN), None);
        }
        assert_eq!(private.encode().len(), r#"{"times":{"":17672256001234567}}"#.len() + 32);
    }
}
