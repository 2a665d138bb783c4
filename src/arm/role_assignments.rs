//! Role assignments (Microsoft.Authorization/roleAssignments): who holds which role where.

use super::body::{lenient_time, or_default};
use super::call::Call;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::id::{ArmId, IdError, RoleAssignmentId, role_definition_guid};
use super::request::{Dated, Request};
use super::share::Read;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// The api-version of all calls.
pub const API_VERSION: &str = "2022-04-01";

/// A role assignment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleAssignment {
    /// The id, as Azure writes it.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The GUID.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The rest.
    #[serde(deserialize_with = "or_default")]
    pub properties: RoleAssignmentProperties,
}

/// The properties of a role assignment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleAssignmentProperties {
    /// The role, in any of the forms of its id.
    #[serde(deserialize_with = "or_default")]
    pub role_definition_id: String,
    /// Who holds it.
    #[serde(deserialize_with = "or_default")]
    pub principal_id: String,
    /// `User`, `Group`, `ServicePrincipal`, `ForeignGroup` or `Device`.
    pub principal_type: Option<String>,
    /// Where it is held; in a list this may lie above the scope that was asked for.
    #[serde(deserialize_with = "or_default")]
    pub scope: String,
    /// Free text.
    pub description: Option<String>,
    /// A condition that narrows it.
    pub condition: Option<String>,
    /// The condition's language version.
    pub condition_version: Option<String>,
    /// The identity by which it reaches into another tenant.
    pub delegated_managed_identity_resource_id: Option<String>,
    /// When it was made.
    #[serde(deserialize_with = "lenient_time")]
    pub created_on: Option<OffsetDateTime>,
    /// Who made it: an object id.
    pub created_by: Option<String>,
    /// When it was last changed.
    #[serde(deserialize_with = "lenient_time")]
    pub updated_on: Option<OffsetDateTime>,
}

impl RoleAssignment {
    /// The id, read.
    ///
    /// # Errors
    /// [`IdError`] when Azure wrote something else.
    pub fn assignment_id(&self) -> Result<RoleAssignmentId, IdError> {
        RoleAssignmentId::parse(&self.id)
    }

    /// The role's GUID.
    pub fn role_guid(&self) -> Option<Uuid> {
        role_definition_guid(&self.properties.role_definition_id)
    }

    /// Whether it belongs to that principal.
    pub fn is_held_by(&self, principal_id: &str) -> bool {
        self.properties.principal_id.eq_ignore_ascii_case(principal_id)
    }
}

/// What a role assignment is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewRoleAssignment {
    /// The role, in any of the forms of its id.
    pub role_definition_id: String,
    /// Who shall hold it: an object id.
    pub principal_id: String,
    /// `User`, `Group` or `ServicePrincipal`. Saying it spares Azure a look into the directory, where a new principal
    /// may not be found yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_type: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A condition that narrows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The condition's language version; Azure knows `2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition_version: Option<String>,
    /// The identity by which it reaches into another tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegated_managed_identity_resource_id: Option<String>,
}

/// Which assignments a list gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Those at the scope, above and below it.
    All,
    /// Those at the scope and above it, which are the ones that are in force there.
    AtScope,
    /// Those of a principal at the scope, above and below it.
    Principal(Uuid),
    /// The same, and also those that reach the principal through its groups.
    AssignedTo(Uuid),
}

impl Filter {
    fn text(&self) -> Option<String> {
        match self {
            Filter::All => None,
            Filter::AtScope => Some("atScope()".to_owned()),
            Filter::Principal(id) => Some(format!("principalId eq '{id}'")),
            Filter::AssignedTo(id) => Some(format!("assignedTo('{id}')")),
        }
    }
}

/// What a DELETE found.
#[derive(Debug, Clone, PartialEq)]
pub enum Deleted {
    /// The assignment, which is gone now.
    Was(Box<RoleAssignment>),
    /// Nothing: it was gone already.
    WasAbsent,
}

/// The calls about role assignments.
pub struct RoleAssignments<'a>(pub(super) &'a Client);

const PRINCIPAL_NOT_FOUND: &[ErrorCode] = &[ErrorCode::PrincipalNotFound];

impl RoleAssignments<'_> {
    /// One assignment.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::is_not_found`] when there is none. For some minutes after its creation that may be
    /// said of one that exists.
    pub async fn get(&self, id: &RoleAssignmentId, read: Read, call: &Call) -> Result<Dated<RoleAssignment>, Error> {
        let answer = self.0.read(&Self::request(Method::GET, id), read, call).await?;
        Ok(Dated { value: answer.json()?, date: answer.date() })
    }

    /// One assignment, together with others that are asked for at the same time: from three on, those of one scope
    /// cost a single list. One that the list lacks is asked for by itself, so that the answer is as good as
    /// [`RoleAssignments::get`]'s.
    ///
    /// # Errors
    /// As [`RoleAssignments::get`].
    pub async fn get_batched(
        &self,
        id: &RoleAssignmentId,
        read: Read,
        call: &Call,
    ) -> Result<Dated<RoleAssignment>, Error> {
        // A list shows the assignments of the client's own tenant.
        if id.tenant.is_none()
            && let Some(found) = self.0.find_in_batch(id, read, call).await?
        {
            return Ok(found);
        }
        self.get(id, read, call).await
    }

    /// Makes an assignment, or updates description and condition of the one with this name. Repeating it is harmless.
    ///
    /// A principal that Azure does not find is asked for again during `propagation`: a new one takes a while to be
    /// known everywhere.
    ///
    /// # Errors
    /// See [`Error`] and the codes in [`ErrorCode`].
    pub async fn put(
        &self,
        id: &RoleAssignmentId,
        new: &NewRoleAssignment,
        propagation: Duration,
        call: &Call,
    ) -> Result<Dated<RoleAssignment>, Error> {
        // Unlike the other calls, this one knows no tenant: the delegated identity says whose it is.
        let request = Request::new(Method::PUT, id.path(), API_VERSION)
            .json(&json!({ "properties": new }))
            .not_yet(PRINCIPAL_NOT_FOUND, Some(propagation));
        let answer = self.0.send(&request, call).await?;
        Ok(Dated { value: answer.json()?, date: answer.date() })
    }

    /// Removes an assignment.
    ///
    /// # Errors
    /// See [`Error`]. That there is none is no error.
    pub async fn delete(&self, id: &RoleAssignmentId, call: &Call) -> Result<Deleted, Error> {
        match self.0.send(&Self::request(Method::DELETE, id), call).await {
            Ok(answer) if answer.status == StatusCode::NO_CONTENT => Ok(Deleted::WasAbsent),
            Ok(answer) => Ok(Deleted::Was(answer.json()?)),
            Err(error) if error.is_not_found() => Ok(Deleted::WasAbsent),
            Err(error) => Err(error),
        }
    }

    /// The assignments at a scope.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list(
        &self,
        scope: &ArmId,
        filter: &Filter,
        read: Read,
        call: &Call,
    ) -> Result<Dated<Vec<RoleAssignment>>, Error> {
        let path = scope.below("/providers/Microsoft.Authorization/roleAssignments");
        let mut request = Request::get(path, API_VERSION);
        if let Some(filter) = filter.text() {
            request = request.query("$filter", filter);
        }
        self.0.list(&request, read, call).await
    }

    fn request(method: Method, id: &RoleAssignmentId) -> Request {
        let request = Request::new(method, id.path(), API_VERSION);
        match &id.tenant {
            Some(tenant) => request.query("tenantId", tenant.as_str()),
            None => request,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn an_assignment_is_read_with_azures_own_time_format() {
        let assignment: RoleAssignment = serde_json::from_str(
            r#"{"id":"/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/0f000000-0000-4000-8000-000000000001",
            "name":"0f000000-0000-4000-8000-000000000001","type":"Microsoft.Authorization/roleAssignments","properties":{
            "roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/BA92F5B4-2d11-453d-a403-e96b0029c9fe",
            "principalId":"AAAA","principalType":"ServicePrincipal","scope":"/subscriptions/s","condition":null,
            "createdOn":"2026-01-01T00:00:00.0000000Z","updatedOn":"whenever"}}"#,
        )
        .unwrap();
        assert_eq!(assignment.role_guid().unwrap().to_string(), "ba92f5b4-2d11-453d-a403-e96b0029c9fe");
        assert!(assignment.is_held_by("aaaa"));
        assert_eq!(assignment.properties.created_on, Some(datetime!(2026-01-01 00:00:00 UTC)));
        assert_eq!(assignment.properties.updated_on, None);
        assert_eq!(assignment.assignment_id().unwrap().scope.as_str(), "/subscriptions/s");
    }

    #[test]
    fn only_what_is_set_is_sent() {
        let new = NewRoleAssignment {
            role_definition_id: "/r".into(),
            principal_id: "p".into(),
            principal_type: Some("User".into()),
            description: None,
            condition: None,
            condition_version: None,
            delegated_managed_identity_resource_id: None,
        };
        assert_eq!(
            serde_json::to_string(&new).unwrap(),
            r#"{"roleDefinitionId":"/r","principalId":"p","principalType":"User"}"#
        );
    }
}
