//! What large answers cost the process: a value of a few bytes takes many times that once it is read.

use serde_json::json;

use crate::support::{
    arm::{SUBSCRIPTION, account, hub},
    core::Core,
    scripted::{Scripted, on},
};

/// The process by itself has some 60 MiB, and a body of 30 is there more than once while it is received. Read as a tree, one
/// takes 2,900.
const MOST_MIB: u64 = 400;

/// 30 MiB of objects that are empty.
fn tiny() -> String {
    format!("[{}{{}}]", "{},".repeat((30 << 20) / 3))
}

#[tokio::test]
async fn thirty_mib_of_tiny_objects_take_no_multiple_of_that() {
    let (hub, account) = (hub().to_string(), account().to_string());
    let object = json!({ "id": hub, "name": "hub1", "kind": "Hub", "properties": { "storageAccount": account } });
    let unknown = format!(r#"{{"unknown":{}}}"#, tiny());
    let token = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;
    let list = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.MachineLearningServices/workspaces");
    let server = Scripted::start(vec![
        on("POST", "/").each(|_| token.to_owned()),
        on("GET", list).answer(200, format!(r#"{{"value":{}}}"#, tiny())),
        on("GET", &account).answer(200, unknown.clone()),
        on("GET", &account).each(|_| r#"{"properties":{"allowSharedKeyAccess":true}}"#.to_owned()),
        on("GET", &hub).each(move |_| object.to_string()),
        on("PATCH", &hub).answer(200, unknown),
    ])
    .await;
    let root = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(root.path(), &server.root).expect("a certificate");
    let mut core = Core::new()
        .env("SSL_CERT_FILE", root.path().to_str().expect("a path"))
        .env("ARM_RESOURCE_MANAGER_ENDPOINT", &server.url)
        .env("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", &server.url)
        .env("ARM_TENANT_ID", SUBSCRIPTION)
        .env("ARM_CLIENT_ID", SUBSCRIPTION)
        .env("ARM_CLIENT_SECRET", "secret")
        .in_one_process();
    let (_, said) = core.read_data("foundryhub_hubs", json!({ "subscription_id": SUBSCRIPTION })).await;
    assert!(said.to_string().contains("more than 1000000 values"), "{said}");
    let (_, said) = core.read_data("foundryhub_hub", json!({ "id": hub })).await;
    assert!(said.to_string().contains("more than 1000000 values"), "{said}");
    // The hub is as before the PATCH.
    let config = json!({ "hub_id": hub, "access_check": "off", "timeouts": { "create": "20s" } });
    core.apply("foundryhub_storage_auth", "a", config).await.failed();
    let peak = core.peak_memory();
    assert!(peak < MOST_MIB, "{peak} MiB");
    server.finish();
}
