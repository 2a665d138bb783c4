//! What one configured provider process works with and remembers.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use crate::{
    arm::{self, ArmId, Call},
    provider::access::Switches,
};

/// A role, without a condition, that this process has granted or plans to grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where it is held.
    pub scope: ArmId,
    /// Who holds it.
    pub principal_id: String,
    /// The role.
    pub role: Uuid,
    /// When Azure made it; `None` while it is only planned.
    pub created_on: Option<OffsetDateTime>,
}

impl Grant {
    /// Whether both are the same role of the same principal at the same scope.
    pub fn is_about_the_same(&self, other: &Grant) -> bool {
        self.scope == other.scope
            && self.role == other.role
            && self.principal_id.eq_ignore_ascii_case(&other.principal_id)
    }
}

/// The client that resources get. It lives from one ConfigureProvider to the next, which is one plan or one apply.
#[derive(Debug)]
pub struct Session {
    /// Azure.
    pub arm: arm::Client,
    /// The hubs that leave keys in this run.
    pub switches: Switches,
    claims: Mutex<HashSet<String>>,
    turns: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    grants: Mutex<Vec<Grant>>,
    bequests: Mutex<HashMap<String, Box<dyn Any + Send>>>,
    objects: Mutex<HashMap<String, Objects>>,
}

/// The objects of a state that stand for one thing in Azure, as far as this process has come to them. There is more than
/// one after a replacement that made the new object first and could not finish, after a rename without a moved block, and
/// where a configuration names one thing twice.
///
/// A plan looks at each object before it plans any fate for it. An apply looks at none and plans nothing for those that do
/// not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    /// How many were looked at.
    pub seen: usize,
    /// How many are there and planned to stay, changed or not.
    pub stay: usize,
    /// How many are planned to be made.
    pub created: usize,
    /// How many are planned to be removed.
    pub destroyed: usize,
    /// How many of those know that another one stays.
    pub kept: usize,
    /// How many this process has removed.
    pub removed: usize,
}

impl Objects {
    /// How many stay, as far as can be told.
    pub fn staying(self) -> usize {
        self.stay.max(self.seen.saturating_sub(self.destroyed))
    }

    /// Whether one that is planned to be removed does not know that others stay.
    pub fn undo_each_other(self) -> bool {
        self.destroyed > self.kept
    }
}

impl Session {
    /// Begins a session. Reads are remembered until the first write.
    pub fn new(arm: arm::Client) -> Self {
        arm.remember_reads();
        Self {
            arm,
            switches: Switches::default(),
            claims: Mutex::default(),
            turns: Mutex::default(),
            bequests: Mutex::default(),
            grants: Mutex::default(),
            objects: Mutex::default(),
        }
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

    /// Remembers a grant, which a list of Azure may not show yet. A later note replaces an earlier one.
    pub fn note_grant(&self, grant: Grant) {
        let mut grants = lock(&self.grants);
        grants.retain(|known| !known.is_about_the_same(&grant));
        grants.push(grant);
    }

    /// Forgets a grant that was not made after all, or was taken away.
    pub fn forget_grant(&self, grant: &Grant) {
        lock(&self.grants).retain(|known| !known.is_about_the_same(grant));
    }

    /// The grants noted so far that are in force at a scope: those at it and above it.
    pub fn grants_at(&self, scope: &ArmId) -> Vec<Grant> {
        lock(&self.grants).iter().filter(|grant| scope.is_within(&grant.scope)).cloned().collect()
    }

    /// Hands an object that stands for the thing with this id to the creation that follows in this process: the removal
    /// was the first half of a replacement, and has left everything as it was.
    pub fn bequeath(&self, id: &ArmId, object: impl Any + Send) {
        lock(&self.bequests).insert(id.key(), Box::new(object));
    }

    /// What the first half of a replacement has handed on, once.
    pub fn inherit<T: Any + Send>(&self, id: &ArmId) -> Option<T> {
        let object = lock(&self.bequests).remove(&id.key())?;
        object.downcast().ok().map(|object| *object)
    }

    /// Notes that an object stands for the thing with this id, or what is planned for it, and gives what is known of all
    /// such objects.
    pub fn note_object(&self, id: &ArmId, note: impl FnOnce(&mut Objects)) -> Objects {
        let mut objects = lock(&self.objects);
        let all = objects.entry(id.key()).or_default();
        note(all);
        *all
    }

    /// Waits for this caller's turn to write to the thing with this id. The turn ends when the guard is dropped.
    ///
    /// # Errors
    /// When the call ends before that.
    pub async fn turn(&self, id: &ArmId, call: &Call) -> Result<OwnedMutexGuard<()>, arm::Error> {
        let turn = lock(&self.turns).entry(id.key()).or_default().clone();
        let doing = format!("waiting for another change of {id} to end");
        self.arm.wait_for(turn.lock_owned(), &doing, call).await
    }
}

fn claim_key(id: &ArmId, what: &str) -> String {
    format!("{} {what}", id.key())
}

/// A poisoned lock only means that a panic passed by; what is guarded here is always whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::{Cloud, Credential, Secret, Settings};

    #[test]
    fn grants_are_seen_below_their_scope_until_they_are_forgotten() {
        let credential = Credential::ClientSecret {
            tenant_id: "t".to_owned(),
            client_id: "c".to_owned(),
            client_secret: Secret::new("s"),
        };
        let client = arm::Client::new(Settings::new(Cloud::Public.endpoints()), credential).unwrap();
        let session = Session::new(client);
        let scope = |text: &str| ArmId::parse(text).unwrap();
        let grant = |at: &str, principal: &str, created_on| Grant {
            scope: scope(at),
            principal_id: principal.to_owned(),
            role: Uuid::nil(),
            created_on,
        };
        session.note_grant(grant("/subscriptions/s", "alice", None));
        let made = grant("/Subscriptions/s", "ALICE", Some(OffsetDateTime::UNIX_EPOCH));
        session.note_grant(made.clone());
        session.note_grant(grant("/subscriptions/s/resourceGroups/r", "bob", None));
        assert_eq!(session.grants_at(&scope("/subscriptions/s")), [made]);
        assert_eq!(session.grants_at(&scope("/subscriptions/s/resourceGroups/r")).len(), 2);
        session.forget_grant(&grant("/subscriptions/s", "alice", None));
        assert!(session.grants_at(&scope("/subscriptions/s")).is_empty());
    }
}
