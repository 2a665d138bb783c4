//! Prints what a thing needs in Azure.

use std::{collections::BTreeSet, fmt::Write as _};

use foundryhub::arm::workspaces::FALLBACK_API_VERSION;

use crate::support::requirements::{Needed, Operation, Requirements, Scope};

/// The part of a page by the folder of the example, such as `resources/foundryhub_hub`.
pub(super) fn section(folder: &str) -> String {
    let Requirements { actions, roles, further, api_versions } = Requirements::of(&format!("examples/{folder}"));
    let mut text = "\n## Permissions\n\nThe principal that the provider signs in as needs these actions, and no data actions. A role \
                    above a scope counts as well."
        .to_owned();
    if actions.iter().any(|needed| needed.operations.contains(&Operation::Plan)) {
        text.push_str(" Plan includes the refresh; apply and destroy also need what their own plan needs.");
    }
    text.push('\n');
    for scope in actions.iter().map(|needed| needed.scope).collect::<BTreeSet<_>>() {
        let _ = write!(text, "\nOn the {scope}:\n\n");
        for Needed { action, operations, purpose, when, .. } in actions.iter().filter(|it| it.scope == scope) {
            let operations: Vec<_> = operations.iter().map(ToString::to_string).collect();
            let when = when.as_ref().map(|when| format!(", {when}")).unwrap_or_default();
            let _ = writeln!(text, "- `{action}` ({}) {purpose}{when}.", operations.join(", "));
        }
    }
    let place = |scope| match scope {
        Scope::ResourceGroup => "resource groups of the hub and of its account".to_owned(),
        other => other.to_string(),
    };
    let roles: Vec<_> = roles.iter().map(|it| format!("*{}* on the {}", it.role, place(it.scope))).collect();
    let _ = writeln!(text, "\nThe least built-in roles that have them: {}.", roles.join(", and "));
    if !further.is_empty() {
        let _ = writeln!(text, "\nBy its documentation Azure also asks for {}.", further.join(", and for "));
    }
    let prefix = "Microsoft.MachineLearningServices/";
    let workspaces = api_versions.iter().find_map(|it| it.strip_prefix(prefix)?.strip_prefix("workspaces@"));
    text.push_str("\n## API versions\n\n");
    for api_version in &api_versions {
        let _ = writeln!(text, "- `{api_version}`");
    }
    let _ = write!(
        text,
        "\nIn clouds that do not have `workspaces@{}`, `{FALLBACK_API_VERSION}` is used; `workspaces_api_version` of the \
         provider block sets another.\n",
        workspaces.expect("workspaces are read everywhere"),
    );
    text
}
