//! `/metadata/endpoints`: how clients learn where a cloud's endpoints are (facts: azure.md §6.6).

use serde_json::{Value, json};

use super::http::{Answer, Request};

/// The name this cloud goes by; none of the built-in ones, which would win over it.
pub(crate) const CLOUD: &str = "EmulatedCloud";

/// What the hosts of its storage accounts end with.
pub(crate) const STORAGE_SUFFIX: &str = "core.emulated.test";

/// An object at 2022-09-01 and later, an array of them before, and another object at the first version.
pub(crate) fn answer(request: &Request) -> Answer {
    let base = &request.base;
    Answer::ok(match request.api_version() {
        "2015-01-01" => first(base),
        version if version >= "2020-06-01" => cloud(base),
        _ => json!([cloud(base)]),
    })
}

fn first(base: &str) -> Value {
    let cloud = cloud(base);
    json!({
        "galleryEndpoint": cloud["gallery"],
        "graphEndpoint": cloud["graph"],
        "graphAudience": cloud["graphAudience"],
        "portalEndpoint": cloud["portal"],
        "authentication": {
            "loginEndpoint": cloud["authentication"]["loginEndpoint"],
            "audiences": cloud["authentication"]["audiences"],
        },
    })
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
            "storage": STORAGE_SUFFIX,
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
