//! Storage accounts (azure.md §2): what they answer, their creation, their errors, and who may change them.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, Arm, WORKSPACES, arm, arm_with, names, read};
use crate::azure::{Operations, Outcome};

/// azure.md §2: 200 with what azure-cli needs to build its PATCH from.
#[tokio::test]
async fn an_account_shows_what_clients_build_their_patch_from() {
    let arm = arm().await;
    for version in ["2019-04-01", "2023-05-01", "2025-08-01", "2026-09-01", "2031-01-01"] {
        let reply = arm.get(&format!("{}?api-version={version}", arm.account)).await;
        assert_eq!((reply.status, reply.at("/type")), (200, ACCOUNTS.into()), "{version}");
        for member in [
            "/id",
            "/name",
            "/location",
            "/kind",
            "/tags",
            "/sku/name",
            "/sku/tier",
            "/properties/encryption/services",
            "/properties/networkAcls/defaultAction",
            "/properties/accessTier",
            "/properties/supportsHttpsTrafficOnly",
            "/properties/primaryEndpoints/blob",
            "/properties/provisioningState",
            "/properties/creationTime",
        ] {
            assert!(!reply.at(member).is_null(), "{member}");
        }
    }
    let missing = arm.get(&format!("{}x?api-version=2023-05-01", arm.account)).await;
    assert_eq!(missing.error(), (404, "ResourceNotFound".to_owned()));
}

/// azure.md §2: PATCH is synchronous and minimal; the flag is tri-state: absent, then what was written; null leaves it.
#[tokio::test]
async fn the_flag_is_absent_until_set_and_then_stays_a_value() {
    let arm = arm().await;
    let before = arm.get(&arm.account_path()).await;
    assert!(before.at("/properties/allowSharedKeyAccess").is_null());
    for (sent, shown) in [(json!(false), json!(false)), (json!(true), json!(true)), (Value::Null, json!(true))] {
        let reply = arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": sent } })).await;
        assert_eq!((reply.status, reply.at("/properties/allowSharedKeyAccess")), (200, shown.clone()));
        assert_eq!(arm.get(&arm.account_path()).await.at("/properties/allowSharedKeyAccess"), shown);
    }
    let wrong = json!({ "properties": { "allowSharedKeyAccess": "no" } });
    assert_eq!(arm.patch(&arm.account_path(), wrong).await.status, 400);
    for member in ["/sku", "/kind", "/properties/encryption", "/properties/networkAcls"] {
        assert_eq!(arm.get(&arm.account_path()).await.at(member), before.at(member));
    }
}

/// azure.md §2: what azure-cli sends after its GET.
#[tokio::test]
async fn a_patch_that_repeats_what_get_showed_is_taken() {
    let arm = arm().await;
    let shown = arm.get(&arm.account_path()).await.body();
    let body = json!({
        "sku": { "name": shown["sku"]["name"] }, "tags": shown["tags"],
        "properties": {
            "accessTier": shown["properties"]["accessTier"], "encryption": shown["properties"]["encryption"],
            "networkAcls": shown["properties"]["networkAcls"], "supportsHttpsTrafficOnly": true,
            "allowSharedKeyAccess": false, "defaultToOAuthAuthentication": true,
        },
    });
    let reply = arm.patch(&format!("{}?api-version=2025-08-01", arm.account), body).await;
    assert_eq!((reply.status, reply.at("/properties/defaultToOAuthAuthentication")), (200, true.into()));
    assert_eq!(reply.at("/sku"), shown["sku"]);
}

/// azure.md §2: PUT creates with 202 and a Location, is 200 when the account is there; DELETE is 200, then 204.
#[tokio::test]
async fn accounts_are_made_and_deleted() {
    let arm = arm().await;
    let path = format!("{}?api-version=2023-05-01", arm.emulator.id("rg1", ACCOUNTS, "sa2"));
    let body = json!({ "location": "eastus", "kind": "StorageV2", "sku": { "name": "Standard_GRS" },
        "properties": { "allowSharedKeyAccess": false } });
    let reply = arm.put(&path, body.clone()).await;
    assert_eq!(reply.status, 202);
    let done = arm.get(reply.header("location").expect("a Location")).await;
    assert_eq!((done.status, done.at("/sku/name")), (200, "Standard_GRS".into()));
    assert_eq!(done.at("/properties/allowSharedKeyAccess"), false);
    assert_eq!(arm.put(&path, body).await.status, 200);
    let elsewhere = format!("{}?api-version=2023-05-01", arm.emulator.id("rg1", ACCOUNTS, "sa1").replace("rg1", "rg2"));
    assert_eq!(arm.put(&elsewhere, json!({})).await.error(), (404, "ResourceGroupNotFound".to_owned()));
    let invalid = format!("{}?api-version=2023-05-01", arm.emulator.id("rg1", ACCOUNTS, "No-Good"));
    assert_eq!(arm.put(&invalid, json!({})).await.status, 400);
    let list = arm.get(&format!("{}/providers/{ACCOUNTS}?api-version=2023-05-01", arm.subscription)).await;
    assert_eq!(names(&list.body()), ["sa1", "sa2"]);
    assert_eq!(arm.delete(&path).await.status, 200);
    assert_eq!(arm.delete(&path).await.status, 204);
}

/// azure.md §2: listKeys and regenerateKey answer alike, and go on when shared key is off.
#[tokio::test]
async fn keys_stay_readable_when_they_are_refused() {
    let arm = arm().await;
    arm.emulator.set_shared_key_access(&arm.account, Some(false));
    let act = async |name: &str, body: Value| arm.post(&format!("{}/{name}", arm.account), body).await;
    let before = act("listKeys?api-version=2023-05-01&$expand=kerb", Value::Null).await;
    assert_eq!(before.status, 200);
    for (n, name) in ["key1", "key2"].into_iter().enumerate() {
        assert_eq!(before.at(&format!("/keys/{n}/keyName")), name);
        assert_eq!(before.at(&format!("/keys/{n}/permissions")), "FULL");
        assert!(
            before.at(&format!("/keys/{n}/value")).is_string()
                && before.at(&format!("/keys/{n}/creationTime")).is_string()
        );
    }
    let after = act("regenerateKey?api-version=2023-05-01", json!({ "keyName": "key1" })).await;
    assert_eq!(after.status, 200);
    assert_ne!(after.at("/keys/0/value"), before.at("/keys/0/value"));
    assert_eq!(after.at("/keys/1"), before.at("/keys/1"));
    assert_eq!(act("regenerateKey?api-version=2023-05-01", json!({ "keyName": "key9" })).await.status, 400);
}

/// azure.md §2: the policy trap: a PATCH answers 200 and the old value stays, or another one comes.
#[tokio::test]
async fn a_modify_policy_answers_200_and_has_its_way() {
    for (policy, shown) in [
        (format!("keep {ACCOUNTS} properties.allowSharedKeyAccess"), Value::Null),
        (format!("modify {ACCOUNTS} properties.allowSharedKeyAccess=true"), json!(true)),
    ] {
        let arm = arm_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
        let reply = arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await;
        assert_eq!((reply.status, reply.at("/properties/allowSharedKeyAccess")), (200, shown.clone()), "{policy}");
        assert_eq!(arm.get(&arm.account_path()).await.at("/properties/allowSharedKeyAccess"), shown);
    }
}

/// azure.md §2: a disabled subscription can be read but not written.
#[tokio::test]
async fn a_disabled_subscription_is_read_only() {
    let arm = arm_with(|options| options.disabled_subscription = vec![options.subscription_id.clone()]).await;
    assert_eq!(arm.get(&arm.account_path()).await.status, 200);
    let reply = arm.patch(&arm.account_path(), json!({ "properties": {} })).await;
    assert_eq!(reply.error(), (409, "ReadOnlyDisabledSubscription".to_owned()));
    assert!(reply.message().ends_with("is disabled and therefore marked as read only. You cannot perform any write actions on this subscription until it is re-enabled."));
    assert_eq!(arm.get(&format!("{}?api-version=2022-12-01", arm.subscription)).await.at("/state"), "Disabled");
}

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
    let started = arm.put(&hub_path, arm.hub_body()).await;
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
