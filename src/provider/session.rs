//! What one configured provider process works with and remembers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use time::OffsetDateTime;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use crate::{
    arm::{self, ArmId, Call},
    framework::contain::lock,
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
    locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    grants: Mutex<Vec<Grant>>,
}

impl Session {
    /// Begins a session. Reads are remembered until the first write.
    pub fn new(arm: arm::Client) -> Self {
        arm.remember_reads();
        Self { arm, switches: Switches::default(), locks: Mutex::default(), grants: Mutex::default() }
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

    /// Waits for the lock that serialises writes and deletes of the resource with this id. Dropping the guard releases it.
    ///
    /// # Errors
    /// When the call ends before that.
    pub async fn lock(&self, id: &ArmId, call: &Call) -> Result<OwnedMutexGuard<()>, arm::Error> {
        let mutex = lock(&self.locks).entry(id.key()).or_default().clone();
        let doing = format!("waiting for another change of {id} to end");
        self.arm.wait_for(mutex.lock_owned(), &doing, call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::{Cloud, Settings, auth::ClientSecret};

    #[test]
    fn grants_are_seen_below_their_scope_until_they_are_forgotten() {
        let method = ClientSecret { tenant_id: "t".to_owned(), client_id: "c".into(), client_secret: "s".into() };
        let client = arm::Client::new(Settings::new(Cloud::Public.endpoints()), Arc::new(method)).unwrap();
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
