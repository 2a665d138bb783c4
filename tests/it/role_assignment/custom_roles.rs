//! Custom roles, whose names change, and roles whose ids others have written in another form.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, Bed, TYPE, bed, custom_role};
use crate::support::core::{Action, MoveFrom, UNKNOWN};

/// The one entry of `role_assignments` in the state, with its key.
fn entry(bed: &Bed) -> (String, Value) {
    let map = bed.state()["role_assignments"].as_object().expect("a map").clone();
    assert_eq!(map.len(), 1, "{map:?}");
    map.into_iter().next().expect("an entry")
}

#[tokio::test]
async fn a_renamed_custom_role_keeps_its_entry_when_the_configuration_follows() {
    for by_id_too in [false, true] {
        let mut bed = bed().await;
        let guid = custom_role(&bed, "Blob peeker").await;
        let (account, subscription) = (bed.account.clone(), bed.subscription.clone());
        let with = |name: &str| {
            let id = format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{guid}");
            let id = if by_id_too { json!(id) } else { Value::Null };
            json!({ "storage_account_id": account, "principal_id": ALICE, "role_definition_name": name, "role_definition_id": id })
        };
        bed.apply(&with("Blob peeker")).await.quiet();
        let before = entry(&bed);
        assert_eq!(before.0, "Blob peeker");
        custom_role(&bed, "Blob viewer").await;
        // The old name is not looked up again while nothing else changes.
        bed.plan(&with("Blob peeker")).await.ok().assert_empty();

        bed.emulator.clear_requests();
        let planned = bed.plan(&with("Blob viewer")).await.ok();
        assert_eq!(planned.action(), Action::Update, "{by_id_too}");
        let shown = &planned.change().planned["role_assignments"];
        match by_id_too {
            true => assert_eq!(shown["Blob peeker"], before.1),
            false => assert_eq!(*shown, UNKNOWN),
        }
        bed.core.apply_saved(planned).await.quiet();
        assert_eq!((entry(&bed), bed.writes()), (before, Vec::new()), "{by_id_too}");
        assert_eq!(bed.state()["role_definition_name"], "Blob viewer");
        bed.plan(&with("Blob viewer")).await.ok().assert_empty();

        let mut described = with("Blob viewer");
        described["description"] = json!("new");
        let key = entry(&bed);
        let planned = bed.plan(&described).await.ok();
        assert_eq!(planned.change().planned["role_assignments"][&key.0], key.1, "{by_id_too}");
        bed.core.apply_saved(planned).await.quiet();
        assert_eq!(entry(&bed), key);
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.held(ALICE, &bed.account), [""; 0]);
    }
}

#[tokio::test]
async fn a_custom_role_named_by_id_keeps_its_entry_when_it_is_renamed() {
    let mut bed = bed().await;
    let guid = custom_role(&bed, "Blob peeker").await;
    let mut config = json!({ "storage_account_id": bed.account, "principal_id": ALICE, "role_definition_id": guid });
    bed.apply(&config).await.quiet();
    let before = entry(&bed);
    custom_role(&bed, "Blob viewer").await;
    bed.plan(&config).await.ok().assert_empty();
    config["description"] = json!("new");
    bed.apply(&config).await.quiet();
    assert_eq!(entry(&bed), before);
    bed.plan(&config).await.ok().assert_empty();
}

/// A configuration that names another role by its name gets that one, whatever the old one is called by now.
#[tokio::test]
async fn a_configuration_with_another_role_name_replaces_a_role_that_was_renamed() {
    let mut bed = bed().await;
    let guid = custom_role(&bed, "Blob peeker").await;
    bed.apply(&bed.by_account(ALICE, "Blob peeker")).await.quiet();
    custom_role(&bed, "Blob viewer").await;
    let reader = bed.by_account(ALICE, "Storage Blob Data Reader");
    bed.apply(&reader).await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER]);
    assert_ne!(bed.held(ALICE, &bed.account), [guid]);
    bed.plan(&reader).await.ok().assert_empty();
}

/// Creates an assignment of this role, and gives the state of an azapi_resource for it.
async fn azapi(bed: &Bed, role: &str) -> MoveFrom {
    let name = "0f000000-0000-4000-8000-000000000001";
    let body = json!({ "properties": { "roleDefinitionId": role, "principalId": ALICE } });
    assert_eq!(bed.put(&bed.assignment_path(name), body).await.status, 201);
    let properties = json!({ "principalId": ALICE, "principalType": "User", "roleDefinitionId": role });
    MoveFrom {
        provider_address: "registry.terraform.io/azure/azapi".to_owned(),
        type_name: "azapi_resource".to_owned(),
        schema_version: 2,
        state: json!({
            "id": format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", bed.account),
            "body": { "properties": properties },
        }),
        private: Vec::new(),
        identity: None,
    }
}

#[tokio::test]
async fn an_assignment_moved_from_azapi_keeps_its_entry_whatever_the_form_of_its_role_id() {
    let root = |guid: &str| format!("/providers/Microsoft.Authorization/roleDefinitions/{guid}");
    for (custom, in_root) in [(true, false), (true, true), (false, true)] {
        let mut bed = bed().await;
        let peeker = custom_role(&bed, "Blob peeker").await;
        let (guid, name) =
            if custom { (peeker.as_str(), "Blob peeker") } else { (BLOB_READER, "Storage Blob Data Reader") };
        let id = if in_root { root(guid) } else { format!("{}{}", bed.subscription, root(guid)) };
        let by_name = bed.by_account(ALICE, name);
        let by_id = json!({ "storage_account_id": bed.account, "principal_id": ALICE, "role_definition_id": guid });
        let by_both = json!({
            "storage_account_id": bed.account, "principal_id": ALICE, "role_definition_id": id, "role_definition_name": name,
        });
        for mut config in [by_name, by_id, by_both] {
            let from = azapi(&bed, &id).await;
            assert!(bed.core.move_from(TYPE, "a", from).await.0.is_empty());
            let moved = entry(&bed);
            bed.emulator.clear_requests();
            bed.apply(&config).await.quiet();
            assert_eq!((entry(&bed), bed.writes()), (moved.clone(), Vec::new()), "{config}");
            bed.plan(&config).await.ok().assert_empty();
            config["description"] = json!("another one");
            let planned = bed.plan(&config).await.ok();
            assert_eq!(planned.change().planned["role_assignments"][&moved.0], moved.1, "{config}");
            bed.core.apply_saved(planned).await.quiet();
            assert_eq!((entry(&bed), bed.writes().len()), (moved, 1), "{config}");
            bed.plan(&config).await.ok().assert_empty();
            bed.core.destroy(TYPE, "a").await.quiet();
        }
    }
}
