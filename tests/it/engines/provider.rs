//! The provider itself under real engines.

use serde_json::Value;

use super::engine_bed::EngineBed;
use crate::support::{
    engine::{Workspace, for_each_engine},
    plugin::Plugin,
};

#[tokio::test]
async fn every_engine_can_do_without_tls_towards_the_provider() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &bed.keyless("")).env("TF_DISABLE_PLUGIN_TLS", "1");
        workspace.apply(&[]).await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
    })
    .await;
}

/// A provider that runs already has no part in the handshake, so that the variable means nothing for it.
#[tokio::test]
async fn every_engine_attaches_to_a_running_provider_without_tls() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let launch = bed
            .emulator
            .environment()
            .into_iter()
            .fold(Plugin::launch().debug(), |launch, (name, value)| launch.env(name, value));
        let plugin = launch.start().await;
        let workspace = Workspace::attached(engine, &plugin).env("TF_DISABLE_PLUGIN_TLS", "1");
        workspace.config(&bed.keyless(""));
        workspace.apply(&[]).await.succeeded();
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded();
    })
    .await;
}

#[tokio::test]
async fn every_engine_loads_the_provider() {
    for_each_engine(async |engine| {
        let workspace = Workspace::new(engine);
        workspace.config("provider \"foundryhub\" {}\n");
        let schemas = workspace.run(&["providers", "schema", "-json"]).await.succeeded().json();
        let schemas = schemas["provider_schemas"].as_object().unwrap();
        let (source, schema) = schemas.iter().next().unwrap();
        assert!(source.ends_with("/foundryhub/foundryhub"), "{source}");
        assert_eq!(schema["provider"]["block"]["attributes"]["client_secret"]["sensitive"], Value::Bool(true));
    })
    .await;
}
