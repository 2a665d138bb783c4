//! What a check finds beside roles on the account, other workspaces there and key users: roles elsewhere, private endpoints and
//! policies.

use futures_util::future::{OptionFuture, join3};

use super::{Access, Finding, List, OwnAssignments};
use crate::arm::{Read, storage_accounts::WholeAccount};

impl Access<'_> {
    /// Findings about roles of the hub's identity elsewhere, about private endpoints, and where keys are disabled about policies.
    pub(super) async fn further(&self, read: Read, own: OwnAssignments, disables_keys: bool) -> Vec<Finding> {
        let (account, hidden) = match self.whole_account(read).await {
            Ok(account) => (account, None),
            Err(hidden) => (None, Some(hidden)),
        };
        let account = account.as_ref();
        let endpoints = account.map(|found| self.private_endpoints(&found.account, read, own));
        let policies = account.filter(|_| disables_keys).map(|found| self.policies(found, read));
        // The first two may list the roles of one identity. Begun at the same time they share the list.
        let (mut findings, endpoints, policies) =
            join3(self.assigned_identity(read, own), OptionFuture::from(endpoints), OptionFuture::from(policies)).await;
        for finding in endpoints.into_iter().flatten() {
            if !findings.iter().any(|known| known.hides_the_same(&finding)) {
                findings.push(finding);
            }
        }
        findings.extend(policies.flatten());
        findings.extend(hidden);
        findings
    }

    /// The account, which the caller may have read; `None` where there is none.
    async fn whole_account(&self, read: Read) -> Result<Option<WholeAccount>, Finding> {
        if let Some(found) = self.found_account {
            return Ok(Some(found.clone()));
        }
        match self.session.arm.get::<WholeAccount>(self.account, read, self.call).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Finding::NotReadable { list: List::Account, scope: self.account.to_string(), error }),
        }
    }
}
