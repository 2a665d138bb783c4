//! The limits of an operation, and the clock of all waits.

use super::error::Error;
use futures_util::future::BoxFuture;
use std::{fmt, future::Future, time::Duration};
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The limits of one operation, which end every wait and every request in flight.
#[derive(Debug, Clone)]
pub struct Call {
    /// Ends the operation with [`Error::Cancelled`].
    pub cancel: CancellationToken,
    /// Ends the operation with [`Error::DeadlineExceeded`].
    pub(crate) deadline: Instant,
}

impl Call {
    /// A call with this timeout, from now.
    pub fn new(cancel: CancellationToken, timeout: Duration) -> Self {
        Self { cancel, deadline: Instant::now() + timeout }
    }

    /// The same call, which ends so much earlier.
    pub(crate) fn earlier(&self, by: Duration) -> Self {
        Self { cancel: self.cancel.clone(), deadline: self.deadline.checked_sub(by).unwrap_or(self.deadline) }
    }

    /// A call with this timeout, from now, that an interrupt does not end: for taking back what would do harm if it stayed.
    pub(crate) fn uninterrupted(timeout: Duration) -> Self {
        Self::new(CancellationToken::new(), timeout)
    }
}

/// The time, and waiting. The clock of tests does not really wait.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time that deadlines are compared with.
    fn now(&self) -> Instant;

    /// The time of day, which token lifetimes and `Retry-After` dates are compared with.
    fn utc(&self) -> OffsetDateTime;

    /// Waits before a retry or a poll.
    fn pause(&self, wait: Duration) -> BoxFuture<'_, ()>;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn utc(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn pause(&self, wait: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// A call and its clock.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    pub(crate) call: &'a Call,
    pub(crate) clock: &'a dyn Clock,
}

impl Limits<'_> {
    /// The time left until the deadline.
    pub(crate) fn left(&self) -> Duration {
        self.call.deadline.saturating_duration_since(self.clock.now())
    }

    /// Runs a future until it ends or the call does. `last` is the error that is being retried.
    pub(crate) async fn bound<T>(
        &self,
        doing: impl Fn() -> String,
        last: Option<&Error>,
        future: impl Future<Output = T>,
    ) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.call.cancel.cancelled() => Err(Error::Cancelled { doing: doing() }),
            // The deadline passes in real time even where a test's clock skips pauses.
            () = tokio::time::sleep(self.left()) => Err(self.too_late(doing(), None, last)),
            value = future => Ok(value),
        }
    }

    /// Waits, or fails at once if the deadline would pass meanwhile.
    pub(crate) async fn pause(
        &self,
        wait: Duration,
        doing: impl Fn() -> String,
        last: Option<&Error>,
    ) -> Result<(), Error> {
        if wait >= self.left() && !wait.is_zero() {
            return Err(self.too_late(doing(), Some(wait), last));
        }
        self.bound(doing, last, self.clock.pause(wait)).await
    }

    fn too_late(&self, doing: String, wait: Option<Duration>, last: Option<&Error>) -> Error {
        Error::DeadlineExceeded { doing, wait, last: last.cloned().map(Box::new) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    fn doing() -> String {
        "waiting".to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_ends_by_result_by_cancel_or_by_deadline() {
        let call = Call::new(CancellationToken::new(), Duration::from_secs(60));
        let limits = Limits { call: &call, clock: &SystemClock };
        assert_eq!(limits.bound(doing, None, async { 7 }).await.unwrap(), 7);

        let late = limits.bound(doing, None, pending::<()>()).await.unwrap_err();
        assert!(matches!(late, Error::DeadlineExceeded { wait: None, .. }), "{late:?}");

        let call = Call::new(CancellationToken::new(), Duration::from_secs(60));
        call.cancel.cancel();
        let limits = Limits { call: &call, clock: &SystemClock };
        let cancelled = limits.bound(doing, None, pending::<()>()).await.unwrap_err();
        assert_eq!(cancelled.to_string(), "cancelled while waiting");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_that_cannot_end_in_time_is_not_begun() {
        let call = Call::new(CancellationToken::new(), Duration::from_secs(60));
        let limits = Limits { call: &call, clock: &SystemClock };
        let begun = Instant::now();
        let error = limits.pause(Duration::from_secs(61), doing, None).await.unwrap_err();
        assert!(matches!(error, Error::DeadlineExceeded { wait: Some(_), .. }));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        limits.pause(Duration::from_secs(59), doing, None).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::from_secs(59));
    }
}
