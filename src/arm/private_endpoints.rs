//! Private endpoints (Microsoft.Network/privateEndpoints; facts: azure.md §13.8).

use super::body::{or_default, without_nulls};
use super::id::ArmId;
use super::resource::Resource;
use serde::Deserialize;

/// A private endpoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PrivateEndpoint {
    #[serde(deserialize_with = "or_default")]
    properties: PrivateEndpointProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PrivateEndpointProperties {
    #[serde(deserialize_with = "without_nulls")]
    private_link_service_connections: Vec<Connection>,
    /// Those that somebody has to approve by hand.
    #[serde(deserialize_with = "without_nulls")]
    manual_private_link_service_connections: Vec<Connection>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Connection {
    #[serde(deserialize_with = "or_default")]
    properties: ConnectionProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConnectionProperties {
    /// The services of the resource that it leads to, such as `blob`.
    #[serde(deserialize_with = "without_nulls")]
    group_ids: Vec<String>,
}

impl PrivateEndpoint {
    /// Whether it leads to one of these services.
    pub(crate) fn leads_to(&self, services: &[&str]) -> bool {
        let PrivateEndpointProperties { private_link_service_connections, manual_private_link_service_connections } =
            &self.properties;
        let all = private_link_service_connections.iter().chain(manual_private_link_service_connections);
        let mut groups = all.flat_map(|connection| &connection.properties.group_ids);
        groups.any(|group| services.iter().any(|service| service.eq_ignore_ascii_case(group)))
    }
}

impl Resource for PrivateEndpoint {
    type Id = ArmId;
    const API_VERSION: &'static str = "2024-05-01";
    const COLLECTION: &'static str = "/providers/Microsoft.Network/privateEndpoints";
}
