//! Role definitions (Microsoft.Authorization/roleDefinitions), built-in and custom.

use super::body::or_default;
use super::id::{ArmId, RoleDefinitionId};
use super::resource::{List, Resource};
use serde::Deserialize;
use uuid::Uuid;

/// A role definition.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleDefinition {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    /// The GUID.
    #[serde(deserialize_with = "or_default")]
    pub(crate) name: String,
    /// The members under `properties`.
    #[serde(deserialize_with = "or_default")]
    pub properties: RoleDefinitionProperties,
}

/// The properties of a role definition.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleDefinitionProperties {
    /// The name, such as `Storage Blob Data Contributor`.
    #[serde(deserialize_with = "or_default")]
    pub role_name: String,
    /// `BuiltInRole` or `CustomRole`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(crate) kind: String,
}

impl RoleDefinition {
    /// The id of the definition with this GUID at a scope: a custom role exists only where it is assignable.
    pub fn id_at(scope: &ArmId, guid: Uuid) -> ArmId {
        scope.below(&format!("{}/{guid}", Self::COLLECTION))
    }

    /// The definitions with a name at a scope: none or one, since names are unique in a tenant.
    pub fn named(scope: &ArmId, role_name: &str) -> List<Self> {
        List::below(scope).filter(format!("roleName eq '{}'", role_name.replace('\'', "''")))
    }

    /// Whether it is one of Azure's, which are the same everywhere.
    pub(crate) fn is_built_in(&self) -> bool {
        self.properties.kind.eq_ignore_ascii_case("BuiltInRole")
    }

    /// The GUID, which identifies a role in all scopes.
    pub fn guid(&self) -> Option<Uuid> {
        RoleDefinitionId::parse(&self.id).ok().map(|id| id.guid()).or_else(|| Uuid::try_parse(&self.name).ok())
    }
}

impl Resource for RoleDefinition {
    type Id = ArmId;
    const API_VERSION: &'static str = "2022-04-01";
    const COLLECTION: &'static str = "/providers/Microsoft.Authorization/roleDefinitions";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_read() {
        let role: RoleDefinition = serde_json::from_str(
            r#"{"id":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe",
            "name":"ba92f5b4-2d11-453d-a403-e96b0029c9fe","properties":{"roleName":"Storage Blob Data Contributor",
            "type":"BuiltInRole","description":null,"assignableScopes":["/"],"permissions":[{"actions":["a"],"dataActions":["d"],"notDataActions":null}]}}"#,
        )
        .unwrap();
        assert_eq!(role.guid().unwrap().to_string(), "ba92f5b4-2d11-453d-a403-e96b0029c9fe");
        assert_eq!(role.properties.role_name, "Storage Blob Data Contributor");
    }
}
