//! Private endpoints of a seed's storage accounts.

use anyhow::{Result, anyhow};
use serde::Deserialize;
use serde_json::json;

use super::super::world::World;
use super::super::{groups, private_endpoints, storage};
use super::{by_name, default_group, eastus};

/// A private endpoint of one service of a storage account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedPrivateEndpoint {
    pub(crate) name: String,
    #[serde(default = "default_group")]
    pub(crate) resource_group: String,
    #[serde(default)]
    pub(crate) subscription: Option<String>,
    /// The account, by name or by id.
    pub(crate) storage_account: String,
    /// The service: blob, file, dfs, queue, table or web.
    pub(crate) service: String,
    /// Whether the account has approved it; else it waits for that.
    #[serde(default = "yes")]
    pub(crate) approved: bool,
}

fn yes() -> bool {
    true
}

impl SeedPrivateEndpoint {
    pub(super) fn plant(&self, world: &mut World) -> Result<()> {
        let account = by_name(world, storage::TYPE, &self.storage_account)?;
        let subscription = self.subscription.as_ref().unwrap_or(&world.options.subscription_id);
        let group = format!("/subscriptions/{subscription}/resourceGroups/{}", self.resource_group);
        groups::seed(world, &group, &eastus());
        let list = if self.approved { "privateLinkServiceConnections" } else { "manualPrivateLinkServiceConnections" };
        let connection = json!({
            "name": self.name, "properties": { "privateLinkServiceId": account, "groupIds": [self.service] },
        });
        let id = format!("{group}/providers/{}/{}", private_endpoints::TYPE, self.name);
        private_endpoints::seed(world, &id, &json!({ "properties": { (list): [connection] } }))
            .map_err(|error| anyhow!("{id}: {}", error.failure.message))
    }
}
