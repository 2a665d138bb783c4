//! What an action is to its author: a struct for its configuration, a schema and work that reports its progress.

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
    erased::{Answer, Described, Erased, read_struct, validated},
    schema::{Block, Schema},
};

/// Something to do that leaves nothing to be kept in the state.
pub trait Action: Send + Sync + 'static {
    /// What configuring the provider makes.
    type Client: Send + Sync + 'static;
    /// The configuration.
    type Config: DeserializeOwned + Send + Sync + 'static;

    /// The type's name in HCL.
    fn name(&self) -> &'static str;

    /// The attributes and blocks of the action's `config` block.
    fn schema(&self) -> Block;

    /// Refuses configurations that the schema alone cannot. Nothing is sent; values may be unknown.
    fn validate(&self, _config: &Self::Config) -> Diagnostics {
        Diagnostics::default()
    }

    /// Says in the plan what is going to happen, or why it cannot. Values may be unknown.
    fn plan(&self, _context: Context<Self::Client>, _config: Self::Config) -> impl Future<Output = Diagnostics> + Send {
        async { Diagnostics::default() }
    }

    /// Does it. In the configuration everything is known.
    fn invoke(
        &self,
        context: Context<Self::Client>,
        config: Self::Config,
        progress: Progress,
    ) -> impl Future<Output = Diagnostics> + Send;
}

/// Where an action reports how far it is.
#[derive(Debug)]
pub struct Progress(UnboundedSender<ActionEvent>);

impl Progress {
    /// Shows the user a message.
    pub fn report(&self, message: impl Into<String>) {
        // It fails when nobody looks any more.
        let _ = self.0.send(ActionEvent::Progress(message.into()));
    }
}

/// What happens while an action runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ActionEvent {
    /// It reports how far it is.
    Progress(String),
    /// It is over.
    Completed(Diagnostics),
}

/// An [`Action`] without its types.
pub trait AnyAction<C>: Described {
    /// What the plan has to say.
    fn plan(&self, context: Context<C>, config: Value) -> Answer<'_, Diagnostics>;
    /// Does it.
    fn invoke(self: Arc<Self>, context: Context<C>, config: Value, progress: Progress) -> Answer<'static, Diagnostics>;
}

impl<A: Action> Erased<A> {
    /// Wraps an action.
    pub fn action(action: A) -> Self {
        let schema = Schema { version: 0, block: action.schema() };
        let validate = |action: &A, config| validated(config, |config| action.validate(config));
        Self::new(action.name(), schema, validate, action)
    }

    /// The configuration if nothing speaks against it. Engines have it validated only before its values are known.
    fn accepted(&self, config: Value) -> Result<A::Config, Diagnostics> {
        let found = self.validate(config.clone());
        if found.has_errors() { Err(found) } else { Ok(read_struct(config)?) }
    }
}

impl<A: Action> AnyAction<A::Client> for Erased<A> {
    fn plan(&self, context: Context<A::Client>, config: Value) -> Answer<'_, Diagnostics> {
        Box::pin(async move {
            match self.accepted(config) {
                Ok(config) => self.author.plan(context, config).await,
                Err(found) => found,
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
            match self.accepted(config) {
                Ok(config) => self.author.invoke(context, config, progress).await,
                Err(found) => found,
            }
        })
    }
}

/// The events of work that reports its progress, which ends when the stream is dropped.
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
