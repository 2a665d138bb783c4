//! What a plan can find of both gates.

use futures_util::future::{join, join4};

use super::{
    Access, Finding, OwnAssignments, SwitchStage,
    key_users::{Computes, OtherHubs},
};
use crate::arm::Read;

impl Access<'_> {
    /// What both gates would find, as far as that is known before anything is changed.
    pub(crate) async fn check_at_plan(&self, disables_keys: bool) -> Vec<Finding> {
        self.within(&self.share()).look_at_plan(disables_keys).await
    }

    async fn look_at_plan(&self, disables_keys: bool) -> Vec<Finding> {
        let further = self.further(Read::Remembered, OwnAssignments::Planned, disables_keys);
        if !disables_keys {
            let (mut findings, further) = join(self.roles_at_plan(), further).await;
            findings.extend(further);
            return self.without_ignored(findings);
        }
        let (mut findings, (others, _), key_users, further) = join4(
            self.roles_at_plan(),
            self.others(Read::Remembered, |stage| stage != SwitchStage::Failed),
            self.key_users(Read::Remembered, Computes::Counted, OtherHubs::All),
            further,
        )
        .await;
        findings.extend(others.into_iter().chain(key_users).chain(further));
        self.without_ignored(findings)
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
