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

/// Refuses what cannot be part of an HTTP header, or is longer than servers take.
pub(super) fn header_value(value: &Value) -> Result<(), Refusal> {
    const LONGEST: usize = 512;
    match value.as_str() {
        Some(text) if text.len() > LONGEST => {
            let detail = format!("It has {} characters, and more than {LONGEST} are refused.", text.len());
            Err(Refusal::new("Too long", detail))
        }
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
        Ok(url) if url.scheme() == "https" && is_plain(&url) => Ok(()),
        _ => Err(Refusal::new(
            "Not an https URL",
            format!(
                "{text:?} must be an https URL without a user name or a fragment: the request token is sent there."
            ),
        )),
    }
}

/// Whether a URL has a host, and nothing that would not be sent to it as it is written.
fn is_plain(url: &url::Url) -> bool {
    url.has_host() && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
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
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    MetadataHost::of(text).map(drop).map_err(|_| {
        // A password may stand before it.
        let host = text.rsplit('@').next().unwrap_or_default();
        let detail = format!(
            "{host:?} must be a host such as management.azure.com, with a port if need be, and no path or user name. It is \
             requested over https."
        );
        Refusal::new("Not a host", detail)
    })
}

pub(super) fn http_url(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    match url::Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && is_plain(&url) => Ok(()),
        _ => Err(Refusal::new(
            "Not a URL",
            format!(
                "{text:?} must be a URL such as http://169.254.169.254/metadata/identity/oauth2/token, without a user name or \
                 a fragment."
            ),
        )),
    }
}

/// Refuses what is neither an id nor a domain of a tenant.
pub(super) fn tenant(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    match value.as_str() {
        // It is a segment of the path of the sign-in, so that dots alone would lead elsewhere.
        Some(text) if text.split('.').any(str::is_empty) || !text.chars().all(is_of_domain) => {
            let detail = format!("{text:?} must be the id of a tenant, or one of its domains such as contoso.com.");
            Err(Refusal::new("Not a tenant", detail))
        }
        _ => Ok(()),
    }
}

fn is_of_domain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-.".contains(character)
}

pub(super) fn tenants(value: &Value) -> Result<(), Refusal> {
    let Value::List(tenants) = value else { return Ok(()) };
    let tenants: Vec<_> = tenants.iter().filter(|id| id.as_str() != Some("")).collect();
    tenants.iter().copied().try_for_each(tenant)?;
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

/// Refuses what is no GUID as Azure writes it: with hyphens and without braces.
pub(super) fn guid(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    match value.as_str().filter(|text| !text.is_empty()) {
        Some(text) if text.len() != 36 || uuid::Uuid::try_parse(text).is_err() => Err(Refusal::new(
            "Not a GUID",
            format!("{text:?} is not a GUID such as 00000000-0000-0000-0000-000000000000."),
        )),
        _ => Ok(()),
    }
}

/// Refuses what is no api-version: a date, and `-preview` after it if it is one.
pub(super) fn api_version(value: &Value) -> Result<(), Refusal> {
    no_spaces(value)?;
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    let date = text.strip_suffix("-preview").unwrap_or(text);
    let is_of_date = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    if date.len() == "YYYY-MM-DD".len() && date.bytes().enumerate().all(is_of_date) {
        return Ok(());
    }
    let detail = format!("{text:?} is not an api-version such as 2025-06-01 or 2025-07-01-preview.");
    Err(Refusal::new("Not an api-version", detail))
}

pub(super) fn retries(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Number(number) if number.as_i64().is_none_or(|number| !(0..=1000).contains(&number)) => {
            Err(Refusal::new("Not a number of retries", format!("{number} is not a whole number from 0 to 1000.")))
        }
        _ => Ok(()),
    }
}
