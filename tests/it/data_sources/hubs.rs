//! `foundryhub_hubs`.

use std::time::Instant;

use serde_json::{Value, json};

use super::{ELSEWHERE, assert_ended_after_a_second, bed, bed_with, count, each, seed, subscription};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};
use crate::support::{
    bed::Bed,
    core::{Core, Diagnostics, UNKNOWN},
};

const TYPE: &str = "foundryhub_hubs";

/// The hubs of a configuration that is read without a diagnostic.
async fn hubs(bed: &mut Bed, config: Value) -> Value {
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(diagnostics.0, []);
    data["hubs"].clone()
}

/// The hubs of a configuration, and the one warning that reading them gives.
async fn warned(bed: &mut Bed, config: Value) -> (Value, String) {
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    let warning = diagnostics.warning("The key state of storage accounts is not known").detail.clone();
    assert_eq!(diagnostics.0.len(), 1, "{diagnostics}");
    (data["hubs"].clone(), warning)
}

async fn refused(bed: &mut Bed, config: Value) -> Diagnostics {
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(data, Value::Null);
    diagnostics
}

#[tokio::test]
async fn every_hub_is_listed_with_its_mode_and_key_state() {
    let mut bed = bed().await;
    let second = seed(&bed, "rg0", "hub2", "Identity", false);
    bed.emulator.change(&second, |hub| hub["tags"] = json!({ "env": "test" }));
    let first = bed.emulator.resource(&bed.hub).unwrap();
    let other = bed.emulator.resource(&second).unwrap();
    let (data, diagnostics) = bed.core.read_data(TYPE, json!({})).await;
    assert_eq!(diagnostics.0, []);
    let expected = json!({
        "subscription_id": subscription(&bed),
        "resource_group_name": null,
        "kinds": null,
        "timeouts": null,
        "hubs": [
            {
                "id": second,
                "name": "hub2",
                "resource_group_name": "rg0",
                "location": "eastus",
                "kind": "Hub",
                "system_datastores_auth_mode": "identity",
                "storage_account_id": bed.emulator.id("rg0", ACCOUNTS, "sa2"),
                "shared_access_key_enabled": false,
                "principal_id": other["identity"]["principalId"],
                "user_assigned_principal_ids": [],
                "tags": { "env": "test" },
            },
            {
                "id": bed.hub,
                "name": "hub1",
                "resource_group_name": "rg1",
                "location": "eastus",
                "kind": "Hub",
                "system_datastores_auth_mode": "accesskey",
                "storage_account_id": bed.account,
                "shared_access_key_enabled": true,
                "principal_id": first["identity"]["principalId"],
                "user_assigned_principal_ids": [],
                "tags": {},
            },
        ],
    });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn a_group_a_subscription_and_kinds_limit_the_list() {
    let mut bed = bed().await;
    seed(&bed, "rg2", "hub2", "identity", true);
    let classic = seed(&bed, "rg2", "hub3", "identity", true);
    bed.emulator.change(&classic, |hub| hub["kind"] = json!("default"));
    let project = bed.another_hub("project1");
    bed.emulator.change(&project, |hub| hub["kind"] = json!("Project"));
    let names = async |bed: &mut Bed, config| {
        let hubs = hubs(bed, config).await;
        each(&hubs, "name").into_iter().map(|name| name.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&mut bed, json!({})).await, ["hub1", "hub2"]);
    assert_eq!(names(&mut bed, json!({ "resource_group_name": "RG2" })).await, ["hub2"]);
    assert_eq!(names(&mut bed, json!({ "kinds": ["hub", "Default"] })).await, ["hub1", "hub2", "hub3"]);
    let kinds = hubs(&mut bed, json!({ "kinds": ["Default"] })).await;
    assert_eq!(each(&kinds, "kind"), ["Default"]);
    bed.emulator.seed(&format!("subscriptions: {{ {ELSEWHERE}: Elsewhere }}"));
    let elsewhere = bed.hub.replace(&subscription(&bed), ELSEWHERE);
    bed.emulator.seed_hub(&elsewhere, &bed.account, json!({}));
    let config = json!({ "subscription_id": ELSEWHERE, "resource_group_name": "" });
    assert_eq!(each(&hubs(&mut bed, config).await, "id"), [&json!(elsewhere)]);
    assert_eq!(names(&mut bed, json!({ "kinds": [], "subscription_id": "" })).await, ["hub1", "hub2"]);
}

#[tokio::test]
async fn a_group_without_hubs_has_an_empty_list() {
    let mut bed = bed().await;
    bed.emulator.seed_storage_account(&bed.emulator.id("rg2", ACCOUNTS, "sa2"), json!({}));
    assert_eq!(hubs(&mut bed, json!({ "resource_group_name": "rg2" })).await, json!([]));
    assert_eq!(bed.requests(), ["GET workspaces of rg2"], "no account is read");
}

#[tokio::test]
async fn below_ten_accounts_are_read_one_by_one_and_from_there_on_by_a_list() {
    let mut bed = bed().await;
    bed.another_hub("hub1b");
    for number in 2..10 {
        seed(&bed, "rg1", &format!("hub{number}"), "identity", number % 2 == 0);
    }
    let few = hubs(&mut bed, json!({})).await;
    assert_eq!(few.as_array().unwrap().len(), 10);
    let requests = bed.requests();
    assert_eq!(requests.len(), 10, "one list, and nine accounts of ten hubs: {requests:?}");
    assert!((1..10).all(|number| count(&requests, &format!("GET sa{number}")) == 1), "{requests:?}");

    seed(&bed, "rg2", "hub10", "identity", false);
    let many = hubs(&mut bed, json!({})).await;
    assert_eq!(
        bed.requests(),
        [format!("GET workspaces of {}", subscription(&bed)), format!("GET storageAccounts of {}", subscription(&bed)),]
    );
    assert_eq!(each(&many, "shared_access_key_enabled").iter().filter(|keys| **keys == &json!(false)).count(), 5);
}

/// The numbers of the largest subscriptions. Pages have 200 items; the hub and the account of the bed come on top.
#[tokio::test]
async fn five_thousand_hubs_take_as_many_requests_as_there_are_pages() {
    let mut bed = bed().await;
    bed.emulator.seed("fleets: [{ hubs: 5000, groups: 20, hubs_per_account: 2, shared_keys: [false, null] }]");
    let found = hubs(&mut bed, json!({})).await;
    let requests = bed.requests();
    let pages = |of: &str| requests.iter().filter(|request| request.starts_with(of)).count();
    assert_eq!((pages("GET workspaces"), pages("GET storageAccounts"), requests.len()), (26, 13, 39));
    // In each group keys are off on 63 of 125 accounts.
    let keys = each(&found, "shared_access_key_enabled");
    assert_eq!((keys.len(), keys.iter().filter(|keys| **keys == &json!(false)).count()), (5001, 20 * 63 * 2));
}

#[tokio::test]
async fn an_account_of_another_subscription_is_read_there() {
    let mut bed = bed().await;
    bed.emulator.seed(&format!("subscriptions: {{ {ELSEWHERE}: Elsewhere }}"));
    let account = bed.account.replace(&subscription(&bed), ELSEWHERE);
    bed.emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": false }));
    let hub = bed.emulator.id("rg1", WORKSPACES, "hub2");
    bed.emulator.seed_hub(&hub, &account, json!({}));
    let found = hubs(&mut bed, json!({})).await;
    assert_eq!(each(&found, "shared_access_key_enabled"), [true, false]);

    let denied = bed.emulator.fault(Rule::on("GET", &account, Fault::Denied));
    let (found, warning) = warned(&mut bed, json!({})).await;
    assert_eq!(each(&found, "shared_access_key_enabled"), [&json!(true), &Value::Null]);
    assert_eq!(each(&found, "storage_account_id"), [&json!(bed.account), &json!(account)]);
    assert!(warning.contains(&account) && !warning.contains(&bed.account), "{warning}");
    assert!(warning.contains("The caller lacks Microsoft.Storage/storageAccounts/read on"), "{warning}");
    bed.emulator.release(denied);
}

#[tokio::test]
async fn accounts_that_are_gone_or_may_not_be_read_are_named_and_fail_nothing() {
    let mut bed = bed().await;
    seed(&bed, "rg1", "hub2", "identity", false);
    let gone = bed.emulator.id("rg1", ACCOUNTS, "sa2");
    bed.emulator.remove(&gone);
    bed.emulator.fault(Rule::on("GET", &bed.account, Fault::Status(403)).code("Odd"));
    seed(&bed, "rg1", "hub3", "identity", false);
    let unseen = bed.emulator.id("rg1", ACCOUNTS, "sa3");
    bed.emulator.fault(Rule::on("GET", &unseen, Fault::Status(404)).code("SubscriptionNotFound"));
    let (found, warning) = warned(&mut bed, json!({})).await;
    assert_eq!(each(&found, "shared_access_key_enabled"), [&Value::Null; 3]);
    for text in [&gone, "code: ResourceNotFound", &bed.account, "code: Odd", &unseen, "code: SubscriptionNotFound"] {
        assert!(warning.contains(text), "{text} is missing: {warning}");
    }
}

/// With null instead a `check` would pass or fail by chance.
#[tokio::test]
async fn a_failure_that_says_nothing_about_the_accounts_fails_the_read() {
    for accounts in [1, 12] {
        let mut bed = bed().await;
        bed.core.configure(json!({ "max_retries": 0 }));
        for number in 2..=accounts {
            seed(&bed, "rg1", &format!("hub{number}"), "identity", false);
        }
        let all = format!("{}/providers/{ACCOUNTS}", bed.subscription);
        let path = if accounts == 1 { bed.account.clone() } else { all };
        for (fault, text) in [
            (Fault::Status(503), "Azure error code: Odd"),
            (Fault::Status(429), "Azure error code: Odd"),
            (Fault::Status(409), "Azure error code: Odd"),
            (Fault::Close, "GET"),
        ] {
            let fault = bed.emulator.fault(Rule::on("GET", &path, fault).code("Odd"));
            let failed = refused(&mut bed, json!({})).await;
            let error = failed.error("The storage accounts were not read");
            assert!(error.detail.contains(text) && error.detail.contains(&path), "{failed}");
            bed.emulator.release(fault);
        }
    }
}

#[tokio::test]
async fn an_account_in_an_unknown_form_hides_no_other() {
    for hubs in [3, 12] {
        let mut bed = bed().await;
        for number in 2..=hubs {
            seed(&bed, "rg1", &format!("hub{number}"), "identity", false);
        }
        let bad = bed.emulator.id("rg1", ACCOUNTS, "sa2");
        let unused = bed.emulator.id("rg1", ACCOUNTS, "unused");
        bed.emulator.seed_storage_account(&unused, json!({}));
        for account in [&bad, &unused] {
            bed.emulator.change(account, |account| account["properties"]["allowSharedKeyAccess"] = json!("no"));
        }
        let (found, warning) = warned(&mut bed, json!({})).await;
        let keys = each(&found, "shared_access_key_enabled");
        assert_eq!(keys.iter().filter(|keys| **keys == &json!(false)).count(), hubs - 2, "{found:#}");
        let unknown: Vec<_> =
            found.as_array().unwrap().iter().filter(|hub| hub["shared_access_key_enabled"].is_null()).collect();
        assert_eq!(unknown.len(), 1, "{unknown:#?}");
        assert_eq!(unknown[0]["storage_account_id"], json!(bad));
        assert!(warning.contains(&bad) && warning.contains("expected a boolean"), "{warning}");
        assert!(!warning.contains(&unused) && !warning.contains(&bed.account), "{warning}");
    }
}

#[tokio::test]
async fn a_hub_whose_account_has_an_unknown_form_of_id_is_named() {
    let mut bed = bed().await;
    let second = seed(&bed, "rg1", "hub2", "identity", false);
    let odd = format!("{}/more", bed.account);
    bed.emulator.change(&second, |hub| hub["properties"]["storageAccount"] = json!(odd));
    let (found, warning) = warned(&mut bed, json!({})).await;
    assert_eq!(each(&found, "shared_access_key_enabled"), [&json!(true), &Value::Null]);
    assert_eq!(each(&found, "storage_account_id"), [&json!(bed.account), &Value::Null]);
    assert!(warning.contains(&odd) && warning.contains(&second), "{warning}");
}

#[tokio::test]
async fn however_many_pages_there_are_there_is_one_warning() {
    let mut bed = bed_with(|options| options.page_size = 2).await;
    for number in 2..7 {
        seed(&bed, "rg1", &format!("hub{number}"), "identity", false);
    }
    bed.emulator.fault(Rule::on("GET", &format!("*/providers/{ACCOUNTS}/*"), Fault::Denied));
    let (_, warning) = warned(&mut bed, json!({})).await;
    assert_eq!(warning.matches("The caller lacks").count(), 1, "{warning}");
    assert_eq!(warning.lines().filter(|line| line.starts_with("/subscriptions/")).count(), 6, "{warning}");
}

/// The advice is to get a role where the list was denied.
#[tokio::test]
async fn the_scope_in_the_advice_is_that_of_the_denied_list() {
    let mut bed = bed().await;
    for number in 2..32 {
        seed(&bed, &format!("rg{}", number % 3), &format!("hub{number}"), "identity", false);
    }
    let all = format!("{}/providers/{ACCOUNTS}", bed.subscription);
    let of = |group: &str| all.replace("/providers", &format!("/resourceGroups/{group}/providers"));
    // Without Azure's own words about action and scope.
    let deny = |path: &str| bed.emulator.fault(Rule::on("GET", path, Fault::Status(403)).code("Odd"));
    deny(&all);
    deny(&of("rg2"));
    let lacks = |scope: &str| format!("The caller lacks Microsoft.Storage/storageAccounts/read on {scope}.");
    let (_, one) = warned(&mut bed, json!({})).await;
    let group = format!("{}/resourceGroups/rg2", bed.subscription);
    assert!(one.contains(&lacks(&group)) && !one.contains(&lacks(&bed.subscription)), "{one}");

    let deny = |path: &str| bed.emulator.fault(Rule::on("GET", path, Fault::Status(403)).code("Odd"));
    deny(&of("rg0"));
    let (_, several) = warned(&mut bed, json!({})).await;
    assert_eq!(several.matches("The caller lacks").count(), 1, "{several}");
    assert!(several.contains(&lacks(&bed.subscription)), "{several}");
}

#[tokio::test]
async fn where_the_accounts_of_the_subscription_may_not_be_listed_those_of_the_groups_are() {
    let mut bed = bed().await;
    for number in 2..32 {
        seed(&bed, &format!("rg{}", number % 3), &format!("hub{number}"), "identity", false);
    }
    bed.emulator.remove(&bed.emulator.id("rg0", ACCOUNTS, "sa3"));
    let all = format!("{}/providers/{ACCOUNTS}", bed.subscription);
    bed.emulator.fault(Rule::on("GET", &all, Fault::Denied));
    bed.emulator.fault(Rule::on("GET", &all.replace("/providers", "/resourceGroups/rg2/providers"), Fault::Denied));
    let (found, warning) = warned(&mut bed, json!({})).await;
    let unknown: Vec<_> =
        found.as_array().unwrap().iter().filter(|hub| hub["shared_access_key_enabled"].is_null()).collect();
    assert_eq!(unknown.len(), 11, "ten of the group, and the one that is gone: {unknown:#?}");
    assert!(
        warning.contains("Microsoft.Storage/storageAccounts/read") && warning.contains("do not exist"),
        "{warning}"
    );
    let subscription = subscription(&bed);
    assert_eq!(
        bed.requests(),
        [
            format!("GET workspaces of {subscription}"),
            format!("GET storageAccounts of {subscription}"),
            "GET storageAccounts of rg0".to_owned(),
            "GET storageAccounts of rg1".to_owned(),
            "GET storageAccounts of rg2".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_warning_gives_a_reason_once_and_names_ten_accounts() {
    let mut bed = bed().await;
    for number in 2..32 {
        seed(&bed, &format!("rg{}", number % 15), &format!("hub{number}"), "identity", false);
    }
    bed.emulator.fault(Rule::on("GET", &format!("*/providers/{ACCOUNTS}"), Fault::Denied));
    let (found, warning) = warned(&mut bed, json!({})).await;
    assert!(each(&found, "shared_access_key_enabled").iter().all(|keys| keys.is_null()));
    let lines = |text: &str| warning.lines().filter(|line| line.contains(text)).count();
    assert_eq!((lines("The caller lacks"), lines("and 21 more:")), (1, 1), "{warning}");
    let names = warning.lines().filter(|line| line.starts_with("/subscriptions/")).count();
    assert_eq!(names, 10, "{warning}");
}

#[tokio::test]
async fn a_page_that_cannot_be_read_fails_the_whole_list() {
    let mut bed = bed_with(|options| options.page_size = 2).await;
    for number in 2..6 {
        seed(&bed, "rg1", &format!("hub{number}"), "identity", false);
    }
    let list = format!("{}/providers/{WORKSPACES}", bed.subscription);
    let denied = bed.emulator.fault(Rule::on("GET", &list, Fault::Denied).after(1));
    let refused_page = refused(&mut bed, json!({})).await;
    let error = refused_page.error("Cannot list the hubs");
    for text in ["Microsoft.MachineLearningServices/workspaces/read", "set resource_group_name"] {
        assert!(error.detail.contains(text), "{}", error.detail);
    }
    let lists = bed.requests().iter().filter(|request| request.starts_with("GET workspaces")).count();
    assert_eq!(lists, 2, "the second page fails, and there is no third");
    bed.emulator.release(denied);

    for (attribute, value) in [("resource_group_name", "nowhere"), ("subscription_id", ELSEWHERE)] {
        let missing = refused(&mut bed, json!({ attribute: value })).await;
        let error = missing.error("The place to list hubs in does not exist");
        assert_eq!(error.path, attribute);
        assert!(error.detail.contains(value), "{}", error.detail);
    }
}

/// A hub that were left out would be missing in a `for_each`, and what was made for it would be destroyed.
#[tokio::test]
async fn a_hub_that_cannot_be_read_fails_the_list_and_is_named() {
    let mut bed = bed().await;
    let second = seed(&bed, "rg1", "hub2", "identity", false);
    bed.emulator.change(&second, |hub| hub["location"] = json!(["eastus"]));
    let diagnostics = refused(&mut bed, json!({})).await;
    let error = diagnostics.error("A hub of the list cannot be read");
    assert!(error.detail.contains(&second), "{}", error.detail);
}

#[tokio::test]
async fn nulls_in_azure_s_answers_are_nothing_special() {
    let mut bed = bed().await;
    bed.emulator.change(&bed.hub, |hub| {
        let id = hub["id"].clone();
        *hub = json!({ "id": id, "name": null, "location": null, "kind": "Hub", "tags": null, "identity": null, "properties": null });
    });
    let found = hubs(&mut bed, json!({})).await;
    let expected = json!([{
        "id": bed.hub,
        "name": "hub1",
        "resource_group_name": "rg1",
        "location": null,
        "kind": "Hub",
        "system_datastores_auth_mode": "accesskey",
        "storage_account_id": null,
        "shared_access_key_enabled": null,
        "principal_id": null,
        "user_assigned_principal_ids": [],
        "tags": {},
    }]);
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_older_api_version_that_lists_all_kinds_gives_the_same() {
    let mut bed = bed_with(|options| options.reject_api_version = vec!["2025-06-01".to_owned()]).await;
    let classic = bed.another_hub("classic");
    bed.emulator.change(&classic, |hub| hub["kind"] = json!("Default"));
    assert_eq!(each(&hubs(&mut bed, json!({})).await, "name"), ["hub1"]);
}

#[tokio::test]
async fn bad_arguments_are_refused_before_anything_is_sent() {
    let mut bed = bed().await;
    for (config, path) in [
        (json!({ "subscription_id": "prod" }), "subscription_id"),
        (json!({ "resource_group_name": "a/b" }), "resource_group_name"),
        (json!({ "kinds": ["Project"] }), "kinds"),
        (json!({ "timeouts": { "read": "soon" } }), "timeouts.read"),
    ] {
        assert_eq!(refused(&mut bed, config).await.error("Invalid value").path, path);
    }
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn without_a_subscription_or_a_provider_nothing_can_be_listed() {
    let mut bed = bed().await;
    let environment = bed.emulator.environment().into_iter().filter(|(name, _)| name != "ARM_SUBSCRIPTION_ID");
    let mut core = environment.fold(Core::new(), |core, (name, value)| core.env(name, value));
    let (_, diagnostics) = core.read_data(TYPE, json!({})).await;
    assert_eq!(diagnostics.error("The subscription is not known").path, "subscription_id");

    bed.core.configure(json!({ "client_id": UNKNOWN }));
    refused(&mut bed, json!({})).await.error("The provider is not configured yet");
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn the_deadline_and_an_interruption_end_the_read() {
    for (held, summary) in [(WORKSPACES, "Cannot list the hubs"), (ACCOUNTS, "The storage accounts were not read")] {
        let mut bed = bed().await;
        bed.emulator.fault(Rule::on("GET", &format!("*/{held}*"), Fault::Hold));
        let began = Instant::now();
        let late = refused(&mut bed, json!({ "timeouts": { "read": "1s" } })).await;
        assert_ended_after_a_second(began, &late.error(summary).detail);

        bed.emulator.clear_requests();
        let arm = bed.arm.clone();
        bed.core.interrupt_when(async move {
            arm.emulator.request_seen(|request| request.path.contains(held)).await;
        });
        let stopped = refused(&mut bed, json!({})).await;
        assert!(stopped.error(summary).detail.contains("cancelled while"), "{stopped}");
    }
}
