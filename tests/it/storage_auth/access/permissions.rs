//! Permissions that the caller lacks.

use serde_json::{Value, json};

use crate::{
    azure::{Action as Fault, Rule},
    storage_auth::{ALICE, KEYLESS, WITH_KEYS, bed, bed_with},
    support::ids::CONTRIBUTOR_NAMES,
};

#[tokio::test]
async fn a_list_that_may_not_be_read_passes_a_plan_stops_enforce_and_warns_with_warn() {
    for (path, says) in [
        ("*/roleAssignments", "Microsoft.Authorization/roleAssignments/read"),
        ("/subscriptions/*/providers/Microsoft.MachineLearningServices/workspaces", "workspaces/read"),
        ("*/workspaces/hub1/datastores", "datastores/read"),
    ] {
        let mut bed = bed().await;
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
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
async fn a_hub_that_may_not_be_read_is_a_warning_at_plan_and_an_error_at_apply() {
    let mut bed = bed().await;
    bed.fault(Rule::on("GET", "*/workspaces/hub1", Fault::Denied));
    let planned = bed.plan(&bed.keyless()).await.ok();
    assert!(planned.warning("Cannot read the hub").detail.contains("workspaces/read"));
    bed.core.apply_saved(planned).await.failed().error("Cannot read the hub");
    assert_eq!(bed.writes(), [""; 0]);
}

/// Here the emulator checks the caller's own roles.
#[tokio::test]
async fn each_permission_that_the_caller_lacks_is_named() {
    let (client, object) = ("66666666-0000-0000-0000-000000000006", "77777777-0000-0000-0000-000000000007");
    type Rights = &'static [(&'static str, &'static str)];
    let cases: [(Rights, &str, &str, &str); 5] = [
        // The caller's roles with their scopes, the access check, the error, and the permission that it names.
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
        bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
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
    // The caller may change hub and account and read no other workspaces, which passes with access_check = "warn".
    let mut bed = bed_with(|options| options.enforce_rbac = true).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(&format!("clients: [{{ client_id: {client}, object_id: {object}, secret: other }}]"));
    for scope in [&bed.hub, &bed.account] {
        bed.emulator.seed_assignment(scope, object, "Contributor");
    }
    bed.core.configure(json!({ "client_id": client, "client_secret": "other" }));
    bed.apply(&bed.checked("warn")).await.ok().warning("Access cannot be verified");
    assert_eq!(bed.settings(), KEYLESS);
    bed.plan(&bed.checked("warn")).await.ok().assert_empty();
    bed.destroy().await.ok();
    assert_eq!(bed.settings(), WITH_KEYS);
}
