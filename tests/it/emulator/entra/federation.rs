//! Assertions of other issuers that an application trusts (azure.md §6.2, §6.5).

use std::time::Duration;

use serde_json::{Value, json};

use super::super::client::{Arm, arm, variable};
use super::keys::{OWN, part};
use super::{APP, APP_OBJECT, check_refusal, claims};

const CLUSTER: &str = "https://eastus.oic.prod-aks.azure.com/11111111-1111-1111-1111-111111111111/c1/";
const ACCOUNT: &str = "system:serviceaccount:prod:terraform";
const EXCHANGE: &str = "api://AzureADTokenExchange";

/// An emulator with an application that trusts a service account of a cluster, and some other things.
async fn registered() -> Arm {
    let arm = arm().await;
    let federated = json!([
        { "issuer": CLUSTER, "subject": ACCOUNT },
        { "issuer": "https://other.test", "subject": "other", "audience": "api://other" },
    ]);
    arm.emulator.seed(
        &json!({ "clients": [{ "client_id": APP, "object_id": APP_OBJECT, "federated": federated }] }).to_string(),
    );
    arm
}

/// azure.md §6.5: issuer, subject and audience are those of one credential, and compared case by case.
#[tokio::test]
async fn issuer_subject_and_audience_must_be_those_of_one_credential() {
    let arm = registered().await;
    for (row, issuer, subject, audience, number) in [
        ("all right", CLUSTER, ACCOUNT, EXCHANGE, None),
        ("another credential", "https://other.test", "other", "api://other", None),
        ("issuer without its slash", CLUSTER.trim_end_matches('/'), ACCOUNT, EXCHANGE, Some(700_211)),
        ("another subject", CLUSTER, "system:serviceaccount:prod:other", EXCHANGE, Some(700_213)),
        ("another case", CLUSTER, &ACCOUNT.to_uppercase(), EXCHANGE, Some(700_213)),
        ("another audience", CLUSTER, ACCOUNT, "https://kubernetes.default.svc", Some(700_212)),
        ("the subject of another issuer", CLUSTER, "other", "api://other", Some(700_213)),
    ] {
        let reply = arm.assert(APP, &arm.emulator.assertion(issuer, subject, audience)).await;
        match number {
            None => assert_eq!(claims(&reply)["oid"], APP_OBJECT, "{row}"),
            Some(number) => {
                assert_eq!(reply.at("/error_codes/0"), number, "{row}: {}", reply.text);
                check_refusal(&reply, 401, "invalid_client", number);
            }
        }
        let logged = arm.last_sign_in();
        assert_eq!(logged["client_assertion"]["claims"]["sub"], subject, "the log has what was sent");
    }
}

/// azure.md §6.2: a key that is not the issuer's; and a secret's application trusts no issuer.
#[tokio::test]
async fn an_assertion_must_be_signed_by_its_issuer() {
    let arm = registered().await;
    let genuine = arm.emulator.assertion(CLUSTER, ACCOUNT, EXCHANGE);
    let forged = OWN.sign(&part(&genuine, 0), &part(&genuine, 1));
    let reply = arm.assert(APP, &forged).await;
    check_refusal(&reply, 401, "invalid_client", 7_000_272);
    arm.emulator
        .seed(&json!({ "clients": [{ "client_id": APP, "object_id": APP_OBJECT, "secret": "s" }] }).to_string());
    check_refusal(&arm.assert(APP, &genuine).await, 401, "invalid_client", 700_211);
}

/// azure.md §6.2: assertions live for five minutes, or for what the switch says.
#[tokio::test]
async fn an_assertion_ends() {
    let arm = registered().await;
    let assertion = arm.emulator.assertion(CLUSTER, ACCOUNT, EXCHANGE);
    assert_eq!(arm.assert(APP, &assertion).await.status, 200);
    assert_eq!(arm.assert(APP, &assertion).await.status, 200, "it may be used again");
    arm.emulator.advance(Duration::from_secs(300));
    check_refusal(&arm.assert(APP, &assertion).await, 401, "invalid_client", 700_024);
    arm.emulator.configure(|options| options.assertion_lifetime = Duration::from_secs(1));
    let assertion = arm.emulator.assertion(CLUSTER, ACCOUNT, EXCHANGE);
    arm.emulator.advance(Duration::from_secs(1));
    check_refusal(&arm.assert(APP, &assertion).await, 401, "invalid_client", 700_024);
}

/// A test elsewhere gets the assertions that it wants.
#[tokio::test]
async fn a_control_request_writes_assertions() {
    let arm = registered().await;
    let assertion = async |query: &str| {
        let reply = arm.post(&format!("/_emulator/assertions{query}"), Value::Null).await;
        assert_eq!(reply.status, 200, "{query}: {}", reply.text);
        reply.at("/value").as_str().expect("an assertion").to_owned()
    };
    let cluster = assertion(&format!("?issuer={CLUSTER}&subject={ACCOUNT}")).await;
    assert_eq!(arm.assert(APP, &cluster).await.status, 200);
    let other = assertion("?issuer=https://other.test&subject=other&audience=api://other").await;
    assert_eq!(arm.assert(APP, &other).await.status, 200);
    let client = variable(&arm.emulator, "ARM_CLIENT_ID");
    assert_eq!(arm.assert(&client, &assertion("").await).await.status, 200, "the GitHub job's");
    assert_eq!(arm.post("/_emulator/assertions?issuer=x", Value::Null).await.status, 400);
}
