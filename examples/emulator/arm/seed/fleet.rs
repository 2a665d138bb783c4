//! Many hubs at once.

use anyhow::{Result, anyhow};
use serde::Deserialize;
use serde_json::json;

use super::super::errors::ArmError;
use super::super::world::World;
use super::super::{groups, storage, workspaces};
use super::eastus;

/// Hubs that are numbered, spread over numbered groups, and each on an account of its group.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fleet {
    /// What names begin with: hubs `fleet-0001`, groups `fleet-rg-0001`, accounts `fleet0001`.
    #[serde(default = "fleet")]
    pub(crate) prefix: String,
    pub(crate) hubs: usize,
    #[serde(default = "one")]
    pub(crate) groups: usize,
    /// How many hubs of a group share an account.
    #[serde(default = "one")]
    pub(crate) hubs_per_account: usize,
    /// Modes of a group's hubs, in turn.
    #[serde(default = "accesskey")]
    pub(crate) modes: Vec<String>,
    /// `allowSharedKeyAccess` of a group's accounts, in turn; null is unset.
    #[serde(default = "unset")]
    pub(crate) shared_keys: Vec<Option<bool>>,
    #[serde(default)]
    pub(crate) subscription: Option<String>,
    /// Whether the platform has already given the identities their roles.
    #[serde(default)]
    pub(crate) automatic_roles: bool,
}

fn fleet() -> String {
    "fleet".to_owned()
}

fn one() -> usize {
    1
}

fn accesskey() -> Vec<String> {
    vec!["accesskey".to_owned()]
}

fn unset() -> Vec<Option<bool>> {
    vec![None]
}

impl Fleet {
    pub(super) fn plant(&self, world: &mut World) -> Result<()> {
        let (groups, shared) = (self.groups.max(1), self.hubs_per_account.max(1));
        if self.modes.is_empty() || self.shared_keys.is_empty() {
            return Err(anyhow!("the fleet {} has no modes or no shared_keys", self.prefix));
        }
        let subscription = self.subscription.clone().unwrap_or_else(|| world.options.subscription_id.clone());
        let failed = |name: &str, error: ArmError| anyhow!("{name}: {}", error.failure.message);
        for hub in 0..self.hubs {
            let (group, place) = (hub % groups, hub / groups);
            let group_id = format!("/subscriptions/{subscription}/resourceGroups/{}-rg-{:04}", self.prefix, group + 1);
            groups::seed(world, &group_id, &eastus());
            // Accounts are numbered as hubs are: over the groups first.
            let account = group + groups * (place / shared);
            let account_id =
                format!("{group_id}/providers/{}/{}{:04}", storage::TYPE, self.prefix.replace('-', ""), account + 1);
            if place % shared == 0 {
                let allowed = self.shared_keys[(place / shared) % self.shared_keys.len()];
                let properties = json!({ "allowSharedKeyAccess": allowed });
                storage::seed(world, &account_id, &json!({ "properties": properties }))
                    .map_err(|error| failed(&account_id, error))?;
            }
            let id = format!("{group_id}/providers/{}/{}-{:04}", workspaces::TYPE, self.prefix, hub + 1);
            let body = json!({
                "kind": "Hub",
                "automaticRoles": self.automatic_roles,
                "properties": {
                    "storageAccount": account_id, (workspaces::MODE): self.modes[place % self.modes.len()],
                },
            });
            workspaces::seed(world, &id, &body).map_err(|error| failed(&id, error))?;
        }
        Ok(())
    }
}
