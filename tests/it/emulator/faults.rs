//! Rules that make requests go wrong, and the log.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{arm, send};
use crate::azure::{Action, RandomFaults, Record, Rule};
use crate::support::plugin::within;

/// AuthorizationFailed for a number of calls, whatever the roles.
#[tokio::test]
async fn a_rule_denies_a_number_of_calls() {
    let arm = arm().await;
    arm.emulator.fault("PATCH */workspaces/* -> denied times=2".parse().expect("a rule"));
    for _ in 0..2 {
        let reply = arm.patch(&arm.hub_path(), json!({})).await;
        assert_eq!(reply.error(), (403, "AuthorizationFailed".to_owned()));
        assert!(reply.message().contains("Microsoft.MachineLearningServices/workspaces/write"));
    }
    assert_eq!(arm.patch(&arm.hub_path(), json!({})).await.status, 202);
}

/// Rules: a status with its text and Retry-After, after some and for some requests, by query or body.
#[tokio::test]
async fn rules_make_chosen_requests_go_wrong() {
    let arm = arm().await;
    let rule = "PATCH */STORAGEACCOUNTS/*?allowSharedKeyAccess -> 409 StorageAccountOperationInProgress message=\"An operation is \
                currently performing.\" retry-after=7 after=1 times=1";
    arm.emulator.fault(rule.parse().expect("a rule"));
    let flag = json!({ "properties": { "allowSharedKeyAccess": true } });
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 200);
    assert_eq!(arm.patch(&arm.account_path(), flag.clone()).await.status, 200);
    let wrong = arm.patch(&arm.account_path(), flag.clone()).await;
    assert_eq!(wrong.error(), (409, "StorageAccountOperationInProgress".to_owned()));
    assert_eq!(
        (wrong.message().as_str(), wrong.header("retry-after")),
        ("An operation is currently performing.", Some("7"))
    );
    assert_eq!(arm.patch(&arm.account_path(), flag).await.status, 200);
    for nonsense in
        ["", "GET /x", "GET -> 500", "GET /x -> 99", "GET /x -> 500 a=b", "GET /x -> slow delay=1y", "GET /x -> \"500"]
    {
        assert!(nonsense.parse::<Rule>().is_err(), "{nonsense}");
    }
}

/// azure.md §13: lists of what may need keys go wrong as all others do, are counted, and may be of an unknown version.
#[tokio::test]
async fn rules_throttling_and_versions_are_for_lists_below_resources_too() {
    let arm = arm().await;
    for list in [
        format!("{}/datastores", arm.hub),
        format!("{}/connections", arm.hub),
        format!("{}/computes", arm.hub),
        format!("{}/blobServices/default/containers", arm.account),
        format!("{}/fileServices/default/shares", arm.account),
    ] {
        let path = format!("{list}?api-version=2025-06-01");
        arm.emulator.fault(Rule::on("GET", &list, Action::Status(503)).code("ServerBusy").times(1));
        assert_eq!(arm.get(&path).await.error(), (503, "ServerBusy".to_owned()), "{list}");
        let served = arm.get(&path).await;
        assert_eq!(served.status, 200, "{list}");
        assert!(served.header("x-ms-ratelimit-remaining-subscription-reads").is_some(), "{list}");
        arm.emulator.configure(|options| options.reject_api_version = vec!["2025-06-01".to_owned()]);
        let refused = arm.get(&path).await;
        assert_eq!(refused.error(), (400, "NoRegisteredProviderFound".to_owned()), "{list}");
        assert!(refused.message().contains("'2026-"), "{list}: {}", refused.message());
        arm.emulator.configure(|options| options.reject_api_version = Vec::new());
    }
}

/// Rules: connections that are closed before or after the work, and answers cut in the middle.
#[tokio::test]
async fn rules_break_connections() {
    let arm = arm().await;
    let flag = json!({ "properties": { "allowSharedKeyAccess": false } });
    for (action, done) in [(Action::Close, false), (Action::Lose, true), (Action::Truncate, true)] {
        arm.emulator.set_shared_key_access(&arm.account, None);
        arm.emulator.fault(Rule::on("PATCH", "*", action).times(1));
        let sent = send(arm.request(Method::PATCH, &arm.account_path(), flag.clone())).await;
        let broken = match sent {
            Err(_) => true,
            Ok(response) => response.bytes().await.is_err(),
        };
        assert!(broken, "{action:?}");
        let account = arm.emulator.resource(&arm.account).expect("the account");
        assert_eq!(account["properties"].get("allowSharedKeyAccess").is_some(), done, "{action:?}");
    }
    let rule = arm.emulator.fault(Rule::on("GET", "*", Action::Hold));
    let (sent, ()) = tokio::join!(send(arm.request(Method::GET, &arm.account_path(), Value::Null)), async {
        arm.emulator.request_seen(|record| record.method == "GET").await;
        arm.emulator.hang_up();
    });
    assert!(sent.is_err());
    arm.emulator.release(rule);
}

/// Rules: one stream is reset, before and after the work, and the connection goes on.
#[tokio::test]
async fn rules_reset_streams() {
    let arm = arm().await;
    let flag = json!({ "properties": { "allowSharedKeyAccess": false } });
    for (action, done) in [("reset", false), ("reset-late", true)] {
        arm.emulator.set_shared_key_access(&arm.account, None);
        arm.emulator.fault("GET * -> hold".parse().expect("a rule"));
        arm.emulator.fault(format!("PATCH * -> {action} times=1").parse().expect("a rule"));
        arm.emulator.clear_requests();
        let path = arm.account_path();
        let (held, ()) = tokio::join!(arm.get(&path), async {
            arm.emulator.request_seen(|record| record.method == "GET").await;
            assert!(send(arm.request(Method::PATCH, &path, flag.clone())).await.is_err(), "{action}");
            arm.emulator.clear_faults();
        });
        assert_eq!(held.status, 200, "{action}");
        let account = arm.emulator.resource(&arm.account).expect("the account");
        assert_eq!(account["properties"].get("allowSharedKeyAccess").is_some(), done, "{action}");
    }
}

/// Rules: connections are refused for a while, and taken again.
#[tokio::test]
async fn rules_refuse_connections() {
    let arm = arm().await;
    arm.emulator.fault("GET * -> refuse".parse().expect("a rule"));
    assert!(send(arm.request(Method::GET, &arm.account_path(), Value::Null)).await.is_err());
    let refused = loop {
        match send(arm.request(Method::GET, &arm.account_path(), Value::Null)).await {
            Ok(answer) => panic!("it answers {answer:?}"),
            Err(error) if error.is_connect() => break error,
            // The port closes a moment after the connection.
            Err(_) => {}
        }
    };
    assert!(format!("{refused:?}").contains("ConnectionRefused"), "{refused:?}");
    arm.emulator.clear_faults();
    let answered = async { while send(arm.request(Method::GET, &arm.account_path(), Value::Null)).await.is_err() {} };
    within("the end of the outage", answered).await;
}

/// Rules: what may become of a right answer on its way.
#[tokio::test]
async fn rules_spoil_answers() {
    let arm = arm().await;
    let list = format!(
        "{}?api-version=2022-04-01",
        format_args!("{}/providers/Microsoft.Authorization/roleAssignments", arm.account)
    );
    let get = async |rule: &str, path: &str| {
        let set = arm.emulator.fault(format!("GET * -> {rule}").parse().expect("a rule"));
        let reply = arm.get(path).await;
        arm.emulator.release(set);
        reply
    };
    assert_eq!((get("empty", &list).await.status, get("empty", &list).await.text.as_str()), (200, ""));
    let plain = get("plain", &list).await;
    assert_eq!((plain.header("content-type"), plain.at("/value").is_array()), (Some("text/plain"), true));
    assert!(get("stall delay=50ms", &list).await.at("/value").is_array());
    assert_eq!(get("huge", &list).await.text.len(), 64 << 20);
    assert_eq!(get("loop", &list).await.at("/nextLink"), json!(format!("{}{list}", arm.emulator.url())));
    assert_eq!(get("astray", &list).await.at("/nextLink"), json!(format!("https://elsewhere.example{list}")));
    let page = get("502 body=html", &list).await;
    assert_eq!(
        (page.status, page.header("content-type"), page.text.contains("<html>")),
        (502, Some("text/html"), true)
    );
    let throttled = get("429 retry-at=7", &list).await;
    let at = |name| httpdate::parse_http_date(throttled.header(name).expect("a date")).expect("a date");
    assert_eq!(at("retry-after").duration_since(at("date")).expect("later").as_secs(), 7);
    arm.emulator.fault("GET * -> redirect".parse().expect("a rule"));
    assert!(send(arm.request(Method::GET, &list, Value::Null)).await.is_err(), "the client follows to where nobody is");
    assert_eq!(arm.emulator.requests().pop().expect("a record").status, Some(307));
}

/// Rules: operations that are canceled, that nobody finds, and that are said to be elsewhere.
#[tokio::test]
async fn rules_spoil_operations() {
    let arm = arm().await;
    let begin = async |rule: &str| {
        arm.emulator.fault(format!("PATCH * -> {rule} times=1").parse().expect("a rule"));
        let begun = arm.patch(&arm.hub_path(), json!({ "properties": { "description": rule } })).await;
        let url = begun.header("azure-asyncoperation").expect("a URL").to_owned();
        let description = arm.emulator.resource(&arm.hub).expect("the hub")["properties"]["description"].clone();
        (url, description)
    };
    let path = |url: &str| url.strip_prefix(arm.emulator.url()).expect("a URL of the emulator").to_owned();
    let (canceled, description) = begin("cancel-operation").await;
    assert_eq!((arm.get(&path(&canceled)).await.at("/status"), description), (json!("Canceled"), json!("")));
    let (lost, description) = begin("lose-operation").await;
    assert_eq!((arm.get(&path(&lost)).await.status, description), (404, json!("lose-operation")));
    let (astray, description) = begin("astray").await;
    assert!(astray.starts_with("https://elsewhere.example/"), "{astray}");
    assert_eq!(description, "astray");
}

/// A share of all requests goes wrong at random: by the seed the same ones, in whatever order others come between.
#[tokio::test]
async fn a_seed_draws_the_same_faults_again() {
    let mut runs = Vec::new();
    for others in [false, true] {
        let arm = arm().await;
        arm.emulator.configure(|options| options.random_faults = Some("7/50".parse().expect("a seed and a share")));
        let mut statuses = Vec::new();
        for n in 0..40 {
            if others && n % 3 == 0 {
                let _ = send(arm.request(Method::GET, &arm.hub_path(), Value::Null)).await;
            }
            let path = arm.account_path();
            let answered = send(arm.request(Method::GET, &path, Value::Null)).await;
            statuses.push(answered.map_or(0, |answer| answer.status().as_u16()));
        }
        assert!(!arm.emulator.faults_drawn().is_empty());
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    let wrong = runs[0].iter().filter(|status| **status != 200).count();
    assert!((8..30).contains(&wrong), "{wrong} of 40: {:?}", runs[0]);
    for nonsense in ["7", "x/5", "7/101", "7/-1"] {
        assert!(nonsense.parse::<RandomFaults>().is_err(), "{nonsense}");
    }
}

/// Rules: a request is held until it is let go, and a test sees it arrive.
/// Each link is a new one.
#[tokio::test]
async fn a_list_goes_on_for_ever() {
    let arm = arm().await;
    let list = format!("{}/blobServices/default/containers", arm.account);
    arm.emulator.fault("GET */containers -> endless".parse().expect("a rule"));
    let mut next = format!("{list}?api-version=2023-05-01");
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let page = arm.get(&next).await;
        assert!(page.at("/value").is_array());
        next = page.at("/nextLink").as_str().expect("a link").to_owned();
        assert!(next.contains(&list) && seen.insert(next.clone()), "{next}");
    }
}

#[tokio::test]
async fn a_held_request_waits_until_it_is_let_go() {
    let arm = arm().await;
    let rule = arm.emulator.fault(Rule::on("GET", "*/workspaces/hub1", Action::Hold));
    let path = arm.hub_path();
    let (reply, ()) = tokio::join!(arm.get(&path), async {
        let seen: Record = arm.emulator.request_seen(|record| record.path.ends_with("hub1")).await;
        assert_eq!(seen.status, None);
        arm.emulator.release(rule);
    });
    assert_eq!(reply.status, 200);
    let record = arm.emulator.arm_requests().pop().expect("a record");
    assert_eq!((record.status, record.query("API-VERSION")), (Some(200), Some("2025-06-01")));
}

/// The log has every request with its caller, and no secret.
#[tokio::test]
async fn the_log_has_callers_and_no_secrets() {
    let arm = arm().await;
    arm.emulator.clear_requests();
    arm.sign_in("33333333-3333-3333-3333-333333333333", "emulator-secret").await;
    arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await;
    arm.get(&format!("{}x?api-version=2025-06-01", arm.hub)).await;
    let records = arm.emulator.requests();
    assert_eq!(records.len(), 3);
    let text = serde_json::to_string(&records).expect("JSON");
    assert!(!text.contains("emulator-secret") && !text.contains(&arm.token));
    let sent = arm.emulator.arm_requests();
    assert_eq!((sent[0].method.as_str(), sent[0].status), ("PATCH", Some(200)));
    assert_eq!(sent[0].principal.as_deref(), Some("44444444-4444-4444-4444-444444444444"));
    assert_eq!(sent[0].body, json!({ "properties": { "allowSharedKeyAccess": false } }));
    assert_eq!((sent[1].status, sent[1].error.as_deref()), (Some(404), Some("ResourceNotFound")));
    let told = arm.get("/_emulator/requests?arm").await.body();
    assert_eq!(told.as_array().expect("a list").len(), 2);
}
