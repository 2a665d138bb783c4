//! States of an earlier version, which `tests/data/states` keeps with their configuration and with what was in Azure.
//! Their plan is empty, or it says what to write; and nobody who is still in the configuration loses a role.

mod two_resources;

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    azure::{Emulator, Options},
    support::{
        engine::{Engine, Product, Workspace, for_each_engine},
        hcl::{moved, removed},
    },
};

use super::engine_bed::{
    ALICE, BLOB_CONTRIBUTOR, BLOB_READER, EngineBed, FILE_CONTRIBUTOR, NOTHING, ORDERS, ROLE_ASSIGNMENT_ADDRESS,
    STORAGE_AUTH_ADDRESS,
};

/// The hub and its account as they were before the first apply.
const UNTOUCHED: [&str; 2] = ["hub1 accesskey", "sa1 with keys"];

/// One case: a folder of `tests/data/states`, its state in a workspace and its Azure in an emulator.
struct Earlier {
    bed: EngineBed,
    workspace: Workspace,
    config: String,
    /// Where the emulator keeps what is in Azure.
    _azure: TempDir,
}

impl Earlier {
    async fn load(engine: &'static Engine, case: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/states").join(case);
        let read = |name| fs::read_to_string(folder.join(name)).expect("a file of the case");
        let azure = tempfile::tempdir().expect("a folder");
        let file = azure.path().join("azure.json");
        fs::write(&file, read("azure.json")).expect("what is in Azure is written");
        let options = Options { state: Some(file), ..Options::quick() };
        let bed = EngineBed::around(Emulator::start(options).await.expect("an emulator"));
        let workspace = Workspace::new(engine).envs(bed.emulator.environment());
        let state = read("terraform.tfstate").replace(Product::Terraform.registry(), engine.product.registry());
        fs::write(workspace.path().join("terraform.tfstate"), state).expect("the state is written");
        let earlier = Self { bed, workspace, config: read("main.tf"), _azure: azure };
        earlier.configure(&earlier.config);
        earlier
    }

    /// Makes this the whole configuration.
    fn configure(&self, config: &str) {
        fs::write(self.workspace.path().join("main.tf"), config).expect("the configuration is written");
    }

    /// The configuration with another text in the place of one block.
    fn instead_of(&self, address: &str, text: &str) -> String {
        let (kind, name) = address.split_once('.').expect("an address");
        let head = format!("resource \"{kind}\" \"{name}\" {{\n");
        let (before, block) = self.config.split_once(&head).expect("the block is there");
        let (_, after) = block.split_once("\n}\n").expect("an end of the block");
        format!("{before}{text}{after}")
    }

    /// Puts a `removed` block in the place of a block, which forgets its objects.
    fn forget(&self, address: &str) {
        self.configure(&self.instead_of(address, &removed(address)));
    }

    /// All that the resources can change: modes of hubs, keys of accounts, and who holds which role, less what the
    /// platform gave the hubs themselves.
    fn in_azure(&self) -> BTreeSet<String> {
        let emulator = &self.bed.emulator;
        let named = |name: &str| {
            let resource = emulator.resource(&self.bed.hub.replace("hub1", name));
            resource.or_else(|| emulator.resource(&self.bed.account.replace("sa1", name)))
        };
        let mut found = BTreeSet::new();
        let mut hubs = Vec::new();
        for (name, resource) in ["hub1", "hub2", "sa1", "sa2"].map(|name| (name, named(name))) {
            let Some(resource) = resource else { continue };
            let properties = &resource["properties"];
            match (&properties["systemDatastoresAuthMode"], &properties["allowSharedKeyAccess"]) {
                (Value::String(mode), _) => found.insert(format!("{name} {}", mode.to_lowercase())),
                (_, Value::Bool(true)) => found.insert(format!("{name} with keys")),
                _ => found.insert(format!("{name} without keys")),
            };
            hubs.push(resource["identity"]["principalId"].clone());
        }
        for grant in emulator.assignments() {
            if !hubs.iter().any(|hub| *hub == grant.principal_id) {
                found.insert(format!("{} {}", who(&grant.principal_id), what(&grant.role)));
            }
        }
        found
    }

    /// The names of all role assignments.
    fn names(&self) -> BTreeSet<String> {
        self.bed.emulator.assignments().into_iter().map(|found| found.name).collect()
    }

    /// What was written since the last look, less role assignments that were written as they were.
    fn writes(&self) -> Vec<String> {
        let all = self.bed.writes();
        all.into_iter().filter(|write| write != "PUT role").collect()
    }

    /// Passes if the plan is empty.
    async fn assert_plan_is_empty(&self) {
        self.workspace.plan(&[]).await.exits(0);
    }
}

/// The short name of a principal.
fn who(principal: &str) -> &'static str {
    const PEOPLE: [(&str, &str); 5] = [
        ("aaaaaaaa-0000-4000-8000-000000000001", "alice"),
        ("aaaaaaaa-0000-4000-8000-000000000002", "bob"),
        ("aaaaaaaa-0000-4000-8000-000000000003", "carol"),
        ("aaaaaaaa-0000-4000-8000-000000000004", "dave"),
        ("cccccccc-0000-4000-8000-000000000001", "job"),
    ];
    PEOPLE.into_iter().find(|(id, _)| *id == principal).expect("somebody who is known").1
}

/// What a role allows.
fn what(role: &str) -> &'static str {
    const ROLES: [(&str, &str); 4] = [
        (BLOB_CONTRIBUTOR, "writes blobs"),
        (FILE_CONTRIBUTOR, "writes files"),
        (BLOB_READER, "reads blobs"),
        ("dddddddd-0000-4000-8000-000000000001", "reads datasets"),
    ];
    ROLES.into_iter().find(|(id, _)| *id == role).expect("a role that is known").1
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The plan is empty, and after a destroy this is in Azure.
async fn assert_needs_no_change(case: &str, destroyed: &[&str]) {
    for_each_engine(async |engine| {
        let earlier = Earlier::load(engine, case).await;
        let (before, names) = (earlier.in_azure(), earlier.names());
        earlier.assert_plan_is_empty().await;
        earlier.workspace.plan(&["-refresh-only"]).await.exits(0);
        earlier.workspace.apply(&[]).await.succeeded();
        assert_eq!((earlier.bed.writes(), earlier.in_azure(), earlier.names()), (Vec::new(), before, names));
        earlier.workspace.destroy(&[]).await.succeeded();
        assert_eq!(earlier.in_azure(), set(destroyed));
        assert!(earlier.workspace.state().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn created_role_assignments_need_no_change() {
    assert_needs_no_change("created-grants", &UNTOUCHED).await;
}

#[tokio::test]
async fn created_storage_auths_need_no_change() {
    assert_needs_no_change("created-auth", &["hub1 accesskey", "hub2 accesskey", "sa1 with keys", "sa2 with keys"])
        .await;
}

#[tokio::test]
async fn imported_role_assignments_need_no_change() {
    assert_needs_no_change("imported-grants", &UNTOUCHED).await;
}

#[tokio::test]
async fn an_imported_storage_auth_needs_no_change() {
    assert_needs_no_change("imported-auth", &["hub1 identity", "sa1 without keys"]).await;
}

#[tokio::test]
async fn role_assignments_moved_from_other_providers_need_no_change() {
    assert_needs_no_change("moved-grants", &UNTOUCHED).await;
}

#[tokio::test]
async fn a_storage_auth_moved_from_azapi_needs_no_change() {
    assert_needs_no_change("moved-auth", &["hub1 identity", "sa1 with keys"]).await;
}

#[tokio::test]
async fn adopted_role_assignments_need_no_change_and_survive_a_destroy() {
    let stays = ["alice writes blobs", "bob reads blobs"];
    assert_needs_no_change("adopted", &[UNTOUCHED.as_slice(), &stays].concat()).await;
}

#[tokio::test]
async fn two_hubs_of_an_account_with_keys_off_need_no_change() {
    for case in ["two-hubs-keys-off", "two-hubs-keys-off-on-both"] {
        assert_needs_no_change(case, &["hub1 accesskey", "hub2 accesskey", "sa1 with keys"]).await;
    }
}

#[tokio::test]
async fn a_move_that_was_never_applied_gets_the_name_of_its_custom_role_without_a_write() {
    for_each_engine(async |engine| {
        let earlier = Earlier::load(engine, "moved-grants-not-applied").await;
        let (before, names) = (earlier.in_azure(), earlier.names());
        earlier.workspace.apply(&[]).await.succeeded();
        assert_eq!((earlier.bed.writes(), earlier.in_azure(), earlier.names()), (Vec::new(), before, names));
        earlier.assert_plan_is_empty().await;
        earlier.workspace.destroy(&[]).await.succeeded();
        assert_eq!(earlier.in_azure(), set(&UNTOUCHED));
    })
    .await;
}

/// The plan says this, applying it makes these writes and leaves this in Azure, and the next plan is empty. With
/// `-parallelism=1` the plan may be an error that says to plan without.
async fn assert_apply_completes(case: &str, says: &[&str], writes: &[&str], after: &[&str]) {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let earlier = Earlier::load(engine, case).await;
            let mut planned = earlier.workspace.plan(order).await;
            if planned.code == Some(1) && !order.is_empty() {
                planned.says("deposed").says("Plan again without -parallelism=1");
                planned = earlier.workspace.plan(&[]).await;
            }
            let planned = planned.exits(2);
            says.iter().fold(planned, |planned, text| planned.says(text));
            earlier.workspace.apply_planned().await.succeeded();
            assert_eq!(earlier.writes(), writes, "{order:?}");
            assert_eq!(earlier.in_azure(), set(after), "{order:?}");
            earlier.assert_plan_is_empty().await;
        }
    })
    .await;
}

#[tokio::test]
async fn tainted_role_assignments_are_replaced_and_nobody_loses_a_role() {
    let people = ["alice writes blobs", "alice writes files", "bob writes blobs", "bob writes files"];
    let says = ["half is tainted, so", "whole is tainted, so"];
    assert_apply_completes("tainted-grants", &says, &NOTHING, &[UNTOUCHED.as_slice(), &people].concat()).await;
}

#[tokio::test]
async fn a_tainted_storage_auth_is_replaced_and_completed() {
    let says = ["hub is tainted, so"];
    assert_apply_completes("tainted-auth", &says, &["PATCH sa1 false"], &["hub1 identity", "sa1 without keys"]).await;
    assert_apply_completes("tainted-whole-auth", &says, &NOTHING, &["hub1 identity", "sa1 without keys"]).await;
}

#[tokio::test]
async fn destroying_a_tainted_storage_auth_restores_the_original_settings() {
    for_each_engine(async |engine| {
        for case in ["tainted-auth", "tainted-whole-auth"] {
            let earlier = Earlier::load(engine, case).await;
            earlier.workspace.destroy(&[]).await.succeeded();
            assert_eq!(earlier.in_azure(), set(&UNTOUCHED), "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn destroying_a_deposed_role_assignment_leaves_the_roles_to_the_current_object() {
    let people = ["alice writes blobs", "alice writes files"];
    let after = [UNTOUCHED.as_slice(), &people].concat();
    assert_apply_completes("deposed-grant", &["(deposed object deadbeef) will be destroyed"], &NOTHING, &after).await;
}

#[tokio::test]
async fn destroying_a_deposed_role_assignment_of_another_principal_removes_the_roles() {
    let people = ["bob writes blobs", "bob writes files"];
    let (says, after) = (["will be destroyed", "(deposed object"], [UNTOUCHED.as_slice(), &people].concat());
    assert_apply_completes("deposed-grant-of-another", &says, &["DELETE role"; 2], &after).await;
}

#[tokio::test]
async fn destroying_a_deposed_storage_auth_writes_nothing() {
    let says = ["(deposed object deadbeef) will be destroyed"];
    assert_apply_completes("deposed-auth", &says, &NOTHING, &["hub1 identity", "sa1 without keys"]).await;
}

/// The role assignments of the new object and of the deposed one have different names, so that not both can be kept.
#[tokio::test]
async fn a_role_assignment_whose_replacement_failed_is_completed_by_state_rm_and_import_as_the_plan_says() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let earlier = Earlier::load(engine, "failed-replacement-grant").await;
            let (before, names) = (earlier.in_azure(), earlier.names());
            let planned = earlier.workspace.plan(order).await.exits(1);
            planned
                .says("This state already has the role assignment")
                .says("state rm ADDRESS and import the resource again");
            earlier.workspace.run(&["state", "rm", ROLE_ASSIGNMENT_ADDRESS]).await.succeeded();
            let id = format!("{}|{ALICE}|contributor", earlier.bed.hub);
            earlier.workspace.import(ROLE_ASSIGNMENT_ADDRESS, &id).await.succeeded();
            earlier.assert_plan_is_empty().await;
            assert_eq!((earlier.bed.writes(), earlier.in_azure(), earlier.names()), (Vec::new(), before, names));
        }
    })
    .await;
}

#[tokio::test]
async fn a_storage_auth_whose_replacement_failed_is_completed() {
    let says = ["(deposed object", "hub is tainted, so"];
    let after = ["hub1 identity", "sa1 without keys"];
    assert_apply_completes("failed-replacement-auth", &says, &["PATCH sa1 false"], &after).await;
}

/// The storage_auth waits for the role assignment, so that its deposed object is always planned before it.
#[tokio::test]
async fn a_storage_auth_that_depends_on_a_role_assignment_is_completed_after_a_failed_replacement() {
    for_each_engine(async |engine| {
        for case in ["failed-replacement-auth", "deposed-auth"] {
            for order in ORDERS {
                let earlier = Earlier::load(engine, case).await;
                earlier.bed.emulator.add_principal(ALICE, "User");
                let depends = "shared_access_key_enabled = false\n  depends_on = [foundryhub_role_assignment.alice]";
                let config = earlier.config.replace("shared_access_key_enabled = false", depends);
                earlier.configure(&(config + &earlier.bed.role_assignment()));
                let mut applied = earlier.workspace.apply(order).await;
                if case == "deposed-auth" && applied.code != Some(0) {
                    applied.exits(1).says("One hub is kept and destroyed in one plan").says("run taint ADDRESS");
                    earlier.workspace.run(&["taint", STORAGE_AUTH_ADDRESS]).await.succeeded();
                    applied = earlier.workspace.apply(order).await;
                }
                let applied = applied.succeeded();
                let writes = earlier.writes();
                let finished = if case == "deposed-auth" { &NOTHING[..] } else { &["PATCH sa1 false"] };
                assert_eq!(writes, finished, "{case}, {order:?}: {applied}");
                let people = ["alice writes blobs", "alice writes files"];
                assert_eq!(earlier.in_azure(), set(&[&["hub1 identity", "sa1 without keys"][..], &people].concat()));
                earlier.assert_plan_is_empty().await;
            }
        }
    })
    .await;
}

/// States whose role assignments have names that this version would not derive from their blocks.
const NAMED_OTHERWISE: [&str; 3] = ["created-grants", "imported-grants", "moved-grants"];

#[tokio::test]
async fn a_renamed_block_keeps_its_roles_and_the_plan_writes_the_moved_block() {
    for_each_engine(async |engine| {
        for case in NAMED_OTHERWISE {
            for order in ORDERS {
                let earlier = Earlier::load(engine, case).await;
                let before = earlier.in_azure();
                earlier.configure(&earlier.config.replace("\"alice\"", "\"renamed\""));
                let applied = earlier.workspace.apply(order).await.exits(1);
                let applied = applied.says("This state already has the role assignment").says("moved {");
                assert_eq!(
                    (earlier.bed.writes(), earlier.in_azure()),
                    (Vec::new(), before),
                    "{case}, {order:?}: {applied}"
                );
                // The error stops a plain destroy as well and says how to destroy.
                earlier.workspace.destroy(&[&["-refresh=false"], order].concat()).await.succeeded();
                assert_eq!(earlier.in_azure(), set(&UNTOUCHED), "{case}, {order:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_block_renamed_with_a_moved_block_needs_no_change() {
    for_each_engine(async |engine| {
        for case in NAMED_OTHERWISE {
            let earlier = Earlier::load(engine, case).await;
            let (before, names) = (earlier.in_azure(), earlier.names());
            let renamed = earlier.config.replace("\"alice\"", "\"renamed\"");
            earlier.configure(&(renamed + &moved(ROLE_ASSIGNMENT_ADDRESS, "foundryhub_role_assignment.renamed")));
            let planned = earlier.workspace.plan(&[]).await;
            planned.says("has moved to").says("Plan: 0 to add, 0 to change, 0 to destroy.");
            earlier.workspace.apply_planned().await.succeeded();
            assert_eq!(
                (earlier.bed.writes(), earlier.in_azure(), earlier.names()),
                (Vec::new(), before, names),
                "{case}"
            );
            earlier.assert_plan_is_empty().await;
        }
    })
    .await;
}

/// The first person is removed, so every other one gets the index before.
#[tokio::test]
async fn only_the_person_removed_from_a_count_loses_the_roles() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let earlier = Earlier::load(engine, "created-by-count").await;
            earlier.configure(&earlier.config.replace("\"aaaaaaaa-0000-4000-8000-000000000001\", ", ""));
            let applied = earlier.workspace.apply(order).await;
            let people = ["bob writes blobs", "bob writes files", "carol writes blobs", "carol writes files"];
            let removed = ["alice writes blobs", "alice writes files"];
            let stay = [UNTOUCHED.as_slice(), &people].concat();
            match applied.code {
                Some(0) => {
                    assert_eq!(earlier.in_azure(), set(&stay), "{order:?}: {applied}");
                    earlier.assert_plan_is_empty().await;
                }
                _ => {
                    assert_eq!(earlier.in_azure(), set(&[stay.as_slice(), &removed].concat()), "{order:?}: {applied}");
                    applied.exits(1).says("moved {");
                }
            }
        }
    })
    .await;
}
