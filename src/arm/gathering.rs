//! Whether a resource is read by itself or with a list.
//!
//! A refresh reads every resource by itself, at nearly the same time. The first read of a place, such as a scope or a
//! subscription, therefore waits for more: until there is a token, which at the start of a process takes a request of its own,
//! and then for [`WINDOW`], which is short compared with a request. As soon as a list is worth its request the wait ends.
//! While reads are remembered the count goes on across waits, and what a list has is not waited for.

use super::auth::Tokens;
use super::call::Limits;
use super::error::Error;
use super::id::ArmId;
use super::in_flight::InFlight;
use super::lock::lock;
use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// How long the first read of a place waits for others.
const WINDOW: Duration = Duration::from_millis(25);

/// A read, as it is counted.
pub(crate) struct Asked {
    /// The resource.
    pub(crate) id: String,
    /// Its near surroundings, such as its resource group: a key in the place.
    pub(crate) near: String,
    /// Where it is: a key.
    pub(crate) place: String,
    /// The number of resources from which on a list takes the place of single reads.
    pub(crate) worth_a_list: usize,
}

/// How many resources of a group or a subscription are worth a list of all that are there.
const WORTH_A_GROUP: usize = 10;

impl Asked {
    /// A read of what lies in a resource group.
    pub(crate) fn of_group(id: &ArmId) -> Self {
        let lower = |part: Option<&str>| part.unwrap_or_default().to_lowercase();
        let (near, place) = (lower(id.resource_group()), lower(id.subscription()));
        Self { id: id.key().to_owned(), near, place, worth_a_list: WORTH_A_GROUP }
    }
}

/// How a resource is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    OneByOne,
    /// With the list of its near surroundings.
    Near,
    /// With the list of the whole place.
    Whole,
}

/// The reads of a client that may become lists, by type.
#[derive(Default)]
pub(crate) struct Gatherings(Mutex<HashMap<TypeId, Arc<Gathering>>>);

impl Gatherings {
    /// Those of one type.
    pub(crate) fn of<T: Any>(&self) -> Arc<Gathering> {
        Arc::clone(lock(&self.0).entry(TypeId::of::<T>()).or_default())
    }
}

/// The reads of one type of resource, by the key of the place.
#[derive(Default)]
pub(crate) struct Gathering {
    places: Mutex<HashMap<String, Place>>,
    waits: InFlight<String, Result<Arc<Worth>, Error>>,
}

/// What is read in a place.
#[derive(Default)]
struct Place {
    /// The period of remembering, see [`super::reads::Reads`].
    period: Option<u64>,
    /// The ids, by their near surroundings.
    asked: HashMap<String, HashSet<String>>,
    total: usize,
    enough: Arc<Notify>,
    worth: Arc<Worth>,
}

/// The lists of a place that were worth their requests in this period.
#[derive(Default)]
struct Worth {
    near: HashSet<String>,
    whole: bool,
}

impl Worth {
    fn decision(&self, asked: &Asked) -> Decision {
        match (self.near.contains(&asked.near), self.whole) {
            (true, _) => Decision::Near,
            (false, true) => Decision::Whole,
            (false, false) => Decision::OneByOne,
        }
    }
}

impl Gathering {
    /// Decides how a resource is read, together with the reads of its place that begin meanwhile.
    pub(crate) async fn decide(
        &self,
        asked: &Asked,
        period: Option<u64>,
        tokens: &Tokens,
        limits: &Limits<'_>,
    ) -> Result<Decision, Error> {
        // The read is counted and the wait joined under one lock, so that no read is missed.
        let known = || {
            let worth = self.count(asked, period, |place| place.worth.clone());
            (worth.decision(asked) != Decision::OneByOne).then_some(worth)
        };
        let wait = || async {
            // Without a token nothing can be sent. If there is none, the request that follows fails with the reason.
            match tokens.get(None, limits).await {
                Err(error) if error.is_interruption() => return Err(error),
                _ => {}
            }
            let enough = self.count(asked, period, |place| place.enough.clone());
            let more = async { tokio::time::timeout(WINDOW, enough.notified()).await };
            let _ = limits.bound(|| "gathering reads".to_owned(), None, more).await?;
            Ok(Arc::default())
        };
        let worth = self.waits.join(asked.place.clone(), limits, known, wait, |_| self.end_wait(asked)).await?;
        Ok(worth.decision(asked))
    }

    /// Counts a read, and gives `then` of its place.
    fn count<T>(&self, asked: &Asked, period: Option<u64>, then: impl FnOnce(&Place) -> T) -> T {
        let mut places = lock(&self.places);
        let place = places.entry(asked.place.clone()).or_default();
        if place.period != period {
            *place = Place { period, ..Place::default() };
        }
        let near = place.asked.entry(asked.near.clone()).or_default();
        place.total += usize::from(near.insert(asked.id.clone()));
        if place.total >= asked.worth_a_list {
            place.enough.notify_one();
        }
        then(place)
    }

    /// Decides for all reads of a wait, and counts from zero again unless lists will be remembered.
    fn end_wait(&self, asked: &Asked) -> Arc<Worth> {
        let mut places = lock(&self.places);
        let Some(place) = places.get_mut(&asked.place) else { return Arc::default() };
        let (many, few): (Vec<_>, Vec<_>) = place.asked.iter().partition(|(_, ids)| ids.len() >= asked.worth_a_list);
        let left: usize = few.iter().map(|(_, ids)| ids.len()).sum();
        let near = many.into_iter().map(|(near, _)| near.clone()).collect();
        place.worth = Arc::new(Worth { near, whole: left >= asked.worth_a_list });
        let worth = place.worth.clone();
        if place.period.is_none() {
            places.remove(&asked.place);
        }
        worth
    }
}
