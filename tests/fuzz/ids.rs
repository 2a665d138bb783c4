//! Resource ids: up to three, one a line, which are compared with each other.

use foundryhub::arm::{
    ArmId, ResourceGroupName, RoleAssignmentId, RoleDefinitionId, StorageAccountId, SubscriptionId, WorkspaceId,
    WorkspaceName,
};
use std::{
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
};

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    let texts: Vec<_> = text.lines().take(3).collect();
    let ids = all(&texts, ArmId::parse, ArmId::as_str);
    all(&texts, WorkspaceId::parse, WorkspaceId::as_str);
    all(&texts, StorageAccountId::parse, StorageAccountId::as_str);
    all(&texts, RoleDefinitionId::parse, RoleDefinitionId::as_str);
    let assignments: Vec<_> = texts.iter().filter_map(|text| RoleAssignmentId::parse(text).ok()).collect();
    all(&texts, RoleAssignmentId::parse, |id| id.scope.as_str());
    all(&texts, SubscriptionId::parse, SubscriptionId::as_str);
    all(&texts, ResourceGroupName::parse, ResourceGroupName::as_str);
    all(&texts, WorkspaceName::parse, WorkspaceName::as_str);

    for id in &ids {
        assert!(id.is_within(id) && id.is_within(&ArmId::root()));
        assert!(!id.as_str().contains(['?', '#', '%', '\\']) && !id.as_str().contains(char::is_control));
        assert!(!id.as_str().split('/').any(|segment| matches!(segment, "." | "..")));
        for other in &ids {
            assert_eq!(id == other, id.key() == other.key());
            assert!(id != other || hash(id) == hash(other), "{id} and {other} are equal");
            assert!(id == other || !(id.is_within(other) && other.is_within(id)));
            for third in &ids {
                assert!(!(id.is_within(other) && other.is_within(third)) || id.is_within(third));
            }
        }
        if let Ok(id) = WorkspaceId::try_from(id) {
            assert_parts(
                &id,
                id.arm(),
                WorkspaceId::RESOURCE_TYPE,
                [id.subscription(), id.resource_group(), id.name()],
            );
            assert_eq!(WorkspaceId::new(id.subscription(), id.resource_group(), id.name()).as_ref(), Ok(&id));
        }
        if let Ok(id) = StorageAccountId::try_from(id) {
            let parts = [id.subscription(), id.resource_group(), id.name()];
            assert_parts(&id, id.arm(), StorageAccountId::RESOURCE_TYPE, parts);
            assert_eq!(StorageAccountId::new(id.subscription(), id.resource_group(), id.name()).as_ref(), Ok(&id));
        }
    }
    for id in &assignments {
        let path = ArmId::parse(&id.path()).expect("its path is an id");
        assert!(path.is_within(&id.scope));
        assert_eq!(path.resource_type().as_deref(), Some("Microsoft.Authorization/roleAssignments"));
    }
    same_parts_make_the_same_id(&texts);
}

/// An id of a type has that type, and the parts of which it can be made again.
fn assert_parts(id: &impl Debug, arm: &ArmId, of: &str, parts: [&str; 3]) {
    let is_of = arm.resource_type().is_some_and(|got| got.eq_ignore_ascii_case(of));
    assert!(is_of, "{id:?} is of {:?}, not {of}", arm.resource_type());
    assert!(parts.iter().all(|part| !part.is_empty() && !part.contains('/')), "{id:?} has {parts:?}");
}

/// Names are equal exactly when the ids that are made of them are.
fn same_parts_make_the_same_id(texts: &[&str]) {
    let subscription = SubscriptionId::parse("11111111-2222-3333-4444-555555555555").expect("a GUID");
    let hub = WorkspaceName::parse("hub").expect("a name");
    let groups: Vec<_> = texts.iter().filter_map(|text| ResourceGroupName::parse(text).ok()).collect();
    for one in &groups {
        for other in &groups {
            let [id, another] = [one, other].map(|group| WorkspaceId::of(&subscription, group, &hub));
            assert_eq!(one == other, id == another, "{one} and {other}");
        }
    }
}

/// Reads all texts that are one, and holds each to what is true of all ids and names: it is read again as it was written,
/// whatever the case of its ASCII letters, and equality is an equivalence.
fn all<T: PartialEq + Clone + Debug + Into<String>, E: Debug>(
    texts: &[&str],
    parse: fn(&str) -> Result<T, E>,
    text: fn(&T) -> &str,
) -> Vec<T> {
    let read: Vec<_> = texts.iter().filter_map(|text| parse(text).ok()).collect();
    for one in &read {
        let written: String = one.clone().into();
        let again = parse(&written).expect("what was written can be read");
        assert_eq!(&again, one);
        assert_eq!(text(&again), text(one));
        assert_eq!(Into::<String>::into(again), written);
        for spelled in [written.to_ascii_uppercase(), written.to_ascii_lowercase()] {
            assert_eq!(parse(&spelled).as_ref().ok(), Some(one), "{spelled}");
        }
        for other in &read {
            let (forth, back) = (one == other, other == one);
            assert_eq!(forth, back, "{one:?} and {other:?}");
            for third in &read {
                assert!(!(one == other && other == third) || one == third, "{one:?}, {other:?} and {third:?}");
            }
        }
    }
    read
}

fn hash(id: &ArmId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
