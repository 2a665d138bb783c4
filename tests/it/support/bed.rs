//! The bed of a resource's tests over the protocol (see `main.rs`).

use std::{ops::Deref, sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    core::{Core, Plan, Report, Resource, resource},
    ids::ALICE,
};
use crate::azure::{Action as Fault, Options, Record, Rule};
use crate::emulator::client::{Arm, arm_with};

/// The types of resources.
pub(crate) const AUTH: &str = "foundryhub_storage_auth";
pub(crate) const ROLE: &str = "foundryhub_role_assignment";
pub(crate) const HUB: &str = "foundryhub_hub";

/// An emulator with a hub in access-key mode on a storage account, and a working directory that is signed in to it.
/// Most tests are about one resource of one type, whose name in the configuration is `a`.
pub(crate) struct Bed {
    pub(crate) arm: Arc<Arm>,
    pub(crate) core: Core,
    pub(crate) type_name: &'static str,
    short: fn(&Record) -> String,
}

impl Deref for Bed {
    type Target = Arm;

    fn deref(&self) -> &Arm {
        &self.arm
    }
}

impl Bed {
    /// A bed for tests of a resource type; `short` says how its requests are abbreviated.
    pub(crate) async fn new(
        type_name: &'static str,
        short: fn(&Record) -> String,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let change = |options: &mut Options| {
            *options = Options::quick();
            change(options);
        };
        let arm = Arc::new(arm_with(change).await);
        let environment = arm.emulator.environment();
        let core = environment.into_iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
        arm.emulator.clear_requests();
        Self { arm, core, type_name, short }
    }

    /// An object of every type: the hub on identity with keys off, somebody's roles, and a new hub.
    pub(crate) fn of_every_type(&self) -> Vec<Resource> {
        let auth = json!({ "hub_id": self.hub, "shared_access_key_enabled": false, "access_check": "off" });
        let role = json!({ "storage_account_id": self.account, "principal_id": ALICE, "access": "reader" });
        // The account does not change any more when the hub has looked at it.
        let new = resource(HUB, "a", self.new_hub()).depends_on(AUTH, "a");
        vec![resource(AUTH, "a", auth), resource(ROLE, "a", role), new]
    }

    /// The configuration of a hub on identity, `hub2`, on the same account.
    pub(crate) fn new_hub(&self) -> Value {
        json!({
            "name": "hub2", "resource_group_name": "rg1", "location": "eastus", "storage_account_id": self.account,
            "key_vault_id": self.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1"),
            "system_datastores_auth_mode": "identity", "access_check": "off",
        })
    }

    /// What [`Self::of_every_type`] is about: whether `hub2` is there, the mode of `hub1`, whether its account allows keys,
    /// and how many roles Alice has.
    pub(crate) fn in_azure_of_every_type(&self) -> Value {
        let own = self.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "hub2");
        let (hub, account) = (self.emulator.resource(&self.hub), self.emulator.resource(&self.account));
        json!([
            self.emulator.resource(&own).is_some(),
            hub.expect("the hub")["properties"]["systemDatastoresAuthMode"],
            account.expect("the account")["properties"]["allowSharedKeyAccess"],
            self.emulator.assignments().iter().filter(|found| found.principal_id == ALICE).count(),
        ])
    }

    pub(crate) async fn plan(&mut self, config: &Value) -> Plan {
        self.core.plan(self.type_name, "a", config.clone()).await
    }

    pub(crate) async fn apply(&mut self, config: &Value) -> Report {
        self.core.apply(self.type_name, "a", config.clone()).await
    }

    pub(crate) async fn destroy(&mut self) -> Report {
        self.core.destroy(self.type_name, "a").await
    }

    /// Gives a principal these roles on the account, under names that are not the provider's.
    pub(crate) fn seed_roles(&self, principal: &str, roles: &[&str]) {
        for role in roles {
            self.emulator.seed_assignment(&self.account, principal, role);
        }
    }

    pub(crate) fn state(&self) -> Value {
        self.core.state(self.type_name, "a")
    }

    /// Makes signing in take so long that whatever a walk begins with has begun meanwhile.
    pub(crate) fn slow_sign_in(&self) {
        let slow = Rule::on("POST", "*/oauth2/v2.0/token", Fault::Slow).delay(Duration::from_millis(500));
        self.emulator.fault(slow);
    }

    /// The ARM requests since the last look, as method and what they are about.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.emulator.arm_requests().iter().map(self.short).collect();
        self.emulator.clear_requests();
        requests
    }

    /// The writes among the ARM requests since the last look.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.emulator.arm_requests().iter().filter(|record| is_write(record)).map(self.short).collect();
        self.emulator.clear_requests();
        writes
    }
}

/// Whether a request changes something. The question what policies would refuse is too long for a GET (azure.md §13.7).
pub(crate) fn is_write(record: &Record) -> bool {
    record.method != "GET" && !record.path.ends_with("/checkPolicyRestrictions")
}
