//! Many hubs at once: lists take the place of their requests, as far as they say what is known.

use serde_json::json;

use super::{TYPE, bed, merged};
use crate::support::{
    bed::{AUTH, Bed},
    core::{Resource, resource},
};

/// A bed with so many hubs in the state, on two accounts.
async fn with_hubs(hubs: usize) -> (Bed, Vec<Resource>) {
    let mut bed = bed().await;
    bed.emulator.seed("storage_accounts: [{ name: sa2, resource_group: rg1 }]");
    let accounts = [bed.account.clone(), bed.account.replace("/sa1", "/sa2")];
    let new = |at: usize| {
        let own = json!({ "name": format!("many{at}"), "storage_account_id": accounts[at % 2] });
        resource(TYPE, &format!("many{at}"), merged(bed.minimal(), own))
    };
    let all: Vec<_> = (1..=hubs).map(new).collect();
    bed.core.apply_all(all.clone()).await.ok();
    bed.slow_sign_in();
    bed.requests();
    (bed, all)
}

#[tokio::test]
async fn from_ten_hubs_of_a_group_on_a_refresh_with_its_plan_takes_one_list() {
    for hubs in [9, 10, 60] {
        let (mut bed, all) = with_hubs(hubs).await;
        bed.core.plan_all(all).await.ok().assert_empty();
        let mut requests = bed.requests();
        requests.sort();
        match hubs {
            9 => assert_eq!(requests.len(), 9 + 2, "{requests:?}"),
            _ => assert_eq!(requests, ["GET sa1", "GET sa2", "GET workspaces"]),
        }
    }
}

#[tokio::test]
async fn both_resources_of_the_same_hubs_share_the_list() {
    let (mut bed, mut all) = with_hubs(10).await;
    for at in 1..=10 {
        let hub = bed.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", &format!("many{at}"));
        let config = json!({ "hub_id": hub, "access_check": "off" });
        all.push(resource(AUTH, &format!("many{at}"), config));
    }
    bed.core.apply_all(all.clone()).await.ok();
    bed.requests();
    bed.core.plan_all(all).await.ok().assert_empty();
    let mut requests = bed.requests();
    requests.sort();
    assert_eq!(requests, ["GET sa1", "GET sa2", "GET workspaces"]);
}

#[tokio::test]
async fn projects_that_a_hub_has_got_are_read_by_itself() {
    let (mut bed, all) = with_hubs(12).await;
    let hub = bed.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "many4");
    bed.emulator.seed(&format!(
        "workspaces: [{{ name: project1, kind: Project, properties: {{ hubResourceId: \"{hub}\" }} }}]"
    ));
    bed.core.plan_all(all).await.ok();
    let mut requests = bed.requests();
    requests.sort();
    assert_eq!(requests, ["GET many4", "GET sa1", "GET sa2", "GET workspaces"]);
    bed.core.refresh().await.ok();
    assert_eq!(bed.core.state(TYPE, "many4")["project_ids"].as_array().expect("projects").len(), 1);
}
