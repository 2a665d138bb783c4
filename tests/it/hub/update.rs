//! Changes: tags, identities, mode and keys, one-way changes, and changes that Azure refuses or does not keep.

use serde_json::{Value, json};

use super::{bed, bed_with, on_hub};
use crate::azure::{Action as Fault, IsolationModes, Lro, Rule};
use crate::support::{bed::Bed, core::Action};

#[tokio::test]
async fn tags_of_others_stay_and_only_declared_ones_are_compared() {
    let mut bed = bed().await;
    let config = bed.with(json!({ "tags": { "purpose": "demo", "team": "a" } }));
    bed.apply(&config).await.quiet();
    bed.emulator.change(&bed.own_hub(), |hub| hub["tags"]["SecurityControl"] = json!("policy"));
    bed.plan(&config).await.ok().assert_empty();
    assert_eq!(bed.state()["tags"], json!({ "purpose": "demo", "team": "a" }));

    bed.emulator.clear_requests();
    let config = bed.with(json!({ "tags": { "purpose": "test" } }));
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
    assert_eq!(bed.sent("PATCH"), [json!({ "tags": { "purpose": "test", "SecurityControl": "policy" } })]);
    // A declared tag that somebody takes away is drift.
    bed.emulator.change(&bed.own_hub(), |hub| hub["tags"] = json!({ "SecurityControl": "policy" }));
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
    assert_eq!(bed.in_azure()["tags"], json!({ "purpose": "test", "SecurityControl": "policy" }));
    bed.apply(&bed.minimal()).await.quiet();
    assert_eq!(bed.in_azure()["tags"], json!({ "SecurityControl": "policy" }));
    bed.plan(&bed.minimal()).await.ok().assert_empty();
}

#[tokio::test]
async fn a_change_from_outside_of_each_attribute_is_seen_and_put_right() {
    let mut bed = bed().await;
    let full = json!({
        "friendly_name": "F", "description": "d", "tags": { "a": "1" }, "image_build_compute": "builder",
        "network_acls": { "default_action": "Deny", "ip_rules": ["198.51.100.0/24"] },
        "serverless_compute": { "public_ip_enabled": true },
        "container_registry_id": bed.emulator.id("rg1", "Microsoft.ContainerRegistry/registries", "cr1"),
        "system_datastores_auth_mode": "identity", "shared_access_key_enabled": true,
    });
    let config = bed.with(full);
    bed.apply(&config).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
    let other_registry = bed.emulator.id("rg1", "Microsoft.ContainerRegistry/registries", "cr2");
    for (pointer, value, attribute) in [
        ("/properties/friendlyName", json!("G"), "friendly_name"),
        ("/properties/description", json!(""), "description"),
        ("/properties/imageBuildCompute", json!(null), "image_build_compute"),
        ("/properties/publicNetworkAccess", json!("Disabled"), "public_network_access"),
        ("/properties/networkAcls", json!({ "defaultAction": "Allow", "ipRules": [] }), "network_acls"),
        ("/properties/serverlessComputeSettings", json!(null), "serverless_compute"),
        ("/properties/containerRegistry", json!(other_registry), "container_registry_id"),
        ("/properties/systemDatastoresAuthMode", json!("AccessKey"), "system_datastores_auth_mode"),
        ("/tags/a", json!("2"), "tags"),
    ] {
        assert_put_right(&mut bed, &config, pointer, value, attribute).await;
    }
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.emulator.clear_requests();
    bed.apply(&config).await.quiet();
    assert_eq!(bed.writes(), ["PATCH sa1 true"]);
}

/// Changes a member in Azure; the plan names the one attribute, and one PATCH puts it right.
async fn assert_put_right(bed: &mut Bed, config: &Value, pointer: &str, value: Value, attribute: &str) {
    bed.emulator.change(&bed.own_hub(), |hub| *hub.pointer_mut(pointer).expect("the member") = value);
    bed.emulator.clear_requests();
    let planned = bed.plan(config).await.ok();
    assert_eq!(planned.action(), Action::Update, "{attribute}");
    let change = planned.change();
    assert!(change.drifted(), "{attribute}");
    let before = change.before.as_object().expect("an object").iter();
    let differ = before.filter(|(name, value)| change.planned[name.as_str()] != **value);
    assert_eq!(differ.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [attribute]);
    bed.core.apply_saved(planned).await.ok();
    assert_eq!(bed.writes(), ["PATCH hub2"], "{attribute}");
    bed.plan(config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_change_from_outside_of_identities_insights_and_keys_is_seen_and_put_right() {
    let mut bed = bed().await;
    let id = |name: &str| bed.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", name);
    let insights = |name: &str| bed.emulator.id("rg1", "Microsoft.Insights/components", name);
    let (one, two, other_insights) = (id("u1"), id("u2"), insights("i2"));
    let key = |version: u8| format!("https://kv1.vault.test/keys/k/{version}");
    let config = bed.with(json!({
        "identity": { "type": "SystemAssigned, UserAssigned", "identity_ids": [one, two] },
        "primary_user_assigned_identity": one, "application_insights_id": insights("i1"),
        "encryption": { "key_vault_id": bed.vault(), "key_id": key(1) },
    }));
    bed.apply(&config).await.quiet();
    let mut identities = bed.in_azure()["identity"]["userAssignedIdentities"].clone();
    identities.as_object_mut().expect("a map").remove(&two);
    for (pointer, value, attribute) in [
        ("/identity/userAssignedIdentities", identities, "identity"),
        ("/properties/primaryUserAssignedIdentity", json!(two), "primary_user_assigned_identity"),
        ("/properties/applicationInsights", json!(other_insights), "application_insights_id"),
        ("/properties/encryption/keyVaultProperties/keyIdentifier", json!(key(2)), "encryption"),
    ] {
        assert_put_right(&mut bed, &config, pointer, value, attribute).await;
    }
}

/// What Azure does not take back ends the plan or replaces the hub; it is never left unsaid.
#[tokio::test]
async fn a_change_from_outside_that_no_patch_can_take_back_is_seen() {
    let mut bed = bed().await;
    let subscription = bed.subscription.clone();
    let group = |name: &str| format!("{subscription}/resourceGroups/{name}");
    let config = bed.with(json!({
        "managed_network": { "isolation_mode": "Disabled" }, "high_business_impact_enabled": false,
        "data_isolation_enabled": true, "purge_on_destroy": true,
        "workspace_hub_config": { "default_workspace_resource_group": group("rg1") },
    }));
    bed.apply(&config).await.quiet();
    for (member, value, attribute) in [
        ("hbiWorkspace", json!(true), "high_business_impact_enabled"),
        ("workspaceHubConfig", json!({ "defaultWorkspaceResourceGroup": group("rg9") }), "workspace_hub_config"),
    ] {
        let before = bed.in_azure()["properties"][member].clone();
        bed.emulator.change(&bed.own_hub(), |hub| hub["properties"][member] = value);
        let planned = bed.plan(&config).await.ok();
        let replaced = planned.change().requires_replace.clone();
        assert!(planned.action() == Action::Replace && replaced[0].starts_with(attribute), "{replaced:?}");
        bed.emulator.change(&bed.own_hub(), |hub| hub["properties"][member] = before);
    }
    for (member, value, says) in [
        ("managedNetwork", json!({ "isolationMode": "AllowInternetOutbound" }), "isolation"),
        ("enableDataIsolation", json!(false), "isolation"),
    ] {
        let before = bed.in_azure()["properties"][member].clone();
        bed.emulator.change(&bed.own_hub(), |hub| hub["properties"][member] = value);
        let report = bed.plan(&config).await.report;
        assert!(report.diagnostics.has_errors() && report.diagnostics.to_string().contains(says), "{member}");
        bed.emulator.change(&bed.own_hub(), |hub| hub["properties"][member] = before);
    }
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_hub_that_was_deleted_since_the_plan_is_not_made_anew_by_an_update_and_stays_in_the_state() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    let planned = bed.plan(&bed.with(json!({ "description": "d" }))).await.ok();
    bed.emulator.remove(&bed.own_hub());
    bed.emulator.clear_requests();
    let report = bed.core.apply_saved(planned).await.failed();
    let error = report.error("The hub does not exist");
    assert!(error.detail.contains(&bed.own_hub()), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state()["id"], bed.own_hub().as_str());
    // The next refresh finds it gone, and the plan creates it.
    assert_eq!(bed.plan(&bed.minimal()).await.ok().action(), Action::Create);
}

#[tokio::test]
async fn what_the_service_does_by_itself_is_no_drift() {
    let mut bed = bed().await;
    let key = "https://kv1.vault.test/keys/k/1";
    let encryption = json!({ "key_vault_id": bed.vault(), "key_id": key });
    let config = bed.with(json!({ "encryption": encryption }));
    bed.apply(&config).await.quiet();
    // A registry for the first image, isolation of data, and less diagnosis because of the encryption.
    let registry = bed.emulator.id("rg1", "Microsoft.ContainerRegistry/registries", "made");
    bed.emulator.change(&bed.own_hub(), |hub| {
        hub["properties"]["containerRegistry"] = json!(registry);
        hub["properties"]["hbiWorkspace"] = json!(true);
        hub["properties"]["storageAccount"] =
            json!(hub["properties"]["storageAccount"].as_str().unwrap().to_uppercase());
        hub["properties"]["keyVault"] =
            json!(hub["properties"]["keyVault"].as_str().unwrap().replace("KeyVault", "Keyvault"));
    });
    assert_eq!(bed.plan(&config).await.ok().action(), Action::NoOp);
    // Another key of the vault changes in place, and nothing else of it is sent.
    bed.emulator.clear_requests();
    let config =
        bed.with(json!({ "encryption": { "key_vault_id": bed.vault(), "key_id": "https://kv1.vault.test/keys/k/2" } }));
    bed.apply(&config).await.quiet();
    let key = json!({ "keyVaultProperties": { "keyIdentifier": "https://kv1.vault.test/keys/k/2" } });
    assert_eq!(bed.sent("PATCH"), [json!({ "properties": { "encryption": key } })]);
    // Giving it up replaces the hub.
    let planned = bed.plan(&bed.with(json!({ "purge_on_destroy": true }))).await.ok();
    assert_eq!(
        (planned.action(), &planned.change().requires_replace[..]),
        (Action::Replace, &["encryption".to_owned()][..])
    );
}

#[tokio::test]
async fn less_diagnosis_that_azure_turns_on_with_encryption_does_not_replace_a_hub_that_asked_for_more() {
    let mut bed = bed().await;
    let encryption = json!({ "key_vault_id": bed.vault(), "key_id": "https://kv1.vault.test/keys/k/1" });
    let config = bed.with(json!({ "encryption": encryption, "high_business_impact_enabled": false }));
    bed.apply(&config).await.quiet();
    bed.emulator.change(&bed.own_hub(), |hub| hub["properties"]["hbiWorkspace"] = json!(true));
    bed.plan(&config).await.ok().assert_empty();
    assert_eq!(bed.state()["high_business_impact_enabled"], false);
}

#[tokio::test]
async fn insights_and_registry_are_replaced_and_never_removed() {
    let mut bed = bed().await;
    let id = |name: &str| bed.emulator.id("rg1", "Microsoft.Insights/components", name);
    let (one, two) = (id("i1"), id("i2"));
    let registry = bed.emulator.id("rg1", "Microsoft.ContainerRegistry/registries", "cr1");
    let first = json!({ "application_insights_id": one, "container_registry_id": registry });
    bed.apply(&bed.with(first)).await.quiet();
    bed.emulator.clear_requests();
    // The default api-version's PATCH has no applicationInsights, and an older one has it.
    let config =
        bed.with(json!({ "application_insights_id": two, "container_registry_id": registry, "description": "d" }));
    bed.apply(&config).await.quiet();
    let sent =
        [json!({ "properties": { "description": "d" } }), json!({ "properties": { "applicationInsights": two } })];
    assert_eq!(bed.sent("PATCH"), sent);
    let versions: Vec<_> =
        bed.emulator.arm_requests().into_iter().filter(|it| it.method == "PATCH").map(|it| it.query).collect();
    assert!(versions[1].iter().any(|(_, value)| value == "2024-04-01"), "{versions:?}");
    bed.plan(&config).await.ok().assert_empty();

    for (change, path) in [
        (json!({ "application_insights_id": null, "container_registry_id": registry }), "application_insights_id"),
        (json!({ "application_insights_id": two, "container_registry_id": "" }), "container_registry_id"),
    ] {
        let planned = bed.plan(&bed.with(change)).await;
        assert_eq!(planned.report.error("This change is one-way").path, path);
    }
}

#[tokio::test]
async fn one_way_changes_are_refused_at_plan_with_the_reason() {
    let mut bed = bed().await;
    let identity = bed.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", "u1");
    let with = |mode: &str, both: bool, isolated: bool| {
        let identity = match both {
            true => json!({ "type": "SystemAssigned, UserAssigned", "identity_ids": [identity] }),
            false => json!({ "type": "SystemAssigned" }),
        };
        bed.with(json!({
            "managed_network": { "isolation_mode": mode }, "identity": identity, "data_isolation_enabled": isolated,
        }))
    };
    let config = with("AllowInternetOutbound", true, true);
    let refused = [
        (with("Disabled", true, true), "managed_network.isolation_mode", "isolation only ever grows"),
        (with("AllowInternetOutbound", false, true), "identity.type", "cannot go back to a system-assigned"),
        (with("AllowInternetOutbound", true, false), "data_isolation_enabled", "fixed when a hub is created"),
    ];
    bed.apply(&config).await.quiet();
    bed.emulator.clear_requests();
    for (config, path, says) in refused {
        let planned = bed.plan(&config).await;
        let error = planned.report.error("This change is one-way");
        assert!(error.path == path && error.detail.contains(says), "{error}");
    }
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn the_isolation_modes_that_the_service_names_count() {
    let mut bed = bed().await;
    let network = |mode: &str| bed.with(json!({ "managed_network": { "isolation_mode": mode } }));
    let (now, grown) = (network("AllowInternetOutbound"), network("AllowOnlyApprovedOutbound"));
    bed.apply(&now).await.quiet();
    // Without a list the order of the modes decides.
    for (modes, may) in [(IsolationModes::Listed, true), (IsolationModes::Empty, false), (IsolationModes::Absent, true)]
    {
        bed.emulator.configure(|options| options.isolation_modes = modes);
        let planned = bed.plan(&grown).await;
        match may {
            true => assert_eq!(planned.ok().action(), Action::Update),
            false => {
                let error = planned.report.error("This change is one-way");
                assert!(error.detail.contains("cannot change any more"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn identities_are_added_exchanged_and_compared_without_regard_to_spaces_and_case() {
    let mut bed = bed().await;
    let id = |name: &str| bed.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", name);
    let (one, two) = (id("u1"), id("u2"));
    bed.apply(&bed.minimal()).await.quiet();
    let principal = bed.state()["identity"]["principal_id"].clone();
    let both = |ids: Value| json!({ "identity": { "type": "SystemAssigned,UserAssigned", "identity_ids": ids } });
    bed.emulator.clear_requests();
    let config = bed.with(both(json!([one])));
    bed.apply(&config).await.quiet();
    let map = json!({ one.as_str(): {} });
    let sent = json!({ "identity": { "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map } });
    assert_eq!(bed.sent("PATCH"), [sent]);
    assert_eq!(bed.state()["identity"]["principal_id"], principal);
    let spelled =
        json!({ "identity": { "type": "SystemAssigned, UserAssigned", "identity_ids": [one.to_uppercase()] } });
    bed.plan(&bed.with(spelled)).await.ok().assert_empty();

    bed.emulator.clear_requests();
    let mut config = bed.with(both(json!([two])));
    config["primary_user_assigned_identity"] = json!(two);
    bed.apply(&config).await.quiet();
    let map = json!({ one.as_str(): null, two.as_str(): {} });
    let sent = json!({
        "properties": { "primaryUserAssignedIdentity": two },
        "identity": { "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map },
    });
    assert_eq!(bed.sent("PATCH"), [sent]);
    bed.plan(&config).await.ok().assert_empty();

    for (change, says) in [
        (json!({ "identity": { "type": "UserAssigned" } }), "identity_ids is missing"),
        (json!({ "identity": { "type": "SystemAssigned", "identity_ids": [one] } }), "does not fit the type"),
        (json!({ "identity": { "type": "None" } }), "identity.type: "),
        (
            json!({
                "primary_user_assigned_identity": one,
                "identity": { "type": "UserAssigned", "identity_ids": [two] },
            }),
            "The primary identity is not the hub's",
        ),
        (
            json!({ "public_network_access": "Disabled", "serverless_compute": {} }),
            "Serverless computes could not connect",
        ),
    ] {
        let config = bed.with(change);
        bed.core.validate(super::TYPE, "a", config).await.error(says);
    }
}

#[tokio::test]
async fn mode_and_keys_of_an_existing_hub_change_in_the_order_that_keeps_access() {
    let mut bed = bed().await;
    bed.emulator.set_mode(&bed.hub, "identity");
    let with = |mode: &str, keys: bool| {
        let settings =
            json!({ "system_datastores_auth_mode": mode, "shared_access_key_enabled": keys, "access_check": "warn" });
        bed.with(settings)
    };
    let (on_keys, keyless) = (with("accesskey", true), with("identity", false));
    bed.apply(&on_keys).await.ok();
    bed.emulator.clear_requests();
    bed.apply(&keyless).await.ok();
    assert_eq!(bed.writes(), ["PATCH hub2", "PATCH sa1 false"]);
    bed.plan(&keyless).await.ok().assert_empty();
    bed.emulator.clear_requests();
    bed.apply(&on_keys).await.ok();
    assert_eq!(bed.writes(), ["PATCH sa1 true", "PATCH hub2", "POST resyncKeys"]);
    bed.plan(&on_keys).await.ok().assert_empty();

    // Unset keeps what is there, and the enforcing of keys stops.
    bed.emulator.clear_requests();
    let config = bed.minimal();
    bed.apply(&config).await.ok();
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.apply(&config).await.ok();
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state()["system_datastores_auth_mode"], "accesskey");
    assert_eq!(bed.state()["shared_access_key_enabled"], false);
}

#[tokio::test]
async fn the_gates_stop_a_change_with_keys_on() {
    let mut bed = bed().await;
    let with = |mode: &str, keys: Value| {
        bed.with(json!({
            "system_datastores_auth_mode": mode, "shared_access_key_enabled": keys, "access_check": "enforce",
        }))
    };
    let (first, keyless) = (with("accesskey", Value::Null), with("identity", json!(false)));
    bed.apply(&first).await.ok();
    bed.emulator.clear_requests();
    // hub1 uses the keys of the account.
    bed.apply(&keyless).await.failed().error("Other workspaces use the keys");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state()["system_datastores_auth_mode"], "accesskey");
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.apply(&keyless).await.ok();
    assert_eq!(bed.writes(), ["PATCH hub2", "PATCH sa1 false"]);
}

#[tokio::test]
async fn a_change_that_the_account_refuses_after_the_hub_was_changed_is_completed_by_the_next_apply() {
    let mut bed = bed().await;
    let with = |mode: &str, keys: bool| {
        bed.with(json!({ "system_datastores_auth_mode": mode, "shared_access_key_enabled": keys, "description": mode }))
    };
    let (before, after) = (with("accesskey", true), with("identity", false));
    bed.apply(&before).await.ok();
    bed.emulator.fault(Rule::on("PATCH", "*/storageAccounts/sa1", Fault::Status(409)).code("ScopeLocked"));
    bed.emulator.clear_requests();
    bed.apply(&after).await.failed().error("A lock prevents the change");
    assert_eq!(bed.writes(), ["PATCH hub2", "PATCH sa1 false"]);
    let state = bed.state();
    assert_eq!((&state["description"], &state["shared_access_key_enabled"]), (&json!("identity"), &json!(true)));
    bed.emulator.clear_faults();
    bed.emulator.clear_requests();
    bed.apply(&after).await.ok();
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
    bed.plan(&after).await.ok().assert_empty();
}

#[tokio::test]
async fn a_refused_change_leaves_the_state_as_it_was() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.fault(on_hub("PATCH", Fault::Denied));
    let before = bed.state();
    let report = bed.apply(&bed.with(json!({ "description": "d" }))).await.failed();
    let error = report.error("Not allowed to change the hub");
    assert!(error.detail.contains("could not be changed: description"), "{error}");
    assert_eq!(bed.state(), before);
}

#[tokio::test]
async fn a_change_whose_operation_fails_shows_what_the_hub_has() {
    let mut bed = bed_with(|options| options.lro = Lro::Both).await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.fault(on_hub("PATCH", Fault::FailOperation).times(1));
    let config = bed.with(json!({ "description": "d" }));
    bed.apply(&config).await.failed().error("Azure failed to change the hub");
    assert_eq!(bed.state()["description"], Value::Null);
    bed.apply(&config).await.quiet();
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn a_change_that_a_policy_undoes_is_an_error_and_a_creation_only_warns() {
    let policy = "modify Microsoft.MachineLearningServices/workspaces properties.publicNetworkAccess=Enabled";
    let mut bed = bed().await;
    let config = bed.with(json!({ "public_network_access": "Disabled" }));
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
    let report = bed.apply(&config).await.failed();
    assert!(report.error("The hub did not keep the change").detail.contains("publicNetworkAccess"));
    assert_eq!(bed.state()["public_network_access"], "Enabled");

    let mut bed = super::bed().await;
    bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
    let report = bed.apply(&config_of(&bed)).await.ok();
    assert!(report.warning("Azure did not keep everything").detail.contains("publicNetworkAccess"));
    assert_eq!(bed.plan(&config_of(&bed)).await.ok().action(), Action::Update);
}

fn config_of(bed: &super::Bed) -> Value {
    bed.with(json!({ "public_network_access": "Disabled" }))
}

#[tokio::test]
async fn settings_of_the_provider_alone_are_updated_without_a_request() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.core.refresh_in_plans(false);
    bed.emulator.clear_requests();
    let config = bed.with(json!({
        "force_destroy": true, "purge_on_destroy": true, "access_check": "warn", "timeouts": { "delete": "2h" },
        "description": "", "location": "East US",
    }));
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
    assert_eq!(bed.requests(), [""; 0]);
}
