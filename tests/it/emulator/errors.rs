//! The table of errors that all of ARM shares, row by row (azure.md §5.1), and how ids and paths may be written (§5.8).

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, Arm, Reply, WORKSPACES, arm, arm_with, read};
use crate::azure::EchoWhen;

/// A group's name in letters that take fewer and more bytes in lower case.
const ODD: &str = "%E2%84%AA%E2%84%AA%C8%BA";

/// Checks that an error has no member but those of §5.1, none of them null.
fn check_members(row: &str, error: &Value) {
    let members = error.as_object().unwrap_or_else(|| panic!("{row}: no error: {error}"));
    for (name, value) in members {
        assert!(["code", "message", "target", "details", "additionalInfo"].contains(&name.as_str()), "{row}: {name}");
        assert!(!value.is_null(), "{row}: {name} is null");
    }
    assert!(members["code"].is_string() && members["message"].is_string(), "{row}");
}

/// azure.md §5.1: every row but those of tokens; status, code, and the text where the row has one.
#[tokio::test]
async fn every_case_of_the_table_has_its_status_code_and_text() {
    let arm = arm_with(|options| {
        options.reject_api_version = vec!["1999-01-01".to_owned()];
        options.unregistered = vec!["Microsoft.KeyVault".to_owned()];
    })
    .await;
    let subscription = &arm.subscription;
    let odd = format!("{subscription}/resourceGroups/{ODD}?api-version=2024-11-01");
    assert_eq!(arm.put(&odd, json!({ "location": "eastus" })).await.status, 201);
    let nowhere = "/subscriptions/99999999-0000-0000-0000-000000000000";
    let missing = |kind: &str, name: &str| format!("{}?api-version=2023-05-01", arm.emulator.id("rg1", kind, name));
    let rows = [
        ("missing api-version: a workspace", arm.hub.clone(), 400, "MissingApiVersionParameter", ""),
        ("missing api-version: a group", arm.group.clone(), 400, "MissingApiVersionParameter", ""),
        ("missing api-version: subscriptions", "/subscriptions".to_owned(), 400, "MissingApiVersionParameter", ""),
        (
            "unsupported api-version: a workspace",
            format!("{}?api-version=1999-01-01", arm.hub),
            400,
            "NoRegisteredProviderFound",
            "API version '1999-01-01' for type 'workspaces'. The supported api-versions are '2026-05-01, ",
        ),
        (
            "unsupported api-version: an account",
            format!("{}?api-version=1999-01-01", arm.account),
            400,
            "NoRegisteredProviderFound",
            "API version '1999-01-01' for type 'storageAccounts'. The supported api-versions are '2026-09-01, ",
        ),
        (
            "unsupported api-version: a group",
            format!("{}?api-version=1999-01-01", arm.group),
            400,
            "NoRegisteredProviderFound",
            "API version '1999-01-01' for type 'resourceGroups'. The supported api-versions are '2024-11-01, ",
        ),
        (
            "unsupported api-version: subscriptions",
            "/subscriptions?api-version=1999-01-01".to_owned(),
            400,
            "NoRegisteredProviderFound",
            "API version '1999-01-01' for type 'subscriptions'. The supported api-versions are '2022-12-01, ",
        ),
        (
            "unsupported api-version: a provider",
            format!("{subscription}/providers/Microsoft.Storage?api-version=1999-01-01"),
            400,
            "NoRegisteredProviderFound",
            "API version '1999-01-01' for type ",
        ),
        (
            "unknown subscription",
            format!("{nowhere}?api-version=2022-12-01"),
            404,
            "SubscriptionNotFound",
            "The subscription '99999999-0000-0000-0000-000000000000' could not be found.",
        ),
        (
            "unknown group",
            format!("{subscription}/resourceGroups/x?api-version=2024-11-01"),
            404,
            "ResourceGroupNotFound",
            "Resource group 'x' could not be found.",
        ),
        (
            "unknown group: a resource in it",
            format!("{subscription}/resourceGroups/x/providers/{ACCOUNTS}/sa1?api-version=2023-05-01"),
            404,
            "ResourceGroupNotFound",
            "Resource group 'x' could not be found.",
        ),
        (
            "unknown resource: an account",
            missing(ACCOUNTS, "x"),
            404,
            "ResourceNotFound",
            "The Resource 'Microsoft.Storage/storageAccounts/x' under resource group 'rg1' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        ),
        (
            "unknown resource: a name whose small letters are longer",
            missing(WORKSPACES, "%E2%84%AAx%C8%BAy"),
            404,
            "ResourceNotFound",
            "The Resource 'Microsoft.MachineLearningServices/workspaces/\u{212a}x\u{23a}y' under resource group 'rg1' was not found.",
        ),
        (
            "unknown resource: in a group whose small letters are shorter and longer",
            format!("{subscription}/resourceGroups/{ODD}/providers/{WORKSPACES}/x?api-version=2025-06-01"),
            404,
            "ResourceNotFound",
            "The Resource 'Microsoft.MachineLearningServices/workspaces/x' under resource group '\u{212a}\u{212a}\u{23a}' was not found.",
        ),
        (
            "provider not registered",
            missing("Microsoft.KeyVault/vaults", "kv1"),
            409,
            "MissingSubscriptionRegistration",
            "namespace 'Microsoft.KeyVault'",
        ),
    ];
    for (row, path, status, code, text) in rows {
        let reply = arm.get(&path).await;
        assert_eq!(reply.error(), (status, code.to_owned()), "{row}");
        assert!(reply.message().contains(text), "{row}: {}", reply.message());
        check_members(row, &reply.at("/error"));
        assert!(reply.header("retry-after").is_none(), "{row}: §5.3 a permanent error has no Retry-After");
    }
}

/// azure.md §5.1 row "no / bad bearer": each code, with its challenge.
#[tokio::test]
async fn every_bad_bearer_has_its_code_and_a_challenge() {
    let arm = arm_with(|options| options.token_lifetime = std::time::Duration::from_secs(60)).await;
    let url = format!("{}{}", arm.emulator.url(), arm.hub_path());
    let check = |row: &str, reply: Reply, code: &str| {
        assert_eq!(reply.error(), (401, code.to_owned()), "{row}");
        check_members(row, &reply.at("/error"));
        let challenge = reply.header("www-authenticate").unwrap_or_else(|| panic!("{row}: no challenge"));
        for part in ["Bearer authorization_uri=\"https://", "error=\"invalid_token\"", "error_description=\""] {
            assert!(challenge.contains(part), "{row}: {challenge}");
        }
    };
    let with = async |value: &str| read(arm.http.get(&url).header("authorization", value)).await;
    check("header missing", read(arm.http.get(&url)).await, "AuthenticationFailed");
    check("another scheme", with("Basic eDp5").await, "AuthenticationFailed");
    check("no scheme", with("x").await, "AuthenticationFailed");
    check("no token", with("Bearer x").await, "InvalidAuthenticationToken");
    let mut forged = arm.token.clone();
    forged.push('x');
    check("a wrong signature", with(&format!("Bearer {forged}")).await, "InvalidAuthenticationToken");
    arm.emulator.advance(std::time::Duration::from_secs(60));
    check("one that ran out", arm.get(&arm.hub_path()).await, "ExpiredAuthenticationToken");
}

/// azure.md §5.1: target, details and additionalInfo are there when they have something to say, and only then.
#[tokio::test]
async fn further_members_are_there_only_when_they_say_something() {
    let arm = arm().await;
    for (row, settings, target, details) in [
        ("code and message", "", Value::Null, Value::Null),
        ("target", "target=sa1", json!("sa1"), Value::Null),
        ("details", "detail=\"A: a\"", Value::Null, json!([{ "code": "A", "message": "a" }])),
        (
            "both",
            "target=\"the account\" detail=\"A: a\" detail=\"B: b: c\"",
            json!("the account"),
            json!([{ "code": "A", "message": "a" }, { "code": "B", "message": "b: c" }]),
        ),
    ] {
        let rule = format!("GET */storageAccounts/* -> 400 Outer message=\"It failed.\" times=1 {settings}");
        arm.emulator.fault(rule.parse().expect("a rule"));
        let error = arm.get(&arm.account_path()).await.at("/error");
        check_members(row, &error);
        assert_eq!((&error["code"], &error["message"]), (&json!("Outer"), &json!("It failed.")), "{row}");
        assert_eq!((&error["target"], &error["details"]), (&target, &details), "{row}");
    }
    assert!("GET /x -> 400 detail=none".parse::<crate::azure::Rule>().is_err());
}

/// azure.md §5.8: ids, namespaces, types and group names without regard to case; doubled slashes; percent-encoding, in
/// which a sign is no digit.
#[tokio::test]
async fn a_path_may_be_written_in_many_ways() {
    let arm = arm().await;
    let hub = arm.hub.as_str();
    for (row, path, found) in [
        ("as stored", hub.to_owned(), true),
        ("resourcegroups", hub.replace("resourceGroups", "resourcegroups"), true),
        ("upper case", hub.to_uppercase(), true),
        ("lower case", hub.to_lowercase(), true),
        ("a doubled slash after the host", format!("/{hub}"), true),
        ("doubled slashes within", hub.replace("/providers", "//providers"), true),
        ("a slash at the end", format!("{hub}/"), true),
        ("percent-encoded letters", hub.replace("hub1", "%68ub1"), true),
        ("no hexadecimal digits", hub.replace("hub1", "%+8ub1"), false),
        ("another name", hub.replace("hub1", "hub2"), false),
    ] {
        let reply = arm.get(&format!("{path}?api-version=2025-06-01")).await;
        assert_eq!(reply.status, if found { 200 } else { 404 }, "{row}: {path}");
        if found {
            assert_eq!(reply.at("/id"), hub, "{row}: as stored at creation");
        } else {
            let asked = path.rsplit('/').next().expect("a name");
            assert!(reply.message().contains(&format!("workspaces/{asked}'")), "{row}: {}", reply.message());
        }
    }
}

/// Which ids an answer carries.
async fn ids(arm: &Arm, sent: &[(&str, &str)]) -> [Option<String>; 4] {
    let request = arm.request(Method::GET, &arm.hub_path(), Value::Null);
    let reply = read(sent.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await;
    ["x-ms-request-id", "x-ms-correlation-request-id", "x-ms-routing-request-id", "x-ms-client-request-id"]
        .map(|name| reply.header(name).map(str::to_owned))
}

/// azure.md §5.4: correlation ids are echoed if sent and made if not; client ids as the switch says.
#[tokio::test]
async fn ids_are_echoed_or_made() {
    let arm = arm().await;
    let [request, correlation, routing, client] = ids(&arm, &[]).await;
    assert!(request.is_some() && routing.is_some() && client.is_none());
    let made = correlation.expect("a correlation id that nobody sent");
    assert!(uuid::Uuid::try_parse(&made).is_ok(), "{made}");
    let [_, again, ..] = ids(&arm, &[]).await;
    assert_ne!(again, Some(made), "each call gets its own");
    assert_eq!(ids(&arm, &[("x-ms-correlation-request-id", "run")]).await[1].as_deref(), Some("run"));
    let (sent, asked) = (("x-ms-client-request-id", "c1"), ("x-ms-return-client-request-id", "true"));
    for (when, unasked, when_asked) in [
        (EchoWhen::WhenAsked, None, Some("c1")),
        (EchoWhen::Always, Some("c1"), Some("c1")),
        (EchoWhen::Never, None, None),
    ] {
        arm.emulator.configure(|options| options.echo_client_request_id = when);
        assert_eq!(ids(&arm, &[sent]).await[3].as_deref(), unasked, "{when:?}");
        assert_eq!(ids(&arm, &[sent, asked]).await[3].as_deref(), when_asked, "{when:?}");
        assert_eq!(ids(&arm, &[asked]).await[3], None, "{when:?}: none was sent");
    }
}
