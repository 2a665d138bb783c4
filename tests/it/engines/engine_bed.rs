//! The bed of a resource's tests under real engines (see `main.rs`).

use serde_json::{Value, json};

use crate::support::ids::CONTRIBUTOR_NAMES;
pub(crate) use crate::support::ids::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, FILE_CONTRIBUTOR, FILE_READER};
use crate::{
    azure::{Emulator, Options, Record},
    support::{
        bed::is_write,
        engine::{Engine, Workspace},
    },
};

/// The address of [`EngineBed::role_assignment`].
pub(crate) const ROLE_ASSIGNMENT_ADDRESS: &str = "foundryhub_role_assignment.alice";

/// The address of [`EngineBed::storage_auth`].
pub(crate) const STORAGE_AUTH_ADDRESS: &str = "foundryhub_storage_auth.hub";

/// No warnings, no writes, no roles.
pub(crate) const NOTHING: [&str; 0] = [];

/// The hub is on identity, and its account allows no shared keys.
pub(crate) const KEYLESS: (&str, bool) = ("identity", false);

/// The hub uses a key of its account, as it does at first in a bed.
pub(crate) const WITH_KEYS: (&str, bool) = ("accesskey", true);

/// Arguments with which an engine plans and applies its objects in different orders.
pub(crate) const ORDERS: [&[&str]; 2] = [&[], &["-parallelism=1"]];

/// The same with a refresh and without.
pub(crate) const ORDERS_AND_REFRESHES: [&[&str]; 4] =
    [&[], &["-parallelism=1"], &["-refresh=false"], &["-refresh=false", "-parallelism=1"]];

/// An emulator with a hub that uses its account's keys; tests run engines against it.
pub(crate) struct EngineBed {
    pub(crate) emulator: Emulator,
    pub(crate) hub: String,
    pub(crate) account: String,
}

impl EngineBed {
    pub(crate) async fn new() -> Self {
        Self::with(Options::quick()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let bed = Self::around(Emulator::start(options).await.unwrap());
        bed.emulator.add_principal(ALICE, "User");
        bed.emulator.seed_storage_account(&bed.account, json!({ "allowSharedKeyAccess": true }));
        bed.emulator.seed_hub(&bed.hub, &bed.account, json!({ "systemDatastoresAuthMode": "accesskey" }));
        bed
    }

    /// A bed around an emulator that has the hub and its account already.
    pub(crate) fn around(emulator: Emulator) -> Self {
        let hub = emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "hub1");
        let account = emulator.id("rg1", "Microsoft.Storage/storageAccounts", "sa1");
        Self { emulator, hub, account }
    }

    /// An engine that is signed in to the emulator, and this configuration.
    pub(crate) fn workspace(&self, engine: &'static Engine, config: &str) -> Workspace {
        let workspace = Workspace::new(engine).envs(self.emulator.environment());
        workspace.config(config);
        workspace
    }

    /// The same, with the configuration applied.
    pub(crate) async fn applied(&self, engine: &'static Engine, config: &str) -> Workspace {
        let workspace = self.workspace(engine, config);
        workspace.apply(&[]).await.succeeded();
        workspace
    }

    /// Another hub of this name on the account, on keys as the first one.
    pub(crate) fn another_hub(&self, name: &str) -> String {
        let hub = self.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", name);
        self.emulator.seed_hub(&hub, &self.account, json!({ "systemDatastoresAuthMode": "accesskey" }));
        hub
    }

    /// The mode of a hub, as Azure has it.
    pub(crate) fn mode_of(&self, hub: &str) -> String {
        let hub = self.emulator.resource(hub).unwrap();
        hub["properties"]["systemDatastoresAuthMode"].as_str().unwrap().to_owned()
    }

    /// The contributor roles of one person on the hub's account.
    pub(crate) fn role_assignment(&self) -> String {
        let hub = &self.hub;
        format!(
            "resource \"foundryhub_role_assignment\" \"alice\" {{\n  \
               hub_id       = \"{hub}\"\n  principal_id = \"{ALICE}\"\n  access       = \"contributor\"\n\
             }}\n"
        )
    }

    /// The hub's storage authorization, with these further arguments.
    pub(crate) fn storage_auth(&self, lines: &str) -> String {
        format!("resource \"foundryhub_storage_auth\" \"hub\" {{\n  hub_id = \"{}\"\n  {lines}\n}}\n", self.hub)
    }

    /// The same with the hub on identity and keys off, without the access check.
    pub(crate) fn keyless(&self, lines: &str) -> String {
        self.storage_auth(&format!("shared_access_key_enabled = false\n  access_check = \"off\"\n  {lines}"))
    }

    /// Adds so many people to the directory.
    pub(crate) fn people(&self, count: usize) -> Vec<String> {
        let people: Vec<_> = (10..10 + count).map(|n| format!("aaaaaaaa-0000-4000-8000-0000000000{n}")).collect();
        people.iter().for_each(|id| self.emulator.add_principal(id, "User"));
        people
    }

    /// Gives somebody the contributor roles on the account, under names that are not the provider's.
    pub(crate) fn seed_contributor(&self, principal: &str) {
        for role in CONTRIBUTOR_NAMES {
            self.emulator.seed_assignment(&self.account, principal, role);
        }
    }

    /// The roles that one person holds on the account, as GUIDs in order.
    pub(crate) fn held(&self, principal: &str) -> Vec<String> {
        let held = self.emulator.assignments().into_iter().filter(|found| found.principal_id == principal);
        let mut roles: Vec<_> = held.map(|found| found.role).collect();
        roles.sort();
        roles
    }

    /// What resources can change in Azure: the hub's mode, whether the account allows keys, and who holds which role,
    /// less what the platform gave the hub itself.
    pub(crate) fn in_azure(&self) -> (Value, Value, Vec<(String, String)>) {
        let (hub, account) =
            (self.emulator.resource(&self.hub).unwrap(), self.emulator.resource(&self.account).unwrap());
        let assignments = self.emulator.assignments().into_iter().map(|found| (found.principal_id, found.role));
        let mut assignments: Vec<_> =
            assignments.filter(|(principal, _)| hub["identity"]["principalId"] != *principal).collect();
        assignments.sort();
        let keys = &account["properties"]["allowSharedKeyAccess"];
        (hub["properties"]["systemDatastoresAuthMode"].clone(), keys.clone(), assignments)
    }

    /// The hub's mode, and whether its account allows keys.
    pub(crate) fn settings(&self) -> (&'static str, bool) {
        let (mode, keys, _) = self.in_azure();
        let known = ["identity", "accesskey", "userdelegationsas"];
        let mode = known.into_iter().find(|known| mode.as_str().is_some_and(|mode| mode.eq_ignore_ascii_case(known)));
        (mode.expect("a mode"), keys.as_bool().expect("keys on or off"))
    }

    /// What was written since the last look: `PATCH hub1 identity`, `PATCH sa1 false`, `PUT role`, in order of arrival.
    pub(crate) fn writes(&self) -> Vec<String> {
        let all = self.emulator.arm_requests();
        self.emulator.clear_requests();
        all.iter().filter(|record| is_write(record)).map(short).collect()
    }

    /// How many requests with this method went to Azure Resource Manager.
    pub(crate) fn sent(&self, method: &str) -> usize {
        self.emulator.arm_requests().iter().filter(|request| request.method == method).count()
    }
}

/// How the role assignments of several people are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    ForEach,
    Count,
}

/// The contributor roles of all these people in one block. `target` is the argument that names the hub, the account or
/// the scope.
pub(crate) fn role_assignments(name: &str, repeat: Repeat, people: &[String], target: &str) -> String {
    let repeated = match repeat {
        Repeat::ForEach => format!("for_each     = toset({people:?})\n  principal_id = each.value"),
        Repeat::Count => format!("count        = {}\n  principal_id = {people:?}[count.index]", people.len()),
    };
    format!(
        "resource \"foundryhub_role_assignment\" \"{name}\" {{\n  {repeated}\n  {target}\n  access       = \"contributor\"\n}}\n"
    )
}

/// A write in short.
fn short(request: &Record) -> String {
    let (method, properties) = (&request.method, &request.body["properties"]);
    let name = request.path.rsplit('/').next().unwrap_or_default();
    match (&properties["systemDatastoresAuthMode"], &properties["allowSharedKeyAccess"]) {
        _ if request.path.contains("/roleAssignments/") => format!("{method} role"),
        (Value::String(mode), _) => format!("{method} {name} {mode}"),
        (_, Value::Bool(keys)) => format!("{method} {name} {keys}"),
        _ => format!("{method} {name}"),
    }
}
