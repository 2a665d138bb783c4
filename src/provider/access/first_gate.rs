//! The first gate, before anything is changed: the roles that the user assigns, other workspaces on the account, and what else
//! uses its keys.

use futures_util::future::{join, join4};

use super::{
    Access, Finding, FindingCode, OwnAssignments, SwitchStage,
    key_users::{Computes, OtherHubs},
};
use crate::arm::{ArmId, Read};

impl Access<'_> {
    /// Checks the first gate. Beside the findings it returns the hubs of this run that the second gate waits for.
    pub(crate) async fn check_before_changes(&self, disables_keys: bool) -> (Vec<Finding>, Vec<ArmId>) {
        self.within(&self.share()).look_before_changes(disables_keys).await
    }

    async fn look_before_changes(&self, disables_keys: bool) -> (Vec<Finding>, Vec<ArmId>) {
        let further = self.further(Read::Fresh, OwnAssignments::Created, disables_keys);
        if !disables_keys {
            let (mut findings, further) = join(self.roles_before_changes(), further).await;
            findings.extend(further);
            return (self.without_ignored(findings), Vec::new());
        }
        // A plan has named them; they can only stop a change that is told to.
        let stops_on = |code| self.requirements.stop_on.contains(&code);
        let counts = stops_on(FindingCode::ComputeMountsWithKey) || stops_on(FindingCode::ComputesNotReadable);
        let computes = if counts { Computes::Counted } else { Computes::LeftOut };
        let awaited = |stage| matches!(stage, SwitchStage::Begun | SwitchStage::Done);
        let (mut findings, (others, hubs), key_users, further) = join4(
            self.roles_before_changes(),
            self.others(Read::Fresh, awaited),
            self.key_users(Read::Fresh, computes, OtherHubs::NotSeen),
            further,
        )
        .await;
        findings.extend(others.into_iter().chain(key_users).chain(further));
        (self.without_ignored(findings), hubs)
    }

    /// The same for a hub that was just created. Roles on the hub itself could not be assigned before.
    pub(crate) async fn check_new_hub(&self) -> Vec<Finding> {
        let (mut findings, _) = self.check_before_changes(false).await;
        findings
            .retain(|finding| !matches!(finding, Finding::IdentityRoles { scope, .. } if scope == self.hub_id.arm()));
        findings
    }

    async fn roles_before_changes(&self) -> Vec<Finding> {
        let looks_for_people = self.requirements.stop_on.contains(&FindingCode::NobodyHoldsRoles);
        // Most often the roles were assigned in this run, and no request is needed.
        if self.configured(&self.holdings(&[], OwnAssignments::Created)).findings.is_empty() && !looks_for_people {
            return Vec::new();
        }
        match self.list(Read::Fresh).await {
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, OwnAssignments::Created);
                let mut findings = self.configured(&holdings).findings;
                findings.extend(self.nobody(&holdings).filter(|_| looks_for_people));
                findings
            }
            Err(not_readable) => vec![not_readable],
        }
    }
}
