//! Two resources for one assignment: what is refused, and that a principal who stays in the configuration keeps the
//! roles.

use serde_json::{Value, json};

use super::{ALICE, BLOB_CONTRIBUTOR, BOB, Bed, CAROL, READER_ROLES, TYPE, bed};
use crate::support::core::{ImportFrom, Resource, UNKNOWN, resource};
use crate::support::ids::READER_NAMES;

/// Resources by name and configuration.
fn all<const N: usize>(named: [(&str, &Value); N]) -> Vec<Resource> {
    named.into_iter().map(|(name, config)| resource(TYPE, name, config.clone())).collect()
}

// Two resources in one configuration.

#[tokio::test]
async fn two_resources_for_one_role_are_refused_with_both_their_ids_and_nothing_is_sent() {
    let mut bed = bed().await;
    let second = bed.another_hub("hub2");
    let by = |target: &str, id: &str, choice: &str, value: &str| {
        let config = json!({ target: id, "principal_id": ALICE, choice: value });
        let role = if choice == "role_definition_name" { BLOB_CONTRIBUTOR } else { value };
        (config, format!("{id}|{ALICE}|{role}"))
    };
    let (hub, account) = (bed.hub.clone(), bed.account.clone());
    let first = by("hub_id", &hub, "access", "contributor");
    for other in [
        by("hub_id", &second, "access", "contributor"),
        by("hub_id", &second, "scenario", "own_data"),
        by("hub_id", &hub, "scenario", "own_data"),
        by("hub_id", &hub, "access", "contributor"),
        by("storage_account_id", &account, "scenario", "prompt_flow"),
        by("scope", &account, "role_definition_name", "Storage Blob Data Contributor"),
    ] {
        for (one, two) in [(&first, &other), (&other, &first)] {
            let planned = bed.core.plan_all(all([("a", &one.0), ("b", &two.0)])).await;
            let error = planned.error("Two resources assign the same role");
            for text in [one.1.as_str(), &two.1, "set storage_account_id instead", "destroy = false", "-refresh=false"]
            {
                assert!(error.detail.contains(text), "{text}: {error}");
            }
            assert_eq!(planned.diagnostics.0.len(), 1, "{}", planned.diagnostics);
            assert_eq!(bed.writes(), [""; 0]);
        }
    }
    // Two resources that share no role are applied.
    let reader = by("hub_id", &second, "access", "reader");
    bed.core.apply_all(all([("a", &first.0), ("b", &reader.0)])).await.quiet();
    assert_eq!(bed.held(ALICE, &account).len(), 4);
}

#[tokio::test]
async fn a_second_resource_for_one_role_is_refused_beside_an_existing_object_that_stays_or_is_updated() {
    let mut bed = bed().await;
    let second = bed.another_hub("hub2");
    let (first, second) =
        (bed.by_hub(ALICE, "reader"), json!({ "hub_id": second, "principal_id": ALICE, "access": "reader" }));
    bed.apply(&first).await.quiet();
    let described = json!({ "hub_id": bed.hub, "principal_id": ALICE, "access": "reader", "description": "new" });
    for first in [first, described] {
        for adopts in ["fail", "adopt"] {
            let mut second = second.clone();
            second["on_existing"] = json!(adopts);
            bed.emulator.clear_requests();
            let planned = bed.core.plan_all(all([("a", &first), ("b", &second)])).await;
            assert!(planned.diagnostics.has_errors());
            let report = bed.core.apply_all(all([("a", &first), ("b", &second)])).await.failed();
            let moved = report.diagnostics.0.iter().any(|found| found.is_error && found.detail.contains("moved {"));
            let twice = report.diagnostics.0.iter().any(|found| found.summary == "Two resources assign the same role");
            assert!(moved || twice, "{}", report.diagnostics);
            assert_eq!(bed.writes(), [""; 0]);
        }
    }
    assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
}

// The second hub is known only at apply.

#[tokio::test]
async fn a_second_resource_found_at_apply_takes_no_role_from_the_first() {
    for there in [true, false] {
        for adopts in [false, true] {
            let mut bed = bed().await;
            let second = bed.another_hub("hub2");
            let first = bed.by_hub(ALICE, "reader");
            let mut late = json!({ "hub_id": second, "principal_id": ALICE, "access": "reader" });
            late["on_existing"] = json!(if adopts { "adopt" } else { "fail" });
            if there {
                bed.apply(&first).await.quiet();
            }
            let mut unknown = late.clone();
            unknown["hub_id"] = json!(UNKNOWN);
            let planned = bed.core.plan_all(all([("a", &first), ("b", &unknown)])).await.ok();
            bed.emulator.clear_requests();
            let report = bed.core.apply_saved(planned.knowing_of("b", late.clone())).await;
            let expected = adopts && there;
            assert_eq!(!report.diagnostics.has_errors(), expected, "{there} {adopts} {}", report.diagnostics);
            assert!(!bed.writes().iter().any(|write| write.starts_with("DELETE")));
            assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES, "{there} {adopts}");

            // The second one is destroyed, and then the first one.
            for gone in ["b", "a"] {
                if bed.core.state(TYPE, gone).is_null() {
                    continue;
                }
                let rest =
                    if gone == "b" && !bed.core.state(TYPE, "a").is_null() { all([("a", &first)]) } else { Vec::new() };
                let stays = !rest.is_empty();
                bed.core.apply_all(rest).await.ok();
                assert_eq!(bed.held(ALICE, &bed.account).len(), if stays { 2 } else { 0 }, "{there} {adopts} {gone}");
            }
        }
    }
}

/// The object that created the assignments is destroyed, and the one that adopted them stays.
#[tokio::test]
async fn destroying_the_creator_of_an_assignment_keeps_it_for_the_resource_that_adopted_it() {
    for planned_first in [false, true] {
        let mut bed = bed().await;
        let second = bed.another_hub("hub2");
        let first = bed.by_hub(ALICE, "reader");
        let late = json!({ "hub_id": second, "principal_id": ALICE, "access": "reader", "on_existing": "adopt" });
        bed.apply(&first).await.quiet();
        let mut unknown = late.clone();
        unknown["hub_id"] = json!(UNKNOWN);
        let planned = bed.core.plan_all(all([("a", &first), ("b", &unknown)])).await.ok();
        bed.core.apply_saved(planned.knowing_of("b", late.clone())).await.ok();
        // Both are in the state now, which the next plan refuses.
        bed.core.plan_all(all([("a", &first), ("b", &late)])).await.error("Two resources assign the same role");
        bed.core.plan_deletes_first(planned_first);
        bed.emulator.clear_requests();
        let planned = bed.core.plan_all(all([("b", &late)])).await;
        if planned_first {
            let error = planned.error("A role assignment is kept and deleted in one plan");
            assert!(error.detail.contains("removed {") && error.detail.contains("destroy = false"), "{error}");
            bed.core.forget(TYPE, "a");
        } else {
            planned.warning("Role assignments are kept for another resource");
            bed.core.apply_saved(planned).await.ok();
        }
        assert_eq!(
            (bed.writes(), bed.held(ALICE, &bed.account)),
            (Vec::new(), READER_ROLES.map(str::to_owned).to_vec())
        );
        bed.core.plan_all(all([("b", &late)])).await.ok().assert_empty();
    }
}

// States in which two objects have one assignment.

/// A state as earlier versions wrote it: pairs of Alice and Bob for two hubs on one account, with one assignment for
/// each.
async fn both_hubs() -> (Bed, Vec<(&'static str, Value)>) {
    let mut bed = bed().await;
    let second = bed.another_hub("hub2");
    let mut named = Vec::new();
    for (principal, name, copy) in [(ALICE, "a", "b"), (BOB, "c", "d")] {
        let config = bed.by_hub(principal, "reader");
        bed.core.apply(TYPE, name, config.clone()).await.quiet();
        let mut stored = bed.core.stored(TYPE, name).clone();
        stored.json["hub_id"] = json!(second);
        stored.json["id"] = json!(format!("{second}|{principal}|reader"));
        stored.text = stored.json.to_string();
        bed.core.store(TYPE, copy, stored);
        named.push((name, config));
        named.push((copy, json!({ "hub_id": second, "principal_id": principal, "access": "reader" })));
    }
    bed.emulator.clear_requests();
    (bed, named)
}

fn resources(named: &[(&'static str, Value)], but: &[&str]) -> Vec<Resource> {
    let left = named.iter().filter(|(name, _)| !but.contains(name));
    left.map(|(name, config)| resource(TYPE, name, config.clone())).collect()
}

#[tokio::test]
async fn a_state_with_two_objects_for_one_assignment_plans_an_error_for_each_pair() {
    for refreshes in [true, false] {
        let (mut bed, named) = both_hubs().await;
        bed.core.refresh_in_plans(refreshes);
        let planned = bed.core.plan_all(resources(&named, &[])).await;
        let errors = planned.diagnostics.0.iter().filter(|found| found.summary == "Two resources assign the same role");
        assert_eq!((errors.count(), planned.diagnostics.0.len()), (2, 2), "{}", planned.diagnostics);
        // All can be destroyed without their configuration, as the error says.
        bed.core.apply_all(Vec::new()).await.ok();
        assert_eq!(bed.held(ALICE, &bed.account).len() + bed.held(BOB, &bed.account).len(), 0);
        assert_eq!((bed.core.state(TYPE, "a"), bed.core.state(TYPE, "d")), (Value::Null, Value::Null));
    }
}

#[tokio::test]
async fn destroying_either_of_two_objects_for_one_assignment_keeps_it_or_is_refused() {
    for gone in [["b", "d"], ["a", "c"], ["a", "d"]] {
        for refreshes in [true, false] {
            for planned_first in [false, true] {
                let (mut bed, named) = both_hubs().await;
                bed.core.refresh_in_plans(refreshes);
                bed.core.plan_deletes_first(planned_first);
                let rest = resources(&named, &gone);
                let planned = bed.core.plan_all(rest.clone()).await;
                // A removal relies on an object that stays only if a refresh has seen both.
                if planned_first || !refreshes {
                    let error = planned.error("A role assignment is kept and deleted in one plan");
                    for text in ["removed {", "destroy = false", "state rm"] {
                        assert!(error.detail.contains(text), "{text}: {error}");
                    }
                    gone.iter().for_each(|name| bed.core.forget(TYPE, name));
                } else {
                    let planned = planned.ok();
                    assert_eq!(planned.diagnostics.0.len(), 2, "{}", planned.diagnostics);
                    assert!(planned.warning("Role assignments are kept for another resource").detail.contains(ALICE));
                    bed.core.apply_saved(planned).await.ok();
                }
                assert_eq!(bed.writes(), [""; 0], "{gone:?} {refreshes}");
                for principal in [ALICE, BOB] {
                    assert_eq!(bed.held(principal, &bed.account), READER_ROLES, "{gone:?} {refreshes}");
                }
                gone.iter().for_each(|name| assert_eq!(bed.core.state(TYPE, name), Value::Null));
                bed.core.plan_all(rest).await.ok().assert_empty();
                // Destroying the last object deletes the assignments.
                bed.core.apply_all(Vec::new()).await.ok();
                assert_eq!(bed.held(ALICE, &bed.account).len() + bed.held(BOB, &bed.account).len(), 0);
            }
        }
    }
}

/// One of the two only changes, so that it lets go of the assignments without being removed. An apply would not know of
/// the other one.
#[tokio::test]
async fn updating_or_replacing_one_of_two_objects_for_one_assignment_is_refused() {
    for (changed, attribute, value) in
        [("b", "access", "contributor"), ("b", "principal_id", CAROL), ("a", "access", "contributor")]
    {
        for refreshes in [true, false] {
            let (mut bed, mut named) = both_hubs().await;
            bed.emulator.add_principal(CAROL, "User");
            bed.core.refresh_in_plans(refreshes);
            let config = named.iter_mut().find(|(name, _)| *name == changed);
            config.expect("a resource").1[attribute] = json!(value);
            let report = bed.core.apply_all(resources(&named, &["c", "d"])).await.failed();
            let error = report.error("A role assignment is kept and deleted in one plan");
            assert!(error.detail.contains("removed {") && error.detail.contains(&format!("{ALICE}|reader")), "{error}");
            assert_eq!(bed.writes(), [""; 0]);
            assert_eq!(bed.held(ALICE, &bed.account), READER_ROLES);
            // As the error says: the object is forgotten, and created again.
            bed.core.forget(TYPE, changed);
            bed.core.apply_all(resources(&named, &["c", "d"])).await.ok();
            assert!(READER_ROLES.iter().all(|role| bed.held(ALICE, &bed.account).iter().any(|held| held == role)));
        }
    }
}

/// A deposed object and the current one have the same assignments.
#[tokio::test]
async fn destroying_an_object_with_its_deposed_one_deletes_their_assignments() {
    for refreshes in [true, false] {
        let mut bed = bed().await;
        let config = bed.by_hub(ALICE, "reader");
        bed.apply(&config).await.quiet();
        let stored = bed.core.stored(TYPE, "a").clone();
        bed.core.add_deposed(TYPE, "a", stored);
        bed.core.refresh_in_plans(refreshes);
        bed.core.apply_all(Vec::new()).await.ok();
        assert_eq!((bed.state(), bed.held(ALICE, &bed.account).len()), (Value::Null, 0), "{refreshes}");
    }
}

// Addresses that change.

/// The pairs of Alice, Bob and Carol by `count`, created by the provider or imported with other names.
async fn created_by_count(imported: bool) -> (Bed, Vec<String>) {
    let mut bed = bed().await;
    let third = CAROL.to_owned();
    bed.emulator.add_principal(&third, "User");
    let principals = vec![ALICE.to_owned(), BOB.to_owned(), third];
    for (n, principal) in principals.iter().enumerate() {
        let name = format!("r{n}");
        if imported {
            bed.seed_roles(principal, &READER_NAMES);
            bed.core.import(TYPE, &name, ImportFrom::Id(format!("{}|{principal}|reader", bed.hub))).await.quiet();
        } else {
            bed.core.apply(TYPE, &name, bed.by_hub(principal, "reader")).await.quiet();
        }
    }
    bed.emulator.clear_requests();
    (bed, principals)
}

fn by_count(bed: &Bed, principals: &[String]) -> Vec<Resource> {
    let one = |(n, principal): (usize, &String)| resource(TYPE, &format!("r{n}"), bed.by_hub(principal, "reader"));
    principals.iter().enumerate().map(one).collect()
}

#[tokio::test]
async fn only_the_principal_removed_from_a_count_loses_the_roles() {
    for dropped in [0, 1, 2] {
        for (planned_first, last) in [(false, false), (false, true), (true, false), (true, true)] {
            let (mut bed, mut principals) = created_by_count(false).await;
            bed.core.plan_deletes_first(planned_first);
            bed.core.apply_deletes_last(last);
            let gone = principals.remove(dropped);
            let all = by_count(&bed, &principals);
            let report = bed.core.apply_all(all.clone()).await.ok();
            assert_eq!(bed.held(&gone, &bed.account), [""; 0]);
            for principal in &principals {
                assert_eq!(bed.held(principal, &bed.account), READER_ROLES, "{dropped} {planned_first} {last}");
            }
            let shifted = 2 - dropped;
            let warnings =
                report.diagnostics.0.iter().filter(|found| found.detail.contains("use for_each with the principals"));
            assert!((usize::from(shifted > 0)..=shifted + 1).contains(&warnings.count()), "{}", report.diagnostics);
            bed.core.plan_all(all).await.ok().assert_empty();
        }
    }
}

#[tokio::test]
async fn removing_a_principal_from_a_count_of_imported_objects_is_an_error_with_the_moved_blocks_to_write() {
    for planned_first in [false, true] {
        let (mut bed, mut principals) = created_by_count(true).await;
        bed.core.plan_deletes_first(planned_first);
        let everybody = principals.clone();
        let gone = principals.remove(0);
        let all = by_count(&bed, &principals);
        let report = bed.core.apply_all(all).await.failed();
        let error = report.error("This state already has the role assignment");
        for text in ["moved {", "for_each with the principals as keys"] {
            assert!(error.detail.contains(text), "{text}: {error}");
        }
        assert!(!error.detail.contains("does not manage") && !error.detail.contains("import {"), "{error}");
        assert_eq!(bed.writes(), [""; 0]);
        for principal in &everybody {
            assert_eq!(bed.held(principal, &bed.account), READER_ROLES);
        }
        // As the error says: for_each instead of count, with a moved block for each object.
        for (n, principal) in everybody.iter().enumerate() {
            bed.core.rename(TYPE, &format!("r{n}"), principal);
        }
        let keyed: Vec<_> =
            principals.iter().map(|principal| resource(TYPE, principal, bed.by_hub(principal, "reader"))).collect();
        bed.core.apply_all(keyed.clone()).await.quiet();
        assert_eq!(bed.held(&gone, &bed.account), [""; 0]);
        for principal in &principals {
            assert_eq!(bed.held(principal, &bed.account), READER_ROLES);
        }
        bed.core.plan_all(keyed).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn a_rename_of_an_imported_object_is_an_error_with_the_moved_block_to_write() {
    for by_account in [false, true] {
        for planned_first in [false, true] {
            for refreshes in [true, false] {
                let mut bed = bed().await;
                let target = if by_account { bed.account.clone() } else { bed.hub.clone() };
                bed.seed_roles(ALICE, &READER_NAMES);
                bed.core.import(TYPE, "old", ImportFrom::Id(format!("{target}|{ALICE}|reader"))).await.quiet();
                let attribute = if by_account { "storage_account_id" } else { "hub_id" };
                let config = json!({ attribute: target, "principal_id": ALICE, "access": "reader" });
                bed.core.plan_deletes_first(planned_first);
                bed.core.refresh_in_plans(refreshes);
                bed.emulator.clear_requests();
                let report = bed.core.apply_all(all([("new", &config)])).await.failed();
                let has =
                    |text: &str| report.diagnostics.0.iter().any(|found| found.is_error && found.detail.contains(text));
                assert!(has("moved {"), "{}", report.diagnostics);
                if planned_first {
                    report.error("This state already has the role assignment");
                    assert!(!has("import {"), "{}", report.diagnostics);
                }
                assert!(!has("does not manage"), "{}", report.diagnostics);
                assert_eq!(
                    (bed.writes(), bed.held(ALICE, &bed.account)),
                    (Vec::new(), READER_ROLES.map(str::to_owned).to_vec())
                );
                // The moved block that the error writes is enough.
                bed.core.rename(TYPE, "old", "new");
                bed.core.plan_all(all([("new", &config)])).await.ok().assert_empty();
            }
        }
    }
}

/// The provider derives names from the configuration, so that each new object has the names of the other's old
/// assignments.
#[tokio::test]
async fn two_resources_that_exchange_principals_keep_the_roles_of_both() {
    let mut bed = bed().await;
    let (alice, bob) = (bed.by_hub(ALICE, "reader"), bed.by_hub(BOB, "reader"));
    bed.core.apply_all(all([("a", &alice), ("b", &bob)])).await.quiet();
    bed.core.apply_all(all([("a", &bob), ("b", &alice)])).await.ok();
    for principal in [ALICE, BOB] {
        assert_eq!(bed.held(principal, &bed.account), READER_ROLES);
    }
    bed.core.plan_all(all([("a", &bob), ("b", &alice)])).await.ok().assert_empty();
}
