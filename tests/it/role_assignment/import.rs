//! Imports by every kind of id and by identity, and generated configuration.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{ALICE, BLOB_READER, Bed, TYPE, bed, custom_role};
use crate::support::core::{Action, ImportFrom, resource};

fn id(text: impl Into<String>) -> ImportFrom {
    ImportFrom::Id(text.into())
}

/// A bed in which Alice has the two reader roles from elsewhere, and the name of the first assignment.
pub(super) async fn seeded_pair() -> (Bed, String) {
    let bed = bed().await;
    let blob = bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
    bed.emulator.seed_assignment(&bed.account, ALICE, "Storage File Data Privileged Reader");
    (bed, blob)
}

#[tokio::test]
async fn a_pair_is_imported_by_hub_account_or_identity_and_plans_empty() {
    let (mut bed, _) = seeded_pair().await;
    let by_account = json!({ "storage_account_id": bed.account, "principal_id": ALICE, "access": "reader" });
    let by_scope = json!({ "scope": bed.account, "principal_id": ALICE, "access": "reader" });
    let identity = ImportFrom::Identity(json!({ "scope": bed.account, "principal_id": ALICE, "role": "reader" }));
    for (from, config) in [
        (id(format!("{}|{ALICE}|reader", bed.hub)), bed.by_hub(ALICE, "reader")),
        (id(format!("{}|{ALICE}|Reader", bed.account)), by_account.clone()),
        (id(format!("{}|{ALICE}|reader", bed.account)), by_scope),
        (identity, by_account),
    ] {
        bed.core.import(TYPE, "a", from).await.quiet();
        bed.plan(&config).await.ok().assert_empty();
        assert_eq!(bed.state()["principal_type"], "User");
        assert_eq!(bed.recorded().len(), 2);
        assert_eq!(bed.writes(), [""; 0]);
        bed.core.forget(TYPE, "a");
    }
}

#[tokio::test]
async fn one_role_is_imported_by_role_guid_or_assignment_id_and_plans_empty() {
    let (mut bed, name) = seeded_pair().await;
    let assignment = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", bed.account);
    for from in [format!("{}|{ALICE}|{BLOB_READER}", bed.account), assignment.clone()] {
        for config in [
            bed.by_account(ALICE, "Storage Blob Data Reader"),
            json!({ "scope": bed.account, "principal_id": ALICE, "role_definition_id": BLOB_READER }),
            json!({ "scope": bed.account, "principal_id": ALICE, "role_definition_name": "storage blob data reader", "role_definition_id": BLOB_READER }),
        ] {
            bed.core.import(TYPE, "a", id(from.clone())).await.quiet();
            assert_eq!(bed.recorded(), [("Storage Blob Data Reader".to_owned(), assignment.clone())]);
            bed.plan(&config).await.ok().assert_empty();
            bed.core.forget(TYPE, "a");
        }
    }
    // With hub_id instead of storage_account_id the plan is an update that writes nothing.
    bed.core.import(TYPE, "a", id(assignment)).await.quiet();
    let config =
        json!({ "hub_id": bed.hub, "principal_id": ALICE, "role_definition_name": "Storage Blob Data Reader" });
    bed.emulator.clear_requests();
    assert_eq!(bed.apply(&config).await.quiet().action(), Action::Update);
    assert_eq!(bed.writes(), [""; 0]);
    bed.plan(&config).await.ok().assert_empty();
    bed.core.destroy(TYPE, "a").await.quiet();
    assert_eq!(bed.writes(), ["DELETE assignment"]);
}

#[tokio::test]
async fn one_role_is_imported_by_role_name_or_azurerm_role_id_and_plans_empty() {
    let (mut bed, _) = seeded_pair().await;
    let guid = custom_role(&bed, "Blob peeker").await;
    let path = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", bed.subscription);
    bed.emulator.seed_assignment(&bed.account, ALICE, &guid);
    let identity =
        |role: &str| ImportFrom::Identity(json!({ "scope": bed.account, "principal_id": ALICE, "role": role }));
    let on_hub = |role: &str| {
        let config = json!({ "hub_id": bed.hub, "principal_id": ALICE, "role_definition_name": role });
        (id(format!("{}|{ALICE}|{role}", bed.hub)), config)
    };
    let reader = "Storage Blob Data Reader";
    for ((from, config), guid) in [
        (on_hub(reader), BLOB_READER),
        (on_hub("storage blob data READER"), BLOB_READER),
        (on_hub("Blob peeker"), &guid),
        ((identity(reader), bed.by_account(ALICE, reader)), BLOB_READER),
        ((identity("Blob peeker"), bed.by_account(ALICE, "Blob peeker")), &guid),
        (
            (id(format!("{}|{ALICE}|{path}|{}", bed.account, bed.subscription)), bed.by_account(ALICE, "Blob peeker")),
            &guid,
        ),
    ] {
        bed.core.import(TYPE, "a", from).await.quiet();
        bed.plan(&config).await.ok().assert_empty();
        assert_eq!(bed.core.identity(TYPE, "a")["role"], guid);
        assert_eq!(bed.recorded().len(), 1);
        bed.core.forget(TYPE, "a");
    }
}

#[tokio::test]
async fn one_role_of_a_pair_is_imported_and_the_plan_adds_the_other() {
    let (mut bed, name) = seeded_pair().await;
    assert!(bed.emulator.remove_assignment(&name));
    bed.core.import(TYPE, "a", id(format!("{}|{ALICE}|reader", bed.hub))).await.quiet();
    bed.emulator.clear_requests();
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    assert_eq!(bed.writes(), ["PUT blob reader"]);
}

#[tokio::test]
async fn an_import_block_imports_by_id_or_identity_and_writes_nothing() {
    let (mut bed, name) = seeded_pair().await;
    let identity = |role: &str| json!({ "scope": bed.account, "principal_id": ALICE, "role": role });
    let pair = bed.by_hub(ALICE, "reader");
    let single = bed.by_account(ALICE, "Storage Blob Data Reader");
    for (from, config, noted) in [
        (id(format!("{}|{ALICE}|reader", bed.hub)), &pair, Action::NoOp),
        // An identity has the scope, so that hub_id in the configuration is an update that writes nothing.
        (ImportFrom::Identity(identity("reader")), &pair, Action::Update),
        (ImportFrom::Identity(identity(BLOB_READER)), &single, Action::NoOp),
        (
            id(format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", bed.account)),
            &single,
            Action::NoOp,
        ),
    ] {
        let report = bed.core.apply_one(resource(TYPE, "a", config.clone()).import(from)).await.quiet();
        assert_eq!((report.action(), report.change().stored.is_null()), (noted, true));
        assert_eq!(bed.writes(), [""; 0]);
        bed.plan(config).await.ok().assert_empty();
        bed.core.forget(TYPE, "a");
        bed.emulator.clear_requests();
    }
}

#[tokio::test]
async fn an_import_id_in_another_casing_finds_the_same_assignment() {
    let (mut bed, name) = seeded_pair().await;
    let assignment = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", bed.account);
    let identity = |scope: &str| {
        ImportFrom::Identity(json!({ "scope": scope, "principal_id": ALICE.to_uppercase(), "role": "READER" }))
    };
    let (by_hub, by_scope) =
        (bed.by_hub(ALICE, "reader"), json!({ "scope": bed.account, "principal_id": ALICE, "access": "reader" }));
    let single = bed.by_account(ALICE, "Storage Blob Data Reader");
    for (from, config) in [
        (id(format!("{}|{ALICE}|reader", bed.hub).to_uppercase()), &by_hub),
        (id(format!("{}/|{ALICE}|Reader", bed.account.to_lowercase())), &by_scope),
        (identity(&bed.account.to_uppercase()), &by_scope),
        (id(assignment.to_uppercase()), &single),
        (id(assignment.to_lowercase()), &single),
    ] {
        bed.core.import(TYPE, "a", from).await.quiet();
        bed.plan(config).await.ok().assert_empty();
        bed.emulator.clear_requests();
        assert_eq!(bed.apply(config).await.quiet().action(), Action::NoOp);
        assert_eq!(bed.writes(), [""; 0]);
        bed.core.forget(TYPE, "a");
    }
}

#[tokio::test]
async fn a_principal_type_that_cannot_be_sent_is_imported_and_plans_empty() {
    for kind in ["ForeignGroup", "Device"] {
        let mut bed = bed().await;
        bed.emulator.seed(&format!(
            "role_assignments: [{{ scope: sa1, principal: {ALICE}, role: Storage Blob Data Reader, principal_type: {kind} }}]"
        ));
        let from = format!("{}|{ALICE}|{BLOB_READER}", bed.account);
        bed.core.import(TYPE, "a", id(from)).await.quiet();
        let mut config = generated(&bed);
        assert_eq!(config["principal_type"], kind);
        assert!(!bed.core.validate(TYPE, "a", config.clone()).await.has_errors());
        bed.plan(&config).await.ok().assert_empty();
        config["description"] = json!("new");
        bed.emulator.clear_requests();
        bed.apply(&config).await.quiet();
        let put = bed.emulator.arm_requests().into_iter().find(|request| request.method == "PUT").expect("a write");
        assert_eq!(put.body["properties"]["principalType"], Value::Null);
    }
}

/// The configuration that engines generate from a state: every attribute that may be set.
fn generated(bed: &Bed) -> Value {
    let mut config = bed.state();
    let attributes = config.as_object_mut().expect("an object");
    attributes.retain(|name, value| !value.is_null() && !["id", "role_assignments"].contains(&name.as_str()));
    config
}

/// Engines write configuration for an import from its state: every attribute that may be set.
#[tokio::test]
async fn configuration_generated_from_an_import_plans_empty() {
    let (mut bed, name) = seeded_pair().await;
    for from in [
        format!("{}|{ALICE}|reader", bed.hub),
        format!("{}|{ALICE}|reader", bed.account),
        format!("{}|{ALICE}|{BLOB_READER}", bed.account),
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", bed.account),
    ] {
        bed.core.import(TYPE, "a", id(from)).await.quiet();
        let config = generated(&bed);
        assert!(!bed.core.validate(TYPE, "a", config.clone()).await.has_errors(), "{config}");
        bed.plan(&config).await.ok().assert_empty();
        bed.core.forget(TYPE, "a");
    }
}

#[tokio::test]
async fn each_import_that_fails_says_why() {
    let (mut bed, _) = seeded_pair().await;
    let (hub, account) = (bed.hub.clone(), bed.account.clone());
    let nobody = Uuid::nil();
    for (from, text) in [
        ("reader".to_owned(), "Use TARGET|PRINCIPAL|ROLE"),
        (account.clone(), "Use TARGET|PRINCIPAL|ROLE"),
        (format!("{account}|alice|reader"), "\"alice\" is not a GUID"),
        (format!("{account}|{ALICE}|owner"), "holds none of \"Owner\" directly"),
        (format!("{account}|{ALICE}|Storage Blob Data Raeder"), "Did you mean \"Storage Blob Data Reader\""),
        (format!("{account}|{ALICE}|"), "is not of the form {guid}"),
        (format!("{account}|{ALICE}|/subscriptions/{BLOB_READER}"), "is not of the form {guid}"),
        (format!("{account}|{ALICE}|azure_search"), "The platform creates the role assignments of azure_search"),
        (format!("{account}|{ALICE}|contributor"), "It holds Storage Blob Data Reader on"),
        (format!("{hub}9|{ALICE}|reader"), "The hub does not exist"),
        (format!("{account}/providers/Microsoft.Authorization/roleAssignments/{nobody}"), "cannot be imported"),
    ] {
        let report = bed.core.import(TYPE, "a", id(from.clone())).await.failed();
        report.error(text);
        assert_eq!(bed.state(), Value::Null, "{from}");
    }
}

#[tokio::test]
async fn a_custom_role_is_found_by_name_or_guid_with_one_request_per_walk() {
    let mut bed = bed().await;
    let guid = custom_role(&bed, "Blob peeker").await;
    for config in [
        bed.by_account(ALICE, "blob peeker"),
        json!({ "storage_account_id": bed.account, "principal_id": ALICE, "role_definition_id": guid }),
        json!({ "storage_account_id": bed.account, "principal_id": ALICE, "role_definition_id": guid, "role_definition_name": "Blob peeker" }),
    ] {
        bed.emulator.clear_requests();
        bed.apply(&config).await.quiet();
        assert_eq!(bed.requests(), ["GET role", "GET list", "GET role", "GET list", "PUT assignment"]);
        assert_eq!(bed.recorded()[0].0.to_lowercase(), "blob peeker");
        bed.plan(&config).await.ok().assert_empty();
        assert_eq!(bed.requests(), ["GET assignment"]);
        bed.core.destroy(TYPE, "a").await.quiet();
    }
    let wrong = json!({ "storage_account_id": bed.account, "principal_id": ALICE, "role_definition_id": guid, "role_definition_name": "Blob picker" });
    bed.plan(&wrong).await.error("Name and id are those of different roles");
}

#[tokio::test]
async fn an_assignment_in_another_tenant_keeps_its_tenant() {
    let (mut bed, name) = seeded_pair().await;
    let tenant = "eeeeeeee-0000-4000-8000-000000000001";
    let assignment = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}|{tenant}", bed.account);
    bed.core.import(TYPE, "a", id(assignment.clone())).await.quiet();
    assert_eq!(bed.recorded()[0].1, assignment);
    bed.emulator.clear_requests();
    bed.plan(&bed.by_account(ALICE, "Storage Blob Data Reader")).await.ok().assert_empty();
    bed.core.destroy(TYPE, "a").await.quiet();
    let all = bed.emulator.arm_requests();
    assert!(all.iter().all(|request| request.query("tenantId") == Some(tenant)), "{all:#?}");
}

#[tokio::test]
async fn a_delegated_assignment_is_read_and_deleted_with_the_tenant_of_its_subscription() {
    let mut bed = bed().await;
    let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
    config["delegated_managed_identity_resource_id"] = json!(bed.account.replace("sa1", "anything"));
    bed.apply(&config).await.quiet();
    assert_eq!(bed.requests(), ["GET list", "GET list", "GET 22222222-2222-2222-2222-222222222222", "PUT blob reader"]);
    let tenant = "11111111-1111-1111-1111-111111111111";
    assert!(bed.recorded()[0].1.ends_with(&format!("|{tenant}")));
    bed.plan(&config).await.ok().assert_empty();
    bed.core.destroy(TYPE, "a").await.quiet();
    assert!(bed.emulator.arm_requests().iter().all(|request| request.query("tenantId") == Some(tenant)));
}
