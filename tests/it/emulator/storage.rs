//! Storage accounts (azure.md §2) and the blob service stub.

use serde_json::{Value, json};

use super::client::{ACCOUNTS, arm, arm_with, names};

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
