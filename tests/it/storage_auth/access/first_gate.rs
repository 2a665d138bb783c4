//! The first gate, before anything is changed: who holds which roles on the account.

use serde_json::{Value, json};

use super::role_assignment;
use crate::{
    azure::{Action as Fault, Record, Rule},
    storage_auth::{ALICE, KEYLESS, TYPE, UNTOUCHED, bed, short},
    support::{
        core::resource,
        ids::{
            BLOB_CONTRIBUTOR_NAME, BLOB_READER_NAME, CONTRIBUTOR_NAMES, FILE_CONTRIBUTOR_NAME, FILE_READER_NAME,
            READER_NAMES,
        },
    },
};

const TEAM: &str = "cccccccc-0000-0000-0000-000000000003";

#[tokio::test]
async fn a_principal_that_lacks_roles_is_a_warning_at_plan_and_stops_an_apply_with_enforce_before_any_write() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &[BLOB_READER_NAME]);
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let warning = planned.warning("A principal would lose access");
    assert_eq!(warning.path, "access_check_principal_ids");
    assert!(warning.detail.contains(&format!("{ALICE} lacks {FILE_READER_NAME:?}")), "{warning}");
    // Azure would refuse the pair, since she has one of its roles.
    assert!(warning.detail.contains(&format!("role_definition_name = {FILE_READER_NAME:?}")), "{warning}");
    assert!(warning.detail.contains("the apply will stop"), "{warning}");
    let report = bed.core.apply_saved(planned).await.failed();
    let error = report.error("A principal would lose access");
    assert!(error.detail.contains("remove that reference"), "{error}");
    assert_eq!(bed.settings(), UNTOUCHED);
    assert_eq!(bed.state(), Value::Null);
    assert_eq!(bed.writes(), [""; 0]);

    let report = bed.apply(&bed.checked("warn")).await.ok();
    report.warning("A principal would lose access");
    assert_eq!(bed.settings(), KEYLESS);
    // A plan that changes nothing has nothing to warn of.
    bed.emulator.clear_requests();
    let planned = bed.plan(&bed.checked("warn")).await;
    planned.assert_empty();
    planned.report.quiet();
    assert_eq!(bed.requests().len(), 2);
}

#[tokio::test]
async fn stronger_and_inherited_roles_count_and_roles_on_a_container_do_not() {
    let mut bed = bed().await;
    let group = bed.account.split("/providers/").next().expect("a group").to_owned();
    bed.emulator.seed_assignment(&group, ALICE, "Storage Blob Data Owner");
    bed.seed_roles(ALICE, &[FILE_CONTRIBUTOR_NAME]);
    bed.apply(&bed.checked("enforce")).await.quiet();

    let mut bed = self::bed().await;
    let container = format!("{}/blobServices/default/containers/c", bed.account);
    bed.emulator.seed_assignment(&container, ALICE, BLOB_CONTRIBUTOR_NAME);
    bed.emulator.seed_assignment(&bed.account, ALICE, "Owner");
    bed.seed_roles(ALICE, &[FILE_CONTRIBUTOR_NAME]);
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    assert!(report.error("A principal would lose access").detail.contains(BLOB_CONTRIBUTOR_NAME));
    assert_eq!(bed.settings(), UNTOUCHED);
}

#[tokio::test]
async fn roles_of_a_group_do_not_verify_the_access_of_a_user() {
    let mut bed = bed().await;
    bed.emulator.add_principal(TEAM, "Group");
    bed.seed_roles(TEAM, &CONTRIBUTOR_NAMES);
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    let error = report.error("Access cannot be verified");
    assert!(error.detail.contains("a group holds the role"), "{error}");
    let mut config = bed.checked("enforce");
    config["access_check_principal_ids"] = json!([TEAM]);
    bed.apply(&config).await.quiet();
}

#[tokio::test]
async fn that_no_user_holds_roles_is_a_warning_even_with_enforce() {
    let mut bed = bed().await;
    let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false, "access_check": "enforce" });
    let report = bed.apply(&config).await.ok();
    report.warning("Nobody has roles on the storage account");
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn storage_data_roles_count_and_owner_custom_and_conditional_ones_do_not() {
    let custom = "99999999-0000-0000-0000-000000000009";
    for (roles, verdict) in [
        (&READER_NAMES[..], None),
        (&[BLOB_CONTRIBUTOR_NAME, FILE_READER_NAME], None),
        (&[BLOB_CONTRIBUTOR_NAME, "Storage File Data SMB Share Contributor"], Some("A principal would lose access")),
        (&["Owner", "Contributor"], Some("A principal would lose access")),
        (&[custom, FILE_CONTRIBUTOR_NAME], Some("Access cannot be verified")),
    ] {
        let mut bed = bed().await;
        bed.seed_roles(ALICE, roles);
        let report = bed.apply(&bed.checked("enforce")).await;
        match verdict {
            None => {
                report.ok();
                assert_eq!(bed.keys(), Some(false), "{roles:?}");
            }
            Some(summary) => {
                assert!(report.failed().error(summary).detail.contains(ALICE), "{roles:?}");
                assert_eq!(bed.settings(), UNTOUCHED);
            }
        }
    }

    // A role assignment with a condition cannot be verified.
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &[FILE_CONTRIBUTOR_NAME]);
    let name = "77777777-0000-0000-0000-000000000007";
    let path =
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01", bed.account);
    let body = json!({ "properties": {
        "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        "principalId": ALICE, "principalType": "User", "condition": "@Resource[x] StringEquals 'y'", "conditionVersion": "2.0",
    } });
    assert_eq!(bed.put(&path, body).await.status, 201);
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    assert!(report.error("Access cannot be verified").detail.contains("has a condition"));
}

#[tokio::test]
async fn a_role_assignment_of_the_same_run_that_is_not_made_yet_does_not_pass_the_first_gate() {
    let mut bed = bed().await;
    // Nothing orders the two, and the role assignment is held.
    let rule = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Hold));
    let all = vec![role_assignment(&bed, "alice", ALICE), resource(TYPE, "a", bed.checked("enforce"))];
    let planned = bed.core.plan_all(all).await.ok();
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    let release = async move {
        // The apply of the storage_auth asks what policies say, as its plan did, and who holds roles at the same time. It stops
        // there without the role assignment.
        let asks = |request: &Record| request.path.ends_with("/checkPolicyRestrictions");
        let planned = arm.emulator.request_seen(asks).await.number;
        arm.emulator.request_seen(|request| request.number > planned && asks(request)).await;
        arm.emulator.request_seen(|request| request.number > planned && short(request) == "GET roleAssignments").await;
        arm.emulator.release(rule);
    };
    let (report, ()) = futures_util::future::join(bed.core.apply_saved(planned), release).await;
    let error = report.failed().error("A principal would lose access").clone();
    assert!(error.detail.contains("list it in depends_on"), "{error}");
    assert_eq!(bed.settings(), UNTOUCHED);
}
