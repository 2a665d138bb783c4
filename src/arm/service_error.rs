//! Error answers of Azure Resource Manager.

use super::body::{http_date, or_default, without_bom, without_nulls};
use super::error_code::ErrorCode;
use super::exchange::LARGEST_ERROR;
use http::{HeaderMap, Method, StatusCode};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// An error answer of Azure Resource Manager.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceError {
    /// The request's method.
    pub(crate) method: Method,
    /// The request's path, without host and query.
    pub path: String,
    /// The HTTP status; for a failed operation that of its last status answer.
    pub status: StatusCode,
    /// The error code.
    pub(crate) code: ErrorCode,
    /// Azure's explanation.
    pub(crate) message: String,
    /// The resource, property or parameter that the error is about.
    pub(crate) target: Option<String>,
    /// Errors inside this one.
    pub(crate) details: Vec<ErrorDetail>,
    /// Further information by type, such as policy violations.
    pub(crate) additional_info: Vec<AdditionalInfo>,
    /// The correlation id of the client's requests (`x-ms-correlation-request-id`).
    pub correlation_id: Option<String>,
    /// The id of this one request (`x-ms-request-id`), which Azure's support asks for.
    pub request_id: Option<String>,
    /// Whether the answer asks for a token with claims: a claims challenge (continuous access evaluation).
    pub(crate) claims_challenge: bool,
    /// The `Date` header: the time of the answer by Azure's clock.
    pub date: Option<OffsetDateTime>,
}

/// An error inside an error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ErrorDetail {
    /// The error code.
    pub(crate) code: ErrorCode,
    /// The explanation.
    pub(crate) message: String,
    pub(crate) target: Option<String>,
    /// Errors inside this one.
    pub(crate) details: Vec<ErrorDetail>,
}

/// Further information about an error.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct AdditionalInfo {
    /// The type, such as `PolicyViolation`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    /// The information.
    #[serde(default)]
    pub info: Value,
}

/// Action and scope of an [`ErrorCode::AuthorizationFailed`], from its message. For display only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The action that was denied, such as `Microsoft.Storage/storageAccounts/write`.
    pub action: String,
    /// The scope it was denied on.
    pub(crate) scope: String,
}

/// A policy that refused a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyViolation {
    /// The assignment's display name, or else its name.
    pub(crate) assignment: String,
    /// The definition's display name, or else its name.
    pub(crate) definition: String,
}

impl ServiceError {
    /// Reads an error answer of any shape: the usual envelope, a bare `{"code", "message"}`, or no JSON at all.
    pub fn read(method: &Method, path: &str, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let body = without_bom(&body[..body.len().min(LARGEST_ERROR)]);
        let mut body_error = Body::default();
        // What comes before a fault of the text counts.
        _ = FillIn(&mut body_error).deserialize(&mut serde_json::Deserializer::from_slice(body));
        let message = match (body_error.message.is_empty(), body_error.code.is_empty()) {
            (true, true) => excerpt(body, status),
            _ => body_error.message.clone(),
        };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let ErrorDetail { code, target, details, .. } = body_error.detail();
        Self {
            method: method.clone(),
            path: path.to_owned(),
            status,
            code,
            message,
            target,
            details,
            additional_info: body_error.additional_info,
            correlation_id: header("x-ms-correlation-request-id"),
            request_id: header("x-ms-request-id"),
            claims_challenge: claims_challenge(headers).is_some(),
            date: header("date").and_then(|date| http_date(&date)),
        }
    }

    /// Whether the requested resource does not exist, by the codes that say so (azure.md §1.3, §2, §3.3, §5.1).
    ///
    /// Any other 404 may mean the wrong tenant, cloud or address, or come from a proxy or gateway. Taking those for a deletion
    /// would drop every object of a state.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
            && matches!(
                self.code,
                ErrorCode::ResourceNotFound
                    | ErrorCode::ResourceGroupNotFound
                    | ErrorCode::RoleAssignmentNotFound
                    | ErrorCode::RoleDefinitionDoesNotExist
            )
    }

    /// The name of the assignment that already exists, from a [`ErrorCode::RoleAssignmentExists`]. Azure writes it as
    /// 32 hex digits without hyphens; older answers leave it out.
    pub fn existing_role_assignment(&self) -> Option<Uuid> {
        if self.code != ErrorCode::RoleAssignmentExists {
            return None;
        }
        self.message
            .split(|c: char| !c.is_ascii_hexdigit() && c != '-')
            .filter(|word| matches!(word.len(), 32 | 36))
            .find_map(|word| Uuid::try_parse(word).ok())
    }

    /// The wait that a throttled answer names in its text, the only place where resource providers that send no
    /// `Retry-After` have it (azure.md §10.5).
    pub(crate) fn named_wait(&self) -> Option<Duration> {
        if self.status != StatusCode::TOO_MANY_REQUESTS {
            return None;
        }
        quoted_after(&self.message, "again after '")?.parse().ok().map(Duration::from_secs)
    }

    /// Action and scope of an [`ErrorCode::AuthorizationFailed`], for display.
    pub fn denied(&self) -> Option<Denied> {
        if !matches!(self.code, ErrorCode::AuthorizationFailed | ErrorCode::LinkedAuthorizationFailed) {
            return None;
        }
        Some(Denied {
            action: quoted_after(&self.message, "action '")?.to_owned(),
            scope: quoted_after(&self.message, "scope '")?.to_owned(),
        })
    }

    /// Whether it has this text, in its message or in that of an error inside it, in any case. Only for errors of which several
    /// have one code.
    pub(crate) fn says(&self, text: &str) -> bool {
        fn inside(details: &[ErrorDetail], says: &impl Fn(&str) -> bool) -> bool {
            details.iter().any(|detail| says(&detail.message) || inside(&detail.details, says))
        }
        let text = text.to_lowercase();
        let says = |message: &str| message.to_lowercase().contains(&text);
        says(&self.message) || inside(&self.details, &says)
    }

    /// The policies that refused the request.
    pub(crate) fn policy_violations(&self) -> Vec<PolicyViolation> {
        let text = |info: &Value, names: [&str; 2]| {
            names.iter().find_map(|name| info.get(name)?.as_str()).unwrap_or_default().to_owned()
        };
        self.additional_info
            .iter()
            .filter(|extra| extra.kind.eq_ignore_ascii_case("PolicyViolation"))
            .map(|extra| PolicyViolation {
                assignment: text(&extra.info, ["policyAssignmentDisplayName", "policyAssignmentName"]),
                definition: text(&extra.info, ["policyDefinitionDisplayName", "policyDefinitionName"]),
            })
            .collect()
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} was answered with {}", self.method, self.path, self.status.as_u16())?;
        if self.code != ErrorCode::Missing {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        for detail in &self.details {
            write!(f, "\n  {detail}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ErrorDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.message.as_str()) {
            (ErrorCode::Missing, message) => f.write_str(message),
            (code, "") => write!(f, "{code}"),
            (code, message) => write!(f, "{code}: {message}"),
        }
    }
}

impl std::error::Error for ServiceError {}

/// A long-running operation that failed or was canceled.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationError {
    pub(crate) outcome: OperationOutcome,
    /// Its error, with method and path of the request that started it.
    pub(crate) error: ServiceError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperationOutcome {
    Failed,
    Canceled,
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = match self.outcome {
            OperationOutcome::Failed => "failed",
            OperationOutcome::Canceled => "was canceled",
        };
        write!(f, "the operation started by {} {} {ended}", self.error.method, self.error.path)?;
        let detail = ErrorDetail {
            code: self.error.code.clone(),
            message: self.error.message.clone(),
            target: None,
            details: Vec::new(),
        };
        match detail.to_string() {
            text if text.is_empty() => Ok(()),
            text => write!(f, ": {text}"),
        }
    }
}

/// The error in a body, or one inside it. Every member may be missing or null.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(deserialize_with = "or_default")]
    code: String,
    #[serde(deserialize_with = "or_default")]
    message: String,
    target: Option<String>,
    #[serde(deserialize_with = "without_nulls")]
    details: Vec<Body>,
    #[serde(rename = "additionalInfo", deserialize_with = "without_nulls")]
    additional_info: Vec<AdditionalInfo>,
}

/// Fills in the error of a body, which is in a member or the body itself, member by member: of a text that is cut what comes
/// before the cut counts, and Azure writes the code first.
struct FillIn<'b>(&'b mut Body);

impl<'de> DeserializeSeed<'de> for FillIn<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FillIn<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self(body) = self;
        // Members beside `error` do not replace what is in it.
        let mut has_inner = false;
        while let Some(name) = members.next_key::<String>()? {
            match name.as_str() {
                "error" => {
                    members.next_value_seed(FillIn(body))?;
                    has_inner = !body.code.is_empty() || !body.message.is_empty();
                }
                _ if has_inner => drop(members.next_value::<IgnoredAny>()?),
                "code" => body.code = members.next_value::<Option<_>>()?.unwrap_or_default(),
                "message" => body.message = members.next_value::<Option<_>>()?.unwrap_or_default(),
                "target" => body.target = members.next_value()?,
                "details" => body.details = nonnull(members.next_value()?),
                "additionalInfo" => body.additional_info = nonnull(members.next_value()?),
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

fn nonnull<T>(list: Option<Vec<Option<T>>>) -> Vec<T> {
    list.into_iter().flatten().flatten().collect()
}

impl Body {
    fn detail(&self) -> ErrorDetail {
        ErrorDetail {
            code: ErrorCode::parse(&self.code),
            message: self.message.clone(),
            target: self.target.clone(),
            details: self.details.iter().map(Body::detail).collect(),
        }
    }
}

/// The beginning of a body that is not JSON, such as a proxy's page.
fn excerpt(body: &[u8], status: StatusCode) -> String {
    const LONGEST: usize = 300;
    let text = String::from_utf8_lossy(without_bom(body));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        _ if text.is_empty() => status.canonical_reason().unwrap_or_default().to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn quoted_after<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    let start = text.find(marker)? + marker.len();
    text[start..].split('\'').next()
}

/// The decoded `claims` of a 401's challenge, which the new token has to satisfy (continuous access evaluation).
pub(crate) fn claims_challenge(headers: &HeaderMap) -> Option<String> {
    use base64::{Engine, engine::general_purpose};
    headers.get_all(http::header::WWW_AUTHENTICATE).iter().find_map(|value| {
        let value = value.to_str().ok()?;
        let start = value.find("claims=\"")? + "claims=\"".len();
        let encoded = value[start..].split('"').next()?.trim_end_matches('=');
        let bytes = general_purpose::STANDARD_NO_PAD
            .decode(encoded)
            .or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(encoded))
            .ok()?;
        String::from_utf8(bytes).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::super::Error;
    use super::*;

    fn read(status: u16, body: &str) -> ServiceError {
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-request-id", "req-1".parse().unwrap());
        headers.insert("x-ms-correlation-request-id", "cor-1".parse().unwrap());
        ServiceError::read(&Method::PATCH, "/x", StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn the_envelope_is_read_with_everything_in_it() {
        let error = read(
            400,
            r#"{"error":{"code":"InvalidTemplateDeployment","message":"m","target":"t","details":[
                {"code":"RequestDisallowedByPolicy","message":"inner","target":"sa1","details":null}],
                "additionalInfo":[{"type":"PolicyViolation","info":{"policyAssignmentName":"a1",
                "policyDefinitionDisplayName":"No keys","policyDefinitionName":"d1"}}]}}"#,
        );
        assert_eq!(error.code, ErrorCode::Other("InvalidTemplateDeployment".into()));
        assert_eq!(error.details[0].code, ErrorCode::RequestDisallowedByPolicy);
        assert_eq!(error.target.as_deref(), Some("t"));
        assert_eq!(error.correlation_id.as_deref(), Some("cor-1"));
        assert_eq!(error.request_id.as_deref(), Some("req-1"));
        let violation = PolicyViolation { assignment: "a1".into(), definition: "No keys".into() };
        assert_eq!(error.policy_violations(), [violation]);
        assert_eq!(
            error.to_string(),
            "PATCH /x was answered with 400 InvalidTemplateDeployment: m\n  RequestDisallowedByPolicy: inner"
        );
    }

    #[test]
    fn other_shapes_of_error_bodies_are_read_too() {
        for (body, code, message) in [
            (r#"{"code":"Conflict","message":"busy"}"#, ErrorCode::Conflict, "busy"),
            ("\u{feff}{\"error\":{\"code\":\"conflict\",\"message\":\"busy\"}}", ErrorCode::Conflict, "busy"),
            (r#"{"error":{"code":null,"message":null,"target":null,"details":null}}"#, ErrorCode::Missing, ""),
            (r#"{"error":{"code":"Conflict"}}"#, ErrorCode::Conflict, ""),
            (r#"{"error":{"code":"Conflict","details":[null],"additionalInfo":[null]}}"#, ErrorCode::Conflict, ""),
            (r#"{"code":"Outer","error":{"code":"Conflict"},"message":"outer"}"#, ErrorCode::Conflict, ""),
            (r#"{"error":null,"code":"Conflict"}"#, ErrorCode::Conflict, ""),
            ("<html>\n<b>Bad  Gateway</b></html>", ErrorCode::Missing, "<html> <b>Bad Gateway</b></html>"),
            ("", ErrorCode::Missing, "Conflict"),
            (r#"{"error":"invalid_client"}"#, ErrorCode::Missing, r#"{"error":"invalid_client"}"#),
        ] {
            let error = read(409, body);
            assert_eq!(error.code, code, "{body}");
            if !message.is_empty() {
                assert_eq!(error.message, message, "{body}");
            }
        }
        let long = read(502, &"é".repeat(1000));
        assert_eq!(long.message.chars().count(), 301);
    }

    #[test]
    fn only_an_answer_about_the_resource_itself_means_not_found() {
        for (status, body, gone) in [
            (
                404,
                r#"{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.Storage/storageAccounts/x' under resource group 'rg' was not found."}}"#,
                true,
            ),
            (
                404,
                r#"{"error":{"code":"ResourceGroupNotFound","message":"Resource group 'x' could not be found."}}"#,
                true,
            ),
            (
                404,
                r#"{"error":{"code":"RoleAssignmentNotFound","message":"The role assignment 'x' is not found."}}"#,
                true,
            ),
            (404, r#"{"error":{"code":"roledefinitiondoesnotexist","message":"…"}}"#, true),
            (404, r#"{"error":{"code":"SubscriptionNotFound","message":"…"}}"#, false),
            (404, r#"{"error":{"code":"InvalidResourceType","message":"…"}}"#, false),
            (404, r#"{"error":{"code":"TenantNotFound","message":"…"}}"#, false),
            (404, r#"{"error":{"code":"EndpointNotFound","message":"…"}}"#, false),
            (404, r#"{"error":{"code":"NotFound","message":"…"}}"#, false),
            (404, r#"{"error":{"message":"The Resource 'x' was not found."}}"#, false),
            (404, "", false),
            (404, "<html>no such page</html>", false),
            (400, r#"{"error":{"code":"ResourceNotFound","message":"…"}}"#, false),
        ] {
            assert_eq!(Error::from(read(status, body)).is_not_found(), gone, "{body}");
        }
    }

    #[test]
    fn the_existing_assignment_is_named_when_azure_names_it() {
        let message = |m: &str| read(409, &format!(r#"{{"error":{{"code":"RoleAssignmentExists","message":"{m}"}}}}"#));
        let new = message(
            "The role assignment already exists. The ID of the existing role assignment is 716c4d159bc8476da3c16ccb70082517.",
        );
        assert_eq!(new.existing_role_assignment().unwrap().to_string(), "716c4d15-9bc8-476d-a3c1-6ccb70082517");
        assert_eq!(message("The role assignment already exists.").existing_role_assignment(), None);
        let other = read(409, r#"{"error":{"code":"Conflict","message":"716c4d159bc8476da3c16ccb70082517"}}"#);
        assert_eq!(other.existing_role_assignment(), None);
    }

    #[test]
    fn what_was_denied_is_found_in_the_text() {
        let error = read(
            403,
            r#"{"error":{"code":"AuthorizationFailed","message":"The client 'app' with object id 'oid' does not have authorization to perform action 'Microsoft.Storage/storageAccounts/write' over scope '/subscriptions/s/x' or the scope is invalid. If access was recently granted, please refresh your credentials."}}"#,
        );
        let denied = error.denied().unwrap();
        assert_eq!(denied.action, "Microsoft.Storage/storageAccounts/write");
        assert_eq!(denied.scope, "/subscriptions/s/x");
        assert!(Error::from(error).is_forbidden());
        assert_eq!(read(403, r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#).denied(), None);
    }
}
