//! Which roles an identity of the hub holds at any scopes. One list answers for all scopes of a subscription, and has the
//! assignments of the identity's groups, too.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use futures_util::future::FutureExt as _;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{
    Access, Doubt, Finding, List, OwnAssignments,
    holdings::{self, Holding, RoleCheck},
    needs::Need,
    side_by_side::side_by_side,
};
use crate::{
    arm::{ArmId, Listed, Read, role_assignments::RoleAssignment, role_definitions::RoleDefinition},
    framework::lock::lock,
    provider::roles,
};

/// The roles of the hub's identities in one check, in which each list of them is read once.
pub(super) struct IdentityRoles<'a> {
    access: &'a Access<'a>,
    pub(super) read: Read,
    own: OwnAssignments,
    /// By identity and subscription.
    lists: Mutex<HashMap<(String, String), Arc<ReadOnce>>>,
}

type ReadOnce = OnceCell<Assigned>;
type Assigned = Result<Arc<Listed<RoleAssignment>>, Finding>;

/// A role that an identity does not hold at a scope, or may hold in a way that is not checked.
#[derive(Debug)]
pub(super) struct NotHeld {
    pub(super) scope: ArmId,
    pub(super) need: Need,
    pub(super) check: RoleCheck,
}

impl<'a> IdentityRoles<'a> {
    pub(super) fn new(access: &'a Access<'a>, read: Read, own: OwnAssignments) -> Self {
        Self { access, read, own, lists: Mutex::default() }
    }

    /// Those of the roles that an identity does not hold, and a finding for each list that could not be read. What this run
    /// assigns is not looked up.
    pub(super) async fn not_held(&self, identity: &str, needs: Vec<(ArmId, Need)>) -> (Vec<NotHeld>, Vec<Finding>) {
        let not_held = |(scope, need): (ArmId, Need)| {
            let check = holdings::of_one_principal(&need, &self.on(identity, &scope, &[]));
            (!matches!(check, RoleCheck::Holds(_))).then_some((scope, need))
        };
        let open: Vec<_> = needs.into_iter().filter_map(not_held).collect();
        let mut subscriptions: Vec<&str> = Vec::new();
        for subscription in open.iter().filter_map(|(scope, _)| scope.subscription()) {
            if !subscriptions.iter().any(|known| known.eq_ignore_ascii_case(subscription)) {
                subscriptions.push(subscription);
            }
        }
        let checks = subscriptions.iter().map(|subscription| {
            let is_here = |(scope, _): &&(ArmId, Need)| {
                scope.subscription().is_some_and(|own| own.eq_ignore_ascii_case(subscription))
            };
            self.not_held_in(identity, subscription, open.iter().filter(is_here).cloned().collect()).boxed()
        });
        let (mut found, mut findings) = (Vec::new(), Vec::new());
        for checked in side_by_side(checks.collect()).await {
            match checked {
                Ok(mut not_held) => found.append(&mut not_held),
                Err(hidden) => findings.push(hidden),
            }
        }
        (found, findings)
    }

    async fn not_held_in(
        &self,
        identity: &str,
        subscription: &str,
        needs: Vec<(ArmId, Need)>,
    ) -> Result<Vec<NotHeld>, Finding> {
        let listed = &self.assigned_to(identity, subscription).await?.value;
        let held = |scope: &ArmId| self.on(identity, scope, listed);
        let in_doubt = needs.iter().filter(|(scope, need)| {
            let check = holdings::of_one_principal(need, &held(scope));
            !need.by_others
                && matches!(check, RoleCheck::NotVerifiable(_, doubts) if doubts.contains(&Doubt::CustomRole))
        });
        let unknown = in_doubt.flat_map(|(scope, _)| held(scope)).map(|held| held.role);
        let unknown: HashSet<Uuid> = unknown.filter(|role| roles::by_guid(*role).is_none()).collect();
        let built_in = self.built_in(subscription, unknown).await;
        let not_held = |(scope, need): (ArmId, Need)| {
            let mut held = held(&scope);
            held.retain(|held| need.by_others || !built_in.contains(&held.role));
            let check = holdings::of_one_principal(&need, &held);
            (!matches!(check, RoleCheck::Holds(_))).then_some(NotHeld { scope, need, check })
        };
        Ok(needs.into_iter().filter_map(not_held).collect())
    }

    /// What an identity holds at a scope by its own and its groups' assignments, and by those of this process.
    fn on(&self, identity: &str, scope: &ArmId, listed: &[RoleAssignment]) -> Vec<Holding> {
        let mut noted = self.access.noted_at(scope, self.own);
        noted.retain(|assignment| assignment.principal_id.eq_ignore_ascii_case(identity));
        holdings::on(scope, listed, &noted)
    }

    /// The role assignments of an identity and its groups that concern a subscription.
    async fn assigned_to(&self, identity: &str, subscription: &str) -> Assigned {
        let Access { session, call, .. } = self.access;
        let key = (identity.to_lowercase(), subscription.to_lowercase());
        let list = lock(&self.lists).entry(key).or_default().clone();
        let read = async || {
            let list = RoleAssignment::assigned_to(identity, subscription);
            let scope = || format!("/subscriptions/{subscription}");
            let listed = session.arm.list(list, self.read, call).await;
            listed.map_err(|error| Finding::NotReadable { list: List::IdentityRoles, scope: scope(), error })
        };
        list.get_or_init(read).await.clone()
    }

    /// Those of the roles that are known to be built-in ones.
    async fn built_in(&self, subscription: &str, roles: HashSet<Uuid>) -> HashSet<Uuid> {
        let Access { session, call, .. } = self.access;
        let Ok(scope) = ArmId::parse(&format!("/subscriptions/{subscription}")) else { return HashSet::new() };
        let definition = async |role| {
            let id = RoleDefinition::id_at(&scope, role);
            // What a role is never changes.
            let found = session.arm.get::<RoleDefinition>(&id, Read::Remembered, call).await;
            found.is_ok_and(|found| found.is_built_in()).then_some(role)
        };
        let definitions = roles.into_iter().map(|role| definition(role).boxed());
        side_by_side(definitions.collect()).await.into_iter().flatten().collect()
    }
}
