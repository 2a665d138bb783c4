//! Changes that Azure allows in one direction only. They are errors of a plan, since an apply would fail half-way.

use super::{
    explain,
    schema::State,
    words::{IdentityType, IsolationMode},
};
use crate::{
    arm::{ArmId, workspaces::Workspace},
    framework::{Attr, Diagnostics},
};

/// An attribute by its name, with that of its member in ARM.
type Named = (&'static str, &'static str, fn(&State) -> &Attr<ArmId>);

/// What a hub can be given another one of, and nothing.
pub(super) const NEVER_CLEARED: [Named; 2] = [
    ("application_insights_id", "applicationInsights", |state| &state.application_insights_id),
    ("container_registry_id", "containerRegistry", |state| &state.container_registry_id),
];

fn isolation(state: &State) -> Option<&IsolationMode> {
    state.managed_network.known()?.isolation_mode.known()
}

/// Whether the isolation changes, which the service itself may have rules about.
pub(super) fn needs_hub(prior: &State, planned: &State) -> bool {
    isolation(prior).zip(isolation(planned)).is_some_and(|(from, to)| from != to)
}

/// The errors of a change of an existing hub. `declared` has the attributes of [`NEVER_CLEARED`] that were configured before, and
/// `hub` is as the service shows it, where it was read.
pub(super) fn errors(
    prior: &State,
    config: &State,
    planned: &State,
    declared: &[String],
    hub: Option<&Workspace>,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    if let Some((from, to)) = isolation(prior).zip(isolation(planned)).filter(|(from, to)| from != to) {
        let reachable = hub.and_then(|hub| hub.properties.managed_network.changeable_isolation_modes.as_deref());
        let may_change = match reachable {
            Some(modes) => modes.iter().any(|mode| to.is(mode)),
            None => from.may_become(to),
        };
        if !may_change {
            diagnostics.push(explain::isolation_is_one_way(from.wire(), to.wire(), reachable));
        }
    }
    let kind = |state: &State| state.identity.known().and_then(|identity| identity.kind.known().copied());
    if kind(prior).is_some_and(IdentityType::has_user) && kind(planned) == Some(IdentityType::System) {
        diagnostics.push(explain::identity_is_one_way());
    }
    let isolates = |state: &State| state.data_isolation_enabled.known().copied();
    if let Some((now, _)) = isolates(prior).zip(isolates(planned)).filter(|(now, wanted)| now != wanted) {
        diagnostics.push(explain::data_isolation_is_fixed(now));
    }
    for (name, _, of) in NEVER_CLEARED {
        let was_declared = declared.iter().any(|declared| declared == name);
        if let (Attr::Null, Some(now)) = (of(config), of(prior).known().filter(|_| was_declared)) {
            diagnostics.push(explain::cannot_be_cleared(name, now.as_str()));
        }
    }
    diagnostics.0.extend(loses_public_ip(prior, planned).then(explain::public_ip_stays_without_subnet));
    diagnostics
}

/// Whether serverless computes without a subnet are to give up their public addresses (facts: azure.md §9.3).
fn loses_public_ip(prior: &State, planned: &State) -> bool {
    let public =
        |state: &State| state.serverless_compute.known().and_then(|compute| compute.public_ip_enabled.known().copied());
    let has_no_subnet = planned.serverless_compute.known().is_some_and(|compute| compute.subnet_id.is_null());
    public(prior) == Some(true) && public(planned) == Some(false) && has_no_subnet
}
