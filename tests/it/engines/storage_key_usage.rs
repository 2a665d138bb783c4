//! Keys that go off once nobody uses them (`foundryhub_storage_key_usage`).

use std::fs;

use super::engine_bed::{EngineBed, KEYLESS, WITH_KEYS};
use crate::support::engine::for_each_engine;

/// The configuration of the data source's page.
fn documented() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/data-sources/storage_key_usage.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```terraform\n").expect("a configuration");
    let (documented, _) = rest.split_once("```").expect("its end");
    assert!(documented.contains("precondition"), "{documented}");
    format!("variable \"hub_id\" {{\n  type = string\n}}\n\n{documented}")
}

#[tokio::test]
async fn a_precondition_holds_back_keys_off_while_keys_are_in_use() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let seed = |authentication: &str, ago: &str, more: &str| {
            let calls = format!("authentication: {authentication}, ago: {ago}, count: 3{more}");
            bed.emulator.seed(&format!("transactions: [{{ account: sa1, service: blob, {calls} }}]"));
        };
        let workspace = bed.workspace(engine, &documented()).env("TF_VAR_hub_id", &bed.hub);
        seed("AccountKey", "36h", "");
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.settings(), ("identity", WITH_KEYS.1), "the hub does not wait for others");

        let off = ["-var=shared_access_key_enabled=false"];
        workspace.plan(&off).await.exits(1).says("Keys may be in use").says("\"verdict\":\"certain\"");
        workspace.apply(&off).await.exits(1).says("Keys may be in use");
        assert_eq!(bed.settings(), ("identity", true));

        // A week later: what is older is not looked at.
        bed.emulator.forget_transactions(&bed.account);
        seed("AccountKey", "200h", "");
        seed("OAuth", "2h", "");
        workspace.apply(&off).await.succeeded();
        assert_eq!(bed.settings(), KEYLESS);

        // Somebody who still tries is no reason to fail.
        seed("AccountKey", "2h", ", response_type: AuthorizationError");
        workspace.plan(&off).await.exits(0);
    })
    .await;
}
