//! Who can work with the data of an account: the principals of the posture.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Access,
    holdings::{self, Holding, RoleCheck},
};
use crate::{
    arm::{RoleDefinitionId, workspaces::Workspace},
    framework::one_of,
    provider::{
        principal::{PrincipalId, PrincipalType},
        roles,
    },
};

one_of! {
    /// What a principal may do with blobs and files of an account.
    pub(crate) enum Standing {
        Contributor = "contributor",
        Reader = "reader",
        /// Something, but not both.
        Partial = "partial",
        Nothing = "none",
        NotVerifiable = "not_verifiable",
    }
}

/// A principal with what it may do.
#[derive(Debug)]
pub(crate) struct PrincipalStanding {
    pub(crate) principal_id: PrincipalId,
    /// `None` where nothing tells it.
    pub(crate) principal_type: Option<PrincipalType>,
    pub(crate) access: Standing,
    /// The data roles that it holds, by name, and roles that may be custom ones, by id.
    pub(crate) roles: BTreeSet<String>,
    pub(crate) is_hub_identity: bool,
    pub(crate) is_required: bool,
}

impl Access<'_> {
    /// The required principals, the hub's identities and all who hold a data role on the account, in the order of their ids.
    /// Without `holdings` it is not known what they may do.
    pub(super) fn standings(&self, holdings: Option<&[Holding]>) -> Vec<PrincipalStanding> {
        let known = holdings.unwrap_or_default();
        let mut all: BTreeMap<String, Known> = BTreeMap::new();
        for id in &self.requirements.principals {
            all.entry(id.to_lowercase()).or_insert_with(|| Known::new(id)).is_required = true;
        }
        let system_identity = self.hub.and_then(Workspace::system_principal_id);
        let assigned = self.hub.into_iter().flat_map(Workspace::user_assigned_principal_ids);
        for id in assigned.chain(system_identity) {
            all.entry(id.to_lowercase()).or_insert_with(|| Known::new(id)).is_hub_identity = true;
        }
        for held in known.iter().filter(|held| holdings::gives_data(held.role)) {
            all.entry(held.principal_id.clone()).or_insert_with(|| Known::new(&held.principal_id));
        }
        for held in known {
            let Some(holder) = all.get_mut(&held.principal_id) else { continue };
            // As where its role is checked: the platform sets a condition where a hub's data are isolated (azure.md §9.7).
            let is_platforms = system_identity.is_some_and(|id| id.eq_ignore_ascii_case(&held.principal_id));
            holder.own.push(Holding { conditional: held.conditional && !is_platforms, ..held.clone() });
        }
        let of_groups = holdings::of_groups(known);
        let standing = |Known { id, own, is_hub_identity, is_required }: Known| {
            let told = own.iter().find_map(|held| held.principal_type.clone());
            PrincipalStanding {
                principal_id: PrincipalId::from(id),
                principal_type: told.or_else(|| is_hub_identity.then(|| PrincipalType::from("ServicePrincipal"))),
                roles: own.iter().filter_map(|held| self.role_in_words(held)).collect(),
                access: if holdings.is_some() { access(id, &own, &of_groups) } else { Standing::NotVerifiable },
                is_hub_identity,
                is_required,
            }
        };
        all.into_values().map(standing).collect()
    }

    /// The name of a data role, or the id of a role whose permissions are not known; nothing for roles without data.
    fn role_in_words(&self, held: &Holding) -> Option<String> {
        match roles::by_guid(held.role) {
            Some(role) => holdings::gives_data(role.guid).then(|| role.name.to_owned()),
            None => Some(RoleDefinitionId::within(self.account.arm(), held.role).as_str().to_owned()),
        }
    }
}

/// What is known of a principal.
struct Known<'a> {
    /// As it is spelled where it is named first.
    id: &'a str,
    own: Vec<Holding>,
    is_hub_identity: bool,
    is_required: bool,
}

impl<'a> Known<'a> {
    fn new(id: &'a str) -> Self {
        Self { id, own: Vec::new(), is_hub_identity: false, is_required: false }
    }
}

fn access(id: &str, own: &[Holding], of_groups: &[Holding]) -> Standing {
    let holds_data = own.iter().any(|held| holdings::gives_data(held.role));
    let all = [own, of_groups].concat();
    if matches!(holdings::pair(id, &all, true), RoleCheck::Holds(_)) {
        return Standing::Contributor;
    }
    match holdings::pair(id, &all, false) {
        RoleCheck::Holds(_) => Standing::Reader,
        RoleCheck::NotVerifiable(..) => Standing::NotVerifiable,
        RoleCheck::Lacks(_) if holds_data => Standing::Partial,
        RoleCheck::Lacks(_) => Standing::Nothing,
    }
}
