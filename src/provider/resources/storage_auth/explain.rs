//! What the user reads when a hub or its account cannot be changed: what each of Azure's errors means here, what was
//! changed all the same, and what to do.

use super::{schema::State, settings::Settings};
use crate::{
    arm::{
        Error, StorageAccountId, WorkspaceId,
        error::OperationOutcome,
        workspaces::{AuthMode, AuthModeKind},
    },
    framework::{
        Diagnostic, Diagnostics, Path,
        walk::{Overlap, Relation},
    },
    provider::{
        hub,
        refusal::{self, Attempt},
        report::{self, DESTROY_ALL},
    },
};

const TYPE: &str = "foundryhub_storage_auth";
const HUB: &str = "hub_id";
const MODE: &str = "system_datastores_auth_mode";
const KEYS: &str = "shared_access_key_enabled";

/// The user wants no more. What is only found out half must not pass for a plan.
pub(super) fn interrupted() -> Diagnostic {
    Diagnostic::error("Interrupted", "Nothing was changed.")
}

/// Others were at it all the time.
pub(super) fn not_locked(error: &Error) -> Diagnostic {
    let next = "Other resources of this run change the same hub or account, and each waits for the one before. Raise the \
                timeouts block, or let them depend on each other.";
    Diagnostic::error("Nothing was changed yet", report::explain(error, next))
}

/// The account may not be looked at, which is no reason to stop as long as nothing is to be changed there.
pub(super) fn account_hidden(account: &StorageAccountId, error: &Error) -> Diagnostic {
    let Diagnostic { detail, .. } = hub::account_not_read(account, error);
    let detail = format!("Whether shared keys are on cannot be seen, and a change of that goes unnoticed.\n\n{detail}");
    Diagnostic::warning("The storage account cannot be seen", detail).at(Path::root(KEYS))
}

/// The account is gone and the hub is still there.
pub(super) fn account_gone(account: &StorageAccountId) -> Diagnostic {
    let detail =
        format!("The hub's storage account {account} does not exist any more. The hub cannot work without it.");
    Diagnostic::warning("The storage account is gone", detail)
}

/// The account is gone, and something is to be changed there.
pub(super) fn no_account(account: &StorageAccountId, error: &Error) -> Diagnostic {
    let next =
        "The hub cannot work without its storage account, and it cannot be given another one. Nothing was changed.";
    let told = report::explain(error, next);
    Diagnostic::error("The storage account does not exist", format!("There is no {account}.\n\n{told}"))
}

/// The hub's mode could not be set.
pub(super) fn mode_not_set(hub: &WorkspaceId, mode: &AuthMode, error: &Error) -> Diagnostic {
    let (summary, next) = match error {
        Error::Operation(operation) => match operation.outcome {
            OperationOutcome::Failed => (
                "Azure failed to switch the hub",
                "Azure took the request and its operation failed. What it says above is all there is; apply again, and if it fails again see the hub's activity log.".to_owned(),
            ),
            OperationOutcome::Canceled => (
                "The switch of the hub was canceled",
                "Somebody canceled Azure's operation. Apply again.".to_owned(),
            ),
        },
        _ if matches!(error, Error::Uncertain { accepted: true, .. }) && !error.is_interruption() => (
            "How the switch of the hub ended is not known",
            "Azure took the request, and then its operation could not be followed to the end. The next plan shows what came of it."
                .to_owned(),
        ),
        _ if error.is_not_found() => (
            "The hub was deleted meanwhile",
            "It was there a moment ago. The next plan shows what is left.".to_owned(),
        ),
        _ => {
            let attempt = Attempt {
                doing: "switch the hub",
                not_allowed: "Not allowed to switch the hub",
                action: "Microsoft.MachineLearningServices/workspaces/write",
                scope: hub.as_str(),
                roles: "Azure AI Administrator, Contributor and Owner allow it; Azure AI Developer does not.",
            };
            refusal::explain(error, attempt).unwrap_or(("Cannot switch the hub", String::new()))
        }
    };
    let told = report::explain(error, &next);
    let detail = format!("The hub {hub} could not be switched to {}.\n\n{told}", mode.wire());
    Diagnostic::error(summary, detail).at(Path::root(MODE))
}

/// The hub has the mode although nobody saw the operation end.
pub(super) fn not_followed(hub: &WorkspaceId, mode: &AuthMode, error: &Error) -> Diagnostic {
    let detail = format!(
        "The operation that switched {hub} to {} could not be followed to its end. The hub itself says that it is done.\n\n{}",
        mode.wire(),
        report::explain(error, "")
    );
    Diagnostic::warning("An operation could not be followed", detail)
}

/// The account's keys could not be switched on or off.
pub(super) fn keys_not_set(account: &StorageAccountId, keys: bool, error: &Error) -> Diagnostic {
    let (summary, next) = if error.is_not_found() {
        (
            "The storage account was deleted meanwhile",
            "It was there a moment ago. The next plan shows what is left.".to_owned(),
        )
    } else {
        let attempt = Attempt {
            doing: "change the storage account",
            not_allowed: "Not allowed to change the storage account",
            action: "Microsoft.Storage/storageAccounts/write",
            scope: account.as_str(),
            roles: "Storage Account Contributor, Contributor and Owner allow it; roles for data do not.",
        };
        refusal::explain(error, attempt).unwrap_or(("Cannot change the storage account", String::new()))
    };
    let told = report::explain(error, &next);
    let detail = format!("Shared keys of {account} could not be switched {}.\n\n{told}", on_off(keys));
    Diagnostic::error(summary, detail).at(Path::root(KEYS))
}

/// Azure took the hub's new mode and has another one.
pub(super) fn mode_not_kept(hub: &WorkspaceId, asked: &AuthMode, got: &AuthMode) -> Diagnostic {
    let detail = format!(
        "The hub {hub} was set to {}, Azure answered with success, and the hub reads back {}. A policy that modifies requests \
         does that: look for a policy assignment that sets systemDatastoresAuthMode, or ask for an exemption.",
        asked.wire(),
        got.wire()
    );
    Diagnostic::error("The hub did not keep its mode", detail).at(Path::root(MODE))
}

/// Azure took the account's new setting and has another one.
pub(super) fn keys_not_kept(account: &StorageAccountId, asked: bool, got: bool) -> Diagnostic {
    let detail = format!(
        "allowSharedKeyAccess of {account} was set to {asked}, Azure answered with success, and it reads back {got}. A policy \
         that modifies requests does that: look for a policy assignment that sets allowSharedKeyAccess, or ask for an \
         exemption."
    );
    Diagnostic::error("The storage account did not keep the setting", detail).at(Path::root(KEYS))
}

/// The hub could not be made to fetch the keys anew, which it does by itself sooner or later.
pub(super) fn not_resynced(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let next = format!(
        "If the keys were rotated while the hub did not use them, run az ml workspace sync-keys --name {} --resource-group {}.",
        hub.name(),
        hub.resource_group()
    );
    Diagnostic::warning("The hub has not fetched the keys anew", format!("{}\n\n{next}", report::explain(error, "")))
}

/// The account refuses keys and the hub has just begun to need them.
pub(super) fn keys_are_off(hub: &WorkspaceId, account: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "The hub {hub} now signs in with a key of {account}, and that account refuses keys, so that the hub does not reach \
         its data. Set shared_access_key_enabled = true, or let whoever manages the account switch keys on."
    );
    Diagnostic::warning("The hub is without access", detail).at(Path::root(KEYS))
}

/// The hub is about to need keys that its account refuses.
pub(super) fn keys_will_be_off(hub: &WorkspaceId, account: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "With accesskey the hub {hub} signs in with a key of {account}, and that account refuses keys at present, so that \
         the hub would not reach its data. Set shared_access_key_enabled = true, unless whoever manages the account switches \
         keys on."
    );
    Diagnostic::warning("The hub would be without access", detail).at(Path::root(MODE))
}

/// A hub of the same id has another account than before: it was deleted and made again.
pub(super) fn another_account(hub: &WorkspaceId, old: &StorageAccountId, new: &StorageAccountId) -> Diagnostic {
    let detail = format!(
        "The hub {hub} used the storage account {old} and uses {new} now. A hub cannot change its account, so it was deleted and \
         made again. What this resource has changed was the old one: it counts as never changed from here any more, and \
         destroying puts nothing back, unless restore_to says what to leave behind. Keys of the old account stay as they are."
    );
    Diagnostic::warning("The hub was made anew", detail).at(Path::root(HUB))
}

/// What is there after a change that was not completed.
pub(super) fn left(now: &Settings, interrupted: bool) -> String {
    let mode = now.mode.as_ref().map_or("in an unknown mode".to_owned(), |mode| format!("on {}", mode.wire()));
    let keys = now.keys.map_or("unknown".to_owned(), |keys| on_off(keys).to_owned());
    let may = if interrupted {
        " The request that was under way may still have its effect; the next plan shows it."
    } else {
        ""
    };
    format!("\n\nThe hub is {mode}, shared keys are {keys}.{may} The next apply does what is left.")
}

/// The hub was switched to keys, the account refused to take them, and the hub was put back.
pub(super) fn put_back(error: Diagnostic, mode: &AuthMode, result: Result<(), Diagnostic>) -> Diagnostic {
    let told = match result {
        Ok(()) => format!(
            "The hub had been switched to accesskey already. Since it would not reach its data with keys off, it was put back \
             to {}.",
            mode.wire()
        ),
        Err(second) => format!(
            "The hub had been switched to accesskey already and does not reach its data with keys off. Putting it back to {} \
             failed too: {}: {}",
            mode.wire(),
            second.summary,
            second.detail
        ),
    };
    Diagnostic { detail: format!("{}\n\n{told}", error.detail), ..error }
}

/// What destroying is going to do.
pub(super) fn will_restore(hub: &str, account: &str, changes: &Settings, leaves: &Settings) -> Diagnostic {
    let mut parts = Vec::new();
    if let Some(mode) = &changes.mode {
        parts.push(format!("the hub {hub} goes back to {}", mode.wire()));
    }
    if let Some(keys) = changes.keys {
        parts.push(format!("shared keys of {account} go {} again", on_off(keys)));
    }
    let mut detail = format!("Destroying this resource puts back what it has changed: {}.", parts.join(", and "));
    if leaves.locks_the_hub_out() {
        detail.push_str(
            " The account then still refuses keys, so that the hub does not reach its data until they are on.",
        );
    }
    detail.push_str(
        "\n\nTo keep the authorization as it is, apply restore_on_destroy = false first, or let go of the resource with a \
         removed block that has lifecycle { destroy = false }.",
    );
    Diagnostic::warning("Destroying this changes hub and storage account", detail)
}

/// A property that is not put back because of somebody else.
pub(super) fn left_alone(what: &str, ours: &str, now: &str, wanted: &str) -> Diagnostic {
    let detail = format!(
        "{what} was set to {ours} from here and is {now} now: somebody else has changed it since, so it is left alone and \
         not put back to {wanted}."
    );
    Diagnostic::warning("Changed by somebody else", detail)
}

/// What an object has in common with others of its walk.
pub(super) fn overlaps(state: &State, overlaps: &[Overlap]) -> Diagnostics {
    let hub = state.hub_id.text().unwrap_or_default();
    let account = state.storage_account_id.text().unwrap_or("the storage account");
    let word = |overlap: &Overlap| match (overlap.relation, overlap.key.shared) {
        (Relation::BothStay, _) => Some(two_resources(hub)),
        (Relation::Succeeds { .. } | Relation::IsSucceeded { .. }, false) => Some(renamed(hub)),
        (Relation::IsUndone, false) => Some(undone(hub)),
        (Relation::Stays | Relation::LetsGo, false) => Some(another_resource_stays(hub)),
        (Relation::Succeeds { kept: true }, true) => None,
        (Relation::Succeeds { .. } | Relation::IsUndone, true) => {
            Some(keys_switched_by_another(account, &overlap.other))
        }
        (Relation::Stays | Relation::LetsGo | Relation::IsSucceeded { .. }, true) => {
            Some(keys_stay(account, &overlap.other))
        }
    };
    // What two objects of one hub mean for the keys of its account is said by what they mean for the hub.
    let is_told = |overlap: &&Overlap| !(overlap.key.shared && overlap.other.eq_ignore_ascii_case(hub));
    let mut found = Vec::new();
    for diagnostic in overlaps.iter().filter(is_told).filter_map(word) {
        if !found.contains(&diagnostic) {
            found.push(diagnostic);
        }
    }
    Diagnostics(found)
}

/// Two resources that stay or are made for one hub.
fn two_resources(hub: &str) -> Diagnostic {
    let let_go = report::let_go(TYPE);
    let detail = format!(
        "Two foundryhub_storage_auth resources have hub_id\n{hub}\n\nEach would undo what the other one does. Remove one of \
         the two blocks. {let_go}\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("Two resources for one hub", detail).at(Path::root(HUB))
}

/// One hub, destroyed under one name and created under another.
fn renamed(hub: &str) -> Diagnostic {
    let moved = report::moved_block(TYPE);
    let detail = format!(
        "This plan destroys a foundryhub_storage_auth and creates another one for the same hub\n{hub}\n\nThe hub would go back \
         to keys in between. If the resource was renamed, or its key in for_each was changed, write\n\n{moved}\n\nand nothing changes in Azure. \
         {DESTROY_ALL}"
    );
    Diagnostic::error("One hub is destroyed and created in one plan", detail).at(Path::root(HUB))
}

/// One of two objects for one hub is removed without knowing that the other one stays.
fn undone(hub: &str) -> Diagnostic {
    let let_go = report::let_go(TYPE);
    let detail = format!(
        "This plan destroys one foundryhub_storage_auth of\n{hub}\n\nand keeps another one, which needs what the first one would \
         put back. {let_go}\n\nIf \
         the plan calls the other one \"deposed\", it is left over from a replacement. Plan again without -parallelism=1 and \
         -refresh=false; where it says the same again, run taint ADDRESS for the resource of this configuration first: it is \
         then replaced, too, and nothing changes in Azure for that.\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("One hub is kept and destroyed in one plan", detail).at(Path::root(HUB))
}

/// One of two objects for one hub is removed; the other stays.
fn another_resource_stays(hub: &str) -> Diagnostic {
    let detail = format!(
        "Another foundryhub_storage_auth of\n{hub}\n\nstays in this state, so that destroying this one changes nothing in Azure."
    );
    Diagnostic::warning("The authorization is kept", detail)
}

/// Keys of an account stay as they are, because the resource of another hub sets them.
fn keys_stay(account: &str, other: &str) -> Diagnostic {
    let detail = format!(
        "Shared keys of {account} stay as they are: the foundryhub_storage_auth of\n{other}\n\nuses the same account and has \
         shared_access_key_enabled set."
    );
    Diagnostic::warning("Shared keys of the account are kept", detail)
}

/// The removal of another hub's object switches the keys that this one sets.
fn keys_switched_by_another(account: &str, other: &str) -> Diagnostic {
    let detail = format!(
        "This plan destroys the foundryhub_storage_auth of\n{other}\n\nwhich uses {account} too and may switch its shared keys. \
         shared_access_key_enabled is set here as well; the next plan shows whether keys have to be switched again."
    );
    Diagnostic::warning("Shared keys of the account may change", detail).at(Path::root(KEYS))
}

/// An object was removed and another one for the same hub stays or was made in this run.
pub(super) fn kept_for_another(hub: &WorkspaceId, original: &Settings) -> Option<Diagnostic> {
    let found = restore_to(original)?;
    let detail = format!(
        "Another foundryhub_storage_auth of {hub} stays or was made in this run, so that nothing was changed in Azure. The \
         original settings go with this object; to have them restored one day, write them into the other one:\n\n{found}"
    );
    Some(Diagnostic::warning("The authorization is kept", detail))
}

/// The same for the keys of an account.
pub(super) fn keys_kept_for_another(account: &StorageAccountId, original: Option<bool>) -> Diagnostic {
    let mut detail = format!(
        "Shared keys of {account} stay as they are: the foundryhub_storage_auth of another hub uses the same account and sets \
         them."
    );
    if let Some(found) = restore_to(&Settings { mode: None, keys: original }) {
        detail.push_str(&format!(" To have the original setting restored one day, write it into that one:\n\n{found}"));
    }
    Diagnostic::warning("Shared keys of the account are kept", detail)
}

/// The removal half of a replacement has left everything to the creation half.
pub(super) fn handed_over(hub: &WorkspaceId, original: &Settings) -> Option<Diagnostic> {
    let found = restore_to(original)?;
    let detail = format!(
        "The object for {hub} is replaced, and nothing is changed in Azure for that. Its original settings go to the \
         replacement. If this run ends before that is made, write them down there:\n\n{found}"
    );
    Some(Diagnostic::warning("Original settings handed to the replacement", detail))
}

/// The original settings as HCL that has them restored.
fn restore_to(original: &Settings) -> Option<String> {
    let mode = original.mode.as_ref().map(|mode| format!("system_datastores_auth_mode = \"{}\"", mode.wire()));
    let keys = original.keys.map(|keys| format!("shared_access_key_enabled = {keys}"));
    let found: Vec<_> = [mode, keys].into_iter().flatten().collect();
    (!found.is_empty()).then(|| format!("restore_to = {{ {} }}", found.join(", ")))
}

/// A creation finds the hub as it wants it, so that it does not write it and destroying does not restore it. The keys of
/// the account are looked at where the hub is as wanted, which is what a run leaves that was ended half way; for a hub that
/// is still on keys the look would be one request more for every creation.
pub(super) fn as_wanted_already(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    target: &Settings,
    now: &Settings,
    planned: &State,
) -> Option<Diagnostic> {
    if planned.restore_on_destroy.known() == Some(&false) {
        return None;
    }
    let pinned = Settings::of(&planned.restore_to);
    let mode = target.mode.as_ref().filter(|mode| pinned.mode.is_none() && now.mode.as_ref() == Some(mode));
    let keys = target.keys.filter(|keys| pinned.keys.is_none() && now.keys == Some(*keys));
    let parts = [
        mode.map(|mode| format!("systemDatastoresAuthMode of {hub} is {}", mode.wire())),
        keys.map(|keys| format!("shared keys of {account} are {}", on_off(keys))),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let found = restore_to(&Settings { mode: mode.map(opposite), keys: keys.map(|keys| !keys) })?;
    let detail = format!(
        "{} already. Nothing will be sent for that, and destroying this resource will restore nothing of it. To have \
         destroying change it, say to what, for example:\n\n{found}",
        parts.join(", and ")
    );
    Some(Diagnostic::warning("Nothing to restore on destroy", detail))
}

fn opposite(mode: &AuthMode) -> AuthMode {
    AuthMode::new(if mode.kind() == AuthModeKind::AccessKey { "identity" } else { "accesskey" })
}

/// A property differs from what the plan was made with.
pub(super) fn changed_since_the_plan(property: &str, was: &str, is: &str) -> Diagnostic {
    let detail = format!(
        "{property} was {was} when this was planned and is {is} now. The plan has said what destroying will restore, which \
         would no longer be true, so nothing was changed. Plan again."
    );
    Diagnostic::error("Azure has changed since the plan", detail)
}

/// A hub is gone, and its account still has what this resource made of it.
pub(super) fn hub_gone_and_keys_owed(hub: &WorkspaceId, account: &StorageAccountId, keys: bool) -> Diagnostic {
    let detail = format!(
        "The hub {hub} does not exist any more. Shared keys of {account} are still {}, which is the doing of this resource, so \
         it stays in the state: destroying it switches them {}.\n\nTo leave the account as it is, apply restore_on_destroy = \
         false, or a restore_to with shared_access_key_enabled = {}; the apply says that the hub does not exist, and the \
         object is gone then. Or put this in place of the block:\n\n{}",
        on_off(!keys),
        on_off(keys),
        !keys,
        report::removed_block(TYPE)
    );
    Diagnostic::warning("The hub is gone, its account is still changed", detail).at(Path::root(HUB))
}

/// A hub is gone, and whether its account still has what this resource made of it cannot be seen.
pub(super) fn hub_gone_and_account_hidden(hub: &WorkspaceId, account: &StorageAccountId, error: &Error) -> Diagnostic {
    let next = format!(
        "The hub {hub} does not exist any more. This resource has changed shared keys of {account} and stays in the state \
         until it can be seen whether they still have to be switched back."
    );
    let next = match error.is_forbidden() {
        true => format!("{next} Reading the account takes Microsoft.Storage/storageAccounts/read."),
        false => next,
    };
    let told = report::explain(error, &next);
    Diagnostic::warning("The hub is gone, its account cannot be read", told).at(Path::root(HUB))
}

/// Another hub has the name now, so that what the old one was is nothing to restore.
pub(super) fn hub_made_anew(hub: &WorkspaceId, mode: &AuthMode) -> Diagnostic {
    let detail = format!(
        "{hub} has another system-assigned identity than before: the hub was deleted and made again. That the old one was on \
         {} first no longer matters; what destroying restores is what the new one is now.",
        mode.wire()
    );
    Diagnostic::warning("The hub was made anew", detail).at(Path::root(HUB))
}

fn on_off(keys: bool) -> &'static str {
    if keys { "on" } else { "off" }
}
