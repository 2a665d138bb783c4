//! The first gate, before anything is changed: the roles that the user assigns, other workspaces on the account, and what else
//! uses its keys.

use futures_util::future::join3;

use super::{Access, Finding, OwnAssignments, SwitchStage, key_users::Computes};
use crate::arm::{ArmId, Read};

impl Access<'_> {
    /// Checks the first gate. Beside the findings it returns the hubs of this run that the second gate waits for.
    pub(crate) async fn check_before_changes(&self, disables_keys: bool) -> (Vec<Finding>, Vec<ArmId>) {
        if !disables_keys {
            return (self.roles_before_changes().await, Vec::new());
        }
        let awaited = |stage| matches!(stage, SwitchStage::Begun | SwitchStage::Done);
        let (mut findings, (others, hubs), key_users) = join3(
            self.roles_before_changes(),
            self.others(Read::Fresh, awaited),
            self.key_users(Read::Fresh, Computes::LeftOut),
        )
        .await;
        findings.extend(others);
        findings.extend(key_users);
        (findings, hubs)
    }

    async fn roles_before_changes(&self) -> Vec<Finding> {
        // Most often the roles were assigned in this run, and no request is needed.
        if self.configured(&self.holdings(&[], OwnAssignments::Created)).findings.is_empty() {
            return Vec::new();
        }
        match self.list(Read::Fresh).await {
            Ok(listed) => self.configured(&self.holdings(&listed.value, OwnAssignments::Created)).findings,
            Err(not_readable) => vec![not_readable],
        }
    }
}
