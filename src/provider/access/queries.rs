//! What the access check reads from Azure, and the findings in it.

use std::sync::Arc;

use time::OffsetDateTime;

use super::{
    Access, Finding, List, OwnAssignments, Principal, SwitchStage,
    holdings::{self, Holding, RoleCheck},
};
use crate::{
    arm::{
        self, ArmId, Error, Listed, Read, datastores::Datastore, role_assignments::RoleAssignment,
        workspaces::Workspace,
    },
    provider::SessionAssignment,
};

/// Findings, and the role assignments that the others rely on.
#[derive(Default)]
pub(super) struct Checked {
    pub(super) findings: Vec<Finding>,
    /// When the assignments relied on were created.
    pub(super) relied: Vec<OffsetDateTime>,
    /// Azure's clock.
    pub(super) now: Option<OffsetDateTime>,
    /// What is missing and expected soon.
    pub(super) awaited: Option<String>,
}

impl Checked {
    /// Adds the result for a principal.
    pub(super) fn add(&mut self, principal: Principal, check: RoleCheck) {
        match check {
            RoleCheck::Holds(made) => self.relied.extend(made.into_iter().flatten()),
            RoleCheck::Lacks(roles) => self.findings.push(Finding::Lacks { principal, roles }),
            RoleCheck::NotVerifiable(roles, doubts) => {
                self.findings.push(Finding::NotVerifiable { principal, roles, doubts })
            }
        }
    }
}

impl Access<'_> {
    /// Lists the role assignments at the account or above it.
    pub(super) async fn list(&self, read: Read) -> Result<Arc<Listed<RoleAssignment>>, Finding> {
        let list = RoleAssignment::at_scope(self.account.arm());
        let listed = self.session.arm.list(list, read, self.call).await;
        let scope = || self.account.to_string();
        listed.map_err(|error| Finding::NotReadable { list: List::RoleAssignments, scope: scope(), error })
    }

    pub(super) fn holdings(&self, listed: &[RoleAssignment], own: OwnAssignments) -> Vec<Holding> {
        let account = self.account.arm();
        holdings::on(account, listed, &self.noted_at(account, own))
    }

    /// The role assignments of this process that apply at a scope.
    pub(super) fn noted_at(&self, scope: &ArmId, own: OwnAssignments) -> Vec<SessionAssignment> {
        let mut noted = self.session.assignments_at(scope);
        noted.retain(|assignment| own == OwnAssignments::Planned || assignment.created_on.is_some());
        noted
    }

    /// The roles that the user assigns.
    pub(super) fn configured(&self, holdings: &[Holding]) -> Checked {
        let mut checked = Checked::default();
        for id in &self.requirements.principals {
            checked.add(Principal::Required(id.clone()), holdings::pair(id, holdings, false));
        }
        let Some(hub) = self.hub else { return checked };
        let has_system_identity = hub.system_principal_id().is_some();
        match assigned_identity(hub) {
            Some(id) => {
                let kind = if has_system_identity { Principal::PrimaryIdentity } else { Principal::AssignedIdentity };
                checked.add(kind(id.to_owned()), holdings::pair(id, holdings, true));
            }
            None if has_system_identity => {}
            None => {
                let candidates = hub.user_assigned_principal_ids().map(str::to_owned).collect();
                checked.findings.push(Finding::HubIdentityUnknown { candidates });
            }
        }
        checked
    }

    /// The role of the hub's system-assigned identity, which the platform assigns to it whatever others the hub has.
    pub(super) fn system_identity(&self, holdings: &[Holding]) -> Checked {
        let mut checked = Checked::default();
        if let Some(id) = self.hub.and_then(Workspace::system_principal_id) {
            checked.add(Principal::SystemIdentity(id.to_owned()), holdings::platform_role(id, holdings));
        }
        checked
    }

    /// The system datastores of the hub that use the account's key, by their names.
    pub(super) async fn system_datastores_on_keys(&self, read: Read) -> Result<Vec<String>, Finding> {
        match self.session.arm.list::<Datastore>(arm::List::below(self.hub_id.arm()), read, self.call).await {
            Ok(all) => {
                let on_keys = all.value.iter().filter(|store| store.is_system() && store.uses_account_key());
                Ok(on_keys.map(|store| store.name.clone()).collect())
            }
            Err(error) => {
                let scope = self.hub_id.to_string();
                Err(Finding::NotReadable { list: List::SystemDatastores, scope, error })
            }
        }
    }

    pub(super) fn nobody(&self, holdings: &[Holding]) -> Option<Finding> {
        let mut hubs: Vec<&str> = self.hub.iter().flat_map(|hub| hub.user_assigned_principal_ids()).collect();
        hubs.extend(self.hub.and_then(Workspace::system_principal_id));
        (!holdings::anybody_holds_a_pair(&hubs, holdings)).then_some(Finding::NobodyHoldsRoles)
    }

    /// All workspaces of the hub's subscription.
    pub(super) async fn workspaces(&self, read: Read) -> Result<Arc<Listed<Workspace>>, Error> {
        let list = arm::List::in_subscription(self.hub_id.subscription());
        self.session.arm.list::<Workspace>(list, read, self.call).await
    }

    /// The other workspaces of the subscription that use the account's keys.
    pub(super) async fn others_on_keys(&self, read: Read) -> Result<Vec<ArmId>, Finding> {
        let all = self.workspaces(read).await.map_err(|error| {
            let scope = format!("/subscriptions/{}", self.hub_id.subscription());
            Finding::NotReadable { list: List::Workspaces, scope, error }
        })?;
        let account = self.account.arm();
        let others = all.on_account(account).filter(|other| other.uses_key_of(account));
        let others = others.filter_map(|other| ArmId::parse(&other.id).ok());
        Ok(others.filter(|other| other != self.hub_id.arm()).collect())
    }

    /// Findings about other workspaces on the account that use keys and do not reach one of the `awaited` stages within
    /// seconds, and all of these workspaces but those that have failed.
    pub(super) async fn others(&self, read: Read, awaited: impl Fn(SwitchStage) -> bool) -> (Vec<Finding>, Vec<ArmId>) {
        let others = match self.others_on_keys(read).await {
            Ok(others) if others.is_empty() => return Default::default(),
            Ok(others) => others,
            Err(hidden) => return (vec![hidden], Vec::new()),
        };
        let account = self.account.arm();
        let switches = &self.session.switches;
        // An interruption or timeout is noticed by the next request.
        let wait = switches.wait_to_begin(account, &others, &awaited);
        _ = self.session.arm.wait_for(wait, "waiting for other hubs of the account", self.call).await;
        let (mut failed, mut unknown) = (Vec::new(), Vec::new());
        for other in &others {
            match switches.stage(other) {
                Some(SwitchStage::Failed) => failed.push(other.clone()),
                Some(stage) if awaited(stage) => {}
                _ => unknown.push(other.clone()),
            }
        }
        let mut findings = Vec::new();
        if !failed.is_empty() {
            findings.push(Finding::OthersNotSwitched { others: failed.clone() });
        }
        if !unknown.is_empty() {
            findings.push(Finding::OthersUseKeys { others: unknown, hubs: others.len() + 1 });
        }
        (findings, others.into_iter().filter(|other| !failed.contains(other)).collect())
    }
}

/// The user-assigned identity that the hub uses: the primary one, or the only identity that it has.
pub(super) fn assigned_identity(hub: &Workspace) -> Option<&str> {
    let mut all = hub.user_assigned_principal_ids();
    match (hub.primary_user_assigned_principal_id(), all.next(), all.next()) {
        (Some(primary), ..) => Some(primary),
        (None, Some(only), None) if hub.system_principal_id().is_none() => Some(only),
        _ => None,
    }
}
