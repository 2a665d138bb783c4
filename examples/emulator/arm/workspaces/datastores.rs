//! A workspace's datastores: the system's four and those that users make (facts: azure.md §1.6, §13.1).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::documents::Kind;
use super::super::errors::ArmError;
use super::super::http::{Answer, Request, page};
use super::super::ids::{self, Target};
use super::super::options::HubList;
use super::super::world::World;
use super::nested::{collection, hub_in_lists, nested, require_one_of, without};
use super::{system_datastores, text};

/// Items on a page, if the request does not say.
const COUNT: usize = 30;

const TYPES: [&str; 5] = ["AzureBlob", "AzureFile", "AzureDataLakeGen2", "AzureDataLakeGen1", "OneLake"];
const CREDENTIALS: [&str; 5] = ["AccountKey", "Sas", "ServicePrincipal", "Certificate", "None"];

/// Those that users make.
pub(crate) const DATASTORES: Kind = Kind {
    made,
    created: StatusCode::CREATED,
    shown,
    missing: |id| ArmError::not_found("UserError", format!("Error: The datastore '{}' was not found.", ids::name(id))),
};

/// `…/datastores`, `…/datastores/{name}` and `…/datastores/{name}/listSecrets` of a workspace (a key and a document).
pub(super) fn answer(
    world: &mut World,
    request: &Request,
    target: &Target,
    key: &str,
    workspace: &Value,
) -> Result<Answer, ArmError> {
    let system = target.names.get(1).and_then(|name| system_datastores::find(world, key, workspace, name));
    match (&request.method, target.types.len(), target.names.len(), system) {
        (&Method::GET, 2, 2, Some(system)) => Ok(Answer::ok(system)),
        (&Method::PUT | &Method::DELETE, 2, 2, Some(_)) => Err(ArmError::bad_request(
            "UserError",
            format!("Error: The datastore '{}' is the system's and cannot be changed.", target.names[1]),
        )),
        (&Method::POST, 3, 2, system) if target.types[2].eq_ignore_ascii_case("listSecrets") => {
            Ok(Answer::ok(match system {
                Some(_) => system_datastores::secrets(world, key),
                None => secrets(DATASTORES.find(world, &target.id())?),
            }))
        }
        _ => collection(world, request, target, &DATASTORES, |world| list(world, request, key, workspace)),
    }
}

fn list(world: &World, request: &Request, key: &str, workspace: &Value) -> Result<Answer, ArmError> {
    let all_of = |key: &str, workspace: &Value| {
        let own = format!("{key}/datastores");
        let mut all = system_datastores::all(world, key, workspace);
        all.extend(world.store.documents.of(&own).map(shown));
        all
    };
    let mut items = all_of(key, workspace);
    if let Some((key, hub)) = hub_in_lists(world, workspace, HubList::Datastores) {
        items.extend(all_of(&key, hub));
    }
    let count = request.query("count").and_then(|count| count.parse().ok()).unwrap_or(COUNT);
    page(request, "$skip", world.options.page_size.min(count), &items)
}

fn made(world: &World, id: &str, before: Option<&Value>, asked: &Value) -> Result<Value, ArmError> {
    require_one_of(asked, "datastoreType", &TYPES)?;
    require_one_of(asked, "credentials/credentialsType", &CREDENTIALS)?;
    let defaults = [("description", Value::Null), ("tags", json!({})), ("properties", json!({}))];
    Ok(nested(world, id, "datastores", before, asked, defaults, [("isDefault", json!(false))]))
}

/// Nobody sees the secrets by GET.
fn shown(datastore: &Value) -> Value {
    without(datastore, "/properties/credentials", "secrets")
}

fn secrets(datastore: &Value) -> Value {
    let kind = text(datastore, "/properties/credentials/credentialsType");
    let held = datastore.pointer("/properties/credentials/secrets").filter(|held| held.is_object());
    held.cloned().unwrap_or_else(|| json!({ "secretsType": kind }))
}
