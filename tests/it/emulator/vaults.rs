//! Key vaults (azure.md §13.9).

use serde_json::json;

use super::client::{ALICE, arm};

const TYPE: &str = "Microsoft.KeyVault/vaults";

#[tokio::test]
async fn a_vault_shows_what_decides_who_may_use_what_is_in_it() {
    let arm = arm().await;
    arm.emulator
        .seed("vaults: [{ name: kv1, resource_group: secrets, properties: { enableRbacAuthorization: true } }]");
    let at = |group: &str, name: &str| format!("{}?api-version=2023-07-01", arm.emulator.id(group, TYPE, name));
    let seeded = arm.get(&at("secrets", "KV1")).await;
    assert_eq!((seeded.at("/name"), seeded.at("/type")), (json!("kv1"), json!(TYPE)));
    assert_eq!(seeded.at("/properties/enableRbacAuthorization"), json!(true));
    assert_eq!(seeded.at("/properties/accessPolicies"), json!([]));

    let permissions = json!({ "keys": [], "secrets": ["Get"], "certificates": ["all"] });
    let policies = json!([{ "tenantId": "t", "objectId": ALICE, "permissions": permissions }]);
    let body = json!({ "location": "westeurope", "properties": { "accessPolicies": policies } });
    assert_eq!(arm.get(&at("rg1", "kv2")).await.error(), (404, "ResourceNotFound".to_owned()));
    assert_eq!(arm.put(&at("rg1", "kv2"), body.clone()).await.status, 201);
    assert_eq!(arm.put(&at("rg1", "kv2"), body).await.status, 200);
    let made = arm.get(&at("rg1", "kv2")).await;
    assert_eq!(made.at("/properties/accessPolicies"), policies);
    assert_eq!(made.at("/location"), json!("westeurope"));
    assert_eq!(made.at("/properties/enableRbacAuthorization"), json!(null));
    assert_eq!(arm.delete(&at("rg1", "kv2")).await.status, 200);
    assert_eq!(arm.delete(&at("rg1", "kv2")).await.status, 204);
}
