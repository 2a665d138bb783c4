//! Many reads of single role assignments as one list.
//!
//! A refresh asks for every assignment by itself, at nearly the same time. Whether more are coming can only be known
//! by waiting a moment, so the first asker of a scope waits: until a token is there, which at the start of a run takes
//! a request of its own, and then for [`WINDOW`], which is little beside the time a request takes. The third
//! assignment of the scope ends the wait at once, since from then on a list is the cheaper way, however many follow.
//! While reads are remembered the count goes on across waits, and once the list is there nobody waits at all.

use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::id::{ArmId, RoleAssignmentId};
use super::request::Dated;
use super::role_assignments::{Filter, RoleAssignment};
use super::share::{InFlight, Read, lock};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use time::OffsetDateTime;
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
    waits: InFlight<String, Result<Arc<OnceLock<Way>>, Error>>,
    lists: InFlight<(String, u64), Result<Arc<Listed>, Error>>,
}

/// Which assignments of a scope were asked for.
#[derive(Default)]
struct Asked {
    /// The period of remembering this belongs to.
    period: Option<u64>,
    names: HashSet<Uuid>,
    enough: Arc<Notify>,
    /// The list, while reads are remembered.
    listed: Option<Arc<Listed>>,
}

/// The assignments of a scope by name.
struct Listed {
    by_name: HashMap<Uuid, RoleAssignment>,
    date: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Singly,
    List,
}

impl Batches {
    /// Notes that an assignment is asked for and gives the state of its scope.
    fn ask<T>(&self, scope: &str, period: Option<u64>, name: Uuid, then: impl FnOnce(&mut Asked) -> T) -> T {
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

    /// Ends a wait: decides for all who took part, and starts counting anew unless the list will be remembered.
    fn decide(&self, scope: &str) -> Way {
        let mut scopes = lock(&self.scopes);
        let Some(asked) = scopes.get_mut(scope) else { return Way::Singly };
        let way = if asked.names.len() >= ENOUGH { Way::List } else { Way::Singly };
        if asked.period.is_none() {
            scopes.remove(scope);
        }
        way
    }
}

impl Client {
    /// Looks an assignment up in the list of its scope, if a list is worth it. Nothing means: ask for it by itself.
    pub(super) async fn find_in_batch(
        &self,
        id: &RoleAssignmentId,
        read: Read,
        call: &Call,
    ) -> Result<Option<Dated<RoleAssignment>>, Error> {
        let inner = &self.0;
        let limits = inner.sender.limits(call);
        let scope = id.scope.key();
        let period = inner.reads.period().filter(|_| read == Read::Remembered);

        // Noting the question and finding the wait under way happen under one lock, so that no question is missed.
        let way = inner
            .batches
            .waits
            .join(
                scope.clone(),
                &limits,
                || {
                    let known = inner.batches.ask(&scope, period, id.name, |asked| asked.listed.is_some());
                    known.then(|| Arc::new(OnceLock::from(Way::List)))
                },
                || self.wait_for_more(&scope, period, id.name, call),
                |way| {
                    way.get_or_init(|| inner.batches.decide(&scope));
                },
            )
            .await?;
        if way.get() != Some(&Way::List) {
            return Ok(None);
        }
        let listed = match self.listed(&id.scope, period, read, call).await {
            // Whoever may not list may still read the one.
            Err(error) if error.is_forbidden() => return Ok(None),
            listed => listed?,
        };
        let found = listed.by_name.get(&id.name).cloned();
        Ok(found.map(|value| Dated { value, date: listed.date }))
    }

    async fn wait_for_more(
        &self,
        scope: &str,
        period: Option<u64>,
        name: Uuid,
        call: &Call,
    ) -> Result<Arc<OnceLock<Way>>, Error> {
        let inner = &self.0;
        let limits = inner.sender.limits(call);
        // Without a token nothing can be sent anyway. If there is none to be had, the request that follows says so.
        match inner.sender.tokens.get(None, &limits).await {
            Err(error) if error.is_interruption() => return Err(error),
            _ => {}
        }
        let enough = inner.batches.ask(scope, period, name, |asked| asked.enough.clone());
        let more = async { tokio::time::timeout(WINDOW, enough.notified()).await };
        let _ = limits.bound(|| "gathering reads of role assignments".to_owned(), None, more).await?;
        Ok(Arc::new(OnceLock::new()))
    }

    /// The list of a scope, read and indexed once for all who want it.
    async fn listed(&self, scope: &ArmId, period: Option<u64>, read: Read, call: &Call) -> Result<Arc<Listed>, Error> {
        let inner = &self.0;
        let key = scope.key();
        let kept = |then: &dyn Fn(&mut Asked) -> Option<Arc<Listed>>| {
            let mut scopes = lock(&inner.batches.scopes);
            scopes.get_mut(&key).filter(|asked| period.is_some() && asked.period == period).and_then(then)
        };
        let work = || async {
            let list = self.role_assignments().list(scope, &Filter::AtScope, read, call).await?;
            // Inherited assignments have scopes of their own; names are unique across the tenant all the same.
            let by_name = list
                .value
                .into_iter()
                .filter_map(|assignment| Some((Uuid::try_parse(&assignment.name).ok()?, assignment)))
                .collect();
            Ok(Arc::new(Listed { by_name, date: list.date }))
        };
        let keep = |listed: &Arc<Listed>| {
            kept(&|asked| {
                asked.listed = Some(listed.clone());
                None
            });
        };
        let ready = || kept(&|asked| asked.listed.clone());
        inner
            .batches
            .lists
            .join((key.clone(), inner.reads.writes()), &inner.sender.limits(call), ready, work, keep)
            .await
    }
}
