//! Who would lose access when a hub stops using keys: looked at twice, before anything is changed and again before the
//! keys of its account go off.
//!
//! What is found is a list of [`Finding`]s; whether they warn or stop is up to the [`AccessCheck`]. What the caller may not see
//! is a finding too, and never an error of its own.

mod explain;
mod finding;
mod holdings;
mod keys_off;
mod look;
mod switches;

use std::time::Duration;

use crate::{
    arm::{ArmId, Call, Read, StorageAccountId, WorkspaceId, workspaces::Workspace},
    framework::one_of,
    provider::Session,
};
pub(crate) use finding::{Finding, List, Principal};
pub(crate) use holdings::Doubt;
pub use switches::{Stage, Switch, Switches};

one_of! {
    /// What the access check does with what it finds.
    pub enum AccessCheck {
        /// It does not look.
        Off = "off",
        /// It warns.
        Warn = "warn",
        /// It stops the change.
        Enforce = "enforce",
    }
}

/// A check of a hub and its account.
#[derive(Debug)]
pub(crate) struct Access<'a> {
    /// Where to ask, and what this process has granted itself.
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
    /// Who must have a full pair of roles.
    pub(crate) principals: Vec<String>,
    pub(crate) check: AccessCheck,
    /// How old role assignments must be before keys go off.
    pub(crate) grant_settle_time: Duration,
    /// How long to wait for what the platform and the other hubs of this run do once the hub is switched.
    pub(crate) platform_grant_timeout: Duration,
}

/// Which grants of this process count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grants {
    /// Those it has made. One that is only planned may still fail.
    Made,
    /// Those it plans to make as well.
    Planned,
}

impl Access<'_> {
    /// What a plan can tell of both gates.
    pub(crate) async fn foresee(&self, keys_go_off: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.list(Read::Remembered).await {
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, Grants::Planned);
                findings.extend(self.configured(&holdings).findings);
                findings.extend(self.nobody(&holdings));
            }
            Err(hidden) => findings.push(hidden),
        }
        if keys_go_off {
            findings.extend(self.others(Read::Remembered, |stage| stage != Stage::Failed).await.0);
        }
        findings
    }

    /// The first gate, before anything is changed: the roles that are the user's to grant, and others on the account. With
    /// what is found come the hubs of this run that the second gate has to wait for.
    pub(crate) async fn before_anything(&self, keys_go_off: bool) -> (Vec<Finding>, Vec<ArmId>) {
        let mut findings = Vec::new();
        // Most often the grants were made in this very run, and there is nothing to ask.
        if !self.configured(&self.holdings(&[], Grants::Made)).findings.is_empty() {
            match self.list(Read::Fresh).await {
                Ok(listed) => findings.extend(self.configured(&self.holdings(&listed.value, Grants::Made)).findings),
                Err(hidden) => findings.push(hidden),
            }
        }
        let mut others = Vec::new();
        if keys_go_off {
            let (found, all) = self.others(Read::Fresh, |stage| matches!(stage, Stage::Begun | Stage::Done)).await;
            findings.extend(found);
            others = all;
        }
        (findings, others)
    }
}
