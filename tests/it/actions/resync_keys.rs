//! foundryhub_resync_keys.

use serde_json::{Value, json};

use super::{RESYNC, bed_with, keyless};
use crate::azure::{Action as Fault, Lro, Rule};

#[tokio::test]
async fn a_hub_fetches_the_current_key_with_one_request_and_its_polls() {
    for lro in [Lro::Done, Lro::Both] {
        let mut bed = bed_with(|options| options.lro = lro).await;
        let path = format!("{}/regenerateKey?api-version=2023-05-01", bed.account);
        bed.post(&path, json!({ "keyName": "key1" })).await;
        let [key, _] = bed.account_keys().await;
        assert_ne!(bed.key_of(&bed.hub).await, key);
        let (reported, diagnostics) = bed.core.invoke(RESYNC, json!({ "hub_id": bed.hub.to_uppercase() })).await;
        assert_eq!(diagnostics.0, []);
        let [begun, done] = &reported[..] else { panic!("{reported:?}") };
        assert!(begun.ends_with(" fetches the current keys.") && done.ends_with(" has the current keys."));
        assert_eq!(bed.writes(), ["POST HUB1/resyncKeys"]);
        assert_eq!(bed.key_of(&bed.hub).await, key);
        assert!(!bed.core.transcript().contains(&key));
    }
}

#[tokio::test]
async fn what_prevents_it_is_told() {
    for (fault, summary, says) in [
        (
            Rule::on("POST", "*/resyncKeys", Fault::Denied),
            "Not allowed to make the hub fetch keys",
            "resyncKeys/action",
        ),
        (
            Rule::on("POST", "*/resyncKeys", Fault::Status(409)).code("ScopeLocked"),
            "A lock prevents the change",
            "az lock list",
        ),
        (Rule::on("POST", "*/resyncKeys", Fault::FailOperation), "The hub cannot fetch the keys", "EmulatedFault"),
        (
            Rule::on("POST", "*/resyncKeys", Fault::Status(429)).code("TooManyRequests").header("Retry-After", "120"),
            "The hub cannot fetch the keys",
            "120 s",
        ),
    ] {
        let mut bed = bed_with(|options| options.lro = Lro::Both).await;
        bed.emulator.fault(fault);
        let config = json!({ "hub_id": bed.hub, "timeouts": { "invoke": "1m" } });
        let (reported, diagnostics) = bed.core.invoke(RESYNC, config).await;
        assert_eq!(reported.len(), 1);
        let error = diagnostics.error(summary);
        assert!(error.detail.contains(&format!("{} has not fetched", bed.hub)), "{error}");
        assert!(error.detail.contains(says), "{error}");
        assert_eq!(error.path, "hub_id");
    }
}

#[tokio::test]
async fn a_hub_that_does_not_exist_is_an_error_and_a_bad_id_is_refused_before_anything_is_sent() {
    let mut bed = keyless().await;
    let (_, diagnostics) = bed.core.invoke(RESYNC, json!({ "hub_id": bed.hub.replace("hub1", "hub2") })).await;
    assert!(diagnostics.error("The hub does not exist").detail.contains("hub2 has not fetched"));
    bed.requests();
    for hub_id in [json!(bed.account), json!("hub1"), json!("")] {
        for (reported, diagnostics) in [
            bed.core.invoke(RESYNC, json!({ "hub_id": hub_id })).await,
            bed.core.invoke_unplanned(RESYNC, json!({ "hub_id": hub_id })).await,
        ] {
            assert!(reported.is_empty() && diagnostics.has_errors(), "{hub_id}");
            assert_eq!(diagnostics.0[0].path, "hub_id");
        }
    }
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn an_unknown_hub_is_planned_and_nothing_is_sent() {
    let mut bed = keyless().await;
    let (reported, diagnostics) =
        bed.core.invoke(RESYNC, json!({ "hub_id": crate::support::core::UNKNOWN, "timeouts": Value::Null })).await;
    assert_eq!((reported, diagnostics.0), (vec![], vec![]));
    assert_eq!(bed.requests(), [""; 0]);
}
