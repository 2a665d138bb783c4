//! `/metadata/endpoints`: how clients learn where a cloud's endpoints are (facts: azure.md §6.6).

use serde_json::{Value, json};

use super::http::{Answer, Request};

/// The name this cloud goes by; none of the built-in ones, which would win over it.
pub(crate) const CLOUD: &str = "EmulatedCloud";

/// An object at 2022-09-01 and later, an array of them before.
pub(crate) fn answer(request: &Request) -> Answer {
    let cloud = cloud(&request.base);
    Answer::ok(if request.api_version() >= "2020-06-01" { cloud } else { json!([cloud]) })
}

fn cloud(base: &str) -> Value {
    json!({
        "name": CLOUD,
        // One client makes a host suffix of this by dropping the first label.
        "portal": "https://portal.emulated.azure.test",
        "authentication": {
            "loginEndpoint": base,
            "audiences": [format!("{base}/"), base],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": format!("{base}/"),
        "graph": format!("{base}/"),
        "graphAudience": format!("{base}/"),
        "microsoftGraphResourceId": format!("{base}/"),
        "gallery": format!("{base}/"),
        "media": format!("{base}/"),
        "batch": format!("{base}/"),
        "sqlManagement": format!("{base}/"),
        "vmImageAliasDoc": format!("{base}/aliases.json"),
        "activeDirectoryDataLake": format!("{base}/"),
        "appInsightsResourceId": format!("{base}/"),
        "appInsightsTelemetryChannelResourceId": format!("{base}/"),
        "logAnalyticsResourceId": format!("{base}/"),
        "suffixes": {
            "storage": "core.emulated.test",
            "keyVaultDns": "vault.emulated.test",
            "acrLoginServer": "azurecr.emulated.test",
            "sqlServerHostname": "database.emulated.test",
            "mysqlServerEndpoint": "mysql.database.emulated.test",
            "postgresqlServerEndpoint": "postgres.database.emulated.test",
            "mariadbServerEndpoint": "mariadb.database.emulated.test",
            "azureDataLakeStoreFileSystem": "azuredatalakestore.emulated.test",
            "azureDataLakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.emulated.test",
        },
    })
}
