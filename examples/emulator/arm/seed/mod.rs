//! What is there at the start, as YAML: subscriptions, groups, accounts, hubs, principals, assignments, locks.

mod fleet;
mod nested;
mod private_endpoints;

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::fleet::Fleet;
use self::nested::SeedNested;
use self::private_endpoints::SeedPrivateEndpoint;
use super::authorization::{self, definitions};
use super::entra::Client;
use super::metrics::SeedTransactions;
use super::policy::Policy;
use super::storage;
use super::workspaces;
use super::world::World;
use super::{groups, ids, vaults};

/// A seed. Every part may be left out; what it names is put in on top of what is there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Seed {
    /// Ids of further subscriptions, with their names.
    pub(crate) subscriptions: BTreeMap<String, String>,
    /// Applications that may sign in.
    pub(crate) clients: Vec<Client>,
    /// Users, groups and service principals.
    pub(crate) principals: Vec<SeedPrincipal>,
    /// Resource groups.
    pub(crate) resource_groups: Vec<SeedGroup>,
    /// Storage accounts; their groups come by themselves.
    pub(crate) storage_accounts: Vec<SeedResource>,
    /// Hubs and other workspaces; their groups come by themselves.
    pub(crate) workspaces: Vec<SeedResource>,
    /// Many hubs made alike, with their groups and accounts.
    pub(crate) fleets: Vec<Fleet>,
    /// Datastores of workspaces.
    pub(crate) datastores: Vec<SeedNested>,
    /// Connections of workspaces.
    pub(crate) connections: Vec<SeedNested>,
    /// Computes of workspaces.
    pub(crate) computes: Vec<SeedNested>,
    /// Blob containers of storage accounts.
    pub(crate) containers: Vec<SeedNested>,
    /// File shares of storage accounts.
    pub(crate) shares: Vec<SeedNested>,
    /// Private endpoints of storage accounts; their groups come by themselves.
    pub(crate) private_endpoints: Vec<SeedPrivateEndpoint>,
    /// Key vaults; their groups come by themselves.
    pub(crate) vaults: Vec<SeedResource>,
    /// What was asked of the services of storage accounts, for their metrics.
    pub(crate) transactions: Vec<SeedTransactions>,
    /// Custom roles; one that is there is replaced.
    pub(crate) custom_roles: Vec<SeedCustomRole>,
    /// Role assignments.
    pub(crate) role_assignments: Vec<SeedAssignment>,
    /// Locks: scope and level.
    pub(crate) locks: Vec<SeedLock>,
    /// Policies.
    pub(crate) policies: Vec<Policy>,
}

/// An object of the directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedPrincipal {
    pub(crate) id: String,
    /// User, Group or ServicePrincipal.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Object ids of the groups it belongs to.
    #[serde(default)]
    pub(crate) member_of: Vec<String>,
}

/// A resource group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedGroup {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) subscription: Option<String>,
    #[serde(default = "eastus")]
    pub(crate) location: String,
}

/// A resource, with its body as a PUT would have it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedResource {
    pub(crate) name: String,
    #[serde(default = "default_group")]
    pub(crate) resource_group: String,
    #[serde(default)]
    pub(crate) subscription: Option<String>,
    #[serde(default)]
    pub(crate) location: Option<String>,
    #[serde(default)]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) tags: Option<Map<String, Value>>,
    #[serde(default)]
    pub(crate) sku: Option<Value>,
    /// A user-assigned identity may be given its `principalId` and `clientId`.
    #[serde(default)]
    pub(crate) identity: Option<Value>,
    /// A workspace's storage account and hub may be given by name alone.
    #[serde(default)]
    pub(crate) properties: Map<String, Value>,
    /// Workspaces: whether the platform has already given the identity its roles.
    #[serde(default)]
    pub(crate) automatic_roles: bool,
}

/// A custom role.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedCustomRole {
    /// Its GUID.
    pub(crate) id: String,
    pub(crate) name: String,
    /// As a role definition has them: `actions`, `notActions`, `dataActions` and `notDataActions`.
    pub(crate) permissions: Value,
}

/// A role assignment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedAssignment {
    /// An id, or the name of a seeded storage account.
    pub(crate) scope: String,
    /// An object id, or the name of a seeded workspace for its system identity.
    pub(crate) principal: String,
    /// The role's name or GUID.
    pub(crate) role: String,
    #[serde(default)]
    pub(crate) principal_type: Option<String>,
    #[serde(default)]
    pub(crate) name: Option<String>,
}

/// A lock.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedLock {
    /// An id, or the name of a seeded storage account.
    pub(crate) scope: String,
    /// CanNotDelete or ReadOnly.
    pub(crate) level: String,
    #[serde(default = "lock_name")]
    pub(crate) name: String,
}

fn eastus() -> String {
    "eastus".to_owned()
}

fn default_group() -> String {
    "rg1".to_owned()
}

fn lock_name() -> String {
    "lock".to_owned()
}

impl Seed {
    /// Reads YAML.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(text).map_err(|error| anyhow!("{error}"))
    }

    /// Puts everything in place.
    pub(crate) fn plant(self, world: &mut World) -> Result<()> {
        for (id, name) in &self.subscriptions {
            world.add_subscription(id, name);
        }
        for client in self.clients {
            world.add_client(client);
        }
        for principal in self.principals {
            world.add_principal(&principal.id, &principal.kind, principal.member_of);
        }
        for group in self.resource_groups {
            let subscription = group.subscription.as_ref().unwrap_or(&world.options.subscription_id);
            let id = format!("/subscriptions/{subscription}/resourceGroups/{}", group.name);
            groups::seed(world, &id, &group.location);
        }
        for account in self.storage_accounts {
            let id = account.id(world, storage::TYPE);
            account.group(world);
            storage::seed(world, &id, &account.body())
                .map_err(|error| anyhow!("storage account {}: {}", account.name, error.failure.message))?;
        }
        for workspace in self.workspaces {
            let id = workspace.id(world, workspaces::TYPE);
            workspace.group(world);
            let mut body = workspace.body();
            for (property, kind) in [("storageAccount", storage::TYPE), ("hubResourceId", workspaces::TYPE)] {
                if let Some(given) = body.pointer(&format!("/properties/{property}")).and_then(Value::as_str) {
                    body["properties"][property] = json!(by_name(world, kind, given)?);
                }
            }
            let assigned = body.pointer("/identity/userAssignedIdentities").and_then(Value::as_object);
            for (identity, given) in assigned.into_iter().flatten() {
                world.seed_user_assigned(identity, given);
            }
            workspaces::seed(world, &id, &body)
                .map_err(|error| anyhow!("workspace {}: {}", workspace.name, error.failure.message))?;
        }
        for fleet in self.fleets {
            fleet.plant(world)?;
        }
        for (items, collection) in [
            (self.datastores, &nested::DATASTORES),
            (self.connections, &nested::CONNECTIONS),
            (self.computes, &nested::COMPUTES),
            (self.containers, &nested::CONTAINERS),
            (self.shares, &nested::SHARES),
        ] {
            items.iter().try_for_each(|item| item.plant(world, collection))?;
        }
        for endpoint in self.private_endpoints {
            endpoint.plant(world)?;
        }
        for vault in self.vaults {
            vault.group(world);
            let id = vault.id(world, vaults::TYPE);
            vaults::seed(world, &id, &vault.body()).map_err(|error| anyhow!("{id}: {}", error.failure.message))?;
        }
        for transactions in self.transactions {
            let account = by_name(world, storage::TYPE, &transactions.account)?;
            transactions.plant(world, &account)?;
        }
        for role in self.custom_roles {
            definitions::seed(world, &role.id, &role.name, role.permissions)?;
        }
        for assignment in self.role_assignments {
            let scope = by_name(world, storage::TYPE, &assignment.scope)?;
            let principal = if ids::is_guid(&assignment.principal) {
                assignment.principal
            } else {
                let hub = by_name(world, workspaces::TYPE, &assignment.principal)?;
                let hub = world.store.resource(&ids::key(&hub)).and_then(workspaces::principal).map(str::to_owned);
                hub.with_context(|| format!("the workspace {} has no system identity", assignment.principal))?
            };
            let role = definitions::find(&assignment.role).map(str::to_owned);
            let role = role.or_else(|| ids::is_guid(&assignment.role).then(|| assignment.role.clone()));
            let role = role.with_context(|| format!("there is no built-in role {:?}", assignment.role))?;
            let (name, kind) = (assignment.name.as_deref(), assignment.principal_type.as_deref());
            authorization::seed(world, &scope, &principal, &role, name, kind);
        }
        for lock in self.locks {
            let scope = by_name(world, storage::TYPE, &lock.scope)?;
            let id = format!("{scope}/providers/Microsoft.Authorization/locks/{}", lock.name);
            world.store.locks.insert(
                ids::key(&id),
                json!({
                    "id": id, "name": lock.name, "type": "Microsoft.Authorization/locks",
                    "properties": { "level": lock.level },
                }),
            );
        }
        world.store.policies.extend(self.policies);
        world.settle();
        Ok(())
    }
}

impl SeedResource {
    fn id(&self, world: &World, kind: &str) -> String {
        format!("{}/providers/{kind}/{}", self.group_id(world), self.name)
    }

    fn group_id(&self, world: &World) -> String {
        let subscription = self.subscription.as_ref().unwrap_or(&world.options.subscription_id);
        format!("/subscriptions/{subscription}/resourceGroups/{}", self.resource_group)
    }

    fn group(&self, world: &mut World) {
        let (id, location) = (self.group_id(world), self.location.clone().unwrap_or_else(eastus));
        groups::seed(world, &id, &location);
    }

    fn body(&self) -> Value {
        let mut body = json!({ "properties": self.properties, "automaticRoles": self.automatic_roles });
        for (name, value) in [
            ("location", self.location.clone().map(Value::String)),
            ("kind", self.kind.clone().map(Value::String)),
            ("tags", self.tags.clone().map(Value::Object)),
            ("sku", self.sku.clone()),
            ("identity", self.identity.clone()),
        ] {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        body
    }
}

/// An id as it is, or the id of the one resource of a type that has this name.
fn by_name(world: &World, kind: &str, given: &str) -> Result<String> {
    if given.starts_with('/') {
        return Ok(given.to_owned());
    }
    let end = format!("/providers/{kind}/{given}").to_ascii_lowercase();
    let found = world.store.resources.iter().find(|(key, _)| key.ends_with(&end));
    let document = found.and_then(|(_, entry)| entry.current());
    document
        .map(|document| workspaces::text(document, "/id").to_owned())
        .with_context(|| format!("there is no {kind} named {given:?}"))
}
