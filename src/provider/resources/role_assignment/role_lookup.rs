//! Finds the name and GUID of the chosen roles; only custom roles need a request.

use uuid::Uuid;

use super::{
    assignment::StateAssignment,
    choice::{Choice, Role},
    schema::State,
    unresolved::Unresolved,
};
use crate::{
    arm::{self, ArmId, Call, List, Read, RoleDefinitionId, role_definitions::RoleDefinition},
    framework::{Attr, Diagnostic, Path, Summary},
    provider::{Session, report, roles},
};

/// The roles of a choice; `None` while they cannot be known. `known` is a plan or state whose name and id belong together.
pub(super) async fn resolve(
    choice: &Choice<'_>,
    known: Option<&State>,
    scope: Option<&ArmId>,
    session: Option<&Session>,
    read: Read,
    call: &Call,
) -> Result<Option<Vec<Role>>, Unresolved> {
    let (name, guid) = match *choice {
        Choice::Preset(_, roles) => return Ok(Some(roles.iter().copied().map(Role::from).collect())),
        Choice::Unknown => return Ok(None),
        Choice::Single(name, guid) => (name, guid),
    };
    let built_in = match (name, guid) {
        // Validation has checked that both agree.
        (Some(name), Some(guid)) => roles::by_name(name).filter(|role| role.guid == guid),
        (Some(name), None) => roles::by_name(name),
        (None, Some(guid)) => roles::by_guid(guid),
        (None, None) => None,
    };
    if let Some(role) = built_in {
        return Ok(Some(vec![role.into()]));
    }
    if let Some(role) = known.and_then(pair).filter(|role| fits(role, name, guid)) {
        return Ok(Some(vec![role]));
    }
    let (Some(scope), Some(session)) = (scope, session) else { return Ok(None) };
    match (name, guid) {
        (Some(name), None) => by_name(name, scope, session, read, call).await,
        (name, Some(guid)) => by_guid(guid, name, scope, session, read, call).await,
        (None, None) => Ok(None),
    }
}

fn fits(role: &Role, name: Option<&str>, guid: Option<Uuid>) -> bool {
    name.is_none_or(|name| role.name.eq_ignore_ascii_case(name)) && guid.is_none_or(|guid| role.guid == guid)
}

fn pair(state: &State) -> Option<Role> {
    let guid = state.role_definition_id.known()?.guid();
    Some(Role { name: state.role_definition_name.text()?.to_owned(), guid })
}

async fn by_name(
    name: &str,
    scope: &ArmId,
    session: &Session,
    read: Read,
    call: &Call,
) -> Result<Option<Vec<Role>>, Unresolved> {
    let failed = |error: &arm::Error| {
        let next = "With role_definition_id instead of role_definition_name no look-up is needed.";
        Unresolved::Failed(report::failure(Summary("Cannot look up the role"), error, next).at(at_name()))
    };
    let found = session.arm.list(RoleDefinition::named(scope, name), read, call).await;
    let found = match found {
        Err(error) if error.is_not_found() => return Err(Unresolved::Missing(no_scope(scope, &error))),
        found => found.map_err(|error| failed(&error))?,
    };
    if let Some(role) = found.value.first().and_then(named) {
        return Ok(Some(vec![role]));
    }
    let all = session.arm.list(List::below(scope), read, call).await.map_err(|error| failed(&error))?;
    Err(Unresolved::Missing(unknown_name(name, scope, &all.value)))
}

async fn by_guid(
    guid: Uuid,
    name: Option<&str>,
    scope: &ArmId,
    session: &Session,
    read: Read,
    call: &Call,
) -> Result<Option<Vec<Role>>, Unresolved> {
    let role = match session.arm.get(&RoleDefinition::id_at(scope, guid), read, call).await {
        Ok(definition) => named(&definition).unwrap_or(Role { name: guid.to_string(), guid }),
        // The name is for display only, and a caller who may assign a role need not be allowed to read it.
        Err(error) if error.is_forbidden() => Role { name: name.map_or_else(|| guid.to_string(), str::to_owned), guid },
        Err(error) if error.is_not_found() => {
            let next = "Check the GUID. A custom role exists only within its assignable scopes.";
            let told = report::explain(&error, next);
            let error =
                Diagnostic::error("The role does not exist", format!("There is no role {guid} at {scope}.\n\n{told}"));
            return Err(Unresolved::Missing(error.at(Path::root("role_definition_id"))));
        }
        Err(error) => {
            let error = report::failure(Summary("Cannot look up the role"), &error, "");
            return Err(Unresolved::Failed(error.at(Path::root("role_definition_id"))));
        }
    };
    if fits(&role, name, Some(guid)) {
        return Ok(Some(vec![role]));
    }
    let detail = format!(
        "role_definition_id is that of {:?}, and role_definition_name is {:?}. Remove one of them.",
        role.name,
        name.unwrap_or_default()
    );
    Err(Unresolved::Failed(Diagnostic::error("Name and id are those of different roles", detail).at(at_name())))
}

fn named(definition: &RoleDefinition) -> Option<Role> {
    let guid = definition.guid()?;
    let name = &definition.properties.role_name;
    Some(Role { name: if name.is_empty() { guid.to_string() } else { name.clone() }, guid })
}

fn at_name() -> Path {
    Path::root("role_definition_name")
}

fn no_scope(scope: &ArmId, error: &arm::Error) -> Diagnostic {
    let told = report::explain(error, "Check the target, or let it refer to the resource that creates it.");
    Diagnostic::error("The scope does not exist", format!("There is no {scope}.\n\n{told}"))
}

/// The error for a name that no role has, with similar names.
fn unknown_name(name: &str, scope: &ArmId, all: &[RoleDefinition]) -> Diagnostic {
    let did_you_mean = roles::did_you_mean(name, all.iter().map(|role| role.properties.role_name.as_str()));
    let mut detail = format!("No role at {scope} is named {name:?}.{did_you_mean}");
    detail.push_str(" A custom role can be used only within its assignable scopes.");
    Diagnostic::error("The role does not exist", detail).at(at_name())
}

/// The roles of a configuration as far as they follow from it and from the prior object, without a request.
pub(super) fn shown(config: &State, prior: Option<&State>, had: &[StateAssignment]) -> Option<Vec<Role>> {
    let (name, guid) = match Choice::of(config) {
        Choice::Preset(_, roles) => return Some(roles.iter().copied().map(Role::from).collect()),
        Choice::Unknown => return None,
        Choice::Single(..) if config.role_definition_name.is_unknown() || config.role_definition_id.is_unknown() => {
            return None;
        }
        Choice::Single(name, guid) => (name, guid),
    };
    let built_in = match (name, guid) {
        (Some(name), None) => roles::by_name(name),
        (_, Some(guid)) => roles::by_guid(guid),
        (None, None) => None,
    };
    if let Some(role) = built_in {
        return Some(vec![role.into()]);
    }
    let known = prior.and_then(pair).filter(|role| fits(role, name, None));
    let guid = guid.or_else(|| known.map(|role| role.guid))?;
    let entry = had.iter().find(|entry| entry.role.guid == guid).map(|entry| entry.role.name.clone());
    let name = entry.or_else(|| name.map(str::to_owned))?;
    Some(vec![Role { name, guid }])
}

/// Fills name and id of a single role into a plan, and nulls them for a preset. What is configured stays, and so does what is
/// known of the same role.
pub(super) fn fill(planned: &mut State, config: &State, roles: Option<&[Role]>, scope: Option<&ArmId>) {
    if let Choice::Preset(..) = Choice::of(config) {
        planned.role_definition_name = Attr::Null;
        planned.role_definition_id = Attr::Null;
        return;
    }
    let role = roles.and_then(<[Role]>::first);
    let known = planned.role_definition_id.known().map(RoleDefinitionId::guid);
    let is_known = known.is_some() && known == role.map(|role| role.guid);
    if config.role_definition_name.is_null() && (!is_known || planned.role_definition_name.text().is_none()) {
        planned.role_definition_name = role.map_or(Attr::Unknown, |role| role.name.clone().into());
    }
    if config.role_definition_id.is_null() && !is_known {
        let target = planned.configured_target(scope);
        planned.role_definition_id = role
            .zip(target)
            .map_or(Attr::Unknown, |(role, target)| RoleDefinitionId::within(&target, role.guid).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_brings_up_those_that_resemble_it() {
        let all: Vec<_> = roles::ALL
            .iter()
            .map(|role| {
                let mut definition = RoleDefinition { name: role.guid.to_string(), ..RoleDefinition::default() };
                definition.properties.role_name = role.name.to_owned();
                definition
            })
            .collect();
        let error = unknown_name("Storage Blob Data Raeder", &ArmId::root(), &all);
        assert!(error.detail.contains("Did you mean \"Storage Blob Data Reader\""), "{}", error.detail);
        assert!(!unknown_name("zzz", &ArmId::root(), &all).detail.contains("Did you mean"));
    }
}
