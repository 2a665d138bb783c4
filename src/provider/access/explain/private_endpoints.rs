//! What is said of private endpoints that the hub's identity cannot read.

use super::{
    explanation::Explanation,
    roles::{grant, names, who, why_not_verifiable},
};
use crate::{
    arm::{ArmId, StorageAccountId, WorkspaceId},
    framework::Summary,
    provider::{
        access::{Doubt, Principal},
        roles,
    },
};

pub(super) fn not_read(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    identity: &Principal,
    endpoint: &ArmId,
    doubts: &[Doubt],
) -> Explanation {
    let id = identity.id();
    let names = names(&[roles::READER]);
    let text = match doubts {
        [] => format!("{id} lacks {names} on {endpoint}."),
        _ => {
            format!("Whether {id} has {names} on {endpoint} cannot be verified: {}.", why_not_verifiable(doubts))
        }
    };
    let text = format!(
        "{text}{} {account} has no public network access: the studio does not show its data unless the identity that accesses it has \
         this role.",
        who(hub, identity)
    );
    let summary = match doubts {
        [] => Summary("The hub's identity cannot read a private endpoint"),
        _ => Summary("Access cannot be verified"),
    };
    grant(Explanation::new(summary, text, ""), endpoint, id, &[roles::READER], doubts)
}
