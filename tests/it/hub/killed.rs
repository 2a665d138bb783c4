//! Runs that are killed before the state has the hub that they made.

use serde_json::{Value, json};

use super::{TYPE, bed, bed_with, on_hub, short};
use crate::azure::{Action as Fault, Lro, Operations, Outcome, Record};
use crate::support::core::{ImportFrom, resource};

#[tokio::test]
async fn a_hub_whose_state_was_lost_is_neither_doubled_nor_lost() {
    // Killed while Azure makes it, and when it is there and is read once more.
    for is_made in [false, true] {
        let mut bed = bed_with(|options| {
            options.lro = Lro::Both;
            options.operations = if is_made { Operations::Auto } else { Operations::Explicit };
        })
        .await;
        let config = bed.with(json!({ "shared_access_key_enabled": false }));
        let planned = bed.plan(&config).await.ok();
        let rule = is_made.then(|| bed.emulator.fault(on_hub("GET", Fault::Hold).after(1)));
        bed.emulator.clear_requests();
        let (arm, hub) = (bed.arm.clone(), bed.own_hub());
        bed.core.kill_when(async move {
            let put = arm.emulator.request_seen(|request: &Record| short(request) == "PUT hub2").await.number;
            match is_made {
                true => {
                    arm.emulator.request_seen(|it| it.number > put && short(it) == "GET hub2").await;
                }
                false => {
                    arm.emulator.operation_started(&hub).await;
                }
            }
        });
        bed.core.apply_saved(planned).await;
        assert_eq!(bed.state(), Value::Null);
        if let Some(rule) = rule {
            bed.emulator.release(rule);
        }
        for operation in bed.emulator.running_operations() {
            bed.emulator.finish_operation(&operation.id, Outcome::Succeeded);
        }
        bed.emulator.configure(|options| options.operations = Operations::Auto);
        bed.emulator.clear_requests();
        let id = bed.own_hub();
        let report = bed.apply(&config).await.failed();
        let error = report.error("The hub exists already");
        assert!(error.detail.contains(&format!("terraform import ADDRESS '{id}'")), "{error}");
        assert!(error.detail.contains("import {"), "{error}");
        assert_eq!((bed.writes(), bed.state()), (vec![], Value::Null));

        let block = resource(TYPE, "a", config.clone()).import(ImportFrom::Id(id));
        bed.core.apply_all(vec![block]).await.ok();
        assert_eq!(bed.writes(), [""; 0]);
        bed.plan(&config).await.ok().assert_empty();
        bed.destroy().await.ok();
        assert!(bed.in_azure().is_null());
    }
}

/// A replacement deletes the hub in its first half, so that a run that is killed between the two leaves none.
#[tokio::test]
async fn a_run_that_is_killed_between_the_halves_of_a_replacement_is_completed_by_the_next_one() {
    let mut bed = bed().await;
    let config = bed.with(json!({ "purge_on_destroy": true }));
    bed.apply(&config).await.ok();
    let planned = bed.core.plan_all(vec![resource(TYPE, "a", config.clone()).replaced()]).await.ok();
    let rule = bed.emulator.fault(on_hub("PUT", Fault::Status(503)).header("retry-after", "60"));
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    bed.core.kill_when(async move {
        arm.emulator.request_seen(|request: &Record| short(request) == "PUT hub2").await;
    });
    bed.core.apply_saved(planned).await;
    assert!(bed.state().is_null() && bed.in_azure().is_null());
    bed.emulator.release(rule);
    bed.apply(&config).await.ok();
    bed.plan(&config).await.ok().assert_empty();
}
