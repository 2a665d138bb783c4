//! What tests of the ARM client share: clocks that do not really wait, tokens, ids and a client for a scripted server.

use super::scripted::Scripted;
use foundryhub::arm::auth::{AccessToken, Network, TokenError, TokenRequest, TokenSource};
use foundryhub::arm::{Call, Client, Clock, CorrelationId, Endpoints, Settings, StorageAccountId, WorkspaceId};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

pub(crate) fn hub() -> WorkspaceId {
    WorkspaceId::new(SUBSCRIPTION, "rg1", "hub1").unwrap()
}

pub(crate) fn account() -> StorageAccountId {
    StorageAccountId::new(SUBSCRIPTION, "rg1", "sa1").unwrap()
}

/// A call with more time than any test needs.
pub(crate) fn call() -> Call {
    Call::new(CancellationToken::new(), Duration::from_secs(4 * 3600))
}

/// A clock that moves the time on by each pause, which ends at once.
#[derive(Debug, Default)]
pub(crate) struct SkippingClock {
    pauses: Mutex<Vec<Duration>>,
}

impl SkippingClock {
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.pauses.lock().unwrap().clone()
    }

    fn skipped(&self) -> Duration {
        self.pauses.lock().unwrap().iter().sum()
    }
}

impl Clock for SkippingClock {
    fn now(&self) -> Instant {
        Instant::now() + self.skipped()
    }

    fn utc(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + self.skipped()
    }

    fn pause(&self, wait: Duration) -> BoxFuture<'_, ()> {
        self.pauses.lock().unwrap().push(wait);
        Box::pin(tokio::task::yield_now())
    }
}

/// A clock on which a pause ends when the test says so.
#[derive(Debug)]
pub(crate) struct GatedClock {
    pauses: mpsc::UnboundedSender<Pause>,
    skipped: Mutex<Duration>,
}

/// A pause under way.
#[derive(Debug)]
pub(crate) struct Pause {
    pub(crate) wait: Duration,
    end: oneshot::Sender<()>,
}

impl GatedClock {
    pub(crate) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Pause>) {
        let (pauses, receiver) = mpsc::unbounded_channel();
        (Arc::new(Self { pauses, skipped: Mutex::default() }), receiver)
    }

    /// Moves the time on by the length of a pause and ends it.
    pub(crate) fn end(&self, pause: Pause) {
        *self.skipped.lock().unwrap() += pause.wait;
        // The waiting call may have been cancelled.
        let _ = pause.end.send(());
    }
}

impl Clock for GatedClock {
    fn now(&self) -> Instant {
        Instant::now() + *self.skipped.lock().unwrap()
    }

    fn utc(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + *self.skipped.lock().unwrap()
    }

    fn pause(&self, wait: Duration) -> BoxFuture<'_, ()> {
        let (end, ended) = oneshot::channel();
        self.pauses.send(Pause { wait, end }).unwrap();
        Box::pin(async {
            ended.await.unwrap();
        })
    }
}

/// Gives the tokens `token-1`, `token-2` and so on, and keeps what each was asked for.
#[derive(Debug, Default)]
pub(crate) struct NumberedTokens {
    pub(crate) asked: Mutex<Vec<TokenRequest>>,
}

impl TokenSource for NumberedTokens {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        _: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.clone());
        let token = format!("token-{}", asked.len()).into();
        let expires_on = OffsetDateTime::now_utc() + time::Duration::days(1);
        Box::pin(async move { Ok(AccessToken { token, expires_on }) })
    }
}

/// Settings for a scripted server: resource manager and authority in one.
pub(crate) fn settings(server: &Scripted, clock: &Arc<impl Clock + 'static>) -> Settings {
    let endpoints = Endpoints::new(&server.url, "https://arm.test", &server.url).unwrap();
    Settings {
        extra_roots: vec![server.root.clone()],
        clock: clock.clone(),
        correlation_id: CorrelationId::Fixed("correlation-1".to_owned()),
        ..Settings::new(endpoints)
    }
}

/// A client on a clock that skips, with numbered tokens.
pub(crate) fn client(server: &Scripted) -> (Client, Arc<SkippingClock>, Arc<NumberedTokens>) {
    let (clock, tokens) = (Arc::new(SkippingClock::default()), Arc::new(NumberedTokens::default()));
    let client = Client::new(settings(server, &clock), tokens.clone()).unwrap();
    (client, clock, tokens)
}

/// An error body of Azure.
pub(crate) fn error(code: &str, message: &str) -> String {
    serde_json::json!({ "error": { "code": code, "message": message } }).to_string()
}
