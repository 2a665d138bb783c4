//! Ids of role assignments, which live at any scope, and the GUIDs of roles.

use super::{ArmId, IdError, resource_type, split_at_last_provider, trimmed};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The id of a role assignment: a name at a scope, and for assignments that live in another tenant that tenant's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleAssignmentId {
    /// Where the role is held.
    pub scope: ArmId,
    /// The assignment's name, unique across the tenant.
    pub name: Uuid,
    /// The tenant of a delegated assignment; written after a `|` as azurerm does.
    pub tenant: Option<Uuid>,
}

impl RoleAssignmentId {
    const FORM: &'static str = "{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}";
    const RESOURCE_TYPE: &'static str = "Microsoft.Authorization/roleAssignments";

    /// An assignment of the client's own tenant.
    pub fn new(scope: ArmId, name: Uuid) -> Self {
        Self { scope, name, tenant: None }
    }

    /// Reads `{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}`, optionally followed by `|{tenant}`.
    ///
    /// # Errors
    /// [`IdError`] saying what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let wrong_shape = || IdError::WrongShape { text: text.to_owned(), expected: Self::FORM };
        let (path, tenant) = match text.split_once('|') {
            Some((path, tenant)) => (path, Some(guid(tenant).ok_or_else(wrong_shape)?)),
            None => (text, None),
        };
        let (scope, name) = at_scope(path, Self::RESOURCE_TYPE, Self::FORM)?;
        Ok(Self { scope: ArmId::spelt(scope.to_owned()), name, tenant })
    }

    /// The path of the assignment, without the tenant.
    pub fn path(&self) -> String {
        self.scope.path_below(&format!("/providers/{}/{}", Self::RESOURCE_TYPE, self.name))
    }
}

impl fmt::Display for RoleAssignmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())?;
        match &self.tenant {
            Some(tenant) => write!(f, "|{tenant}"),
            None => Ok(()),
        }
    }
}

impl From<RoleAssignmentId> for String {
    fn from(id: RoleAssignmentId) -> Self {
        id.to_string()
    }
}

/// The id of a role definition: the GUID alone, the id in the root, subscription or resource form, or what azurerm calls the
/// id of a role definition, which is such an id followed by `|` and a scope. Two ids mean the same role exactly when their
/// GUIDs are equal. It keeps the form and spelling it came with.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoleDefinitionId {
    text: String,
    guid: Uuid,
}

impl RoleDefinitionId {
    /// Reads an id in any form.
    ///
    /// # Errors
    /// [`IdError`] saying what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const FORM: &str = "{guid} or {scope}/providers/Microsoft.Authorization/roleDefinitions/{guid}";
        if let Some(guid) = guid(text) {
            return Ok(Self { text: text.to_owned(), guid });
        }
        if !text.starts_with('/') {
            return Err(IdError::WrongShape { text: text.to_owned(), expected: FORM });
        }
        let path = match text.split_once('|') {
            Some((path, scope)) => ArmId::parse(scope).map(|_| path)?,
            None => text,
        };
        let (_, guid) = at_scope(path, "Microsoft.Authorization/roleDefinitions", FORM)?;
        Ok(Self { text: text.to_owned(), guid })
    }

    /// The id by which Azure is told a role: that of the subscription of `scope`, or the root form where it lies in none.
    pub fn within(scope: &ArmId, guid: Uuid) -> Self {
        let within = scope.subscription().map(|subscription| format!("/subscriptions/{subscription}"));
        let within = within.unwrap_or_default();
        Self { text: format!("{within}/providers/Microsoft.Authorization/roleDefinitions/{guid}"), guid }
    }

    /// The role's GUID.
    pub fn guid(&self) -> Uuid {
        self.guid
    }

    /// The id as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl From<Uuid> for RoleDefinitionId {
    fn from(guid: Uuid) -> Self {
        Self { text: guid.to_string(), guid }
    }
}

impl PartialEq for RoleDefinitionId {
    fn eq(&self, other: &Self) -> bool {
        self.guid == other.guid
    }
}

impl Eq for RoleDefinitionId {}

impl AsRef<str> for RoleDefinitionId {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for RoleDefinitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl From<RoleDefinitionId> for String {
    fn from(id: RoleDefinitionId) -> Self {
        id.text
    }
}

parsed_from_text!(RoleAssignmentId);
parsed_from_text!(RoleDefinitionId);

/// Reads `{scope}/providers/{wanted}/{guid}`, where a resource type is wanted.
fn at_scope<'t>(text: &'t str, wanted: &'static str, form: &'static str) -> Result<(&'t str, Uuid), IdError> {
    let wrong_shape = || IdError::WrongShape { text: text.to_owned(), expected: form };
    ArmId::check(text)?;
    let path = trimmed(text);
    let (scope, tail) = split_at_last_provider(path).ok_or_else(wrong_shape)?;
    let (got, name) = tail.rsplit_once('/').ok_or_else(wrong_shape)?;
    if !got.eq_ignore_ascii_case(wanted) {
        let wrong_type = |got| IdError::WrongType { text: text.to_owned(), expected: wanted, got };
        return Err(resource_type(path).map_or_else(wrong_shape, wrong_type));
    }
    let bad_name = || IdError::BadName { name: name.to_owned(), resource_type: wanted, rule: "a GUID" };
    let name = guid(name).ok_or_else(bad_name)?;
    Ok((if scope.is_empty() { "/" } else { scope }, name))
}

/// A GUID as Azure writes it, with hyphens.
fn guid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == 36)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "11111111-2222-3333-4444-555555555555";

    fn workspace(name: &str) -> String {
        format!("/subscriptions/{SUB}/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/{name}")
    }

    #[test]
    fn role_assignment_ids_are_read_at_every_kind_of_scope() {
        let name = "0f000000-0000-4000-8000-000000000001";
        for scope in [
            "/".to_owned(),
            format!("/subscriptions/{SUB}"),
            "/providers/Microsoft.Management/managementGroups/mg1".to_owned(),
            workspace("hub1"),
        ] {
            let text = format!(
                "{}/providers/Microsoft.Authorization/roleAssignments/{name}",
                if scope == "/" { "" } else { &scope }
            );
            let id = RoleAssignmentId::parse(&text).unwrap();
            assert_eq!(id.scope.as_str(), scope);
            assert_eq!(id.to_string(), text);
        }
        let delegated = format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleAssignments/{name}|{SUB}");
        let id = RoleAssignmentId::parse(&delegated).unwrap();
        assert_eq!((id.tenant, id.to_string()), (SUB.parse().ok(), delegated));
        assert_eq!(RoleAssignmentId::parse(&id.to_string().to_uppercase()), Ok(id));
        for bad in [
            format!("/subscriptions/{SUB}"),
            "/providers/Microsoft.Authorization/roleAssignments/not-a-guid".to_owned(),
            format!("/providers/Microsoft.Authorization/roleDefinitions/{name}"),
            format!("/providers/Microsoft.Authorization/roleAssignments/{name}|tenant"),
        ] {
            assert!(RoleAssignmentId::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn role_definitions_are_told_apart_by_their_guid() {
        let guid = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
        let forms = [
            guid.to_owned(),
            format!("/providers/Microsoft.Authorization/roleDefinitions/{}", guid.to_uppercase()),
            format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}/"),
        ];
        for form in forms {
            assert_eq!(RoleDefinitionId::parse(&form).unwrap().guid().to_string(), guid);
        }
        let of_azurerm = format!(
            "/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}|/subscriptions/{SUB}"
        );
        assert_eq!(RoleDefinitionId::parse(&of_azurerm).unwrap().guid().to_string(), guid);
        for (text, reason) in [
            ("Contributor".to_owned(), "is not of the form {guid} or {scope}/providers"),
            (format!("/subscriptions/{guid}"), "is not of the form"),
            (
                format!("/providers/Microsoft.Authorization/roleAssignments/{guid}"),
                "is the id of a Microsoft.Authorization/roleAssignments",
            ),
            (format!("/providers/Microsoft.Authorization/roleDefinitions/{guid}/more/{guid}"), "is the id of a"),
            (format!("/providers/Microsoft.Authorization/roleDefinitions/{guid}|scope"), "does not start with a slash"),
            (format!("/providers/Microsoft.Authorization/roleDefinitions/{guid}|"), "the id is empty"),
            (format!("{guid}|/subscriptions/{SUB}"), "is not of the form"),
            (format!("x{guid}"), "is not of the form"),
            ("/providers/Microsoft.Authorization/roleDefinitions/Contributor".to_owned(), "a GUID"),
        ] {
            let message = RoleDefinitionId::parse(&text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}
