//! What a foundryhub_hub and a foundryhub_storage_auth of one hub want in one walk must not contradict each other.

use crate::{
    arm::{WorkspaceId, workspaces::AuthMode},
    framework::{Diagnostic, Diagnostics, Path, walk::Walk},
};

/// The errors of a plan that wants this mode for a hub, or sets shared keys of its account, where the plan of the other type
/// contradicts it. `None` wants nothing.
pub(crate) fn conflicts(
    walk: &Walk,
    type_name: &str,
    hub: &WorkspaceId,
    mode: Option<&AuthMode>,
    shared_keys: Option<bool>,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let key = hub.arm().key();
    if let Some(mode) = mode {
        let others = walk.claim(&format!("systemDatastoresAuthMode of {key}"), mode.wire());
        for (other, wanted) in others.into_iter().filter(|(_, wanted)| wanted != mode.wire()) {
            let detail = format!(
                "A {type_name} and a {other} of\n{hub}\n\nare in this plan. The first one sets {}, the other one {wanted}, and each \
                 would undo what the other one does. Set the same system_datastores_auth_mode in both.",
                mode.wire()
            );
            let path = Path::root("system_datastores_auth_mode");
            diagnostics.push(Diagnostic::error("Two modes for one hub", detail).at(path));
        }
    }
    if let Some(shared_keys) = shared_keys {
        let others = walk.claim(&format!("allowSharedKeyAccess for {key}"), &shared_keys.to_string());
        for (other, _) in others {
            let detail = format!(
                "A {type_name} and a {other} of\n{hub}\n\nare in this plan, and both set shared_access_key_enabled. Keep it in one \
                 of the two: the {} lets destroying restore what it has found.",
                "foundryhub_storage_auth"
            );
            let path = Path::root("shared_access_key_enabled");
            diagnostics.push(Diagnostic::error("Shared keys are set twice", detail).at(path));
        }
    }
    diagnostics
}
