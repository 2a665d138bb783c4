//! What one configured provider process works with and remembers.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::OwnedMutexGuard;

use crate::arm::{self, ArmId};

/// The client that resources get. It lives from one ConfigureProvider to the next, which is one plan or one apply.
#[derive(Debug)]
pub struct Session {
    /// Azure.
    pub arm: arm::Client,
    claims: Mutex<HashSet<String>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Session {
    /// Begins a session. Reads are remembered until the first write.
    pub fn new(arm: arm::Client) -> Self {
        arm.remember_reads();
        Self { arm, claims: Mutex::default(), turns: Mutex::default() }
    }

    /// Remembers that a create or update of this process wrote `what` of the thing with this id. A later delete of the
    /// same thing in this process is the other half of a replacement or a rename, and must not undo it.
    pub fn claim(&self, id: &ArmId, what: &str) {
        lock(&self.claims).insert(claim_key(id, what));
    }

    /// Whether this process has claimed `what` of the thing with this id.
    pub fn has_claimed(&self, id: &ArmId, what: &str) -> bool {
        lock(&self.claims).contains(&claim_key(id, what))
    }

    /// Waits for this caller's turn to write to the thing with this id. The turn ends when the guard is dropped.
    pub async fn turn(&self, id: &ArmId) -> OwnedMutexGuard<()> {
        let turn = lock(&self.turns).entry(id.key()).or_default().clone();
        turn.lock_owned().await
    }
}

fn claim_key(id: &ArmId, what: &str) -> String {
    format!("{} {what}", id.key())
}

/// A poisoned lock only means that a panic passed by; what is guarded here is always whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
