//! The roles of the identity with which the hub reaches its account.

use serde_json::{Value, json};

use crate::{
    azure::{HubRolesFor, OnOff},
    storage_auth::{ALICE, KEYLESS, UNTOUCHED, bed, bed_with},
    support::ids::{BLOB_CONTRIBUTOR_NAME, CONTRIBUTOR_NAMES, FILE_CONTRIBUTOR_NAME},
};

#[tokio::test]
async fn a_hub_with_user_assigned_identities_needs_both_roles_for_the_primary_one() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
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
    assert!(error.detail.contains("remove that reference"), "{error}");
    assert_eq!(bed.settings(), UNTOUCHED);
    assert_eq!(bed.state(), Value::Null);

    // One of the two roles is not enough.
    bed.seed_roles(second, &["Storage Blob Data Owner"]);
    let report = bed.apply(&bed.checked("enforce")).await.failed();
    let error = report.error("The hub's identity would lose access");
    let grant = format!("role_definition_name = {FILE_CONTRIBUTOR_NAME:?}");
    assert!(error.detail.contains(&grant) && !error.detail.contains(BLOB_CONTRIBUTOR_NAME), "{error}");
    assert_eq!(bed.writes(), [""; 0]);

    // With warn there is one warning, and the apply goes on.
    bed.apply(&bed.checked("warn")).await.ok().warning("The hub's identity would lose access");
    assert_eq!(bed.settings(), KEYLESS);
    assert_eq!(bed.state()["hub_principal_id"], Value::Null);
    assert_eq!(bed.state()["hub_user_assigned_principal_ids"], json!([first, second]));
    bed.destroy().await.ok();

    bed.seed_roles(second, &[FILE_CONTRIBUTOR_NAME]);
    bed.emulator.seed_assignment(&bed.group, second, "Contributor");
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!(bed.settings(), KEYLESS);
}

/// Azure does not document which of the two reaches the storage.
#[tokio::test]
async fn a_primary_identity_without_roles_beside_a_system_assigned_one_is_a_warning() {
    let mut bed = bed_with(|options| options.hub_roles_for = HubRolesFor::Any).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
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
    assert_eq!(bed.settings(), KEYLESS);
    bed.destroy().await.ok();
    bed.seed_roles(primary, &CONTRIBUTOR_NAMES);
    bed.emulator.seed_assignment(&bed.group, primary, "Contributor");
    bed.apply(&bed.checked("enforce")).await.quiet();
}

#[tokio::test]
async fn the_identity_that_the_hub_uses_needs_the_roles() {
    let (first, second) = ("dddddddd-0000-0000-0000-000000000004", "dddddddd-0000-0000-0000-000000000005");
    let assigned = |ids: &[&str]| -> Value {
        let named = ids.iter().enumerate();
        named.map(|(n, id)| (format!("/subscriptions/s/u{n}"), json!({ "principalId": id, "clientId": id }))).collect()
    };
    for (kind, ids, grant_to, finding) in [
        // The platform assigns the roles of the system-assigned identity, whatever others the hub has.
        ("SystemAssigned,UserAssigned", &[first][..], None, None),
        ("UserAssigned", &[first], Some(first), None),
        ("UserAssigned", &[first], None, Some("The hub's identity would lose access")),
        ("UserAssigned", &[first, second], Some(first), Some("The hub's identity is not known")),
        ("None", &[], None, Some("The hub's identity is not known")),
    ] {
        let mut bed = bed_with(|options| options.hub_roles_for = HubRolesFor::Any).await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        bed.emulator.change(&bed.hub, |document| {
            let system = document["identity"].clone();
            document["identity"] = json!({ "type": kind, "userAssignedIdentities": assigned(ids) });
            if kind.starts_with("System") {
                document["identity"]["principalId"] = system["principalId"].clone();
                document["identity"]["tenantId"] = system["tenantId"].clone();
            }
        });
        if let Some(principal) = grant_to {
            bed.seed_roles(principal, &CONTRIBUTOR_NAMES);
            bed.emulator.seed_assignment(&bed.group, principal, "Contributor");
        }
        let report = bed.apply(&bed.checked("enforce")).await;
        match finding {
            None => {
                report.quiet();
                assert_eq!(bed.keys(), Some(false), "{kind}");
            }
            Some(summary) => {
                report.failed().error(summary);
                assert_eq!(bed.settings(), UNTOUCHED, "{kind}");
                continue;
            }
        }
        assert_eq!(bed.state()["hub_user_assigned_principal_ids"], json!(ids), "{kind}");
    }
}

#[tokio::test]
async fn a_condition_on_the_platforms_role_assignment_does_not_matter() {
    for condition in [OnOff::On, OnOff::Off] {
        let mut bed = bed_with(|options| options.hub_role_condition = condition).await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
        bed.apply(&bed.checked("enforce")).await.quiet();
        assert_eq!(bed.settings(), KEYLESS);
        let given = bed.emulator.assignments().into_iter().find(|found| {
            found.principal_id == bed.state()["hub_principal_id"] && found.scope.ends_with("/storageAccounts/sa1")
        });
        assert_eq!(given.expect("the platform to assign a role").condition.is_some(), condition == OnOff::On);
    }
}
