//! Signing in, against a scripted token endpoint.

use crate::support::arm::{SkippingClock, account, call, settings};
use crate::support::scripted::{Exchange, Scripted, on};
use foundryhub::arm::auth::{ClientSecret, ManagedIdentity, TokenError, TokenSource};
use foundryhub::arm::storage_accounts::StorageAccount;
use foundryhub::arm::{CertificateFault, Client, Error, NoAnswer, Read, Settings};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "hunter2~planted";
const TOKEN_PATH: &str = "/tenant-1/oauth2/v2.0/token";

fn secret() -> Arc<dyn TokenSource> {
    Arc::new(ClientSecret { tenant_id: "tenant-1".into(), client_id: "client-1".into(), client_secret: SECRET.into() })
}

/// Why a sign-in failed.
fn reason(failed: &Error) -> &TokenError {
    failed.sign_in().unwrap_or_else(|| panic!("{failed:?}"))
}

fn token(text: &str, expires_in: u32) -> String {
    serde_json::json!({ "token_type": "Bearer", "expires_in": expires_in, "ext_expires_in": expires_in,
        "access_token": text })
    .to_string()
}

fn read_account() -> Exchange {
    on("GET", account().to_string()).answer(200, r#"{"id":"/sa"}"#)
}

fn client(server: &Scripted, method: Arc<dyn TokenSource>) -> (Client, Arc<SkippingClock>) {
    let clock = Arc::new(SkippingClock::default());
    (Client::new(settings(server, &clock), method).unwrap(), clock)
}

async fn read(client: &Client) -> Result<(), Error> {
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.map(drop)
}

/// The fields of a form, decoded.
fn form(body: &str) -> Vec<(String, String)> {
    let mut fields: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    fields.sort();
    fields
}

#[tokio::test]
async fn a_client_secret_gets_a_token_that_serves_many_requests() {
    let server =
        Scripted::start(vec![on("POST", TOKEN_PATH).answer(200, token("abc", 3599)), read_account(), read_account()])
            .await;
    let (client, _) = client(&server, secret());
    read(&client).await.unwrap();
    read(&client).await.unwrap();
    let received = server.received();
    let fields = form(&received[0].body);
    let expected = [
        ("client_id", "client-1"),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", "https://arm.test/.default"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(received[1].header("authorization"), Some("Bearer abc"));
    assert!(received[0].header("authorization").is_none());
    server.finish();
}

#[tokio::test]
async fn a_short_lived_token_is_kept_for_most_of_its_life() {
    // The first is renewed because more than two thirds of its hour have passed while Azure wanted us to wait.
    let server = Scripted::start(vec![
        on("POST", TOKEN_PATH).answer(200, token("first", 60)),
        on("GET", account().to_string()).answer(503, "").header("Retry-After", "30"),
        on("GET", account().to_string()).answer(503, "").header("Retry-After", "15"),
        on("POST", TOKEN_PATH).answer(200, token("second", 60)),
        read_account(),
    ])
    .await;
    let (client, _) = client(&server, secret());
    read(&client).await.unwrap();
    let used: Vec<_> = server.received().iter().filter_map(|r| r.header("authorization").map(str::to_owned)).collect();
    assert_eq!(used, ["Bearer first", "Bearer first", "Bearer second"]);
    server.finish();
}

#[tokio::test]
async fn a_claims_challenge_is_passed_on_to_the_sign_in() {
    // {"access_token":{"nbf":{"essential":true}}}
    let challenge =
        "Bearer error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==\"";
    let server = Scripted::start(vec![
        on("POST", TOKEN_PATH).answer(200, token("first", 3599)),
        on("GET", account().to_string()).answer(401, "").header("WWW-Authenticate", challenge),
        on("POST", TOKEN_PATH).answer(200, token("second", 3599)),
        read_account(),
    ])
    .await;
    let (client, _) = client(&server, secret());
    read(&client).await.unwrap();
    let received = server.received();
    let claims = ("claims".to_owned(), r#"{"access_token":{"nbf":{"essential":true}}}"#.to_owned());
    assert!(!form(&received[0].body).contains(&claims));
    assert!(form(&received[2].body).contains(&claims));
    assert_eq!(received[3].header("authorization"), Some("Bearer second"));
    server.finish();
}

#[tokio::test]
async fn auxiliary_tokens_come_from_their_tenants() {
    let server = Scripted::start(vec![
        on("POST", TOKEN_PATH).answer(200, token("own", 3599)),
        on("POST", "/tenant-2/oauth2/v2.0/token").answer(200, token("other", 3599)),
        read_account(),
    ])
    .await;
    let clock = Arc::new(SkippingClock::default());
    let settings = Settings { auxiliary_tenant_ids: vec!["tenant-2".into()], ..settings(&server, &clock) };
    let client = Client::new(settings, secret()).unwrap();
    read(&client).await.unwrap();
    assert_eq!(server.received()[2].header("x-ms-authorization-auxiliary"), Some("Bearer other"));
    server.finish();
}

/// None of these is sent, none makes the provider look at fault, and none is quoted.
#[tokio::test]
async fn an_answer_without_a_token_that_can_be_used_is_the_fault_of_who_gave_it() {
    let answer = |token: &str, life: &str, rest: &str| {
        format!(r#"{{"token_type":"Bearer","expires_in":{life},"ext_expires_in":1,"access_token":{token}}}{rest}"#)
    };
    let planted = format!("{SECRET:?}");
    for body in [
        answer(r#""""#, "3599", ""),
        answer("null", "3599", ""),
        answer(r#""planted\r\nx: y""#, "3599", ""),
        answer(r#""planted tökén""#, "3599", ""),
        answer(&planted, "1000000000000000000", ""),
        answer(&planted, "-1000000000000000000", ""),
        answer(&planted, "0", ""),
        answer(&planted, r#""soon""#, ""),
        answer(&planted, "3599", "planted"),
        answer(&planted, "3599", ""),
    ] {
        let is_good = body == answer(&planted, "3599", "");
        let mut script = vec![on("POST", TOKEN_PATH).answer(200, body.clone())];
        script.extend(is_good.then(read_account));
        let server = Scripted::start(script).await;
        let (client, clock) = client(&server, secret());
        let result = read(&client).await;
        if !is_good {
            let failed = result.unwrap_err();
            assert!(matches!(reason(&failed), TokenError::NoToken { status: 200, .. }), "{body}: {failed:?}");
            assert!(reason(&failed).to_string().starts_with(&server.url), "{failed:?}");
            assert!(!format!("{failed:?}").contains("planted"), "{failed:?}");
        }
        assert!(clock.pauses().is_empty());
        server.finish();
    }
}

#[tokio::test]
async fn an_answer_with_a_token_may_have_a_mebibyte() {
    let blanks = vec![b' '; 1 << 20];
    let endless = |method, target, status: u16| {
        on(method, target).repeated(format!("HTTP/1.1 {status} Scripted\r\n\r\n"), blanks.clone(), 1024)
    };
    let server = Scripted::start(vec![endless("POST", TOKEN_PATH, 200), endless("GET", "/msi", 200)]).await;
    let endpoint = Some(format!("{}/msi", server.url).parse().unwrap());
    let machine: Arc<dyn TokenSource> = Arc::new(ManagedIdentity { endpoint, ..ManagedIdentity::default() });
    for method in [secret(), machine] {
        let (client, clock) = client(&server, method);
        let failed = read(&client).await.unwrap_err();
        assert!(matches!(reason(&failed), TokenError::TooLarge { status: 200, .. }), "{failed:?}");
        let said = reason(&failed).to_string();
        assert!(said.starts_with(&server.url) && said.contains("1 MiB"), "{said}");
        assert!(clock.pauses().is_empty());
    }
    server.finish();

    // Of an error the status counts.
    let server = Scripted::start(vec![
        endless("POST", TOKEN_PATH, 503),
        on("POST", TOKEN_PATH).answer(200, token("abc", 3599)),
        read_account(),
    ])
    .await;
    let (client, _) = client(&server, secret());
    read(&client).await.unwrap();
    server.finish();
}

#[tokio::test]
async fn a_secret_that_entra_echoes_is_shown_nowhere() {
    let encoded = "hunter2%7Eplanted";
    let echo = serde_json::json!({ "error": encoded, "error_description": format!("AADSTS7000215: {encoded}"),
        "error_codes": [7_000_215], "trace_id": SECRET, "correlation_id": encoded });
    let server = Scripted::start(vec![on("POST", TOKEN_PATH).answer(401, echo.to_string())]).await;
    let (client, _) = client(&server, secret());
    let failed = read(&client).await.unwrap_err();
    assert_eq!(reason(&failed).code(), Some(7_000_215));
    assert_eq!(reason(&failed).ids(), [("trace id", "(redacted)"), ("correlation id", "(redacted)")]);
    assert!(!format!("{failed:?} {}", reason(&failed)).contains("planted"), "{failed:?}");
    server.finish();
}

#[tokio::test]
async fn a_refused_secret_is_said_with_advice_once_and_without_the_secret() {
    let description = format!(
        "AADSTS7000215: Invalid client secret provided: {SECRET}. Trace ID: t Correlation ID: c Timestamp: 2026-01-01 00:00:00Z"
    );
    let refusal = serde_json::json!({ "error": "invalid_client", "error_description": description,
        "error_codes": [7_000_215], "trace_id": "t", "correlation_id": "c" });
    let server = Scripted::start(vec![on("POST", TOKEN_PATH).answer(401, refusal.to_string())]).await;
    let (client, clock) = client(&server, secret());
    // Several at once, as in any plan.
    let failed = futures_util::future::join_all((0..10).map(|_| read(&client))).await;
    for failed in failed {
        let failed = failed.unwrap_err();
        let error = reason(&failed);
        assert_eq!(error.code(), Some(7_000_215));
        assert!(error.hint().unwrap().contains("secret's value"));
        assert!(error.to_string().contains("AADSTS7000215: Invalid client secret provided"), "{error}");
        assert!(!format!("{failed} {failed:?} {error}").contains(SECRET));
    }
    assert!(clock.pauses().is_empty());
    server.finish();
}

#[tokio::test]
async fn trouble_at_the_sign_in_service_is_retried() {
    let server = Scripted::start(vec![
        on("POST", TOKEN_PATH).answer(503, "<html>"),
        on("POST", TOKEN_PATH).raw(""),
        on("POST", TOKEN_PATH).answer(200, token("abc", 3599)),
        read_account(),
    ])
    .await;
    let (client, clock) = client(&server, secret());
    read(&client).await.unwrap();
    assert_eq!(clock.pauses().len(), 2);
    server.finish();
}

#[tokio::test]
async fn a_sign_in_service_that_is_not_trusted_gets_no_secret() {
    let server = Scripted::start(Vec::new()).await;
    let clock = Arc::new(SkippingClock::default());
    let settings = Settings { extra_roots: Vec::new(), ..settings(&server, &clock) };
    let failed = read(&Client::new(settings, secret()).unwrap()).await.unwrap_err();
    let untrusted = NoAnswer::Untrusted(CertificateFault::Issuer);
    let why = reason(&failed);
    assert!(matches!(why, TokenError::Unreachable { reason, .. } if *reason == untrusted), "{failed:?}");
    assert!(failed.hint().unwrap().contains("SSL_CERT_FILE"));
    assert!(clock.pauses().is_empty());
    server.finish();
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_an_error() {
    let server = Scripted::start(vec![on("POST", TOKEN_PATH).answer(200, "<html>welcome to the hotel</html>")]).await;
    let (client, _) = client(&server, secret());
    let failed = read(&client).await.unwrap_err();
    assert!(matches!(reason(&failed), TokenError::NoToken { status: 200, .. }), "{failed:?}");
    assert!(!format!("{failed:?}").contains("hotel"));
    server.finish();
}

#[tokio::test]
async fn a_managed_identity_is_asked_on_this_machine() {
    let expires_on = (time::OffsetDateTime::now_utc() + Duration::from_secs(3600)).unix_timestamp().to_string();
    let body = serde_json::json!({ "access_token": "msi", "expires_in": "3600", "expires_on": expires_on,
        "resource": "https://arm.test", "token_type": "Bearer" });
    let machine = Scripted::start_plain(vec![
        on("GET", "/metadata/identity/oauth2/token").answer(200, body.to_string()),
        on("GET", "/metadata/identity/oauth2/token").answer(400, r#"{"error":"invalid_request"}"#),
    ])
    .await;
    let server = Scripted::start(vec![read_account()]).await;
    let identity = || {
        Arc::new(ManagedIdentity {
            client_id: Some("client-9".into()),
            endpoint: Some(format!("{}/metadata/identity/oauth2/token", machine.url).parse().unwrap()),
            api_version: Some("2018-02-01".into()),
            app_service: None,
        })
    };
    read(&client(&server, identity()).0).await.unwrap();
    let asked = &machine.received()[0];
    assert_eq!(asked.header("metadata"), Some("true"));
    let (_, query) = asked.target.split_once('?').unwrap();
    let expected = [("api-version", "2018-02-01"), ("client_id", "client-9"), ("resource", "https://arm.test")];
    assert_eq!(form(query), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(server.received()[0].header("authorization"), Some("Bearer msi"));

    let failed = read(&client(&server, identity()).0).await.unwrap_err();
    let TokenError::ManagedIdentity { status: 400, .. } = reason(&failed) else { panic!("{failed:?}") };
    machine.finish();
    server.finish();
}

/// A managed identity that is asked at this server.
fn identity_at(url: &str) -> Arc<dyn TokenSource> {
    let endpoint = Some(format!("{url}/metadata/identity/oauth2/token").parse().unwrap());
    Arc::new(ManagedIdentity { client_id: None, endpoint, api_version: None, app_service: None })
}

#[tokio::test]
async fn an_identity_endpoint_that_is_not_trusted_is_asked_once() {
    let machine = Scripted::start(Vec::new()).await;
    let server = Scripted::start(Vec::new()).await;
    let (client, clock) = client(&server, identity_at(&machine.url));
    let failed = read(&client).await.unwrap_err();
    assert!(matches!(reason(&failed), TokenError::Unreachable { .. }), "{failed:?}");
    assert!(failed.hint().unwrap().contains("SSL_CERT_FILE"));
    assert_eq!((machine.connections(), clock.pauses()), (1, vec![]));
    machine.finish();
    server.finish();
}

#[tokio::test]
async fn where_nobody_gives_tokens_a_few_seconds_are_enough_to_know() {
    let gone = Scripted::start(Vec::new()).await.url.clone();
    let server = Scripted::start(Vec::new()).await;
    let clock = Arc::new(SkippingClock::default());
    let here = settings(&server, &clock);
    let endpoints = foundryhub::arm::Endpoints::new(&server.url, "https://arm.test", &gone).unwrap();
    let elsewhere = Settings { addresses: endpoints.into(), ..here.clone() };
    for (settings, method) in [(here, identity_at(&gone)), (elsewhere, secret())] {
        let before = clock.pauses().len();
        let failed = read(&Client::new(settings, method).unwrap()).await.unwrap_err();
        let error = reason(&failed);
        assert_eq!(error.to_string(), format!("{gone} could not be reached"));
        let pauses = clock.pauses().split_off(before);
        assert!(pauses.len() > 2 && pauses.iter().sum::<Duration>() < Duration::from_secs(12), "{pauses:?}");
    }
    server.finish();
}

/// Keeps all that is logged, by us and by the crates below.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        *self.0 += &format!("{field}={value:?} ");
    }
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Everything {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        event.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn on_new_span(
        &self,
        span: &tracing::span::Attributes<'_>,
        _: &tracing::span::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        span.record(&mut Fields(&mut self.0.lock().unwrap()));
    }
}

#[tokio::test]
async fn neither_secret_nor_token_nor_key_is_ever_logged() {
    let keys = format!("{}/listKeys", account());
    let server = Scripted::start(vec![
        on("POST", TOKEN_PATH).answer(503, ""),
        on("POST", TOKEN_PATH).answer(200, token("planted-token", 3599)),
        on("POST", &keys).answer(503, ""),
        on("POST", &keys).answer(200, r#"{"keys":[{"keyName":"key1","value":"planted-key"}]}"#),
        on("POST", &keys).answer(200, r#"{"keys":["planted-key"]}"#),
    ])
    .await;
    let log = Everything::default();
    let (client, _) = client(&server, secret());
    {
        use tracing_subscriber::layer::SubscriberExt;
        let _logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()));
        let listed = client.list_storage_keys(&account(), &call()).await.unwrap();
        assert_eq!(listed[0].value.reveal(), "planted-key");
        let unreadable = client.list_storage_keys(&account(), &call()).await.unwrap_err();
        assert!(!format!("{unreadable} {unreadable:?} {listed:?} {client:?}").contains("planted"));
    }
    let log = log.0.lock().unwrap();
    assert!(log.contains("/listKeys"), "something is logged: {log}");
    for planted in [SECRET, "planted-token", "planted-key"] {
        assert!(!log.contains(planted), "{planted} is in the log: {log}");
    }
    server.finish();
}
