//! The reads of a client: those of the same URL at the same time are joined, and their answers are remembered while nothing is
//! written.

use super::call::Limits;
use super::error::Error;
use super::in_flight::InFlight;
use super::lock::lock;
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// How recent a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// An answer remembered since [`super::Client::remember_reads`] will do.
    Remembered,
    /// Requested now. It may join a request in flight, provided that this client has written nothing since that was sent.
    Fresh,
}

/// What is read: its type and URL.
type Key = (TypeId, String);

/// A value of any type.
type Value = Arc<dyn Any + Send + Sync>;

/// What is remembered in one period. A read that began in it and ends after it leaves its answer here, where nobody looks any more.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<Key, Value>>);

impl Memory {
    pub(crate) fn get<V: Any + Send + Sync>(&self, name: &str) -> Option<Arc<V>> {
        self.find(&key::<V>(name)).map(of_type)
    }

    fn find(&self, key: &Key) -> Option<Value> {
        lock(&self.0).get(key).cloned()
    }

    fn insert(&self, key: Key, value: Value) {
        lock(&self.0).insert(key, value);
    }

    /// What is remembered, or else this from now on.
    pub(crate) fn get_or_insert<V: Any + Send + Sync>(&self, name: &str, new: impl FnOnce() -> V) -> Arc<V> {
        of_type(lock(&self.0).entry(key::<V>(name)).or_insert_with(|| Arc::new(new())).clone())
    }

    pub(crate) fn remove<V: Any>(&self, name: &str) {
        lock(&self.0).remove(&key::<V>(name));
    }
}

/// The case of ids, and so of URLs, is not significant.
fn key<V: Any>(name: &str) -> Key {
    (TypeId::of::<V>(), name.to_lowercase())
}

fn of_type<V: Any + Send + Sync>(value: Value) -> Arc<V> {
    value.downcast().expect("the key names the type")
}

/// The reads of a client: always joined, remembered on request.
#[derive(Default)]
pub(crate) struct Reads {
    in_flight: InFlight<(u64, Key), Result<Value, Error>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts the beginnings and ends of writes. A read joins only reads of the same count: one that was sent before a write
    /// may have the old value.
    writes: u64,
    memory: Option<Arc<Memory>>,
}

impl Reads {
    /// Begins a period of remembering.
    pub(crate) fn remember(&self) {
        lock(&self.state).memory = Some(Arc::default());
    }

    /// Ends the period of remembering.
    pub(crate) fn forget(&self) {
        lock(&self.state).memory = None;
    }

    /// Begins a write, which ends when the guard is dropped. Both outdate what was read before.
    pub(crate) fn writing(&self) -> Writing<'_> {
        self.written();
        Writing(self)
    }

    fn written(&self) {
        let mut state = lock(&self.state);
        state.writes += 1;
        state.memory = None;
    }

    /// What is remembered in this period, if there is one.
    pub(crate) fn memory(&self) -> Option<Arc<Memory>> {
        lock(&self.state).memory.clone()
    }

    /// Reads a URL by `work`, unless the read is remembered or in flight.
    pub(crate) async fn get<V: Any + Send + Sync, F: Future<Output = Result<V, Error>>>(
        &self,
        url: &str,
        read: Read,
        limits: &Limits<'_>,
        work: impl FnOnce() -> F,
    ) -> Result<Arc<V>, Error> {
        let key = key::<V>(url);
        let (writes, memory) = {
            let state = lock(&self.state);
            (state.writes, state.memory.clone())
        };
        let ready = || match read {
            Read::Remembered => self.memory()?.find(&key),
            Read::Fresh => None,
        };
        let work = || async { work().await.map(|value| Arc::new(value) as Value) };
        let remember = |value: Value| {
            if let Some(memory) = &memory {
                memory.insert(key.clone(), value.clone());
            }
            value
        };
        self.in_flight.join((writes, key.clone()), limits, ready, work, remember).await.map(of_type)
    }
}

/// A write in progress.
pub(crate) struct Writing<'a>(&'a Reads);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.written();
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{Call, SystemClock};
    use super::*;
    use std::cell::Cell;
    use tokio::sync::Notify;

    fn unlimited() -> Call {
        Call::new(tokio_util::sync::CancellationToken::new(), std::time::Duration::from_secs(3600))
    }

    async fn read(reads: &Reads, url: &str, mode: Read, sent: &Cell<u32>) -> Arc<String> {
        let call = unlimited();
        let limits = Limits { call: &call, clock: &SystemClock };
        let work = || async {
            sent.set(sent.get() + 1);
            tokio::task::yield_now().await;
            Ok(sent.get().to_string())
        };
        reads.get(url, mode, &limits, work).await.unwrap()
    }

    #[tokio::test]
    async fn simultaneous_reads_of_one_url_are_one_request() {
        let (reads, sent) = (Reads::default(), Cell::new(0));
        let both = [read(&reads, "/Hub", Read::Fresh, &sent), read(&reads, "/hub", Read::Fresh, &sent)];
        let bodies: Vec<_> = futures_util::future::join_all(both).await.into_iter().map(|a| a.to_string()).collect();
        assert_eq!(bodies, ["1", "1"]);
        read(&reads, "/hub", Read::Fresh, &sent).await;
        assert_eq!(sent.get(), 2, "a read that began later is a request of its own");
    }

    #[tokio::test]
    async fn reads_are_remembered_only_while_asked_to() {
        let (reads, sent) = (Reads::default(), Cell::new(0));
        read(&reads, "/hub", Read::Remembered, &sent).await;
        read(&reads, "/hub", Read::Remembered, &sent).await;
        assert_eq!(sent.get(), 2);
        reads.remember();
        read(&reads, "/hub", Read::Remembered, &sent).await;
        read(&reads, "/HUB", Read::Remembered, &sent).await;
        assert_eq!(sent.get(), 3);
        read(&reads, "/hub", Read::Fresh, &sent).await;
        assert_eq!(sent.get(), 4);
        reads.remember();
        read(&reads, "/hub", Read::Remembered, &sent).await;
        assert_eq!(sent.get(), 5, "a new period starts empty");
        drop(reads.writing());
        read(&reads, "/hub", Read::Remembered, &sent).await;
        assert_eq!(sent.get(), 6, "a write ends the period");
    }

    #[tokio::test]
    async fn a_read_that_left_before_a_write_is_neither_joined_nor_kept() {
        let (reads, call, release) = (Reads::default(), unlimited(), Notify::new());
        let limits = Limits { call: &call, clock: &SystemClock };
        reads.remember();
        let old = reads.get("/sa", Read::Fresh, &limits, || async {
            release.notified().await;
            Ok("old".to_owned())
        });
        let new = async {
            tokio::task::yield_now().await;
            drop(reads.writing());
            reads.remember();
            let new = reads.get("/sa", Read::Fresh, &limits, || async { Ok("new".to_owned()) }).await.unwrap();
            release.notify_one();
            new
        };
        let (old, new) = tokio::join!(old, new);
        assert_eq!((old.unwrap().as_str(), new.as_str()), ("old", "new"));
        let kept = reads.get("/sa", Read::Remembered, &limits, || async { Ok("third".to_owned()) }).await.unwrap();
        assert_eq!(*kept, "new");
    }

    #[tokio::test]
    async fn an_interrupted_read_is_taken_over_by_one_that_waits() {
        let (reads, call, begun) = (Reads::default(), unlimited(), Notify::new());
        let limits = Limits { call: &call, clock: &SystemClock };
        for interrupted in [true, false] {
            let first = async {
                let stuck = reads.get("/hub", Read::Fresh, &limits, || async {
                    begun.notify_one();
                    tokio::task::yield_now().await;
                    tokio::task::yield_now().await;
                    Err::<String, _>(Error::Cancelled { doing: "reading".into() })
                });
                if interrupted {
                    assert!(stuck.await.is_err());
                } else {
                    // Dropped in mid-flight.
                    tokio::select! { biased; _ = stuck => unreachable!(), () = tokio::task::yield_now() => {} }
                }
            };
            let second = async {
                begun.notified().await;
                reads.get("/hub", Read::Fresh, &limits, || async { Ok("second".to_owned()) }).await.unwrap()
            };
            let ((), second) = tokio::join!(first, second);
            assert_eq!(*second, "second");
        }
    }

    #[tokio::test]
    async fn a_failure_is_shared_by_those_who_wait_and_not_remembered() {
        let (reads, call, sent) = (Reads::default(), unlimited(), Cell::new(0));
        let limits = Limits { call: &call, clock: &SystemClock };
        reads.remember();
        let failing = || {
            reads.get("/hub", Read::Remembered, &limits, || async {
                sent.set(sent.get() + 1);
                tokio::task::yield_now().await;
                Err::<String, _>(Error::Setting { what: "test", source: Arc::new(std::fmt::Error) })
            })
        };
        let (a, b) = tokio::join!(failing(), failing());
        assert!(a.is_err() && b.is_err() && sent.get() == 1);
        assert!(failing().await.is_err());
        assert_eq!(sent.get(), 2);
    }
}
