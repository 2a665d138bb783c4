//! The first gate, before anything is changed: the roles that the user assigns, and other workspaces on the account.

use super::{Access, Finding, OwnAssignments, SwitchStage, key_users::Computes};
use crate::arm::{ArmId, Read};

impl Access<'_> {
    /// Checks the first gate. Beside the findings it returns the hubs of this run that the second gate waits for.
    pub(crate) async fn check_before_changes(&self, disables_keys: bool) -> (Vec<Finding>, Vec<ArmId>) {
        let mut findings = Vec::new();
        // Most often the roles were assigned in this run, and no request is needed.
        if !self.configured(&self.holdings(&[], OwnAssignments::Created)).findings.is_empty() {
            match self.list(Read::Fresh).await {
                Ok(listed) => {
                    findings.extend(self.configured(&self.holdings(&listed.value, OwnAssignments::Created)).findings)
                }
                Err(hidden) => findings.push(hidden),
            }
        }
        let mut others = Vec::new();
        if disables_keys {
            findings.extend(self.key_users(Read::Fresh, Computes::LeftOut).await);
            let (found, all) =
                self.others(Read::Fresh, |stage| matches!(stage, SwitchStage::Begun | SwitchStage::Done)).await;
            findings.extend(found);
            others = all;
        }
        (findings, others)
    }
}
