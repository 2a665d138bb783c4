//! What the user-assigned identity of a hub lacks beyond the data of the account: nobody but the user assigns its roles (facts:
//! azure.md §13.9).

use futures_util::future::{OptionFuture, join};

use super::{
    Access, Finding, List,
    holdings::RoleCheck,
    identity_roles::{IdentityRoles, NotHeld},
    needs::{CONTRIBUTOR, KEY_VAULT_ADMINISTRATOR, Need},
    queries,
};
use crate::arm::{ArmId, vaults::Vault};

impl Access<'_> {
    /// Findings about the user-assigned identity that the hub uses, one for each scope.
    pub(super) async fn assigned_identity(&self, roles: &IdentityRoles<'_>) -> Vec<Finding> {
        let Some(hub) = self.hub else { return Vec::new() };
        let Some(identity) = queries::assigned_identity(hub) else { return Vec::new() };
        let attached = |id: &Option<String>| id.as_deref().and_then(|id| ArmId::parse(id).ok());
        let properties = &hub.properties;
        let vault = attached(&properties.key_vault);
        let others = [&properties.container_registry, &properties.application_insights].map(attached);
        let scopes = [self.hub_id.arm(), self.account.arm()].map(|id| Some(id.clone())).into_iter();
        let scopes = scopes.chain([vault.clone()]).chain(others).flatten();
        let mut needs: Vec<(ArmId, Need)> = scopes.map(|scope| (scope, CONTRIBUTOR)).collect();
        needs.extend(vault.clone().map(|vault| (vault, KEY_VAULT_ADMINISTRATOR)));

        // Only the vault tells whether roles or access policies decide.
        let found = vault.as_ref().map(|vault| self.session.arm.get::<Vault>(vault, roles.read, self.call));
        let ((mut not_held, mut findings), found) =
            join(roles.not_held(identity, needs), OptionFuture::from(found)).await;
        if let (Some(vault), Some(found)) = (vault, found) {
            match found {
                Ok(found) if found.uses_rbac() => {}
                Ok(found) => {
                    not_held.retain(|open| open.need != KEY_VAULT_ADMINISTRATOR);
                    let lacking = found.lacking_permissions(identity);
                    if !lacking.is_empty() {
                        let perhaps_by_groups = found.others_have_the_rest();
                        let identity = identity.to_owned();
                        findings.push(Finding::VaultPermissions { identity, vault, lacking, perhaps_by_groups });
                    }
                }
                // Without the vault there is nothing to hold roles on.
                Err(error) if error.is_not_found() => not_held.retain(|open| open.scope != vault),
                Err(error) => {
                    not_held.retain(|open| open.need != KEY_VAULT_ADMINISTRATOR);
                    findings.push(Finding::NotReadable { list: List::Vault, scope: vault.to_string(), error });
                }
            }
        }
        findings.extend(by_scope(identity, not_held));
        findings
    }
}

/// A finding for each scope and certainty.
fn by_scope(identity: &str, not_held: Vec<NotHeld>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for NotHeld { scope, check, .. } in not_held {
        let (more, why) = match check {
            RoleCheck::Holds(_) => continue,
            RoleCheck::Lacks(roles) => (roles, Vec::new()),
            RoleCheck::NotVerifiable(roles, doubts) => (roles, doubts),
        };
        let known = findings.iter_mut().find_map(|finding| match finding {
            Finding::IdentityRoles { scope: at, roles, doubts, .. }
                if *at == scope && doubts.is_empty() == why.is_empty() =>
            {
                Some((roles, doubts))
            }
            _ => None,
        });
        match known {
            Some((roles, doubts)) => {
                roles.extend(more);
                doubts.extend(why.into_iter().filter(|doubt| !doubts.contains(doubt)).collect::<Vec<_>>());
            }
            None => {
                findings.push(Finding::IdentityRoles { identity: identity.to_owned(), scope, roles: more, doubts: why })
            }
        }
    }
    findings
}
