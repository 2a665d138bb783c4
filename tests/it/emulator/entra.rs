//! Sign-in: discovery, tokens and their errors (azure.md §6.1 to §6.4, §6.6).

use reqwest::Method;
use serde_json::Value;

use super::client::{arm, arm_with, read, variable};

/// azure.md §6.1: the success shape, and a token of three parts whose claims clients read.
#[tokio::test]
async fn a_secret_buys_a_token_with_the_claims_that_clients_read() {
    let arm = arm().await;
    let reply = arm.sign_in(&variable(&arm.emulator, "ARM_CLIENT_ID"), "emulator-secret").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.at("/token_type"), "Bearer");
    assert_eq!(reply.at("/expires_in"), 3599);
    assert_eq!(reply.at("/ext_expires_in"), 3599);
    let token = reply.at("/access_token").as_str().expect("a token").to_owned();
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, parts[1]).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert_eq!(claims["tid"], variable(&arm.emulator, "ARM_TENANT_ID"));
    assert_eq!(claims["appid"], variable(&arm.emulator, "ARM_CLIENT_ID"));
    assert!(claims["oid"].is_string());
}

/// azure.md §6.1: an audience that ends in a slash doubles it; Go adds further scopes.
#[tokio::test]
async fn doubled_slashes_and_further_scopes_are_taken() {
    let arm = arm().await;
    let url = arm.emulator.url();
    for scope in [
        format!("{url}//.default"),
        "https://management.core.windows.net//.default openid offline_access profile".to_owned(),
    ] {
        let client = variable(&arm.emulator, "ARM_CLIENT_ID");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", "emulator-secret"),
            ("scope", scope.as_str()),
            ("client_info", "1"),
            ("claims", r#"{"access_token":{"xms_cc":{"values":["CP1"]}}}"#),
        ];
        assert_eq!(arm.token(&form).await.status, 200, "{scope}");
    }
}

/// azure.md §6.2: every row of the table of errors.
#[tokio::test]
async fn every_refusal_has_its_status_error_and_number() {
    let arm = arm_with(|_| {}).await;
    arm.emulator.seed(
        "clients:\n  - { client_id: 55555555-0000-0000-0000-000000000000, object_id: 55555555-0000-0000-0000-000000000001, \
         secret: old, secret_expired: true }",
    );
    let id = variable(&arm.emulator, "ARM_CLIENT_ID");
    let scope = format!("{}/.default", arm.emulator.url());
    let form = |id: &str, secret: &str, scope: &str| {
        [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", scope)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    let stale = format!(
        "e30.{}.e30",
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, r#"{"exp":1000}"#)
    );
    let mut assertion = form(&id, "", &scope);
    assertion[2] = ("client_assertion".to_owned(), stale);
    let mut missing = form(&id, "emulator-secret", &scope);
    missing[1].0 = "no_client_id".to_owned();
    let rows = [
        (form(&id, "wrong", &scope), 401, "invalid_client", 7_000_215),
        (form("55555555-0000-0000-0000-000000000000", "old", &scope), 401, "invalid_client", 7_000_222),
        (form("66666666-0000-0000-0000-000000000000", "x", &scope), 400, "unauthorized_client", 700_016),
        (assertion, 401, "invalid_client", 700_024),
        (form(&id, "emulator-secret", "nonsense"), 400, "invalid_scope", 70011),
        (missing, 400, "invalid_request", 900_144),
    ];
    for (form, status, error, number) in rows {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reply = arm.token(&form).await;
        check_refusal(&reply, status, error, number);
    }
    let reply = arm.post_form("/99999999-0000-0000-0000-000000000000/oauth2/v2.0/token", &[]).await;
    check_refusal(&reply, 400, "invalid_request", 90002);
}

fn check_refusal(reply: &super::client::Reply, status: u16, error: &str, number: u32) {
    assert_eq!((reply.status, reply.at("/error")), (status, error.into()), "AADSTS{number}: {}", reply.text);
    assert_eq!(reply.at("/error_codes/0"), number);
    let description = reply.at("/error_description").as_str().expect("a description").to_owned();
    assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
    for part in ["Trace ID: ", "Correlation ID: ", "Timestamp: "] {
        assert!(description.contains(part), "{description}");
    }
    for member in ["timestamp", "trace_id", "correlation_id"] {
        assert!(reply.at(&format!("/{member}")).is_string(), "{member}");
    }
    assert!(reply.at("/error_uri").as_str().expect("a URL").ends_with(&format!("/error?code={number}")));
}

/// azure.md §6.3: the members that clients need, and an issuer of the authority's own host.
#[tokio::test]
async fn discovery_has_what_clients_need() {
    let arm = arm().await;
    let tenant = variable(&arm.emulator, "ARM_TENANT_ID");
    let reply = arm.get(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await;
    assert_eq!(reply.status, 200);
    for member in ["token_endpoint", "authorization_endpoint", "issuer"] {
        let url = reply.at(&format!("/{member}"));
        assert!(url.as_str().is_some_and(|url| url.starts_with(arm.emulator.url())), "{member}: {url}");
    }
}

/// azure.md §6.4: the managed-identity endpoint of virtual machines.
#[tokio::test]
async fn a_managed_identity_gets_a_token_with_its_header_only() {
    let arm = arm().await;
    let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com";
    assert_eq!(arm.get(path).await.status, 400);
    let reply = read(arm.request(Method::GET, path, Value::Null).header("Metadata", "true")).await;
    assert_eq!(reply.status, 200);
    assert!(reply.at("/expires_in").is_string());
    assert!(reply.at("/access_token").is_string());
    let unknown = format!("{path}&client_id=77777777-0000-0000-0000-000000000000");
    assert_eq!(read(arm.request(Method::GET, &unknown, Value::Null).header("Metadata", "true")).await.status, 400);
}

/// azure.md §6.6: an object at 2022-09-01, an array at 2019-05-01, no sign-in.
#[tokio::test]
async fn cloud_metadata_comes_in_both_forms() {
    let arm = arm().await;
    let get = async |version: &str| {
        read(arm.http.get(format!("{}/metadata/endpoints?api-version={version}", arm.emulator.url()))).await.body()
    };
    let object = get("2022-09-01").await;
    assert_eq!(get("2019-05-01").await, serde_json::json!([object]));
    for member in [
        "name",
        "portal",
        "authentication/loginEndpoint",
        "authentication/audiences/0",
        "authentication/tenant",
        "authentication/identityProvider",
        "resourceManager",
        "graph",
        "graphAudience",
        "microsoftGraphResourceId",
        "gallery",
        "media",
        "batch",
        "sqlManagement",
        "vmImageAliasDoc",
        "activeDirectoryDataLake",
        "appInsightsResourceId",
        "suffixes/storage",
        "suffixes/keyVaultDns",
        "suffixes/acrLoginServer",
        "suffixes/sqlServerHostname",
    ] {
        let value = object.pointer(&format!("/{member}")).unwrap_or(&Value::Null);
        assert!(value.as_str().is_some_and(|text| !text.is_empty()), "{member}");
    }
    // The entry is found by its resourceManager being part of the URL it came from.
    assert!(object["resourceManager"].as_str().expect("a URL").starts_with(arm.emulator.url()));
    assert!(
        !["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"].contains(&object["name"].as_str().expect("a name"))
    );
    assert!(object["portal"].as_str().expect("a URL").split('.').count() >= 3);
    assert_eq!(object["authentication"]["identityProvider"], "AAD");
    assert_eq!(object["authentication"]["tenant"], "common");
    assert!(object["authentication"]["audiences"][0].is_string());
    assert!(!object["authentication"]["loginEndpoint"].as_str().expect("a URL").ends_with('/'));
    assert!(object["suffixes"]["storage"].is_string() && object["suffixes"]["keyVaultDns"].is_string());
}
