//! What a walk knows of the objects that manage one subject, and what follows for the plan of each.

use std::collections::HashSet;

use super::key::Key;

/// Another object of the walk with the same key as the object of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// What both manage.
    pub(crate) key: Key,
    /// How the two relate.
    pub(crate) relation: Relation,
    /// The other object, by its `id`.
    pub(crate) other: String,
    /// Whether both write the subject under one name; `None` while a name is unknown.
    pub(crate) same_name: Option<bool>,
}

/// How two objects of a walk that manage the same subject relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// Both stay or are created.
    BothStay,
    /// This one is created and the other one is removed.
    Succeeds {
        /// Whether the deletion leaves what it wrote in place.
        kept: bool,
    },
    /// This one is removed and the other one is created.
    IsSucceeded {
        /// Whether the deletion leaves what it wrote in place.
        kept: bool,
    },
    /// One of them stays, and the deletion of the other one was planned before that was known, so that it undoes what the
    /// first one needs.
    IsUndone,
    /// This one is removed and the other one stays, so that the deletion leaves everything in place.
    Stays,
    /// This one changes and releases what the other one needs, which stays. The apply plans a change again and is not told
    /// of objects that do not change, so that it would undo what the other one needs.
    Releases,
}

/// The objects that manage one subject, and what this process has done to it.
#[derive(Debug, Default)]
pub(super) struct Subject {
    /// The objects of the state, by the names under which they have written the subject.
    pub(super) in_state: Vec<Option<String>>,
    stay: Vec<PlannedObject>,
    created: Vec<PlannedObject>,
    removed: Vec<PlannedObject>,
    /// How many plans that release the subject wait for the plans of others.
    pub(super) waiting: usize,
    /// The names under which this process has written it.
    pub(super) written: Vec<Option<String>>,
    /// The names that this process has deleted.
    pub(super) deleted: HashSet<String>,
}

/// An object for which something is planned.
#[derive(Debug)]
struct PlannedObject {
    label: String,
    name: Option<String>,
    /// Of a deletion: whether it leaves what it wrote in place.
    kept: bool,
}

impl PlannedObject {
    fn may_have(&self, key: &Key) -> bool {
        key.may_be_named(self.name.as_deref())
    }

    fn overlap(&self, key: &Key, relation: Relation) -> Overlap {
        let same_name = self.name.as_ref().zip(key.name.as_ref()).map(|(a, b)| a == b);
        Overlap { key: key.clone(), relation, other: self.label.clone(), same_name }
    }
}

impl Subject {
    /// Notes that an object called `label` stays or is created with `key`, and gives what it has in common with others.
    pub(super) fn plan_kept(&mut self, label: &str, key: &Key, stays: bool) -> Vec<Overlap> {
        let mut overlaps = Vec::new();
        if !key.shared {
            let others = self.stay.iter().chain(&self.created);
            overlaps.extend(others.map(|other| other.overlap(key, Relation::BothStay)));
        }
        let object = PlannedObject { label: label.to_owned(), name: key.name.clone(), kept: false };
        if stays { &mut self.stay } else { &mut self.created }.push(object);
        if stays {
            let undoing = self.removed.iter().filter(|other| !other.kept && other.may_have(key));
            overlaps.extend(undoing.map(|other| other.overlap(key, Relation::IsUndone)));
        } else if self.creates_another() {
            let removed = self.removed.iter();
            overlaps.extend(removed.map(|other| other.overlap(key, Relation::Succeeds { kept: other.kept })));
        }
        overlaps
    }

    /// Notes that an object called `label` releases `key`: it is removed, or changes. Gives whether it leaves what it wrote
    /// in place, and what it has in common with another object.
    pub(super) fn plan_released(&mut self, label: &str, key: &Key, is_removal: bool) -> (bool, Option<Overlap>) {
        let kept = self.is_planned_for(key);
        self.removed.push(PlannedObject { label: label.to_owned(), name: key.name.clone(), kept });
        // Engines plan the deletion half of a `create_before_destroy` replacement in the apply, after the other half.
        if self.is_written(key) {
            return (kept, None);
        }
        let other_stays = if is_removal { Relation::Stays } else { Relation::Releases };
        let stays = self.stay.iter().find(|other| other.may_have(key)).map(|other| other.overlap(key, other_stays));
        let successor = self.created.first().filter(|_| self.creates_another());
        (kept, stays.or_else(|| successor.map(|other| other.overlap(key, Relation::IsSucceeded { kept }))))
    }

    /// Whether a planned creation creates an object that the state does not have: the state's objects are all removed or
    /// stay. A tainted object is planned like a creation.
    fn creates_another(&self) -> bool {
        self.created.len() > self.without_plan()
    }

    /// Whether an object of the state has no plan yet, not counting those that planned creations may be.
    pub(super) fn may_be_tainted(&self) -> bool {
        self.without_plan() > self.created.len()
    }

    /// How many objects of the state are neither planned to stay nor to be removed.
    fn without_plan(&self) -> usize {
        self.in_state.len().saturating_sub(self.stay.len() + self.removed.len())
    }

    /// Whether the plan of an object is still to come that may need what a deletion of `key` would undo.
    pub(super) fn is_undecided(&self, key: &Key) -> bool {
        self.without_plan() > self.waiting && !self.is_needed(key)
    }

    /// Whether another object is planned to have, or has been written in this process with, what a deletion of `key` would
    /// undo.
    pub(super) fn is_needed(&self, key: &Key) -> bool {
        self.is_planned_for(key) || self.is_written(key)
    }

    /// Whether an object stays or is created with what a deletion of `key` would undo.
    pub(super) fn is_planned_for(&self, key: &Key) -> bool {
        self.stay.iter().chain(&self.created).any(|object| object.may_have(key))
    }

    fn is_written(&self, key: &Key) -> bool {
        self.written.iter().any(|name| key.may_be_named(name.as_deref()))
    }
}
