//! Lists of foundryhub_storage_auth.

use serde_json::{Value, json};

use super::{Bed, bed, bed_with, names};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};

const TYPE: &str = "foundryhub_storage_auth";

/// A hub in this mode, on an account of its own that accepts keys or not.
fn seed(bed: &Bed, group: &str, name: &str, mode: &str, keys: Option<bool>) -> String {
    let account = bed.emulator.id(group, ACCOUNTS, &format!("sa{group}{name}"));
    bed.emulator.seed_storage_account(&account, json!({}));
    bed.emulator.set_shared_key_access(&account, keys);
    let hub = bed.emulator.id(group, WORKSPACES, name);
    bed.emulator.seed_hub(&hub, &account, json!({ "systemDatastoresAuthMode": mode }));
    hub
}

/// hub1 with keys, and one hub for each other combination of mode and keys.
async fn postures() -> Bed {
    let bed = bed().await;
    seed(&bed, "rg2", "keyless", "identity", Some(false));
    seed(&bed, "rg2", "switched", "Identity", Some(true));
    seed(&bed, "rg3", "broken", "AccessKey", Some(false));
    seed(&bed, "rg3", "neverset", "", None);
    bed.emulator.clear_requests();
    bed
}

#[tokio::test]
async fn hubs_and_workspaces_without_one_are_listed_once_and_projects_are_not() {
    let mut bed = postures().await;
    bed.emulator.seed(&format!(
        "workspaces:\n  - {{ name: classic, properties: {{ storageAccount: sa1 }} }}\n  \
         - {{ name: features, kind: FeatureStore, properties: {{ storageAccount: sa1 }} }}\n  \
         - {{ name: project, kind: Project, properties: {{ hubResourceId: {} }} }}\n",
        bed.hub
    ));
    let listed = bed.found(TYPE, json!({})).await;
    let mut found = names(&listed);
    found.sort_unstable();
    assert_eq!(found, ["broken", "classic", "hub1", "keyless", "neverset", "switched"]);
    assert_eq!(bed.requests(), ["GET workspaces"], "nothing else has to be known");
    let first = listed.iter().find(|listed| listed.display_name == "hub1").unwrap();
    assert_eq!((&first.identity, &first.object), (&json!({ "hub_id": bed.hub }), &Value::Null));
}

#[tokio::test]
async fn equal_names_are_told_apart_by_their_resource_group() {
    let mut bed = bed().await;
    for group in ["rg2", "rg3"] {
        seed(&bed, group, "HUB1", "identity", None);
    }
    assert_eq!(names(&bed.found(TYPE, json!({})).await), ["hub1", "HUB1 (rg2)", "HUB1 (rg3)"]);
    assert_eq!(names(&bed.found(TYPE, json!({ "resource_group_name": "rg3" })).await), ["HUB1"]);
    assert_eq!(names(&bed.found(TYPE, json!({ "subscription_id": bed.subscription_id() })).await).len(), 3);
}

#[tokio::test]
async fn a_filter_lists_the_hubs_of_a_posture() {
    let mut bed = postures().await;
    let all = ["broken", "hub1", "keyless", "neverset", "switched"];
    for (config, expected) in [
        (json!({ "mode": "identity" }), &["keyless", "switched"][..]),
        (json!({ "mode": "ACCESSKEY" }), &["broken", "hub1", "neverset"]),
        (json!({ "mode": "userdelegationsas" }), &[]),
        (json!({ "only_shared_key_enabled": true }), &["hub1", "neverset", "switched"]),
        (json!({ "only_shared_key_enabled": false }), &all),
        (json!({ "broken": true }), &["broken"]),
        (json!({ "broken": false }), &["hub1", "keyless", "neverset", "switched"]),
        (json!({ "mode": "identity", "only_shared_key_enabled": true }), &["switched"]),
        (json!({ "mode": "accesskey", "broken": false, "resource_group_name": "RG3" }), &["neverset"]),
        (json!({ "mode": "" }), &all),
    ] {
        let listed = bed.found(TYPE, config.clone()).await;
        let mut found = names(&listed);
        found.sort_unstable();
        assert_eq!(found, expected, "{config}");
    }
}

#[tokio::test]
async fn only_accounts_that_matter_are_read() {
    let mut bed = postures().await;
    bed.found(TYPE, json!({ "mode": "identity" })).await;
    assert_eq!(bed.requests(), ["GET workspaces"]);
    for broken in [true, false] {
        bed.found(TYPE, json!({ "broken": broken, "mode": "identity" })).await;
        assert_eq!(bed.requests(), ["GET workspaces"], "a hub that uses identities is not broken");
    }
    bed.found(TYPE, json!({ "broken": false })).await;
    let mut requests = bed.requests();
    requests.sort();
    assert_eq!(requests, ["GET sa1", "GET sarg3broken", "GET sarg3neverset", "GET workspaces"]);
    bed.found(TYPE, json!({ "mode": "identity", "only_shared_key_enabled": true })).await;
    let mut requests = bed.requests();
    requests.sort();
    assert_eq!(requests, ["GET sarg2keyless", "GET sarg2switched", "GET workspaces"]);
}

#[tokio::test]
async fn no_more_pages_are_read_than_the_limit_needs() {
    let mut bed = bed_with(|options| options.page_size = 2).await;
    for number in 2..8 {
        bed.another_hub(&format!("hub{number}"));
    }
    for (limit, include, requests) in
        [(0, true, 0), (2, false, 1), (3, false, 2), (2, true, 2), (100, false, 4), (7, true, 5)]
    {
        let (listed, diagnostics) = bed.core.list(TYPE, json!({}), include, limit).await;
        assert_eq!((listed.len() as i64, diagnostics.0), (limit.min(7), vec![]));
        assert_eq!(bed.requests().len(), requests, "{limit} {include}: the account is shared, and read once");
    }
}

#[tokio::test]
async fn no_more_accounts_are_read_at_once_than_a_list_of_all_is_worth() {
    let mut bed = bed().await;
    for number in 10..30 {
        seed(&bed, "rg2", &format!("hub{number}"), "identity", None);
    }
    bed.emulator.clear_requests();
    // The hubs; eight accounts, each by itself; then all accounts by a list.
    for (limit, requests) in [(1, 1 + 8), (8, 1 + 8), (9, 1 + 8 + 1), (100, 1 + 8 + 1)] {
        let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, limit).await;
        assert_eq!((listed.len() as i64, diagnostics.0), (limit.min(21), vec![]));
        assert!(listed.iter().all(|listed| listed.object["shared_access_key_enabled"] == true));
        assert_eq!(bed.requests().len(), requests, "{limit}");
    }
}

#[tokio::test]
async fn accounts_that_cannot_be_read_are_told_once_at_the_end() {
    let mut bed = bed_with(|options| options.page_size = 1).await;
    for name in ["hub2", "hub3"] {
        seed(&bed, "rg2", name, "identity", None);
    }
    bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sarg2*", Fault::Denied));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 10).await;
    assert_eq!(names(&listed), ["hub1", "hub2", "hub3"]);
    let warning = diagnostics.warning("The key state of storage accounts is not known");
    assert!(warning.detail.contains("sarg2hub2") && warning.detail.contains("sarg2hub3"), "{warning}");
    assert_eq!(diagnostics.0.len(), 1);
    // Before an error that ends the list.
    bed.emulator.fault(Rule::on("GET", "*/workspaces", Fault::Denied).after(2));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 10).await;
    assert_eq!(names(&listed), ["hub1", "hub2"]);
    diagnostics.warning("The key state of storage accounts is not known");
    diagnostics.error("Cannot list the hubs");
    assert_eq!(diagnostics.0.len(), 2);
}

#[tokio::test]
async fn every_result_is_imported_by_its_identity_and_its_generated_configuration_plans_empty() {
    let mut bed = postures().await;
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 1000).await;
    assert_eq!(diagnostics.0, []);
    assert_eq!(listed.len(), 5);
    let first = listed.iter().find(|listed| listed.display_name == "hub1").unwrap();
    let hub = bed.emulator.resource(&bed.hub).unwrap();
    let whole = json!({
        "id": bed.hub,
        "hub_id": bed.hub,
        "system_datastores_auth_mode": "accesskey",
        "shared_access_key_enabled": true,
        "storage_account_id": bed.account,
        "hub_principal_id": hub["identity"]["principalId"],
        "hub_user_assigned_principal_ids": [],
        "restore_on_destroy": true,
        "restore_to": null,
        "original": { "system_datastores_auth_mode": null, "shared_access_key_enabled": null },
        "access_check": "warn",
        "access_check_principal_ids": null, "access_check_stop_on": null, "access_check_ignore_ids": null,
        "grant_settle_time": "0s",
        "platform_grant_timeout": "5m",
        "timeouts": null,
    });
    assert_eq!(first.object, whole);
    for listed in &listed {
        let config = bed.imported(TYPE, listed).await;
        let hub_id = &listed.identity["hub_id"];
        let expected = match listed.display_name.as_str() {
            "keyless" | "switched" => json!({ "hub_id": hub_id }),
            // In the spelling of the documentation, whatever Azure's is.
            _ => json!({ "hub_id": hub_id, "system_datastores_auth_mode": "accesskey" }),
        };
        assert_eq!(config, expected);
    }
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn configuration_of_an_object_in_a_state_has_neither_timeouts_nor_what_was_observed() {
    let mut bed = bed().await;
    let config = json!({
        "hub_id": bed.hub, "shared_access_key_enabled": false, "access_check": "off", "timeouts": { "create": "9m" },
    });
    bed.core.apply(TYPE, "a", config).await.ok();
    let state = bed.core.state(TYPE, "a");
    let generated = bed.core.generate(TYPE, &state).await;
    assert_eq!(generated, json!({ "hub_id": bed.hub, "access_check": "off" }));
}

#[tokio::test]
async fn a_hub_that_cannot_be_read_is_a_warning_in_its_place() {
    let mut bed = bed().await;
    for name in ["hub0", "hub2"] {
        let broken = bed.another_hub(name);
        bed.emulator.change(&broken, |hub| hub["identity"] = json!("none"));
    }
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 1).await;
    assert_eq!(names(&listed), ["hub1"]);
    let warning = diagnostics.warning("A hub of the list cannot be read");
    assert!(warning.detail.contains("hub0") || warning.detail.contains("hub2"), "{warning}");
}

#[tokio::test]
async fn a_hub_without_an_account_is_listed_by_its_id_and_left_out_as_an_object() {
    let mut bed = bed().await;
    bed.emulator.change(&bed.hub, |hub| hub["properties"]["storageAccount"] = Value::Null);
    assert_eq!(names(&bed.found(TYPE, json!({})).await), ["hub1"]);
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), true, 10).await;
    assert_eq!(listed, []);
    assert!(diagnostics.warning("The hub has no storage account").path.is_empty());
    // It is not broken as long as it uses identities.
    bed.emulator.set_mode(&bed.hub, "identity");
    assert_eq!(names(&bed.found(TYPE, json!({ "broken": false })).await), ["hub1"]);
}

#[tokio::test]
async fn a_filter_leaves_out_hubs_whose_account_cannot_be_read_and_says_so() {
    let mut bed = postures().await;
    bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sarg3broken", Fault::Denied));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({ "mode": "accesskey", "broken": true }), false, 10).await;
    assert_eq!(listed, []);
    let warning = diagnostics.warning("The key state of storage accounts is not known");
    assert!(warning.detail.contains("sarg3broken"), "{warning}");
    // Whether identities are used is all that this takes.
    let (listed, _) = bed.core.list(TYPE, json!({ "mode": "identity", "broken": false }), false, 10).await;
    assert_eq!(listed.len(), 2);
    let (listed, diagnostics) = bed.core.list(TYPE, json!({ "resource_group_name": "rg3" }), true, 10).await;
    let found = listed.iter().find(|listed| listed.display_name == "broken").expect("it is there all the same");
    assert_eq!(found.object["shared_access_key_enabled"], Value::Null);
    assert_eq!(diagnostics.0.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_listed_is_an_error_and_an_empty_place_is_empty() {
    let mut bed = bed().await;
    bed.emulator.seed("resource_groups: [{ name: empty }]");
    assert_eq!(bed.found(TYPE, json!({ "resource_group_name": "empty" })).await, []);
    let diagnostics = bed.refused(TYPE, json!({ "resource_group_name": "rg7" })).await;
    assert_eq!(diagnostics.error("The place to list hubs in does not exist").path, "resource_group_name");
    bed.emulator.fault(Rule::on("GET", "*/workspaces", Fault::Denied));
    let diagnostics = bed.refused(TYPE, json!({})).await;
    assert!(diagnostics.error("Cannot list the hubs").detail.contains("workspaces/read on"), "{diagnostics}");
    bed.requests();
    for (config, path) in [
        (json!({ "mode": "keys" }), "mode"),
        (json!({ "subscription_id": "mine" }), "subscription_id"),
        (json!({ "resource_group_name": "rg/1" }), "resource_group_name"),
    ] {
        let diagnostics = bed.refused(TYPE, config).await;
        assert!(diagnostics.has_errors() && diagnostics.0[0].path == path, "{diagnostics}");
    }
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn a_later_page_that_fails_comes_after_the_hubs_before_it() {
    let mut bed = bed_with(|options| options.page_size = 1).await;
    bed.another_hub("hub2");
    bed.emulator.fault(Rule::on("GET", "*/workspaces", Fault::Denied).after(1));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), false, 10).await;
    assert_eq!(listed.len(), 1);
    diagnostics.error("Cannot list the hubs");
}
