//! A stub of the blob service that tells the truth the article is about: who may list a container, by key and by
//! token, before and after keys are turned off (facts: arm.md §2). At `/storage/{account}/{container}`.

use aws_lc_rs::hmac;
use axum::http::{Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::authorization::rbac::{Plane, allowed};
use super::entra;
use super::http::{Answer, Payload, Request};
use super::world::World;

const READ_BLOBS: &str = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";

/// Answers every request to the blob service.
pub(crate) fn answer(world: &World, request: &Request) -> Answer {
    match list(world, request) {
        Ok(xml) => text(StatusCode::OK, xml),
        Err((status, code, message)) => text(
            status,
            format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"),
        )
        .with("x-ms-error-code", code),
    }
}

type Refusal = (StatusCode, &'static str, &'static str);

fn list(world: &World, request: &Request) -> Result<String, Refusal> {
    const NOT_FOUND: Refusal = (StatusCode::NOT_FOUND, "ResourceNotFound", "The specified resource does not exist.");
    const WRONG: Refusal = (
        StatusCode::FORBIDDEN,
        "AuthenticationFailed",
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.",
    );
    let (key, account) = request.segments.get(1).and_then(|name| world.store.account_named(name)).ok_or(NOT_FOUND)?;
    let authorization = request.header("authorization").unwrap_or("");
    let (scheme, rest) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if scheme.eq_ignore_ascii_case("bearer") {
        let caller = entra::caller(world, request).map_err(|_| {
            (StatusCode::UNAUTHORIZED, "InvalidAuthenticationInfo", "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.")
        })?;
        if !allowed(world, &caller.object_id, READ_BLOBS, key, Plane::Data) {
            return Err((
                StatusCode::FORBIDDEN,
                "AuthorizationPermissionMismatch",
                "This request is not authorized to perform this operation using this permission.",
            ));
        }
    } else if scheme.eq_ignore_ascii_case("sharedkey") || request.query("sig").is_some() {
        if account.pointer("/properties/allowSharedKeyAccess") == Some(&Value::Bool(false)) {
            return Err((
                StatusCode::FORBIDDEN,
                "KeyBasedAuthenticationNotPermitted",
                "Key based authentication is not permitted on this storage account.",
            ));
        }
        let name = &request.segments[1];
        let signature = rest
            .split_once(':')
            .filter(|(signer, _)| signer.eq_ignore_ascii_case(name))
            .map(|(_, signature)| signature);
        let signature = STANDARD.decode(signature.ok_or(WRONG)?).map_err(|_| WRONG)?;
        let signed = string_to_sign(request, name);
        let fits = world.store.account_keys.get(key).into_iter().flatten().any(|key| {
            let secret = STANDARD.decode(&key.value).unwrap_or_default();
            hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes(), &signature).is_ok()
        });
        if !fits {
            return Err(WRONG);
        }
    } else {
        return Err((
            StatusCode::UNAUTHORIZED,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
        ));
    }
    match (&request.method, request.segments.get(2), request.query("comp")) {
        (&Method::GET, Some(container), Some("list")) => Ok(format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"{}/storage/{}/\" ContainerName=\"{}\"><Blobs /><NextMarker /></EnumerationResults>",
            request.base,
            request.segments[1],
            escaped(container)
        )),
        (&Method::GET, None, Some("list")) => Ok(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Containers><Container><Name>azureml-blobstore</Name></Container></Containers><NextMarker /></EnumerationResults>".to_owned(),
        ),
        _ => Err((StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")),
    }
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
        request.query.iter().map(|(name, value)| format!("{}:{value}", name.to_lowercase())).collect();
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
