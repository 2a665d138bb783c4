//! What the user reads when a grant goes wrong: for each of Azure's error codes what it means here and what to do.

use super::{
    choice::Role,
    grant::{Entry, Wanted},
    schema::State,
};
use crate::{
    arm::{self, Error, ErrorCode, role_assignments::RoleAssignment, workspaces::Workspace},
    framework::{Diagnostic, Path},
    provider::report,
};

/// A role could not be granted.
pub(super) fn not_granted(state: &State, wanted: &Wanted, error: &Error) -> Diagnostic {
    let principal = state.principal_id.text().unwrap_or_default();
    let scope = &wanted.id.scope;
    let role = &wanted.role.name;
    let (summary, next, at) = match error.code() {
        Some(ErrorCode::PrincipalNotFound) => (
            "The principal does not exist",
            format!(
                "{principal} was asked for until principal_propagation_timeout ended. Check that it is an object id: the \
                 client id (application id) of an application is a common mistake, since its service principal has an \
                 object id of its own, which az ad sp show --id {principal} --query id shows. For a principal that was \
                 made only just now set principal_type, so that Azure need not find it in the directory, or raise \
                 principal_propagation_timeout."
            ),
            Some("principal_id"),
        ),
        Some(ErrorCode::UnmatchedPrincipalType) => (
            "The principal is of another type",
            format!(
                "principal_type is {}. Set it to what the principal is, or leave it out. Managed identities and \
                 applications are ServicePrincipal.",
                state.principal_type.text().unwrap_or("not set")
            ),
            Some("principal_type"),
        ),
        Some(ErrorCode::InvalidPrincipalId) => (
            "The principal id is not valid",
            "principal_id is the object id of a user, group, service principal or managed identity, a GUID.".to_owned(),
            Some("principal_id"),
        ),
        Some(ErrorCode::RoleAssignmentUpdateNotPermitted) => (
            "The name of the assignment is taken",
            format!(
                "The assignment {} has the name that follows from this scope, role and principal, and yet is about \
                 something else. Names are unique in the whole tenant. Somebody gave it this name by hand: delete it with \
                 az role assignment delete --ids {}, and apply again.",
                wanted.id, wanted.id
            ),
            None,
        ),
        Some(ErrorCode::RoleAssignmentLimitExceeded) => (
            "No more role assignments fit in",
            "A subscription holds a fixed number of role assignments. Grant the roles to a group and put the principals \
             into it, assign at a wider scope, or delete assignments of principals that are gone; az role assignment list \
             --all shows them."
                .to_owned(),
            None,
        ),
        Some(ErrorCode::AuthorizationFailed | ErrorCode::LinkedAuthorizationFailed) => (
            "Not allowed to grant roles",
            forbidden(error, "Microsoft.Authorization/roleAssignments/write", scope.as_str()),
            None,
        ),
        Some(ErrorCode::RoleDefinitionDoesNotExist) => (
            "There is no such role",
            "A custom role can be assigned only within its assignable scopes. Check role_definition_name or role_definition_id."
                .to_owned(),
            None,
        ),
        _ => common(error, "grant the role").unwrap_or((
            "Cannot grant a role",
            String::new(),
            None,
        )),
    };
    let told = report::explain(error, &next);
    let mut diagnostic =
        Diagnostic::error(summary, format!("{role:?} could not be granted to {principal} on {scope}.\n\n{told}"));
    if error.may_have_had_effect() {
        diagnostic.detail.push_str("\n\nThe assignment may have been made all the same; the state keeps it until a refresh shows that it is not there.");
    }
    match at {
        Some(name) => diagnostic.at(Path::root(name)),
        None => diagnostic,
    }
}

/// A role could not be taken away.
pub(super) fn not_removed(entry: &Entry, error: &Error) -> Diagnostic {
    let scope = &entry.id.scope;
    let (summary, next, _) = match error.code() {
        Some(ErrorCode::AuthorizationFailed) => (
            "Not allowed to remove roles",
            forbidden(error, "Microsoft.Authorization/roleAssignments/delete", scope.as_str()),
            None,
        ),
        _ => common(error, "remove the role").unwrap_or(("Cannot remove a role", String::new(), None)),
    };
    let told = report::explain(error, &next);
    let what = match error.may_have_had_effect() {
        true => "may still be there; the state keeps it until a refresh shows that it is not",
        false => "is still there",
    };
    Diagnostic::error(summary, format!("The assignment {} of {:?} {what}.\n\n{told}", entry.id, entry.role.name))
}

/// Role assignments could not be looked at.
pub(super) fn not_read(entry: &Entry, error: &Error) -> Diagnostic {
    let next = match error.code() {
        Some(ErrorCode::AuthorizationFailed) => {
            forbidden(error, "Microsoft.Authorization/roleAssignments/read", entry.id.scope.as_str())
        }
        _ => String::new(),
    };
    report::failure(format!("Cannot read the assignment of {:?}", entry.role.name), error, &next)
}

type Explained = (&'static str, String, Option<&'static str>);

/// Errors that mean the same whatever is done.
fn common(error: &Error, doing: &str) -> Option<Explained> {
    match error.cause() {
        Error::Cancelled { .. } => return Some(("Interrupted", String::new(), None)),
        Error::DeadlineExceeded { .. } if error.code().is_none() => {
            let next =
                "The operation took longer than the timeouts block allows. Raise create, update or delete there.";
            return Some(("Out of time", next.to_owned(), None));
        }
        _ => {}
    }
    let explained = match error.code()? {
        ErrorCode::ScopeLocked => (
            "A lock is in the way",
            format!(
                "A lock on the scope or above it forbids to {doing}. Remove the lock, apply again, and set it again; az lock list shows the locks."
            ),
        ),
        ErrorCode::RequestDisallowedByPolicy => {
            let policies: Vec<_> = error
                .service()
                .map(arm::ServiceError::policy_violations)
                .unwrap_or_default()
                .into_iter()
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
        ErrorCode::ResourceNotFound | ErrorCode::ResourceGroupNotFound => {
            ("The scope does not exist", "Check the target, or let it refer to the resource that makes it.".to_owned())
        }
        _ => return None,
    };
    Some((explained.0, explained.1, None))
}

/// What a refused caller needs.
fn forbidden(error: &Error, action: &str, scope: &str) -> String {
    let roles = if action.ends_with("/read") {
        "Reader, Contributor and any role that grants roles allow it."
    } else {
        "Owner, User Access Administrator and Role Based Access Control Administrator allow it; Contributor does not. The \
         caller's own role may carry a condition that limits which roles it may grant."
    };
    report::lacks(error, action, scope, roles)
}

/// The same grant is there under another name, and that is not wanted.
pub(super) fn exists(
    state: &State,
    wanted: &Wanted,
    existing: Option<&RoleAssignment>,
    error: Option<&Error>,
) -> Diagnostic {
    let principal = state.principal_id.text().unwrap_or_default();
    let mut detail = format!("{principal} already has {:?} on {}", wanted.role.name, wanted.id.scope);
    match existing {
        Some(existing) => detail.push_str(&format!(" by the assignment\n{}", existing.id)),
        None => detail.push_str(", by an assignment that cannot be seen from here"),
    }
    detail.push_str(", which this configuration does not manage. There can be only one.");
    let id = state.import_id();
    let id = id.text().unwrap_or("TARGET|PRINCIPAL|ROLE");
    detail.push_str(&format!(
        "\n\nTo manage it from here, import it:\n\nimport {{\n  to = foundryhub_role_assignment.NAME\n  id = \"{id}\"\n}}\n\nTo \
         use it and leave it to whoever made it, set on_existing = \"adopt\"."
    ));
    if let Some(error) = error {
        let next = "If the resource itself holds the role and is being replaced, remove create_before_destroy from its \
                    lifecycle: an assignment that was imported or moved here has a name of its own, and must go first.";
        detail.push_str(&format!("\n\n{}", report::explain(error, next)));
    }
    Diagnostic::error("The role is already assigned", detail)
}

/// The same grant is there under another name and cannot be seen.
pub(super) fn cannot_find_existing(wanted: &Wanted, error: &Error) -> Diagnostic {
    let next = "Azure says that the assignment exists, and neither names nor lists it, which may be because it is very young. \
                Apply again in some minutes. Seeing it takes Microsoft.Authorization/roleAssignments/read.";
    report::failure(format!("Cannot adopt the assignment of {:?}", wanted.role.name), error, next)
}

/// The same grant is there under another name and on other terms.
pub(super) fn cannot_adopt(wanted: &Wanted, existing: &RoleAssignment, difference: &str) -> Diagnostic {
    let detail = format!(
        "The assignment {} of {:?} cannot be adopted: {difference}. Adopting never changes an assignment. Import it to change \
         it from here, or configure the same condition.",
        existing.id, wanted.role.name
    );
    Diagnostic::error("The role is assigned under another condition", detail).at(Path::root("condition"))
}

/// The assignment that is to be made is there already.
pub(super) fn taken_over(wanted: &[&Wanted]) -> Diagnostic {
    let ids: Vec<_> = wanted.iter().map(|wanted| format!("{} ({})", wanted.id, wanted.role.name)).collect();
    let detail = format!(
        "These assignments have just the names that this resource gives them, and will be taken over:\n{}\n\nThey may be left \
         from an interrupted run. If another resource or another state manages them, only one of the two may keep them, \
         since whoever is destroyed first removes them for both: use a moved block for a renamed resource, and a removed \
         block with destroy = false for the one that lets go.",
        ids.join("\n")
    );
    Diagnostic::warning("Role assignments of this name exist", detail)
}

/// An assignment stays because something else in this run has made it its own.
pub(super) fn claimed(entry: &Entry) -> Diagnostic {
    let detail = format!(
        "The assignment {} of {:?} stays: another resource, or the replacement of this one, has made it its own in this run.",
        entry.id, entry.role.name
    );
    Diagnostic::warning("The role is kept", detail)
}

/// An assignment that Azure denies, although it is too young to be gone.
pub(super) fn settling(entry: &Entry) -> Diagnostic {
    let detail = format!(
        "Azure does not show the assignment {} of {:?} yet. It was made less than five minutes ago, so this is taken for a \
         delay on Azure's side and not for its removal.",
        entry.id, entry.role.name
    );
    Diagnostic::warning("The role assignment is not visible yet", detail)
}

/// An assignment that was removed by somebody else.
pub(super) fn lost(entry: &Entry) -> Diagnostic {
    let detail = format!(
        "The assignment {} of {:?} is gone: it was removed outside of Terraform. Applying grants the role again.",
        entry.id, entry.role.name
    );
    Diagnostic::warning("A role was taken away", detail)
}

/// Two resources of one configuration make the same assignment.
pub(super) fn made_twice(wanted: &[&Wanted]) -> Diagnostic {
    let ids: Vec<_> = wanted.iter().map(|wanted| format!("{} ({})", wanted.id, wanted.role.name)).collect();
    let detail = format!(
        "Another resource of this configuration is about to make these assignments too:\n{}\n\nBoth would stand for the same \
         assignment, and whichever is destroyed first removes it for both. Keep one of them.",
        ids.join("\n")
    );
    Diagnostic::warning("Two resources make the same role assignment", detail)
}

/// An object that is to be removed has assignments that another one has too.
pub(super) fn held_by_another(entries: &[Entry]) -> Diagnostic {
    let ids: Vec<_> = entries.iter().map(|entry| format!("{} ({})", entry.id, entry.role.name)).collect();
    let detail = format!(
        "Another object of this state, which stays, has these assignments too:\n{}\n\nThey are left in place for it, and only \
         this object is forgotten.",
        ids.join("\n")
    );
    Diagnostic::warning("Role assignments stay for another object", detail)
}

/// An assignment that may be that of an object's successor.
pub(super) fn has_a_successor(entry: &Entry) -> Diagnostic {
    let detail = format!(
        "The assignment {} of {:?} stays. This object was replaced in an earlier run, and the assignment was written since, or \
         was never written from here, so it may be that of the successor by now. If nothing needs it, remove it with az role \
         assignment delete --ids {}.",
        entry.id, entry.role.name, entry.id
    );
    Diagnostic::warning("The role is kept", detail)
}

/// An assignment that came from elsewhere and that only a look at the hubs could tell from the platform's own.
pub(super) fn may_be_the_platforms(entry: &Entry, error: &Error) -> Diagnostic {
    let next = format!(
        "The assignment {} came from elsewhere, and its principal may be the system-assigned identity of a hub, whose grants \
         are the platform's and must stay. If the principal is something else, remove it with az role assignment delete --ids \
         {}.",
        entry.id, entry.id
    );
    let lacks = report::lacks(
        error,
        "Microsoft.MachineLearningServices/workspaces/read",
        &format!("/subscriptions/{}", entry.id.scope.subscription().unwrap_or_default()),
        "Reader",
    );
    let detail = format!("{}\n\n{next}", report::explain(error, &lacks));
    Diagnostic::error(format!("Cannot tell whose grant of {:?} this is", entry.role.name), detail)
}

/// Why a grant of the platform is not made from here.
pub(super) fn refuse_to_make_the_platforms(hub: &Workspace, role: &Role) -> Diagnostic {
    let detail = format!(
        "{principal} is the system-assigned identity of the hub {hub}. The platform gives it {role:?} on the hub's storage \
         account by itself, when the hub is made or changes to identity, and that assignment must not be changed by hand. \
         Remove this resource; to see whether the grant is there, use an import instead, which never deletes it.",
        principal = hub.system_principal_id().unwrap_or_default(),
        hub = hub.id,
        role = role.name,
    );
    Diagnostic::error("The platform makes this assignment", detail).at(Path::root("principal_id"))
}

/// A grant that was made turns out to be one that the platform makes.
pub(super) fn leaves_to_the_platform(hub: &Workspace, wanted: &Wanted) -> Diagnostic {
    let detail = format!(
        "The principal is the system-assigned identity of the hub {}, to which the platform gives {:?} by itself. The \
         assignment {} will do instead, and it is left alone from now on: it stays when this resource is changed or \
         destroyed, since the hub cannot work without it. There is no need for this resource.",
        hub.id, wanted.role.name, wanted.id
    );
    Diagnostic::warning("The platform makes this assignment", detail)
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use serde_json::json;

    use super::*;
    use crate::{
        arm::{ArmId, ServiceError, error::AdditionalInfo},
        provider::roles,
    };

    fn refused(code: ErrorCode) -> ServiceError {
        ServiceError {
            method: Method::PUT,
            path: "/x".to_owned(),
            status: StatusCode::FORBIDDEN,
            code,
            message: "No.".to_owned(),
            target: None,
            details: Vec::new(),
            additional_info: Vec::new(),
            correlation_id: None,
            request_id: None,
            date: None,
        }
    }

    #[test]
    fn a_policy_that_refuses_is_named() {
        let violation = AdditionalInfo {
            kind: "PolicyViolation".to_owned(),
            info: json!({ "policyAssignmentDisplayName": "Groups only", "policyDefinitionName": "d1" }),
        };
        let error = ServiceError { additional_info: vec![violation], ..refused(ErrorCode::RequestDisallowedByPolicy) };
        let wanted = Wanted::new(&ArmId::root(), roles::BLOB_READER.into(), "p");
        let told = not_granted(&State::default(), &wanted, &error.into());
        assert_eq!(told.summary, "A policy is in the way");
        assert!(told.detail.contains(r#"The policy is "Groups only" (definition "d1")"#), "{}", told.detail);
    }
}
