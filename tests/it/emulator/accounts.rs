//! What happens to a storage account while it is made, its errors, and who may change it (azure.md §2).

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, Arm, WORKSPACES, arm, arm_with, names, read};
use crate::azure::{Operations, Outcome};

/// An emulator in which the account `new` is being made: its id and the link that follows it.
async fn making() -> (Arm, String, String) {
    let arm = arm_with(|options| options.operations = Operations::Explicit).await;
    let id = arm.emulator.id("rg1", ACCOUNTS, "new");
    let body = json!({ "location": "eastus", "properties": { "allowSharedKeyAccess": false } });
    let first = arm.put(&format!("{id}?api-version=2023-05-01"), body).await;
    let link = first.header("location").expect("a Location").to_owned();
    (arm, id, link)
}

/// azure.md §2, errors: 409 StorageAccountBeingCreated and StorageAccountIsNotProvisioned; nothing of it comes through.
#[tokio::test]
async fn an_account_that_is_being_made_is_left_alone() {
    let (arm, id, link) = making().await;
    let path = format!("{id}?api-version=2023-05-01");
    let keys = |action: &str| format!("{id}/{action}?api-version=2023-05-01");
    let flag = json!({ "properties": { "allowSharedKeyAccess": true } });
    for (row, method, path, body, code) in [
        ("PUT", Method::PUT, path.clone(), flag.clone(), "StorageAccountBeingCreated"),
        ("PATCH", Method::PATCH, path.clone(), flag, "StorageAccountIsNotProvisioned"),
        ("listKeys", Method::POST, keys("listKeys"), Value::Null, "StorageAccountIsNotProvisioned"),
        (
            "regenerateKey",
            Method::POST,
            keys("regenerateKey"),
            json!({ "keyName": "key1" }),
            "StorageAccountIsNotProvisioned",
        ),
        ("DELETE", Method::DELETE, path.clone(), Value::Null, "StorageAccountIsNotProvisioned"),
    ] {
        assert_eq!(arm.send(method, &path, body).await.error(), (409, code.to_owned()), "{row}");
    }
    let operation = arm.emulator.operation_started(&id).await;
    arm.emulator.finish_operation(&operation, Outcome::Succeeded);
    assert_eq!(arm.get(&link).await.status, 200);
    assert_eq!(arm.get(&path).await.at("/properties/allowSharedKeyAccess"), false);
    assert_eq!(arm.patch(&path, json!({})).await.status, 200);
    assert_eq!(arm.delete(&path).await.status, 200);
    assert_eq!(arm.get(&path).await.status, 404);
}

/// What is deleted with its group, or by somebody else, does not come back when the operation that made it would end.
#[tokio::test]
async fn what_goes_while_it_is_made_does_not_come_back() {
    let (arm, account, link) = making().await;
    let hub = arm.emulator.id("rg1", WORKSPACES, "hub2");
    let hub_path = format!("{hub}?api-version=2025-06-01");
    let started = arm.put(&hub_path, json!({ "kind": "Hub" })).await;
    let group = format!("{}?api-version=2024-11-01", arm.group);
    let gone = arm.delete(&group).await;
    let operations: Vec<_> = arm.emulator.running_operations().into_iter().map(|running| running.id).collect();
    assert_eq!(operations.len(), 3);
    // The group's own operation is the last that was started; the others are over with it.
    assert!(arm.emulator.finish_operation(&operations[2], Outcome::Succeeded));
    assert!(!arm.emulator.finish_operation(&operations[0], Outcome::Succeeded));
    assert!(!arm.emulator.finish_operation(&operations[1], Outcome::Succeeded));
    assert_eq!(arm.get(gone.header("location").expect("a Location")).await.status, 204);
    assert!(arm.emulator.resource(&account).is_none() && arm.emulator.resource(&hub).is_none());
    assert_eq!(arm.get(&link).await.status, 409);
    assert_eq!(arm.get(started.header("azure-asyncoperation").expect("a link")).await.at("/status"), "Canceled");

    let (arm, account, link) = making().await;
    let operation = arm.emulator.operation_started(&account).await;
    arm.emulator.remove(&account);
    assert!(!arm.emulator.finish_operation(&operation, Outcome::Succeeded));
    assert_eq!(arm.get(&link).await.status, 409);
    assert!(arm.emulator.resource(&account).is_none());
}

/// A creation that failed leaves nothing that a later one would take for done.
#[tokio::test]
async fn a_hub_whose_creation_failed_is_made_by_the_next_put() {
    let arm = arm_with(|options| options.operations = Operations::Explicit).await;
    let hub = arm.emulator.id("rg1", WORKSPACES, "hub2");
    let path = format!("{hub}?api-version=2025-06-01");
    let body = json!({ "kind": "Hub", "properties": { "storageAccount": arm.account } });
    for outcome in [Outcome::Failed { code: "E".to_owned(), message: "m".to_owned() }, Outcome::Succeeded] {
        assert_eq!(arm.put(&path, body.clone()).await.status, 202);
        let operation = arm.emulator.operation_started(&hub).await;
        arm.emulator.finish_operation(&operation, outcome);
    }
    let made = arm.get(&path).await;
    assert_eq!(made.at("/properties/provisioningState"), "Succeeded");
    let principal = made.at("/identity/principalId");
    let roles = arm.emulator.assignments().into_iter().filter(|found| principal == found.principal_id.as_str());
    assert_eq!(roles.count(), 2, "the platform gives the new hub's identity its roles");
}

/// azure.md §2 "Errors": each of them, by what causes it or, where nothing local would, by a rule.
#[tokio::test]
async fn every_error_of_the_list_can_be_had() {
    let arm = arm().await;
    let named = |name: &str| format!("{}?api-version=2023-05-01", arm.emulator.id("rg1", ACCOUNTS, name));
    let nowhere = arm.account_path().replace(&arm.subscription, "/subscriptions/99999999-0000-0000-0000-000000000000");
    for (status, code, method, path) in [
        (400, "InvalidHttpVerb", Method::POST, arm.account_path()),
        (400, "StorageAccountNameNotValid", Method::PUT, named("ab")),
        (400, "StorageAccountNameNotValid", Method::PUT, named("with-hyphen")),
        (400, "StorageAccountNameNotValid", Method::PUT, named("UPPER")),
        (400, "StorageAccountNameNotValid", Method::PUT, named(&"a".repeat(25))),
        (404, "ResourceNotFound", Method::GET, named("missing")),
        (404, "ResourceNotFound", Method::PATCH, named("missing")),
        (404, "SubscriptionNotFound", Method::GET, nowhere),
    ] {
        let reply = arm.send(method.clone(), &path, json!({})).await;
        assert_eq!(reply.error(), (status, code.to_owned()), "{method} {path}");
    }
    for (status, code) in [
        (400, "MissingOrInvalidRequiredQueryParameter"),
        (403, "AuthenticationFailed"),
        (403, "SubscriptionDisabled"),
        (409, "StorageAccountOperationInProgress"),
        (409, "ReadOnlyDisabledSubscription"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (500, "OperationTimedOut"),
        (503, "ServerBusy"),
    ] {
        let rule = format!("PATCH */storageAccounts/sa1 -> {status} {code} times=1");
        arm.emulator.fault(rule.parse().expect("a rule"));
        assert_eq!(arm.patch(&arm.account_path(), json!({})).await.error(), (status, code.to_owned()));
        assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 200, "after {code}");
    }
}

/// azure.md §2 "name ^[a-z0-9]+$, 3–24".
#[tokio::test]
async fn account_names_of_3_to_24_small_letters_and_digits_are_taken() {
    let arm = arm().await;
    for name in ["abc", "0a1", &"z".repeat(24)] {
        let path = format!("{}?api-version=2023-05-01", arm.emulator.id("rg1", ACCOUNTS, name));
        assert_eq!(arm.put(&path, json!({})).await.status, 202, "{name}");
    }
}

/// azure.md §2: the three flags, their defaults, and that they do not touch each other.
#[tokio::test]
async fn flags_are_independent_of_each_other() {
    let arm = arm().await;
    let before = arm.get(&arm.account_path()).await;
    assert_ne!(before.at("/properties/defaultToOAuthAuthentication"), true, "default false");
    assert!(before.at("/properties/allowSharedKeyAccess").is_null(), "absent until explicitly set");
    let services = json!({ "blob": { "enabled": false }, "file": { "enabled": true } });
    let path = format!("{}?api-version=2025-08-01", arm.account);
    for (row, flag, value) in [
        ("minimal PATCH of azure-mgmt-storage", "allowSharedKeyAccess", json!(false)),
        ("defaultToOAuthAuthentication", "defaultToOAuthAuthentication", json!(true)),
        ("allowSharedKeyAccessForServices", "allowSharedKeyAccessForServices", services),
        ("back", "allowSharedKeyAccess", json!(true)),
    ] {
        let before = arm.get(&path).await.body();
        let reply = arm.patch(&path, json!({ "properties": { flag: value } })).await;
        assert_eq!((reply.status, reply.at(&format!("/properties/{flag}"))), (200, value.clone()), "{row}");
        let mut expected = before;
        expected["properties"][flag] = value;
        assert_eq!(arm.get(&path).await.body(), expected, "{row}: nothing else changed");
    }
}

/// azure.md §2 "List by group and by subscription".
#[tokio::test]
async fn accounts_are_listed_by_group_and_by_subscription() {
    let arm = arm_with(|options| options.page_size = 1).await;
    arm.emulator.seed_storage_account(&arm.emulator.id("rg2", ACCOUNTS, "sa2"), json!({}));
    for (row, scope, expected) in
        [("by group", &arm.group, &["sa1"][..]), ("by subscription", &arm.subscription, &["sa1", "sa2"])]
    {
        let mut next = Some(format!("{scope}/providers/{ACCOUNTS}?api-version=2023-05-01"));
        let mut found = Vec::new();
        while let Some(path) = next {
            let page = arm.get(&path).await;
            assert_eq!(page.status, 200, "{row}");
            found.extend(names(&page.body()));
            next = page.at("/nextLink").as_str().map(str::to_owned);
        }
        assert_eq!(found, expected, "{row}");
    }
}

/// azure.md §2 "Who may change it", and that "those roles grant no blob/file data access through Entra".
#[tokio::test]
async fn whoever_may_write_the_account_may_change_the_flag_and_reads_no_data() {
    for (role, may) in [
        ("Owner", true),
        ("Contributor", true),
        ("Storage Account Contributor", true),
        ("Reader", false),
        ("Storage Blob Data Owner", false),
        ("User Access Administrator", false),
    ] {
        let mut arm = arm_with(|options| options.enforce_rbac = true).await;
        let client = "cccccccc-0000-0000-0000-000000000001";
        arm.emulator.seed(&format!("clients:\n  - {{ client_id: {client}, object_id: {ALICE}, secret: s }}"));
        arm.token = arm.sign_in(client, "s").await.at("/access_token").as_str().expect("a token").to_owned();
        arm.emulator.seed_assignment(&arm.account, ALICE, role);
        let reply = arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await;
        assert_eq!(reply.status, if may { 200 } else { 403 }, "{role}");
        if may {
            let url = format!("{}/storage/sa1/c?restype=container&comp=list", arm.emulator.url());
            let listed = read(arm.http.get(url).bearer_auth(&arm.token)).await;
            let got = (listed.status, listed.header("x-ms-error-code"));
            assert_eq!(got, (403, Some("AuthorizationPermissionMismatch")), "{role}");
        }
    }
}
