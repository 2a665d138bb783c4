//! What is there: the part of the emulator that `--state` keeps. Everything is found by lower-case ids.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::authorization::Assignments;
use super::documents::Documents;
use super::entra::Client;
use super::metrics::Transactions;
use super::operations::Operation;
use super::policy::Policy;
use super::{clock, ids, providers};

/// Everything that outlives a request.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Store {
    /// By lower-case id.
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
    /// Resource groups as GET shows them, by [`ids::key`].
    pub(crate) groups: BTreeMap<String, Value>,
    /// Workspaces and storage accounts as GET shows them, by [`ids::key`].
    pub(crate) resources: BTreeMap<String, Lagged<Value>>,
    /// Datastores, connections, computes, containers, shares and private endpoints.
    pub(crate) documents: Documents,
    /// The two keys of each storage account.
    pub(crate) account_keys: BTreeMap<String, Vec<AccountKey>>,
    /// The mode that each workspace's system datastores follow at present.
    pub(crate) datastore_modes: BTreeMap<String, String>,
    /// The account key that each workspace's system datastores hold.
    pub(crate) datastore_keys: BTreeMap<String, String>,
    /// Workspaces whose names are still taken after their deletion.
    pub(crate) soft_deleted: BTreeMap<String, SoftDeleted>,
    /// What the services of storage accounts have answered, in the order of seeds.
    pub(crate) transactions: Vec<Transactions>,
    /// Role assignments.
    pub(crate) assignments: Assignments,
    /// Custom role definitions, by lower-case GUID.
    pub(crate) custom_roles: BTreeMap<String, Value>,
    /// Locks as GET shows them, by [`ids::key`].
    pub(crate) locks: BTreeMap<String, Value>,
    /// Policies from seeds; those of the command line come on top.
    pub(crate) policies: Vec<Policy>,
    /// The directory, by lower-case object id.
    pub(crate) principals: BTreeMap<String, Principal>,
    /// Applications that may sign in.
    pub(crate) clients: Vec<Client>,
    /// Long-running operations, oldest first.
    pub(crate) operations: Vec<Operation>,
    /// What the platform will do by itself.
    pub(crate) pending: Vec<Pending>,
    /// How many identities were made, so that no two are alike.
    pub(crate) identities: u64,
    /// What resources show of the user-assigned identities that they hold, by the keys of their ids.
    #[serde(default)]
    pub(crate) user_assigned: BTreeMap<String, Value>,
}

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    /// As it was written.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether it is disabled, so that it can only be read.
    pub(crate) disabled: bool,
    /// Registration states that are not Registered, by lower-case namespace.
    pub(crate) registrations: BTreeMap<String, String>,
}

/// One of a storage account's keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AccountKey {
    pub(crate) name: String,
    pub(crate) value: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created: OffsetDateTime,
}

/// A workspace that was deleted, and the end of the time in which its name is taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SoftDeleted {
    pub(crate) document: Value,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) until: OffsetDateTime,
}

/// An object of the directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Principal {
    /// User, Group or ServicePrincipal.
    pub(crate) kind: String,
    /// Lower-case object ids of the groups it belongs to.
    pub(crate) groups: Vec<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created: OffsetDateTime,
}

/// Something the platform does by itself when its time has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) due: OffsetDateTime,
    pub(crate) event: Event,
}

/// What the platform does by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Event {
    /// Gives a workspace's system identity its roles.
    GrantHubRoles { workspace: String },
    /// Lets a workspace's system datastores follow its mode.
    SwitchDatastores { workspace: String },
    /// Ends the registration of a resource provider.
    Registered { subscription: String, namespace: String },
}

/// A value of which readers see an older version for a while after a write.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Lagged<T> {
    now: Option<T>,
    before: Option<T>,
    #[serde(with = "time::serde::rfc3339")]
    changed: OffsetDateTime,
}

impl<T> Lagged<T> {
    /// A value that nobody has seen yet.
    pub(crate) fn new(value: T, at: OffsetDateTime) -> Self {
        Self { now: Some(value), before: None, changed: at }
    }

    /// The value as it is.
    pub(crate) fn current(&self) -> Option<&T> {
        self.now.as_ref()
    }

    /// The value as it is, to change without readers noticing that it is new.
    pub(crate) fn current_mut(&mut self) -> Option<&mut T> {
        self.now.as_mut()
    }

    /// The value that readers see at a time, if they lag behind by `lag`.
    pub(crate) fn seen(&self, at: OffsetDateTime, lag: Duration) -> Option<&T> {
        if clock::over(self.changed, lag, at) { self.now.as_ref() } else { self.before.as_ref() }
    }

    /// The same when a removal is noticed after a longer time.
    pub(crate) fn seen_after(&self, at: OffsetDateTime, lag: Duration, removal: Duration) -> Option<&T> {
        self.seen(at, if self.now.is_none() { lag.max(removal) } else { lag })
    }

    /// Shows the value as it is to everybody at once.
    pub(crate) fn show(&mut self) {
        self.changed = OffsetDateTime::UNIX_EPOCH;
    }

    /// Changes or removes the value.
    pub(crate) fn write(&mut self, value: Option<T>, at: OffsetDateTime, lag: Duration) {
        let old = std::mem::replace(&mut self.now, value);
        // A version that nobody has seen yet stays unseen.
        if clock::over(self.changed, lag, at) {
            self.before = old;
        }
        self.changed = at;
    }
}

impl Store {
    /// A resource as it is.
    pub(crate) fn resource(&self, key: &str) -> Option<&Value> {
        self.resources.get(key)?.current()
    }

    /// A resource to change at once and unnoticed.
    pub(crate) fn resource_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.resources.get_mut(key)?.current_mut()
    }

    /// Writes a resource, or removes it, so that readers notice it after `lag`.
    pub(crate) fn write(&mut self, key: &str, value: Option<Value>, at: OffsetDateTime, lag: Duration) {
        match (self.resources.get_mut(key), value) {
            (Some(entry), value) => {
                let gone = value.is_none() && lag.is_zero();
                entry.write(value, at, lag);
                if gone {
                    self.resources.remove(key);
                }
            }
            (None, Some(value)) => {
                self.resources.insert(key.to_owned(), Lagged::new(value, at));
            }
            (None, None) => {}
        }
    }

    /// All resources below a scope (a key), whatever their type.
    pub(crate) fn below<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = (&'a String, &'a Lagged<Value>)> {
        self.resources
            .range::<str, _>((Bound::Excluded(scope), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(scope))
            .filter(move |(key, _)| is_below(scope, key))
    }

    /// Whether a scope (a key) is there; management groups and the root always are.
    pub(crate) fn scope_exists(&self, scope: &str) -> bool {
        let segments: Vec<&str> = scope.split('/').skip(1).collect();
        match segments[..] {
            ["subscriptions", id] => self.subscriptions.contains_key(id),
            ["subscriptions", id, "resourcegroups", _] => {
                self.subscriptions.contains_key(id) && self.groups.contains_key(scope)
            }
            ["subscriptions", _, "resourcegroups", _, "providers", namespace, kind, ..] => {
                let known = providers::is_stored(&format!("{namespace}/{kind}"));
                let item: String =
                    segments[..8.min(segments.len())].iter().map(|segment| format!("/{segment}")).collect();
                !known || self.resource(&item).is_some() || self.documents.get(&item).is_some()
            }
            _ => true,
        }
    }

    /// An object id and all groups it belongs to, groups of groups included.
    pub(crate) fn memberships(&self, principal: &str) -> Vec<String> {
        let mut found = vec![principal.to_ascii_lowercase()];
        let mut at = 0;
        while let Some(member) = found.get(at) {
            let groups = self.principals.get(member).map(|object| object.groups.clone()).unwrap_or_default();
            let new: Vec<String> = groups.into_iter().filter(|group| !found.contains(group)).collect();
            found.extend(new);
            at += 1;
        }
        found
    }

    /// The keys of a storage account by its name, which is unique in all of Azure.
    pub(crate) fn account_named(&self, name: &str) -> Option<(&String, &Value)> {
        let end = format!("/providers/microsoft.storage/storageaccounts/{}", name.to_ascii_lowercase());
        let (key, entry) = self.resources.iter().find(|(key, _)| key.ends_with(&end))?;
        Some((key, entry.current()?))
    }
}

/// Whether a key lies below a scope's key, not being the scope itself.
pub(crate) fn is_below(scope: &str, key: &str) -> bool {
    key.len() > scope.len() && key.starts_with(scope) && key.as_bytes()[scope.len()] == b'/'
}

/// A scope's key and those of all scopes above it, nearest first, up to the tenant's root (the empty key).
pub(crate) fn upwards(scope: &str, tenant: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = scope.to_owned();
    while !rest.is_empty() {
        found.push(rest.clone());
        let segments: Vec<&str> = rest.split('/').skip(1).collect();
        let keep = match segments[..] {
            // A child resource is below its parent, a resource below its group.
            [.., "providers", _, _, _] => segments.len() - 4,
            ["subscriptions", _] | ["providers", ..] => {
                // Every subscription is below the tenant's root management group.
                if segments[0] == "subscriptions" {
                    found.push(ids::key(&format!("/providers/Microsoft.Management/managementGroups/{tenant}")));
                }
                0
            }
            // A list is at the scope before it: labels and names alternate.
            _ if segments.len() % 2 == 1 => segments.len() - 1,
            _ => segments.len() - 2,
        };
        rest = segments[..keep].iter().map(|segment| format!("/{segment}")).collect();
    }
    found.push(String::new());
    found
}
