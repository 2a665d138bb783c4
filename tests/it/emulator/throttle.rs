//! Token buckets (azure.md §5.2).

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::client::{ALICE, Arm, arm_with};

/// azure.md §5.2: buckets of their own for reads, writes and deletes; 429 with Retry-After; they fill up again.
#[tokio::test]
async fn empty_buckets_answer_429_and_fill_up_again() {
    let arm = arm_with(|options| {
        options.throttle = true;
        options.stop_clock = true;
        options.read_bucket = "3/1".parse().expect("a rate");
        options.write_bucket = "1/1".parse().expect("a rate");
    })
    .await;
    let left = |reply: &super::client::Reply, class: &str| {
        reply.header(&format!("x-ms-ratelimit-remaining-subscription-{class}")).map(str::to_owned)
    };
    for expected in ["2", "1", "0"] {
        let reply = arm.get(&arm.hub_path()).await;
        assert_eq!((reply.status, left(&reply, "reads").as_deref()), (200, Some(expected)));
    }
    let refused = arm.get(&arm.hub_path()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    let written = arm.patch(&arm.account_path(), json!({})).await;
    assert_eq!((written.status, left(&written, "writes").as_deref()), (200, Some("0")));
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 429);
    assert!(left(&arm.delete(&arm.assignment_path(ALICE)).await, "deletes").is_some());
    arm.emulator.advance(Duration::from_secs(1));
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
    let tenant = arm.get("/tenants?api-version=2022-12-01").await;
    assert!(tenant.header("x-ms-ratelimit-remaining-tenant-reads").is_some());
}

/// The buckets of a reply: the header that counts, and its value.
fn counted(reply: &super::client::Reply) -> Vec<(String, String)> {
    let headers = reply.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-ms-ratelimit-remaining-"));
    headers.map(|(name, value)| (name.to_string(), value.to_str().expect("a text").to_owned())).collect()
}

/// azure.md §5.2: default sizes and refills, and the header of each kind of call.
#[tokio::test]
async fn every_kind_of_call_is_counted_in_its_own_bucket() {
    let arm = arm_with(|options| options.stop_clock = true).await;
    let missing = arm.assignment_path("00000000-0000-0000-0000-00000000000b");
    for (row, method, path, header, first) in [
        ("reads 250", Method::GET, arm.hub_path(), "subscription-reads", "249"),
        ("writes 200", Method::PATCH, arm.account_path(), "subscription-writes", "199"),
        ("deletes 200", Method::DELETE, missing, "subscription-deletes", "199"),
        ("tenant reads", Method::GET, "/tenants?api-version=2022-12-01".to_owned(), "tenant-reads", "249"),
        (
            "tenant writes",
            Method::PUT,
            super::client::assignment_at("", "00000000-0000-0000-0000-00000000000c"),
            "tenant-writes",
            "199",
        ),
    ] {
        let reply = arm.send(method, &path, json!({})).await;
        assert_eq!(counted(&reply), [(format!("x-ms-ratelimit-remaining-{header}"), first.to_owned())], "{row}");
    }
    for _ in 0..100 {
        arm.get(&arm.hub_path()).await;
    }
    arm.emulator.advance(Duration::from_secs(2));
    assert_eq!(counted(&arm.get(&arm.hub_path()).await)[0].1, "198", "refill 25/s: 149 + 50 - 1");
}

/// azure.md §5.2: buckets are a principal's own; under all of them lies one of the subscription's.
#[tokio::test]
async fn principals_do_not_take_from_each_other_but_from_the_subscription() {
    let mut arm = arm_with(|options| {
        options.throttle = true;
        options.stop_clock = true;
        options.read_bucket = "2/1".parse().expect("a rate");
        options.delete_bucket = "1/1".parse().expect("a rate");
        options.global_bucket_factor = 2;
    })
    .await;
    let gone = arm.assignment_path("00000000-0000-0000-0000-00000000000b");
    assert_eq!((arm.delete(&gone).await.status, arm.delete(&gone).await.status), (204, 429), "deletes run out");

    let reads = async |arm: &Arm, times: usize| {
        let mut found = Vec::new();
        for _ in 0..times {
            found.push(arm.get(&arm.hub_path()).await.status);
        }
        found
    };
    // What a principal is refused is not taken from the subscription: there are two reads left of its four.
    assert_eq!(reads(&arm, 5).await, [200, 200, 429, 429, 429]);
    for (client, object, expected) in [
        ("55555555-0000-0000-0000-000000000000", "55555555-0000-0000-0000-000000000001", [200, 200]),
        ("66666666-0000-0000-0000-000000000000", "66666666-0000-0000-0000-000000000001", [429, 429]),
    ] {
        arm.emulator.seed(&format!("clients:\n  - {{ client_id: {client}, object_id: {object}, secret: s }}"));
        arm.token = arm.sign_in(client, "s").await.at("/access_token").as_str().expect("a token").to_owned();
        assert_eq!(reads(&arm, 2).await, expected, "{client}");
    }
}
