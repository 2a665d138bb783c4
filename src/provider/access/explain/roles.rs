//! What findings about roles say.

use super::explanation::Explanation;
use crate::{
    arm::{ArmId, StorageAccountId, WorkspaceId},
    framework::Summary,
    provider::{
        access::{Doubt, Principal},
        roles::{self, Role},
    },
};

const PRINCIPALS: &str = "access_check_principal_ids";

/// Somebody lacks roles, or may lack them where there are doubts.
pub(super) fn missing(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    target: (&str, &str),
    principal: &Principal,
    roles: &[Role],
    doubts: &[Doubt],
) -> Explanation {
    let id = principal.id();
    let names = names(roles);
    let text = match doubts {
        [] => format!("{id} lacks {names} on {account}."),
        _ => format!("Whether {id} has {names} on {account} cannot be verified: {}.", why_not_verifiable(doubts)),
    };
    let who = who(hub, principal);
    let summary = match (principal, doubts) {
        (Principal::PrimaryIdentity(_), _) => Summary("An identity of the hub may lack access"),
        (_, [_, ..]) => Summary("Access cannot be verified"),
        (Principal::Required(_), []) => Summary("A principal would lose access"),
        (_, []) => Summary("The hub's identity would lose access"),
    };
    if let Principal::SystemIdentity(_) = principal {
        let next = "The platform assigns that role when the hub switches to identity, which can take some minutes; do not assign it \
                    yourself. If it is still missing then, save the hub's storage access in the portal once more.";
        let in_run = "Apply again later, or raise platform_grant_timeout.".to_owned();
        return Explanation { in_run, ..Explanation::new(summary, text + &who, next) };
    }
    let is_required = matches!(principal, Principal::Required(_));
    let mut next = Vec::new();
    next.extend(doubts.contains(&Doubt::Condition).then_some(CHECK_CONDITION));
    if is_required && doubts.iter().any(|doubt| matches!(doubt, Doubt::Group | Doubt::GroupWithCustomRole)) {
        next.push("If it is a member of the group, name the group in its place.");
    }
    let resource = may_be_assigned(doubts).then(|| resource_block(target, id, !is_required, roles));
    next.extend(resource.is_some().then(|| assigns(doubts)));
    let in_run = resource.as_ref().map(|_| IN_RUN.to_owned()).unwrap_or_default();
    let attribute = is_required.then_some(PRINCIPALS);
    Explanation { resource, in_run, attribute, ..Explanation::new(summary, text + &who, next.join(" ")) }
}

/// What a principal is to the hub.
pub(super) fn who(hub: &WorkspaceId, principal: &Principal) -> String {
    match principal {
        Principal::Required(_) => String::new(),
        Principal::SystemIdentity(_) => format!(" It is the system-assigned identity of the hub {hub}."),
        Principal::AssignedIdentity(_) => {
            format!(" It is the user-assigned identity of the hub {hub}, which has no system-assigned one.")
        }
        Principal::PrimaryIdentity(_) => format!(
            " It is the primary user-assigned identity of the hub {hub}, which has a system-assigned one, too. Which of the two \
             accesses the storage account is not documented."
        ),
    }
}

/// The explanation with what assigns roles at a scope to an identity.
pub(super) fn grant(
    explanation: Explanation,
    scope: &ArmId,
    identity: &str,
    roles: &[Role],
    doubts: &[Doubt],
) -> Explanation {
    let resource = may_be_assigned(doubts).then(|| identity_block(scope, identity, roles));
    let mut next = Vec::new();
    next.extend(doubts.contains(&Doubt::Condition).then_some(CHECK_CONDITION));
    next.extend(resource.is_some().then(|| assigns(doubts)));
    let in_run = resource.as_ref().map(|_| IN_RUN.to_owned()).unwrap_or_default();
    Explanation { next: next.join(" "), resource, in_run, ..explanation }
}

const CHECK_CONDITION: &str =
    "Check that the condition allows what is needed: only assignments without one count here.";

const IN_RUN: &str = "List that resource in depends_on here.";

/// Azure allows one assignment for a principal, role and scope, with a condition or without.
fn may_be_assigned(doubts: &[Doubt]) -> bool {
    doubts != [Doubt::Condition]
}

fn assigns(doubts: &[Doubt]) -> &'static str {
    match doubts {
        [] => "This resource assigns it:",
        _ => "This resource assigns it directly:",
    }
}

pub(super) fn names(roles: &[Role]) -> String {
    roles.iter().map(|role| format!("{:?}", role.name)).collect::<Vec<_>>().join(" and ")
}

pub(super) fn why_not_verifiable(doubts: &[Doubt]) -> String {
    doubts.iter().map(|doubt| doubt_in_words(*doubt)).collect::<Vec<_>>().join(", and ")
}

fn doubt_in_words(doubt: Doubt) -> String {
    let text = match doubt {
        Doubt::Condition => "one of its assignments has a condition",
        Doubt::CustomRole => "it holds a role that may be a custom one, whose permissions are not checked",
        Doubt::PerhapsEnough(role) => {
            return format!("it holds {:?}, of which it is not known whether it is enough", role.name);
        }
        Doubt::Group => "a group holds the role, and its members are not checked",
        Doubt::GroupWithCustomRole => {
            "a group holds a role that may be a custom one, and neither its members nor the role's permissions are checked"
        }
    };
    text.to_owned()
}

/// The HCL of a resource that assigns roles on the account.
fn resource_block(target: (&str, &str), principal: &str, is_identity: bool, roles: &[Role]) -> String {
    let mut lines = vec![target, ("principal_id", principal)];
    lines.extend(is_identity.then_some(("principal_type", "ServicePrincipal")));
    lines.push(match roles {
        // The pair would meet the role that is there already.
        [role] => ("role_definition_name", role.name),
        _ => ("access", "contributor"),
    });
    role_assignment(lines.into_iter().map(|(name, value)| (name, format!("{value:?}"))).collect())
}

/// The HCL of a resource that assigns roles to an identity at any scope.
fn identity_block(scope: &ArmId, identity: &str, roles: &[Role]) -> String {
    let text = |value: &str| format!("{value:?}");
    let (for_each, role) = match roles {
        [role] => (None, text(role.name)),
        _ => {
            let names: Vec<_> = roles.iter().map(|role| text(role.name)).collect();
            (Some(("for_each", format!("toset([{}])", names.join(", ")))), "each.key".to_owned())
        }
    };
    let rest = [
        ("scope", text(scope.as_str())),
        ("principal_id", text(identity)),
        ("principal_type", text("ServicePrincipal")),
        ("role_definition_name", role),
    ];
    role_assignment(for_each.into_iter().chain(rest).collect())
}

/// A block with these attributes, whose values are HCL.
fn role_assignment(lines: Vec<(&str, String)>) -> String {
    // Equals signs stand below each other, as formatted HCL has them.
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: String = lines.iter().map(|(name, value)| format!("  {name:width$} = {value}\n")).collect();
    format!("resource \"foundryhub_role_assignment\" \"NAME\" {{\n{lines}}}")
}

pub(super) fn nobody(hub: &WorkspaceId, account: &StorageAccountId, target: (&str, &str)) -> Explanation {
    let text = format!(
        "No user and no group holds roles for both blobs and files on {account}, so nobody can work with the data of {hub} in the \
         studio."
    );
    let next = "This resource assigns them to a user or a group:";
    let resource = Some(resource_block(target, "OBJECT_ID", false, &roles::CONTRIBUTOR_PAIR));
    Explanation { resource, ..Explanation::new(Summary("Nobody has roles on the storage account"), text, next) }
}

pub(super) fn identity_unknown(hub: &WorkspaceId, candidates: &[String]) -> Explanation {
    let (others, next) = match candidates {
        [] => ("no user-assigned one".to_owned(), "Give the hub a system-assigned identity."),
        ids => (
            format!("Azure does not say which of its user-assigned identities it uses: {}", ids.join(", ")),
            "Set primaryUserAssignedIdentity of the hub, or give it a system-assigned identity.",
        ),
    };
    let text = format!("The hub {hub} has no system-assigned identity, and {others}.");
    Explanation::new(Summary("The hub's identity is not known"), text, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::access::Finding;

    const ID: &str = "aaaaaaaa-0000-0000-0000-000000000001";

    fn hub() -> WorkspaceId {
        WorkspaceId::new("11111111-0000-0000-0000-000000000001", "rg1", "hub1").unwrap()
    }

    fn account() -> StorageAccountId {
        StorageAccountId::new("11111111-0000-0000-0000-000000000001", "rg1", "sa1").unwrap()
    }

    fn principals() -> [Principal; 4] {
        [
            Principal::Required(ID.to_owned()),
            Principal::SystemIdentity(ID.to_owned()),
            Principal::AssignedIdentity(ID.to_owned()),
            Principal::PrimaryIdentity(ID.to_owned()),
        ]
    }

    fn explain(principal: Principal, roles: &[Role], doubts: &[Doubt]) -> Explanation {
        let (roles, doubts) = (roles.to_vec(), doubts.to_vec());
        let finding = match doubts.as_slice() {
            [] => Finding::Lacks { principal, roles },
            _ => Finding::NotVerifiable { principal, roles, doubts },
        };
        finding.explain(&hub(), &account(), true)
    }

    #[test]
    fn a_proposed_resource_does_not_assign_roles_that_are_held_already() {
        let [required, _, assigned, _] = principals();
        let pair = explain(required.clone(), &roles::CONTRIBUTOR_PAIR, &[]).resource.unwrap();
        let lines = format!("{{\n  hub_id       = \"{}\"\n  principal_id = \"{ID}\"\n  access       = ", hub());
        assert!(pair.contains(&lines) && pair.ends_with("\"contributor\"\n}"), "{pair}");
        let one = explain(required.clone(), &[roles::FILE_READER], &[]).resource.unwrap();
        assert!(one.contains("  role_definition_name = \"Storage File Data Privileged Reader\"\n}"), "{one}");
        assert!(!one.contains("principal_type"), "{one}");
        let identity = explain(assigned, &roles::CONTRIBUTOR_PAIR, &[]).resource.unwrap();
        assert!(identity.contains("  principal_type = \"ServicePrincipal\"\n  access         = "), "{identity}");
        // Azure refuses a second assignment of a role that is held with a condition.
        let conditional = explain(required.clone(), &[roles::BLOB_READER], &[Doubt::Condition]);
        assert_eq!(conditional.resource, None);
        assert!(conditional.next.contains("the condition allows") && !conditional.next.contains("assigns"));
        let both = explain(required, &roles::CONTRIBUTOR_PAIR, &[Doubt::Condition, Doubt::Group]);
        assert!(
            both.resource.is_some() && both.next.contains("the condition allows") && both.next.contains("the group")
        );
    }

    #[test]
    fn advice_fits_whose_roles_are_missing() {
        for principal in principals() {
            for doubts in [&[][..], &[Doubt::Group], &[Doubt::CustomRole]] {
                let Explanation { text, next, resource, in_run, attribute, .. } =
                    explain(principal.clone(), &[roles::BLOB_CONTRIBUTOR], doubts);
                assert!(
                    text.contains(ID) && text.contains("\"Storage Blob Data Contributor\" on /subscriptions/"),
                    "{text}"
                );
                let is_required = matches!(principal, Principal::Required(_));
                assert_eq!(attribute, is_required.then_some(PRINCIPALS));
                assert_eq!(text.contains(hub().as_str()), !is_required, "{text}");
                // What the platform assigns is not for the user to assign.
                let is_platforms = matches!(principal, Principal::SystemIdentity(_));
                assert_eq!(resource.is_none(), is_platforms);
                assert_eq!(in_run.contains("depends_on"), !is_platforms, "{in_run}");
                assert_eq!(in_run.contains("platform_grant_timeout"), is_platforms, "{in_run}");
                let names_group = next.contains("name the group in its place");
                assert_eq!(names_group, is_required && doubts == [Doubt::Group], "{next}");
            }
        }
    }

    #[test]
    fn roles_at_any_scope_are_assigned_by_one_block() {
        let scope = ArmId::parse("/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv1").unwrap();
        let explain = |roles: &[Role], doubts: &[Doubt]| {
            let (identity, scope) = (ID.to_owned(), scope.clone());
            let finding = Finding::IdentityRoles { identity, scope, roles: roles.to_vec(), doubts: doubts.to_vec() };
            finding.explain(&hub(), &account(), true)
        };
        let one = explain(&[roles::CONTRIBUTOR], &[]);
        let lines = format!(
            "{{\n  scope                = \"{scope}\"\n  principal_id         = \"{ID}\"\n  principal_type       = \
             \"ServicePrincipal\"\n  role_definition_name = \"Contributor\"\n}}"
        );
        assert!(one.in_run.contains("depends_on"), "{}", one.in_run);
        let resource = one.resource.unwrap();
        assert!(resource.ends_with(&lines), "{resource}");
        assert!(one.text.contains(&format!("{ID} lacks \"Contributor\" on {scope}.")), "{}", one.text);
        let two = explain(&[roles::CONTRIBUTOR, roles::KEY_VAULT_ADMINISTRATOR], &[]).resource.unwrap();
        assert!(
            two.contains("for_each             = toset([\"Contributor\", \"Key Vault Administrator\"])\n"),
            "{two}"
        );
        assert!(two.ends_with("role_definition_name = each.key\n}"), "{two}");
        let conditional = explain(&[roles::CONTRIBUTOR], &[Doubt::Condition]);
        assert_eq!(conditional.resource, None);
        assert!(conditional.next.contains("the condition allows") && conditional.text.contains("cannot be verified"));
        let perhaps = explain(&[roles::CONTRIBUTOR], &[Doubt::PerhapsEnough(roles::AI_ADMINISTRATOR)]);
        assert!(perhaps.text.contains("Azure AI Administrator") && perhaps.resource.is_some());
    }

    #[test]
    fn a_hub_without_any_identity_is_not_told_to_choose_one() {
        let explain = |candidates: &[&str]| {
            let candidates = candidates.iter().map(|id| (*id).to_owned()).collect();
            Finding::HubIdentityUnknown { candidates }.explain(&hub(), &account(), true)
        };
        assert!(
            explain(&[ID, "b"]).text.contains(ID) && explain(&[ID, "b"]).next.contains("primaryUserAssignedIdentity")
        );
        assert_eq!(explain(&[]).next, "Give the hub a system-assigned identity.");
    }
}
