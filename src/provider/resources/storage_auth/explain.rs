//! Diagnostics of the resource.

use super::schema::{State, TYPE};
use crate::{
    arm::{
        Error, StorageAccountId, WorkspaceId,
        error::OperationOutcome,
        workspaces::{AuthMode, AuthModeKind},
    },
    framework::{
        Diagnostic, Diagnostics, Path, Summary,
        walk::{Overlap, Relation},
    },
    provider::{
        properties::Properties,
        report,
        shared_keys::enabled,
        state_advice::{self, DESTROY_ALL},
        write_error::{self, Write},
    },
};

const HUB: &str = "hub_id";
const MODE: &str = "system_datastores_auth_mode";
const KEYS: &str = "shared_access_key_enabled";

/// An interrupted plan. It is an error because what it has not read yet is missing from it.
pub(super) fn not_locked(error: &Error) -> Diagnostic {
    let next =
        "Other resources of this run change the same hub or account, one after the other. Raise the timeouts block.";
    Diagnostic::error("Nothing was changed yet", report::explain(error, next))
}

/// A warning, since the hub is there and nothing is to be changed at the account.
pub(super) fn account_missing(account: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "The hub's storage account {account} does not exist. The hub cannot work without it; create a new hub."
    );
    Diagnostic::warning("The storage account does not exist", detail)
}

pub(super) fn no_account(account: &StorageAccountId, error: &Error) -> Diagnostic {
    let next = "The hub cannot work without its storage account and cannot be given another one. Nothing was changed.";
    let told = report::explain(error, next);
    Diagnostic::error("The storage account does not exist", format!("There is no {account}.\n\n{told}"))
}

pub(super) fn mode_not_set(hub: &WorkspaceId, mode: &AuthMode, error: &Error) -> Diagnostic {
    let (summary, next) = match error {
        Error::Operation(operation) => match operation.outcome {
            OperationOutcome::Failed => (
                Summary("Azure failed to switch the hub"),
                "Azure accepted the request, and its operation failed. Apply again; if it fails again, see the hub's activity log.".to_owned(),
            ),
            OperationOutcome::Canceled => (
                Summary("The switch of the hub was canceled"),
                "Azure's operation was canceled. Apply again.".to_owned(),
            ),
        },
        _ if matches!(error, Error::Uncertain { accepted: true, .. }) && !error.is_interruption() => (
            Summary("The result of switching the hub is not known"),
            "Azure accepted the request, and its operation could not be followed to the end. The next plan shows the result."
                .to_owned(),
        ),
        _ if error.is_not_found() => (
            Summary("The hub was deleted during the apply"),
            "It was there a moment ago. The next plan shows what is left.".to_owned(),
        ),
        _ => {
            let attempt = Write {
                doing: "switching the hub",
                not_allowed: Summary("Not allowed to switch the hub"),
                action: "Microsoft.MachineLearningServices/workspaces/write",
                scope: hub.as_str(),
                roles: "Azure AI Administrator, Contributor and Owner allow it; Azure AI Developer does not.",
            };
            write_error::explain(error, attempt).unwrap_or((Summary("Cannot switch the hub"), String::new()))
        }
    };
    let told = report::explain(error, &next);
    let detail = format!("The hub {hub} could not be switched to {}.\n\n{told}", mode.wire());
    summary.error(detail).at(Path::root(MODE))
}

/// The hub has the mode, although the operation could not be followed.
pub(super) fn not_followed(hub: &WorkspaceId, mode: &AuthMode, error: &Error) -> Diagnostic {
    let detail = format!(
        "The operation that switched {hub} to {} could not be followed to its end. The hub has the new mode, so there is nothing \
         to do.\n\n{}",
        mode.wire(),
        report::explain(error, "")
    );
    Diagnostic::warning("An operation could not be followed", detail)
}

pub(super) fn mode_not_kept(hub: &WorkspaceId, asked: &AuthMode, got: &AuthMode) -> Diagnostic {
    let detail = format!(
        "Azure accepted systemDatastoresAuthMode {} for the hub {hub}, which has {} now. A policy that modifies requests does \
         that: look for a policy assignment that sets systemDatastoresAuthMode, and ask for an exemption. So does somebody else \
         who writes the workspace at the same time, such as an azurerm_machine_learning_workspace in this apply: order the two \
         by depends_on, and leave the mode to one of them, by ignore_changes in the other.",
        asked.wire(),
        got.wire()
    );
    Diagnostic::error("The hub did not keep its mode", detail).at(Path::root(MODE))
}

/// The hub was switched to keys that its account refuses.
pub(super) fn keys_are_disabled(hub: &WorkspaceId, account: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "The hub {hub} now signs in with a key of {account}, which refuses keys, so the hub cannot access its data. Set \
         shared_access_key_enabled = true, or enable shared keys where the account is managed."
    );
    Diagnostic::warning("The hub has no access to its data", detail).at(Path::root(KEYS))
}

/// The hub will be switched to keys that its account refuses.
pub(super) fn keys_will_be_disabled(hub: &WorkspaceId, account: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "With accesskey the hub {hub} signs in with a key of {account}, which refuses keys now, so the hub could not access its \
         data. Set shared_access_key_enabled = true, or enable shared keys where the account is managed."
    );
    Diagnostic::warning("The hub would have no access to its data", detail).at(Path::root(MODE))
}

/// The hub was recreated with another account.
pub(super) fn another_account(hub: &WorkspaceId, old: &StorageAccountId, new: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "The hub {hub} used the storage account {old} and uses {new} now. A hub cannot change its account, so it was recreated. \
         Destroying this resource restores nothing of the old hub and account, and of the new ones only what restore_to sets."
    );
    Diagnostic::warning("The hub was recreated", detail).at(Path::root(HUB))
}

/// The current values after a change that was not completed, and what completes it: `apply` or `destroy`.
pub(super) fn current_values(now: &Properties, interrupted: bool, completed_by: &str) -> String {
    let mode = now.mode.as_ref().map_or("in an unknown mode".to_owned(), |mode| format!("on {}", mode.wire()));
    let keys = now.shared_keys.map_or("unknown".to_owned(), |keys| enabled(keys).to_owned());
    let may = if interrupted { " The last request may still take effect; the next plan shows it." } else { "" };
    format!("\n\nThe hub is {mode}, shared keys are {keys}.{may} The next {completed_by} does the rest.")
}

/// The hub was switched to keys, shared keys could not be enabled, and the hub was switched back.
pub(super) fn rolled_back(error: Diagnostic, mode: &AuthMode, result: Result<(), Diagnostic>) -> Diagnostic {
    let told = match result {
        Ok(()) => format!(
            "The hub had been switched to accesskey, with which it cannot access its data, and was switched back to {}.",
            mode.wire()
        ),
        Err(second) => format!(
            "The hub had been switched to accesskey, with which it cannot access its data. Switching it back to {} failed, \
             too: {}: {}",
            mode.wire(),
            second.summary,
            second.detail
        ),
    };
    Diagnostic { detail: format!("{}\n\n{told}", error.detail), ..error }
}

pub(super) fn will_restore(hub: &str, account: &str, changes: &Properties, leaves: &Properties) -> Diagnostic {
    let mut parts = Vec::new();
    if let Some(mode) = &changes.mode {
        parts.push(format!("the hub {hub} is switched back to {}", mode.wire()));
    }
    if let Some(keys) = changes.shared_keys {
        parts.push(format!("shared keys of {account} are {} again", enabled(keys)));
    }
    let mut detail = format!("Destroying this resource restores what it has changed: {}.", parts.join(", and "));
    if leaves.locks_the_hub_out() {
        detail.push_str(
            " The account then still refuses keys, so the hub cannot access its data until they are enabled.",
        );
    }
    detail.push_str(
        "\n\nTo keep the authorization as it is, apply restore_on_destroy = false first, or take the resource out of the state \
         with a removed block that has lifecycle { destroy = false }. Role assignments that are destroyed beside it go either way, and \
         without shared keys nobody can work with the data unless they have roles.",
    );
    Diagnostic::warning("Destroying this changes hub and storage account", detail)
}

pub(super) fn left_alone(what: &str, ours: &str, now: &str, wanted: &str) -> Diagnostic {
    let detail = format!(
        "{what} was set to {ours} by this resource and is {now} now. Somebody else has changed it since, so it is not restored \
         to {wanted}."
    );
    Diagnostic::warning("A setting was changed by somebody else", detail)
}

pub(super) fn overlaps(state: &State, overlaps: &[Overlap]) -> Diagnostics {
    let hub = state.hub_id.text().unwrap_or_default();
    let account = state.storage_account_id.text().unwrap_or("the storage account");
    let word = |overlap: &Overlap| match (overlap.relation, overlap.key.shared) {
        (Relation::BothStay, _) => Some(two_resources(hub)),
        (Relation::Succeeds { .. } | Relation::IsSucceeded { .. }, false) => Some(renamed(hub)),
        (Relation::IsUndone, false) => Some(undone(hub)),
        (Relation::Stays | Relation::Releases, false) => Some(another_resource_stays(hub)),
        (Relation::Succeeds { kept: true }, true) => None,
        (Relation::Succeeds { .. } | Relation::IsUndone, true) => {
            Some(keys_switched_by_another(account, &overlap.other))
        }
        (Relation::Stays | Relation::Releases | Relation::IsSucceeded { .. }, true) => {
            Some(keys_stay(account, &overlap.other))
        }
    };
    // For two objects of one hub the message about the hub covers the keys of its account.
    let is_told = |overlap: &&Overlap| !(overlap.key.shared && overlap.other.eq_ignore_ascii_case(hub));
    let mut found = Vec::new();
    for diagnostic in overlaps.iter().filter(is_told).filter_map(word) {
        if !found.contains(&diagnostic) {
            found.push(diagnostic);
        }
    }
    Diagnostics(found)
}

fn two_resources(hub: &str) -> Diagnostic {
    let advice = state_advice::remove_from_state(TYPE);
    let detail = format!(
        "Two foundryhub_storage_auth resources have hub_id\n{hub}\n\nEach would undo what the other one does. Remove one of \
         the two blocks. {advice}\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("Two resources for one hub", detail).at(Path::root(HUB))
}

fn renamed(hub: &str) -> Diagnostic {
    let moved = state_advice::moved_block(TYPE);
    let detail = format!(
        "This plan destroys a foundryhub_storage_auth and creates another one for the same hub\n{hub}\n\nThe hub would use keys \
         in between. If the resource was renamed, or its key in for_each was changed, write\n\n{moved}\n\nand nothing changes in Azure. \
         {DESTROY_ALL}"
    );
    Diagnostic::error("One hub is destroyed and created in one plan", detail).at(Path::root(HUB))
}

/// One of two objects for one hub is deleted without knowing that the other one stays.
fn undone(hub: &str) -> Diagnostic {
    let advice = state_advice::remove_from_state(TYPE);
    let detail = format!(
        "This plan destroys one foundryhub_storage_auth of\n{hub}\n\nand keeps another one, which needs what the first one would \
         restore. {advice}\n\nIf \
         the plan calls the other one \"deposed\", it is left from a replacement. Plan again without -parallelism=1 and \
         -refresh=false; if the error is still there, run taint ADDRESS for the resource of this configuration first: it is \
         then replaced, too, and nothing changes in Azure for that.\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("One hub is kept and destroyed in one plan", detail).at(Path::root(HUB))
}

fn another_resource_stays(hub: &str) -> Diagnostic {
    let detail = format!(
        "Another foundryhub_storage_auth of\n{hub}\n\nstays in this state, so that destroying this one changes nothing in Azure."
    );
    Diagnostic::warning("The authorization is kept", detail)
}

fn keys_stay(account: &str, other: &str) -> Diagnostic {
    let detail = format!(
        "Shared keys of {account} stay as they are: the foundryhub_storage_auth of\n{other}\n\nuses the same account and has \
         shared_access_key_enabled set."
    );
    Diagnostic::warning("Shared keys of the account are kept", detail)
}

/// Destroying another hub's object changes the shared keys that this one sets.
fn keys_switched_by_another(account: &str, other: &str) -> Diagnostic {
    let detail = format!(
        "This plan destroys the foundryhub_storage_auth of\n{other}\n\nwhich uses {account}, too, and may change its shared \
         keys. This resource also sets shared_access_key_enabled: plan again after the apply."
    );
    Diagnostic::warning("Shared keys of the account may change", detail).at(Path::root(KEYS))
}

/// An object was deleted, and another one for the same hub stays or was created in this run.
pub(super) fn kept_for_another(hub: &WorkspaceId, original: &Properties) -> Option<Diagnostic> {
    let found = restore_to(original)?;
    let detail = format!(
        "Another foundryhub_storage_auth of {hub} stays or was created in this run, so nothing was changed in Azure. To have \
         the original settings of this one restored one day, set in the other one:\n\n{found}"
    );
    Some(Diagnostic::warning("The authorization is kept", detail))
}

pub(super) fn keys_kept_for_another(account: &StorageAccountId, original: Option<bool>) -> Diagnostic {
    let mut detail = format!(
        "Shared keys of {account} stay as they are: the foundryhub_storage_auth of another hub uses the same account and sets \
         them."
    );
    if let Some(found) = restore_to(&Properties { mode: None, shared_keys: original }) {
        detail.push_str(&format!(" To have the original setting restored one day, set in that one:\n\n{found}"));
    }
    Diagnostic::warning("Shared keys of the account are kept", detail)
}

pub(super) fn handed_over(hub: &WorkspaceId, original: &Properties) -> Option<Diagnostic> {
    let found = restore_to(original)?;
    let detail = format!(
        "The foundryhub_storage_auth of {hub} is replaced, which changes nothing in Azure. The new one keeps its original \
         settings. If this run ends before it is created, set in it:\n\n{found}"
    );
    Some(Diagnostic::warning("Original settings are kept by the replacement", detail))
}

/// The HCL that restores the original settings.
fn restore_to(original: &Properties) -> Option<String> {
    let mode = original.mode.as_ref().map(|mode| format!("system_datastores_auth_mode = \"{}\"", mode.wire()));
    let keys = original.shared_keys.map(|keys| format!("shared_access_key_enabled = {keys}"));
    let found: Vec<_> = [mode, keys].into_iter().flatten().collect();
    (!found.is_empty()).then(|| format!("restore_to = {{ {} }}", found.join(", ")))
}

/// A creation finds a property as wanted, so that it will not change it and destroying will not restore it. Somebody else may have
/// set it, or a run that was killed before the state had what it changed.
pub(super) fn as_wanted_already(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    target: &Properties,
    now: &Properties,
    planned: &State,
) -> Option<Diagnostic> {
    if planned.restore_on_destroy.known() == Some(&false) {
        return None;
    }
    let configured = Properties::of(&planned.restore_to);
    let mode = target.mode.as_ref().filter(|mode| configured.mode.is_none() && now.mode.as_ref() == Some(mode));
    let keys = target.shared_keys.filter(|keys| configured.shared_keys.is_none() && now.shared_keys == Some(*keys));
    let parts = [
        mode.map(|mode| format!("systemDatastoresAuthMode of {hub} is {}", mode.wire())),
        keys.map(|keys| format!("shared keys of {account} are {}", enabled(keys))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let found = restore_to(&Properties { mode: mode.map(opposite), shared_keys: keys.map(|keys| !keys) })?;
    let detail = format!(
        "{} already. This resource will not change that, and destroying it will restore nothing of it. If an earlier run was \
         killed after it had changed that, or to have destroying change it, set for example:\n\n{found}",
        parts.join(", and ")
    );
    Some(Diagnostic::warning("Nothing to restore on destroy", detail))
}

fn opposite(mode: &AuthMode) -> AuthMode {
    AuthMode::new(if mode.kind() == AuthModeKind::AccessKey { "identity" } else { "accesskey" })
}

pub(super) fn changed_since_the_plan(property: &str, was: &str, is: &str) -> Diagnostic {
    let detail = format!(
        "{property} was {was} in the plan and is {is} now. The plan shows what destroying will restore, which is no longer \
         true, so nothing was changed. Plan again. If another resource has changed it, leave it to one of the two, by \
         ignore_changes in the other."
    );
    Diagnostic::error("Azure has changed since the plan", detail)
}

pub(super) fn hub_missing_keys_to_restore(hub: &WorkspaceId, account: &StorageAccountId, keys: bool) -> Diagnostic {
    let detail = format!(
        "The hub {hub} does not exist any more. This resource has changed shared keys of {account}, which are still {}, and \
         stays in the state: destroying it changes them to {}.\n\nTo leave the account as it is, apply restore_on_destroy = \
         false, or a restore_to with shared_access_key_enabled = {}; that apply fails because there is no hub, and the next \
         refresh removes the object. Or replace its block with this one:\n\n{}",
        enabled(!keys),
        enabled(keys),
        !keys,
        state_advice::removed_block(TYPE)
    );
    Diagnostic::warning("The hub was deleted, its account is still changed", detail).at(Path::root(HUB))
}

pub(super) fn hub_missing_account_not_readable(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    error: &Error,
) -> Diagnostic {
    let next = format!(
        "The hub {hub} does not exist any more. This resource has changed shared keys of {account} and stays in the state \
         until the account can be read."
    );
    let next = match error.is_forbidden() {
        true => format!("{next} Reading the account takes Microsoft.Storage/storageAccounts/read."),
        false => next,
    };
    let told = report::explain(error, &next);
    Diagnostic::warning("The hub was deleted, its account cannot be read", told).at(Path::root(HUB))
}

pub(super) fn hub_recreated(hub: &WorkspaceId, mode: &AuthMode) -> Diagnostic {
    let detail = format!(
        "{hub} has another system-assigned identity than before, so it was recreated. The mode of the old hub, {}, is not \
         restored any more; destroying restores the mode that the new one has now.",
        mode.wire()
    );
    Diagnostic::warning("The hub was recreated", detail).at(Path::root(HUB))
}
