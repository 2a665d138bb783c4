//! Private endpoints of an account without public network access, which the hub's identity has to read (facts: azure.md §13.8).

use futures_util::future::FutureExt as _;

use super::{
    Access, Finding, List, OwnAssignments, holdings::RoleCheck, identity_roles::NotHeld, needs::READER, queries,
    side_by_side::side_by_side,
};
use crate::arm::{Read, private_endpoints::PrivateEndpoint, storage_accounts::StorageAccount, workspaces::Workspace};

/// The services whose endpoints matter.
const SERVICES: &[&str] = &["blob", "file"];

impl Access<'_> {
    /// A finding for each endpoint of the account's blobs or files that the hub's identity cannot read.
    pub(super) async fn private_endpoints(
        &self,
        account: &StorageAccount,
        read: Read,
        own: OwnAssignments,
    ) -> Vec<Finding> {
        let Some(identity) = self.hub.and_then(identity).filter(|_| account.refuses_public_network()) else {
            return Vec::new();
        };
        let needs = account.private_endpoints().map(|endpoint| (endpoint, READER)).collect();
        let (not_held, mut findings) = self.not_held(identity, needs, read, own).await;
        let reads = not_held.into_iter().map(|open| self.private_endpoint(identity, open, read).boxed());
        findings.extend(side_by_side(reads.collect()).await.into_iter().flatten());
        findings
    }

    /// Only the endpoint itself says which service it leads to.
    async fn private_endpoint(&self, identity: &str, not_held: NotHeld, read: Read) -> Option<Finding> {
        let NotHeld { scope: endpoint, check, .. } = not_held;
        let doubts = match check {
            RoleCheck::NotVerifiable(_, doubts) => doubts,
            _ => Vec::new(),
        };
        match self.session.arm.get::<PrivateEndpoint>(&endpoint, read, self.call).await {
            Ok(found) if !found.leads_to(SERVICES) => None,
            Ok(_) => Some(Finding::PrivateEndpoint { identity: identity.to_owned(), endpoint, doubts }),
            Err(error) => {
                Some(Finding::NotReadable { list: List::PrivateEndpoints, scope: endpoint.to_string(), error })
            }
        }
    }
}

/// The identity with which the hub reaches its account.
fn identity(hub: &Workspace) -> Option<&str> {
    hub.system_principal_id().or_else(|| queries::assigned_identity(hub))
}
