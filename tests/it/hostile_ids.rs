//! Ids that lead out of their place in a URL, or are beyond measure: they are refused before anything is sent, wherever a
//! configuration or an import may name one. Ids that Azure tells are no better.

use serde_json::json;

use crate::azure::Record;
use crate::support::bed::{AUTH, Bed, HUB, ROLE};
use crate::support::core::{Core, Diagnostics, ImportFrom};
use crate::support::ids::ALICE;

async fn bed() -> Bed {
    let short = |record: &Record| format!("{} {}", record.method, record.path);
    Bed::new(AUTH, short, |_| {}).await
}

/// Ids that lead out of their place in a URL, or into its query, made of one that is good.
fn leading_elsewhere(good: &str) -> Vec<String> {
    let (front, _) = good.rsplit_once('/').expect("an id");
    let group = |name: &str| good.replace("/rg1/", &format!("/{name}/"));
    let end = |end: &str| format!("{good}{end}");
    vec![
        end("/../../../../x"),
        end("/.."),
        end("?api-version=1&x=y"),
        end("#x"),
        end("%2f..%2fx"),
        end("%00"),
        end("\r\nHost: x"),
        end("\n"),
        end("\0"),
        end("\u{1b}[2J"),
        end("\\..\\x"),
        format!("{front}//"),
        format!("{front}/.."),
        format!("{front}/%2e%2e"),
        group(".."),
        group("."),
        group("%2e%2e"),
        group("rg1?x"),
        group("rg1#x"),
        group("rg1/.."),
        group(""),
        format!("https://x.test{good}"),
        format!("//x.test{good}"),
        format!("/..{good}"),
        "/".repeat(100_000),
        good.replace("/subscriptions/", "/subscriptions/../"),
    ]
}

/// The same where the type has a rule for names, with names that are none.
fn hostile(good: &str) -> Vec<String> {
    let (front, name) = good.rsplit_once('/').expect("an id");
    let names = [
        "",
        "\u{ff0e}\u{ff0e}",
        &format!("{name}\u{202e}"),
        &format!("{name}e\u{301}"),
        &format!("{name} "),
        &format!("{name};x"),
        &format!("{name}@x"),
        &name.repeat(1 << 18),
    ]
    .map(|name| format!("{front}/{name}"));
    leading_elsewhere(good).into_iter().chain(names).chain(["/".to_owned()]).collect()
}

#[track_caller]
fn refused(diagnostics: &Diagnostics, what: &str, bed: &Bed) {
    let said = diagnostics.to_string();
    let what = what.chars().take(300).collect::<String>();
    assert!(diagnostics.has_errors(), "{what} was taken");
    assert!(!said.contains(['\u{1b}', '\0', '\u{202e}']), "{what}: raw characters");
    assert!(said.len() < 20_000, "{what}: {} bytes were said", said.len());
    assert!(!said.contains("panicked"), "{what}: {said}");
    assert_eq!(bed.emulator.requests(), [], "{what}: something was sent");
}

#[tokio::test]
async fn an_id_that_leads_elsewhere_is_refused_in_every_attribute_before_anything_is_sent() {
    let mut bed = bed().await;
    bed.core = std::mem::replace(&mut bed.core, Core::new()).in_one_process();
    let (hub, account, own) = (bed.hub.clone(), bed.account.clone(), bed.new_hub());
    let vault = own["key_vault_id"].as_str().expect("an id").to_owned();
    let role = |target: &str, id: &str| json!({ target: id, "principal_id": ALICE, "access": "reader" });
    let set = |attribute: &str, id: &str| {
        let mut own = own.clone();
        own[attribute] = json!(id);
        own
    };
    for bad in hostile(&hub) {
        let what = |at: &str| format!("{at} = {bad:?}");
        refused(&bed.core.validate(AUTH, "a", json!({ "hub_id": bad })).await, &what("hub_id"), &bed);
        refused(&bed.core.validate(ROLE, "a", role("hub_id", &bad)).await, &what("hub_id of a role"), &bed);
        for (type_name, argument) in [("foundryhub_hub", "id"), ("foundryhub_storage_access", "hub_id")] {
            let (_, diagnostics) = bed.core.read_data(type_name, json!({ argument: bad })).await;
            refused(&diagnostics, &what(type_name), &bed);
        }
        let (_, diagnostics) = bed.core.list(ROLE, json!({ "hub_id": bad }), false, 1).await;
        refused(&diagnostics, &what("the list's hub_id"), &bed);
        let (_, diagnostics) = bed.core.invoke_unplanned("foundryhub_resync_keys", json!({ "hub_id": bad })).await;
        refused(&diagnostics, &what("the action's hub_id"), &bed);
        for type_name in [AUTH, HUB] {
            let imported = bed.core.import(type_name, "a", ImportFrom::Id(bad.clone())).await;
            refused(&imported.diagnostics, &what(&format!("import of {type_name}")), &bed);
        }
    }
    for bad in leading_elsewhere(&hub) {
        // Roles may be assigned at scopes of any type, which have no rule for their names.
        let imported = bed.core.import(ROLE, "a", ImportFrom::Id(format!("{bad}|{ALICE}|reader"))).await;
        refused(&imported.diagnostics, &format!("import of roles = {bad:?}"), &bed);
        let role = role("scope", &bad);
        refused(&bed.core.validate(ROLE, "a", role).await, &format!("scope = {bad:?}"), &bed);
    }
    for bad in hostile(&account) {
        let what = |at: &str| format!("{at} = {bad:?}");
        let diagnostics = bed.core.validate(ROLE, "a", role("storage_account_id", &bad)).await;
        refused(&diagnostics, &what("storage_account_id of a role"), &bed);
        refused(&bed.core.validate(HUB, "a", set("storage_account_id", &bad)).await, &what("of a hub"), &bed);
        let rotate = json!({ "storage_account_id": bad });
        let (_, diagnostics) = bed.core.invoke_unplanned("foundryhub_rotate_storage_keys", rotate).await;
        refused(&diagnostics, &what("the action's account"), &bed);
        let (_, diagnostics) =
            bed.core.read_data("foundryhub_storage_key_usage", json!({ "storage_account_id": bad })).await;
        refused(&diagnostics, &what("the data source's account"), &bed);
    }
    for bad in leading_elsewhere(&vault) {
        refused(&bed.core.validate(HUB, "a", set("key_vault_id", &bad)).await, &format!("vault {bad:?}"), &bed);
    }
    for (attribute, bad) in [
        ("name", ".."),
        ("name", "a/../b"),
        ("name", "hub?x"),
        ("name", "hub%2f"),
        ("name", "hub\u{0}"),
        ("resource_group_name", ".."),
        ("resource_group_name", "rg#x"),
        ("resource_group_name", "rg/../x"),
        ("resource_group_name", "rg\r\nx"),
    ] {
        refused(&bed.core.validate(HUB, "a", set(attribute, bad)).await, &format!("{attribute} = {bad:?}"), &bed);
    }
}

#[tokio::test]
async fn a_name_of_a_role_that_no_url_has_room_for_is_not_asked_for() {
    let mut bed = bed().await;
    let name = "x".repeat(1 << 20);
    let config = json!({ "storage_account_id": bed.account, "principal_id": ALICE, "role_definition_name": name });
    let planned = bed.core.plan(ROLE, "a", config).await;
    assert!(planned.error("was not sent").detail.len() < 20_000);
    assert!(!bed.emulator.arm_requests().iter().any(|record| record.path.contains("roleDefinitions")));
}

/// Azure's own answers name accounts.
#[tokio::test]
async fn an_id_that_azure_tells_and_that_leads_elsewhere_is_not_followed() {
    let mut bed = bed().await;
    bed.core = std::mem::replace(&mut bed.core, Core::new()).in_one_process();
    for bad in hostile(&bed.account) {
        let told = json!(bad);
        bed.emulator.change(&bed.hub, |hub| hub["properties"]["storageAccount"] = told);
        bed.emulator.clear_requests();
        let imported = bed.core.import(AUTH, "a", ImportFrom::Id(bed.hub.clone())).await;
        imported.error("The hub has no storage account");
        let asked = bed.emulator.arm_requests();
        assert!(asked.iter().all(|record| record.path == bed.hub), "{asked:#?}");
        bed.emulator.clear_requests();
        refused(&imported.diagnostics, &bad, &bed);
    }
}
