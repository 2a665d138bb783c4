//! Policies that would refuse to enable shared keys again once they are disabled (facts: azure.md §13.7).

use super::{Access, Finding, List};
use crate::arm::{Read, storage_accounts::WholeAccount};

impl Access<'_> {
    /// The finding that policies refuse the way back.
    pub(super) async fn policies(&self, account: &WholeAccount, read: Read) -> Option<Finding> {
        match self.session.arm.policies_against_shared_keys(self.account, account, read, self.call).await {
            Ok(policies) if policies.is_empty() => None,
            Ok(policies) => Some(Finding::PolicyRefusesKeys { policies }),
            Err(error) => {
                let (subscription, group) = (self.account.subscription(), self.account.resource_group());
                let scope = format!("/subscriptions/{subscription}/resourceGroups/{group}");
                Some(Finding::NotReadable { list: List::PolicyRestrictions, scope, error })
            }
        }
    }
}
