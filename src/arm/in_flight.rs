//! Callers that want the same thing at the same time share one request.

use super::call::Limits;
use super::error::Error;
use super::lock::lock;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use tokio::sync::watch;

/// Work in progress, by key. The first caller does the work within its own limits; the others wait for the result. If the
/// first is interrupted or dropped, one of the others takes over: an interruption concerns one caller only.
pub(crate) struct InFlight<K, V> {
    under_way: Mutex<HashMap<K, watch::Receiver<Option<V>>>>,
}

impl<K, V> Default for InFlight<K, V> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

/// Removes the entry when the work is dropped before its end.
struct Removal<'a, K: Hash + Eq, V> {
    in_flight: &'a InFlight<K, V>,
    key: Option<&'a K>,
}

impl<K: Hash + Eq, V> Drop for Removal<'_, K, V> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            lock(&self.in_flight.under_way).remove(key);
        }
    }
}

/// What a caller does: the first does the work, the others wait for its result.
enum Turn<V> {
    Work(watch::Sender<Option<V>>),
    Wait(watch::Receiver<Option<V>>),
}

impl<K: Clone + Hash + Eq, T: Clone> InFlight<K, Result<T, Error>> {
    /// Gives the value of `ready`, or else the result of the work in progress, or else that of `work`.
    ///
    /// `ready` and `finish`, which may store or replace the value, run under the lock, so that no caller comes between the end
    /// of the work and the storing of its result.
    pub(crate) async fn join<F: Future<Output = Result<T, Error>>>(
        &self,
        key: K,
        limits: &Limits<'_>,
        ready: impl Fn() -> Option<T>,
        work: impl FnOnce() -> F,
        finish: impl FnOnce(T) -> T,
    ) -> Result<T, Error> {
        loop {
            let turn = {
                let mut under_way = lock(&self.under_way);
                if let Some(value) = ready() {
                    return Ok(value);
                }
                match under_way.get(&key) {
                    Some(result) => Turn::Wait(result.clone()),
                    None => {
                        let (sender, receiver) = watch::channel(None);
                        under_way.insert(key.clone(), receiver);
                        Turn::Work(sender)
                    }
                }
            };
            let mut result = match turn {
                Turn::Wait(result) => result,
                Turn::Work(sender) => {
                    let mut removal = Removal { in_flight: self, key: Some(&key) };
                    let result = work().await;
                    let result = {
                        let mut under_way = lock(&self.under_way);
                        under_way.remove(&key);
                        removal.key = None;
                        result.map(finish)
                    };
                    if !result.as_ref().is_err_and(Error::is_interruption) {
                        sender.send_replace(Some(result.clone()));
                    }
                    return result;
                }
            };
            let doing = || "waiting for a request that another call has sent".to_owned();
            // An error means that the work was interrupted or dropped.
            if let Ok(result) = limits.bound(doing, None, result.wait_for(Option::is_some)).await? {
                return result.clone().expect("just waited for it");
            }
        }
    }
}
