//! Sending a request: headers, retries, throttling, limits, tokens and the hosts that they are sent to.

use crate::support::arm::{
    GatedClock, NumberedTokens, SUBSCRIPTION, SkippingClock, account, call, client, error, hub, settings,
};
use crate::support::scripted::{Scripted, on};
use foundryhub::arm::auth::{AccessToken, Network, TokenError, TokenRequest, TokenSource};
use foundryhub::arm::role_assignments::RoleAssignment;
use foundryhub::arm::storage_accounts::StorageAccount;
use foundryhub::arm::workspaces::{AuthMode, Workspace};
use foundryhub::arm::{
    ArmId, Call, CertificateFault, Client, CorrelationId, Error, ErrorCode, List, NoAnswer, Read, RoleAssignmentId,
    Settings,
};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = r#"{"id":"/sa1","name":"sa1","properties":{"allowSharedKeyAccess":true}}"#;

fn account_path() -> String {
    account().to_string()
}

#[tokio::test]
async fn every_request_has_token_user_agent_request_id_and_correlation_id() {
    let server = Scripted::start(vec![
        on("GET", account_path()).answer(200, ACCOUNT),
        on("PATCH", account_path()).answer(200, ACCOUNT),
        on("POST", format!("{}/listKeys", account_path())).answer(200, r#"{"keys":[]}"#),
    ])
    .await;
    let (client, _, tokens) = client(&server);
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
    client.set_shared_key_access(&account(), false, &call()).await.unwrap();
    client.list_storage_keys(&account(), &call()).await.unwrap();

    let [get, patch, post] = <[_; 3]>::try_from(server.received()).unwrap();
    for request in [&get, &patch, &post] {
        assert!(request.target.ends_with("?api-version=2023-05-01"), "{}", request.target);
        assert_eq!(request.header("authorization"), Some("Bearer token-1"));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("x-ms-correlation-request-id"), Some("correlation-1"));
        assert!(request.header("user-agent").unwrap().starts_with("terraform-provider-foundryhub/"));
        assert!(request.header("x-ms-authorization-auxiliary").is_none());
        assert_eq!(request.header("x-ms-client-request-id").unwrap().len(), 36);
    }
    assert_ne!(get.header("x-ms-client-request-id"), patch.header("x-ms-client-request-id"));
    assert_eq!(patch.header("content-type"), Some("application/json"));
    assert_eq!(patch.body, r#"{"properties":{"allowSharedKeyAccess":false}}"#);
    assert_eq!(post.header("content-length"), Some("0"));
    let asked = tokens.asked.lock().unwrap();
    assert_eq!(asked.len(), 1, "one token does for all");
    assert_eq!(asked[0].scope, "https://arm.test/.default");
    server.finish();
}

#[tokio::test]
async fn the_correlation_id_can_be_left_out_and_auxiliary_tokens_sent_along() {
    let server = Scripted::start(vec![on("GET", account_path()).answer(200, ACCOUNT)]).await;
    let (clock, _pauses) = GatedClock::new();
    let tokens = Arc::new(NumberedTokens::default());
    let settings = Settings {
        correlation_id: CorrelationId::Disabled,
        auxiliary_tenant_ids: vec!["tenant-a".into(), "tenant-b".into()],
        user_agent: "agent/1".into(),
        ..settings(&server, &clock)
    };
    let client = Client::new(settings, tokens.clone()).unwrap();
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
    let request = &server.received()[0];
    assert!(request.header("x-ms-correlation-request-id").is_none());
    assert_eq!(request.header("user-agent"), Some("agent/1"));
    assert_eq!(request.header("authorization"), Some("Bearer token-1"));
    assert_eq!(request.header("x-ms-authorization-auxiliary"), Some("Bearer token-2, Bearer token-3"));
    let tenants: Vec<_> = tokens.asked.lock().unwrap().iter().map(|request| request.tenant.clone()).collect();
    assert_eq!(tenants, [None, Some("tenant-a".into()), Some("tenant-b".into())]);
    server.finish();
}

#[tokio::test]
async fn an_error_page_that_shows_the_request_is_shown_without_its_tokens() {
    let page = "<pre>authorization: Bearer token-1\nx-ms-authorization-auxiliary: Bearer%20token%2D2</pre>";
    let server = Scripted::start(vec![on("GET", account_path()).answer(400, page)]).await;
    let (clock, _pauses) = GatedClock::new();
    let settings = Settings { auxiliary_tenant_ids: vec!["tenant-a".into()], ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::new(NumberedTokens::default())).unwrap();
    let error = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.map(drop).unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("Bearer (redacted)") && text.contains("Bearer%20(redacted)"), "{text}");
    assert!(!text.contains("token-1") && !text.contains("%2D2"), "{text}");
    server.finish();
}

#[tokio::test]
async fn transient_failures_are_retried_under_one_request_id() {
    let server = Scripted::start(vec![
        on("GET", account_path()).answer(503, error("ServerBusy", "busy")),
        on("GET", account_path()).raw(Vec::new()),
        on("GET", account_path()).raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"),
        on("GET", account_path()).answer(502, "<html>bad gateway</html>"),
        on("GET", account_path()).answer(200, format!("\u{feff}{ACCOUNT}")),
    ])
    .await;
    let (client, clock, _) = client(&server);
    let found = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
    assert_eq!(found.name, "sa1");
    let mut ids: Vec<_> =
        server.received().iter().map(|r| r.header("x-ms-client-request-id").unwrap().to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let pauses = clock.pauses();
    assert_eq!(pauses.len(), 4);
    assert!(pauses[0] >= Duration::from_secs(1) && pauses[3] > pauses[0], "{pauses:?}");
    server.finish();
}

#[tokio::test]
async fn retries_end_after_max_retries() {
    let busy = || on("GET", account_path()).answer(500, error("InternalError", "oops")).header("x-ms-request-id", "r1");
    let server = Scripted::start(vec![busy(), busy(), busy()]).await;
    let (clock, tokens) = (Arc::<SkippingClock>::default(), Arc::<NumberedTokens>::default());
    let settings = Settings { max_retries: 2, ..settings(&server, &clock) };
    let client = Client::new(settings, tokens).unwrap();
    let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    let Error::Service(service) = &failed else { panic!("{failed:?}") };
    assert_eq!(service.status.as_u16(), 500);
    assert_eq!(service.request_id.as_deref(), Some("r1"));
    assert_eq!(service.path, account_path());
    server.finish();
}

#[tokio::test]
async fn a_post_that_must_not_be_repeated_is_retried_only_after_429() {
    let path = format!("{}/regenerateKey", account_path());
    let server = Scripted::start(vec![
        on("POST", &path).raw(Vec::new()),
        on("POST", &path).answer(503, ""),
        on("POST", &path).answer(429, error("TooManyRequests", "slow")).header("Retry-After", "3"),
        on("POST", &path).answer(200, r#"{"keys":[{"keyName":"key1","value":"new-key"}]}"#),
    ])
    .await;
    let (client, clock, _) = client(&server);
    let lost = client.regenerate_storage_key(&account(), "key1", &call()).await.unwrap_err();
    assert!(matches!(lost, Error::Transport { reason: NoAnswer::Broken, .. }), "{lost:?}");
    let busy = client.regenerate_storage_key(&account(), "key1", &call()).await.unwrap_err();
    assert!(matches!(busy, Error::Service(_)), "{busy:?}");
    let keys = client.regenerate_storage_key(&account(), "key1", &call()).await.unwrap();
    assert_eq!(keys[0].value.reveal(), "new-key");
    assert_eq!(clock.pauses(), [Duration::from_secs(3)]);
    assert_eq!(server.received()[0].body, r#"{"keyName":"key1"}"#);
    server.finish();
}

#[tokio::test]
async fn retry_after_is_obeyed_however_long_it_is() {
    let answer = |after: &str| on("GET", account_path()).answer(503, "").header("Retry-After", after);
    let server = Scripted::start(vec![
        answer("3600"),
        on("GET", account_path()).answer(429, "").header("retry-after-ms", "2500"),
        on("GET", account_path()).answer(200, ACCOUNT),
    ])
    .await;
    let (client, clock, _) = client(&server);
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
    assert_eq!(clock.pauses(), [Duration::from_secs(3600), Duration::from_millis(2500)]);
    server.finish();
}

#[tokio::test]
async fn a_second_passes_before_every_repeat_whatever_the_service_asks_for() {
    const NO_WAIT: [(&str, &str); 5] = [
        ("Retry-After", "0"),
        ("Retry-After", "-5"),
        ("Retry-After", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("retry-after-ms", "0"),
        ("x-ms-retry-after-ms", "3"),
    ];
    for (name, value) in NO_WAIT {
        let refusals = [
            (408, ""),
            (429, "TooManyRequests"),
            (500, ""),
            (503, "ServerBusy"),
            (409, "StorageAccountOperationInProgress"),
        ];
        let refused = |(status, code)| on("GET", account_path()).answer(status, error(code, "")).header(name, value);
        let mut script: Vec<_> = refusals.into_iter().map(refused).collect();
        script.push(on("GET", account_path()).answer(200, ACCOUNT));
        let server = Scripted::start(script).await;
        let (client, clock, _) = client(&server);
        client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
        let pauses = clock.pauses();
        assert!(pauses.len() >= 5 && pauses.iter().all(|pause| *pause >= Duration::from_secs(1)), "{name}: {pauses:?}");
        assert!(pauses.windows(2).any(|two| two[0] != two[1]), "they are not in step: {pauses:?}");
        server.finish();
    }
}

/// This machine's clock may be years ahead of the service's, or behind.
#[tokio::test]
async fn a_date_to_wait_for_is_compared_with_the_date_of_the_answer() {
    for year in [2001, 2401] {
        let date = |second: u8| {
            let date = time::Date::from_ordinal_date(year, 200).unwrap().with_hms(0, 0, second).unwrap();
            httpdate::fmt_http_date(date.assume_utc().into())
        };
        let server = Scripted::start(vec![
            on("GET", account_path()).answer(503, "").header("Date", date(10)).header("Retry-After", date(40)),
            on("GET", account_path()).answer(200, ACCOUNT),
        ])
        .await;
        let (client, clock, _) = client(&server);
        client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
        assert_eq!(clock.pauses(), [Duration::from_secs(30)], "{year}");
        server.finish();
    }
}

#[tokio::test]
async fn a_retry_after_beyond_the_deadline_ends_the_call_at_once() {
    let server = Scripted::start(vec![
        on("GET", account_path()).answer(429, error("TooManyRequests", "slow down")).header("Retry-After", "120"),
    ])
    .await;
    let (client, clock, _) = client(&server);
    let short = Call::new(CancellationToken::new(), Duration::from_secs(100));
    let late = client.get::<StorageAccount>(&account(), Read::Fresh, &short).await.unwrap_err();
    assert!(matches!(&late, Error::DeadlineExceeded { wait: Some(wait), .. } if wait.as_secs() == 120), "{late:?}");
    assert_eq!(late.code(), Some(&ErrorCode::TooManyRequests));
    assert!(clock.pauses().is_empty());
    server.finish();
}

#[tokio::test]
async fn throttling_makes_the_whole_client_wait() {
    let server = Scripted::start(vec![
        on("GET", account_path()).answer(429, error("TooManyRequests", "slow")).header("Retry-After", "17"),
        on("GET", account_path()).answer(200, ACCOUNT),
        on("GET", hub().to_string()).answer(200, "{}"),
    ])
    .await;
    let (clock, mut pauses) = GatedClock::new();
    let tokens = Arc::<NumberedTokens>::default();
    let client = Client::new(settings(&server, &clock), tokens).unwrap();

    let first = tokio::spawn({
        let client = client.clone();
        async move { client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await }
    });
    let throttled = pauses.recv().await.unwrap();
    assert_eq!(throttled.wait, Duration::from_secs(17));
    let second = tokio::spawn({
        let client = client.clone();
        async move { client.get::<Workspace>(&hub(), Read::Fresh, &call()).await }
    });
    let waiting = pauses.recv().await.unwrap();
    assert!(waiting.wait > Duration::from_secs(10), "{waiting:?}");
    assert_eq!(server.received().len(), 1, "the second request is not sent meanwhile");
    clock.end(throttled);
    first.await.unwrap().unwrap();
    clock.end(waiting);
    second.await.unwrap().unwrap();
    server.finish();
}

#[tokio::test]
async fn a_busy_account_is_retried_beyond_max_retries() {
    let busy = || {
        on("PATCH", account_path()).answer(
            409,
            error(
                "StorageAccountOperationInProgress",
                "An operation is currently performing on this storage account that requires exclusive access.",
            ),
        )
    };
    let mut script: Vec<_> = std::iter::repeat_with(busy).take(20).collect();
    script.push(on("PATCH", account_path()).answer(200, ACCOUNT));
    let server = Scripted::start(script).await;
    let (client, clock, _) = client(&server);
    client.set_shared_key_access(&account(), true, &call()).await.unwrap();
    assert_eq!(clock.pauses().len(), 20);
    server.finish();
}

#[tokio::test]
async fn permanent_errors_are_not_retried() {
    let id = ArmId::subscription_scope(SUBSCRIPTION).unwrap();
    for (status, code) in [
        (409, "ScopeLocked"),
        (409, "ReadOnlyDisabledSubscription"),
        (409, "MissingSubscriptionRegistration"),
        (403, "RequestDisallowedByPolicy"),
        (400, "MissingApiVersionParameter"),
        (404, "ResourceNotFound"),
    ] {
        let path = format!("{id}/providers");
        let server = Scripted::start(vec![on("GET", path).answer(status, error(code, "m"))]).await;
        let (client, clock, _) = client(&server);
        let failed = client.list::<RoleAssignment>(List::below(&id), Read::Fresh, &call()).await.unwrap_err();
        assert_eq!(failed.code().unwrap().as_str(), code);
        assert!(clock.pauses().is_empty());
        server.finish();
    }
}

#[tokio::test]
async fn cancel_and_deadline_end_a_request_that_is_in_flight() {
    let never = Arc::new(Semaphore::new(0));
    let held = || on("GET", account_path()).answer(200, ACCOUNT).held_by(&never);
    let server = Scripted::start(vec![held(), held()]).await;
    let (client, _, _) = client(&server);

    let call = call();
    let id = account();
    let cancel = async {
        server.arrived(1).await;
        call.cancel.cancel();
    };
    let (cancelled, ()) = tokio::join!(client.get::<StorageAccount>(&id, Read::Fresh, &call), cancel);
    assert!(matches!(&cancelled, Err(Error::Cancelled { doing }) if doing.contains("GET")), "{cancelled:?}");

    let short = Call::new(CancellationToken::new(), Duration::from_millis(200));
    let late = client.get::<StorageAccount>(&account(), Read::Fresh, &short).await.unwrap_err();
    assert!(matches!(late, Error::DeadlineExceeded { wait: None, last: None, .. }), "{late:?}");
    server.finish();
}

#[tokio::test]
async fn cancel_ends_a_wait_between_retries() {
    let server = Scripted::start(vec![on("GET", account_path()).answer(503, "")]).await;
    let (clock, mut pauses) = GatedClock::new();
    let client = Client::new(settings(&server, &clock), Arc::<NumberedTokens>::default()).unwrap();
    let call = call();
    let id = account();
    let cancel = async {
        let pause = pauses.recv().await.unwrap();
        call.cancel.cancel();
        pause
    };
    let (result, _pause) = tokio::join!(client.get::<StorageAccount>(&id, Read::Fresh, &call), cancel);
    assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
    server.finish();
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_with_the_claims_that_were_asked_for() {
    // {"access_token":{"nbf":{"essential":true}}}
    let challenge =
        "Bearer error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZX19fQ==\"";
    let expired = || on("GET", account_path()).answer(401, error("ExpiredAuthenticationToken", "expired"));
    let server = Scripted::start(vec![
        expired().header("WWW-Authenticate", challenge),
        on("GET", account_path()).answer(200, ACCOUNT),
        expired(),
        expired(),
    ])
    .await;
    let (client, clock, tokens) = client(&server);
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
    let refused = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    assert_eq!(refused.code(), Some(&ErrorCode::ExpiredAuthenticationToken));

    let used: Vec<_> = server.received().iter().map(|r| r.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(used, ["Bearer token-1", "Bearer token-2", "Bearer token-2", "Bearer token-3"]);
    let claims: Vec<_> = tokens.asked.lock().unwrap().iter().map(|request| request.claims.clone()).collect();
    assert_eq!(claims, [None, Some(r#"{"access_token":{"nbf":{"essential":true}}}"#.to_owned()), None]);
    assert!(clock.pauses().is_empty());
    server.finish();
}

#[tokio::test]
async fn a_write_that_is_not_allowed_is_tried_again_with_a_fresh_token_and_a_read_is_not() {
    let denied = "The client 'app' with object id 'oid' does not have authorization to perform action \
                  'Microsoft.Storage/storageAccounts/write' over scope '/x' or the scope is invalid. If access was \
                  recently granted, please refresh your credentials.";
    let server = Scripted::start(vec![
        on("PATCH", account_path()).answer(403, error("AuthorizationFailed", denied)),
        on("PATCH", account_path()).answer(200, ACCOUNT),
        on("GET", account_path()).answer(403, error("AuthorizationFailed", denied)),
        on("PATCH", account_path()).answer(403, error("AuthorizationFailed", denied)),
        on("PATCH", account_path()).answer(403, error("AuthorizationFailed", denied)),
    ])
    .await;
    let (client, _, _) = client(&server);
    client.set_shared_key_access(&account(), false, &call()).await.unwrap();
    let read = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    assert!(read.is_forbidden());
    let write = client.set_shared_key_access(&account(), false, &call()).await.unwrap_err();
    assert_eq!(write.service().unwrap().denied().unwrap().action, "Microsoft.Storage/storageAccounts/write");
    let used: Vec<_> = server.received().iter().map(|r| r.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(used, ["Bearer token-1", "Bearer token-2", "Bearer token-2", "Bearer token-2", "Bearer token-3"]);
    server.finish();
}

#[tokio::test]
async fn no_token_is_sent_to_a_host_that_an_answer_names() {
    let elsewhere = Scripted::start(Vec::new()).await;
    let foreign = format!("{}/next", elsewhere.url);
    let scope = ArmId::subscription_scope(SUBSCRIPTION).unwrap();
    let list = format!("{scope}/providers/Microsoft.Authorization/roleAssignments");
    let patch = || on("PATCH", hub().to_string());
    let server = Scripted::start(vec![
        on("GET", list).answer(200, serde_json::json!({ "value": [], "nextLink": foreign }).to_string()),
        patch().answer(202, "").header("Location", &foreign),
        patch().answer(202, "").header("Azure-AsyncOperation", &foreign).header("Location", "{self}/x"),
        patch().answer(202, "").header("Operation-Location", foreign.replace("https:", "http:")),
        on("GET", account_path()).answer(307, "").header("Location", &foreign),
    ])
    .await;
    let clock = Arc::<SkippingClock>::default();
    let settings = Settings { auxiliary_tenant_ids: vec!["tenant-a".into()], ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();

    let next = client.list(RoleAssignment::at_scope(&scope), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(next, Error::ForeignHost { .. }), "{next:?}");
    for _ in 0..3 {
        let patched = client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await;
        assert!(matches!(patched, Err(Error::ForeignHost { .. })), "{patched:?}");
    }
    let redirected = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(&redirected, Error::Service(error) if error.status.as_u16() == 307), "{redirected:?}");
    assert!(clock.pauses().is_empty());
    assert!(elsewhere.received().is_empty());
    elsewhere.finish();
    server.finish();
}

#[tokio::test]
async fn an_untrusted_server_certificate_is_an_error_and_is_not_retried() {
    let server = Scripted::start(Vec::new()).await;
    let clock = Arc::<SkippingClock>::default();
    let settings = Settings { extra_roots: Vec::new(), ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();
    let refused = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    let Error::Transport { reason: NoAnswer::Untrusted(CertificateFault::Issuer), source, .. } = &refused else {
        panic!("{refused:?}")
    };
    let mut chain = source.to_string();
    let mut cause = source.source();
    while let Some(next) = cause {
        chain += &format!(": {next}");
        cause = next.source();
    }
    assert!(chain.contains("certificate"), "{chain}");
    assert!(clock.pauses().is_empty(), "{chain} {source:?}");
    assert!(refused.hint().unwrap().contains("SSL_CERT_FILE"));
    server.finish();
}

#[tokio::test]
async fn an_invalid_server_certificate_is_an_error_that_says_why_and_is_not_retried() {
    let certificate = |name: &str| rcgen::CertificateParams::new([name.to_owned()]).unwrap();
    let mut expired = certificate("127.0.0.1");
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let mut early = certificate("127.0.0.1");
    early.not_before = rcgen::date_time_ymd(4000, 1, 1);
    for (certificate, certificate_fault, says) in [
        (expired, CertificateFault::Time, "clock"),
        (early, CertificateFault::Time, "clock"),
        (certificate("other.test"), CertificateFault::Name, "another host"),
    ] {
        let server = Scripted::start_as(certificate, Vec::new()).await;
        let (client, clock, _) = client(&server);
        let refused = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
        let Error::Transport { reason, .. } = &refused else { panic!("{refused:?}") };
        assert_eq!(*reason, NoAnswer::Untrusted(certificate_fault), "{refused:?}");
        assert!(refused.hint().unwrap().contains(says));
        assert_eq!((server.connections(), clock.pauses()), (1, vec![]));
        server.finish();
    }
}

/// Tokio's time is paused, and advances when nothing but a timer is left to wait for.
#[tokio::test(start_paused = true)]
async fn a_connection_without_an_answer_is_retried_once() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let server = Scripted::start(Vec::new()).await;
    let clock = Arc::<SkippingClock>::default();
    let endpoints = foundryhub::arm::Endpoints::new(&url, "https://arm.test", &url).unwrap();
    let settings = Settings { addresses: endpoints.into(), ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();
    let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    assert!(failed.to_string().contains(&url), "{failed}");
    assert!(!failed.may_have_had_effect());
    assert_eq!(clock.pauses().len(), 1, "{failed:?}");
    server.finish();
}

#[tokio::test]
async fn a_refused_connection_is_retried_and_then_an_error_with_a_hint() {
    let gone = {
        let server = Scripted::start(Vec::new()).await;
        (server.url.clone(), server.root.clone())
    };
    let server = Scripted::start(Vec::new()).await;
    let clock = Arc::<SkippingClock>::default();
    let endpoints = foundryhub::arm::Endpoints::new(&gone.0, "https://arm.test", &gone.0).unwrap();
    let settings = Settings { addresses: endpoints.into(), max_retries: 3, ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();
    let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(failed, Error::Transport { reason: NoAnswer::Unreached, .. }), "{failed:?}");
    assert!(failed.to_string().contains(&gone.0), "{failed}");
    assert!(failed.hint().unwrap().contains("HTTPS_PROXY"));
    assert_eq!(clock.pauses().len(), 3);
    server.finish();
}

#[tokio::test]
async fn retries_of_a_refused_connection_take_less_than_12_seconds() {
    let gone = Scripted::start(Vec::new()).await.url.clone();
    let server = Scripted::start(Vec::new()).await;
    let clock = Arc::<SkippingClock>::default();
    let endpoints = foundryhub::arm::Endpoints::new(&gone, "https://arm.test", &gone).unwrap();
    let settings = Settings { addresses: endpoints.into(), ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    let pauses = clock.pauses();
    // Pauses for a refused connection are short. Those for throttling may take minutes.
    assert!(pauses.len() > 2 && pauses.iter().sum::<Duration>() < Duration::from_secs(12), "{pauses:?}");
    server.finish();
}

#[tokio::test]
async fn an_error_of_a_write_tells_whether_it_may_have_had_effect() {
    let refusal = error("AuthorizationFailed", "no");
    let patch = || on("PATCH", account_path());
    // The first attempt may have had effect where its answer was not clear, although the second one was refused.
    for (first, known) in [(502, false), (429, true)] {
        let server = Scripted::start(vec![
            patch().answer(first, error("Trouble", "later")),
            patch().answer(403, refusal.clone()),
            patch().answer(403, refusal.clone()),
        ])
        .await;
        let (client, _, _) = client(&server);
        let failed = client.set_shared_key_access(&account(), false, &call()).await.unwrap_err();
        assert_eq!(failed.may_have_had_effect(), !known, "{failed:?}");
        assert_eq!(matches!(failed, Error::Uncertain { accepted: false, .. }), !known, "{failed:?}");
        assert_eq!(failed.code(), Some(&ErrorCode::AuthorizationFailed));
        server.finish();
    }

    // Cancelled while a request is under way, which may arrive all the same.
    let gate = Arc::new(Semaphore::new(0));
    let server = Scripted::start(vec![patch().answer(200, ACCOUNT).held_by(&gate)]).await;
    let (client, _, _) = client(&server);
    let call = Call::new(CancellationToken::new(), Duration::from_secs(60));
    let patching = async { client.set_shared_key_access(&account(), false, &call).await };
    let cancelling = async {
        server.arrived(1).await;
        call.cancel.cancel();
    };
    let (failed, ()) = futures_util::join!(patching, cancelling);
    let failed = failed.unwrap_err();
    assert!(failed.may_have_had_effect() && failed.is_interruption(), "{failed:?}");

    // Cancelled before anything was sent.
    let failed = client.set_shared_key_access(&account(), false, &call).await.unwrap_err();
    assert!(!failed.may_have_had_effect() && failed.is_interruption(), "{failed:?}");
}

#[tokio::test]
async fn a_poll_that_is_refused_leaves_the_operation_uncertain() {
    for (status, code) in [(403, "AuthorizationFailed"), (404, "ResourceNotFound")] {
        let server = Scripted::start(vec![
            on("PATCH", hub().to_string()).answer(202, "").header("location", "{self}/operations/1"),
            on("GET", "/operations/1").answer(status, error(code, "no")),
        ])
        .await;
        let (client, _, _) = client(&server);
        let failed = client.set_auth_mode(&hub(), &AuthMode::new("identity"), &call()).await.unwrap_err();
        assert!(matches!(failed, Error::Uncertain { accepted: true, .. }), "{failed:?}");
        assert!(failed.may_have_had_effect() && !failed.is_not_found() && !failed.is_forbidden());
        server.finish();
    }
}

/// How a write may end before a connection has taken it, and after.
#[tokio::test]
async fn a_write_that_was_not_sent_is_known_not_to_have_been() {
    const SOON: Duration = Duration::from_millis(300);
    let patch = || on("PATCH", account_path());
    let late = async |client: &Client| {
        let short = Call::new(CancellationToken::new(), SOON);
        let failed = client.set_shared_key_access(&account(), false, &short).await.unwrap_err();
        assert!(failed.is_interruption(), "{failed:?}");
        failed
    };
    // While the client is throttled, because of another request.
    let server = Scripted::start(vec![
        on("GET", hub().to_string()).answer(429, error("TooManyRequests", "slow")).header("Retry-After", "0"),
    ])
    .await;
    let (clock, mut pauses) = GatedClock::new();
    let throttled = Client::new(settings(&server, &clock), Arc::<NumberedTokens>::default()).unwrap();
    let (other, cancel) = (throttled.clone(), CancellationToken::new());
    let call = Call::new(cancel.clone(), Duration::from_secs(3600));
    let reading = tokio::spawn(async move { other.get::<Workspace>(&hub(), Read::Fresh, &call).await });
    let _pause = pauses.recv().await.unwrap();
    let failed = late(&throttled).await;
    assert!(!failed.may_have_had_effect(), "{failed:?}");
    cancel.cancel();
    reading.await.unwrap().unwrap_err();
    server.finish();

    // While a token is on the way.
    #[derive(Debug)]
    struct NoToken;
    impl TokenSource for NoToken {
        fn token<'a>(&'a self, _: &'a TokenRequest, _: &'a Network) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
            Box::pin(std::future::pending())
        }
    }
    let server = Scripted::start(Vec::new()).await;
    let clock = Arc::<SkippingClock>::default();
    let failed = late(&Client::new(settings(&server, &clock), Arc::new(NoToken)).unwrap()).await;
    assert!(!failed.may_have_had_effect(), "{failed:?}");
    server.finish();

    // While a connection is being made: the kernel takes it, and nobody answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let server = Scripted::start(Vec::new()).await;
    let endpoints = foundryhub::arm::Endpoints::new(&url, "https://arm.test", &url).unwrap();
    let to_silent = Settings { addresses: endpoints.into(), ..settings(&server, &clock) };
    let client = Client::new(to_silent, Arc::<NumberedTokens>::default()).unwrap();
    let failed = late(&client).await;
    assert!(!failed.may_have_had_effect(), "{failed:?}");
    let failed = client.delete_role_assignment(&role_assignment(), &Call::new(CancellationToken::new(), SOON)).await;
    assert!(!failed.as_ref().unwrap_err().may_have_had_effect(), "{failed:?}");
    server.finish();

    // Once it has arrived, with a body or without, and whatever the answer has begun with.
    let never = Arc::new(Semaphore::new(0));
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    let server = Scripted::start(vec![
        patch().answer(200, ACCOUNT).held_by(&never),
        patch().repeated(begun, b"{".as_slice(), 2).held_by(&never),
        on("DELETE", role_assignment().to_string()).answer(200, "{}").held_by(&never),
    ])
    .await;
    let (client, _, _) = self::client(&server);
    for (arrived, is_deleted) in [(1, false), (2, false), (3, true)] {
        let cancel = CancellationToken::new();
        let call = Call::new(cancel.clone(), Duration::from_secs(3600));
        let write = async {
            match is_deleted {
                true => client.delete_role_assignment(&role_assignment(), &call).await.unwrap_err(),
                false => client.set_shared_key_access(&account(), false, &call).await.unwrap_err(),
            }
        };
        let (failed, ()) = tokio::join!(write, async {
            server.arrived(arrived).await;
            cancel.cancel();
        });
        assert!(matches!(failed, Error::Uncertain { accepted: false, .. }), "{failed:?}");
    }
    server.finish();
}

/// What Azure has taken stays taken, although its reading back fails.
#[tokio::test]
async fn a_write_that_was_taken_is_not_denied_by_a_failed_look_at_it() {
    let version = "2024-04-01";
    let server = Scripted::start(vec![
        on("PATCH", hub().to_string()).answer(200, r#"{"properties":{"provisioningState":"Succeeded"}}"#),
        on("GET", hub().to_string()).answer(403, error("AuthorizationFailed", "no")),
    ])
    .await;
    let clock = Arc::<SkippingClock>::default();
    let settings = Settings { workspaces_api_version: Some(version.to_owned()), ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();
    let failed = client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap_err();
    assert!(matches!(failed, Error::Uncertain { accepted: true, .. }), "{failed:?}");
    server.finish();
}

fn role_assignment() -> RoleAssignmentId {
    RoleAssignmentId::new(account().arm().clone(), uuid::Uuid::from_u128(7))
}
