//! What all of Azure Resource Manager has in common (arm.md §5.1 to §5.5, §5.7 to §5.9).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, Arm, BLOB_CONTRIBUTOR, WORKSPACES, arm, arm_with, grant, names, read, send};
use crate::azure::{Action, EchoWhen, Lro, Record, Rule};

const LOCK: &str = "providers/Microsoft.Authorization/locks/l1?api-version=2016-09-01";

/// arm.md §5.1: absent members are left out; additionalInfo is never null.
#[tokio::test]
async fn an_error_has_code_and_message_and_no_nulls() {
    let arm = arm().await;
    let reply = arm.get(&format!("{}x?api-version=2025-06-01", arm.hub)).await;
    let error = reply.at("/error");
    let members: Vec<&String> = error.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["code", "message"]);
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert!(reply.header("retry-after").is_none());
}

/// arm.md §5.1: no bearer, a bad one, one that ran out, a revoked one; with and without a claims challenge.
#[tokio::test]
async fn a_missing_or_bad_token_is_401_with_a_challenge() {
    let arm = arm_with(|options| options.token_lifetime = Duration::from_secs(60)).await;
    let url = format!("{}{}", arm.emulator.url(), arm.hub_path());
    let missing = read(arm.http.get(&url)).await;
    assert_eq!(missing.error(), (401, "AuthenticationFailed".to_owned()));
    let challenge = missing.header("www-authenticate").expect("a challenge").to_owned();
    assert!(challenge.starts_with("Bearer authorization_uri=\"") && challenge.contains("error=\"invalid_token\""));
    assert!(!challenge.contains("claims="));
    assert_eq!(
        read(arm.http.get(&url).bearer_auth("x.y.z")).await.error(),
        (401, "InvalidAuthenticationToken".to_owned())
    );
    arm.emulator.configure(|options| options.claims_challenge = true);
    arm.emulator.revoke_tokens();
    let revoked = arm.get(&arm.hub_path()).await;
    assert_eq!(revoked.error().1, "InvalidAuthenticationToken");
    assert!(revoked.header("www-authenticate").expect("a challenge").contains(", claims=\""));
    arm.emulator.advance(Duration::from_secs(61));
    assert_eq!(arm.get(&arm.hub_path()).await.error().1, "ExpiredAuthenticationToken");
}

/// arm.md §5.1: api-version missing or refused; the rest of the table of errors.
#[tokio::test]
async fn api_versions_subscriptions_and_groups_have_their_errors() {
    let arm = arm_with(|options| options.reject_api_version = vec!["2025-06-01".to_owned()]).await;
    assert_eq!(arm.get(&arm.hub).await.error(), (400, "MissingApiVersionParameter".to_owned()));
    let refused = arm.get(&arm.hub_path()).await;
    assert_eq!(refused.error(), (400, "NoRegisteredProviderFound".to_owned()));
    let text = refused.message();
    assert!(
        text.contains("API version '2025-06-01' for type 'workspaces'. The supported api-versions are '"),
        "{text}"
    );
    assert!(text.contains("2024-04-01"), "{text}");
    let other = "/subscriptions/99999999-0000-0000-0000-000000000000";
    let path = format!("{other}/resourceGroups/rg1/providers/{WORKSPACES}/h?api-version=2024-04-01");
    assert_eq!(arm.get(&path).await.error(), (404, "SubscriptionNotFound".to_owned()));
    let path = format!("{}/resourceGroups/none/providers/{WORKSPACES}/h?api-version=2024-04-01", arm.subscription);
    let group = arm.get(&path).await;
    assert_eq!(group.error(), (404, "ResourceGroupNotFound".to_owned()));
    assert_eq!(group.message(), "Resource group 'none' could not be found.");
}

/// arm.md §5.1, §1.8: a provider that is not registered; registering it takes its time, then the call goes through.
#[tokio::test]
async fn an_unregistered_provider_is_409_until_it_is_registered() {
    let arm = arm_with(|options| {
        options.unregistered = vec!["Microsoft.MachineLearningServices".to_owned()];
        options.registration_time = Duration::from_secs(10);
    })
    .await;
    assert_eq!(arm.get(&arm.hub_path()).await.error(), (409, "MissingSubscriptionRegistration".to_owned()));
    let provider = format!("{}/providers/Microsoft.MachineLearningServices", arm.subscription);
    let state = async || arm.get(&format!("{provider}?api-version=2024-11-01")).await.at("/registrationState");
    assert_eq!(state().await, "NotRegistered");
    let reply = arm.post(&format!("{provider}/register?api-version=2019-05-01"), Value::Null).await;
    assert_eq!((reply.status, reply.at("/registrationState")), (200, "Registering".into()));
    arm.emulator.advance(Duration::from_secs(10));
    assert_eq!(state().await, "Registered");
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
}

/// arm.md §5.2: buckets of their own for reads, writes and deletes; 429 with Retry-After; they fill up again.
#[tokio::test]
async fn empty_buckets_answer_429_and_fill_up_again() {
    let arm = arm_with(|options| {
        options.throttle = true;
        options.stop_clock = true;
        options.read_bucket = "3/1".parse().expect("a rate");
        options.write_bucket = "1/1".parse().expect("a rate");
    })
    .await;
    let left = |reply: &super::client::Reply, class: &str| {
        reply.header(&format!("x-ms-ratelimit-remaining-subscription-{class}")).map(str::to_owned)
    };
    for expected in ["2", "1", "0"] {
        let reply = arm.get(&arm.hub_path()).await;
        assert_eq!((reply.status, left(&reply, "reads").as_deref()), (200, Some(expected)));
    }
    let refused = arm.get(&arm.hub_path()).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    let written = arm.patch(&arm.account_path(), json!({})).await;
    assert_eq!((written.status, left(&written, "writes").as_deref()), (200, Some("0")));
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 429);
    assert!(left(&arm.delete(&arm.assignment_path(ALICE)).await, "deletes").is_some());
    arm.emulator.advance(Duration::from_secs(1));
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
    let tenant = arm.get("/tenants?api-version=2022-12-01").await;
    assert!(tenant.header("x-ms-ratelimit-remaining-tenant-reads").is_some());
}

/// arm.md §5.4: the headers of every answer; which ids come back.
#[tokio::test]
async fn every_answer_has_ids_and_a_date() {
    let arm =
        arm_with(|options| options.time = Some(crate::azure::parse_time("2027-01-02T03:04:05Z").expect("a time")))
            .await;
    let send = async |extra: &[(&str, &str)]| {
        let request = arm.request(Method::GET, &arm.hub_path(), Value::Null).header("x-ms-client-request-id", "c1");
        read(extra.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    let reply = send(&[("x-ms-correlation-request-id", "my-run")]).await;
    assert_eq!(reply.header("x-ms-correlation-request-id"), Some("my-run"));
    for name in ["x-ms-request-id", "x-ms-routing-request-id"] {
        assert!(reply.header(name).is_some(), "{name}");
    }
    assert!(reply.header("date").expect("a Date").starts_with("Sat, 02 Jan 2027 03:04:"));
    assert_eq!(reply.header("x-ms-client-request-id"), None);
    assert_eq!(send(&[("x-ms-return-client-request-id", "true")]).await.header("x-ms-client-request-id"), Some("c1"));
    arm.emulator.configure(|options| options.echo_client_request_id = EchoWhen::Always);
    assert_eq!(send(&[]).await.header("x-ms-client-request-id"), Some("c1"));
}

/// arm.md §5.7: a CanNotDelete lock stops deletes below it, a ReadOnly one every write and action.
#[tokio::test]
async fn locks_stop_writes_and_deletes() {
    let arm = arm().await;
    let assignment = arm.assignment_path("00000000-0000-0000-0000-0000000000aa");
    arm.put(&assignment, grant(ALICE, BLOB_CONTRIBUTOR)).await;
    let lock = async |scope: &str, level: &str| {
        arm.put(&format!("{scope}/{LOCK}"), json!({ "properties": { "level": level } })).await
    };
    assert_eq!(lock(&arm.group, "CanNotDelete").await.status, 201);
    let refused = arm.delete(&assignment).await;
    assert_eq!(refused.error(), (409, "ScopeLocked".to_owned()));
    let id = assignment.split('?').next().expect("a path");
    assert_eq!(
        refused.message(),
        format!(
            "The scope '{id}' cannot perform delete operation because following scope(s) are locked: '{}'. Please remove the lock and try again.",
            arm.group
        )
    );
    assert_eq!(arm.delete(&arm.hub_path()).await.error().1, "ScopeLocked");
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 200);
    assert_eq!(lock(&arm.account, "ReadOnly").await.status, 201);
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.error().1, "ScopeLocked");
    assert_eq!(
        arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await.error().1,
        "ScopeLocked"
    );
    let other = arm.assignment_path("00000000-0000-0000-0000-0000000000bb");
    assert_eq!(arm.put(&other, grant(ALICE, BLOB_CONTRIBUTOR)).await.error().1, "ScopeLocked");
    assert_eq!(arm.get(&arm.account_path()).await.status, 200);
    let list =
        arm.get(&format!("{}/providers/Microsoft.Authorization/locks?api-version=2016-09-01", arm.subscription)).await;
    assert_eq!(names(&list.body()).len(), 2);
    assert_eq!(arm.get(&format!("{}/{LOCK}", arm.account)).await.at("/properties/level"), "ReadOnly");
    for scope in [&arm.account, &arm.group] {
        assert_eq!(arm.delete(&format!("{scope}/{LOCK}")).await.status, 200);
    }
    assert_eq!(arm.delete(&assignment).await.status, 200);
}

/// arm.md §5.7: a policy that denies names the resource and carries a PolicyViolation.
#[tokio::test]
async fn a_deny_policy_is_request_disallowed_by_policy() {
    let policy = format!("deny {ACCOUNTS} properties.allowSharedKeyAccess=true");
    let arm = arm_with(|options| options.policy = vec![policy.parse().expect("a policy")]).await;
    let reply = arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": true } })).await;
    assert_eq!(reply.error(), (403, "RequestDisallowedByPolicy".to_owned()));
    assert_eq!(reply.at("/error/target"), "sa1");
    assert!(
        reply
            .message()
            .starts_with("Resource 'sa1' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":{")
    );
    assert_eq!(reply.at("/error/additionalInfo/0/type"), "PolicyViolation");
    assert!(reply.at("/error/additionalInfo/0/info/evaluationDetails").is_object());
    assert_eq!(
        arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await.status,
        200
    );
}

/// arm.md §5.9: subscriptions and tenants.
#[tokio::test]
async fn subscriptions_and_tenants_have_the_members_that_clients_read() {
    let arm = arm().await;
    let list = arm.get("/subscriptions?api-version=2022-12-01").await;
    let one = list.at("/value/0");
    for member in [
        "id",
        "subscriptionId",
        "tenantId",
        "displayName",
        "authorizationSource",
        "managedByTenants",
        "subscriptionPolicies",
    ] {
        assert!(!one[member].is_null(), "{member}");
    }
    assert_eq!(one["state"], "Enabled");
    assert_eq!(arm.get(&format!("{}?api-version=2022-12-01", arm.subscription)).await.body(), one);
    assert_eq!(arm.get("/tenants?api-version=2022-12-01").await.at("/value/0/tenantId"), one["tenantId"]);
}

/// arm.md §5.9: resource groups; HEAD is 204 or 404.
#[tokio::test]
async fn groups_are_read_made_and_deleted() {
    let arm = arm().await;
    let path = |name: &str| format!("{}/resourcegroups/{name}?api-version=2024-11-01", arm.subscription);
    let group = arm.get(&path("RG1")).await;
    assert_eq!((group.at("/name"), group.at("/type")), ("rg1".into(), "Microsoft.Resources/resourceGroups".into()));
    assert_eq!(group.at("/properties/provisioningState"), "Succeeded");
    let head = async |name: &str| arm.send(Method::HEAD, &path(name), Value::Null).await.status;
    assert_eq!((head("rg1").await, head("none").await), (204, 404));
    assert_eq!(arm.get(&path("none")).await.error().1, "ResourceGroupNotFound");
    assert_eq!(arm.put(&path("rg3"), json!({ "location": "westeurope" })).await.status, 201);
    assert_eq!(arm.put(&path("rg3"), json!({ "location": "westeurope", "tags": { "a": "b" } })).await.status, 200);
    let list = arm.get(&format!("{}/resourcegroups?api-version=2024-11-01", arm.subscription)).await;
    assert_eq!(names(&list.body()), ["rg1", "rg3"]);
    let gone = arm.delete(&path("rg1")).await;
    assert_eq!(gone.status, 202);
    assert_eq!(arm.get(gone.header("location").expect("a Location")).await.status, 204);
    assert_eq!(head("rg1").await, 404);
    assert!(arm.emulator.resource(&arm.hub).is_none());
}

/// arm.md §5.9, §1.2: a provider's types list api-versions from new to old, stable ones first.
#[tokio::test]
async fn a_provider_lists_api_versions_from_new_to_old() {
    let arm = arm().await;
    for (namespace, kind, newest) in [
        ("Microsoft.MachineLearningServices", "workspaces", "2026-05-01"),
        ("microsoft.storage", "storageAccounts", "2026-09-01"),
        ("Microsoft.Authorization", "roleAssignments", "2022-04-01"),
    ] {
        let provider =
            arm.get(&format!("{}/providers/{namespace}?api-version=2024-11-01", arm.subscription)).await.body();
        assert_eq!(provider["registrationState"], "Registered");
        let kinds = provider["resourceTypes"].as_array().expect("a list");
        let found = kinds.iter().find(|found| found["resourceType"] == kind).expect("the type");
        let versions: Vec<&str> =
            found["apiVersions"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(versions[0], newest);
        let stable: Vec<&&str> = versions.iter().filter(|version| !version.ends_with("preview")).collect();
        assert!(stable.is_sorted_by(|a, b| a > b), "{stable:?}");
        assert!(found["locations"].is_array());
    }
    assert_eq!(arm.get(&format!("{}/providers/None.Such?api-version=2024-11-01", arm.subscription)).await.status, 404);
}

/// arm.md §8: the lists of resources that az resource sends.
#[tokio::test]
async fn resources_are_listed_by_group_and_type() {
    let arm = arm().await;
    let list = async |query: &str| {
        names(&arm.get(&format!("{}/resources?api-version=2024-11-01{query}", arm.subscription)).await.body())
    };
    assert_eq!(list("").await, ["hub1", "sa1"]);
    assert_eq!(
        list(&format!("&$filter=resourceGroup%20eq%20%27RG1%27%20and%20resourceType%20eq%20%27{ACCOUNTS}%27")).await,
        ["sa1"]
    );
    assert_eq!(list("&$filter=name eq 'none'").await, Vec::<String>::new());
}

/// Signs a client without any role in.
async fn outsider(arm: &mut Arm) {
    arm.emulator.seed(&format!(
        "clients:\n  - {{ client_id: cccccccc-0000-0000-0000-000000000001, object_id: {ALICE}, secret: s }}"
    ));
    let reply = arm.sign_in("cccccccc-0000-0000-0000-000000000001", "s").await;
    arm.token = reply.at("/access_token").as_str().expect("a token").to_owned();
}

/// arm.md §3: AuthorizationFailed with client, object id, action and scope; role writes mention a condition.
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
            "The client 'cccccccc-0000-0000-0000-000000000001' with object id '{ALICE}' does not have authorization to perform action 'Microsoft.MachineLearningServices/workspaces/read' over scope '{}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
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

/// arm.md §3, §4: a group's roles count for its members, notActions take away, a new role may take its time.
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

/// AuthorizationFailed for a number of calls, whatever the roles.
#[tokio::test]
async fn a_rule_denies_a_number_of_calls() {
    let arm = arm().await;
    arm.emulator.fault("PATCH */workspaces/* -> denied times=2".parse().expect("a rule"));
    for _ in 0..2 {
        let reply = arm.patch(&arm.hub_path(), json!({})).await;
        assert_eq!(reply.error(), (403, "AuthorizationFailed".to_owned()));
        assert!(reply.message().contains("Microsoft.MachineLearningServices/workspaces/write"));
    }
    assert_eq!(arm.patch(&arm.hub_path(), json!({})).await.status, 202);
}

/// Rules: a status with its text and Retry-After, after some and for some requests, by query or body.
#[tokio::test]
async fn rules_make_chosen_requests_go_wrong() {
    let arm = arm().await;
    let rule = "PATCH */STORAGEACCOUNTS/*?allowSharedKeyAccess -> 409 StorageAccountOperationInProgress message=\"An operation is \
                currently performing.\" retry-after=7 after=1 times=1";
    arm.emulator.fault(rule.parse().expect("a rule"));
    let flag = json!({ "properties": { "allowSharedKeyAccess": true } });
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 200);
    assert_eq!(arm.patch(&arm.account_path(), flag.clone()).await.status, 200);
    let wrong = arm.patch(&arm.account_path(), flag.clone()).await;
    assert_eq!(wrong.error(), (409, "StorageAccountOperationInProgress".to_owned()));
    assert_eq!(
        (wrong.message().as_str(), wrong.header("retry-after")),
        ("An operation is currently performing.", Some("7"))
    );
    assert_eq!(arm.patch(&arm.account_path(), flag).await.status, 200);
    for nonsense in
        ["", "GET /x", "GET -> 500", "GET /x -> 99", "GET /x -> 500 a=b", "GET /x -> slow delay=1y", "GET /x -> \"500"]
    {
        assert!(nonsense.parse::<Rule>().is_err(), "{nonsense}");
    }
}

/// Rules: connections that are closed before or after the work, and answers cut in the middle.
#[tokio::test]
async fn rules_break_connections() {
    let arm = arm().await;
    let flag = json!({ "properties": { "allowSharedKeyAccess": false } });
    for (action, done) in [(Action::Close, false), (Action::Lose, true), (Action::Truncate, true)] {
        arm.emulator.set_shared_key_access(&arm.account, None);
        arm.emulator.fault(Rule::on("PATCH", "*", action).times(1));
        let sent = send(arm.request(Method::PATCH, &arm.account_path(), flag.clone())).await;
        let broken = match sent {
            Err(_) => true,
            Ok(response) => response.bytes().await.is_err(),
        };
        assert!(broken, "{action:?}");
        let account = arm.emulator.resource(&arm.account).expect("the account");
        assert_eq!(account["properties"].get("allowSharedKeyAccess").is_some(), done, "{action:?}");
    }
    let rule = arm.emulator.fault(Rule::on("GET", "*", Action::Hold));
    let (sent, ()) = tokio::join!(send(arm.request(Method::GET, &arm.account_path(), Value::Null)), async {
        arm.emulator.request_seen(|record| record.method == "GET").await;
        arm.emulator.hang_up();
    });
    assert!(sent.is_err());
    arm.emulator.release(rule);
}

/// Rules: a request is held until it is let go, and a test sees it arrive.
#[tokio::test]
async fn a_held_request_waits_until_it_is_let_go() {
    let arm = arm().await;
    let rule = arm.emulator.fault(Rule::on("GET", "*/workspaces/hub1", Action::Hold));
    let path = arm.hub_path();
    let (reply, ()) = tokio::join!(arm.get(&path), async {
        let seen: Record = arm.emulator.request_seen(|record| record.path.ends_with("hub1")).await;
        assert_eq!(seen.status, None);
        arm.emulator.release(rule);
    });
    assert_eq!(reply.status, 200);
    let record = arm.emulator.arm_requests().pop().expect("a record");
    assert_eq!((record.status, record.query("API-VERSION")), (Some(200), Some("2025-06-01")));
}

/// The log has every request with its caller, and no secret.
#[tokio::test]
async fn the_log_has_callers_and_no_secrets() {
    let arm = arm().await;
    arm.emulator.clear_requests();
    arm.sign_in("33333333-3333-3333-3333-333333333333", "emulator-secret").await;
    arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await;
    arm.get(&format!("{}x?api-version=2025-06-01", arm.hub)).await;
    let records = arm.emulator.requests();
    assert_eq!(records.len(), 3);
    let text = serde_json::to_string(&records).expect("JSON");
    assert!(!text.contains("emulator-secret") && !text.contains(&arm.token));
    let sent = arm.emulator.arm_requests();
    assert_eq!((sent[0].method.as_str(), sent[0].status), ("PATCH", Some(200)));
    assert_eq!(sent[0].principal.as_deref(), Some("44444444-4444-4444-4444-444444444444"));
    assert_eq!(sent[0].body, json!({ "properties": { "allowSharedKeyAccess": false } }));
    assert_eq!((sent[1].status, sent[1].error.as_deref()), (Some(404), Some("ResourceNotFound")));
    let told = arm.get("/_emulator/requests?arm").await.body();
    assert_eq!(told.as_array().expect("a list").len(), 2);
}

/// The clock moves createdOn and Date.
#[tokio::test]
async fn the_clock_moves_created_on() {
    let arm = arm_with(|options| options.stop_clock = true).await;
    arm.emulator.set_time(crate::azure::parse_time("2030-05-06T07:08:09Z").expect("a time"));
    let token = arm.sign_in("33333333-3333-3333-3333-333333333333", "emulator-secret").await.at("/access_token");
    let arm = Arm { token: token.as_str().expect("a token").to_owned(), ..arm };
    let path = arm.assignment_path("00000000-0000-0000-0000-0000000000aa");
    let reply = arm.put(&path, grant(ALICE, BLOB_CONTRIBUTOR)).await;
    assert_eq!(reply.at("/properties/createdOn"), "2030-05-06T07:08:09.0000000Z");
    assert_eq!(reply.header("date"), Some("Mon, 06 May 2030 07:08:09 GMT"));
}

/// The state file keeps what was written across a restart.
#[tokio::test]
async fn the_state_file_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.json");
    let start = || arm_with(|options| options.state = Some(state.clone()));
    let name = "00000000-0000-0000-0000-0000000000aa";
    let arm = start().await;
    arm.put(&arm.assignment_path(name), grant(ALICE, BLOB_CONTRIBUTOR)).await;
    arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await;
    let keys = arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await.body();
    drop(arm);
    let arm = start().await;
    assert_eq!(arm.get(&arm.assignment_path(name)).await.status, 200);
    assert_eq!(arm.get(&arm.account_path()).await.at("/properties/allowSharedKeyAccess"), false);
    assert_eq!(arm.post(&format!("{}/listKeys?api-version=2023-05-01", arm.account), Value::Null).await.body(), keys);
}
