//! The module `keyless-hubs`: three hubs, two of them on one account.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;

use super::engine_bed::{NOTHING, ORDERS};
use crate::{
    azure::{Emulator, Options},
    support::engine::{Engine, Workspace, for_each_engine_that},
};

const MODULE: &str = "examples/modules/keyless-hubs";

/// What the module's example speaks of. The names are those of the group, the accounts and the hubs there.
const SEED: &str = "
principals:
  - { id: aaaaaaaa-0000-4000-8000-000000000002, type: User }
  - { id: aaaaaaaa-0000-4000-8000-000000000003, type: Group }
  - { id: aaaaaaaa-0000-4000-8000-000000000004, type: ServicePrincipal }
storage_accounts:
  - { name: shared, resource_group: rg-ai, properties: { allowSharedKeyAccess: true } }
  - { name: alone, resource_group: rg-ai, properties: { allowSharedKeyAccess: true } }
workspaces:
  - { name: sales, resource_group: rg-ai, kind: Hub, properties: { storageAccount: shared, systemDatastoresAuthMode: accesskey } }
  - { name: support, resource_group: rg-ai, kind: Hub, properties: { storageAccount: shared, systemDatastoresAuthMode: accesskey } }
  - { name: research, resource_group: rg-ai, kind: Hub, properties: { storageAccount: alone, systemDatastoresAuthMode: accesskey } }
";

/// All hubs on keys, all without, and those on their way.
const WITH_KEYS: [&str; 5] =
    ["sales accesskey", "support accesskey", "research accesskey", "shared true", "alone true"];
const SWITCHED: [&str; 5] = ["sales identity", "support identity", "research identity", "shared true", "alone true"];
const KEYLESS: [&str; 5] = ["sales identity", "support identity", "research identity", "shared false", "alone false"];

const DISABLE: &str = "-var=disable_keys=true";

/// How old roles are before keys go off.
const SETTLED: Duration = Duration::from_secs(600);

async fn bed() -> Emulator {
    let emulator = Emulator::start(Options::quick()).await.unwrap();
    emulator.seed(SEED);
    emulator
}

/// Copies the files of the module itself.
fn copy_module(to: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(MODULE);
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

/// The module's example, with the module where the example has it.
async fn example(emulator: &Emulator, engine: &'static Engine) -> Workspace {
    let workspace = Workspace::new(engine).envs(emulator.environment());
    workspace.copy(&format!("{MODULE}/example"));
    copy_module(&workspace.path().join(".."));
    workspace.run(&["get"]).await.succeeded();
    workspace
}

/// Lets the example not wait, since the platform's own roles are new as well.
fn do_not_wait(workspace: &Workspace) {
    let file = workspace.path().join("main.tf");
    let text = fs::read_to_string(&file).unwrap();
    let own = "shared_access_key_enabled = var";
    assert!(text.contains(own), "{text}");
    fs::write(&file, text.replace(own, &format!("grant_settle_time = \"0s\"\n  {own}"))).unwrap();
}

/// The modes of the hubs and whether the accounts accept keys, as Azure has them.
fn in_azure(emulator: &Emulator) -> Vec<String> {
    let properties =
        |kind: &str, name: &str| emulator.resource(&emulator.id("rg-ai", kind, name)).unwrap()["properties"].take();
    let mode = |name: &str| {
        let found = properties("Microsoft.MachineLearningServices/workspaces", name);
        format!("{name} {}", found["systemDatastoresAuthMode"].as_str().unwrap())
    };
    let keys = |name: &str| {
        let found = properties("Microsoft.Storage/storageAccounts", name);
        format!("{name} {}", found["allowSharedKeyAccess"])
    };
    ["sales", "support", "research"]
        .iter()
        .map(|name| mode(name))
        .chain(["shared", "alone"].iter().map(|name| keys(name)))
        .collect()
}

/// How many roles people and identities other than the hubs' own hold.
fn roles(emulator: &Emulator) -> usize {
    emulator.assignments().iter().filter(|found| found.principal_id.starts_with("aaaaaaaa-")).count()
}

#[tokio::test]
async fn roles_come_once_per_account_then_the_hubs_then_the_keys_and_destroying_restores_all() {
    for_each_engine_that(Engine::knows_functions, async |engine| {
        for order in ORDERS {
            let emulator = bed().await;
            let workspace = example(&emulator, engine).await;
            assert_eq!(workspace.apply(order).await.succeeded().warnings(), NOTHING);
            assert_eq!(in_azure(&emulator), SWITCHED);
            assert_eq!(roles(&emulator), 5 + 2, "two pairs and one on the shared account, a pair on the other");
            workspace.plan(&[]).await.exits(0);

            emulator.advance(SETTLED);
            let disable = [&[DISABLE], order].concat();
            assert_eq!(workspace.apply(&disable).await.succeeded().warnings(), NOTHING);
            assert_eq!(in_azure(&emulator), KEYLESS);
            assert_eq!(workspace.plan(&[DISABLE]).await.exits(0).warnings(), NOTHING);
            let hubs = workspace.outputs().await["hubs"]["value"].clone();
            let ids = hubs["support"]["role_assignment_ids"].as_object().unwrap();
            assert_eq!(ids.len(), 3, "{hubs}");
            let assigned = emulator.assignments().into_iter().map(|found| {
                let (scope, name) = (found.scope, found.name);
                Value::from(format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}"))
            });
            let assigned: Vec<_> = assigned.collect();
            assert!(ids.values().all(|id| assigned.contains(id)), "{hubs}");
            assert_eq!(hubs["support"]["shared_access_key_enabled"], false);
            assert_eq!(
                hubs["research"]["storage_account_id"],
                Value::from(emulator.id("rg-ai", "Microsoft.Storage/storageAccounts", "alone"))
            );

            workspace.destroy(&disable).await.succeeded();
            assert_eq!((in_azure(&emulator), roles(&emulator)), (WITH_KEYS.map(str::to_owned).to_vec(), 0));
        }
    })
    .await;
}

#[tokio::test]
async fn in_one_apply_keys_of_an_account_go_off_after_all_its_hubs_or_not_at_all() {
    for_each_engine_that(Engine::knows_functions, async |engine| {
        let emulator = bed().await;
        let workspace = example(&emulator, engine).await;
        do_not_wait(&workspace);
        let applied = workspace.apply(&[DISABLE, "-parallelism=1"]).await.exits(1);
        applied.says("Other workspaces use the keys").says("-parallelism=2");
        assert_eq!(in_azure(&emulator)[3], "shared true");
        emulator.clear_requests();
        workspace.apply(&[DISABLE]).await.succeeded();
        assert_eq!(in_azure(&emulator), KEYLESS);
        let writes: Vec<_> = emulator.arm_requests().into_iter().filter(|request| request.method == "PATCH").collect();
        let at = |name: &str| writes.iter().position(|write| write.path.ends_with(&format!("/{name}")));
        assert!(at("shared") > at("sales") && at("shared") > at("support"), "{writes:?}");
    })
    .await;
}

#[tokio::test]
async fn the_modules_own_tests_need_no_azure() {
    for_each_engine_that(Engine::knows_functions, async |engine| {
        let workspace = Workspace::new(engine);
        copy_module(&workspace.path());
        workspace.run(&["test", "-no-color"]).await.succeeded().says("Success! 8 passed, 0 failed.");
    })
    .await;
}
