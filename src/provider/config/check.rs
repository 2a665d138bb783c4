//! The checks of single settings. A value is refused before any request is sent.

use crate::{
    arm::{Cloud, Endpoints, MetadataHost},
    framework::{Value, schema::Refusal},
};

/// Refuses characters that ids and addresses never have: line ends, spaces, and those outside ASCII, some of which look like
/// ASCII.
pub(super) fn no_spaces(value: &Value) -> Result<(), Refusal> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic()) else { return Ok(()) };
    let show = |c: char| if c == ' ' { c.escape_unicode().to_string() } else { c.escape_default().to_string() };
    let shown: String = text.chars().map(|c| if c.is_ascii_graphic() { c.to_string() } else { show(c) }).collect();
    let what = match odd {
        '\n' | '\r' => "a line end",
        c if c.is_whitespace() => "a blank",
        _ => "a character",
    };
    Err(Refusal::new(
        "Unexpected character",
        format!("\"{shown}\" has {what} in it, {}, which does not belong there.", show(odd)),
    ))
}

/// Refuses control characters, and spaces at either end, without showing the value: for secrets.
pub(super) fn single_line(value: &Value) -> Result<(), Refusal> {
    let Some(text) = value.as_str() else { return Ok(()) };
    if text.trim() == text && !text.contains(char::is_control) {
        return Ok(());
    }
    let detail = "The value, which is not shown here, has a line end or another control character in it, or a blank at one \
                  end, which does not belong there.";
    Err(Refusal::new("Unexpected character", detail))
}

/// Refuses what cannot be part of an HTTP header.
pub(super) fn header_value(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if !text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
            let detail = format!(
                "\"{}\" has a line end or another character in it that does not belong there.",
                text.escape_default()
            );
            Err(Refusal::new("Unexpected character", detail))
        }
        _ => Ok(()),
    }
}

/// For paths of files, in which any character may be.
pub(super) fn unchecked(_: &Value) -> Result<(), Refusal> {
    Ok(())
}

pub(super) fn https_origin(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    let Some(text) = value.as_str() else { return Ok(()) };
    match Endpoints::new(text, text, text) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::new(
            "Not an https address",
            format!(
                "{text:?} must be a URL such as https://management.azure.com: tokens are only ever sent over https."
            ),
        )),
    }
}

pub(super) fn https_url(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    match url::Url::parse(text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(()),
        _ => Err(Refusal::new(
            "Not an https URL",
            format!("{text:?} must be an https URL: the request token is sent there."),
        )),
    }
}

/// Refuses what is not base64, in one line or several, without showing it.
pub(super) fn base64_lines(value: &Value) -> Result<(), Refusal> {
    let Some(text) = value.as_str() else { return Ok(()) };
    if text.chars().all(|c| c.is_ascii_alphanumeric() || "+/=\r\n\t ".contains(c)) {
        return Ok(());
    }
    let detail = "The value, which is not shown here, must be base64: that of a PKCS#12 or PEM file with the certificate and \
                  its private key. A file is named by client_certificate_path.";
    Err(Refusal::new("Not base64", detail))
}

pub(super) fn metadata_host(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    match value.as_str().filter(|text| !text.is_empty()).map(MetadataHost::of) {
        Some(Err(_)) => Err(Refusal::new(
            "Not a host",
            format!(
                "{:?} must be a host such as management.azure.com, with a port if need be. It is requested over https.",
                value.as_str().unwrap_or_default()
            ),
        )),
        _ => Ok(()),
    }
}

pub(super) fn http_url(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    match url::Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(()),
        _ => Err(Refusal::new(
            "Not a URL",
            format!("{text:?} must be a URL such as http://169.254.169.254/metadata/identity/oauth2/token."),
        )),
    }
}

/// Refuses what is neither an id nor a domain of a tenant.
pub(super) fn tenant(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    match value.as_str() {
        Some(text) if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.') => {
            let detail = format!("{text:?} must be the id of a tenant, or one of its domains such as contoso.com.");
            Err(Refusal::new("Not a tenant", detail))
        }
        _ => Ok(()),
    }
}

pub(super) fn tenants(value: &Value) -> Result<(), Refusal> {
    let Value::List(tenants) = value else { return Ok(()) };
    tenants.iter().try_for_each(tenant)?;
    if tenants.len() <= 3 {
        return Ok(());
    }
    let detail = format!("Azure takes at most three auxiliary tenants; {} are given.", tenants.len());
    Err(Refusal::new("Too many tenants", detail))
}

/// Whether a cloud is one that has no addresses by its name.
fn of_ones_own(name: &str) -> bool {
    ["custom", "hybrid"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

pub(super) fn environment_name(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(name) if Cloud::by_name(name).is_none() && !of_ones_own(name) => Err(Refusal::new(
            "Unknown environment",
            format!("{name:?} is none of public, usgovernment, china and custom."),
        )),
        _ => Ok(()),
    }
}

pub(super) fn guid(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if uuid::Uuid::try_parse(text).is_err() => {
            Err(Refusal::new("Not a GUID", format!("{text:?} is not a GUID.")))
        }
        _ => Ok(()),
    }
}

pub(super) fn retries(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Number(number) if number.as_i64().is_none_or(|number| !(0..=1000).contains(&number)) => {
            Err(Refusal::new("Not a number of retries", format!("{number} is not a whole number from 0 to 1000.")))
        }
        _ => Ok(()),
    }
}
