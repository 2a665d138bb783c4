//! What a check finds beside roles on the account, other workspaces there and key users: roles elsewhere, private endpoints and
//! policies.

use futures_util::future::{OptionFuture, join};

use super::{Access, Finding, List, OwnAssignments, identity_roles::IdentityRoles};
use crate::arm::{Error, Read, storage_accounts::WholeAccount};

impl Access<'_> {
    /// Findings about roles of the hub's identity elsewhere, about private endpoints, and where keys are disabled about policies.
    pub(super) async fn further(&self, read: Read, own: OwnAssignments, disables_keys: bool) -> Vec<Finding> {
        let (account, mut findings) = self.account_and_further(read, own, disables_keys).await;
        findings.extend(account.err().filter(|error| !error.is_not_found()).map(|error| self.hidden_account(error)));
        findings
    }

    /// The same with the account, by which the last two are found. The caller may have read it.
    pub(super) async fn account_and_further(
        &self,
        read: Read,
        own: OwnAssignments,
        asks_policies: bool,
    ) -> (Result<WholeAccount, Error>, Vec<Finding>) {
        let roles = IdentityRoles::new(self, read, own);
        let by_account = async {
            let account = match self.found_account {
                Some(found) => Ok(found.clone()),
                None => self.session.arm.get::<WholeAccount>(self.account, read, self.call).await,
            };
            let found = account.as_ref().ok();
            let endpoints = found.map(|found| self.private_endpoints(&found.account, &roles));
            let policies = found.filter(|_| asks_policies).map(|found| self.policies(found, read));
            let (endpoints, policies) = join(OptionFuture::from(endpoints), OptionFuture::from(policies)).await;
            (account, endpoints.unwrap_or_default(), policies.flatten())
        };
        let (mut findings, (account, endpoints, policies)) = join(self.assigned_identity(&roles), by_account).await;
        for finding in endpoints {
            // Both may need the roles of one identity.
            if !findings.iter().any(|known| known.hides_the_same(&finding)) {
                findings.push(finding);
            }
        }
        findings.extend(policies);
        (account, findings)
    }

    pub(super) fn hidden_account(&self, error: Error) -> Finding {
        Finding::NotReadable { list: List::Account, scope: self.account.to_string(), error }
    }
}
