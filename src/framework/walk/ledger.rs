//! The ledger of one walk, and what resources ask of it and note in it.

use std::time::Duration;
use std::{
    any::Any,
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;

use super::{
    super::lock::lock,
    key::{Key, released},
    subject::{Overlap, Subject},
};

/// How long the plan of a deletion waits for the plan of another object of the state that manages the same subject.
/// Engines refresh an object and plan it in one step, so what has been refreshed is planned soon.
const PLAN_TIMEOUT: Duration = Duration::from_secs(3);

/// A type and a subject.
type Place = (&'static str, String);

/// What is known of the objects of one walk.
#[derive(Debug)]
pub struct Ledger {
    /// Differs from the ids of other walks, in this and in other processes.
    id: u64,
    /// By type and subject.
    subjects: Mutex<HashMap<&'static str, HashMap<String, Subject>>>,
    /// What replaced objects have left for their successors.
    handed_over: Mutex<HashMap<Place, Box<dyn Any + Send>>>,
    /// By subject, and then by type.
    claims: Mutex<HashMap<String, HashMap<&'static str, String>>>,
    /// The subjects that objects of any type have changed.
    changed: Mutex<HashSet<String>>,
    /// Notified of every plan.
    planned: Notify,
}

impl Default for Ledger {
    fn default() -> Self {
        let id = RandomState::new().build_hasher().finish();
        Self {
            id,
            subjects: Mutex::default(),
            handed_over: Mutex::default(),
            claims: Mutex::default(),
            changed: Mutex::default(),
            planned: Notify::new(),
        }
    }
}

/// The objects of one resource type in a walk.
#[derive(Clone, Debug)]
pub struct Walk {
    ledger: Arc<Ledger>,
    type_name: &'static str,
}

impl Walk {
    /// What `ledger` knows of a resource type.
    pub fn new(ledger: Arc<Ledger>, type_name: &'static str) -> Self {
        Self { ledger, type_name }
    }

    pub(super) fn with<T>(&self, key: &Key, work: impl FnOnce(&mut Subject) -> T) -> T {
        let mut subjects = lock(&self.ledger.subjects);
        let of_type = subjects.entry(self.type_name).or_default();
        match of_type.get_mut(&key.subject) {
            Some(subject) => work(subject),
            None => work(of_type.entry(key.subject.clone()).or_default()),
        }
    }

    /// The walk's id.
    pub(in super::super) fn id(&self) -> u64 {
        self.ledger.id
    }

    /// Notes an object of the state.
    pub(in super::super) fn note_in_state(&self, keys: &[Key]) {
        for key in keys {
            self.with(key, |subject| subject.in_state.push(key.name.clone()));
        }
    }

    /// Whether an object of any type has claimed something.
    pub(crate) fn has_claim(&self, subject: &str) -> bool {
        lock(&self.ledger.claims).contains_key(subject)
    }

    /// What objects of all types have claimed so far: type and value.
    pub(crate) fn claims(&self, subject: &str) -> Vec<(&'static str, String)> {
        let claims = lock(&self.ledger.claims);
        let found = claims.get(subject).into_iter().flatten();
        found.map(|(type_name, value)| (*type_name, value.clone())).collect()
    }

    /// Waits for the plans of other objects of the state that manage what this one releases.
    async fn wait_for_other_plans(&self, released: &[&Key]) {
        let count = |change: fn(usize) -> usize| {
            released.iter().for_each(|key| self.with(key, |subject| subject.waiting = change(subject.waiting)));
        };
        let is_undecided = || released.iter().any(|key| self.with(key, |subject| subject.is_undecided(key)));
        count(|waiting| waiting + 1);
        self.ledger.planned.notify_waiters();
        let decided = async {
            loop {
                let planned = self.ledger.planned.notified();
                if !is_undecided() {
                    return;
                }
                planned.await;
            }
        };
        // An object without a plan by then is taken to have none in this walk, as one that a `removed` block forgets.
        let _ = tokio::time::timeout(PLAN_TIMEOUT, decided).await;
        count(|waiting| waiting - 1);
    }

    /// Notes the plan of an object that manages `prior`, called `before`, and will manage `planned`, called `after`. Returns
    /// its overlaps with others, and the subjects that it releases and leaves in place.
    pub(in super::super) async fn plan(
        &self,
        (before, prior): (&str, &[Key]),
        (after, planned): (&str, &[Key]),
    ) -> (Vec<Overlap>, Vec<String>) {
        let released = released(prior, planned);
        if !released.is_empty() {
            self.wait_for_other_plans(&released).await;
        }
        let (mut overlaps, mut kept) = (Vec::new(), Vec::new());
        for key in planned {
            overlaps.extend(self.with(key, |subject| subject.plan_kept(after, key, key.is_among(prior))));
        }
        for key in released {
            let (is_kept, overlap) = self.with(key, |subject| subject.plan_released(before, key, planned.is_empty()));
            kept.extend(is_kept.then(|| key.subject.clone()));
            overlaps.extend(overlap);
        }
        self.ledger.planned.notify_waiters();
        (overlaps, kept)
    }

    /// The subjects that an object which is replaced releases and that are planned for others by now.
    pub(in super::super) fn kept(&self, prior: &[Key], planned: &[Key]) -> Vec<String> {
        let released = released(prior, planned).into_iter();
        let kept = released.filter(|key| self.with(key, |subject| subject.is_planned_for(key)));
        kept.map(|key| key.subject.clone()).collect()
    }

    /// The subjects for which the state has other objects, too, where there may be only one.
    pub(in super::super) fn seen_with_others(&self, keys: &[Key]) -> Vec<String> {
        let shared = keys.iter().filter(|key| !key.shared && self.with(key, |subject| subject.in_state.len() > 1));
        shared.map(|key| key.subject.clone()).collect()
    }

    /// Whether the state has an object with this key, as far as this walk has reached it.
    pub(crate) fn is_in_state(&self, key: &Key) -> bool {
        self.with(key, |subject| !subject.in_state.is_empty())
    }

    /// Whether all objects of the state with this key store it under this key's name.
    pub(crate) fn has_no_other_name_in_state(&self, key: &Key) -> bool {
        self.with(key, |subject| subject.in_state.iter().all(|name| *name == key.name))
    }

    /// Whether the state has an object with this key and without a plan so far. The object of a planned creation may be that
    /// one, tainted.
    pub(crate) fn may_be_tainted(&self, key: &Key) -> bool {
        self.with(key, |subject| subject.may_be_tainted())
    }

    /// Notes that this process has written what `key` is about, or found it as wanted. Call it while the lock is held that
    /// serialises its writes and deletes.
    pub(crate) fn note_written(&self, key: &Key) {
        self.with(key, |subject| subject.written.push(key.name.clone()));
    }

    /// Notes that this process is about to change what `key` is about, for an object of any type.
    pub(crate) fn note_changing(&self, key: &Key) {
        lock(&self.ledger.changed).insert(key.subject.clone());
    }

    /// Whether this process has begun to change it, for an object of any type.
    pub(crate) fn has_changed(&self, key: &Key) -> bool {
        lock(&self.ledger.changed).contains(&key.subject)
    }

    /// Notes in a plan which value an object of this type wants something to have that objects of other types may want, too.
    /// A later claim of the type replaces an earlier one. Returns the claims of other types so far: type and value.
    pub(crate) fn claim(&self, subject: &str, value: &str) -> Vec<(&'static str, String)> {
        let mut claims = lock(&self.ledger.claims);
        let claims = claims.entry(subject.to_owned()).or_default();
        claims.insert(self.type_name, value.to_owned());
        let others = claims.iter().filter(|(type_name, _)| **type_name != self.type_name);
        others.map(|(type_name, value)| (*type_name, value.clone())).collect()
    }

    /// Notes that this process has deleted what the service stored under this key's name.
    pub(crate) fn note_deleted(&self, key: &Key) {
        self.with(key, |subject| subject.deleted.extend(key.name.clone()));
    }

    /// Whether this process has deleted what the service stored under this key's name.
    pub(crate) fn has_deleted(&self, key: &Key) -> bool {
        self.with(key, |subject| key.name.as_ref().is_some_and(|name| subject.deleted.contains(name)))
    }

    /// Keeps what a replaced object leaves for the successor with this key.
    pub(super) fn hand_over(&self, key: &Key, object: Box<dyn Any + Send>) {
        lock(&self.ledger.handed_over).insert(self.place(key), object);
    }

    fn place(&self, key: &Key) -> Place {
        (self.type_name, key.subject.clone())
    }

    /// Whether a replaced object has handed this over and its successor has not taken it.
    pub(crate) fn is_handed_over(&self, key: &Key) -> bool {
        lock(&self.ledger.handed_over).contains_key(&self.place(key))
    }

    /// Whether a replaced object has handed over anything that its successor has not taken.
    pub(crate) fn has_something_handed_over(&self) -> bool {
        !lock(&self.ledger.handed_over).is_empty()
    }

    /// Takes what a replaced object has handed over, once.
    pub(crate) fn take_handed_over<T: Any + Send>(&self, key: &Key) -> Option<T> {
        let object = lock(&self.ledger.handed_over).remove(&self.place(key))?;
        object.downcast().ok().map(|object| *object)
    }

    /// Takes everything of this type that replaced objects have handed over and that is `meant`, for a successor whose keys
    /// are not known.
    pub(crate) fn take_all_handed_over<T: Any + Send>(&self, meant: impl Fn(&T) -> bool) -> Vec<T> {
        let mut handed_over = lock(&self.ledger.handed_over);
        let is_meant = |object: &mut Box<dyn Any + Send>| object.downcast_ref().is_some_and(&meant);
        let taken = handed_over.extract_if(|_, object| is_meant(object));
        taken.filter_map(|(_, object)| object.downcast().ok()).map(|object| *object).collect()
    }
}
