//! foundryhub_storage_auth over the protocol, against the emulator.

mod access;
mod deleted_hub;
mod destroy;
mod empty;
mod failures;
mod lifecycle;
mod original;
mod states;
mod succession;

use serde_json::{Value, json};

use crate::azure::{Action as Fault, Lro, Options, Record, Rule};
use crate::support::{
    bed::Bed,
    core::Report,
    ids::{ALICE, BOB, CAROL},
};

const TYPE: &str = "foundryhub_storage_auth";

async fn bed() -> Bed {
    bed_with(|_| {}).await
}

async fn bed_with(change: impl FnOnce(&mut Options)) -> Bed {
    let quick = |options: &mut Options| {
        options.lro = Lro::Done;
        change(options);
    };
    Bed::new(TYPE, short, quick).await
}

impl Bed {
    /// Hub on identity, keys off, without the access check.
    fn keyless(&self) -> Value {
        json!({ "hub_id": self.hub, "shared_access_key_enabled": false, "access_check": "off" })
    }

    fn mode(&self) -> String {
        let hub = self.emulator.resource(&self.hub).expect("the hub");
        let mode = hub.pointer("/properties/systemDatastoresAuthMode").and_then(Value::as_str).unwrap_or_default();
        if mode.is_empty() { "accesskey".to_owned() } else { mode.to_lowercase() }
    }

    fn keys(&self) -> Option<bool> {
        let account = self.emulator.resource(&self.account).expect("the account");
        account.pointer("/properties/allowSharedKeyAccess").and_then(Value::as_bool)
    }

    fn fault(&self, rule: Rule) {
        self.emulator.fault(rule);
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

/// Passes if the apply replaced what an earlier one had left half done, and had nothing else to say.
#[track_caller]
fn healed(report: Report) -> Report {
    let report = report.ok();
    let [warning] = &report.diagnostics.0[..] else { panic!("{}", report.diagnostics) };
    assert_eq!(warning.summary, "Original settings handed to the replacement");
    assert!(warning.detail.contains("restore_to = { system_datastores_auth_mode = \"accesskey\""), "{warning}");
    report
}
