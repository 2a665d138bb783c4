//! What a PUT or PATCH of a hub makes of it, and what is refused (azure.md §9.5 to §9.7, §9.10).

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, Arm, Reply, WORKSPACES, arm_with};
use super::workspaces::project;
use crate::azure::{
    FixedProperties, HubRolesFor, InsightsPatch, IsolationModes, Lro, Nulls, OnOff, Options, Rule, Ruling,
};

const ISOLATION: &str = "/properties/managedNetwork/isolationMode";
const REGISTRY: &str = "/properties/containerRegistry";

async fn done() -> Arm {
    done_with(|_| {}).await
}

async fn done_with(change: impl FnOnce(&mut Options)) -> Arm {
    arm_with(|options| {
        options.lro = Lro::Done;
        options.lro_delete = Lro::Done;
        change(options);
    })
    .await
}

fn path(arm: &Arm, name: &str) -> String {
    format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", WORKSPACES, name))
}

/// A PUT of a hub with further properties.
async fn put(arm: &Arm, name: &str, properties: Value) -> Reply {
    let mut body = arm.hub_body();
    body["properties"].as_object_mut().expect("an object").extend(properties.as_object().expect("an object").clone());
    arm.put(&path(arm, name), body).await
}

async fn patch(arm: &Arm, name: &str, properties: Value) -> Reply {
    arm.patch(&path(arm, name), json!({ "properties": properties })).await
}

fn refused(reply: &Reply, code: &str, text: &str) {
    assert_eq!(reply.error(), (400, code.to_owned()), "{}", reply.text);
    assert!(reply.message().contains(text), "{} has no {text:?}", reply.message());
}

/// azure.md §9.6, §9.10: what a new hub is.
#[tokio::test]
async fn a_new_hub_has_the_defaults_of_its_kind() {
    let arm = done().await;
    let hub = put(&arm, "new", json!({})).await;
    assert_eq!(hub.status, 200, "{}", hub.text);
    for (member, value) in [
        ("/kind", json!("Hub")),
        ("/sku", json!({ "name": "Basic", "tier": "Basic" })),
        ("/identity/type", json!("SystemAssigned")),
        ("/properties/enableDataIsolation", json!(true)),
        ("/properties/hbiWorkspace", json!(false)),
        ("/properties/friendlyName", json!("")),
        ("/properties/provisioningState", json!("Succeeded")),
        ("/properties/associatedWorkspaces", json!([])),
        (ISOLATION, json!("Disabled")),
        ("/properties/managedNetwork/status/status", json!("Inactive")),
        ("/properties/allowRoleAssignmentOnRG", json!(true)),
        ("/properties/softDeleteEnabled", json!(true)),
        ("/properties/enableFirewallLog", json!(false)),
        ("/properties/firewallPublicIpAddress", json!("")),
        ("/properties/creationTime", hub.at("/systemData/createdAt")),
    ] {
        assert_eq!(hub.at(member), value, "{member}");
    }
    assert!(hub.at("/properties/creationTime").is_string());
    let group = hub.at("/properties/workspaceHubConfig/defaultWorkspaceResourceGroup");
    assert_eq!(group, arm.group.as_str());
}

/// azure.md §9.10: nulls as they were seen, none, or everywhere.
#[tokio::test]
async fn what_is_not_set_is_null_as_the_switch_says() {
    let arm = done_with(|options| options.nulls = Nulls::None).await;
    let is_null = |hub: &Value, pointer: &str| hub.pointer(pointer).is_some_and(Value::is_null);
    let seen = ["/etag", REGISTRY, "/properties/imageBuildCompute"];
    let further = [
        "/tags",
        "/sku/capacity",
        "/identity/userAssignedIdentities",
        "/properties/applicationInsights",
        "/properties/encryption",
        "/properties/managedNetwork/outboundRules",
    ];
    for (switch, nulls, absent) in [
        (Nulls::None, &[][..], [&seen[..], &further[1..]].concat()),
        (Nulls::Seen, &seen[..], further[1..].to_vec()),
        (Nulls::All, &[&seen[..], &further[..]].concat(), vec![]),
    ] {
        arm.emulator.configure(|options| options.nulls = switch);
        let hub = arm.get(&arm.hub_path()).await.body();
        for pointer in nulls {
            assert!(is_null(&hub, pointer), "{switch:?}: {pointer} is null");
        }
        for pointer in absent {
            assert!(hub.pointer(pointer).is_none(), "{switch:?}: {pointer} is absent");
        }
        let put = arm.put(&arm.hub_path(), hub.clone()).await;
        assert_eq!((put.status, put.at("/properties")), (200, hub["properties"].clone()), "{switch:?}: sent back");
    }
}

/// azure.md §9.5: "PUT without what the workspace depends on".
#[tokio::test]
async fn a_put_has_what_the_workspace_depends_on() {
    let arm = done().await;
    let missing = "Missing dependent resources in workspace json";
    for (row, name, body) in [
        ("a new hub", "new", json!({ "kind": "Hub", "properties": {} })),
        ("the hub that is there", "hub1", json!({ "kind": "Hub", "properties": { "description": "d" } })),
        ("without properties", "hub1", json!({ "kind": "Hub" })),
        ("a project without a hub", "new", json!({ "kind": "Project", "properties": {} })),
    ] {
        let reply = arm.put(&path(&arm, name), body).await;
        refused(&reply, "ValidationError", missing);
        assert_eq!(reply.at("/error/target"), "workspace", "{row}");
    }
    assert_eq!(arm.get(&path(&arm, "new")).await.status, 404);
    let vault = arm.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
    let insights = arm.emulator.id("rg1", "microsoft.insights/components", "ai1");
    let both = json!({ "keyVault": vault, "applicationInsights": insights });
    assert_eq!(put(&arm, "hub2", both.clone()).await.status, 200);
    refused(&put(&arm, "hub2", json!({ "keyVault": vault })).await, "ValidationError", missing);
    refused(&put(&arm, "hub2", json!({ "applicationInsights": insights })).await, "ValidationError", missing);
    assert_eq!(put(&arm, "hub2", both).await.status, 200);
}

/// azure.md §9.5: "JSON of the wrong shape".
#[tokio::test]
async fn a_body_of_another_shape_is_malformed() {
    let arm = done().await;
    for (row, value) in [
        ("/tags", json!([])),
        ("/identity", json!("SystemAssigned")),
        ("/identity", json!({ "type": ["SystemAssigned"] })),
        ("/properties", json!([])),
        ("/properties/systemDatastoresAuthMode", json!(true)),
        ("/properties/storageAccount", json!({ "id": "/a" })),
        ("/properties/managedNetwork", json!("Disabled")),
        ("/properties/managedNetwork", json!({ "isolationMode": "Enabled" })),
        ("/properties/hbiWorkspace", json!("maybe")),
        ("/properties/encryption", json!(1)),
    ] {
        for method in [Method::PUT, Method::PATCH] {
            let mut body = arm.hub_body();
            let (above, last) = row.rsplit_once('/').expect("a pointer");
            body.pointer_mut(above).expect("an object")[last] = value.clone();
            let reply = arm.send(method, &arm.hub_path(), body).await;
            refused(&reply, "ValidationError", "Request body was malformed");
        }
    }
}

/// azure.md §9.5: accounts that a hub cannot use; and a keyless one, which it can (§9.4).
#[tokio::test]
async fn storage_that_a_hub_cannot_use_is_refused() {
    let arm = done().await;
    for (row, kind, sku, properties, text) in [
        (
            "hns",
            "StorageV2",
            "Standard_LRS",
            json!({ "isHnsEnabled": true }),
            Some("Cannot use storage with HNS enabled."),
        ),
        ("premium", "StorageV2", "Premium_LRS", json!({}), Some("sku 'Premium_LRS'")),
        ("blobs", "BlobStorage", "Standard_LRS", json!({}), Some("kind 'BlobStorage'")),
        ("keyless", "StorageV2", "Standard_LRS", json!({ "allowSharedKeyAccess": false }), None),
    ] {
        let account = arm.emulator.id("rg1", ACCOUNTS, row);
        let body = json!({ "location": "eastus", "kind": kind, "sku": { "name": sku }, "properties": properties });
        arm.put(&format!("{account}?api-version=2023-05-01"), body).await;
        let reply = put(&arm, &format!("hub-{row}"), json!({ "storageAccount": account })).await;
        match text {
            Some(text) => refused(&reply, "BadRequest", text),
            None => {
                assert_eq!((reply.status, reply.at("/properties/systemDatastoresAuthMode")), (200, "accesskey".into()))
            }
        }
    }
}

/// azure.md §9.5, §9.6: what is attached stays, whatever a PUT leaves out; a registry comes by itself.
#[tokio::test]
async fn a_registry_that_is_attached_stays() {
    let arm = done().await;
    let detaching = "Detaching Container Registry with workspace is not supported";
    assert_eq!(put(&arm, "hub1", json!({})).await.status, 200);
    let registry = arm.emulator.attach_registry(&arm.hub);
    assert_eq!(arm.get(&arm.hub_path()).await.at(REGISTRY), registry.as_str());
    let reply = put(&arm, "hub1", json!({})).await;
    refused(&reply, "BadRequest", detaching);
    let workspace = arm.get(&arm.hub_path()).await.at("/properties/workspaceId");
    assert!(reply.message().contains(workspace.as_str().expect("an id")));
    refused(&put(&arm, "hub1", json!({ "containerRegistry": null })).await, "BadRequest", detaching);
    refused(&patch(&arm, "hub1", json!({ "containerRegistry": null })).await, "BadRequest", detaching);
    let other = arm.emulator.id("rg1", "Microsoft.ContainerRegistry/registries", "other");
    assert_eq!(patch(&arm, "hub1", json!({ "containerRegistry": other })).await.at(REGISTRY), other);
    assert_eq!(patch(&arm, "hub1", json!({ "description": "d" })).await.at(REGISTRY), other);

    let insights = |name: &str| arm.emulator.id("rg1", "microsoft.insights/components", name);
    let member = "/properties/applicationInsights";
    assert_eq!(put(&arm, "hub2", json!({ "applicationInsights": insights("a") })).await.at(member), insights("a"));
    assert_eq!(put(&arm, "hub2", json!({ "applicationInsights": insights("b") })).await.at(member), insights("b"));
    arm.emulator.configure(|options| options.insights_patch = InsightsPatch::Accept);
    assert_eq!(patch(&arm, "hub2", json!({ "applicationInsights": null })).await.status, 400);
}

/// azure.md §9.6, §12.7: the PATCH of 2025-06-01 has no applicationInsights.
#[tokio::test]
async fn a_patch_of_insights_changes_them_where_its_version_has_them() {
    for (version, switch, changes) in [
        ("2024-04-01", InsightsPatch::Ignore, true),
        ("2025-06-01", InsightsPatch::Ignore, false),
        ("2025-09-01", InsightsPatch::Ignore, false),
        ("2025-12-01", InsightsPatch::Ignore, true),
        ("2025-06-01", InsightsPatch::Accept, true),
    ] {
        let arm = done_with(|options| options.insights_patch = switch).await;
        let insights = arm.emulator.id("rg1", "microsoft.insights/components", "a");
        let body = json!({ "properties": { "applicationInsights": insights } });
        let reply = arm.patch(&format!("{}?api-version={version}", arm.hub), body).await;
        assert_eq!(
            (reply.status, reply.at("/properties/applicationInsights") == insights),
            (200, changes),
            "{version}"
        );
    }
}

/// azure.md §9.5, §9.6: isolation goes one way, and GET tells where to.
#[tokio::test]
async fn isolation_goes_one_way() {
    const MODES: [&str; 3] = ["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"];
    let arm = done().await;
    for (from, mode) in MODES.iter().enumerate() {
        for (to, next) in MODES.iter().enumerate() {
            for method in [Method::PUT, Method::PATCH] {
                let name = format!("hub-{from}-{to}-{method}");
                let network = |mode: &str| json!({ "managedNetwork": { "isolationMode": mode } });
                let made = put(&arm, &name, network(mode)).await;
                assert_eq!((made.status, made.at(ISOLATION)), (200, (*mode).into()));
                let reachable = made.at("/properties/managedNetwork/changeableIsolationModes");
                assert_eq!(reachable, json!(MODES[from + 1..]), "{mode}");
                assert_eq!(made.at("/properties/managedNetwork/networkId").is_string(), from > 0);
                let reply = if method == Method::PUT {
                    put(&arm, &name, network(next)).await
                } else {
                    patch(&arm, &name, network(next)).await
                };
                match (to < from, to) {
                    (false, _) => assert_eq!((reply.status, reply.at(ISOLATION)), (200, (*next).into()), "{name}"),
                    (true, 0) => refused(&reply, "ValidationError", "Managed network cannot be disabled once enabled."),
                    (true, _) => refused(&reply, "ValidationError", "cannot be changed"),
                }
            }
        }
    }
    refused(&put(&arm, "hub-1-2-PUT", json!({})).await, "ValidationError", "cannot be disabled once enabled.");
    assert_eq!(patch(&arm, "hub-1-2-PUT", json!({ "description": "d" })).await.status, 200);
    let shown = async |switch| {
        arm.emulator.configure(|options| options.isolation_modes = switch);
        arm.get(&arm.hub_path()).await.body().pointer("/properties/managedNetwork/changeableIsolationModes").cloned()
    };
    assert_eq!(shown(IsolationModes::Empty).await, Some(json!([])));
    assert_eq!(shown(IsolationModes::Absent).await, None);
}

/// azure.md §9.8: a network is built at the creation if that is asked for, else by an action.
#[tokio::test]
async fn a_managed_network_is_built_when_told_to() {
    let arm = done().await;
    let status = "/properties/managedNetwork/status/status";
    let network = json!({ "managedNetwork": { "isolationMode": "AllowInternetOutbound" } });
    let mut at_once = network.clone();
    at_once["provisionNetworkNow"] = json!(true);
    assert_eq!(put(&arm, "at-once", at_once).await.at(status), "Active");
    assert_eq!(put(&arm, "later", network).await.at(status), "Inactive");
    let id = arm.emulator.id("rg1", WORKSPACES, "later");
    arm.post(&format!("{id}/provisionManagedNetwork?api-version=2025-06-01"), json!({})).await;
    assert_eq!(arm.get(&path(&arm, "later")).await.at(status), "Active");
}

/// azure.md §9.6: encryption turns hbiWorkspace on, is on or off for good, and its key stays in its vault.
#[tokio::test]
async fn encryption_is_fixed_but_for_the_key() {
    let arm = done().await;
    let vault = |name: &str| arm.emulator.id("rg1", "Microsoft.KeyVault/vaults", name);
    let encryption = |name: &str, key: &str| {
        let key = format!("https://{name}.vault.azure.net/keys/k/{key}");
        json!({ "encryption": {
            "status": "Enabled", "keyVaultProperties": { "keyVaultArmId": vault(name), "keyIdentifier": key },
        } })
    };
    let made = put(&arm, "cmk", encryption("kv1", "1")).await;
    assert_eq!((made.status, made.at("/properties/hbiWorkspace")), (200, true.into()));
    let next = put(&arm, "cmk", encryption("kv1", "2")).await;
    let key = "/properties/encryption/keyVaultProperties/keyIdentifier";
    assert_eq!(next.at(key), "https://kv1.vault.azure.net/keys/k/2");
    assert_eq!(patch(&arm, "cmk", encryption("kv1", "3")).await.at(key), "https://kv1.vault.azure.net/keys/k/3");
    refused(&patch(&arm, "cmk", encryption("kv2", "1")).await, "BadRequest", "the same Key Vault");
    refused(&put(&arm, "cmk", encryption("kv2", "1")).await, "BadRequest", "'encryption'");
    let off = json!({ "encryption": { "status": "Disabled" } });
    refused(&put(&arm, "cmk", off).await, "BadRequest", "'encryption'");
    refused(&put(&arm, "hub1", encryption("kv1", "1")).await, "BadRequest", "'encryption'");
    refused(&patch(&arm, "hub1", encryption("kv1", "1")).await, "BadRequest", "'encryption'");
    let kept = put(&arm, "cmk", json!({})).await;
    assert_eq!(
        (kept.at("/properties/hbiWorkspace"), kept.at(key)),
        (true.into(), "https://kv1.vault.azure.net/keys/k/3".into())
    );
}

/// azure.md §9.6, §12.7: hbiWorkspace and data isolation are fixed; whether that is said is a switch. So are kind and place.
#[tokio::test]
async fn what_is_fixed_is_refused_fails_or_has_no_effect() {
    for (switch, status) in
        [(FixedProperties::Refuse, 400), (FixedProperties::Error, 500), (FixedProperties::Ignore, 200)]
    {
        let arm = done_with(|options| options.fixed_properties = switch).await;
        for (method, name, value) in [
            (Method::PUT, "hbiWorkspace", true),
            (Method::PUT, "enableDataIsolation", false),
            (Method::PATCH, "enableDataIsolation", false),
        ] {
            let mut body = arm.hub_body();
            body["properties"][name] = json!(value);
            assert_eq!(arm.send(method.clone(), &arm.hub_path(), body).await.status, status, "{method} {name}");
            let after = arm.get(&arm.hub_path()).await.at(&format!("/properties/{name}"));
            assert_eq!(after, !value, "{method} {name}: nothing changes");
        }
        assert_eq!(patch(&arm, "hub1", json!({ "hbiWorkspace": true })).await.status, 200, "no PATCH has it");
    }
    let arm = done().await;
    let mut body = arm.hub_body();
    body["kind"] = json!("Default");
    refused(&arm.put(&arm.hub_path(), body.clone()).await, "BadRequest", "'kind'");
    (body["kind"], body["location"]) = (json!("Hub"), json!("westus"));
    assert_eq!(arm.put(&arm.hub_path(), body).await.error(), (409, "InvalidResourceLocation".to_owned()));
}

/// azure.md §9.5, §9.6: identities that go together, and one that cannot be left alone again.
#[tokio::test]
async fn identities_are_added_and_not_taken_back() {
    let arm = done().await;
    let user = arm.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", "uai1");
    let with = |kind: &str, map: Value| {
        let mut body = arm.hub_body();
        body["identity"] = json!({ "type": kind, "userAssignedIdentities": map });
        body
    };
    let one = json!({ &user: {} });
    let wrong = "a non-UserAssigned identity type should not contain: userAssignedIdentities";
    for (name, map) in [("new", one.clone()), ("hub1", one.clone()), ("hub1", json!({}))] {
        refused(&arm.put(&path(&arm, name), with("SystemAssigned", map)).await, "FailedIdentityOperation", wrong);
    }
    assert_eq!(arm.put(&path(&arm, "hub2"), with("SystemAssigned", Value::Null)).await.status, 200);
    let none = arm.put(&path(&arm, "new"), with("UserAssigned", json!({}))).await;
    refused(&none, "FailedIdentityOperation", "should contain: userAssignedIdentities");

    let only = arm.put(&path(&arm, "user"), with("UserAssigned", one.clone())).await;
    assert_eq!((only.at("/identity/type"), only.at("/identity/principalId")), ("UserAssigned".into(), Value::Null));
    let both = arm.patch(&path(&arm, "hub2"), with("SystemAssigned, UserAssigned", one)).await;
    assert_eq!((both.status, both.at("/identity/type")), (200, "SystemAssigned,UserAssigned".into()));
    let back = arm.patch(&path(&arm, "hub2"), with("SystemAssigned", Value::Null)).await;
    refused(&back, "FailedIdentityOperation", "cannot be changed from 'SystemAssigned,UserAssigned'");
    arm.emulator.configure(|options| options.system_identity_removal = Ruling::Refuse);
    let kept = arm.patch(&path(&arm, "hub2"), with("UserAssigned", Value::Null)).await;
    refused(&kept, "FailedIdentityOperation", "to 'UserAssigned'");
    arm.emulator.configure(|options| options.system_identity_removal = Ruling::Accept);
    assert_eq!(arm.patch(&path(&arm, "hub2"), with("UserAssigned", Value::Null)).await.status, 200);
}

/// azure.md §9.7: the platform grants to a system-assigned identity that is alone; without rights on the group it goes
/// to the account.
#[tokio::test]
async fn the_platform_grants_to_a_system_identity_alone() {
    let arm = done().await;
    let user = arm.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", "uai1");
    let (system, outside) = (json!({ "type": "SystemAssigned" }), json!({ "allowRoleAssignmentOnRG": false }));
    let with = |kind: &str| json!({ "type": kind, "userAssignedIdentities": { &user: {} } });
    let (both, only) = (with("SystemAssigned,UserAssigned"), with("UserAssigned"));
    for (name, switch, identity, properties, expected) in [
        ("system", HubRolesFor::Alone, &system, json!({}), &["rg1", "sa1"][..]),
        ("outside", HubRolesFor::Alone, &system, outside, &["sa1", "sa1"]),
        ("both", HubRolesFor::Alone, &both, json!({}), &[]),
        ("both-any", HubRolesFor::Any, &both, json!({}), &["rg1", "sa1"]),
        ("user", HubRolesFor::Any, &only, json!({}), &[]),
    ] {
        arm.emulator.configure(|options| options.hub_roles_for = switch);
        let mut body = arm.hub_body();
        body["identity"] = identity.clone();
        body["properties"].as_object_mut().expect("an object").extend(properties.as_object().expect("one").clone());
        let hub = arm.put(&path(&arm, name), body).await;
        let first = hub.at("/identity/userAssignedIdentities");
        let first = first.as_object().and_then(|map| map.values().next()).map(|first| first["principalId"].clone());
        let held = [hub.at("/identity/principalId"), first.unwrap_or(Value::Null)];
        let all = arm.emulator.assignments();
        let mine = all.iter().filter(|found| held.iter().any(|id| *id == found.principal_id.as_str()));
        let mut scopes: Vec<_> = mine.map(|found| found.scope.rsplit('/').next().expect("a name")).collect();
        scopes.sort_unstable();
        assert_eq!(scopes, expected, "{name}");
    }
}

/// azure.md §9.5: what a project may not have of its own.
#[tokio::test]
async fn a_project_has_nothing_of_its_own() {
    let arm = done().await;
    let of_the_hub = json!({ "managedNetwork": { "isolationMode": "AllowInternetOutbound" } });
    put(&arm, "isolated", of_the_hub).await;
    let mut body = project(&arm);
    body["properties"]["hubResourceId"] = json!(arm.emulator.id("rg1", WORKSPACES, "isolated"));
    let made = arm.put(&path(&arm, "prj1"), body.clone()).await;
    assert_eq!((made.status, made.at(ISOLATION)), (200, "AllowInternetOutbound".into()));
    for (name, value, text) in [
        (
            "managedNetwork",
            json!({ "isolationMode": "Disabled" }),
            "shouldn't define it's own managed network properties.",
        ),
        ("keyVault", json!("/v"), "Project shouldn't have its own Key Vault"),
        ("storageAccount", json!(arm.account), "Project shouldn't have its own Storage Account"),
    ] {
        let mut own = body.clone();
        own["properties"][name] = value;
        refused(&arm.put(&path(&arm, "prj2"), own.clone()).await, "ValidationError", text);
        refused(&arm.put(&path(&arm, "prj1"), own).await, "ValidationError", text);
    }
    let again = arm.put(&path(&arm, "prj1"), body).await;
    refused(&again, "ValidationError", "Managed network cannot be disabled once enabled.");
}

/// azure.md §9.10: a policy adds a tag to every write, whatever the writer sent.
#[tokio::test]
async fn a_policy_adds_tags() {
    let policy = format!("modify {WORKSPACES} tags.SecurityControl=Ignore");
    let arm = done_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
    let mut body = arm.hub_body();
    body["tags"] = json!({ "env": "demo" });
    let both = json!({ "env": "demo", "SecurityControl": "Ignore" });
    assert_eq!(arm.put(&path(&arm, "new"), body).await.at("/tags"), both);
    let reply = arm.patch(&path(&arm, "new"), json!({ "tags": { "env": "demo" } })).await;
    assert_eq!(reply.at("/tags"), both);
}

/// azure.md §9.5: errors with explicit nulls, in refusals, in what rules make and in failed operations.
#[tokio::test]
async fn errors_have_nulls_when_told_to() {
    let arm = arm_with(|options| options.error_nulls = OnOff::On).await;
    let whole = |error: &Value| {
        for name in ["additionalInfo", "debugInfo", "innerError", "detailsUri", "referenceCode", "severity"] {
            assert!(error.get(name).is_some_and(Value::is_null), "{name} of {error}");
        }
        assert_eq!(error["messageFormat"], error["message"]);
        assert!(error["details"].is_array() && error["messageParameters"].is_object(), "{error}");
    };
    let refusal = put(&arm, "hub1", json!({ "storageAccount": "/other" })).await;
    assert_eq!(refusal.status, 400);
    whole(&refusal.at("/error"));
    let rule = "PATCH */hub1 -> 400 BadRequest message=no detail=\"Inner: why\" times=1";
    arm.emulator.fault(rule.parse::<Rule>().expect("a rule"));
    let fault = patch(&arm, "hub1", json!({})).await;
    whole(&fault.at("/error"));
    whole(&fault.at("/error/details/0"));
    let rule = "PATCH */hub1 -> fail-operation BadRequest message=later times=1";
    arm.emulator.fault(rule.parse::<Rule>().expect("a rule"));
    let started = patch(&arm, "hub1", json!({})).await;
    let status = arm.get(started.header("azure-asyncoperation").expect("a link")).await;
    assert_eq!(status.at("/status"), "Failed");
    whole(&status.at("/error"));
    assert!(arm.get("/subscriptions/x?api-version=2022-12-01").await.at("/error").get("debugInfo").is_none());
}

/// azure.md §9.5: what the emulator has no reason of its own for; the rules stand in emulator.md.
#[tokio::test]
async fn the_rules_of_the_page_make_the_other_errors() {
    const PAGE: &str = include_str!("../../../docs/internals/emulator.md");
    let (_, rest) = PAGE.split_once("<!-- rules for hubs").expect("the rules");
    let rules: Vec<&str> = rest.split("```").nth(1).expect("a block").trim().lines().collect();
    assert_eq!(rules.len(), 6);
    let arm = done().await;
    for rule in rules {
        let (request, answer) = rule.split_once(" -> ").expect("an arrow");
        let (method, path) = request.split_once(' ').expect("a method");
        let member = path.split_once('?').map_or("description", |(_, member)| member);
        let (status, rest) = answer.split_once(' ').expect("a status");
        let (code, message) = rest.split_once(" message=").expect("a text");
        let id = arm.emulator.fault(rule.parse::<Rule>().expect("a rule"));
        let body = json!({ "properties": { member: {} } });
        let reply = arm.send(method.parse().expect("a method"), &arm.hub_path(), body).await;
        assert_eq!(reply.error(), (status.parse().expect("a number"), code.to_owned()), "{rule}");
        assert_eq!(reply.message(), message.trim_matches('"'), "{rule}");
        arm.emulator.release(id);
    }
}
