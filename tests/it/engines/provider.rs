//! The provider itself under real engines.

use serde_json::Value;

use crate::support::engine::{Workspace, for_each_engine};

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
