//! Other workspaces on the account: those that use its keys, and hubs that the same run switches.

use foundryhub::arm::WorkspaceId;
use serde_json::{Value, json};

use super::{ROLE_ASSIGNMENT, role_assignment};
use crate::{
    azure::{Action as Fault, Rule},
    storage_auth::{ALICE, Bed, KEYLESS, TYPE, UNTOUCHED, bed, bed_with},
    support::{
        core::{Resource, resource},
        ids::CONTRIBUTOR_NAMES,
    },
};

impl Bed {
    /// One resource for each hub, named `a`, `b` and so on, all with these settings.
    fn for_each(&self, hubs: &[String], settings: &Value) -> Vec<Resource> {
        let names = ["a", "b", "c", "d"];
        let of = |(name, hub): (&&str, &String)| {
            let mut config = settings.clone();
            config["hub_id"] = json!(hub);
            resource(TYPE, name, config)
        };
        names.iter().zip(hubs).map(of).collect()
    }
}

#[tokio::test]
async fn with_enforce_keys_stay_on_while_another_workspace_uses_them() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    let other = bed.emulator.id("rg2", WorkspaceId::RESOURCE_TYPE, "other");
    bed.emulator.seed_hub(&other, &bed.account.to_uppercase(), json!({}));
    let project = bed.emulator.id("rg2", WorkspaceId::RESOURCE_TYPE, "project");
    bed.emulator.seed_hub(&project, &bed.account, json!({ "hubResourceId": bed.hub }));
    bed.emulator.change(&project, |document| document["kind"] = json!("Project"));

    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let warning = planned.warning("Other workspaces use the keys");
    assert!(warning.detail.contains(&other) && !warning.detail.contains(&project), "{warning}");
    let report = bed.core.apply_saved(planned).await.failed();
    let error = report.error("Other workspaces use the keys");
    assert!(error.detail.contains("-parallelism=2") && !error.detail.contains("depends_on"), "{error}");
    assert_eq!(bed.settings(), UNTOUCHED);

    // While keys stay on, the other workspace does not matter.
    let config = json!({ "hub_id": bed.hub, "access_check": "enforce" });
    bed.apply(&config).await.quiet();
    bed.destroy().await.ok();

    // Both in one configuration, the other one first.
    let all = vec![
        resource(TYPE, "other", json!({ "hub_id": other, "access_check": "enforce" })),
        resource(TYPE, "a", bed.checked("enforce")).depends_on(TYPE, "other"),
    ];
    bed.core.apply_all(all).await.quiet();
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn other_workspaces_are_found_on_every_page_of_the_list() {
    let mut bed = bed_with(|options| options.page_size = 1).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    for name in ["a1", "z9"] {
        let other = bed.emulator.id("rg2", WorkspaceId::RESOURCE_TYPE, name);
        bed.emulator.seed_hub(&other, &bed.account, json!({}));
    }
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    let error = report.error("Other workspaces use the keys");
    assert!(error.detail.contains("/a1") && error.detail.contains("/z9"), "{error}");
}

#[tokio::test]
async fn keys_go_off_when_all_hubs_of_the_run_are_on_identity() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    let hubs = [bed.hub.clone(), bed.another_hub("hub2"), bed.another_hub("hub3")];
    // The patch of the last hub is held until the others wait at their second gate.
    let rule = bed.emulator.fault(Rule::on("PATCH", "*/workspaces/hub3", Fault::Hold));
    let all = bed.for_each(&hubs, &bed.checked("enforce"));
    let arm = bed.arm.clone();
    let release = async move {
        for hub in ["hub1", "hub2"] {
            let path = format!("/workspaces/{hub}/datastores");
            arm.emulator.request_seen(|request| request.path.ends_with(&path)).await;
        }
        arm.emulator.release(rule);
    };
    let (report, ()) = futures_util::future::join(bed.core.apply_all(all.clone()), release).await;
    report.quiet();
    let writes = bed.writes();
    assert!(writes[..3].iter().all(|write| write.ends_with("identity")), "{writes:?}");
    assert_eq!(writes[3..], ["PATCH sa1 false"; 3]);
    bed.core.plan_all(all).await.ok().assert_empty();
}

#[tokio::test]
async fn a_hub_that_cannot_be_switched_ends_the_wait_of_the_others_and_is_reported() {
    for (check, keys) in [("enforce", None), ("warn", Some(false))] {
        let mut bed = bed().await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        let hubs = [bed.hub.clone(), bed.another_hub("hub2")];
        let rule = bed.emulator.fault(Rule::on("PATCH", "*/workspaces/hub2", Fault::Denied));
        let mut all = bed.for_each(&hubs, &json!({ "access_check": check }));
        all[0] = resource(TYPE, "a", bed.checked(check));
        let report = bed.core.apply_all(all.clone()).await.failed();
        report.error("Not allowed to");
        let found = match check {
            "enforce" => report.error("Other workspaces could not be switched"),
            _ => report.warning("Other workspaces could not be switched"),
        };
        assert!(found.detail.contains(&hubs[1]), "{found}");
        assert_eq!(bed.keys(), keys, "{check}");
        bed.emulator.release(rule);
    }
}

#[tokio::test]
async fn with_warn_a_hub_that_failed_before_the_first_gate_is_reported_by_that_gate_alone() {
    let mut bed = bed().await;
    let hub2 = bed.another_hub("hub2");
    bed.fault(Rule::on("PATCH", "*/workspaces/hub2", Fault::Denied));
    // Core begins with hub1 when the role assignment that it depends on and hub2, which depends on nothing, have both
    // ended.
    let all = vec![
        role_assignment(&bed, "alice", ALICE),
        resource(TYPE, "b", json!({ "hub_id": hub2, "access_check": "warn" })),
        resource(TYPE, "a", bed.checked("warn")).depends_on(ROLE_ASSIGNMENT, "alice"),
    ];
    let report = bed.core.apply_all(all).await.failed();
    report.error("Not allowed to");
    let warned = report.diagnostics.0.iter().filter(|found| found.summary == "Other workspaces could not be switched");
    let warned: Vec<_> = warned.collect();
    assert_eq!(warned.len(), 1, "{}", report.diagnostics);
    assert!(warned[0].detail.contains(&hub2), "{}", warned[0]);
    assert_eq!(bed.settings(), KEYLESS);
}
