//! `foundryhub_storage_key_usage` (azure.md §10).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{ELSEWHERE, assert_ended_after_a_second, bed, subscription};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};
use crate::support::{
    bed::Bed,
    core::{Diagnostics, UNKNOWN},
};

const TYPE: &str = "foundryhub_storage_key_usage";

const SERVICES: [&str; 4] = ["blob", "file", "queue", "table"];

/// Lets the account have calls, each as it is in a seed, less what they have in common.
fn seed(bed: &Bed, calls: &[&str]) {
    let calls = calls.iter().map(|call| format!("  - {{ account: sa1, {call} }}\n")).collect::<String>();
    bed.emulator.seed(&format!("transactions:\n{calls}"));
}

/// What is read of the account, without any warning.
async fn usage(bed: &mut Bed, days: Option<u32>) -> Value {
    let config = json!({ "storage_account_id": bed.account, "days": days });
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(diagnostics.0, []);
    data
}

async fn refused(bed: &mut Bed, config: Value) -> Diagnostics {
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(data, Value::Null);
    diagnostics
}

async fn refused_for_account(bed: &mut Bed) -> Diagnostics {
    let config = json!({ "storage_account_id": bed.account });
    refused(bed, config).await
}

/// The requests for metrics since the last look: the service, the time span, and whether they ask for refused calls.
fn asked(bed: &Bed) -> Vec<(String, [OffsetDateTime; 2], bool)> {
    let all = bed.emulator.arm_requests();
    bed.emulator.clear_requests();
    let metrics = all.iter().filter(|request| request.path.ends_with("/providers/Microsoft.Insights/metrics"));
    let mut asked: Vec<_> = metrics
        .map(|request| {
            let service = request.path.split('/').rfind(|segment| segment.ends_with("Services")).expect("a service");
            let span = request.query("timespan").expect("a time span").split_once('/').expect("two times");
            let filter = request.query("$filter").expect("a filter");
            assert!(filter.contains("TransactionType eq 'User'") && request.query("top") == Some("100"), "{filter}");
            (service.trim_end_matches("Services").to_owned(), [time(span.0), time(span.1)], filter.contains("Error"))
        })
        .collect();
    asked.sort();
    asked
}

fn time(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).expect("a time")
}

/// The counts that are not 0, and the verdict.
fn seen(usage: &Value) -> Value {
    let mut usage = usage.clone();
    let members = usage.as_object_mut().expect("an object");
    members.retain(|name, value| *value != json!(0) && name != "last_key_use");
    usage
}

#[tokio::test]
async fn calls_are_counted_by_service_and_in_total_with_those_that_were_refused_apart() {
    let mut bed = bed().await;
    seed(
        &bed,
        &[
            "service: blob, authentication: AccountKey, ago: 36h, count: 12",
            "service: blob, authentication: AccountKey, ago: 2h, count: 5, response_type: AuthorizationError",
            "service: blob, authentication: AccountKey, ago: 36h, count: 4, response_type: ClientOtherError",
            "service: blob, authentication: OAuth, ago: 2h, count: 100",
            "service: file, authentication: SAS, ago: 60h, count: 3",
            "service: file, authentication: SAS, ago: 60h, count: 2, response_type: AuthenticationError",
            "service: file, authentication: OAuth, ago: 60h, count: 7, response_type: AuthorizationError",
            "service: queue, authentication: Anonymous, ago: 2h, count: 8",
            "service: queue, authentication: AnonymousPreflight, ago: 2h, count: 1",
        ],
    );
    let before = bed.emulator.now();
    let data = usage(&mut bed, None).await;
    for (place, expected) in [
        (
            "/total",
            json!({ "verdict": "certain", "account_key": 16, "sas": 3, "oauth": 107, "anonymous": 9, "failed": 7 }),
        ),
        ("/services/blob", json!({ "verdict": "certain", "account_key": 16, "oauth": 100, "failed": 5 })),
        ("/services/file", json!({ "verdict": "possible", "sas": 3, "oauth": 7, "failed": 2 })),
        ("/services/queue", json!({ "verdict": "none_seen", "anonymous": 9 })),
        ("/services/table", json!({ "verdict": "none_seen" })),
    ] {
        assert_eq!(seen(data.pointer(place).expect(place)), expected, "{place}");
    }
    let text = |pointer: &str| data.pointer(pointer).and_then(Value::as_str).expect(pointer);
    let (from, until) = (time(text("/from")), time(text("/until")));
    assert_eq!((until - from, until.minute(), until.second()), (time::Duration::days(30), 0, 0));
    assert!(until > before - time::Duration::hours(1) && until <= bed.emulator.now());
    assert_eq!(time(text("/total/last_key_use")), until - time::Duration::days(2), "the refused calls are later");
    assert_eq!(time(text("/services/file/last_key_use")), until - time::Duration::days(3));
    assert_eq!(data["services"]["queue"]["last_key_use"], Value::Null);
    assert_eq!((&data["days"], &data["verified"], &data["hub_id"]), (&json!(30), &json!(true), &Value::Null));

    // One request a service, and another where a key or SAS was seen.
    let all = asked(&bed);
    let expected = ["blob", "blob", "file", "file", "queue", "table"];
    assert_eq!(all.iter().map(|(service, ..)| service).collect::<Vec<_>>(), expected);
    assert!(all.iter().all(|(_, span, _)| *span == [from, until]));
    assert_eq!(all.iter().filter(|(.., refused)| *refused).count(), 2);
}

#[tokio::test]
async fn the_verdict_says_no_more_than_the_calls_do() {
    for (calls, verdict) in [
        (&[][..], "none_seen"),
        (&["authentication: OAuth", "authentication: Anonymous"], "none_seen"),
        (&["authentication: UserDelegationSas"], "none_seen"),
        (&["authentication: 'SAS (user delegation)'"], "none_seen"),
        (&["authentication: SAS"], "possible"),
        (&["authentication: sas", "authentication: OAuth"], "possible"),
        (&["authentication: ServiceSas2"], "possible"),
        (&["authentication: SAS", "authentication: ACCOUNTKEY"], "certain"),
        (&["authentication: AccountKey, transaction_type: System"], "none_seen"),
        (&["authentication: AccountKey, response_type: AuthenticationError"], "none_seen"),
        (&["authentication: SAS, response_type: AuthorizationError"], "none_seen"),
        (&["authentication: AccountKey, response_type: SuccessWithThrottling"], "certain"),
    ] {
        let mut bed = bed().await;
        let calls: Vec<_> = calls.iter().map(|call| format!("service: table, ago: 5h, count: 1, {call}")).collect();
        if !calls.is_empty() {
            seed(&bed, &calls.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let data = usage(&mut bed, Some(1)).await;
        assert_eq!(data["total"]["verdict"], verdict, "{calls:?}");
        assert_eq!(data["total"]["last_key_use"].is_null(), verdict == "none_seen", "{calls:?}");
        assert_eq!(data["services"]["table"], data["total"]);
    }
    let mut bed = bed().await;
    seed(&bed, &["service: blob, authentication: UserDelegationSas, ago: 5h, count: 6"]);
    let delegated = json!({ "verdict": "none_seen", "user_delegation_sas": 6 });
    assert_eq!(seen(&usage(&mut bed, None).await["total"]), delegated);
    assert_eq!(asked(&bed).len(), 4, "it does not matter whether they were refused");
}

/// Azure answers ten series unless it is told how many.
#[tokio::test]
async fn the_eleventh_way_to_sign_in_is_not_missed() {
    let mut bed = bed().await;
    let mut calls: Vec<_> =
        (0..10).map(|way| format!("service: blob, authentication: 'Delegation {way}', ago: 5h, count: 1")).collect();
    calls.push("service: blob, authentication: AccountKey, ago: 5h, count: 1".to_owned());
    seed(&bed, &calls.iter().map(String::as_str).collect::<Vec<_>>());
    let expected = json!({ "verdict": "certain", "user_delegation_sas": 10, "account_key": 1 });
    assert_eq!(seen(&usage(&mut bed, None).await["total"]), expected);
}

/// Of a longer time than a month Azure answers the last month.
#[tokio::test]
async fn a_long_time_is_asked_for_in_spans_of_at_most_thirty_days() {
    let mut bed = bed().await;
    let days = [10, 31, 45, 61, 89, 91];
    let calls =
        days.map(|days| format!("service: blob, authentication: AccountKey, ago: {}h, count: {days}", days * 24 - 12));
    seed(&bed, &calls.each_ref().map(String::as_str));
    for (days, spans, count) in
        [(1, 1, 0), (30, 1, 10), (31, 2, 41), (45, 2, 86), (60, 2, 86), (61, 3, 147), (90, 3, 236)]
    {
        let data = usage(&mut bed, Some(days)).await;
        assert_eq!(data["total"]["account_key"], count, "{days} days");
        let [from, until] = ["from", "until"].map(|name| time(data[name].as_str().expect("a time")));
        assert_eq!(until - from, time::Duration::days(days.into()));
        let all = asked(&bed);
        for service in SERVICES {
            let mut at = from;
            let own = all.iter().filter(|(of, _, refused)| of == service && !refused).map(|(_, span, _)| span);
            for [start, end] in own.clone() {
                assert_eq!(*start, at, "{days} days");
                assert!(*end - *start <= time::Duration::days(30), "{days} days");
                at = *end;
            }
            assert_eq!((at, own.count()), (until, spans), "{days} days");
        }
    }
}

#[tokio::test]
async fn what_the_caller_may_not_read_is_not_verified_and_fails_nothing() {
    let mut bed = bed().await;
    seed(&bed, &["service: blob, authentication: OAuth, ago: 5h, count: 1"]);
    let config = json!({ "storage_account_id": bed.account });
    for (denied, blob) in [("*/metrics", Value::Null), ("*/queueServices/default/*/metrics", json!("none_seen"))] {
        let denied = bed.emulator.fault(Rule::on("GET", denied, Fault::Denied));
        let (data, diagnostics) = bed.core.read_data(TYPE, config.clone()).await;
        let warning = diagnostics.warning("Key usage cannot be verified");
        let needs = format!("cannot be verified, which needs Microsoft.Insights/metrics/read on {}.", bed.account);
        assert!(warning.detail.contains(&needs) && diagnostics.0.len() == 1, "{diagnostics}");
        assert_eq!(data["verified"], false);
        assert_eq!(data["services"]["blob"]["verdict"], blob);
        for unknown in [&data["services"]["queue"], &data["total"]] {
            assert!(unknown.as_object().expect("an object").values().all(Value::is_null), "{unknown}");
        }
        bed.emulator.release(denied);
    }
}

#[tokio::test]
async fn the_wait_that_a_throttled_answer_names_in_its_text_is_kept() {
    let throttled = |seconds: u32| {
        let text = format!(
            "Number of requests for subscription exceeded the limit of '400' for time interval '00:05:00'. Please try again \
             after '{seconds}' seconds."
        );
        Rule::on("GET", "*/metrics", Fault::Status(429)).code("ResourceRequestsThrottled").message(&text)
    };
    let mut bed = bed().await;
    bed.emulator.fault(throttled(1).times(1));
    let began = Instant::now();
    assert_eq!(usage(&mut bed, None).await["total"]["verdict"], "none_seen");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(asked(&bed).len(), 5);
    bed.emulator.fault(throttled(301));
    let late = refused_for_account(&mut bed).await;
    let detail = &late.error("The metrics of the storage account were not read").detail;
    assert!(detail.contains("Azure asked to wait 301 s") && detail.contains("ResourceRequestsThrottled"), "{detail}");
}

#[tokio::test]
async fn a_throttled_store_of_metrics_is_asked_again() {
    let mut bed = bed().await;
    let overloaded = || Rule::on("GET", "*/blobServices/default/*/metrics", Fault::Status(529)).code("Overloaded");
    bed.emulator.fault(overloaded().times(1));
    assert_eq!(usage(&mut bed, None).await["verified"], true);
    assert_eq!(asked(&bed).len(), 5);
    bed.core.configure(json!({ "max_retries": 0 }));
    bed.emulator.fault(overloaded());
    let failed = refused_for_account(&mut bed).await;
    let detail = &failed.error("The metrics of the storage account were not read").detail;
    assert!(detail.contains(&bed.account) && detail.contains("529 Overloaded"), "{detail}");
}

#[tokio::test]
async fn an_error_within_a_success_or_without_an_envelope_is_one() {
    let mut bed = bed().await;
    let summary = "The metrics of the storage account were not read";
    bed.emulator.configure(|options| options.metrics_error = Some("InternalError".to_owned()));
    let failed = refused_for_account(&mut bed).await;
    let detail = &failed.error(summary).detail;
    assert!(detail.contains("200 InternalError: The metric could not be read."), "{detail}");
    bed.emulator.configure(|options| options.metrics_error = None);
    // For the emulator it is a time that is over for long.
    bed.emulator.set_time(bed.emulator.now() + time::Duration::days(100));
    let failed = refused_for_account(&mut bed).await;
    let detail = &failed.error(summary).detail;
    assert!(detail.contains("400 BadRequest: Query endTime:") && detail.contains(&bed.account), "{detail}");
}

#[tokio::test]
async fn a_service_that_the_account_lacks_is_left_out() {
    let mut bed = bed().await;
    bed.emulator.change(&bed.account, |account| {
        let endpoints = account["properties"]["primaryEndpoints"].as_object_mut().expect("endpoints");
        endpoints.retain(|service, _| service == "blob" || service == "dfs");
    });
    seed(&bed, &["service: blob, authentication: SAS, ago: 5h, count: 1"]);
    let data = usage(&mut bed, None).await;
    assert_eq!(data["services"].as_object().expect("a map").keys().collect::<Vec<_>>(), ["blob"]);
    assert_eq!((&data["total"], &data["verified"]), (&data["services"]["blob"], &json!(true)));
    let requests = bed.requests();
    assert_eq!(requests.iter().filter(|request| *request == "GET sa1").count(), 1, "{requests:?}");
    assert_eq!(requests.len(), 6, "four services, the refused calls of one, and the account");
}

#[tokio::test]
async fn a_hub_means_its_storage_account() {
    let mut bed = bed().await;
    seed(&bed, &["service: blob, authentication: OAuth, ago: 5h, count: 1"]);
    let config = json!({ "hub_id": bed.hub, "storage_account_id": "" });
    let (data, diagnostics) = bed.core.read_data(TYPE, config.clone()).await;
    assert_eq!(diagnostics.0, []);
    assert_eq!((&data["hub_id"], &data["total"]["oauth"]), (&json!(bed.hub), &json!(1)));
    assert_eq!(bed.requests()[0], "GET hub1");
    let config = json!({ "hub_id": bed.hub });
    assert_eq!(bed.core.read_data(TYPE, config.clone()).await.0["storage_account_id"], json!(bed.account));
    assert_eq!(bed.requests().len(), 5);

    let project = bed.another_hub("project1");
    bed.emulator.change(&project, |project| {
        project["kind"] = json!("Project");
        project["properties"]["hubResourceId"] = json!(bed.hub);
    });
    let diagnostics = refused(&mut bed, json!({ "hub_id": project })).await;
    let error = diagnostics.error("Not a hub");
    assert!(error.detail.contains(&bed.hub) && error.path == "hub_id", "{diagnostics}");
    bed.emulator.fault(Rule::on("GET", &bed.hub, Fault::Denied));
    refused(&mut bed, config).await.error("Cannot read the hub");
}

#[tokio::test]
async fn an_account_or_hub_that_is_not_there_is_an_error_that_names_it() {
    let mut bed = bed().await;
    let missing = "The storage account does not exist";
    let nowhere = [
        ("storage_account_id", bed.emulator.id("rg1", ACCOUNTS, "nowhere"), missing),
        ("storage_account_id", bed.emulator.id("nowhere", ACCOUNTS, "sa1"), missing),
        (
            "storage_account_id",
            bed.account.replace(&subscription(&bed), ELSEWHERE),
            "The metrics of the storage account were not read",
        ),
        ("hub_id", bed.emulator.id("rg1", WORKSPACES, "nowhere"), "The hub does not exist"),
    ];
    for (argument, id, summary) in nowhere {
        let diagnostics = refused(&mut bed, json!({ argument: id })).await;
        assert!(diagnostics.error(summary).detail.contains(&id), "{diagnostics}");
    }
    bed.emulator.remove(&bed.account);
    let config = json!({ "hub_id": bed.hub });
    let diagnostics = refused(&mut bed, config).await;
    assert!(diagnostics.error(missing).detail.contains(&bed.account), "{diagnostics}");
}

#[tokio::test]
async fn one_account_and_a_number_of_days_are_named() {
    let mut bed = bed().await;
    let (hub, account) = (bed.hub.clone(), bed.account.clone());
    for (config, summary, path) in [
        (json!({}), "The storage account is not named", "storage_account_id"),
        (json!({ "hub_id": "" }), "The storage account is not named", "storage_account_id"),
        (
            json!({ "hub_id": hub, "storage_account_id": account }),
            "The storage account is named twice",
            "storage_account_id",
        ),
        (json!({ "hub_id": account }), "Invalid value", "hub_id"),
        (json!({ "storage_account_id": hub }), "Invalid value", "storage_account_id"),
        (json!({ "hub_id": hub, "days": 0 }), "Invalid value", "days"),
        (json!({ "hub_id": hub, "days": 91 }), "Invalid value", "days"),
        (json!({ "hub_id": hub, "days": 1.5 }), "Invalid value", "days"),
    ] {
        let diagnostics = refused(&mut bed, config).await;
        assert_eq!(diagnostics.error(summary).path, path, "{diagnostics}");
    }
    bed.core.configure(json!({ "client_id": UNKNOWN }));
    refused(&mut bed, json!({ "hub_id": hub })).await.error("The provider is not configured yet");
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn the_deadline_and_an_interruption_end_the_read() {
    let summary = "The metrics of the storage account were not read";
    let mut bed = bed().await;
    bed.emulator.fault(Rule::on("GET", "*/tableServices/default/*/metrics", Fault::Hold));
    let config = json!({ "storage_account_id": bed.account, "timeouts": { "read": "1s" } });
    let began = Instant::now();
    let late = refused(&mut bed, config).await;
    assert_ended_after_a_second(began, &late.error(summary).detail);
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(|request| request.path.contains("/tableServices/")).await;
    });
    let stopped = refused_for_account(&mut bed).await;
    assert!(stopped.error(summary).detail.contains("cancelled while"), "{stopped}");
}
