//! Who may do what, when that is asked for (azure.md §3, §4).

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, Arm, BLOB_CONTRIBUTOR, BOB, WORKSPACES, arm_with, grant};
use crate::azure::Lro;

/// Signs a client without any role in.
async fn outsider(arm: &mut Arm) {
    arm.token = token_of(arm, ALICE).await;
}

/// A token of a client that is this service principal.
async fn token_of(arm: &Arm, object_id: &str) -> String {
    let id = object_id.replace("aaaaaaaa", "cccccccc").replace("bbbbbbbb", "dddddddd");
    arm.emulator.seed(&format!("clients:\n  - {{ client_id: {id}, object_id: {object_id}, secret: s }}"));
    arm.sign_in(&id, "s").await.at("/access_token").as_str().expect("a token").to_owned()
}

/// azure.md §3: AuthorizationFailed with client, object id, action and scope; role writes mention a condition.
#[tokio::test]
async fn rbac_is_enforced_when_asked() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
    outsider(&mut arm).await;
    let refused = arm.get(&arm.hub_path()).await;
    assert_eq!(refused.error(), (403, "AuthorizationFailed".to_owned()));
    assert_eq!(
        refused.message(),
        format!(
            "The client 'cccccccc-0000-4000-8000-000000000001' with object id '{ALICE}' does not have authorization to perform action 'Microsoft.MachineLearningServices/workspaces/read' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            arm.hub
        )
    );
    arm.emulator.seed_assignment(&arm.group, ALICE, "Reader");
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
    let list_keys = format!("{}/listKeys?api-version=2023-05-01", arm.account);
    assert!(
        arm.post(&list_keys, Value::Null)
            .await
            .message()
            .contains("'Microsoft.Storage/storageAccounts/listKeys/action'")
    );
    arm.emulator.seed_assignment(&arm.subscription, ALICE, "Contributor");
    assert_eq!(arm.post(&list_keys, Value::Null).await.status, 200);
    assert_eq!(arm.patch(&arm.hub_path(), json!({ "properties": {} })).await.status, 202);
    let assignment = arm.assignment_path("00000000-0000-0000-0000-0000000000aa");
    let refused = arm.put(&assignment, grant(ALICE, BLOB_CONTRIBUTOR)).await;
    let text = refused.message();
    assert!(text.contains("does not have authorization or an ABAC condition not fulfilled to perform action 'Microsoft.Authorization/roleAssignments/write' over scope"), "{text}");
    let admin = arm.emulator.seed_assignment(&arm.account, ALICE, "Role Based Access Control Administrator");
    assert_eq!(arm.put(&assignment, grant(ALICE, BLOB_CONTRIBUTOR)).await.status, 201);
    arm.emulator.remove_assignment(&admin);
    assert_eq!(arm.delete(&assignment).await.status, 403);
}

/// azure.md §4: a custom role has the actions that its definition has.
#[tokio::test]
async fn a_custom_role_of_a_seed_is_enforced() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    outsider(&mut arm).await;
    let seed = |action: &str| {
        arm.emulator.seed(&format!(
            "custom_roles: [{{ id: 99999999-0000-0000-0000-00000000000A, name: ours, permissions: [{{ actions: [{action}] }}] }}]"
        ));
    };
    seed("Microsoft.MachineLearningServices/workspaces/write");
    arm.emulator.seed_assignment(&arm.group, ALICE, "99999999-0000-0000-0000-00000000000a");
    assert_eq!(arm.get(&arm.hub_path()).await.status, 403);
    seed("Microsoft.MachineLearningServices/workspaces/*");
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
}

/// azure.md §3, §4: a group's roles count for its members, notActions take away, a new role may take its time.
#[tokio::test]
async fn rbac_knows_groups_not_actions_and_delays() {
    let mut arm = arm_with(|options| {
        options.enforce_rbac = true;
        options.lro = Lro::Done;
    })
    .await;
    outsider(&mut arm).await;
    let group = "99999999-0000-0000-0000-000000000009";
    arm.emulator.seed(&format!("principals:\n  - {{ id: {ALICE}, type: ServicePrincipal, member_of: [{group}] }}"));
    arm.emulator.seed_assignment(&arm.hub, group, "Azure AI Developer");
    let datastores = format!("{}/datastores?api-version=2024-10-01", arm.hub);
    assert_eq!(arm.get(&datastores).await.status, 200);
    assert_eq!(arm.patch(&arm.hub_path(), json!({})).await.status, 403);
    assert_eq!(arm.post(&format!("{}/listKeys?api-version=2025-06-01", arm.hub), Value::Null).await.status, 403);
    arm.emulator.configure(|options| options.rbac_delay = Duration::from_secs(300));
    arm.emulator.seed_assignment(&arm.hub, ALICE, "Owner");
    assert_eq!(arm.patch(&arm.hub_path(), json!({})).await.status, 403);
    arm.emulator.advance(Duration::from_secs(300));
    assert_eq!(arm.patch(&arm.hub_path(), json!({})).await.status, 200);
}

/// azure.md §4 rows Contributor and Reader: what is in a subscription is open to whoever has the role at the
/// subscription, lists and providers included.
#[tokio::test]
async fn a_role_at_the_subscription_counts_for_everything_in_it() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    outsider(&mut arm).await;
    let (subscription, group) = (&arm.subscription, &arm.group);
    let reads = [
        subscription.clone(),
        format!("{subscription}/resourcegroups"),
        format!("{subscription}/resources"),
        format!("{subscription}/providers"),
        format!("{subscription}/providers/Microsoft.Storage"),
        format!("{subscription}/providers/{WORKSPACES}"),
        group.clone(),
        format!("{group}/resources"),
        format!("{group}/providers/{ACCOUNTS}"),
        format!("{}/datastores", arm.hub),
        format!("{group}/providers/Microsoft.Authorization/roleAssignments"),
        format!("{}/providers/Microsoft.Authorization/roleDefinitions", arm.account),
    ];
    let status = async |path: &str| arm.get(&format!("{path}?api-version=2022-04-01")).await.status;
    for path in &reads {
        assert_eq!(status(path).await, 403, "without a role: {path}");
    }
    for role in ["Reader", "Contributor"] {
        let name = arm.emulator.seed_assignment(subscription, ALICE, role);
        for path in &reads {
            assert_eq!(status(path).await, 200, "{role}: {path}");
        }
        let register = format!("{subscription}/providers/Microsoft.Storage/register?api-version=2024-11-01");
        let made = format!("{subscription}/resourcegroups/made?api-version=2024-11-01");
        let writes = if role == "Reader" { (403, 403) } else { (200, 201) };
        let got = (
            arm.post(&register, Value::Null).await.status,
            arm.put(&made, json!({ "location": "eastus" })).await.status,
        );
        assert_eq!(got, writes, "{role}");
        arm.emulator.remove_assignment(&name);
    }
    let refused = arm.get(&format!("{subscription}/resourcegroups?api-version=2022-04-01")).await.message();
    let expected = format!(
        "perform action 'Microsoft.Resources/subscriptions/resourceGroups/read' over scope '{subscription}' or"
    );
    assert!(refused.contains(&expected), "{refused}");
}

/// azure.md §13: what may need keys is read by an action of its own each, which Reader has; secrets by none of these.
#[tokio::test]
async fn what_may_need_keys_is_read_by_actions_of_its_own() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    arm.emulator.seed(
        "datastores: [{ parent: hub1, name: one, properties: { datastoreType: AzureBlob, credentials: { credentialsType: Sas, secrets: { secretsType: Sas, sasToken: s3cret } } } }]
connections: [{ parent: hub1, name: one, properties: { authType: AccountKey } }]
computes: [{ parent: hub1, name: one, properties: { computeType: AKS } }]
containers: [{ parent: sa1, name: one }]
shares: [{ parent: sa1, name: one }]",
    );
    let reads = [
        (format!("{}/datastores", arm.hub), "Microsoft.MachineLearningServices/workspaces/datastores/read"),
        (format!("{}/connections", arm.hub), "Microsoft.MachineLearningServices/workspaces/connections/read"),
        (format!("{}/computes", arm.hub), "Microsoft.MachineLearningServices/workspaces/computes/read"),
        (
            format!("{}/blobServices/default/containers", arm.account),
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
        ),
        (
            format!("{}/fileServices/default/shares", arm.account),
            "Microsoft.Storage/storageAccounts/fileServices/shares/read",
        ),
    ];
    let owner = arm.token.clone();
    let outsider = token_of(&arm, ALICE).await;
    let secrets = format!("{}/datastores/one/listSecrets?api-version=2025-06-01", arm.hub);
    for (path, action) in &reads {
        let (list, item) = (format!("{path}?api-version=2025-06-01"), format!("{path}/one?api-version=2025-06-01"));
        arm.token.clone_from(&outsider);
        for path in [&list, &item] {
            let refused = arm.get(path).await;
            assert_eq!(refused.error(), (403, "AuthorizationFailed".to_owned()), "{path}");
            assert!(refused.message().contains(&format!("perform action '{action}' over scope")), "{}", refused.text);
        }
        arm.token.clone_from(&owner);
        let role = json!({ "properties": {
            "roleName": action, "permissions": [{ "actions": [action] }], "assignableScopes": [arm.group],
        } });
        let definitions = format!("{}/providers/Microsoft.Authorization/roleDefinitions", arm.group);
        arm.put(&format!("{definitions}/{}?api-version=2022-04-01", super::NAME), role).await;
        let given = arm.emulator.seed_assignment(&arm.group, ALICE, super::NAME);
        arm.token.clone_from(&outsider);
        for (other, _) in &reads {
            let expected = if other == path { 200 } else { 403 };
            assert_eq!(arm.get(&format!("{other}?api-version=2025-06-01")).await.status, expected, "{action}: {other}");
        }
        assert_eq!(arm.get(&item).await.status, 200);
        for refused in [arm.put(&item, json!({})).await, arm.delete(&item).await, arm.post(&secrets, json!({})).await] {
            assert_eq!(refused.error(), (403, "AuthorizationFailed".to_owned()), "{action}");
        }
        arm.emulator.remove_assignment(&given);
    }
    let reader = arm.emulator.seed_assignment(&arm.subscription, ALICE, "Reader");
    for (path, _) in &reads {
        assert_eq!(arm.get(&format!("{path}?api-version=2025-06-01")).await.status, 200, "{path}");
    }
    let refused = arm.post(&secrets, json!({})).await;
    assert!(refused.message().contains("datastores/listSecrets/action'") && !refused.text.contains("s3cret"));
    arm.emulator.remove_assignment(&reader);
    arm.emulator.seed_assignment(&arm.hub, ALICE, "Azure AI Developer");
    assert_eq!(arm.post(&secrets, json!({})).await.at("/sasToken"), "s3cret");
}

/// azure.md §13.7, §13.8: the question what policies forbid is a read, at the group; endpoints are read by themselves.
#[tokio::test]
async fn policies_and_private_endpoints_are_read_by_a_reader() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    arm.emulator
        .seed("private_endpoints: [{ name: pe, storage_account: sa1, service: blob, resource_group: network }]");
    let restrictions = format!("{}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions", arm.group);
    let endpoint = arm.emulator.id("network", "Microsoft.Network/privateEndpoints", "pe");
    outsider(&mut arm).await;
    let content = json!({ "resourceDetails": { "resourceContent": {} } });
    let asked = async || arm.post(&format!("{restrictions}?api-version=2024-10-01"), content.clone()).await;
    let read = async || arm.get(&format!("{endpoint}?api-version=2024-05-01")).await;
    for (reply, action, scope) in [
        (asked().await, "Microsoft.PolicyInsights/checkPolicyRestrictions/read", &arm.group),
        (read().await, "Microsoft.Network/privateEndpoints/read", &endpoint),
    ] {
        assert_eq!(reply.error(), (403, "AuthorizationFailed".to_owned()));
        let expected = format!("perform action '{action}' over scope '{scope}' or");
        assert!(reply.message().contains(&expected), "{}", reply.text);
    }
    arm.emulator.seed_assignment(&arm.group, ALICE, "Reader");
    assert_eq!((asked().await.status, read().await.status), (200, 403));
    arm.emulator.seed_assignment(&endpoint, ALICE, "Reader");
    assert_eq!(read().await.status, 200);
}

/// azure.md §5.9: whoever is signed in may list tenants and subscriptions, and sees those it has some access to.
#[tokio::test]
async fn everybody_lists_the_subscriptions_it_has_access_to() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    arm.emulator.seed("subscriptions: { 99999999-2222-2222-2222-222222222222: Another }");
    outsider(&mut arm).await;
    assert_eq!(arm.get("/tenants?api-version=2022-12-01").await.status, 200);
    let seen = async || {
        let list = arm.get("/subscriptions?api-version=2022-12-01").await;
        assert_eq!(list.status, 200);
        list.at("/value").as_array().expect("a list").iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(seen().await, [Value::Null; 0]);
    arm.emulator.seed_assignment(&arm.account, ALICE, BLOB_CONTRIBUTOR);
    assert_eq!(seen().await, [json!(arm.subscription)]);
    arm.emulator.seed_assignment("", ALICE, "Reader");
    assert_eq!(seen().await.len(), 2);
}

/// azure.md §1.3, §5.6: whoever may write a workspace may follow the operation that the write started; others need a
/// role.
#[tokio::test]
async fn an_operation_is_open_to_whoever_started_it() {
    let mut arm = arm_with(|options| options.enforce_rbac = true).await;
    outsider(&mut arm).await;
    arm.emulator.seed_assignment(&arm.hub, ALICE, "Contributor");
    let started = arm.patch(&arm.hub_path(), json!({ "properties": { "description": "d" } })).await;
    assert_eq!(started.status, 202, "{}", started.text);
    let links = ["location", "azure-asyncoperation"].map(|name| started.header(name).expect("a link").to_owned());
    for link in &links {
        assert_eq!(arm.get(link).await.status, 200, "{link}");
    }
    arm.token = token_of(&arm, BOB).await;
    for link in &links {
        assert_eq!(arm.get(link).await.error(), (403, "AuthorizationFailed".to_owned()), "{link}");
    }
    arm.emulator.seed_assignment(&arm.subscription, BOB, "Reader");
    assert_eq!(arm.get(&links[0]).await.status, 200);
}
