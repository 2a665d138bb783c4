//! What the author of a list resource implements: a struct for its configuration, a schema and a stream of objects.

use std::{future::ready, sync::Arc};

use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use serde::de::DeserializeOwned;

use super::{
    Diagnostics, Private, Value,
    any_resource::{AnyResource, ErasedOutcome, failed},
    context::Context,
    erased::{Described, Erased, validated},
    resource::{Outcome, Resource},
    schema::{Block, Schema},
    structs::from_value,
};

/// Lists the existing objects of a resource type, managed by Terraform or not.
pub trait ListResource: Send + Sync + 'static {
    /// The resource type whose objects it lists, and whose name it has.
    type Resource: Resource;
    /// The configuration, which filters the list.
    type Config: DeserializeOwned + Send + Sync + 'static;

    /// The resource type.
    fn resource(&self) -> Self::Resource;

    /// The attributes and blocks of the list's `config` block.
    fn schema(&self) -> Block;

    /// Validates what the schema cannot. Nothing is sent; values may be unknown.
    fn validate(&self, _config: &Self::Config) -> Diagnostics {
        Diagnostics::default()
    }

    /// The objects, requested as the stream is polled. It is dropped once the engine has as many as it wants.
    fn list(
        &self,
        context: Context<<Self::Resource as Resource>::Client>,
        request: ListRequest<Self::Config>,
    ) -> Objects<<Self::Resource as Resource>::State>;
}

/// The objects of a list. In the place of one that cannot be listed are its diagnostics: after warnings the list goes on; an
/// error ends it.
pub type Objects<S> = BoxStream<'static, Result<Listed<S>, Diagnostics>>;

/// A request for a list.
#[derive(Debug)]
pub struct ListRequest<C> {
    /// The configuration.
    pub config: C,
    /// Whether whole objects are requested; otherwise the attributes that the identity needs are enough.
    pub include_object: bool,
}

/// One object of a list.
#[derive(Debug)]
pub struct Listed<S> {
    /// How users recognise it, such as its name.
    pub display_name: String,
    /// The object.
    pub object: S,
    /// Warnings about it.
    pub warnings: Diagnostics,
}

/// One object of a list, by value.
#[derive(Debug)]
pub struct ListedValue {
    pub(crate) display_name: String,
    /// The object, its identity and diagnostics.
    pub(crate) object: ErasedOutcome,
}

/// A [`ListResource`] with its types erased.
pub trait AnyListResource<C>: Described {
    /// The resource type.
    fn resource(&self) -> &dyn AnyResource<C>;
    /// The objects.
    fn list(
        self: Arc<Self>,
        context: Context<C>,
        config: Value,
        include_object: bool,
    ) -> BoxStream<'static, ListedValue>;
}

/// A list resource with its resource type, which turns its objects into values and identities.
#[derive(Debug)]
pub struct Lister<L: ListResource> {
    list: L,
    resource: Erased<L::Resource>,
}

impl<L: ListResource> Erased<Lister<L>> {
    /// Wraps a list resource.
    pub fn list_resource(list: L) -> Self {
        let resource = Erased::resource(list.resource());
        let schema = Schema { version: 0, block: list.schema() };
        let validate = |lister: &Lister<L>, config| validated(config, |config| lister.list.validate(config));
        Self::new(resource.name(), schema, validate, Lister { list, resource })
    }
}

impl<L: ListResource> AnyListResource<<L::Resource as Resource>::Client> for Erased<Lister<L>> {
    fn resource(&self) -> &dyn AnyResource<<L::Resource as Resource>::Client> {
        &self.implementation.resource
    }

    fn list(
        self: Arc<Self>,
        context: Context<<L::Resource as Resource>::Client>,
        config: Value,
        include_object: bool,
    ) -> BoxStream<'static, ListedValue> {
        let refused =
            |diagnostics: Diagnostics| ListedValue { display_name: String::new(), object: failed(diagnostics) };
        let config = match from_value(config) {
            Ok(config) => config,
            Err(mismatch) => return stream::once(ready(refused(mismatch.into()))).boxed(),
        };
        let objects = self.implementation.list.list(context, ListRequest { config, include_object });
        let by_value = move |object| match object {
            Ok(Listed { display_name, object, warnings: diagnostics }) => {
                let outcome = Outcome { state: Some(object), private: Private::default(), diagnostics };
                ListedValue { display_name, object: self.implementation.resource.found(outcome) }
            }
            Err(diagnostics) => refused(diagnostics),
        };
        objects.map(by_value).boxed()
    }
}
