//! What can be seen of a hub's authorization while nothing is changed.

use futures_util::join;

use super::{
    Access, Finding, FindingCode, FindingSeverity, OwnAssignments,
    key_users::{Computes, OtherHubs},
    standing::PrincipalStanding,
};
use crate::arm::{
    Error, Read,
    workspaces::{AuthModeKind, Workspace},
};

/// A hub's authorization at one time.
#[derive(Debug)]
pub(crate) struct Posture {
    /// Whether the account accepts shared keys; `None` where it cannot be read.
    pub(crate) shared_keys: Option<bool>,
    pub(crate) principals: Vec<PrincipalStanding>,
    pub(crate) findings: Vec<Told>,
}

/// A finding in words.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: FindingCode,
    pub(crate) severity: FindingSeverity,
    /// The id of what it is about.
    pub(crate) subject: String,
    /// What was found, and what to do.
    pub(crate) text: String,
}

impl Access<'_> {
    /// Reads everything side by side. What cannot be read is a finding.
    ///
    /// # Errors
    /// The call has ended, or signing in failed.
    pub(crate) async fn posture(&self) -> Result<Posture, Error> {
        let hub_is_on_keys = self.hub.is_some_and(Workspace::is_on_keys);
        let ((account, further), listed, others, on_keys, key_users) = join!(
            // The way back matters whether keys are disabled already or not.
            self.account_and_further(Read::Fresh, OwnAssignments::Created, true),
            self.list(Read::Fresh),
            self.others_on_keys(Read::Fresh),
            self.system_datastores_on_keys(Read::Fresh),
            self.key_users(Read::Fresh, Computes::LeftOut, OtherHubs::All),
        );
        let mut findings = key_users;
        findings.extend(further);
        let shared_keys = match account {
            Ok(found) => Some(found.account.shared_key_enabled()),
            Err(error) => {
                findings.push(self.hidden_account(error));
                None
            }
        };
        let principals = match listed {
            Ok(listed) => {
                let holdings = self.holdings(&listed.value, OwnAssignments::Created);
                findings.extend(self.configured(&holdings).findings);
                findings.extend(self.nobody(&holdings));
                // The platform assigns its role at the switch.
                if !hub_is_on_keys {
                    findings.extend(self.system_identity(&holdings).findings);
                }
                self.standings(Some(&holdings))
            }
            Err(hidden) => {
                findings.push(hidden);
                self.standings(None)
            }
        };
        match others {
            Ok(others) if others.is_empty() => {}
            Ok(mut others) => {
                others.sort();
                let hubs = others.len() + 1;
                findings.push(Finding::OthersUseKeys { others, hubs });
            }
            Err(hidden) => findings.push(hidden),
        }
        match on_keys {
            Ok(names) if names.is_empty() || hub_is_on_keys => {}
            Ok(mut names) => {
                names.sort();
                findings.push(Finding::SystemDatastoresUseKeys { names });
            }
            Err(hidden) => findings.push(hidden),
        }
        let findings =
            self.without_ignored(findings).into_iter().map(|finding| self.told(finding)).collect::<Result<_, _>>()?;
        Ok(Posture { shared_keys, principals, findings: in_order(findings) })
    }

    fn told(&self, finding: Finding) -> Result<Told, Error> {
        let finding = match finding {
            Finding::NotReadable { error, .. } if error.is_interruption() || error.sign_in().is_some() => {
                return Err(error);
            }
            // A text that differs with each request would be a change in each plan.
            Finding::NotReadable { list, scope, error } => {
                Finding::NotReadable { list, scope, error: error.without_request_ids() }
            }
            finding => finding,
        };
        Ok(Told {
            code: finding.code(),
            severity: finding.severity(),
            subject: finding.subject(self.hub_id, self.account).to_owned(),
            text: self.text(&finding),
        })
    }
}

impl Posture {
    /// Whether nothing was hidden.
    pub(crate) fn is_verified(&self) -> bool {
        self.shared_keys.is_some() && !self.has(FindingSeverity::Unverified)
    }

    /// Whether `hub` needs no keys, its account accepts none, and nothing is known to break by that.
    pub(crate) fn is_compliant(&self, hub: &Workspace) -> bool {
        let is_on_identity = hub.properties.system_datastores_auth_mode.kind() == AuthModeKind::Identity;
        is_on_identity && self.shared_keys == Some(false) && !self.has(FindingSeverity::Error)
    }

    fn has(&self, severity: FindingSeverity) -> bool {
        self.findings.iter().any(|found| found.severity == severity)
    }
}

/// The same findings in an order that does not depend on Azure's.
fn in_order(mut findings: Vec<Told>) -> Vec<Told> {
    findings.sort_by_cached_key(|found| (found.severity.word(), found.code.word(), found.subject.to_lowercase()));
    findings
}
