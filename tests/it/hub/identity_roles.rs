//! The roles of a hub's user-assigned identity, which the access check looks up (azure.md §13.9).

use serde_json::json;

use super::bed;
use crate::support::ids::CONTRIBUTOR_NAMES;

const LACKS: &str = "The hub's user-assigned identity lacks roles";

/// The roles on the hub itself can be assigned only after it is there, and are looked up by the next change.
#[tokio::test]
async fn a_new_hub_is_not_told_to_have_had_roles_on_itself() {
    let mut bed = bed().await;
    let identity = bed.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", "u1");
    let config = bed.with(json!({
        "access_check": "enforce", "identity": { "type": "UserAssigned", "identity_ids": [identity] },
        "system_datastores_auth_mode": "identity",
    }));
    let report = bed.apply(&config).await.ok();
    let lacks: Vec<_> = report.diagnostics.0.iter().filter(|one| one.summary == LACKS).collect();
    let on = |scope: &str| lacks.iter().filter(|one| one.detail.contains(&format!("= {scope:?}"))).count();
    assert_eq!((on(&bed.own_hub()), on(&bed.account)), (0, 1), "{}", report.diagnostics);

    // The hub is there, so that nothing is said of an apply to come.
    assert!(report.diagnostics.0.iter().any(|one| one.summary == "The hub's identity would lose access"));
    for phrase in ["when it is applied", "The apply stops", "access_check_stop_on", "nothing more is changed"] {
        assert!(!report.diagnostics.to_string().contains(phrase), "{phrase}: {}", report.diagnostics);
    }

    // Taking the keys away later looks up all of them.
    let principal = bed.in_azure()["identity"]["userAssignedIdentities"][&identity]["principalId"].clone();
    bed.seed_roles(principal.as_str().expect("an object id"), &CONTRIBUTOR_NAMES);
    bed.emulator.set_mode(&bed.hub, "identity");
    let keys_off = super::merged(config, json!({ "shared_access_key_enabled": false }));
    let planned = bed.plan(&keys_off).await.ok();
    let lacks: Vec<_> = planned.diagnostics.0.iter().filter(|one| one.summary == LACKS).collect();
    let on = |scope: &str| lacks.iter().filter(|one| one.detail.contains(&format!("= {scope:?}"))).count();
    assert_eq!((on(&bed.own_hub()), on(&bed.account)), (1, 1), "{}", planned.diagnostics);
    bed.core.apply_saved(planned).await.ok();
    assert_eq!(bed.shared_keys(), Some(false));
}
