//! Deletions: projects, purge, names of deleted hubs, and replacements.

use std::time::Duration;

use serde_json::{Value, json};

use super::{TYPE, bed, bed_with, on_hub};
use crate::azure::{Action as Fault, Lro, Operations};
use crate::support::{
    bed::Bed,
    core::{Action, resource},
};

impl Bed {
    /// Adds a project to the hub.
    fn add_project(&self) -> String {
        let project = self.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "project1");
        self.emulator.change(&self.own_hub(), |hub| hub["properties"]["associatedWorkspaces"] = json!([project]));
        project
    }

    /// Lets go of the names of hubs that were deleted.
    async fn purge(&self) {
        self.arm.delete(&format!("{}?api-version=2025-06-01&forceToPurge=true", self.own_hub())).await;
    }
}

#[tokio::test]
async fn a_hub_with_projects_is_not_deleted_unless_that_is_asked_for() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    let project = bed.add_project();
    bed.emulator.clear_requests();
    let report = bed.destroy().await.failed();
    assert!(report.warning("The hub has projects").detail.contains(&project));
    let error = report.error("The hub has projects");
    assert!(error.detail.contains(&project) && error.detail.contains("Nothing was deleted"), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
    assert_eq!(bed.state()["project_ids"], json!([project]));

    // Also where a replacement would delete it.
    let elsewhere = bed.with(json!({ "name": "hub3", "location": "westus" }));
    let planned = bed.plan(&elsewhere).await.ok();
    assert_eq!(planned.action(), Action::Replace);
    planned.report.warning("The hub has projects");
    bed.core.apply_saved(planned).await.failed().error("The hub has projects");
    assert_eq!(bed.writes(), [""; 0]);

    bed.apply(&bed.with(json!({ "force_destroy": true }))).await.quiet();
    bed.destroy().await.ok().warning("Projects are deleted with the hub");
    assert_eq!(bed.writes(), ["DELETE hub2"]);
}

#[tokio::test]
async fn a_hub_that_is_gone_is_no_error_and_a_deletion_is_followed_until_it_is() {
    let mut bed = bed_with(|options| options.lro_delete = Lro::Location).await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.advance(Duration::from_secs(5));
    bed.emulator.configure(|options| options.read_delay = Duration::from_secs(4));
    bed.emulator.clear_requests();
    bed.destroy().await.quiet();
    let requests = bed.requests();
    let after = requests.iter().position(|request| request == "DELETE hub2").expect("a DELETE");
    assert!(requests[after..].iter().filter(|request| *request == "GET hub2").count() > 1, "{requests:?}");
    bed.emulator.configure(|options| options.read_delay = Duration::ZERO);
    bed.purge().await;

    bed.apply(&bed.minimal()).await.quiet();
    bed.core.refresh_in_plans(false);
    bed.emulator.remove(&bed.own_hub());
    bed.emulator.clear_requests();
    bed.destroy().await.quiet();
    assert_eq!(bed.writes(), [""; 0]);
    // A refresh takes it out of the state by itself.
    bed.core.refresh_in_plans(true);
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.remove(&bed.own_hub());
    assert_eq!(bed.plan(&bed.minimal()).await.ok().action(), Action::Create);
}

#[tokio::test]
async fn a_deletion_that_is_refused_or_interrupted_keeps_the_hub_in_the_state() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.fault(on_hub("DELETE", Fault::Denied));
    bed.destroy().await.failed().error("Not allowed to delete the hub");
    assert_eq!(bed.state()["id"], json!(bed.own_hub()));
    bed.emulator.clear_faults();

    bed.emulator.configure(|options| (options.lro_delete, options.operations) = (Lro::Location, Operations::Explicit));
    let (arm, hub) = (bed.arm.clone(), bed.own_hub());
    bed.core.interrupt_when(async move {
        arm.emulator.operation_started(&hub).await;
    });
    bed.destroy().await.failed().error("Interrupted");
    assert_eq!(bed.state()["id"], json!(bed.own_hub()));
}

#[tokio::test]
async fn a_purge_is_sent_where_it_is_asked_for() {
    let mut bed = bed().await;
    bed.apply(&bed.with(json!({ "purge_on_destroy": true }))).await.quiet();
    bed.destroy().await.quiet();
    assert_eq!(bed.writes(), ["PUT hub2", "DELETE hub2 purge"]);
    bed.apply(&bed.minimal()).await.quiet();
    bed.destroy().await.quiet();
}

#[tokio::test]
async fn a_hub_that_somebody_else_deleted_is_purged_where_that_is_asked_for() {
    let mut bed = bed().await;
    bed.apply(&bed.with(json!({ "purge_on_destroy": true }))).await.quiet();
    let planned = bed.core.plan_all(Vec::new()).await.ok();
    bed.arm.delete(&format!("{}?api-version=2025-06-01", bed.own_hub())).await;
    bed.emulator.clear_requests();
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.writes(), ["DELETE hub2 purge"]);
    // The name is free again.
    bed.apply(&bed.minimal()).await.quiet();
}

#[tokio::test]
async fn the_name_of_a_deleted_hub_is_explained_and_purged_where_that_is_asked_for() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.destroy().await.quiet();
    bed.emulator.clear_requests();
    let config = bed.with(json!({ "shared_access_key_enabled": false }));
    let report = bed.apply(&config).await.failed();
    let error = report.error("A deleted hub still has this name");
    let command = "az ml workspace delete --name hub2 --resource-group rg1 --permanently-delete --yes";
    assert!(error.detail.contains(command) && error.detail.contains("purge_on_destroy = true"), "{error}");
    assert_eq!(bed.writes(), ["PATCH sa1 false", "PUT hub2", "PATCH sa1 true"]);
    assert_eq!(bed.state(), Value::Null);

    let report = bed.apply(&bed.with(json!({ "purge_on_destroy": true }))).await.ok();
    report.warning("A deleted hub was purged");
    assert_eq!(bed.writes(), ["PUT hub2", "DELETE hub2 purge", "PUT hub2"]);
}

#[tokio::test]
async fn a_replacement_of_the_same_name_is_refused_at_plan_unless_it_purges() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.clear_requests();
    let moved = bed.with(json!({ "location": "westus" }));
    let planned = bed.plan(&moved).await;
    let error = planned.report.error("A deleted hub keeps its name");
    assert_eq!(error.path, "purge_on_destroy");
    // So are -replace and a tainted object.
    let forced = resource(TYPE, "a", bed.minimal()).replaced();
    bed.core.plan_all(vec![forced]).await.report.error("A deleted hub keeps its name");
    bed.core.taint(TYPE, "a");
    let planned = bed.plan(&bed.minimal()).await;
    planned.report.error("A deleted hub keeps its name");
    assert_eq!(bed.writes(), [""; 0]);

    let moved = bed.with(json!({ "location": "westus", "purge_on_destroy": true }));
    assert_eq!(bed.apply(&moved).await.ok().action(), Action::Replace);
    assert_eq!(bed.in_azure()["location"], "westus");
    bed.plan(&moved).await.ok().assert_empty();
}

#[tokio::test]
async fn a_replacement_by_another_name_is_two_hubs_in_either_order() {
    let mut bed = bed().await;
    bed.apply(&bed.minimal()).await.quiet();
    bed.emulator.clear_requests();
    let third = bed.with(json!({ "name": "hub3" }));
    let report = bed.core.apply_one(resource(TYPE, "a", third.clone()).create_before_destroy()).await.ok();
    assert_eq!(report.action(), Action::Replace);
    assert_eq!(bed.writes(), ["PUT hub3", "DELETE hub2"]);
    // The same name cannot be had before the old hub is gone.
    let purged = resource(TYPE, "a", super::merged(third, json!({ "location": "westus", "purge_on_destroy": true })));
    let report = bed.core.apply_one(purged.create_before_destroy()).await.failed();
    let error = report.error("The hub exists already");
    assert!(error.detail.contains("with create_before_destroy"), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
}
