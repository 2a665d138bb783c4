//! What is asked, what cannot be read, and what is refused.

use std::time::Instant;

use serde_json::{Value, json};

use super::{
    IDENTITY, assigned_with_roles, drop_roles, findings, in_vault, keyless, keyless_with, private, read, refused,
    standing, stored, text, verdict,
};
use crate::{
    azure::{Action as Fault, Rule},
    data_sources::{assert_ended_after_a_second, bed, count, each},
    emulator::client::{ACCOUNTS, WORKSPACES},
    support::{
        bed::Bed,
        core::UNKNOWN,
        ids::{ALICE, CONTRIBUTOR_NAMES, READER_NAMES},
    },
};

/// The requests that the page of the data source promises.
#[tokio::test]
async fn nine_requests_are_sent_and_two_more_for_each_project() {
    let mut bed = keyless().await;
    bed.requests();
    read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let requests = bed.requests();
    assert_eq!(requests.len(), 9, "{requests:#?}");
    assert_eq!((count(&requests, "GET hub1"), count(&requests, "GET sa1")), (1, 1));
    bed.emulator.seed(
        "workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }, \
         { name: support, kind: Project, properties: { hubResourceId: hub1 } }]",
    );
    bed.requests();
    read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let requests = bed.requests();
    assert_eq!(requests.len(), 13, "{requests:#?}");
    let asks = |request: &&String| request.starts_with("GET ") || request.starts_with("POST checkPolicyRestrictions");
    assert_eq!(requests.iter().filter(asks).count(), 13, "{requests:#?}");

    // The identity's roles are listed once, for its own scopes and for the endpoint, and the role that is not known is looked up.
    assigned_with_roles(&bed);
    drop_roles(&bed, IDENTITY);
    bed.seed_roles(IDENTITY, &CONTRIBUTOR_NAMES);
    bed.seed_roles(IDENTITY, &["Storage Account Contributor"]);
    in_vault(&bed, &json!([]));
    private(&bed, "pe-blob");
    bed.requests();
    read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let requests = bed.requests();
    assert_eq!(requests.len(), 17, "{requests:#?}");
    assert_eq!(["GET kv1", "GET pe-blob", "GET sa1"].map(|one| count(&requests, one)), [1; 3], "{requests:#?}");
}

#[tokio::test]
async fn the_order_does_not_depend_on_pages_and_all_pages_are_read() {
    let mut bed = keyless().await;
    let (mut containers, mut stores) = (Vec::new(), Vec::new());
    for number in (0..35).rev() {
        containers.push(format!("{{ parent: sa1, name: tfstate{number:02} }}"));
        stores.push(format!(
            "{{ parent: hub1, name: d{number:02}, properties: {{ datastoreType: AzureBlob, accountName: sa1, containerName: c, \
             credentials: {{ credentialsType: AccountKey }} }} }}"
        ));
    }
    bed.emulator.seed(&format!("containers: [{}]\ndatastores: [{}]", containers.join(", "), stores.join(", ")));
    for number in 0..5 {
        bed.seed_roles(&format!("eeeeeeee-0000-4000-8000-00000000000{number}"), &READER_NAMES);
    }
    let whole = read(&mut bed, json!({})).await;
    assert_eq!((findings(&whole).len(), each(&whole["principals"], "access").len()), (70, 7));
    bed.emulator.configure(|options| options.page_size = 3);
    bed.requests();
    assert_eq!(read(&mut bed, json!({})).await, whole);
    assert!(bed.requests().len() > 20, "there were pages");
    let subjects: Vec<_> = each(&whole["findings"], "subject").into_iter().map(|one| one.as_str().unwrap()).collect();
    assert!(subjects[..35].is_sorted() && subjects[35..].is_sorted(), "{subjects:#?}");
    assert!(each(&whole["principals"], "principal_id").into_iter().map(|one| one.as_str().unwrap()).is_sorted());
}

/// Every list is left out once, and the others are read all the same.
#[tokio::test]
async fn a_list_that_may_not_be_read_is_a_finding_of_its_own() {
    for (path, code, action) in [
        ("*/storageAccounts/sa1", "account", "Microsoft.Storage/storageAccounts/read"),
        ("*/roleAssignments", "role_assignments", "Microsoft.Authorization/roleAssignments/read"),
        ("/subscriptions/*/providers/Microsoft.MachineLearningServices/workspaces", "workspaces", "workspaces/read"),
        ("*/workspaces/sales/datastores", "datastores", "workspaces/datastores/read"),
        ("*/workspaces/sales/connections", "connections", "workspaces/connections/read"),
        ("*/blobServices/default/containers", "containers", "blobServices/containers/read"),
        ("*/fileServices/default/shares", "shares", "fileServices/shares/read"),
    ] {
        let mut bed = keyless().await;
        bed.emulator.seed(
            "workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }]\n\
             containers: [{ parent: sa1, name: tfstate }]\nshares: [{ parent: sa1, name: cs-alice-x-1 }]",
        );
        bed.emulator.seed(&stored("datastores", "AccountKey"));
        bed.emulator.seed(&stored("connections", "AccountKey"));
        let all = [
            "error: connection_holds_key",
            "error: datastore_holds_key",
            "warning: cloud_shell",
            "warning: terraform_state",
        ];
        assert_eq!(findings(&read(&mut bed, json!({})).await), all);
        let denied = bed.emulator.fault(Rule::on("GET", path, Fault::Denied));
        let data = read(&mut bed, json!({})).await;
        let hidden = match code {
            "containers" => Some(all[3]),
            "shares" => Some(all[2]),
            _ => None,
        };
        let seen = all.into_iter().filter(|one| Some(*one) != hidden).map(str::to_owned);
        let code = format!("{code}_not_readable");
        let mut expected: Vec<_> = seen.chain([format!("unverified: {code}")]).collect();
        expected.sort();
        assert_eq!(findings(&data), expected);
        assert_eq!(verdict(&data), (false, false), "{code}");
        assert!(text(&data, &code).contains(action) && text(&data, &code).contains("cannot be verified"), "{data:#}");
        assert_eq!(data["shared_access_key_enabled"].is_null(), code == "account_not_readable");
        if code == "role_assignments_not_readable" {
            assert!(each(&data["principals"], "access").into_iter().all(|access| access == "not_verifiable"));
        }
        bed.emulator.release(denied);
    }
}

#[tokio::test]
async fn the_datastores_of_the_hub_tell_of_both_kinds() {
    let mut bed = keyless().await;
    bed.emulator.fault(Rule::on("GET", "*/workspaces/hub1/datastores", Fault::Denied));
    let data = read(&mut bed, json!({})).await;
    let expected = ["unverified: datastores_not_readable", "unverified: system_datastores_not_readable"];
    assert_eq!((findings(&data), verdict(&data)), (expected.map(str::to_owned).to_vec(), (true, false)));
}

#[tokio::test]
async fn an_account_that_is_gone_is_no_failure() {
    let mut bed = keyless().await;
    bed.emulator.remove(&bed.account);
    let data = read(&mut bed, json!({})).await;
    assert!(findings(&data).contains(&"unverified: account_not_readable".to_owned()), "{data:#}");
    assert_eq!((data["shared_access_key_enabled"].clone(), verdict(&data)), (Value::Null, (false, false)));
    assert!(text(&data, "account_not_readable").contains("ResourceNotFound"));
}

/// With the ids of a request every plan would show a change.
#[tokio::test]
async fn what_failed_is_told_in_the_same_words_each_time() {
    let mut bed = keyless().await;
    bed.core.configure(json!({ "max_retries": 0 }));
    bed.emulator.fault(Rule::on("GET", "*/shares", Fault::Status(503)).code("Odd"));
    let first = read(&mut bed, json!({})).await;
    assert_eq!(
        (findings(&first), verdict(&first)),
        (vec!["unverified: shares_not_readable".to_owned()], (true, false))
    );
    assert!(text(&first, "shares_not_readable").contains("Azure error code: Odd"), "{first:#}");
    assert_eq!(read(&mut bed, json!({})).await, first);
}

/// Here the emulator checks the caller's own roles.
#[tokio::test]
async fn reader_is_enough_to_see_all_of_it_and_less_shows_less() {
    let (client, object) = ("66666666-0000-0000-0000-000000000006", "77777777-0000-0000-0000-000000000007");
    let as_caller = async |on: fn(&Bed) -> &str| {
        let mut bed = keyless_with(|options| options.enforce_rbac = true).await;
        bed.emulator.seed(&format!("clients: [{{ client_id: {client}, object_id: {object}, secret: other }}]"));
        bed.emulator.seed(&stored("datastores", "AccountKey"));
        bed.emulator.seed_assignment(on(&bed), object, "Reader");
        bed.core.configure(json!({ "client_id": client, "client_secret": "other" }));
        read(&mut bed, json!({ "principal_ids": [ALICE] })).await
    };
    let data = as_caller(|bed| &bed.subscription).await;
    assert_eq!((findings(&data), verdict(&data)), (vec!["error: datastore_holds_key".to_owned()], (false, true)));

    let data = as_caller(|bed| &bed.hub).await;
    let unseen = ["account", "containers", "role_assignments", "shares", "workspaces"];
    let unseen = unseen.map(|what| format!("unverified: {what}_not_readable"));
    assert_eq!(findings(&data), [&["error: datastore_holds_key".to_owned()], &unseen[..]].concat());
    assert_eq!(verdict(&data), (false, false));
    assert_eq!(standing(&data, ALICE)["access"], "not_verifiable");
}

#[tokio::test]
async fn a_workspace_without_a_hub_is_read_and_others_are_refused() {
    let mut bed = keyless().await;
    bed.emulator.change(&bed.hub, |hub| hub["kind"] = json!("default"));
    assert_eq!(verdict(&read(&mut bed, json!({})).await), (true, true));
    bed.emulator.change(&bed.hub, |hub| hub["kind"] = json!("FeatureStore"));
    let found = refused(&mut bed, json!({})).await;
    assert!(found.error("Not a hub").detail.contains("is a feature store"), "{found}");
    bed.emulator.change(&bed.hub, |hub| hub["kind"] = json!("Hub"));
    bed.emulator.seed("workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }]");
    let project = bed.emulator.id("rg1", WORKSPACES, "sales");
    let found = refused(&mut bed, json!({ "hub_id": project })).await;
    let error = found.error("Not a hub");
    assert!(
        error.detail.contains(&format!("Set hub_id to its hub:\n{}", bed.hub)) && error.path == "hub_id",
        "{error}"
    );
}

#[tokio::test]
async fn a_hub_that_is_not_there_or_may_not_be_read_is_an_error() {
    let mut bed = keyless().await;
    let missing = bed.emulator.id("rg1", WORKSPACES, "nowhere");
    let found = refused(&mut bed, json!({ "hub_id": missing })).await;
    assert_eq!(found.error("The hub does not exist").path, "hub_id");
    bed.emulator.fault(Rule::on("GET", &bed.hub, Fault::Denied));
    let found = refused(&mut bed, json!({})).await;
    assert!(found.error("Cannot read the hub").detail.contains("workspaces/read"), "{found}");
}

#[tokio::test]
async fn a_wrong_argument_or_an_unknown_provider_sends_nothing() {
    let mut bed = bed().await;
    let account = bed.emulator.id("rg1", ACCOUNTS, "sa1");
    for (config, path) in [
        (json!({ "hub_id": account }), "hub_id"),
        (json!({ "hub_id": bed.hub, "principal_ids": ["alice"] }), "principal_ids"),
        (json!({ "hub_id": bed.hub, "timeouts": { "read": "soon" } }), "timeouts.read"),
    ] {
        let found = refused(&mut bed, config).await;
        assert!(found.0.iter().any(|one| one.is_error && one.path.starts_with(path)), "{path}: {found}");
    }
    bed.core.configure(json!({ "client_id": UNKNOWN }));
    refused(&mut bed, json!({})).await.error("The provider is not configured yet");
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn the_roles_of_an_identity_and_its_vault_are_read_while_the_account_is_not_there_yet() {
    let mut bed = keyless().await;
    assigned_with_roles(&bed);
    in_vault(&bed, &json!([]));
    bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Hold));
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        let lists_roles = |value: &str| value.starts_with("assignedTo");
        arm.emulator.request_seen(|one| one.query.iter().any(|(_, value)| lists_roles(value))).await;
        arm.emulator.request_seen(|one| one.path.ends_with("/vaults/kv1")).await;
    });
    let stopped = refused(&mut bed, json!({ "timeouts": { "read": "20s" } })).await;
    assert!(
        stopped.error("The access to the hub's storage was not read").detail.contains("cancelled while"),
        "{stopped}"
    );
}

#[tokio::test]
async fn the_deadline_and_an_interruption_end_the_read() {
    for (held, summary) in [
        ("*/workspaces/hub1", "Cannot read the hub"),
        ("*/roleAssignments", "The access to the hub's storage was not read"),
        ("*/shares", "The access to the hub's storage was not read"),
    ] {
        let mut bed = keyless().await;
        bed.emulator.fault(Rule::on("GET", held, Fault::Hold));
        let began = Instant::now();
        let late = refused(&mut bed, json!({ "timeouts": { "read": "1s" } })).await;
        assert_ended_after_a_second(began, &late.error(summary).detail);

        bed.emulator.clear_requests();
        let (arm, last) = (bed.arm.clone(), held.rsplit('/').next().unwrap().to_owned());
        bed.core.interrupt_when(async move {
            arm.emulator.request_seen(|request| request.path.ends_with(&last)).await;
        });
        let stopped = refused(&mut bed, json!({})).await;
        assert!(stopped.error(summary).detail.contains("cancelled while"), "{stopped}");
    }
}
