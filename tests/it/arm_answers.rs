//! Answers of any size and shape: limits, interruptions while they are read, and what follows their JSON.

use crate::support::arm::{SUBSCRIPTION, account, call, client, error, hub};
use crate::support::scripted::{Scripted, on};
use flate2::{Compression, write::GzEncoder};
use foundryhub::arm::storage_accounts::StorageAccount;
use foundryhub::arm::workspaces::{AuthMode, Workspace};
use foundryhub::arm::{Call, Error, List, Read, RoleAssignmentId};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const MIB: usize = 1 << 20;
const ACCOUNT: &str = r#"{"id":"/sa1","name":"sa1"}"#;

/// The head of an answer whose body ends with the connection.
fn head(status: u16, headers: &str) -> String {
    format!("HTTP/1.1 {status} Scripted\r\n{headers}\r\n")
}

/// A MiB of blanks, which JSON may have anywhere.
fn blanks() -> Vec<u8> {
    vec![b' '; MIB]
}

/// 64 times as many, packed to 64 KiB.
fn packed() -> Vec<u8> {
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    (0..64).for_each(|_| packing.write_all(&blanks()).unwrap());
    packing.finish().unwrap()
}

#[tokio::test]
async fn an_answer_without_an_end_is_read_to_its_limit_and_not_requested_again() {
    for (headers, part, times) in [("", blanks(), 1024), ("Content-Encoding: gzip\r\n", packed(), 1)] {
        let endless = |method, target| on(method, target).repeated(head(200, headers), part.clone(), times);
        let (read, write) = (account().to_string(), hub().to_string());
        let server = Scripted::start(vec![endless("GET", &read), endless("PATCH", &write)]).await;
        let (client, clock, _) = client(&server);
        let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
        let said = failed.to_string();
        assert!(said.contains(&format!("GET {read}")) && said.contains("larger than 32 MiB"), "{failed:?}");
        // Azure has accepted the write.
        let failed = client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap_err();
        assert!(failed.to_string().contains("larger than 32 MiB") && failed.may_have_had_effect(), "{failed:?}");
        assert!(clock.pauses().is_empty());
        server.finish();
    }
}

#[tokio::test]
async fn of_an_error_without_an_end_the_status_counts() {
    let endless = |status| on("GET", account().to_string()).repeated(head(status, ""), blanks(), 1024);
    let found = on("GET", account().to_string()).answer(200, ACCOUNT);
    let server = Scripted::start(vec![endless(503), found, endless(404)]).await;
    let (client, clock, _) = client(&server);
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
    assert_eq!(clock.pauses().len(), 1);
    let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    assert_eq!((failed.service().unwrap().status.as_u16(), failed.is_not_found()), (404, false));
    server.finish();
}

#[tokio::test]
async fn a_call_ends_while_the_body_of_its_answer_is_on_the_way() {
    let never = Arc::new(Semaphore::new(0));
    let stalled =
        || on("GET", account().to_string()).repeated(head(200, ""), br#"{"id":"#.as_slice(), 2).held_by(&never);
    let server = Scripted::start(vec![stalled(), stalled()]).await;
    let (client, _, _) = client(&server);
    let interrupted = call();
    let id = account();
    let reading = client.get::<StorageAccount>(&id, Read::Fresh, &interrupted);
    let cancel = async {
        server.arrived(1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        interrupted.cancel.cancel();
    };
    let (cancelled, ()) = tokio::join!(reading, cancel);
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })), "{cancelled:?}");
    let short = Call::new(CancellationToken::new(), Duration::from_millis(200));
    let late = client.get::<StorageAccount>(&account(), Read::Fresh, &short).await;
    assert!(matches!(late, Err(Error::DeadlineExceeded { .. })), "{late:?}");
    server.finish();
}

/// Whatever is as large as allowed takes a while to be understood, in which nothing else may wait.
#[tokio::test]
async fn a_call_ends_while_a_large_answer_is_understood() {
    let large = format!(
        r#"{{"id":"/x","unknown":[{}0]}}"#,
        r#"{"a":"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"},"#.repeat(30 * MIB / 64)
    );
    for method in ["GET", "PATCH"] {
        let written = Arc::new(Semaphore::new(0));
        let answer = on(method, hub().to_string()).answer(200, large.clone()).then_adds_to(&written);
        let server = Scripted::start(vec![answer]).await;
        let (client, _, _) = client(&server);
        let interrupted = call();
        let (id, mode) = (hub(), AuthMode::identity());
        let calling = async {
            match method {
                "GET" => client.get::<Workspace>(&id, Read::Fresh, &interrupted).await,
                _ => client.set_auth_mode(&id, &mode, &interrupted).await,
            }
        };
        let cancel = async {
            written.acquire().await.unwrap().forget();
            tokio::time::sleep(Duration::from_millis(100)).await;
            interrupted.cancel.cancel();
        };
        let (cancelled, ()) = tokio::join!(calling, cancel);
        let failed = cancelled.unwrap_err();
        assert!(failed.is_interruption(), "{failed:?}");
        assert_eq!(failed.may_have_had_effect(), method == "PATCH", "{failed:?}");
        server.finish();
    }
}

/// Each value of a few bytes takes many times that in memory.
#[tokio::test]
async fn an_answer_of_more_than_a_million_values_is_not_read() {
    let of = |values: usize| format!(r#"{{"id":"/x","name":"a,[{{\\\",","unknown":[{}0]}}"#, "0,".repeat(values));
    let server = Scripted::start(vec![
        on("GET", account().to_string()).answer(200, of(999_000)),
        on("GET", account().to_string()).answer(200, of(1_000_000)),
    ])
    .await;
    let (client, _, _) = client(&server);
    client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap();
    let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
    let why = std::error::Error::source(&failed).unwrap().to_string();
    assert!(why.contains("more than 1000000 values"), "{why}");
    server.finish();
}

/// Of the state of an operation only what tells how it goes is read.
#[tokio::test]
async fn what_else_the_status_of_an_operation_has_does_not_matter() {
    let tiny = "{},".repeat(10 * MIB / 3);
    let running = format!(r#"{{"properties":7,"status":"Running","unknown":[{tiny}0]}}"#);
    let failed = format!(r#"{{"unknown":[{tiny}0],"status":"Failed","error":{{"code":"ScopeLocked","message":"m"}}}}"#);
    let server = Scripted::start(vec![
        on("PATCH", hub().to_string())
            .answer(202, "")
            .header("location", "{self}/location")
            .header("azure-asyncoperation", "{self}/status"),
        on("GET", "/status").answer(200, running),
        on("GET", "/status").answer(200, failed),
    ])
    .await;
    let (client, _, _) = client(&server);
    let failed = client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap_err();
    assert!(matches!(failed, Error::Operation(_)), "{failed:?}");
    assert_eq!(failed.code().unwrap().as_str(), "ScopeLocked");
    server.finish();
}

/// The code comes first. What is cut off does not matter, nor what is odd.
#[tokio::test]
async fn the_code_of_an_error_without_an_end_is_found() {
    let path = account().to_string();
    let endless = r#"{"error":{"code":"ResourceNotFound","target":"t","message":""#;
    let odd = r#"{"error":{"code":"ResourceNotFound","message":7}}"#;
    let server = Scripted::start(vec![
        on("GET", &path).repeated(head(404, "") + endless, vec![b'x'; MIB], 64),
        on("GET", &path).answer(404, odd),
        on("GET", &path).answer(404, &odd[..40]),
    ])
    .await;
    let (client, _, _) = client(&server);
    for _ in 0..3 {
        let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
        assert!(failed.is_not_found(), "{failed:?}");
    }
    server.finish();
}

#[tokio::test]
async fn nothing_may_follow_the_json_of_an_answer() {
    for rest in ["{}", "x", "\0", r#"{"id":"/other"}"#] {
        let answer = on("GET", account().to_string()).answer(200, format!("{ACCOUNT}\r\n {rest}"));
        let server = Scripted::start(vec![answer]).await;
        let (client, _, _) = client(&server);
        let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
        assert!(matches!(failed, Error::Decode { .. }), "{rest:?}: {failed:?}");
        assert!(failed.to_string().contains("Azure's answer to GET"), "{failed}");
        server.finish();
    }
}

/// Taken for the answer of Azure, it would make a DELETE that never arrived a success.
#[tokio::test]
async fn a_page_of_html_is_no_success() {
    let page = |method, target: String| {
        let answer = on(method, target).header("content-type", "Text/HTML; charset=utf-8");
        answer.answer(200, "<html><body>Sign in to the network</body></html>")
    };
    let role = RoleAssignmentId::new(account().into(), Uuid::from_u128(1));
    let server = Scripted::start(vec![page("GET", hub().to_string()), page("DELETE", role.to_string())]).await;
    let (client, clock, _) = client(&server);
    let read = client.get::<Workspace>(&hub(), Read::Fresh, &call()).await.unwrap_err();
    let deleted = client.delete_role_assignment(&role, &call()).await.unwrap_err();
    for failed in [read, deleted] {
        assert!(
            matches!(failed, Error::Protocol { .. }) && failed.to_string().contains("a page of HTML"),
            "{failed:?}"
        );
    }
    assert!(clock.pauses().is_empty());
    server.finish();
}

#[tokio::test]
async fn members_that_are_null_inside_others_are_no_fault() {
    let body = r#"{"id":"/hub","identity":{"userAssignedIdentities":{"/i":null}},
        "properties":{"associatedWorkspaces":[null,"/p"],"networkAcls":{"ipRules":[null]}}}"#;
    let failure = error("Odd", "m").replace("}}", r#","details":[null],"additionalInfo":[null]}}"#);
    let server = Scripted::start(vec![
        on("GET", hub().to_string()).answer(200, body),
        on("GET", hub().to_string()).answer(400, failure),
    ])
    .await;
    let (client, _, _) = client(&server);
    let found = client.get::<Workspace>(&hub(), Read::Fresh, &call()).await.unwrap();
    assert_eq!(found.id, "/hub");
    let failed = client.get::<Workspace>(&hub(), Read::Fresh, &call()).await.unwrap_err();
    assert_eq!(failed.code().unwrap().as_str(), "Odd");
    server.finish();
}

/// Whoever has answered it, an answer that is no JSON is not taken for one of Azure, and a write was accepted all the same.
#[tokio::test]
async fn an_answer_that_is_no_json_is_an_error_whatever_it_says_it_is() {
    for (kind, body) in [
        ("application/json", ""),
        ("application/json", "{\"id\":\"/sa1\",\"name\":"),
        ("application/json", "null"),
        ("application/json", "\"{}\""),
        ("application/octet-stream", "\u{0}\u{1}\u{2}"),
    ] {
        let answer =
            |method, target: String| on(method, target).answer(200, body).header("Content-Type", kind.to_owned());
        let list = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/workspaces");
        let server = Scripted::start(vec![
            answer("GET", account().to_string()),
            answer("PATCH", account().to_string()),
            answer("GET", account().to_string()),
            answer("GET", list),
        ])
        .await;
        let (client, clock, _) = client(&server);
        let failed = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
        assert!(matches!(failed, Error::Decode { .. }), "{body:?}: {failed:?}");
        let failed = client.set_shared_key_access(&account(), false, &call()).await.unwrap_err();
        assert!(failed.may_have_had_effect(), "{body:?}: {failed:?}");
        let failed = client.list::<Workspace>(List::in_subscription(SUBSCRIPTION), Read::Fresh, &call()).await;
        assert!(matches!(failed, Err(Error::Decode { .. })), "{body:?}");
        assert!(clock.pauses().is_empty());
    }
}
