//! Microsoft Entra, and what else people and pipelines sign in with (facts: azure.md §6).

mod apps;
mod assertion;
mod bearer;
mod jwt;
mod managed_identity;
mod pipelines;
mod refusal;
mod token;

use axum::http::Method;
use serde_json::json;

use super::errors::ArmError;
use super::http::{Answer, Request};
use super::world::World;

pub(crate) use apps::Client;
pub(crate) use bearer::{Caller, Signer, arm_caller, caller, challenge, claims_challenge};
pub(crate) use jwt::Jwt;
pub(crate) use pipelines::{EXCHANGE, github_assertion, new_assertion, trusted};
pub(crate) use refusal::Refusal;

/// Serves the sign-in endpoints; `None` when the path is none of them.
pub(crate) fn answer(world: &World, request: &Request) -> Option<Answer> {
    let segments: Vec<String> = request.segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        [tenant, "v2.0", ".well-known", "openid-configuration"] | [tenant, ".well-known", "openid-configuration"] => {
            Some(discovery(world, request, tenant))
        }
        [tenant, "oauth2", "v2.0", "token"] => Some(if request.method == Method::POST {
            token::answer(world, request, tenant).unwrap_or_else(|refusal| refusal.into_answer(world, request))
        } else {
            ArmError::method_not_allowed(request.method.as_str()).into_answer()
        }),
        [_, "discovery", "v2.0", "keys"] => Some(Answer::ok(json!({ "keys": [] }))),
        ["common", "discovery", "instance"] => Some(instance(world, request)),
        ["metadata", "identity", "oauth2", "token"] => Some(managed_identity::virtual_machine(world, request)),
        ["msi", "token"] => Some(managed_identity::app_service(world, request)),
        ["github", "idtoken"] => Some(pipelines::github(world, request)),
        ["devops", "oidctoken"] => Some(pipelines::azure_devops(world, request)),
        _ => None,
    }
}

fn discovery(world: &World, request: &Request, tenant: &str) -> Answer {
    if !known_tenant(world, tenant) {
        return Refusal::tenant(tenant).into_answer(world, request);
    }
    let authority = format!("{}/{tenant}", request.base);
    Answer::ok(json!({
        "issuer": format!("{}/{}/v2.0", request.base, directory(world, tenant)),
        "authorization_endpoint": format!("{authority}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{authority}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{authority}/oauth2/v2.0/devicecode"),
        "end_session_endpoint": format!("{authority}/oauth2/v2.0/logout"),
        "jwks_uri": format!("{authority}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "oid", "tid", "appid"],
        "tenant_region_scope": null,
        "cloud_instance_name": "emulator",
    }))
}

/// Instance discovery, for clients that ask their own authority for it.
fn instance(world: &World, request: &Request) -> Answer {
    let host = request.base.trim_start_matches("https://");
    Answer::ok(json!({
        "tenant_discovery_endpoint":
            format!("{}/{}/v2.0/.well-known/openid-configuration", request.base, world.options.tenant_id),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    }))
}

/// Whether a path's tenant is ours: by id, by its domain, or by one of the names that stand for any.
fn known_tenant(world: &World, tenant: &str) -> bool {
    ["common", "organizations"].contains(&tenant)
        || [&world.options.tenant_id, &world.options.tenant_domain].iter().any(|own| tenant.eq_ignore_ascii_case(own))
        || directory(world, tenant) != world.options.tenant_id
}

/// Whether a path is served without TLS too: the managed identities' endpoints are on the machine itself.
pub(crate) fn without_tls(request: &Request) -> bool {
    let path = request.path();
    ["/metadata/identity/oauth2/token", "/msi/token"].iter().any(|open| path.eq_ignore_ascii_case(open))
}

/// The id of the tenant that a path's tenant stands for.
fn directory<'a>(world: &'a World, tenant: &str) -> &'a str {
    let foreign = world.options.foreign_tenant.iter().find(|foreign| foreign.eq_ignore_ascii_case(tenant));
    foreign.unwrap_or(&world.options.tenant_id)
}
