//! The objects of one walk that stand for the same thing in the service, and what becomes of each.
//!
//! Engines tell a provider about one object at a time, in no fixed order. Two objects stand for the same thing after a
//! rename without a `moved` block, after a replacement that made the new object first and could not finish, in a state
//! that several blocks share, and for the two halves of a replacement. None of that shows in a single call. A
//! [`Ledger`] therefore counts, from one ConfigureProvider to the next, which objects of the state were seen and what
//! is planned for each; the plan of an object says what it has in common with others as [`Overlap`]s, and the removal
//! of an object asks for the [`Fate`] of what it wrote.

use std::time::Duration;
use std::{
    any::Any,
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, Mutex},
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::contain::lock;

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

/// Whether one of the keys has the subject of `key`.
fn has(keys: &[Key], key: &Key) -> bool {
    keys.iter().any(|known| known.subject == key.subject)
}

/// What an object lets go of that stands for `prior` and will stand for `planned`.
fn gone<'k>(prior: &'k [Key], planned: &[Key]) -> Vec<&'k Key> {
    prior.iter().filter(|key| !has(planned, key)).collect()
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
    /// This one changes, so that it lets go of what the other one has, which stays. The apply plans a change once more and
    /// is told of nothing that does not change, so that it would undo what the other one needs.
    LetsGo,
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
#[derive(Debug)]
pub struct Ledger {
    /// Tells it from those of other walks, also of other processes.
    id: u64,
    subjects: Mutex<HashMap<String, Subject>>,
    /// Something was planned.
    planned: Notify,
}

impl Default for Ledger {
    fn default() -> Self {
        let id = RandomState::new().build_hasher().finish();
        Self { id, subjects: Mutex::default(), planned: Notify::new() }
    }
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
    /// Whether this process has changed it, or is about to.
    changed: bool,
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
        let mut all = lock(&self.ledger.subjects);
        work(all.entry(format!("{} {subject}", self.type_name)).or_default())
    }

    /// What tells this walk from others.
    pub(super) fn id(&self) -> u64 {
        self.ledger.id
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
        let _ = tokio::time::timeout(HEARING, decided).await;
        wait(|waiting| waiting - 1);
    }

    /// Notes what is planned for an object that stands for `prior`, called `had`, and will stand for `planned`, called
    /// `label`. Gives what it has in common with others, and the subjects that it lets go of and leaves in place.
    pub(super) async fn plan(
        &self,
        (had, prior): (&str, &[Key]),
        (label, planned): (&str, &[Key]),
    ) -> (Vec<Overlap>, Vec<String>) {
        let gone = gone(prior, planned);
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
                let leaves = if planned.is_empty() { Relation::Stays } else { Relation::LetsGo };
                stays
                    .map(|other| other.overlap(key, leaves))
                    .or_else(|| succeeds.map(|other| other.overlap(key, relation)))
            }));
        }
        self.ledger.planned.notify_waiters();
        (overlaps, kept)
    }

    /// The subjects of `prior` that an object which is replaced lets go of and others have by now.
    pub(super) fn kept(&self, prior: &[Key], planned: &[Key]) -> Vec<String> {
        let kept =
            gone(prior, planned).into_iter().filter(|key| self.with(&key.subject, |all| all.keeper(key).is_some()));
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

    /// Whether a replaced object has left something that its successor has not taken over yet.
    pub fn has_something_handed_over(&self) -> bool {
        let all = lock(&self.ledger.subjects);
        all.values().any(|all| all.handed_over.is_some())
    }

    /// Notes that this process has written what `key` is about, or found it as it wanted it. Call it while the lock that
    /// serialises writes and deletes of it is held.
    pub fn wrote(&self, key: &Key) {
        self.with(&key.subject, |all| all.written.push(key.name.clone()));
    }

    /// Notes that this process is about to change what `key` is about, for whatever object.
    pub fn changing(&self, key: &Key) {
        self.with(&key.subject, |all| all.changed = true);
    }

    /// Whether this process has begun to change it.
    pub fn has_changed(&self, key: &Key) -> bool {
        self.with(&key.subject, |all| all.changed)
    }

    /// Whether this process has written it, under whatever name.
    fn has_written(&self, key: &Key) -> bool {
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
        let mut all = lock(&self.ledger.subjects);
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
    /// Whether the apply itself planned it. Engines do so for objects that replacements have left over.
    pub(super) is_left_over: bool,
}

impl Succession {
    /// Whether the object is being replaced: it is created again in the same run.
    pub fn is_replacement(&self) -> bool {
        self.replaced_by.is_some()
    }

    /// The other objects of this run.
    pub fn walk(&self) -> &Walk {
        &self.walk
    }

    /// What becomes of what the object wrote for `key`.
    pub fn fate(&self, key: &Key) -> Fate {
        if has(self.replaced_by.as_deref().unwrap_or_default(), key) {
            return if self.walk.has_written(key) { Fate::Succeeded } else { Fate::HandOver };
        }
        // An apply is told of an object that does not change in no way, so that a removal planned in it, which is that of
        // an object left over by a replacement, has to go by what the refresh saw.
        let is_shared = self.is_left_over && self.seen_with_others.contains(&key.subject);
        let is_kept = self.kept.contains(&key.subject) || self.walk.is_held(key) || is_shared;
        if is_kept { Fate::Keep } else { Fate::Undo }
    }

    /// Whether it is no news that the service keeps what the object wrote for `key`: the plan said so, or the object is left
    /// over by a replacement, so that its own successor is who has it.
    pub fn is_expected(&self, key: &Key) -> bool {
        self.kept.contains(&key.subject) || self.is_left_over
    }

    /// Leaves `object` to the successor that is going to be created with this key.
    pub fn hand_over(&self, key: &Key, object: impl Any + Send) {
        self.walk.with(&key.subject, |all| all.handed_over = Some(Box::new(object)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk() -> Walk {
        Walk::new(Arc::default(), "thing")
    }

    fn key(subject: &str, name: &str) -> Key {
        let key = Key::new(subject);
        if name.is_empty() { key } else { key.named(name) }
    }

    /// What a plan has in common with others, shortly: how, with whom, and whether the names are the same.
    fn told(overlaps: &[Overlap]) -> Vec<(Relation, &str, Option<bool>)> {
        overlaps.iter().map(|overlap| (overlap.relation, overlap.other.as_str(), overlap.same_name)).collect()
    }

    /// What a plan said, and what it keeps.
    type Said = (Vec<(Relation, String, Option<bool>)>, Vec<String>);

    /// What the plans of one walk said, in their order.
    async fn plans(walk: &Walk, all: &[(&str, &[Key], &[Key])]) -> Vec<Said> {
        let mut said = Vec::new();
        for (label, prior, planned) in all {
            let (overlaps, kept) = walk.plan((label, prior), (label, planned)).await;
            let told = told(&overlaps).into_iter().map(|(how, other, same)| (how, other.to_owned(), same)).collect();
            said.push((told, kept));
        }
        said
    }

    fn kept(subject: &str) -> Vec<String> {
        vec![subject.to_owned()]
    }

    fn succession(walk: &Walk, replaced_by: Option<Vec<Key>>) -> Succession {
        Succession {
            walk: walk.clone(),
            replaced_by,
            kept: Vec::new(),
            seen_with_others: Vec::new(),
            is_left_over: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rename_is_told_by_whichever_comes_later_and_kept_where_it_can_be() {
        for (old, new, same) in [("n", "n", Some(true)), ("theirs", "n", Some(false)), ("n", "", None)] {
            let (old, new) = ([key("s", old)], [key("s", new)]);
            let is_kept = same != Some(false);
            // The removal first.
            let walk = walk();
            walk.see(&old);
            let said = plans(&walk, &[("old", &old, &[]), ("new", &[], &new)]).await;
            let expected = vec![(Relation::Succeeds { kept: false }, "old".to_owned(), same)];
            assert_eq!(said, [(Vec::new(), Vec::new()), (expected, Vec::new())], "{same:?}");
            // The creation first.
            let walk = super::tests::walk();
            walk.see(&old);
            let said = plans(&walk, &[("new", &[], &new), ("old", &old, &[])]).await;
            let expected = vec![(Relation::IsSucceeded { kept: is_kept }, "new".to_owned(), same)];
            let kept = if is_kept { kept("s") } else { Vec::new() };
            assert_eq!(said, [(Vec::new(), Vec::new()), (expected, kept)], "{same:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_tainted_object_is_planned_like_a_creation_and_is_none() {
        let it = [key("s", "n")];
        let walk = walk();
        walk.see(&it);
        assert!(walk.may_be_tainted(&it[0]));
        assert_eq!(plans(&walk, &[("it", &[], &it)]).await, [(Vec::new(), Vec::new())]);
        assert!(!walk.may_be_tainted(&it[0]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_tainted_object_and_the_one_that_it_replaced_say_nothing_of_each_other_in_either_order() {
        let it = [key("s", "n")];
        for removal_first in [true, false] {
            let walk = walk();
            walk.see(&it);
            walk.see(&it);
            let (removal, creation): ((&str, &[Key], &[Key]), _) = (("it", &it, &[]), ("it", &[][..], &it[..]));
            let said = plans(&walk, &if removal_first { [removal, creation] } else { [creation, removal] }).await;
            // What the creation makes is kept, if that is known by then.
            let kept = if removal_first { Vec::new() } else { kept("s") };
            let of_removal = &said[usize::from(!removal_first)];
            assert!(said.iter().all(|(told, _)| told.is_empty()), "{said:?}");
            assert_eq!(of_removal.1, kept);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_creation_beside_a_removal_and_one_that_stays_is_told_of_both() {
        let it = [key("s", "n")];
        let walk = walk();
        walk.see(&it);
        walk.see(&it);
        let said = plans(&walk, &[("stays", &it, &it), ("goes", &it, &[]), ("new", &[], &it)]).await;
        assert_eq!(said[1], (vec![(Relation::Stays, "stays".to_owned(), Some(true))], kept("s")));
        let both = vec![
            (Relation::BothStay, "stays".to_owned(), Some(true)),
            (Relation::Succeeds { kept: true }, "goes".to_owned(), Some(true)),
        ];
        assert_eq!(said[2], (both, Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replacement_that_makes_the_new_object_first_keeps_what_it_made_and_says_nothing() {
        let it = [key("s", "n")];
        let walk = walk();
        walk.see(&it);
        // The creation half is applied, and then the other half is planned and applied.
        assert_eq!(plans(&walk, &[("it", &[], &it)]).await[0].0, []);
        walk.wrote(&it[0]);
        assert_eq!(plans(&walk, &[("it", &it, &[])]).await, [(Vec::new(), kept("s"))]);
        assert_eq!(succession(&walk, None).fate(&it[0]), Fate::Keep);
        // Under another name it is another object of the service, which goes.
        let other = [key("s", "other")];
        assert_eq!(succession(&walk, None).fate(&other[0]), Fate::Undo);
        assert_eq!(succession(&walk, None).fate(&key("t", "n")), Fate::Undo);
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_stay_or_are_made_are_told_of_by_the_later_one_whatever_their_names() {
        for (one, two, same) in [("n", "n", Some(true)), ("n", "m", Some(false)), ("n", "", None)] {
            for (prior_one, prior_two) in [(true, true), (true, false), (false, true), (false, false)] {
                let (one, two) = ([key("s", one)], [key("s", two)]);
                let prior = |it, has: bool| if has { it } else { &[][..] };
                let walk = walk();
                let said =
                    plans(&walk, &[("a", prior(&one, prior_one), &one), ("b", prior(&two, prior_two), &two)]).await;
                let expected = (Relation::BothStay, "a".to_owned(), same);
                assert_eq!(said[0], (Vec::new(), Vec::new()));
                assert_eq!(said[1], (vec![expected], Vec::new()), "{prior_one} {prior_two}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_subject_that_is_shared_is_nobodys_alone() {
        let it = [key("s", "").shared()];
        let said = plans(&walk(), &[("a", &it, &it), ("b", &it, &it), ("c", &[], &it), ("d", &it, &[])]).await;
        assert!(said[..3].iter().all(|(told, kept)| told.is_empty() && kept.is_empty()), "{said:?}");
        assert_eq!(said[3].1, kept("s"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_removal_keeps_what_one_that_stays_has_or_that_one_is_told() {
        let it = [key("s", "n")];
        let two = || {
            let walk = walk();
            walk.see(&it);
            walk.see(&it);
            walk
        };
        let said = plans(&two(), &[("stays", &it, &it), ("goes", &it, &[])]).await;
        assert_eq!(said[1], (vec![(Relation::Stays, "stays".to_owned(), Some(true))], kept("s")));
        let said = plans(&two(), &[("goes", &it, &[]), ("stays", &it, &it)]).await;
        assert_eq!(said[1], (vec![(Relation::IsUndone, "goes".to_owned(), Some(true))], Vec::new()));
        // Nobody else is concerned where the names differ.
        let said = plans(&two(), &[("goes", &[key("s", "m")], &[]), ("stays", &it, &it)]).await;
        assert_eq!(said[1], (Vec::new(), Vec::new()));
        // A change that lets go of it is no removal: its apply plans again and knows of nobody.
        let elsewhere = [key("t", "n")];
        let said = plans(&two(), &[("stays", &it, &it), ("changes", &it, &elsewhere)]).await;
        assert_eq!(said[1], (vec![(Relation::LetsGo, "stays".to_owned(), Some(true))], kept("s")));
        let said = plans(&two(), &[("changes", &it, &elsewhere), ("stays", &it, &it)]).await;
        assert_eq!(said[1], (vec![(Relation::IsUndone, "changes".to_owned(), Some(true))], Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_that_was_left_over_keeps_what_was_seen_with_others_and_its_successor_does_not() {
        let it = key("s", "n");
        let walk = walk();
        walk.see(std::slice::from_ref(&it));
        assert_eq!(walk.seen_with_others(std::slice::from_ref(&it)), [""; 0]);
        walk.see(std::slice::from_ref(&it));
        let seen_with_others = walk.seen_with_others(std::slice::from_ref(&it));
        assert_eq!(seen_with_others, ["s"]);
        // In the apply, the left over one is planned, whichever of the two goes first.
        let walk = super::tests::walk();
        walk.plan(("left over", std::slice::from_ref(&it)), ("", &[])).await;
        let of = |is_left_over| Succession {
            seen_with_others: seen_with_others.clone(),
            is_left_over,
            ..succession(&walk, None)
        };
        assert_eq!((of(true).fate(&it), of(true).is_expected(&it)), (Fate::Keep, true));
        assert_eq!(of(false).fate(&it), Fate::Undo);
    }

    #[tokio::test(start_paused = true)]
    async fn a_removal_hands_over_until_its_successor_has_it() {
        let it = key("s", "n");
        let walk = walk();
        let half = || succession(&walk, Some(vec![it.clone()]));
        assert!(half().is_replacement() && !succession(&walk, None).is_replacement());
        assert_eq!(half().fate(&it), Fate::HandOver);
        // What the successor does not need goes.
        assert_eq!(half().fate(&key("t", "n")), Fate::Undo);
        half().hand_over(&it, 7_u8);
        assert!(walk.is_handed_over(&it));
        assert_eq!((walk.take_over::<u8>(&it), walk.take_over::<u8>(&it)), (Some(7), None));
        walk.wrote(&it);
        assert_eq!(half().fate(&it), Fate::Succeeded);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_plan_of_a_replacement_keeps_what_others_have_by_then() {
        let (old, new) = ([key("s", "n")], [key("t", "n")]);
        let walk = walk();
        walk.see(&old);
        plans(&walk, &[("it", &old, &new)]).await;
        assert_eq!(walk.kept(&old, &new), [""; 0]);
        let said = plans(&walk, &[("other", &[], &old)]).await;
        assert_eq!(said[0].0, [(Relation::Succeeds { kept: false }, "it".to_owned(), Some(true))]);
        assert_eq!(walk.kept(&old, &new), ["s"]);
        assert_eq!(walk.kept(&old, &old), [""; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn types_and_walks_do_not_mix() {
        let it = [key("s", "n")];
        let ledger = Arc::default();
        let (one, other) = (Walk::new(Arc::clone(&ledger), "one"), Walk::new(ledger, "other"));
        one.see(&it);
        assert!(one.is_in_state(&it[0]) && !other.is_in_state(&it[0]));
        assert!(one.id() == other.id() && one.id() != walk().id());
        assert!(one.has_no_other_name_in_state(&it[0]) && !one.has_no_other_name_in_state(&key("s", "m")));
        one.deleted(&it[0]);
        assert!(one.has_deleted(&it[0]) && !one.has_deleted(&key("s", "m")) && !other.has_deleted(&it[0]));
    }
}
