//! The access check: who would lose access, before anything is changed and before keys go off.

use std::time::Duration;

use foundryhub::arm::WorkspaceId;
use serde_json::{Value, json};

use super::{ALICE, BOB, Bed, TYPE, bed, bed_with, healed, short};
use crate::azure::{Action as Fault, Datastores, HubRole, Lro, OnOff, Rule};
use crate::support::core::{Action, Core, resource};
use crate::support::ids::{BLOB_CONTRIBUTOR_NAME, BLOB_READER_NAME, FILE_CONTRIBUTOR_NAME, FILE_READER_NAME};

const ROLES: &str = "foundryhub_role_assignment";
const TEAM: &str = "cccccccc-0000-0000-0000-000000000003";

impl Bed {
    /// Hub on identity, keys off, with the access check; Alice must have access.
    fn checked(&self, check: &str) -> Value {
        json!({
            "hub_id": self.hub, "shared_access_key_enabled": false, "access_check": check,
            "access_check_principal_ids": [ALICE],
        })
    }

    fn grant(&self, principal: &str, roles: &[&str]) {
        for role in roles {
            self.emulator.seed_assignment(&self.account, principal, role);
        }
    }

    fn is_untouched(&self) -> bool {
        (self.mode().as_str(), self.keys()) == ("accesskey", None)
    }
}

fn grants(bed: &Bed, name: &str, principal: &str) -> crate::support::core::Resource {
    let config = json!({
        "hub_id": bed.hub, "principal_id": principal, "principal_type": "User", "access": "contributor",
    });
    resource(ROLES, name, config)
}

/// The whole job: one apply with its plan, looks at the operation aside, and the refresh after it.
#[tokio::test]
async fn a_hub_with_four_grants_and_all_checks_on_stays_within_its_budget() {
    for lro in [Lro::Done, Lro::Both, Lro::Location] {
        let mut bed = bed_with(|options| options.lro = lro).await;
        let mut config = bed.checked("enforce");
        config["access_check_principal_ids"] = json!([ALICE, BOB]);
        let all = vec![
            grants(&bed, "alice", ALICE),
            grants(&bed, "bob", BOB),
            resource(TYPE, "a", config).depends_on(ROLES, "alice").depends_on(ROLES, "bob"),
        ];
        bed.core.apply_all(all.clone()).await.quiet();
        let records = bed.emulator.arm_requests();
        let requests: Vec<_> =
            records.iter().filter(|record| !record.path.contains("workspaceOperationsStatus")).map(short).collect();
        assert!(requests.len() <= 18, "{requests:#?}");
        let wrote: Vec<_> = requests.iter().filter(|request| !request.starts_with("GET")).collect();
        assert_eq!(wrote.len(), 6, "{wrote:?}");
        assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
        bed.emulator.clear_requests();
        bed.core.plan_all(all).await.ok().assert_empty();
        let refresh = bed.requests();
        assert_eq!(refresh.len(), 3, "{refresh:?}");
    }
}

#[tokio::test]
async fn a_plan_warns_of_who_lacks_roles_and_enforce_stops_with_nothing_touched() {
    let mut bed = bed().await;
    bed.grant(ALICE, &[BLOB_READER_NAME]);
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let warning = planned.warning("Somebody would lose access");
    assert_eq!(warning.path, "access_check_principal_ids");
    assert!(warning.detail.contains(&format!("{ALICE} lacks {FILE_READER_NAME:?}")), "{warning}");
    // The pair would meet the role that she has.
    assert!(warning.detail.contains(&format!("role_definition_name = {FILE_READER_NAME:?}")), "{warning}");
    assert!(warning.detail.contains("the apply will stop"), "{warning}");
    let report = bed.core.apply_saved(planned).await.failed();
    let error = report.error("Somebody would lose access");
    assert!(error.detail.contains("turn the reference round"), "{error}");
    assert!(bed.is_untouched());
    assert_eq!(bed.state(), Value::Null);
    assert_eq!(bed.writes(), [""; 0]);

    let report = bed.apply(&bed.checked("warn")).await.ok();
    report.warning("Somebody would lose access");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    // A plan that changes nothing has nothing to warn of.
    bed.emulator.clear_requests();
    let planned = bed.plan(&bed.checked("warn")).await;
    planned.assert_empty();
    planned.report.quiet();
    assert_eq!(bed.requests().len(), 2);
}

#[tokio::test]
async fn stronger_and_inherited_roles_count_and_those_on_a_container_do_not() {
    let mut bed = bed().await;
    let group = bed.account.split("/providers/").next().expect("a group").to_owned();
    bed.emulator.seed_assignment(&group, ALICE, "Storage Blob Data Owner");
    bed.grant(ALICE, &[FILE_CONTRIBUTOR_NAME]);
    bed.apply(&bed.checked("enforce")).await.quiet();

    let mut bed = self::bed().await;
    let container = format!("{}/blobServices/default/containers/c", bed.account);
    bed.emulator.seed_assignment(&container, ALICE, BLOB_CONTRIBUTOR_NAME);
    bed.emulator.seed_assignment(&bed.account, ALICE, "Owner");
    bed.grant(ALICE, &[FILE_CONTRIBUTOR_NAME]);
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    assert!(report.error("Somebody would lose access").detail.contains(BLOB_CONTRIBUTOR_NAME));
    assert!(bed.is_untouched());
}

#[tokio::test]
async fn a_group_whose_members_are_unknown_is_not_verifiable() {
    let mut bed = bed().await;
    bed.emulator.add_principal(TEAM, "Group");
    bed.grant(TEAM, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    let error = report.error("Access cannot be verified");
    assert!(error.detail.contains("a group holds the role"), "{error}");
    let mut config = bed.checked("enforce");
    config["access_check_principal_ids"] = json!([TEAM]);
    bed.apply(&config).await.quiet();
}

#[tokio::test]
async fn other_workspaces_on_the_account_stop_keys_from_going_off() {
    let mut bed = bed().await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
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
    assert!(bed.is_untouched());

    // With keys on the other one is no matter.
    let config = json!({ "hub_id": bed.hub, "access_check": "enforce" });
    bed.apply(&config).await.quiet();
    bed.destroy().await.ok();

    // Both in one configuration, in order.
    let all = vec![
        resource(TYPE, "other", json!({ "hub_id": other, "access_check": "enforce" })),
        resource(TYPE, "a", bed.checked("enforce")).depends_on(TYPE, "other"),
    ];
    bed.core.apply_all(all).await.quiet();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
}

#[tokio::test]
async fn nobody_with_roles_is_only_ever_a_warning() {
    let mut bed = bed().await;
    let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false, "access_check": "enforce" });
    let report = bed.apply(&config).await.ok();
    report.warning("Nobody has roles on the storage account");
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn the_role_of_the_hubs_identity_is_waited_for() {
    let mut bed = bed_with(|options| options.hub_role_delay = Duration::from_secs(2)).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    bed.apply(&bed.checked("enforce")).await.quiet();
    let lists = bed.requests().iter().filter(|request| *request == "GET roleAssignments").count();
    assert!(lists > 2, "{lists}");
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn a_role_of_the_hubs_identity_that_never_comes_leaves_keys_on() {
    let mut bed = bed_with(|options| options.hub_roles = vec![HubRole::None]).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let mut config = bed.checked("enforce");
    config["platform_grant_timeout"] = json!("1s");
    let report = bed.apply(&config).await.failed();
    let error = report.error("The hub's identity would lose access");
    assert!(error.detail.contains("platform_grant_timeout") && !error.detail.contains("depends_on"), "{error}");
    assert!(error.detail.contains("The hub is on identity, shared keys are on."), "{error}");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", None));

    // The next apply finishes what is left.
    let principal = bed.state()["hub_principal_id"].as_str().expect("an identity").to_owned();
    bed.grant(&principal, &[BLOB_CONTRIBUTOR_NAME]);
    bed.emulator.clear_requests();
    healed(bed.apply(&config).await);
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
}

#[tokio::test]
async fn a_hub_with_user_assigned_identities_needs_grants_for_the_primary_one() {
    let mut bed = bed().await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let (first, second) = ("dddddddd-0000-0000-0000-000000000004", "dddddddd-0000-0000-0000-000000000005");
    bed.emulator.change(&bed.hub, |document| {
        document["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": {
            "/subscriptions/s/u1": { "principalId": first, "clientId": first },
            "/subscriptions/s/u2": { "principalId": second, "clientId": second },
        }});
        document["properties"]["primaryUserAssignedIdentity"] = json!("/subscriptions/s/U2");
    });
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let warning = planned.warning("The hub's identity would lose access");
    assert!(
        warning.detail.contains(second) && warning.detail.contains("access         = \"contributor\""),
        "{warning}"
    );
    let report = bed.core.apply_saved(planned).await.failed();
    let error = report.error("The hub's identity would lose access");
    assert!(error.detail.contains(BLOB_CONTRIBUTOR_NAME) && error.detail.contains(FILE_CONTRIBUTOR_NAME), "{error}");
    assert!(error.detail.contains("turn the reference round"), "{error}");
    assert!(bed.is_untouched());
    assert_eq!(bed.state(), Value::Null);

    // One of the two does not do.
    bed.grant(second, &["Storage Blob Data Owner"]);
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    let error = report.error("The hub's identity would lose access");
    let grant = format!("role_definition_name = {FILE_CONTRIBUTOR_NAME:?}");
    assert!(error.detail.contains(&grant) && !error.detail.contains(BLOB_CONTRIBUTOR_NAME), "{error}");
    assert_eq!(bed.writes(), [""; 0]);

    // A check that warns says so before it goes on, and once.
    bed.apply(&bed.checked("warn")).await.ok().warning("The hub's identity would lose access");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    assert_eq!(bed.state()["hub_principal_id"], Value::Null);
    assert_eq!(bed.state()["hub_user_assigned_principal_ids"], json!([first, second]));
    bed.destroy().await.ok();

    bed.grant(second, &[FILE_CONTRIBUTOR_NAME]);
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
}

/// Which of the two reaches the storage is not established.
#[tokio::test]
async fn a_primary_identity_beside_the_system_assigned_one_is_only_warned_of() {
    let mut bed = bed().await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let primary = "dddddddd-0000-0000-0000-000000000004";
    bed.emulator.change(&bed.hub, |document| {
        document["identity"]["type"] = json!("SystemAssigned,UserAssigned");
        document["identity"]["userAssignedIdentities"] =
            json!({ "/subscriptions/s/u1": { "principalId": primary, "clientId": primary } });
        document["properties"]["primaryUserAssignedIdentity"] = json!("/subscriptions/s/u1");
    });
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let warning = planned.warning("An identity of the hub may lack access");
    assert!(warning.detail.contains(primary) && warning.detail.contains(FILE_CONTRIBUTOR_NAME), "{warning}");
    assert!(!warning.detail.contains("the apply will stop"), "{warning}");
    bed.core.apply_saved(planned).await.ok().warning("An identity of the hub may lack access");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    bed.destroy().await.ok();
    bed.grant(primary, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    bed.apply(&bed.checked("enforce")).await.quiet();
}

#[tokio::test]
async fn a_condition_on_the_platforms_own_grant_is_no_obstacle() {
    for condition in [OnOff::On, OnOff::Off] {
        let mut bed = bed_with(|options| options.hub_role_condition = condition).await;
        bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
        bed.apply(&bed.checked("enforce")).await.quiet();
        assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
        let given = bed.emulator.assignments().into_iter().find(|found| {
            found.principal_id == bed.state()["hub_principal_id"] && found.scope.ends_with("/storageAccounts/sa1")
        });
        assert_eq!(given.expect("the platform's grant").condition.is_some(), condition == OnOff::On);
    }
}

#[tokio::test]
async fn datastores_that_never_follow_leave_keys_on() {
    let mut bed = bed_with(|options| options.datastores = Datastores::Never).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let mut config = bed.checked("enforce");
    config["platform_grant_timeout"] = json!("1s");
    let report = bed.apply(&config).await.failed();
    let error = report.error("Datastores still use the key");
    assert!(error.detail.contains("workspaceblobstore"), "{error}");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", None));
}

#[tokio::test]
async fn datastores_that_follow_late_are_waited_for() {
    let mut bed = bed_with(|options| options.datastore_lag = Duration::from_secs(2)).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn what_may_not_be_looked_at_never_fails_a_plan() {
    for (path, says) in [
        ("*/roleAssignments", "Microsoft.Authorization/roleAssignments/read"),
        ("/subscriptions/*/providers/Microsoft.MachineLearningServices/workspaces", "workspaces/read"),
        ("*/workspaces/hub1/datastores", "datastores/read"),
    ] {
        let mut bed = bed().await;
        bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
        bed.fault(Rule::on("GET", path, Fault::Denied));
        bed.plan(&bed.checked("enforce")).await.ok();
        let report = bed.apply(&bed.checked("enforce")).await.failed();
        assert!(report.error("Access cannot be verified").detail.contains(says));
        assert_eq!(bed.keys(), None);
        if bed.state() != Value::Null {
            bed.destroy().await.ok();
        }
        let report = bed.apply(&bed.checked("warn")).await.ok();
        report.warning("Access cannot be verified");
        assert_eq!(bed.keys(), Some(false));
    }
}

#[tokio::test]
async fn a_hub_that_may_not_be_looked_at_is_a_warning_at_plan() {
    let mut bed = bed().await;
    bed.fault(Rule::on("GET", "*/workspaces/hub1", Fault::Denied));
    let planned = bed.plan(&bed.keyless()).await.ok();
    assert!(planned.warning("The hub cannot be seen").detail.contains("workspaces/read"));
    bed.core.apply_saved(planned).await.failed().error("Cannot read the hub");
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn keys_go_off_no_earlier_than_grants_have_settled() {
    let mut bed = bed_with(|options| options.stop_clock = true).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let mut config = bed.checked("warn");
    config["grant_settle_time"] = json!("10m");
    config["timeouts"] = json!({ "create": "2m" });
    let report = bed.apply(&config).await.failed();
    let error = report.error("Role assignments are too young");
    assert_eq!(error.path, "grant_settle_time");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", None));

    bed.emulator.advance(Duration::from_secs(600));
    let report = healed(bed.apply(&config).await);
    assert_eq!(report.action(), Action::Replace);
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn off_looks_at_nothing() {
    let mut bed = bed().await;
    let mut config = bed.checked("off");
    config["grant_settle_time"] = json!("10m");
    bed.apply(&config).await.quiet();
    assert_eq!(bed.keys(), Some(false));
    assert!(
        !bed.requests().iter().any(|request| request.contains("roleAssignments") || request.contains("datastores"))
    );
}

#[tokio::test]
async fn the_way_back_is_not_checked() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.emulator.clear_requests();
    let back = json!({
        "hub_id": bed.hub, "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true,
        "access_check": "enforce", "access_check_principal_ids": [ALICE],
    });
    bed.apply(&back).await.quiet();
    assert!(!bed.requests().iter().any(|request| request.contains("roleAssignments")));
}

// Who counts as having a role.

#[tokio::test]
async fn what_a_role_amounts_to_is_judged_as_azure_does() {
    let custom = "99999999-0000-0000-0000-000000000009";
    for (roles, verdict) in [
        (&[BLOB_READER_NAME, FILE_READER_NAME][..], None),
        (&[BLOB_CONTRIBUTOR_NAME, FILE_READER_NAME], None),
        (&[BLOB_CONTRIBUTOR_NAME, "Storage File Data SMB Share Contributor"], Some("Somebody would lose access")),
        (&["Owner", "Contributor"], Some("Somebody would lose access")),
        (&[custom, FILE_CONTRIBUTOR_NAME], Some("Access cannot be verified")),
    ] {
        let mut bed = bed().await;
        bed.grant(ALICE, roles);
        let report = bed.apply(&bed.checked("enforce")).await;
        match verdict {
            None => {
                report.ok();
                assert_eq!(bed.keys(), Some(false), "{roles:?}");
            }
            Some(summary) => {
                assert!(report.failed().error(summary).detail.contains(ALICE), "{roles:?}");
                assert!(bed.is_untouched());
            }
        }
    }

    // A grant with a condition may or may not do.
    let mut bed = bed().await;
    bed.grant(ALICE, &[FILE_CONTRIBUTOR_NAME]);
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
async fn a_grant_that_is_only_planned_does_not_pass_the_gate_of_an_apply() {
    let mut bed = bed().await;
    // Nothing says which of the two comes first, and the grant is held up.
    let rule = bed.emulator.fault(Rule::on("PUT", "*/roleAssignments/*", Fault::Hold));
    let all = vec![grants(&bed, "alice", ALICE), resource(TYPE, "a", bed.checked("enforce"))];
    let planned = bed.core.plan_all(all).await.ok();
    bed.emulator.clear_requests();
    let arm = bed.arm.clone();
    let release = async move {
        // An apply looks at the account and then asks who else uses it; with no grant in force that is the end of it.
        let account = arm.emulator.request_seen(|request| short(request) == "GET sa1").await.number;
        arm.emulator.request_seen(|request| request.number > account && short(request) == "GET workspaces").await;
        arm.emulator.release(rule);
    };
    let (report, ()) = futures_util::future::join(bed.core.apply_saved(planned), release).await;
    let error = report.failed().error("Somebody would lose access").clone();
    assert!(error.detail.contains("list it in depends_on"), "{error}");
    assert!(bed.is_untouched());
}

// Identities of hubs.

#[tokio::test]
async fn the_identity_that_a_hub_uses_is_the_one_that_needs_the_role() {
    let (first, second) = ("dddddddd-0000-0000-0000-000000000004", "dddddddd-0000-0000-0000-000000000005");
    let assigned = |ids: &[&str]| -> Value {
        let named = ids.iter().enumerate();
        named.map(|(n, id)| (format!("/subscriptions/s/u{n}"), json!({ "principalId": id, "clientId": id }))).collect()
    };
    for (kind, ids, grant_to, finding) in [
        // The platform provides for the system-assigned one, whatever others there are.
        ("SystemAssigned,UserAssigned", &[first][..], None, None),
        ("UserAssigned", &[first], Some(first), None),
        ("UserAssigned", &[first], None, Some("The hub's identity would lose access")),
        ("UserAssigned", &[first, second], Some(first), Some("The hub's identity is not known")),
        ("None", &[], None, Some("The hub's identity is not known")),
    ] {
        let mut bed = bed().await;
        bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
        bed.emulator.change(&bed.hub, |document| {
            let system = document["identity"].clone();
            document["identity"] = json!({ "type": kind, "userAssignedIdentities": assigned(ids) });
            if kind.starts_with("System") {
                document["identity"]["principalId"] = system["principalId"].clone();
                document["identity"]["tenantId"] = system["tenantId"].clone();
            }
        });
        if let Some(principal) = grant_to {
            bed.grant(principal, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
        }
        let report = bed.apply(&bed.checked("enforce")).await;
        match finding {
            None => {
                report.quiet();
                assert_eq!(bed.keys(), Some(false), "{kind}");
            }
            Some(summary) => {
                report.failed().error(summary);
                assert!(bed.is_untouched(), "{kind}");
                continue;
            }
        }
        assert_eq!(bed.state()["hub_user_assigned_principal_ids"], json!(ids), "{kind}");
    }
}

// The second gate.

#[tokio::test]
async fn with_warn_the_second_gate_warns_and_keys_go_off() {
    for (change, summary) in [
        (
            (|options| options.datastores = Datastores::Never) as fn(&mut crate::azure::Options),
            "Datastores still use the key",
        ),
        (|options| options.hub_roles = vec![HubRole::None], "The hub's identity would lose access"),
    ] {
        let mut bed = bed_with(change).await;
        bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
        let mut config = bed.checked("warn");
        config["platform_grant_timeout"] = json!("1s");
        bed.apply(&config).await.ok().warning(summary);
        assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    }
}

#[tokio::test]
async fn datastores_that_follow_after_all_let_the_next_apply_finish() {
    let mut bed = bed_with(|options| options.datastores = Datastores::Never).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let mut config = bed.checked("enforce");
    config["platform_grant_timeout"] = json!("0s");
    // What is found stops the apply, and no time goes by for grants to settle.
    config["grant_settle_time"] = json!("10m");
    bed.apply(&config).await.failed().error("Datastores still use the key");
    // Somebody saves the hub's storage access in the portal once more.
    bed.emulator.configure(|options| options.datastores = Datastores::Follow);
    bed.emulator.set_mode(&bed.hub, "accesskey");
    bed.emulator.set_mode(&bed.hub, "identity");
    config["grant_settle_time"] = json!("0s");
    bed.emulator.clear_requests();
    healed(bed.apply(&config).await);
    assert_eq!(bed.writes(), ["PATCH sa1 false"]);
}

#[tokio::test]
async fn grants_of_the_same_run_have_to_settle_too() {
    let mut bed = bed_with(|options| options.stop_clock = true).await;
    let mut config = bed.checked("enforce");
    config["grant_settle_time"] = json!("10m");
    config["timeouts"] = json!({ "create": "1m" });
    let all = vec![grants(&bed, "alice", ALICE), resource(TYPE, "a", config).depends_on(ROLES, "alice")];
    let report = bed.core.apply_all(all.clone()).await.failed();
    report.error("Role assignments are too young");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", None));
    bed.emulator.advance(Duration::from_secs(600));
    bed.core.apply_all(all).await.ok();
    assert_eq!(bed.keys(), Some(false));
}

// What the caller may not do.

#[tokio::test]
async fn other_workspaces_are_found_on_every_page_of_the_list() {
    let mut bed = bed_with(|options| options.page_size = 1).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    for name in ["a1", "z9"] {
        let other = bed.emulator.id("rg2", WorkspaceId::RESOURCE_TYPE, name);
        bed.emulator.seed_hub(&other, &bed.account, json!({}));
    }
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    let error = report.error("Other workspaces use the keys");
    assert!(error.detail.contains("/a1") && error.detail.contains("/z9"), "{error}");
}

/// Callers whose roles Azure itself weighs, each with what they lack.
#[tokio::test]
async fn each_right_that_the_caller_lacks_is_a_message_of_its_own() {
    let (client, object) = ("66666666-0000-0000-0000-000000000006", "77777777-0000-0000-0000-000000000007");
    type Rights = &'static [(&'static str, &'static str)];
    let cases: [(Rights, &str, &str, &str); 5] = [
        // The scope each role is held at, what stops, and what is said to be missing.
        (&[("hub", "Reader"), ("account", "Reader")], "off", "Not allowed to", "workspaces/write"),
        (&[("hub", "Contributor")], "off", "Cannot read the storage account", "storageAccounts/read"),
        (&[("hub", "Contributor"), ("account", "Reader")], "off", "Not allowed to", "storageAccounts/write"),
        (
            &[("hub", "Contributor"), ("account", "Contributor")],
            "enforce",
            "Access cannot be verified",
            "Microsoft.MachineLearningServices/workspaces/read on /subscriptions/",
        ),
        (&[("account", "Contributor")], "off", "Cannot read the hub", "workspaces/read"),
    ];
    for (rights, check, summary, lacks) in cases {
        let mut bed = bed_with(|options| options.enforce_rbac = true).await;
        bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
        bed.emulator.seed(&format!("clients: [{{ client_id: {client}, object_id: {object}, secret: other }}]"));
        for (scope, role) in rights {
            let scope = if *scope == "hub" { &bed.hub } else { &bed.account };
            bed.emulator.seed_assignment(scope, object, role);
        }
        bed.core.configure(json!({ "client_id": client, "client_secret": "other" }));
        let planned = bed.plan(&bed.checked(check)).await.ok();
        let report = bed.core.apply_saved(planned).await.failed();
        assert!(report.error(summary).detail.contains(lacks), "{rights:?}: {}", report.diagnostics);
        assert_eq!(bed.keys(), None, "{rights:?}");
    }
    // With the rights to do it and none to look at others, a check that warns lets it pass.
    let mut bed = bed_with(|options| options.enforce_rbac = true).await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    bed.emulator.seed(&format!("clients: [{{ client_id: {client}, object_id: {object}, secret: other }}]"));
    for scope in [&bed.hub, &bed.account] {
        bed.emulator.seed_assignment(scope, object, "Contributor");
    }
    bed.core.configure(json!({ "client_id": client, "client_secret": "other" }));
    bed.apply(&bed.checked("warn")).await.ok().warning("Access cannot be verified");
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
    bed.plan(&bed.checked("warn")).await.ok().assert_empty();
    bed.destroy().await.ok();
    assert_eq!((bed.mode().as_str(), bed.keys()), ("accesskey", Some(true)));
}

// Hubs of one run that share an account.

impl Bed {
    /// More hubs on the bed's account, in key mode.
    fn more_hubs(&self, names: &[&str]) -> Vec<String> {
        names.iter().map(|name| self.another_hub(name)).collect()
    }

    /// One resource for each hub, named `a`, `b` and so on, all with these settings.
    fn for_each(&self, hubs: &[String], settings: &Value) -> Vec<crate::support::core::Resource> {
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
async fn hubs_of_one_account_wait_for_each_other_before_keys_go_off() {
    let mut bed = bed().await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    let hubs = [vec![bed.hub.clone()], bed.more_hubs(&["hub2", "hub3"])].concat();
    // The last switch is held up until the others have nothing left to do but wait for it.
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
async fn a_hub_that_cannot_be_switched_releases_those_that_wait_for_it() {
    for (check, keys) in [("enforce", None), ("warn", Some(false))] {
        let mut bed = bed().await;
        bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
        let hubs = [vec![bed.hub.clone()], bed.more_hubs(&["hub2"])].concat();
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
    // Core begins with hub1 when the grant that it depends on and hub2, which depends on nothing, have both ended.
    let all = vec![
        grants(&bed, "alice", ALICE),
        resource(TYPE, "b", json!({ "hub_id": hub2, "access_check": "warn" })),
        resource(TYPE, "a", bed.checked("warn")).depends_on(ROLES, "alice"),
    ];
    let report = bed.core.apply_all(all).await.failed();
    report.error("Not allowed to");
    let warned = report.diagnostics.0.iter().filter(|found| found.summary == "Other workspaces could not be switched");
    let warned: Vec<_> = warned.collect();
    assert_eq!(warned.len(), 1, "{}", report.diagnostics);
    assert!(warned[0].detail.contains(&hub2), "{}", warned[0]);
    assert_eq!((bed.mode().as_str(), bed.keys()), ("identity", Some(false)));
}

#[tokio::test]
async fn what_is_waited_for_is_in_the_log() {
    let mut bed = bed_with(|options| {
        options.hub_roles = vec![HubRole::None];
        options.datastores = Datastores::Never;
    })
    .await;
    bed.grant(ALICE, &[BLOB_CONTRIBUTOR_NAME, FILE_CONTRIBUTOR_NAME]);
    bed.core = std::mem::replace(&mut bed.core, Core::new()).env("TF_LOG_PROVIDER", "INFO");
    let mut config = bed.checked("warn");
    config["platform_grant_timeout"] = json!("1s");
    bed.apply(&config).await.ok();
    let log = bed.core.transcript();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("waiting before keys go off")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    assert!(line.contains("\"@level\":\"info\"") && line.contains("workspaceblobstore"), "{line}");
    assert!(line.contains("the platform's grant") && line.contains("/workspaces/hub1"), "{line}");
    let found = log.lines().find(|line| line.contains("\"code\":\"datastores_use_keys\"")).expect("the finding");
    let subject = format!("\"subject\":{:?}", bed.hub);
    assert!(found.contains(&subject) && found.contains("\"stops\":false"), "{found}");
}

#[tokio::test]
async fn how_long_to_wait_for_the_platform_is_a_duration() {
    let mut bed = bed().await;
    let mut config = bed.keyless();
    bed.apply(&config).await.quiet();
    assert_eq!(bed.state()["platform_grant_timeout"], "5m");
    config["platform_grant_timeout"] = json!("soon");
    let found = bed.core.validate(TYPE, "a", config).await;
    assert_eq!(found.error("Invalid platform_grant_timeout value").path, "platform_grant_timeout");
}
