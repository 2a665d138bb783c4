//! Many hubs at once: lists take the place of their requests and those of their accounts, as far as they say what is known.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{TYPE, bed_with};
use crate::azure::{Action as Fault, Options, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};
use crate::support::{
    bed::{Bed, is_write},
    core::{Core, Resource, resource},
};

/// The collections whose lists are read.
const LISTS: [&str; 2] = ["workspaces", "storageAccounts"];

/// A bed with so many hubs on identity, each with an account of its own, in so many groups, in a state that watches them.
async fn watching(hubs: usize, groups: usize, change: impl FnOnce(&mut Options)) -> (Bed, Vec<Resource>) {
    let mut bed = bed_with(change).await;
    bed.emulator.seed(&format!(
        "fleets: [{{ hubs: {hubs}, groups: {groups}, modes: [identity], shared_keys: [false, true, null] }}]"
    ));
    let all: Vec<_> = (1..=hubs).map(|at| watched(&bed, at, groups, json!({}))).collect();
    bed.core.apply_all(all.clone()).await.ok();
    bed.slow_sign_in();
    bed.emulator.clear_requests();
    (bed, all)
}

fn hub(bed: &Bed, at: usize, groups: usize) -> String {
    bed.emulator.id(&format!("fleet-rg-{:04}", (at - 1) % groups + 1), WORKSPACES, &name(at))
}

fn account(bed: &Bed, at: usize) -> String {
    bed.emulator.id("fleet-rg-0001", ACCOUNTS, &format!("fleet{at:04}"))
}

fn name(at: usize) -> String {
    format!("fleet-{at:04}")
}

fn watched(bed: &Bed, at: usize, groups: usize, timeouts: Value) -> Resource {
    let config = json!({ "hub_id": hub(bed, at, groups), "access_check": "off", "timeouts": timeouts });
    resource(TYPE, &name(at), config)
}

/// How often each path below the subscription was asked for since the last look.
fn asked(bed: &Bed) -> BTreeMap<String, usize> {
    let mut asked = BTreeMap::new();
    for record in bed.emulator.arm_requests() {
        assert!(!is_write(&record), "{record:?}");
        let (_, below) = record.path.split_once("/providers/").expect("a path of a provider");
        let group = record.path.split("/resourceGroups/").nth(1).and_then(|rest| rest.split('/').next());
        let (_, what) = below.split_once('/').expect("a type");
        *asked.entry(format!("{} {what}", group.unwrap_or("all"))).or_default() += 1;
    }
    bed.emulator.clear_requests();
    asked
}

/// The number of requests for single resources, and how often each list was asked for.
fn counted(bed: &Bed) -> (usize, Vec<(String, usize)>) {
    let (single, lists): (Vec<_>, Vec<_>) = asked(bed).into_iter().partition(|(what, _)| what.contains('/'));
    (single.iter().map(|(_, times)| times).sum(), lists)
}

fn lists_of(place: &str, pages: usize) -> Vec<(String, usize)> {
    let mut lists = LISTS.map(|list| (format!("{place} {list}"), pages));
    lists.sort();
    lists.into()
}

fn on_lists(bed: &Bed, fault: Fault) {
    for list in LISTS {
        bed.emulator.fault(Rule::on("GET", &format!("*/{list}"), fault));
    }
}

fn mode(bed: &Bed, at: usize) -> Value {
    bed.core.state(TYPE, &name(at))["system_datastores_auth_mode"].clone()
}

#[tokio::test]
async fn from_ten_hubs_of_a_group_on_a_refresh_with_its_plan_takes_two_lists() {
    for (hubs, expected) in
        [(9, (18, vec![])), (10, (0, lists_of("fleet-rg-0001", 1))), (60, (0, lists_of("fleet-rg-0001", 1)))]
    {
        let (mut bed, all) = watching(hubs, 1, |_| {}).await;
        bed.core.plan_all(all).await.ok().assert_empty();
        assert_eq!(counted(&bed), expected, "{hubs} hubs");
    }
}

#[tokio::test]
async fn hubs_of_many_groups_take_the_lists_of_the_subscription() {
    let (mut bed, all) = watching(12, 12, |_| {}).await;
    bed.core.plan_all(all).await.ok().assert_empty();
    assert_eq!(counted(&bed), (0, lists_of("all", 1)));
}

#[tokio::test]
async fn what_a_list_says_otherwise_is_read_by_itself_and_so_is_what_it_lacks() {
    let (mut bed, _) = watching(14, 1, |_| {}).await;
    bed.emulator.change(&hub(&bed, 3, 1), |hub| hub["properties"]["systemDatastoresAuthMode"] = json!("accesskey"));
    bed.emulator.set_shared_key_access(&account(&bed, 5), Some(false));
    bed.emulator.remove(&hub(&bed, 7, 1));
    // Not in a list of hubs, and still there.
    bed.emulator.change(&hub(&bed, 9, 1), |hub| hub["kind"] = json!("Project"));
    // Short items of lists.
    bed.emulator.change(&hub(&bed, 11, 1), |hub| hub["properties"]["workspaceId"] = json!(null));
    bed.emulator.change(&account(&bed, 13), |account| account["properties"]["primaryEndpoints"] = json!(null));
    bed.core.refresh().await.ok();
    let single = [
        "workspaces/fleet-0003",
        "storageAccounts/fleet0005",
        "workspaces/fleet-0009",
        "workspaces/fleet-0011",
        "storageAccounts/fleet0013",
    ];
    let mut expected: BTreeMap<String, usize> =
        single.into_iter().chain(LISTS).map(|what| (format!("fleet-rg-0001 {what}"), 1)).collect();
    // Its absence is believed after it was told twice.
    expected.insert("fleet-rg-0001 workspaces/fleet-0007".to_owned(), 2);
    assert_eq!(asked(&bed), expected);
    assert_eq!((mode(&bed, 3), mode(&bed, 4)), (json!("accesskey"), json!("identity")));
    assert_eq!(bed.core.state(TYPE, &name(5))["shared_access_key_enabled"], json!(false));
    assert_eq!(bed.core.state(TYPE, &name(7)), Value::Null);
    assert_eq!((mode(&bed, 9), mode(&bed, 11)), (json!("identity"), json!("identity")));
}

#[tokio::test]
async fn a_list_that_fails_is_asked_for_once_and_each_resource_is_read_by_itself() {
    for fault in
        [Fault::Denied, Fault::Status(500), Fault::Status(404), Fault::Truncate, Fault::ResetLate, Fault::Astray]
    {
        // One page is not enough, so that the link is followed.
        let (mut bed, all) = watching(30, 1, |options| options.page_size = 25).await;
        on_lists(&bed, fault);
        bed.core.plan_all(all).await.ok().assert_empty();
        let (single, lists) = counted(&bed);
        assert_eq!(lists, lists_of("fleet-rg-0001", 1), "{fault:?}");
        // The first page of a list that leads astray is none the worse for it.
        let expected = if fault == Fault::Astray { 10..=59 } else { 60..=60 };
        assert!(expected.contains(&single), "{single} after {fault:?}");
    }
}

#[tokio::test]
async fn where_the_subscription_cannot_be_listed_the_groups_are() {
    let (mut bed, all) = watching(60, 3, |_| {}).await;
    for list in LISTS {
        let path = format!("{}/providers/*/{list}", bed.subscription);
        bed.emulator.fault(Rule::on("GET", &path, Fault::Denied));
    }
    bed.core.plan_all(all).await.ok().assert_empty();
    let (single, lists) = counted(&bed);
    assert!(lists.iter().all(|(_, times)| *times == 1), "{lists:?}");
    assert!(lists.len() <= 8 && single <= 60, "{single} and {lists:?}");
}

#[tokio::test]
async fn a_list_that_is_long_for_what_is_asked_is_left_and_read_on_when_more_is_asked() {
    for (hubs, most_pages) in [(10, 5), (60, 30)] {
        let (mut bed, all) = watching(hubs, 1, |options| options.page_size = 10).await;
        for at in 0..190 {
            let other = bed.emulator.id("fleet-rg-0001", WORKSPACES, &format!("another-{at:03}"));
            bed.emulator.seed_hub(&other, &account(&bed, 1), json!({}));
        }
        bed.core.plan_all(all).await.ok().assert_empty();
        let (single, lists) = counted(&bed);
        let [(accounts, _), (workspaces, pages)] = &lists[..] else { panic!("{lists:?}") };
        assert!(accounts.ends_with("storageAccounts") && workspaces.ends_with("workspaces"), "{lists:?}");
        assert!(*pages <= most_pages, "{pages} pages for {hubs} hubs");
        // Accounts are not in the way of each other: what a page has is spared.
        assert!(single <= hubs, "{single} beside {lists:?}");
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_left() {
    let (mut bed, _) = watching(12, 1, |_| {}).await;
    on_lists(&bed, Fault::Endless);
    bed.emulator.remove(&hub(&bed, 12, 1));
    bed.core.refresh().await.ok();
    let (single, lists) = counted(&bed);
    assert_eq!(single, 2, "the hub that is gone");
    assert!(lists.iter().all(|(_, pages)| *pages <= 6), "{lists:?}");
    assert_eq!((bed.core.state(TYPE, &name(12)), mode(&bed, 11)), (Value::Null, json!("identity")));
}

#[tokio::test]
async fn a_slow_list_takes_half_of_the_time() {
    let (mut bed, _) = watching(12, 1, |_| {}).await;
    let all: Vec<_> = (1..=12).map(|at| watched(&bed, at, 1, json!({ "read": "4s" }))).collect();
    bed.core.apply_all(all.clone()).await.ok();
    bed.emulator.clear_requests();
    on_lists(&bed, Fault::Hold);
    bed.core.plan_all(all).await.ok().assert_empty();
    assert_eq!(counted(&bed), (24, lists_of("fleet-rg-0001", 1)));
}

#[tokio::test]
async fn an_interrupt_ends_a_list_and_loses_nothing() {
    let (mut bed, _) = watching(10, 1, |_| {}).await;
    on_lists(&bed, Fault::Hold);
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(|record| record.path.ends_with("/workspaces")).await;
    });
    bed.core.refresh().await.failed();
    assert_eq!(mode(&bed, 10), json!("identity"));
    let (single, lists) = counted(&bed);
    assert_eq!(single, 0);
    assert!(lists.iter().all(|(_, times)| *times == 1), "{lists:?}");
}

#[tokio::test]
async fn from_the_first_write_on_no_list_is_read_nor_believed() {
    let (mut bed, mut all) = watching(12, 1, |_| {}).await;
    bed.core = std::mem::replace(&mut bed.core, Core::new()).in_one_process();
    for resource in &mut all {
        *resource = resource.clone().setting("shared_access_key_enabled", json!(true));
    }
    let plan = bed.core.plan_all(all).await.ok();
    assert_eq!(counted(&bed), (0, lists_of("fleet-rg-0001", 1)));
    bed.core.apply_saved(plan).await.ok();
    let requests = bed.emulator.arm_requests();
    assert!(!requests.iter().any(|record| LISTS.iter().any(|list| record.path.ends_with(list))));
    // The accounts that do not accept keys yet.
    for at in (1..=12).step_by(3) {
        let hub = hub(&bed, at, 1);
        assert!(requests.iter().any(|record| record.method == "GET" && record.path == hub), "{hub} was not read again");
    }
    bed.emulator.clear_requests();
    bed.core.refresh().await.ok();
    assert_eq!(counted(&bed), (0, lists_of("fleet-rg-0001", 1)), "the next walk begins anew");
}
