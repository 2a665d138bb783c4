//! Computes of workspaces (facts: azure.md §13.3).

use super::body::or_default;
use super::id::ArmId;
use super::resource::Resource;
use serde::Deserialize;

/// A compute of a workspace.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Compute {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) location: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) properties: ComputeProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ComputeProperties {
    /// `ComputeInstance`, `AmlCompute`, `Kubernetes` and others.
    #[serde(deserialize_with = "or_default")]
    pub(crate) compute_type: String,
}

impl Compute {
    /// Whether the service mounts the workspace's files on its machines, as it does on those that it runs itself.
    pub(crate) fn mounts_files(&self) -> bool {
        ["ComputeInstance", "AmlCompute"].iter().any(|kind| kind.eq_ignore_ascii_case(&self.properties.compute_type))
    }
}

impl Resource for Compute {
    type Id = ArmId;
    const API_VERSION: &'static str = "2024-10-01";
    const COLLECTION: &'static str = "/computes";
}
