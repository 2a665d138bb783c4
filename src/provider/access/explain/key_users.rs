//! What is said of those who use the account's keys.

use super::explanation::{Explanation, KEYS};
use crate::{
    arm::{ArmId, StorageAccountId, WorkspaceId, computes::ComputeKind},
    framework::Summary,
    provider::access::key_user::{KeyUser, Maker, StoredCredential},
};

pub(super) fn others(account: &StorageAccountId, others: &[ArmId], hubs: usize) -> Explanation {
    let in_run = format!(
        "This run has not begun to do that. If it is going to, it has to switch all hubs of the account at the same time: apply with \
         -parallelism={hubs} or more (the engine's default is 10), or set shared_access_key_enabled only in the next apply."
    );
    let more = ", and have no access without shared keys";
    let next = "Switch them to identity, each with a foundryhub_storage_auth of its own.";
    Explanation { in_run, ..workspaces(Summary("Other workspaces use the keys"), account, more, others, next) }
}

pub(super) fn others_not_switched(account: &StorageAccountId, others: &[ArmId]) -> Explanation {
    let more = ". This run failed to switch them to identity; the errors of their own resources say why";
    let next = "Correct those errors, and apply again.";
    workspaces(Summary("Other workspaces could not be switched"), account, more, others, next)
}

pub(super) fn others_being_switched(account: &StorageAccountId, others: &[ArmId]) -> Explanation {
    let more = ". This run is switching them to identity, which took longer than platform_grant_timeout";
    let next = "Apply again when they are switched, or raise platform_grant_timeout.";
    workspaces(Summary("Other workspaces still use the keys"), account, more, others, next)
}

fn workspaces(summary: Summary, account: &StorageAccountId, more: &str, others: &[ArmId], next: &str) -> Explanation {
    let ids: Vec<&str> = others.iter().map(ArmId::as_str).collect();
    let text = format!("These workspaces sign in to {account} with its key, too{more}:\n{}", ids.join("\n"));
    Explanation { attribute: Some(KEYS), ..Explanation::new(summary, text, next) }
}

pub(super) fn system_datastores(hub: &WorkspaceId, names: &[String]) -> Explanation {
    let text = format!(
        "These datastores of {hub} still sign in with the account's key, although the hub does not: {}. Without shared \
         keys they fail with KeyBasedAuthenticationNotPermitted.",
        names.join(", ")
    );
    let next = "They can follow the hub some minutes later. If they do not, save the hub's storage access in the portal once more, or \
                change the datastores to identity-based access.";
    let in_run = "Apply again later.".to_owned();
    Explanation { in_run, ..Explanation::new(Summary("Datastores still use the key"), text, next) }
}

/// What is said of one key user. That of others of its kind differs in the text alone.
pub(super) fn of(user: &KeyUser, account: &StorageAccountId) -> Explanation {
    let stored =
        |id: &str, what| format!("{id} signs in to the account {} with {what} that it has stored.", account.name());
    let made = |id: &str, by| format!("{id} has the name that {by} give it.");
    let (summary, text, next) = match user {
        KeyUser::Datastore { id, credential: StoredCredential::Key } => {
            (Summary("Datastores hold a key of the account"), stored(id, "an account key"), fails("datastore", DATASTORE))
        }
        KeyUser::Datastore { id, credential: StoredCredential::Sas } => {
            let text = stored(id, "a shared access signature");
            (Summary("Datastores hold a shared access signature"), text, may_fail("datastore", DATASTORE))
        }
        KeyUser::Connection { id, credential: StoredCredential::Key } => {
            (Summary("Connections hold a key of the account"), stored(id, "an account key"), fails("connection", CONNECTION))
        }
        KeyUser::Connection { id, credential: StoredCredential::Sas } => {
            let text = stored(id, "a shared access signature");
            (Summary("Connections hold a shared access signature"), text, may_fail("connection", CONNECTION))
        }
        KeyUser::Compute { id, kind } => (
            COMPUTES,
            format!("{id} may have the files of the account {} mounted with an account key.", account.name()),
            match kind {
                ComputeKind::Instance => format!(
                    "Restart it once shared keys are disabled, or make it anew if that does not help; its user needs a role for files on the \
                     account. {ONLY_THIS_PLAN}"
                ),
                ComputeKind::Cluster => format!(
                    "Let it scale down to no nodes once shared keys are disabled: nodes that start later have no key. Who runs jobs on it needs \
                     roles on the account. {ONLY_THIS_PLAN}"
                ),
            },
        ),
        KeyUser::Container { id, name, made_by: Maker::TerraformState } => (
            Summary("The account may have state of Terraform"),
            format!("{id} has the name of a container for state of Terraform or OpenTofu."),
            format!("{BACKEND}\n\n{}", backend(account.name(), name)),
        ),
        KeyUser::Container { id, made_by: Maker::Functions, .. } => (
            Summary("The account may serve Azure Functions"),
            made(id, "function apps"),
            "An app whose setting AzureWebJobsStorage is a connection string stops without shared keys. Set \
             AzureWebJobsStorage__accountName instead, and give the app's identity Storage Blob Data Owner on the account. Content \
             shares of Functions always need keys: those belong on another account."
                .to_owned(),
        ),
        KeyUser::Container { id, made_by: Maker::DeploymentScripts, .. } => (
            Summary("The account may serve deployment scripts"),
            made(id, "deployment scripts of ARM templates"),
            "They mount their files with a key and fail without: name another account in their storageAccountSettings."
                .to_owned(),
        ),
        KeyUser::Container { id, made_by: Maker::CloudShell, .. } => (
            Summary("The account may serve Cloud Shell"),
            made(id, "sessions of Cloud Shell"),
            "Cloud Shell mounts it with a key, and its files cannot be reached without: let its user move to another account."
                .to_owned(),
        ),
        KeyUser::Container { id, made_by: Maker::DiagnosticSettings, .. } => (
            Summary("The account receives logs or metrics"),
            made(id, "diagnostic settings"),
            "They write as a trusted service; whether that needs shared keys is not documented. Look after the change whether new \
             ones arrive. Whoever reads them with a key needs a data role instead."
                .to_owned(),
        ),
    };
    let in_run = match user {
        KeyUser::Container { .. } => {
            "It keeps its name: list its id in access_check_ignore_ids when that is done.".to_owned()
        }
        _ => String::new(),
    };
    Explanation { in_run, attribute: Some(KEYS), ..Explanation::new(summary, text, next) }
}

const COMPUTES: Summary = Summary("Computes have files mounted with the key");

const ONLY_THIS_PLAN: &str =
    "Azure does not show whether that was done, so that only the plan that disables shared keys says this.";

const DATASTORE: &str = "Write it anew without credentials, so that it signs in with the identity of whoever uses it; these need a \
                         data role on the account.";

const CONNECTION: &str =
    "Change its authentication to Microsoft Entra (authType AAD); whoever uses it needs a data role on the account.";

const BACKEND: &str = "The backend azurerm signs in with an account key unless it is told otherwise, and then fails at the next run. Give whoever \
                       runs it Storage Blob Data Contributor on the container, remove access_key and sas_token, and run terraform init \
                       -reconfigure with this:";

fn fails(what: &str, next: &str) -> String {
    format!("Without shared keys such a {what} fails with KeyBasedAuthenticationNotPermitted. {next}")
}

fn may_fail(what: &str, next: &str) -> String {
    format!(
        "Without shared keys such a {what} fails with KeyBasedAuthenticationNotPermitted, unless the signature is one of user delegation, which \
         Azure does not show. {next}"
    )
}

/// HCL of a backend that signs in with Microsoft Entra.
fn backend(account: &str, container: &str) -> String {
    format!(
        "terraform {{\n  backend \"azurerm\" {{\n    use_azuread_auth     = true\n    storage_account_name = {account:?}\n    \
         container_name       = {container:?}\n    key                  = \"KEY\"\n  }}\n}}"
    )
}
