//! What Azure Resource Manager takes for a token (azure.md §5.1, §6.1).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::client::{Arm, Reply, arm, arm_with, read, variable};
use super::keys::part;

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
    assert_eq!(part(&token, 1)["tid"], other);
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

/// azure.md §5.1: a token that is taken back is answered once with a challenge that names what the next one needs.
#[tokio::test]
async fn a_claims_challenge_comes_when_a_rule_says_so() {
    let arm = arm().await;
    arm.emulator.fault("GET */workspaces/* -> challenge times=1".parse().expect("a rule"));
    let reply = arm.get(&arm.hub_path()).await;
    assert_eq!(reply.error(), (401, "InvalidAuthenticationToken".to_owned()));
    let challenge = reply.header("www-authenticate").expect("a challenge");
    let claims = challenge.split("claims=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("claims");
    let claims: Value = serde_json::from_slice(&STANDARD.decode(claims).expect("base64")).expect("JSON");
    assert_eq!(claims["access_token"]["nbf"]["essential"], true);
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
}

/// azure.md §5.1: a token lives as long as the switch says, to the second.
#[tokio::test]
async fn a_token_ends() {
    let arm = arm_with(|options| {
        options.token_lifetime = Duration::from_secs(5);
        options.time = Some(crate::azure::parse_time("2027-01-02T15:04:05Z").expect("a time"));
        options.stop_clock = true;
    })
    .await;
    arm.emulator.advance(Duration::from_secs(4));
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
    arm.emulator.advance(Duration::from_secs(1));
    let reply = arm.get(&arm.hub_path()).await;
    assert_eq!(reply.error(), (401, "ExpiredAuthenticationToken".to_owned()));
    assert_eq!(
        reply.message(),
        "The access token expiry UTC time '1/2/2027 3:04:10 PM' is earlier than current UTC time '1/2/2027 3:04:10 PM'."
    );
}

/// Only managed identities are served without TLS: a bearer token that is sent there is not even looked at.
#[tokio::test]
async fn nothing_else_is_served_without_tls() {
    let arm = arm().await;
    let plain = arm.emulator.url().replacen("https", "http", 1);
    let reply = read(arm.http.get(format!("{plain}{}", arm.hub_path())).bearer_auth(&arm.token)).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    let token = arm.token_endpoint().replacen("https", "http", 1);
    assert_eq!(read(arm.http.post(token)).await.status, 400);
}
