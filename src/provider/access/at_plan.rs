//! What a plan can find of both gates.

use super::{Access, Finding, OwnAssignments, SwitchStage, key_users::Computes};
use crate::arm::Read;

impl Access<'_> {
    /// What both gates would find, as far as that is known before anything is changed.
    pub(crate) async fn check_at_plan(&self, disables_keys: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.list(Read::Remembered).await {
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, OwnAssignments::Planned);
                findings.extend(self.configured(&holdings).findings);
                findings.extend(self.nobody(&holdings));
            }
            Err(hidden) => findings.push(hidden),
        }
        if disables_keys {
            findings.extend(self.key_users(Read::Remembered, Computes::Counted).await);
            findings.extend(self.others(Read::Remembered, |stage| stage != SwitchStage::Failed).await.0);
        }
        findings
    }
}
