//! Which roles an identity of the hub holds at any scopes. One list answers for all scopes of a subscription, and has the
//! assignments of the identity's groups, too.

use std::sync::Arc;

use futures_util::future::FutureExt as _;

use super::{
    Access, Finding, List, OwnAssignments,
    holdings::{self, RoleCheck},
    needs::Need,
    side_by_side::side_by_side,
};
use crate::arm::{ArmId, Dated, Read, role_assignments::RoleAssignment};

/// A role that an identity does not hold at a scope, or may hold in a way that is not checked.
#[derive(Debug)]
pub(super) struct NotHeld {
    pub(super) scope: ArmId,
    pub(super) need: Need,
    pub(super) check: RoleCheck,
}

impl Access<'_> {
    /// Those of the roles that an identity does not hold, and a finding for each list that could not be read. What this run
    /// assigns is not looked up.
    pub(super) async fn not_held(
        &self,
        identity: &str,
        needs: Vec<(ArmId, Need)>,
        read: Read,
        own: OwnAssignments,
    ) -> (Vec<NotHeld>, Vec<Finding>) {
        let not_held = |scope: ArmId, need: Need, listed: &[RoleAssignment]| {
            let mut noted = self.noted_at(&scope, own);
            noted.retain(|assignment| assignment.principal_id.eq_ignore_ascii_case(identity));
            let check = holdings::of_one_principal(&need, &holdings::on(&scope, listed, &noted));
            (!matches!(check, RoleCheck::Holds(_))).then_some(NotHeld { scope, need, check })
        };
        let open: Vec<NotHeld> = needs.into_iter().filter_map(|(scope, need)| not_held(scope, need, &[])).collect();
        let mut subscriptions: Vec<&str> = Vec::new();
        for subscription in open.iter().filter_map(|open| open.scope.subscription()) {
            if !subscriptions.iter().any(|known| known.eq_ignore_ascii_case(subscription)) {
                subscriptions.push(subscription);
            }
        }
        let lists = subscriptions.iter().map(|subscription| self.assigned_to(identity, subscription, read).boxed());
        let lists = side_by_side(lists.collect()).await;
        let (mut found, mut findings) = (Vec::new(), Vec::new());
        for (subscription, list) in subscriptions.iter().zip(lists) {
            let is_in = |scope: &ArmId| scope.subscription().is_some_and(|own| own.eq_ignore_ascii_case(subscription));
            match list {
                Ok(listed) => {
                    let here = open.iter().filter(|open| is_in(&open.scope));
                    found.extend(here.filter_map(|open| not_held(open.scope.clone(), open.need, &listed.value)));
                }
                Err(hidden) => findings.push(hidden),
            }
        }
        (found, findings)
    }

    /// The role assignments of an identity and its groups that concern a subscription.
    async fn assigned_to(
        &self,
        identity: &str,
        subscription: &str,
        read: Read,
    ) -> Result<Arc<Dated<Vec<RoleAssignment>>>, Finding> {
        let list = RoleAssignment::assigned_to(identity, subscription);
        let scope = || format!("/subscriptions/{subscription}");
        let listed = self.session.arm.list(list, read, self.call).await;
        listed.map_err(|error| Finding::NotReadable { list: List::IdentityRoles, scope: scope(), error })
    }
}
