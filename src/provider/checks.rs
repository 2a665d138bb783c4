//! What several resource types ask of the value of an attribute before anything is sent.

use uuid::Uuid;

use crate::{
    arm::{ArmId, IdError, WorkspaceId},
    framework::{Attr, Value, schema::Refusal, timeouts},
};

/// A refusal, as a check's result.
pub fn refuse(summary: &str, detail: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal::new(summary, detail))
}

/// Whether two texts are spellings of one ARM id.
pub fn same_id(a: &str, b: &str) -> bool {
    matches!((ArmId::parse(a), ArmId::parse(b)), (Ok(a), Ok(b)) if a == b)
}

/// Whether both are known and spellings of one ARM id.
pub fn same_id_attr(a: &Attr<String>, b: &Attr<String>) -> bool {
    a.text().zip(b.text()).is_some_and(|(a, b)| same_id(a, b))
}

/// An id of the kind that `parse` reads.
pub fn id(value: &Value, summary: &str, parse: impl Fn(&str) -> Result<(), IdError>) -> Result<(), Refusal> {
    parse(value.as_str().unwrap_or_default()).or_else(|error| refuse(summary, format!("{error}.")))
}

/// The id of a hub.
pub fn hub_id(value: &Value) -> Result<(), Refusal> {
    id(value, "Invalid hub id", |text| WorkspaceId::parse(text).map(drop))
}

/// The object id of a principal. Other notations of a GUID, such as without hyphens, are not what Azure shows.
pub fn object_id(text: &str) -> Result<(), Refusal> {
    match Uuid::try_parse(text) {
        Ok(_) if text.len() == 36 => Ok(()),
        _ => {
            // A user is often known by the name to sign in with, and an identity by its id.
            let kind = ArmId::parse(text).ok().and_then(|id| id.resource_type());
            let command = match kind.as_deref() {
                Some(kind) if kind.eq_ignore_ascii_case("Microsoft.ManagedIdentity/userAssignedIdentities") => {
                    Some(format!("az identity show --ids {text} --query principalId"))
                }
                Some(_) => Some(format!("az resource show --ids {text} --query identity.principalId")),
                None if text.contains('@') => Some(format!("az ad user show --id {text} --query id")),
                None => None,
            };
            let next = command.map(|command| format!(" To find it: {command} --output tsv")).unwrap_or_default();
            let detail = format!(
                "{text:?} is not a GUID. A principal is named by its object id, not by a user name, display name, e-mail \
                 address or ARM id.{next}"
            );
            refuse("Invalid principal id", detail)
        }
    }
}

/// A duration, which may be zero. `example` completes "such as 90s or".
pub fn duration(value: &Value, example: &str) -> Result<(), Refusal> {
    let text = value.as_str().unwrap_or_default();
    match timeouts::parse(text) {
        Some(_) => Ok(()),
        None => refuse(
            "Invalid duration",
            format!("{text:?} is not a duration. Write a number with a unit, such as 90s or {example}."),
        ),
    }
}
