//! The second gate, before shared keys are disabled: it waits for the platform and for other hubs of this run, and then
//! until role assignments are old enough.

use std::time::Duration;

use futures_util::future::{OptionFuture, join};
use time::OffsetDateTime;

use super::{Access, Finding, OwnAssignments, SwitchStage, queries::Checked};
use crate::{
    arm::{ArmId, Error, Read},
    framework::{Diagnostic, Path},
};

/// How long to wait before the platform's changes are read again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The part of the operation's time that is reserved for the change of the account.
const RESERVED_FOR_ACCOUNT: Duration = Duration::from_secs(30);

const LOG_EVERY: Duration = Duration::from_secs(60);

impl Access<'_> {
    /// The second gate: the role of the hub's system-assigned identity, the hub's datastores, and the `others` on the account
    /// that this run switches. It waits for the platform only if the hub was `switched`.
    ///
    /// # Errors
    /// Interrupted, or too little time is left for grant_settle_time.
    pub(crate) async fn check_before_disabling_keys(
        &self,
        switched: bool,
        others: &[ArmId],
    ) -> Result<Vec<Finding>, Diagnostic> {
        let arm = &self.session.arm;
        let end =
            arm.left(self.call).saturating_sub(self.requirements.platform_grant_timeout).max(RESERVED_FOR_ACCOUNT);
        let waiting = self.call.earlier(end);
        let (mut pause, mut logged) = (FIRST_PAUSE, None);
        let (mut roles, mut datastores) = join(self.roles(switched), self.datastores(switched)).await;
        let mut hubs = self.switched(others);
        loop {
            let left = arm.left(&waiting);
            let awaited: Vec<&str> =
                [&roles, &datastores, &hubs].into_iter().filter_map(|checked| checked.awaited.as_deref()).collect();
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
            let looks = async {
                let (again, datastores_again) = (roles.awaited.is_some(), datastores.awaited.is_some());
                join(
                    OptionFuture::from(again.then(|| self.roles(switched))),
                    OptionFuture::from(datastores_again.then(|| self.datastores(switched))),
                )
                .await
            };
            // A look that does not end in time leaves what the one before it has found.
            let (again, datastores_again) = match arm.wait_for(looks, "looking again", &waiting).await {
                Ok(found) => found,
                Err(Error::DeadlineExceeded { .. }) => break,
                Err(_) => return Err(interrupted()),
            };
            roles = again.unwrap_or(roles);
            datastores = datastores_again.unwrap_or(datastores);
            hubs = self.switched(others);
        }
        roles.findings.append(&mut datastores.findings);
        roles.findings.append(&mut hubs.findings);
        let stops = roles.findings.iter().any(|finding| self.stops(finding));
        if !stops {
            self.settle(&roles).await?;
        }
        Ok(roles.findings)
    }

    /// What the second gate checks for a hub that does not exist yet: the `others` on the account that this run switches.
    ///
    /// # Errors
    /// Interrupted.
    pub(crate) async fn check_others(&self, others: &[ArmId]) -> Result<Vec<Finding>, Diagnostic> {
        if let Some(awaited) = self.switched(others).awaited {
            let left = self.session.arm.left(self.call).saturating_sub(RESERVED_FOR_ACCOUNT);
            let at_most = left.min(self.requirements.platform_grant_timeout);
            self.log(&awaited, at_most);
            tokio::select! {
                waited = self.wait(at_most) => waited?,
                () = self.session.switches.wait_to_end(others) => {}
            }
        }
        Ok(self.switched(others).findings)
    }

    async fn roles(&self, switched: bool) -> Checked {
        match self.within(&self.share()).list(Read::Fresh).await {
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, OwnAssignments::Created);
                let mut checked = Checked { now: listed.date, ..self.system_identity(&holdings) };
                if switched && let [lacks, ..] = &checked.findings[..] {
                    let id = lacks.subject(self.hub_id, self.account);
                    checked.awaited = Some(format!("the platform to assign a role to the hub's identity {id}"));
                }
                checked.relied.extend(self.configured(&holdings).relied);
                let noted = self.session.assignments_at(self.account.arm());
                checked.relied.extend(noted.iter().filter_map(|noted| noted.created_on));
                checked.findings.extend(self.nobody(&holdings));
                checked
            }
            Err(hidden) => Checked { findings: vec![hidden], ..Checked::default() },
        }
    }

    async fn datastores(&self, switched: bool) -> Checked {
        let mut checked = Checked::default();
        match self.within(&self.share()).system_datastores_on_keys(Read::Fresh).await {
            Ok(names) if names.is_empty() => {}
            Ok(names) => {
                checked.awaited =
                    switched.then(|| format!("the datastores {} to stop using the key", names.join(", ")));
                checked.findings.push(Finding::SystemDatastoresUseKeys { names });
            }
            Err(hidden) => checked.findings.push(hidden),
        }
        checked
    }

    fn switched(&self, others: &[ArmId]) -> Checked {
        let at = |stage| -> Vec<ArmId> {
            others.iter().filter(|other| self.session.switches.stage(other) == Some(stage)).cloned().collect()
        };
        let (under_way, failed) = (at(SwitchStage::Begun), at(SwitchStage::Failed));
        let mut checked = Checked::default();
        if !under_way.is_empty() {
            let names: Vec<&str> = under_way.iter().map(ArmId::as_str).collect();
            checked.awaited = Some(format!("this run to switch {}", names.join(", ")));
            checked.findings.push(Finding::OthersBeingSwitched { others: under_way });
        }
        if !failed.is_empty() {
            checked.findings.push(Finding::OthersNotSwitched { others: failed });
        }
        checked
    }

    fn log(&self, awaited: &str, at_most: Duration) {
        let seconds = at_most.as_secs();
        tracing::info!(hub = %self.hub_id, awaited, at_most_seconds = seconds, "waiting before shared keys are disabled");
    }

    /// Waits until the youngest role assignment is old enough.
    async fn settle(&self, checked: &Checked) -> Result<(), Diagnostic> {
        let settle = self.requirements.grant_settle_time;
        let Some(youngest) = checked.relied.iter().max().filter(|_| !settle.is_zero()) else { return Ok(()) };
        let age = checked.now.unwrap_or_else(OffsetDateTime::now_utc) - *youngest;
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
        let waited = self.session.arm.pause(wait, "waiting to disable shared keys", self.call).await;
        waited.map_err(|error| match error {
            Error::DeadlineExceeded { .. } => too_young(wait),
            _ => interrupted(),
        })
    }
}

fn interrupted() -> Diagnostic {
    Diagnostic::error("Interrupted", "Shared keys are still enabled.")
}

fn too_young(missing: Duration) -> Diagnostic {
    let detail = format!(
        "The youngest role assignment that the access check relies on needs {} more seconds to reach grant_settle_time, \
         and the timeouts block leaves less. Shared keys are still enabled. Apply again later, or raise the timeout.",
        missing.as_secs() + 1
    );
    Diagnostic::error("Role assignments are too young", detail).at(Path::root("grant_settle_time"))
}
