//! Rules about several attributes of a configuration.

use super::{choice::Choice, schema::State};
use crate::{
    framework::{Diagnostic, Diagnostics, Path, Summary},
    provider::roles,
};

pub(super) fn validate(config: &State) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let mut refuse = |at: &str, summary: Summary, detail: String| {
        diagnostics.push(summary.error(detail).at(Path::root(at)));
    };

    if config.hub_id.is_null() && config.storage_account_id.is_null() && config.scope.is_null() {
        let detail = "Set hub_id, storage_account_id or scope.";
        refuse("hub_id", Summary("The scope of the roles is not set"), detail.to_owned());
    }
    if let (Some(account), Some(scope)) = (config.storage_account_id.known(), config.scope.known())
        && account.arm() != scope
    {
        let detail =
            format!("storage_account_id is {account} and scope is {scope}. Remove one of them, or make them agree.");
        refuse("scope", Summary("The scope is named twice"), detail);
    }

    let choices = [
        ("access", config.access.presence()),
        ("scenario", config.scenario.presence()),
        ("role_definition_name", config.role_definition_name.presence()),
        ("role_definition_id", config.role_definition_id.presence()),
    ];
    // What is unknown may turn out to be null.
    let open = choices.iter().any(|(_, choice)| choice.is_unknown());
    let chosen: Vec<_> = choices.iter().filter(|(_, choice)| choice.known().is_some()).map(|(name, _)| *name).collect();
    match chosen.as_slice() {
        [] if open => {}
        [] => {
            let detail = "Set access, scenario, role_definition_name or role_definition_id.";
            refuse("access", Summary("The roles are not set"), detail.to_owned());
        }
        [_] | ["role_definition_name", "role_definition_id"] => {}
        [first, second, ..] => {
            let detail = format!("{first} and {second} exclude each other. Remove one of them.");
            refuse(second, Summary("The roles are set twice"), detail);
        }
    }
    if let (Some(name), Some(id)) = (config.role_definition_name.text(), config.role_definition_id.known())
        && let (Some(by_name), guid) = (roles::by_name(name), id.guid())
        && by_name.guid != guid
    {
        let other = roles::by_guid(guid).map_or_else(|| guid.to_string(), |role| format!("{:?}", role.name));
        let detail = format!(
            "role_definition_name is {name:?}, whose id is {}, and role_definition_id is that of {other}. Remove one of them.",
            by_name.guid
        );
        refuse("role_definition_id", Summary("Name and id are those of different roles"), detail);
    }

    if config.condition.known().is_some() && Choice::of(config).preset().is_some_and(|roles| roles.len() > 1) {
        let detail = "A condition is about the permissions of one role, and this resource assigns several. Use one resource per role with role_definition_name.";
        refuse("condition", Summary("The condition applies to several roles"), detail.to_owned());
    }
    if config.condition.is_null() && config.condition_version.known().is_some() {
        refuse(
            "condition_version",
            Summary("The condition is not set"),
            "Set condition, or remove condition_version.".to_owned(),
        );
    }
    if let (Some(scenario), Some(principal_type)) = (config.scenario.known(), config.principal_type.known())
        && !scenario.holder.fits(principal_type)
    {
        let detail = format!(
            "The scenario {} ({}) is for {}, and principal_type is {principal_type}. The roles are assigned all the same; check \
             principal_id.",
            scenario.name,
            scenario.title,
            scenario.holder.words()
        );
        diagnostics.push(
            Diagnostic::warning("The principal is unusual for this scenario", detail).at(Path::root("principal_type")),
        );
    }
    diagnostics
}
