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
    pub(crate) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) location: String,
    #[serde(deserialize_with = "or_default")]
    properties: ComputeProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ComputeProperties {
    #[serde(deserialize_with = "or_default")]
    compute_type: String,
}

/// A kind of compute that the service runs itself, with the workspace's files mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ComputeKind {
    /// One machine, of one user.
    Instance,
    /// Nodes that come and go with the jobs.
    Cluster,
}

impl Compute {
    /// Its kind, if it is one that the service runs.
    pub(crate) fn kind(&self) -> Option<ComputeKind> {
        let kinds = [("ComputeInstance", ComputeKind::Instance), ("AmlCompute", ComputeKind::Cluster)];
        let own = &self.properties.compute_type;
        kinds.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(own)).map(|(_, kind)| kind)
    }
}

impl Resource for Compute {
    type Id = ArmId;
    const API_VERSION: &'static str = "2024-10-01";
    const COLLECTION: &'static str = "/computes";
}
