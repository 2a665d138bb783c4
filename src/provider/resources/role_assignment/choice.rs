//! Which roles are meant.

use uuid::Uuid;

use super::{Fault, grant::Entry, schema::State};
use crate::{
    arm::{self, ArmId, Call, List, Read, id::role_definition_guid, role_definitions::RoleDefinition},
    framework::{Attr, Diagnostic, Path},
    provider::{Session, report, roles},
};

/// A role with the name it has in Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    /// Its name; its GUID where nobody could be asked.
    pub(super) name: String,
    /// What tells it from others.
    pub(super) guid: Uuid,
}

impl From<roles::Role> for Role {
    fn from(role: roles::Role) -> Self {
        Self { name: role.name.to_owned(), guid: role.guid }
    }
}

/// What the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice<'s> {
    /// A pair or scenario, by its name in lower case.
    Preset(&'static str, &'static [roles::Role]),
    /// One role, by name, GUID or both.
    Single(Option<&'s str>, Option<Uuid>),
    /// It cannot be told yet.
    Unknown,
}

impl<'s> Choice<'s> {
    /// The choice that a configuration or state makes.
    pub(super) fn of(state: &'s State) -> Self {
        let State { access, scenario, role_definition_name: name, role_definition_id: id, .. } = state;
        match (access.text(), scenario.text()) {
            (Some(access), _) if access.eq_ignore_ascii_case("contributor") => {
                return Self::Preset("contributor", &roles::CONTRIBUTOR_PAIR);
            }
            (Some(access), _) if access.eq_ignore_ascii_case("reader") => {
                return Self::Preset("reader", &roles::READER_PAIR);
            }
            (_, Some(scenario)) => {
                return roles::scenario(scenario)
                    .map_or(Self::Unknown, |scenario| Self::Preset(scenario.name, scenario.roles));
            }
            _ if access.is_unknown() || scenario.is_unknown() => return Self::Unknown,
            _ => {}
        }
        match (name.text(), id.text().and_then(role_definition_guid)) {
            (None, None) => Self::Unknown,
            (name, guid) => Self::Single(name, guid),
        }
    }

    /// The roles of a pair or scenario.
    pub(super) fn preset(&self) -> Option<&'static [roles::Role]> {
        match self {
            Self::Preset(_, roles) => Some(roles),
            Self::Single(..) | Self::Unknown => None,
        }
    }

    /// What stands for the choice in ids: the pair, the scenario or the role's GUID.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Self::Preset(name, _) => Some((*name).to_owned()),
            Self::Single(_, Some(guid)) => Some(guid.to_string()),
            Self::Single(Some(name), None) => roles::by_name(name).map(|role| role.guid.to_string()),
            Self::Single(None, None) | Self::Unknown => None,
        }
    }
}

/// The roles of a choice; `None` while they cannot be known. Built-in roles need no request. `known` is a plan or state
/// whose name and id belong together.
pub(super) async fn resolve(
    choice: &Choice<'_>,
    known: Option<&State>,
    scope: Option<&ArmId>,
    session: Option<&Session>,
    read: Read,
    call: &Call,
) -> Result<Option<Vec<Role>>, Fault> {
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
    let guid = role_definition_guid(state.role_definition_id.text()?)?;
    Some(Role { name: state.role_definition_name.text()?.to_owned(), guid })
}

async fn by_name(
    name: &str,
    scope: &ArmId,
    session: &Session,
    read: Read,
    call: &Call,
) -> Result<Option<Vec<Role>>, Fault> {
    let failed = |error: &arm::Error| {
        let next = "To do without this look, name the role by role_definition_id.";
        Fault::Failed(report::failure(format!("Cannot look up the role {name:?}"), error, next).at(at_name()))
    };
    let found = session.arm.list(RoleDefinition::named(scope, name), read, call).await;
    let found = match found {
        Err(error) if error.is_not_found() => return Err(Fault::Missing(no_scope(scope, &error))),
        found => found.map_err(|error| failed(&error))?,
    };
    if let Some(role) = found.value.first().and_then(named) {
        return Ok(Some(vec![role]));
    }
    let all = session.arm.list(List::below(scope), read, call).await.map_err(|error| failed(&error))?;
    Err(Fault::Missing(unknown_name(name, scope, &all.value)))
}

async fn by_guid(
    guid: Uuid,
    name: Option<&str>,
    scope: &ArmId,
    session: &Session,
    read: Read,
    call: &Call,
) -> Result<Option<Vec<Role>>, Fault> {
    let role = match session.arm.get(&RoleDefinition::id_at(scope, guid), read, call).await {
        Ok(definition) => named(&definition).unwrap_or(Role { name: guid.to_string(), guid }),
        // The name is for display only. Whoever may grant a role need not be allowed to look at it.
        Err(error) if error.is_forbidden() => Role { name: name.map_or_else(|| guid.to_string(), str::to_owned), guid },
        Err(error) if error.is_not_found() => {
            let next = "Check the GUID. A custom role exists only where it can be assigned; see its assignable scopes.";
            let summary = format!("There is no role {guid} at this scope");
            return Err(Fault::Missing(report::failure(summary, &error, next).at(Path::root("role_definition_id"))));
        }
        Err(error) => {
            let summary = format!("Cannot look up the role {guid}");
            return Err(Fault::Failed(report::failure(summary, &error, "").at(Path::root("role_definition_id"))));
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
    Err(Fault::Failed(Diagnostic::error("Two different roles", detail).at(at_name())))
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

/// The id by which Azure is told a role: that of the subscription of `target` where it has one.
pub(super) fn definition_id(target: &ArmId, guid: Uuid) -> String {
    let within = target.subscription().map(|subscription| format!("/subscriptions/{subscription}")).unwrap_or_default();
    format!("{within}/providers/Microsoft.Authorization/roleDefinitions/{guid}")
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
    let known = planned.role_definition_id.text().and_then(role_definition_guid);
    let is_known = known.is_some() && known == role.map(|role| role.guid);
    if config.role_definition_name.is_null() && (!is_known || planned.role_definition_name.text().is_none()) {
        planned.role_definition_name = role.map_or(Attr::Unknown, |role| role.name.clone().into());
    }
    if config.role_definition_id.is_null() && !is_known {
        let target = planned.named_target(scope);
        planned.role_definition_id =
            role.zip(target).map_or(Attr::Unknown, |(role, target)| definition_id(&target, role.guid).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(access: &str, scenario: &str, name: &str, id: &str) -> State {
        let text = |text: &str| if text.is_empty() { Attr::Null } else { Attr::Known(text.to_owned()) };
        State {
            access: text(access),
            scenario: text(scenario),
            role_definition_name: text(name),
            role_definition_id: text(id),
            ..State::default()
        }
    }

    #[test]
    fn every_way_to_choose_has_its_key() {
        let guid = roles::BLOB_READER.guid.to_string();
        for (access, scenario, name, id, key) in [
            ("Contributor", "", "", "", "contributor"),
            ("reader", "", "", "", "reader"),
            ("", "Prompt_Flow", "", "", "prompt_flow"),
            ("", "", "storage blob data READER", "", guid.as_str()),
            (
                "",
                "",
                "",
                "/providers/Microsoft.Authorization/roleDefinitions/2A2B9908-6ea1-4ae2-8e65-a410df84e7d1",
                &guid,
            ),
        ] {
            let state = state(access, scenario, name, id);
            assert_eq!(Choice::of(&state).key().as_deref(), Some(key));
        }
        assert_eq!(Choice::of(&state("", "", "My own role", "")).key(), None);
        assert_eq!(Choice::of(&State { access: Attr::Unknown, ..State::default() }), Choice::Unknown);
    }

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
