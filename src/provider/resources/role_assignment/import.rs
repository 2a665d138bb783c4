//! Imports by an id or identity, and moves from another provider's state.

use serde_json::Value as Json;

use super::{
    assignment::{self, StateAssignment},
    choice::{Choice, Role},
    role_lookup,
    schema::{Identity, State},
    scope,
};
use crate::{
    arm::{ArmId, Call, Read, RoleAssignmentId, RoleDefinitionId, WorkspaceId, role_assignments::RoleAssignment},
    framework::{
        Attr, Diagnostic, Summary,
        resource::{ImportTarget, MoveSource},
        schema::Refusal,
    },
    provider::{
        Session,
        principal::{PrincipalId, PrincipalType},
        report, roles,
    },
};
use uuid::Uuid;

pub(super) async fn import(
    session: &Session,
    call: &Call,
    target: ImportTarget<Identity>,
) -> Result<State, Diagnostic> {
    let named = match target {
        ImportTarget::Identity(Identity { scope, principal_id, role }) => {
            by_target(State { scope: scope_of(&scope)?.into(), ..State::default() }, &principal_id, &role)?
        }
        ImportTarget::Id(text) => match text.splitn(3, '|').collect::<Vec<_>>().as_slice() {
            [target, principal, role] => {
                let mut state = State::default();
                match WorkspaceId::parse(target) {
                    Ok(hub) => state.hub_id = hub.into(),
                    Err(_) => state.scope = scope_of(target)?.into(),
                }
                by_target(state, principal, role)?
            }
            _ => match RoleAssignmentId::parse(&text) {
                Ok(id) => return one(session, call, id).await,
                Err(error) => return Err(unreadable(&format!("{error}."))),
            },
        },
    };
    find(session, call, named).await
}

fn unreadable(why: &str) -> Diagnostic {
    let detail = format!(
        "{why}\n\nUse TARGET|PRINCIPAL|ROLE or the ARM id of one role assignment. TARGET is the id of a hub, of its storage \
         account or of any other scope; PRINCIPAL is an object id; ROLE is contributor, reader, a scenario, or the name, GUID \
         or id of a role."
    );
    Diagnostic::error("The import id is not valid", detail)
}

fn scope_of(text: &str) -> Result<ArmId, Diagnostic> {
    ArmId::parse(text).map_err(|error| unreadable(&format!("{error}.")))
}

/// The configuration that an import id means.
fn by_target(mut state: State, principal: &str, role: &str) -> Result<State, Diagnostic> {
    let principal: PrincipalId = principal.parse().map_err(|refusal: Refusal| unreadable(&refusal.detail))?;
    state.principal_id = principal.into();
    if let Ok(access) = role.parse() {
        state.access = Attr::Known(access);
    } else if let Some(scenario) = roles::scenario(role) {
        if scenario.holder == roles::Holder::Hub {
            return Err(unreadable(&format!("The platform creates the role assignments of {role}.")));
        }
        state.scenario = Attr::Known(*scenario);
    } else {
        match RoleDefinitionId::parse(role) {
            Ok(id) => state.role_definition_id = RoleDefinitionId::from(id.guid()).into(),
            Err(error) if role.is_empty() || role.starts_with('/') => return Err(unreadable(&format!("{error}."))),
            Err(_) => state.role_definition_name = role.to_owned().into(),
        }
    }
    Ok(state)
}

/// Finds the assignments of a principal's roles at a target, whatever their names.
async fn find(session: &Session, call: &Call, named: State) -> Result<State, Diagnostic> {
    let read = Read::Remembered;
    let resolved = scope::resolve(&named, None, Some(session), read, call).await.map_err(Diagnostic::from)?;
    let scope = resolved.scope.ok_or_else(|| unreadable("It has no target."))?;
    let roles = role_lookup::resolve(&Choice::of(&named), None, Some(&scope), Some(session), read, call).await;
    let roles = roles.map_err(Diagnostic::from)?.unwrap_or_default();
    let principal = named.principal_id.text().unwrap_or_default().to_owned();
    let list = session.arm.list(RoleAssignment::at_scope(&scope), read, call).await.map_err(|error| {
        let action = "Microsoft.Authorization/roleAssignments/read";
        report::not_readable(Summary("Cannot list the role assignments"), &error, action, scope.as_str(), "Reader")
    })?;
    let found = roles.iter().filter_map(|role| Some((role.clone(), list.held(&scope, &principal, role.guid)?)));
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        let wanted: Vec<_> = roles.iter().map(|role| format!("{:?}", role.name)).collect();
        let mut detail = format!("{principal} holds none of {} directly on {scope}.", wanted.join(", "));
        let others = list.value.iter().filter(|found| found.is_held_by(&principal));
        let mut others: Vec<_> = others
            .map(|found| {
                let role = found.role_guid().and_then(roles::by_guid);
                let role =
                    role.map_or_else(|| found.properties.role_definition_id.clone(), |role| role.name.to_owned());
                format!("{role} on {}", found.properties.scope)
            })
            .collect();
        others.sort();
        if !others.is_empty() {
            detail.push_str(&format!(" It holds {}.", others.join(", ")));
        }
        return Err(Diagnostic::error("No role assignment to import was found", detail));
    }
    Ok(complete(named, &scope, &roles, found))
}

async fn one(session: &Session, call: &Call, id: RoleAssignmentId) -> Result<State, Diagnostic> {
    let found = session.arm.get::<RoleAssignment>(&id, Read::Remembered, call).await.map_err(|error| {
        let next = "Check the id; az role assignment list --scope SCOPE shows the assignments there.";
        report::failure(Summary("The role assignment cannot be imported"), &error, next)
    })?;
    let guid = found.role_guid().ok_or_else(|| unreadable("The assignment has no role."))?;
    let named = State {
        scope: id.scope.clone().into(),
        principal_id: PrincipalId::from(found.properties.principal_id.as_str()).into(),
        role_definition_id: RoleDefinitionId::parse(&found.properties.role_definition_id).ok().into(),
        ..State::default()
    };
    let scope = id.scope.clone();
    let choice = Choice::Single(None, Some(guid));
    let roles = role_lookup::resolve(&choice, None, Some(&scope), Some(session), Read::Remembered, call).await;
    let roles = roles.map_err(Diagnostic::from)?.unwrap_or_default();
    let role = roles.first().cloned().unwrap_or(Role { name: guid.to_string(), guid });
    let mut state = complete(named, &scope, &roles, vec![(role, &found)]);
    // The given id may have another tenant.
    let entries: Vec<_> =
        assignment::of_state(&state).into_iter().map(|entry| StateAssignment { id: id.clone(), ..entry }).collect();
    state.role_assignments = assignment::to_attribute(&entries);
    Ok(state)
}

/// The state of the assignments that were found.
pub(super) fn complete(mut state: State, scope: &ArmId, roles: &[Role], found: Vec<(Role, &RoleAssignment)>) -> State {
    let config = state.clone();
    scope::fill(&mut state, &config, Some(scope));
    role_lookup::fill(&mut state, &config, Some(roles), Some(scope));
    if let (Some((_, first)), Attr::Known(given)) = (found.first(), &state.role_definition_id)
        && Uuid::try_parse(given.as_str()).is_ok()
        && let Ok(id) = RoleDefinitionId::parse(&first.properties.role_definition_id)
    {
        state.role_definition_id = id.into();
    }
    let text = |value: &Option<String>| Attr::from(value.clone().filter(|text| !text.is_empty()));
    if let Some((_, first)) = found.first() {
        let first = &first.properties;
        let principal_type = first.principal_type.as_deref().filter(|text| !text.is_empty());
        state.principal_type = principal_type.map(PrincipalType::from).into();
        state.description = text(&first.description);
        state.condition = text(&first.condition);
        state.condition_version = text(&first.condition_version);
        let delegated = first.delegated_managed_identity_resource_id.as_deref();
        state.delegated_managed_identity_resource_id = delegated.and_then(|id| ArmId::parse(id).ok()).into();
    }
    let entry = |(role, found): (Role, &RoleAssignment)| {
        Some(StateAssignment::found(&role, found.assignment_id().ok()?, found))
    };
    state.role_assignments = assignment::to_attribute(&found.into_iter().filter_map(entry).collect::<Vec<_>>());
    state.id = state.import_id();
    state
}

/// The state of azurerm's or azapi's resource for one role assignment, as ours.
pub(super) fn move_state(source: &MoveSource) -> Option<State> {
    let provider = source.provider_address.to_lowercase();
    let text = |json: &Json, name: &str| {
        json.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let object = Json::from_iter(source.state.clone());
    let id = RoleAssignmentId::parse(&text(&object, "id")?).ok()?;
    let (properties, role_definition_id, name) = match source.type_name.as_str() {
        "azurerm_role_assignment" if provider.ends_with("/hashicorp/azurerm") => {
            (object.clone(), text(&object, "role_definition_id")?, text(&object, "role_definition_name"))
        }
        "azapi_resource" if provider.ends_with("/azure/azapi") => {
            // A dynamic attribute stands in the state with its type.
            let body = object.get("body")?;
            let body = if body.get("type").is_some() { body.get("value")? } else { body };
            let properties = body.get("properties")?.clone();
            let snake = |name: &str| text(&properties, name);
            let role = snake("roleDefinitionId")?;
            let flat = Json::from_iter([
                ("principal_id", snake("principalId")),
                ("principal_type", snake("principalType")),
                ("description", snake("description")),
                ("condition", snake("condition")),
                ("condition_version", snake("conditionVersion")),
                ("delegated_managed_identity_resource_id", snake("delegatedManagedIdentityResourceId")),
            ]);
            (flat, role, None)
        }
        _ => return None,
    };
    let role_definition_id = RoleDefinitionId::parse(&role_definition_id).ok()?;
    let guid = role_definition_id.guid();
    let name = name.or_else(|| roles::by_guid(guid).map(|role| role.name.to_owned()));
    let attr = |name: &str| Attr::from(text(&properties, name));
    let delegated = text(&properties, "delegated_managed_identity_resource_id");
    let mut state = State {
        scope: id.scope.clone().into(),
        principal_id: PrincipalId::from(text(&properties, "principal_id")?.as_str()).into(),
        principal_type: text(&properties, "principal_type").as_deref().map(PrincipalType::from).into(),
        role_definition_name: name.clone().into(),
        role_definition_id: role_definition_id.clone().into(),
        description: attr("description"),
        condition: attr("condition"),
        condition_version: attr("condition_version"),
        delegated_managed_identity_resource_id: delegated.and_then(|id| ArmId::parse(&id).ok()).into(),
        ..State::default()
    };
    let config = state.clone();
    scope::fill(&mut state, &config, Some(&id.scope));
    let role = Role { name: name.unwrap_or_else(|| guid.to_string()), guid };
    state.role_assignments =
        assignment::to_attribute(&[StateAssignment { role, id, role_definition_id, adopted: false }]);
    state.id = state.import_id();
    Some(state)
}
