//! What Azure Resource Manager takes for a token (azure.md §5.1, §6.1), and the other ways to one (§6.1, §6.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Arm, Reply, arm, arm_with, read, variable};

/// Signs in to a tenant for a scope; the token.
async fn token_for(arm: &Arm, tenant: &str, scope: &str) -> String {
    let client = variable(&arm.emulator, "ARM_CLIENT_ID");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_secret", "emulator-secret"),
        ("scope", scope),
    ];
    let reply = arm.post_form(&format!("/{tenant}/oauth2/v2.0/token"), &form).await;
    reply.at("/access_token").as_str().unwrap_or_else(|| panic!("no token for {scope}: {}", reply.text)).to_owned()
}

async fn hub_with(arm: &Arm, token: &str) -> Reply {
    read(arm.http.get(format!("{}{}", arm.emulator.url(), arm.hub_path())).bearer_auth(token)).await
}

/// azure.md §6.1: the audiences of the table of clouds and the emulator's own, however many slashes are at the end.
#[tokio::test]
async fn a_token_must_be_meant_for_arm() {
    let arm = arm().await;
    let own = arm.emulator.url().to_owned();
    let tenant = variable(&arm.emulator, "ARM_TENANT_ID");
    let localhost = own.replace("127.0.0.1", "localhost");
    for (row, audience, status) in [
        ("the emulator", own.as_str(), 200),
        ("the emulator, as azure-cli doubles the slash", &format!("{own}/"), 200),
        ("the emulator by its other name", &localhost, 200),
        ("public, ARM endpoint", "https://management.azure.com", 200),
        ("public, audience used by CLI and Go", "https://management.core.windows.net/", 200),
        ("US Government, ARM endpoint", "https://management.usgovcloudapi.net", 200),
        ("US Government, audience", "https://management.core.usgovcloudapi.net/", 200),
        ("China, ARM endpoint", "https://management.chinacloudapi.cn", 200),
        ("China, audience", "https://management.core.chinacloudapi.cn/", 200),
        ("another service", "https://storage.azure.com", 401),
        ("another service", "https://graph.microsoft.com/", 401),
        ("no URL", "api://something", 401),
    ] {
        let token = token_for(&arm, &tenant, &format!("{audience}/.default")).await;
        let reply = hub_with(&arm, &token).await;
        assert_eq!(reply.status, status, "{row}: {audience}: {}", reply.text);
        if status == 401 {
            assert_eq!(reply.error().1, "InvalidAuthenticationToken", "{row}");
            assert!(reply.header("www-authenticate").is_some(), "{row}");
        }
    }
    arm.emulator.configure(|options| options.audience = vec!["https://arm.example".to_owned()]);
    let token = token_for(&arm, &tenant, "https://arm.example//.default").await;
    assert_eq!(hub_with(&arm, &token).await.status, 200);
    let token = token_for(&arm, &tenant, "https://management.azure.com/.default").await;
    assert_eq!(hub_with(&arm, &token).await.status, 401);
}

/// azure.md §5.1 row "no / bad bearer": InvalidAuthenticationTokenTenant.
#[tokio::test]
async fn a_token_of_another_tenant_is_refused() {
    let other = "99999999-1111-1111-1111-111111111111";
    let arm = arm_with(|options| options.foreign_tenant = vec![other.to_owned()]).await;
    let token = token_for(&arm, other, &format!("{}/.default", arm.emulator.url())).await;
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).expect("a part")).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("claims");
    assert_eq!(claims["tid"], other);
    let reply = hub_with(&arm, &token).await;
    assert_eq!(reply.error(), (401, "InvalidAuthenticationTokenTenant".to_owned()));
    assert!(reply.message().contains(other), "{}", reply.message());
    assert!(reply.header("www-authenticate").expect("a challenge").starts_with("Bearer authorization_uri=\""));
    let discovery = arm.get(&format!("/{other}/v2.0/.well-known/openid-configuration")).await;
    assert!(discovery.at("/issuer").as_str().expect("an issuer").contains(other));
}

/// azure.md §5.1: a 401 carries its challenge also when a rule makes it.
#[tokio::test]
async fn a_401_by_rule_carries_a_challenge() {
    let arm = arm_with(|options| options.claims_challenge = true).await;
    arm.emulator.fault("GET */workspaces/* -> 401 InvalidAuthenticationToken times=1".parse().expect("a rule"));
    let reply = arm.get(&arm.hub_path()).await;
    assert_eq!(reply.error(), (401, "InvalidAuthenticationToken".to_owned()));
    assert!(reply.header("www-authenticate").expect("a challenge").contains(", claims=\""));
}

/// azure.md §6.1: a client assertion in place of a secret.
#[tokio::test]
async fn an_assertion_buys_a_token() {
    let arm = arm().await;
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let end = arm.emulator.now().unix_timestamp() + 300;
    let assertion = format!("{}.{}.e30", part(json!({ "alg": "RS256" })), part(json!({ "exp": end, "sub": "repo:x" })));
    let (client, scope) = (variable(&arm.emulator, "ARM_CLIENT_ID"), format!("{}/.default", arm.emulator.url()));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
        ("scope", scope.as_str()),
    ];
    let reply = arm.token(&form).await;
    assert_eq!((reply.status, reply.at("/token_type")), (200, "Bearer".into()), "{}", reply.text);
    assert_eq!(hub_with(&arm, reply.at("/access_token").as_str().expect("a token")).await.status, 200);
}

const IDENTITY: &str =
    "/subscriptions/s/resourceGroups/rg1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/uai1";

/// azure.md §6.4: both managed-identity endpoints choose the identity by any of its ids, and are 400 for one that is
/// not there.
#[tokio::test]
async fn a_managed_identity_is_chosen_by_any_of_its_ids() {
    let arm = arm().await;
    let (client, object) = ("55555555-0000-0000-0000-000000000000", "55555555-0000-0000-0000-000000000001");
    arm.emulator
        .seed(&format!("clients:\n  - {{ client_id: {client}, object_id: {object}, resource_id: {IDENTITY} }}"));
    let machine = ("/metadata/identity/oauth2/token?api-version=2018-02-01", "Metadata", "true");
    let service = ("/msi/token?api-version=2019-08-01", "X-IDENTITY-HEADER", "emulator-secret");
    for ((path, header, value), row, id, status) in [
        (machine, "IMDS client_id", format!("client_id={client}"), 200),
        (machine, "IMDS object_id", format!("object_id={object}"), 200),
        (machine, "IMDS msi_res_id", format!("msi_res_id={IDENTITY}"), 200),
        (machine, "IMDS unknown client_id", format!("client_id={object}"), 400),
        (machine, "IMDS unknown object_id", format!("object_id={client}"), 400),
        (machine, "IMDS unknown msi_res_id", format!("msi_res_id={IDENTITY}2"), 400),
        (service, "App Service client_id", format!("client_id={client}"), 200),
        (service, "App Service object_id", format!("object_id={object}"), 200),
        (service, "App Service mi_res_id", format!("mi_res_id={IDENTITY}"), 200),
        (service, "App Service unknown mi_res_id", format!("mi_res_id={IDENTITY}2"), 400),
    ] {
        let path = format!("{path}&resource=https%3A%2F%2Fmanagement.azure.com&{id}");
        let reply = read(arm.http.get(format!("{}{path}", arm.emulator.url())).header(header, value)).await;
        assert_eq!(reply.status, status, "{row}: {}", reply.text);
        if status == 200 {
            for member in ["access_token", "expires_on", "resource", "token_type"] {
                assert!(reply.at(&format!("/{member}")).is_string(), "{row}: {member}");
            }
            assert_eq!(reply.at("/client_id"), client, "{row}");
        }
    }
    let bare = read(arm.request(Method::GET, &format!("{}&resource=x", service.0), Value::Null)).await;
    assert_eq!(bare.status, 401, "App Service without its header");
}
