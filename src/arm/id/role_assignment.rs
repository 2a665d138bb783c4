//! Ids of role assignments, which live at any scope, and the GUIDs of roles.

use super::{ArmId, IdError};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The id of a role assignment: a name at a scope, and for assignments that live in another tenant that tenant's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleAssignmentId {
    /// Where the role is held.
    pub scope: ArmId,
    /// The assignment's name, unique across the tenant.
    pub name: Uuid,
    /// The tenant of a delegated assignment; written after a `|` as azurerm does.
    pub tenant: Option<String>,
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
            Some((path, tenant)) if Uuid::try_parse(tenant).is_ok() => (path, Some(tenant.to_owned())),
            Some(_) => return Err(wrong_shape()),
            None => (text, None),
        };
        let id = ArmId::parse(path)?;
        match id.resource_type() {
            Some(got) if got.eq_ignore_ascii_case(Self::RESOURCE_TYPE) => {}
            Some(got) => {
                return Err(IdError::WrongType { text: text.to_owned(), expected: Self::RESOURCE_TYPE, got });
            }
            None => return Err(wrong_shape()),
        }
        let (scope, tail) = id.split_at_last_provider().ok_or_else(wrong_shape)?;
        if tail.split('/').count() != 3 {
            return Err(wrong_shape());
        }
        let name = Uuid::try_parse(id.name()).map_err(|_| IdError::BadName {
            name: id.name().to_owned(),
            resource_type: Self::RESOURCE_TYPE,
            rule: "a GUID",
        })?;
        let scope = ArmId(if scope.is_empty() { "/".to_owned() } else { scope.to_owned() });
        Ok(Self { scope, name, tenant })
    }

    /// The path of the assignment, without the tenant.
    pub fn path(&self) -> String {
        self.scope.below(&format!("/providers/{}/{}", Self::RESOURCE_TYPE, self.name))
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

impl FromStr for RoleAssignmentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

/// The GUID at the end of a role definition id. Two definition ids mean the same role exactly when these are equal:
/// callers write the root, the subscription or the resource form.
pub fn role_definition_guid(role_definition_id: &str) -> Option<Uuid> {
    Uuid::try_parse(role_definition_id.trim_end_matches('/').rsplit('/').next()?).ok()
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
        assert_eq!((id.tenant.as_deref(), id.to_string()), (Some(SUB), delegated));
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
            assert_eq!(role_definition_guid(&form).unwrap().to_string(), guid);
        }
        assert_eq!(role_definition_guid("Contributor"), None);
    }
}
