//! Findings as diagnostics.

mod assigned_identity;
mod explanation;
mod key_users;
mod not_readable;
mod policies;
mod private_endpoints;
mod roles;

use super::{Access, AccessCheck, Finding, FindingCode};
use crate::{
    arm::{StorageAccountId, WorkspaceId},
    framework::{Diagnostic, Diagnostics, Severity},
};
use explanation::Explanation;

/// Findings of one code that have one explanation.
struct Explained {
    explanation: Explanation,
    code: FindingCode,
    stops: bool,
}

impl Access<'_> {
    /// The findings as warnings of a plan, which changes nothing yet.
    pub(crate) fn plan_messages(&self, findings: &[Finding]) -> Diagnostics {
        let said = self.explained(findings, |explained| {
            let then = match (self.requirements.check, explained.stops) {
                (_, true) => "If this has not changed when it is applied, the apply will stop.".to_owned(),
                (AccessCheck::Enforce, false) => {
                    format!("The apply stops for it if access_check_stop_on has {:?}.", explained.code.word())
                }
                _ => String::new(),
            };
            (Severity::Warning, then)
        });
        said.into_iter().collect()
    }

    /// What is said of a finding where nothing is going to be changed.
    pub(super) fn text(&self, finding: &Finding) -> String {
        finding.explain(self.hub_id, self.account, self.hub.is_some()).plain()
    }

    /// The findings as messages of an apply, errors where they stop the change. The log has them too.
    pub(crate) fn apply_messages(&self, findings: &[Finding]) -> Diagnostics {
        for finding in findings {
            let (code, subject) = (finding.code().word(), finding.subject(self.hub_id, self.account));
            let stops = self.stops(finding);
            tracing::info!(hub = %self.hub_id, code, subject, stops, "finding of the access check");
        }
        let said = self.explained(findings, |Explained { explanation, stops, .. }| {
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
                if explanation.resource.is_some() { reference.as_str() } else { "" }
            );
            (Severity::Error, then)
        });
        said.into_iter().collect()
    }

    /// A diagnostic for each finding, and one for all that differ in nothing but what they are about. What uses keys of the account
    /// itself is said once for all its hubs, where it stops none. `then` gives the severity, and what comes of it.
    fn explained(&self, findings: &[Finding], then: impl Fn(&Explained) -> (Severity, String)) -> Vec<Diagnostic> {
        let mut all: Vec<Explained> = Vec::new();
        for finding in findings {
            let explanation = finding.explain(self.hub_id, self.account, self.hub.is_some());
            let (code, stops) = (finding.code(), self.stops(finding));
            if !stops && finding.is_about_account() && !self.session.says_first(explanation.text.clone()) {
                continue;
            }
            match all.iter_mut().find(|known| known.code == code && known.explanation.says_the_same(&explanation)) {
                Some(known) => known.explanation.text = format!("{}\n{}", known.explanation.text, explanation.text),
                None => all.push(Explained { explanation, code, stops }),
            }
        }
        let diagnostic = |explained: Explained| {
            let (severity, then) = then(&explained);
            explained.explanation.diagnostic(severity, &then)
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
            Self::IdentityRoles { identity, scope, roles, doubts } => {
                assigned_identity::roles(hub, identity, scope, roles, doubts)
            }
            Self::VaultPermissions { identity, vault, lacking, perhaps_by_groups } => {
                assigned_identity::vault_permissions(hub, identity, vault, lacking, *perhaps_by_groups)
            }
            Self::PrivateEndpoint { identity, endpoint, doubts } => {
                private_endpoints::not_read(hub, account, identity, endpoint, doubts)
            }
            Self::PolicyRefusesKeys { policies } => policies::refuse_keys(account, policies),
            Self::NotReadable { list, scope, error } => not_readable::of(*list, scope, error),
        }
    }
}
