//! The Transactions metric of storage accounts (azure.md §10).

use serde_json::{Value, json};

use super::client::{ALICE, Arm, Reply, arm, arm_with};

const NOW: &str = "2027-03-31T10:00:00Z";

/// An emulator at a fixed time, with transactions of `sa1`: service, authentication, time, count and further members.
async fn arm_with_transactions(transactions: &[(&str, &str, &str, u64, Value)]) -> Arm {
    let arm = arm_with(|options| options.time = Some(crate::azure::parse_time(NOW).expect("a time"))).await;
    let seeds = transactions.iter().map(|(service, authentication, time, count, more)| {
        let mut seed = json!({
            "account": "sa1", "service": service, "authentication": authentication, "time": time, "count": count,
        });
        let more = more.as_object().into_iter().flatten();
        seed.as_object_mut().expect("an object").extend(more.map(|(name, value)| (name.clone(), value.clone())));
        seed
    });
    arm.emulator.seed(&json!({ "transactions": seeds.collect::<Vec<_>>() }).to_string());
    arm
}

/// Asks the account or a service of it; `parameters` come on top of what every request has, or replace it.
async fn ask(arm: &Arm, service: &str, parameters: &[(&str, &str)]) -> Reply {
    let mut all = vec![
        ("api-version", "2024-02-01"),
        ("metricnames", "Transactions"),
        ("aggregation", "Total"),
        ("timespan", "2027-03-29T10:00:00Z/2027-03-31T10:00:00Z"),
        ("interval", "P1D"),
    ];
    all.retain(|(name, _)| parameters.iter().all(|(replaced, _)| replaced != name));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(all.iter().chain(parameters));
    let service = if service.is_empty() { String::new() } else { format!("/{service}Services/default") };
    arm.get(&format!("{}{service}/providers/Microsoft.Insights/metrics?{}", arm.account, query.finish())).await
}

/// Each series: the values of its dimensions, and its totals.
fn series(reply: &Reply) -> Vec<(Vec<String>, Vec<Option<f64>>)> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    fn list(value: &Value) -> &[Value] {
        value.as_array().expect("a list")
    }
    let one = |series: &Value| {
        let values = list(&series["metadatavalues"]).iter().map(|value| value["value"].as_str().unwrap().to_owned());
        (values.collect(), list(&series["data"]).iter().map(|point| point["total"].as_f64()).collect())
    };
    list(&reply.body()["value"][0]["timeseries"]).iter().map(one).collect()
}

/// The error of an answer without an envelope.
fn bare(reply: &Reply) -> (u16, String, String) {
    let text = |pointer: &str| reply.at(pointer).as_str().unwrap_or_default().to_owned();
    (reply.status, text("/code"), text("/message"))
}

const BY_AUTHENTICATION: (&str, &str) = ("$filter", "Authentication eq '*'");

/// azure.md §10.4: the members of an answer, dimension names in lower case, no total where nothing was counted.
#[tokio::test]
async fn an_answer_has_a_series_per_value_with_a_point_per_interval() {
    let none = Value::Null;
    let arm = arm_with_transactions(&[
        ("blob", "OAuth", "2027-03-29T10:00:00Z", 5, none.clone()),
        ("blob", "AccountKey", "2027-03-31T09:59:59Z", 2, none.clone()),
        ("blob", "AccountKey", "2027-03-31T10:00:00Z", 100, none.clone()),
        ("file", "SAS", "2027-03-30T09:59:59Z", 7, none),
    ])
    .await;
    let reply = ask(&arm, "blob", &[BY_AUTHENTICATION]).await;
    for (pointer, value) in [
        ("/timespan", json!("2027-03-29T10:00:00Z/2027-03-31T10:00:00Z")),
        ("/interval", json!("P1D")),
        ("/namespace", json!("Microsoft.Storage/storageAccounts/blobServices")),
        ("/resourceregion", json!("eastus")),
        ("/value/0/name/value", json!("Transactions")),
        ("/value/0/type", json!("Microsoft.Insights/metrics")),
        ("/value/0/unit", json!("Count")),
        ("/value/0/errorCode", json!("Success")),
        ("/value/0/timeseries/0/metadatavalues/0/name/value", json!("authentication")),
        ("/value/0/timeseries/0/data/1", json!({ "timeStamp": "2027-03-30T10:00:00Z" })),
        ("/value/0/timeseries/1/data/1", json!({ "timeStamp": "2027-03-30T10:00:00Z", "total": 2.0 })),
    ] {
        assert_eq!(reply.at(pointer), value, "{pointer}");
    }
    let text = |value: &str| vec![value.to_owned()];
    assert_eq!(series(&reply), [(text("OAuth"), vec![Some(5.0), None]), (text("AccountKey"), vec![None, Some(2.0)])]);
    arm.emulator.configure(|options| options.metrics_error = Some("InternalError".to_owned()));
    let failed = ask(&arm, "blob", &[]).await;
    assert_eq!((failed.status, failed.at("/value/0/errorCode")), (200, json!("InternalError")));
    arm.emulator.configure(|options| options.metrics_error = None);
    // The account sums its services, and without a filter there is one series.
    assert_eq!(series(&ask(&arm, "", &[]).await), [(vec![], vec![Some(12.0), Some(2.0)])]);
    assert_eq!(series(&ask(&arm, "file", &[("interval", "FULL")]).await), [(vec![], vec![Some(7.0)])]);
    assert_eq!(series(&ask(&arm, "queue", &[BY_AUTHENTICATION]).await), []);
}

/// azure.md §10.1: ten series are answered unless `top` says otherwise, without a word about the others.
#[tokio::test]
async fn series_beyond_top_are_cut_without_a_word() {
    let names: Vec<_> = (1..=10).map(|number| format!("Way{number}")).collect();
    let names = names.iter().map(String::as_str).chain(["AccountKey"]);
    let seeds: Vec<_> = names.map(|name| ("blob", name, "2027-03-30T12:00:00Z", 1, Value::Null)).collect();
    let arm = arm_with_transactions(&seeds).await;
    let count = async |parameters: &[(&str, &str)]| series(&ask(&arm, "blob", parameters).await).len();
    assert_eq!(count(&[BY_AUTHENTICATION]).await, 10);
    assert_eq!(count(&[BY_AUTHENTICATION, ("top", "100")]).await, 11);
    assert_eq!(count(&[BY_AUTHENTICATION, ("top", "3")]).await, 3);
    assert_eq!(bare(&ask(&arm, "blob", &[("top", "100")]).await).0, 400, "only with a filter");
}

/// azure.md §10.2: `or` joins values of one dimension, `and` dimensions; one wildcard; case does not matter.
#[tokio::test]
async fn filters_choose_series_by_dimensions() {
    let at = "2027-03-30T12:00:00Z";
    let arm = arm_with_transactions(&[
        ("blob", "AccountKey", at, 1, Value::Null),
        ("blob", "SAS", at, 2, Value::Null),
        ("blob", "AccountKey", at, 4, json!({ "transaction_type": "System" })),
        ("blob", "AccountKey", at, 8, json!({ "response_type": "AuthenticationError" })),
        ("blob", "OAuth", at, 16, json!({ "api_name": "PutBlob" })),
    ])
    .await;
    for (filter, expected) in [
        ("Authentication eq 'AccountKey' or Authentication eq 'SAS'", &[("AccountKey", 13.0), ("SAS", 2.0)][..]),
        ("authentication EQ 'accountkey' AND transactiontype eq 'user'", &[("AccountKey User", 9.0)]),
        (
            "Authentication eq 'AccountKey' and ResponseType eq '*'",
            &[("AccountKey Success", 5.0), ("AccountKey AuthenticationError", 8.0)],
        ),
        ("ApiName eq 'PutBlob'", &[("PutBlob", 16.0)]),
        ("Authentication eq 'Anonymous'", &[]),
    ] {
        let found = series(&ask(&arm, "blob", &[("$filter", filter)]).await);
        let found: Vec<_> = found.iter().map(|(values, totals)| (values.join(" "), totals[1].unwrap())).collect();
        let expected: Vec<_> = expected.iter().map(|(values, total)| ((*values).to_owned(), *total)).collect();
        assert_eq!(found, expected, "{filter}");
    }
    for refused in [
        "Authentication eq 'SAS' or ApiName eq 'GetBlob'",
        "Authentication eq '*' and ApiName eq '*'",
        "Owner eq 'x'",
        "Authentication = 'SAS'",
        "Authentication eq 'SAS' and",
        "",
    ] {
        let (status, code, text) = bare(&ask(&arm, "blob", &[("$filter", refused)]).await);
        assert_eq!((status, code.as_str()), (400, "BadRequest"), "{refused}: {text}");
    }
    let unknown = [("$filter", "Owner eq 'x'"), ("ValidateDimensions", "false")];
    assert_eq!(series(&ask(&arm, "blob", &unknown).await).len(), 1);
}

/// azure.md §10.5: of a long span the last month, nothing after 93 days, and a refusal where the span ended before them.
#[tokio::test]
async fn long_spans_are_cut_without_a_word_and_old_ones_refused() {
    let arm = arm_with_transactions(&[
        ("blob", "SAS", "2027-03-20T00:00:00Z", 1, Value::Null),
        ("blob", "SAS", "2027-02-01T00:00:00Z", 2, Value::Null),
        ("blob", "SAS", "2026-12-28T09:00:00Z", 4, Value::Null),
    ])
    .await;
    let total = async |timespan: &str| {
        let reply = ask(&arm, "blob", &[("interval", "FULL"), ("timespan", timespan)]).await;
        assert_eq!(reply.at("/timespan"), timespan);
        series(&reply).first().and_then(|(_, totals)| totals[0])
    };
    assert_eq!(total("2027-01-01T00:00:00Z/2027-03-31T00:00:00Z").await, Some(1.0));
    assert_eq!(total("2027-01-30T00:00:00Z/2027-03-01T00:00:00Z").await, Some(2.0));
    assert_eq!(total("2026-12-20T00:00:00Z/2027-01-10T00:00:00Z").await, None, "no longer kept");
    assert_eq!(total("P12D").await, Some(1.0));
    assert_eq!(total("2027-02-01T00:00:00Z/PT1H").await, Some(2.0));
    assert_eq!(total("P1DT2H/2027-03-20T00:00:01Z").await, Some(1.0));
    let old = [("timespan", "2026-12-01T00:00:00Z/2026-12-20T00:00:00Z")];
    let expected = "Query endTime: 2026-12-20T00:00:00Z is out of the Max metrics retention period: 93.00:00:00";
    assert_eq!(bare(&ask(&arm, "blob", &old).await), (400, "BadRequest".to_owned(), expected.to_owned()));
}

/// azure.md §10.6: refusals without an envelope.
#[tokio::test]
async fn refusals_have_no_envelope() {
    let arm = arm().await;
    for (parameter, text) in [
        (
            ("metricnames", "Transactions,Odd"),
            "resource Type: storageAccounts/blobServices, metric: Odd, Valid metrics: Transactions",
        ),
        (
            ("metricnamespace", "Microsoft.Storage/storageAccounts"),
            "Detect invalid value: Microsoft.Storage/storageAccounts for query parameter: 'metricnamespace'",
        ),
        (("timespan", "2027-03-29T10:00:00 01:00/2027-03-31T10:00:00Z"), "Detected invalid time interval input"),
        (("timespan", "2027-03-31T10:00:00Z/2027-03-29T10:00:00Z"), "Detected invalid time interval input"),
        (("timespan", "PX"), "Detected invalid time interval input"),
        (("interval", "PT3M"), "Invalid time grain duration: PT3M, supported ones are: 00:01:00,"),
    ] {
        let (status, code, message) = bare(&ask(&arm, "blob", &[parameter]).await);
        assert_eq!((status, code.as_str()), (400, "BadRequest"), "{parameter:?}");
        assert!(message.contains(text), "{message}");
    }
    // An account without queues has no metrics of them.
    arm.emulator.change(&arm.account, |account| {
        account["properties"]["primaryEndpoints"].as_object_mut().unwrap().remove("queue");
    });
    let (status, _, message) = bare(&ask(&arm, "queue", &[]).await);
    assert!(status == 400 && message.starts_with("Failed to find metric configuration for provider"), "{message}");
    assert_eq!(ask(&arm, "blob", &[]).await.status, 200);
    arm.emulator.remove(&arm.account);
    assert_eq!(ask(&arm, "blob", &[]).await.error(), (404, "ResourceNotFound".to_owned()));
}

/// azure.md §10.7: Reader has the permission, the roles for blobs have not.
#[tokio::test]
async fn metrics_need_a_permission_of_their_own() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    let client = "cccccccc-0000-4000-8000-000000000009";
    arm.emulator.seed(&format!("clients:\n  - {{ client_id: {client}, object_id: {ALICE}, secret: s }}"));
    arm.token = arm.sign_in(client, "s").await.at("/access_token").as_str().expect("a token").to_owned();
    arm.emulator.seed_assignment(&arm.account, ALICE, "Storage Blob Data Owner");
    let refused = ask(&arm, "blob", &[]).await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed".to_owned()));
    let expected =
        format!("action 'Microsoft.Insights/metrics/read' over scope '{}/blobServices/default'", arm.account);
    assert!(refused.message().contains(&expected), "{}", refused.message());
    arm.emulator.seed_assignment(&arm.account, ALICE, "Reader");
    assert_eq!(ask(&arm, "blob", &[]).await.status, 200);
}
