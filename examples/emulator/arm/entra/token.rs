//! The token endpoint (facts: azure.md §6.1, §6.2).

use serde_json::json;

use super::super::http::{Answer, Request};
use super::super::world::World;
use super::apps::{self, Client};
use super::bearer::Proof;
use super::refusal::Refusal;
use super::{assertion, bearer, directory, known_tenant};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers a POST for a token of a tenant.
pub(crate) fn answer(world: &World, request: &Request, tenant: &str) -> Result<Answer, Refusal> {
    if !known_tenant(world, tenant) {
        return Err(Refusal::tenant(tenant));
    }
    let form = request.form();
    let field = |name: &str| {
        form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let required = |name: &str| field(name).ok_or_else(|| Refusal::missing(name));
    let grant = required("grant_type")?;
    if grant != "client_credentials" {
        let text = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(Refusal::request(70003, text).with_error("unsupported_grant_type"));
    }
    let client_id = required("client_id")?;
    let scope = required("scope")?;
    let Some(resource) = scope.split_whitespace().find_map(|scope| scope.strip_suffix("/.default")) else {
        let text = format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' \
             is not valid. The scope {scope} is not valid."
        );
        return Err(Refusal::request(70011, text).with_error("invalid_scope"));
    };
    let client = find(world, tenant, client_id)?;
    let proof = match (field("client_assertion"), field("client_secret")) {
        (Some(presented), _) => {
            if required("client_assertion_type")? != ASSERTION_TYPE {
                return Err(Refusal::client(50027, "JWT token is invalid or malformed."));
            }
            assertion::check(world, request, tenant, client, presented)?;
            Proof::Assertion
        }
        (None, Some(secret)) => {
            check_secret(world, client, secret)?;
            Proof::Secret
        }
        (None, None) => {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            return Err(Refusal::client(7_000_218, text));
        }
    };
    let lifetime = world.options.token_lifetime.as_secs();
    Ok(Answer::ok(json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": bearer::issue(world, request, directory(world, tenant), client, resource, proof),
    }))
    .with("pragma", "no-cache"))
}

/// The application that a tenant has by this id.
fn find<'a>(world: &'a World, tenant: &str, client_id: &str) -> Result<&'a Client, Refusal> {
    let directory = directory(world, tenant);
    let known = |client: &&Client| {
        client.client_id.eq_ignore_ascii_case(client_id)
            && client.tenant.as_ref().is_none_or(|tenant| tenant.eq_ignore_ascii_case(directory))
    };
    world.store.clients.iter().find(known).ok_or_else(|| {
        let text = format!(
            "Application with identifier '{client_id}' was not found in the directory '{directory}'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in the \
             tenant. You may have sent your authentication request to the wrong tenant."
        );
        Refusal::request(700_016, text).with_error("unauthorized_client")
    })
}

fn check_secret(world: &World, client: &Client, presented: &str) -> Result<(), Refusal> {
    if client.secret.as_deref() == Some(presented) {
        return Ok(());
    }
    match client.secrets.iter().find(|secret| secret.value == presented) {
        Some(secret) if apps::ran_out(secret.expires, world.clock.now()) => Err(Refusal::client(
            7_000_222,
            format!(
                "The provided client secret keys for app '{}' are expired. Visit the Azure portal to create new keys for \
                 your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: \
                 https://aka.ms/certCreds.",
                client.client_id
            ),
        )),
        Some(_) => Ok(()),
        None => Err(Refusal::client(
            7_000_215,
            format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
                 the client secret ID, for a secret added to app '{}'.",
                client.client_id
            ),
        )),
    }
}
