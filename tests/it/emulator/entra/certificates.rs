//! Assertions that an application signs with the key of its certificate (azure.md §6.1, §6.2).

use std::time::Duration;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::client::{Arm, arm, variable};
use super::keys::{OWN, STRANGE};
use super::{APP, APP_OBJECT, check_refusal, claims};

/// An emulator with an application that has a certificate.
async fn registered(expires: Value) -> Arm {
    let arm = arm().await;
    let certificates = json!([{ "certificate": OWN.pem, "expires": expires }]);
    arm.emulator.seed(
        &json!({ "clients": [{ "client_id": APP, "object_id": APP_OBJECT, "certificates": certificates }] })
            .to_string(),
    );
    arm
}

fn header() -> Value {
    json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": OWN.thumbprint(&SHA256) })
}

fn body(arm: &Arm) -> Value {
    let now = arm.emulator.now().unix_timestamp();
    json!({ "aud": arm.token_endpoint(), "iss": APP, "sub": APP, "jti": "1", "iat": now, "nbf": now, "exp": now + 300 })
}

/// azure.md §6.1: RS256 with x5t and PS256 with x5t#S256, with and without the chain; the log tells which.
#[tokio::test]
async fn both_signatures_and_thumbprints_buy_a_token() {
    let arm = registered(Value::Null).await;
    // MSAL for Python: plain base64 with its padding, times with fractions, and no beginning.
    let now = arm.emulator.now().unix_timestamp() as f64;
    let mut python = body(&arm);
    (python["iat"], python["exp"]) = (json!(now + 0.5), json!(now + 600.5));
    python.as_object_mut().expect("claims").remove("nbf");
    let thumbprint = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &OWN.der));
    let assertion = OWN.sign(&json!({ "alg": "RS256", "typ": "JWT", "x5t": thumbprint }), &python);
    assert_eq!(arm.assert(APP, &assertion).await.status, 200);

    let (sha1, sha256) = (OWN.thumbprint(&SHA1_FOR_LEGACY_USE_ONLY), OWN.thumbprint(&SHA256));
    for header in [
        json!({ "alg": "RS256", "typ": "JWT", "x5t": sha1 }),
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": sha256 }),
        json!({ "alg": "PS256", "typ": "JWT", "x5t": sha1, "x5t#S256": sha256, "x5c": [STANDARD.encode(&OWN.der)] }),
    ] {
        let reply = arm.assert(APP, &OWN.sign(&header, &body(&arm))).await;
        assert_eq!(reply.status, 200, "{header}: {}", reply.text);
        let bought = claims(&reply);
        assert_eq!(
            (&bought["oid"], &bought["appid"], &bought["appidacr"]),
            (&json!(APP_OBJECT), &json!(APP), &json!("2"))
        );
        let logged = arm.last_sign_in();
        assert_eq!(logged["client_assertion"]["header"], header, "the log has what was sent");
        assert_eq!(logged["client_assertion"]["claims"]["iss"], APP);
    }
}

/// azure.md §6.2: each part that may be wrong has its own number.
#[tokio::test]
async fn every_part_of_an_assertion_is_checked() {
    let arm = registered(Value::Null).await;
    let body = body(&arm);
    let now = arm.emulator.now().unix_timestamp();
    let with = |name: &str, value: Value| {
        let mut changed = body.clone();
        changed[name] = value;
        changed
    };
    let without = |name: &str| {
        let mut changed = body.clone();
        changed.as_object_mut().expect("claims").remove(name);
        changed
    };
    let strange = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": STRANGE.thumbprint(&SHA256) });
    let none = json!({ "alg": "none", "typ": "JWT", "x5t#S256": OWN.thumbprint(&SHA256) });
    let unnamed = json!({ "alg": "PS256", "typ": "JWT" });
    let other_tenant = arm.token_endpoint().replace(&variable(&arm.emulator, "ARM_TENANT_ID"), APP);
    for (row, assertion, number) in [
        ("a certificate that is not registered", STRANGE.sign(&strange, &body), 700_027),
        ("no thumbprint", OWN.sign(&unnamed, &body), 700_027),
        ("another key's signature", STRANGE.sign(&header(), &body), 700_027),
        ("no algorithm", OWN.sign(&none, &body), 700_027),
        ("another issuer", OWN.sign(&header(), &with("iss", json!(APP_OBJECT))), 700_021),
        ("another subject", OWN.sign(&header(), &with("sub", json!(APP_OBJECT))), 700_021),
        ("another service", OWN.sign(&header(), &with("aud", json!("api://AzureADTokenExchange"))), 700_023),
        ("another tenant", OWN.sign(&header(), &with("aud", json!(other_tenant))), 700_023),
        ("over", OWN.sign(&header(), &with("exp", json!(now - 1))), 700_024),
        ("not yet", OWN.sign(&header(), &with("nbf", json!(now + 3600))), 700_024),
        ("no end", OWN.sign(&header(), &without("exp")), 50027),
        ("no id", OWN.sign(&header(), &without("jti")), 50027),
        ("no token", "not.a-token".to_owned(), 50027),
    ] {
        let reply = arm.assert(APP, &assertion).await;
        assert_eq!(reply.at("/error_codes/0"), number, "{row}: {}", reply.text);
        check_refusal(&reply, 401, "invalid_client", number);
        let used = digest(&SHA256, &STRANGE.der).as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let names = reply.text.contains(&format!("Thumbprint of key used by client: '{used}'"));
        assert_eq!(names, row == "a certificate that is not registered", "{row}: {}", reply.text);
        assert!(!arm.last_sign_in().to_string().contains(assertion.rsplit('.').next().expect("a part")), "{row}");
    }
    let named = arm.assert(APP, &OWN.sign(&header(), &with("aud", json!(format!("{}/x", arm.token_endpoint()))))).await;
    check_refusal(&named, 401, "invalid_client", 700_023);
}

/// azure.md §6.2: a registered certificate runs out with its registration.
#[tokio::test]
async fn a_certificate_runs_out() {
    let arm = registered(json!("2030-01-01T00:00:00Z")).await;
    arm.emulator.set_time(crate::azure::parse_time("2029-12-31T23:59:00Z").expect("a time"));
    assert_eq!(arm.assert(APP, &OWN.sign(&header(), &body(&arm))).await.status, 200);
    arm.emulator.advance(Duration::from_secs(60));
    let reply = arm.assert(APP, &OWN.sign(&header(), &body(&arm))).await;
    check_refusal(&reply, 401, "invalid_client", 700_027);
    assert!(reply.text.contains("The key used is expired."), "{}", reply.text);
}
