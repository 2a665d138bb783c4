//! What all of Azure Resource Manager has in common (azure.md §5.1 to §5.5, §5.7 to §5.9).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, WORKSPACES, arm, arm_with, names, read};
use crate::azure::EchoWhen;

/// azure.md §5.1: absent members are left out; additionalInfo is never null.
#[tokio::test]
async fn an_error_has_code_and_message_and_no_nulls() {
    let arm = arm().await;
    let reply = arm.get(&format!("{}x?api-version=2025-06-01", arm.hub)).await;
    let error = reply.at("/error");
    let members: Vec<&String> = error.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["code", "message"]);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert!(reply.header("retry-after").is_none());
}

/// azure.md §5.1: no bearer, a bad one, one that ran out, a revoked one; with and without a claims challenge.
#[tokio::test]
async fn a_missing_or_bad_token_is_401_with_a_challenge() {
    let arm = arm_with(|options| options.token_lifetime = Duration::from_secs(60)).await;
    let url = format!("{}{}", arm.emulator.url(), arm.hub_path());
    let missing = read(arm.http.get(&url)).await;
    assert_eq!(missing.error(), (401, "AuthenticationFailed".to_owned()));
    let challenge = missing.header("www-authenticate").expect("a challenge").to_owned();
    assert!(challenge.starts_with("Bearer authorization_uri=\"") && challenge.contains("error=\"invalid_token\""));
    assert!(!challenge.contains("claims="));
    assert_eq!(
        read(arm.http.get(&url).bearer_auth("x.y.z")).await.error(),
        (401, "InvalidAuthenticationToken".to_owned())
    );
    arm.emulator.configure(|options| options.claims_challenge = true);
    arm.emulator.revoke_tokens();
    let revoked = arm.get(&arm.hub_path()).await;
    assert_eq!(revoked.error().1, "InvalidAuthenticationToken");
    assert!(revoked.header("www-authenticate").expect("a challenge").contains(", claims=\""));
    arm.emulator.advance(Duration::from_secs(61));
    assert_eq!(arm.get(&arm.hub_path()).await.error().1, "ExpiredAuthenticationToken");
}

/// azure.md §5.1: api-version missing or refused; the rest of the table of errors.
#[tokio::test]
async fn api_versions_subscriptions_and_groups_have_their_errors() {
    let arm = arm_with(|options| options.reject_api_version = vec!["2025-06-01".to_owned()]).await;
    assert_eq!(arm.get(&arm.hub).await.error(), (400, "MissingApiVersionParameter".to_owned()));
    let refused = arm.get(&arm.hub_path()).await;
    assert_eq!(refused.error(), (400, "NoRegisteredProviderFound".to_owned()));
    let text = refused.message();
    assert!(
        text.contains("API version '2025-06-01' for type 'workspaces'. The supported api-versions are '"),
        "{text}"
    );
    assert!(text.contains("2024-04-01"), "{text}");
    let other = "/subscriptions/99999999-0000-0000-0000-000000000000";
    let path = format!("{other}/resourceGroups/rg1/providers/{WORKSPACES}/h?api-version=2024-04-01");
    assert_eq!(arm.get(&path).await.error(), (404, "SubscriptionNotFound".to_owned()));
    let path = format!("{}/resourceGroups/none/providers/{WORKSPACES}/h?api-version=2024-04-01", arm.subscription);
    let group = arm.get(&path).await;
    assert_eq!(group.error(), (404, "ResourceGroupNotFound".to_owned()));
    assert_eq!(group.message(), "Resource group 'none' could not be found.");
}

/// azure.md §5.1, §1.8: a provider that is not registered; registering it takes its time, then the call goes through.
#[tokio::test]
async fn an_unregistered_provider_is_409_until_it_is_registered() {
    let arm = arm_with(|options| {
        options.unregistered = vec!["Microsoft.MachineLearningServices".to_owned()];
        options.registration_time = Duration::from_secs(10);
    })
    .await;
    assert_eq!(arm.get(&arm.hub_path()).await.error(), (409, "MissingSubscriptionRegistration".to_owned()));
    let provider = format!("{}/providers/Microsoft.MachineLearningServices", arm.subscription);
    let state = async || arm.get(&format!("{provider}?api-version=2024-11-01")).await.at("/registrationState");
    assert_eq!(state().await, "NotRegistered");
    let reply = arm.post(&format!("{provider}/register?api-version=2019-05-01"), Value::Null).await;
    assert_eq!((reply.status, reply.at("/registrationState")), (200, "Registering".into()));
    arm.emulator.advance(Duration::from_secs(10));
    assert_eq!(state().await, "Registered");
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
}

/// azure.md §5.4: the headers of every answer; which ids come back.
#[tokio::test]
async fn every_answer_has_ids_and_a_date() {
    let arm =
        arm_with(|options| options.time = Some(crate::azure::parse_time("2027-01-02T03:04:05Z").expect("a time")))
            .await;
    let send = async |extra: &[(&str, &str)]| {
        let request = arm.request(Method::GET, &arm.hub_path(), Value::Null).header("x-ms-client-request-id", "c1");
        read(extra.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    let reply = send(&[("x-ms-correlation-request-id", "my-run")]).await;
    assert_eq!(reply.header("x-ms-correlation-request-id"), Some("my-run"));
    for name in ["x-ms-request-id", "x-ms-routing-request-id"] {
        assert!(reply.header(name).is_some(), "{name}");
    }
    assert!(reply.header("date").expect("a Date").starts_with("Sat, 02 Jan 2027 03:04:"));
    assert_eq!(reply.header("x-ms-client-request-id"), None);
    assert_eq!(send(&[("x-ms-return-client-request-id", "true")]).await.header("x-ms-client-request-id"), Some("c1"));
    arm.emulator.configure(|options| options.echo_client_request_id = EchoWhen::Always);
    assert_eq!(send(&[]).await.header("x-ms-client-request-id"), Some("c1"));
}

/// azure.md §5.9: subscriptions and tenants.
#[tokio::test]
async fn subscriptions_and_tenants_have_the_members_that_clients_read() {
    let arm = arm().await;
    let list = arm.get("/subscriptions?api-version=2022-12-01").await;
    let one = list.at("/value/0");
    for member in [
        "id",
        "subscriptionId",
        "tenantId",
        "displayName",
        "authorizationSource",
        "managedByTenants",
        "subscriptionPolicies",
    ] {
        assert!(!one[member].is_null(), "{member}");
    }
    assert_eq!(one["state"], "Enabled");
    assert_eq!(arm.get(&format!("{}?api-version=2022-12-01", arm.subscription)).await.body(), one);
    assert_eq!(arm.get("/tenants?api-version=2022-12-01").await.at("/value/0/tenantId"), one["tenantId"]);
}

/// azure.md §5.9: resource groups; HEAD is 204 or 404.
#[tokio::test]
async fn groups_are_read_made_and_deleted() {
    let arm = arm().await;
    let path = |name: &str| format!("{}/resourcegroups/{name}?api-version=2024-11-01", arm.subscription);
    let group = arm.get(&path("RG1")).await;
    assert_eq!((group.at("/name"), group.at("/type")), ("rg1".into(), "Microsoft.Resources/resourceGroups".into()));
    assert_eq!(group.at("/properties/provisioningState"), "Succeeded");
    let head = async |name: &str| arm.send(Method::HEAD, &path(name), Value::Null).await.status;
    assert_eq!((head("rg1").await, head("none").await), (204, 404));
    assert_eq!(arm.get(&path("none")).await.error().1, "ResourceGroupNotFound");
    assert_eq!(arm.put(&path("rg3"), json!({ "location": "westeurope" })).await.status, 201);
    assert_eq!(arm.put(&path("rg3"), json!({ "location": "westeurope", "tags": { "a": "b" } })).await.status, 200);
    let list = arm.get(&format!("{}/resourcegroups?api-version=2024-11-01", arm.subscription)).await;
    assert_eq!(names(&list.body()), ["rg1", "rg3"]);
    let gone = arm.delete(&path("rg1")).await;
    assert_eq!(gone.status, 202);
    assert_eq!(arm.get(gone.header("location").expect("a Location")).await.status, 204);
    assert_eq!(head("rg1").await, 404);
    assert!(arm.emulator.resource(&arm.hub).is_none());
}

/// azure.md §5.9, §1.2: a provider's types list api-versions from new to old, stable ones first.
#[tokio::test]
async fn a_provider_lists_api_versions_from_new_to_old() {
    let arm = arm().await;
    for (namespace, kind, newest) in [
        ("Microsoft.MachineLearningServices", "workspaces", "2026-05-01"),
        ("microsoft.storage", "storageAccounts", "2026-09-01"),
        ("Microsoft.Authorization", "roleAssignments", "2022-04-01"),
    ] {
        let provider =
            arm.get(&format!("{}/providers/{namespace}?api-version=2024-11-01", arm.subscription)).await.body();
        assert_eq!(provider["registrationState"], "Registered");
        let kinds = provider["resourceTypes"].as_array().expect("a list");
        let found = kinds.iter().find(|found| found["resourceType"] == kind).expect("the type");
        let versions: Vec<&str> =
            found["apiVersions"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(versions[0], newest);
        let stable: Vec<&&str> = versions.iter().filter(|version| !version.ends_with("preview")).collect();
        assert!(stable.is_sorted_by(|a, b| a > b), "{stable:?}");
        assert!(found["locations"].is_array());
    }
    assert_eq!(arm.get(&format!("{}/providers/None.Such?api-version=2024-11-01", arm.subscription)).await.status, 404);
}

/// azure.md §8: the lists of resources that az resource sends.
#[tokio::test]
async fn resources_are_listed_by_group_and_type() {
    let arm = arm().await;
    let list = async |query: &str| {
        names(&arm.get(&format!("{}/resources?api-version=2024-11-01{query}", arm.subscription)).await.body())
    };
    assert_eq!(list("").await, ["hub1", "sa1"]);
    assert_eq!(
        list(&format!("&$filter=resourceGroup%20eq%20%27RG1%27%20and%20resourceType%20eq%20%27{ACCOUNTS}%27")).await,
        ["sa1"]
    );
    assert_eq!(list("&$filter=name eq 'none'").await, Vec::<String>::new());
}
