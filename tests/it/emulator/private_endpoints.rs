//! Private endpoints of storage accounts (azure.md §13.8).

use serde_json::{Value, json};

use super::client::{ALICE, Arm, arm, assignment_at, grant};

const TYPE: &str = "Microsoft.Network/privateEndpoints";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

fn at(endpoint: &str) -> String {
    format!("{endpoint}?api-version=2024-05-01")
}

/// Endpoints of the account's connections, with the state of each.
async fn connections(arm: &Arm) -> Vec<(Value, Value)> {
    let connections = arm.get(&arm.account_path()).await.at("/properties/privateEndpointConnections");
    let properties = connections.as_array().expect("a list").iter().map(|one| &one["properties"]);
    properties
        .map(|one| (one["privateEndpoint"]["id"].clone(), one["privateLinkServiceConnectionState"]["status"].clone()))
        .collect()
}

/// An account shows its endpoints, but not for which service each one is; that is in the endpoint.
#[tokio::test]
async fn an_account_without_public_access_shows_its_private_endpoints() {
    let arm = arm().await;
    arm.emulator.change(&arm.account, |account| account["properties"]["publicNetworkAccess"] = json!("Disabled"));
    arm.emulator.seed(
        "private_endpoints:
          - { name: pe-blob, storage_account: sa1, service: blob }
          - { name: pe-file, storage_account: sa1, service: file, resource_group: network, approved: false }",
    );
    let endpoints = [arm.emulator.id("rg1", TYPE, "pe-blob"), arm.emulator.id("network", TYPE, "pe-file")];
    assert_eq!(arm.get(&arm.account_path()).await.at("/properties/publicNetworkAccess"), "Disabled");
    assert_eq!(
        connections(&arm).await,
        [(json!(endpoints[0]), json!("Approved")), (json!(endpoints[1]), json!("Pending"))]
    );
    let connection = arm.get(&arm.account_path()).await.at("/properties/privateEndpointConnections/0");
    assert!(connection["id"].as_str().expect("an id").starts_with(&arm.account));
    assert_eq!(connection["type"], "Microsoft.Storage/storageAccounts/privateEndpointConnections");
    assert_eq!(connection["properties"]["provisioningState"], "Succeeded");
    for (endpoint, list, service, status) in [
        (&endpoints[0], "privateLinkServiceConnections", "blob", "Approved"),
        (&endpoints[1], "manualPrivateLinkServiceConnections", "file", "Pending"),
    ] {
        let read = arm.get(&at(endpoint)).await;
        assert_eq!((read.at("/id"), read.at("/type")), (json!(endpoint), json!(TYPE)));
        let connection = read.at(&format!("/properties/{list}/0/properties"));
        assert_eq!(connection["privateLinkServiceId"], json!(arm.account));
        assert_eq!(connection["groupIds"], json!([service]));
        assert_eq!(connection["privateLinkServiceConnectionState"]["status"], status);
    }
}

/// PUT and DELETE of an endpoint change what its account shows.
#[tokio::test]
async fn an_endpoint_is_made_moved_and_deleted() {
    let arm = arm().await;
    let endpoint = arm.emulator.id("rg1", TYPE, "pe");
    let body = |list: &str, account: &str| {
        json!({ "location": "westeurope", "properties": { (list): [
            { "name": "pe", "properties": { "privateLinkServiceId": account, "groupIds": ["blob"] } },
        ] } })
    };
    assert_eq!(arm.get(&at(&endpoint)).await.error(), (404, "ResourceNotFound".to_owned()));
    let automatic = body("privateLinkServiceConnections", &arm.account);
    assert_eq!(arm.put(&at(&endpoint), automatic.clone()).await.status, 201);
    assert_eq!(arm.put(&at(&endpoint), automatic).await.status, 200);
    assert_eq!(connections(&arm).await, [(json!(endpoint), json!("Approved"))]);
    arm.put(&at(&endpoint), body("manualPrivateLinkServiceConnections", &arm.account.to_uppercase())).await;
    assert_eq!(connections(&arm).await, [(json!(endpoint), json!("Pending"))]);
    arm.put(&at(&endpoint), body("privateLinkServiceConnections", &format!("{}x", arm.account))).await;
    assert_eq!(connections(&arm).await, []);
    arm.put(&at(&endpoint), body("privateLinkServiceConnections", &arm.account)).await;
    assert_eq!(arm.delete(&at(&endpoint)).await.status, 200);
    assert_eq!(arm.delete(&at(&endpoint)).await.status, 204);
    assert_eq!(connections(&arm).await, []);
}

/// Roles are assigned at an endpoint as at other resources, and go with it.
#[tokio::test]
async fn an_endpoint_takes_role_assignments() {
    let arm = arm().await;
    let endpoint = arm.emulator.id("rg1", TYPE, "pe");
    let assignment = assignment_at(&endpoint, super::NAME);
    assert_eq!(arm.put(&assignment, grant(ALICE, READER)).await.status, 404);
    arm.emulator.seed("private_endpoints: [{ name: pe, storage_account: sa1, service: blob }]");
    assert_eq!(arm.put(&assignment, grant(ALICE, READER)).await.status, 201);
    arm.emulator.seed_assignment(&arm.group, ALICE, "Contributor");
    let found = arm.assignments(&endpoint, &format!("assignedTo('{ALICE}')")).await.at("/value");
    assert_eq!(found.as_array().expect("a list").len(), 2);
    arm.delete(&at(&endpoint)).await;
    let left = arm.emulator.assignments();
    assert!(left.iter().all(|assignment| !assignment.scope.contains("privateEndpoints")), "{left:?}");
}
