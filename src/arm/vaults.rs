//! Key vaults (Microsoft.KeyVault/vaults): who may use their keys, secrets and certificates (facts: azure.md §13.9).

use super::body::{or_default, without_nulls};
use super::id::ArmId;
use super::resource::Resource;
use serde::Deserialize;

/// A key vault.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Vault {
    #[serde(deserialize_with = "or_default")]
    properties: VaultProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VaultProperties {
    #[serde(deserialize_with = "or_default")]
    enable_rbac_authorization: bool,
    #[serde(deserialize_with = "without_nulls")]
    access_policies: Vec<AccessPolicy>,
}

/// What a principal may do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AccessPolicy {
    #[serde(deserialize_with = "or_default")]
    object_id: String,
    /// The application by which alone the principal may do it.
    application_id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    permissions: Permissions,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Permissions {
    #[serde(deserialize_with = "without_nulls")]
    keys: Vec<String>,
    #[serde(deserialize_with = "without_nulls")]
    secrets: Vec<String>,
    #[serde(deserialize_with = "without_nulls")]
    certificates: Vec<String>,
}

/// Every permission but to purge, as far as the first stable api-versions had it: policies that were written when these were all
/// lack what came later.
const KEYS: &[&str] = &[
    "get",
    "list",
    "update",
    "create",
    "import",
    "delete",
    "recover",
    "backup",
    "restore",
    "decrypt",
    "encrypt",
    "unwrapKey",
    "wrapKey",
    "verify",
    "sign",
];
const SECRETS: &[&str] = &["get", "list", "set", "delete", "recover", "backup", "restore"];
const CERTIFICATES: &[&str] = &[
    "get",
    "list",
    "update",
    "create",
    "import",
    "delete",
    "recover",
    "managecontacts",
    "manageissuers",
    "getissuers",
    "listissuers",
    "setissuers",
    "deleteissuers",
];

/// The permissions that somebody lacks, of one kind.
pub(crate) type Lacking = (&'static str, Vec<&'static str>);

impl Vault {
    /// Whether roles decide who may use what is in it, and not access policies.
    pub(crate) fn uses_rbac(&self) -> bool {
        self.properties.enable_rbac_authorization
    }

    /// What a principal may not do by its own access policies: the permissions that it lacks, for keys, secrets and certificates.
    pub(crate) fn lacking_permissions(&self, principal_id: &str) -> Vec<Lacking> {
        self.lacking(|holder| holder.eq_ignore_ascii_case(principal_id))
    }

    /// Whether what a principal lacks is granted to others, which may be groups that it is a member of.
    pub(crate) fn others_have_the_rest(&self) -> bool {
        self.lacking(|_| true).is_empty()
    }

    /// What the holders together may not do.
    fn lacking(&self, is_holder: impl Fn(&str) -> bool) -> Vec<Lacking> {
        let policies: Vec<&Permissions> = self
            .properties
            .access_policies
            .iter()
            .filter(|policy| is_holder(&policy.object_id))
            .filter(|policy| policy.application_id.as_deref().is_none_or(str::is_empty))
            .map(|policy| &policy.permissions)
            .collect();
        let lacking_of = |kind, needed: &[&'static str], of: fn(&Permissions) -> &[String]| {
            let granted: Vec<&String> = policies.iter().flat_map(|policy| of(policy)).collect();
            let is = |wanted: &str| granted.iter().any(|granted| granted.eq_ignore_ascii_case(wanted));
            (kind, needed.iter().copied().filter(|permission| !is("all") && !is(permission)).collect::<Vec<_>>())
        };
        let lacking = [
            lacking_of("keys", KEYS, |permissions| &permissions.keys),
            lacking_of("secrets", SECRETS, |permissions| &permissions.secrets),
            lacking_of("certificates", CERTIFICATES, |permissions| &permissions.certificates),
        ];
        lacking.into_iter().filter(|(_, lacking)| !lacking.is_empty()).collect()
    }
}

impl Resource for Vault {
    type Id = ArmId;
    const API_VERSION: &'static str = "2023-07-01";
    const COLLECTION: &'static str = "/providers/Microsoft.KeyVault/vaults";
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn vault(properties: &str) -> Vault {
        serde_json::from_str(&format!(r#"{{"properties":{properties}}}"#)).unwrap()
    }

    #[test]
    fn access_policies_decide_unless_roles_do() {
        for (properties, uses_rbac) in [
            ("{}", false),
            (r#"{"enableRbacAuthorization":null,"accessPolicies":null}"#, false),
            (r#"{"enableRbacAuthorization":false}"#, false),
            (r#"{"enableRbacAuthorization":true}"#, true),
        ] {
            assert_eq!(vault(properties).uses_rbac(), uses_rbac, "{properties}");
        }
        assert_eq!(vault("{}").lacking_permissions(ID).len(), 3);
    }

    #[test]
    fn the_permissions_of_a_principal_are_compared_without_regard_to_case_and_all_is_all() {
        let lacking = |object: &str, application: &str, keys: &str, certificates: &str| {
            vault(&format!(
                r#"{{"accessPolicies":[{{"objectId":"{object}","applicationId":{application},"permissions":{{
                    "keys":{keys},"secrets":["All"],"certificates":{certificates}}}}}]}}"#
            ))
            .lacking_permissions(ID)
        };
        assert_eq!(lacking(&ID.to_uppercase(), "null", r#"["all"]"#, r#"["all"]"#), []);
        let all_but_sign: Vec<String> =
            KEYS.iter().filter(|key| **key != "sign").map(|key| key.to_uppercase()).collect();
        let keys = serde_json::to_string(&all_but_sign).unwrap();
        let found = lacking(ID, "null", &keys, "null");
        assert_eq!(found, [("keys", vec!["sign"]), ("certificates", CERTIFICATES.to_vec())]);
        assert_eq!(lacking("bbbbbbbb-0000-0000-0000-000000000002", "null", r#"["all"]"#, r#"["all"]"#).len(), 3);
        assert_eq!(lacking(ID, r#""cccccccc-0000-0000-0000-000000000003""#, r#"["all"]"#, r#"["all"]"#).len(), 3);
    }
}
