//! Where pipelines get their assertions: the endpoints of GitHub and Azure DevOps (facts: azure.md §6.5), and the key that
//! signs for every issuer.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::super::http::{Answer, Request};
use super::super::world::World;
use super::apps::Federation;
use super::jwt::{self, Jwt};

/// The audience of assertions that Entra takes.
pub(crate) const EXCHANGE: &str = "api://AzureADTokenExchange";

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const AZURE_DEVOPS: &str = "https://vstoken.dev.azure.com/00000000-0000-4000-8000-0000000000d0";

/// The name of the key, and the key. It takes a while to make, so that all emulators of a process share it.
const KEY_ID: &str = "emulator";
static KEY: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).expect("a new RSA key"));

/// Whom the default application trusts: the GitHub job and the service connection that the switches describe.
pub(crate) fn trusted(github_subject: &str, devops_subject: &str) -> Vec<Federation> {
    [(GITHUB, github_subject), (AZURE_DEVOPS, devops_subject)]
        .map(|(issuer, subject)| Federation {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            audience: EXCHANGE.to_owned(),
        })
        .into()
}

/// A new assertion of an issuer, alive from now on for the time of the switch.
pub(crate) fn new_assertion(world: &World, issuer: &str, subject: &str, audience: &str) -> String {
    let now = world.clock.now().unix_timestamp();
    let claims = json!({
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add_unsigned(world.options.assertion_lifetime.as_secs()),
        "jti": Uuid::new_v4().to_string(),
    });
    jwt::write(&json!({ "alg": "RS256", "typ": "JWT", "kid": KEY_ID }), &claims, |text| {
        let mut signature = vec![0; KEY.public_modulus_len()];
        KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).expect("a signature");
        signature
    })
}

/// The assertion that a GitHub job gets when it does not ask for an audience of its own.
pub(crate) fn github_assertion(world: &World, audience: Option<&str>) -> String {
    let subject = &world.options.github_subject;
    let owner = subject.split([':', '/']).nth(1).unwrap_or("");
    new_assertion(world, GITHUB, subject, audience.unwrap_or(&format!("https://github.com/{owner}")))
}

/// Whether an issuer's key signed an assertion.
pub(crate) fn is_genuine(assertion: &Jwt) -> bool {
    assertion.is_signed_by(KEY.public_key().as_ref())
}

/// `ACTIONS_ID_TOKEN_REQUEST_URL`.
pub(crate) fn github(world: &World, request: &Request) -> Answer {
    if request.method != Method::GET {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if bearer(request) != Some(&world.options.github_request_token) {
        return unauthorized();
    }
    let value = github_assertion(world, request.query("audience"));
    Answer::ok(json!({ "count": value.len(), "value": value }))
}

/// `SYSTEM_OIDCREQUESTURI`.
pub(crate) fn azure_devops(world: &World, request: &Request) -> Answer {
    if request.method != Method::POST {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    if bearer(request) != Some(&world.options.devops_access_token) {
        // Browsers are sent to the page where people sign in, and so is who does not ask to be told instead.
        let suppressed =
            request.header("x-tfs-fedauthredirect").is_some_and(|what| what.eq_ignore_ascii_case("suppress"));
        return if suppressed {
            unauthorized()
        } else {
            Answer::empty(StatusCode::FOUND).with("location", format!("{}/_signin", request.base))
        };
    }
    if request.api_version().is_empty() {
        return refused(
            StatusCode::BAD_REQUEST,
            "VssVersionNotSpecifiedException",
            "No api-version was supplied for the \"POST\" request. The version must be supplied either as part of the Accept \
             header (e.g. \"application/json; api-version=1.0\") or as a query parameter (e.g. \"?api-version=1.0\").",
        );
    }
    let subject = match request.query("serviceConnectionId") {
        // Without a connection the assertion is the pipeline's own.
        None | Some("") => "p://emulator/project/pipeline",
        Some(id) if id.eq_ignore_ascii_case(&world.options.devops_connection) => &world.options.devops_subject,
        Some(_) => return Answer::empty(StatusCode::NOT_FOUND),
    };
    Answer::ok(json!({ "oidcToken": new_assertion(world, AZURE_DEVOPS, subject, EXCHANGE) }))
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthorized() -> Answer {
    refused(
        StatusCode::UNAUTHORIZED,
        "UnauthorizedRequestException",
        "TF400813: The user 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa' is not authorized to access this resource.",
    )
}

/// Both services come of one family, which has errors of this shape.
fn refused(status: StatusCode, key: &str, message: &str) -> Answer {
    Answer::json(
        status,
        json!({
            "$id": "1",
            "innerException": null,
            "message": message,
            "typeName": format!("Microsoft.VisualStudio.Services.WebApi.{key}, Microsoft.VisualStudio.Services.WebApi"),
            "typeKey": key,
            "errorCode": 0,
            "eventId": 3000,
        }),
    )
}
