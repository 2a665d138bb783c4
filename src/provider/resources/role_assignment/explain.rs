//! Diagnostics of the resource.

use time::format_description::well_known::Rfc3339;

use super::{
    assignment::{StateAssignment, WantedAssignment},
    choice::Role,
    schema::State,
};
use crate::{
    arm::{ArmId, Error, ErrorCode, role_assignments::RoleAssignment, workspaces::Workspace},
    framework::{
        Diagnostic, Diagnostics, Path, Summary,
        walk::{Overlap, Relation},
    },
    provider::{
        report,
        state_advice::{self, DESTROY_ALL},
        write_error::{self, Write},
    },
};

const TYPE: &str = "foundryhub_role_assignment";

pub(super) fn not_granted(state: &State, wanted: &WantedAssignment, error: &Error) -> Diagnostic {
    let principal = state.principal_id.text().unwrap_or_default();
    let scope = &wanted.id.scope;
    let role = &wanted.role.name;
    let (summary, next, at) = match error.code() {
        Some(ErrorCode::PrincipalNotFound) => (
            Summary("The principal does not exist"),
            format!(
                "Azure did not find {principal} within principal_propagation_timeout. Check that it is an object id and not the \
                 client id (application id) of an application, whose service principal has an object id of its own: az ad sp \
                 show --id {principal} --query id shows it. For a new principal set principal_type, so that Azure need not \
                 find it in the directory, or raise principal_propagation_timeout."
            ),
            Some("principal_id"),
        ),
        Some(ErrorCode::UnmatchedPrincipalType) => (
            Summary("The principal is of another type"),
            format!(
                "principal_type is {}. Set it to what the principal is, or leave it out. Managed identities and \
                 applications are ServicePrincipal.",
                state.principal_type.text().unwrap_or("not set")
            ),
            Some("principal_type"),
        ),
        Some(ErrorCode::InvalidPrincipalId) => (
            Summary("The principal id is not valid"),
            "principal_id is the object id of a user, group, service principal or managed identity, a GUID.".to_owned(),
            Some("principal_id"),
        ),
        Some(ErrorCode::RoleAssignmentUpdateNotPermitted) => (
            Summary("The name of the assignment is taken"),
            format!(
                "The assignment {} has the name that this resource uses, and another scope, role or principal. Names are unique in \
                 the tenant. Delete it with az role assignment delete --ids {}, and apply again.",
                wanted.id, wanted.id
            ),
            None,
        ),
        Some(ErrorCode::RoleAssignmentLimitExceeded) => (
            Summary("The limit of role assignments is reached"),
            "A subscription allows a fixed number of role assignments. Assign the roles to a group that has the principals as \
             members, assign them at a wider scope, or delete assignments of principals that do not exist any more; az role \
             assignment list --all shows them."
                .to_owned(),
            None,
        ),
        Some(ErrorCode::RoleDefinitionDoesNotExist) => (
            Summary("The role does not exist"),
            "A custom role can be assigned only within its assignable scopes. Check role_definition_name or role_definition_id."
                .to_owned(),
            None,
        ),
        Some(ErrorCode::ResourceNotFound | ErrorCode::ResourceGroupNotFound) => (
            Summary("The scope does not exist"),
            "Check the target, or let it refer to the resource that creates it.".to_owned(),
            None,
        ),
        _ => {
            let action = "Microsoft.Authorization/roleAssignments/write";
            let write = write("assigning the role", Summary("Not allowed to assign roles"), action, scope);
            let (summary, next) = write_error::explain(error, write).unwrap_or((Summary("Cannot assign a role"), String::new()));
            (summary, next, None)
        }
    };
    let told = report::explain(error, &next);
    let mut diagnostic = summary.error(format!("{role:?} could not be assigned to {principal} on {scope}.\n\n{told}"));
    if error.may_have_had_effect() {
        diagnostic.detail.push_str("\n\nThe assignment may have been created all the same; the state keeps it until a refresh shows that it is missing.");
    }
    match at {
        Some(name) => diagnostic.at(Path::root(name)),
        None => diagnostic,
    }
}

pub(super) fn not_removed(entry: &StateAssignment, principal: &str, error: &Error) -> Diagnostic {
    let action = "Microsoft.Authorization/roleAssignments/delete";
    let write = write(
        "deleting the role assignment",
        Summary("Not allowed to delete role assignments"),
        action,
        &entry.id.scope,
    );
    let (summary, next) =
        write_error::explain(error, write).unwrap_or((Summary("Cannot delete a role assignment"), String::new()));
    let told = report::explain(error, &next);
    let what = match error.may_have_had_effect() {
        true => "may still exist; the state keeps it until a refresh shows that it is missing",
        false => "still exists",
    };
    summary.error(format!("The assignment of {:?} to {principal} {what}:\n{}\n\n{told}", entry.role.name, entry.id))
}

pub(super) fn not_read(entry: &StateAssignment, principal: &str, error: &Error) -> Diagnostic {
    let roles = "Reader, Contributor and any role that may assign roles allow it.";
    let action = "Microsoft.Authorization/roleAssignments/read";
    let next = report::lacks(error, action, entry.id.scope.as_str(), roles);
    let told = report::explain(error, &next);
    let detail = format!("{:?} is assigned to {principal} by\n{}\n\n{told}", entry.role.name, entry.id);
    Diagnostic::error("Cannot read a role assignment", detail)
}

fn write<'a>(doing: &'a str, not_allowed: Summary, action: &'a str, scope: &'a ArmId) -> Write<'a> {
    let roles = "Owner, User Access Administrator and Role Based Access Control Administrator allow it; Contributor does not. \
                 The caller's own role may have a condition that limits which roles it may assign.";
    Write { doing, not_allowed, action, scope: scope.as_str(), roles }
}

/// The role is assigned under another name, and on_existing is fail.
pub(super) fn exists(
    state: &State,
    wanted: &WantedAssignment,
    existing: Option<&RoleAssignment>,
    error: Option<&Error>,
) -> Diagnostic {
    let moved = state_advice::moved_block(TYPE);
    let principal = state.principal_id.text().unwrap_or_default();
    let mut detail = format!("{principal} already has {:?} on {}", wanted.role.name, wanted.id.scope);
    match existing {
        Some(existing) => detail.push_str(&format!(" by the assignment\n{}\n{}", existing.id, created_by(existing))),
        None => detail.push_str(", by an assignment that the caller cannot read."),
    }
    detail.push_str(" This state, as far as it has been read, does not have it, and Azure allows only one.");
    let id = state.import_id();
    let id = id.text().unwrap_or("TARGET|PRINCIPAL|ROLE");
    detail.push_str(&format!(
        "\n\nTo manage it, import it:\n\nimport {{\n  to = foundryhub_role_assignment.NAME\n  id = \"{id}\"\n}}\n\nTo \
         use it without managing it, set on_existing = \"adopt\". If a resource of this state has it and was renamed, write a \
         moved block:\n\n{moved}"
    ));
    if let Some(error) = error {
        let next = "If this resource has it and is being replaced, remove create_before_destroy from its lifecycle: an assignment \
                    that was imported or moved here has another name, and must be deleted first.";
        detail.push_str(&format!("\n\n{}", report::explain(error, next)));
    }
    Diagnostic::error("The role is already assigned", detail)
}

/// Who created an assignment and when, as far as Azure says it.
fn created_by(found: &RoleAssignment) -> String {
    let properties = &found.properties;
    let by = properties.created_by.as_deref().filter(|by| !by.is_empty()).map(|by| format!(" by {by}"));
    let on = properties.created_on.and_then(|on| on.format(&Rfc3339).ok()).map(|on| format!(" on {on}"));
    match (by, on) {
        (None, None) => String::new(),
        (by, on) => format!("which was created{}{}.", by.unwrap_or_default(), on.unwrap_or_default()),
    }
}

/// What to do about a deposed object.
const DEPOSED: &str = "If the plan calls one of them \"deposed\", it is left from a replacement. Plan again without -parallelism=1 and \
                       -refresh=false; if the error is still there, take both out of the state with state rm ADDRESS and \
                       import the resource again.";

/// An object of this state has the assignment, under the name that an import, a move or an earlier version gave it.
pub(super) fn held_by_this_state(state: &State, wanted: &WantedAssignment, existing: &RoleAssignment) -> Diagnostic {
    let principal = state.principal_id.text().unwrap_or_default();
    let detail = format!(
        "{principal} has {:?} on {} by the assignment\n{}\n\nwhich another resource of this state has. {}",
        wanted.role.name,
        wanted.id.scope,
        existing.id,
        renamed()
    );
    Diagnostic::error("This state already has the role assignment", detail)
}

fn renamed() -> String {
    let moved = state_advice::moved_block(TYPE);
    format!(
        "If that resource was renamed, or its key in for_each was changed, write\n\n{moved}\n\nand nothing changes in Azure. With \
         count, where resources shift when one is removed, change to for_each with the principals as keys by moved \
         blocks.\n\n{DEPOSED}\n\n{DESTROY_ALL}"
    )
}

/// One diagnostic for each relation to other objects.
pub(super) fn overlaps(state: &State, overlaps: &[Overlap]) -> Diagnostics {
    let of = |wanted: fn(&Overlap) -> bool| overlaps.iter().filter(|overlap| wanted(overlap)).collect::<Vec<_>>();
    let both = of(|overlap| overlap.relation == Relation::BothStay);
    let undone = of(|overlap| overlap.relation == Relation::IsUndone);
    let stays = of(|overlap| overlap.relation == Relation::Stays);
    let releases = of(|overlap| overlap.relation == Relation::Releases);
    let is_renamed =
        |overlap: &Overlap| matches!(overlap.relation, Relation::Succeeds { .. } | Relation::IsSucceeded { .. });
    let renamed: Vec<_> = overlaps.iter().filter(|overlap| is_renamed(overlap)).collect();
    let mut found = Vec::new();
    if let Some(first) = both.first() {
        found.push(assigned_twice(state, first));
    }
    if let Some(first) = undone.first() {
        found.push(deleted_and_kept(&first.other, label(state)));
    } else if let Some(first) = releases.first() {
        found.push(deleted_and_kept(label(state), &first.other));
    }
    if let Some(first) = stays.first() {
        found.push(another_resource_stays(state, first));
    }
    if let Some(first) = renamed.first() {
        found.push(if renamed.iter().any(|overlap| overlap.same_name == Some(false)) {
            replaced_under_another_name(state, first)
        } else {
            replaced(state, &renamed)
        });
    }
    Diagnostics(found)
}

/// The object in diagnostics.
fn label(state: &State) -> &str {
    state.id.text().unwrap_or("a resource whose id is not known yet")
}

/// Two resources that stay or are created for one role assignment.
fn assigned_twice(state: &State, overlap: &Overlap) -> Diagnostic {
    let advice = state_advice::remove_from_state(TYPE);
    let detail = format!(
        "These two foundryhub_role_assignment resources assign the same role to the same principal on the same scope:\n{}\n{}\n\n\
         Azure has one assignment for both, which is deleted with the first of them. Remove one of the two blocks; where hubs \
         share a storage account, set storage_account_id instead of hub_id. {advice}\n\n{DESTROY_ALL}",
        label(state),
        overlap.other
    );
    Diagnostic::error("Two resources assign the same role", detail)
}

/// An object is deleted or releases assignments that another one needs, and the apply does not know of the other one.
fn deleted_and_kept(deleted: &str, kept: &str) -> Diagnostic {
    let advice = state_advice::remove_from_state(TYPE);
    let detail = format!(
        "This plan destroys or changes\n{deleted}\n\nand with it role assignments that another resource needs, too:\n{kept}\n\n\
         {advice}\n\n{DEPOSED}\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("A role assignment is kept and deleted in one plan", detail)
}

fn another_resource_stays(state: &State, overlap: &Overlap) -> Diagnostic {
    let detail = format!(
        "This plan destroys\n{}\n\nand keeps another resource with the same role assignments, which stay in place for it:\n{}",
        label(state),
        overlap.other
    );
    Diagnostic::warning("Role assignments are kept for another resource", detail)
}

/// One object is deleted and another one is created for the same assignment under another name.
fn replaced_under_another_name(state: &State, overlap: &Overlap) -> Diagnostic {
    let detail = format!(
        "This plan destroys a foundryhub_role_assignment and creates another one for the same principal, role and scope:\n{}\n{}\n\n\
         The assignment in the state has another name, because its target or choice of roles differs or because it came by an \
         import, a move or an earlier version of the provider, and Azure allows no second one. {} To let the other resource \
         have the role, apply the removal first.",
        label(state),
        overlap.other,
        renamed()
    );
    Diagnostic::error("This state already has the role assignment", detail)
}

/// One object is deleted and another one is created for the same assignment.
fn replaced(state: &State, overlaps: &[&Overlap]) -> Diagnostic {
    let moved = state_advice::moved_block(TYPE);
    let is_kept = overlaps.iter().all(|overlap| {
        matches!(overlap.relation, Relation::Succeeds { kept: true } | Relation::IsSucceeded { kept: true })
    });
    let what = match is_kept {
        true => "The role assignments stay in place for the new one.",
        false => {
            "The assignment may be deleted first. The principal then lacks the role until it is assigned again, and some minutes \
             longer because of Azure's caches."
        }
    };
    let detail = format!(
        "This plan destroys a foundryhub_role_assignment and creates another one for the same principal, role and scope:\n{}\n{}\n\n\
         {what} If the resource was renamed, or its key in for_each was changed, write\n\n{moved}\n\nand nothing changes in \
         Azure. With count, where resources shift when one is removed, use for_each with the principals as keys.",
        label(state),
        overlaps.first().map_or("", |overlap| overlap.other.as_str())
    );
    let summary = if is_kept {
        Summary("A role assignment moves to another resource")
    } else {
        Summary("Access may be interrupted")
    };
    summary.warning(detail)
}

pub(super) fn principal_not_known() -> Diagnostic {
    let detail = "principal_id is not known yet, so this resource is replaced: its role assignments are deleted and then created \
                  again, even if the principal turns out to be the same. To avoid the interruption, set lifecycle { \
                  create_before_destroy = true }, or apply what principal_id comes from first, with -target.";
    Diagnostic::warning("Access may be interrupted", detail).at(Path::root("principal_id"))
}

/// The role is assigned under another name, and the assignment cannot be found.
pub(super) fn cannot_find_existing(wanted: &WantedAssignment, error: &Error) -> Diagnostic {
    let next = "Azure says that the assignment exists, and neither names nor lists it. It may be new: apply again in some minutes. \
                Reading it needs the permission Microsoft.Authorization/roleAssignments/read.";
    let told = report::explain(error, next);
    let detail = format!("The assignment of {:?} cannot be adopted.\n\n{told}", wanted.role.name);
    Diagnostic::error("Cannot adopt a role assignment", detail)
}

/// The role is assigned under another name and with another condition.
pub(super) fn cannot_adopt(wanted: &WantedAssignment, existing: &RoleAssignment, difference: &str) -> Diagnostic {
    let detail = format!(
        "The assignment {} of {:?} cannot be adopted: {difference}. Adopting never changes an assignment. Configure the \
         same condition, or import the assignment to change it.",
        existing.id, wanted.role.name
    );
    Diagnostic::error("The role is assigned under another condition", detail).at(Path::root("condition"))
}

/// Assignments that are to be created exist already, under the names that they would get.
pub(super) fn taken_over(state: &State, found: &[(&WantedAssignment, &RoleAssignment)]) -> Diagnostic {
    let principal = state.principal_id.text().unwrap_or_default();
    let lines: Vec<_> = found
        .iter()
        .map(|(wanted, found)| format!("{:?}: {}\n  {}", wanted.role.name, wanted.id, created_by(found)))
        .collect();
    let detail = format!(
        "{principal} already has these role assignments on {}, under the names that this resource gives them:\n{}\n\nThis \
         resource takes them over, and destroying it will delete them. They may be left from an interrupted run, or belong to \
         a resource of this state that was renamed. If another state has them, remove them there with a removed block that \
         has destroy = false.",
        found.first().map_or(String::new(), |(wanted, _)| wanted.id.scope.to_string()),
        lines.join("\n")
    );
    Diagnostic::warning("Existing role assignments are taken over", detail)
}

pub(super) fn kept_for_another(principal: &str, entries: &[StateAssignment]) -> Diagnostic {
    let lines: Vec<_> = entries.iter().map(|entry| format!("{:?}: {}", entry.role.name, entry.id)).collect();
    let detail = format!(
        "{principal} keeps these role assignments, because another resource has them or has created them in this run:\n{}",
        lines.join("\n")
    );
    Diagnostic::warning("Role assignments are kept", detail)
}

/// Azure does not find an assignment that is only minutes old.
pub(super) fn not_visible_yet(entry: &StateAssignment, principal: &str) -> Diagnostic {
    let detail = format!(
        "Azure does not show the assignment of {:?} to {principal} yet:\n{}\n\nIt was created less than five minutes ago, so it stays \
         in the state. If the next refresh still does not find it, it was deleted.",
        entry.role.name, entry.id
    );
    Diagnostic::warning("The role assignment is not visible yet", detail)
}

pub(super) fn lost(entry: &StateAssignment, principal: &str) -> Diagnostic {
    let detail = format!(
        "{principal} no longer has {:?} on {}: the assignment was deleted outside of Terraform.\n{}",
        entry.role.name, entry.id.scope, entry.id
    );
    Diagnostic::warning("A role assignment was deleted", detail)
}

/// The same, and its name is that of another assignment now.
pub(super) fn replaced_by_another(entry: &StateAssignment, principal: &str, found: &RoleAssignment) -> Diagnostic {
    let detail = format!(
        "{principal} no longer has {:?} on {}: the assignment was deleted outside of Terraform, and its name is that of an \
         assignment of {} now, which stays as it is.\n{}",
        entry.role.name, entry.id.scope, found.properties.principal_id, entry.id
    );
    Diagnostic::warning("A role assignment was deleted", detail)
}

/// The assignment that was deleted turned out to be somebody else's.
pub(super) fn recreated(entry: &StateAssignment, theirs: &str, error: Option<&Error>) -> Diagnostic {
    let detail = format!(
        "The assignment of {:?} that this resource had was deleted outside of Terraform, and its name was that of an \
         assignment of {theirs}:\n{}\n\n",
        entry.role.name, entry.id
    );
    match error {
        None => Diagnostic::warning(
            "Another role assignment was deleted and recreated",
            format!("{detail}It was deleted by its name and recreated at once, as it was."),
        ),
        Some(error) => Diagnostic::error(
            "Another role assignment was deleted",
            format!("{detail}It was deleted by its name and could not be recreated.\n\n{}", report::explain(error, "")),
        ),
    }
}

/// An assignment that was imported or moved here and may be the platform's, and the hubs could not be read.
pub(super) fn may_be_made_by_platform(entry: &StateAssignment, error: &Error) -> Diagnostic {
    let next = format!(
        "The assignment {} was imported or moved here, and its principal may be the system-assigned identity of a hub, whose \
         role assignments must stay. If the principal is something else, delete it with az role assignment delete --ids {}.",
        entry.id, entry.id
    );
    let lacks = report::lacks(
        error,
        "Microsoft.MachineLearningServices/workspaces/read",
        &format!("/subscriptions/{}", entry.id.scope.subscription().unwrap_or_default()),
        "Reader",
    );
    let detail = format!("{}\n\n{next}", report::explain(error, &lacks));
    Diagnostic::error("Cannot tell who created a role assignment", detail)
}

/// A role assignment that only the platform creates.
pub(super) fn platform_assigns_role(hub: &Workspace, role: &Role) -> Diagnostic {
    let detail = format!(
        "{principal} is the system-assigned identity of the hub {hub}. The platform assigns {role:?} on the hub's storage \
         account to it when the hub is created or switches to identity, and that assignment must not be changed by hand. \
         Remove this resource, or import the assignment, which is then never deleted.",
        principal = hub.system_principal_id().unwrap_or_default(),
        hub = hub.id,
        role = role.name,
    );
    Diagnostic::error("The platform assigns this role", detail).at(Path::root("principal_id"))
}

/// An assignment that was created turns out to be one that the platform creates.
pub(super) fn left_to_the_platform(hub: &Workspace, wanted: &WantedAssignment) -> Diagnostic {
    let detail = format!(
        "The principal is the system-assigned identity of the hub {}, to which the platform assigns {:?}. The assignment {} \
         takes the place of that one: it stays when this resource is changed or destroyed, since the hub cannot work without \
         it. Remove this resource from the configuration.",
        hub.id, wanted.role.name, wanted.id
    );
    Diagnostic::warning("The platform assigns this role", detail)
}

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};
    use serde_json::json;

    use super::*;
    use crate::{
        arm::{ArmId, ServiceError, error::AdditionalInfo},
        provider::{principal::PrincipalId, roles},
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
            claims_challenge: false,
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
        let state = State { principal_id: PrincipalId::from("p").into(), ..State::default() };
        let wanted = WantedAssignment::all(&ArmId::root(), &[roles::BLOB_READER.into()], &state).unwrap();
        let told = not_granted(&state, &wanted[0], &error.into());
        assert_eq!(told.summary, "A policy prevents the change");
        assert!(told.detail.contains(r#"The policy is "Groups only" (definition "d1")"#), "{}", told.detail);
    }
}
