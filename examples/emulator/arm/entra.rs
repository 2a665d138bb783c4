//! Microsoft Entra: discovery, the token endpoint with its errors, and the bearer check (facts: azure.md §6).

use aws_lc_rs::hmac;
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clock;
use super::errors::ArmError;
use super::http::{Answer, Request};
use super::world::World;

/// An application that may sign in, with its service principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    /// Application (client) id.
    pub(crate) client_id: String,
    /// Object id of the service principal.
    pub(crate) object_id: String,
    /// The secret; without one only assertions and managed identities sign in.
    #[serde(default)]
    pub(crate) secret: Option<String>,
    /// Whether the secret has run out (AADSTS7000222).
    #[serde(default)]
    pub(crate) secret_expired: bool,
    /// Whether the principal may do everything, whatever roles it has.
    #[serde(default)]
    pub(crate) owner: bool,
    /// The resource id, if it is a user-assigned identity.
    #[serde(default)]
    pub(crate) resource_id: Option<String>,
}

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
        let header = URL_SAFE_NO_PAD.encode(json!({ "typ": "JWT", "alg": "HS256" }).to_string());
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A secret made of a text, always the same one.
    pub(crate) fn derive(&self, text: &str) -> Vec<u8> {
        hmac::sign(&self.key, text.as_bytes()).as_ref().to_vec()
    }

    fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        hmac::verify(&self.key, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        claims(token)
    }
}

/// A JWT's claims, unverified.
fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
}

/// Serves the sign-in endpoints; `None` when the path is none of them.
pub(crate) fn answer(world: &World, request: &Request) -> Option<Answer> {
    let segments: Vec<String> = request.segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments[..] {
        [tenant, "v2.0", ".well-known", "openid-configuration"] | [tenant, ".well-known", "openid-configuration"] => {
            Some(discovery(world, request, tenant))
        }
        [tenant, "oauth2", "v2.0", "token"] => Some(if request.method == Method::POST {
            token(world, request, tenant).unwrap_or_else(|refusal| refusal.into_answer(world, request))
        } else {
            ArmError::method_not_allowed(request.method.as_str()).into_answer()
        }),
        [_, "discovery", "v2.0", "keys"] => Some(Answer::ok(json!({ "keys": [] }))),
        ["common", "discovery", "instance"] => Some(instance(world, request)),
        ["metadata", "identity", "oauth2", "token"] => Some(virtual_machine(world, request)),
        ["msi", "token"] => Some(app_service(world, request)),
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

/// Whether a path's tenant is ours: by id, or by one of the names that stand for any.
fn known_tenant(world: &World, tenant: &str) -> bool {
    ["common", "organizations"].contains(&tenant)
        || tenant.eq_ignore_ascii_case(&world.options.tenant_id)
        || directory(world, tenant) != world.options.tenant_id
}

/// The id of the tenant that a path's tenant stands for.
fn directory<'a>(world: &'a World, tenant: &str) -> &'a str {
    let foreign = world.options.foreign_tenant.iter().find(|foreign| foreign.eq_ignore_ascii_case(tenant));
    foreign.unwrap_or(&world.options.tenant_id)
}

fn token(world: &World, request: &Request, tenant: &str) -> Result<Answer, Refusal> {
    if !known_tenant(world, tenant) {
        return Err(Refusal::tenant(tenant));
    }
    let form = request.form();
    let field = |name: &'static str| {
        form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let required = |name: &'static str| field(name).ok_or_else(|| Refusal::missing(name));
    let grant = required("grant_type")?;
    if grant != "client_credentials" {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            70003,
            format!("The app requested an unsupported grant type '{grant}'."),
        ));
    }
    let client_id = required("client_id")?;
    let scope = required("scope")?;
    let Some(resource) = scope.split_whitespace().find_map(|scope| scope.strip_suffix("/.default")) else {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            70011,
            format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        ));
    };
    let Some(client) = world.store.clients.iter().find(|client| client.client_id.eq_ignore_ascii_case(client_id))
    else {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "unauthorized_client",
            700016,
            format!(
                "Application with identifier '{client_id}' was not found in the directory '{}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.",
                world.options.tenant_id
            ),
        ));
    };
    match (field("client_assertion"), field("client_secret")) {
        (Some(assertion), _) => {
            let now = world.clock.now().unix_timestamp();
            let Some(claims) = claims(assertion) else {
                return Err(Refusal::new(
                    StatusCode::UNAUTHORIZED,
                    "invalid_client",
                    50027,
                    "JWT token is invalid or malformed.".to_owned(),
                ));
            };
            let time = |name: &str| claims.get(name).and_then(Value::as_i64);
            if time("exp").is_some_and(|end| end < now) || time("nbf").is_some_and(|start| start > now + 300) {
                return Err(Refusal::new(
                    StatusCode::UNAUTHORIZED,
                    "invalid_client",
                    700024,
                    "Client assertion is not within its valid time range.".to_owned(),
                ));
            }
        }
        (None, Some(_)) if client.secret_expired => {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                7000222,
                format!("The provided client secret keys for app '{client_id}' are expired."),
            ));
        }
        (None, Some(secret)) if client.secret.as_deref() == Some(secret) => {}
        (None, Some(_)) => {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                7000215,
                format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client_id}'."
                ),
            ));
        }
        (None, None) => return Err(Refusal::missing("client_assertion' or 'client_secret")),
    }
    let lifetime = world.options.token_lifetime.as_secs();
    Ok(Answer::ok(json!({
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": issue(world, request, directory(world, tenant), client, resource),
    }))
    .with("pragma", "no-cache"))
}

/// A token for a client and an audience.
fn issue(world: &World, request: &Request, tenant: &str, client: &Client, resource: &str) -> String {
    let now = world.clock.now().unix_timestamp();
    world.signer.sign(&json!({
        "aud": resource,
        "iss": format!("{}/{tenant}/", request.base),
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add_unsigned(world.options.token_lifetime.as_secs()),
        "appid": client.client_id,
        "appidacr": "1",
        "idtyp": "app",
        "oid": client.object_id,
        "sub": client.object_id,
        "tid": tenant,
        "uti": Uuid::new_v4().simple().to_string(),
        "ver": "1.0",
        "generation": world.signer.generation,
    }))
}

/// The endpoint of virtual machines, for clients whose pod identity authority is the emulator (facts: azure.md §6.4).
fn virtual_machine(world: &World, request: &Request) -> Answer {
    if request.header("metadata").is_none() {
        return no_identity("Required metadata header not specified");
    }
    managed_identity(world, request)
}

/// The endpoint of App Service and Functions (facts: azure.md §6.4); the header's secret is the default client's own.
fn app_service(world: &World, request: &Request) -> Answer {
    if request.header("x-identity-header") != Some(world.options.client_secret.as_str()) {
        return Answer::json(StatusCode::UNAUTHORIZED, json!({ "statusCode": 401, "message": "Unauthorized" }));
    }
    managed_identity(world, request)
}

fn no_identity(text: &str) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, json!({ "error": "invalid_request", "error_description": text }))
}

fn managed_identity(world: &World, request: &Request) -> Answer {
    let Some(resource) = request.query("resource") else {
        return no_identity("Required audience parameter not specified");
    };
    let wanted = |name: &str, own: &str| request.query(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(own));
    let client = world.store.clients.iter().find(|client| {
        let id = client.resource_id.as_deref().unwrap_or("");
        wanted("client_id", &client.client_id)
            && wanted("object_id", &client.object_id)
            && ["msi_res_id", "mi_res_id"].into_iter().all(|name| wanted(name, id))
    });
    let Some(client) = client else { return no_identity("Identity not found") };
    let lifetime = world.options.token_lifetime.as_secs();
    let now = world.clock.now().unix_timestamp();
    Answer::ok(json!({
        "access_token": issue(world, request, &world.options.tenant_id, client, resource),
        "client_id": client.client_id,
        "expires_in": lifetime.to_string(),
        "expires_on": now.saturating_add_unsigned(lifetime).to_string(),
        "ext_expires_in": lifetime.to_string(),
        "not_before": now.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    }))
}

/// The header that a 401 carries.
pub(crate) fn challenge(world: &World, request: &Request, message: &str) -> (&'static str, String) {
    let mut challenge = format!(
        "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\", error_description=\"{message}\"",
        request.base, world.options.tenant_id
    );
    if world.options.claims_challenge {
        let since = world.clock.now().unix_timestamp();
        let claims = json!({ "access_token": { "nbf": { "essential": true, "value": since.to_string() } } });
        challenge.push_str(&format!(", claims=\"{}\"", STANDARD.encode(claims.to_string())));
    }
    ("www-authenticate", challenge)
}

fn unauthorized(world: &World, request: &Request, code: &str, message: &str) -> ArmError {
    let mut error = ArmError::new(StatusCode::UNAUTHORIZED, code, message);
    error.headers.push(challenge(world, request, message));
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
fn is_own(audience: &str, base: &str) -> bool {
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
    let claims = world
        .signer
        .verify(token)
        .ok_or_else(|| refuse("InvalidAuthenticationToken", "The access token is invalid."))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    if claims.get("exp").and_then(Value::as_i64).unwrap_or(0) <= world.clock.now().unix_timestamp() {
        return Err(refuse(
            "ExpiredAuthenticationToken",
            "The access token expiry UTC time is earlier than current UTC time.",
        ));
    }
    if claims.get("generation").and_then(Value::as_u64).unwrap_or(0) < world.signer.generation {
        return Err(refuse("InvalidAuthenticationToken", "The access token has been revoked."));
    }
    let app_id = text("appid");
    let owner = world.store.clients.iter().any(|client| client.client_id == app_id && client.owner);
    Ok(Caller { object_id: text("oid"), app_id, owner, tenant: text("tid"), audience: text("aud") })
}

/// A refusal in Entra's own shape.
struct Refusal {
    status: StatusCode,
    error: &'static str,
    number: u32,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, number: u32, text: String) -> Self {
        Self { status, error, number, text }
    }

    fn tenant(tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."
        );
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 90002, text)
    }

    fn missing(name: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 900144, text)
    }

    fn into_answer(self, world: &World, request: &Request) -> Answer {
        let (trace, timestamp) = (Uuid::new_v4().to_string(), clock::plain(world.clock.now()));
        let correlation = request.header("client-request-id").map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            self.number, self.text
        );
        Answer::json(
            self.status,
            json!({
                "error": self.error,
                "error_description": description,
                "error_codes": [self.number],
                "timestamp": timestamp,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("{}/error?code={}", request.base, self.number),
            }),
        )
    }
}
