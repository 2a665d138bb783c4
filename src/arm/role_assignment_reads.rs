//! Whether a role assignment is read by itself or with the list of its scope.
//!
//! A refresh reads every assignment by itself, at nearly the same time. The first read of a scope therefore waits for
//! more: until there is a token, which at the start of a process takes a request of its own, and then for [`WINDOW`],
//! which is short compared with a request. The third assignment of the scope ends the wait, since from then on a list is
//! cheaper. While reads are remembered the count goes on across waits, and after a list no read waits.

use super::auth::Tokens;
use super::call::Limits;
use super::error::Error;
use super::id::RoleAssignmentId;
use super::in_flight::InFlight;
use super::lock::lock;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// The number of assignments of one scope from which on a list is used.
const LIST_THRESHOLD: usize = 3;

/// How long the first read of a scope waits for others.
const WINDOW: Duration = Duration::from_millis(25);

/// The reads of role assignments by scope.
#[derive(Default)]
pub(crate) struct RoleAssignmentReads {
    scopes: Mutex<HashMap<String, Scope>>,
    waits: InFlight<String, Result<Decision, Error>>,
}

/// The assignments of a scope that are read.
#[derive(Default)]
struct Scope {
    /// The period of remembering, see [`super::reads::Reads`].
    period: Option<u64>,
    names: HashSet<Uuid>,
    enough: Arc<Notify>,
    /// Whether a list was read before in this period.
    listed: bool,
}

/// How an assignment is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    OneByOne,
    AsList,
}

impl RoleAssignmentReads {
    /// Decides how an assignment is read, together with the reads of its scope that begin meanwhile.
    pub(crate) async fn decide(
        &self,
        id: &RoleAssignmentId,
        period: Option<u64>,
        tokens: &Tokens,
        limits: &Limits<'_>,
    ) -> Result<Decision, Error> {
        let key = id.scope.key().to_owned();
        // The read is counted and the wait joined under one lock, so that no read is missed.
        let known = || self.count(&key, period, id.name, |scope| scope.listed).then_some(Decision::AsList);
        let wait = || async {
            // Without a token nothing can be sent. If there is none, the request that follows fails with the reason.
            match tokens.get(None, limits).await {
                Err(error) if error.is_interruption() => return Err(error),
                _ => {}
            }
            let enough = self.count(&key, period, id.name, |scope| scope.enough.clone());
            let more = async { tokio::time::timeout(WINDOW, enough.notified()).await };
            let _ = limits.bound(|| "gathering reads of role assignments".to_owned(), None, more).await?;
            Ok(Decision::OneByOne)
        };
        self.waits.join(key.clone(), limits, known, wait, |_| self.end_wait(&key)).await
    }

    /// Counts a read of an assignment and gives `then` of its scope.
    fn count<T>(&self, key: &str, period: Option<u64>, name: Uuid, then: impl FnOnce(&Scope) -> T) -> T {
        let mut scopes = lock(&self.scopes);
        let scope = scopes.entry(key.to_owned()).or_default();
        if scope.period != period {
            *scope = Scope { period, ..Scope::default() };
        }
        scope.names.insert(name);
        if scope.names.len() >= LIST_THRESHOLD {
            scope.enough.notify_one();
        }
        then(scope)
    }

    /// Decides for all reads of a wait, and counts from zero again unless the list will be remembered.
    fn end_wait(&self, key: &str) -> Decision {
        let mut scopes = lock(&self.scopes);
        let Some(scope) = scopes.get_mut(key) else { return Decision::OneByOne };
        scope.listed = scope.names.len() >= LIST_THRESHOLD;
        let decision = if scope.listed { Decision::AsList } else { Decision::OneByOne };
        if scope.period.is_none() {
            scopes.remove(key);
        }
        decision
    }
}
