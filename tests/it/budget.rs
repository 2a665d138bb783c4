//! What the whole job may cost in requests: a hub to identity, its keys off, and two people's pairs of roles.

use std::collections::BTreeMap;

use foundryhub::arm::{StorageAccountId, WorkspaceId};
use serde_json::json;

use crate::azure::{Emulator, Lro, Options};
use crate::support::core::{Core, Resource, resource};

const AUTH: &str = "foundryhub_storage_auth";
const ROLES: &str = "foundryhub_role_assignment";

struct Bed {
    emulator: Emulator,
    core: Core,
    resources: Vec<Resource>,
}

async fn bed() -> Bed {
    let mut options = Options::quick();
    // Looks at an operation are outside the budget: how many there are is Azure's choice.
    options.lro = Lro::Done;
    let emulator = Emulator::start(options).await.expect("the emulator starts");
    let hub = emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, "hub1");
    let account = emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa1");
    emulator.seed_storage_account(&account, json!({}));
    emulator.seed_hub(&hub, &account, json!({}));
    let core = emulator.environment().into_iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
    let person = |name: &str, principal: &str, access: &str| {
        resource(
            ROLES,
            name,
            json!({ "hub_id": hub, "principal_id": principal, "principal_type": "User", "access": access }),
        )
    };
    let auth = json!({ "hub_id": hub, "shared_access_key_enabled": false });
    let resources = vec![
        person("alice", "aaaaaaaa-0000-0000-0000-000000000001", "contributor"),
        person("bob", "aaaaaaaa-0000-0000-0000-000000000002", "reader"),
        resource(AUTH, "hub", auth).depends_on(ROLES, "alice").depends_on(ROLES, "bob"),
    ];
    Bed { emulator, core, resources }
}

impl Bed {
    /// How often each method was used since the last look, and on what.
    fn requests(&self) -> (usize, BTreeMap<String, usize>) {
        let records = self.emulator.arm_requests();
        let mut counts = BTreeMap::new();
        for record in &records {
            let name = record.path.rsplit('/').next().unwrap_or_default();
            let name = if name.len() == 36 { "assignment" } else { name };
            *counts.entry(format!("{} {name}", record.method)).or_default() += 1;
        }
        self.emulator.clear_requests();
        (records.len(), counts)
    }
}

#[tokio::test]
async fn the_whole_job_costs_at_most_18_requests_and_its_refresh_3() {
    let mut bed = bed().await;
    bed.core.apply_all(bed.resources.clone()).await.ok();
    let (total, counts) = bed.requests();
    assert!(total <= 18, "{total} requests: {counts:#?}");
    assert_eq!(counts["PUT assignment"], 4);
    assert_eq!(counts["PATCH hub1"], 1);
    assert_eq!(counts["PATCH sa1"], 1);

    bed.core.plan_all(bed.resources.clone()).await.ok().assert_empty();
    let (total, counts) = bed.requests();
    assert!(total <= 3, "{total} requests: {counts:#?}");
}
