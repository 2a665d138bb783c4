//! What role assignments on a storage account amount to for one principal. Nothing is asked here.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    arm::{ArmId, role_assignments::RoleAssignment},
    provider::{
        Grant,
        roles::{self, Role},
    },
};

/// One role that somebody holds on an account, at it or above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    principal_id: String,
    role: Uuid,
    is_group: bool,
    /// Users and groups; of what this process grants nobody is known to be something else.
    may_be_a_person: bool,
    conditional: bool,
    /// When it was made, as far as it was.
    pub(super) created_on: Option<OffsetDateTime>,
}

/// How somebody stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They hold what they need. With the ages of the grants that say so.
    Holds(Vec<Option<OffsetDateTime>>),
    /// They lack these roles for certain.
    Lacks(Vec<Role>),
    /// They may hold them, by a way that cannot be looked into.
    Unsure(Vec<Role>, Vec<Doubt>),
}

/// Why somebody may hold a role although none of their assignments says so for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Their assignment has a condition.
    Condition,
    /// They hold a role that may be a custom one, whose rights are not looked into.
    CustomRole,
    /// A group holds the role. Who is in it is not looked into.
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
}

/// The assignments in force on an account: those listed, and those that this process has made, which a list may not show
/// yet, or plans to make.
pub(super) fn on(account: &ArmId, listed: &[RoleAssignment], granted: &[Grant]) -> Vec<Holding> {
    let listed = listed.iter().filter_map(|found| {
        let scope = ArmId::parse(&found.properties.scope).ok();
        // What is held on a container alone does not do.
        let in_force = scope.is_none_or(|scope| account.is_within(&scope));
        let is =
            |kind: &str| found.properties.principal_type.as_deref().is_some_and(|is| is.eq_ignore_ascii_case(kind));
        in_force.then_some(Holding {
            principal_id: found.properties.principal_id.to_lowercase(),
            role: found.role_guid()?,
            is_group: is("Group") || is("ForeignGroup"),
            may_be_a_person: !is("ServicePrincipal") && !is("Device"),
            conditional: found.properties.condition.as_deref().is_some_and(|condition| !condition.is_empty()),
            created_on: found.properties.created_on,
        })
    });
    let mut all: Vec<Holding> = listed.collect();
    for grant in granted {
        let principal_id = grant.principal_id.to_lowercase();
        let known = all
            .iter()
            .any(|known| known.principal_id == principal_id && known.role == grant.role && !known.conditional);
        if !known {
            all.push(Holding {
                principal_id,
                role: grant.role,
                is_group: false,
                may_be_a_person: true,
                conditional: false,
                created_on: grant.created_on,
            });
        }
    }
    all
}

/// How a principal stands to one of the article's pairs: the contributor's if `writing`, else the reader's at least.
pub(super) fn pair(principal: &str, holdings: &[Holding], writing: bool) -> Standing {
    let own = own(principal, holdings);
    let kinds = [&BLOBS, &FILES];
    let holds = |kind: &Kind, writing| own.iter().find(|held| !held.conditional && kind.allows(held.role, writing));
    let (mut made, mut missing) = (Vec::new(), Vec::new());
    for kind in kinds {
        match holds(kind, writing) {
            Some(held) => made.push(held.created_on),
            None => missing.push(kind),
        }
    }
    if missing.is_empty() {
        return Standing::Holds(made);
    }
    let only_reads = !writing
        && kinds.iter().any(|kind| holds(kind, false).is_some())
        && kinds.iter().all(|kind| holds(kind, true).is_none());
    let lacks = missing.iter().map(|kind| if only_reads { kind.reader } else { kind.contributor }).collect();
    doubt(&own, holdings, &missing, writing, lacks)
}

/// How the hub's system-assigned identity stands to the role that the platform gives it. A condition does not matter: the
/// platform sets one where a hub's data are isolated.
pub(super) fn platform_grant(principal: &str, holdings: &[Holding]) -> Standing {
    let own = own(principal, holdings);
    match own.iter().find(|held| BLOBS.allows(held.role, true)) {
        Some(held) => Standing::Holds(vec![held.created_on]),
        None => doubt(&own, holdings, &[&BLOBS], true, vec![BLOBS.contributor]),
    }
}

/// Whether some user or group holds a full pair. `hubs` are identities of the hub, which do not count.
pub(super) fn anybody_holds_a_pair(hubs: &[&str], holdings: &[Holding]) -> bool {
    holdings
        .iter()
        .filter(|held| held.may_be_a_person && !hubs.iter().any(|hub| hub.eq_ignore_ascii_case(&held.principal_id)))
        .any(|held| matches!(pair(&held.principal_id, holdings, false), Standing::Holds(_)))
}

fn own<'h>(principal: &str, holdings: &'h [Holding]) -> Vec<&'h Holding> {
    holdings.iter().filter(|held| held.principal_id.eq_ignore_ascii_case(principal)).collect()
}

/// Whether each kind that is missing might be covered in a way that cannot be looked into.
fn doubt(own: &[&Holding], all: &[Holding], missing: &[&Kind], writing: bool, lacks: Vec<Role>) -> Standing {
    let mut doubts = Vec::new();
    for kind in missing {
        let doubt = if own.iter().any(|held| held.conditional && kind.allows(held.role, writing)) {
            Doubt::Condition
        } else if own.iter().any(|held| roles::by_guid(held.role).is_none()) {
            Doubt::CustomRole
        } else if all.iter().any(|held| held.is_group && kind.allows(held.role, writing)) {
            Doubt::Group
        } else if all.iter().any(|held| held.is_group && roles::by_guid(held.role).is_none()) {
            Doubt::GroupWithCustomRole
        } else {
            return Standing::Lacks(lacks);
        };
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    Standing::Unsure(lacks, doubts)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn standing(held: &[RoleAssignment]) -> Standing {
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
            assert!(matches!(standing(&[alice(blobs), alice(files)]), Standing::Holds(_)));
        }
        for (have, lacks) in [
            (vec![], vec![roles::BLOB_CONTRIBUTOR, roles::FILE_CONTRIBUTOR]),
            (vec![roles::OWNER, roles::CONTRIBUTOR], vec![roles::BLOB_CONTRIBUTOR, roles::FILE_CONTRIBUTOR]),
            (vec![roles::BLOB_READER], vec![roles::FILE_READER]),
            (vec![roles::BLOB_OWNER, roles::FILE_SMB_CONTRIBUTOR], vec![roles::FILE_CONTRIBUTOR]),
        ] {
            let have: Vec<_> = have.into_iter().map(alice).collect();
            assert_eq!(standing(&have), Standing::Lacks(lacks));
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
            let unsure = Standing::Unsure(vec![roles::BLOB_READER], vec![doubt]);
            assert_eq!(standing(&[file.clone(), other]), unsure);
        }
        let other_user = held(TEAM, roles::BLOB_CONTRIBUTOR.guid, "User", "");
        assert_eq!(standing(&[file, other_user]), Standing::Lacks(vec![roles::BLOB_READER]));
    }

    #[test]
    fn what_is_held_below_the_account_does_not_count_and_what_this_process_grants_does() {
        let mut container = held(ALICE, roles::BLOB_READER.guid, "User", "");
        container.properties.scope = format!("{}/blobServices/default/containers/c", account());
        let file = held(ALICE, roles::FILE_READER.guid, "User", "");
        assert!(matches!(standing(&[container.clone(), file.clone()]), Standing::Lacks(_)));
        let grant = Grant {
            scope: account(),
            principal_id: ALICE.to_uppercase(),
            role: roles::BLOB_READER.guid,
            created_on: None,
        };
        let holdings = on(&account(), &[container, file], &[grant]);
        assert!(matches!(pair(ALICE, &holdings, false), Standing::Holds(_)));
        assert!(anybody_holds_a_pair(&[], &holdings) && !anybody_holds_a_pair(&[ALICE], &holdings));
    }
}
