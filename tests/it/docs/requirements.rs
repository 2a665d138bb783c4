//! Prints what a thing needs in Azure.

use std::fmt::Write as _;

use foundryhub::arm::workspaces::FALLBACK_API_VERSION;

use crate::support::requirements::{Needed, Operation, Requirements};

/// Columns of the table, each with its operation. Where there is but one, the table has no column for it.
const COLUMNS: [(&str, Operation); 3] =
    [("plan, refresh", Operation::Plan), ("create, update", Operation::Apply), ("destroy", Operation::Destroy)];

/// The part of a page by the folder of the example, such as `resources/foundryhub_hub`.
pub(super) fn section(folder: &str) -> String {
    let Requirements { actions, roles, api_versions } = Requirements::of(&format!("examples/{folder}"));
    let columns: Vec<_> =
        COLUMNS.iter().filter(|(_, operation)| actions.iter().any(|it| it.operations.contains(operation))).collect();
    let titles: String = columns.iter().map(|(title, _)| format!(" {title} |")).collect();
    let mut text = format!(
        "\n## Permissions\n\nThe principal that the provider signs in as needs these actions, and no data actions. Each is needed \
         on the scope in the second column, or above it.\n\n| action | on | for |{titles}\n|---|---|---|{}\n",
        "---|".repeat(columns.len())
    );
    for Needed { action, scope, operations, purpose, when } in &actions {
        let when = when.as_ref().map(|when| format!(", {when}")).unwrap_or_default();
        let marks: String =
            columns.iter().map(|(_, it)| if operations.contains(it) { " yes |" } else { "  |" }).collect();
        let _ = writeln!(text, "| `{action}` | {scope} | {purpose}{when} |{marks}");
    }
    let roles: Vec<_> = roles.iter().map(|it| format!("*{}* on the {}", it.role, it.scope)).collect();
    let _ = write!(text, "\nThe least built-in roles that have them: {}.\n\n## API versions\n\n", roles.join(" and "));
    for api_version in api_versions {
        let _ = writeln!(text, "- `{api_version}`");
    }
    let _ = write!(
        text,
        "\nWhere Azure does not offer the first of workspaces, it is {FALLBACK_API_VERSION}; `workspaces_api_version` of the \
         provider block sets another.\n"
    );
    text
}
