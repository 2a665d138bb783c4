//! The typed calls: operations followed to their end, pages, api-versions, and reads that are joined or replaced by a list.

use crate::support::arm::{SUBSCRIPTION, account, call, client, error, hub, settings};
use crate::support::scripted::{Exchange, Scripted, on};
use foundryhub::arm::datastores::Datastore;
use foundryhub::arm::role_assignments::{Deleted, NewRoleAssignment, RoleAssignment};
use foundryhub::arm::role_definitions::RoleDefinition;
use foundryhub::arm::storage_accounts::StorageAccount;
use foundryhub::arm::workspaces::{AuthMode, Workspace};
use foundryhub::arm::{ArmId, Client, Dated, Error, ErrorCode, List, Read, RoleAssignmentId, Settings};
use futures_util::TryStreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use uuid::Uuid;

const HUB: &str = r#"{"id":"/hub","name":"hub1","properties":{"systemDatastoresAuthMode":"Identity","provisioningState":"Succeeded"}}"#;

fn operation(kind: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/locations/eastus/\
         workspaceOperationsStatus/1?api-version=2025-06-01&type={kind}"
    )
}

fn seconds(values: &[u64]) -> Vec<Duration> {
    values.iter().copied().map(Duration::from_secs).collect()
}

#[tokio::test]
async fn set_auth_mode_patches_the_mode_alone_and_follows_the_operation() {
    let status = operation("async");
    let server = Scripted::start(vec![
        on("PATCH", hub().to_string())
            .answer(202, "")
            .header("Location", format!("{{self}}{}", operation("location")))
            .header("Azure-AsyncOperation", format!("{{self}}{status}"))
            .header("Retry-After", "12"),
        on("GET", &status).answer(200, r#"{"status":"InProgress"}"#).header("Retry-After", "600"),
        on("GET", &status).answer(503, ""),
        on("GET", &status).answer(200, r#"{"status":"InProgress"}"#),
        on("GET", &status).answer(200, r#"{"status":"Succeeded"}"#),
        on("GET", hub().to_string()).answer(200, HUB),
    ])
    .await;
    let (client, clock, _) = client(&server);
    let patched = client.set_auth_mode(&hub(), &AuthMode::new("IDENTITY"), &call()).await.unwrap();
    assert_eq!(patched.properties.system_datastores_auth_mode.as_str(), "Identity");

    let received = server.received();
    assert_eq!(received[0].body, r#"{"properties":{"systemDatastoresAuthMode":"identity"}}"#);
    assert_eq!(received[0].target, format!("{}?api-version=2025-06-01", hub()));
    assert_eq!(received[5].target, received[0].target);
    let id = received[0].header("x-ms-client-request-id");
    assert!(received.iter().all(|request| request.header("x-ms-client-request-id") == id));
    let pauses = clock.pauses();
    assert_eq!((&pauses[..2], &pauses[3..]), (&seconds(&[12, 600])[..], &seconds(&[5])[..]), "{pauses:?}");
    server.finish();
}

#[tokio::test]
async fn failed_polls_do_not_end_an_operation() {
    let location = operation("location");
    let mut script =
        vec![on("PATCH", hub().to_string()).answer(202, "").header("Location", format!("{{self}}{location}"))];
    script.extend(
        (0..30).map(|n| if n % 2 == 0 { on("GET", &location).answer(503, "") } else { on("GET", &location).raw("") }),
    );
    script.push(on("GET", &location).answer(200, HUB));
    let server = Scripted::start(script).await;
    let (client, _, _) = client(&server);
    client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap();
    server.finish();
}

#[tokio::test]
async fn a_second_passes_before_every_poll_whatever_the_service_asks_for() {
    let (location, none) = (operation("location"), ("Retry-After", "0"));
    let running = || on("GET", &location).answer(202, "").header(none.0, none.1);
    let server = Scripted::start(vec![
        on("PATCH", hub().to_string())
            .answer(202, "")
            .header("Location", format!("{{self}}{location}"))
            .header(none.0, none.1),
        running(),
        running(),
        on("GET", &location).answer(200, HUB),
    ])
    .await;
    let (client, clock, _) = client(&server);
    client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap();
    let pauses = clock.pauses();
    assert!(pauses.len() == 3 && pauses.iter().all(|pause| *pause >= Duration::from_secs(1)), "{pauses:?}");
    server.finish();
}

#[tokio::test]
async fn an_operation_that_fails_is_a_typed_error() {
    let status = operation("async");
    let server = Scripted::start(vec![
        on("PATCH", hub().to_string()).answer(202, "").header("Azure-AsyncOperation", format!("{{self}}{status}")),
        on("GET", &status)
            .answer(200, r#"{"status":"Failed","error":{"code":"ScopeLocked","message":"locked"}}"#)
            .header("x-ms-correlation-request-id", "c1"),
    ])
    .await;
    let (client, _, _) = client(&server);
    let failed = client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap_err();
    assert!(matches!(&failed, Error::Operation(_)), "{failed:?}");
    assert_eq!(failed.code(), Some(&ErrorCode::ScopeLocked));
    let service = failed.service().unwrap();
    assert_eq!((service.path.as_str(), service.correlation_id.as_deref()), (hub().as_str(), Some("c1")));
    server.finish();
}

#[tokio::test]
async fn resync_keys_waits_for_a_busy_workspace() {
    let path = format!("{}/resyncKeys", hub());
    let server = Scripted::start(vec![
        on("POST", &path).answer(409, error("Conflict", "another operation is running")),
        on("POST", &path).answer(202, "").header("Location", format!("{{self}}{}", operation("location"))),
        on("GET", operation("location")).answer(200, ""),
    ])
    .await;
    let (client, clock, _) = client(&server);
    client.resync_keys(&hub(), &call()).await.unwrap();
    assert_eq!(clock.pauses().len(), 2);
    server.finish();
}

#[tokio::test]
async fn an_older_api_version_is_used_where_the_newer_one_is_not_offered() {
    let refused =
        || error("NoRegisteredProviderFound", "No registered resource provider found for location 'eastus' …");
    let old = format!("{}?api-version=2024-04-01", hub());
    let server = Scripted::start(vec![
        on("PATCH", format!("{}?api-version=2025-06-01", hub())).answer(400, refused()),
        on("PATCH", &old).answer(200, HUB),
        on("GET", &old).answer(200, HUB),
        // Then the service accepts the request and keeps the old value.
        on("PATCH", &old).answer(200, HUB),
        on("GET", &old).answer(200, HUB),
        on("GET", &old).answer(200, HUB),
    ])
    .await;
    let (client, clock, _) = client(&server);
    client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap();
    let ignored = client.set_auth_mode(&hub(), &AuthMode::access_key(), &call()).await.unwrap_err();
    assert!(
        matches!(&ignored, Error::NotKept { asked, got, .. } if asked == "accesskey" && got == "Identity"),
        "{ignored}"
    );
    client.get::<Workspace>(&hub(), Read::Fresh, &call()).await.unwrap();
    server.finish();

    let server =
        Scripted::start(vec![on("GET", format!("{}?api-version=2026-05-01", hub())).answer(400, refused())]).await;
    let settings = Settings { workspaces_api_version: Some("2026-05-01".into()), ..settings(&server, &clock) };
    let pinned = Client::new(settings, Arc::<crate::support::arm::NumberedTokens>::default()).unwrap();
    let failed = pinned.get::<Workspace>(&hub(), Read::Fresh, &call()).await.unwrap_err();
    assert_eq!(
        failed.code(),
        Some(&ErrorCode::NoRegisteredProviderFound),
        "a version the user chose is used or nothing"
    );
    server.finish();
}

#[tokio::test]
async fn all_pages_of_a_list_are_read_and_a_next_link_in_a_circle_is_an_error() {
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/workspaces");
    let page = |name: &str, next: &str| {
        serde_json::json!({ "value": [{ "name": name, "kind": "hub" }], "nextLink": next }).to_string()
    };
    let server = Scripted::start(vec![
        on("GET", format!("{path}?api-version=2025-06-01")).answer(200, page("a", "{self}/page2?$skip=x%20y")),
        on("GET", "/page2?$skip=x%20y").answer(200, page("b", "{self}//page3")),
        on("GET", "//page3").answer(200, page("c", "")),
        on("GET", format!("{path}?")).answer(200, page("a", "{self}/circle")),
        on("GET", "/circle").answer(200, page("b", "{self}/circle")),
        on("GET", format!("{path}?")).answer(200, r#"{"nextLink":null}"#),
    ])
    .await;
    let (client, _, _) = client(&server);
    let all = client.list::<Workspace>(List::in_subscription(SUBSCRIPTION), Read::Fresh, &call()).await.unwrap();
    assert_eq!(all.value.iter().map(|w| w.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let circle = client.list::<Workspace>(List::in_subscription(SUBSCRIPTION), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(circle, Error::Protocol { .. }), "{circle:?}");
    let no_page =
        client.list::<Workspace>(List::in_subscription(SUBSCRIPTION), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(no_page, Error::Decode { .. }), "{no_page:?}");
    server.finish();
}

#[tokio::test]
async fn a_page_is_requested_when_the_stream_is_polled_and_a_whole_list_is_remembered() {
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/workspaces");
    let page =
        |name: &str, next: &str| serde_json::json!({ "value": [{ "name": name }], "nextLink": next }).to_string();
    let first = || on("GET", format!("{path}?")).answer(200, page("a", "{self}/page2"));
    let second = || on("GET", "/page2").answer(200, page("b", ""));
    let server = Scripted::start(vec![first(), second(), first(), second()]).await;
    let (client, _, _) = client(&server);
    client.remember_reads();
    let pages = {
        // The stream does not borrow the call.
        let call = call();
        client.pages::<Workspace>(List::in_subscription(SUBSCRIPTION), &call)
    };
    let mut pages = std::pin::pin!(pages);
    assert_eq!(pages.try_next().await.unwrap().unwrap().value[0].name, "a");
    assert_eq!(server.received().len(), 1);
    assert_eq!(pages.try_next().await.unwrap().unwrap().value[0].name, "b");
    assert!(pages.try_next().await.unwrap().is_none());

    let (call, list) = (call(), || List::<Workspace>::in_subscription(SUBSCRIPTION));
    let both =
        futures_util::join!(client.list(list(), Read::Fresh, &call), client.list(list(), Read::Remembered, &call));
    assert!(Arc::ptr_eq(&both.0.unwrap(), &both.1.unwrap()), "simultaneous reads are one");
    assert_eq!(client.list(list(), Read::Remembered, &call).await.unwrap().value.len(), 2);
    server.finish();
}

#[tokio::test]
async fn datastores_are_read_with_their_credentials_type() {
    let path = format!("{}/datastores?api-version=2024-10-01", hub());
    let body = r#"{"value":[{"name":"workspaceblobstore","properties":{"datastoreType":"AzureBlob","accountName":"sa1",
        "credentials":{"credentialsType":"AccountKey"}}},{"name":"mine","properties":{"credentials":{"credentialsType":"None"}}}]}"#;
    let server = Scripted::start(vec![on("GET", path).answer(200, body)]).await;
    let (client, _, _) = client(&server);
    let stores = client.list::<Datastore>(List::below(hub().arm()), Read::Fresh, &call()).await.unwrap();
    let seen: Vec<_> = stores.value.iter().map(|s| (s.is_system(), s.uses_account_key())).collect();
    assert_eq!(seen, [(true, true), (false, false)]);
    server.finish();
}

#[tokio::test]
async fn simultaneous_reads_share_a_request_and_remembered_ones_need_none() {
    let gate = Arc::new(Semaphore::new(0));
    let path = account().to_string();
    let body = |on: bool| format!(r#"{{"properties":{{"allowSharedKeyAccess":{on}}}}}"#);
    let server = Scripted::start(vec![
        on("GET", &path).answer(200, body(true)).held_by(&gate),
        on("PATCH", &path).answer(200, body(false)),
        on("GET", &path).answer(200, body(false)),
        on("GET", &path).answer(200, body(false)),
    ])
    .await;
    let (client, _, _) = client(&server);
    client.remember_reads();
    let (call, id) = (call(), account());
    let reads = futures_util::future::join_all((0..10).map(|_| client.get::<StorageAccount>(&id, Read::Fresh, &call)));
    let release = async {
        server.arrived(1).await;
        gate.add_permits(1);
    };
    let (reads, ()) = tokio::join!(reads, release);
    assert!(reads.into_iter().all(|account| account.unwrap().shared_key_enabled()));
    assert!(client.get::<StorageAccount>(&id, Read::Remembered, &call).await.unwrap().shared_key_enabled());
    assert_eq!(server.received().len(), 1);

    // After a write nothing is remembered, also for reads that would accept it.
    client.set_shared_key_access(&id, false, &call).await.unwrap();
    assert!(!client.get::<StorageAccount>(&id, Read::Remembered, &call).await.unwrap().shared_key_enabled());
    assert!(!client.get::<StorageAccount>(&id, Read::Remembered, &call).await.unwrap().shared_key_enabled());
    server.finish();
}

fn assignment(n: u128) -> RoleAssignmentId {
    RoleAssignmentId::new(account().into(), Uuid::from_u128(n))
}

fn body(n: u128) -> serde_json::Value {
    serde_json::json!({ "id": assignment(n).to_string(), "name": Uuid::from_u128(n).to_string(), "properties": {
        "principalId": "p", "createdOn": "2026-01-01T00:00:00.0000000Z", "scope": account().to_string() } })
}

fn get_one(n: u128) -> Exchange {
    on("GET", assignment(n).path()).answer(200, body(n).to_string()).header("Date", "Thu, 01 Jan 2026 00:01:00 GMT")
}

fn list_of(numbers: &[u128]) -> Exchange {
    let list = serde_json::json!({ "value": numbers.iter().map(|n| body(*n)).collect::<Vec<_>>() });
    let path = format!("{}/providers/Microsoft.Authorization/roleAssignments", account());
    on("GET", format!("{path}?api-version=2022-04-01&$filter=atScope%28%29"))
        .answer(200, list.to_string())
        .header("Date", "Thu, 01 Jan 2026 00:02:00 GMT")
}

async fn refresh(client: &Client, numbers: &[u128], read: Read) -> Vec<Result<Dated<RoleAssignment>, Error>> {
    let (call, ids): (_, Vec<_>) = (call(), numbers.iter().map(|n| assignment(*n)).collect());
    futures_util::future::join_all(ids.iter().map(|id| client.get_role_assignment(id, read, &call))).await
}

#[tokio::test]
async fn one_or_two_assignments_are_read_singly() {
    for read in [Read::Fresh, Read::Remembered] {
        let server = Scripted::start(vec![get_one(1), get_one(2)]).await;
        let (client, _, _) = client(&server);
        client.remember_reads();
        let found = refresh(&client, &[1, 2], read).await;
        assert!(found.iter().all(|found| found.as_ref().unwrap().date.is_some()));
        server.finish();
    }
}

#[tokio::test]
async fn three_or_more_assignments_of_one_scope_are_one_list() {
    let all: Vec<u128> = (1..=50).collect();
    let server = Scripted::start(vec![list_of(&all)]).await;
    let (client, _, _) = client(&server);
    client.remember_reads();
    let found = refresh(&client, &all, Read::Remembered).await;
    for (n, found) in all.iter().zip(found) {
        let found = found.unwrap();
        assert_eq!(found.value.name, Uuid::from_u128(*n).to_string());
        assert_eq!(found.date.unwrap().minute(), 2);
    }
    server.finish();
}

#[tokio::test]
async fn what_has_to_be_new_is_read_singly_however_many_there_are() {
    let server = Scripted::start((1..=5).map(get_one).collect()).await;
    let (client, _, _) = client(&server);
    client.remember_reads();
    assert!(refresh(&client, &[1, 2, 3, 4, 5], Read::Fresh).await.iter().all(Result::is_ok));
    server.finish();
}

#[tokio::test]
async fn an_assignment_missing_from_the_list_is_read_singly() {
    let missing = on("GET", assignment(3).path())
        .answer(404, error("RoleAssignmentNotFound", "The role assignment is not found."))
        .header("Date", "Thu, 01 Jan 2026 00:03:00 GMT");
    let server = Scripted::start(vec![list_of(&[1, 2]), missing, get_one(4)]).await;
    let (client, _, _) = client(&server);
    client.remember_reads();
    let found = refresh(&client, &[1, 2, 3, 4], Read::Remembered).await;
    let gone = found[2].as_ref().unwrap_err();
    assert!(gone.is_not_found());
    assert_eq!(gone.service().unwrap().date.unwrap().minute(), 3);
    assert!([0, 1, 3].iter().all(|at: &usize| found[*at].is_ok()));
    server.finish();
}

#[tokio::test]
async fn while_reads_are_remembered_the_third_assignment_in_a_row_is_read_by_a_list() {
    let server = Scripted::start(vec![get_one(1), get_one(2), list_of(&[1, 2, 3, 4, 5]), get_one(3)]).await;
    let (client, _, _) = client(&server);
    client.remember_reads();
    for n in 1..=5 {
        refresh(&client, &[n], Read::Remembered).await.remove(0).unwrap();
    }
    client.stop_remembering();
    refresh(&client, &[3], Read::Remembered).await.remove(0).unwrap();
    server.finish();
}

#[tokio::test]
async fn assignments_are_read_singly_where_the_list_fails_which_is_asked_for_once() {
    let list = format!("{}/providers/Microsoft.Authorization/roleAssignments?", account());
    for (status, code, times) in
        [(403, "AuthorizationFailed", 1), (404, "ResourceNotFound", 1), (500, "InternalServerError", 7)]
    {
        let failing = (0..times).map(|_| on("GET", &list).answer(status, error(code, "no")));
        let server = Scripted::start(failing.chain((1..=12).map(get_one)).collect()).await;
        let (client, _, _) = client(&server);
        client.remember_reads();
        for numbers in [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]] {
            assert!(refresh(&client, &numbers, Read::Remembered).await.iter().all(Result::is_ok), "{status}");
        }
        server.finish();
    }
}

#[tokio::test]
async fn an_assignment_of_another_tenant_is_read_with_its_tenant() {
    let id = RoleAssignmentId { tenant: Some(SUBSCRIPTION.parse().unwrap()), ..assignment(1) };
    let target = format!("{}?api-version=2022-04-01&tenantId={SUBSCRIPTION}", id.path());
    let server = Scripted::start(vec![
        on("GET", &target).answer(200, body(1).to_string()),
        on("DELETE", &target).answer(200, body(1).to_string()),
    ])
    .await;
    let (client, _, _) = client(&server);
    client.get_role_assignment(&id, Read::Fresh, &call()).await.unwrap();
    client.delete_role_assignment(&id, &call()).await.unwrap();
    server.finish();
}

#[tokio::test]
async fn a_put_of_an_assignment_is_retried_until_its_principal_exists() {
    let put = || on("PUT", assignment(1).path());
    let unknown = || put().answer(400, error("PrincipalNotFound", "Principal x does not exist in the directory y."));
    let server = Scripted::start(vec![
        unknown(),
        unknown(),
        put().answer(201, body(1).to_string()).header("Date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        unknown(),
    ])
    .await;
    let (client, clock, _) = client(&server);
    let new = NewRoleAssignment {
        role_definition_id: "/providers/Microsoft.Authorization/roleDefinitions/r".into(),
        principal_id: "p".into(),
        principal_type: Some("ServicePrincipal".into()),
        description: Some("d".into()),
        condition: None,
        condition_version: None,
        delegated_managed_identity_resource_id: None,
    };
    let made = client.put_role_assignment(&assignment(1), &new, Duration::from_secs(120), &call()).await.unwrap();
    assert_eq!(made.value.name, Uuid::from_u128(1).to_string());
    assert!(made.date.is_some());
    assert_eq!(clock.pauses().len(), 2);
    assert!(clock.pauses().iter().all(|pause| pause.as_secs() <= 10));
    let sent: serde_json::Value = serde_json::from_str(&server.received()[0].body).unwrap();
    assert_eq!(sent["properties"]["principalType"], "ServicePrincipal");
    assert_eq!(sent["properties"].as_object().unwrap().len(), 4);

    let failed = client.put_role_assignment(&assignment(1), &new, Duration::ZERO, &call()).await.unwrap_err();
    assert_eq!(failed.code(), Some(&ErrorCode::PrincipalNotFound));
    server.finish();
}

#[tokio::test]
async fn deleting_an_assignment_that_does_not_exist_is_no_error() {
    let delete = || on("DELETE", assignment(1).path());
    let server = Scripted::start(vec![
        delete().answer(200, body(1).to_string()),
        delete().answer(204, ""),
        delete().answer(404, error("RoleAssignmentNotFound", "…")),
        delete().answer(409, error("ScopeLocked", "…")),
    ])
    .await;
    let (client, _, _) = client(&server);
    let (id, call) = (assignment(1), call());
    let Deleted::Was(was) = client.delete_role_assignment(&id, &call).await.unwrap() else { panic!("it was there") };
    assert!(was.is_held_by("P"));
    assert_eq!(client.delete_role_assignment(&id, &call).await.unwrap(), Deleted::WasAbsent);
    assert_eq!(client.delete_role_assignment(&id, &call).await.unwrap(), Deleted::WasAbsent);
    let locked = client.delete_role_assignment(&id, &call).await.unwrap_err();
    assert_eq!(locked.code(), Some(&ErrorCode::ScopeLocked));
    server.finish();
}

#[tokio::test]
async fn lists_and_role_definitions_are_requested_with_the_right_filters() {
    let scope: ArmId = account().into();
    let principal = Uuid::from_u128(7);
    let list = format!("{scope}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01");
    let roles = format!("{scope}/providers/Microsoft.Authorization/roleDefinitions");
    let empty = r#"{"value":[]}"#;
    let server = Scripted::start(vec![
        on("GET", format!("{list}&$filter=principalId%20eq%20%27{principal}%27")).answer(200, empty),
        on("GET", &list).answer(200, empty),
        on("GET", format!("{roles}?api-version=2022-04-01&$filter=roleName%20eq%20%27Bob%27%27s%20role%27"))
            .answer(200, empty),
        on("GET", format!("{roles}?api-version=2022-04-01")).answer(200, empty),
        on("GET", format!("{roles}/{principal}?api-version=2022-04-01"))
            .answer(200, r#"{"properties":{"roleName":"R"}}"#),
    ])
    .await;
    let (client, _, _) = client(&server);
    let call = call();
    for list in [RoleAssignment::of_principal(&scope, principal), List::below(&scope)] {
        assert!(client.list(list, Read::Fresh, &call).await.unwrap().value.is_empty());
    }
    assert!(
        client.list(RoleDefinition::named(&scope, "Bob's role"), Read::Fresh, &call).await.unwrap().value.is_empty()
    );
    assert!(client.list::<RoleDefinition>(List::below(&scope), Read::Fresh, &call).await.unwrap().value.is_empty());
    let role =
        client.get::<RoleDefinition>(&RoleDefinition::id_at(&scope, principal), Read::Fresh, &call).await.unwrap();
    assert_eq!(role.properties.role_name, "R");
    server.finish();
}

/// Every call can be made from a spawned task, as the plugin makes them.
#[expect(dead_code, reason = "compiling it is the test")]
fn all_calls_are_send(client: Client) {
    fn send(_: impl Send) {}
    let (call, scope) = (call(), ArmId::root());
    send(client.get::<Workspace>(&hub(), Read::Fresh, &call));
    send(client.set_auth_mode(&hub(), &AuthMode::identity(), &call));
    send(client.resync_keys(&hub(), &call));
    send(client.list::<Workspace>(List::in_subscription(""), Read::Fresh, &call));
    send(client.pages::<Workspace>(List::below(&scope), &call));
    send(client.list::<Datastore>(List::below(hub().arm()), Read::Fresh, &call));
    send(client.get::<StorageAccount>(&account(), Read::Fresh, &call));
    send(client.set_shared_key_access(&account(), true, &call));
    send(client.list_storage_keys(&account(), &call));
    send(client.regenerate_storage_key(&account(), "key1", &call));
    send(client.get_role_assignment(&assignment(1), Read::Fresh, &call));
    send(client.delete_role_assignment(&assignment(1), &call));
    send(client.list::<RoleAssignment>(List::below(&scope), Read::Fresh, &call));
    send(client.list(RoleDefinition::named(&scope, ""), Read::Fresh, &call));
    send(client.list::<RoleDefinition>(List::below(&scope), Read::Fresh, &call));
    send(client.get::<RoleDefinition>(&RoleDefinition::id_at(&scope, Uuid::nil()), Read::Fresh, &call));
}
