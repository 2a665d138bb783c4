//! Who would lose access when a hub stops using keys: looked at twice, before anything is changed and again before the
//! keys of its account go off.
//!
//! What is found is a list of [`Finding`]s; whether they warn or stop is up to the [`Check`]. What the caller may not see
//! is a finding too, and never an error of its own.

mod finding;
mod holdings;
mod switches;

use std::{sync::Arc, time::Duration};

use time::OffsetDateTime;

use crate::{
    arm::{
        ArmId, Call, Dated, Error, List, Read, StorageAccountId, WorkspaceId,
        role_assignments::RoleAssignment,
        workspaces::{AuthModeKind, Datastore, Workspace, WorkspaceKind},
    },
    framework::{Diagnostic, Diagnostics, Path},
    provider::Session,
};
pub use finding::Finding;
use holdings::{Holding, Standing};
pub use switches::{Stage, Switch, Switches};

/// How long to wait between looks at what the platform is about to do.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The time of the operation that is kept for the change of the account.
const FOR_THE_ACCOUNT: Duration = Duration::from_secs(30);

/// How often the log says what is waited for.
const LOG_EVERY: Duration = Duration::from_secs(60);

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
    /// How long to wait for what the platform and the other hubs of this run do once the hub is switched.
    pub platform: Duration,
}

/// Which grants of this process count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grants {
    /// Those it has made. One that is only planned may still fail.
    Made,
    /// Those it plans to make as well.
    Planned,
}

/// The findings as messages of an apply: warnings, or errors where the check stops.
pub fn judge(findings: &[Finding], check: Check) -> Diagnostics {
    Diagnostics(findings.iter().map(|finding| finding.judged(check == Check::Enforce)).collect())
}

/// The findings as warnings of a plan.
pub fn foretell(findings: &[Finding], check: Check) -> Diagnostics {
    Diagnostics(findings.iter().map(|finding| finding.foretold(check == Check::Enforce)).collect())
}

/// What was found before keys go off, and on what grants it relies.
#[derive(Default)]
struct Looked {
    findings: Vec<Finding>,
    /// When the grants relied on were made.
    relied: Vec<OffsetDateTime>,
    /// Azure's clock.
    now: Option<OffsetDateTime>,
    /// What is missing and may be about to come.
    awaited: Option<String>,
}

impl Access<'_> {
    /// What a plan can tell of both gates.
    pub async fn foresee(&self, keys_go_off: bool) -> Vec<Finding> {
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
    pub async fn before_anything(&self, keys_go_off: bool) -> (Vec<Finding>, Vec<ArmId>) {
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

    /// The second gate, before keys go off: the role of the hub's system-assigned identity, its datastores, and the `others`
    /// on the account that this run switches. What is about to come, of the platform's only after the hub was `switched`, is
    /// waited for; then the grants have to settle.
    ///
    /// # Errors
    /// A message that stops the change in any case: interrupted, or too little time for grants to settle.
    pub async fn before_keys_go_off(&self, switched: bool, others: &[ArmId]) -> Result<Vec<Finding>, Diagnostic> {
        let arm = &self.session.arm;
        let end = arm.left(self.call).saturating_sub(self.terms.platform).max(FOR_THE_ACCOUNT);
        let (mut pause, mut logged) = (FIRST_PAUSE, None);
        let (mut roles, mut datastores) = (self.roles(switched).await, self.datastores(switched).await);
        let mut hubs = self.switched(others);
        loop {
            let left = arm.left(self.call).saturating_sub(end);
            let awaited: Vec<&str> =
                [&roles, &datastores, &hubs].into_iter().filter_map(|looked| looked.awaited.as_deref()).collect();
            if awaited.is_empty() || left.is_zero() {
                break;
            }
            if logged.is_none_or(|logged| logged >= left + LOG_EVERY) {
                self.log(&awaited.join("; "), left);
                logged = Some(left);
            }
            tokio::select! {
                waited = self.wait(pause.min(left)) => waited?,
                () = self.session.switches.wait_to_end(others), if hubs.awaited.is_some() => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            if roles.awaited.is_some() {
                roles = self.roles(switched).await;
            }
            if datastores.awaited.is_some() {
                datastores = self.datastores(switched).await;
            }
            hubs = self.switched(others);
        }
        roles.findings.append(&mut datastores.findings);
        roles.findings.append(&mut hubs.findings);
        let stops = self.terms.check == Check::Enforce && roles.findings.iter().any(|finding| finding.stops);
        if !stops {
            self.settle(&roles).await?;
        }
        Ok(roles.findings)
    }

    /// Lists what is held at the account or above it.
    async fn list(&self, read: Read) -> Result<Arc<Dated<Vec<RoleAssignment>>>, Finding> {
        let list = RoleAssignment::at_scope(self.account.arm());
        self.session.arm.list(list, read, self.call).await.map_err(|error| finding::roles_hidden(self.account, &error))
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

    /// The roles that are the user's to grant.
    fn configured(&self, holdings: &[Holding]) -> Looked {
        let mut looked = self.principals(holdings);
        let Some(principal) = self.assigned_identity() else {
            if self.hub.system_principal_id().is_none() {
                looked.findings.push(finding::no_identity(self.hub_id));
            }
            return looked;
        };
        let (hub, account) = (self.hub_id, self.account);
        let only = self.hub.system_principal_id().is_none();
        looked.findings.extend(match holdings::contributor_pair(principal, holdings) {
            Standing::Holds(made) => {
                looked.relied.extend(made.into_iter().flatten());
                None
            }
            Standing::Lacks(roles) if only => Some(finding::assigned_identity_lacks(hub, account, principal, &roles)),
            Standing::Unsure(roles, why) if only => {
                Some(finding::assigned_identity_unsure(hub, account, principal, &roles, &why))
            }
            Standing::Lacks(roles) | Standing::Unsure(roles, _) => {
                Some(finding::primary_identity_lacks(hub, account, principal, &roles))
            }
        });
        looked
    }

    /// The role that the platform gives the hub's system-assigned identity, whatever other identities there are.
    fn platform_grant(&self, holdings: &[Holding], switched: bool) -> Looked {
        let mut looked = Looked::default();
        let Some(principal) = self.hub.system_principal_id() else { return looked };
        let finding = match holdings::platform_grant(principal, holdings) {
            Standing::Holds(made) => {
                looked.relied.extend(made.into_iter().flatten());
                return looked;
            }
            Standing::Unsure(_, why) => finding::system_identity_unsure(self.hub_id, self.account, principal, &why),
            Standing::Lacks(_) => finding::system_identity_lacks(self.hub_id, self.account, principal),
        };
        looked.awaited = switched.then(|| format!("the platform's grant to the hub's identity {principal}"));
        looked.findings.push(finding);
        looked
    }

    /// The user-assigned identity that the hub uses: the primary one, or the only identity that it has.
    fn assigned_identity(&self) -> Option<&str> {
        let mut all = self.hub.user_assigned_principal_ids();
        match (self.hub.primary_user_assigned_principal_id(), all.next(), all.next()) {
            (Some(primary), ..) => Some(primary),
            (None, Some(only), None) if self.hub.system_principal_id().is_none() => Some(only),
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
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, Grants::Made);
                let mut looked = self.platform_grant(&holdings, switched);
                looked.relied.extend(self.configured(&holdings).relied);
                let granted = self.session.grants_at(self.account.arm());
                looked.relied.extend(granted.iter().filter_map(|grant| grant.created_on));
                looked.findings.extend(self.nobody(&holdings));
                Looked { now: listed.date, ..looked }
            }
            Err(hidden) => Looked { findings: vec![hidden], ..Looked::default() },
        }
    }

    async fn datastores(&self, switched: bool) -> Looked {
        let mut looked = Looked::default();
        match self.session.arm.list::<Datastore>(List::below(self.hub_id.arm()), Read::Fresh, self.call).await {
            Ok(all) => {
                let still = all.value.iter().filter(|store| store.is_system() && store.uses_account_key());
                let still: Vec<String> = still.map(|store| store.name.clone()).collect();
                if !still.is_empty() {
                    looked.awaited = switched.then(|| format!("the datastores {} to leave the key", still.join(", ")));
                    looked.findings.push(finding::datastores_use_keys(self.hub_id, &still));
                }
            }
            Err(error) => looked.findings.push(finding::datastores_hidden(self.hub_id, &error)),
        }
        looked
    }

    /// Other workspaces on the account that still use keys, and what is to be said of those that do not come to one of the
    /// `awaited` stages within moments. Projects go with their hub.
    async fn others(&self, read: Read, awaited: impl Fn(Stage) -> bool) -> (Vec<Finding>, Vec<ArmId>) {
        let subscription = self.hub_id.subscription();
        let all = match self.session.arm.list::<Workspace>(List::in_subscription(subscription), read, self.call).await {
            Ok(all) => all,
            Err(error) => return (vec![finding::others_hidden(subscription, &error)], Vec::new()),
        };
        let uses_keys = |other: &&Workspace| {
            let properties = &other.properties;
            other.kind() != WorkspaceKind::Project
                && properties.system_datastores_auth_mode.kind() == AuthModeKind::AccessKey
                && ArmId::parse(&properties.storage_account).is_ok_and(|account| account == *self.account.arm())
        };
        let others = all.value.iter().filter(uses_keys).filter_map(|other| ArmId::parse(&other.id).ok());
        let others: Vec<ArmId> = others.filter(|other| other != self.hub_id.arm()).collect();
        if others.is_empty() {
            return Default::default();
        }
        let switches = &self.session.switches;
        // What ends this wait early ends the operation with its next request.
        let wait = switches.wait_to_begin(self.account.arm(), &others, &awaited);
        _ = self.session.arm.wait_for(wait, "waiting for other hubs of the account", self.call).await;
        let (mut failed, mut unknown) = (Vec::new(), Vec::new());
        for other in &others {
            match switches.stage(other) {
                Some(Stage::Failed) => failed.push(other),
                Some(stage) if awaited(stage) => {}
                _ => unknown.push(other),
            }
        }
        let mut findings = Vec::new();
        if !failed.is_empty() {
            findings.push(finding::others_failed(self.account, &failed));
        }
        if !unknown.is_empty() {
            findings.push(finding::others_use_keys(self.account, &unknown, others.len() + 1));
        }
        (findings, others)
    }

    /// How far the others on the account are that this run has begun to switch.
    fn switched(&self, others: &[ArmId]) -> Looked {
        let at = |stage| -> Vec<&ArmId> {
            others.iter().filter(|other| self.session.switches.stage(other) == Some(stage)).collect()
        };
        let (under_way, failed) = (at(Stage::Begun), at(Stage::Failed));
        let mut looked = Looked::default();
        if !under_way.is_empty() {
            let names: Vec<&str> = under_way.iter().map(|hub| hub.as_str()).collect();
            looked.awaited = Some(format!("this run to switch {}", names.join(", ")));
            looked.findings.push(finding::others_not_done(self.account, &under_way));
        }
        if !failed.is_empty() {
            looked.findings.push(finding::others_failed(self.account, &failed));
        }
        looked
    }

    fn log(&self, awaited: &str, at_most: Duration) {
        let seconds = at_most.as_secs();
        tracing::info!(hub = %self.hub_id, awaited, at_most_seconds = seconds, "waiting before keys go off");
    }

    /// Waits until the youngest grant is old enough.
    async fn settle(&self, looked: &Looked) -> Result<(), Diagnostic> {
        let settle = self.terms.settle;
        let Some(youngest) = looked.relied.iter().max().filter(|_| !settle.is_zero()) else { return Ok(()) };
        let age = looked.now.unwrap_or_else(OffsetDateTime::now_utc) - *youngest;
        let mut left = settle.saturating_sub(Duration::try_from(age).unwrap_or_default());
        if left >= self.session.arm.left(self.call) {
            return Err(too_young(left));
        }
        while !left.is_zero() {
            self.log("the youngest role assignment to reach grant_settle_time", left);
            let step = left.min(LOG_EVERY);
            self.wait(step).await?;
            left -= step;
        }
        Ok(())
    }

    async fn wait(&self, wait: Duration) -> Result<(), Diagnostic> {
        let waited = self.session.arm.pause(wait, "waiting to switch keys off", self.call).await;
        waited.map_err(|error| match error {
            Error::DeadlineExceeded { .. } => too_young(wait),
            _ => Diagnostic::error("Interrupted", "Keys were not switched off yet."),
        })
    }
}

fn too_young(missing: Duration) -> Diagnostic {
    let detail = format!(
        "The youngest role assignment that the access check relies on needs {} more seconds to reach grant_settle_time, which \
         is longer than the timeouts block leaves. Keys are still on. Apply again later, or raise the timeout.",
        missing.as_secs() + 1
    );
    Diagnostic::error("Role assignments are too young", detail).at(Path::root("grant_settle_time"))
}
