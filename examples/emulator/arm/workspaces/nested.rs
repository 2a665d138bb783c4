//! What datastores, connections and computes of workspaces have in common.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::documents::Kind;
use super::super::errors::ArmError;
use super::super::http::{Answer, Request};
use super::super::ids::Target;
use super::super::options::HubList;
use super::super::world::World;
use super::super::{clock, documents, ids};
use super::{TYPE, text};

/// Answers a request for a collection, by `list`, or for one of its items.
pub(super) fn collection(
    world: &mut World,
    request: &Request,
    target: &Target,
    kind: &Kind,
    list: impl FnOnce(&World) -> Result<Answer, ArmError>,
) -> Result<Answer, ArmError> {
    match (&request.method, target.types.len(), target.names.len()) {
        (&Method::GET, 2, 1) => list(world),
        (_, 2, 2) => kind.item(world, request, &target.id()),
        _ => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

/// A document without a member of the object at this pointer.
pub(super) fn without(document: &Value, object: &str, member: &str) -> Value {
    let mut rest = document.clone();
    if let Some(object) = rest.pointer_mut(object).and_then(Value::as_object_mut) {
        object.remove(member);
    }
    rest
}

/// The document of one in a collection: the properties of the body with their defaults, and those that only the service
/// writes.
pub(super) fn nested(
    world: &World,
    id: &str,
    collection: &str,
    before: Option<&Value>,
    asked: &Value,
    defaults: impl IntoIterator<Item = (&'static str, Value)>,
    read_only: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let mut properties = documents::properties(asked);
    for (name, value) in defaults {
        properties.entry(name).or_insert(value);
    }
    properties.extend(read_only.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let mut document = documents::new(world, id, &format!("{TYPE}/{collection}"), properties);
    let now = clock::seconds(world.clock.now());
    let created = before.map_or(now.as_str(), |before| text(before, "/systemData/createdAt"));
    document["systemData"] = json!({ "createdAt": created, "lastModifiedAt": now });
    document
}

/// Refuses a body whose property (below `properties`) is none of these.
pub(super) fn require_one_of(asked: &Value, property: &str, values: &[&str]) -> Result<(), ArmError> {
    let given = text(asked, &format!("/properties/{property}"));
    if values.iter().any(|value| value.eq_ignore_ascii_case(given)) {
        return Ok(());
    }
    let (property, values) = (property.replace('/', "."), values.join(", "));
    Err(ArmError::invalid_content(&format!("properties.{property} is '{given}' and none of {values}")))
}

/// A project's hub (its key and its document), if the project's list has what is the hub's, too.
pub(super) fn hub_in_lists<'a>(world: &'a World, workspace: &Value, list: HubList) -> Option<(String, &'a Value)> {
    let key = ids::key(text(workspace, "/properties/hubResourceId"));
    let hub = world.store.resource(&key).filter(|_| world.options.project_lists.contains(&list))?;
    Some((key, hub))
}
