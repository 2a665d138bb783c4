//! Empty strings, as modules write them, and other spellings of roles and principals.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, Bed, TYPE, bed};
use crate::support::core::{Action, resource};

/// For each way to choose target and roles, the optional strings that it leaves free, and the rest of the
/// configuration.
fn configurations(bed: &Bed) -> Vec<(&'static [&'static str], Value)> {
    let (hub, account) = (&bed.hub, &bed.account);
    let by_id = format!("/providers/Microsoft.Authorization/roleDefinitions/{BLOB_READER}");
    let common: &[&str] = &[
        "principal_type",
        "description",
        "condition",
        "condition_version",
        "delegated_managed_identity_resource_id",
        "on_existing",
        "principal_propagation_timeout",
    ];
    let with = |names: &[&'static str]| -> &'static [&'static str] { [names, common].concat().leak() };
    vec![
        (
            with(&["storage_account_id", "scope", "scenario", "role_definition_name", "role_definition_id"]),
            json!({ "hub_id": hub, "access": "reader" }),
        ),
        (
            with(&["hub_id", "scope", "access", "role_definition_name", "role_definition_id"]),
            json!({ "storage_account_id": account, "scenario": "own_data" }),
        ),
        (
            with(&["hub_id", "storage_account_id", "access", "scenario", "role_definition_id"]),
            json!({ "scope": account, "role_definition_name": "Storage Blob Data Reader" }),
        ),
        (
            with(&["hub_id", "storage_account_id", "access", "scenario", "role_definition_name"]),
            json!({ "scope": bed.subscription, "role_definition_id": by_id }),
        ),
    ]
}

fn set(config: &Value, names: &[&str], value: &Value) -> Value {
    let mut config = config.clone();
    names.iter().for_each(|name| config[*name] = value.clone());
    config["principal_id"] = json!(ALICE);
    config["timeouts"] = ["create", "read", "update", "delete"].into_iter().map(|name| (name, value.clone())).collect();
    config
}

#[tokio::test]
async fn an_empty_string_means_null_in_every_attribute_and_stays_in_the_state() {
    let mut bed = bed().await;
    for (names, config) in configurations(&bed) {
        let empty = set(&config, names, &json!(""));
        assert_eq!(bed.core.validate(TYPE, "a", empty.clone()).await.0, [], "{config}");
        bed.apply(&empty).await.quiet();
        let sent = bed.emulator.arm_requests().into_iter().filter(|request| request.method == "PUT");
        for request in sent {
            let text = request.body.to_string();
            assert!(!text.contains("\"\"") && !text.contains("description"), "{text}");
        }
        let state = bed.state();
        names.iter().for_each(|name| assert_eq!(state[name], "", "{name} of {state}"));
        assert_eq!(state["timeouts"]["delete"], "");
        for _ in 0..2 {
            bed.emulator.clear_requests();
            let plan = bed.plan(&empty).await.ok();
            plan.assert_empty();
            assert!(!plan.change().drifted(), "{} {}", plan.change().stored, plan.change().before);
            // An apply without changes writes nothing.
            assert_eq!(bed.apply(&empty).await.quiet().action(), Action::NoOp);
            assert_eq!(bed.writes(), [""; 0]);
        }
        // A change from an empty string to null and back changes only the state.
        for other in [set(&config, names, &json!(null)), empty.clone()] {
            bed.apply(&other).await.quiet();
            assert_eq!(bed.writes(), [""; 0], "{other}");
            // The principal's type was not read from Azure until now. A refresh sets it.
            bed.core.refresh().await.quiet();
            bed.plan(&other).await.ok().assert_empty();
            assert_eq!(bed.core.identity(TYPE, "a")["principal_id"], ALICE);
        }
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
        bed.emulator.clear_requests();
    }
}

#[tokio::test]
async fn an_update_of_an_imported_object_to_empty_strings_writes_nothing() {
    let (mut bed, _) = super::import::seeded_pair().await;
    let (names, config) = configurations(&bed).remove(0);
    let empty = resource(TYPE, "a", set(&config, names, &json!("")));
    bed.core
        .import(TYPE, "a", crate::support::core::ImportFrom::Id(format!("{}|{ALICE}|reader", bed.hub)))
        .await
        .quiet();
    let report = bed.core.apply_one(empty).await.quiet();
    assert_eq!(report.action(), Action::Update);
    assert_eq!(bed.writes(), [""; 0]);
    let state = bed.state();
    // The values that the import has read count as another spelling of the empty strings.
    assert_eq!([&state["scope"], &state["on_existing"], &state["description"]], [bed.account.as_str(), "fail", ""]);
    bed.plan(&set(&config, names, &json!(""))).await.ok().assert_empty();
}

#[tokio::test]
async fn another_spelling_of_an_adopted_assignment_by_azure_keeps_the_resource_identity() {
    let mut bed = bed().await;
    bed.emulator.seed_assignment(&bed.account.to_uppercase(), ALICE, "Storage Blob Data Reader");
    let empty = json!({ "hub_id": bed.hub, "principal_id": ALICE, "role_definition_name": "Storage Blob Data Reader",
        "scope": "", "storage_account_id": "", "on_existing": "adopt" });
    bed.apply(&empty).await.quiet();
    let (id, identity) = (bed.recorded()[0].1.clone(), bed.core.identity(TYPE, "a"));
    assert!(!id.starts_with(&bed.account), "{id}");
    bed.plan(&empty).await.ok().assert_empty();
    bed.core.refresh().await.quiet();
    assert_eq!(bed.core.identity(TYPE, "a"), identity);
}

#[tokio::test]
async fn a_description_written_by_others_over_an_empty_one_is_drift_and_is_removed() {
    let mut bed = bed().await;
    let empty = json!({ "storage_account_id": bed.account, "principal_id": ALICE, "description": "", "condition": "",
        "condition_version": "", "scope": "", "role_definition_name": "Storage Blob Data Reader" });
    bed.apply(&empty).await.quiet();
    let path = format!("{}?api-version=2022-04-01", bed.recorded()[0].1);
    let mut body = bed.get(&path).await.body();
    // Azure keeps an empty description.
    body["properties"]["description"] = json!("");
    assert!(bed.put(&path, json!({ "properties": body["properties"] })).await.status < 300);
    bed.plan(&empty).await.ok().assert_empty();
    body["properties"]["description"] = json!("by hand");
    assert!(bed.put(&path, json!({ "properties": body["properties"] })).await.status < 300);
    let plan = bed.plan(&empty).await.ok();
    assert_eq!(
        (&plan.change().before["description"], &plan.change().planned["description"]),
        (&json!("by hand"), &json!(""))
    );
    bed.emulator.clear_requests();
    bed.apply(&empty).await.quiet();
    assert_eq!(bed.writes(), ["PUT blob reader"]);
    bed.plan(&empty).await.ok().assert_empty();
    let text = bed.get(&path).await.at("/properties/description");
    assert!(text.is_null(), "{text}");
}

#[tokio::test]
async fn an_empty_condition_version_is_2_0_where_there_is_a_condition() {
    let mut bed = bed().await;
    let hub = bed.hub.clone();
    let with = |condition: &str, version: Value| {
        json!({ "hub_id": hub, "principal_id": ALICE, "role_definition_name": "Storage Blob Data Reader",
                "condition": condition, "condition_version": version })
    };
    let condition = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'logs'";
    let configs =
        [with(condition, json!("")), with(condition, json!("2.0")), with("", json!("")), with(condition, json!(""))];
    for (config, writes) in configs.into_iter().zip([1, 0, 1, 1]) {
        bed.apply(&config).await.quiet();
        assert_eq!(bed.writes().len(), writes, "{config}");
        let found = bed.get(&format!("{}?api-version=2022-04-01", bed.recorded()[0].1)).await;
        let (condition, version) = (found.at("/properties/condition"), found.at("/properties/conditionVersion"));
        assert_eq!(
            (condition.is_null(), version),
            match config["condition"].as_str() {
                Some("") => (true, Value::Null),
                _ => (false, json!("2.0")),
            }
        );
        bed.emulator.clear_requests();
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn setting_an_empty_target_or_principal_type_replaces_nothing() {
    let mut bed = bed().await;
    let with = |scope: &str, kind: &str| {
        json!({ "hub_id": bed.hub, "storage_account_id": "", "scope": scope, "principal_id": ALICE, "principal_type": kind,
                "access": "reader" })
    };
    let (empty, given) = (with("", ""), with(&bed.account, "User"));
    bed.apply(&empty).await.quiet();
    bed.emulator.clear_requests();
    for config in [given, empty] {
        let report = bed.apply(&config).await.quiet();
        assert_ne!(report.action(), Action::Replace);
        assert_eq!(bed.writes(), [""; 0]);
        bed.plan(&config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_role_definition_id_is_accepted_as_azurerm_writes_it_and_other_ids_are_refused() {
    let mut bed = bed().await;
    let id = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_READER}", bed.subscription);
    let account = bed.account.clone();
    let with = |role: &str| json!({ "scope": account, "principal_id": ALICE, "role_definition_id": role });
    let azurerm = with(&format!("{id}|{}", bed.subscription));
    bed.apply(&azurerm).await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER]);
    assert_eq!(bed.state()["role_definition_id"], azurerm["role_definition_id"]);
    bed.plan(&azurerm).await.ok().assert_empty();
    // Other forms of the same id plan nothing.
    for form in [BLOB_READER, &id] {
        bed.plan(&with(form)).await.ok().assert_empty();
    }
    for (role, says) in [
        (format!("/subscriptions/{BLOB_READER}"), "is not of the form {guid} or {scope}/providers"),
        (format!("{id}/permissions/{BLOB_READER}"), "Microsoft.Authorization/roleDefinitions/permissions"),
        (format!("{id}|{BLOB_READER}"), "does not start with a slash"),
        (id.replace("roleDefinitions", "roleAssignments"), "is the id of a Microsoft.Authorization/roleAssignments"),
        (format!("{}/{BLOB_READER}", bed.account), "is the id of a Microsoft.Storage/storageAccounts"),
    ] {
        let found = bed.core.validate(TYPE, "a", with(&role)).await;
        assert_eq!(found.error(says).path, "role_definition_id", "{role}");
    }
}

#[tokio::test]
async fn a_principal_named_by_its_user_name_or_resource_id_is_refused_with_the_command_that_prints_its_object_id() {
    let mut bed = bed().await;
    let identity = format!(
        "{}/resourceGroups/rg1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/umi1",
        bed.subscription
    );
    let hub = bed.hub.clone();
    for (principal, says) in [
        ("alice@example.com", "az ad user show --id alice@example.com --query id --output tsv".to_owned()),
        (
            "bob_example.org#EXT#@example.com",
            "az ad user show --id bob_example.org#EXT#@example.com --query id --output tsv".to_owned(),
        ),
        (&identity, format!("az identity show --ids {identity} --query principalId --output tsv")),
        (&hub, format!("az resource show --ids {hub} --query identity.principalId --output tsv")),
    ] {
        let config = json!({ "hub_id": hub, "principal_id": principal, "access": "reader" });
        let found = bed.core.validate(TYPE, "a", config).await;
        let error = found.error(&says);
        assert_eq!((error.path.as_str(), error.summary.as_str()), ("principal_id", "Invalid value"));
    }
    let config = json!({ "hub_id": hub, "principal_id": "Alice", "access": "reader" });
    assert!(!bed.core.validate(TYPE, "a", config).await.error("not a GUID").detail.contains("az "));
}
