//! What a finding says to the user: what is the case, what to do, and where in the configuration it belongs.

use super::{Access, AccessCheck, Doubt, Finding, List, Principal};
use crate::{
    arm::{self, ArmId, Error, StorageAccountId, WorkspaceId},
    framework::{Diagnostic, Diagnostics, Path, Severity},
    provider::{
        report,
        roles::{self, Role},
    },
};

const PRINCIPALS: &str = "access_check_principal_ids";
const KEYS: &str = "shared_access_key_enabled";

/// A finding in words.
#[derive(Debug, PartialEq, Eq)]
struct Explanation {
    summary: &'static str,
    /// What is the case.
    text: String,
    /// What to do.
    next: String,
    /// A role assignment that mends it, as HCL.
    grant: Option<String>,
    attribute: Option<&'static str>,
}

impl Access<'_> {
    /// The findings as warnings of a plan, which changes nothing yet.
    pub(crate) fn plan_messages(&self, findings: &[Finding]) -> Diagnostics {
        let say = |finding: &Finding| {
            let stops = "If it is still so when this is applied, the apply will stop.";
            let then = if self.stops(finding) { stops } else { "" };
            finding.explain(self.hub_id, self.account).diagnostic(Severity::Warning, then)
        };
        findings.iter().map(say).collect()
    }

    /// The findings as messages of an apply, errors where they stop the change. The log has them too.
    pub(crate) fn apply_messages(&self, findings: &[Finding]) -> Diagnostics {
        let say = |finding: &Finding| {
            let (code, subject) = (finding.code(), finding.subject(self.hub_id, self.account));
            let stops = self.stops(finding);
            tracing::info!(hub = %self.hub_id, code, subject, stops, "finding of the access check");
            let explained = finding.explain(self.hub_id, self.account);
            if !stops {
                return explained.diagnostic(Severity::Warning, "");
            }
            let turn = "If a grant refers to this resource, turn the reference round: let the grant name the hub_id, and \
                        list it in depends_on here. ";
            let then = format!(
                "access_check is enforce, so nothing more is changed. {}With access_check = \"warn\" this is a warning.",
                if explained.grant.is_some() { turn } else { "" }
            );
            explained.diagnostic(Severity::Error, &then)
        };
        findings.iter().map(say).collect()
    }

    /// Whether a finding stops the change.
    pub(super) fn stops(&self, finding: &Finding) -> bool {
        self.requirements.check == AccessCheck::Enforce && finding.stops()
    }
}

impl Explanation {
    fn new(summary: &'static str, text: String, next: impl Into<String>) -> Self {
        Self { summary, text, next: next.into(), grant: None, attribute: None }
    }

    fn diagnostic(self, severity: Severity, then: &str) -> Diagnostic {
        let parts = [&self.text, &self.next, self.grant.as_deref().unwrap_or_default(), then];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let path = self.attribute.map(Path::root);
        Diagnostic { severity, summary: self.summary.to_owned(), detail: parts.join("\n\n"), path }
    }
}

impl Finding {
    fn explain(&self, hub: &WorkspaceId, account: &StorageAccountId) -> Explanation {
        match self {
            Self::Lacks { principal, roles } => roles_missing(hub, account, principal, roles, &[]),
            Self::NotVerifiable { principal, roles, doubts } => roles_missing(hub, account, principal, roles, doubts),
            Self::NobodyHoldsRoles => {
                let text = format!(
                    "No user and no group holds roles for both blobs and files on {account}, so that nobody can work with the \
                     data of {hub} in the studio."
                );
                let next = "This grants them to a user or a group that needs to:";
                let grant = Some(grant(hub, "OBJECT_ID", false, &roles::CONTRIBUTOR_PAIR));
                Explanation { grant, ..Explanation::new("Nobody has roles on the storage account", text, next) }
            }
            Self::HubIdentityUnknown { candidates } => {
                let (others, next) = match candidates.as_slice() {
                    [] => ("no user-assigned one".to_owned(), "Give the hub a system-assigned identity."),
                    ids => (
                        format!("which of its user-assigned identities it uses is not known: {}", ids.join(", ")),
                        "Set primaryUserAssignedIdentity of the hub, or give it a system-assigned identity.",
                    ),
                };
                let text = format!("The hub {hub} has no system-assigned identity, and {others}.");
                Explanation::new("The hub's identity is not known", text, next)
            }
            Self::OthersUseKeys { others, hubs } => {
                let next = format!(
                    "As far as is known now, this run does not switch them. If it is going to, all hubs of the account have to \
                     be switched at the same time: apply with -parallelism={hubs} or more (the engine's default is 10), or \
                     leave shared_access_key_enabled out of this apply and set it in the next one. Otherwise switch them to \
                     identity first, each with a foundryhub_storage_auth of its own."
                );
                let more = ", so that they would lose access when keys go off";
                key_users("Other workspaces use the keys", account, more, others, next)
            }
            Self::OthersNotSwitched { others } => {
                let more =
                    ". This run was to switch them to identity and has not; the errors of their own resources say why";
                let next = "Apply again when those are mended.";
                key_users("Other workspaces could not be switched", account, more, others, next)
            }
            Self::OthersBeingSwitched { others } => {
                let more = ". This run is switching them to identity and is not done within platform_grant_timeout";
                let next = "Apply again when they are switched, or raise platform_grant_timeout.";
                key_users("Other workspaces still use the keys", account, more, others, next)
            }
            Self::DatastoresUseKeys { names } => {
                let text = format!(
                    "These datastores of {hub} still sign in with the account's key, although the hub does not: {}. With keys \
                     off they would fail with KeyBasedAuthenticationNotPermitted.",
                    names.join(", ")
                );
                let next = "It can take a while until they follow the hub. If they never do, save the hub's storage access in \
                            the portal once more, or update the datastores to identity-based access.";
                Explanation::new("Datastores still use the key", text, next)
            }
            Self::NotReadable { list, error } => not_readable(hub, account, *list, error),
        }
    }
}

/// Other workspaces sign in with the account's key.
fn key_users(
    summary: &'static str,
    account: &StorageAccountId,
    more: &str,
    others: &[ArmId],
    next: impl Into<String>,
) -> Explanation {
    let ids: Vec<&str> = others.iter().map(ArmId::as_str).collect();
    let text = format!("These workspaces use {account} too and sign in with its key{more}:\n{}", ids.join("\n"));
    Explanation { attribute: Some(KEYS), ..Explanation::new(summary, text, next) }
}

/// Somebody lacks roles, or may lack them where there are doubts.
fn roles_missing(
    hub: &WorkspaceId,
    account: &StorageAccountId,
    principal: &Principal,
    roles: &[Role],
    doubts: &[Doubt],
) -> Explanation {
    let id = principal.id();
    let names = roles.iter().map(|role| format!("{:?}", role.name)).collect::<Vec<_>>().join(" and ");
    let text = match doubts {
        [] => format!("{id} lacks {names} on {account}."),
        _ => {
            let doubts: Vec<_> = doubts.iter().map(|doubt| doubt_in_words(*doubt)).collect();
            format!("Whether {id} has {names} on {account} cannot be verified: {}.", doubts.join(", and "))
        }
    };
    let who = match principal {
        Principal::Required(_) => String::new(),
        Principal::SystemIdentity(_) => format!(" It is the system-assigned identity of the hub {hub}."),
        Principal::AssignedIdentity(_) => {
            format!(" It is the user-assigned identity of the hub {hub}, which has no system-assigned one.")
        }
        Principal::PrimaryIdentity(_) => format!(
            " It is the primary user-assigned identity of the hub {hub}, which has a system-assigned one too. Azure does not say \
             which of the two reaches the storage."
        ),
    };
    let summary = match (principal, doubts) {
        (Principal::PrimaryIdentity(_), _) => "An identity of the hub may lack access",
        (_, [_, ..]) => "Access cannot be verified",
        (Principal::Required(_), []) => "Somebody would lose access",
        (_, []) => "The hub's identity would lose access",
    };
    if let Principal::SystemIdentity(_) = principal {
        let next = "The platform gives it that role by itself when the hub changes to identity, which can take some minutes; \
                    it is not to be granted from here. Apply again later, or raise platform_grant_timeout. If the role is still \
                    missing then, save the hub's storage access in the portal once more.";
        return Explanation::new(summary, text + &who, next);
    }
    let is_required = matches!(principal, Principal::Required(_));
    let mut next = Vec::new();
    if doubts.contains(&Doubt::Condition) {
        next.push("See that the condition allows all that is needed; this check counts only assignments without one.");
    }
    if is_required && doubts.iter().any(|doubt| matches!(doubt, Doubt::Group | Doubt::GroupWithCustomRole)) {
        next.push("If it is a member of the group, name the group in access_check_principal_ids instead.");
    }
    // Azure has one assignment for a principal, a role and a scope, with a condition or without.
    let grant = (doubts != [Doubt::Condition]).then(|| grant(hub, id, !is_required, roles));
    if grant.is_some() {
        next.push(match doubts {
            [] => "This grants it; list it in depends_on of the foundryhub_storage_auth:",
            _ => "This grants it directly; list it in depends_on of the foundryhub_storage_auth:",
        });
    }
    let attribute = is_required.then_some(PRINCIPALS);
    Explanation { grant, attribute, ..Explanation::new(summary, text + &who, next.join(" ")) }
}

/// Why somebody may hold a role all the same.
fn doubt_in_words(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Condition => "one of its assignments has a condition",
        Doubt::CustomRole => "it holds a role that may be a custom one, whose rights are not looked into",
        Doubt::Group => "a group holds the role, and who is in it is not looked into",
        Doubt::GroupWithCustomRole => {
            "a group holds a role that may be a custom one, and neither who is in it nor the role's rights are looked into"
        }
    }
}

/// A list could not be read.
fn not_readable(hub: &WorkspaceId, account: &StorageAccountId, list: List, error: &Error) -> Explanation {
    let (what, action, scope) = match list {
        List::RoleAssignments => (
            "Who holds which roles on the storage account",
            "Microsoft.Authorization/roleAssignments/read",
            account.to_string(),
        ),
        List::Workspaces => (
            "Whether other workspaces use the keys of this account",
            "Microsoft.MachineLearningServices/workspaces/read",
            format!("/subscriptions/{}", hub.subscription()),
        ),
        List::Datastores => (
            "Whether the hub's datastores still use the key",
            "Microsoft.MachineLearningServices/workspaces/datastores/read",
            hub.to_string(),
        ),
    };
    let text = match error.service().and_then(arm::ServiceError::denied) {
        _ if !error.is_forbidden() => format!("{what} cannot be verified: {}", report::explain(error, "")),
        Some(denied) => format!("{what} cannot be verified, needs {} on {}.", denied.action, denied.scope),
        None => format!("{what} cannot be verified, needs {action} on {scope}."),
    };
    Explanation::new("Access cannot be verified", text, "")
}

/// A role assignment as HCL.
fn grant(hub: &WorkspaceId, principal: &str, is_identity: bool, roles: &[Role]) -> String {
    let mut lines = vec![("hub_id", hub.as_str()), ("principal_id", principal)];
    lines.extend(is_identity.then_some(("principal_type", "ServicePrincipal")));
    lines.push(match roles {
        // The pair would meet the role that is there already.
        [role] => ("role_definition_name", role.name),
        _ => ("access", "contributor"),
    });
    // Equals signs stand below each other, as formatted HCL has them.
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: String = lines.iter().map(|(name, value)| format!("  {name:width$} = {value:?}\n")).collect();
    format!("resource \"foundryhub_role_assignment\" \"NAME\" {{\n{lines}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

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
        finding.explain(&hub(), &account())
    }

    #[test]
    fn a_grant_that_is_proposed_does_not_meet_roles_that_are_there() {
        let [required, _, assigned, _] = principals();
        let pair = explain(required.clone(), &roles::CONTRIBUTOR_PAIR, &[]).grant.unwrap();
        let lines = format!("{{\n  hub_id       = \"{}\"\n  principal_id = \"{ID}\"\n  access       = ", hub());
        assert!(pair.contains(&lines) && pair.ends_with("\"contributor\"\n}"), "{pair}");
        let one = explain(required.clone(), &[roles::FILE_READER], &[]).grant.unwrap();
        assert!(one.contains("  role_definition_name = \"Storage File Data Privileged Reader\"\n}"), "{one}");
        assert!(!one.contains("principal_type"), "{one}");
        let identity = explain(assigned, &roles::CONTRIBUTOR_PAIR, &[]).grant.unwrap();
        assert!(identity.contains("  principal_type = \"ServicePrincipal\"\n  access         = "), "{identity}");
        // Azure refuses a second assignment of a role that is held with a condition.
        let conditional = explain(required.clone(), &[roles::BLOB_READER], &[Doubt::Condition]);
        assert_eq!(conditional.grant, None);
        assert!(conditional.next.contains("the condition allows") && !conditional.next.contains("grants"));
        let both = explain(required, &roles::CONTRIBUTOR_PAIR, &[Doubt::Condition, Doubt::Group]);
        assert!(both.grant.is_some() && both.next.contains("the condition allows") && both.next.contains("the group"));
    }

    #[test]
    fn advice_fits_whose_roles_are_missing() {
        for principal in principals() {
            for doubts in [&[][..], &[Doubt::Group], &[Doubt::CustomRole]] {
                let Explanation { text, next, grant, attribute, .. } =
                    explain(principal.clone(), &[roles::BLOB_CONTRIBUTOR], doubts);
                assert!(
                    text.contains(ID) && text.contains("\"Storage Blob Data Contributor\" on /subscriptions/"),
                    "{text}"
                );
                let is_required = matches!(principal, Principal::Required(_));
                assert_eq!(attribute, is_required.then_some(PRINCIPALS));
                assert_eq!(text.contains(hub().as_str()), !is_required, "{text}");
                // What the platform grants is not the user's to grant.
                let is_platforms = matches!(principal, Principal::SystemIdentity(_));
                assert_eq!(grant.is_none(), is_platforms);
                assert_eq!(next.contains("depends_on"), !is_platforms, "{next}");
                assert_eq!(next.contains("platform_grant_timeout"), is_platforms, "{next}");
                let names_group = next.contains("name the group in access_check_principal_ids");
                assert_eq!(names_group, is_required && doubts == [Doubt::Group], "{next}");
            }
        }
    }

    #[test]
    fn a_hub_without_any_identity_is_not_told_to_choose_one() {
        let explain = |candidates: &[&str]| {
            let candidates = candidates.iter().map(|id| (*id).to_owned()).collect();
            Finding::HubIdentityUnknown { candidates }.explain(&hub(), &account())
        };
        assert!(
            explain(&[ID, "b"]).text.contains(ID) && explain(&[ID, "b"]).next.contains("primaryUserAssignedIdentity")
        );
        assert_eq!(explain(&[]).next, "Give the hub a system-assigned identity.");
    }
}
