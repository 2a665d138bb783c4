//! Whether a client assertion proves that it comes from an application: one that its certificate signed, or one of an
//! issuer that it trusts (facts: azure.md §6.1, §6.2, §6.5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::clock;
use super::super::http::Request;
use super::super::world::World;
use super::apps::{self, Client};
use super::bearer;
use super::jwt::Jwt;
use super::pipelines;
use super::refusal::Refusal;

const CERTIFICATES: &str =
    "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";
const FEDERATION: &str = "Check your federated identity credential Subject, Audience and Issuer against the presented \
                          assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/// Checks an assertion that was sent for a client to the token endpoint of a tenant.
pub(crate) fn check(
    world: &World,
    request: &Request,
    tenant: &str,
    client: &Client,
    assertion: &str,
) -> Result<(), Refusal> {
    let malformed = || Refusal::client(50027, "JWT token is invalid or malformed.");
    let assertion = Jwt::parse(assertion).ok_or_else(malformed)?;
    let thumbprint = thumbprint(&assertion.header);
    if thumbprint.is_some() || is(&assertion, "iss", client) {
        if assertion.claim("jti").is_empty() {
            return Err(malformed());
        }
        signed_by_certificate(world, client, &assertion, thumbprint.unwrap_or_default())?;
        if !is(&assertion, "iss", client) || !is(&assertion, "sub", client) {
            let text = "Client assertion application identifier doesn't match 'client_id' parameter.";
            return Err(Refusal::client(700_021, format!("{text} {CERTIFICATES}")));
        }
        if !is_meant_for(assertion.claim("aud"), request, tenant) {
            let text = "Client assertion audience claim does not match Realm issuer.";
            return Err(Refusal::client(700_023, format!("{text} {CERTIFICATES}")));
        }
    } else {
        federated(client, &assertion)?;
    }
    let end = assertion.time("exp").ok_or_else(malformed)?;
    in_time(world, assertion.time("nbf").unwrap_or(0), end)
}

fn is(assertion: &Jwt, claim: &str, client: &Client) -> bool {
    assertion.claim(claim).eq_ignore_ascii_case(&client.client_id)
}

/// The thumbprint by which a header names a certificate.
fn thumbprint(header: &Value) -> Option<Vec<u8>> {
    let named = header["x5t#S256"].as_str().or_else(|| header["x5t"].as_str())?;
    // Some clients write plain base64, or pad it.
    let named = named.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(named).ok()
}

fn signed_by_certificate(world: &World, client: &Client, assertion: &Jwt, thumbprint: Vec<u8>) -> Result<(), Refusal> {
    let refuse = |why: &str| {
        let used: String = thumbprint.iter().map(|byte| format!("{byte:02X}")).collect();
        let text = format!(
            "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - \
             {why}, Thumbprint of key used by client: '{used}', Please visit the Azure Portal, Graph Explorer or directly use \
             MS Graph to see configured keys for app Id '{}'.] {CERTIFICATES}",
            client.client_id
        );
        Err(Refusal::client(700_027, text))
    };
    let Some(known) = client.certificates.iter().find(|known| known.certificate.has_thumbprint(&thumbprint)) else {
        return refuse("The key was not found.");
    };
    if apps::ran_out(known.expires, world.clock.now()) {
        return refuse("The key used is expired.");
    }
    if !assertion.is_signed_by(known.certificate.public_key()) {
        return refuse("The provided signature value did not match the expected signature value.");
    }
    Ok(())
}

/// Whether an audience is the token endpoint of a tenant, or what documents named before it: `{authority}/{tenant}/v2.0`.
fn is_meant_for(audience: &str, request: &Request, tenant: &str) -> bool {
    let lower = audience.to_ascii_lowercase();
    ["/oauth2/v2.0/token", "/v2.0"].iter().any(|end| {
        let authority = lower.strip_suffix(end).and_then(|rest| rest.strip_suffix(&tenant.to_ascii_lowercase()));
        authority.is_some_and(|authority| bearer::is_own(authority, &request.base))
    })
}

/// An issuer's assertion: the issuer, the subject and the audience all have to be those of one federated credential.
fn federated(client: &Client, assertion: &Jwt) -> Result<(), Refusal> {
    let refuse = |number: u32, what: &str, value: &str| {
        let text = "No matching federated identity record found for presented assertion";
        Err(Refusal::client(number, format!("{text} {what} '{value}'. {FEDERATION}")))
    };
    let (issuer, subject) = (assertion.claim("iss"), assertion.claim("sub"));
    let audiences: Vec<&str> = match &assertion.claims["aud"] {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let mut records: Vec<_> = client.federated.iter().filter(|record| record.issuer == issuer).collect();
    if records.is_empty() {
        return refuse(700_211, "issuer", issuer);
    }
    if !pipelines::is_genuine(assertion) {
        let key = assertion.header["kid"].as_str().unwrap_or("");
        let text = format!(
            "The certificate with identifier {key} used to sign the federated credential could not be found in the metadata \
             of identity provider {issuer}. Please validate that your Identity Provider's metadata exposes the key used to \
             sign the incoming token."
        );
        return Err(Refusal::client(7_000_272, text));
    }
    records.retain(|record| record.subject == subject);
    if records.is_empty() {
        return refuse(700_213, "subject", subject);
    }
    if !records.iter().any(|record| audiences.contains(&record.audience.as_str())) {
        return refuse(700_212, "audience", &audiences.join(","));
    }
    Ok(())
}

fn in_time(world: &World, start: i64, end: i64) -> Result<(), Refusal> {
    /// How far a client's clock may be ahead.
    const SKEW: i64 = 300;
    let now = world.clock.now();
    if end > now.unix_timestamp() && start <= now.unix_timestamp() + SKEW {
        return Ok(());
    }
    let time = |seconds| clock::ticks(clock::unix(seconds));
    let text = format!(
        "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of \
         assertion {}. {CERTIFICATES}",
        clock::ticks(now),
        time(start),
        time(end)
    );
    Err(Refusal::client(700_024, text))
}
