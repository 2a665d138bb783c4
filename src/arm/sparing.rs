//! Sparing the GETs of many resources by a list: what an item of it says is remembered as the answer to the resource's GET.
//!
//! From the tenth resource on that is asked for in a resource group, that group's list is read, and from the tenth on in a
//! subscription that no group's list has, the subscription's. A list is read on only as long as its pages are fewer than half of the
//! resources that were asked for, so that a long one costs little more than the single reads that follow it.
//!
//! An item is believed as far as it says what is known already: a list may lag, and may lack what a GET has (facts: azure.md
//! §1.4, §2). What has changed, what no list has, and everything after an error is read by itself.

use super::body::Body;
use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::gathering::{Asked, Gathering, WORTH_A_LIST};
use super::id::ArmId;
use super::pages::Pages;
use super::reads::Memory;
use super::request::Answer;
use super::resource::{List, Resource, id_of};
use http::Method;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::marker::PhantomData;
use tokio::sync::Mutex;

/// A type of resource that lists are read of in place of many GETs.
pub(crate) trait Spared: Resource<Id: Clone + Into<ArmId>> {
    /// One of its lists without what is never asked for.
    fn narrowed<I: Resource>(list: List<I>) -> List<I> {
        list
    }
}

/// An item of a list as it came.
struct AsListed<T> {
    /// The key of its id; empty where it has none.
    key: String,
    document: Body,
    of: PhantomData<fn() -> T>,
}

impl<'de, T> Deserialize<'de> for AsListed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let item = Box::<RawValue>::deserialize(deserializer)?;
        let key = ArmId::parse(&id_of(&item)).map(|id| id.key().to_owned()).unwrap_or_default();
        Ok(Self { key, document: item.get().as_bytes().into(), of: PhantomData })
    }
}

impl<T: Resource> Resource for AsListed<T> {
    type Id = T::Id;
    const API_VERSION: &'static str = T::API_VERSION;
    const FALLBACK_API_VERSION: Option<&'static str> = T::FALLBACK_API_VERSION;
    const COLLECTION: &'static str = T::COLLECTION;
}

/// A list as far as it was read.
struct Partial<T> {
    /// The pages that are left; `None` after an error.
    rest: Option<Pages<AsListed<T>>>,
    pages: usize,
    /// The answer with the first page, without its body.
    first: Option<Answer>,
    /// `None` for what is not believed any more, whatever a later page repeats.
    items: HashMap<String, Option<Found>>,
}

/// An item that was not asked for, or that has said what is known.
struct Found {
    document: Body,
    /// Whether it is remembered as the answer to a GET.
    is_answer: bool,
}

impl<T: Resource> Partial<T> {
    fn of(pages: Pages<AsListed<T>>) -> Self {
        Self { rest: Some(pages), pages: 0, first: None, items: HashMap::new() }
    }

    /// Reads on until an item is there, or the list ends or is no longer worth it.
    async fn read_to(
        &mut self,
        key: &str,
        asked: impl Fn() -> usize,
        client: &Client,
        call: &Call,
    ) -> Result<(), Error> {
        while !self.items.contains_key(key) && (self.pages + 1) * 2 <= asked() {
            let Some(rest) = &mut self.rest else { break };
            let Some((items, answer)) = rest.next(client, call).await? else { break };
            self.pages += 1;
            self.first.get_or_insert_with(|| Answer { body: Vec::new().into(), ..answer });
            for AsListed { key, document, .. } in items {
                self.items.entry(key).or_insert_with(|| Some(Found { document, is_answer: false }));
            }
        }
        Ok(())
    }

    /// Remembers an item as the answer to the GET with this key if it says what `is_known`, unless that was sent before. Otherwise
    /// nobody takes its word any more, not even who has done so already, since it may have been good enough for another object.
    fn answer(&mut self, id: &ArmId, is_known: impl FnOnce(&T) -> bool, memory: &Memory, get: &str) {
        let (Some(first), Some(item)) = (&self.first, self.items.get_mut(id.key())) else { return };
        let Some(found) = item else { return };
        if serde_json::from_slice(&found.document).is_ok_and(|resource| is_known(&resource)) {
            let (path, body) = (id.as_str().to_owned(), found.document.clone());
            memory.get_or_insert(get, || {
                found.is_answer = true;
                Answer { path, body, ..first.clone() }
            });
        } else if item.take().is_some_and(|found| found.is_answer) {
            memory.remove::<Answer>(get);
        }
    }
}

/// The lists that have a resource, from the shortest to the longest.
fn lists_with<T: Spared>(id: &ArmId) -> Option<[List<AsListed<T>>; 2]> {
    let (subscription, group) = (id.subscription()?, id.resource_group()?);
    let lists = [List::in_resource_group(subscription, group), List::in_subscription(subscription)];
    Some(lists.map(T::narrowed))
}

impl Client {
    /// Spares the GET of a resource that a refresh is going to read: where one of its lists is worth its requests and has the
    /// resource, and what it says `is_known`, that is remembered as the answer to the GET. Otherwise nothing has happened, and
    /// nothing fails, since the GET fails for the same reason or does not need the list.
    pub(crate) async fn spare_get<T: Spared>(&self, id: &T::Id, is_known: impl FnOnce(&T) -> bool, call: &Call) {
        let arm_id: ArmId = id.clone().into();
        let (Some(memory), Some(lists)) = (self.0.reads.memory(), lists_with::<T>(&arm_id)) else { return };
        let gathering = memory.get_or_insert("", Gathering::default);
        let names = lists.each_ref().map(|list| list.request("").key().to_lowercase());
        let asked = Asked { id: arm_id.key(), lists: &names, worth_a_list: WORTH_A_LIST };
        // Another api-version may turn out to be in use.
        let get = || T::request(Method::GET, id, self.api_version::<T>()).key();
        let is_read = || memory.get::<Answer>(&get()).is_some();
        // The other half is left for the GET.
        let call = self.half_of(call);
        let limits = self.0.sender.limits(&call);
        let listed = match is_read() {
            true => gathering.listed(&asked),
            false => gathering.decide(&asked, &self.0.sender.tokens, &limits).await,
        };
        let Some((at, list)) = listed.and_then(|at| Some((at, lists.into_iter().nth(at)?))) else { return };
        let new = || Mutex::new(Partial::of(Pages::new(list, true)));
        let partial = memory.get_or_insert(&names[at], new);
        let waiting = || "waiting for a list that another call reads".to_owned();
        let Ok(mut partial) = limits.bound(waiting, None, partial.lock()).await else { return };
        if !is_read() {
            let read = partial.read_to(arm_id.key(), || gathering.asked_of(&names[at]), self, &call).await;
            // After an interrupt another call reads on.
            if read.is_err() && !call.cancel.is_cancelled() {
                partial.rest = None;
                gathering.refuse(&names[at]);
            }
        }
        partial.answer(&arm_id, is_known, &memory, &get());
    }
}
