//! From the choice of a configuration to roles with name and GUID, asking Azure where neither is built in.

use uuid::Uuid;

use super::{
    choice::{Choice, Role},
    grant::Entry,
    schema::State,
    unresolved::Unresolved,
};
use crate::{
    arm::{self, ArmId, Call, List, Read, RoleDefinitionId, role_definitions::RoleDefinition},
    framework::{Attr, Diagnostic, Path},
    provider::{Session, report, roles},
};

/// The roles of a choice; `None` while they cannot be known. Built-in roles need no request. `known` is a plan or state
/// whose name and id belong together.
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
        // That both agree has been validated.
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
        let next = "To do without this look, name the role by role_definition_id.";
        Unresolved::Failed(report::failure(format!("Cannot look up the role {name:?}"), error, next).at(at_name()))
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
        // The name is for display only. Whoever may grant a role need not be allowed to look at it.
        Err(error) if error.is_forbidden() => Role { name: name.map_or_else(|| guid.to_string(), str::to_owned), guid },
        Err(error) if error.is_not_found() => {
            let next = "Check the GUID. A custom role exists only where it can be assigned; see its assignable scopes.";
            let summary = format!("There is no role {guid} at this scope");
            return Err(Unresolved::Missing(
                report::failure(summary, &error, next).at(Path::root("role_definition_id")),
            ));
        }
        Err(error) => {
            let summary = format!("Cannot look up the role {guid}");
            return Err(Unresolved::Failed(report::failure(summary, &error, "").at(Path::root("role_definition_id"))));
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
    Err(Unresolved::Failed(Diagnostic::error("Two different roles", detail).at(at_name())))
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
    report::failure(format!("{scope} does not exist"), error, "Roles can be looked up only at a scope that exists.")
}

/// The error for a name that no role has, with the names that resemble it.
fn unknown_name(name: &str, scope: &ArmId, all: &[RoleDefinition]) -> Diagnostic {
    let wanted = name.to_lowercase();
    let mut near: Vec<(f64, &str)> = all
        .iter()
        .map(|role| role.properties.role_name.as_str())
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(nearness, _)| *nearness > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let near: Vec<_> = near.iter().take(3).map(|(_, name)| format!("{name:?}")).collect();
    let mut detail = format!("No role at {scope} is named {name:?}.");
    if !near.is_empty() {
        detail.push_str(&format!(" Did you mean {}?", near.join(", ")));
    }
    detail.push_str(" A custom role can be used only within its assignable scopes.");
    Diagnostic::error("There is no such role", detail).at(at_name())
}

/// The roles of a configuration with their names, as far as both follow from it and from what is there already.
pub(super) fn shown(config: &State, prior: Option<&State>, had: &[Entry]) -> Option<Vec<Role>> {
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

/// Fills name and id of a single role into a plan, and empties them for a preset. What the configuration says stays, and
/// so does what is known already about the same role.
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
        let target = planned.named_target(scope);
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
