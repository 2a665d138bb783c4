//! What a plan can find of both gates.

use futures_util::future::join3;

use super::{Access, Finding, OwnAssignments, SwitchStage, key_users::Computes};
use crate::arm::Read;

impl Access<'_> {
    /// What both gates would find, as far as that is known before anything is changed.
    pub(crate) async fn check_at_plan(&self, disables_keys: bool) -> Vec<Finding> {
        if !disables_keys {
            return self.roles_at_plan().await;
        }
        let (mut findings, (others, _), key_users) = join3(
            self.roles_at_plan(),
            self.others(Read::Remembered, |stage| stage != SwitchStage::Failed),
            self.key_users(Read::Remembered, Computes::Counted),
        )
        .await;
        findings.extend(others);
        findings.extend(key_users);
        findings
    }

    async fn roles_at_plan(&self) -> Vec<Finding> {
        match self.list(Read::Remembered).await {
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, OwnAssignments::Planned);
                let mut findings = self.configured(&holdings).findings;
                findings.extend(self.nobody(&holdings));
                findings
            }
            Err(not_readable) => vec![not_readable],
        }
    }
}
