//! foundryhub_hub over the protocol, against the emulator.

mod beside_azurerm;
mod create;
mod declared;
mod delete;
mod identity_roles;
mod killed;
mod lifecycle;
mod many_hubs;
mod refusals;
mod states;
mod two_resources;
mod update;

use serde_json::{Value, json};

use crate::azure::{Action as Fault, Options, Record, Rule};
use crate::support::bed::Bed;

const TYPE: &str = "foundryhub_hub";

async fn bed() -> Bed {
    bed_with(|_| {}).await
}

async fn bed_with(change: impl FnOnce(&mut Options)) -> Bed {
    Bed::new(TYPE, short, change).await
}

impl Bed {
    /// The id of the hub that the tests make, beside `hub1` which is there.
    fn own_hub(&self) -> String {
        self.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "hub2")
    }

    fn vault(&self) -> String {
        self.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1")
    }

    /// The least that makes a hub, without the access check.
    fn minimal(&self) -> Value {
        json!({
            "name": "hub2", "resource_group_name": "rg1", "location": "eastus", "storage_account_id": self.account,
            "key_vault_id": self.vault(), "access_check": "off",
        })
    }

    /// The same with these further arguments.
    fn with(&self, more: Value) -> Value {
        merged(self.minimal(), more)
    }

    /// The hub in Azure; null where it is not there.
    fn in_azure(&self) -> Value {
        self.emulator.resource(&self.own_hub()).unwrap_or_default()
    }

    /// Whether the account allows shared keys; none where the property was never set.
    fn shared_keys(&self) -> Option<bool> {
        let account = self.emulator.resource(&self.account).expect("the account");
        account.pointer("/properties/allowSharedKeyAccess").and_then(Value::as_bool)
    }

    /// The bodies of the requests with this method that went to the hub.
    fn sent(&self, method: &str) -> Vec<Value> {
        let all = self.emulator.arm_requests().into_iter();
        let hub = self.own_hub().to_lowercase();
        all.filter(|it| it.method == method && it.path.to_lowercase() == hub).map(|it| it.body).collect()
    }
}

/// An object with the members of another one; null takes a member out.
fn merged(mut base: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        match value {
            Value::Null => _ = base.as_object_mut().expect("an object").remove(name),
            value => base[name] = value.clone(),
        }
    }
    base
}

/// `PUT hub2`, `PATCH sa1 false`, `DELETE hub2 purge`.
fn short(record: &Record) -> String {
    let name = record.path.rsplit('/').next().unwrap_or_default();
    let purges = record.query.iter().any(|(name, value)| name == "forceToPurge" && value == "true");
    match record.body.pointer("/properties/allowSharedKeyAccess") {
        Some(keys) => format!("{} {name} {keys}", record.method),
        None if purges => format!("{} {name} purge", record.method),
        None => format!("{} {name}", record.method),
    }
}

fn on_hub(method: &str, action: Fault) -> Rule {
    Rule::on(method, "*/workspaces/hub2", action)
}
