//! Which api-versions know which property (azure.md §1.2, §2), where the published schemas are to be followed.

use reqwest::Method;
use serde_json::{Value, json};

use super::MODE;
use super::client::{Arm, arm_with};
use crate::azure::{Lro, SchemaView};

async fn strict() -> Arm {
    arm_with(|options| {
        options.schema = SchemaView::Strict;
        options.lro = Lro::Done;
    })
    .await
}

/// Whether a version shows the mode, and whether a write at it changes the mode.
async fn knows(arm: &Arm, method: Method, version: &str) -> (bool, bool) {
    arm.emulator.set_mode(&arm.hub, "accesskey");
    let path = format!("{}?api-version={version}", arm.hub);
    let shown = !arm.get(&path).await.at(MODE).is_null();
    let mut body = arm.hub_body();
    body["properties"]["systemDatastoresAuthMode"] = json!("identity");
    let reply = arm.send(method, &path, body).await;
    assert_eq!(reply.status, 200, "{version}: {}", reply.text);
    assert_eq!(!reply.at(MODE).is_null(), shown, "what a write answers at {version}");
    (shown, arm.get(&arm.hub_path()).await.at(MODE) == "identity")
}

/// azure.md §1.2: the stable versions whose published schema lacks the mode.
pub(super) const STABLE_WITHOUT_MODE: &[&str] = &[
    "2018-11-19",
    "2019-05-01",
    "2019-06-01",
    "2019-11-01",
    "2020-01-01",
    "2020-03-01",
    "2020-04-01",
    "2020-06-01",
    "2020-08-01",
    "2021-01-01",
    "2021-04-01",
    "2021-07-01",
    "2022-05-01",
    "2022-10-01",
    "2023-04-01",
    "2023-10-01",
    "2024-04-01",
    "2024-10-01",
    "2025-04-01",
];

/// azure.md §1.2, table "where the property exists in the published PUT/GET schema".
#[tokio::test]
async fn the_published_put_and_get_have_the_mode_in_the_versions_of_the_table() {
    let arm = strict().await;
    for (row, versions, expected) in [
        ("every stable ≤ 2025-04-01", STABLE_WITHOUT_MODE, false),
        (
            "previews 2022-12-01 to 2024-07-01",
            &[
                "2022-12-01-preview",
                "2023-02-01-preview",
                "2023-04-01-preview",
                "2023-06-01-preview",
                "2023-08-01-preview",
                "2024-01-01-preview",
                "2024-04-01-preview",
                "2024-07-01-preview",
            ],
            true,
        ),
        ("previews 2024-10-01 and later", &["2024-10-01-preview", "2025-01-01-preview", "2025-07-01-preview"], true),
        (
            "stable 2025-06-01 and later",
            &["2025-06-01", "2025-09-01", "2025-12-01", "2026-03-01", "2026-05-01", "2031-01-01"],
            true,
        ),
    ] {
        for version in versions {
            assert_eq!(knows(&arm, Method::PUT, version).await, (expected, expected), "{row}: PUT at {version}");
        }
    }
}

/// azure.md §1.2: the published PATCH bodies.
#[tokio::test]
async fn the_published_patch_has_the_mode_in_fewer_versions() {
    let arm = strict().await;
    for (row, versions, expected) in [
        ("absent in 2024-04-01 and 2024-10-01", &["2024-04-01", "2024-10-01"][..], false),
        (
            "absent in previews before and after 2023-08-01-preview",
            &[
                "2022-12-01-preview",
                "2023-02-01-preview",
                "2023-04-01-preview",
                "2023-06-01-preview",
                "2024-01-01-preview",
                "2024-04-01-preview",
            ],
            false,
        ),
        ("present in 2023-08-01-preview", &["2023-08-01-preview"], true),
        ("present in what azure-ai-ml 1.35.2 sends", &["2024-10-01-preview"], true),
        ("present from 2025-06-01 on", &["2025-06-01", "2025-09-01", "2025-12-01", "2026-03-01", "2026-05-01"], true),
    ] {
        for version in versions {
            arm.emulator.set_mode(&arm.hub, "accesskey");
            let path = format!("{}?api-version={version}", arm.hub);
            let body = json!({ "properties": { "systemDatastoresAuthMode": "identity" } });
            assert_eq!(arm.patch(&path, body).await.status, 200, "{row}: {version}");
            let changed = arm.get(&arm.hub_path()).await.at(MODE) == "identity";
            assert_eq!(changed, expected, "{row}: PATCH at {version}");
        }
    }
}

/// azure.md §1.2, §12: without the strict view every version honours the mode, in PUT and PATCH.
#[tokio::test]
async fn the_live_service_honours_the_mode_at_every_version() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    for version in ["2020-08-01", "2023-08-01-preview", "2024-04-01", "2024-10-01", "2025-06-01"] {
        for method in [Method::PUT, Method::PATCH] {
            assert_eq!(knows(&arm, method.clone(), version).await, (true, true), "{method} at {version}");
        }
    }
}

/// azure.md §2 "Stable api-versions with the flag".
#[tokio::test]
async fn the_published_account_has_its_flags_from_their_versions_on() {
    let arm = strict().await;
    let services = json!({ "blob": { "enabled": false } });
    for (flag, value, since, before) in [
        ("allowSharedKeyAccess", json!(false), "2019-04-01", "2018-11-01"),
        ("defaultToOAuthAuthentication", json!(true), "2021-06-01", "2021-04-01"),
        ("allowSharedKeyAccessForServices", services, "2025-08-01", "2025-06-01"),
    ] {
        let pointer = format!("/properties/{flag}");
        let body = json!({ "properties": { flag: value } });
        let at = |version: &str| format!("{}?api-version={version}", arm.account);
        for method in [Method::PATCH, Method::PUT] {
            arm.emulator.change(&arm.account, |account| {
                account["properties"].as_object_mut().expect("an object").remove(flag);
            });
            assert_eq!(arm.send(method.clone(), &at(before), body.clone()).await.status, 200, "{method} {flag}");
            assert_eq!(arm.get(&at("2026-04-01")).await.at(&pointer), Value::Null, "{method} {flag} at {before}");
            assert_eq!(
                arm.send(method.clone(), &at(since), body.clone()).await.at(&pointer),
                value,
                "{flag} at {since}"
            );
            assert_eq!(arm.get(&at(since)).await.at(&pointer), value, "{flag} at {since}");
            assert_eq!(arm.get(&at(before)).await.at(&pointer), Value::Null, "{flag} at {before}");
        }
    }
}
