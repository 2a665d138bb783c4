//! foundryhub_role_assignment over the protocol, against the emulator.

mod changed_by_others;
mod custom_roles;
mod empty;
mod existing;
mod import;
mod interrupted;
mod killed;
mod lifecycle;
mod plan_output;
mod platform;
mod refusals;
mod replace;
mod saved_plan;
mod states;
mod two_resources;

use std::time::Duration;

use serde_json::{Value, json};

use crate::azure::{Options, Record};
use crate::support::{
    bed::Bed,
    ids::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, CAROL, FILE_CONTRIBUTOR, FILE_READER},
};

const TYPE: &str = "foundryhub_role_assignment";

/// A principal that the directory does not know at first.
const NEW: &str = "eeeeeeee-0000-4000-8000-000000000005";

/// The roles that `access = "reader"` means.
const READER_ROLES: [&str; 2] = [BLOB_READER, FILE_READER];

/// The roles that `access = "contributor"` means.
const CONTRIBUTOR_ROLES: [&str; 2] = [BLOB_CONTRIBUTOR, FILE_CONTRIBUTOR];

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

    /// Deletes an assignment of the state as somebody else does. It is made ten minutes old before, since a younger one
    /// that is missing counts as not shown yet.
    fn delete_assignment(&self, id: &str) {
        self.emulator.advance(Duration::from_secs(600));
        assert!(self.emulator.remove_assignment(name_of(id)), "{id} is not there");
    }

    fn by_hub(&self, principal: &str, access: &str) -> Value {
        json!({ "hub_id": self.hub, "principal_id": principal, "access": access })
    }

    fn by_account(&self, principal: &str, role: &str) -> Value {
        json!({ "storage_account_id": self.account, "principal_id": principal, "role_definition_name": role })
    }
}

/// The name at the end of an assignment's id.
fn name_of(id: &str) -> &str {
    id.rsplit('/').next().expect("a name")
}

/// Creates the custom role of most tests with this name, or renames it, and returns its GUID.
pub(crate) async fn custom_role(bed: &Bed, name: &str) -> String {
    let guid = "dddddddd-0000-4000-8000-000000000001";
    put_custom_role(bed, guid, name).await;
    guid.to_owned()
}

/// Creates or renames a custom role that can be assigned in the subscription.
async fn put_custom_role(bed: &Bed, guid: &str, name: &str) {
    let path = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{guid}", bed.subscription);
    let body = json!({ "properties": {
        "roleName": name, "type": "CustomRole", "description": "", "assignableScopes": [bed.subscription],
        "permissions": [{ "actions": [], "notActions": [], "dataActions": [], "notDataActions": [] }],
    } });
    assert!(bed.put(&format!("{path}?api-version=2022-04-01"), body).await.status < 300);
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
