//! Who would lose access when a hub stops using shared keys. It is checked twice: before anything is changed, which
//! is the first gate, and again before shared keys of the account are disabled, which is the second.
//!
//! The result is a list of [`Finding`]s, which warn or stop by the [`AccessCheck`]. What the caller may not read is a finding
//! too. A [`Posture`] has the same findings of what is now, whether anything is going to be changed or not.

mod assigned_identity;
mod at_plan;
mod explain;
mod finding;
mod first_gate;
mod further;
mod holdings;
mod identity_roles;
mod identity_switches;
mod key_user;
mod key_users;
mod needs;
mod policies;
mod posture;
mod private_endpoints;
mod queries;
mod second_gate;
mod side_by_side;
mod standing;

use std::{collections::HashSet, time::Duration};

use crate::{
    arm::{ArmId, Call, StorageAccountId, WorkspaceId, storage_accounts::WholeAccount, workspaces::Workspace},
    framework::{Attr, Diagnostic, Path, one_of},
    provider::{Session, principal::PrincipalId},
};
pub(crate) use finding::{Finding, FindingCode, FindingSeverity, List, Principal};
pub(crate) use holdings::Doubt;
pub(crate) use identity_switches::{IdentitySwitches, SwitchStage};
pub(crate) use posture::{Posture, Told};
pub(crate) use standing::{PrincipalStanding, Standing};

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
    /// The hub; `None` before it is created, when the platform has not assigned it any role.
    pub(crate) hub: Option<&'a Workspace>,
    pub(crate) account: &'a StorageAccountId,
    /// The account as the caller has just read it; it is read where it was not.
    pub(crate) found_account: Option<&'a WholeAccount>,
    pub(crate) requirements: Requirements,
}

/// What a configuration asks of an access check.
#[derive(Clone, Debug)]
pub(crate) struct Requirements {
    /// The object ids of those who must hold a full pair of roles.
    pub(crate) principals: Vec<String>,
    pub(crate) check: AccessCheck,
    /// What stops a change that enforces the check, beside what is certain to break work.
    pub(crate) stop_on: Vec<FindingCode>,
    /// The ids of what findings are about that are not to be reported, as they were dealt with.
    pub(crate) ignored: HashSet<ArmId>,
    /// How old role assignments must be before shared keys are disabled.
    pub(crate) grant_settle_time: Duration,
    /// How long to wait for the platform and the other hubs of this run once the hub is switched.
    pub(crate) platform_grant_timeout: Duration,
}

/// The description of the attribute with those who must have access.
pub(crate) const PRINCIPAL_IDS: &str = "Object ids of users, groups and identities that must have a pair of roles on the storage \
    account before anything changes: one for blobs and one for files, to write or only to read.";

/// The description of the attribute with the ids that are ignored.
pub(crate) const IGNORE_IDS: &str = "ARM ids of what findings are about that were dealt with, or are accepted: they are not reported. A \
container that has state of Terraform keeps its name, for example, when the backend signs in with Microsoft Entra. What stops \
`enforce` by itself is reported all the same.";

impl Requirements {
    /// Those of somebody who only looks: it warns, stops on nothing more and waits for nothing.
    pub(crate) fn of(principals: &Attr<Vec<Attr<PrincipalId>>>, ignored: &Attr<Vec<Attr<ArmId>>>) -> Self {
        Self {
            principals: principals.elements().map(|id| id.as_ref().to_owned()).collect(),
            ignored: ignored.elements().cloned().collect(),
            check: AccessCheck::Warn,
            stop_on: Vec::new(),
            grant_settle_time: Duration::ZERO,
            platform_grant_timeout: Duration::ZERO,
        }
    }

    /// The same of a resource that is checked, which warns while access_check is unknown.
    pub(crate) fn checked(self, check: &Attr<AccessCheck>, stop_on: &Attr<Vec<Attr<FindingCode>>>) -> Self {
        let check = check.known().copied().unwrap_or(self.check);
        Self { check, stop_on: stop_on.elements().copied().collect(), ..self }
    }
}

impl Access<'_> {
    /// The time of one look: half of what is left of the operation, so that a look that only warns leaves enough for what it warns
    /// of. What was not read by then cannot be verified.
    fn share(&self) -> Call {
        self.session.arm.half_of(self.call)
    }

    /// The same within such a share.
    fn within<'c>(&'c self, share: &'c Call) -> Access<'c> {
        Access { call: share, requirements: self.requirements.clone(), ..*self }
    }

    /// Leaves out what the configuration ignores. What breaks work is never left out.
    fn without_ignored(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let is_ignored = |finding: &Finding| {
            let subject = ArmId::parse(finding.subject(self.hub_id, self.account));
            !finding.breaks_work() && subject.is_ok_and(|subject| self.requirements.ignored.contains(&subject))
        };
        if !self.requirements.ignored.is_empty() {
            findings.retain(|finding| !is_ignored(finding));
        }
        findings
    }
}

/// The warning that access_check_stop_on has no effect.
pub(crate) fn stops_nothing(check: &Attr<AccessCheck>, stop_on: &Attr<Vec<Attr<FindingCode>>>) -> Option<Diagnostic> {
    let is_empty = stop_on.known().is_none_or(Vec::is_empty);
    if is_empty || check.is_unknown() || check.known() == Some(&AccessCheck::Enforce) {
        return None;
    }
    let detail = "It names findings that stop a change while access_check is \"enforce\". Set that, or remove it.";
    Some(Diagnostic::warning("access_check_stop_on has no effect", detail).at(Path::root("access_check_stop_on")))
}

/// Which role assignments of this process count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OwnAssignments {
    /// Those it has created.
    Created,
    /// Those it plans to create as well.
    Planned,
}
