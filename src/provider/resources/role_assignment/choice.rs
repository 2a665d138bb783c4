//! Which roles a configuration chooses.

use uuid::Uuid;

use super::schema::State;
use crate::{arm::RoleDefinitionId, provider::roles};

/// A role, built-in or custom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    /// Its name in Azure, or its GUID where that could not be read.
    pub(super) name: String,
    pub(super) guid: Uuid,
}

impl From<roles::Role> for Role {
    fn from(role: roles::Role) -> Self {
        Self { name: role.name.to_owned(), guid: role.guid }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice<'s> {
    /// A pair or scenario, by its name in lower case.
    Preset(&'static str, &'static [roles::Role]),
    /// One role, by name, GUID or both.
    Single(Option<&'s str>, Option<Uuid>),
    /// Not known yet.
    Unknown,
}

impl<'s> Choice<'s> {
    pub(super) fn of(state: &'s State) -> Self {
        let State { access, scenario, role_definition_name: name, role_definition_id: id, .. } = state;
        match (access.known(), scenario.known()) {
            (Some(access), _) => return Self::Preset(access.word(), access.roles()),
            (None, Some(scenario)) => return Self::Preset(scenario.name, scenario.roles),
            _ if access.is_unknown() || scenario.is_unknown() => return Self::Unknown,
            _ => {}
        }
        match (name.text(), id.known().map(RoleDefinitionId::guid)) {
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

    /// The choice in ids: the pair, the scenario or the role's GUID.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Self::Preset(name, _) => Some((*name).to_owned()),
            Self::Single(_, Some(guid)) => Some(guid.to_string()),
            Self::Single(Some(name), None) => roles::by_name(name).map(|role| role.guid.to_string()),
            Self::Single(None, None) | Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Attr;

    fn state(access: &str, scenario: &str, name: &str, id: &str) -> State {
        State {
            access: access.parse().ok().into(),
            scenario: scenario.parse().ok().into(),
            role_definition_name: Some(name.to_owned()).filter(|name| !name.is_empty()).into(),
            role_definition_id: id.parse().ok().into(),
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
}
