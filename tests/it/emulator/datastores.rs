//! Datastores that users make (azure.md §13.1); those of the system are in `hubs`.

use serde_json::{Value, json};

use super::client::{Arm, WORKSPACES, arm, arm_with, names};
use super::workspaces::project;
use crate::azure::{HubList, Lro};

const SYSTEM: [&str; 4] =
    ["workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"];

fn list(workspace: &str) -> String {
    format!("{workspace}/datastores?api-version=2025-06-01")
}

fn path(workspace: &str, name: &str) -> String {
    format!("{workspace}/datastores/{name}?api-version=2025-06-01")
}

fn secrets(workspace: &str, name: &str) -> String {
    format!("{workspace}/datastores/{name}/listSecrets?api-version=2025-06-01")
}

/// The body of a PUT of a container with an account key.
fn with_key() -> Value {
    json!({ "properties": {
        "datastoreType": "AzureBlob", "accountName": "sa1", "containerName": "data", "endpoint": "core.windows.net",
        "protocol": "https", "serviceDataAccessAuthIdentity": "None",
        "credentials": { "credentialsType": "AccountKey", "secrets": { "secretsType": "AccountKey", "key": "s3cret" } },
    } })
}

async fn with_project() -> (Arm, String) {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let id = arm.emulator.id("rg1", WORKSPACES, "prj1");
    assert_eq!(arm.put(&format!("{id}?api-version=2025-06-01"), project(&arm)).await.status, 200);
    (arm, id)
}

/// The answer of the example: all members, the credentials' type, and no secret anywhere.
#[tokio::test]
async fn a_datastore_is_put_read_and_deleted() {
    let arm = arm().await;
    let path = path(&arm.hub, "data1");
    assert_eq!(arm.get(&path).await.status, 404);
    let made = arm.put(&path, with_key()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let read = arm.get(&path).await;
    let body = read.body();
    assert_eq!(
        (&body["id"], &body["name"], &body["type"]),
        (
            &json!(format!("{}/datastores/data1", arm.hub)),
            &json!("data1"),
            &json!("Microsoft.MachineLearningServices/workspaces/datastores")
        )
    );
    assert_eq!(
        body["properties"],
        json!({
            "description": null, "tags": {}, "properties": {}, "isDefault": false,
            "credentials": { "credentialsType": "AccountKey" }, "datastoreType": "AzureBlob", "accountName": "sa1",
            "containerName": "data", "endpoint": "core.windows.net", "protocol": "https",
            "serviceDataAccessAuthIdentity": "None",
        })
    );
    let listed = arm.get(&list(&arm.hub)).await;
    for reply in [&made, &read, &listed] {
        assert!(!reply.text.contains("s3cret"), "{}", reply.text);
    }
    assert!(!format!("{:?}", arm.emulator.requests()).contains("s3cret"), "the log has secrets");
    let held = arm.post(&secrets(&arm.hub, "data1"), json!({})).await;
    assert_eq!(held.body(), json!({ "secretsType": "AccountKey", "key": "s3cret" }));

    let mut mended = with_key();
    mended["properties"]["credentials"] = json!({ "credentialsType": "None" });
    assert_eq!(arm.put(&path, mended).await.status, 200);
    assert_eq!(arm.get(&path).await.at("/properties/credentials"), json!({ "credentialsType": "None" }));
    assert_eq!(arm.post(&secrets(&arm.hub, "data1"), json!({})).await.body(), json!({ "secretsType": "None" }));

    assert_eq!(arm.delete(&path).await.status, 200);
    assert_eq!(arm.delete(&path).await.status, 204);
    assert_eq!(arm.get(&path).await.status, 404);
    assert_eq!(arm.post(&secrets(&arm.hub, "data1"), json!({})).await.status, 404);
}

/// The tables of types and of credentials.
#[tokio::test]
async fn every_type_takes_every_credential() {
    let arm = arm().await;
    let types = [
        json!({ "datastoreType": "AzureBlob", "accountName": "other", "containerName": "c" }),
        json!({ "datastoreType": "AzureFile", "accountName": "other", "fileShareName": "s" }),
        json!({ "datastoreType": "AzureDataLakeGen2", "accountName": "other", "filesystem": "f" }),
        json!({ "datastoreType": "AzureDataLakeGen1", "storeName": "s" }),
        json!({ "datastoreType": "OneLake", "oneLakeWorkspaceName": "w", "artifact": { "artifactType": "LakeHouse" } }),
    ];
    for kind in &types {
        for credentials in ["AccountKey", "Sas", "ServicePrincipal", "Certificate", "None"] {
            let mut properties = kind.clone();
            properties["credentials"] = json!({ "credentialsType": credentials });
            let reply = arm.put(&path(&arm.hub, "d"), json!({ "properties": properties })).await;
            assert!(reply.status < 300, "{}", reply.text);
            let read = arm.get(&path(&arm.hub, "d")).await.at("/properties");
            for (name, value) in kind.as_object().expect("an object") {
                assert_eq!(&read[name], value);
            }
            assert_eq!(read["credentials"]["credentialsType"], credentials);
        }
    }
    for (row, properties) in [
        ("no credentials", json!({ "datastoreType": "AzureBlob" })),
        ("an unknown type", json!({ "datastoreType": "Floppy", "credentials": { "credentialsType": "None" } })),
        ("no type", json!({ "credentials": { "credentialsType": "None" } })),
    ] {
        assert_eq!(arm.put(&path(&arm.hub, "e"), json!({ "properties": properties })).await.status, 400, "{row}");
    }
}

/// Pages of 30 by default, of `count` if that is asked for, followed by `nextLink`.
#[tokio::test]
async fn a_list_has_pages_of_thirty() {
    let arm = arm().await;
    for number in 0..30 {
        let seed = format!(
            "datastores: [{{ parent: hub1, name: d{number:02}, properties: {{ datastoreType: AzureBlob, credentials: {{ credentialsType: None }} }} }}]"
        );
        arm.emulator.seed(&seed);
    }
    let first = arm.get(&list(&arm.hub)).await;
    assert_eq!(names(&first.body()).len(), 30);
    let second = arm.get(first.at("/nextLink").as_str().expect("a link")).await;
    assert_eq!(names(&second.body()), ["d26", "d27", "d28", "d29"]);
    assert_eq!(second.at("/nextLink"), Value::Null);
    let few = arm.get(&format!("{}&count=3", list(&arm.hub))).await;
    assert_eq!(names(&few.body()), SYSTEM[..3]);
    assert!(few.at("/nextLink").as_str().expect("a link").contains("count=3"));
}

/// A project has its own four and its own others; whether its hub's besides is a switch.
#[tokio::test]
async fn a_project_lists_its_own_datastores() {
    let (arm, project) = with_project().await;
    arm.put(&path(&arm.hub, "of-hub"), with_key()).await;
    arm.put(&path(&project, "of-project"), with_key()).await;
    let own: Vec<&str> = SYSTEM.into_iter().chain(["of-project"]).collect();
    assert_eq!(names(&arm.get(&list(&project)).await.body()), own);
    let hubs: Vec<&str> = SYSTEM.into_iter().chain(["of-hub"]).collect();
    assert_eq!(names(&arm.get(&list(&arm.hub)).await.body()), hubs);
    arm.emulator.configure(|options| options.project_lists = vec![HubList::Datastores]);
    assert_eq!(names(&arm.get(&list(&project)).await.body()), [own, hubs.clone()].concat());
    assert_eq!(names(&arm.get(&list(&arm.hub)).await.body()), hubs);
}

/// The system's four cannot be changed or deleted; those of a workspace go with it.
#[tokio::test]
async fn system_datastores_stay_and_others_go_with_their_workspace() {
    let (arm, project) = with_project().await;
    assert_eq!(arm.put(&path(&arm.hub, "WorkspaceBlobStore"), with_key()).await.status, 400);
    assert_eq!(arm.delete(&path(&arm.hub, "workspaceblobstore")).await.status, 400);
    assert_eq!(arm.get(&path(&arm.hub, "workspaceBLOBstore")).await.at("/name"), "workspaceblobstore");
    arm.put(&path(&project, "d"), with_key()).await;
    arm.emulator.remove(&project);
    assert_eq!(arm.get(&path(&project, "d")).await.status, 404);
    assert_eq!(arm.put(&path(&project, "d"), with_key()).await.status, 404);
}

/// azure.md §13.5: containers and shares of the system are called by the workspace's id, which is first where data is
/// isolated.
#[tokio::test]
async fn a_workspace_makes_the_containers_and_shares_of_its_datastores() {
    let arm = arm().await;
    let in_account =
        async |path: &str| names(&arm.get(&format!("{}/{path}?api-version=2023-05-01", arm.account)).await.body());
    let places = async |workspace: &str| {
        let stores = arm.get(&list(workspace)).await.at("/value");
        let properties = stores.as_array().expect("a list").iter().map(|store| &store["properties"]);
        let places: Vec<Value> = properties
            .map(|properties| properties.get("containerName").unwrap_or(&properties["fileShareName"]).clone())
            .collect();
        places.iter().map(|place| place.as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let plain = arm.emulator.id("rg1", WORKSPACES, "plain");
    arm.emulator.seed_hub(&plain, &arm.account, json!({ "enableDataIsolation": false }));
    let id = async |workspace: &str| {
        let id = arm.get(&format!("{workspace}?api-version=2025-06-01")).await.at("/properties/workspaceId");
        id.as_str().expect("an id").to_owned()
    };
    let (isolated, open) = (id(&arm.hub).await, id(&plain).await);
    let of_hub = places(&arm.hub).await;
    assert!(of_hub.iter().all(|name| name.starts_with(&isolated)), "{of_hub:?}");
    let of_plain = places(&plain).await;
    assert_eq!(
        of_plain,
        [
            format!("azureml-blobstore-{open}"),
            "azureml".to_owned(),
            format!("azureml-filestore-{open}"),
            "code-391ff5ac-6576-460f-ba4d-7e03433c68b6".to_owned()
        ]
    );
    let (containers, shares) =
        (in_account("blobServices/default/containers").await, in_account("fileServices/default/shares").await);
    for places in [of_hub, of_plain] {
        assert!(places[..2].iter().all(|name| containers.contains(name)), "{containers:?}");
        assert!(places[2..].iter().all(|name| shares.contains(name)), "{shares:?}");
    }
}
