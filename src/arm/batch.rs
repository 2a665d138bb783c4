//! Many reads of single role assignments as one list.
//!
//! A refresh asks for every assignment by itself, at nearly the same time. Whether more are coming can only be known
//! by waiting a moment, so the first asker of a scope waits: until a token is there, which at the start of a run takes
//! a request of its own, and then for [`WINDOW`], which is little beside the time a request takes. The third
//! assignment of the scope ends the wait at once, since from then on a list is cheaper, however many follow. While
//! reads are remembered the count goes on across waits, and once a list was worth it nobody waits at all.

use super::auth::Tokens;
use super::call::Limits;
use super::error::Error;
use super::id::RoleAssignmentId;
use super::share::{InFlight, lock};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// From how many assignments of one scope on a list is used.
const ENOUGH: usize = 3;

/// How long the first asker waits for others.
const WINDOW: Duration = Duration::from_millis(25);

/// What is being asked for, by scope.
#[derive(Default)]
pub(crate) struct Batches {
    scopes: Mutex<HashMap<String, Asked>>,
    waits: InFlight<String, Result<Decision, Error>>,
}

/// Which assignments of a scope were asked for.
#[derive(Default)]
struct Asked {
    /// The period of remembering this belongs to.
    period: Option<u64>,
    names: HashSet<Uuid>,
    enough: Arc<Notify>,
    /// Whether a list was worth it before in this period.
    listed: bool,
}

/// How assignments are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    OneByOne,
    AsList,
}

impl Batches {
    /// Decides how an assignment is to be read, together with the others of its scope that are asked for meanwhile.
    pub(crate) async fn decide(
        &self,
        id: &RoleAssignmentId,
        period: Option<u64>,
        tokens: &Tokens,
        limits: &Limits<'_>,
    ) -> Result<Decision, Error> {
        let scope = id.scope.key();
        // Noting the question and finding the wait under way happen under one lock, so that no question is missed.
        let known = || self.ask(&scope, period, id.name, |asked| asked.listed).then_some(Decision::AsList);
        let wait = || async {
            // Without a token nothing can be sent anyway. If there is none to be had, the request that follows says so.
            match tokens.get(None, limits).await {
                Err(error) if error.is_interruption() => return Err(error),
                _ => {}
            }
            let enough = self.ask(&scope, period, id.name, |asked| asked.enough.clone());
            let more = async { tokio::time::timeout(WINDOW, enough.notified()).await };
            let _ = limits.bound(|| "gathering reads of role assignments".to_owned(), None, more).await?;
            Ok(Decision::OneByOne)
        };
        self.waits.join(scope.clone(), limits, known, wait, |_| self.end_wait(&scope)).await
    }

    /// Notes that an assignment is asked for and gives the state of its scope.
    fn ask<T>(&self, scope: &str, period: Option<u64>, name: Uuid, then: impl FnOnce(&Asked) -> T) -> T {
        let mut scopes = lock(&self.scopes);
        let asked = scopes.entry(scope.to_owned()).or_default();
        if asked.period != period {
            *asked = Asked { period, ..Asked::default() };
        }
        asked.names.insert(name);
        if asked.names.len() >= ENOUGH {
            asked.enough.notify_one();
        }
        then(asked)
    }

    /// Decides for all who took part in a wait, and starts counting anew unless the list will be remembered.
    fn end_wait(&self, scope: &str) -> Decision {
        let mut scopes = lock(&self.scopes);
        let Some(asked) = scopes.get_mut(scope) else { return Decision::OneByOne };
        let enough = asked.names.len() >= ENOUGH;
        asked.listed = enough;
        if asked.period.is_none() {
            scopes.remove(scope);
        }
        if enough { Decision::AsList } else { Decision::OneByOne }
    }
}
