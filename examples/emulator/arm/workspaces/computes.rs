//! A workspace's computes (facts: azure.md §13.3). A write has its effect at once.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::clock;
use super::super::documents::Kind;
use super::super::errors::ArmError;
use super::super::http::{Answer, Request, page};
use super::super::ids::Target;
use super::super::options::HubList;
use super::super::world::World;
use super::nested::{collection, hub_in_lists, nested, require_one_of, without};
use super::text;

const TYPES: [&str; 10] = [
    "AKS",
    "Kubernetes",
    "AmlCompute",
    "ComputeInstance",
    "DataFactory",
    "VirtualMachine",
    "HDInsight",
    "Databricks",
    "DataLakeAnalytics",
    "SynapseSpark",
];

pub(crate) const COMPUTES: Kind =
    Kind { made, created: StatusCode::CREATED, shown: Value::clone, missing: ArmError::resource_not_found };

/// `…/computes` and `…/computes/{name}` of a workspace (a key and a document).
pub(super) fn answer(
    world: &mut World,
    request: &Request,
    target: &Target,
    key: &str,
    workspace: &Value,
) -> Result<Answer, ArmError> {
    collection(world, request, target, &COMPUTES, |world| list(world, request, key, workspace))
}

fn list(world: &World, request: &Request, key: &str, workspace: &Value) -> Result<Answer, ArmError> {
    let all_of =
        |key: &str| -> Vec<Value> { world.store.documents.of(&format!("{key}/computes")).map(listed).collect() };
    let mut items = all_of(key);
    if let Some((key, _)) = hub_in_lists(world, workspace, HubList::Computes) {
        items.extend(all_of(&key));
    }
    page(request, "$skip", world.options.page_size, &items)
}

/// A list leaves out what only this type of compute has.
fn listed(compute: &Value) -> Value {
    without(compute, "/properties", "properties")
}

fn made(world: &World, id: &str, before: Option<&Value>, asked: &Value) -> Result<Value, ArmError> {
    require_one_of(asked, "computeType", &TYPES)?;
    let now = clock::ticks(world.clock.now()).replace('Z', "+00:00");
    let created = before.map(|before| text(before, "/properties/createdOn").to_owned());
    let location = asked.get("location").and_then(Value::as_str).unwrap_or("eastus");
    let kind = text(asked, "/properties/computeType");
    let mut own = asked.pointer("/properties/properties").and_then(Value::as_object).cloned().unwrap_or_default();
    own.extend(match kind.to_ascii_lowercase().as_str() {
        "computeinstance" => state("state", "Running"),
        "amlcompute" => state("allocationState", "Steady"),
        _ => Map::new(),
    });
    let defaults =
        [("description", Value::Null), ("computeLocation", json!(location)), ("disableLocalAuth", json!(true))];
    let read_only = [
        ("createdOn", json!(created.unwrap_or_else(|| now.clone()))),
        ("modifiedOn", json!(now)),
        ("provisioningState", json!("Succeeded")),
        ("isAttachedCompute", json!(false)),
        ("properties", Value::Object(own)),
    ];
    let mut document = nested(world, id, "computes", before, asked, defaults, read_only);
    document["location"] = json!(location);
    Ok(document)
}

fn state(name: &str, value: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), json!(value))])
}
