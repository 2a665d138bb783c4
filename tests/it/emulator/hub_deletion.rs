//! The deletion of a hub: what goes with it, and how long its name is taken (azure.md §9.9).

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{Arm, WORKSPACES, arm_with};
use super::workspaces::project;
use crate::azure::{Lro, OnOff, Operations, Options, PurgeDeleted};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn done_with(change: impl FnOnce(&mut Options)) -> Arm {
    arm_with(|options| {
        options.lro = Lro::Done;
        options.lro_delete = Lro::Done;
        change(options);
    })
    .await
}

fn path(arm: &Arm, name: &str) -> String {
    format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", WORKSPACES, name))
}

/// §9.9: "Deleting a hub deletes its projects"; the account stays.
#[tokio::test]
async fn a_hub_takes_its_projects_with_it() {
    let arm = done_with(|_| {}).await;
    let other = arm.another_hub("hub2");
    for name in ["prj1", "prj2", "prj3"] {
        let mut body = project(&arm);
        if name == "prj3" {
            body["properties"]["hubResourceId"] = json!(other);
        }
        assert_eq!(arm.put(&path(&arm, name), body).await.status, 200);
    }
    let projects =
        |names: &[&str]| json!(names.iter().map(|name| arm.emulator.id("rg1", WORKSPACES, name)).collect::<Vec<_>>());
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/associatedWorkspaces"), projects(&["prj1", "prj2"]));
    assert_eq!(arm.delete(&path(&arm, "prj1")).await.status, 200);
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/associatedWorkspaces"), projects(&["prj2"]));
    assert_eq!(arm.delete(&arm.hub_path()).await.status, 200);
    for (name, status) in [("hub1", 404), ("prj2", 404), ("prj3", 200), ("hub2", 200)] {
        assert_eq!(arm.get(&path(&arm, name)).await.status, status, "{name}");
    }
    assert_eq!(arm.get(&arm.account_path()).await.status, 200);
    let blocked = arm.put(&path(&arm, "prj2"), project(&arm)).await;
    assert!(blocked.message().starts_with("Soft-deleted workspace exists."), "{}", blocked.text);
}

/// §9.9, §9.5: 14 days in which the name cannot be used, but recovered or purged.
#[tokio::test]
async fn a_deleted_hub_keeps_its_name_for_14_days() {
    let arm = done_with(|options| {
        options.stop_clock = true;
        options.token_lifetime = 30 * DAY;
    })
    .await;
    assert_eq!(arm.delete(&format!("{}&forceToPurge=false", arm.hub_path())).await.status, 200);
    let blocked = async || {
        let reply = arm.put(&arm.hub_path(), arm.hub_body()).await;
        if reply.status == 200 {
            return false;
        }
        assert_eq!(reply.error(), (400, "BadRequest".to_owned()), "{}", reply.text);
        let text = "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete";
        assert_eq!(reply.message(), text);
        true
    };
    assert!(blocked().await);
    arm.emulator.advance(14 * DAY - Duration::from_secs(1));
    assert!(blocked().await);
    arm.emulator.advance(Duration::from_secs(1));
    assert!(!blocked().await);

    arm.delete(&arm.hub_path()).await;
    let recover = json!({ "kind": "Hub", "properties": { "allowRecoverSoftDeletedWorkspace": "true" } });
    assert_eq!(arm.put(&arm.hub_path(), recover).await.at("/properties/storageAccount"), arm.account.as_str());
    arm.emulator.configure(|options| options.soft_delete = OnOff::Off);
    arm.delete(&arm.hub_path()).await;
    assert!(!blocked().await);
}

/// §9.9, §12.9: forceToPurge on a hub, and on one that is soft-deleted already, which may answer ResourceNotFound.
#[tokio::test]
async fn a_purge_takes_the_name_free() {
    let purge = |arm: &Arm| format!("{}&forceToPurge=true", arm.hub_path());
    for live in [true, false] {
        let arm = done_with(|options| {
            options.stop_clock = true;
            options.purge_time = Duration::from_secs(30);
        })
        .await;
        if live {
            assert_eq!(arm.delete(&purge(&arm)).await.status, 200);
        } else {
            arm.delete(&arm.hub_path()).await;
            assert_eq!(arm.get(&arm.hub_path()).await.status, 404);
            assert_eq!(arm.delete(&purge(&arm)).await.status, 204);
        }
        assert_eq!(arm.put(&arm.hub_path(), arm.hub_body()).await.status, 400, "the purge takes its time");
        arm.emulator.advance(Duration::from_secs(30));
        assert_eq!(arm.put(&arm.hub_path(), arm.hub_body()).await.status, 200);
    }
    let arm = done_with(|options| options.purge_deleted = PurgeDeleted::NotFound).await;
    assert_eq!(arm.delete(&format!("{}&forceToPurge=true", path(&arm, "none"))).await.status, 204);
    arm.delete(&arm.hub_path()).await;
    assert_eq!(arm.delete(&arm.hub_path()).await.status, 204);
    assert_eq!(arm.delete(&purge(&arm)).await.error(), (404, "ResourceNotFound".to_owned()));
    assert_eq!(arm.put(&arm.hub_path(), arm.hub_body()).await.status, 400, "the name is stuck");
}

/// §9.9: "200 or 204 after a DELETE does not prove absence".
#[tokio::test]
async fn a_deleted_hub_may_be_read_for_a_while() {
    for lro_delete in [Lro::Done, Lro::Location] {
        let arm = done_with(|options| {
            options.stop_clock = true;
            options.lro_delete = lro_delete;
            options.deletion_read_delay = Duration::from_secs(60);
        })
        .await;
        let gone = arm.delete(&arm.hub_path()).await;
        if let Some(link) = gone.header("location") {
            assert_eq!(arm.get(link).await.status, 204);
        }
        let list = format!("{}/providers/{WORKSPACES}?api-version=2025-06-01", arm.group);
        let seen = async || (arm.get(&arm.hub_path()).await.status, arm.get(&list).await.at("/value/0/name"));
        assert_eq!(seen().await, (200, "hub1".into()), "{lro_delete:?}");
        arm.emulator.advance(Duration::from_secs(60));
        assert_eq!(seen().await, (404, Value::Null), "{lro_delete:?}");
        // What is made or changed is seen at once.
        assert_eq!(arm.put(&path(&arm, "hub2"), arm.hub_body()).await.status, 200);
        assert_eq!(arm.get(&path(&arm, "hub2")).await.status, 200);
    }
}

/// §9.9: role assignments of the identity, and on the hub, are gone for good.
#[tokio::test]
async fn what_the_identity_was_allowed_goes_at_once() {
    let arm = done_with(|_| {}).await;
    let hub = arm.put(&path(&arm, "new"), arm.hub_body()).await;
    let identity = hub.at("/identity/principalId").as_str().expect("an identity").to_owned();
    let of_it = || arm.emulator.assignments().iter().filter(|found| found.principal_id == identity).count();
    let kept = arm.emulator.seed_assignment(&arm.account, super::client::ALICE, super::client::BLOB_READER);
    arm.emulator.seed_assignment(&arm.emulator.id("rg1", WORKSPACES, "new"), super::client::ALICE, "Reader");
    assert_eq!(of_it(), 2);
    arm.delete(&path(&arm, "new")).await;
    assert_eq!(of_it(), 0);
    let names: Vec<_> = arm.emulator.assignments().into_iter().map(|found| found.name).collect();
    assert_eq!(names, [kept]);
}

/// §9.5: a write and a deletion while an operation runs.
#[tokio::test]
async fn a_hub_that_is_being_deleted_takes_no_write() {
    let arm = arm_with(|options| options.operations = Operations::Explicit).await;
    assert_eq!(arm.delete(&arm.hub_path()).await.status, 202);
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/provisioningState"), "Deleting");
    for reply in [arm.put(&arm.hub_path(), arm.hub_body()).await, arm.delete(&arm.hub_path()).await] {
        assert_eq!(reply.error(), (409, "Conflict".to_owned()));
        assert!(reply.message().contains("has an ongoing operation running"), "{}", reply.text);
    }
}
