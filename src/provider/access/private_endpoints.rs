//! Private endpoints of an account without public network access, which the hub's identity has to read (facts: azure.md §13.8).

use futures_util::future::{FutureExt as _, join};

use super::{
    Access, Doubt, Finding, List, Principal,
    holdings::RoleCheck,
    identity_roles::{IdentityRoles, NotHeld},
    needs::READER,
    queries,
    side_by_side::side_by_side,
};
use crate::{
    arm::{
        ArmId, Error, ErrorCode, Read, private_endpoints::PrivateEndpoint, storage_accounts::StorageAccount,
        workspaces::Workspace,
    },
    provider::hub,
};

/// The services whose endpoints matter.
const SERVICES: &[&str] = &["blob", "file"];

impl Access<'_> {
    /// A finding for each endpoint of the account's blobs or files that the hub's identity cannot read.
    pub(super) async fn private_endpoints(&self, account: &StorageAccount, roles: &IdentityRoles<'_>) -> Vec<Finding> {
        let Some(identity) = self.hub.and_then(identity).filter(|_| account.refuses_public_network()) else {
            return Vec::new();
        };
        let own = [self.hub_id.subscription(), self.account.subscription()];
        let is_own = |endpoint: &ArmId| {
            endpoint.subscription().is_some_and(|at| own.iter().any(|own| own.eq_ignore_ascii_case(at)))
        };
        let (own, elsewhere) = account.private_endpoints().partition(is_own);
        let both =
            join(self.own_endpoints(&identity, own, roles), self.endpoints_elsewhere(&identity, elsewhere, roles));
        let (mut findings, elsewhere) = both.await;
        findings.extend(elsewhere);
        findings
    }

    /// Only an endpoint itself says which service it leads to, and those that the identity can read need not be asked.
    async fn own_endpoints(
        &self,
        identity: &Principal,
        endpoints: Vec<ArmId>,
        roles: &IdentityRoles<'_>,
    ) -> Vec<Finding> {
        let needs = endpoints.into_iter().map(|endpoint| (endpoint, READER)).collect();
        let (not_held, mut findings) = roles.not_held(identity.id(), needs).await;
        let reads = not_held.iter().map(|open| self.leads_to_data(&open.scope, roles.read).boxed());
        let reads = side_by_side(reads.collect()).await;
        findings.extend(not_held.into_iter().zip(reads).filter_map(|(open, leads_to_data)| match leads_to_data {
            Ok(leads_to_data) => leads_to_data.then(|| not_read(identity, open)),
            Err(error) => Some(hidden(&open.scope, error)),
        }));
        findings
    }

    /// Those of a managed network are the vendor's, so that nobody can read them or who has roles there. One that can be read
    /// is none of them.
    async fn endpoints_elsewhere(
        &self,
        identity: &Principal,
        endpoints: Vec<ArmId>,
        roles: &IdentityRoles<'_>,
    ) -> Vec<Finding> {
        let reads = endpoints.iter().map(|endpoint| self.leads_to_data(endpoint, roles.read).boxed());
        let reads = side_by_side(reads.collect()).await;
        let (mut needs, mut findings) = (Vec::new(), Vec::new());
        for (endpoint, leads_to_data) in endpoints.into_iter().zip(reads) {
            match leads_to_data {
                Ok(true) => needs.push((endpoint, READER)),
                Ok(false) => {}
                Err(error) if is_of_others(&error) => {}
                Err(error) => findings.push(hidden(&endpoint, error)),
            }
        }
        let (not_held, lists) = roles.not_held(identity.id(), needs).await;
        findings.extend(not_held.into_iter().map(|open| not_read(identity, open)).chain(lists));
        findings
    }

    async fn leads_to_data(&self, endpoint: &ArmId, read: Read) -> Result<bool, Error> {
        let found = self.session.arm.get::<PrivateEndpoint>(endpoint, read, self.call).await?;
        Ok(found.leads_to(SERVICES))
    }
}

fn not_read(identity: &Principal, NotHeld { scope: endpoint, check, .. }: NotHeld) -> Finding {
    let doubts: Vec<Doubt> = match check {
        RoleCheck::NotVerifiable(_, doubts) => doubts,
        _ => Vec::new(),
    };
    Finding::PrivateEndpoint { identity: identity.clone(), endpoint, doubts }
}

fn hidden(endpoint: &ArmId, error: Error) -> Finding {
    Finding::NotReadable { list: List::PrivateEndpoints, scope: endpoint.to_string(), error }
}

/// Whether an error says that something is in a subscription that the caller does not have or does not see.
fn is_of_others(error: &Error) -> bool {
    hub::is_gone_or_hidden(error) || error.code() == Some(&ErrorCode::InvalidAuthenticationTokenTenant)
}

/// The identity whose role is checked: the system-assigned one if there is one.
fn identity(hub: &Workspace) -> Option<Principal> {
    let system = hub.system_principal_id().map(|id| Principal::SystemIdentity(id.to_owned()));
    system.or_else(|| queries::assigned_identity(hub).map(|id| Principal::AssignedIdentity(id.to_owned())))
}
