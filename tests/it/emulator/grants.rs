//! The rows of role assignments that the table of errors does not have (azure.md §3), and the switches for those it
//! does.

use serde_json::{Value, json};

use super::client::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, arm, arm_with, assignment_at, grant, names};
use super::{NAME, OTHER};

/// azure.md §3 row "delete under a CanNotDelete lock", §5.7: at the scope, above it, and at the subscription.
#[tokio::test]
async fn a_lock_at_or_above_the_scope_keeps_an_assignment() {
    let arm = arm().await;
    arm.put(&arm.assignment_path(NAME), grant(ALICE, BLOB_CONTRIBUTOR)).await;
    for (row, scope) in
        [("the account", &arm.account), ("the group", &arm.group), ("the subscription", &arm.subscription)]
    {
        for level in ["CanNotDelete", "ReadOnly"] {
            let lock = format!("{scope}/providers/Microsoft.Authorization/locks/l1?api-version=2016-09-01");
            assert_eq!(arm.put(&lock, json!({ "properties": { "level": level } })).await.status, 201, "{row}");
            let refused = arm.delete(&arm.assignment_path(NAME)).await;
            assert_eq!(refused.error(), (409, "ScopeLocked".to_owned()), "{row}, {level}");
            assert!(refused.message().contains(&format!("are locked: '{scope}'.")), "{row}: {}", refused.message());
            let written = arm.put(&arm.assignment_path(OTHER), grant(BOB, BLOB_READER)).await;
            let expected = if level == "ReadOnly" { 409 } else { 201 };
            assert_eq!(written.status, expected, "{row}: RBAC writes under {level}");
            assert_eq!(arm.delete(&lock).await.status, 200, "{row}");
            arm.delete(&arm.assignment_path(OTHER)).await;
        }
    }
    assert_eq!(arm.delete(&arm.assignment_path(NAME)).await.status, 200);
}

/// azure.md §3 row "same name, same principal/role/scope": description and condition may be updated.
#[tokio::test]
async fn a_repeated_put_updates_description_and_condition() {
    let arm = arm().await;
    let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
    arm.put(&arm.assignment_path(NAME), body.clone()).await;
    for (description, condition, version) in [
        (json!("one"), json!("@Resource[x] StringEquals 'y'"), json!("2.0")),
        (json!("two"), json!("@Resource[x] StringEquals 'z'"), json!("2.0")),
        (Value::Null, Value::Null, Value::Null),
    ] {
        for (name, value) in [("description", &description), ("condition", &condition), ("conditionVersion", &version)]
        {
            body["properties"][name] = value.clone();
        }
        assert_eq!(arm.put(&arm.assignment_path(NAME), body.clone()).await.status, 200);
        let read = arm.get(&arm.assignment_path(NAME)).await;
        assert_eq!(read.at("/properties/description"), description);
        assert_eq!(read.at("/properties/condition"), condition);
        assert_eq!(read.at("/properties/conditionVersion"), version);
    }
}

/// azure.md §3 "conditionVersion accepts only 2.0".
#[tokio::test]
async fn a_condition_version_is_2_0_and_needs_a_condition() {
    let arm = arm().await;
    let condition = json!("@Resource[x] StringEquals 'y'");
    for (row, condition, version, status) in [
        ("2.0", condition.clone(), json!("2.0"), 201),
        ("left out", condition.clone(), Value::Null, 201),
        ("1.0", condition.clone(), json!("1.0"), 400),
        ("without a condition", Value::Null, json!("2.0"), 400),
    ] {
        let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
        body["properties"]["condition"] = condition;
        body["properties"]["conditionVersion"] = version;
        let reply = arm.put(&arm.assignment_path(NAME), body).await;
        assert_eq!(reply.status, status, "{row}: {}", reply.text);
        if status == 201 {
            assert_eq!(reply.at("/properties/conditionVersion"), "2.0", "{row}");
        }
        arm.delete(&arm.assignment_path(NAME)).await;
    }
}

/// azure.md §3 "principalType: User, Group, ServicePrincipal, ForeignGroup, Device", "Value MSI is rejected".
#[tokio::test]
async fn every_principal_type_is_taken_and_spares_the_look_up() {
    let arm = arm().await;
    for (number, kind) in ["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"].into_iter().enumerate() {
        let mut body = grant(&format!("eeeeeeee-0000-0000-0000-{number:012}"), BLOB_CONTRIBUTOR);
        let path = arm.assignment_path(&format!("00000000-0000-0000-0000-{number:012}"));
        assert_eq!(arm.put(&path, body.clone()).await.error().1, "PrincipalNotFound", "{kind} without its type");
        body["properties"]["principalType"] = json!(kind);
        let reply = arm.put(&path, body).await;
        assert_eq!((reply.status, reply.at("/properties/principalType")), (201, kind.into()), "{kind}");
    }
    for wrong in ["MSI", "user principal", "Everyone"] {
        let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
        body["properties"]["principalType"] = json!(wrong);
        let reply = arm.put(&arm.assignment_path(NAME), body).await;
        assert_eq!(reply.status, 400, "{wrong}");
        assert!(reply.message().contains("must be 'User', 'Group' or 'ServicePrincipal'"), "{wrong}");
    }
}

/// azure.md §3 body "delegatedManagedIdentityResourceId".
#[tokio::test]
async fn a_delegated_managed_identity_is_kept() {
    let arm = arm().await;
    let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
    body["properties"]["delegatedManagedIdentityResourceId"] = json!(arm.hub);
    let made = arm.put(&arm.assignment_path(NAME), body).await;
    assert_eq!(made.at("/properties/delegatedManagedIdentityResourceId"), arm.hub.as_str());
    let list = arm.assignments(&arm.account, "").await;
    assert_eq!(list.at("/value/0/properties/delegatedManagedIdentityResourceId"), arm.hub.as_str());
}

/// azure.md §3 row "too many": a limit per subscription, and one of 500 per management group, which others do not
/// share.
#[tokio::test]
async fn a_management_group_is_full_at_500() {
    let arm = arm().await;
    let group = "/providers/Microsoft.Management/managementGroups/mg1";
    for number in 0..500 {
        arm.emulator.seed_assignment(group, &format!("eeeeeeee-0000-0000-0000-{number:012}"), BLOB_READER);
    }
    let refused = arm.put(&assignment_at(group, NAME), grant(ALICE, BLOB_CONTRIBUTOR)).await;
    assert_eq!(refused.error(), (400, "RoleAssignmentLimitExceeded".to_owned()));
    for (row, scope) in [
        ("another management group", "/providers/Microsoft.Management/managementGroups/mg2"),
        ("a subscription", &arm.subscription),
    ] {
        let name = OTHER.replace("aa", if row.starts_with('a') && scope.ends_with("mg2") { "ab" } else { "ac" });
        assert_eq!(arm.put(&assignment_at(scope, &name), grant(ALICE, BLOB_CONTRIBUTOR)).await.status, 201, "{row}");
    }
}

/// azure.md §3: the statuses that are not known, each by its switch.
#[tokio::test]
async fn unknown_statuses_are_switches() {
    let arm = arm_with(|options| {
        options.unknown_role = 404;
        options.unmatched_type = 409;
        options.assignment_limit = 1;
        options.assignment_limit_status = 403;
        options.repeated_put = 201;
    })
    .await;
    let put = async |name: &str, body: Value| arm.put(&arm.assignment_path(name), body).await.error();
    let mut mismatched = grant(ALICE, BLOB_CONTRIBUTOR);
    mismatched["properties"]["principalType"] = json!("Group");
    for (switch, name, body, status, code) in [
        ("--unknown-role", NAME, grant(ALICE, OTHER), 404, "RoleDefinitionDoesNotExist"),
        ("--unmatched-type", NAME, mismatched, 409, "UnmatchedPrincipalType"),
        ("a new one", NAME, grant(ALICE, BLOB_CONTRIBUTOR), 201, ""),
        ("--repeated-put", NAME, grant(ALICE, BLOB_CONTRIBUTOR), 201, ""),
        ("--assignment-limit-status", OTHER, grant(BOB, BLOB_CONTRIBUTOR), 403, "RoleAssignmentLimitExceeded"),
    ] {
        assert_eq!(put(name, body).await, (status, code.to_owned()), "{switch}");
    }
}

/// azure.md §3 "The scope may itself be any resource id", "by id /{fullId}", and the tenantId query.
#[tokio::test]
async fn any_scope_takes_an_assignment_and_inherits_it_downwards() {
    let arm = arm().await;
    let container = format!("{}/blobServices/default/containers/c", arm.account);
    for (number, (row, scope)) in [
        ("root", ""),
        ("management group", "/providers/Microsoft.Management/managementGroups/11111111-1111-1111-1111-111111111111"),
        ("subscription", arm.subscription.as_str()),
        ("group", arm.group.as_str()),
        ("resource", arm.account.as_str()),
        ("child of a resource", container.as_str()),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("00000000-0000-0000-0000-{number:012}");
        let made = arm.put(&assignment_at(scope, &name), grant(ALICE, BLOB_READER)).await;
        assert_eq!(made.status, 201, "{row}: {}", made.text);
        assert_eq!(made.at("/properties/scope"), if scope.is_empty() { "/" } else { scope }, "{row}");
        let by_id = format!("{}?api-version=2022-04-01&tenantId=x", made.at("/id").as_str().expect("an id"));
        assert_eq!(arm.get(&by_id).await.body(), made.body(), "{row}: by its full id");
        let below = names(&arm.assignments(&container, "atScope()").await.body());
        assert!(below.contains(&name), "{row}: seen from below");
    }
}
