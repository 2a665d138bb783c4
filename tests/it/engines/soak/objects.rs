//! What a run manages, what is there beside it, and what others do to it.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    azure::{Assignment, Emulator, HubRole, Lro, Options},
    support::ids::{BLOB_READER_NAME, CONTRIBUTOR_NAMES},
};

use super::{Dice, Sizes};

/// The secret that nothing may show.
pub(super) const SECRET: &str = "planted-S3cret";

const WORKSPACES: &str = "Microsoft.MachineLearningServices/workspaces";
const ACCOUNTS: &str = "Microsoft.Storage/storageAccounts";

/// Somebody whose roles on all accounts are none of ours.
const STRANGER: &str = "eeeeeeee-0000-4000-8000-000000000001";

/// Hubs, accounts and roles in an emulator.
pub(super) struct Objects {
    pub(super) emulator: Emulator,
    pub(super) sizes: Sizes,
    /// What was there at the start: the hubs and accounts whose settings a run changes and puts back, and those of others.
    before: Vec<(String, Value)>,
    foreign: BTreeSet<String>,
}

impl Objects {
    pub(super) async fn new(sizes: Sizes) -> Self {
        let options = Options {
            client_secret: SECRET.to_owned(),
            page_size: 10,
            // Roles on the group would be in the list of every account.
            hub_roles: vec![HubRole::Blob],
            ..Options::default()
        };
        let emulator = Emulator::start(options).await.unwrap();
        let mut objects = Self { emulator, sizes, before: Vec::new(), foreign: BTreeSet::new() };
        let emulator = &objects.emulator;
        emulator.add_principal(STRANGER, "User");
        (0..sizes.grants).for_each(|n| emulator.add_principal(&person(n), "User"));
        for n in 0..sizes.hubs {
            emulator.seed_storage_account(&objects.account("new", n), json!({ "allowSharedKeyAccess": true }));
        }
        for (kind, count) in [("old", objects.old()), ("foreign", 1)] {
            for n in 0..count {
                let (hub, account) = (objects.hub(kind, n), objects.account(kind, n));
                emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": true }));
                emulator.seed_hub(&hub, &account, json!({ "systemDatastoresAuthMode": "accesskey" }));
            }
        }
        for account in objects.accounts() {
            CONTRIBUTOR_NAMES.iter().for_each(|role| _ = emulator.seed_assignment(&account, STRANGER, role));
        }
        objects.foreign = objects.assignments().map(|found| id(&found)).collect();
        let hubs = objects.settings().map(|hub| objects.hub("old", hub)).chain([objects.hub("foreign", 0)]);
        let kept: Vec<_> = hubs.chain(objects.accounts()).collect();
        objects.before =
            kept.into_iter().map(|id| (objects.properties(&id), id)).map(|(found, id)| (id, found)).collect();
        objects
    }

    /// How many hubs were there before.
    fn old(&self) -> usize {
        self.sizes.hubs.div_ceil(5)
    }

    fn settings(&self) -> std::ops::Range<usize> {
        0..self.old()
    }

    fn hub(&self, kind: &str, n: usize) -> String {
        self.emulator.id("rg1", WORKSPACES, &format!("{kind}-{n:02}"))
    }

    fn account(&self, kind: &str, n: usize) -> String {
        self.emulator.id("rg1", ACCOUNTS, &format!("{kind}sa{n:02}"))
    }

    fn accounts(&self) -> Vec<String> {
        let new = (0..self.sizes.hubs).map(|n| self.account("new", n));
        let old = self.settings().map(|n| self.account("old", n));
        new.chain(old).chain([self.account("foreign", 0)]).collect()
    }

    fn properties(&self, id: &str) -> Value {
        self.emulator.resource(id).unwrap_or_else(|| panic!("{id} is gone"))["properties"].clone()
    }

    /// Every second new hub has the account's keys in a foundryhub_storage_auth, the others have them in foundryhub_hub.
    /// Every fifth person has a pair of roles on the account of an old hub, the others one role on that of a new one.
    pub(super) fn configuration(&self) -> String {
        let Sizes { hubs, grants, check, .. } = self.sizes;
        let (pairs, old) = (grants / 5, self.old());
        let (hub, account) = (self.emulator.id("rg1", WORKSPACES, ""), self.emulator.id("rg1", ACCOUNTS, ""));
        format!(
            r#"
resource "foundryhub_hub" "new" {{
  count                     = {hubs}
  name                      = format("new-%02d", count.index)
  resource_group_name       = "rg1"
  location                  = "eastus"
  storage_account_id        = format("{account}newsa%02d", count.index)
  shared_access_key_enabled = count.index % 2 == 0 ? false : null
  description               = "ours"
  tags                      = {{ purpose = "soak" }}
  access_check              = "off"
  purge_on_destroy          = true
}}
resource "foundryhub_storage_auth" "new" {{
  count                     = {half}
  hub_id                    = foundryhub_hub.new[count.index * 2 + 1].id
  shared_access_key_enabled = false
  restore_to                = {{ shared_access_key_enabled = true }}
  access_check              = "off"
}}
resource "foundryhub_storage_auth" "old" {{
  count                     = {old}
  hub_id                    = format("{hub}old-%02d", count.index)
  shared_access_key_enabled = false
  restore_to                = {{ system_datastores_auth_mode = "accesskey", shared_access_key_enabled = true }}
  access_check              = "{check}"
  depends_on                = [foundryhub_role_assignment.pair]
}}
resource "foundryhub_role_assignment" "single" {{
  count                = {singles}
  hub_id               = foundryhub_hub.new[count.index % {hubs}].id
  principal_id         = format("{PEOPLE}%012d", {pairs} + count.index)
  role_definition_name = "{BLOB_READER_NAME}"
}}
resource "foundryhub_role_assignment" "pair" {{
  count              = {pairs}
  storage_account_id = format("{account}oldsa%02d", count.index % {old})
  principal_id       = format("{PEOPLE}%012d", count.index)
  access             = "contributor"
}}
"#,
            half = hubs / 2,
            singles = grants - pairs,
        )
    }

    /// The block that imports a hub.
    pub(super) fn import(hub: &str) -> String {
        let (_, index) = hub.rsplit_once("new-").expect("a hub of the run");
        let index: usize = index.parse().expect("a hub's number");
        format!("import {{\n  to = foundryhub_hub.new[{index}]\n  id = \"{hub}\"\n}}\n")
    }

    /// Has operations begin in another way.
    pub(super) fn shuffle(&self, dice: &mut Dice) {
        let shapes = [Lro::Updating, Lro::Location, Lro::Async, Lro::OperationLocation, Lro::Both, Lro::Bare];
        let shape = shapes[dice.below(shapes.len())];
        self.emulator.configure(|options| options.lro = shape);
    }

    /// Lets some time go by: an assignment that lacks within minutes of its creation may be there all the same
    /// (azure.md §3.4), so that a plan does not take it for gone.
    pub(super) fn settle(&self) {
        self.emulator.advance(Duration::from_secs(600));
    }

    /// What others do: some of everything is changed or removed.
    pub(super) fn drift(&self, dice: &mut Dice) {
        self.settle();
        let ours: Vec<_> = self.ours().collect();
        for n in dice.some_below(ours.len() / 10 + 1, ours.len()) {
            self.emulator.remove_assignment(&ours[n].name);
        }
        let (hubs, few) = (self.sizes.hubs, self.sizes.hubs / 10 + 1);
        for n in dice.some_below(few, self.old()) {
            self.emulator.set_mode(&self.hub("old", n), "accesskey");
        }
        for n in dice.some_below(few, self.old()) {
            self.emulator.set_shared_key_access(&self.account("old", n), Some(true));
        }
        for n in dice.some_below(few, hubs) {
            self.emulator.set_shared_key_access(&self.account("new", n), Some(true));
        }
        for n in dice.some_below(few, hubs) {
            if self.emulator.resource(&self.hub("new", n)).is_some() {
                self.emulator.change(&self.hub("new", n), |hub| {
                    hub["tags"] = json!({ "purpose": "other", "theirs": "yes" });
                    hub["properties"]["description"] = json!("theirs");
                });
            }
        }
        let deleted = self.hub("new", 2 * dice.below(hubs.div_ceil(2)));
        if self.emulator.resource(&deleted).is_some() {
            self.emulator.remove(&deleted);
        }
    }

    /// The role assignments that the platform gave no hub.
    fn assignments(&self) -> impl Iterator<Item = Assignment> {
        let hubs = (0..self.sizes.hubs).map(|n| self.hub("new", n)).chain(self.settings().map(|n| self.hub("old", n)));
        let identities: BTreeSet<_> = hubs
            .filter_map(|hub| Some(self.emulator.resource(&hub)?["identity"]["principalId"].as_str()?.to_owned()))
            .collect();
        self.emulator.assignments().into_iter().filter(move |found| !identities.contains(&found.principal_id))
    }

    fn ours(&self) -> impl Iterator<Item = Assignment> {
        self.assignments().filter(|found| !self.foreign.contains(&id(found)))
    }

    /// Passes if Azure has what the state has, object by object, and both have what the configuration says.
    pub(super) fn agree(&self, state: State) {
        let Sizes { hubs, grants, .. } = self.sizes;
        let counts = [
            state.count("foundryhub_hub"),
            state.count("foundryhub_storage_auth"),
            state.count("foundryhub_role_assignment"),
        ];
        assert_eq!(counts, [hubs, hubs / 2 + self.old(), grants]);

        let mut held: Vec<_> = state.of("foundryhub_role_assignment").flat_map(assignment_ids).collect();
        let mut there: Vec<_> = self.ours().map(|found| id(&found)).collect();
        held.sort();
        there.sort();
        assert_eq!(held.len(), grants + grants / 5);
        assert_eq!(held, there, "the role assignments in the state, and in Azure");
        let granted: BTreeSet<_> = self.ours().map(|found| (found.scope, found.principal_id, found.role)).collect();
        assert_eq!(granted.len(), there.len(), "a role is assigned twice");

        for hub in state.of("foundryhub_hub") {
            let there = self.emulator.resource(text(&hub["id"])).expect("the hub in Azure");
            let read = (&there["properties"]["description"], &there["tags"]["purpose"]);
            assert_eq!(read, (&json!("ours"), &json!("soak")), "{hub}");
            assert_eq!((&hub["description"], &hub["tags"]["purpose"]), read);
        }
        for auth in state.of("foundryhub_storage_auth") {
            let (hub, account) =
                (self.properties(text(&auth["hub_id"])), self.properties(text(&auth["storage_account_id"])));
            let keys = &account["allowSharedKeyAccess"];
            assert_eq!((&auth["shared_access_key_enabled"], keys), (&json!(false), &json!(false)), "{auth}");
            let modes = [&auth["system_datastores_auth_mode"], &hub["systemDatastoresAuthMode"]];
            modes.iter().for_each(|mode| assert!(text(mode).eq_ignore_ascii_case("identity"), "{auth}"));
        }
        for n in (0..hubs).step_by(2) {
            assert_eq!(self.properties(&self.account("new", n))["allowSharedKeyAccess"], false);
        }
        self.others_are_untouched();
    }

    /// Passes if nothing of ours is left, and what was there before is as it was. The accounts whose keys foundryhub_hub
    /// turned off keep them off.
    pub(super) fn are_gone(&self, state: State) {
        assert_eq!(state.0.len(), 0, "the state has objects");
        assert_eq!(self.ours().map(|found| id(&found)).collect::<Vec<_>>(), [""; 0]);
        for n in 0..self.sizes.hubs {
            assert_eq!(self.emulator.resource(&self.hub("new", n)), None);
        }
        for (id, before) in &self.before {
            let (mut now, mut before) = (self.properties(id), before.clone());
            if (0..self.sizes.hubs).step_by(2).any(|n| *id == self.account("new", n)) {
                assert_eq!(now["allowSharedKeyAccess"], false, "{id}");
                now["allowSharedKeyAccess"].take();
                before["allowSharedKeyAccess"].take();
            }
            assert_eq!(now, before, "{id}");
        }
        self.others_are_untouched();
    }

    fn others_are_untouched(&self) {
        let there: BTreeSet<_> = self.assignments().map(|found| id(&found)).collect();
        assert!(
            self.foreign.is_subset(&there),
            "assignments of others are gone: {:?}",
            self.foreign.difference(&there)
        );
        for foreign in [self.hub("foreign", 0), self.account("foreign", 0)] {
            let (_, before) = self.before.iter().find(|(id, _)| *id == foreign).expect("what was noted at the start");
            assert_eq!(self.properties(&foreign), *before);
        }
    }
}

/// What the ids of all people begin with.
const PEOPLE: &str = "aaaaaaaa-0000-4000-8000-";

fn person(n: usize) -> String {
    format!("{PEOPLE}{n:012}")
}

fn id(found: &Assignment) -> String {
    format!("{}/providers/Microsoft.Authorization/roleAssignments/{}", found.scope, found.name).to_ascii_lowercase()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn assignment_ids(grant: &Value) -> Vec<String> {
    let held = grant["role_assignments"].as_object().unwrap_or_else(|| panic!("{grant} has no assignments"));
    held.values().map(|held| text(&held["id"]).to_ascii_lowercase()).collect()
}

/// The objects in a state: type and attributes.
pub(super) struct State(pub(super) Vec<(String, Value)>);

impl State {
    /// Reads a state file; `None` if it is cut in the middle.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let state: Value = serde_json::from_slice(file).ok()?;
        let mut objects = Vec::new();
        for resource in state["resources"].as_array()? {
            for instance in resource["instances"].as_array()? {
                objects.push((text(&resource["type"]).to_owned(), instance["attributes"].clone()));
            }
        }
        Some(Self(objects))
    }

    fn of<'s>(&'s self, type_name: &str) -> impl Iterator<Item = &'s Value> {
        self.0.iter().filter(move |(name, _)| name == type_name).map(|(_, object)| object)
    }

    fn count(&self, type_name: &str) -> usize {
        self.of(type_name).count()
    }
}
