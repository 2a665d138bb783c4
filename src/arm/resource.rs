//! What can be done with resources of any type: read one, change one, list many.

use super::call::Call;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::id::ArmId;
use super::request::{Dated, Request};
use super::share::Read;
use futures_util::stream::{Stream, TryStreamExt, try_unfold};
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::{Arc, atomic::Ordering};
use url::Url;
use uuid::Uuid;

/// A type of resource, in the shape that answers describe one.
pub trait Resource: DeserializeOwned + Send + Sync + 'static {
    /// What names one of them.
    type Id: Display + Sync;
    /// The api-version of all calls about them.
    const API_VERSION: &'static str;
    /// An older one for where that is not offered; [`super::Settings::workspaces_api_version`] replaces both.
    const FALLBACK_API_VERSION: Option<&'static str> = None;
    /// The path of their list, below what holds them.
    const COLLECTION: &'static str;

    /// A request for one of them.
    fn request(method: Method, id: &Self::Id, api_version: &str) -> Request {
        Request::new(method, id.to_string(), api_version)
    }
}

/// A list of resources, or those of it that a filter leaves.
#[derive(Debug)]
pub struct List<T> {
    path: String,
    filter: Option<String>,
    of: PhantomData<fn() -> T>,
}

impl<T: Resource> List<T> {
    /// Those directly below a resource, a resource group or another scope.
    pub fn below(scope: &ArmId) -> Self {
        Self { path: scope.below(T::COLLECTION).into(), filter: None, of: PhantomData }
    }

    /// Those of a subscription.
    pub fn in_subscription(subscription: &str) -> Self {
        Self { path: format!("/subscriptions/{subscription}{}", T::COLLECTION), filter: None, of: PhantomData }
    }

    /// Those that this `$filter` leaves.
    #[must_use]
    pub(crate) fn filter(self, filter: impl Into<String>) -> Self {
        Self { filter: Some(filter.into()), ..self }
    }

    fn request(&self, api_version: &str) -> Request {
        let request = Request::get(&self.path, api_version);
        match &self.filter {
            Some(filter) => request.query("$filter", filter),
            None => request,
        }
    }
}

/// A page. Azure leaves the link out, or writes null or nothing, when there is no next one.
#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "nextLink", default)]
    next_link: Option<String>,
}

/// How far a list was read.
struct Pages<T> {
    client: Client,
    call: Call,
    list: List<T>,
    /// Ties together the requests for all pages.
    id: Uuid,
    next: Next,
    seen: HashSet<String>,
}

/// The page to ask for.
enum Next {
    First,
    At(Url),
    None,
}

impl<T: Resource> Pages<T> {
    async fn next(&mut self) -> Result<Option<Dated<Vec<T>>>, Error> {
        let Self { client, call, list, id, .. } = &*self;
        let answer = match &self.next {
            Next::First => {
                let first =
                    |version| async move { client.send(&Request { id: *id, ..list.request(version) }, call).await };
                client.at_version::<T, _, _>(first).await?
            }
            Next::At(url) => client.send(&Request::follow(url.clone(), *id), call).await?,
            Next::None => return Ok(None),
        };
        let Dated { value: page, date } = answer.dated::<Page<T>>()?;
        self.next = match page.next_link.filter(|link| !link.is_empty()) {
            None => Next::None,
            Some(link) => {
                let url =
                    Url::parse(&link).map_err(|_| answer.breaks_protocol("its nextLink is not an absolute URL"))?;
                if !self.seen.insert(link) {
                    return Err(answer.breaks_protocol("its nextLink leads back to a page already read"));
                }
                Next::At(url)
            }
        };
        Ok(Some(Dated { value: page.value, date }))
    }
}

impl Client {
    /// Reads one resource.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::is_not_found`] when there is none.
    pub async fn get<T: Resource>(&self, id: &T::Id, read: Read, call: &Call) -> Result<T, Error> {
        Ok(self.get_dated(id, read, call).await?.value)
    }

    /// Reads one resource, with the time of the answer.
    pub(crate) async fn get_dated<T: Resource>(&self, id: &T::Id, read: Read, call: &Call) -> Result<Dated<T>, Error> {
        let get = |version| async move { self.read(&T::request(Method::GET, id, version), read, call).await };
        self.at_version::<T, _, _>(get).await?.dated()
    }

    /// Changes what the body names of a resource and nothing else, so that a change somebody else makes meanwhile is not
    /// undone, and waits until it is done.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn patch<T: Resource>(
        &self,
        id: &T::Id,
        body: &(impl Serialize + Sync),
        call: &Call,
    ) -> Result<T, Error> {
        let patch =
            |version| async move { self.operate(&T::request(Method::PATCH, id, version).json(body), call).await };
        self.at_version::<T, _, _>(patch).await?.json()
    }

    /// Reads a list page by page: the next one when the stream is asked for it.
    ///
    /// # Errors
    /// Any error of a single request, [`Error::ForeignHost`] when a page points elsewhere, and [`Error::Protocol`]
    /// when the pages go round in a circle. An error ends the stream.
    pub fn pages<T: Resource>(
        &self,
        list: List<T>,
        call: &Call,
    ) -> impl Stream<Item = Result<Dated<Vec<T>>, Error>> + Send + use<T> {
        let (client, call, id) = (self.clone(), call.clone(), Uuid::new_v4());
        let pages = Pages { client, call, list, id, next: Next::First, seen: HashSet::new() };
        try_unfold(pages, |mut pages| async move { Ok(pages.next().await?.map(|page| (page, pages))) })
    }

    /// Reads all pages of a list.
    ///
    /// # Errors
    /// As [`Client::pages`].
    pub async fn list<T: Resource>(&self, list: List<T>, read: Read, call: &Call) -> Result<Arc<Dated<Vec<T>>>, Error> {
        let what = list.request("").url(&self.0.sender.endpoint)?;
        let work = || async {
            let all = Dated { value: Vec::new(), date: None };
            self.pages(list, call)
                .try_fold(all, |mut all, page| async move {
                    // The first page's time: what was made later than that may be missing from it.
                    all.date = all.date.or(page.date);
                    all.value.extend(page.value);
                    Ok(all)
                })
                .await
        };
        self.0.reads.get(what.as_str(), read, &self.0.sender.limits(call), work).await
    }

    /// The api-version in use for a type.
    pub(crate) fn api_version<T: Resource>(&self) -> &str {
        let Some(fallback) = T::FALLBACK_API_VERSION else { return T::API_VERSION };
        match &self.0.workspaces_api_version {
            Some(version) => version,
            None if self.0.workspaces_fell_back.load(Ordering::Relaxed) => fallback,
            None => T::API_VERSION,
        }
    }

    /// Runs with the api-version in use, and where the default one is not offered once more with the older one, which
    /// is then used from the start.
    pub(crate) async fn at_version<'a, T, R, F>(&'a self, run: impl Fn(&'a str) -> F) -> Result<R, Error>
    where
        T: Resource,
        F: Future<Output = Result<R, Error>>,
    {
        let version = self.api_version::<T>();
        match (run(version).await, T::FALLBACK_API_VERSION) {
            (Err(error), Some(fallback))
                if version == T::API_VERSION
                    && self.0.workspaces_api_version.is_none()
                    && error.code() == Some(&ErrorCode::NoRegisteredProviderFound) =>
            {
                tracing::info!(from = version, to = fallback, "api-version is not offered");
                self.0.workspaces_fell_back.store(true, Ordering::Relaxed);
                run(fallback).await
            }
            (result, _) => result,
        }
    }
}
