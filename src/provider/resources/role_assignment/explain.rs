//! What the user reads when a grant goes wrong: for each of Azure's error codes what it means here and what to do.

use time::format_description::well_known::Rfc3339;

use super::{
    choice::Role,
    grant::{Entry, Wanted},
    schema::State,
};
use crate::{
    arm::{ArmId, Error, ErrorCode, role_assignments::RoleAssignment, workspaces::Workspace},
    framework::{
        Diagnostic, Diagnostics, Path,
        walk::{Overlap, Relation},
    },
    provider::{
        refusal::{self, Attempt},
        report::{self, DESTROY_ALL},
    },
};

const TYPE: &str = "foundryhub_role_assignment";

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
        Some(ErrorCode::RoleDefinitionDoesNotExist) => (
            "There is no such role",
            "A custom role can be assigned only within its assignable scopes. Check role_definition_name or role_definition_id."
                .to_owned(),
            None,
        ),
        Some(ErrorCode::ResourceNotFound | ErrorCode::ResourceGroupNotFound) => (
            "The scope does not exist",
            "Check the target, or let it refer to the resource that makes it.".to_owned(),
            None,
        ),
        _ => {
            let action = "Microsoft.Authorization/roleAssignments/write";
            let attempt = attempt("grant the role", "Not allowed to grant roles", action, scope);
            let (summary, next) = refusal::explain(error, attempt).unwrap_or(("Cannot grant a role", String::new()));
            (summary, next, None)
        }
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
pub(super) fn not_removed(entry: &Entry, principal: &str, error: &Error) -> Diagnostic {
    let action = "Microsoft.Authorization/roleAssignments/delete";
    let attempt = attempt("remove the role", "Not allowed to remove roles", action, &entry.id.scope);
    let (summary, next) = refusal::explain(error, attempt).unwrap_or(("Cannot remove a role", String::new()));
    let told = report::explain(error, &next);
    let what = match error.may_have_had_effect() {
        true => "may still be there; the state keeps it until a refresh shows that it is not",
        false => "is still there",
    };
    Diagnostic::error(
        summary,
        format!("The assignment of {:?} to {principal} {what}:\n{}\n\n{told}", entry.role.name, entry.id),
    )
}

/// Role assignments could not be looked at.
pub(super) fn not_read(entry: &Entry, principal: &str, error: &Error) -> Diagnostic {
    let roles = "Reader, Contributor and any role that grants roles allow it.";
    let action = "Microsoft.Authorization/roleAssignments/read";
    let next = report::lacks(error, action, entry.id.scope.as_str(), roles);
    let told = report::explain(error, &next);
    let detail = format!("{:?} of {principal} by\n{}\n\n{told}", entry.role.name, entry.id);
    Diagnostic::error("Cannot read a role assignment", detail)
}

/// What a write or a removal of a role assignment takes.
fn attempt<'a>(doing: &'a str, not_allowed: &'static str, action: &'a str, scope: &'a ArmId) -> Attempt<'a> {
    let roles = "Owner, User Access Administrator and Role Based Access Control Administrator allow it; Contributor does not. \
                 The caller's own role may carry a condition that limits which roles it may grant.";
    Attempt { doing, not_allowed, action, scope: scope.as_str(), roles }
}

/// The same grant is there under another name, and that is not wanted.
pub(super) fn exists(
    state: &State,
    wanted: &Wanted,
    existing: Option<&RoleAssignment>,
    error: Option<&Error>,
) -> Diagnostic {
    let moved = report::moved_block(TYPE);
    let principal = state.principal_id.text().unwrap_or_default();
    let mut detail = format!("{principal} already has {:?} on {}", wanted.role.name, wanted.id.scope);
    match existing {
        Some(existing) => detail.push_str(&format!(" by the assignment\n{}\n{}", existing.id, made_by(existing))),
        None => detail.push_str(", by an assignment that cannot be seen from here."),
    }
    detail.push_str(" It is not in this state, as far as it has been looked at, and there can be only one.");
    let id = state.import_id();
    let id = id.text().unwrap_or("TARGET|PRINCIPAL|ROLE");
    detail.push_str(&format!(
        "\n\nTo manage it from here, import it:\n\nimport {{\n  to = foundryhub_role_assignment.NAME\n  id = \"{id}\"\n}}\n\nTo \
         use it and leave it to whoever made it, set on_existing = \"adopt\". If a resource of this state has it and was \
         renamed, write a moved block:\n\n{moved}"
    ));
    if let Some(error) = error {
        let next = "If the resource itself holds the role and is being replaced, remove create_before_destroy from its \
                    lifecycle: an assignment that was imported or moved here has a name of its own, and must go first.";
        detail.push_str(&format!("\n\n{}", report::explain(error, next)));
    }
    Diagnostic::error("The role is already assigned", detail)
}

/// Who made an assignment and when, as far as Azure says it.
fn made_by(found: &RoleAssignment) -> String {
    let properties = &found.properties;
    let by = properties.created_by.as_deref().filter(|by| !by.is_empty()).map(|by| format!(" by {by}"));
    let on = properties.created_on.and_then(|on| on.format(&Rfc3339).ok()).map(|on| format!(" on {on}"));
    match (by, on) {
        (None, None) => String::new(),
        (by, on) => format!("which was made{}{}.", by.unwrap_or_default(), on.unwrap_or_default()),
    }
}

/// What to do about an object that a replacement has left over.
const DEPOSED: &str = "If the plan calls one of them \"deposed\", it is left over from a replacement. Plan again without \
                       -parallelism=1 and -refresh=false; where it says the same again, take both out of the state with \
                       state rm ADDRESS and import the resource again.";

/// An object of this state has the grant, under the name that an import, a move or an earlier version gave it.
pub(super) fn held_by_this_state(state: &State, wanted: &Wanted, existing: &RoleAssignment) -> Diagnostic {
    let principal = state.principal_id.text().unwrap_or_default();
    let detail = format!(
        "{principal} has {:?} on {} by the assignment\n{}\n\nwhich a resource of this state holds already. {}",
        wanted.role.name,
        wanted.id.scope,
        existing.id,
        renamed()
    );
    Diagnostic::error("This state already holds the role", detail)
}

fn renamed() -> String {
    let moved = report::moved_block(TYPE);
    format!(
        "If that resource was renamed, or its key in for_each was changed, write\n\n{moved}\n\nand nothing changes in Azure. With \
         count, where resources shift when one is taken out, use for_each with the principals as keys, and moved blocks to get \
         there.\n\n{DEPOSED}\n\n{DESTROY_ALL}"
    )
}

/// What an object has in common with others of its walk: one message for each way.
pub(super) fn overlaps(state: &State, overlaps: &[Overlap]) -> Diagnostics {
    let of = |wanted: fn(&Overlap) -> bool| overlaps.iter().filter(|overlap| wanted(overlap)).collect::<Vec<_>>();
    let both = of(|overlap| overlap.relation == Relation::BothStay);
    let undone = of(|overlap| overlap.relation == Relation::IsUndone);
    let stays = of(|overlap| overlap.relation == Relation::Stays);
    let lets_go = of(|overlap| overlap.relation == Relation::LetsGo);
    let is_renamed =
        |overlap: &Overlap| matches!(overlap.relation, Relation::Succeeds { .. } | Relation::IsSucceeded { .. });
    let renamed: Vec<_> = overlaps.iter().filter(|overlap| is_renamed(overlap)).collect();
    let mut found = Vec::new();
    if let Some(first) = both.first() {
        found.push(granted_twice(state, first));
    }
    if let Some(first) = undone.first() {
        found.push(removed_and_kept(&first.other, called(state)));
    } else if let Some(first) = lets_go.first() {
        found.push(removed_and_kept(called(state), &first.other));
    }
    if let Some(first) = stays.first() {
        found.push(another_resource_stays(state, first));
    }
    if let Some(first) = renamed.first() {
        found.push(if renamed.iter().any(|overlap| overlap.same_name == Some(false)) {
            removed_and_made_under_another_name(state, first)
        } else {
            removed_and_made(state, &renamed)
        });
    }
    Diagnostics(found)
}

/// What the object of a plan is called.
fn called(state: &State) -> &str {
    state.id.text().unwrap_or("a resource whose id is not known yet")
}

/// Two resources that stay or are made for one grant.
fn granted_twice(state: &State, overlap: &Overlap) -> Diagnostic {
    let let_go = report::let_go(TYPE);
    let detail = format!(
        "These two foundryhub_role_assignment resources grant the same role to the same principal on the same scope:\n{}\n{}\n\n\
         Azure has one assignment for both, and whichever resource is destroyed first would take it from the other. Grant the \
         role once: remove one of the two blocks, and where hubs share a storage account, grant it by storage_account_id. \
         {let_go}\n\n{DESTROY_ALL}",
        called(state),
        overlap.other
    );
    Diagnostic::error("Two resources grant the same role", detail)
}

/// An object is removed, or lets go of assignments, that another one needs, and cannot be told so.
fn removed_and_kept(removed: &str, kept: &str) -> Diagnostic {
    let let_go = report::let_go(TYPE);
    let detail = format!(
        "This plan destroys or changes\n{removed}\n\nand with it role assignments that another resource needs, too:\n{kept}\n\n\
         {let_go}\n\n{DEPOSED}\n\n{DESTROY_ALL}"
    );
    Diagnostic::error("A role is kept and removed in one plan", detail)
}

/// An object is removed whose assignments another one has, too.
fn another_resource_stays(state: &State, overlap: &Overlap) -> Diagnostic {
    let detail = format!(
        "{}\n\nis destroyed, and another resource of this state, which stays, has the same role assignments:\n{}\n\nThey are left in \
         place for it.",
        called(state),
        overlap.other
    );
    Diagnostic::warning("Role assignments stay for another resource", detail)
}

/// One object is removed and another one made that grants the same under another name.
fn removed_and_made_under_another_name(state: &State, overlap: &Overlap) -> Diagnostic {
    let detail = format!(
        "This plan destroys a foundryhub_role_assignment and creates another one for the same principal, role and scope:\n{}\n{}\n\n\
         The state holds the assignment under another name, which follows from another target or choice of roles or came by an \
         import, a move or an earlier version of the provider, and Azure allows no second one. {} To let another resource have \
         the role, apply the removal first.",
        called(state),
        overlap.other,
        renamed()
    );
    Diagnostic::error("This state already holds the role", detail)
}

/// One object is removed and another one made that grants the same.
fn removed_and_made(state: &State, overlaps: &[&Overlap]) -> Diagnostic {
    let moved = report::moved_block(TYPE);
    let is_kept = overlaps.iter().all(|overlap| {
        matches!(overlap.relation, Relation::Succeeds { kept: true } | Relation::IsSucceeded { kept: true })
    });
    let what = match is_kept {
        true => "The role assignments stay in place for the new one.",
        false => {
            "The removal may come first, and the principal is then without the role until the new resource has made the \
             assignment again, for some minutes also in Azure's caches."
        }
    };
    let detail = format!(
        "This plan destroys a foundryhub_role_assignment and creates another one for the same principal, role and scope:\n{}\n{}\n\n\
         {what} If the resource was renamed, or its key in for_each was changed, write\n\n{moved}\n\nand nothing changes in \
         Azure. With count, where resources shift when one is taken out, use for_each with the principals as keys.",
        called(state),
        overlaps.first().map_or("", |overlap| overlap.other.as_str())
    );
    let summary = if is_kept { "A role is handed to another resource" } else { "Access may be interrupted" };
    Diagnostic::warning(summary, detail)
}

/// The principal of a replacement is not known while it is planned.
pub(super) fn principal_not_known() -> Diagnostic {
    let detail = "principal_id is not known yet, so this resource is replaced: its roles are removed first and granted again \
                  afterwards, also if the principal turns out to be the same. To keep access without interruption in that case, \
                  set lifecycle { create_before_destroy = true }, or apply what principal_id comes from first, with -target.";
    Diagnostic::warning("Access may be interrupted", detail).at(Path::root("principal_id"))
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

/// Assignments that are to be made are there already, under the very names that they would get.
pub(super) fn continued(state: &State, found: &[(&Wanted, &RoleAssignment)]) -> Diagnostic {
    let principal = state.principal_id.text().unwrap_or_default();
    let lines: Vec<_> = found
        .iter()
        .map(|(wanted, found)| format!("{:?}: {}\n  {}", wanted.role.name, wanted.id, made_by(found)))
        .collect();
    let detail = format!(
        "{principal} already has these role assignments on {}, under the names that this resource gives them:\n{}\n\nThis \
         resource continues them, and destroying it will remove them. They may be left from an interrupted run, or belong to \
         a resource of this state that was renamed. If another state has the same resource, let go of it there with a removed block that has destroy = false.",
        found.first().map_or(String::new(), |(wanted, _)| wanted.id.scope.to_string()),
        lines.join("\n")
    );
    Diagnostic::warning("Existing role assignments are continued", detail)
}

/// Assignments of an object that is removed stay, because another one has them.
pub(super) fn kept_for_another(principal: &str, entries: &[Entry]) -> Diagnostic {
    let lines: Vec<_> = entries.iter().map(|entry| format!("{:?}: {}", entry.role.name, entry.id)).collect();
    let detail = format!(
        "{principal} keeps these role assignments, because another resource has them or has made them in this run:\n{}",
        lines.join("\n")
    );
    Diagnostic::warning("Role assignments are kept", detail)
}

/// An assignment that Azure denies, although it is too young to be gone.
pub(super) fn settling(entry: &Entry, principal: &str) -> Diagnostic {
    let detail = format!(
        "Azure does not show the assignment of {:?} to {principal} yet:\n{}\n\nIt was made less than five minutes ago, so this is \
         taken for a delay on Azure's side and not for its removal.",
        entry.role.name, entry.id
    );
    Diagnostic::warning("The role assignment is not visible yet", detail)
}

/// An assignment that was removed by somebody else.
pub(super) fn lost(entry: &Entry, principal: &str) -> Diagnostic {
    let detail = format!(
        "{principal} no longer has {:?} on {}: the assignment was removed outside of Terraform.\n{}",
        entry.role.name, entry.id.scope, entry.id
    );
    Diagnostic::warning("A role was taken away", detail)
}

/// The same, and the name has been given to another assignment.
pub(super) fn replaced_by_another(entry: &Entry, principal: &str, found: &RoleAssignment) -> Diagnostic {
    let detail = format!(
        "{principal} no longer has {:?} on {}: the assignment was removed outside of Terraform, and its name is that of an \
         assignment of {} now, which is left alone.\n{}",
        entry.role.name, entry.id.scope, found.properties.principal_id, entry.id
    );
    Diagnostic::warning("A role was taken away", detail)
}

/// What was removed turned out to be somebody else's.
pub(super) fn put_back(entry: &Entry, theirs: &str, error: Option<&Error>) -> Diagnostic {
    let detail = format!(
        "The assignment of {:?} that this resource had was removed outside of Terraform, and its name had been given to an \
         assignment of {theirs}:\n{}\n\n",
        entry.role.name, entry.id
    );
    match error {
        None => Diagnostic::warning(
            "Another assignment was removed and made again",
            format!("{detail}It was removed by its name and made again at once, as it was."),
        ),
        Some(error) => Diagnostic::error(
            "Another assignment was removed",
            format!(
                "{detail}It was removed by its name and could not be made again.\n\n{}",
                report::explain(error, "")
            ),
        ),
    }
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
        let wanted = Wanted::all(&ArmId::root(), &[roles::BLOB_READER.into()], &state).unwrap();
        let told = not_granted(&state, &wanted[0], &error.into());
        assert_eq!(told.summary, "A policy is in the way");
        assert!(told.detail.contains(r#"The policy is "Groups only" (definition "d1")"#), "{}", told.detail);
    }
}
