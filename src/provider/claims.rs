//! What a foundryhub_hub and a foundryhub_storage_auth of one hub want in one walk must not contradict each other.

use super::state_advice::DESTROY_ALL;
use crate::{
    arm::{StorageAccountId, WorkspaceId, workspaces::AuthMode},
    framework::{Diagnostic, Diagnostics, Path, walk::Walk},
};

fn existence(hub: &WorkspaceId) -> String {
    format!("existence of {}", hub.arm().key())
}

/// Notes in the plan of a hub's creation that it will exist.
pub(crate) fn note_creation(walk: &Walk, hub: &WorkspaceId) {
    walk.claim(&existence(hub), "created");
}

fn absence(hub: &WorkspaceId) -> String {
    format!("absence of {}", hub.arm().key())
}

/// Notes that the refresh has not found a hub.
pub(crate) fn note_gone(walk: &Walk, hub: &WorkspaceId) {
    walk.claim(&absence(hub), "gone");
}

/// Whether the refresh has not found it.
pub(crate) fn is_gone(walk: &Walk, hub: &WorkspaceId) -> bool {
    walk.has_claim(&absence(hub))
}

/// Whether this walk plans to create a hub, for an object of another type.
pub(crate) fn will_be_created(walk: &Walk, hub: &WorkspaceId) -> bool {
    walk.has_claim(&existence(hub))
}

/// The errors of a plan that wants this mode for a hub, or sets shared keys of its account, where another plan contradicts it: one of
/// the other type for the hub, or any for the account. `None` wants nothing.
pub(crate) fn conflicts(
    walk: &Walk,
    type_name: &str,
    hub: &WorkspaceId,
    account: Option<&StorageAccountId>,
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
                 would undo what the other one does. Set the same system_datastores_auth_mode in both.\n\n{DESTROY_ALL}",
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
                 of the two: the foundryhub_storage_auth lets destroying restore what it has found.\n\n{DESTROY_ALL}"
            );
            let path = Path::root("shared_access_key_enabled");
            diagnostics.push(Diagnostic::error("Shared keys are set twice", detail).at(path));
        }
        diagnostics.0.extend(account.and_then(|account| two_values(walk, hub, account, shared_keys)));
    }
    diagnostics
}

/// The error where the plan of another hub's object wants the account's shared keys otherwise.
fn two_values(walk: &Walk, hub: &WorkspaceId, account: &StorageAccountId, shared_keys: bool) -> Option<Diagnostic> {
    let subject = |value: bool| format!("allowSharedKeyAccess {value} of {}", account.arm().key());
    walk.claim(&subject(shared_keys), hub.as_str());
    let others: Vec<_> =
        walk.claims(&subject(!shared_keys)).into_iter().filter(|(_, other)| other != hub.as_str()).collect();
    let (type_name, other) = others.first()?;
    let detail = format!(
        "The hubs\n{hub}\nand\n{other} ({type_name})\n\nuse the account\n{account}\n\nThe first one sets shared_access_key_enabled = \
         {shared_keys}, the other one {}, and each would undo what the other one does. Set the same value for both.\n\n{DESTROY_ALL}",
        !shared_keys
    );
    Some(Diagnostic::error("Two values for one storage account", detail).at(Path::root("shared_access_key_enabled")))
}
