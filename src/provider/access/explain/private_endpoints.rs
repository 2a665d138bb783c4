//! What is said of private endpoints that the hub's identity cannot read.

use super::{
    explanation::Explanation,
    roles::{grant, names, why_not_verifiable},
};
use crate::{
    arm::{ArmId, StorageAccountId, WorkspaceId},
    provider::{access::Doubt, roles},
};

pub(super) fn not_read(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    identity: &str,
    endpoint: &ArmId,
    doubts: &[Doubt],
) -> Explanation {
    let names = names(&[roles::READER]);
    let text = match doubts {
        [] => format!("{identity} lacks {names} on {endpoint}."),
        _ => {
            format!("Whether {identity} has {names} on {endpoint} cannot be verified: {}.", why_not_verifiable(doubts))
        }
    };
    let text = format!(
        "{text} It is the identity with which the hub {hub} accesses {account}. The account has no public network access, so that \
         without this role the studio does not show its data."
    );
    let summary = match doubts {
        [] => "The hub's identity cannot read a private endpoint",
        _ => "Access cannot be verified",
    };
    grant(Explanation::new(summary, text, ""), endpoint, identity, &[roles::READER], doubts)
}
