//! What the user reads when a hub or its account cannot be changed: what each of Azure's errors means here, what was
//! changed all the same, and what to do.

use super::schema::Settings;
use crate::{
    arm::{
        self, Error, ErrorCode, StorageAccountId, WorkspaceId,
        error::OperationOutcome,
        workspaces::{AuthMode, Workspace, WorkspaceKind},
    },
    framework::{Diagnostic, Path, Severity},
    provider::report,
};

const HUB: &str = "hub_id";
const MODE: &str = "system_datastores_auth_mode";
const KEYS: &str = "shared_access_key_enabled";

/// The user wants no more. What is only found out half must not pass for a plan.
pub(super) fn interrupted() -> Diagnostic {
    Diagnostic::error("Interrupted", "Nothing was changed.")
}

/// Others were at it all the time.
pub(super) fn not_our_turn(error: &Error) -> Diagnostic {
    let next = "Other resources of this run change the same hub or account, and each waits for the one before. Raise the \
                timeouts block, or let them depend on each other.";
    Diagnostic::error("Nothing was changed yet", report::explain(error, next))
}

/// A hub that is not there, where it has to be.
pub(super) fn no_hub(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let next = "Check the id, or let hub_id refer to the resource that makes the hub.";
    Diagnostic::error("The hub does not exist", format!("There is no {hub}.\n\n{}", report::explain(error, next)))
        .at(Path::root(HUB))
}

/// A hub that is not there while planning: it may be made before this is applied.
pub(super) fn no_hub_yet(hub: &WorkspaceId) -> Diagnostic {
    let detail =
        format!("There is no {hub}. If it is made before this is applied, all is well; otherwise the apply will fail.");
    Diagnostic::warning("The hub does not exist", detail).at(Path::root(HUB))
}

/// Why a workspace of this kind is not for this resource; `None` when it is.
pub(super) fn refused_kind(id: &WorkspaceId, hub: &Workspace) -> Option<Diagnostic> {
    let detail = match hub.kind() {
        WorkspaceKind::Hub | WorkspaceKind::Default => return None,
        WorkspaceKind::Project => {
            let of = match hub.properties.hub_resource_id.as_deref().filter(|id| !id.is_empty()) {
                Some(of) => format!("Set hub_id to its hub:\n{of}"),
                None => "Set hub_id to its hub; Azure does not name it.".to_owned(),
            };
            format!("{id} is a project, which uses the storage account and the authorization of its hub. {of}")
        }
        WorkspaceKind::FeatureStore => {
            format!("{id} is a feature store, which has no storage authorization of this sort.")
        }
        WorkspaceKind::Other => format!(
            "{id} is a workspace of the kind {:?}. This resource is for hubs, and for workspaces of kind Default.",
            hub.kind_text
        ),
    };
    Some(Diagnostic::error("Not a hub", detail).at(Path::root(HUB)))
}

/// The hub could not be looked at.
pub(super) fn hub_not_read(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let lacks = "Microsoft.MachineLearningServices/workspaces/read";
    report::failure("Cannot read the hub", error, &report::lacks(error, lacks, hub.as_str(), "Reader"))
        .at(Path::root(HUB))
}

/// The hub may not be looked at while planning, which is no reason to stop yet.
pub(super) fn hub_hidden(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let told = hub_not_read(hub, error);
    Diagnostic { severity: Severity::Warning, summary: "The hub cannot be seen".to_owned(), ..told }
}

/// Azure names no storage account, or something that is none.
pub(super) fn no_account_id(hub: &WorkspaceId, named: &str) -> Diagnostic {
    let detail = format!("Azure names no storage account for {hub}: {named:?}.");
    Diagnostic::error("The hub has no storage account", detail).at(Path::root(HUB))
}

/// The account could not be looked at.
pub(super) fn account_not_read(account: &StorageAccountId, error: &Error) -> Diagnostic {
    let lacks = "Microsoft.Storage/storageAccounts/read";
    report::failure("Cannot read the storage account", error, &report::lacks(error, lacks, account.as_str(), "Reader"))
        .at(Path::root(KEYS))
}

/// The account may not be looked at, which is no reason to stop as long as nothing is to be changed there.
pub(super) fn account_hidden(account: &StorageAccountId, error: &Error) -> Diagnostic {
    let Diagnostic { detail, .. } = account_not_read(account, error);
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
        _ => obstacle(
            error,
            "switch the hub",
            "Microsoft.MachineLearningServices/workspaces/write",
            hub.as_str(),
            "Azure AI Administrator, Contributor and Owner allow it; Azure AI Developer does not.",
        )
        .unwrap_or(("Cannot switch the hub", String::new())),
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
        obstacle(
            error,
            "change the storage account",
            "Microsoft.Storage/storageAccounts/write",
            account.as_str(),
            "Storage Account Contributor, Contributor and Owner allow it; roles for data do not.",
        )
        .unwrap_or(("Cannot change the storage account", String::new()))
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

/// A property that is not put back because something else of this run wants it.
pub(super) fn claimed(what: &str, original: &str) -> Diagnostic {
    let detail = format!(
        "{what} stays as it is: another resource, or the replacement of this one, has made it its own in this run. Before it \
         was first changed it was {original}; to have that put back one day, write it into restore_to of the other resource."
    );
    Diagnostic::warning("The authorization is kept", detail)
}

/// One of two objects for one hub is removed; the other stays.
pub(super) fn another_object_stays(hub: &WorkspaceId) -> Diagnostic {
    let detail = format!(
        "Another foundryhub_storage_auth of {hub} stays in this state, so that destroying this one changes nothing in Azure."
    );
    Diagnostic::warning("The authorization is kept", detail)
}

/// The same, as the removal itself says it.
pub(super) fn kept_for_another(hub: &WorkspaceId, original: &Settings) -> Diagnostic {
    let mut detail = format!("Another foundryhub_storage_auth of {hub} stays, so that nothing was changed in Azure.");
    if let Some(found) = restore_to(original) {
        detail.push_str(&format!(
            " What was found before it was first changed from here goes with this object; to have it put back one day, write \
             it into the other one:\n\n{found}"
        ));
    }
    Diagnostic::warning("The authorization is kept", detail)
}

/// The same, when it shows too late for the removal to know.
pub(super) fn another_object_goes(hub: &WorkspaceId) -> Diagnostic {
    let detail = format!(
        "This plan destroys another foundryhub_storage_auth of {hub}, which may put back what that one has changed. This one \
         sets again in the same apply what it wants."
    );
    Diagnostic::warning("The same hub is kept and destroyed", detail).at(Path::root(HUB))
}

/// The removal half of a replacement has left everything to the creation half.
pub(super) fn handed_on(hub: &WorkspaceId, original: &Settings) -> Option<Diagnostic> {
    let found = restore_to(original)?;
    let detail = format!(
        "The object for {hub} is replaced, and nothing is changed in Azure for that. What was found before it was first \
         changed goes to the new object. If this run ends before that is made, write it down there:\n\n{found}"
    );
    Some(Diagnostic::warning("What was found is handed on", detail))
}

/// What was found, as HCL that has it put back.
fn restore_to(original: &Settings) -> Option<String> {
    let mode = original.mode.as_ref().map(|mode| format!("system_datastores_auth_mode = \"{}\"", mode.wire()));
    let keys = original.keys.map(|keys| format!("shared_access_key_enabled = {keys}"));
    let found: Vec<_> = [mode, keys].into_iter().flatten().collect();
    (!found.is_empty()).then(|| format!("restore_to = {{ {} }}", found.join(", ")))
}

/// One hub, destroyed under one name and created under another.
pub(super) fn two_addresses(hub: &WorkspaceId) -> Diagnostic {
    let detail = format!(
        "This plan destroys one foundryhub_storage_auth of {hub} and creates another one. If the resource was renamed, say so, \
         and nothing changes in Azure:\n\nmoved {{\n  from = foundryhub_storage_auth.OLD\n  to   = \
         foundryhub_storage_auth.NEW\n}}\n\nWithout it, what the old one puts back and what the new one sets depend on which \
         comes first."
    );
    Diagnostic::warning("The same hub is destroyed and created", detail).at(Path::root(HUB))
}

fn on_off(keys: bool) -> &'static str {
    if keys { "on" } else { "off" }
}

/// Errors that stand in the way of any write, as a headline and what to do.
fn obstacle(error: &Error, doing: &str, action: &str, scope: &str, roles: &str) -> Option<(&'static str, String)> {
    match error.cause() {
        Error::Cancelled { .. } => return Some(("Interrupted", String::new())),
        Error::DeadlineExceeded { .. } => {
            return Some((
                "Out of time",
                "The operation took longer than the timeouts block allows. Raise create, update or delete there."
                    .to_owned(),
            ));
        }
        _ => {}
    }
    let explained = match error.code()? {
        ErrorCode::AuthorizationFailed | ErrorCode::LinkedAuthorizationFailed => {
            ("Not allowed to change this", report::lacks(error, action, scope, roles))
        }
        ErrorCode::ScopeLocked => (
            "A lock is in the way",
            format!(
                "A lock on the resource or above it forbids to {doing}. Remove it, apply again, and set it again; az lock list shows the locks."
            ),
        ),
        ErrorCode::RequestDisallowedByPolicy => {
            let violations = error.service().map(arm::ServiceError::policy_violations).unwrap_or_default();
            let policies: Vec<_> = violations
                .iter()
                .map(|violation| format!("{:?} (definition {:?})", violation.assignment, violation.definition))
                .collect();
            let by =
                if policies.is_empty() { String::new() } else { format!(" The policy is {}.", policies.join(", ")) };
            (
                "A policy is in the way",
                format!("A policy forbids to {doing}.{by} Ask whoever keeps it for an exemption."),
            )
        }
        ErrorCode::ReadOnlyDisabledSubscription => {
            ("The subscription is disabled", "A disabled subscription can only be read. Enable it first.".to_owned())
        }
        ErrorCode::MissingSubscriptionRegistration => {
            let namespace = action.split('/').next().unwrap_or_default();
            (
                "A resource provider is not registered",
                format!("Run az provider register --namespace {namespace}, which this provider never does by itself."),
            )
        }
        _ => return None,
    };
    Some(explained)
}
