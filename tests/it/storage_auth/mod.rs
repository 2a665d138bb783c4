//! foundryhub_storage_auth over the protocol, against the emulator.

mod access;
mod beside_azurerm;
mod deleted_hub;
mod destroy;
mod empty;
mod failures;
mod interrupted;
mod killed;
mod lifecycle;
mod many_hubs;
mod original;
mod states;
mod two_resources;

use serde_json::{Value, json};

use crate::azure::{Action as Fault, Operations, Options, Outcome, Record, Rule};
use crate::support::{
    bed::Bed,
    core::Report,
    ids::{ALICE, BOB, CAROL},
};

const TYPE: &str = "foundryhub_storage_auth";

/// The hub is on identity, and its account allows no shared keys.
const KEYLESS: (&str, Option<bool>) = ("identity", Some(false));

/// The hub uses a key of its account, which allows keys explicitly.
const WITH_KEYS: (&str, Option<bool>) = ("accesskey", Some(true));

/// The hub uses a key of its account, which allows keys by default, as both are at first in a bed.
const UNTOUCHED: (&str, Option<bool>) = ("accesskey", None);

async fn bed() -> Bed {
    bed_with(|_| {}).await
}

async fn bed_with(change: impl FnOnce(&mut Options)) -> Bed {
    Bed::new(TYPE, short, change).await
}

impl Bed {
    /// Hub on identity, keys off, without the access check.
    fn keyless(&self) -> Value {
        json!({ "hub_id": self.hub, "shared_access_key_enabled": false, "access_check": "off" })
    }

    /// The hub's mode as the configuration writes it.
    fn mode(&self) -> &'static str {
        let hub = self.emulator.resource(&self.hub).expect("the hub");
        let mode = hub.pointer("/properties/systemDatastoresAuthMode").and_then(Value::as_str).unwrap_or_default();
        let mode = if mode.is_empty() { "accesskey" } else { mode };
        let known = ["identity", "accesskey", "userdelegationsas"];
        known.into_iter().find(|known| mode.eq_ignore_ascii_case(known)).expect("a mode")
    }

    /// Whether the account allows shared keys; none where the property was never set.
    fn keys(&self) -> Option<bool> {
        let account = self.emulator.resource(&self.account).expect("the account");
        account.pointer("/properties/allowSharedKeyAccess").and_then(Value::as_bool)
    }

    /// The hub's mode, and whether its account allows shared keys.
    fn settings(&self) -> (&'static str, Option<bool>) {
        (self.mode(), self.keys())
    }

    fn fault(&self, rule: Rule) {
        self.emulator.fault(rule);
    }

    /// Lets the running operations succeed, and later ones end by themselves.
    fn finish_operations(&self) {
        self.emulator.configure(|options| options.operations = Operations::Auto);
        for operation in self.emulator.running_operations() {
            self.emulator.finish_operation(&operation.id, Outcome::Succeeded);
        }
    }
}

/// `PATCH hub1 identity`, `PATCH sa1 false`, `GET hub1`.
fn short(record: &Record) -> String {
    let name = record.path.rsplit('/').next().unwrap_or_default();
    let body = &record.body["properties"];
    match (body.get("systemDatastoresAuthMode"), body.get("allowSharedKeyAccess")) {
        (Some(mode), _) => format!("{} {name} {}", record.method, mode.as_str().unwrap_or_default()),
        (_, Some(keys)) => format!("{} {name} {keys}", record.method),
        _ => format!("{} {name}", record.method),
    }
}

fn on_account(action: Fault) -> Rule {
    Rule::on("PATCH", "*/storageAccounts/sa1", action)
}

fn on_hub(action: Fault) -> Rule {
    Rule::on("PATCH", "*/workspaces/hub1", action)
}

/// Passes if the apply has replaced the tainted object of a create that failed, with no message but the one that the
/// original settings were handed to the replacement.
#[track_caller]
fn replaced_tainted(report: Report) -> Report {
    let report = report.ok();
    let [warning] = &report.diagnostics.0[..] else { panic!("{}", report.diagnostics) };
    assert_eq!(warning.summary, "Original settings are kept by the replacement");
    assert!(warning.detail.contains("restore_to = { system_datastores_auth_mode = \"accesskey\""), "{warning}");
    report
}
