//! Deleting: the assignments that no other object has or needs.

use super::{
    apply::{hand_over, mark_platform_assignments},
    assignment,
    change::AssignmentChange,
    schema::State,
};
use crate::{
    arm::Call,
    framework::{
        Private,
        resource::Outcome,
        walk::{Succession, Walk},
    },
    provider::Session,
};

pub(super) async fn delete(
    session: &Session,
    walk: &Walk,
    call: &Call,
    prior: State,
    mut private: Private,
    succession: &Succession,
) -> Outcome<State> {
    let mut entries = assignment::of_state(&prior);
    hand_over(&prior, succession, &mut entries);
    let unchecked = mark_platform_assignments(session, call, &prior, &mut entries, &mut private).await;
    let change = AssignmentChange { session, walk, call, state: &prior, creating: false, unchecked };
    let (not_deleted, diagnostics) = change.remove(entries, Some(succession)).await;
    let state = (!not_deleted.is_empty())
        .then(|| State { role_assignments: assignment::to_attribute(&not_deleted), ..prior.clone() });
    Outcome { state, private, diagnostics }
}
