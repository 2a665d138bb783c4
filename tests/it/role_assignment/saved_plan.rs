//! Saved plans: values that become known, and objects that are gone, by the time they are applied.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, BOB, Bed, READER_ROLES, TYPE, bed, custom_role};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::assignment_at;
use crate::support::core::{Action, ImportFrom, UNKNOWN, resource};

#[tokio::test]
async fn a_replacement_whose_principal_is_not_known_yet_says_what_it_can_do_and_keeps_what_it_can() {
    for (principal, creates_first, kept) in
        [(ALICE, false, false), (ALICE, true, true), (BOB, false, false), (BOB, true, false)]
    {
        let mut bed = bed().await;
        let known = bed.by_hub(principal, "reader");
        bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
        let mut after = resource(TYPE, "a", known.clone()).setting("principal_id", json!(UNKNOWN));
        if creates_first {
            after = after.create_before_destroy();
        }
        let planned = bed.core.plan_all(vec![after]).await.ok();
        assert_eq!((planned.action(), planned.diagnostics.0.len()), (Action::Replace, 1), "{}", planned.diagnostics);
        let warning = planned.warning("Access may be interrupted");
        assert_eq!(warning.path, "principal_id");
        assert!(warning.detail.contains("create_before_destroy = true"), "{warning}");
        bed.emulator.clear_requests();
        bed.core.apply_saved(planned.knowing(known.clone())).await.ok();
        let (put, delete) = (["PUT blob reader", "PUT file reader"], ["DELETE assignment"; 2]);
        let expected = match (kept, creates_first) {
            (true, _) => put.to_vec(),
            (false, true) => [put, delete].concat(),
            (false, false) => [delete, put].concat(),
        };
        assert_eq!(bed.writes(), expected, "{principal} {creates_first}");
        assert_eq!(bed.held(principal, &bed.account), READER_ROLES);
        assert!(principal == ALICE || bed.held(ALICE, &bed.account).is_empty());
        bed.plan(&known).await.ok().assert_empty();
    }
}

/// The names of what is replaced are somebody else's here, so that the successor cannot make it a second time.
#[tokio::test]
async fn an_imported_object_whose_principal_is_not_known_yet_loses_nothing_where_the_new_one_comes_first() {
    for adopts in [true, false] {
        let mut bed = bed().await;
        for role in ["Storage Blob Data Reader", "Storage File Data Privileged Reader"] {
            bed.emulator.seed_assignment(&bed.account, ALICE, role);
        }
        bed.core.import(TYPE, "a", ImportFrom::Id(format!("{}|{ALICE}|reader", bed.hub))).await.quiet();
        let recorded = bed.recorded();
        let mut known = bed.by_hub(ALICE, "reader");
        known["on_existing"] = json!(if adopts { "adopt" } else { "fail" });
        let after = resource(TYPE, "a", known.clone()).setting("principal_id", json!(UNKNOWN));
        let planned = bed.core.plan_all(vec![after.create_before_destroy()]).await.ok();
        bed.emulator.clear_requests();
        let report = bed.core.apply_saved(planned.knowing(known.clone())).await;
        assert_eq!(report.diagnostics.has_errors(), !adopts, "{}", report.diagnostics);
        assert!(!bed.writes().iter().any(|write| write.starts_with("DELETE")));
        assert_eq!(
            (bed.held(ALICE, &bed.account), bed.recorded()),
            (READER_ROLES.map(str::to_owned).to_vec(), recorded)
        );
        bed.plan(&known).await.ok().assert_empty();
    }
}

/// `-replace` under `create_before_destroy` is not about anybody else, whatever names the assignments have.
#[tokio::test]
async fn a_resource_that_is_replaced_by_itself_is_not_warned_of_itself() {
    for (imports, taints) in [(false, false), (false, true), (true, false)] {
        let mut bed = bed().await;
        let mut config = bed.by_hub(ALICE, "reader");
        if imports {
            for role in ["Storage Blob Data Reader", "Storage File Data Privileged Reader"] {
                bed.emulator.seed_assignment(&bed.account, ALICE, role);
            }
            bed.core.import(TYPE, "a", ImportFrom::Id(format!("{}|{ALICE}|reader", bed.hub))).await.quiet();
            config["on_existing"] = json!("adopt");
        } else {
            bed.apply(&config).await.quiet();
        }
        let mut after = resource(TYPE, "a", config.clone()).create_before_destroy();
        if taints {
            bed.core.taint(TYPE, "a");
        } else {
            after = after.replaced();
        }
        bed.emulator.clear_requests();
        let planned = bed.core.plan_all(vec![after]).await.ok();
        assert_eq!((planned.action(), planned.diagnostics.0.as_slice()), (Action::Replace, &[][..]));
        bed.core.apply_saved(planned).await.quiet();
        assert!(!bed.writes().iter().any(|write| write.starts_with("DELETE")), "{imports}");
        assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
        bed.plan(&config).await.ok().assert_empty();
    }
}

/// Another hub with an account of its own.
fn another_hub(bed: &Bed) -> String {
    let (account, hub) = (bed.account.replace("sa1", "sa2"), bed.hub.replace("hub1", "hub2"));
    bed.emulator.seed_storage_account(&account, json!({}));
    bed.emulator.seed_hub(&hub, &account, json!({}));
    hub
}

#[tokio::test]
async fn a_hub_that_goes_away_between_plan_and_apply_is_our_error_and_nothing_changes() {
    let mut bed = bed().await;
    for choice in ["access", "scenario", "role_definition_name", "role_definition_id"] {
        let value = match choice {
            "access" => "reader",
            "scenario" => "own_data",
            "role_definition_name" => "Storage Blob Data Reader",
            _ => BLOB_READER,
        };
        let hub = another_hub(&bed);
        let config = json!({ "hub_id": hub, "principal_id": ALICE, choice: value });
        let planned = bed.plan(&config).await.ok();
        bed.emulator.remove(&hub);
        bed.emulator.clear_requests();
        let report = bed.core.apply_saved(planned).await.failed();
        assert_eq!(report.error("The hub does not exist").path, "hub_id", "{choice}");
        assert_eq!((bed.writes(), bed.state()), (Vec::new(), Value::Null), "{choice}");
    }
}

#[tokio::test]
async fn a_hub_that_an_update_moves_to_and_that_goes_away_changes_nothing() {
    let mut bed = bed().await;
    for from in
        [bed.by_hub(ALICE, "reader"), json!({ "scope": bed.account, "principal_id": ALICE, "access": "reader" })]
    {
        bed.apply(&from).await.quiet();
        let hub = another_hub(&bed);
        let planned = bed.plan(&json!({ "hub_id": hub, "principal_id": ALICE, "access": "reader" })).await.ok();
        assert_eq!(planned.action(), Action::Update);
        bed.emulator.remove(&hub);
        let before = bed.state();
        bed.emulator.clear_requests();
        let report = bed.core.apply_saved(planned).await.failed();
        assert_eq!(report.error("The hub does not exist").path, "hub_id");
        assert_eq!((bed.writes(), bed.state()), (Vec::new(), before));
        assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
        bed.plan(&from).await.ok().assert_empty();
        bed.core.destroy(TYPE, "a").await.quiet();
    }
}

/// The replacement of an object for another principal: what the removal half would take away stays, too.
#[tokio::test]
async fn a_hub_that_goes_away_before_a_replacement_leaves_an_object_that_can_be_applied_again() {
    let mut bed = bed().await;
    bed.apply(&bed.by_hub(ALICE, "reader")).await.quiet();
    let after = resource(TYPE, "a", bed.by_hub(ALICE, "reader")).replaced();
    let planned = bed.core.plan_all(vec![after]).await.ok();
    let (hub, account) = (bed.hub.clone(), bed.account.clone());
    bed.emulator.remove(&hub);
    bed.emulator.clear_requests();
    let report = bed.core.apply_saved(planned).await.failed();
    report.error("The hub does not exist");
    assert_eq!((bed.writes(), bed.held(ALICE, &account)), (Vec::new(), READER_ROLES.map(str::to_owned).to_vec()));
    assert_eq!(bed.recorded().len(), 2);
    bed.emulator.seed_hub(&hub, &account, json!({}));
    bed.apply(&bed.by_hub(ALICE, "reader")).await.ok();
    bed.plan(&bed.by_hub(ALICE, "reader")).await.ok().assert_empty();
}

#[tokio::test]
async fn a_hub_that_gets_another_account_between_plan_and_apply_is_followed() {
    let mut bed = bed().await;
    let config = bed.by_hub(ALICE, "reader");
    let planned = bed.plan(&config).await.ok();
    let other = bed.account.replace("sa1", "sa2");
    bed.emulator.seed_storage_account(&other, json!({}));
    let hub = bed.hub.clone();
    bed.emulator.change(&hub, |hub| hub["properties"]["storageAccount"] = json!(other));
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(
        (bed.held(ALICE, &other), bed.held(ALICE, &bed.account)),
        (READER_ROLES.map(str::to_owned).to_vec(), Vec::new())
    );
    assert_eq!(bed.state()["scope"], json!(other));
}

#[tokio::test]
async fn a_custom_role_that_goes_away_between_plan_and_apply_changes_nothing() {
    let mut bed = bed().await;
    let group = bed.group.clone();
    for target in ["hub_id", "storage_account_id", "scope"] {
        for updates in [false, true] {
            let id = match target {
                "hub_id" => bed.hub.clone(),
                "storage_account_id" => bed.account.clone(),
                _ => group.clone(),
            };
            let with = |role: &str| json!({ target: id, "principal_id": ALICE, "role_definition_name": role });
            if updates {
                bed.apply(&with("Storage Blob Data Reader")).await.quiet();
            }
            let guid = custom_role(&bed, "Blob peeker").await;
            let planned = bed.plan(&with("Blob peeker")).await.ok();
            let path = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", bed.subscription);
            assert!(bed.delete(&format!("{path}?api-version=2022-04-01")).await.status < 300);
            let before = bed.state();
            bed.emulator.clear_requests();
            let report = bed.core.apply_saved(planned).await.failed();
            assert_eq!(report.error("There is no such role").path, "role_definition_name", "{target} {updates}");
            assert_eq!((bed.writes(), bed.state()), (Vec::new(), before.clone()), "{target} {updates}");
            if updates {
                bed.core.destroy(TYPE, "a").await.quiet();
            }
        }
    }
}

#[tokio::test]
async fn a_custom_role_that_is_made_anew_between_plan_and_apply_is_granted_as_it_is_then() {
    let mut bed = bed().await;
    custom_role(&bed, "Blob peeker").await;
    let planned = bed.plan(&bed.by_account(ALICE, "Blob peeker")).await.ok();
    // Another one has the name by now.
    custom_role(&bed, "Old peeker").await;
    let guid = "dddddddd-0000-4000-8000-000000000002";
    let path = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", bed.subscription);
    let body = json!({ "properties": {
        "roleName": "Blob peeker", "type": "CustomRole", "description": "", "assignableScopes": [bed.subscription],
        "permissions": [{ "actions": [], "notActions": [], "dataActions": [], "notDataActions": [] }],
    } });
    assert_eq!(bed.put(&format!("{path}?api-version=2022-04-01"), body).await.status, 201);
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), [guid]);
    bed.plan(&bed.by_account(ALICE, "Blob peeker")).await.ok().assert_empty();
    let id = bed.recorded()[0].1.clone();
    let name = id.rsplit('/').next().expect("a name");
    assert_eq!(bed.get(&assignment_at(&bed.account, name)).await.status, 200);
}

/// A hub that is not known yet may be left out in the end; a policy that is not known yet may be to adopt.
#[tokio::test]
async fn settings_that_become_known_decide_at_the_apply() {
    for (pending, value) in [("hub_id", Value::Null), ("on_existing", json!("adopt")), ("on_existing", json!("fail"))] {
        for is_there in [false, true] {
            let mut bed = bed().await;
            let mut known = bed.by_account(ALICE, "Storage Blob Data Reader");
            known[pending] = value.clone();
            if is_there {
                bed.emulator.seed_assignment(&bed.account, ALICE, "Storage Blob Data Reader");
            }
            let unknown = resource(TYPE, "a", known.clone()).setting(pending, json!(UNKNOWN));
            let planned = bed.core.plan_all(vec![unknown]).await.ok();
            let report = bed.core.apply_saved(planned.knowing(known.clone())).await;
            let is_refused = is_there && value != json!("adopt");
            assert_eq!(report.diagnostics.has_errors(), is_refused, "{pending} {value} {}", report.diagnostics);
            if is_refused {
                continue;
            }
            assert_eq!(bed.held(ALICE, &bed.account), [BLOB_READER], "{pending} {value}");
            bed.plan(&known).await.ok().assert_empty();
        }
    }
}

#[tokio::test]
async fn a_replacement_whose_custom_role_is_gone_keeps_what_it_was_handed() {
    let mut bed = bed().await;
    let guid = custom_role(&bed, "Blob peeker").await;
    let config = bed.by_account(ALICE, "Blob peeker");
    bed.apply(&config).await.quiet();
    let recorded = bed.recorded();
    let planned = bed.core.plan_all(vec![resource(TYPE, "a", config.clone()).replaced()]).await.ok();
    let rule = bed.emulator.fault(Rule::on("GET", "*/roleDefinitions*", Fault::Denied));
    bed.emulator.clear_requests();
    bed.core.apply_saved(planned).await.failed();
    assert_eq!((bed.writes(), bed.recorded()), (Vec::new(), recorded));
    assert_eq!(bed.held(ALICE, &bed.account), [guid]);
    bed.emulator.release(rule);
    bed.emulator.clear_faults();
    bed.apply(&config).await.ok();
    bed.plan(&config).await.ok().assert_empty();
}
