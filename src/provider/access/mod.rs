//! Who would lose access when a hub stops using keys: looked at twice, before anything is changed and again before the
//! keys of its account go off.
//!
//! What is found is a list of [`Finding`]s; whether they warn or stop is up to the [`Check`]. What the caller may not see
//! is a finding too, and never an error of its own.

mod finding;
mod holdings;

use std::time::Duration;

use time::OffsetDateTime;

use crate::{
    arm::{
        ArmId, Call, Error, Read, StorageAccountId, WorkspaceId,
        role_assignments::{Filter, RoleAssignment},
        workspaces::{AuthModeKind, Workspace, WorkspaceKind},
    },
    framework::{Diagnostic, Diagnostics, Path, Severity},
    provider::Session,
};
pub use finding::Finding;
use holdings::{Holding, Standing};

/// How long to wait between looks at what the platform is about to do.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The claim by which a plan says that a hub is going to use identities.
const LEAVES_KEYS: &str = "leaves keys";

/// How far an access check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It looks at nothing.
    Off,
    /// It warns.
    Warn,
    /// It stops.
    Enforce,
}

/// What is checked.
#[derive(Debug)]
pub struct Access<'a> {
    /// Where to ask, and what this process has granted itself.
    pub session: &'a Session,
    /// The limits of the operation.
    pub call: &'a Call,
    /// The hub's id.
    pub hub_id: &'a WorkspaceId,
    /// The hub.
    pub hub: &'a Workspace,
    /// Its storage account.
    pub account: &'a StorageAccountId,
    /// What is asked for.
    pub terms: Terms,
}

/// What a configuration asks of an access check.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Who must have a full pair of roles.
    pub principals: Vec<String>,
    /// How far to go.
    pub check: Check,
    /// How old grants must be before keys go off.
    pub settle: Duration,
}

/// Which grants of this process count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grants {
    /// Those it has made. One that is only planned may still fail.
    Made,
    /// Those it plans to make as well.
    Planned,
}

/// Notes in a plan that this hub is going to use identities, so that others on its account need not be warned of it.
pub fn plans_to_leave_keys(session: &Session, hub: &WorkspaceId) {
    session.claim(hub.arm(), LEAVES_KEYS);
}

/// The findings as messages: warnings, or errors where the check stops.
pub fn judge(findings: &[Finding], check: Check) -> Diagnostics {
    let message = |finding: &Finding| {
        if check != Check::Enforce || !finding.stops {
            return finding.diagnostic(Severity::Warning, "");
        }
        let next = "access_check is enforce, so nothing more is changed. If a grant refers to this resource, turn the \
                    reference round: let the grant name the hub_id, and list it in depends_on here. With access_check = \
                    \"warn\" this is a warning.";
        finding.diagnostic(Severity::Error, next)
    };
    Diagnostics(findings.iter().map(message).collect())
}

/// The findings as warnings of a plan, which changes nothing yet.
pub fn foretell(findings: &[Finding], check: Check) -> Diagnostics {
    let message = |finding: &Finding| {
        let stops = check == Check::Enforce && finding.stops;
        let next = if stops { "If it is still so when this is applied, the apply will stop." } else { "" };
        finding.diagnostic(Severity::Warning, next)
    };
    Diagnostics(findings.iter().map(message).collect())
}

/// What was found before keys go off, and on what grants it relies.
#[derive(Default)]
struct Looked {
    findings: Vec<Finding>,
    /// When the grants relied on were made.
    relied: Vec<OffsetDateTime>,
    /// Azure's clock.
    now: Option<OffsetDateTime>,
    /// Whether the platform may be about to do what is missing.
    may_come: bool,
}

impl Access<'_> {
    /// What a plan can tell of both gates. The hub's system-assigned identity is no part of it: the platform provides for
    /// it when the hub changes.
    pub async fn foresee(&self, keys_go_off: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.list(Read::Remembered).await {
            Ok((listed, _)) => {
                let holdings = self.holdings(&listed, Grants::Planned);
                findings.extend(self.principals(&holdings).findings);
                if self.hub.system_principal_id().is_none() {
                    findings.extend(self.identity(&holdings, false).findings);
                }
                findings.extend(self.nobody(&holdings));
            }
            Err(hidden) => findings.push(hidden),
        }
        if keys_go_off {
            let planned = |other: &Workspace| {
                other.workspace_id().is_ok_and(|id| self.session.has_claimed(id.arm(), LEAVES_KEYS))
            };
            findings.extend(self.others(Read::Remembered, planned).await);
        }
        findings
    }

    /// The first gate, before anything is changed: the principals that must have their roles, and others on the account.
    pub async fn before_anything(&self, keys_go_off: bool) -> Vec<Finding> {
        let mut findings = Vec::new();
        // Most often the grants were made in this very run, and there is nothing to ask.
        if !self.principals(&self.holdings(&[], Grants::Made)).findings.is_empty() {
            match self.list(Read::Fresh).await {
                Ok((listed, _)) => findings.extend(self.principals(&self.holdings(&listed, Grants::Made)).findings),
                Err(hidden) => findings.push(hidden),
            }
        }
        if keys_go_off {
            findings.extend(self.others(Read::Fresh, |_| false).await);
        }
        findings
    }

    /// The second gate, before keys go off: the hub's identity and its datastores. After the hub was `switched`, what the
    /// platform is about to do is waited for, for half the time that is left; then for the grants to settle.
    ///
    /// # Errors
    /// A message that stops the change in any case: interrupted, or too little time for grants to settle.
    pub async fn before_keys_go_off(&self, switched: bool) -> Result<Vec<Finding>, Diagnostic> {
        let arm = &self.session.arm;
        let reserved = arm.left(self.call) / 2;
        let mut pause = FIRST_PAUSE;
        let (mut roles, mut datastores) = (self.roles(switched).await, self.datastores(switched).await);
        while (roles.may_come || datastores.may_come) && arm.left(self.call) > reserved + pause {
            self.wait(pause).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if roles.may_come {
                roles = self.roles(switched).await;
            }
            if datastores.may_come {
                datastores = self.datastores(switched).await;
            }
        }
        roles.findings.append(&mut datastores.findings);
        let stops = self.terms.check == Check::Enforce && roles.findings.iter().any(|finding| finding.stops);
        if !stops {
            self.settle(&roles).await?;
        }
        Ok(roles.findings)
    }

    /// Lists what is held at the account or above it.
    async fn list(&self, read: Read) -> Result<(Vec<RoleAssignment>, Option<OffsetDateTime>), Finding> {
        let assignments = self.session.arm.role_assignments();
        match assignments.list(self.account.arm(), &Filter::AtScope, read, self.call).await {
            Ok(listed) => Ok((listed.value, listed.date)),
            Err(error) => Err(finding::roles_hidden(self.account, &error)),
        }
    }

    fn holdings(&self, listed: &[RoleAssignment], grants: Grants) -> Vec<Holding> {
        let account = self.account.arm();
        let mut granted = self.session.grants_at(account);
        granted.retain(|grant| grants == Grants::Planned || grant.created_on.is_some());
        holdings::on(account, listed, &granted)
    }

    fn principals(&self, holdings: &[Holding]) -> Looked {
        let mut looked = Looked::default();
        for principal in &self.terms.principals {
            match holdings::pair(principal, holdings) {
                Standing::Holds(made) => looked.relied.extend(made.into_iter().flatten()),
                Standing::Lacks(roles) => {
                    looked.findings.push(finding::lacks(self.hub_id, self.account, principal, &roles));
                }
                Standing::Unsure(roles, why) => {
                    looked.findings.push(finding::unsure(self.hub_id, self.account, principal, &roles, &why));
                }
            }
        }
        looked
    }

    fn identity(&self, holdings: &[Holding], switched: bool) -> Looked {
        let mut looked = Looked::default();
        let system = self.hub.system_principal_id();
        let Some(principal) = system.or_else(|| self.assigned_identity()) else {
            looked.findings.push(finding::no_identity(self.hub_id));
            return looked;
        };
        let finding = match holdings::blob_contributor(principal, holdings) {
            Standing::Holds(made) => {
                looked.relied.extend(made.into_iter().flatten());
                return looked;
            }
            Standing::Unsure(_, why) => finding::identity_unsure(self.hub_id, self.account, principal, &why),
            Standing::Lacks(_) if system.is_some() => {
                finding::system_identity_lacks(self.hub_id, self.account, principal)
            }
            Standing::Lacks(_) => finding::assigned_identity_lacks(self.hub_id, self.account, principal),
        };
        // The platform grants the role to the system-assigned identity, whatever else there is.
        looked.may_come = switched && system.is_some();
        looked.findings.push(finding);
        looked
    }

    /// The user-assigned identity that the hub uses where it has no other.
    fn assigned_identity(&self) -> Option<&str> {
        let mut all = self.hub.user_assigned_principal_ids();
        match (self.hub.primary_user_assigned_principal_id(), all.next(), all.next()) {
            (Some(primary), ..) => Some(primary),
            (None, Some(only), None) => Some(only),
            _ => None,
        }
    }

    fn nobody(&self, holdings: &[Holding]) -> Option<Finding> {
        let mut hubs: Vec<&str> = self.hub.user_assigned_principal_ids().collect();
        hubs.extend(self.hub.system_principal_id());
        (!holdings::anybody_holds_a_pair(&hubs, holdings)).then(|| finding::nobody(self.hub_id, self.account))
    }

    /// Everything that role assignments tell before keys go off.
    async fn roles(&self, switched: bool) -> Looked {
        match self.list(Read::Fresh).await {
            Ok((listed, now)) => {
                let holdings = self.holdings(&listed, Grants::Made);
                let mut looked = self.identity(&holdings, switched);
                let principals = self.principals(&holdings);
                looked.relied.extend(principals.relied);
                let granted = self.session.grants_at(self.account.arm());
                looked.relied.extend(granted.iter().filter_map(|grant| grant.created_on));
                looked.findings.extend(self.nobody(&holdings));
                Looked { now, ..looked }
            }
            Err(hidden) => Looked { findings: vec![hidden], ..Looked::default() },
        }
    }

    async fn datastores(&self, switched: bool) -> Looked {
        let mut looked = Looked::default();
        match self.session.arm.workspaces().datastores(self.hub_id, Read::Fresh, self.call).await {
            Ok(all) => {
                let still = all.iter().filter(|store| store.is_system() && store.uses_account_key());
                let still: Vec<String> = still.map(|store| store.name.clone()).collect();
                if !still.is_empty() {
                    looked.may_come = switched;
                    looked.findings.push(finding::datastores_use_keys(self.hub_id, &still));
                }
            }
            Err(error) => looked.findings.push(finding::datastores_hidden(self.hub_id, &error)),
        }
        looked
    }

    /// Other workspaces on the account that still use keys. Projects go with their hub.
    async fn others(&self, read: Read, leaves: impl Fn(&Workspace) -> bool) -> Option<Finding> {
        let subscription = self.hub_id.subscription();
        let all = match self.session.arm.workspaces().list_by_subscription(subscription, read, self.call).await {
            Ok(all) => all,
            Err(error) => return Some(finding::others_hidden(subscription, &error)),
        };
        let uses_keys = |other: &&Workspace| {
            let properties = &other.properties;
            other.kind() != WorkspaceKind::Project
                && properties.system_datastores_auth_mode.kind() == AuthModeKind::AccessKey
                && ArmId::parse(&properties.storage_account).is_ok_and(|account| account == *self.account.arm())
                && !other.workspace_id().is_ok_and(|id| id == *self.hub_id)
                && !leaves(other)
        };
        let others: Vec<&Workspace> = all.iter().filter(uses_keys).collect();
        (!others.is_empty()).then(|| finding::others_use_keys(self.account, &others))
    }

    /// Waits until the youngest grant is old enough.
    async fn settle(&self, looked: &Looked) -> Result<(), Diagnostic> {
        let settle = self.terms.settle;
        let Some(youngest) = looked.relied.iter().max().filter(|_| !settle.is_zero()) else { return Ok(()) };
        let age = looked.now.unwrap_or_else(OffsetDateTime::now_utc) - *youngest;
        let wait = settle.saturating_sub(Duration::try_from(age).unwrap_or_default());
        if wait.is_zero() { Ok(()) } else { self.wait(wait).await }
    }

    async fn wait(&self, wait: Duration) -> Result<(), Diagnostic> {
        let waited = self.session.arm.pause(wait, "waiting to switch keys off", self.call).await;
        waited.map_err(|error| match error {
            Error::DeadlineExceeded { .. } => {
                let detail = format!(
                    "The youngest role assignment that the access check relies on needs {} more seconds to reach \
                     grant_settle_time, which is longer than the timeouts block leaves. Keys are still on. Apply again \
                     later, or raise the timeout.",
                    wait.as_secs() + 1
                );
                Diagnostic::error("Role assignments are too young", detail).at(Path::root("grant_settle_time"))
            }
            _ => Diagnostic::error("Interrupted", "Keys were not switched off yet."),
        })
    }
}
