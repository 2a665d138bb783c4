//! A stub of the blob service that tells the truth the article is about: who may list a container, by key, by shared
//! access signature and by token, before and after keys are turned off (facts: azure.md §2). At
//! `/storage/{account}/{container}`.

mod sas;

use aws_lc_rs::hmac;
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use self::sas::Kind;
use super::authorization::rbac::{Plane, allowed};
use super::entra;
use super::http::{Answer, Payload, Request};
use super::ids;
use super::storage::services::Service;
use super::workspaces::text as string;
use super::world::World;

const READ_BLOBS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";
const DELEGATE: &str = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action";

/// A refusal: status, code and text.
type Refusal = (StatusCode, &'static str, &'static str);

const NOT_FOUND: Refusal = (StatusCode::NOT_FOUND, "ResourceNotFound", "The specified resource does not exist.");
const NO_CONTAINER: Refusal = (StatusCode::NOT_FOUND, "ContainerNotFound", "The specified container does not exist.");
const WRONG_SIGNATURE: Refusal = (
    StatusCode::FORBIDDEN,
    "AuthenticationFailed",
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
);
const NO_KEYS: Refusal = (
    StatusCode::FORBIDDEN,
    "KeyBasedAuthenticationNotPermitted",
    "Key based authentication is not permitted on this storage account.",
);
const MISMATCH: Refusal = (
    StatusCode::FORBIDDEN,
    "AuthorizationPermissionMismatch",
    "This request is not authorized to perform this operation using this permission.",
);
const NETWORK: Refusal =
    (StatusCode::FORBIDDEN, "AuthorizationFailure", "This request is not authorized to perform this operation.");
const BAD_TOKEN: Refusal = (
    StatusCode::UNAUTHORIZED,
    "InvalidAuthenticationInfo",
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
);
const NOBODY: Refusal = (
    StatusCode::UNAUTHORIZED,
    "NoAuthenticationInformation",
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
);
const VERB: Refusal =
    (StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.");

/// Answers every request to the blob service.
pub(crate) fn answer(world: &World, request: &Request) -> Answer {
    match serve(world, request) {
        Ok(xml) => text(StatusCode::OK, xml),
        Err((status, code, message)) => {
            let xml = format!("{XML}<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            let answer = text(status, xml).with("x-ms-error-code", code);
            if status == StatusCode::UNAUTHORIZED {
                let authority = format!("{}/{}/oauth2/authorize", request.base, world.options.tenant_id);
                let challenge = format!("Bearer authorization_uri={authority} resource_id=https://storage.azure.com");
                answer.with("www-authenticate", challenge)
            } else {
                answer
            }
        }
    }
}

const XML: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";

fn serve(world: &World, request: &Request) -> Result<String, Refusal> {
    let (key, account) = request.segments.get(1).and_then(|name| world.store.account_named(name)).ok_or(NOT_FOUND)?;
    let closed = account.pointer("/properties/publicNetworkAccess").and_then(Value::as_str) == Some("Disabled")
        || account.pointer("/properties/networkAcls/defaultAction").and_then(Value::as_str) == Some("Deny");
    if closed {
        return Err(NETWORK);
    }
    let delegates = request.method == Method::POST && request.query("comp") == Some("userdelegationkey");
    let caller = authenticate(world, request, key, account)?;
    match caller {
        Some(who) if delegates => {
            let may = [Plane::Control, Plane::Data].into_iter().any(|plane| allowed(world, &who, DELEGATE, key, plane));
            if may { Ok(delegation_key(world, request, &who)) } else { Err(MISMATCH) }
        }
        Some(who) if !allowed(world, &who, READ_BLOBS, key, Plane::Data) => Err(MISMATCH),
        _ => list(world, request, key),
    }
}

/// Whoever's rights decide, if it is not the account's own key that does.
fn authenticate(world: &World, request: &Request, key: &str, account: &Value) -> Result<Option<String>, Refusal> {
    let name = &request.segments[1];
    let keys_off = account.pointer("/properties/allowSharedKeyAccess") == Some(&Value::Bool(false));
    let authorization = request.header("authorization").unwrap_or("");
    let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        return entra::caller(world, request).map(|caller| Some(caller.object_id)).map_err(|_| BAD_TOKEN);
    }
    if let Some(kind) = sas::kind(request) {
        if keys_off && kind != Kind::UserDelegation {
            return Err(NO_KEYS);
        }
        if !sas::is_valid(world, request, name, key, kind) {
            return Err(WRONG_SIGNATURE);
        }
        if !sas::may_list(request, kind) {
            return Err(MISMATCH);
        }
        return Ok(request.query("skoid").filter(|_| kind == Kind::UserDelegation).map(str::to_owned));
    }
    if !scheme.eq_ignore_ascii_case("sharedkey") {
        return Err(NOBODY);
    }
    if keys_off {
        return Err(NO_KEYS);
    }
    let signature =
        rest.split_once(':').filter(|(signer, _)| signer.eq_ignore_ascii_case(name)).map(|(_, signature)| signature);
    let signature = STANDARD.decode(signature.ok_or(WRONG_SIGNATURE)?).map_err(|_| WRONG_SIGNATURE)?;
    let signed = string_to_sign(request, name);
    let fits = world.store.account_keys.get(key).into_iter().flatten().any(|key| {
        let secret = STANDARD.decode(&key.value).unwrap_or_default();
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes(), &signature).is_ok()
    });
    if fits { Ok(None) } else { Err(WRONG_SIGNATURE) }
}

fn list(world: &World, request: &Request, account: &str) -> Result<String, Refusal> {
    let endpoint = format!("{}/storage/{}/", request.base, request.segments[1]);
    let containers = ids::key(&Service::Blob.collection(account));
    match (&request.method, request.segments.get(2), request.query("comp")) {
        (&Method::GET, Some(container), Some("list")) => {
            let documents = &world.store.documents;
            documents.get(&ids::key(&format!("{containers}/{container}"))).ok_or(NO_CONTAINER)?;
            Ok(format!(
                "{XML}<EnumerationResults ServiceEndpoint=\"{}\" ContainerName=\"{}\"><Blobs /><NextMarker /></EnumerationResults>",
                escaped(&endpoint),
                escaped(container)
            ))
        }
        (&Method::GET, None, Some("list")) => {
            let names = world.store.documents.of(&containers).map(|container| escaped(string(container, "/name")));
            let names: String = names.map(|name| format!("<Container><Name>{name}</Name></Container>")).collect();
            Ok(format!("{XML}<EnumerationResults><Containers>{names}</Containers><NextMarker /></EnumerationResults>"))
        }
        _ => Err(VERB),
    }
}

/// The key that Microsoft Entra lends a caller, for the time that the body asks for.
fn delegation_key(world: &World, request: &Request, who: &str) -> String {
    let body = String::from_utf8_lossy(&request.body);
    let between = |open: &str, close: &str| {
        let rest = body.split_once(open).map_or("", |(_, rest)| rest);
        escaped(rest.split_once(close).map_or("", |(value, _)| value).trim())
    };
    let (start, end) = (between("<Start>", "</Start>"), between("<Expiry>", "</Expiry>"));
    let value = STANDARD.encode(sas::delegation_key(world, who, &start, &end));
    format!(
        "{XML}<UserDelegationKey><SignedOid>{who}</SignedOid><SignedTid>{}</SignedTid><SignedStart>{start}</SignedStart>\
         <SignedExpiry>{end}</SignedExpiry><SignedService>b</SignedService><SignedVersion>2023-11-03</SignedVersion>\
         <Value>{value}</Value></UserDelegationKey>",
        world.options.tenant_id
    )
}

/// What a shared-key signature signs: verb, standard headers, x-ms headers and the resource, as the blob service
/// documents it.
fn string_to_sign(request: &Request, account: &str) -> String {
    let header = |name: &str| request.header(name).unwrap_or("").to_owned();
    let length = header("content-length");
    let mut lines = vec![
        request.method.to_string(),
        header("content-encoding"),
        header("content-language"),
        if length == "0" { String::new() } else { length },
        header("content-md5"),
        header("content-type"),
        if request.header("x-ms-date").is_some() { String::new() } else { header("date") },
        header("if-modified-since"),
        header("if-match"),
        header("if-none-match"),
        header("if-unmodified-since"),
        header("range"),
    ];
    let mut own: Vec<String> = request
        .headers
        .keys()
        .filter(|name| name.as_str().starts_with("x-ms-"))
        .map(|name| format!("{name}:{}", header(name.as_str()).trim()))
        .collect();
    own.sort();
    lines.extend(own);
    lines.push(format!("/{account}{}", request.raw_path));
    let mut query: Vec<String> =
        request.query.iter().map(|(name, value)| format!("{}:{value}", name.to_ascii_lowercase())).collect();
    query.sort();
    lines.extend(query);
    lines.join("\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text(status: StatusCode, xml: String) -> Answer {
    Answer {
        status,
        headers: vec![("x-ms-version", "2023-11-03".to_owned())],
        body: Payload::Text("application/xml", xml),
    }
}
