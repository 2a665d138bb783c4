//! What an access check has found, in words.

use crate::{
    arm::{self, ArmId, Error, StorageAccountId, WorkspaceId},
    framework::{Diagnostic, Path, Severity},
    provider::{
        report,
        roles::{self, Role},
    },
};

/// Something that stands between somebody and their data once keys are off, or that cannot be ruled out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    summary: &'static str,
    detail: String,
    at: Option<&'static str>,
    /// Whether a role assignment of the configuration would mend it.
    is_granted_here: bool,
    /// Whether it stops a change that enforces the check.
    pub stops: bool,
}

impl Finding {
    fn new(summary: &'static str, detail: String) -> Self {
        Self { summary, detail, at: None, is_granted_here: false, stops: true }
    }

    /// The finding as a warning of a plan, which changes nothing yet.
    pub(super) fn foretold(&self, enforced: bool) -> Diagnostic {
        let stops = enforced && self.stops;
        let next = if stops { "If it is still so when this is applied, the apply will stop." } else { "" };
        self.diagnostic(Severity::Warning, next)
    }

    /// The finding as a message of an apply: an error where it stops the change.
    pub(super) fn judged(&self, enforced: bool) -> Diagnostic {
        if !enforced || !self.stops {
            return self.diagnostic(Severity::Warning, "");
        }
        let turn = "If a grant refers to this resource, turn the reference round: let the grant name the hub_id, and list \
                    it in depends_on here. ";
        let next = format!(
            "access_check is enforce, so nothing more is changed. {}With access_check = \"warn\" this is a warning.",
            if self.is_granted_here { turn } else { "" }
        );
        self.diagnostic(Severity::Error, &next)
    }

    fn diagnostic(&self, severity: Severity, next: &str) -> Diagnostic {
        let detail = if next.is_empty() { self.detail.clone() } else { format!("{}\n\n{next}", self.detail) };
        let diagnostic = Diagnostic { severity, summary: self.summary.to_owned(), detail, path: None };
        match self.at {
            Some(name) => diagnostic.at(Path::root(name)),
            None => diagnostic,
        }
    }
}

const PRINCIPALS: &str = "access_check_principal_ids";

/// A principal lacks roles.
pub(super) fn lacks(hub: &WorkspaceId, account: &StorageAccountId, principal: &str, roles: &[Role]) -> Finding {
    let detail = format!(
        "{principal} lacks {} on {account}. This grants it; list it in depends_on of this resource:\n\n{}",
        names(roles),
        grant(hub, principal, &choice(roles))
    );
    Finding { at: Some(PRINCIPALS), is_granted_here: true, ..Finding::new("Somebody would lose access", detail) }
}

/// A principal may lack roles.
pub(super) fn unsure(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    principal: &str,
    roles: &[Role],
    why: &str,
) -> Finding {
    let detail = format!(
        "Whether {principal} has {} on {account} is not verifiable: {why}. A grant of its own makes it so; for a group, name \
         the group itself in access_check_principal_ids:\n\n{}",
        names(roles),
        grant(hub, principal, &choice(roles))
    );
    Finding { at: Some(PRINCIPALS), is_granted_here: true, ..Finding::new("Access cannot be verified", detail) }
}

/// Nobody at all could work with the data. That may be meant.
pub(super) fn nobody(hub: &WorkspaceId, account: &StorageAccountId) -> Finding {
    let detail = format!(
        "No user and no group holds a full pair of roles on {account}, so that nobody can work with the data of {hub} in the \
         studio. Whoever needs to gets the roles so:\n\n{}",
        grant(hub, "OBJECT_ID", "access       = \"contributor\"")
    );
    Finding { stops: false, ..Finding::new("Nobody has roles on the storage account", detail) }
}

const KEYS: &str = "shared_access_key_enabled";

/// Others use the same account with keys, and nothing is known of a change of that. `hubs` is how many there are in all,
/// with this one.
pub(super) fn others_use_keys(account: &StorageAccountId, others: &[&ArmId], hubs: usize) -> Finding {
    let detail = format!(
        "These workspaces use {account} too and sign in with its key, so that they would lose access when keys go off:\n{}\n\n\
         As far as is known now, this run does not switch them. If it is going to, all hubs of the account have to be \
         switched at the same time: apply with -parallelism={hubs} or more (the engine's default is 10), or leave \
         shared_access_key_enabled out of this apply and set it in the next one. Otherwise switch them to identity first, \
         each with a foundryhub_storage_auth of its own.",
        list(others)
    );
    Finding { at: Some(KEYS), ..Finding::new("Other workspaces use the keys", detail) }
}

/// This run was to switch others on the account, and could not.
pub(super) fn others_failed(account: &StorageAccountId, others: &[&ArmId]) -> Finding {
    let detail = format!(
        "These workspaces use {account} too and sign in with its key. This run was to switch them to identity and has not; \
         the errors of their own resources say why:\n{}\n\nApply again when those are mended.",
        list(others)
    );
    Finding { at: Some(KEYS), ..Finding::new("Other workspaces could not be switched", detail) }
}

/// This run is still switching others on the account.
pub(super) fn others_not_done(account: &StorageAccountId, others: &[&ArmId]) -> Finding {
    let detail = format!(
        "These workspaces use {account} too and sign in with its key. This run is switching them to identity and is not done \
         within platform_grant_timeout:\n{}\n\nApply again when they are switched, or raise platform_grant_timeout.",
        list(others)
    );
    Finding { at: Some(KEYS), ..Finding::new("Other workspaces still use the keys", detail) }
}

fn list(ids: &[&ArmId]) -> String {
    ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join("\n")
}

/// The workspaces of the subscription may not be listed.
pub(super) fn others_hidden(subscription: &str, error: &Error) -> Finding {
    let scope = format!("/subscriptions/{subscription}");
    hidden(
        "Whether other workspaces use the keys of this account",
        "Microsoft.MachineLearningServices/workspaces/read",
        &scope,
        error,
    )
}

/// The role assignments may not be listed.
pub(super) fn roles_hidden(account: &StorageAccountId, error: &Error) -> Finding {
    hidden(
        "Who holds which roles on the storage account",
        "Microsoft.Authorization/roleAssignments/read",
        account.as_str(),
        error,
    )
}

/// The datastores may not be listed.
pub(super) fn datastores_hidden(hub: &WorkspaceId, error: &Error) -> Finding {
    hidden(
        "Whether the hub's datastores still use the key",
        "Microsoft.MachineLearningServices/workspaces/datastores/read",
        hub.as_str(),
        error,
    )
}

fn hidden(what: &str, action: &str, scope: &str, error: &Error) -> Finding {
    let detail = match error.service().and_then(arm::ServiceError::denied) {
        _ if !error.is_forbidden() => format!("{what} cannot be verified: {}", report::explain(error, "")),
        Some(denied) => format!("{what} cannot be verified, needs {} on {}.", denied.action, denied.scope),
        None => format!("{what} cannot be verified, needs {action} on {scope}."),
    };
    Finding::new("Access cannot be verified", detail)
}

/// The hub's system-assigned identity lacks what the platform gives it.
pub(super) fn system_identity_lacks(hub: &WorkspaceId, account: &StorageAccountId, principal: &str) -> Finding {
    let detail = format!(
        "The hub {hub} has the system-assigned identity {principal}, which lacks {:?} on {account}. The platform gives it that \
         role by itself when the hub changes to identity, which can take some minutes; it is not to be granted from here. \
         Apply again later, or raise platform_grant_timeout, and if it stays away save the hub's storage access in the \
         portal once more.",
        roles::BLOB_CONTRIBUTOR.name
    );
    Finding::new("The hub's identity would lose access", detail)
}

/// The hub's system-assigned identity may lack the role.
pub(super) fn system_identity_unsure(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    principal: &str,
    why: &str,
) -> Finding {
    let detail = format!(
        "Whether the identity {principal} of the hub {hub} has {:?} on {account} is not verifiable: {why}.",
        roles::BLOB_CONTRIBUTOR.name
    );
    Finding::new("Access cannot be verified", detail)
}

/// The hub has only user-assigned identities, and the one that it uses lacks roles.
pub(super) fn assigned_identity_lacks(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    principal: &str,
    lacks: &[Role],
) -> Finding {
    let detail = format!(
        "The hub {hub} has no system-assigned identity, and its user-assigned identity {principal} lacks {} on {account}. The \
         platform does not grant that; this does, and is to be listed in depends_on of this resource:\n\n{}",
        names(lacks),
        grant_to_identity(hub, principal, lacks)
    );
    Finding { is_granted_here: true, ..Finding::new("The hub's identity would lose access", detail) }
}

/// The hub has only user-assigned identities, and the one that it uses may lack roles.
pub(super) fn assigned_identity_unsure(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    principal: &str,
    lacks: &[Role],
    why: &str,
) -> Finding {
    let detail = format!(
        "Whether the user-assigned identity {principal} of the hub {hub}, which has no system-assigned one, has {} on \
         {account} is not verifiable: {why}. A grant of its own makes it so:\n\n{}",
        names(lacks),
        grant_to_identity(hub, principal, lacks)
    );
    Finding { is_granted_here: true, ..Finding::new("Access cannot be verified", detail) }
}

/// The hub has identities of both sorts, and the user-assigned one that comes first lacks roles, or may. Which of the two
/// reaches the storage is not established.
pub(super) fn primary_identity_lacks(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    principal: &str,
    lacks: &[Role],
) -> Finding {
    let detail = format!(
        "The hub {hub} has a system-assigned identity, which the platform provides for, and the primary user-assigned identity \
         {principal}, which is not known to have {} on {account}. Azure does not say which of the two reaches the storage. \
         This grants it:\n\n{}",
        names(lacks),
        grant_to_identity(hub, principal, lacks)
    );
    Finding { stops: false, ..Finding::new("An identity of the hub may lack access", detail) }
}

/// The hub has nothing to sign in with.
pub(super) fn no_identity(hub: &WorkspaceId) -> Finding {
    let detail = format!(
        "The hub {hub} has no system-assigned identity, and which of its user-assigned identities it uses is not known. Set \
         primaryUserAssignedIdentity of the hub, or give it a system-assigned identity."
    );
    Finding::new("The hub's identity is not known", detail)
}

/// The datastores have not followed the hub's mode.
pub(super) fn datastores_use_keys(hub: &WorkspaceId, names: &[String]) -> Finding {
    let detail = format!(
        "These datastores of {hub} still sign in with the account's key, although the hub does not: {}. With keys off they \
         would fail with KeyBasedAuthenticationNotPermitted. It can take a while until they follow the hub. If they never \
         do, save the hub's storage access in the portal once more, or update the datastores to identity-based access.",
        names.join(", ")
    );
    Finding::new("Datastores still use the key", detail)
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(|role| format!("{:?}", role.name)).collect::<Vec<_>>().join(" and ")
}

fn grant_to_identity(hub: &WorkspaceId, principal: &str, roles: &[Role]) -> String {
    let choice = match roles {
        [role] => format!("principal_type       = \"ServicePrincipal\"\n  role_definition_name = \"{}\"", role.name),
        _ => "principal_type = \"ServicePrincipal\"\n  access         = \"contributor\"".to_owned(),
    };
    grant(hub, principal, &choice)
}

/// How a configuration chooses roles that include these.
fn choice(roles: &[Role]) -> String {
    let reads = roles.iter().all(|role| *role == roles::BLOB_READER || *role == roles::FILE_READER);
    format!("access       = \"{}\"", if reads { "reader" } else { "contributor" })
}

fn grant(hub: &WorkspaceId, principal: &str, choice: &str) -> String {
    // Equals signs stand below each other, as formatted HCL has them.
    let width = choice.find(" =").unwrap_or_default();
    let line = |name: &str, value: &str| format!("  {name:width$} = \"{value}\"\n");
    format!(
        "resource \"foundryhub_role_assignment\" \"NAME\" {{\n{}{}  {choice}\n}}",
        line("hub_id", hub.as_str()),
        line("principal_id", principal)
    )
}
