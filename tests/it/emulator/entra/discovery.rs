//! What clients look up before they sign in (azure.md §6.3, §6.6).

use serde_json::Value;

use super::super::client::{arm, read, variable};

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

/// azure.md §6.6: an object at 2022-09-01, an array at 2019-05-01, another object at 2015-01-01; no sign-in.
#[tokio::test]
async fn cloud_metadata_comes_in_all_forms() {
    let arm = arm().await;
    let get = async |version: &str| {
        read(arm.http.get(format!("{}/metadata/endpoints?api-version={version}", arm.emulator.url()))).await.body()
    };
    let object = get("2022-09-01").await;
    assert_eq!(get("2019-05-01").await, serde_json::json!([object]));
    let first = get("2015-01-01").await;
    assert_eq!(first["authentication"]["loginEndpoint"], object["authentication"]["loginEndpoint"]);
    assert_eq!(first["authentication"]["audiences"], object["authentication"]["audiences"]);
    for member in ["galleryEndpoint", "graphEndpoint", "portalEndpoint"] {
        assert!(first[member].as_str().is_some_and(|url| url.starts_with("https://")), "{member}");
    }
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
