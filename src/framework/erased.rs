//! Types as the server holds them, with values in place of structs: what all kinds share.

use std::{future::Future, pin::Pin};

use serde::de::DeserializeOwned;

use super::{
    Diagnostics, Type, Value, plan,
    schema::{IdentitySchema, Schema},
    structs::from_value,
};

/// A future that a trait object can return.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What every type has that users write configurations for: resources, data sources, list resources and actions.
pub trait Described: Send + Sync {
    /// The type's name in HCL.
    fn name(&self) -> &'static str;
    /// Its attributes and blocks.
    fn schema(&self) -> &Schema;
    /// The type of its configuration, and of its state where it has one.
    fn ty(&self) -> &Type;
    /// Checks a configuration.
    fn validate(&self, config: Value) -> Diagnostics;
}

/// What implements the trait of its kind, with its schema.
#[derive(Debug)]
pub struct Erased<T> {
    pub(super) implementation: T,
    name: &'static str,
    pub(super) schema: Schema,
    pub(super) ty: Type,
    /// That of a resource.
    pub(super) identity_schema: IdentitySchema,
    validate: fn(&T, Value) -> Diagnostics,
}

impl<T> Erased<T> {
    /// Wraps an implementation, whose own validation is `validate`.
    pub(super) fn new(
        name: &'static str,
        schema: Schema,
        validate: fn(&T, Value) -> Diagnostics,
        implementation: T,
    ) -> Self {
        let identity_schema = IdentitySchema::default();
        Self { implementation, name, ty: schema.block.ty(), schema, identity_schema, validate }
    }
}

/// What the implementation's own validation says of a configuration.
pub(super) fn validated<S: DeserializeOwned>(config: Value, validate: impl FnOnce(&S) -> Diagnostics) -> Diagnostics {
    from_value(config).map_or_else(Diagnostics::from, |config| validate(&config))
}

impl<T: Send + Sync> Described for Erased<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn ty(&self) -> &Type {
        &self.ty
    }

    fn validate(&self, config: Value) -> Diagnostics {
        let mut diagnostics = plan::check(&self.schema.block, &config);
        let judged = match diagnostics.0.is_empty() {
            true => config,
            false => plan::without_refused(&self.schema.block, config),
        };
        diagnostics.extend((self.validate)(&self.implementation, judged));
        diagnostics
    }
}
