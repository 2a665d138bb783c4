//! Blob containers and file shares as ARM shows them (azure.md §13.4).

use serde_json::{Value, json};

use super::client::{ACCOUNTS, Arm, arm, names};

const CONTAINERS: &str = "blobServices/default/containers";
const SHARES: &str = "fileServices/default/shares";

/// An account without a hub, so that nobody but the test makes anything on it.
async fn with_account(properties: Value) -> (Arm, String) {
    let arm = arm().await;
    let account = arm.emulator.id("rg1", ACCOUNTS, "plain");
    arm.emulator.seed_storage_account(&account, properties);
    (arm, account)
}

fn at(path: &str) -> String {
    format!("{path}?api-version=2023-05-01")
}

/// The table's members; PUT, GET and DELETE; and that an account's are gone with it.
#[tokio::test]
async fn containers_and_shares_are_put_read_and_deleted() {
    let (arm, account) = with_account(json!({})).await;
    for (collection, kind, missing, sent, shown) in [
        (
            CONTAINERS,
            "Microsoft.Storage/storageAccounts/blobServices/containers",
            "ContainerNotFound",
            json!({ "metadata": { "a": "b" } }),
            json!({ "publicAccess": "None", "hasLegalHold": false, "metadata": { "a": "b" } }),
        ),
        (
            SHARES,
            "Microsoft.Storage/storageAccounts/fileServices/shares",
            "ShareNotFound",
            json!({ "enabledProtocols": "NFS" }),
            json!({ "enabledProtocols": "NFS", "shareQuota": 5120, "accessTier": "TransactionOptimized" }),
        ),
    ] {
        let path = at(&format!("{account}/{collection}/one"));
        assert_eq!(arm.get(&path).await.error(), (404, missing.to_owned()));
        assert_eq!(arm.put(&path, json!({ "properties": sent })).await.status, 201);
        assert_eq!(arm.put(&path, json!({ "properties": sent })).await.status, 200);
        let read = arm.get(&path).await.body();
        assert_eq!((&read["name"], &read["type"]), (&json!("one"), &json!(kind)));
        assert_eq!(read["id"], format!("{account}/{collection}/one"));
        assert!(read["etag"].is_string());
        for (name, value) in shown.as_object().expect("an object") {
            assert_eq!(&read["properties"][name], value, "{name}");
        }
        assert_eq!(read["properties"]["leaseState"], "Available");
        assert!(read["properties"]["lastModifiedTime"].is_string());
        let listed = arm.get(&at(&format!("{account}/{collection}"))).await.body();
        assert_eq!(listed, json!({ "value": [read] }));
        assert_eq!(arm.delete(&path).await.status, 200);
        assert_eq!(arm.delete(&path).await.status, 204);
        arm.put(&path, json!({})).await;
    }
    assert_eq!(arm.delete(&at(&account)).await.status, 200);
    assert_eq!(arm.get(&at(&format!("{account}/{CONTAINERS}"))).await.status, 404);
    arm.emulator.seed_storage_account(&account, json!({}));
    for collection in [CONTAINERS, SHARES] {
        assert_eq!(names(&arm.get(&at(&format!("{account}/{collection}"))).await.body()), [""; 0]);
    }
}

/// `$maxpagesize` and `nextLink`; `$filter` is a prefix of names and no OData.
#[tokio::test]
async fn lists_have_pages_and_a_prefix() {
    let (arm, account) = with_account(json!({})).await;
    for collection in [CONTAINERS, SHARES] {
        for name in ["azureml", "azureml-x", "tfstate"] {
            arm.put(&at(&format!("{account}/{collection}/{name}")), json!({})).await;
        }
        let list = at(&format!("{account}/{collection}"));
        let first = arm.get(&format!("{list}&$maxpagesize=2")).await;
        assert_eq!(names(&first.body()), ["azureml", "azureml-x"]);
        let second = arm.get(first.at("/nextLink").as_str().expect("a link")).await;
        assert_eq!((names(&second.body()), second.at("/nextLink")), (vec!["tfstate".to_owned()], Value::Null));
        assert_eq!(names(&arm.get(&format!("{list}&$filter=azureml")).await.body()), ["azureml", "azureml-x"]);
        arm.emulator.configure(|options| options.page_size = 1);
        assert_eq!(names(&arm.get(&list).await.body()), ["azureml"]);
        arm.emulator.configure(|options| options.page_size = 200);
    }
}

/// Accounts of some kinds have no files, and those of another no blobs.
#[tokio::test]
async fn an_account_may_lack_a_service() {
    let arm = arm().await;
    for (kind, blobs, files) in [
        ("StorageV2", true, true),
        ("Storage", true, true),
        ("BlobStorage", true, false),
        ("BlockBlobStorage", true, false),
        ("FileStorage", false, true),
    ] {
        arm.emulator.seed(&format!("storage_accounts: [{{ name: some, kind: {kind} }}]"));
        let account = arm.emulator.id("rg1", ACCOUNTS, "some");
        for (collection, service, is_had) in [(CONTAINERS, "Blob", blobs), (SHARES, "File", files)] {
            let reply = arm.get(&at(&format!("{account}/{collection}"))).await;
            if is_had {
                assert_eq!(reply.status, 200, "{kind} {service}");
            } else {
                assert_eq!(reply.error(), (400, "FeatureNotSupportedForAccount".to_owned()), "{kind} {service}");
                assert_eq!(reply.message(), format!("{service} is not supported for the account."));
            }
        }
    }
}

/// They are control plane: networks of the account do not matter, and no key is needed.
#[tokio::test]
async fn a_closed_account_without_keys_is_listed() {
    let (arm, account) =
        with_account(json!({ "allowSharedKeyAccess": false, "publicNetworkAccess": "Disabled" })).await;
    arm.emulator.seed("containers: [{ parent: plain, name: tfstate }]\nshares: [{ parent: plain, name: files }]");
    for (collection, name) in [(CONTAINERS, "tfstate"), (SHARES, "files")] {
        assert_eq!(names(&arm.get(&at(&format!("{account}/{collection}"))).await.body()), [name]);
    }
}
