//! Grants that are the platform's own: those of a hub's system-assigned identity on the hub's storage account.

use super::{choice::Role, grant::Entry, schema::State};
use crate::{
    arm::{self, ArmId, Call, List, Read, StorageAccountId, WorkspaceId, workspaces::Workspace},
    provider::{Session, principal::PrincipalType, roles},
};

/// Whether grants of these roles to a principal of this type may be the platform's, so that its hubs are worth a look.
pub(super) fn may_be(principal_type: Option<&PrincipalType>, scope: &ArmId, roles: &[Role]) -> bool {
    principal_type.is_some_and(PrincipalType::is_service_principal) && may_be_at(scope, roles)
}

fn may_be_at(scope: &ArmId, roles: &[Role]) -> bool {
    StorageAccountId::try_from(scope).is_ok() && roles.iter().any(is_given)
}

/// The same of an entry of an object that came from elsewhere, which need not say what its principal is.
pub(super) fn may_own(state: &State, entry: &Entry) -> bool {
    state.principal_type.known().is_none_or(PrincipalType::is_service_principal)
        && may_be_at(&entry.id.scope, std::slice::from_ref(&entry.role))
}

/// Whether the platform gives this role to hubs' identities.
fn is_given(role: &Role) -> bool {
    roles::OF_THE_PLATFORM.iter().any(|given| given.guid == role.guid)
}

/// The role among `roles` that the platform itself gives the hub's own identity there.
pub(super) fn role_of<'r>(hub: &Workspace, scope: &ArmId, principal: &str, roles: &'r [Role]) -> Option<&'r Role> {
    if is_its_own(hub, scope, principal) { roles.iter().find(|role| is_given(role)) } else { None }
}

fn is_its_own(hub: &Workspace, scope: &ArmId, principal: &str) -> bool {
    hub.system_principal_id().is_some_and(|id| id.eq_ignore_ascii_case(principal)) && hub.is_on(scope)
}

/// The hub that has this principal for its system-assigned identity and this account for its storage: the one that the
/// target names, or one of those in the account's subscription.
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
    Ok(all.value.iter().find(|hub| is_its_own(hub, scope, principal)).cloned())
}

/// Marks as adopted what the platform itself has granted to a hub's identity, so that it is never deleted from here.
///
/// # Errors
/// Why the hubs could not be looked at. Then nothing is marked.
pub(super) async fn mark(
    session: &Session,
    call: &Call,
    state: &State,
    entries: &mut [Entry],
) -> Result<(), arm::Error> {
    let Some(principal) = state.principal_id.text() else { return Ok(()) };
    let is_in_question = |entry: &Entry| !entry.adopted && may_own(state, entry);
    // Most often all are at one account, which is looked at once.
    let mut looked: Vec<(ArmId, bool)> = Vec::new();
    for entry in entries.iter().filter(|entry| is_in_question(entry)) {
        let scope = &entry.id.scope;
        if !looked.iter().any(|(known, _)| known == scope) {
            let hub = hub_of(session, state.hub_id.known(), scope, principal, Read::Remembered, call).await?;
            looked.push((scope.clone(), hub.is_some()));
        }
    }
    for entry in entries.iter_mut().filter(|entry| is_in_question(entry)) {
        entry.adopted = looked.contains(&(entry.id.scope.clone(), true));
    }
    Ok(())
}
