//! Many hubs: how they are seeded, and how lists of them and of their accounts are paged (azure.md §1.4, §2, §5.5).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::client::{ACCOUNTS, Arm, WORKSPACES, arm};

async fn seeded(seed: Value) -> Arm {
    let arm = arm().await;
    arm.emulator.seed(&json!({ "fleets": [seed] }).to_string());
    arm
}

/// All items of a list, and on how many pages they came.
async fn all(arm: &Arm, path: &str, version: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages) = (Vec::new(), 0);
    let mut next = Value::String(format!("{path}?api-version={version}"));
    while let Some(link) = next.as_str() {
        let page = arm.get(link).await.body();
        items.extend(page["value"].as_array().expect("a list").iter().cloned());
        pages += 1;
        next = page["nextLink"].clone();
    }
    (items, pages)
}

#[tokio::test]
async fn a_fleet_has_its_modes_keys_and_accounts_by_pattern() {
    let seed = json!({
        "prefix": "f", "hubs": 12, "groups": 2, "hubs_per_account": 2, "modes": ["identity", "accesskey", "Identity"],
        "shared_keys": [false, null], "automatic_roles": true,
    });
    let arm = seeded(seed).await;
    let mut found = Vec::new();
    for group in ["f-rg-0001", "f-rg-0002"] {
        let group = format!("{}/resourceGroups/{group}", arm.subscription);
        let (hubs, _) = all(&arm, &format!("{group}/providers/{WORKSPACES}"), "2025-06-01").await;
        for hub in hubs {
            let account = hub["properties"]["storageAccount"].as_str().expect("an id").to_owned();
            assert!(account.starts_with(&group), "{account}");
            let keys =
                arm.get(&format!("{account}?api-version=2023-05-01")).await.at("/properties/allowSharedKeyAccess");
            let name = |id: &Value| id.as_str().expect("a text").rsplit('/').next().expect("a name").to_owned();
            found.push((
                name(&hub["id"]),
                name(&hub["properties"]["storageAccount"]),
                hub["properties"]["systemDatastoresAuthMode"].clone(),
                keys,
            ));
        }
    }
    let expected: Vec<_> = [
        ("f-0001", "f0001", "identity", json!(false)),
        ("f-0003", "f0001", "accesskey", json!(false)),
        ("f-0005", "f0003", "Identity", Value::Null),
        ("f-0007", "f0003", "identity", Value::Null),
        ("f-0009", "f0005", "accesskey", json!(false)),
        ("f-0011", "f0005", "Identity", json!(false)),
        ("f-0002", "f0002", "identity", json!(false)),
        ("f-0004", "f0002", "accesskey", json!(false)),
        ("f-0006", "f0004", "Identity", Value::Null),
        ("f-0008", "f0004", "identity", Value::Null),
        ("f-0010", "f0006", "accesskey", json!(false)),
        ("f-0012", "f0006", "Identity", json!(false)),
    ]
    .into_iter()
    .map(|(hub, account, mode, keys)| (hub.to_owned(), account.to_owned(), json!(mode), keys))
    .collect();
    assert_eq!(found, expected);
    let blob =
        arm.emulator.assignments().into_iter().filter(|given| given.scope.contains("/storageAccounts/f")).count();
    assert_eq!(blob, 12);
}

/// 5,000 hubs over 20 groups are there at once, and every list pages through all of them.
#[tokio::test]
async fn lists_of_5000_hubs_and_their_accounts_have_pages() {
    let arm = seeded(json!({ "hubs": 5000, "groups": 20 })).await;
    let group = format!("{}/resourceGroups/fleet-rg-0007", arm.subscription);
    for (kind, version) in [(WORKSPACES, "2025-06-01"), (ACCOUNTS, "2023-05-01")] {
        // One more of each is there without the fleet.
        for (scope, count, pages) in [(&arm.subscription, 5001, 26), (&group, 250, 2)] {
            let (items, on) = all(&arm, &format!("{scope}/providers/{kind}"), version).await;
            let ids: BTreeSet<&str> = items.iter().map(|item| item["id"].as_str().expect("an id")).collect();
            assert_eq!((items.len(), ids.len(), on), (count, count, pages), "{kind} in {scope}");
        }
    }
}
