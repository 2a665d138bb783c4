//! What a list makes of role assignments: one object of a principal's two roles of a pair, and one of any other assignment.

use std::collections::BTreeMap;

use super::{
    choice::{Choice, Role},
    import, role_lookup,
    schema::State,
};
use crate::{
    arm::{ArmId, Call, Read, RoleAssignmentId, RoleDefinitionId, role_assignments::RoleAssignment},
    framework::Diagnostic,
    provider::{
        Session,
        principal::PrincipalId,
        roles::{self, Access},
    },
};

/// An assignment of a list, with what has been read of its ids.
#[derive(Clone, Debug)]
struct Assignment {
    id: RoleAssignmentId,
    role: RoleDefinitionId,
    found: RoleAssignment,
}

/// One object of a list.
#[derive(Debug)]
pub(crate) struct Group {
    /// The pair of roles; a single role where there is none.
    access: Option<Access>,
    first: Assignment,
    second: Option<Assignment>,
}

/// Finds pairs among assignments as they are read: by scope, principal and pair it has those of which the other half is missing.
#[derive(Debug, Default)]
pub(crate) struct Pairs(BTreeMap<(ArmId, String, &'static str), Assignment>);

impl Pairs {
    /// Adds an assignment with its id. Returns the objects that are complete with it.
    ///
    /// # Errors
    /// The id as Azure writes it, and why the assignment cannot be read.
    pub(crate) fn add(&mut self, id: RoleAssignmentId, found: RoleAssignment) -> Result<Vec<Group>, (String, String)> {
        let role = match RoleDefinitionId::parse(&found.properties.role_definition_id) {
            Ok(role) => role,
            Err(error) => return Err((found.id, error.to_string())),
        };
        if found.properties.principal_id.is_empty() {
            return Err((found.id, "it has no principal".to_owned()));
        }
        let new = Assignment { id, role, found };
        let Some(access) = new.half_of() else { return Ok(vec![Group::single(new)]) };
        let principal = new.found.properties.principal_id.to_lowercase();
        let key = (new.id.scope.clone(), principal, access.word());
        Ok(match self.0.remove(&key) {
            None => {
                self.0.insert(key, new);
                Vec::new()
            }
            Some(other) if other.joins(&new) => vec![Group { access: Some(access), first: other, second: Some(new) }],
            Some(other) => vec![Group::single(other), Group::single(new)],
        })
    }

    /// The assignments of which no other half came.
    pub(crate) fn rest(self) -> impl Iterator<Item = Group> {
        self.0.into_values().map(Group::single)
    }
}

impl Assignment {
    /// The pair of which it can be a half. One resource has no conditions for two roles.
    fn half_of(&self) -> Option<Access> {
        let properties = &self.found.properties;
        let has = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
        if has(&properties.condition) || has(&properties.delegated_managed_identity_resource_id) {
            return None;
        }
        let has_role = |access: &Access| access.roles().iter().any(|role| role.guid == self.role.guid());
        [Access::Contributor, Access::Reader].into_iter().find(has_role)
    }

    /// Whether both fit into one object, which has one description.
    fn joins(&self, other: &Self) -> bool {
        let text = |assignment: &Self| assignment.found.properties.description.clone().unwrap_or_default();
        self.role.guid() != other.role.guid() && text(self) == text(other)
    }
}

impl Group {
    fn single(first: Assignment) -> Self {
        Self { access: None, first, second: None }
    }

    /// `contributor of PRINCIPAL on SCOPE`: role assignments have no name that says anything. The name of a custom role is
    /// that of the object, if it was read, and else its GUID.
    pub(crate) fn display_name(&self, object: &State) -> String {
        let guid = self.first.role.guid();
        let role = match (self.access, object.role_definition_name.text(), roles::by_guid(guid)) {
            (Some(access), ..) => access.word().to_owned(),
            (None, Some(name), _) => name.to_owned(),
            (None, None, Some(role)) => role.name.to_owned(),
            (None, None, None) => guid.to_string(),
        };
        format!("{role} of {} on {}", self.first.found.properties.principal_id, self.scope().name())
    }

    fn scope(&self) -> &ArmId {
        &self.first.id.scope
    }

    /// As much of the object as its identity needs.
    pub(crate) fn named(&self) -> State {
        let mut named = State {
            scope: self.scope().clone().into(),
            principal_id: PrincipalId::from(self.first.found.properties.principal_id.as_str()).into(),
            access: self.access.into(),
            ..State::default()
        };
        if self.access.is_none() {
            named.role_definition_id = RoleDefinitionId::from(self.first.role.guid()).into();
        }
        named
    }

    /// The object as an import by its identity makes it. Only the name of a custom role takes a request.
    pub(crate) async fn object(&self, session: &Session, call: &Call) -> Result<State, Diagnostic> {
        let (named, scope) = (self.named(), self.scope().clone());
        let choice = Choice::of(&named);
        let roles = role_lookup::resolve(&choice, None, Some(&scope), Some(session), Read::Remembered, call).await;
        let roles = roles.map_err(Diagnostic::from)?.unwrap_or_default();
        let assignments = [Some(&self.first), self.second.as_ref()];
        let of = |role: &Role| {
            let assignment =
                assignments.into_iter().flatten().find(|assignment| assignment.role.guid() == role.guid)?;
            Some((role.clone(), &assignment.found))
        };
        let found = roles.iter().filter_map(of).collect();
        Ok(import::complete(named, &scope, &roles, found))
    }
}
