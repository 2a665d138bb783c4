//! The configuration that engines generate for an object.

use super::{choice::Choice, schema::State};
use crate::{framework::Attr, provider::roles};

/// An object with one target and one choice of roles, though a state has all that say the same.
pub(super) fn of(mut state: State) -> State {
    if state.hub_id.known().is_some() {
        state.storage_account_id = Attr::Null;
    }
    if state.hub_id.known().is_some() || state.storage_account_id.known().is_some() {
        state.scope = Attr::Null;
    }
    match Choice::of(&state) {
        Choice::Single(_, Some(guid)) if roles::by_guid(guid).is_none() => state.role_definition_name = Attr::Null,
        Choice::Single(Some(_), _) => state.role_definition_id = Attr::Null,
        Choice::Single(None, _) | Choice::Unknown => {}
        Choice::Preset(..) => (state.role_definition_name, state.role_definition_id) = (Attr::Null, Attr::Null),
    }
    // Azure knows one version only.
    state.condition_version = Attr::Null;
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::RoleDefinitionId;

    const ACCOUNT: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/sa1";
    const HUB: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/hub";

    fn state(hub: &str, account: &str, scope: &str) -> State {
        State {
            hub_id: hub.parse().ok().into(),
            storage_account_id: account.parse().ok().into(),
            scope: scope.parse().ok().into(),
            ..State::default()
        }
    }

    #[test]
    fn one_target_stays() {
        for (hub, account, scope, expected) in [
            (HUB, ACCOUNT, ACCOUNT, state(HUB, "", "")),
            ("", ACCOUNT, ACCOUNT, state("", ACCOUNT, "")),
            ("", "", "/subscriptions/s", state("", "", "/subscriptions/s")),
        ] {
            assert_eq!(of(state(hub, account, scope)), expected);
        }
    }

    #[test]
    fn one_choice_of_roles_stays() {
        let single = |name: Option<&str>, guid: Option<uuid::Uuid>| State {
            role_definition_name: name.map(str::to_owned).into(),
            role_definition_id: guid.map(RoleDefinitionId::from).into(),
            ..State::default()
        };
        let (reader, custom) = (roles::BLOB_READER, uuid::uuid!("cccccccc-0000-4000-8000-000000000001"));
        assert_eq!(of(single(Some(reader.name), Some(reader.guid))), single(Some(reader.name), None));
        assert_eq!(of(single(None, Some(reader.guid))), single(None, Some(reader.guid)));
        assert_eq!(of(single(Some("Our own"), Some(custom))), single(None, Some(custom)));
        let pair = State { access: roles::Access::Reader.into(), ..single(Some("left over"), Some(custom)) };
        assert_eq!(of(pair), State { access: roles::Access::Reader.into(), ..State::default() });
    }
}
