//! The objects of one walk that stand for the same thing in the service, and what becomes of each.
//!
//! Engines tell a provider about one object at a time, in no fixed order. Two objects stand for the same thing after a
//! rename without a `moved` block, after a replacement that made the new object first and could not finish, in a state
//! that several blocks share, and for the two halves of a replacement. None of that shows in a single call. A
//! [`Ledger`] therefore counts, from one ConfigureProvider to the next, which objects of the state were seen and what
//! is planned for each; the plan of an object says what it has in common with others as [`Overlap`]s, and the removal
//! of an object asks for the [`Fate`] of what it wrote.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, time::timeout};

/// How long the plan of a removal waits to hear what is planned for another object that was seen to stand for the same
/// thing. Engines look at an object and plan it in one step, so what was seen is about to be planned.
const HEARING: Duration = Duration::from_secs(3);

/// What an object stands for in the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What it writes, in a form that compares exactly, such as a hub's id or a principal's role at a scope.
    pub subject: String,
    /// The name that the service has for what is written, where it can have several; `None` also while it is not known.
    pub name: Option<String>,
    /// Whether several objects may stand for the subject side by side.
    pub shared: bool,
}

impl Key {
    /// A subject for which there may be one object only.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), name: None, shared: false }
    }

    /// The same, written under this name.
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// The same subject, for which several objects may stand.
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }
}

/// Whether two names may be the same.
fn may_be_equal(a: Option<&str>, b: Option<&str>) -> bool {
    a.zip(b).is_none_or(|(a, b)| a == b)
}

/// What the object of a plan has in common with another object of the walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// What both stand for.
    pub key: Key,
    /// How.
    pub relation: Relation,
    /// The other object, by its `id`.
    pub other: String,
    /// Whether both write it under one name; `None` while the name of one is not known.
    pub same_name: Option<bool>,
}

/// How two objects of a walk that stand for the same thing relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Both stay or are made.
    BothStay,
    /// This one is made and the other one is removed.
    Succeeds {
        /// Whether the removal leaves what it wrote in place.
        kept: bool,
    },
    /// This one is removed and the other one is made.
    IsSucceeded {
        /// Whether the removal leaves what it wrote in place.
        kept: bool,
    },
    /// One of them stays, and the removal of the other one cannot know that, so that it undoes what the first one needs.
    IsUndone,
    /// This one is removed and the other one stays, so that the removal leaves everything in place.
    Stays,
}

/// What becomes, when an object is removed or lets go of a part, of what it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is undone.
    Undo,
    /// Another object of the walk has it as well, so that it stays.
    Keep,
    /// The object is replaced, and its successor has it already.
    Succeeded,
    /// The object is replaced, and its successor takes it over in a moment.
    HandOver,
}

/// What one walk knows, by what objects stand for.
#[derive(Debug, Default)]
pub struct Ledger {
    subjects: Mutex<HashMap<String, Subject>>,
    /// Something was planned.
    planned: Notify,
}

/// All objects that stand for one thing.
#[derive(Debug, Default)]
struct Subject {
    /// The objects of the state that were seen, by the names under which they have written it.
    seen: Vec<Option<String>>,
    stay: Vec<Party>,
    made: Vec<Party>,
    removed: Vec<Party>,
    /// How many plans wait to hear of others before they let go of it.
    waiting: usize,
    /// The names under which this process has written it.
    written: Vec<Option<String>>,
    /// The names that this process has deleted.
    deleted: HashSet<String>,
    /// What a replaced object has left for its successor.
    handed_over: Option<Box<dyn Any + Send>>,
}

/// What is planned for one object.
#[derive(Debug)]
struct Party {
    label: String,
    name: Option<String>,
    /// Of a removal: whether it leaves what it wrote in place.
    kept: bool,
}

impl Party {
    fn may_be(&self, key: &Key) -> bool {
        may_be_equal(self.name.as_deref(), key.name.as_deref())
    }

    fn overlap(&self, key: &Key, relation: Relation) -> Overlap {
        let same_name = self.name.as_ref().zip(key.name.as_ref()).map(|(a, b)| a == b);
        Overlap { key: key.clone(), relation, other: self.label.clone(), same_name }
    }
}

impl Subject {
    /// Whether a planned creation makes an object that the state does not have: the objects that were seen are all
    /// accounted for by removals and by those that stay. A tainted object is planned like a creation.
    fn is_made_anew(&self) -> bool {
        self.made.len() > self.open()
    }

    /// How many objects that were seen are neither planned to stay nor to be removed.
    fn open(&self) -> usize {
        self.seen.len().saturating_sub(self.stay.len() + self.removed.len())
    }

    /// Whether something is about to be planned for an object that may need what a removal of `key` would undo.
    fn is_undecided(&self, key: &Key) -> bool {
        self.open() > self.waiting && self.keeper(key).is_none() && !self.is_written(key)
    }

    /// Whether this process has written what `key` is about.
    fn is_written(&self, key: &Key) -> bool {
        self.written.iter().any(|name| may_be_equal(name.as_deref(), key.name.as_deref()))
    }

    /// Who stays or is made with what a removal of `key` would undo.
    fn keeper(&self, key: &Key) -> Option<&Party> {
        self.stay.iter().chain(&self.made).find(|party| party.may_be(key))
    }
}

/// The view that one resource type has of the ledger.
#[derive(Clone, Debug)]
pub struct Walk {
    ledger: Arc<Ledger>,
    type_name: &'static str,
}

impl Walk {
    /// The view that a resource type has.
    pub fn new(ledger: Arc<Ledger>, type_name: &'static str) -> Self {
        Self { ledger, type_name }
    }

    /// Works on what is known of a subject. What the lock guards is whole at any time, so that a panic elsewhere does
    /// not matter.
    fn with<T>(&self, subject: &str, work: impl FnOnce(&mut Subject) -> T) -> T {
        let mut all: MutexGuard<'_, _> = self.ledger.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        work(all.entry(format!("{} {subject}", self.type_name)).or_default())
    }

    /// Notes an object of the state.
    pub(super) fn see(&self, keys: &[Key]) {
        for key in keys {
            self.with(&key.subject, |all| all.seen.push(key.name.clone()));
        }
    }

    /// Waits for the plans of other objects of the state that were seen to stand for what this one lets go of, as long as
    /// they are about to be made.
    async fn hear_of_others(&self, gone: &[&Key]) {
        let wait = |change: fn(usize) -> usize| {
            gone.iter().for_each(|key| self.with(&key.subject, |all| all.waiting = change(all.waiting)));
        };
        let is_undecided = || gone.iter().any(|key| self.with(&key.subject, |all| all.is_undecided(key)));
        wait(|waiting| waiting + 1);
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
        // What is not heard of in time is taken not to be planned at all, as when it is forgotten.
        let _ = timeout(HEARING, decided).await;
        wait(|waiting| waiting - 1);
    }

    /// Notes what is planned for an object that stands for `prior`, called `had`, and will stand for `planned`, called
    /// `label`. Gives what it has in common with others, and the subjects that it lets go of and leaves in place.
    pub(super) async fn plan(
        &self,
        (had, prior): (&str, &[Key]),
        (label, planned): (&str, &[Key]),
    ) -> (Vec<Overlap>, Vec<String>) {
        let has = |keys: &[Key], key: &Key| keys.iter().any(|known| known.subject == key.subject);
        let gone: Vec<_> = prior.iter().filter(|key| !has(planned, key)).collect();
        if !gone.is_empty() {
            self.hear_of_others(&gone).await;
        }
        let (mut overlaps, mut kept) = (Vec::new(), Vec::new());
        for key in planned {
            overlaps.extend(self.with(&key.subject, |all| {
                let stays = has(prior, key);
                let mut found = Vec::new();
                if !key.shared {
                    let others = all.stay.iter().chain(&all.made);
                    found.extend(others.map(|other| other.overlap(key, Relation::BothStay)));
                }
                let party = Party { label: label.to_owned(), name: key.name.clone(), kept: false };
                if stays { &mut all.stay } else { &mut all.made }.push(party);
                if stays {
                    let undoing = all.removed.iter().filter(|other| !other.kept && other.may_be(key));
                    found.extend(undoing.map(|other| other.overlap(key, Relation::IsUndone)));
                } else if all.is_made_anew() {
                    let succeeds = |other: &Party| other.overlap(key, Relation::Succeeds { kept: other.kept });
                    found.extend(all.removed.iter().map(succeeds));
                }
                found
            }));
        }
        for key in gone {
            overlaps.extend(self.with(&key.subject, |all| {
                let is_kept = all.keeper(key).is_some();
                if is_kept {
                    kept.push(key.subject.clone());
                }
                all.removed.push(Party { label: had.to_owned(), name: key.name.clone(), kept: is_kept });
                // Engines plan the second half of a replacement that makes the new object first in the apply itself.
                if all.is_written(key) {
                    return None;
                }
                let stays = all.stay.iter().find(|other| other.may_be(key));
                let succeeds = all.made.first().filter(|_| all.is_made_anew());
                let relation = Relation::IsSucceeded { kept: is_kept };
                stays
                    .map(|other| other.overlap(key, Relation::Stays))
                    .or_else(|| succeeds.map(|other| other.overlap(key, relation)))
            }));
        }
        self.ledger.planned.notify_waiters();
        (overlaps, kept)
    }

    /// The subjects of `prior` that an object which is replaced lets go of and others have by now.
    pub(super) fn kept(&self, prior: &[Key], planned: &[Key]) -> Vec<String> {
        let gone = prior.iter().filter(|key| !planned.iter().any(|known| known.subject == key.subject));
        let kept = gone.filter(|key| self.with(&key.subject, |all| all.keeper(key).is_some()));
        kept.map(|key| key.subject.clone()).collect()
    }

    /// Whether the state has an object that stands for this, as far as has been seen.
    pub fn is_in_state(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| !all.seen.is_empty())
    }

    /// Whether all objects of the state that stand for this have written it under this key's name.
    pub fn has_no_other_name_in_state(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| all.seen.iter().all(|name| *name == key.name))
    }

    /// Whether the state has an object that stands for this and that nothing is planned for so far. While a creation is
    /// planned that may be the object itself, if it is tainted.
    pub fn may_be_tainted(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| all.open() > all.made.len())
    }

    /// Whether a replaced object has left it.
    pub fn is_handed_over(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| all.handed_over.is_some())
    }

    /// Notes that this process has written what `key` is about, or found it as it wanted it. Call it while the lock that
    /// serialises writes and deletes of it is held.
    pub fn wrote(&self, key: &Key) {
        self.with(&key.subject, |all| all.written.push(key.name.clone()));
    }

    /// Whether this process has written it, under whatever name.
    pub fn has_written(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| !all.written.is_empty())
    }

    /// Notes that this process has deleted what the service has under this key's name.
    pub fn deleted(&self, key: &Key) {
        self.with(&key.subject, |all| all.deleted.extend(key.name.clone()));
    }

    /// Whether this process has deleted what the service had under this key's name.
    pub fn has_deleted(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| key.name.as_ref().is_some_and(|name| all.deleted.contains(name)))
    }

    /// The subjects for which other objects of the state were seen, too, where there should be one only.
    pub(super) fn seen_with_others(&self, keys: &[Key]) -> Vec<String> {
        let shared = keys.iter().filter(|key| !key.shared && self.with(&key.subject, |all| all.seen.len() > 1));
        shared.map(|key| key.subject.clone()).collect()
    }

    /// Whether another object has written it in this process, or is planned to in this process.
    fn is_held(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| all.keeper(key).is_some() || all.is_written(key))
    }

    /// Takes what a replaced object has left, once.
    pub fn take_over<T: Any + Send>(&self, key: &Key) -> Option<T> {
        let object = self.with(&key.subject, |all| all.handed_over.take())?;
        object.downcast().ok().map(|object| *object)
    }

    /// Takes everything of this type that replaced objects have left and that is `meant`, for a successor that cannot tell
    /// what it stands for.
    pub fn take_over_all<T: Any + Send>(&self, meant: impl Fn(&T) -> bool) -> Vec<T> {
        let mut all = self.ledger.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.values_mut().filter_map(|all| {
            let is_meant = all.handed_over.as_ref().and_then(|object| object.downcast_ref()).is_some_and(&meant);
            if is_meant { all.handed_over.take() } else { None }
        });
        left.filter_map(|object| object.downcast().ok().map(|object| *object)).collect()
    }
}

/// What a removal, or an update that lets go of something, knows of its successors.
#[derive(Clone, Debug)]
pub struct Succession {
    pub(super) walk: Walk,
    /// What the other half of a replacement stands for; `None` where the object is not being replaced.
    pub(super) replaced_by: Option<Vec<Key>>,
    /// The subjects that the plan has left in place for others.
    pub(super) kept: Vec<String>,
    /// The subjects for which the last read saw other objects in the state, too.
    pub(super) seen_with_others: Vec<String>,
}

impl Succession {
    /// Whether the object is being replaced: it is created again in the same run.
    pub fn is_replacement(&self) -> bool {
        self.replaced_by.is_some()
    }

    /// What becomes of what the object wrote for `key`.
    pub fn fate(&self, key: &Key) -> Fate {
        let is_replaced = self.replaced_by.iter().flatten().any(|known| known.subject == key.subject);
        if is_replaced {
            return if self.walk.has_written(key) { Fate::Succeeded } else { Fate::HandOver };
        }
        // An apply is told of an object that does not change in no way, so that a removal planned in it, which is that of
        // an object left over by a replacement, has to go by what the refresh saw.
        let is_left_over = || self.walk.with(&key.subject, |all| !all.removed.is_empty());
        let is_shared = || self.seen_with_others.contains(&key.subject) && is_left_over();
        let is_kept = self.kept.contains(&key.subject) || self.walk.is_held(key) || is_shared();
        if is_kept { Fate::Keep } else { Fate::Undo }
    }

    /// Leaves `object` to the successor that is going to be created with this key.
    pub fn hand_over(&self, key: &Key, object: impl Any + Send) {
        self.walk.with(&key.subject, |all| all.handed_over = Some(Box::new(object)));
    }
}
