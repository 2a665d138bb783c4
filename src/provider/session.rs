//! What one configured provider process works with and remembers.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex},
};

use time::OffsetDateTime;
use tokio::sync::{OnceCell, OwnedMutexGuard};
use uuid::Uuid;

use crate::{
    arm::{self, ArmId, Call, SubscriptionId},
    framework::{Attr, Diagnostic, Path, Summary, lock::lock, schema::Refusal},
    provider::{access::IdentitySwitches, key_holds::KeyHolds, report},
};

/// A role assignment, without a condition, that this process has created or plans to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SessionAssignment {
    pub(crate) scope: ArmId,
    pub(crate) principal_id: String,
    pub(crate) role: Uuid,
    /// When Azure made it; `None` while it is only planned.
    pub(crate) created_on: Option<OffsetDateTime>,
}

/// The assignments of a scope, by principal in lower case and role.
type OfScope = BTreeMap<(String, Uuid), SessionAssignment>;

impl SessionAssignment {
    fn holder(&self) -> (String, Uuid) {
        (self.principal_id.to_lowercase(), self.role)
    }
}

/// The client that resources get. It lives from one ConfigureProvider to the next, which is one plan or one apply.
#[derive(Debug)]
pub struct Session {
    pub(crate) arm: arm::Client,
    /// The configured subscription; unknown in a plan while the provider block's is.
    subscription: Attr<String>,
    /// What is taken where none is configured, once it has been looked for.
    found_subscription: OnceCell<Option<String>>,
    pub(crate) switches: IdentitySwitches,
    pub(crate) key_holds: KeyHolds,
    locks: Mutex<HashMap<ArmId, Arc<tokio::sync::Mutex<()>>>>,
    /// By the key of the scope.
    assignments: Mutex<HashMap<String, OfScope>>,
    /// The hubs in which an apply of this run has looked for users of keys, and found none that stops it.
    seen: Mutex<HashSet<ArmId>>,
    /// What diagnostics of this run have said of things that several objects share.
    said: Mutex<HashSet<String>>,
}

impl Session {
    /// Begins a session. Reads are remembered until the first write.
    pub(crate) fn new(arm: arm::Client, subscription: Attr<String>) -> Self {
        arm.remember_reads();
        Self {
            arm,
            subscription,
            found_subscription: OnceCell::new(),
            switches: IdentitySwitches::default(),
            key_holds: KeyHolds::default(),
            locks: Mutex::default(),
            assignments: Mutex::default(),
            seen: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// The subscription of what does not name one: the configured one, or else that of the Azure CLI where it signs in. `None`
    /// while it is only known after apply.
    ///
    /// # Errors
    /// The diagnostic that there is none, about the attribute `subscription_id`, or that the call has ended.
    pub(crate) async fn subscription(&self, call: &Call) -> Result<Option<&str>, Diagnostic> {
        match &self.subscription {
            Attr::Known(configured) => return Ok(Some(configured)),
            Attr::Unknown => return Ok(None),
            Attr::Null => {}
        }
        let look = self.found_subscription.get_or_init(|| self.arm.subscription());
        let found = self.arm.wait_for(look, "asking the Azure CLI for its subscription", call).await;
        let found = found.map_err(|error| report::failure(Summary("The subscription is not known"), &error, ""))?;
        found.as_deref().map(Some).ok_or_else(|| {
            let detail = "Set subscription_id here or in the provider block, or ARM_SUBSCRIPTION_ID. Where the Azure CLI signs \
                          in, the subscription of az account show counts.";
            Diagnostic::error("The subscription is not known", detail).at(Path::root("subscription_id"))
        })
    }

    /// The subscription to read in: the one that is named, or else as [`Self::subscription`], and an error while it is not known.
    pub(crate) async fn subscription_to_read(
        &self,
        named: &Attr<SubscriptionId>,
        call: &Call,
    ) -> Result<SubscriptionId, Diagnostic> {
        if let Some(named) = named.known() {
            return Ok(named.clone());
        }
        let subscription = self.subscription(call).await?.ok_or_else(report::unconfigured)?;
        let refused = |error| Refusal::from(error).error("subscription_id").of_provider();
        SubscriptionId::parse(subscription).map_err(refused)
    }

    /// Notes an assignment that was created, which Azure's lists may not show yet.
    pub(crate) fn note_assignment(&self, assignment: SessionAssignment) {
        let mut assignments = lock(&self.assignments);
        let of_scope = assignments.entry(assignment.scope.key().to_owned()).or_default();
        of_scope.insert(assignment.holder(), assignment);
    }

    /// Notes an assignment that is planned, unless it is known already.
    pub(crate) fn note_planned_assignment(&self, assignment: SessionAssignment) {
        let mut assignments = lock(&self.assignments);
        let of_scope = assignments.entry(assignment.scope.key().to_owned()).or_default();
        of_scope.entry(assignment.holder()).or_insert(assignment);
    }

    /// Forgets an assignment that was not created after all, or was deleted.
    pub(crate) fn forget_assignment(&self, assignment: &SessionAssignment) {
        if let Some(of_scope) = lock(&self.assignments).get_mut(assignment.scope.key()) {
            of_scope.remove(&assignment.holder());
        }
    }

    /// The assignments noted so far that apply at a scope: those at it and above it.
    pub(crate) fn assignments_at(&self, scope: &ArmId) -> Vec<SessionAssignment> {
        let assignments = lock(&self.assignments);
        scope.keys_upwards().filter_map(|key| assignments.get(key)).flat_map(BTreeMap::values).cloned().collect()
    }

    pub(crate) fn note_seen(&self, hubs: impl Iterator<Item = ArmId>) {
        lock(&self.seen).extend(hubs);
    }

    pub(crate) fn has_seen(&self, hub: &ArmId) -> bool {
        lock(&self.seen).contains(hub)
    }

    /// Whether no diagnostic has said this so far; from now on one has.
    pub(crate) fn says_first(&self, what: String) -> bool {
        lock(&self.said).insert(what)
    }

    /// Waits for the lock that serialises writes and deletes of the resource with this id. Dropping the guard releases it.
    ///
    /// # Errors
    /// When the call ends before that.
    pub(crate) async fn lock(&self, id: &ArmId, call: &Call) -> Result<OwnedMutexGuard<()>, arm::Error> {
        let mutex = lock(&self.locks).entry(id.clone()).or_default().clone();
        let doing = format!("waiting for another change of {id} to end");
        self.arm.wait_for(mutex.lock_owned(), &doing, call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::{Cloud, Settings, auth::ClientSecret};

    #[test]
    fn an_assignment_applies_below_its_scope_until_it_is_forgotten() {
        let method = ClientSecret { tenant_id: "t".to_owned(), client_id: "c".into(), client_secret: "s".into() };
        let client = arm::Client::new(Settings::new(Cloud::Public.endpoints()), Arc::new(method)).unwrap();
        let session = Session::new(client, Attr::Null);
        let scope = |text: &str| ArmId::parse(text).unwrap();
        let assignment = |at: &str, principal: &str, created_on| SessionAssignment {
            scope: scope(at),
            principal_id: principal.to_owned(),
            role: Uuid::nil(),
            created_on,
        };
        session.note_assignment(assignment("/subscriptions/s", "alice", None));
        let made = assignment("/Subscriptions/s", "ALICE", Some(OffsetDateTime::UNIX_EPOCH));
        session.note_assignment(made.clone());
        session.note_assignment(assignment("/subscriptions/s/resourceGroups/r", "bob", None));
        assert_eq!(session.assignments_at(&scope("/subscriptions/s")), [made]);
        assert_eq!(session.assignments_at(&scope("/subscriptions/s/resourceGroups/r")).len(), 2);
        session.forget_assignment(&assignment("/subscriptions/s", "alice", None));
        assert!(session.assignments_at(&scope("/subscriptions/s")).is_empty());
    }
}
