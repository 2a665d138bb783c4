//! The second gate, before keys go off: what is about to come is waited for, and then the grants have to settle.

use std::time::Duration;

use time::OffsetDateTime;

use super::{Access, Finding, Grants, List, Principal, Stage, holdings, look::Looked};
use crate::{
    arm::{self, ArmId, Error, Read, workspaces::Datastore},
    framework::{Diagnostic, Path},
};

/// How long to wait between looks at what the platform is about to do.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The time of the operation that is kept for the change of the account.
const FOR_THE_ACCOUNT: Duration = Duration::from_secs(30);

/// How often the log says what is waited for.
const LOG_EVERY: Duration = Duration::from_secs(60);

impl Access<'_> {
    /// The second gate, before keys go off: the role of the hub's system-assigned identity, its datastores, and the `others`
    /// on the account that this run switches. What is about to come, of the platform's only after the hub was `switched`, is
    /// waited for; then the grants have to settle.
    ///
    /// # Errors
    /// A message that stops the change in any case: interrupted, or too little time for grants to settle.
    pub(crate) async fn before_keys_go_off(
        &self,
        switched: bool,
        others: &[ArmId],
    ) -> Result<Vec<Finding>, Diagnostic> {
        let arm = &self.session.arm;
        let end = arm.left(self.call).saturating_sub(self.requirements.platform_grant_timeout).max(FOR_THE_ACCOUNT);
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
        let stops = roles.findings.iter().any(|finding| self.stops(finding));
        if !stops {
            self.settle(&roles).await?;
        }
        Ok(roles.findings)
    }

    /// Everything that role assignments tell before keys go off.
    async fn roles(&self, switched: bool) -> Looked {
        match self.list(Read::Fresh).await {
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, Grants::Made);
                let mut looked = Looked { now: listed.date, ..Looked::default() };
                // The platform provides for this identity, whatever others the hub has.
                if let Some(id) = self.hub.system_principal_id() {
                    looked.add(Principal::SystemIdentity(id.to_owned()), holdings::platform_grant(id, &holdings));
                    let is_awaited = switched && !looked.findings.is_empty();
                    looked.awaited = is_awaited.then(|| format!("the platform's grant to the hub's identity {id}"));
                }
                looked.relied.extend(self.configured(&holdings).relied);
                let granted = self.session.grants_at(self.account.arm());
                looked.relied.extend(granted.iter().filter_map(|grant| grant.created_on));
                looked.findings.extend(self.nobody(&holdings));
                looked
            }
            Err(hidden) => Looked { findings: vec![hidden], ..Looked::default() },
        }
    }

    async fn datastores(&self, switched: bool) -> Looked {
        let mut looked = Looked::default();
        match self.session.arm.list::<Datastore>(arm::List::below(self.hub_id.arm()), Read::Fresh, self.call).await {
            Ok(all) => {
                let still = all.value.iter().filter(|store| store.is_system() && store.uses_account_key());
                let still: Vec<String> = still.map(|store| store.name.clone()).collect();
                if !still.is_empty() {
                    looked.awaited = switched.then(|| format!("the datastores {} to leave the key", still.join(", ")));
                    looked.findings.push(Finding::DatastoresUseKeys { names: still });
                }
            }
            Err(error) => looked.findings.push(Finding::NotReadable { list: List::Datastores, error }),
        }
        looked
    }

    /// How far the others on the account are that this run has begun to switch.
    fn switched(&self, others: &[ArmId]) -> Looked {
        let at = |stage| -> Vec<ArmId> {
            others.iter().filter(|other| self.session.switches.stage(other) == Some(stage)).cloned().collect()
        };
        let (under_way, failed) = (at(Stage::Begun), at(Stage::Failed));
        let mut looked = Looked::default();
        if !under_way.is_empty() {
            let names: Vec<&str> = under_way.iter().map(ArmId::as_str).collect();
            looked.awaited = Some(format!("this run to switch {}", names.join(", ")));
            looked.findings.push(Finding::OthersBeingSwitched { others: under_way });
        }
        if !failed.is_empty() {
            looked.findings.push(Finding::OthersNotSwitched { others: failed });
        }
        looked
    }

    fn log(&self, awaited: &str, at_most: Duration) {
        let seconds = at_most.as_secs();
        tracing::info!(hub = %self.hub_id, awaited, at_most_seconds = seconds, "waiting before keys go off");
    }

    /// Waits until the youngest grant is old enough.
    async fn settle(&self, looked: &Looked) -> Result<(), Diagnostic> {
        let settle = self.requirements.grant_settle_time;
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
