//! Client secrets, and what refuses any request for a token (azure.md §6.1, §6.2).

use std::time::Duration;

use serde_json::json;

use super::super::client::{arm, arm_with, read, variable};
use super::{APP, APP_OBJECT, check_refusal, claims};

/// azure.md §6.1: the success shape, and a token of three parts whose claims clients read.
#[tokio::test]
async fn a_secret_buys_a_token_with_the_claims_that_clients_read() {
    let arm = arm().await;
    let reply = arm.sign_in(&variable(&arm.emulator, "ARM_CLIENT_ID"), "emulator-secret").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.at("/token_type"), "Bearer");
    assert_eq!(reply.at("/expires_in"), 3599);
    assert_eq!(reply.at("/ext_expires_in"), 3599);
    let claims = claims(&reply);
    assert_eq!(claims["tid"], variable(&arm.emulator, "ARM_TENANT_ID"));
    assert_eq!(claims["appid"], variable(&arm.emulator, "ARM_CLIENT_ID"));
    assert!(claims["oid"].is_string());
    assert_eq!(claims["appidacr"], "1");
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

/// azure.md §6.2: what a form may lack or have wrong; what is wrong with assertions has its own tests.
#[tokio::test]
async fn every_refusal_has_its_status_error_and_number() {
    let arm = arm().await;
    let (id, scope) = (variable(&arm.emulator, "ARM_CLIENT_ID"), format!("{}/.default", arm.emulator.url()));
    let right = [
        ("grant_type", "client_credentials"),
        ("client_id", &id),
        ("client_secret", "emulator-secret"),
        ("scope", &scope),
    ];
    assert_eq!(arm.token(&right).await.status, 200);
    for (name, value, status, error, number) in [
        ("client_secret", Some("wrong"), 401, "invalid_client", 7_000_215),
        ("client_secret", None, 401, "invalid_client", 7_000_218),
        ("client_id", Some(APP), 400, "unauthorized_client", 700_016),
        ("client_id", None, 400, "invalid_request", 900_144),
        ("grant_type", Some("password"), 400, "unsupported_grant_type", 70003),
        ("grant_type", None, 400, "invalid_request", 900_144),
        ("scope", Some("nonsense"), 400, "invalid_scope", 70011),
        ("scope", None, 400, "invalid_request", 900_144),
    ] {
        let form = right.iter().filter_map(|field| match value {
            _ if field.0 != name => Some(*field),
            Some(value) => Some((name, value)),
            None => None,
        });
        check_refusal(&arm.token(&form.collect::<Vec<_>>()).await, status, error, number);
    }
    let form = arm.http.post(arm.token_endpoint()).body(format!("client_id={id}&client_secret=emulator-secret"));
    check_refusal(&read(form).await, 400, "invalid_request", 900_144);
    assert!(!format!("{:?}", arm.emulator.requests()).contains("emulator-secret"), "the log has no secret");
    let reply = arm.post_form("/99999999-0000-0000-0000-000000000000/oauth2/v2.0/token", &[]).await;
    check_refusal(&reply, 400, "invalid_request", 90002);
}

/// azure.md §6.2: an application may have several secrets, and each ends by itself.
#[tokio::test]
async fn a_secret_runs_out() {
    let arm = arm().await;
    arm.emulator.set_time(crate::azure::parse_time("2029-12-31T23:59:00Z").expect("a time"));
    let secrets = json!([{ "value": "old", "expires": "2030-01-01T00:00:00Z" }, { "value": "new" }]);
    arm.emulator
        .seed(&json!({ "clients": [{ "client_id": APP, "object_id": APP_OBJECT, "secrets": secrets }] }).to_string());
    assert_eq!((arm.sign_in(APP, "old").await.status, arm.sign_in(APP, "new").await.status), (200, 200));
    arm.emulator.advance(Duration::from_secs(60));
    check_refusal(&arm.sign_in(APP, "old").await, 401, "invalid_client", 7_000_222);
    assert_eq!(arm.sign_in(APP, "new").await.status, 200);
    check_refusal(&arm.sign_in(APP, "never").await, 401, "invalid_client", 7_000_215);
}

/// azure.md §6.2: an application of one tenant is not found in another.
#[tokio::test]
async fn an_application_belongs_to_its_tenant() {
    let other = "99999999-1111-1111-1111-111111111111";
    let arm = arm_with(|options| options.foreign_tenant = vec![other.to_owned()]).await;
    let client = json!({ "client_id": APP, "object_id": APP_OBJECT, "secret": "s", "tenant": other });
    arm.emulator.seed(&json!({ "clients": [client] }).to_string());
    check_refusal(&arm.sign_in(APP, "s").await, 400, "unauthorized_client", 700_016);
    let scope = format!("{}/.default", arm.emulator.url());
    let form = [("grant_type", "client_credentials"), ("client_id", APP), ("client_secret", "s"), ("scope", &scope)];
    let reply = arm.post_form(&format!("/{other}/oauth2/v2.0/token"), &form).await;
    assert_eq!(claims(&reply)["tid"], other);
}

/// A rule may refuse with any number.
#[tokio::test]
async fn a_rule_refuses_as_entra_does() {
    let arm = arm().await;
    let rule = "POST */oauth2/v2.0/token -> 503 AADSTS90033 message=\"A transient error has occurred.\" times=1";
    arm.emulator.fault(rule.parse().expect("a rule"));
    let id = variable(&arm.emulator, "ARM_CLIENT_ID");
    check_refusal(&arm.sign_in(&id, "emulator-secret").await, 503, "temporarily_unavailable", 90033);
    assert_eq!(arm.sign_in(&id, "emulator-secret").await.status, 200);
}
