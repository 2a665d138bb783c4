//! Saved plans: values that are known only at apply, and hubs and roles that change or are deleted before it.

use serde_json::{Value, json};

use super::{ALICE, BLOB_READER, BOB, Bed, READER_ROLES, TYPE, bed, custom_role, name_of, put_custom_role};
use crate::azure::{Action as Fault, Rule};
use crate::emulator::client::assignment_at;
use crate::support::core::{Action, ImportFrom, UNKNOWN, resource};
use crate::support::ids::READER_NAMES;

#[tokio::test]
async fn a_replacement_with_an_unknown_principal_warns_and_keeps_the_roles_with_create_before_destroy() {
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

/// The assignments have other names than the new object would give them, so that it cannot create them again.
#[tokio::test]
async fn create_before_destroy_of_an_imported_object_with_an_unknown_principal_keeps_the_roles() {
    for adopts in [true, false] {
        let mut bed = bed().await;
        bed.seed_roles(ALICE, &READER_NAMES);
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

/// By `-replace` and by a taint, for created and for imported objects.
#[tokio::test]
async fn a_replacement_under_create_before_destroy_gives_no_warning() {
    for (imports, taints) in [(false, false), (false, true), (true, false)] {
        let mut bed = bed().await;
        let mut config = bed.by_hub(ALICE, "reader");
        if imports {
            bed.seed_roles(ALICE, &READER_NAMES);
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
async fn a_hub_deleted_between_plan_and_apply_of_a_create_is_an_error_before_any_write() {
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
async fn a_hub_deleted_between_plan_and_apply_of_an_update_is_an_error_before_any_write() {
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

/// The destroy half of the replacement keeps the assignments, too.
#[tokio::test]
async fn a_hub_deleted_between_plan_and_apply_of_a_replacement_keeps_the_object_and_its_assignments() {
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
async fn a_hub_that_gets_another_account_between_plan_and_apply_gets_the_assignments_there() {
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
async fn a_custom_role_deleted_between_plan_and_apply_is_an_error_before_any_write() {
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
            assert_eq!(report.error("The role does not exist").path, "role_definition_name", "{target} {updates}");
            assert_eq!((bed.writes(), bed.state()), (Vec::new(), before.clone()), "{target} {updates}");
            if updates {
                bed.core.destroy(TYPE, "a").await.quiet();
            }
        }
    }
}

#[tokio::test]
async fn a_custom_role_whose_name_goes_to_another_role_between_plan_and_apply_means_the_other_role() {
    let mut bed = bed().await;
    custom_role(&bed, "Blob peeker").await;
    let planned = bed.plan(&bed.by_account(ALICE, "Blob peeker")).await.ok();
    // Another one has the name by now.
    custom_role(&bed, "Old peeker").await;
    let guid = "dddddddd-0000-4000-8000-000000000002";
    put_custom_role(&bed, guid, "Blob peeker").await;
    bed.core.apply_saved(planned).await.quiet();
    assert_eq!(bed.held(ALICE, &bed.account), [guid]);
    bed.plan(&bed.by_account(ALICE, "Blob peeker")).await.ok().assert_empty();
    let id = bed.recorded()[0].1.clone();
    assert_eq!(bed.get(&assignment_at(&bed.account, name_of(&id))).await.status, 200);
}

/// An unknown `hub_id` may be null at apply, and an unknown `on_existing` may be `adopt`.
#[tokio::test]
async fn unknown_hub_id_and_on_existing_take_effect_when_known_at_apply() {
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
async fn a_replacement_whose_custom_role_cannot_be_read_keeps_the_assignment() {
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
