//! What workspaces and storage accounts of a seed have in collections of their own.

use anyhow::{Result, anyhow};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::documents::Kind;
use super::super::world::World;
use super::super::{storage, workspaces};
use super::by_name;

/// A datastore, a connection, a compute, a container or a share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedNested {
    /// The workspace or storage account that has it, by name or by id.
    pub(crate) parent: String,
    pub(crate) name: String,
    /// As a PUT would have them, secrets included.
    #[serde(default)]
    pub(crate) properties: Map<String, Value>,
}

/// Where those of one kind are: the type of their parents, and the path below these.
pub(super) struct Collection {
    parent: &'static str,
    path: &'static str,
    kind: Kind,
}

pub(super) const DATASTORES: Collection =
    Collection { parent: workspaces::TYPE, path: "datastores", kind: workspaces::datastores::DATASTORES };
pub(super) const CONNECTIONS: Collection =
    Collection { parent: workspaces::TYPE, path: "connections", kind: workspaces::connections::CONNECTIONS };
pub(super) const COMPUTES: Collection =
    Collection { parent: workspaces::TYPE, path: "computes", kind: workspaces::computes::COMPUTES };
pub(super) const CONTAINERS: Collection =
    Collection { parent: storage::TYPE, path: "blobServices/default/containers", kind: storage::services::CONTAINERS };
pub(super) const SHARES: Collection =
    Collection { parent: storage::TYPE, path: "fileServices/default/shares", kind: storage::services::SHARES };

impl SeedNested {
    pub(super) fn plant(&self, world: &mut World, collection: &Collection) -> Result<()> {
        let parent = by_name(world, collection.parent, &self.parent)?;
        let id = format!("{parent}/{}/{}", collection.path, self.name);
        let planted = collection.kind.put(world, &id, &json!({ "properties": self.properties }));
        planted.map(drop).map_err(|error| anyhow!("{id}: {}", error.failure.message))
    }
}
