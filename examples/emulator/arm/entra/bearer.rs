//! Access tokens: what makes them, and what Azure Resource Manager takes for one (facts: azure.md §5.1, §6.1).

use aws_lc_rs::hmac;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::clock;
use super::super::errors::ArmError;
use super::super::http::Request;
use super::super::world::World;
use super::apps::Client;
use super::jwt::{self, Jwt};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) object_id: String,
    pub(crate) app_id: String,
    pub(crate) owner: bool,
    tenant: String,
    audience: String,
}

/// What makes this emulator's tokens its own.
#[derive(Debug)]
pub(crate) struct Signer {
    key: hmac::Key,
    /// Tokens of an earlier generation were revoked.
    pub(crate) generation: u64,
}

impl Signer {
    pub(crate) fn new() -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, Uuid::new_v4().as_bytes()), generation: 0 }
    }

    fn sign(&self, claims: &Value) -> String {
        jwt::write(&json!({ "typ": "JWT", "alg": "HS256" }), claims, |text| {
            hmac::sign(&self.key, text).as_ref().to_vec()
        })
    }

    /// A secret made of a text, always the same one.
    pub(crate) fn derive(&self, text: &str) -> Vec<u8> {
        hmac::sign(&self.key, text.as_bytes()).as_ref().to_vec()
    }

    fn verify(&self, token: &str) -> Option<Jwt> {
        let token = Jwt::parse(token)?;
        hmac::verify(&self.key, token.signed(), token.signature()).ok()?;
        Some(token)
    }
}

/// How a client proved who it is: what a token's `appidacr` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    Secret,
    /// A certificate, or an assertion of another issuer.
    Assertion,
}

/// A token for a client and an audience.
pub(crate) fn issue(
    world: &World,
    request: &Request,
    tenant: &str,
    client: &Client,
    resource: &str,
    proof: Proof,
) -> String {
    let now = world.clock.now().unix_timestamp();
    world.signer.sign(&json!({
        "aud": resource,
        "iss": format!("{}/{tenant}/", request.base),
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add_unsigned(world.options.token_lifetime.as_secs()),
        "appid": client.client_id,
        "appidacr": match proof {
            Proof::Secret => "1",
            Proof::Assertion => "2",
        },
        "idtyp": "app",
        "oid": client.object_id,
        "sub": client.object_id,
        "tid": tenant,
        "uti": Uuid::new_v4().simple().to_string(),
        "ver": "1.0",
        "generation": world.signer.generation,
    }))
}

/// The header that a 401 carries. `claims` adds those that the next token has to have.
pub(crate) fn challenge(world: &World, request: &Request, message: &str, claims: bool) -> (&'static str, String) {
    let mut challenge = format!(
        "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\", error_description=\"{message}\"",
        request.base, world.options.tenant_id
    );
    if claims {
        let since = world.clock.now().unix_timestamp();
        let claims = json!({ "access_token": { "nbf": { "essential": true, "value": since.to_string() } } });
        challenge.push_str(&format!(", claims=\"{}\"", STANDARD.encode(claims.to_string())));
    }
    ("www-authenticate", challenge)
}

/// A token is taken back before its end (continuous access evaluation): the next one has to be newer.
pub(crate) fn claims_challenge(world: &World, request: &Request) -> ArmError {
    let message = "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: \
                   TokenIssuedBeforeRevocationTimestamp";
    let mut error = ArmError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
    error.headers.push(challenge(world, request, message, true));
    error
}

fn unauthorized(world: &World, request: &Request, code: &str, message: &str) -> ArmError {
    let mut error = ArmError::new(StatusCode::UNAUTHORIZED, code, message);
    error.headers.push(challenge(world, request, message, world.options.claims_challenge));
    error
}

/// Who calls Azure Resource Manager: the bearer, whose token is meant for it and comes from its tenant.
pub(crate) fn arm_caller(world: &World, request: &Request) -> Result<Caller, ArmError> {
    let caller = caller(world, request)?;
    let allowed = &world.options.audience;
    if !is_own(&caller.audience, &request.base) && !allowed.iter().any(|one| same_audience(one, &caller.audience)) {
        let message = format!(
            "The access token has been obtained for wrong audience or resource '{}'. It should exactly match (including \
             forward slash) with one of the allowed audiences '{}/','{}'.",
            caller.audience,
            request.base,
            allowed.join("','")
        );
        return Err(unauthorized(world, request, "InvalidAuthenticationToken", &message));
    }
    let tenant = &world.options.tenant_id;
    if !caller.tenant.eq_ignore_ascii_case(tenant) {
        let message = format!(
            "The access token is from the wrong issuer '{base}/{}/'. It must match the tenant '{base}/{tenant}/' \
             associated with this subscription. Please use the authority (URL) '{base}/{tenant}' to get the token.",
            caller.tenant,
            base = request.base
        );
        return Err(unauthorized(world, request, "InvalidAuthenticationTokenTenant", &message));
    }
    Ok(caller)
}

/// Clients append `/.default` to audiences with and without a slash, so that slashes at the end mean nothing.
fn same_audience(a: &str, b: &str) -> bool {
    a.trim_end_matches('/').eq_ignore_ascii_case(b.trim_end_matches('/'))
}

/// Whether an audience is the emulator itself, by any of its names.
pub(crate) fn is_own(audience: &str, base: &str) -> bool {
    let port = base.rsplit_once(':').map_or("", |(_, port)| port);
    let names = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("https://{name}:{port}"));
    same_audience(audience, base) || names.iter().any(|name| same_audience(audience, name))
}

/// Who calls, by the bearer token of a request.
pub(crate) fn caller(world: &World, request: &Request) -> Result<Caller, ArmError> {
    let refuse = |code: &str, message: &str| unauthorized(world, request, code, message);
    let header = request.header("authorization").ok_or_else(|| {
        refuse("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
    })?;
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => {
            return Err(refuse(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is provided in an invalid format.",
            ));
        }
    };
    let token = world
        .signer
        .verify(token)
        .ok_or_else(|| refuse("InvalidAuthenticationToken", "The access token is invalid."))?;
    let now = world.clock.now();
    let end = clock::unix(token.time("exp").unwrap_or(0));
    if end <= now {
        let message = format!(
            "The access token expiry UTC time '{}' is earlier than current UTC time '{}'.",
            clock::american(end),
            clock::american(now)
        );
        return Err(refuse("ExpiredAuthenticationToken", &message));
    }
    if token.claims["generation"].as_u64().unwrap_or(0) < world.signer.generation {
        return Err(refuse("InvalidAuthenticationToken", "The access token has been revoked."));
    }
    let text = |name: &str| token.claim(name).to_owned();
    let app_id = text("appid");
    let owner = world.store.clients.iter().any(|client| client.client_id == app_id && client.owner);
    Ok(Caller { object_id: text("oid"), app_id, owner, tenant: text("tid"), audience: text("aud") })
}
