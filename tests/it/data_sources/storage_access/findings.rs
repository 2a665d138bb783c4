//! What is found in which situation, and how it is told.

use serde_json::json;

use super::{
    IDENTITY, assigned, assigned_with_roles, drop_roles, findings, identities, in_vault, keyless, keyless_with,
    private, read, standing, stored, text, verdict,
};
use crate::{
    azure::{Datastores, HubRole},
    data_sources::{bed_with, each},
    support::{
        bed::Bed,
        ids::{ALICE, BLOB_CONTRIBUTOR_NAME, BLOB_READER_NAME, BOB, CAROL, CONTRIBUTOR_NAMES, READER_NAMES},
    },
};

#[tokio::test]
async fn a_hub_that_needs_no_keys_is_shown_with_all_who_reach_its_data() {
    let mut bed = keyless().await;
    bed.seed_roles(BOB, &READER_NAMES);
    bed.seed_roles(CAROL, &[BLOB_READER_NAME, "Contributor"]);
    let system = bed.emulator.resource(&bed.hub).unwrap()["identity"]["principalId"].clone();
    let data = read(&mut bed, json!({ "principal_ids": [ALICE.to_uppercase()] })).await;
    let principal = |id: &str, kind: &str, access: &str, roles: &[&str]| {
        json!({
            "principal_id": id, "principal_type": kind, "access": access, "roles": roles,
            "is_hub_identity": id == system, "is_required": id == ALICE.to_uppercase(),
        })
    };
    let mut principals = vec![
        principal(&ALICE.to_uppercase(), "User", "contributor", &CONTRIBUTOR_NAMES),
        principal(BOB, "User", "reader", &READER_NAMES),
        principal(CAROL, "User", "partial", &[BLOB_READER_NAME]),
        principal(system.as_str().unwrap(), "ServicePrincipal", "partial", &[BLOB_CONTRIBUTOR_NAME]),
    ];
    principals.sort_by_key(|one| one["principal_id"].as_str().unwrap().to_lowercase());
    let expected = json!({
        "hub_id": bed.hub,
        "principal_ids": [ALICE.to_uppercase()],
        "storage_account_id": bed.account,
        "system_datastores_auth_mode": "identity",
        "shared_access_key_enabled": false,
        "principals": principals,
        "findings": [],
        "compliant": true,
        "verified": true,
        "timeouts": null,
        "ignore_ids": null,
    });
    assert_eq!(data, expected);
}
#[tokio::test]
async fn every_situation_has_its_findings_and_its_verdict() {
    type Arrange = fn(&Bed);
    type Row = (&'static str, Arrange, &'static [&'static str], (bool, bool));
    const FINE: (bool, bool) = (true, true);
    const BROKEN: (bool, bool) = (false, true);
    const UNSEEN: (bool, bool) = (true, false);
    let rows: &[Row] = &[
        ("nothing", |_| {}, &[], FINE),
        ("keys on", |bed| bed.emulator.set_shared_key_access(&bed.account, Some(true)), &[], BROKEN),
        ("keys on by default", |bed| bed.emulator.set_shared_key_access(&bed.account, None), &[], BROKEN),
        ("hub on keys", |bed| bed.emulator.set_mode(&bed.hub, "accesskey"), &[], BROKEN),
        ("hub on signatures", |bed| bed.emulator.set_mode(&bed.hub, "UserDelegationSAS"), &[], BROKEN),
        (
            "a person without roles",
            |bed| drop_roles(bed, ALICE),
            &["error: principal_lacks_roles", "warning: nobody_holds_roles"],
            BROKEN,
        ),
        (
            "a person whose group has roles",
            |bed| {
                drop_roles(bed, ALICE);
                bed.emulator.seed(&format!("principals: [{{ id: {CAROL}, type: Group }}]"));
                bed.seed_roles(CAROL, &CONTRIBUTOR_NAMES);
            },
            &["unverified: principal_not_verifiable"],
            UNSEEN,
        ),
        (
            "the system-assigned identity without its role",
            |bed| {
                drop_roles(bed, bed.emulator.resource(&bed.hub).unwrap()["identity"]["principalId"].as_str().unwrap())
            },
            &["error: hub_identity_lacks_roles"],
            BROKEN,
        ),
        (
            "a user-assigned identity without roles",
            |bed| {
                identities(
                    bed,
                    &json!({ "type": "UserAssigned", "userAssignedIdentities": assigned(&[IDENTITY]) }),
                    None,
                )
            },
            // On the hub and on the account.
            &[
                "error: hub_identity_lacks_roles",
                "warning: assigned_identity_lacks_roles",
                "warning: assigned_identity_lacks_roles",
            ],
            BROKEN,
        ),
        (
            "two identities of which none is primary",
            |bed| {
                let both = assigned(&[IDENTITY, BOB]);
                identities(bed, &json!({ "type": "UserAssigned", "userAssignedIdentities": both }), None);
            },
            &["unverified: hub_identity_unknown"],
            UNSEEN,
        ),
        (
            "no identity",
            |bed| identities(bed, &json!({ "type": "None" }), None),
            &["error: hub_identity_unknown"],
            BROKEN,
        ),
        (
            "a primary identity beside the system-assigned one",
            |bed| {
                let identity =
                    json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": assigned(&[IDENTITY]) });
                identities(bed, &identity, Some("/subscriptions/s/u0"));
            },
            &[
                "warning: assigned_identity_lacks_roles",
                "warning: assigned_identity_lacks_roles",
                "warning: primary_identity_lacks_roles",
            ],
            FINE,
        ),
        (
            "a vault whose policies do not name the identity",
            |bed| {
                assigned_with_roles(bed);
                in_vault(bed, &json!([]));
            },
            &["warning: assigned_identity_lacks_roles"],
            FINE,
        ),
        (
            "a vault whose policies name somebody else",
            |bed| {
                assigned_with_roles(bed);
                in_vault(
                    bed,
                    &json!([{ "objectId": CAROL, "permissions": {
                    "keys": ["all"], "secrets": ["all"], "certificates": ["all"] } }]),
                );
            },
            &["unverified: assigned_identity_not_verifiable"],
            UNSEEN,
        ),
        (
            "a policy against keys",
            |bed| {
                bed.emulator.seed(
                    "policies: [deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true, \
                     deny Microsoft.Storage/storageAccounts location=eastus]",
                )
            },
            &["warning: policy_refuses_keys"],
            FINE,
        ),
        (
            "a private endpoint that the hub's own identity can perhaps read by what the platform gives it",
            |bed| private(bed, "pe-blob"),
            &["unverified: private_endpoint_not_verifiable"],
            UNSEEN,
        ),
        (
            "another hub on keys",
            |bed| {
                bed.another_hub("hub2");
            },
            &["error: other_workspaces_use_keys"],
            BROKEN,
        ),
        ("another hub on identity", |bed| bed.emulator.set_mode(&bed.another_hub("hub2"), "identity"), &[], FINE),
        (
            "a key",
            |bed| bed.emulator.seed(&stored("datastores", "AccountKey")),
            &["error: datastore_holds_key"],
            BROKEN,
        ),
        ("a signature", |bed| bed.emulator.seed(&stored("datastores", "Sas")), &["warning: datastore_holds_sas"], FINE),
        ("a datastore without", |bed| bed.emulator.seed(&stored("datastores", "None")), &[], FINE),
        (
            "a key of a connection",
            |bed| bed.emulator.seed(&stored("connections", "AccountKey")),
            &["error: connection_holds_key"],
            BROKEN,
        ),
        (
            "a signature of a connection",
            |bed| bed.emulator.seed(&stored("connections", "SAS")),
            &["warning: connection_holds_sas"],
            FINE,
        ),
        (
            "containers and shares",
            |bed| {
                bed.emulator.seed(
                    "containers: [{ parent: sa1, name: tfstate }, { parent: sa1, name: azure-webjobs-hosts }, \
                     { parent: sa1, name: insights-logs-x }, { parent: sa1, name: data }]\n\
                     shares: [{ parent: sa1, name: x7azscripts }, { parent: sa1, name: cs-alice-x-1 }]",
                );
            },
            &[
                "warning: cloud_shell",
                "warning: deployment_scripts",
                "warning: diagnostic_settings",
                "warning: functions",
                "warning: terraform_state",
            ],
            FINE,
        ),
        // Azure does not show whether it was restarted since the switch.
        (
            "a compute",
            |bed| {
                bed.emulator
                    .seed("computes: [{ parent: hub1, name: ci1, properties: { computeType: ComputeInstance } }]")
            },
            &[],
            FINE,
        ),
    ];
    for (row, arrange, expected, expected_verdict) in rows {
        let mut bed = keyless().await;
        arrange(&bed);
        let data = read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
        assert_eq!(findings(&data), *expected, "{row}: {data:#}");
        assert_eq!(verdict(&data), *expected_verdict, "{row}");
        for text in each(&data["findings"], "text") {
            assert_is_about_no_run(text.as_str().unwrap());
        }
    }
}

/// There is no run that changes anything, and keys may be off already.
#[track_caller]
fn assert_is_about_no_run(text: &str) {
    for word in
        ["depends_on", "pply again", "parallelism", "platform_grant_timeout", "his run", "access_check", "would"]
    {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[tokio::test]
async fn a_finding_says_what_it_is_about_and_what_to_do() {
    let mut bed = keyless().await;
    drop_roles(&bed, ALICE);
    let other = bed.another_hub("hub2");
    bed.emulator.seed(&stored("datastores", "AccountKey"));
    let data = read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let subjects: Vec<_> = each(&data["findings"], "subject").into_iter().map(|one| one.as_str().unwrap()).collect();
    let datastore = format!("{}/datastores/d1", bed.hub);
    assert_eq!(subjects, [&datastore, &bed.account, ALICE, &bed.account]);
    assert!(text(&data, "other_workspaces_use_keys").contains(&other));
    let lacks = text(&data, "principal_lacks_roles");
    let grant = format!("resource \"foundryhub_role_assignment\" \"NAME\" {{\n  hub_id       = \"{}\"", bed.hub);
    assert!(lacks.starts_with(&format!("{ALICE} lacks ")) && lacks.contains(&grant), "{lacks}");
    // Keys are off already.
    let holds = text(&data, "datastore_holds_key");
    assert!(holds.contains(&datastore) && holds.contains("fails with KeyBasedAuthenticationNotPermitted"), "{holds}");
}

#[tokio::test]
async fn system_datastores_that_do_not_follow_the_hub_are_an_error() {
    let mut bed = keyless_with(|options| options.datastores = Datastores::Never).await;
    let data = read(&mut bed, json!({})).await;
    assert_eq!(findings(&data), ["error: system_datastores_use_keys"]);
    assert_eq!(verdict(&data), (false, true));
    let text = text(&data, "system_datastores_use_keys");
    assert!(text.contains("workspaceblobstore") && text.contains(&bed.hub), "{text}");
    assert_is_about_no_run(text);
}

/// Before the switch the platform may not have assigned it.
#[tokio::test]
async fn a_hub_on_keys_does_not_need_the_platforms_role_yet() {
    let mut bed = bed_with(|options| options.hub_roles = vec![HubRole::None]).await;
    let data = read(&mut bed, json!({})).await;
    assert_eq!(findings(&data), ["warning: nobody_holds_roles"]);
    assert_eq!(verdict(&data), (false, true));
}

#[tokio::test]
async fn what_a_principal_may_do_is_told_from_all_that_it_holds() {
    let mut bed = keyless().await;
    let custom = "99999999-0000-4000-8000-000000000009";
    let people = ["1", "2", "3", "4"].map(|n| format!("eeeeeeee-0000-4000-8000-00000000000{n}"));
    let [custom_role, owner, below, above] = &people;
    bed.emulator.seed_assignment(&bed.account, custom_role, custom);
    bed.seed_roles(owner, &["Owner"]);
    let container = format!("{}/blobServices/default/containers/c", bed.account);
    bed.emulator.seed_assignment(&container, below, BLOB_CONTRIBUTOR_NAME);
    for role in CONTRIBUTOR_NAMES {
        bed.emulator.seed_assignment(&bed.subscription, above, role);
        bed.emulator.seed_assignment(&bed.account, above, role);
    }
    let data = read(&mut bed, json!({ "principal_ids": [custom_role, owner] })).await;
    let id = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{custom}", bed.subscription);
    for (who, access, roles) in [
        (custom_role, "not_verifiable", json!([id])),
        (owner, "none", json!([])),
        (above, "contributor", json!(CONTRIBUTOR_NAMES)),
    ] {
        let standing = standing(&data, who);
        assert_eq!((&standing["access"], &standing["roles"]), (&json!(access), &roles), "{standing}");
    }
    let all = each(&data["principals"], "principal_id");
    assert!(!all.contains(&&json!(below)), "{all:?}");

    // Who is not required and holds roles that the provider does not know is left out.
    let data = read(&mut bed, json!({})).await;
    assert!(!each(&data["principals"], "principal_id").contains(&&json!(custom_role)));
}
