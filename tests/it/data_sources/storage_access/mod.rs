//! `foundryhub_storage_access`: what it finds, and what it reads for that.

mod findings;
mod reads;

use serde_json::{Value, json};

use super::bed_with;
use crate::{
    azure::Options,
    support::{
        bed::Bed,
        core::Diagnostics,
        ids::{ALICE, CONTRIBUTOR_NAMES},
    },
};

const TYPE: &str = "foundryhub_storage_access";

/// An identity of the hub.
const IDENTITY: &str = "dddddddd-0000-4000-8000-000000000004";

/// A hub on identity, whose account refuses keys and whose data Alice can work with.
async fn keyless() -> Bed {
    keyless_with(|_| {}).await
}

async fn keyless_with(change: impl FnOnce(&mut Options)) -> Bed {
    let bed = bed_with(change).await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.emulator.seed("role_assignments: [{ scope: sa1, principal: hub1, role: Storage Blob Data Contributor }]");
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed
}

async fn read(bed: &mut Bed, mut config: Value) -> Value {
    config["hub_id"] = json!(bed.hub);
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(diagnostics.0, []);
    data
}

/// The errors of a configuration, by default of the bed's hub.
async fn refused(bed: &mut Bed, mut config: Value) -> Diagnostics {
    config.as_object_mut().expect("an object").entry("hub_id").or_insert(json!(bed.hub));
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(data, Value::Null);
    diagnostics
}

/// `error: principal_lacks_roles`, in order.
fn findings(data: &Value) -> Vec<String> {
    let found = data["findings"].as_array().expect("a list").iter();
    found.map(|one| format!("{}: {}", one["severity"].as_str().unwrap(), one["code"].as_str().unwrap())).collect()
}

fn verdict(data: &Value) -> (bool, bool) {
    (data["compliant"].as_bool().expect("known"), data["verified"].as_bool().expect("known"))
}

fn text<'d>(data: &'d Value, code: &str) -> &'d str {
    let found = data["findings"].as_array().expect("a list").iter().find(|one| one["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {data:#}"))["text"].as_str().expect("a text")
}

/// The standing of a principal.
fn standing<'d>(data: &'d Value, id: &str) -> &'d Value {
    let found = data["principals"].as_array().expect("a list").iter().find(|one| one["principal_id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {data:#}"))
}

/// The hub has a user-assigned identity alone, with all roles.
fn assigned_with_roles(bed: &Bed) {
    identities(bed, &json!({ "type": "UserAssigned", "userAssignedIdentities": assigned(&[IDENTITY]) }), None);
    bed.seed_roles(IDENTITY, &CONTRIBUTOR_NAMES);
    for role in ["Contributor", "Key Vault Administrator"] {
        bed.emulator.seed_assignment(&bed.group, IDENTITY, role);
    }
}

/// The hub has a vault with these access policies.
fn in_vault(bed: &Bed, policies: &Value) {
    bed.emulator.seed(&format!("vaults: [{{ name: kv1, properties: {{ accessPolicies: {policies} }} }}]"));
    let vault = bed.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
    bed.emulator.change(&bed.hub, |hub| hub["properties"]["keyVault"] = json!(vault));
}

/// The account can be reached by this endpoint alone.
fn private(bed: &Bed, name: &str) {
    bed.emulator.seed(&format!("private_endpoints: [{{ name: {name}, storage_account: sa1, service: blob }}]"));
    bed.emulator.change(&bed.account, |account| account["properties"]["publicNetworkAccess"] = json!("Disabled"));
}

fn identities(bed: &Bed, identity: &Value, primary: Option<&str>) {
    bed.emulator.change(&bed.hub, |hub| {
        let system = hub["identity"].clone();
        hub["identity"] = identity.clone();
        if identity["type"].as_str().is_some_and(|kind| kind.contains("System")) {
            hub["identity"]["principalId"] = system["principalId"].clone();
        }
        hub["properties"]["primaryUserAssignedIdentity"] = json!(primary);
    });
}

fn assigned(ids: &[&str]) -> Value {
    let named = ids.iter().enumerate();
    named.map(|(n, id)| (format!("/subscriptions/s/u{n}"), json!({ "principalId": id, "clientId": id }))).collect()
}

/// A datastore or connection that has stored a credential, as a seed.
fn stored(what: &str, credential: &str) -> String {
    match what {
        "datastores" => format!(
            "datastores: [{{ parent: hub1, name: d1, properties: {{ datastoreType: AzureBlob, accountName: SA1, containerName: c, \
             credentials: {{ credentialsType: {credential} }} }} }}]"
        ),
        _ => format!(
            "connections: [{{ parent: hub1, name: c1, properties: {{ authType: {credential}, category: AzureBlob, \
             target: 'https://sa1.blob.core.windows.net/c', credentials: {{ key: planted }} }} }}]"
        ),
    }
}

fn drop_roles(bed: &Bed, principal: &str) {
    for found in bed.emulator.assignments().into_iter().filter(|found| found.principal_id == principal) {
        bed.emulator.remove_assignment(&found.name);
    }
}
