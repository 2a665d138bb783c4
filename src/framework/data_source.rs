//! What the author of a data source implements: a struct for its configuration and data, a schema and a read.

use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Diagnostics, Value,
    context::Context,
    erased::{Answer, Described, Erased, validated},
    schema::{Block, Schema},
    structs::{from_value, to_value},
};

/// What was read together with warnings, or why nothing was.
pub type Read<S> = Result<(S, Diagnostics), Diagnostics>;

/// A data source.
pub trait DataSource: Send + Sync + 'static {
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// The configuration, and with the computed attributes set what was read.
    type State: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The type's name in HCL.
    fn name(&self) -> &'static str;

    /// Its attributes and blocks.
    fn schema(&self) -> Block;

    /// Validates what the schema cannot. Nothing is sent; values may be unknown.
    fn validate(&self, _config: &Self::State) -> Diagnostics {
        Diagnostics::default()
    }

    /// Reads the data of a configuration, which is wholly known. The data has to be wholly known, too.
    fn read(
        &self,
        context: Context<Self::Client>,
        config: Self::State,
    ) -> impl Future<Output = Read<Self::State>> + Send;
}

/// A [`DataSource`] with its types erased.
pub trait AnyDataSource<C>: Described {
    /// Reads the data of a configuration.
    fn read(&self, context: Context<C>, config: Value) -> Answer<'_, Read<Value>>;
}

impl<D: DataSource> Erased<D> {
    /// Wraps a data source.
    pub fn data_source(source: D) -> Self {
        let schema = Schema { version: 0, block: source.schema() };
        let validate = |source: &D, config| validated(config, |config| source.validate(config));
        Self::new(source.name(), schema, validate, source)
    }
}

impl<D: DataSource> AnyDataSource<D::Client> for Erased<D> {
    fn read(&self, context: Context<D::Client>, config: Value) -> Answer<'_, Read<Value>> {
        Box::pin(async move {
            let (state, warnings) = self.implementation.read(context, from_value(config)?).await?;
            Ok((to_value(&state)?, warnings))
        })
    }
}
