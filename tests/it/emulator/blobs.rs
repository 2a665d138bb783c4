//! The stub of the blob service (azure.md §2).

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{self, Arm, BLOB_CONTRIBUTOR, BLOB_READER, grant, read, variable};
use crate::azure::{Lro, Options};

/// An emulator whose account has a container.
async fn arm_with(change: impl FnOnce(&mut Options)) -> Arm {
    let arm = client::arm_with(change).await;
    arm.emulator.seed("containers: [{ parent: sa1, name: azureml-blobstore }]");
    arm
}

async fn arm() -> Arm {
    arm_with(|_| {}).await
}

/// Lists a container with a signature made with a key, as the blob service documents it.
async fn list_with_key(arm: &Arm, key: &str) -> client::Reply {
    let endpoint = arm.get(&arm.account_path()).await.at("/properties/primaryEndpoints/blob");
    let url = format!("{}azureml-blobstore?restype=container&comp=list", endpoint.as_str().expect("a URL"));
    let path = url::Url::parse(&url).expect("a URL").path().to_owned();
    let date = "Tue, 24 Nov 2026 00:00:00 GMT";
    let signed = format!(
        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2023-11-03\n/sa1{path}\ncomp:list\nrestype:container"
    );
    let secret = STANDARD.decode(key).expect("base64");
    let signature =
        aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret), signed.as_bytes());
    let request = arm.http.get(url).header("x-ms-date", date).header("x-ms-version", "2023-11-03");
    read(request.header("authorization", format!("SharedKey sa1:{}", STANDARD.encode(signature)))).await
}

async fn list_with_token(arm: &Arm, token: &str) -> client::Reply {
    let url = format!("{}/storage/sa1/azureml-blobstore?restype=container&comp=list", arm.emulator.url());
    read(arm.http.get(url).bearer_auth(token)).await
}

/// azure.md §2: the data plane tells by key what the article is about.
#[tokio::test]
async fn a_container_is_listed_by_key_until_keys_are_off() {
    let arm = arm().await;
    let keys = arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await;
    let key = keys.at("/keys/1/value").as_str().expect("a key").to_owned();
    assert_eq!(list_with_key(&arm, &key).await.status, 200);
    let wrong = list_with_key(&arm, &STANDARD.encode("wrong")).await;
    assert_eq!((wrong.status, wrong.header("x-ms-error-code")), (403, Some("AuthenticationFailed")));
    arm.emulator.set_shared_key_access(&arm.account, Some(false));
    let refused = list_with_key(&arm, &key).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, Some("KeyBasedAuthenticationNotPermitted")));
    assert!(
        refused.text.contains("<Message>Key based authentication is not permitted on this storage account.</Message>")
    );
    arm.emulator.set_shared_key_access(&arm.account, Some(true));
    assert_eq!(list_with_key(&arm, &key).await.status, 200);
}

/// azure.md §1.1, §2: a key that is made anew is refused at once, the other goes on; a hub's datastores hold the old one
/// until resyncKeys.
#[tokio::test]
async fn a_hub_whose_keys_were_not_resynced_holds_a_key_that_is_refused() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let text = |value: Value| value.as_str().expect("a text").to_owned();
    let held = async || {
        let path = format!("{}/datastores/workspaceblobstore/listSecrets?api-version=2024-10-01", arm.hub);
        text(arm.post(&path, json!({})).await.at("/key"))
    };
    let regenerate = async |name: &str| {
        let path = format!("{}/regenerateKey?api-version=2023-05-01", arm.account);
        arm.post(&path, json!({ "keyName": name })).await
    };
    let (old, other) = (held().await, {
        let keys = arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await;
        text(keys.at("/keys/1/value"))
    });
    assert_eq!(list_with_key(&arm, &old).await.status, 200);
    regenerate("key2").await;
    assert_eq!(list_with_key(&arm, &other).await.header("x-ms-error-code"), Some("AuthenticationFailed"));
    assert_eq!(list_with_key(&arm, &held().await).await.status, 200, "hubs hold the first key");
    let new = text(regenerate("KEY1").await.at("/keys/0/value"));
    assert_eq!(held().await, old);
    assert_eq!(list_with_key(&arm, &old).await.header("x-ms-error-code"), Some("AuthenticationFailed"));
    arm.post(&format!("{}/resyncKeys?api-version=2025-06-01", arm.hub), json!({})).await;
    assert_eq!(held().await, new);
    assert_eq!(list_with_key(&arm, &new).await.status, 200);
}

/// azure.md §2, §3: a token needs a data role; Owner is none; a new role may take its time.
#[tokio::test]
async fn a_container_is_listed_by_token_with_a_data_role_only() {
    let arm = arm().await;
    let refused = list_with_token(&arm, &arm.token).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, Some("AuthorizationPermissionMismatch")));
    let me = "44444444-4444-4444-4444-444444444444";
    arm.emulator.seed_assignment(&arm.account, me, "Owner");
    arm.emulator.seed_assignment(&arm.account, me, "Storage File Data Privileged Contributor");
    assert_eq!(list_with_token(&arm, &arm.token).await.status, 403);
    let name = arm.emulator.seed_assignment(&arm.group, me, BLOB_READER);
    assert_eq!(list_with_token(&arm, &arm.token).await.status, 200);
    arm.emulator.remove_assignment(&name);
    arm.emulator.configure(|options| options.rbac_delay = std::time::Duration::from_secs(600));
    let path = arm.assignment_path("00000000-0000-0000-0000-00000000000a");
    assert_eq!(arm.put(&path, grant(me, BLOB_CONTRIBUTOR)).await.status, 201);
    assert_eq!(list_with_token(&arm, &arm.token).await.status, 403);
    arm.emulator.advance(std::time::Duration::from_secs(600));
    assert_eq!(list_with_token(&arm, &arm.token).await.status, 200);
    assert_eq!(list_with_token(&arm, "nonsense").await.status, 401);
    let anonymous =
        read(arm.http.request(Method::GET, format!("{}/storage/sa1/c?comp=list", arm.emulator.url()))).await;
    assert_eq!(anonymous.status, 401);
    assert_eq!(variable(&arm.emulator, "ARM_CLIENT_SECRET"), "emulator-secret");
}

/// Signs a text with a base64 key.
fn signature(key: &str, text: &str) -> String {
    let secret = STANDARD.decode(key).expect("base64");
    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), text.as_bytes()))
}

/// Lists a container with a query of its own.
async fn list_with_query(arm: &Arm, query: &[(&str, &str)]) -> client::Reply {
    let mut url = url::Url::parse(arm.emulator.url()).expect("a URL");
    url.set_path("/storage/sa1/azureml-blobstore");
    url.query_pairs_mut().extend_pairs([("restype", "container"), ("comp", "list")]).extend_pairs(query);
    read(arm.http.get(url)).await
}

const START: &str = "2026-01-01T00:00:00Z";
const END: &str = "2027-01-01T00:00:00Z";
const VERSION: &str = "2022-11-02";

/// A SAS for the container made with a key of the account: string to sign as the service documents it.
fn service_sas(key: &str, permissions: &str, end: &str) -> Vec<(&'static str, String)> {
    let signed =
        format!("{permissions}\n{START}\n{end}\n/blob/sa1/azureml-blobstore\n\n\nhttps\n{VERSION}\nc\n\n\n\n\n\n\n");
    [("sp", permissions), ("st", START), ("se", end), ("spr", "https"), ("sv", VERSION), ("sr", "c")]
        .map(|(name, value)| (name, value.to_owned()))
        .into_iter()
        .chain([("sig", signature(key, &signed))])
        .collect()
}

/// A SAS for all of the account's blob service.
fn account_sas(key: &str) -> Vec<(&'static str, String)> {
    let signed = format!("sa1\nrl\nb\nsco\n{START}\n{END}\n\nhttps\n{VERSION}\n\n");
    [("sp", "rl"), ("ss", "b"), ("srt", "sco"), ("st", START), ("se", END), ("spr", "https"), ("sv", VERSION)]
        .map(|(name, value)| (name, value.to_owned()))
        .into_iter()
        .chain([("sig", signature(key, &signed))])
        .collect()
}

/// A SAS for the container made with a key that the service lends the caller.
async fn delegation_sas(arm: &Arm) -> Vec<(&'static str, String)> {
    let url = format!("{}/storage/sa1/?restype=service&comp=userdelegationkey", arm.emulator.url());
    let body = format!("<?xml version=\"1.0\"?><KeyInfo><Start>{START}</Start><Expiry>{END}</Expiry></KeyInfo>");
    let lent = read(arm.http.post(url).bearer_auth(&arm.token).body(body)).await;
    assert_eq!(lent.status, 200, "{}", lent.text);
    let part = |name: &str| {
        let rest = lent.text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name}: {}", lent.text)).1;
        rest.split_once('<').expect("an end").0.to_owned()
    };
    let (oid, tid, from, until, service, version) = (
        part("SignedOid"),
        part("SignedTid"),
        part("SignedStart"),
        part("SignedExpiry"),
        part("SignedService"),
        part("SignedVersion"),
    );
    let signed = format!(
        "rl\n{START}\n{END}\n/blob/sa1/azureml-blobstore\n{oid}\n{tid}\n{from}\n{until}\n{service}\n{version}\n\n\n\n\nhttps\n{VERSION}\nc\n\n\n\n\n\n\n"
    );
    let signature = signature(&part("Value"), &signed);
    [("sp", "rl"), ("st", START), ("se", END), ("spr", "https"), ("sv", VERSION), ("sr", "c")]
        .map(|(name, value)| (name, value.to_owned()))
        .into_iter()
        .chain([("skoid", oid), ("sktid", tid), ("skt", from), ("ske", until), ("sks", service), ("skv", version)])
        .chain([("sig", signature)])
        .collect()
}

/// azure.md §2 rows "every request, SAS included, must be Entra-authorized (user-delegation SAS still works)" and "Data
/// plane with key while disabled".
#[tokio::test]
async fn signatures_made_with_account_keys_end_with_the_keys_and_delegated_ones_go_on() {
    let arm = arm_with(|options| {
        options.time = Some(crate::azure::parse_time("2026-06-01T00:00:00Z").expect("a time"));
    })
    .await;
    let me = "44444444-4444-4444-4444-444444444444";
    arm.emulator.seed_assignment(&arm.account, me, BLOB_READER);
    let keys = arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await;
    let key = keys.at("/keys/0/value").as_str().expect("a key").to_owned();
    let stale = service_sas(&key, "rl", "2026-02-01T00:00:00Z");
    let mut forged = service_sas(&key, "rl", END);
    forged[0].1 = "racwdl".to_owned();
    let sas = [
        ("service SAS", service_sas(&key, "rl", END), "", "KeyBasedAuthenticationNotPermitted"),
        ("account SAS", account_sas(&key), "", "KeyBasedAuthenticationNotPermitted"),
        ("service SAS that ran out", stale, "AuthenticationFailed", "KeyBasedAuthenticationNotPermitted"),
        ("service SAS that was changed", forged, "AuthenticationFailed", "KeyBasedAuthenticationNotPermitted"),
        (
            "service SAS without list",
            service_sas(&key, "r", END),
            "AuthorizationPermissionMismatch",
            "KeyBasedAuthenticationNotPermitted",
        ),
        ("user delegation SAS", delegation_sas(&arm).await, "", ""),
    ];
    for (row, query, with_keys, without_keys) in sas {
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for (allowed, code) in [(None, with_keys), (Some(false), without_keys)] {
            arm.emulator.set_shared_key_access(&arm.account, allowed);
            let reply = list_with_query(&arm, &query).await;
            let got = (reply.status, reply.header("x-ms-error-code").unwrap_or(""));
            assert_eq!(got, (if code.is_empty() { 200 } else { 403 }, code), "{row}, keys {allowed:?}: {}", reply.text);
        }
    }
}

/// azure.md §2: a delegated signature allows what its principal may do, and no more.
#[tokio::test]
async fn a_delegated_signature_needs_its_principals_role() {
    let arm = arm_with(|options| {
        options.time = Some(crate::azure::parse_time("2026-06-01T00:00:00Z").expect("a time"));
    })
    .await;
    let name = arm.emulator.seed_assignment(&arm.account, "44444444-4444-4444-4444-444444444444", BLOB_READER);
    let query = delegation_sas(&arm).await;
    let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(list_with_query(&arm, &query).await.status, 200);
    arm.emulator.remove_assignment(&name);
    let refused = list_with_query(&arm, &query).await;
    assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, Some("AuthorizationPermissionMismatch")));
    let url = format!("{}/storage/sa1/?restype=service&comp=userdelegationkey", arm.emulator.url());
    assert_eq!(read(arm.http.post(url).bearer_auth(&arm.token)).await.status, 403);
}

/// azure.md §2 row "network rule: 403 AuthorizationFailure".
#[tokio::test]
async fn a_network_rule_refuses_whoever_it_is() {
    for (row, properties) in [
        ("publicNetworkAccess Disabled", json!({ "publicNetworkAccess": "Disabled" })),
        ("networkAcls.defaultAction Deny", json!({ "networkAcls": { "defaultAction": "Deny" } })),
    ] {
        let arm = arm().await;
        arm.emulator.seed_assignment(&arm.account, "44444444-4444-4444-4444-444444444444", BLOB_READER);
        assert_eq!(list_with_token(&arm, &arm.token).await.status, 200, "{row}");
        arm.patch(&arm.account_path(), json!({ "properties": properties })).await;
        let refused = list_with_token(&arm, &arm.token).await;
        assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, Some("AuthorizationFailure")), "{row}");
        let keys = arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await;
        let refused = list_with_key(&arm, keys.at("/keys/0/value").as_str().expect("a key")).await;
        assert_eq!((refused.status, refused.header("x-ms-error-code")), (403, Some("AuthorizationFailure")), "{row}");
    }
}

/// A 401 of the blob service says where to sign in.
#[tokio::test]
async fn a_401_of_the_blob_service_carries_a_challenge() {
    let arm = arm().await;
    let url = format!("{}/storage/sa1/c?restype=container&comp=list", arm.emulator.url());
    for (row, request) in [("nothing", arm.http.get(&url)), ("a bad token", arm.http.get(&url).bearer_auth("x.y.z"))] {
        let reply = read(request).await;
        assert_eq!(reply.status, 401, "{row}");
        let challenge = reply.header("www-authenticate").unwrap_or_else(|| panic!("{row}: no challenge"));
        assert!(challenge.starts_with("Bearer authorization_uri=https://"), "{row}: {challenge}");
    }
}

/// azure.md §13.4: what ARM lists and what the blob service lists is the same; what is not there is not found.
#[tokio::test]
async fn the_blob_service_has_the_containers_that_arm_has() {
    let arm = arm().await;
    arm.emulator.seed_assignment(&arm.account, "44444444-4444-4444-4444-444444444444", BLOB_READER);
    let account = format!("{}/storage/sa1", arm.emulator.url());
    let listed = async |container: &str| {
        let url = format!("{account}/{container}?restype=container&comp=list");
        let reply = read(arm.http.get(url).bearer_auth(&arm.token)).await;
        (reply.status, reply.header("x-ms-error-code").map(str::to_owned))
    };
    let names = async || read(arm.http.get(format!("{account}/?comp=list")).bearer_auth(&arm.token)).await.text;
    let missing = (404, Some("ContainerNotFound".to_owned()));
    let path = format!("{}/blobServices/default/containers/tfstate?api-version=2023-05-01", arm.account);
    assert_eq!(listed("tfstate").await, missing);
    assert_eq!(arm.put(&path, json!({})).await.status, 201);
    assert_eq!(listed("tfstate").await, (200, None));
    assert!(names().await.contains("<Container><Name>tfstate</Name></Container>"));
    assert_eq!(arm.delete(&path).await.status, 200);
    assert_eq!(listed("tfstate").await, missing);
    assert!(!names().await.contains("tfstate"));
}
