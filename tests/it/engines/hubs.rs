//! All hubs of a subscription in one `for_each` (`foundryhub_hubs`).

use super::engine_bed::EngineBed;
use crate::support::engine::{Workspace, for_each_engine};

/// Two hubs on keys and one on identity, on one account that accepts keys.
async fn bed() -> EngineBed {
    let bed = EngineBed::new().await;
    bed.another_hub("hub2");
    let third = bed.another_hub("hub3");
    bed.emulator.set_mode(&third, "identity");
    bed
}

#[tokio::test]
async fn the_example_imports_every_hub_switches_those_on_keys_and_then_plans_empty() {
    for_each_engine(async |engine| {
        // Before 1.7 an import block has no for_each.
        if !engine.knows_functions() {
            return;
        }
        let bed = bed().await;
        let workspace = Workspace::new(engine).envs(bed.emulator.environment());
        workspace.copy("examples/guides/importing-hubs");
        let counts = "Plan: 3 to import, 0 to add, 2 to change, 0 to destroy.";
        workspace.plan(&[]).await.exits(2).says(counts);
        workspace.apply_planned().await.succeeded();
        let mut writes = bed.writes();
        writes.sort();
        assert_eq!(writes, ["PATCH hub1 identity", "PATCH hub2 identity"]);
        workspace.plan(&[]).await.exits(0);

        bed.another_hub("hub4");
        workspace.plan(&[]).await.exits(2).says("Plan: 1 to import, 0 to add, 1 to change, 0 to destroy.");
        workspace.apply_planned().await.succeeded();
        assert_eq!(bed.writes(), ["PATCH hub4 identity"]);
        workspace.plan(&[]).await.exits(0);
    })
    .await;
}

/// What the page of the data source warns of.
#[tokio::test]
async fn a_filter_on_the_mode_reverts_what_it_has_chosen() {
    for_each_engine(async |engine| {
        let bed = bed().await;
        let config = r#"
            data "foundryhub_hubs" "all" {}
            resource "foundryhub_storage_auth" "hub" {
              for_each = {
                for hub in data.foundryhub_hubs.all.hubs : hub.id => hub
                if hub.system_datastores_auth_mode == "accesskey"
              }
              hub_id       = each.key
              access_check = "off"
            }
        "#;
        let workspace = bed.applied(engine, config).await;
        let planned = workspace.plan(&[]).await.exits(2).says("Plan: 0 to add, 0 to change, 2 to destroy.");
        planned.says("is switched back to accesskey");
    })
    .await;
}
