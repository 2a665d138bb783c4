//! Lists of foundryhub_hub.

use serde_json::{Value, json};

use super::{bed, bed_with, names};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};

const TYPE: &str = "foundryhub_hub";

#[tokio::test]
async fn hubs_are_listed_and_other_workspaces_are_not() {
    let mut bed = bed().await;
    bed.emulator.seed(&format!(
        "workspaces:\n  - {{ name: classic, properties: {{ storageAccount: sa1 }} }}\n  \
         - {{ name: project, kind: Project, properties: {{ hubResourceId: {} }} }}\n",
        bed.hub
    ));
    let other = bed.emulator.id("rg2", WORKSPACES, "HUB1");
    bed.emulator.seed_hub(&other, &bed.account, json!({}));
    let listed = bed.found(TYPE, json!({})).await;
    assert_eq!(names(&listed), ["hub1", "HUB1 (rg2)"]);
    assert_eq!((&listed[1].identity, &listed[1].object), (&json!({ "id": other }), &Value::Null));
    assert_eq!(bed.requests(), ["GET workspaces"]);
    let listed =
        bed.found(TYPE, json!({ "resource_group_name": "RG2", "subscription_id": bed.subscription_id() })).await;
    assert_eq!(names(&listed), ["HUB1"]);
    bed.emulator.seed("resource_groups: [{ name: empty }]");
    assert_eq!(bed.found(TYPE, json!({ "resource_group_name": "empty" })).await, []);
}

#[tokio::test]
async fn every_result_is_imported_by_its_identity_and_its_generated_configuration_plans_empty() {
    let mut bed = bed().await;
    let rich = bed.emulator.id("rg2", WORKSPACES, "rich");
    let (account, vault) =
        (bed.emulator.id("rg2", ACCOUNTS, "sa2"), bed.emulator.id("rg2", "Microsoft.KeyVault/vaults", "kv"));
    bed.emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": false }));
    let properties = json!({
        "friendlyName": "Rich", "description": "Has all.", "keyVault": vault, "systemDatastoresAuthMode": "Identity",
        "publicNetworkAccess": "Disabled", "managedNetwork": { "isolationMode": "AllowInternetOutbound" },
    });
    bed.emulator.seed_hub(&rich, &account, properties);
    bed.emulator.change(&rich, |hub| hub["tags"] = json!({ "env": "test" }));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 10).await;
    assert_eq!(diagnostics.0, []);
    let mut requests = bed.requests();
    requests.sort();
    assert_eq!(requests, ["GET sa1", "GET sa2", "GET workspaces"]);
    assert_eq!(
        (&listed[0].object["shared_access_key_enabled"], &listed[1].object["shared_access_key_enabled"]),
        (&json!(true), &json!(false))
    );
    let subscription = bed.subscription_id();
    let expected = [
        json!({
            "name": "hub1", "resource_group_name": "rg1", "subscription_id": subscription, "location": "eastus",
            "storage_account_id": bed.account, "system_datastores_auth_mode": "accesskey", "friendly_name": "My hub",
        }),
        json!({
            "name": "rich", "resource_group_name": "rg2", "subscription_id": subscription, "location": "eastus",
            "storage_account_id": account, "key_vault_id": vault, "system_datastores_auth_mode": "identity",
            "friendly_name": "Rich", "description": "Has all.", "public_network_access": "Disabled",
            "managed_network": { "isolation_mode": "AllowInternetOutbound" }, "tags": { "env": "test" },
        }),
    ];
    for (listed, expected) in listed.iter().zip(expected) {
        assert_eq!(bed.imported(TYPE, listed).await, expected);
    }
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn no_more_pages_are_read_than_the_limit_needs() {
    let mut bed = bed_with(|options| options.page_size = 2).await;
    for number in 2..8 {
        bed.another_hub(&format!("hub{number}"));
    }
    for (limit, include, requests) in [(0, true, 0), (2, false, 1), (3, true, 3), (100, false, 4)] {
        let (listed, diagnostics) = bed.core.list(TYPE, json!({}), include, limit).await;
        assert_eq!((listed.len() as i64, diagnostics.0), (limit.min(7), vec![]));
        assert_eq!(bed.requests().len(), requests, "{limit} {include}: the account is shared, and read once");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_a_warning_and_what_cannot_be_listed_an_error() {
    let mut bed = bed().await;
    let strange = bed.another_hub("hub2");
    bed.emulator.change(&strange, |hub| hub["identity"] = json!("none"));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 10).await;
    assert_eq!(names(&listed), ["hub1"]);
    assert!(diagnostics.warning("A hub of the list cannot be read").detail.contains("hub2"));
    bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Denied));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 10).await;
    assert_eq!(listed[0].object["shared_access_key_enabled"], Value::Null);
    diagnostics.warning("The key state of storage accounts is not known");
    bed.emulator.fault(Rule::on("GET", "*/workspaces", Fault::Denied));
    bed.refused(TYPE, json!({})).await.error("Cannot list the hubs");
}
