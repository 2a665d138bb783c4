//! The actions over the protocol, against the emulator.

mod destroyed_by_1_16;
mod resync_keys;
mod rotate_storage_keys;

use serde_json::{Value, json};

use crate::azure::{Options, Record};
use crate::support::bed::Bed;

const ROTATE: &str = "foundryhub_rotate_storage_keys";
const RESYNC: &str = "foundryhub_resync_keys";

async fn bed_with(change: impl FnOnce(&mut Options)) -> Bed {
    Bed::new("foundryhub_storage_auth", short, change).await
}

/// The hub uses a key of its account, which refuses keys.
async fn keyless() -> Bed {
    let bed = bed_with(|_| {}).await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed
}

/// `GET hub1`, `POST sa1/regenerateKey key2`, `POST hub1/resyncKeys`.
fn short(record: &Record) -> String {
    let mut segments = record.path.rsplit('/');
    let (last, above) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    match (record.method.as_str(), record.body.get("keyName").and_then(Value::as_str)) {
        ("POST", Some(key)) => format!("POST {above}/{last} {key}"),
        ("POST", None) => format!("POST {above}/{last}"),
        (method, _) => format!("{method} {last}"),
    }
}

impl Bed {
    /// The account's keys: key1 and key2.
    async fn account_keys(&self) -> [String; 2] {
        let reply = self.post(&format!("{}/listKeys?api-version=2023-05-01", self.account), Value::Null).await;
        self.emulator.clear_requests();
        ["/keys/0/value", "/keys/1/value"].map(|at| reply.at(at).as_str().expect("a key").to_owned())
    }

    /// The key that a hub's system datastores hold.
    async fn key_of(&self, hub: &str) -> String {
        let path = format!("{hub}/datastores/workspaceblobstore/listSecrets?api-version=2024-10-01");
        let reply = self.post(&path, json!({})).await;
        self.emulator.clear_requests();
        reply.at("/key").as_str().expect("a key").to_owned()
    }
}
