//! The assignments that the platform makes for a hub's own identity. The provider neither creates, updates nor deletes
//! them.

use serde_json::{Value, json};

use super::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, Bed, FILE_CONTRIBUTOR, FILE_READER, TYPE, bed, bed_with};
use crate::azure::{Action as Fault, HubRole, Rule};
use crate::support::core::{Action, ImportFrom, MoveFrom, UNKNOWN, resource};
use crate::support::ids::CONTRIBUTOR_NAMES;

/// The object id of the hub's system-assigned identity.
fn identity(bed: &Bed) -> String {
    let hub = bed.emulator.resource(&bed.hub).expect("the hub");
    hub["identity"]["principalId"].as_str().expect("a system-assigned identity").to_owned()
}

#[tokio::test]
async fn the_platforms_assignments_for_a_hubs_identity_are_refused_at_plan() {
    let mut bed = bed().await;
    let principal = identity(&bed);
    let by_account = |role: &str| json!({ "scope": bed.account, "principal_id": principal, "role_definition_name": role, "principal_type": "ServicePrincipal", "on_existing": "adopt" });
    for config in [
        bed.by_hub(&principal, "contributor"),
        by_account("Storage Blob Data Contributor"),
        by_account("Storage File Data Privileged Contributor"),
    ] {
        let plan = bed.plan(&config).await;
        let error = plan.error("The platform assigns this role");
        assert_eq!(error.path, "principal_id");
        assert!(error.detail.contains(&bed.hub));
    }
    // Other roles of the hub's identity are not the platform's.
    bed.apply(&bed.by_hub(&principal, "reader")).await.quiet();
    assert_eq!(bed.held(&principal, &bed.account), [BLOB_READER, FILE_READER]);
}

#[tokio::test]
async fn an_existing_platform_assignment_is_adopted_and_survives_a_destroy() {
    // A destroy keeps it, with a refresh before and without.
    for looks in [true, false] {
        let mut bed = bed().await;
        let principal = identity(&bed);
        let config = bed.by_account(&principal, "Storage Blob Data Contributor");
        let report = bed.apply(&config).await.ok();
        report.warning("The platform assigns this role");
        if looks {
            bed.core.refresh().await.quiet();
            assert_eq!(bed.state()["role_assignments"]["Storage Blob Data Contributor"]["adopted"], true);
            bed.plan(&config).await.ok().assert_empty();
        }
        bed.emulator.clear_requests();
        bed.core.refresh_in_plans(looks);
        bed.core.apply_all(Vec::new()).await.quiet();
        assert_eq!((bed.writes(), bed.state()), (Vec::new(), Value::Null));
        assert_eq!(bed.held(&principal, &bed.account), [BLOB_CONTRIBUTOR]);
    }
}

#[tokio::test]
async fn an_imported_platform_assignment_is_adopted_and_survives_a_destroy() {
    let mut bed = bed_with(|options| options.hub_roles = vec![HubRole::Blob, HubRole::File]).await;
    let principal = identity(&bed);
    bed.emulator
        .seed("workspaces: [{ name: hub2, kind: Hub, properties: { storageAccount: sa1 }, automatic_roles: true }]");
    bed.seed_roles(&principal, &CONTRIBUTOR_NAMES);
    for target in [bed.hub.clone(), bed.account.clone()] {
        let id = ImportFrom::Id(format!("{target}|{principal}|contributor"));
        bed.core.import(TYPE, "a", id).await.quiet();
        for (_, entry) in bed.state()["role_assignments"].as_object().expect("a map") {
            assert_eq!(entry["adopted"], true);
        }
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.held(&principal, &bed.account), [FILE_CONTRIBUTOR, BLOB_CONTRIBUTOR]);
    }
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn an_update_to_the_platforms_assignments_is_refused_and_other_principals_take_one_request_at_most() {
    let mut bed = bed().await;
    let principal = identity(&bed);
    bed.emulator.add_principal(ALICE, "Group");
    bed.emulator.add_principal(BOB, "ServicePrincipal");
    let targets = [("hub_id", bed.hub.clone(), "GET hub1"), ("scope", bed.account.clone(), "GET workspaces")];
    for (target, id, look) in targets {
        for (principal, looks) in [(principal.as_str(), 1), (ALICE, 0), (BOB, 1)] {
            let config = |access: &str| json!({ target: id, "principal_id": principal, "access": access });
            bed.apply(&config("reader")).await.quiet();
            bed.emulator.clear_requests();
            let planned = bed.plan(&config("contributor")).await;
            let requests = bed.requests();
            assert_eq!(requests.iter().filter(|request| *request == look).count(), looks, "{principal} {requests:?}");
            let refused = principal == identity(&bed);
            // The refresh takes two requests, and a plan that is not refused one more, for existing assignments.
            assert_eq!(requests.len(), 2 + looks + usize::from(!refused), "{principal} {requests:?}");
            assert_eq!(planned.diagnostics.has_errors(), refused, "{}", planned.diagnostics);
            if refused {
                assert_eq!(planned.error("The platform assigns this role").path, "principal_id");
            }
            bed.core.destroy(TYPE, "a").await.quiet();
        }
    }
}

/// The principal is the hub's own identity, an attribute of another resource that is known after its apply.
#[tokio::test]
async fn the_platforms_assignments_are_refused_at_apply_where_the_principal_is_known_only_then() {
    const AUTH: &str = "foundryhub_storage_auth";
    for target in ["scope", "hub_id"] {
        let mut bed = bed().await;
        let id = if target == "scope" { &bed.account } else { &bed.hub };
        let auth = resource(AUTH, "hub", json!({ "hub_id": bed.hub, "access_check": "off" }));
        let late = format!("${{{AUTH}.hub.hub_principal_id}}");
        let config =
            json!({ target: id, "principal_id": late, "principal_type": "ServicePrincipal", "access": "contributor" });
        let planned = bed.core.plan_all(vec![auth, resource(TYPE, "a", config)]).await.ok();
        assert_eq!(planned.change_of(TYPE, "a").planned["principal_id"], UNKNOWN);
        bed.emulator.clear_requests();
        let report = bed.core.apply_saved(planned).await.failed();
        assert_eq!(report.error("The platform assigns this role").path, "principal_id");
        assert!(!bed.requests().iter().any(|request| request.starts_with("PUT")));
        assert_eq!(bed.state(), Value::Null);
    }
}

#[tokio::test]
async fn a_service_principal_that_is_not_a_hubs_identity_takes_one_list_of_workspaces_at_most() {
    let mut bed = bed().await;
    bed.emulator.add_principal(ALICE, "ServicePrincipal");
    for (kind, looks) in [(Some("ServicePrincipal"), 1), (None, 0)] {
        let mut config = json!({ "scope": bed.account, "principal_id": ALICE, "access": "contributor" });
        config["principal_type"] = json!(kind);
        let planned = bed.plan(&config).await.ok();
        let requests = bed.requests();
        assert_eq!(requests.iter().filter(|request| *request == "GET workspaces").count(), looks, "{requests:?}");
        bed.core.apply_saved(planned).await.quiet();
        // The plan of the apply lists workspaces, or the apply does once Azure has answered that it is a service
        // principal.
        let requests = bed.requests();
        assert_eq!(requests.iter().filter(|request| *request == "GET workspaces").count(), 1, "{requests:?}");
        bed.core.destroy(TYPE, "a").await.quiet();
        bed.emulator.clear_requests();
    }
}

#[tokio::test]
async fn an_imported_platform_assignment_stays_adopted_in_a_replacement() {
    let mut bed = bed().await;
    let principal = identity(&bed);
    bed.emulator.seed_assignment(&bed.account, &principal, "Storage Blob Data Contributor");
    let id = ImportFrom::Id(format!("{}|{principal}|{BLOB_CONTRIBUTOR}", bed.account));
    bed.core.import(TYPE, "a", id).await.quiet();
    let recorded = bed.recorded();
    let config = bed.by_account(&principal, "Storage Blob Data Contributor");
    let report = bed.core.apply_one(resource(TYPE, "a", config.clone()).replaced()).await.quiet();
    assert_eq!(report.action(), Action::Replace);
    assert_eq!((bed.writes(), bed.recorded()), (Vec::new(), recorded));
    assert_eq!(bed.state()["role_assignments"]["Storage Blob Data Contributor"]["adopted"], true);
    bed.plan(&config).await.ok().assert_empty();
}

/// The state of an azurerm_role_assignment, with which the hub's identity holds a role on its account.
fn moved(bed: &Bed) -> MoveFrom {
    let principal = identity(bed);
    let name = bed.emulator.seed_assignment(&bed.account, &principal, "Storage Blob Data Contributor");
    let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}", bed.account);
    MoveFrom {
        provider_address: "registry.terraform.io/hashicorp/azurerm".to_owned(),
        type_name: "azurerm_role_assignment".to_owned(),
        schema_version: 0,
        state: json!({
            "id": id, "scope": bed.account, "principal_id": principal, "principal_type": "ServicePrincipal",
            "role_definition_id": format!("/providers/Microsoft.Authorization/roleDefinitions/{BLOB_CONTRIBUTOR}"),
            "role_definition_name": "Storage Blob Data Contributor",
        }),
        private: Vec::new(),
        identity: None,
    }
}

#[tokio::test]
async fn a_moved_platform_assignment_is_adopted() {
    let mut bed = bed().await;
    let from = moved(&bed);
    assert!(bed.core.move_from(TYPE, "a", from).await.0.is_empty());
    bed.core.destroy(TYPE, "a").await.quiet();
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn a_moved_assignment_is_not_deleted_while_the_hub_that_it_may_belong_to_cannot_be_read() {
    let mut bed = bed().await;
    let principal = identity(&bed);
    let denied = || Rule::on("GET", "*/workspaces", Fault::Denied);
    let by_account = |role: &str| json!({ "storage_account_id": bed.account, "principal_id": principal, "role_definition_name": role });
    let (same, reader) = (by_account("Storage Blob Data Contributor"), by_account("Storage Blob Data Reader"));
    for refreshes in [true, false] {
        let from = moved(&bed);
        assert!(bed.core.move_from(TYPE, "a", from).await.0.is_empty());
        let rule = bed.emulator.fault(denied());
        bed.core.refresh_in_plans(refreshes);
        bed.plan(&same).await.ok().assert_empty();
        let report = bed.core.destroy(TYPE, "a").await.failed();
        let error = report.error("Cannot tell who created");
        assert!(
            error.detail.contains("workspaces/read") && error.detail.contains("az role assignment delete"),
            "{error}"
        );
        let report = bed.apply(&reader).await.failed();
        report.error("Cannot tell who created");
        assert_eq!(bed.writes(), ["PUT blob reader"]);
        assert_eq!(bed.recorded().len(), 2);
        bed.emulator.release(rule);
        bed.apply(&reader).await.quiet();
        bed.core.destroy(TYPE, "a").await.quiet();
        assert_eq!(bed.writes(), ["DELETE assignment"]);
        assert_eq!(bed.held(&principal, &bed.account), [BLOB_CONTRIBUTOR]);
        let [left] = &bed
            .emulator
            .assignments()
            .into_iter()
            .filter(|found| found.role == BLOB_CONTRIBUTOR && found.principal_id == principal)
            .collect::<Vec<_>>()[..]
        else {
            panic!()
        };
        assert!(bed.emulator.remove_assignment(&left.name));
    }
}
