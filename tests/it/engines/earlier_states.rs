//! States that an earlier version has written, as `tests/data/states` keeps them with the Azure they belong to: they need
//! no change, or the plan says what to write; and nobody who is still in the configuration loses a role.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    azure::{Emulator, Options},
    support::engine::{Engine, Product, Workspace, for_each_engine},
};

use super::engine_bed::{
    ALICE, BLIND_ORDERS, BLOB_CONTRIBUTOR, BLOB_READER, EngineBed, FILE_CONTRIBUTOR, NOTHING, ORDERS,
};

/// The hub and its account as they were before anything was done about them.
const UNTOUCHED: [&str; 2] = ["hub1 accesskey", "sa1 with keys"];

/// One case: the state, its configuration and its Azure.
struct Earlier {
    bed: EngineBed,
    workspace: Workspace,
    config: String,
    /// Where the emulator keeps its world.
    _world: TempDir,
}

impl Earlier {
    async fn load(engine: &'static Engine, case: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/states").join(case);
        let read = |name| fs::read_to_string(folder.join(name)).expect("a file of the case");
        let world = tempfile::tempdir().expect("a folder");
        let azure = world.path().join("azure.json");
        fs::write(&azure, read("azure.json")).expect("the world is written");
        let options = Options { state: Some(azure), ..Options::quick() };
        let bed = EngineBed::around(Emulator::start(options).await.expect("an emulator"));
        let workspace = Workspace::new(engine).envs(bed.emulator.environment());
        let registry = match engine.product {
            Product::Terraform => "registry.terraform.io",
            Product::OpenTofu => "registry.opentofu.org",
        };
        let state = read("terraform.tfstate").replace("registry.terraform.io", registry);
        fs::write(workspace.path().join("terraform.tfstate"), state).expect("the state is written");
        let earlier = Self { bed, workspace, config: read("main.tf"), _world: world };
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

    /// Lets go of the objects of one block.
    fn forget(&self, address: &str) {
        let removed = format!("removed {{\n  from = {address}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n");
        self.configure(&self.instead_of(address, &removed));
    }

    /// All that the resources can change: modes of hubs, keys of accounts, and who holds which role, less what the
    /// platform gave the hubs themselves.
    fn azure(&self) -> BTreeSet<String> {
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

    /// What was written since the last look, less what says again what was there.
    fn writes(&self) -> Vec<String> {
        let all = self.bed.writes();
        all.into_iter().filter(|write| write != "PUT role").collect()
    }

    /// The configuration needs no change.
    async fn settled(&self) {
        self.workspace.plan(&[]).await.exits(0);
    }
}

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

/// The plan is empty, and destroying removes and puts back what the objects have made, so that this is there.
async fn needs_no_change(case: &str, destroyed: &[&str]) {
    for_each_engine(async |engine| {
        let earlier = Earlier::load(engine, case).await;
        let (before, names) = (earlier.azure(), earlier.names());
        earlier.settled().await;
        earlier.workspace.plan(&["-refresh-only"]).await.exits(0);
        earlier.workspace.apply(&[]).await.succeeded();
        assert_eq!((earlier.bed.writes(), earlier.azure(), earlier.names()), (Vec::new(), before, names));
        earlier.workspace.destroy(&[]).await.succeeded();
        assert_eq!(earlier.azure(), set(destroyed));
        assert!(earlier.workspace.state().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn created_grants_need_no_change() {
    needs_no_change("created-grants", &UNTOUCHED).await;
}

#[tokio::test]
async fn created_authorizations_need_no_change() {
    needs_no_change("created-auth", &["hub1 accesskey", "hub2 accesskey", "sa1 with keys", "sa2 with keys"]).await;
}

#[tokio::test]
async fn imported_grants_need_no_change() {
    needs_no_change("imported-grants", &UNTOUCHED).await;
}

#[tokio::test]
async fn an_imported_authorization_needs_no_change() {
    needs_no_change("imported-auth", &["hub1 identity", "sa1 without keys"]).await;
}

#[tokio::test]
async fn grants_moved_from_peers_need_no_change() {
    needs_no_change("moved-grants", &UNTOUCHED).await;
}

#[tokio::test]
async fn an_authorization_moved_from_a_peer_needs_no_change() {
    needs_no_change("moved-auth", &["hub1 identity", "sa1 with keys"]).await;
}

#[tokio::test]
async fn adopted_grants_need_no_change_and_stay() {
    let stays = ["alice writes blobs", "bob reads blobs"];
    needs_no_change("adopted", &[UNTOUCHED.as_slice(), &stays].concat()).await;
}

#[tokio::test]
async fn two_hubs_of_an_account_without_keys_need_no_change() {
    for case in ["two-hubs-keys-off", "two-hubs-keys-off-on-both"] {
        needs_no_change(case, &["hub1 accesskey", "hub2 accesskey", "sa1 with keys"]).await;
    }
}

#[tokio::test]
async fn the_custom_role_of_a_move_that_was_not_finished_gets_its_name_without_a_write() {
    for_each_engine(async |engine| {
        let earlier = Earlier::load(engine, "moved-grants-not-applied").await;
        let (before, names) = (earlier.azure(), earlier.names());
        earlier.workspace.apply(&[]).await.succeeded();
        assert_eq!((earlier.bed.writes(), earlier.azure(), earlier.names()), (Vec::new(), before, names));
        earlier.settled().await;
        earlier.workspace.destroy(&[]).await.succeeded();
        assert_eq!(earlier.azure(), set(&UNTOUCHED));
    })
    .await;
}

/// The plan says this, applying it leads there by these writes, and then the plan is empty. Where the engine does one thing
/// at a time, the plan may say not to.
async fn is_put_right(case: &str, says: &[&str], writes: &[&str], after: &[&str]) {
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
            assert_eq!(earlier.azure(), set(after), "{order:?}");
            earlier.settled().await;
        }
    })
    .await;
}

#[tokio::test]
async fn tainted_grants_are_replaced_and_nobody_is_without_a_role() {
    let people = ["alice writes blobs", "alice writes files", "bob writes blobs", "bob writes files"];
    let says = ["half is tainted, so", "whole is tainted, so"];
    is_put_right("tainted-grants", &says, &NOTHING, &[UNTOUCHED.as_slice(), &people].concat()).await;
}

#[tokio::test]
async fn a_tainted_authorization_is_replaced_and_finished() {
    let says = ["hub is tainted, so"];
    is_put_right("tainted-auth", &says, &["PATCH sa1 false"], &["hub1 identity", "sa1 without keys"]).await;
    is_put_right("tainted-whole-auth", &says, &NOTHING, &["hub1 identity", "sa1 without keys"]).await;
}

#[tokio::test]
async fn what_a_tainted_authorization_has_changed_is_put_back() {
    for_each_engine(async |engine| {
        for case in ["tainted-auth", "tainted-whole-auth"] {
            let earlier = Earlier::load(engine, case).await;
            earlier.workspace.destroy(&[]).await.succeeded();
            assert_eq!(earlier.azure(), set(&UNTOUCHED), "{case}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_deposed_grant_is_removed_and_its_successor_keeps_the_roles() {
    let people = ["alice writes blobs", "alice writes files"];
    let after = [UNTOUCHED.as_slice(), &people].concat();
    is_put_right("deposed-grant", &["(deposed object deadbeef) will be destroyed"], &NOTHING, &after).await;
}

#[tokio::test]
async fn a_deposed_grant_of_somebody_else_is_removed_with_the_roles() {
    let people = ["bob writes blobs", "bob writes files"];
    let (says, after) = (["will be destroyed", "(deposed object"], [UNTOUCHED.as_slice(), &people].concat());
    is_put_right("deposed-grant-of-another", &says, &["DELETE role"; 2], &after).await;
}

#[tokio::test]
async fn a_deposed_authorization_is_removed_without_a_change() {
    let says = ["(deposed object deadbeef) will be destroyed"];
    is_put_right("deposed-auth", &says, &NOTHING, &["hub1 identity", "sa1 without keys"]).await;
}

/// The half that was made and the one that was to be removed have names of their own, so that they cannot both be kept.
#[tokio::test]
async fn a_grant_whose_replacement_failed_keeps_its_roles_by_what_the_plan_says() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let earlier = Earlier::load(engine, "failed-replacement-grant").await;
            let (before, names) = (earlier.azure(), earlier.names());
            let planned = earlier.workspace.plan(order).await.exits(1);
            planned.says("This state already holds the role").says("state rm ADDRESS and import the resource again");
            let (address, person) = ("foundryhub_role_assignment.alice", "aaaaaaaa-0000-4000-8000-000000000001");
            earlier.workspace.run(&["state", "rm", address]).await.succeeded();
            let id = format!("{}|{person}|contributor", earlier.bed.hub);
            earlier.workspace.import(address, &id).await.succeeded();
            earlier.settled().await;
            assert_eq!((earlier.bed.writes(), earlier.azure(), earlier.names()), (Vec::new(), before, names));
        }
    })
    .await;
}

#[tokio::test]
async fn an_authorization_whose_replacement_failed_is_finished() {
    let says = ["(deposed object", "hub is tainted, so"];
    let after = ["hub1 identity", "sa1 without keys"];
    is_put_right("failed-replacement-auth", &says, &["PATCH sa1 false"], &after).await;
}

/// The hub waits for a grant, as it should, so that what is left over of it is always planned before it.
#[tokio::test]
async fn an_authorization_that_depends_on_a_grant_comes_right_after_a_replacement_that_failed() {
    for_each_engine(async |engine| {
        for case in ["failed-replacement-auth", "deposed-auth"] {
            for order in ORDERS {
                let earlier = Earlier::load(engine, case).await;
                earlier.bed.emulator.add_principal(ALICE, "User");
                let depends = "shared_access_key_enabled = false\n  depends_on = [foundryhub_role_assignment.alice]";
                let config = earlier.config.replace("shared_access_key_enabled = false", depends);
                earlier.configure(&(config + &earlier.bed.grant()));
                let mut applied = earlier.workspace.apply(order).await;
                if case == "deposed-auth" && applied.code != Some(0) {
                    applied.exits(1).says("One hub is kept and destroyed in one plan").says("run taint ADDRESS");
                    earlier.workspace.run(&["taint", "foundryhub_storage_auth.hub"]).await.succeeded();
                    applied = earlier.workspace.apply(order).await;
                }
                let applied = applied.succeeded();
                let writes = earlier.writes();
                let finished = if case == "deposed-auth" { &NOTHING[..] } else { &["PATCH sa1 false"] };
                assert_eq!(writes, finished, "{case}, {order:?}: {applied}");
                let people = ["alice writes blobs", "alice writes files"];
                assert_eq!(earlier.azure(), set(&[&["hub1 identity", "sa1 without keys"][..], &people].concat()));
                earlier.settled().await;
            }
        }
    })
    .await;
}

/// Two blocks whose objects stand for the same thing in Azure.
struct Twins {
    case: &'static str,
    /// The addresses of the blocks.
    blocks: [&'static str; 2],
    /// What the error names of both.
    names: [&'static str; 2],
    /// What is there when the first block, and when the second, was let go of and the other was destroyed.
    destroyed: [&'static [&'static str]; 2],
    /// What is there when both were destroyed.
    all_destroyed: &'static [&'static str],
}

const TWO_HUBS: Twins = Twins {
    case: "two-hubs-same-people",
    blocks: ["foundryhub_role_assignment.first", "foundryhub_role_assignment.second"],
    names: ["workspaces/hub1|", "workspaces/hub2|"],
    destroyed: [&["hub1 accesskey", "hub2 accesskey", "sa1 with keys"]; 2],
    all_destroyed: &["hub1 accesskey", "hub2 accesskey", "sa1 with keys"],
};

const OVERLAPPING: Twins = Twins {
    case: "overlapping-grants",
    blocks: ["foundryhub_role_assignment.data", "foundryhub_role_assignment.works"],
    names: ["000000000001|own_data", "000000000001|contributor"],
    destroyed: [&UNTOUCHED, &["hub1 accesskey", "sa1 with keys", "alice writes files"]],
    all_destroyed: &UNTOUCHED,
};

const TWO_AUTHORIZATIONS: Twins = Twins {
    case: "two-auths-of-one-hub",
    blocks: ["foundryhub_storage_auth.hub", "foundryhub_storage_auth.again"],
    names: ["workspaces/hub1", "workspaces/hub1"],
    // The object that came second has changed nothing, so it puts nothing back.
    destroyed: [&["hub1 identity", "sa1 without keys"], &UNTOUCHED],
    all_destroyed: &UNTOUCHED,
};

/// The plan is an error that names both and what to write.
async fn are_refused(twins: &Twins) {
    for_each_engine(async |engine| {
        for order in BLIND_ORDERS {
            let earlier = Earlier::load(engine, twins.case).await;
            let planned = earlier.workspace.plan(order).await.exits(1).says("removed {").says("destroy = false");
            twins.names.into_iter().fold(planned, |planned, name| planned.says(name));
            assert_eq!(earlier.bed.writes(), NOTHING, "{order:?}");
        }
    })
    .await;
}

/// What the plan says to write leaves all as it is, and then nothing is in the way.
async fn one_is_let_go_of(twins: &Twins) {
    for_each_engine(async |engine| {
        for (block, destroyed) in twins.blocks.into_iter().zip(twins.destroyed) {
            let earlier = Earlier::load(engine, twins.case).await;
            let (before, names) = (earlier.azure(), earlier.names());
            earlier.forget(block);
            earlier.workspace.apply(&[]).await.succeeded();
            assert_eq!(
                (earlier.bed.writes(), earlier.azure(), earlier.names()),
                (Vec::new(), before, names),
                "{block}"
            );
            earlier.settled().await;
            earlier.workspace.destroy(&[]).await.succeeded();
            assert_eq!(earlier.azure(), set(destroyed), "{block}");
        }
    })
    .await;
}

async fn are_destroyed_without_a_refresh(twins: &Twins) {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let earlier = Earlier::load(engine, twins.case).await;
            earlier.workspace.destroy(&[&["-refresh=false"], order].concat()).await.succeeded();
            assert_eq!(earlier.azure(), set(twins.all_destroyed), "{order:?}");
            assert!(earlier.workspace.state().await.is_empty());
        }
    })
    .await;
}

/// A block that is taken out without a word takes nothing from who is in the other one: either its objects keep what the
/// other's have, or the plan is an error that says what to write.
async fn one_is_taken_out(twins: &Twins) {
    for_each_engine(async |engine| {
        for block in twins.blocks {
            for order in BLIND_ORDERS {
                let earlier = Earlier::load(engine, twins.case).await;
                earlier.configure(&earlier.instead_of(block, ""));
                let held = earlier.azure();
                let applied = earlier.workspace.apply(order).await;
                let goes = match block {
                    // Only this one has the second role of the pair.
                    "foundryhub_role_assignment.works" if applied.code == Some(0) => set(&["alice writes files"]),
                    _ => BTreeSet::new(),
                };
                assert_eq!(earlier.azure(), &held - &goes, "without {block}, {order:?}: {applied}");
                match applied.code {
                    Some(0) => earlier.settled().await,
                    _ => _ = applied.exits(1).says("removed {").says("destroy = false"),
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn two_hubs_with_the_same_people_are_refused() {
    are_refused(&TWO_HUBS).await;
}

#[tokio::test]
async fn two_hubs_with_the_same_people_are_two_no_more_when_one_is_let_go_of() {
    one_is_let_go_of(&TWO_HUBS).await;
}

#[tokio::test]
async fn two_hubs_with_the_same_people_are_destroyed_without_a_refresh() {
    are_destroyed_without_a_refresh(&TWO_HUBS).await;
}

#[tokio::test]
async fn a_hub_that_is_taken_out_takes_no_role_from_the_people_of_the_other() {
    one_is_taken_out(&TWO_HUBS).await;
}

#[tokio::test]
async fn overlapping_grants_are_refused() {
    are_refused(&OVERLAPPING).await;
}

#[tokio::test]
async fn overlapping_grants_are_two_no_more_when_one_is_let_go_of() {
    one_is_let_go_of(&OVERLAPPING).await;
}

#[tokio::test]
async fn overlapping_grants_are_destroyed_without_a_refresh() {
    are_destroyed_without_a_refresh(&OVERLAPPING).await;
}

#[tokio::test]
async fn a_grant_that_is_taken_out_takes_no_role_from_one_that_overlaps() {
    one_is_taken_out(&OVERLAPPING).await;
}

#[tokio::test]
async fn two_authorizations_of_a_hub_are_refused() {
    are_refused(&TWO_AUTHORIZATIONS).await;
}

#[tokio::test]
async fn two_authorizations_of_a_hub_are_two_no_more_when_one_is_let_go_of() {
    one_is_let_go_of(&TWO_AUTHORIZATIONS).await;
}

#[tokio::test]
async fn two_authorizations_of_a_hub_are_destroyed_without_a_refresh() {
    are_destroyed_without_a_refresh(&TWO_AUTHORIZATIONS).await;
}

#[tokio::test]
async fn an_authorization_that_is_taken_out_leaves_the_hub_to_the_other() {
    one_is_taken_out(&TWO_AUTHORIZATIONS).await;
}

/// States whose assignments have names that a block of today may not give them.
const NAMED_OTHERWISE: [&str; 3] = ["created-grants", "imported-grants", "moved-grants"];

#[tokio::test]
async fn a_block_that_was_renamed_keeps_its_roles_and_the_plan_writes_the_moved_block() {
    for_each_engine(async |engine| {
        for case in NAMED_OTHERWISE {
            for order in ORDERS {
                let earlier = Earlier::load(engine, case).await;
                let before = earlier.azure();
                earlier.configure(&earlier.config.replace("\"alice\"", "\"renamed\""));
                let applied = earlier.workspace.apply(order).await.exits(1);
                let applied = applied.says("This state already holds the role").says("moved {");
                assert_eq!(
                    (earlier.bed.writes(), earlier.azure()),
                    (Vec::new(), before),
                    "{case}, {order:?}: {applied}"
                );
                // That stops a destroy as well, which the text has a way for.
                earlier.workspace.destroy(&[&["-refresh=false"], order].concat()).await.succeeded();
                assert_eq!(earlier.azure(), set(&UNTOUCHED), "{case}, {order:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_block_that_was_renamed_with_a_moved_block_needs_no_change() {
    for_each_engine(async |engine| {
        for case in NAMED_OTHERWISE {
            let earlier = Earlier::load(engine, case).await;
            let (before, names) = (earlier.azure(), earlier.names());
            let renamed = earlier.config.replace("\"alice\"", "\"renamed\"");
            let address = "foundryhub_role_assignment";
            let moved = format!("moved {{\n  from = {address}.alice\n  to   = {address}.renamed\n}}\n");
            earlier.configure(&(renamed + &moved));
            let planned = earlier.workspace.plan(&[]).await;
            planned.says("has moved to").says("Plan: 0 to add, 0 to change, 0 to destroy.");
            earlier.workspace.apply_planned().await.succeeded();
            assert_eq!((earlier.bed.writes(), earlier.azure(), earlier.names()), (Vec::new(), before, names), "{case}");
            earlier.settled().await;
        }
    })
    .await;
}

/// Whoever comes first leaves, so every other object becomes the next one's.
#[tokio::test]
async fn whoever_leaves_a_count_takes_nobody_elses_role() {
    for_each_engine(async |engine| {
        for order in ORDERS {
            let earlier = Earlier::load(engine, "created-by-count").await;
            earlier.configure(&earlier.config.replace("\"aaaaaaaa-0000-4000-8000-000000000001\", ", ""));
            let applied = earlier.workspace.apply(order).await;
            let people = ["bob writes blobs", "bob writes files", "carol writes blobs", "carol writes files"];
            let leaver = ["alice writes blobs", "alice writes files"];
            let stay = [UNTOUCHED.as_slice(), &people].concat();
            match applied.code {
                Some(0) => {
                    assert_eq!(earlier.azure(), set(&stay), "{order:?}: {applied}");
                    earlier.settled().await;
                }
                _ => {
                    assert_eq!(earlier.azure(), set(&[stay.as_slice(), &leaver].concat()), "{order:?}: {applied}");
                    applied.exits(1).says("moved {");
                }
            }
        }
    })
    .await;
}
