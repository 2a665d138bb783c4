//! What a configuration declares, leaves empty, and spells otherwise than Azure does.

use serde_json::{Value, json};

use super::{TYPE, bed};
use crate::support::core::{Action, ImportFrom, MoveFrom, resource};

const LEFT_EMPTY: [&str; 4] =
    ["subscription_id", "application_insights_id", "container_registry_id", "system_datastores_auth_mode"];

fn left_empty() -> Value {
    LEFT_EMPTY.into_iter().map(|name| (name.to_owned(), json!(""))).collect()
}

#[tokio::test]
async fn an_empty_text_is_the_same_as_none_for_everything_that_azure_may_fill_in() {
    let mut bed = bed().await;
    let keyless = json!({ "shared_access_key_enabled": false });
    let config = super::merged(bed.with(left_empty()), keyless.clone());
    bed.apply(&config).await.quiet();
    let created = bed.sent("PUT");
    assert_eq!(created[0]["properties"]["systemDatastoresAuthMode"], "identity");
    for _ in 0..2 {
        bed.plan(&config).await.ok().assert_empty();
        bed.core.refresh().await.ok();
    }
    let changed = super::merged(config.clone(), json!({ "description": "d" }));
    let planned = bed.plan(&changed).await.ok();
    assert_eq!((planned.action(), &planned.change().planned["id"]), (Action::Update, &json!(bed.own_hub())));
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.sent("PATCH"), [json!({ "properties": { "description": "d" } })]);
    // Left out altogether nothing changes either.
    let config = super::merged(bed.with(keyless), json!({ "description": "d" }));
    assert!(matches!(bed.plan(&config).await.ok().action(), Action::NoOp | Action::Update));
    bed.emulator.clear_requests();
    bed.apply(&config).await.quiet();
    assert_eq!((bed.writes(), &bed.state()["system_datastores_auth_mode"]), (Vec::new(), &json!("identity")));
    bed.apply(&changed).await.quiet();
    let other = json!({ "subscription_id": "00000000-0000-0000-0000-00000000abcd", "purge_on_destroy": true });
    let planned = bed.plan(&super::merged(changed, other)).await.ok();
    assert_eq!(
        (planned.action(), &planned.change().requires_replace),
        (Action::Replace, &vec!["subscription_id".into()])
    );
}

#[tokio::test]
async fn what_an_imported_hub_has_stays_where_the_configuration_has_an_empty_text() {
    let mut bed = bed().await;
    let own = json!({
        "application_insights_id": bed.emulator.id("rg1", "Microsoft.Insights/components", "i1"),
        "container_registry_id": bed.emulator.id("rg1", "Microsoft.ContainerRegistry/registries", "cr1"),
        "system_datastores_auth_mode": "accesskey",
    });
    bed.apply(&bed.with(own)).await.ok();
    let before = bed.state();
    bed.core.forget(TYPE, "a");
    bed.core.import(TYPE, "a", ImportFrom::Id(bed.own_hub())).await.ok();
    bed.emulator.clear_requests();
    let config = super::merged(bed.with(left_empty()), json!({ "description": "d" }));
    bed.apply(&config).await.quiet();
    assert_eq!(bed.sent("PATCH"), [json!({ "properties": { "description": "d" } })]);
    bed.plan(&config).await.ok().assert_empty();
    bed.apply(&super::merged(bed.minimal(), json!({ "description": "d" }))).await.quiet();
    for name in LEFT_EMPTY {
        assert_eq!(bed.state()[name], before[name], "{name}");
    }
}

#[tokio::test]
async fn an_id_that_azure_writes_in_other_letters_is_kept() {
    let mut bed = bed().await;
    let id = |kind: &str, name: &str| bed.emulator.id("rg1", kind, name);
    let identity = id("Microsoft.ManagedIdentity/userAssignedIdentities", "u1");
    let identities = json!({ "type": "SystemAssigned, UserAssigned", "identity_ids": [identity] });
    let subnet = format!("{}/subnets/s", id("Microsoft.Network/virtualNetworks", "v"));
    let changes = [
        ("containerRegistry", json!({ "container_registry_id": id("Microsoft.ContainerRegistry/registries", "Cr1") })),
        ("applicationInsights", json!({ "application_insights_id": id("Microsoft.Insights/components", "In1") })),
        ("primaryUserAssignedIdentity", json!({ "primary_user_assigned_identity": identity })),
        (
            "serverlessComputeSettings.serverlessComputeCustomSubnet",
            json!({ "serverless_compute": { "subnet_id": subnet } }),
        ),
    ];
    let mut config = bed.with(json!({ "identity": identities }));
    bed.apply(&config).await.quiet();
    for (member, change) in changes {
        config = super::merged(config, change.clone());
        let wanted = change.to_string();
        let wanted = wanted[wanted.find("/subscriptions").unwrap()..].trim_end_matches(['"', '}']).to_uppercase();
        let policy = format!("modify Microsoft.MachineLearningServices/workspaces properties.{member}={wanted}");
        bed.emulator.configure(|options| options.policy = vec![policy.parse().expect("a policy")]);
        bed.apply(&config).await.quiet();
        let pointer = format!("/properties/{}", member.replace('.', "/"));
        assert_eq!(bed.in_azure().pointer(&pointer), Some(&json!(wanted)));
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn only_what_was_sent_is_expected_of_a_change() {
    let mut bed = bed().await;
    bed.apply(&bed.with(json!({ "description": "d" }))).await.quiet();
    bed.core.refresh_in_plans(false);
    bed.emulator.change(&bed.own_hub(), |hub| hub["properties"]["description"] = json!("somebody's"));
    let config = bed.with(json!({ "description": "d", "friendly_name": "F" }));
    bed.apply(&config).await.quiet();
    assert_eq!(bed.in_azure()["properties"]["description"], "somebody's");
    bed.core.refresh_in_plans(true);
    assert_eq!(bed.plan(&config).await.ok().action(), Action::Update);
}

#[tokio::test]
async fn tags_that_an_import_brought_are_not_removed_until_the_configuration_has_set_them() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.change(&bed.own_hub(), |hub| hub["tags"] = json!({ "a": "1", "policy": "p" }));
    bed.core.forget(TYPE, "a");
    bed.core.import(TYPE, "a", ImportFrom::Id(bed.own_hub())).await.ok();
    assert_eq!(bed.state()["tags"], json!({ "a": "1", "policy": "p" }));
    let config = bed.with(json!({ "tags": { "a": "2" } }));
    let report = bed.apply(&config).await.ok();
    let warning = report.warning("Tags of others stay");
    assert!(warning.path == "tags" && warning.detail.contains(": policy."), "{warning}");
    assert_eq!(bed.in_azure()["tags"], json!({ "a": "2", "policy": "p" }));
    bed.plan(&config).await.ok().assert_empty();
    bed.apply(&bed.minimal()).await.quiet();
    assert_eq!(bed.in_azure()["tags"], json!({ "policy": "p" }));
}

#[tokio::test]
async fn a_tag_of_a_change_that_was_not_completed_is_the_configurations() {
    let mut bed = bed().await;
    let with = |tags: Value, keys: bool| bed.with(json!({ "tags": tags, "shared_access_key_enabled": keys }));
    let (first, second, third) =
        (with(json!({ "a": "1" }), true), with(json!({ "b": "1" }), false), with(json!({ "c": "1" }), true));
    bed.apply(&first).await.quiet();
    let fault = crate::azure::Rule::on("PATCH", "*/storageAccounts/sa1", crate::azure::Action::Status(409));
    bed.emulator.fault(fault.code("ScopeLocked"));
    bed.apply(&second).await.failed().error("A lock prevents the change");
    assert_eq!(bed.in_azure()["tags"], json!({ "b": "1" }));
    bed.emulator.clear_faults();
    bed.apply(&third).await.quiet();
    assert_eq!(bed.in_azure()["tags"], json!({ "c": "1" }));
}

#[tokio::test]
async fn data_isolation_that_azure_does_not_show_is_as_it_was_set() {
    let mut bed = bed().await;
    for isolated in [true, false] {
        let config = bed.with(json!({ "data_isolation_enabled": isolated, "purge_on_destroy": true }));
        bed.apply(&config).await.quiet();
        bed.emulator.change(&bed.own_hub(), |hub| {
            hub["properties"].as_object_mut().expect("an object").remove("enableDataIsolation");
        });
        bed.plan(&config).await.ok().assert_empty();
        bed.core.forget(TYPE, "a");
        bed.core.import(TYPE, "a", ImportFrom::Id(bed.own_hub())).await.ok();
        bed.apply(&config).await.quiet();
        bed.plan(&config).await.ok().assert_empty();
        bed.destroy().await.ok();
    }
}

#[tokio::test]
async fn one_way_errors_name_ways_that_work() {
    let mut bed = bed().await;
    let network =
        |mode: &str| bed.with(json!({ "managed_network": { "isolation_mode": mode }, "purge_on_destroy": true }));
    let (before, after) = (network("AllowInternetOutbound"), network("Disabled"));
    bed.apply(&before).await.quiet();
    let planned = bed.plan(&after).await;
    let error = planned.report.error("This change is one-way");
    assert!(error.detail.contains("run taint ADDRESS") && error.detail.contains("-refresh=false"), "{error}");
    bed.core.taint(TYPE, "a");
    assert_eq!(bed.apply(&after).await.ok().action(), Action::Replace);
    bed.plan(&after).await.ok().assert_empty();
}

#[tokio::test]
async fn values_that_azure_would_not_take_are_refused_by_validation() {
    let mut bed = bed().await;
    let acls = |rule: &str| json!({ "network_acls": { "default_action": "Deny", "ip_rules": [rule] } });
    let encrypted = |key: &str| json!({ "encryption": { "key_vault_id": bed.vault(), "key_id": key } });
    for (change, says) in [
        (json!({ "tags": { "a": null } }), "Invalid tags"),
        (json!({ "tags": { "a": "1", "A": "1" } }), "Invalid tags"),
        (acls("198.51.100"), "network_acls.ip_rules: "),
        (acls("198.51.100.0/33"), "network_acls.ip_rules: "),
        (acls("2001:db8::/32"), "network_acls.ip_rules: "),
        (encrypted("k/1"), "encryption.key_id: "),
        (encrypted("https://kv1.vault.test/keys/k"), "encryption.key_id: "),
        (encrypted("https://kv2.vault.test/keys/k/1"), "The key is of another vault"),
    ] {
        let config = bed.with(change.clone());
        bed.core.validate(TYPE, "a", config).await.error(says);
    }
    let fine = json!({
        "tags": { "a": "", "b": "1" },
        "network_acls": { "default_action": "Deny", "ip_rules": ["198.51.100.7", "198.51.100.0/24"] },
        "encryption": { "key_vault_id": bed.vault(), "key_id": "https://KV1.vault.test/keys/k/1" },
    });
    let fine = bed.with(fine);
    assert!(bed.core.validate(TYPE, "a", fine).await.0.is_empty());
}

#[tokio::test]
async fn a_primary_identity_is_one_of_those_that_the_hub_keeps() {
    let mut bed = bed().await;
    let id = |name: &str| bed.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", name);
    let (one, two) = (id("u1"), id("u2"));
    let primary = |id: &str| bed.with(json!({ "primary_user_assigned_identity": id }));
    let (one_alone, two_alone) = (primary(&one), primary(&two));
    bed.plan(&one_alone).await.report.error("The primary identity is not the hub's");
    let identity = json!({ "type": "SystemAssigned, UserAssigned", "identity_ids": [one] });
    bed.apply(&super::merged(one_alone.clone(), json!({ "identity": identity }))).await.ok();
    bed.plan(&one_alone).await.ok().assert_empty();
    bed.plan(&two_alone).await.report.error("The primary identity is not the hub's");
}

#[tokio::test]
async fn keys_that_somebody_else_has_disabled_are_no_matter_of_a_destroy() {
    let mut bed = bed().await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.apply(&bed.with(json!({ "purge_on_destroy": true }))).await.quiet();
    bed.destroy().await.quiet();
    let keyless = json!({ "shared_access_key_enabled": false, "purge_on_destroy": true });
    bed.apply(&bed.with(keyless.clone())).await.quiet();
    // Only a removal leaves them; a replacement still sets them.
    bed.apply(&super::merged(bed.with(keyless), json!({ "location": "westus" }))).await.quiet();
    bed.destroy().await.ok().warning("Shared keys stay disabled");
}

#[tokio::test]
async fn two_hubs_do_not_want_the_keys_of_one_account_both_ways() {
    let mut bed = bed().await;
    let base = bed.minimal();
    let hub = |address: &str, name: &str, keys: Value| {
        let more = json!({ "name": name, "shared_access_key_enabled": keys });
        resource(TYPE, address, super::merged(base.clone(), more))
    };
    let both = |keys: Value| vec![hub("a", "hub2", json!(false)), hub("b", "hub3", keys)];
    let planned = bed.core.plan_all(both(json!(true))).await;
    let error = planned.report.error("Two values for one storage account");
    let says = ["hub2", "hub3", bed.account.as_str(), "-refresh=false"];
    assert!(says.iter().all(|text| error.detail.contains(text)), "{error}");
    assert_eq!((error.path.as_str(), bed.writes()), ("shared_access_key_enabled", Vec::new()));
    bed.core.plan_all(both(Value::Null)).await.ok();
    bed.core.apply_all(both(json!(false))).await.ok();
    bed.core.plan_all(both(json!(false))).await.ok().assert_empty();
}

#[tokio::test]
async fn what_another_providers_configuration_has_set_is_not_cleared_after_a_move() {
    let mut bed = bed().await;
    let registry = bed.emulator.id("rg1", "Microsoft.ContainerRegistry/registries", "cr1");
    bed.apply(&bed.with(json!({ "container_registry_id": registry }))).await.quiet();
    bed.core.forget(TYPE, "a");
    let base = json!({ "id": bed.own_hub(), "name": "hub2", "location": "eastus", "resource_group_name": "rg1" });
    let azapi =
        |body: Value| json!({ "type": "Microsoft.MachineLearningServices/workspaces@2025-06-01", "body": body });
    let body = json!({ "properties": { "containerRegistry": registry } });
    for (type_name, provider, more, is_set) in [
        ("azurerm_ai_foundry", "hashicorp/azurerm", json!({ "container_registry_id": registry }), true),
        ("azurerm_ai_foundry", "hashicorp/azurerm", json!({ "container_registry_id": "" }), false),
        ("azapi_resource", "azure/azapi", azapi(body.clone()), true),
        ("azapi_resource", "azure/azapi", azapi(json!(body.to_string())), true),
        ("azapi_resource", "azure/azapi", azapi(json!({ "properties": {} })), false),
    ] {
        let from = MoveFrom {
            provider_address: format!("registry.terraform.io/{provider}"),
            type_name: type_name.to_owned(),
            schema_version: 0,
            state: super::merged(base.clone(), more),
            private: Vec::new(),
            identity: None,
        };
        let moved = bed.core.move_from(TYPE, "a", from).await;
        assert!(moved.0.is_empty(), "{moved}");
        let planned = bed.plan(&bed.minimal()).await;
        match is_set {
            true => assert_eq!(planned.report.error("This change is one-way").path, "container_registry_id"),
            false => _ = planned.ok(),
        }
        bed.core.forget(TYPE, "a");
    }
}
