//! Requests whose answer is lost, before or after Azure has done what they ask for: nothing is made twice, nothing is
//! forgotten, and the next plan is empty. What is left in the state where no answer comes at all is in `interrupted` beside
//! each resource.

use serde_json::json;

use crate::azure::{Action as Fault, Record, Rule};
use crate::support::bed::{AUTH, Bed};

const LOST: [Fault; 3] = [Fault::Lose, Fault::Close, Fault::Truncate];

async fn bed() -> Bed {
    let short = |record: &Record| format!("{} {}", record.method, record.path);
    Bed::new(AUTH, short, |_| {}).await
}

#[tokio::test]
async fn whichever_answer_of_a_change_is_lost_nothing_is_made_twice_or_forgotten() {
    for fault in LOST {
        for (method, path) in [
            ("PUT", "*/workspaces/hub2"),
            ("PATCH", "*/workspaces/hub1"),
            ("PATCH", "*/storageAccounts/sa1"),
            ("PUT", "*/roleAssignments/*"),
        ] {
            let what = format!("{fault:?} {method} {path}");
            let mut bed = bed().await;
            let rule = bed.emulator.fault(Rule::on(method, path, fault).times(1));
            let all = bed.of_every_type();
            let report = bed.core.apply_all(all.clone()).await;
            assert!(!report.diagnostics.has_errors(), "{what}: {}", report.diagnostics);
            assert_eq!(bed.in_azure_of_every_type(), json!([true, "identity", false, 2]), "{what}");
            bed.core.plan_all(all).await.ok().assert_empty();
            let original = &bed.core.state(AUTH, "a")["original"];
            assert_eq!(original["system_datastores_auth_mode"], "accesskey", "{what}");
            bed.emulator.release(rule);
            bed.core.destroy_all().await.ok();
            assert_eq!(bed.in_azure_of_every_type(), json!([false, "accesskey", true, 0]), "{what}");
        }
    }
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_repeated_and_leaves_nothing() {
    for fault in LOST {
        for path in ["*/workspaces/hub2", "*/roleAssignments/*"] {
            let mut bed = bed().await;
            let all = bed.of_every_type();
            bed.core.apply_all(all).await.ok();
            bed.emulator.fault(Rule::on("DELETE", path, fault).times(1));
            bed.core.destroy_all().await.ok();
            assert_eq!(bed.in_azure_of_every_type(), json!([false, "accesskey", true, 0]), "{fault:?} {path}");
        }
    }
}
