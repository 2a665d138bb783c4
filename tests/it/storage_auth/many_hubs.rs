//! Many hubs at once: they are read with lists, and what a list does not show is read by itself.

use serde_json::json;

use super::{TYPE, bed};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::WORKSPACES;
use crate::support::{
    bed::Bed,
    core::{Resource, resource},
};

/// A bed with so many hubs, each with an account of its own, in so many groups, and objects that watch them.
async fn watching(hubs: usize, groups: usize) -> (Bed, Vec<String>) {
    let mut bed = bed().await;
    bed.emulator.seed(&format!("fleets: [{{ hubs: {hubs}, groups: {groups}, modes: [identity] }}]"));
    let id = |at: usize| {
        let group = format!("fleet-rg-{:04}", at % groups + 1);
        bed.emulator.id(&group, WORKSPACES, &format!("fleet-{:04}", at + 1))
    };
    let ids: Vec<String> = (0..hubs).map(id).collect();
    bed.core.apply_all(ids.iter().map(|id| watched(id)).collect()).await.ok();
    bed.emulator.clear_requests();
    (bed, ids)
}

fn watched(hub: &str) -> Resource {
    let name = hub.rsplit('/').next().expect("a name");
    resource(TYPE, name, json!({ "hub_id": hub, "access_check": "off" }))
}

/// The requests since the last look, with the group of what they are about.
fn requests(bed: &Bed) -> Vec<String> {
    let mut requests: Vec<_> = bed
        .emulator
        .arm_requests()
        .iter()
        .map(|record| {
            let (_, below) = record.path.split_once("/subscriptions/").expect("a path in a subscription");
            let (_, below) = below.split_once('/').expect("more than the subscription");
            let below = below.replace("providers/Microsoft.MachineLearningServices/", "");
            format!("{} {}", record.method, below.replace("providers/Microsoft.Storage/", ""))
        })
        .collect();
    bed.emulator.clear_requests();
    requests.sort();
    requests
}

#[tokio::test]
async fn ten_hubs_of_a_group_take_two_lists_and_nine_are_read_one_by_one() {
    let (mut bed, _) = watching(10, 1).await;
    bed.core.refresh().await.ok();
    let of_group = |what: &str| format!("GET resourceGroups/fleet-rg-0001/{what}");
    assert_eq!(requests(&bed), [of_group("storageAccounts"), of_group("workspaces")]);
    let (mut bed, _) = watching(9, 1).await;
    bed.core.refresh().await.ok();
    assert_eq!(requests(&bed).len(), 18);
}

#[tokio::test]
async fn hubs_of_many_groups_take_the_lists_of_the_subscription() {
    let (mut bed, _) = watching(12, 12).await;
    bed.core.refresh().await.ok();
    assert_eq!(requests(&bed), ["GET storageAccounts", "GET workspaces"]);
}

#[tokio::test]
async fn drift_shows_in_a_list_and_an_absence_is_confirmed() {
    let (mut bed, ids) = watching(12, 1).await;
    bed.emulator.change(&ids[3], |hub| hub["properties"]["systemDatastoresAuthMode"] = json!("accesskey"));
    bed.emulator.remove(&ids[7]);
    bed.core.refresh().await.ok();
    let told = requests(&bed);
    let of_gone = told.iter().filter(|request| request.ends_with("fleet-0008")).count();
    assert_eq!(of_gone, 2, "not in the list, and then asked for twice: {told:?}");
    let mode = |at: usize| bed.core.state(TYPE, &format!("fleet-{at:04}"))["system_datastores_auth_mode"].clone();
    assert_eq!((mode(4), mode(5)), (json!("accesskey"), json!("identity")));
    assert_eq!(bed.core.state(TYPE, "fleet-0008"), json!(null), "the hub is gone, and nothing is owed");
}

#[tokio::test]
async fn where_a_list_is_denied_each_is_read_by_itself() {
    let (mut bed, _) = watching(10, 1).await;
    for list in ["workspaces", "storageAccounts"] {
        bed.emulator.fault(Rule::on("GET", &format!("*/providers/*/{list}"), Fault::Denied));
    }
    bed.core.refresh().await.ok();
    assert_eq!(requests(&bed).len(), 22);
}
