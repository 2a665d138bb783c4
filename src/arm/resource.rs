//! Calls for resources of any type: get, put, patch and list.

use super::call::Call;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::id::ArmId;
use super::reads::Read;
use super::request::{Dated, Request};
use futures_util::stream::{Stream, TryStreamExt, try_unfold};
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashSet;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::{Arc, atomic::Ordering};
use url::Url;
use uuid::Uuid;

/// A type of resource, as the struct that its answers are read into.
pub trait Resource: DeserializeOwned + Send + Sync + 'static {
    /// The id of a resource of this type.
    type Id: Display + Sync;
    /// The api-version of its calls.
    const API_VERSION: &'static str;
    /// An older one for clouds that do not offer that one; [`super::Settings::workspaces_api_version`] replaces both.
    const FALLBACK_API_VERSION: Option<&'static str> = None;
    /// The path of the list, below that of the parent.
    const COLLECTION: &'static str;

    /// A request for one resource.
    fn request(method: Method, id: &Self::Id, api_version: &str) -> Request {
        Request::new(method, id.to_string(), api_version)
    }
}

/// A list of resources, which a query parameter may narrow.
#[derive(Debug)]
pub struct List<T> {
    path: String,
    query: Option<(&'static str, String)>,
    of: PhantomData<fn() -> T>,
}

impl<T: Resource> List<T> {
    /// The resources directly below a resource, a resource group or another scope.
    pub fn below(scope: &ArmId) -> Self {
        Self::at(scope.below(T::COLLECTION).into())
    }

    /// The resources of a subscription.
    pub fn in_subscription(subscription: &str) -> Self {
        Self::at(format!("/subscriptions/{subscription}{}", T::COLLECTION))
    }

    /// The resources of a resource group.
    pub fn in_resource_group(subscription: &str, group: &str) -> Self {
        Self::at(format!("/subscriptions/{subscription}/resourceGroups/{group}{}", T::COLLECTION))
    }

    fn at(path: String) -> Self {
        Self { path, query: None, of: PhantomData }
    }

    /// With this `$filter`.
    #[must_use]
    pub(crate) fn filter(self, filter: impl Into<String>) -> Self {
        self.query("$filter", filter)
    }

    /// With this query parameter.
    #[must_use]
    pub(crate) fn query(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { query: Some((name, value.into())), ..self }
    }

    /// The same, each item by itself.
    pub(crate) fn items(self) -> List<Item<T>> {
        List { path: self.path, query: self.query, of: PhantomData }
    }

    fn request(&self, api_version: &str) -> Request {
        let request = Request::get(&self.path, api_version);
        match &self.query {
            Some((name, value)) => request.query(name, value),
            None => request,
        }
    }
}

/// A resource of a list, by itself: one that cannot be read is no reason not to read the others.
#[derive(Debug)]
pub(crate) enum Item<T> {
    Readable(T),
    Unreadable {
        /// Its id, as far as it has one.
        id: String,
        /// What is wrong with it.
        why: String,
    },
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let id = value["id"].as_str().unwrap_or_default().to_owned();
        Ok(match serde_json::from_value(value) {
            Ok(resource) => Self::Readable(resource),
            Err(error) => Self::Unreadable { id, why: error.to_string() },
        })
    }
}

impl<T: Resource> Resource for Item<T> {
    type Id = T::Id;
    const API_VERSION: &'static str = T::API_VERSION;
    const FALLBACK_API_VERSION: Option<&'static str> = T::FALLBACK_API_VERSION;
    const COLLECTION: &'static str = T::COLLECTION;
}

/// A page. On the last one Azure leaves the link out, or writes null or an empty string.
#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "nextLink", default)]
    next_link: Option<String>,
}

/// A list that is read page by page.
struct Pages<T> {
    client: Client,
    call: Call,
    list: List<T>,
    /// The client request id of all pages.
    id: Uuid,
    next: Next,
    seen: HashSet<String>,
}

/// The page to request.
enum Next {
    First,
    At(Url),
    None,
}

impl<T: Resource> Pages<T> {
    async fn next(&mut self) -> Result<Option<Dated<Vec<T>>>, Error> {
        let Self { client, call, list, id, .. } = &*self;
        let page = |request: Request| async move {
            let answer = client.send(&request, call).await?;
            Ok::<_, Error>((client.decode::<Page<T>>(&request, &answer, call).await?, answer))
        };
        let (Dated { value: page, date }, answer) = match &self.next {
            Next::First => {
                let first = |version| page(Request { id: *id, ..list.request(version) });
                client.at_version::<T, _, _>(first).await?
            }
            Next::At(url) => page(Request::follow(url.clone(), *id)).await?,
            Next::None => return Ok(None),
        };
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
        let get = |version| async move {
            let request = T::request(Method::GET, id, version);
            self.decode(&request, &*self.read(&request, read, call).await?, call).await
        };
        self.at_version::<T, _, _>(get).await
    }

    /// Creates a resource and waits for the operation.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn put<T: Resource>(
        &self,
        id: &T::Id,
        body: &(impl Serialize + Sync),
        call: &Call,
    ) -> Result<T, Error> {
        self.write(Method::PUT, id, body, call).await
    }

    /// Patches a resource and waits for the operation. Only what the body names changes, so that changes made by others
    /// meanwhile are kept.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn patch<T: Resource>(
        &self,
        id: &T::Id,
        body: &(impl Serialize + Sync),
        call: &Call,
    ) -> Result<T, Error> {
        self.write(Method::PATCH, id, body, call).await
    }

    async fn write<T: Resource>(
        &self,
        method: Method,
        id: &T::Id,
        body: &(impl Serialize + Sync),
        call: &Call,
    ) -> Result<T, Error> {
        let method = &method;
        let write = |version| async move {
            let request = T::request(method.clone(), id, version).json(body);
            let answer = self.operate(&request, call).await?;
            Ok(self.decode(&request, &answer, call).await?.value)
        };
        self.at_version::<T, _, _>(write).await
    }

    /// Reads a list page by page, as the stream is polled.
    ///
    /// # Errors
    /// Any error of a single request, [`Error::ForeignHost`] when a page links to another host, and
    /// [`Error::Protocol`] when the pages form a circle. An error ends the stream.
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
        let what = list.request("").key();
        let work = || async {
            let all = Dated { value: Vec::new(), date: None };
            self.pages(list, call)
                .try_fold(all, |mut all, page| async move {
                    // The first page's time: what was created after it may be missing.
                    all.date = all.date.or(page.date);
                    all.value.extend(page.value);
                    Ok(all)
                })
                .await
        };
        self.0.reads.get(&what, read, &self.0.sender.limits(call), work).await
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

    /// Runs with the api-version in use, and again with the fallback where that is not offered, which is in use from then on.
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
