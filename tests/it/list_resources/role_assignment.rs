//! Lists of foundryhub_role_assignment.

use serde_json::{Value, json};

use super::{Bed, bed, bed_with, names};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES, assignment_at, grant};
use crate::role_assignment::custom_role;
use crate::support::ids::{
    ALICE, BLOB_CONTRIBUTOR_NAME, BLOB_READER, BLOB_READER_NAME, BOB, CAROL, CONTRIBUTOR_NAMES, FILE_CONTRIBUTOR_NAME,
    READER_NAMES,
};

const TYPE: &str = "foundryhub_role_assignment";
const ELSEWHERE: &str = "99999999-2222-4222-8222-222222222222";

/// The object id of a hub's system-assigned identity.
fn identity(bed: &Bed, hub: &str) -> String {
    let hub = bed.emulator.resource(hub).expect("the hub");
    hub["identity"]["principalId"].as_str().expect("a system-assigned identity").to_owned()
}

/// A role assignment with these further properties.
async fn put(bed: &Bed, number: u32, principal: &str, role: &str, properties: Value) {
    let mut body = grant(principal, role);
    body["properties"].as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
    let path = assignment_at(&bed.account, &format!("eeeeeeee-0000-4000-8000-{number:012}"));
    assert_eq!(bed.put(&path, body).await.status, 201);
    bed.emulator.clear_requests();
}

#[tokio::test]
async fn a_pair_is_one_result_and_what_is_inherited_below_or_the_platforms_is_none() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.seed_roles(ALICE, &READER_NAMES);
    bed.seed_roles(BOB, &[BLOB_READER_NAME, "Owner"]);
    bed.emulator.seed_assignment(&bed.group, CAROL, BLOB_READER_NAME);
    bed.emulator.seed_assignment(
        &format!("{}/blobServices/default/containers/c", bed.account),
        CAROL,
        BLOB_READER_NAME,
    );
    let second = bed.another_hub("hub2");
    for hub in [&bed.hub, &second] {
        bed.seed_roles(&identity(&bed, hub), &CONTRIBUTOR_NAMES);
    }
    let own = identity(&bed, &bed.hub);
    bed.seed_roles(&own, &[BLOB_READER_NAME]);
    let listed = bed.found(TYPE, json!({ "hub_id": bed.hub })).await;
    let mut found = names(&listed);
    found.sort_unstable();
    let mut expected = [
        format!("contributor of {ALICE} on sa1"),
        format!("reader of {ALICE} on sa1"),
        format!("Owner of {BOB} on sa1"),
        format!("{BLOB_READER_NAME} of {BOB} on sa1"),
        format!("{BLOB_READER_NAME} of {own} on sa1"),
    ];
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(bed.requests(), ["GET hub1", "GET roleAssignments", "GET workspaces"]);
    let pair = listed.iter().find(|listed| listed.display_name.starts_with("contributor")).unwrap();
    let identity = json!({ "scope": bed.account, "principal_id": ALICE, "role": "contributor" });
    assert_eq!((&pair.identity, &pair.object), (&identity, &Value::Null));
    let single = listed.iter().find(|listed| listed.display_name.ends_with(&format!("{BOB} on sa1"))).unwrap();
    assert!(single.identity["role"] != "reader");
}

#[tokio::test]
async fn every_result_is_imported_by_its_identity_and_its_generated_configuration_plans_empty() {
    let mut bed = bed().await;
    let custom = custom_role(&bed, "Blob peeker").await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.seed_roles(BOB, &[BLOB_READER_NAME]);
    put(&bed, 1, BOB, &custom, json!({ "description": "Peeks." })).await;
    let condition = "(@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'c')";
    put(&bed, 2, ALICE, BLOB_READER, json!({ "condition": condition, "conditionVersion": "2.0" })).await;
    bed.emulator.clear_requests();
    let (listed, diagnostics) = bed.core.list(TYPE, json!({ "storage_account_id": bed.account }), true, 1000).await;
    assert_eq!(diagnostics.0, []);
    assert_eq!(
        bed.requests(),
        ["GET roleAssignments", &format!("GET {custom}")],
        "only the custom role has no known name"
    );
    let mut configs = Vec::new();
    for listed in &listed {
        configs.push(bed.imported(TYPE, listed).await);
    }
    let of = |principal: &str, more: Value| {
        let mut config =
            json!({ "storage_account_id": bed.account, "principal_id": principal, "principal_type": "User" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{custom}", bed.subscription);
    let expected = [
        of(ALICE, json!({ "access": "contributor" })),
        of(ALICE, json!({ "role_definition_name": BLOB_READER_NAME, "condition": condition })),
        of(BOB, json!({ "role_definition_name": BLOB_READER_NAME })),
        of(BOB, json!({ "role_definition_id": role, "description": "Peeks." })),
    ];
    assert_eq!(configs.len(), expected.len());
    for config in expected {
        assert!(configs.contains(&config), "{config} is not in {configs:#?}");
    }
    let named = format!("Blob peeker of {BOB} on sa1");
    assert!(names(&listed).contains(&named.as_str()), "the name that was read is not in {:?}", names(&listed));
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn roles_that_one_resource_cannot_have_together_are_results_of_their_own() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &[BLOB_CONTRIBUTOR_NAME]);
    put(&bed, 1, ALICE, crate::support::ids::FILE_CONTRIBUTOR, json!({ "description": "For files." })).await;
    let listed = bed.found(TYPE, json!({ "storage_account_id": bed.account })).await;
    let mut found = names(&listed);
    found.sort_unstable();
    let expected = [BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME].map(|role| format!("{role} of {ALICE} on sa1"));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn no_more_pages_are_read_than_the_limit_needs() {
    let mut bed = bed_with(|options| options.page_size = 2).await;
    for number in 10..20 {
        let person = format!("aaaaaaaa-0000-4000-8000-0000000000{number}");
        bed.emulator.add_principal(&person, "User");
        // No halves of a pair, of which the other one may be on any page.
        bed.seed_roles(&person, &["Owner", "Reader"]);
    }
    let config = json!({ "scope": bed.account });
    // Without a target the hubs are listed first.
    for (config, before) in [(config.clone(), 0), (json!({}), 1)] {
        for (limit, pages) in [(0, 0), (1, 1), (2, 1), (3, 2), (20, 10)] {
            let (listed, diagnostics) = bed.core.list(TYPE, config.clone(), false, limit).await;
            assert_eq!((listed.len() as i64, diagnostics.0), (limit, vec![]));
            assert_eq!(bed.requests().len(), if pages == 0 { 0 } else { before + pages }, "{config} {limit}");
        }
    }
    let listed = bed.found(TYPE, config).await;
    assert_eq!((listed.len(), bed.requests().len()), (20, 10));
    let mut all: Vec<_> = names(&listed);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 20, "each once");
}

#[tokio::test]
async fn a_pair_whose_halves_are_on_different_pages_is_one_result() {
    let mut bed = bed_with(|options| options.page_size = 1).await;
    for person in [ALICE, BOB, CAROL] {
        bed.seed_roles(person, &READER_NAMES);
    }
    let listed = bed.found(TYPE, json!({ "storage_account_id": bed.account })).await;
    let mut found = names(&listed);
    found.sort_unstable();
    assert_eq!(found, [ALICE, BOB, CAROL].map(|person| format!("reader of {person} on sa1")));
}

#[tokio::test]
async fn without_a_target_the_accounts_of_all_hubs_in_a_place_are_looked_at() {
    let mut bed = bed().await;
    bed.emulator.seed("resource_groups: [{ name: empty }]");
    let shared = bed.emulator.id("rg9", ACCOUNTS, "sashared");
    bed.emulator.seed_storage_account(&shared, json!({}));
    for group in ["rg2", "rg3"] {
        bed.emulator.seed_hub(&bed.emulator.id(group, WORKSPACES, "hub1"), &shared, json!({}));
    }
    let other = bed.emulator.id("rg1", ACCOUNTS, "saother");
    bed.emulator.seed_storage_account(&other, json!({}));
    bed.seed_roles(ALICE, &READER_NAMES);
    let platforms = identity(&bed, &bed.emulator.id("rg3", WORKSPACES, "hub1"));
    for (scope, principal, role) in [
        (&shared, BOB, BLOB_READER_NAME),
        (&shared, &platforms, BLOB_CONTRIBUTOR_NAME),
        (&other, BOB, BLOB_READER_NAME),
        (&bed.group, BOB, BLOB_READER_NAME),
    ] {
        bed.emulator.seed_assignment(scope, principal, role);
    }
    let (alice, bob) = (format!("reader of {ALICE} on sa1"), format!("{BLOB_READER_NAME} of {BOB} on sashared"));
    let subscription = bed.subscription_id();
    for (config, expected) in [
        (json!({}), vec![&alice, &bob]),
        (json!({ "subscription_id": subscription.to_uppercase() }), vec![&alice, &bob]),
        (json!({ "resource_group_name": "RG2" }), vec![&bob]),
        (json!({ "resource_group_name": "rg1" }), vec![&alice]),
        (json!({ "principal_id": BOB.to_uppercase() }), vec![&bob]),
        (json!({ "resource_group_name": "empty" }), vec![]),
    ] {
        let listed = bed.found(TYPE, config.clone()).await;
        let mut found = names(&listed);
        found.sort_unstable();
        let mut expected: Vec<_> = expected.into_iter().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(found, expected, "{config}");
        let requests = bed.requests();
        let asked: &[&str] = match config["resource_group_name"].as_str() {
            Some("empty") => &["GET workspaces"],
            // The platform's assignment is that of a hub in another resource group.
            Some("RG2") => &["GET workspaces", "GET roleAssignments", "GET workspaces"],
            _ => &["GET workspaces", "GET roleAssignments"],
        };
        assert_eq!(requests, asked, "{config}");
    }
    let diagnostics = bed.refused(TYPE, json!({ "resource_group_name": "rg7" })).await;
    assert_eq!(diagnostics.error("The place to list hubs in does not exist").path, "resource_group_name");
}

#[tokio::test]
async fn the_platforms_assignments_on_an_account_of_another_subscription_are_none_of_the_results() {
    let mut bed = bed().await;
    bed.emulator.seed(&format!("subscriptions: {{ {ELSEWHERE}: Elsewhere }}"));
    let account = bed.account.replace(&bed.subscription_id(), ELSEWHERE).replace("sa1", "safar");
    bed.emulator.seed_storage_account(&account, json!({}));
    let hub = bed.emulator.id("rg1", WORKSPACES, "hub2");
    bed.emulator.seed_hub(&hub, &account, json!({}));
    let own = identity(&bed, &hub);
    for (principal, role) in [(own.as_str(), BLOB_CONTRIBUTOR_NAME), (BOB, BLOB_READER_NAME)] {
        bed.emulator.seed_assignment(&account, principal, role);
    }
    let bob = format!("{BLOB_READER_NAME} of {BOB} on safar");
    for (config, requests) in [
        (json!({}), &["GET workspaces", "GET roleAssignments", "GET roleAssignments"][..]),
        (json!({ "resource_group_name": "rg1" }), &["GET workspaces", "GET roleAssignments", "GET roleAssignments"]),
        (json!({ "hub_id": hub }), &["GET hub2", "GET roleAssignments"]),
    ] {
        assert_eq!(names(&bed.found(TYPE, config.clone()).await), [bob.as_str()], "{config}");
        assert_eq!(bed.requests(), requests, "{config}");
    }
}

#[tokio::test]
async fn whoever_may_read_a_resource_group_alone_lists_the_accounts_in_it() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &READER_NAMES);
    let own = identity(&bed, &bed.hub);
    bed.seed_roles(&own, &[BLOB_CONTRIBUTOR_NAME]);
    for list in ["Microsoft.MachineLearningServices/workspaces", "Microsoft.Authorization/roleAssignments"] {
        bed.emulator.fault(Rule::on("GET", &format!("{}/providers/{list}", bed.subscription), Fault::Denied));
    }
    let config = json!({ "resource_group_name": "rg1" });
    let alice = format!("reader of {ALICE} on sa1");
    assert_eq!(names(&bed.found(TYPE, config.clone()).await), [alice.as_str()]);
    assert_eq!(bed.requests(), ["GET workspaces", "GET roleAssignments", "GET roleAssignments"]);
    // Nobody can tell whose identity this is.
    let other = bed.emulator.id("rg2", WORKSPACES, "hub2");
    bed.emulator.seed_hub(&other, &bed.account, json!({}));
    let others = identity(&bed, &other);
    bed.seed_roles(&others, &[BLOB_CONTRIBUTOR_NAME]);
    let (listed, diagnostics) = bed.core.list(TYPE, config, false, 10).await;
    let mut found = names(&listed);
    found.sort_unstable();
    assert_eq!(found, [format!("{BLOB_CONTRIBUTOR_NAME} of {others} on sa1"), alice]);
    assert!(diagnostics.warning("Cannot list the hubs").detail.contains("must not be managed"), "{diagnostics}");
    assert_eq!(diagnostics.0.len(), 1);
}

#[tokio::test]
async fn where_it_is_not_known_what_the_platform_assigns_for_another_reason_the_list_ends() {
    let mut bed = bed().await;
    let own = identity(&bed, &bed.hub);
    bed.seed_roles(&own, &CONTRIBUTOR_NAMES);
    bed.emulator.fault(Rule::on("GET", "*/workspaces", Fault::Status(400)).code("BadRequest").message("Not now."));
    let diagnostics = bed.refused(TYPE, json!({ "storage_account_id": bed.account })).await;
    assert!(diagnostics.error("Cannot list the hubs").detail.contains("Not now."), "{diagnostics}");
    assert_eq!(diagnostics.0.len(), 1);
}

#[tokio::test]
async fn where_nothing_is_assigned_nothing_is_listed() {
    let mut bed = bed().await;
    for config in [json!({ "hub_id": bed.hub }), json!({ "scope": bed.group }), json!({})] {
        assert_eq!(bed.found(TYPE, config).await, []);
    }
}

#[tokio::test]
async fn a_filter_for_a_principal_goes_with_every_target() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.seed_roles(BOB, &READER_NAMES);
    bed.emulator.seed_assignment(&bed.group, BOB, "Owner");
    for target in
        [json!({ "hub_id": bed.hub }), json!({ "storage_account_id": bed.account }), json!({ "scope": bed.account })]
    {
        let mut config = target;
        config["principal_id"] = json!(BOB);
        assert_eq!(names(&bed.found(TYPE, config).await), [format!("reader of {BOB} on sa1")]);
    }
    let config = json!({ "scope": bed.group, "principal_id": BOB });
    assert_eq!(names(&bed.found(TYPE, config).await), [format!("Owner of {BOB} on rg1")]);
}

#[tokio::test]
async fn one_that_cannot_be_read_is_a_warning_in_its_place() {
    let mut bed = bed().await;
    bed.seed_roles("", &[BLOB_READER_NAME]);
    bed.seed_roles(BOB, &[BLOB_READER_NAME]);
    let (listed, diagnostics) = bed.core.list(TYPE, json!({ "storage_account_id": bed.account }), false, 1).await;
    assert_eq!(names(&listed), [format!("{BLOB_READER_NAME} of {BOB} on sa1")]);
    let warning = diagnostics.warning("Something in the list cannot be read");
    assert!(warning.detail.contains("it has no principal"), "{warning}");
    assert_eq!(diagnostics.0.len(), 1);
}

#[tokio::test]
async fn a_hub_that_cannot_be_read_is_a_warning_and_the_others_are_looked_at() {
    let mut bed = bed().await;
    let broken = bed.another_hub("hub2");
    bed.emulator.change(&broken, |hub| hub["tags"] = json!("none"));
    bed.emulator.change(&broken, |hub| hub["properties"]["storageAccount"] = json!("nowhere"));
    bed.seed_roles(BOB, &[BLOB_READER_NAME]);
    let (listed, diagnostics) = bed.core.list(TYPE, json!({}), false, 10).await;
    assert_eq!(listed.len(), 1);
    assert!(diagnostics.warning("Something in the list cannot be read").detail.contains("hub2"));
}

#[tokio::test]
async fn where_hubs_cannot_be_listed_the_platforms_assignments_are_not_told_apart() {
    let mut bed = bed().await;
    let own = identity(&bed, &bed.hub);
    bed.seed_roles(&own, &CONTRIBUTOR_NAMES);
    bed.emulator.fault(Rule::on("GET", "*/workspaces", Fault::Denied));
    let (listed, diagnostics) = bed.core.list(TYPE, json!({ "storage_account_id": bed.account }), false, 10).await;
    assert_eq!(names(&listed), [format!("contributor of {own} on sa1")]);
    let warning = diagnostics.warning("Cannot list the hubs");
    assert!(
        warning.detail.contains("must not be managed") && warning.detail.contains("workspaces/read on"),
        "{warning}"
    );
    assert_eq!(diagnostics.0.len(), 1, "it is said once");
    assert!(bed.refused(TYPE, json!({})).await.error("Cannot list the hubs").detail.contains("workspaces/read on"));
}

#[tokio::test]
async fn what_cannot_be_listed_is_an_error() {
    let mut bed = bed().await;
    let denied = bed.emulator.fault(Rule::on("GET", "*/roleAssignments", Fault::Denied));
    let diagnostics = bed.refused(TYPE, json!({ "hub_id": bed.hub })).await;
    let error = diagnostics.error("Cannot list the role assignments");
    assert!(error.detail.contains("Microsoft.Authorization/roleAssignments/read on"), "{error}");
    bed.emulator.release(denied);
    let missing = bed.hub.replace("hub1", "hub2");
    let diagnostics = bed.refused(TYPE, json!({ "hub_id": missing })).await;
    assert_eq!(diagnostics.error("The hub does not exist").path, "hub_id");
    let account = bed.account.replace("sa1", "sa2");
    bed.refused(TYPE, json!({ "storage_account_id": account })).await.error("Cannot list the role assignments");
    bed.emulator.seed(&format!(
        "workspaces: [{{ name: project, kind: Project, properties: {{ hubResourceId: {} }} }}]",
        bed.hub
    ));
    let project = bed.hub.replace("hub1", "project");
    let diagnostics = bed.refused(TYPE, json!({ "hub_id": project })).await;
    assert!(diagnostics.error("Not a hub").detail.contains(&bed.hub));
}

#[tokio::test]
async fn a_configuration_with_two_places_or_bad_ids_is_refused_before_anything_is_sent() {
    let mut bed = bed().await;
    let (hub, account, group) = (bed.hub.clone(), bed.account.clone(), bed.group.clone());
    for (config, path) in [
        (json!({ "hub_id": hub, "storage_account_id": account }), "storage_account_id"),
        (json!({ "hub_id": hub, "scope": group }), "scope"),
        (json!({ "storage_account_id": account, "scope": group }), "scope"),
        (json!({ "hub_id": hub, "subscription_id": "11111111-2222-3333-4444-555555555555" }), "subscription_id"),
        (json!({ "scope": group, "resource_group_name": "rg1" }), "resource_group_name"),
        (json!({ "hub_id": account }), "hub_id"),
        (json!({ "storage_account_id": hub }), "storage_account_id"),
        (json!({ "scope": "here" }), "scope"),
        (json!({ "principal_id": "alice" }), "principal_id"),
        (json!({ "subscription_id": "mine" }), "subscription_id"),
        (json!({ "resource_group_name": "rg/1" }), "resource_group_name"),
    ] {
        let diagnostics = bed.refused(TYPE, config.clone()).await;
        assert!(diagnostics.has_errors() && diagnostics.0[0].path == path, "{config}: {diagnostics}");
        assert_eq!(diagnostics.0.len(), 1, "{config}");
    }
    assert_eq!(bed.requests(), [""; 0]);
    let empty = json!({ "hub_id": hub, "storage_account_id": "", "scope": "", "subscription_id": "" });
    assert_eq!(bed.found(TYPE, empty).await, []);
}
