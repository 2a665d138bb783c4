//! What the author of an action implements: a struct for its configuration, a schema and work that reports its progress.

use std::{
    future::{Future, ready},
    sync::Arc,
};

use futures_util::{Stream, StreamExt as _, stream};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Diagnostics, Value,
    context::Context,
    erased::{Answer, Described, Erased, validated},
    schema::{Block, Schema},
    structs::from_value,
};

/// An action: an operation without a state.
pub trait Action: Send + Sync + 'static {
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// The configuration.
    type Config: DeserializeOwned + Send + Sync + 'static;

    /// The type's name in HCL.
    fn name(&self) -> &'static str;

    /// The attributes and blocks of the action's `config` block.
    fn schema(&self) -> Block;

    /// Validates what the schema cannot. Nothing is sent; values may be unknown.
    fn validate(&self, _config: &Self::Config) -> Diagnostics {
        Diagnostics::default()
    }

    /// Warns in the plan of what is going to happen, or says why it cannot. Values may be unknown.
    fn plan(&self, _context: Context<Self::Client>, _config: Self::Config) -> impl Future<Output = Diagnostics> + Send {
        async { Diagnostics::default() }
    }

    /// Performs the action. The configuration is wholly known.
    fn invoke(
        &self,
        context: Context<Self::Client>,
        config: Self::Config,
        progress: Progress,
    ) -> impl Future<Output = Diagnostics> + Send;
}

/// Reports the progress of an action.
#[derive(Debug)]
pub struct Progress(UnboundedSender<ActionEvent>);

impl Progress {
    /// Shows the user a message.
    pub fn report(&self, message: impl Into<String>) {
        // Sending fails when the engine has closed the stream.
        let _ = self.0.send(ActionEvent::Progress(message.into()));
    }
}

/// An event of a running action.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ActionEvent {
    Progress(String),
    Completed(Diagnostics),
}

/// An [`Action`] with its types erased.
pub trait AnyAction<C>: Described {
    /// The diagnostics of the plan.
    fn plan(&self, context: Context<C>, config: Value) -> Answer<'_, Diagnostics>;
    /// Performs the action.
    fn invoke(self: Arc<Self>, context: Context<C>, config: Value, progress: Progress) -> Answer<'static, Diagnostics>;
}

impl<A: Action> Erased<A> {
    /// Wraps an action.
    pub fn action(action: A) -> Self {
        let schema = Schema { version: 0, block: action.schema() };
        let validate = |action: &A, config| validated(config, |config| action.validate(config));
        Self::new(action.name(), schema, validate, action)
    }

    /// The configuration, validated once more: engines validate it only before its values are known.
    fn validated(&self, config: Value) -> Result<A::Config, Diagnostics> {
        let diagnostics = self.validate(config.clone());
        if diagnostics.has_errors() { Err(diagnostics) } else { Ok(from_value(config)?) }
    }
}

impl<A: Action> AnyAction<A::Client> for Erased<A> {
    fn plan(&self, context: Context<A::Client>, config: Value) -> Answer<'_, Diagnostics> {
        Box::pin(async move {
            match self.validated(config) {
                Ok(config) => self.implementation.plan(context, config).await,
                Err(diagnostics) => diagnostics,
            }
        })
    }

    fn invoke(
        self: Arc<Self>,
        context: Context<A::Client>,
        config: Value,
        progress: Progress,
    ) -> Answer<'static, Diagnostics> {
        Box::pin(async move {
            match self.validated(config) {
                Ok(config) => self.implementation.invoke(context, config, progress).await,
                Err(diagnostics) => diagnostics,
            }
        })
    }
}

/// The events of work that reports its progress. Dropping the stream ends the work.
pub(super) fn events<W: Future<Output = Diagnostics> + Send>(
    begin: impl FnOnce(Progress) -> W,
) -> impl Stream<Item = ActionEvent> {
    let (sender, receiver) = unbounded_channel();
    let work = begin(Progress(sender.clone()));
    let work = async move {
        let _ = sender.send(ActionEvent::Completed(work.await));
    };
    stream::select(stream::unfold(receiver, next), stream::once(work).filter_map(|()| ready(None)))
}

async fn next<T>(mut receiver: UnboundedReceiver<T>) -> Option<(T, UnboundedReceiver<T>)> {
    Some((receiver.recv().await?, receiver))
}
