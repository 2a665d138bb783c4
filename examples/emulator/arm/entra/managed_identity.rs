//! Managed identities: the endpoint of virtual machines, and that of App Service and Functions (facts: azure.md §6.4). The
//! default application is the system-assigned identity, those with a resource id are user-assigned.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::http::{Answer, Request};
use super::super::options::OnOff;
use super::super::world::World;
use super::apps::Client;
use super::bearer::{self, Proof};

/// Why there is no token.
enum Unassigned {
    /// No identity, or not the one that was asked for.
    NotFound,
    /// Several user-assigned ones, and none was named.
    Several,
}

/// The endpoint of virtual machines (IMDS).
pub(crate) fn virtual_machine(world: &World, request: &Request) -> Answer {
    let refuse = |text: &str| {
        Answer::json(StatusCode::BAD_REQUEST, json!({ "error": "invalid_request", "error_description": text }))
    };
    if !request.header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return refuse("Required metadata header not specified");
    }
    if request.api_version().is_empty() {
        return Answer::json(
            StatusCode::BAD_REQUEST,
            json!({
                "error": "Bad request. api-version is invalid or was not specified in the request.",
                "newest-versions": ["2023-11-15", "2021-12-13", "2018-02-01"],
            }),
        );
    }
    let Some(resource) = request.query("resource") else {
        return refuse("Required audience parameter not specified");
    };
    match identity(world, request, "msi_res_id") {
        Ok(client) => {
            let mut token = token(world, request, client, resource);
            let lifetime = world.options.token_lifetime.as_secs().to_string();
            let now = world.clock.now().unix_timestamp().to_string();
            token["expires_in"] = json!(lifetime);
            token["ext_expires_in"] = json!(lifetime);
            token["not_before"] = json!(now);
            Answer::ok(token)
        }
        Err(Unassigned::NotFound) => refuse("Identity not found"),
        Err(Unassigned::Several) => refuse(
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token \
             request",
        ),
    }
}

/// The endpoint of App Service and Functions.
pub(crate) fn app_service(world: &World, request: &Request) -> Answer {
    let refuse = |status: StatusCode, text: &str| {
        let correlation = Uuid::new_v4().to_string();
        let body = json!({ "statusCode": status.as_u16(), "message": text, "correlationId": correlation });
        Answer::json(status, body)
    };
    if request.header("x-identity-header") != Some(&world.options.identity_header) {
        return refuse(StatusCode::UNAUTHORIZED, "Unauthorized");
    }
    if request.api_version() != "2019-08-01" {
        return refuse(StatusCode::BAD_REQUEST, "The api-version is missing or not supported.");
    }
    let Some(resource) = request.query("resource") else {
        return refuse(StatusCode::BAD_REQUEST, "The parameter 'resource' is missing.");
    };
    match identity(world, request, "mi_res_id") {
        Ok(client) => Answer::ok(token(world, request, client, resource)),
        Err(_) => refuse(
            StatusCode::BAD_REQUEST,
            "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        ),
    }
}

/// The identity that a request means: the one that it names, or else the system-assigned one, or else the only one.
fn identity<'a>(world: &'a World, request: &Request, resource_id: &str) -> Result<&'a Client, Unassigned> {
    let is_system = |client: &Client| client.client_id == world.options.client_id;
    let system = world.options.system_identity == OnOff::On;
    let mut assigned =
        world.store.clients.iter().filter(|client| client.resource_id.is_some() || (system && is_system(client)));
    let names = ["client_id", "object_id", resource_id];
    if names.iter().any(|name| request.query(name).is_some()) {
        let is = |name: &str, own: &str| request.query(name).is_none_or(|asked| asked.eq_ignore_ascii_case(own));
        let wanted = assigned.find(|client| {
            is("client_id", &client.client_id)
                && is("object_id", &client.object_id)
                && is(resource_id, client.resource_id.as_deref().unwrap_or(""))
        });
        return wanted.ok_or(Unassigned::NotFound);
    }
    let assigned: Vec<&Client> = assigned.collect();
    match (assigned.iter().find(|client| is_system(client)), &assigned[..]) {
        (Some(system), _) => Ok(system),
        (None, [only]) => Ok(only),
        (None, []) => Err(Unassigned::NotFound),
        (None, _) => Err(Unassigned::Several),
    }
}

/// What both endpoints answer. Numbers are written as strings.
fn token(world: &World, request: &Request, client: &Client, resource: &str) -> Value {
    let end = world.clock.now().unix_timestamp().saturating_add_unsigned(world.options.token_lifetime.as_secs());
    let tenant = &world.options.tenant_id;
    json!({
        "access_token": bearer::issue(world, request, tenant, client, resource, Proof::Assertion),
        "client_id": client.client_id,
        "expires_on": end.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    })
}
