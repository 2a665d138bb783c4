//! foundryhub_rotate_storage_keys.

use serde_json::json;

use super::{ROTATE, bed_with, keyless};
use crate::azure::{Action as Fault, Lro, Rule};
use crate::emulator::client::ACCOUNTS;
use crate::support::{bed::Bed, core::UNKNOWN};

const BOTH: [&str; 2] = ["POST sa1/regenerateKey key2", "POST sa1/regenerateKey key1"];

fn on_regenerate(action: Fault) -> Rule {
    Rule::on("POST", "*/storageAccounts/sa1/regenerateKey", action)
}

#[tokio::test]
async fn both_keys_are_regenerated_and_the_hub_fetches_them() {
    let mut bed = bed_with(|options| options.lro = Lro::Both).await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    let before = bed.account_keys().await;
    let (reported, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": bed.hub })).await;
    assert_eq!(diagnostics.0, []);
    let (account, hub) = (&bed.account, &bed.hub);
    assert_eq!(
        reported,
        [
            format!("Regenerating key2 of {account}."),
            format!("key2 of {account} is new."),
            format!("Regenerating key1 of {account}."),
            format!("key1 of {account} is new."),
            format!("{hub} has the new keys."),
        ]
    );
    let is_poll = |request: &String| request.len() == "GET ".len() + 36;
    let requests: Vec<_> = bed.requests().into_iter().filter(|request| !is_poll(request)).collect();
    let expected = [
        "GET hub1", // for the plan
        "GET hub1",
        "GET sa1",
        "GET workspaces",
        "POST sa1/regenerateKey key2",
        "POST sa1/regenerateKey key1",
        "POST hub1/resyncKeys",
    ];
    assert_eq!(requests, expected);
    let after = bed.account_keys().await;
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(bed.key_of(&bed.hub).await, after[0]);
    let transcript = bed.core.transcript();
    assert!(before.iter().chain(&after).all(|key| !transcript.contains(key)), "keys are secrets");
}

#[tokio::test]
async fn one_key_by_the_account_and_only_hubs_that_use_it_are_told() {
    let mut bed = keyless().await;
    let (second, on_identity) = (bed.another_hub("hub2"), bed.another_hub("hub3"));
    bed.emulator.set_mode(&on_identity, "Identity");
    bed.emulator.seed(&format!(
        "storage_accounts: [{{ name: sa2 }}]\nworkspaces:\n  \
         - {{ name: elsewhere, kind: Hub, properties: {{ storageAccount: sa2 }} }}\n  \
         - {{ name: classic, properties: {{ storageAccount: sa1 }} }}\n  \
         - {{ name: project, kind: Project, properties: {{ hubResourceId: {} }} }}\n",
        bed.hub
    ));
    let before = bed.account_keys().await;
    let config = json!({ "storage_account_id": bed.account, "keys": ["key1"] });
    let (_, diagnostics) = bed.core.invoke(ROTATE, config).await;
    assert_eq!(diagnostics.0, []);
    let mut writes = bed.writes();
    assert_eq!(writes.remove(0), "POST sa1/regenerateKey key1");
    writes.sort();
    assert_eq!(writes, ["POST classic/resyncKeys", "POST hub1/resyncKeys", "POST hub2/resyncKeys"]);
    let after = bed.account_keys().await;
    assert!(before[0] != after[0] && before[1] == after[1]);
    assert_eq!(bed.key_of(&second).await, after[0]);
}

#[tokio::test]
async fn while_the_account_accepts_keys_nobody_is_locked_out_unless_that_is_asked_for() {
    let mut bed = bed_with(|_| {}).await;
    for keys in [None, Some(true)] {
        bed.emulator.set_shared_key_access(&bed.account, keys);
        for on_keys_enabled in [json!(null), json!("fail"), json!("FAIL")] {
            let config = json!({ "hub_id": bed.hub, "on_keys_enabled": on_keys_enabled });
            let (reported, diagnostics) = bed.core.invoke(ROTATE, config).await;
            let error = diagnostics.error("The storage account accepts shared keys");
            assert_eq!((error.path.as_str(), reported.len()), ("on_keys_enabled", 0));
            assert!(error.detail.contains(&bed.account) && error.detail.contains("Nothing was regenerated"), "{error}");
        }
        let config = json!({ "hub_id": bed.hub, "on_keys_enabled": "skip" });
        let (reported, diagnostics) = bed.core.invoke(ROTATE, config).await;
        assert_eq!(diagnostics.0, []);
        assert_eq!(reported, [format!("{} accepts shared keys, so none is regenerated.", bed.account)]);
        assert_eq!(bed.writes(), [""; 0]);

        let config = json!({ "hub_id": bed.hub, "on_keys_enabled": "rotate", "keys": ["key2"] });
        let (_, diagnostics) = bed.core.invoke(ROTATE, config).await;
        let warning = diagnostics.warning("Users of shared keys will lose access");
        assert!(warning.detail.contains("Whoever uses key2 now"), "{warning}");
        assert_eq!(diagnostics.0.len(), 1);
        assert_eq!(bed.writes(), ["POST sa1/regenerateKey key2", "POST hub1/resyncKeys"]);
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_right_is_refused_before_anything_is_sent_at_plan_and_invocation() {
    let mut bed = keyless().await;
    let (hub, account) = (bed.hub.clone(), bed.account.clone());
    for (config, summary, path) in [
        (json!({}), "The storage account is not named", "hub_id"),
        (json!({ "hub_id": "" }), "The storage account is not named", "hub_id"),
        (
            json!({ "hub_id": hub, "storage_account_id": account }),
            "The storage account is named twice",
            "storage_account_id",
        ),
        (json!({ "hub_id": account }), "Invalid value", "hub_id"),
        (json!({ "storage_account_id": hub }), "Invalid value", "storage_account_id"),
        (json!({ "hub_id": hub, "keys": [] }), "No key to regenerate", "keys"),
        (json!({ "hub_id": hub, "keys": ["key3"] }), "Invalid value", "keys"),
        (json!({ "hub_id": hub, "on_keys_enabled": "maybe" }), "Invalid value", "on_keys_enabled"),
        (json!({ "hub_id": hub, "timeouts": { "invoke": "soon" } }), "Invalid value", "timeouts.invoke"),
    ] {
        for (reported, diagnostics) in
            [bed.core.invoke(ROTATE, config.clone()).await, bed.core.invoke_unplanned(ROTATE, config.clone()).await]
        {
            assert_eq!((diagnostics.error(summary).path.as_str(), reported.len()), (path, 0), "{config}");
            assert_eq!(diagnostics.0.len(), 1, "{diagnostics}");
        }
    }
    assert_eq!(bed.requests(), [""; 0]);
    for config in [json!({ "hub_id": UNKNOWN, "storage_account_id": account }), json!({ "hub_id": UNKNOWN })] {
        assert_eq!(bed.core.invoke(ROTATE, config).await, (vec![], Default::default()));
    }
    let empty = json!({ "hub_id": "", "storage_account_id": account, "on_keys_enabled": "" });
    assert_eq!(bed.core.invoke(ROTATE, empty).await.1.0, []);
    assert_eq!(bed.writes()[..2], BOTH);
}

#[tokio::test]
async fn a_plan_refuses_what_will_never_do_and_warns_of_what_may() {
    let mut bed = keyless().await;
    bed.emulator.seed(&format!(
        "workspaces: [{{ name: project, kind: Project, properties: {{ hubResourceId: {} }} }}]",
        bed.hub
    ));
    let project = bed.hub.replace("hub1", "project");
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": project })).await;
    let error = diagnostics.error("Not a hub");
    assert!(error.detail.contains(&bed.hub) && error.path == "hub_id", "{error}");

    let missing = bed.hub.replace("hub1", "hub2");
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": missing })).await;
    let warning = diagnostics.warning("The hub does not exist");
    assert!(!warning.detail.contains("this resource"), "an action is none: {warning}");
    diagnostics.error("The hub does not exist");
    let account = bed.account.replace("sa1", "sa2");
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "storage_account_id": account })).await;
    assert!(diagnostics.error("The storage account does not exist").detail.contains(&account));
    assert_eq!(bed.writes(), [""; 0]);
}

/// What a rotation leaves when `fault` comes at the second key, which is key1.
async fn stopped(fault: Rule) -> (Bed, Vec<String>, crate::support::core::Diagnostics) {
    let mut bed = keyless().await;
    bed.emulator.fault(fault.containing("key1"));
    let (reported, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": bed.hub })).await;
    assert!(diagnostics.has_errors());
    (bed, reported, diagnostics)
}

#[tokio::test]
async fn a_failure_half_way_says_what_was_done_and_the_hub_still_fetches_what_is_new() {
    for (fault, summary, says) in [
        (on_regenerate(Fault::Denied), "Not allowed to regenerate keys", "Storage Account Key Operator Service Role"),
        (on_regenerate(Fault::Status(409)).code("ScopeLocked"), "A lock prevents the change", "az lock list"),
        (
            on_regenerate(Fault::Status(400)).code("KeyVaultManaged").message("Managed elsewhere."),
            "A key was not regenerated",
            "Managed elsewhere.",
        ),
    ] {
        let (bed, _, diagnostics) = stopped(fault).await;
        let error = diagnostics.error(summary);
        let told = format!("key2 of {0} was regenerated. key1 of {0} was not regenerated.", bed.account);
        assert!(error.detail.contains(&told) && error.detail.contains(says), "{error}");
        assert_eq!(diagnostics.0.len(), 1);
        assert_eq!(bed.writes().last().unwrap(), "POST hub1/resyncKeys");
    }
}

#[tokio::test]
async fn a_refusal_of_the_first_key_says_that_nothing_was_done_and_no_hub_is_bothered() {
    let mut bed = keyless().await;
    bed.emulator.fault(on_regenerate(Fault::Denied));
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": bed.hub })).await;
    let told = format!("key2 of {0} was not regenerated. key1 of {0} was not regenerated.", bed.account);
    assert!(diagnostics.error("Not allowed to regenerate keys").detail.contains(&told));
    assert!(bed.writes().iter().all(|write| write == BOTH[0]));
}

#[tokio::test]
async fn a_lost_answer_is_made_up_for_by_the_time_the_key_was_made() {
    let mut bed = keyless().await;
    bed.emulator.fault(on_regenerate(Fault::Lose));
    let before = bed.account_keys().await;
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": bed.hub })).await;
    assert_eq!(diagnostics.0, []);
    assert_eq!(bed.writes(), [BOTH[0], BOTH[1], "POST hub1/resyncKeys"]);
    let after = bed.account_keys().await;
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert_eq!(bed.key_of(&bed.hub).await, after[0]);
}

#[tokio::test]
async fn a_key_of_which_nothing_is_known_may_have_been_regenerated() {
    let (bed, _, diagnostics) = stopped(on_regenerate(Fault::Close)).await;
    let told = format!("key2 of {0} was regenerated. key1 of {0} may have been regenerated.", bed.account);
    assert!(diagnostics.0[0].detail.contains(&told), "{diagnostics}");
    assert_eq!(bed.writes().last().unwrap(), "POST hub1/resyncKeys");
}

#[tokio::test]
async fn hubs_that_cannot_be_listed_matter_only_while_they_may_use_keys() {
    let mut bed = keyless().await;
    bed.emulator.fault(Rule::on("GET", "*/providers/Microsoft.MachineLearningServices/workspaces", Fault::Denied));
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": bed.hub })).await;
    let warning = diagnostics.warning("Hubs may keep old keys");
    assert!(warning.detail.contains("workspaces/read on"), "{warning}");
    assert!(warning.detail.starts_with(&format!("{} fetches the new keys", bed.hub)), "{warning}");
    assert_eq!(bed.writes(), [BOTH[0], BOTH[1], "POST hub1/resyncKeys"], "the hub that is named is known");
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "storage_account_id": bed.account })).await;
    let warning = diagnostics.warning("Hubs may keep old keys");
    assert!(warning.detail.contains("none of them fetches the new ones"), "{warning}");
    assert_eq!(bed.writes(), BOTH);

    bed.emulator.set_shared_key_access(&bed.account, Some(true));
    let config = json!({ "hub_id": bed.hub, "on_keys_enabled": "rotate" });
    let (_, diagnostics) = bed.core.invoke(ROTATE, config).await;
    assert!(diagnostics.error("Cannot list the hubs").detail.contains("Nothing was regenerated"));
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn a_workspace_that_cannot_be_read_matters_only_while_it_may_use_keys() {
    let mut bed = keyless().await;
    let strange = bed.another_hub("hub2");
    bed.emulator.change(&strange, |hub| hub["identity"] = json!("none"));
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": bed.hub })).await;
    let warning = diagnostics.warning("Hubs may keep old keys");
    assert!(warning.detail.contains(&strange) && !warning.detail.contains(&bed.hub), "{warning}");
    assert_eq!(diagnostics.0.len(), 1);
    assert_eq!(bed.writes(), [BOTH[0], BOTH[1], "POST hub1/resyncKeys"]);

    bed.emulator.set_shared_key_access(&bed.account, Some(true));
    let config = json!({ "hub_id": bed.hub, "on_keys_enabled": "rotate" });
    let (_, diagnostics) = bed.core.invoke(ROTATE, config).await;
    let error = diagnostics.error("Workspaces cannot be read");
    assert!(error.detail.contains(&strange) && error.detail.contains("Nothing was regenerated"), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn the_hubs_are_read_page_by_page_and_projects_are_not_read() {
    let mut bed = bed_with(|options| options.page_size = 1).await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.another_hub("hub2");
    for number in 1..=3 {
        bed.emulator.seed(&format!(
            "workspaces: [{{ name: project{number}, kind: Project, properties: {{ hubResourceId: {} }} }}]",
            bed.hub
        ));
    }
    bed.emulator.clear_requests();
    let (_, diagnostics) =
        bed.core.invoke(ROTATE, json!({ "storage_account_id": bed.account, "keys": ["key1"] })).await;
    assert_eq!(diagnostics.0, []);
    let requests = bed.requests();
    assert_eq!(requests.iter().filter(|request| *request == "GET workspaces").count(), 2, "{requests:?}");
    let synced = requests.iter().filter(|request| request.ends_with("/resyncKeys")).count();
    assert_eq!(synced, 2, "{requests:?}");
}

#[tokio::test]
async fn an_account_that_cannot_be_read_keeps_its_keys() {
    let mut bed = keyless().await;
    bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Denied));
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "storage_account_id": bed.account })).await;
    let error = diagnostics.error("Cannot read the storage account");
    assert!(error.detail.contains("Microsoft.Storage/storageAccounts/read on") && error.path.is_empty(), "{error}");
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn a_hub_that_does_not_fetch_the_keys_is_named_and_the_others_do() {
    let mut bed = keyless().await;
    let second = bed.another_hub("hub2");
    let deleted = bed.another_hub("hub3");
    bed.emulator.fault(Rule::on("POST", "*/workspaces/hub1/resyncKeys", Fault::Denied));
    bed.emulator.fault(Rule::on("POST", "*/workspaces/hub3/resyncKeys", Fault::Status(404)).code("ResourceNotFound"));
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "storage_account_id": bed.account })).await;
    let error = diagnostics.error("Hubs have not fetched the new keys");
    let told = format!("key2 of {0} was regenerated. key1 of {0} was regenerated.", bed.account);
    for says in [bed.hub.as_str(), "resyncKeys/action", "foundryhub_resync_keys", &told] {
        assert!(error.detail.contains(says), "{says}: {error}");
    }
    assert!(!error.detail.contains(&second) && !error.detail.contains(&deleted), "{error}");
    assert_eq!(bed.key_of(&second).await, bed.account_keys().await[0]);
}

#[tokio::test]
async fn an_interruption_says_what_was_done() {
    let mut bed = keyless().await;
    let rule = bed.emulator.fault(on_regenerate(Fault::Hold).containing("key1"));
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        arm.emulator.request_seen(|request| request.body["keyName"] == "key1").await;
    });
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": bed.hub })).await;
    bed.emulator.release(rule);
    let told = format!("key2 of {0} was regenerated. key1 of {0} may have been regenerated.", bed.account);
    assert!(diagnostics.error("Interrupted").detail.contains(&told), "{diagnostics}");
    assert!(diagnostics.error("Hubs have not fetched the new keys").detail.contains(&bed.hub));
}

#[tokio::test]
async fn the_timeout_of_the_configuration_counts_and_leaves_the_hubs_time_to_fetch_keys() {
    let mut bed = keyless().await;
    bed.emulator.fault(on_regenerate(Fault::Hold).containing("key1"));
    let config = json!({ "hub_id": bed.hub, "timeouts": { "invoke": "2s" } });
    let (_, diagnostics) = bed.core.invoke(ROTATE, config).await;
    let told = format!("key2 of {0} was regenerated. key1 of {0} may have been regenerated.", bed.account);
    assert!(diagnostics.error("The operation timed out").detail.contains(&told), "{diagnostics}");
    assert_eq!(diagnostics.0.len(), 1);
    assert_eq!(bed.writes().last().unwrap(), "POST hub1/resyncKeys");
}

#[tokio::test]
async fn accounts_of_other_resource_groups_are_found() {
    let mut bed = keyless().await;
    let (account, hub) = (bed.emulator.id("rg9", ACCOUNTS, "sa9"), bed.another_hub("hub9"));
    bed.emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": false }));
    bed.emulator.change(&hub, |hub| hub["properties"]["storageAccount"] = json!(account.to_uppercase()));
    let (_, diagnostics) = bed.core.invoke(ROTATE, json!({ "hub_id": hub })).await;
    assert_eq!(diagnostics.0, []);
    let expected = ["POST SA9/regenerateKey key2", "POST SA9/regenerateKey key1", "POST hub9/resyncKeys"];
    assert_eq!(bed.writes(), expected);
}
