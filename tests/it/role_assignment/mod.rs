//! foundryhub_role_assignment over the protocol, against the emulator.

mod custom;
mod empty;
mod foreign;
mod import;
mod interrupted;
mod late;
mod life;
mod platform;
mod refusals;
mod replace;
mod shared;
mod shown;
mod states;
mod twice;

use serde_json::{Value, json};

use crate::azure::{Options, Record};
use crate::support::bed::Bed;

const TYPE: &str = "foundryhub_role_assignment";
const ALICE: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const BOB: &str = "bbbbbbbb-0000-0000-0000-000000000002";
const BLOB_CONTRIBUTOR: &str = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
const BLOB_READER: &str = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
const FILE_CONTRIBUTOR: &str = "69566ab7-960f-475b-8e7c-b3118f30c6bd";
const FILE_READER: &str = "b8eda974-7b85-4f76-af95-65846b26df6d";

async fn bed() -> Bed {
    bed_with(|_| {}).await
}

async fn bed_with(change: impl FnOnce(&mut Options)) -> Bed {
    Bed::new(TYPE, short, change).await
}

impl Bed {
    /// The assignments in the state by role, as their ids.
    fn recorded(&self) -> Vec<(String, String)> {
        let map = self.state()["role_assignments"].as_object().expect("a map").clone();
        map.iter().map(|(role, entry)| (role.clone(), entry["id"].as_str().expect("an id").to_owned())).collect()
    }

    /// The GUIDs of the roles that a principal holds on a scope, in order.
    fn held(&self, principal: &str, scope: &str) -> Vec<String> {
        let mut held: Vec<_> = self
            .emulator
            .assignments()
            .into_iter()
            .filter(|found| {
                found.principal_id.eq_ignore_ascii_case(principal) && found.scope.eq_ignore_ascii_case(scope)
            })
            .map(|found| found.role)
            .collect();
        held.sort();
        held
    }

    fn by_hub(&self, principal: &str, access: &str) -> Value {
        json!({ "hub_id": self.hub, "principal_id": principal, "access": access })
    }

    fn by_account(&self, principal: &str, role: &str) -> Value {
        json!({ "storage_account_id": self.account, "principal_id": principal, "role_definition_name": role })
    }
}

/// Makes a custom role of this name that can be assigned in the subscription, or gives it that name, and gives its GUID.
async fn custom_role(bed: &Bed, name: &str) -> String {
    let guid = "dddddddd-0000-4000-8000-000000000001";
    let path = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", bed.subscription);
    let body = json!({ "properties": {
        "roleName": name, "type": "CustomRole", "description": "", "assignableScopes": [bed.subscription],
        "permissions": [{ "actions": [], "notActions": [], "dataActions": [], "notDataActions": [] }],
    } });
    assert!(bed.put(&format!("{path}?api-version=2022-04-01"), body).await.status < 300);
    guid.to_owned()
}

/// `PUT Storage Blob Data Reader`, `GET list`, `GET hub1`.
fn short(record: &Record) -> String {
    let role = record.body.pointer("/properties/roleDefinitionId").and_then(Value::as_str).unwrap_or_default();
    let role = role.rsplit('/').next().unwrap_or_default();
    let about = match role {
        BLOB_CONTRIBUTOR => "blob contributor",
        BLOB_READER => "blob reader",
        FILE_CONTRIBUTOR => "file contributor",
        FILE_READER => "file reader",
        _ if record.path.to_lowercase().ends_with("/roleassignments") => "list",
        _ if record.path.to_lowercase().contains("/roleassignments/") => "assignment",
        _ if record.path.to_lowercase().contains("/roledefinitions") => "role",
        _ => record.path.rsplit('/').next().unwrap_or_default(),
    };
    format!("{} {about}", record.method)
}
