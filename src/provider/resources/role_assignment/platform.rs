//! Role assignments that the platform creates: those of a hub's system-assigned identity on the hub's storage account.

use std::collections::HashSet;

use super::{assignment::StateAssignment, choice::Role, schema::State};
use crate::{
    arm::{
        self, ArmId, Call, List, Read, StorageAccountId, WorkspaceId, role_assignments::RoleAssignment,
        workspaces::Workspace,
    },
    provider::{Session, principal::PrincipalType, roles},
};

/// Whether the platform may assign one of these roles to a principal of this type, so that hubs have to be read.
pub(super) fn may_assign(principal_type: Option<&PrincipalType>, scope: &ArmId, roles: &[Role]) -> bool {
    principal_type.is_some_and(PrincipalType::is_service_principal) && may_be_at(scope, roles)
}

fn may_be_at(scope: &ArmId, roles: &[Role]) -> bool {
    StorageAccountId::try_from(scope).is_ok() && roles.iter().any(is_assigned)
}

/// The same for an assignment that was imported or moved here, whose principal's type may be unknown.
pub(super) fn may_have_assigned(state: &State, entry: &StateAssignment) -> bool {
    state.principal_type.known().is_none_or(PrincipalType::is_service_principal)
        && may_be_at(&entry.id.scope, std::slice::from_ref(&entry.role))
}

/// Whether the platform assigns this role to hubs' identities.
fn is_assigned(role: &Role) -> bool {
    roles::ASSIGNED_BY_PLATFORM.iter().any(|given| given.guid == role.guid)
}

/// The role among `roles` that the platform assigns to this principal, if it is the hub's system-assigned identity.
pub(super) fn role_of<'r>(hub: &Workspace, scope: &ArmId, principal: &str, roles: &'r [Role]) -> Option<&'r Role> {
    if is_its_own(hub, scope, principal) { roles.iter().find(|role| is_assigned(role)) } else { None }
}

fn is_its_own(hub: &Workspace, scope: &ArmId, principal: &str) -> bool {
    hub.system_principal_id().is_some_and(|id| id.eq_ignore_ascii_case(principal)) && hub.is_on(scope)
}

/// The hub whose system-assigned identity the principal is and whose storage account the scope is: the target's, or one in
/// the account's subscription.
pub(super) async fn hub_of(
    session: &Session,
    hub_id: Option<&WorkspaceId>,
    scope: &ArmId,
    principal: &str,
    read: Read,
    call: &Call,
) -> Result<Option<Workspace>, arm::Error> {
    if let Some(id) = hub_id {
        return match session.arm.get::<Workspace>(id, read, call).await {
            Err(error) if error.is_not_found() => Ok(None),
            hub => Ok(Some(hub?).filter(|hub| is_its_own(hub, scope, principal))),
        };
    }
    let Ok(account) = StorageAccountId::try_from(scope) else { return Ok(None) };
    let all = session.arm.list::<Workspace>(List::in_subscription(account.subscription()), read, call).await?;
    Ok(all.on_account(scope).find(|hub| is_its_own(hub, scope, principal)).cloned())
}

/// What the platform assigns to many workspaces: the system-assigned identity of each, with its storage account.
#[derive(Debug, Default)]
pub(crate) struct PlatformAssignments(HashSet<(String, ArmId)>);

impl PlatformAssignments {
    /// Adds those of further workspaces.
    pub(crate) fn add<'w>(&mut self, workspaces: impl IntoIterator<Item = &'w Workspace>) {
        let identity = |workspace: &Workspace| {
            let account = ArmId::parse(&workspace.properties.storage_account).ok()?;
            Some((workspace.system_principal_id()?.to_lowercase(), account))
        };
        self.0.extend(workspaces.into_iter().filter_map(identity));
    }

    /// Whether an assignment may be the platform's, so that the workspaces matter.
    pub(crate) fn may_have(found: &RoleAssignment, scope: &ArmId) -> bool {
        let assigned = |guid| roles::ASSIGNED_BY_PLATFORM.iter().any(|role| role.guid == guid);
        let principal_type = found.properties.principal_type.as_deref().map(PrincipalType::from);
        principal_type.is_none_or(|principal_type| principal_type.is_service_principal())
            && found.role_guid().is_some_and(assigned)
            && StorageAccountId::try_from(scope).is_ok()
    }

    /// Whether an assignment at this scope, which the platform may have made, is one of them.
    pub(crate) fn has(&self, found: &RoleAssignment, scope: &ArmId) -> bool {
        self.0.contains(&(found.properties.principal_id.to_lowercase(), scope.clone()))
    }
}

/// Marks the platform's assignments as adopted, so that they are never deleted by this provider.
///
/// # Errors
/// The hubs could not be read. Then nothing is marked.
pub(super) async fn mark(
    session: &Session,
    call: &Call,
    state: &State,
    entries: &mut [StateAssignment],
) -> Result<(), arm::Error> {
    let Some(principal) = state.principal_id.text() else { return Ok(()) };
    let is_in_question = |entry: &StateAssignment| !entry.adopted && may_have_assigned(state, entry);
    // Most often all have one scope, whose hubs are read once.
    let mut checked: Vec<(ArmId, bool)> = Vec::new();
    for entry in entries.iter().filter(|entry| is_in_question(entry)) {
        let scope = &entry.id.scope;
        if !checked.iter().any(|(known, _)| known == scope) {
            let hub = hub_of(session, state.hub_id.known(), scope, principal, Read::Remembered, call).await?;
            checked.push((scope.clone(), hub.is_some()));
        }
    }
    for entry in entries.iter_mut().filter(|entry| is_in_question(entry)) {
        entry.adopted = checked.contains(&(entry.id.scope.clone(), true));
    }
    Ok(())
}
