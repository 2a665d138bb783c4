//! Role assignments (Microsoft.Authorization/roleAssignments): who holds which role where.

use super::body::{lenient_time, or_default};
use super::call::Call;
use super::client::Client;
use super::error::{Error, ErrorCode};
use super::gathering::{Asked, Gathering};
use super::id::{ArmId, IdError, RoleAssignmentId, RoleDefinitionId};
use super::listed::Listed;
use super::reads::Read;
use super::request::{Dated, Request};
use super::resource::{List, Resource};
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// A role assignment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleAssignment {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: String,
    /// The GUID.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// The members under `properties`.
    #[serde(deserialize_with = "or_default")]
    pub properties: RoleAssignmentProperties,
}

/// The properties of a role assignment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleAssignmentProperties {
    /// The role, in any of the forms of its id.
    #[serde(deserialize_with = "or_default")]
    pub(crate) role_definition_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(crate) principal_id: String,
    /// `User`, `Group`, `ServicePrincipal`, `ForeignGroup` or `Device`.
    pub(crate) principal_type: Option<String>,
    /// In a list this may be above the scope that was requested.
    #[serde(deserialize_with = "or_default")]
    pub(crate) scope: String,
    pub(crate) description: Option<String>,
    pub(crate) condition: Option<String>,
    pub(crate) condition_version: Option<String>,
    pub(crate) delegated_managed_identity_resource_id: Option<String>,
    /// When it was created.
    #[serde(deserialize_with = "lenient_time")]
    pub created_on: Option<OffsetDateTime>,
    /// An object id.
    pub(crate) created_by: Option<String>,
    #[serde(deserialize_with = "lenient_time")]
    pub(crate) updated_on: Option<OffsetDateTime>,
}

impl RoleAssignment {
    /// The assignments at a scope and above it, which are those in force there.
    pub fn at_scope(scope: &ArmId) -> List<Self> {
        List::below(scope).filter("atScope()")
    }

    /// The assignments of a principal at a scope, above and below it.
    pub fn of_principal(scope: &ArmId, principal_id: Uuid) -> List<Self> {
        List::below(scope).filter(format!("principalId eq '{principal_id}'"))
    }

    /// The assignments of a principal and of the groups that it is a member of, in a subscription and above it.
    pub(crate) fn assigned_to(principal_id: &str, subscription: &str) -> List<Self> {
        List::in_subscription(subscription).filter(format!("assignedTo('{principal_id}')"))
    }

    /// The id, read.
    ///
    /// # Errors
    /// [`IdError`] when Azure wrote something else.
    pub fn assignment_id(&self) -> Result<RoleAssignmentId, IdError> {
        RoleAssignmentId::parse(&self.id)
    }

    /// The role's GUID.
    pub fn role_guid(&self) -> Option<Uuid> {
        RoleDefinitionId::parse(&self.properties.role_definition_id).ok().map(|id| id.guid())
    }

    /// Whether it is an assignment of that principal.
    pub fn is_held_by(&self, principal_id: &str) -> bool {
        self.properties.principal_id.eq_ignore_ascii_case(principal_id)
    }
}

/// Where each assignment is in a list.
struct ByName(HashMap<Uuid, usize>);

impl From<&[RoleAssignment]> for ByName {
    fn from(list: &[RoleAssignment]) -> Self {
        let names = list.iter().enumerate().filter_map(|(at, found)| Some((Uuid::try_parse(&found.name).ok()?, at)));
        Self(names.collect())
    }
}

/// Where the assignment of each role at each scope to each principal, in lower case, is in a list.
struct ByHolder(HashMap<(ArmId, String, Uuid), usize>);

impl From<&[RoleAssignment]> for ByHolder {
    fn from(list: &[RoleAssignment]) -> Self {
        let holder = |found: &RoleAssignment| {
            let scope = found.assignment_id().ok()?.scope;
            Some((scope, found.properties.principal_id.to_lowercase(), found.role_guid()?))
        };
        Self(list.iter().enumerate().filter_map(|(at, found)| Some((holder(found)?, at))).collect())
    }
}

impl Listed<RoleAssignment> {
    /// The assignment with this name. Names are unique in the tenant, also among inherited assignments.
    pub fn named(&self, name: Uuid) -> Option<&RoleAssignment> {
        self.index::<ByName>().0.get(&name).map(|at| &self.value[*at])
    }

    /// The assignment of a role to a principal directly at a scope, of which Azure allows only one.
    pub fn held(&self, scope: &ArmId, principal_id: &str, role: Uuid) -> Option<&RoleAssignment> {
        let holder = (scope.clone(), principal_id.to_lowercase(), role);
        self.index::<ByHolder>().0.get(&holder).map(|at| &self.value[*at])
    }
}

/// A role assignment to create or update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewRoleAssignment {
    /// The role, in any of the forms of its id.
    pub role_definition_id: String,
    /// The principal's object id.
    pub principal_id: String,
    /// `User`, `Group` or `ServicePrincipal`. With it Azure does not look the principal up in the directory, where a new one
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

/// The result of a DELETE.
#[derive(Debug, Clone, PartialEq)]
pub enum Deleted {
    /// The assignment that was deleted.
    Was(Box<RoleAssignment>),
    /// There was none.
    WasAbsent,
}

impl Resource for RoleAssignment {
    type Id = RoleAssignmentId;
    const API_VERSION: &'static str = "2022-04-01";
    const COLLECTION: &'static str = "/providers/Microsoft.Authorization/roleAssignments";

    fn request(method: Method, id: &RoleAssignmentId, api_version: &str) -> Request {
        // A PUT has no tenant parameter: the delegated identity determines it.
        let tenant = id.tenant.filter(|_| method != Method::PUT);
        let request = Request::new(method, id.path(), api_version);
        match tenant {
            Some(tenant) => request.query("tenantId", tenant.to_string()),
            None => request,
        }
    }
}

const PRINCIPAL_NOT_FOUND: &[ErrorCode] = &[ErrorCode::PrincipalNotFound];

/// From so many assignments of one scope on a list takes the place of single reads.
const WORTH_A_LIST: usize = 3;

impl Client {
    /// Reads an assignment. While reads are remembered, three or more of one scope cost a single list. One that the list lacks is
    /// read by itself, as by [`Client::get`], and so are all where the list cannot be read.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::is_not_found`] when there is none. For some minutes after its creation that may
    /// come for one that exists.
    pub async fn get_role_assignment(
        &self,
        id: &RoleAssignmentId,
        read: Read,
        call: &Call,
    ) -> Result<Dated<RoleAssignment>, Error> {
        // A list has the assignments of the client's own tenant only.
        if read == Read::Remembered
            && id.tenant.is_none()
            && let Some(found) = self.find_in_list(id, call).await
        {
            return Ok(found);
        }
        self.get_dated(id, read, call).await
    }

    /// Finds an assignment in the list of its scope, if one is worth its request and can be read.
    async fn find_in_list(&self, id: &RoleAssignmentId, call: &Call) -> Option<Dated<RoleAssignment>> {
        let gathering = self.0.reads.memory()?.get_or_insert("", Gathering::default);
        let list = RoleAssignment::at_scope(&id.scope);
        let lists = [list.request("").key().to_lowercase()];
        let key = format!("{}/{}", id.scope.key(), id.name);
        let asked = Asked { id: &key, lists: &lists, worth_a_list: WORTH_A_LIST };
        // The other half is left for the single read.
        let call = self.half_of(call);
        gathering.decide(&asked, &self.0.sender.tokens, &self.0.sender.limits(&call)).await?;
        match self.list(list, Read::Remembered, &call).await {
            Ok(list) => list.named(id.name).map(|found| Dated { value: found.clone(), date: list.date }),
            Err(_) => {
                if !call.cancel.is_cancelled() {
                    gathering.refuse(&lists[0]);
                }
                None
            }
        }
    }

    /// Creates an assignment, or updates description and condition of the one with this name.
    ///
    /// `PrincipalNotFound` is retried for `propagation`: a new principal takes a while to be replicated.
    ///
    /// # Errors
    /// See [`Error`] and the codes in [`ErrorCode`].
    pub async fn put_role_assignment(
        &self,
        id: &RoleAssignmentId,
        new: &NewRoleAssignment,
        propagation: Duration,
        call: &Call,
    ) -> Result<Dated<RoleAssignment>, Error> {
        let request = RoleAssignment::request(Method::PUT, id, RoleAssignment::API_VERSION)
            .json(&json!({ "properties": new }))
            .retry_on(PRINCIPAL_NOT_FOUND, Some(propagation));
        let answer = self.send(&request, call).await?;
        self.decode(&request, &answer, call).await
    }

    /// Deletes an assignment and gives the deleted one, which may have been another than expected.
    ///
    /// # Errors
    /// See [`Error`]. A missing assignment is no error.
    pub async fn delete_role_assignment(&self, id: &RoleAssignmentId, call: &Call) -> Result<Deleted, Error> {
        let request = RoleAssignment::request(Method::DELETE, id, RoleAssignment::API_VERSION);
        match self.send(&request, call).await {
            Ok(answer) if answer.status == StatusCode::NO_CONTENT => Ok(Deleted::WasAbsent),
            Ok(answer) => Ok(Deleted::Was(Box::new(self.decode(&request, &answer, call).await?.value))),
            Err(error) if error.is_not_found() => Ok(Deleted::WasAbsent),
            Err(error) => Err(error),
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
