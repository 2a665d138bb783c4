//! A hub as requests have it: the body of the PUT that creates it, and of the PATCH that changes it.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::schema::State;
use crate::{
    arm::{ArmId, WorkspaceId, workspaces::Workspace},
    framework::Attr,
};

/// What a PATCH sends: only what changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// The members under `properties`.
    pub(super) properties: Map<String, Json>,
    identity: Option<Json>,
    /// The declared tags that are set or, where null, removed.
    tags: BTreeMap<String, Option<String>>,
}

impl Changes {
    /// What differs between two objects, less what a PATCH cannot change.
    pub(super) fn between(prior: &State, planned: &State) -> Self {
        let (was, is) = (patchable(prior, ArmId::key), patchable(planned, ArmId::key));
        let removed = was.keys().filter(|name| !is.contains_key(*name)).map(|name| (name.clone(), cleared(name)));
        let set = patchable(planned, ArmId::as_str).into_iter().filter(|(name, _)| was.get(name) != is.get(name));
        let properties = set.chain(removed).collect();
        let is_same = identity(prior, ArmId::key) == identity(planned, ArmId::key);
        let identity = identity(planned, ArmId::as_str).filter(|_| !is_same).map(|mut is| {
            let gone = ids(prior).into_iter().filter(|id| !ids(planned).contains(id));
            if let Some(identities) = is.get_mut("userAssignedIdentities").and_then(Json::as_object_mut) {
                identities.extend(gone.map(|id| (id.as_str().to_owned(), Json::Null)));
            }
            is
        });
        let (was, is) = (tags(prior), tags(planned));
        let removed = was.keys().filter(|name| !is.contains_key(*name)).map(|name| (name.clone(), None));
        let set = is.iter().filter(|(name, value)| was.get(*name) != Some(value));
        let tags = removed.chain(set.map(|(name, value)| (name.clone(), Some(value.clone())))).collect();
        Self { properties, identity, tags }
    }

    /// Without the removal of tags that are not `declared`: those are others'. Returns their names.
    pub(super) fn keep_tags_of_others(&mut self, declared: &[String]) -> Vec<String> {
        let is_own = |name: &str| declared.iter().any(|declared| declared.eq_ignore_ascii_case(name));
        self.tags.extract_if(.., |name, value| value.is_none() && !is_own(name)).map(|(name, _)| name).collect()
    }

    /// Only what is among the members of `sent`.
    fn within(mut self, sent: &Self) -> Self {
        self.properties.retain(|name, _| sent.properties.contains_key(name));
        self.identity = self.identity.filter(|_| sent.identity.is_some());
        self.tags.retain(|name, _| sent.tags.contains_key(name));
        self
    }

    /// What of these changes, which lead to `planned`, a hub does not have.
    pub(super) fn not_kept(&self, planned: &State, id: &WorkspaceId, hub: &Workspace) -> Self {
        let mut now = planned.clone();
        now.set_service(id, hub);
        Self::between(&now, planned).within(self)
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What changes, by the names of ARM.
    pub(super) fn names(&self) -> Vec<&str> {
        let top = [("identity", self.identity.is_some()), ("tags", !self.tags.is_empty())];
        let properties = self.properties.keys().map(String::as_str);
        properties.chain(top.into_iter().filter(|(_, changes)| *changes).map(|(name, _)| name)).collect()
    }

    /// The body of the PATCH of `hub`. ARM takes tags as a whole, so that those of others are sent as they are.
    pub(super) fn body(&self, hub: &Workspace) -> Json {
        let mut body = Map::new();
        if !self.properties.is_empty() {
            body.insert("properties".to_owned(), Json::Object(self.properties.clone()));
        }
        if let Some(identity) = &self.identity {
            body.insert("identity".to_owned(), identity.clone());
        }
        if !self.tags.is_empty() {
            let mut tags = hub.tags.clone();
            for (name, value) in &self.tags {
                tags.retain(|known, _| !known.eq_ignore_ascii_case(name));
                tags.extend(value.is_some().then(|| (name.clone(), value.clone())));
            }
            body.insert("tags".to_owned(), json!(tags));
        }
        Json::Object(body)
    }
}

/// The only property that the PUT's api-version does not have (facts: azure.md §1.5), so that it takes a PATCH of its own.
const NETWORK_ACLS: &str = "networkAcls";

/// The body of the PATCH that follows the PUT, if one has to.
pub(super) fn patch_after_put(planned: &State) -> Option<Json> {
    let acls = patchable(planned, ArmId::as_str).remove(NETWORK_ACLS)?;
    Some(json!({ "properties": { NETWORK_ACLS: acls } }))
}

/// The body of the PUT, as the product's template has it.
pub(super) fn put_body(planned: &State) -> Json {
    let mut properties = patchable(planned, ArmId::as_str);
    properties.remove(NETWORK_ACLS);
    properties.extend(fixed(planned));
    json!({
        "location": planned.location.known().map(|location| location.wire()),
        "kind": "Hub",
        "sku": { "name": "Basic", "tier": "Basic" },
        "identity": identity(planned, ArmId::as_str),
        "tags": tags(planned),
        "properties": properties,
    })
}

/// How ids are written: [`ArmId::as_str`] to send them and [`ArmId::key`] to compare them.
type Spelling = fn(&ArmId) -> &str;

/// The properties that a PATCH may change, as far as they are set.
fn patchable(state: &State, spelling: Spelling) -> Map<String, Json> {
    let id = |id: &Attr<ArmId>| id.known().map(|id| Json::from(spelling(id)));
    let network = state.managed_network.known().and_then(|network| network.isolation_mode.known());
    let acls = state.network_acls.known().map(|acls| {
        let mut rules: Vec<_> = acls.ip_rules.elements().map(|rule| json!({ "value": rule })).collect();
        rules.sort_by_key(Json::to_string);
        json!({ "defaultAction": acls.default_action.known().map(|action| action.wire()), "ipRules": rules })
    });
    let serverless = state.serverless_compute.known().map(|compute| {
        json!({
            "serverlessComputeCustomSubnet": id(&compute.subnet_id),
            "serverlessComputeNoPublicIP": compute.public_ip_enabled.known().map(|public| !public),
        })
    });
    let key = state.encryption.known().and_then(|encryption| encryption.key_id.text());
    let members = [
        ("friendlyName", text(&state.friendly_name)),
        ("description", text(&state.description)),
        ("applicationInsights", id(&state.application_insights_id)),
        ("containerRegistry", id(&state.container_registry_id)),
        ("systemDatastoresAuthMode", state.system_datastores_auth_mode.known().map(|mode| mode.wire().into())),
        ("primaryUserAssignedIdentity", id(&state.primary_user_assigned_identity)),
        ("publicNetworkAccess", state.public_network_access.known().map(|access| access.wire().into())),
        (NETWORK_ACLS, acls),
        ("managedNetwork", network.map(|mode| json!({ "isolationMode": mode.wire() }))),
        ("serverlessComputeSettings", serverless),
        ("imageBuildCompute", text(&state.image_build_compute)),
        ("encryption", key.map(|key| json!({ "keyVaultProperties": { "keyIdentifier": key } }))),
    ];
    set(members)
}

/// The properties that a hub gets at its creation, as far as they are set.
fn fixed(state: &State) -> Map<String, Json> {
    let encryption = state.encryption.known().map(|encryption| {
        let identity = text(&encryption.user_assigned_identity_id);
        let mut sent = json!({
            "status": "Enabled",
            "keyVaultProperties": {
                "keyVaultArmId": text(&encryption.key_vault_id), "keyIdentifier": text(&encryption.key_id),
            },
        });
        if let Some(identity) = identity {
            sent["identity"] = json!({ "userAssignedIdentity": identity });
        }
        sent
    });
    let config = state.workspace_hub_config.known();
    let group = config.and_then(|config| text(&config.default_workspace_resource_group));
    let members = [
        ("storageAccount", text(&state.storage_account_id)),
        ("keyVault", text(&state.key_vault_id)),
        ("hbiWorkspace", state.high_business_impact_enabled.known().map(|enabled| (*enabled).into())),
        ("enableDataIsolation", state.data_isolation_enabled.known().map(|enabled| (*enabled).into())),
        ("encryption", encryption),
        ("workspaceHubConfig", group.map(|group| json!({ "defaultWorkspaceResourceGroup": group }))),
    ];
    set(members)
}

fn set<const N: usize>(members: [(&str, Option<Json>); N]) -> Map<String, Json> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// What a PATCH sends for a property that is not set any more.
fn cleared(name: &str) -> Json {
    match name {
        "friendlyName" | "description" | "imageBuildCompute" => "".into(),
        _ => Json::Null,
    }
}

fn identity(state: &State, spelling: Spelling) -> Option<Json> {
    let kind = *state.identity.known()?.kind.known()?;
    let mut identity = json!({ "type": kind.wire() });
    if kind.has_user() {
        let ids = ids(state).into_iter().map(|id| (spelling(id).to_owned(), json!({})));
        identity["userAssignedIdentities"] = Json::Object(ids.collect());
    }
    Some(identity)
}

fn ids(state: &State) -> Vec<&ArmId> {
    state.identity.known().into_iter().flat_map(|identity| identity.identity_ids.elements()).collect()
}

fn tags(state: &State) -> BTreeMap<String, String> {
    let tags = state.tags.known().into_iter().flatten();
    tags.filter_map(|(name, value)| Some((name.clone(), value.text()?.to_owned()))).collect()
}

fn text<T: AsRef<str>>(value: &Attr<T>) -> Option<Json> {
    value.text().map(Json::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        arm::workspaces::AuthMode,
        provider::resources::hub::{
            schema::ManagedIdentity,
            words::{IdentityType, PublicNetworkAccess},
        },
    };

    fn tagged(tags: &[(&str, &str)]) -> State {
        let tags = tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into()));
        State { tags: Attr::Known(tags.collect()), ..State::default() }
    }

    #[test]
    fn only_what_differs_is_sent_and_what_is_not_set_any_more_is_cleared() {
        let prior = State {
            friendly_name: "A".to_owned().into(),
            description: "d".to_owned().into(),
            system_datastores_auth_mode: AuthMode::new("AccessKey").into(),
            public_network_access: PublicNetworkAccess::from("enabled").into(),
            ..State::default()
        };
        let planned = State {
            description: Attr::Null,
            system_datastores_auth_mode: AuthMode::identity().into(),
            public_network_access: PublicNetworkAccess::from("Enabled").into(),
            ..prior.clone()
        };
        let changes = Changes::between(&prior, &planned);
        let body = changes.body(&Workspace::default());
        assert_eq!(body, json!({ "properties": { "description": "", "systemDatastoresAuthMode": "identity" } }));
        assert_eq!(changes.names(), ["description", "systemDatastoresAuthMode"]);
        assert!(Changes::between(&planned, &planned).is_empty());
    }

    #[test]
    fn tags_of_others_are_sent_as_they_are() {
        let (prior, planned) = (tagged(&[("a", "1"), ("b", "2")]), tagged(&[("a", "3")]));
        let mut hub = Workspace::default();
        for (name, value) in [("A", "1"), ("b", "2"), ("policy", "p")] {
            hub.tags.insert(name.to_owned(), Some(value.to_owned()));
        }
        let body = Changes::between(&prior, &planned).body(&hub);
        assert_eq!(body, json!({ "tags": { "a": "3", "policy": "p" } }));
    }

    #[test]
    fn identities_that_go_are_sent_as_null() {
        let with = |kind, ids: &[&str]| {
            let ids = ids.iter().map(|id| Attr::Known(ArmId::parse(id).unwrap())).collect::<Vec<_>>();
            let identity = ManagedIdentity {
                kind: Attr::Known(kind),
                identity_ids: Attr::Known(ids),
                principal_id: Attr::Null,
                tenant_id: Attr::Null,
            };
            State { identity: identity.into(), ..State::default() }
        };
        let (prior, planned) = (with(IdentityType::Both, &["/a", "/b"]), with(IdentityType::Both, &["/B", "/c"]));
        let body = Changes::between(&prior, &planned).body(&Workspace::default());
        let identities = json!({ "/a": null, "/B": {}, "/c": {} });
        let sent = json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": identities });
        assert_eq!(body, json!({ "identity": sent }));
        let alone = with(IdentityType::System, &[]);
        assert_eq!(put_body(&alone)["identity"], json!({ "type": "SystemAssigned" }));
    }
}
