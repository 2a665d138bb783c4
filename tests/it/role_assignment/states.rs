//! States of other releases and of other providers.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, Bed, TYPE, bed, bed_with, import::seeded_pair, name_of};
use crate::emulator::client::grant;
use crate::support::core::{MoveFrom, Stored};

const TENANT: &str = "11111111-1111-1111-1111-111111111111";

/// A file of `tests/data` with the bed's ids in it, and the names of the two assignments.
fn data(bed: &Bed, file: &str, [blob, file_name]: [&str; 2]) -> Value {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(&path).expect("the file is there");
    for (place, value) in [
        ("{{hub}}", bed.hub.as_str()),
        ("{{account}}", &bed.account),
        ("{{subscription}}", &bed.subscription),
        ("{{principal}}", ALICE),
        ("{{tenant}}", TENANT),
        ("{{name}}", blob),
        ("{{blob}}", blob),
        ("{{file}}", file_name),
        ("{{blob_in_hex}}", &blob.replace('-', "")),
        ("{{file_in_hex}}", &file_name.replace('-', "")),
    ] {
        text = text.replace(place, value);
    }
    serde_json::from_str(&text).expect("JSON")
}

/// What release 0.1.0 stores, as `tests/data` has it.
#[tokio::test]
async fn a_state_of_release_0_1_0_is_as_recorded_plans_empty_and_is_destroyed() {
    let midnight = time::macros::datetime!(2026-01-01 00:00:00 UTC);
    let mut bed = bed_with(|options| options.stop_clock = true).await;
    bed.emulator.set_time(midnight);
    let config = bed.by_hub(ALICE, "reader");
    bed.apply(&config).await.quiet();
    let recorded = bed.recorded();
    let names = [name_of(&recorded[0].1), name_of(&recorded[1].1)];
    let state = data(&bed, "foundryhub-role-assignment-0.json", names);
    let private = data(&bed, "foundryhub-role-assignment-0-private.json", names);
    let stored = bed.core.stored(TYPE, "a").clone();
    assert_eq!(stored.json, state);
    assert_eq!(serde_json::from_slice::<Value>(&stored.private).expect("JSON"), private);

    let long = data(&bed, "foundryhub-role-assignment-0-private-long.json", names);
    for private in [private.to_string().into_bytes(), long.to_string().into_bytes(), Vec::new()] {
        bed.core.store(TYPE, "a", Stored { private, ..Stored::written_by(0, state.clone()) });
        bed.emulator.clear_requests();
        bed.plan(&config).await.ok().assert_empty();
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.writes(), ["DELETE assignment", "DELETE assignment"]);
        assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
        bed.apply(&config).await.quiet();
    }
}

#[tokio::test]
async fn a_state_with_assignment_names_from_elsewhere_plans_empty() {
    let (mut bed, blob) = seeded_pair().await;
    let all = bed.emulator.assignments();
    let file = &all.iter().find(|found| found.principal_id == ALICE && found.name != blob).expect("the other").name;
    let state = data(&bed, "foundryhub-role-assignment-0.json", [&blob, file]);
    bed.core.store(TYPE, "a", Stored::written_by(0, state));
    bed.plan(&bed.by_hub(ALICE, "reader")).await.ok().assert_empty();
}

#[tokio::test]
async fn states_of_azurerm_and_azapi_are_moved_and_plan_empty() {
    let azurerm = ("registry.terraform.io/hashicorp/azurerm", "azurerm_role_assignment");
    let azapi = ("registry.opentofu.org/azure/azapi", "azapi_resource");
    for (file, (provider, type_name), full) in [
        ("azurerm-4-role-assignment.json", azurerm, false),
        ("azurerm-5-role-assignment.json", azurerm, true),
        ("azapi-2-role-assignment.json", azapi, false),
        ("azapi-2-role-assignment-full.json", azapi, true),
    ] {
        let mut bed = bed().await;
        let assignment = "0f000000-0000-4000-8000-000000000001";
        let mut config = bed.by_account(ALICE, "Storage Blob Data Reader");
        let mut body = grant(ALICE, BLOB_READER);
        if full {
            let identity = "providers/Microsoft.ManagedIdentity/userAssignedIdentities/umi1";
            let condition =
                "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'data'";
            for (ours, theirs, value) in [
                ("description", "description", "For the audit"),
                ("condition", "condition", condition),
                (
                    "delegated_managed_identity_resource_id",
                    "delegatedManagedIdentityResourceId",
                    &format!("{}/{identity}", bed.group),
                ),
            ] {
                config[ours] = json!(value);
                body["properties"][theirs] = json!(value);
            }
        }
        assert_eq!(bed.put(&bed.assignment_path(assignment), body).await.status, 201);
        let stored = data(&bed, file, [assignment, ""]);
        let from = MoveFrom {
            provider_address: provider.to_owned(),
            type_name: type_name.to_owned(),
            schema_version: stored["schema_version"].as_i64().expect("a version"),
            state: stored["attributes"].clone(),
            private: b"someone else's".to_vec(),
            identity: None,
        };
        let moved = bed.core.move_from(TYPE, "a", from.clone()).await;
        assert!(moved.0.is_empty(), "{file}: {moved}");
        bed.emulator.clear_requests();
        bed.plan(&config).await.ok().assert_empty();
        assert_eq!(bed.requests(), ["GET assignment"], "{file}");

        // It is updated and destroyed like any other, under the name it has.
        config["description"] = json!("ours now");
        bed.apply(&config).await.quiet();
        bed.plan(&config).await.ok().assert_empty();
        bed.core.destroy(TYPE, "a").await.quiet();
        let writes = bed.emulator.arm_requests().into_iter().filter(|request| request.method != "GET");
        let writes: Vec<_> =
            writes.map(|request| (request.method.clone(), name_of(&request.path).to_owned())).collect();
        assert_eq!(writes, ["PUT", "DELETE"].map(|method| (method.to_owned(), assignment.to_owned())), "{file}");

        let other = MoveFrom { type_name: "azurerm_storage_account".to_owned(), ..from.clone() };
        bed.core.move_from(TYPE, "a", other).await.error("cannot be moved to this type");
        let unlike = MoveFrom { state: json!({ "id": bed.account }), ..from };
        bed.core.move_from(TYPE, "a", unlike).await.error("cannot be moved to this type");
    }
}
