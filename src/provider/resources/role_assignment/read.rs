//! Reading: which assignments exist, and what has changed about them.

use futures_util::future::join_all;

use super::{
    assignment, explain,
    marks::{DIFFER, PLATFORM_UNCHECKED},
    platform,
    schema::State,
    write_times::WriteTimes,
};
use crate::{
    arm::{Call, ErrorCode, Read, role_assignments::RoleAssignmentProperties},
    framework::{Attr, Diagnostics, Private, resource::Outcome},
    provider::{Session, principal::PrincipalType},
};

pub(super) async fn read(session: &Session, call: &Call, mut state: State, mut private: Private) -> Outcome<State> {
    let entries = assignment::of_state(&state);
    let principal = state.principal_id.text().unwrap_or_default().to_owned();
    let write_times = WriteTimes::load(&private);
    let answers = entries.iter().map(|entry| session.arm.get_role_assignment(&entry.id, Read::Remembered, call));
    let mut diagnostics = Diagnostics::default();
    let (mut there, mut seen) = (Vec::new(), Vec::new());
    let answers = join_all(answers).await;
    for (entry, answer) in entries.into_iter().zip(answers) {
        match answer {
            Ok(found) if entry.same_scope_principal_and_role(&found.value, &principal) => {
                if !entry.adopted && !write_times.is_stale(&entry.id, &found.value) {
                    seen.push(found.value.properties);
                }
                there.push(entry);
            }
            Ok(found) => diagnostics.push(explain::replaced_by_another(&entry, &principal, &found.value)),
            Err(error) if error.is_not_found() => {
                let answered = error.service().and_then(|error| error.date);
                let denied = error.code() == Some(&ErrorCode::RoleAssignmentNotFound);
                if denied && write_times.may_be_missed(&entry.id, answered) {
                    diagnostics.push(explain::not_visible_yet(&entry, &principal));
                    there.push(entry);
                } else {
                    diagnostics.push(explain::lost(&entry, &principal));
                }
            }
            Err(error) => {
                diagnostics.push(explain::not_read(&entry, &principal, &error));
                return Outcome { state: Some(state), private, diagnostics };
            }
        }
    }
    if there.is_empty() {
        return Outcome { state: None, private, diagnostics };
    }
    observe(&mut state, &seen);
    private.remove(DIFFER);
    if seen.iter().any(|other| mutable_properties(other) != mutable_properties(&seen[0])) {
        private.set(DIFFER, &true);
    }
    // The flag stays until the hubs could be read.
    if private.get(PLATFORM_UNCHECKED) == Some(true) && platform::mark(session, call, &state, &mut there).await.is_ok()
    {
        private.remove(PLATFORM_UNCHECKED);
    }
    state.role_assignments = assignment::to_attribute(&there);
    write_times.save(&there, &mut private);
    Outcome { state: Some(state), private, diagnostics }
}

/// The properties that can be changed in place.
fn mutable_properties(found: &RoleAssignmentProperties) -> [Attr<String>; 3] {
    let text = |value: &Option<String>| Attr::from(value.clone().filter(|text| !text.is_empty()));
    [&found.description, &found.condition, &found.condition_version].map(text)
}

/// Fills the state with what a configuration can set. Where two assignments differ, the one that differs from the state wins.
fn observe(state: &mut State, seen: &[RoleAssignmentProperties]) {
    let before = [&state.description, &state.condition, &state.condition_version].map(Attr::clone);
    for properties in seen {
        let places = [&mut state.description, &mut state.condition, &mut state.condition_version];
        for ((place, found), before) in places.into_iter().zip(mutable_properties(properties)).zip(&before) {
            if found != *before {
                *place = found;
            }
        }
        // A principal's type never changes, and a more exact one of Azure's, such as ForeignGroup, must not replace it.
        if state.principal_type.is_null() {
            let told = properties.principal_type.as_deref().filter(|text| !text.is_empty());
            state.principal_type = told.map(PrincipalType::from).into();
        }
    }
}
