//! Key vaults, as far as it takes to tell who may use what is in them (facts: azure.md §13.9). A write has its effect at once.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::documents::{self, Kind};
use super::errors::ArmError;
use super::http::{Answer, Request};
use super::ids::Target;
use super::world::World;

/// The resource type.
pub(crate) const TYPE: &str = "Microsoft.KeyVault/vaults";

const VAULTS: Kind =
    Kind { made, created: StatusCode::CREATED, shown: Value::clone, missing: ArmError::resource_not_found };

/// `…/vaults/{name}`.
pub(crate) fn answer(world: &mut World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
    match target.is_item() {
        true => VAULTS.item(world, request, &target.id()),
        false => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

/// Puts a vault in from a seed.
pub(crate) fn seed(world: &mut World, id: &str, asked: &Value) -> Result<(), ArmError> {
    VAULTS.put(world, id, asked).map(drop)
}

fn made(world: &World, id: &str, _: Option<&Value>, asked: &Value) -> Result<Value, ArmError> {
    let mut properties = documents::properties(asked);
    for (name, value) in [
        ("tenantId", json!(world.options.tenant_id)),
        ("sku", json!({ "family": "A", "name": "standard" })),
        ("accessPolicies", json!([])),
    ] {
        properties.entry(name).or_insert(value);
    }
    properties.insert("provisioningState".to_owned(), json!("Succeeded"));
    let mut document = documents::new(world, id, TYPE, properties);
    document["location"] = asked.get("location").cloned().unwrap_or_else(|| json!("eastus"));
    Ok(document)
}
