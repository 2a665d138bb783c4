//! Resources of any type, and lists of them: their requests, and the calls get, put and patch.

use super::body::or_default;
use super::call::Call;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::id::ArmId;
use super::reads::Read;
use super::request::{Dated, Request};
use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

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
        Self::at(scope.path_below(T::COLLECTION))
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

    pub(super) fn request(&self, api_version: &str) -> Request {
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
        let item = Box::<RawValue>::deserialize(deserializer)?;
        Ok(match serde_json::from_str(item.get()) {
            Ok(resource) => Self::Readable(resource),
            Err(error) => Self::Unreadable { id: id_of(&item), why: error.to_string() },
        })
    }
}

/// The id of a resource as it came; empty where it has none.
pub(super) fn id_of(resource: &RawValue) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Named {
        #[serde(deserialize_with = "or_default")]
        id: String,
    }
    serde_json::from_str::<Named>(resource.get()).unwrap_or_default().id
}

impl<T: Resource> Resource for Item<T> {
    type Id = T::Id;
    const API_VERSION: &'static str = T::API_VERSION;
    const FALLBACK_API_VERSION: Option<&'static str> = T::FALLBACK_API_VERSION;
    const COLLECTION: &'static str = T::COLLECTION;
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
