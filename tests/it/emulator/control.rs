//! What a test in another process may ask of the emulator, and its command line.

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Arm, Reply, arm, read};

/// Posts a text.
async fn post_text(arm: &Arm, path: &str, text: &str) -> Reply {
    read(arm.request(Method::POST, path, Value::Null).body(text.to_owned())).await
}

async fn options(arm: &Arm, text: &str) -> Reply {
    post_text(arm, "/_emulator/options", text).await
}

/// Switches change while it runs, in the words of the command line; those that are not named stay.
#[tokio::test]
async fn switches_change_while_it_runs() {
    let arm = arm().await;
    let patch = async || {
        let reply = arm.patch(&arm.hub_path(), json!({ "properties": { "description": "d" } })).await;
        let header = |name| reply.header(name).is_some();
        (reply.status, header("location"), header("azure-asyncoperation"))
    };
    for (row, text, expected) in [
        ("the default", "", (202, true, true)),
        ("one switch", "--lro 202-location", (202, true, false)),
        ("several, on lines, with an equals sign", "--lro=202-async\n--page-size 1\n", (202, false, true)),
        ("a switch that is named alone does not reset the others", "--throttle=false", (202, false, true)),
        ("a switch without a value", "--claims-challenge", (202, false, true)),
        ("at once", "--lro 200", (200, false, false)),
    ] {
        assert_eq!(options(&arm, text).await.status, 200, "{row}");
        assert_eq!(patch().await, expected, "{row}");
    }
    let list = arm.get(&format!("{}/resources?api-version=2024-11-01", arm.group)).await;
    assert_eq!(list.at("/value").as_array().map(Vec::len), Some(1), "--page-size stayed");
    let challenge = async || {
        let reply = read(arm.http.get(format!("{}{}", arm.emulator.url(), arm.hub_path()))).await;
        reply.header("www-authenticate").expect("a challenge").contains("claims=")
    };
    assert!(challenge().await, "--claims-challenge stayed");
    assert_eq!(options(&arm, "--claims-challenge=false").await.status, 200);
    assert!(!challenge().await);
}

/// What is no switch, has no such value or has had its effect is refused, and nothing changes then.
#[tokio::test]
async fn switches_that_cannot_change_are_refused() {
    let arm = arm().await;
    for (text, says) in [
        ("--lro 299", "299"),
        ("--no-such-switch", "--no-such-switch"),
        ("--lro 200 --seed x.yaml", "--seed can be given at the start only"),
        ("--lro 200 --tenant-id x", "--tenant-id can be given at the start only"),
        ("--lro 200 --stop-clock", "--stop-clock can be given at the start only"),
        ("--lro 200 lro", "lro"),
        ("--lro \"200", "quote"),
    ] {
        let reply = options(&arm, text).await;
        assert_eq!(reply.error(), (400, "BadControlRequest".to_owned()), "{text}");
        assert!(reply.message().contains(says), "{text}: {}", reply.message());
        assert_eq!(arm.patch(&arm.hub_path(), json!({})).await.status, 202, "{text}");
    }
}

/// A test elsewhere seeds, sets rules, moves the clock, and ends operations.
#[tokio::test]
async fn a_test_elsewhere_moves_everything() {
    let arm = arm().await;
    assert_eq!(post_text(&arm, "/_emulator/seed", "storage_accounts: [{ name: seeded }]").await.status, 200);
    let seeded = arm.account.replace("sa1", "seeded");
    assert_eq!(arm.get(&format!("{seeded}?api-version=2023-05-01")).await.status, 200);
    let rule = "GET */workspaces/* -> 503 ServerBusy target=hub1 detail=\"Inner: it is busy\"";
    assert_eq!(post_text(&arm, "/_emulator/faults", rule).await.status, 200);
    assert_eq!(arm.get(&arm.hub_path()).await.error(), (503, "ServerBusy".to_owned()));
    assert_eq!(arm.delete("/_emulator/faults").await.status, 200);
    assert_eq!(arm.get(&arm.hub_path()).await.status, 200);

    assert_eq!(options(&arm, "--operations explicit").await.status, 200);
    let started = arm.patch(&arm.hub_path(), json!({ "properties": { "description": "d" } })).await;
    let status = started.header("azure-asyncoperation").expect("a link");
    assert_eq!(arm.get("/_emulator/operations").await.at("/0/resource"), arm.hub.as_str());
    let ended = arm.post("/_emulator/operations/hub1/fail?code=Odd&message=It%20is", Value::Null).await;
    assert_eq!(ended.at("/ended"), 1);
    assert_eq!(arm.get(status).await.at("/error"), json!({ "code": "Odd", "message": "It is" }));

    assert_eq!(arm.post("/_emulator/tokens/revoke", Value::Null).await.status, 200);
    assert_eq!(arm.get(&arm.hub_path()).await.error().1, "InvalidAuthenticationToken");
    let before = arm.emulator.now();
    assert_eq!(arm.post("/_emulator/clock/advance?by=2h", Value::Null).await.status, 200);
    assert!(arm.emulator.now() >= before + std::time::Duration::from_secs(7200));
    assert_eq!(arm.post("/_emulator/clock/advance?by=soon", Value::Null).await.status, 400);
}
