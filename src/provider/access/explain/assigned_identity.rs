//! What is said of a user-assigned identity that lacks roles beyond the data of the account.

use super::{
    explanation::Explanation,
    roles::{grant, names, why_not_verifiable},
};
use crate::{
    arm::{ArmId, WorkspaceId, vaults::Lacking},
    framework::Summary,
    provider::{access::Doubt, roles::Role},
};

pub(super) fn roles(hub: &WorkspaceId, identity: &str, scope: &ArmId, roles: &[Role], doubts: &[Doubt]) -> Explanation {
    let names = names(roles);
    let text = match doubts {
        [] => format!("{identity} lacks {names} on {scope}."),
        _ => format!("Whether {identity} has {names} on {scope} cannot be verified: {}.", why_not_verifiable(doubts)),
    };
    let summary = if doubts.is_empty() { SUMMARY } else { NOT_VERIFIABLE };
    grant(Explanation::new(summary, text + &who(hub), ""), scope, identity, roles, doubts)
}

pub(super) fn vault_permissions(
    hub: &WorkspaceId,
    identity: &str,
    vault: &ArmId,
    lacking: &[Lacking],
    perhaps_by_groups: bool,
) -> Explanation {
    let lacking: Vec<_> = lacking.iter().map(|(kind, lacking)| format!("{kind}: {}", lacking.join(", "))).collect();
    let (summary, found) = match perhaps_by_groups {
        false => (SUMMARY, format!("{identity} lacks permissions in {vault}, which uses access policies.")),
        true => (
            NOT_VERIFIABLE,
            format!(
                "Whether {identity} has all permissions in {vault}, which uses access policies, cannot be verified: others have \
                 those that it lacks, and whether these are groups that it is a member of is not checked."
            ),
        ),
    };
    let text = format!("{found} By the policy of the identity itself these are missing:\n{}\n", lacking.join("\n"));
    let next = "Give it an access policy with all permissions but purge, or let the vault use roles and assign Key Vault Administrator.";
    Explanation::new(summary, text + who(hub).trim_start(), next)
}

const SUMMARY: Summary = Summary("The hub's user-assigned identity lacks roles");

const NOT_VERIFIABLE: Summary = Summary("Access cannot be verified");

fn who(hub: &WorkspaceId) -> String {
    format!(" It is the user-assigned identity that the hub {hub} uses, to which the platform assigns nothing.")
}
