//! Findings as diagnostics.

mod explanation;
mod key_users;
mod not_readable;
mod roles;

use super::{Access, AccessCheck, Finding};
use crate::{
    arm::{StorageAccountId, WorkspaceId},
    framework::{Diagnostic, Diagnostics, Severity},
};
use explanation::Explanation;

impl Access<'_> {
    /// The findings as warnings of a plan, which changes nothing yet.
    pub(crate) fn plan_messages(&self, findings: &[Finding]) -> Diagnostics {
        let said = self.explained(findings, |_, stops| {
            let then = "If this has not changed when it is applied, the apply will stop.";
            (Severity::Warning, if stops { then.to_owned() } else { String::new() })
        });
        said.into_iter().collect()
    }

    /// The findings as messages of an apply, errors where they stop the change. The log has them too.
    pub(crate) fn apply_messages(&self, findings: &[Finding]) -> Diagnostics {
        for finding in findings {
            let (code, subject) = (finding.code().word(), finding.subject(self.hub_id, self.account));
            let stops = self.stops(finding);
            tracing::info!(hub = %self.hub_id, code, subject, stops, "finding of the access check");
        }
        let said = self.explained(findings, |explained, stops| {
            if !stops {
                return (Severity::Warning, String::new());
            }
            let target = if self.hub.is_some() { "hub_id" } else { "storage_account_id" };
            let reference = format!(
                "If a foundryhub_role_assignment refers to this resource, remove that reference: let it set {target}, and list it in \
                 depends_on here. "
            );
            let then = format!(
                "access_check is enforce, so nothing more is changed. {}With access_check = \"warn\" this is a warning.",
                if explained.resource.is_some() { reference.as_str() } else { "" }
            );
            (Severity::Error, then)
        });
        said.into_iter().collect()
    }

    /// A diagnostic for each finding, and one for all that differ in nothing but what they are about. What uses keys of the account
    /// itself is said once for all its hubs, where it stops none. `then` has the severity, and what comes of it, of an explanation
    /// that stops the change or does not.
    fn explained(
        &self,
        findings: &[Finding],
        then: impl Fn(&Explanation, bool) -> (Severity, String),
    ) -> Vec<Diagnostic> {
        let mut all: Vec<(Explanation, bool)> = Vec::new();
        for finding in findings {
            let explained = finding.explain(self.hub_id, self.account, self.hub.is_some());
            let stops = self.stops(finding);
            if !stops && finding.is_about_account() && !self.session.says_first(explained.text.clone()) {
                continue;
            }
            match all.iter_mut().find(|(known, known_stops)| *known_stops == stops && known.says_the_same(&explained)) {
                Some((known, _)) => known.text = format!("{}\n{}", known.text, explained.text),
                None => all.push((explained, stops)),
            }
        }
        let diagnostic = |(explained, stops): (Explanation, bool)| {
            let (severity, then) = then(&explained, stops);
            explained.diagnostic(severity, &then)
        };
        all.into_iter().map(diagnostic).collect()
    }

    /// Whether a finding stops the change.
    pub(super) fn stops(&self, finding: &Finding) -> bool {
        let asked_for = || self.requirements.stop_on.contains(&finding.code());
        self.requirements.check == AccessCheck::Enforce && (finding.breaks_work() || asked_for())
    }
}

impl Finding {
    fn explain(&self, hub: &WorkspaceId, account: &StorageAccountId, hub_exists: bool) -> Explanation {
        let target = if hub_exists { ("hub_id", hub.as_str()) } else { ("storage_account_id", account.as_str()) };
        match self {
            Self::Lacks { principal, roles } => roles::missing(hub, account, target, principal, roles, &[]),
            Self::NotVerifiable { principal, roles, doubts } => {
                roles::missing(hub, account, target, principal, roles, doubts)
            }
            Self::NobodyHoldsRoles => roles::nobody(hub, account, target),
            Self::HubIdentityUnknown { candidates } => roles::identity_unknown(hub, candidates),
            Self::OthersUseKeys { others, hubs } => key_users::others(account, others, *hubs),
            Self::OthersNotSwitched { others } => key_users::others_not_switched(account, others),
            Self::OthersBeingSwitched { others } => key_users::others_being_switched(account, others),
            Self::SystemDatastoresUseKeys { names } => key_users::system_datastores(hub, names),
            Self::UsesKeys(user) => key_users::of(user, account),
            Self::NotReadable { list, scope, error } => not_readable::of(*list, scope, error),
        }
    }
}
