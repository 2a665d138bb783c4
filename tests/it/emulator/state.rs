//! The clock, and the state that outlives the process.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{ACCOUNTS, ALICE, Arm, BLOB_CONTRIBUTOR, arm_with, grant, variable};
use crate::azure::Lro;

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

/// So is what a seed or a PUT made below a workspace or an account, secrets included.
#[tokio::test]
async fn the_state_file_keeps_what_is_below_workspaces_and_accounts() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.json");
    let arm = arm_with(keeping(&state)).await;
    let datastore = |path: &str| format!("{}/datastores/d{path}?api-version=2025-06-01", arm.hub);
    let body = json!({ "properties": {
        "datastoreType": "AzureFile",
        "credentials": { "credentialsType": "AccountKey", "secrets": { "secretsType": "AccountKey", "key": "s3cret" } },
    } });
    let paths = [datastore(""), format!("{}/fileServices/default/shares/s?api-version=2023-05-01", arm.account)];
    let secrets = datastore("/listSecrets");
    assert_eq!(arm.put(&paths[0], body).await.status, 201);
    arm.emulator.seed("shares: [{ parent: sa1, name: s }]");
    let mut before = Vec::new();
    for path in &paths {
        before.push(arm.get(path).await.body());
    }
    drop(arm);
    let arm = arm_with(keeping(&state)).await;
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(arm.get(path).await.body(), before);
    }
    assert_eq!(arm.post(&secrets, json!({})).await.at("/key"), "s3cret");
}

/// The state of an emulator that keeps it in a file.
fn keeping(state: &std::path::Path) -> impl FnOnce(&mut crate::azure::Options) {
    let state = state.to_owned();
    |options| options.state = Some(state)
}

/// What time does by itself is kept as well, and so is where the clock stands.
#[tokio::test]
async fn the_state_file_keeps_the_clock_and_what_time_has_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.json");
    let arm = arm_with(|options| {
        keeping(&state)(options);
        options.operation_time = Duration::from_secs(60);
    })
    .await;
    arm.emulator.advance(Duration::from_secs(90 * 24 * 3600));
    let arm = Arm { token: fresh(&arm).await, ..arm };
    let started = arm.patch(&arm.hub_path(), json!({ "properties": { "description": "kept" } })).await;
    assert_eq!(started.status, 202);
    let moved = arm.emulator.now();
    let running = || std::fs::read_to_string(&state).expect("the state").contains("\"Running\"");
    assert!(running());
    arm.emulator.advance(Duration::from_secs(60));
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);
    assert!(!running(), "an operation that is over is kept as running");
    arm.emulator.advance(Duration::from_secs(60));
    let moved = moved + Duration::from_secs(120);
    drop(arm);

    let arm = arm_with(keeping(&state)).await;
    assert!(arm.emulator.now() >= moved, "the clock went back");
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/description"), "kept");
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/provisioningState"), "Succeeded");
}

async fn fresh(arm: &Arm) -> String {
    let reply = arm.sign_in(&variable(&arm.emulator, "ARM_CLIENT_ID"), "emulator-secret").await;
    reply.at("/access_token").as_str().expect("a token").to_owned()
}

/// Where nothing is to lag, a write shows at once, also when the clock was turned back since the last one.
#[tokio::test]
async fn a_write_shows_at_once_whatever_the_clock_says() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    arm.emulator.set_time(crate::azure::parse_time("2030-01-01T00:00:00Z").expect("a time"));
    let arm = Arm { token: fresh(&arm).await, ..arm };
    let name = arm.assignment_path("00000000-0000-0000-0000-0000000000aa");
    arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": true } })).await;
    arm.emulator.set_time(crate::azure::parse_time("2029-01-01T00:00:00Z").expect("a time"));
    let arm = Arm { token: fresh(&arm).await, ..arm };
    arm.patch(&arm.account_path(), json!({ "properties": { "allowSharedKeyAccess": false } })).await;
    assert_eq!(arm.get(&arm.account_path()).await.at("/properties/allowSharedKeyAccess"), false);
    assert_eq!(arm.put(&name, grant(ALICE, BLOB_CONTRIBUTOR)).await.status, 201);
    arm.emulator.set_time(crate::azure::parse_time("2028-01-01T00:00:00Z").expect("a time"));
    let arm = Arm { token: fresh(&arm).await, ..arm };
    assert_eq!(arm.get(&name).await.status, 200);
    assert_eq!(arm.delete(&name).await.status, 200);
    assert_eq!(arm.get(&name).await.status, 404);
}

/// Times that no calendar holds end at its end; they break nothing.
#[tokio::test]
async fn times_without_end_break_nothing() {
    let forever = Duration::from_secs(u64::MAX);
    let arm = arm_with(|options| {
        options.read_delay = forever;
        options.assignment_read_delay = forever;
        options.operation_time = forever;
        options.rbac_delay = forever;
        options.principal_delay = forever;
        options.hub_role_delay = forever;
        options.datastore_lag = forever;
        options.registration_time = forever;
        options.token_lifetime = forever;
    })
    .await;
    let arm = Arm { token: fresh(&arm).await, ..arm };
    let mut body = grant(ALICE, BLOB_CONTRIBUTOR);
    body["properties"]["principalType"] = json!("User");
    assert_eq!(arm.put(&arm.assignment_path("00000000-0000-0000-0000-0000000000aa"), body).await.status, 201);
    let started = arm.patch(&arm.hub_path(), json!({ "properties": { "systemDatastoresAuthMode": "identity" } })).await;
    assert_eq!(started.status, 202);
    assert_eq!(arm.patch(&arm.account_path(), json!({})).await.status, 200);
    for _ in 0..2 {
        let moved = arm.post("/_emulator/clock/advance?by=9999999999h", Value::Null).await;
        assert_eq!((moved.status, moved.at("/now")), (200, "9999-12-31T23:59:59Z".into()));
        let arm = arm.get(&arm.hub_path()).await;
        assert!(arm.status == 200 || arm.status == 401, "{}", arm.text);
    }
}

/// Where an account's blobs are depends on how the caller found the emulator, not on where it was made.
#[tokio::test]
async fn endpoints_follow_the_caller_across_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.json");
    for _ in 0..2 {
        let arm = arm_with(keeping(&state)).await;
        let blob = arm.get(&arm.account_path()).await.at("/properties/primaryEndpoints/blob");
        assert_eq!(blob, format!("{}/storage/sa1/", arm.emulator.url()));
        let list = arm.get(&format!("{}/providers/{ACCOUNTS}?api-version=2023-05-01", arm.group)).await;
        assert_eq!(list.at("/value/0/properties/primaryEndpoints/blob"), blob);
    }
}
