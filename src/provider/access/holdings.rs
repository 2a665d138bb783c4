//! Which roles a principal holds on a storage account, by the role assignments that apply there. It sends no request.

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;
use uuid::Uuid;

use super::needs::Need;
use crate::{
    arm::{ArmId, role_assignments::RoleAssignment},
    provider::{
        SessionAssignment,
        principal::PrincipalType,
        roles::{self, Role},
    },
};

/// A role that somebody holds on an account by an assignment at it or above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    /// In lower case.
    pub(super) principal_id: String,
    /// Not known for assignments of this process.
    pub(super) principal_type: Option<PrincipalType>,
    pub(super) role: Uuid,
    pub(super) conditional: bool,
    /// `None` while the assignment is only planned.
    pub(super) created_on: Option<OffsetDateTime>,
}

impl Holding {
    fn is_of_type(&self, types: [&str; 2]) -> bool {
        self.principal_type.as_ref().is_some_and(|own| types.iter().any(|ty| ty.eq_ignore_ascii_case(own.as_ref())))
    }

    fn is_group(&self) -> bool {
        self.is_of_type(["Group", "ForeignGroup"])
    }

    /// Whether the holder may be a user or a group.
    fn may_be_a_person(&self) -> bool {
        !self.is_of_type(["ServicePrincipal", "Device"])
    }
}

/// Whether a principal holds the roles that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RoleCheck {
    /// It holds them, by assignments that were created then.
    Holds(Vec<Option<OffsetDateTime>>),
    /// It lacks these.
    Lacks(Vec<Role>),
    /// It may hold them in a way that is not checked.
    NotVerifiable(Vec<Role>, Vec<Doubt>),
}

/// Why a principal may hold a role although none of its assignments proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    Condition,
    /// It holds a role that may be a custom one, whose permissions are not checked.
    CustomRole,
    /// It holds this role, of which it is not known whether it is enough.
    PerhapsEnough(Role),
    /// A group holds the role, and its members are not checked.
    Group,
    /// A group holds a role that may be a custom one.
    GroupWithCustomRole,
}

/// The two kinds of data, each with the role that reads it and those that write it as well.
const BLOBS: Kind = Kind {
    reader: roles::BLOB_READER,
    contributor: roles::BLOB_CONTRIBUTOR,
    stronger: &[roles::BLOB_CONTRIBUTOR, roles::BLOB_OWNER],
};
const FILES: Kind =
    Kind { reader: roles::FILE_READER, contributor: roles::FILE_CONTRIBUTOR, stronger: &[roles::FILE_CONTRIBUTOR] };

struct Kind {
    reader: Role,
    contributor: Role,
    /// The roles that allow what the contributor's does.
    stronger: &'static [Role],
}

impl Kind {
    fn allows(&self, role: Uuid, writing: bool) -> bool {
        self.stronger.iter().any(|strong| strong.guid == role) || (!writing && self.reader.guid == role)
    }

    /// The role that gives a principal this access, of those that are its own.
    fn is_held<'h>(&self, own: &[&'h Holding], writing: bool) -> Option<&'h Holding> {
        own.iter().copied().find(|held| !held.conditional && self.allows(held.role, writing))
    }
}

/// The roles held on an account by the listed assignments and by those of this process, which the list may not show yet.
pub(super) fn on(account: &ArmId, listed: &[RoleAssignment], noted: &[SessionAssignment]) -> Vec<Holding> {
    let listed = listed.iter().filter_map(|found| {
        let scope = ArmId::parse(&found.properties.scope).ok();
        // An assignment on a container alone is not enough. What a list of the account has of scopes outside of subscriptions, such
        // as management groups, is inherited.
        let in_force = scope.is_none_or(|scope| scope.subscription().is_none() || account.is_within(&scope));
        in_force.then_some(Holding {
            principal_id: found.properties.principal_id.to_lowercase(),
            principal_type: found.properties.principal_type.as_deref().map(PrincipalType::from),
            role: found.role_guid()?,
            conditional: found.properties.condition.as_deref().is_some_and(|condition| !condition.is_empty()),
            created_on: found.properties.created_on,
        })
    });
    let mut all: Vec<Holding> = listed.collect();
    let unconditional = all.iter().filter(|held| !held.conditional);
    let known: HashSet<(String, Uuid)> = unconditional.map(|held| (held.principal_id.clone(), held.role)).collect();
    let noted = noted.iter().map(|assignment| Holding {
        principal_id: assignment.principal_id.to_lowercase(),
        principal_type: None,
        role: assignment.role,
        conditional: false,
        created_on: assignment.created_on,
    });
    all.extend(noted.filter(|held| !known.contains(&(held.principal_id.clone(), held.role))));
    all
}

/// Whether a principal holds the contributor pair if `writing`, else at least the reader pair.
pub(super) fn pair(principal: &str, holdings: &[Holding], writing: bool) -> RoleCheck {
    let own = own(principal, holdings);
    let kinds = [&BLOBS, &FILES];
    let holds = |kind: &Kind, writing| kind.is_held(&own, writing);
    let (mut made, mut missing) = (Vec::new(), Vec::new());
    for kind in kinds {
        match holds(kind, writing) {
            Some(held) => made.push(held.created_on),
            None => missing.push(kind),
        }
    }
    if missing.is_empty() {
        return RoleCheck::Holds(made);
    }
    let only_reads = !writing
        && kinds.iter().any(|kind| holds(kind, false).is_some())
        && kinds.iter().all(|kind| holds(kind, true).is_none());
    let lacks = missing.iter().map(|kind| if only_reads { kind.reader } else { kind.contributor }).collect();
    doubt(&own, holdings, &missing, writing, lacks)
}

/// Whether the hub's system-assigned identity holds the role that the platform assigns to it. A condition does not matter:
/// the platform sets one where a hub's data are isolated.
pub(super) fn platform_role(principal: &str, holdings: &[Holding]) -> RoleCheck {
    let own = own(principal, holdings);
    match own.iter().find(|held| BLOBS.allows(held.role, true)) {
        Some(held) => RoleCheck::Holds(vec![held.created_on]),
        None => doubt(&own, holdings, &[&BLOBS], true, vec![BLOBS.contributor]),
    }
}

/// What matters of groups to those who may be their members: one holding for each role that a group holds, and one for all
/// roles that may be custom ones.
pub(super) fn of_groups(holdings: &[Holding]) -> Vec<Holding> {
    let mut seen = HashSet::new();
    let is_new = |held: &&Holding| held.is_group() && seen.insert(roles::by_guid(held.role).map(|role| role.guid));
    holdings.iter().filter(is_new).cloned().collect()
}

/// Whether a role gives access to data that a hub needs.
pub(super) fn gives_data(role: Uuid) -> bool {
    [BLOBS, FILES].iter().any(|kind| kind.allows(role, false))
}

/// Whether a principal holds a role that it needs. All of these are its own or those of its groups.
pub(super) fn of_one_principal(need: &Need, holdings: &[Holding]) -> RoleCheck {
    let serves = |held: &&Holding| need.served_by.iter().any(|role| role.guid == held.role);
    let doubt = |doubt| RoleCheck::NotVerifiable(vec![need.role], vec![doubt]);
    if let Some(held) = holdings.iter().filter(serves).find(|held| !held.conditional) {
        RoleCheck::Holds(vec![held.created_on])
    } else if holdings.iter().any(|held| serves(&held)) {
        doubt(Doubt::Condition)
    } else if let Some(role) = need.perhaps_by.iter().find(|role| holdings.iter().any(|held| held.role == role.guid)) {
        doubt(Doubt::PerhapsEnough(*role))
    } else if holdings.iter().any(|held| roles::by_guid(held.role).is_none()) {
        doubt(Doubt::CustomRole)
    } else {
        RoleCheck::Lacks(vec![need.role])
    }
}

/// Whether a user or group holds a full pair. The identities of the hub, `hubs`, do not count.
pub(super) fn anybody_holds_a_pair(hubs: &[&str], holdings: &[Holding]) -> bool {
    let mut people: HashMap<&str, Vec<&Holding>> = HashMap::new();
    for held in holdings.iter().filter(|held| held.may_be_a_person()) {
        people.entry(&held.principal_id).or_default().push(held);
    }
    people.retain(|id, _| !hubs.iter().any(|hub| hub.eq_ignore_ascii_case(id)));
    people.values().any(|own| [BLOBS, FILES].iter().all(|kind| kind.is_held(own, false).is_some()))
}

fn own<'h>(principal: &str, holdings: &'h [Holding]) -> Vec<&'h Holding> {
    holdings.iter().filter(|held| held.principal_id.eq_ignore_ascii_case(principal)).collect()
}

/// The roles are lacking, unless each missing kind of data may be covered in a way that is not checked.
fn doubt(own: &[&Holding], all: &[Holding], missing: &[&Kind], writing: bool, lacks: Vec<Role>) -> RoleCheck {
    let mut doubts = Vec::new();
    for kind in missing {
        let doubt = if own.iter().any(|held| held.conditional && kind.allows(held.role, writing)) {
            Doubt::Condition
        } else if own.iter().any(|held| roles::by_guid(held.role).is_none()) {
            Doubt::CustomRole
        } else if all.iter().any(|held| held.is_group() && kind.allows(held.role, writing)) {
            Doubt::Group
        } else if all.iter().any(|held| held.is_group() && roles::by_guid(held.role).is_none()) {
            Doubt::GroupWithCustomRole
        } else {
            return RoleCheck::Lacks(lacks);
        };
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    RoleCheck::NotVerifiable(lacks, doubts)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::provider::access::needs::{CONTRIBUTOR, KEY_VAULT_ADMINISTRATOR, READER};

    const ALICE: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    const TEAM: &str = "bbbbbbbb-0000-0000-0000-000000000002";

    fn held(principal: &str, role: Uuid, kind: &str, condition: &str) -> RoleAssignment {
        let mut found = RoleAssignment::default();
        found.properties.principal_id = principal.to_owned();
        found.properties.role_definition_id = role.to_string();
        found.properties.principal_type = Some(kind.to_owned());
        found.properties.condition = (!condition.is_empty()).then(|| condition.to_owned());
        found.properties.scope = "/subscriptions/s/resourceGroups/r".to_owned();
        found
    }

    fn account() -> ArmId {
        ArmId::parse("/subscriptions/s/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/sa1").unwrap()
    }

    fn check(held: &[RoleAssignment]) -> RoleCheck {
        pair(ALICE, &on(&account(), held, &[]), false)
    }

    #[test]
    fn stronger_roles_count_and_roles_without_data_do_not() {
        let alice = |role: Role| held(&ALICE.to_uppercase(), role.guid, "User", "");
        for (blobs, files) in [
            (roles::BLOB_READER, roles::FILE_READER),
            (roles::BLOB_CONTRIBUTOR, roles::FILE_CONTRIBUTOR),
            (roles::BLOB_OWNER, roles::FILE_READER),
        ] {
            assert!(matches!(check(&[alice(blobs), alice(files)]), RoleCheck::Holds(_)));
        }
        for (have, lacks) in [
            (vec![], vec![roles::BLOB_CONTRIBUTOR, roles::FILE_CONTRIBUTOR]),
            (vec![roles::OWNER, roles::CONTRIBUTOR], vec![roles::BLOB_CONTRIBUTOR, roles::FILE_CONTRIBUTOR]),
            (vec![roles::BLOB_READER], vec![roles::FILE_READER]),
            (vec![roles::BLOB_OWNER, roles::FILE_SMB_CONTRIBUTOR], vec![roles::FILE_CONTRIBUTOR]),
        ] {
            let have: Vec<_> = have.into_iter().map(alice).collect();
            assert_eq!(check(&have), RoleCheck::Lacks(lacks));
        }
    }

    #[test]
    fn what_cannot_be_looked_into_is_neither_held_nor_lacking() {
        let file = held(ALICE, roles::FILE_READER.guid, "User", "");
        for (other, doubt) in [
            (held(ALICE, roles::BLOB_READER.guid, "User", "@Resource[x]"), Doubt::Condition),
            (held(ALICE, Uuid::from_u128(7), "User", ""), Doubt::CustomRole),
            (held(TEAM, roles::BLOB_CONTRIBUTOR.guid, "Group", ""), Doubt::Group),
            (held(TEAM, Uuid::from_u128(7), "Group", ""), Doubt::GroupWithCustomRole),
        ] {
            let not_verifiable = RoleCheck::NotVerifiable(vec![roles::BLOB_READER], vec![doubt]);
            assert_eq!(check(&[file.clone(), other]), not_verifiable);
        }
        let other_user = held(TEAM, roles::BLOB_CONTRIBUTOR.guid, "User", "");
        assert_eq!(check(&[file, other_user]), RoleCheck::Lacks(vec![roles::BLOB_READER]));
    }

    #[test]
    fn a_role_is_served_by_stronger_ones_and_by_those_of_groups() {
        let check = |need: &Need, held: &[RoleAssignment]| of_one_principal(need, &on(&account(), held, &[]));
        let alice = |role: Role| held(ALICE, role.guid, "ServicePrincipal", "");
        for (need, role) in [
            (CONTRIBUTOR, roles::CONTRIBUTOR),
            (CONTRIBUTOR, roles::OWNER),
            (READER, roles::READER),
            (READER, roles::OWNER),
            (READER, roles::RBAC_ADMINISTRATOR),
            (KEY_VAULT_ADMINISTRATOR, roles::KEY_VAULT_ADMINISTRATOR),
        ] {
            assert!(matches!(check(&need, &[alice(role)]), RoleCheck::Holds(_)), "{need:?} {role:?}");
            assert!(matches!(check(&need, &[held(TEAM, role.guid, "Group", "")]), RoleCheck::Holds(_)), "{need:?}");
        }
        for (need, role) in [
            (CONTRIBUTOR, roles::READER),
            (CONTRIBUTOR, roles::BLOB_OWNER),
            (READER, roles::BLOB_READER),
            (KEY_VAULT_ADMINISTRATOR, roles::OWNER),
        ] {
            assert_eq!(check(&need, &[alice(role)]), RoleCheck::Lacks(vec![need.role]), "{need:?} {role:?}");
        }
        for (held, doubt) in [
            (held(ALICE, roles::OWNER.guid, "ServicePrincipal", "@Resource[x]"), Doubt::Condition),
            (alice(roles::AI_ADMINISTRATOR), Doubt::PerhapsEnough(roles::AI_ADMINISTRATOR)),
            (held(TEAM, Uuid::from_u128(7), "Group", ""), Doubt::CustomRole),
        ] {
            assert_eq!(check(&CONTRIBUTOR, &[held]), RoleCheck::NotVerifiable(vec![roles::CONTRIBUTOR], vec![doubt]));
        }
    }

    #[test]
    fn what_is_held_above_the_subscription_counts() {
        for scope in ["/", "/providers/Microsoft.Management/managementGroups/mg1"] {
            let inherited = |role: Role| {
                let mut assignment = held(ALICE, role.guid, "User", "");
                assignment.properties.scope = scope.to_owned();
                assignment
            };
            let pair = [roles::BLOB_READER, roles::FILE_READER].map(inherited);
            assert!(matches!(check(&pair), RoleCheck::Holds(_)), "{scope}");
        }
    }

    #[test]
    fn what_is_held_below_the_account_does_not_count_and_what_this_process_grants_does() {
        let mut container = held(ALICE, roles::BLOB_READER.guid, "User", "");
        container.properties.scope = format!("{}/blobServices/default/containers/c", account());
        let file = held(ALICE, roles::FILE_READER.guid, "User", "");
        assert!(matches!(check(&[container.clone(), file.clone()]), RoleCheck::Lacks(_)));
        let assignment = SessionAssignment {
            scope: account(),
            principal_id: ALICE.to_uppercase(),
            role: roles::BLOB_READER.guid,
            created_on: None,
        };
        let holdings = on(&account(), &[container, file], &[assignment]);
        assert!(matches!(pair(ALICE, &holdings, false), RoleCheck::Holds(_)));
        assert!(anybody_holds_a_pair(&[], &holdings) && !anybody_holds_a_pair(&[ALICE], &holdings));
    }
}
