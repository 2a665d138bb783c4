//! A workspace's connections (facts: azure.md §13.2).

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::documents::Kind;
use super::super::errors::ArmError;
use super::super::http::{Answer, Request, page};
use super::super::ids::{self, Target};
use super::super::options::HubList;
use super::super::world::World;
use super::nested::{collection, hub_in_lists, nested, require_one_of, without};
use super::text;

const AUTH_TYPES: [&str; 19] = [
    "AAD",
    "AccessKey",
    "AccountKey",
    "ApiKey",
    "CustomKeys",
    "ManagedIdentity",
    "None",
    "OAuth2",
    "PAT",
    "SAS",
    "ServicePrincipal",
    "UsernamePassword",
    "DelegatedSAS",
    "ProjectManagedIdentity",
    "AccountManagedIdentity",
    "UserEntraToken",
    "AgentUserImpersonation",
    "AgenticIdentityToken",
    "AgenticUser",
];

pub(crate) const CONNECTIONS: Kind = Kind {
    made,
    created: StatusCode::OK,
    shown,
    missing: |id| ArmError::not_found("UserError", format!("Connection {} can't be found.", ids::name(id))),
};

/// `…/connections` and `…/connections/{name}` of a workspace (a key and a document).
pub(super) fn answer(
    world: &mut World,
    request: &Request,
    target: &Target,
    key: &str,
    workspace: &Value,
) -> Result<Answer, ArmError> {
    collection(world, request, target, &CONNECTIONS, |world| list(world, request, key, workspace))
}

fn list(world: &World, request: &Request, key: &str, workspace: &Value) -> Result<Answer, ArmError> {
    let documents = &world.store.documents;
    let own = format!("{key}/connections");
    let mut items: Vec<Value> = documents.of(&own).map(shown).collect();
    if let Some((key, _)) = hub_in_lists(world, workspace, HubList::Connections) {
        let hubs = format!("{key}/connections");
        let is_shared =
            |connection: &&Value| connection.pointer("/properties/isSharedToAll") != Some(&Value::Bool(false));
        items.extend(documents.of(&hubs).filter(is_shared).map(shown));
    }
    for property in ["category", "target"] {
        if let Some(wanted) = request.query(property) {
            items.retain(|item| text(item, &format!("/properties/{property}")).eq_ignore_ascii_case(wanted));
        }
    }
    page(request, "$skipToken", world.options.page_size, &items)
}

fn made(world: &World, id: &str, before: Option<&Value>, asked: &Value) -> Result<Value, ArmError> {
    require_one_of(asked, "authType", &AUTH_TYPES)?;
    let workspace = id.rsplitn(3, '/').last();
    let defaults = [("metadata", json!({})), ("sharedUserList", json!([]))];
    let category = text(asked, "/properties/category").to_ascii_lowercase();
    let of_azure = ["azure", "adls"].iter().any(|start| category.starts_with(start));
    let group = if of_azure { "Azure" } else { "GenericProtocol" };
    let read_only = [("createdByWorkspaceArmId", json!(workspace)), ("group", json!(group))];
    Ok(nested(world, id, "connections", before, asked, defaults, read_only))
}

/// Nobody sees the credentials by GET.
fn shown(connection: &Value) -> Value {
    without(connection, "/properties", "credentials")
}
