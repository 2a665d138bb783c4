//! Diagnostics of the resource.

use std::fmt::Display;

use super::schema::{State, TYPE};
use crate::{
    arm::{
        Error, ErrorCode, IdError, StorageAccountId, WorkspaceId,
        error::OperationOutcome,
        workspaces::{Workspace, WorkspaceKind},
    },
    framework::{
        Diagnostic, Diagnostics, Path, Summary,
        walk::{Overlap, Relation},
    },
    provider::{
        hub_refusal, report,
        shared_keys::enabled,
        state_advice::{self, DESTROY_ALL},
        write_error::{self, Write},
    },
};

const NAME: &str = "name";
const KEYS: &str = "shared_access_key_enabled";

const MISTAKE: &str = "This is a mistake of the foundryhub provider; please report it.";

pub(super) fn not_locked(error: &Error) -> Diagnostic {
    let next = "Other resources of this run change the same hub, one after the other. Raise the timeouts block.";
    Diagnostic::error("Nothing was changed yet", report::explain(error, next))
}

/// The subscription of the provider cannot be part of an id.
pub(super) fn no_subscription(error: &IdError) -> Diagnostic {
    let detail = format!(
        "{error}. It is the subscription_id of the provider, or ARM_SUBSCRIPTION_ID, and has to be a GUID here."
    );
    Diagnostic::error("The subscription is not known", detail).at(Path::root("subscription_id"))
}

// Reading and importing.

pub(super) fn nothing_to_import(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let next = "Check the id: az ml workspace list --output table shows the hubs of the current subscription.";
    Diagnostic::error("The hub does not exist", format!("There is no {hub}.\n\n{}", report::explain(error, next)))
}

/// The error for a workspace that is no hub.
pub(super) fn not_a_hub(id: &WorkspaceId, found: &Workspace) -> Option<Diagnostic> {
    let detail = match found.kind() {
        WorkspaceKind::Hub => return None,
        WorkspaceKind::Project => {
            let of = found.properties.hub_resource_id.as_deref().filter(|id| !id.is_empty());
            let of = of.map_or_else(String::new, |of| format!(" Its hub is\n{of}"));
            format!("{id} is a project. {TYPE} manages hubs.{of}")
        }
        WorkspaceKind::Default => format!(
            "{id} is a workspace of kind Default, which cannot become a hub. {TYPE} manages hubs; foundryhub_storage_auth \
             manages the storage authorization of such a workspace, too."
        ),
        WorkspaceKind::FeatureStore => format!("{id} is a feature store. {TYPE} manages hubs."),
        WorkspaceKind::Other => format!("{id} is a workspace of kind {:?}. {TYPE} manages hubs.", found.kind_text),
    };
    Some(Diagnostic::error("Not a hub", detail))
}

// The storage account.

pub(super) fn account_missing(account: &StorageAccountId, error: &Error) -> Diagnostic {
    let next = "Check storage_account_id. Nothing was changed.";
    let detail = format!("There is no {account}.\n\n{}", report::explain(error, next));
    Diagnostic::error("The storage account does not exist", detail).at(Path::root("storage_account_id"))
}

pub(super) fn locks_the_hub_out() -> Diagnostic {
    let detail = "With accesskey the hub signs in with a key of its storage account, which refuses keys with \
                  shared_access_key_enabled = false: the hub could not access its data. Use the mode identity, or leave shared \
                  keys enabled.";
    Diagnostic::warning("The hub would have no access to its data", detail).at(Path::root(KEYS))
}

/// Keys were to be disabled of an account whose hub uses them again.
pub(super) fn on_keys_since_the_plan(id: &WorkspaceId) -> Diagnostic {
    let detail = format!(
        "systemDatastoresAuthMode of {id} was not accesskey in the plan and is accesskey now. Without shared keys of its \
         storage account the hub could not access its data, so nothing was changed. Plan again. If another resource has \
         switched the hub, leave the mode to one of the two, by ignore_changes in the other."
    );
    Diagnostic::error("Azure has changed since the plan", detail).at(Path::root("system_datastores_auth_mode"))
}

/// The account was put back after the hub was refused.
pub(super) fn put_back(
    error: Diagnostic,
    account: &StorageAccountId,
    keys: bool,
    result: Result<(), Diagnostic>,
) -> Diagnostic {
    let told = match result {
        Ok(()) => {
            format!("Shared keys of {account} had been {} for it, and are {} again.", enabled(!keys), enabled(keys))
        }
        Err(second) => format!(
            "Shared keys of {account} had been {} for it. Putting that back failed, too: {}: {}",
            enabled(!keys),
            second.summary,
            second.detail
        ),
    };
    Diagnostic { detail: format!("{}\n\n{told}", error.detail), ..error }
}

/// The account was changed for a hub that was refused, and others need it as it is.
pub(super) fn left_for_others(error: Diagnostic, account: &StorageAccountId, keys: bool) -> Diagnostic {
    let told = format!(
        "Shared keys of {account} were {} for it, and are left as they are: another resource of this run needs that.",
        enabled(keys)
    );
    Diagnostic { detail: format!("{}\n\n{told}", error.detail), ..error }
}

/// The account stays changed, since the hub may come up.
pub(super) fn account_stays(error: Diagnostic, account: &StorageAccountId, keys: bool) -> Diagnostic {
    let told = format!("Shared keys of {account} are {}, as the hub needs it.", enabled(keys));
    Diagnostic { detail: format!("{}\n\n{told}", error.detail), ..error }
}

pub(super) fn keys_stay_off(account: &str) -> Diagnostic {
    let detail = format!(
        "Shared keys of {account} are disabled, and stay so when this hub is destroyed. Enable them where the account is \
         managed if something else needs them."
    );
    Diagnostic::warning("Shared keys stay disabled", detail)
}

// Creating.

pub(super) fn exists(hub: &WorkspaceId, found: &Workspace) -> Diagnostic {
    let path = Path::root(NAME);
    if let Some(other) = not_a_hub(hub, found) {
        return Diagnostic::error("The name is taken", other.detail + " Choose another name.").at(path);
    }
    let detail = format!(
        "{hub} exists. To manage it here, import it:\n\nterraform import ADDRESS '{hub}'\n\nor with a block:\n\nimport {{\n  \
         to = {TYPE}.NAME\n  id = \"{hub}\"\n}}\n\nOtherwise choose another name. A hub cannot be \
         replaced by one of the same name with create_before_destroy."
    );
    Diagnostic::error("The hub exists already", detail).at(path)
}

pub(super) fn no_group(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let detail = format!(
        "There is no resource group {} in the subscription {}. Nothing was changed.\n\n{}",
        hub.resource_group(),
        hub.subscription(),
        report::explain(error, "")
    );
    Diagnostic::error("The resource group does not exist", detail).at(Path::root("resource_group_name"))
}

/// With `is_purged` a deleted hub of the name was purged first.
pub(super) fn not_created(hub: &WorkspaceId, error: &Error, is_purged: bool) -> Diagnostic {
    if hub_refusal::is_soft_deleted(error) {
        return soft_deleted(hub, error, is_purged);
    }
    let (summary, next) = failed_write(hub, error, Doing::CREATING);
    summary.error(format!("The hub {hub} could not be created.\n\n{}", report::explain(error, &next)))
}

fn soft_deleted(hub: &WorkspaceId, error: &Error, is_purged: bool) -> Diagnostic {
    let (summary, next) = failed_write(hub, error, Doing::CREATING);
    let purge = match is_purged {
        true => {
            "Deleting it for good was tried, as purge_on_destroy is set, and Azure still has it. Some minutes later it may \
                 work: apply again, or run"
        }
        false => {
            "To delete it for good, with everything that could still be recovered, set purge_on_destroy = true, and the \
                  next apply does that, or run"
        }
    };
    let next = format!(
        "{next} {purge}\n\n{}\n\nTo have it back, recover it in the portal (Recently deleted) and import it. \
         Where the command answers that there is no such hub, the name is stuck: choose another one, or ask Azure's support.",
        purge_command(hub)
    );
    let told = report::explain(error, &next);
    summary.error(format!("The hub {hub} could not be created.\n\n{told}")).at(Path::root(NAME))
}

fn purge_command(hub: &WorkspaceId) -> String {
    format!(
        "az ml workspace delete --name {} --resource-group {} --permanently-delete --yes",
        hub.name(),
        hub.resource_group()
    )
}

/// A deleted hub of the same name was purged at the creation.
pub(super) fn purged(hub: &WorkspaceId) -> Diagnostic {
    let detail =
        format!("Azure still kept a deleted hub\n{hub}\n\nIt was deleted for good, as purge_on_destroy is set.");
    Diagnostic::warning("A deleted hub was purged", detail)
}

/// A deleted hub of the same name could not be purged, so that this one was not created.
pub(super) fn not_purged(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let (summary, next) = failed_write(hub, error, Doing::PURGING);
    let detail = format!(
        "Azure still keeps a deleted hub\n{hub}\n\nwhich could not be deleted for good, so that the new one was not created.\n\n{}",
        report::explain(error, &next)
    );
    summary.error(detail).at(Path::root(NAME))
}

/// What became of the hub is not known; the object stays in the state until a refresh tells.
pub(super) fn unknown_result(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let (summary, _) = failed_write(hub, error, Doing::CREATING);
    let detail = format!(
        "Whether the hub {hub} is being created is not known. It is kept in the state, and the next plan shows it.\n\n{}",
        report::explain(error, "")
    );
    summary.error(detail)
}

/// The hub exists although its creation failed.
pub(super) fn created_badly(hub: &WorkspaceId, found: &Workspace, error: &Error) -> Diagnostic {
    let (summary, next) = failed_write(hub, error, Doing::CREATING);
    let detail = format!(
        "The hub {hub} exists in the state {:?} and is kept in the state of this configuration, as an object to be \
         replaced.\n\n{}\n\nIf the hub turns out to work, untaint it, and the next plan shows what is missing: terraform untaint ADDRESS",
        found.properties.provisioning_state,
        report::explain(error, &next)
    );
    summary.error(detail)
}

/// The hub was created, and its network rules were not set.
pub(super) fn open_network(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let what = format!("The hub\n{hub}\nwas created, but whether its network_acls are in force is not known.");
    let next = "Until they are, every address may reach the hub. It is tainted, so that the next apply replaces it; to keep it, \
                run `terraform untaint ADDRESS`, or `tofu untaint`, after its network rules have been set.";
    report::failure(Summary("The network rules of the hub were not set"), error, &format!("{what}\n\n{next}"))
        .at(Path::root("network_acls"))
}

/// Azure created the hub with something else than was asked for.
pub(super) fn not_kept_at_creation(hub: &WorkspaceId, names: &[&str]) -> Diagnostic {
    let detail = format!(
        "Azure accepted the hub {hub} and has something else than was asked for in: {}. A policy that modifies requests does \
         that. The next plan shows the difference.",
        names.join(", ")
    );
    Diagnostic::warning("Azure did not keep everything", detail)
}

// Updating.

/// Tags that an import brought and that were not configured since.
pub(super) fn tags_stay(names: &[String]) -> Diagnostic {
    let detail = format!(
        "These tags were there when the hub was imported and were not set by this resource since, so that they may be a \
         policy's: {}. They leave the state and stay in Azure. Remove them there if nobody needs them.",
        names.join(", ")
    );
    Diagnostic::warning("Tags of others stay", detail).at(Path::root("tags"))
}

pub(super) fn missing_at_update(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let next = "It was there when this was planned. Plan again to have it created anew.";
    Diagnostic::error("The hub does not exist", format!("There is no {hub}.\n\n{}", report::explain(error, next)))
}

pub(super) fn not_updated(hub: &WorkspaceId, names: &[&str], error: &Error) -> Diagnostic {
    let (summary, next) = failed_write(hub, error, Doing::CHANGING);
    let told = report::explain(error, &next);
    summary.error(format!("These members of {hub} could not be changed: {}.\n\n{told}", names.join(", ")))
}

pub(super) fn not_kept(hub: &WorkspaceId, names: &[&str]) -> Diagnostic {
    let detail = format!(
        "Azure accepted the change of {hub} and has kept the old values of: {}. A policy that modifies requests does that: look for \
         a policy assignment that sets them, and ask for an exemption. So does somebody else who writes the hub at the same time, \
         such as another resource of this apply. An older api-version (workspaces_api_version of the \
         provider) may not know them.",
        names.join(", ")
    );
    Diagnostic::error("The hub did not keep the change", detail)
}

/// The operation was not seen to end, and the hub has the new values all the same.
pub(super) fn not_followed(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let detail = format!(
        "The operation that changed {hub} could not be followed to its end. The hub has the new values, so there is nothing to \
         do.\n\n{}",
        report::explain(error, "")
    );
    Diagnostic::warning("An operation could not be followed", detail)
}

// One-way changes.

pub(super) fn isolation_is_one_way(from: &str, to: &str, reachable: Option<&[String]>) -> Diagnostic {
    let reachable = match reachable {
        Some([]) => " Azure says that this hub's mode cannot change any more.".to_owned(),
        Some(modes) => format!(" Azure says that this hub's mode can change to {} only.", modes.join(", ")),
        None => String::new(),
    };
    let detail = format!(
        "managed_network.isolation_mode is {from} and cannot become {to}: isolation only ever grows, from Disabled to \
         AllowInternetOutbound to AllowOnlyApprovedOutbound, and the network goes with the hub.{reachable} Set {from}.{REPLACE}"
    );
    one_way(detail).at(Path::root("managed_network").attribute("isolation_mode"))
}

pub(super) fn identity_is_one_way() -> Diagnostic {
    let detail = format!(
        "A hub that has user-assigned identities cannot go back to a system-assigned identity alone. Keep the type \
         \"SystemAssigned, UserAssigned\".{REPLACE}"
    );
    one_way(detail).at(Path::root("identity").attribute("type"))
}

pub(super) fn data_isolation_is_fixed(now: bool) -> Diagnostic {
    let detail = format!(
        "data_isolation_enabled is fixed when a hub is created, and is {now} for this one. Set {now}.{REPLACE}"
    );
    one_way(detail).at(Path::root("data_isolation_enabled"))
}

pub(super) fn cannot_be_cleared(attribute: &'static str, now: &str) -> Diagnostic {
    let detail = format!(
        "{attribute} can be replaced by another id and not be removed: Azure refuses to detach what a hub has once been given. It \
         is\n{now}\n\nKeep the argument, or set another id."
    );
    one_way(detail).at(Path::root(attribute))
}

pub(super) fn public_ip_stays_without_subnet() -> Diagnostic {
    let detail = "Serverless computes can give up their public addresses only in a subnet of yours. Set \
                  serverless_compute.subnet_id, or public_ip_enabled = true.";
    one_way(detail).at(Path::root("serverless_compute").attribute("public_ip_enabled"))
}

fn one_way(detail: impl Display) -> Diagnostic {
    Diagnostic::error("This change is one-way", format!("{detail}\n\n{DESTROY_ALL}"))
}

/// The engine plans the change of an object before its replacement, unless it is tainted.
const REPLACE: &str = " To replace the hub instead, set purge_on_destroy = true, which frees its name, and run taint ADDRESS before \
                       the next plan (-replace would meet this error as well).";

// Replacing and deleting.

pub(super) fn name_would_be_taken(hub: &WorkspaceId) -> Diagnostic {
    let detail = format!(
        "This plan deletes\n{hub}\n\nand creates a hub of the same name, which Azure refuses: a deleted hub keeps its name for 14 days. \
         Set purge_on_destroy = true to have it deleted for good, with everything that could still be recovered, or choose \
         another name. A hub that is only tainted and works can be kept: terraform untaint ADDRESS.\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("A deleted hub keeps its name", detail).at(Path::root("purge_on_destroy"))
}

const FORCE: &str = "To delete them with the hub, apply force_destroy = true first. To leave hub and projects in place and only \
                     take the hub out of the state, use this block instead of its own:";

pub(super) fn projects_will_stop(hub: &str, projects: &[&str]) -> Diagnostic {
    let detail = format!(
        "Deleting the hub {hub} deletes its projects as well:\n{}\n\nUnless they are gone by then, the apply will stop. {FORCE}\n\n{}",
        projects.join("\n"),
        state_advice::removed_block(TYPE)
    );
    Diagnostic::warning("The hub has projects", detail)
}

pub(super) fn has_projects(hub: &WorkspaceId, projects: &[String]) -> Diagnostic {
    let detail = format!(
        "Deleting the hub {hub} would delete its projects as well:\n{}\n\nNothing was deleted. Delete the projects first. {FORCE}\n\n{}",
        projects.join("\n"),
        state_advice::removed_block(TYPE)
    );
    Diagnostic::error("The hub has projects", detail)
}

pub(super) fn projects_will_go(hub: &str, projects: &[&str]) -> Diagnostic {
    let detail = format!(
        "Deleting the hub {hub} deletes its projects as well, since force_destroy is set:\n{}",
        projects.join("\n")
    );
    Diagnostic::warning("Projects are deleted with the hub", detail)
}

pub(super) fn not_deleted(hub: &WorkspaceId, error: &Error) -> Diagnostic {
    let (summary, next) = failed_write(hub, error, Doing::DELETING);
    summary.error(format!("The hub {hub} could not be deleted.\n\n{}", report::explain(error, &next)))
}

/// An object was deleted, and another one for the same hub stays or was created in this run.
pub(super) fn kept_for_another(hub: &WorkspaceId) -> Diagnostic {
    let detail = format!("Another {TYPE} of\n{hub}\n\nstays or was created in this run, so the hub was not deleted.");
    Diagnostic::warning("The hub is kept", detail)
}

pub(super) fn overlaps(state: &State, overlaps: &[Overlap]) -> Diagnostics {
    let hub = state.id.text().unwrap_or_default();
    let word = |overlap: &Overlap| match overlap.relation {
        Relation::BothStay => two_resources(hub),
        Relation::Succeeds { .. } | Relation::IsSucceeded { .. } => renamed(hub),
        Relation::IsUndone => deletes_what_stays(hub),
        Relation::Stays | Relation::Releases => {
            let detail = format!("Another {TYPE} of\n{hub}\n\nstays in this state, so that the hub is not deleted.");
            Diagnostic::warning("The hub is kept", detail)
        }
    };
    let mut found = Vec::new();
    for diagnostic in overlaps.iter().map(word) {
        if !found.contains(&diagnostic) {
            found.push(diagnostic);
        }
    }
    Diagnostics(found)
}

fn two_resources(hub: &str) -> Diagnostic {
    let advice = state_advice::remove_from_state(TYPE);
    let detail =
        format!("Two {TYPE} resources are the hub\n{hub}\n\nRemove one of the two blocks. {advice}\n\n{DESTROY_ALL}");
    Diagnostic::error("Two resources for one hub", detail).at(Path::root(NAME))
}

fn renamed(hub: &str) -> Diagnostic {
    let moved = state_advice::moved_block(TYPE);
    let detail = format!(
        "This plan deletes the hub\n{hub}\n\nwith its projects, and creates it anew, for another {TYPE}. If the resource was renamed, \
         or its key in for_each was changed, write\n\n{moved}\n\nand nothing changes in Azure. {DESTROY_ALL}"
    );
    Diagnostic::error("One hub is destroyed and created in one plan", detail).at(Path::root(NAME))
}

fn deletes_what_stays(hub: &str) -> Diagnostic {
    let advice = state_advice::remove_from_state(TYPE);
    let detail = format!(
        "This plan deletes the hub\n{hub}\n\nfor one {TYPE} and keeps it for another one. {advice}\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("One hub is kept and destroyed in one plan", detail).at(Path::root(NAME))
}

// What all writes have in common.

struct Doing {
    doing: &'static str,
    not_allowed: Summary,
    action: &'static str,
    failed: Summary,
    operation_failed: Summary,
}

impl Doing {
    const CREATING: Self = Self {
        doing: "creating the hub",
        not_allowed: Summary("Not allowed to create the hub"),
        action: "Microsoft.MachineLearningServices/workspaces/write",
        failed: Summary("Cannot create the hub"),
        operation_failed: Summary("Azure failed to create the hub"),
    };
    const CHANGING: Self = Self {
        doing: "changing the hub",
        not_allowed: Summary("Not allowed to change the hub"),
        failed: Summary("Cannot change the hub"),
        operation_failed: Summary("Azure failed to change the hub"),
        ..Self::CREATING
    };
    const DELETING: Self = Self {
        doing: "deleting the hub",
        not_allowed: Summary("Not allowed to delete the hub"),
        action: "Microsoft.MachineLearningServices/workspaces/delete",
        failed: Summary("Cannot delete the hub"),
        operation_failed: Summary("Azure failed to delete the hub"),
    };
    const PURGING: Self = Self {
        doing: "purging the deleted hub",
        not_allowed: Summary("Not allowed to purge the deleted hub"),
        failed: Summary("Cannot purge the deleted hub"),
        operation_failed: Summary("Azure failed to purge the deleted hub"),
        ..Self::DELETING
    };
}

/// The summary of a write that failed, and what to do.
fn failed_write(hub: &WorkspaceId, error: &Error, doing: Doing) -> (Summary, String) {
    if let Some((summary, next)) = hub_refusal::explain(error) {
        return (summary, next.to_owned());
    }
    let attempt = Write {
        doing: doing.doing,
        not_allowed: doing.not_allowed,
        action: doing.action,
        scope: hub.as_str(),
        roles: "Azure AI Administrator, Contributor and Owner allow it; Azure AI Developer does not.",
    };
    if let Some(explained) = write_error::explain(error, attempt) {
        return explained;
    }
    match error {
        Error::Operation(operation) => {
            let next = match operation.outcome {
                OperationOutcome::Failed => "Azure accepted the request, and its operation failed. If it fails again, see the hub's activity log.",
                OperationOutcome::Canceled => "Azure's operation was canceled. Apply again.",
            };
            (doing.operation_failed, next.to_owned())
        }
        _ if matches!(error.code(), Some(ErrorCode::Other(code)) if code.eq_ignore_ascii_case("InternalServerError")) => (
            doing.failed,
            "Azure answers so at times where something cannot change in place, such as public_network_access. Apply again; if it \
             fails again, see the hub's activity log."
                .to_owned(),
        ),
        Error::Decode { .. } | Error::Protocol { .. } => (doing.failed, MISTAKE.to_owned()),
        _ => (doing.failed, String::new()),
    }
}
