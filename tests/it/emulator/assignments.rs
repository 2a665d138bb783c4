//! Role assignments (azure.md §3): the table of errors, then the rows beside it and the switches for both.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER, BOB, arm, arm_with, assignment_at, grant, names};
use super::{NAME, OTHER};
use crate::azure::{ExistsId, Principals};

/// azure.md §3: PUT is 201 with the object and its members.
#[tokio::test]
async fn a_new_assignment_is_201_with_the_members_of_the_sample() {
    let arm = arm().await;
    let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
    body["properties"]["principalType"] = json!("User");
    body["properties"]["description"] = json!("why");
    let reply = arm.put(&arm.assignment_path(NAME), body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.at("/id"), format!("{}/providers/Microsoft.Authorization/roleAssignments/{NAME}", arm.account));
    assert_eq!((reply.at("/name"), reply.at("/type")), (NAME.into(), "Microsoft.Authorization/roleAssignments".into()));
    let properties = reply.at("/properties");
    assert_eq!(
        properties["roleDefinitionId"],
        format!("{}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_CONTRIBUTOR}", arm.subscription)
    );
    assert_eq!((&properties["principalId"], &properties["principalType"]), (&json!(ALICE), &json!("User")));
    assert_eq!((&properties["scope"], &properties["description"]), (&json!(arm.account), &json!("why")));
    for null in ["condition", "conditionVersion", "delegatedManagedIdentityResourceId"] {
        assert_eq!(properties.get(null), Some(&Value::Null), "{null}");
    }
    for text in ["createdOn", "updatedOn", "createdBy", "updatedBy"] {
        assert!(properties[text].is_string(), "{text}");
    }
    let read = arm.get(&arm.assignment_path(NAME)).await;
    assert_eq!((read.status, read.body()), (200, reply.body()));
    assert_eq!(arm.get(&format!("{}&tenantId=x", arm.assignment_path(NAME))).await.status, 200);
}

/// azure.md §3: the same name, principal, role and scope is a success and may change the description; 200 or 201.
#[tokio::test]
async fn the_same_again_is_a_success_and_updates_the_description() {
    let arm = arm().await;
    let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
    let first = arm.put(&arm.assignment_path(NAME), body.clone()).await;
    body["properties"]["description"] = json!("changed");
    let again = arm.put(&arm.assignment_path(NAME), body.clone()).await;
    assert_eq!((again.status, again.at("/properties/description")), (200, "changed".into()));
    assert_eq!(again.at("/properties/createdOn"), first.at("/properties/createdOn"));
    arm.emulator.configure(|options| options.repeated_put = 201);
    assert_eq!(arm.put(&arm.assignment_path(NAME), body).await.status, 201);
}

/// azure.md §3: the same name for another principal, role or scope; names are unique in the tenant.
#[tokio::test]
async fn a_name_is_taken_in_the_whole_tenant() {
    let arm = arm().await;
    arm.put(&arm.assignment_path(NAME), grant(ALICE, BLOB_CONTRIBUTOR)).await;
    for (scope, body) in [
        (arm.account.as_str(), grant(BOB, BLOB_CONTRIBUTOR)),
        (arm.account.as_str(), grant(ALICE, BLOB_READER)),
        (arm.group.as_str(), grant(ALICE, BLOB_CONTRIBUTOR)),
    ] {
        let reply = arm.put(&assignment_at(scope, NAME), body).await;
        assert_eq!(reply.error(), (400, "RoleAssignmentUpdateNotPermitted".to_owned()));
        assert_eq!(
            reply.message(),
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        );
    }
}

/// azure.md §3: another name for the same grant is 409 with the 32-hex id, or without; the role by any form of its id.
#[tokio::test]
async fn the_same_grant_under_another_name_exists() {
    let arm = arm().await;
    arm.put(&arm.assignment_path(NAME), grant(ALICE, BLOB_CONTRIBUTOR)).await;
    let mut body = grant(&ALICE.to_uppercase(), BLOB_CONTRIBUTOR);
    for form in [
        format!("/providers/Microsoft.Authorization/roleDefinitions/{BLOB_CONTRIBUTOR}"),
        format!("{}/providers/Microsoft.Authorization/roleDefinitions/{BLOB_CONTRIBUTOR}", arm.subscription),
        format!(
            "{}/providers/microsoft.authorization/roledefinitions/{}",
            arm.account,
            BLOB_CONTRIBUTOR.to_uppercase()
        ),
    ] {
        body["properties"]["roleDefinitionId"] = json!(form);
        let reply = arm.put(&arm.assignment_path(OTHER), body.clone()).await;
        assert_eq!(reply.error(), (409, "RoleAssignmentExists".to_owned()));
        assert_eq!(
            reply.message(),
            "The role assignment already exists. The ID of the existing role assignment is 716c4d159bc8476da3c16ccb70082517."
        );
    }
    arm.emulator.configure(|options| options.exists_id = ExistsId::None);
    assert_eq!(arm.put(&arm.assignment_path(OTHER), body).await.message(), "The role assignment already exists.");
}

/// azure.md §3: an unknown principal, unless principalType spares the look-up; a fresh one is unknown for a while.
#[tokio::test]
async fn an_unknown_principal_is_refused_unless_its_type_is_said() {
    const NOBODY: &str = "eeeeeeee-0000-0000-0000-000000000005";
    const NEW: &str = "eeeeeeee-0000-0000-0000-000000000006";
    let arm = arm().await;
    let mut body = grant(NOBODY, BLOB_CONTRIBUTOR);
    let reply = arm.put(&arm.assignment_path(NAME), body.clone()).await;
    assert_eq!(reply.error(), (400, "PrincipalNotFound".to_owned()));
    let start = format!(
        "Principal {} does not exist in the directory 11111111-1111-1111-1111-111111111111. Check that you have the correct principal ID.",
        NOBODY.replace('-', "")
    );
    assert!(reply.message().starts_with(&start), "{}", reply.message());
    body["properties"]["principalType"] = json!("ServicePrincipal");
    assert_eq!(arm.put(&arm.assignment_path(NAME), body.clone()).await.status, 201);
    arm.emulator.configure(|options| {
        options.principals = Principals::Strict;
        options.principal_delay = Duration::from_secs(60);
    });
    arm.emulator.add_principal(NEW, "ServicePrincipal");
    body["properties"]["principalId"] = json!(NEW);
    assert_eq!(arm.put(&arm.assignment_path(OTHER), body.clone()).await.error().1, "PrincipalNotFound");
    arm.emulator.advance(Duration::from_secs(60));
    assert_eq!(arm.put(&arm.assignment_path(OTHER), body).await.status, 201);
}

/// azure.md §3: principalType against the directory, and values that are none.
#[tokio::test]
async fn a_principal_type_must_fit_the_directory() {
    let arm = arm().await;
    arm.emulator.add_principal(ALICE, "ServicePrincipal");
    let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
    body["properties"]["principalType"] = json!("User");
    let reply = arm.put(&arm.assignment_path(NAME), body.clone()).await;
    assert_eq!(reply.error(), (400, "UnmatchedPrincipalType".to_owned()));
    assert_eq!(
        reply.message(),
        format!(
            "The PrincipalId '{}' has type 'ServicePrincipal' , which is different from specified PrinciaplType 'User'.",
            ALICE.replace('-', "")
        )
    );
    body["properties"]["principalType"] = json!("MSI");
    let reply = arm.put(&arm.assignment_path(NAME), body.clone()).await;
    assert_eq!(reply.status, 400);
    assert!(reply.message().contains("'User', 'Group' or 'ServicePrincipal'"));
    body["properties"].as_object_mut().expect("an object").remove("principalType");
    assert_eq!(arm.put(&arm.assignment_path(NAME), body).await.at("/properties/principalType"), "ServicePrincipal");
}

/// azure.md §3: bad ids of principal, assignment and role.
#[tokio::test]
async fn malformed_and_unknown_ids_have_their_codes() {
    let arm = arm().await;
    let put = async |name: &str, body: Value| arm.put(&arm.assignment_path(name), body).await.error();
    assert_eq!(put(NAME, grant("alice", BLOB_CONTRIBUTOR)).await, (400, "InvalidPrincipalId".to_owned()));
    assert_eq!(put("my-name", grant(ALICE, BLOB_CONTRIBUTOR)).await, (400, "InvalidRoleAssignmentId".to_owned()));
    let unknown = "12345678-0000-0000-0000-000000000000";
    assert_eq!(put(NAME, grant(ALICE, unknown)).await, (400, "RoleDefinitionDoesNotExist".to_owned()));
    arm.emulator.configure(|options| options.unknown_role = 404);
    let reply = arm.put(&arm.assignment_path(NAME), grant(ALICE, unknown)).await;
    assert_eq!(reply.error(), (404, "RoleDefinitionDoesNotExist".to_owned()));
    assert_eq!(reply.message(), format!("The specified role definition with ID '{unknown}' does not exist."));
}

/// azure.md §3: GET of what is missing.
#[tokio::test]
async fn a_missing_assignment_is_role_assignment_not_found() {
    let arm = arm().await;
    let reply = arm.get(&arm.assignment_path(NAME)).await;
    assert_eq!(reply.error(), (404, "RoleAssignmentNotFound".to_owned()));
    assert_eq!(reply.message(), format!("The role assignment '{NAME}' is not found."));
}

/// azure.md §3: DELETE is 200 with the object, or 204.
#[tokio::test]
async fn a_delete_answers_the_object_once() {
    let arm = arm().await;
    let made = arm.put(&arm.assignment_path(NAME), grant(ALICE, BLOB_CONTRIBUTOR)).await;
    let gone = arm.delete(&arm.assignment_path(NAME)).await;
    assert_eq!((gone.status, gone.body()), (200, made.body()));
    assert_eq!(arm.delete(&arm.assignment_path(NAME)).await.status, 204);
}

/// azure.md §3: too many in a subscription.
#[tokio::test]
async fn a_subscription_is_full_at_its_limit() {
    let arm = arm_with(|options| options.assignment_limit = 1).await;
    assert_eq!(arm.put(&arm.assignment_path(NAME), grant(ALICE, BLOB_CONTRIBUTOR)).await.status, 201);
    let reply = arm.put(&arm.assignment_path(OTHER), grant(BOB, BLOB_CONTRIBUTOR)).await;
    assert_eq!(reply.error(), (400, "RoleAssignmentLimitExceeded".to_owned()));
    assert!(reply.message().starts_with("No more role assignments can be created"));
}

/// azure.md §3: the three filters, none, and two joined; inherited ones are in every list below; percent-encoding.
#[tokio::test]
async fn lists_look_up_and_down_as_the_filter_says() {
    let arm = arm().await;
    let group_object = "99999999-0000-0000-0000-000000000009";
    arm.emulator.seed(&format!("principals:\n  - {{ id: {BOB}, type: User, member_of: [{group_object}] }}"));
    let seed = |scope: &str, who: &str| arm.emulator.seed_assignment(scope, who, BLOB_READER);
    let above = seed(&arm.subscription, ALICE);
    let here = seed(&arm.account, BOB);
    let below = seed(&format!("{}/blobServices/default/containers/c", arm.account), ALICE);
    let through_group = seed(&arm.group, group_object);
    let root = seed("", group_object);
    let management_group =
        seed("/providers/Microsoft.Management/managementGroups/11111111-1111-1111-1111-111111111111", BOB);
    let _elsewhere = seed(&format!("{}2", arm.account), ALICE);
    let _hub = seed(&arm.hub, ALICE);
    let list = async |filter: &str| {
        let mut found = names(&arm.assignments(&arm.account, filter).await.body());
        found.sort();
        found
    };
    let sorted = |mut names: Vec<&String>| {
        names.sort();
        names.into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(list("").await, sorted(vec![&root, &management_group, &above, &here, &below, &through_group]));
    assert_eq!(list("atScope()").await, sorted(vec![&root, &management_group, &above, &here, &through_group]));
    assert_eq!(list(&format!("principalId eq '{ALICE}'")).await, sorted(vec![&above, &below]));
    assert_eq!(list(&format!("principalId eq '{BOB}'")).await, sorted(vec![&management_group, &here]));
    assert_eq!(
        list(&format!("assignedTo('{BOB}')")).await,
        sorted(vec![&root, &management_group, &here, &through_group])
    );
    assert_eq!(list(&format!("atScope() and principalId eq '{}'", ALICE.to_uppercase())).await, vec![above.clone()]);
    assert_eq!(
        list(&format!("atScope() and assignedTo('{BOB}')")).await,
        sorted(vec![&root, &management_group, &here, &through_group])
    );
    let unescaped = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments?$filter=assignedTo('{BOB}')&api-version=2022-04-01",
        arm.account
    );
    assert_eq!(names(&arm.get(&unescaped).await.body()).len(), 4);
    assert_eq!(arm.assignments(&arm.account, "name eq 'x'").await.status, 400);
    assert_eq!(arm.assignments(&format!("{}x", arm.account), "atScope()").await.error().1, "ResourceNotFound");
}

/// azure.md §3, §5.5: lists are paged with $skipToken; nextLink is absolute and keeps the filter.
#[tokio::test]
async fn long_lists_are_paged() {
    let arm = arm_with(|options| options.page_size = 3).await;
    let mut expected: Vec<String> =
        (0..7).map(|_| arm.emulator.seed_assignment(&arm.account, ALICE, BLOB_READER)).collect();
    expected.sort();
    let (mut found, mut reply) = (Vec::new(), arm.assignments(&arm.account, "atScope()").await);
    loop {
        found.extend(names(&reply.body()));
        let Some(next) = reply.at("/nextLink").as_str().map(str::to_owned) else { break };
        assert!(next.starts_with(arm.emulator.url()) && next.contains("atScope"), "{next}");
        reply = arm.get(&next).await;
    }
    found.sort();
    assert_eq!(found, expected);
}

/// azure.md §3: right after a PUT a GET or list may lag, and after a DELETE too.
#[tokio::test]
async fn assignments_show_up_and_go_with_a_delay_when_told_to() {
    let arm = arm_with(|options| options.assignment_read_delay = Duration::from_secs(30)).await;
    let lists = async || names(&arm.assignments(&arm.account, "atScope()").await.body()).len();
    arm.put(&arm.assignment_path(NAME), grant(ALICE, BLOB_CONTRIBUTOR)).await;
    assert_eq!((arm.get(&arm.assignment_path(NAME)).await.status, lists().await), (404, 0));
    assert_eq!(arm.put(&arm.assignment_path(OTHER), grant(ALICE, BLOB_CONTRIBUTOR)).await.status, 409);
    arm.emulator.advance(Duration::from_secs(30));
    assert_eq!((arm.get(&arm.assignment_path(NAME)).await.status, lists().await), (200, 1));
    assert_eq!(arm.delete(&arm.assignment_path(NAME)).await.status, 200);
    assert_eq!((arm.get(&arm.assignment_path(NAME)).await.status, lists().await), (200, 1));
    arm.emulator.advance(Duration::from_secs(30));
    assert_eq!((arm.get(&arm.assignment_path(NAME)).await.status, lists().await), (404, 0));
}

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
