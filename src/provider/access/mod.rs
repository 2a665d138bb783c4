//! Who would lose access when a hub stops using shared keys. It is checked twice: before anything is changed, and again
//! before shared keys of the account are disabled.
//!
//! The result is a list of [`Finding`]s, which warn or stop by the [`AccessCheck`]. What the caller may not read is a finding
//! too.

mod explain;
mod finding;
mod holdings;
mod identity_switches;
mod queries;
mod second_gate;

use std::time::Duration;

use crate::{
    arm::{ArmId, Call, Read, StorageAccountId, WorkspaceId, workspaces::Workspace},
    framework::one_of,
    provider::Session,
};
pub(crate) use finding::{Finding, List, Principal};
pub(crate) use holdings::Doubt;
pub(crate) use identity_switches::{IdentitySwitches, SwitchStage};

one_of! {
    /// What the access check does with what it finds.
    pub(crate) enum AccessCheck {
        Off = "off",
        Warn = "warn",
        Enforce = "enforce",
    }
}

#[derive(Debug)]
pub(crate) struct Access<'a> {
    pub(crate) session: &'a Session,
    pub(crate) call: &'a Call,
    pub(crate) hub_id: &'a WorkspaceId,
    pub(crate) hub: &'a Workspace,
    pub(crate) account: &'a StorageAccountId,
    pub(crate) requirements: Requirements,
}

/// What a configuration asks of an access check.
#[derive(Clone, Debug)]
pub(crate) struct Requirements {
    /// The object ids of those who must hold a full pair of roles.
    pub(crate) principals: Vec<String>,
    pub(crate) check: AccessCheck,
    /// How old role assignments must be before shared keys are disabled.
    pub(crate) grant_settle_time: Duration,
    /// How long to wait for the platform and the other hubs of this run once the hub is switched.
    pub(crate) platform_grant_timeout: Duration,
}

/// Which role assignments of this process count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnAssignments {
    /// Those it has created.
    Created,
    /// Those it plans to create as well.
    Planned,
}

impl Access<'_> {
    /// What a plan can find of both gates.
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
            findings.extend(self.others(Read::Remembered, |stage| stage != SwitchStage::Failed).await.0);
        }
        findings
    }

    /// The first gate, before anything is changed: the roles that the user assigns, and other workspaces on the account.
    /// Beside the findings it returns the hubs of this run that the second gate waits for.
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
            let (found, all) =
                self.others(Read::Fresh, |stage| matches!(stage, SwitchStage::Begun | SwitchStage::Done)).await;
            findings.extend(found);
            others = all;
        }
        (findings, others)
    }
}
