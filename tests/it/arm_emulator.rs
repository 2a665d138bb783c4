//! The ARM client against the emulator. Both are written from the same facts, each without the other, and have to
//! agree.

use crate::azure::{Emulator, Lro, Operations, Options, Outcome};
use crate::support::arm::{SkippingClock, call};
use crate::support::ids::{ALICE, BLOB_CONTRIBUTOR, BLOB_READER};
use foundryhub::arm::auth::ClientSecret;
use foundryhub::arm::datastores::Datastore;
use foundryhub::arm::role_assignments::{Deleted, NewRoleAssignment, RoleAssignment};
use foundryhub::arm::role_definitions::RoleDefinition;
use foundryhub::arm::storage_accounts::StorageAccount;
use foundryhub::arm::workspaces::{AuthMode, AuthModeKind, FALLBACK_API_VERSION, Workspace, WorkspaceKind};
use foundryhub::arm::{
    Client, Endpoints, Error, ErrorCode, List, Read, RoleAssignmentId, Settings, StorageAccountId, WorkspaceId,
};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// An emulator with a hub in access-key mode, and an ARM client that signs in to it with a secret.
struct ClientBed {
    emulator: Emulator,
    client: Client,
    hub: WorkspaceId,
    account: StorageAccountId,
}

async fn bed(change: impl FnOnce(&mut Options)) -> ClientBed {
    bed_with_secret(change, None).await
}

async fn bed_with_secret(change: impl FnOnce(&mut Options), secret: Option<&str>) -> ClientBed {
    let mut options = Options::default();
    change(&mut options);
    let emulator = Emulator::start(options).await.expect("the emulator starts");
    let hub = emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, "hub1");
    let account = emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa1");
    emulator.seed_storage_account(&account, json!({}));
    emulator.seed_hub(&hub, &account, json!({}));
    let endpoints = Endpoints::new(emulator.url(), emulator.url(), emulator.url()).unwrap();
    let settings = Settings {
        extra_roots: vec![std::fs::read(emulator.ca_file()).unwrap()],
        clock: Arc::new(SkippingClock::default()),
        ..Settings::new(endpoints)
    };
    let environment: HashMap<_, _> = emulator.environment().into_iter().collect();
    let method = ClientSecret {
        tenant_id: environment["ARM_TENANT_ID"].clone(),
        client_id: environment["ARM_CLIENT_ID"].as_str().into(),
        client_secret: secret.unwrap_or(&environment["ARM_CLIENT_SECRET"]).into(),
    };
    let client = Client::new(settings, Arc::new(method)).unwrap();
    let (hub, account) = (WorkspaceId::parse(&hub).unwrap(), StorageAccountId::parse(&account).unwrap());
    emulator.clear_requests();
    ClientBed { emulator, client, hub, account }
}

#[tokio::test]
async fn set_auth_mode_works_with_every_form_of_long_running_operation() {
    for lro in [Lro::Done, Lro::Updating, Lro::Location, Lro::Async, Lro::OperationLocation, Lro::Both, Lro::Bare] {
        let bed = bed(|options| options.lro = lro).await;
        let call = call();
        let before = bed.client.get::<Workspace>(&bed.hub, Read::Fresh, &call).await.unwrap();
        assert_eq!(before.kind(), WorkspaceKind::Hub);
        assert_eq!(before.properties.system_datastores_auth_mode.kind(), AuthModeKind::AccessKey);
        assert_eq!(WorkspaceId::parse(&before.id).unwrap(), bed.hub);
        assert_eq!(StorageAccountId::parse(&before.properties.storage_account).unwrap(), bed.account);

        let after = bed.client.set_auth_mode(&bed.hub, &AuthMode::identity(), &call).await.unwrap();
        assert_eq!(after.properties.system_datastores_auth_mode, AuthMode::identity(), "{lro:?}");
        assert_eq!(after.properties.provisioning_state, "Succeeded", "{lro:?}");
        bed.client.resync_keys(&bed.hub, &call).await.unwrap_or_else(|error| panic!("{lro:?}: {error:?}"));
        let stores = bed.client.list::<Datastore>(List::below(bed.hub.arm()), Read::Fresh, &call).await.unwrap();
        assert_eq!(stores.value.iter().filter(|store| store.is_system() && !store.uses_account_key()).count(), 4);
    }
}

#[tokio::test]
async fn failed_and_canceled_operations_are_different_errors() {
    for (outcome, expected) in [
        (Outcome::Failed { code: "InternalError".into(), message: "it broke".into() }, "InternalError"),
        (Outcome::Canceled, ""),
    ] {
        let bed = bed(|options| (options.operations, options.lro) = (Operations::Explicit, Lro::Async)).await;
        let (client, hub) = (bed.client.clone(), bed.hub.clone());
        let patching = tokio::spawn(async move { client.set_auth_mode(&hub, &AuthMode::identity(), &call()).await });
        let operation = bed.emulator.operation_started(bed.hub.as_str()).await;
        assert!(bed.emulator.finish_operation(&operation, outcome));
        let failed = patching.await.unwrap().unwrap_err();
        assert!(matches!(failed, Error::Operation(_)), "{failed:?}");
        assert!(failed.code().unwrap().as_str().contains(expected), "{failed}");
    }
}

#[tokio::test]
async fn an_older_service_gets_the_fallback_api_version() {
    let bed = bed(|options| options.reject_api_version = vec!["2025-06-01".into()]).await;
    bed.client.set_auth_mode(&bed.hub, &AuthMode::identity(), &call()).await.unwrap();
    let subscription = bed.hub.subscription();
    let all = bed.client.list::<Workspace>(List::in_subscription(subscription), Read::Fresh, &call()).await.unwrap();
    assert_eq!(all.value.len(), 1);
    let requests = bed.emulator.arm_requests();
    let versions: Vec<_> = requests.iter().filter_map(|request| request.query("api-version")).collect();
    assert_eq!(versions.iter().filter(|version| **version == "2025-06-01").count(), 1);
    assert_eq!(versions.last(), Some(&FALLBACK_API_VERSION));
}

#[tokio::test]
async fn keys_are_switched_off_listed_and_regenerated() {
    let bed = bed(|_| {}).await;
    let call = call();
    let before = bed.client.get::<StorageAccount>(&bed.account, Read::Fresh, &call).await.unwrap();
    assert_eq!((before.properties.allow_shared_key_access, before.shared_key_enabled()), (None, true));
    let after = bed.client.set_shared_key_access(&bed.account, false, &call).await.unwrap();
    assert_eq!(after.properties.allow_shared_key_access, Some(false));
    let old = bed.client.list_storage_keys(&bed.account, &call).await.unwrap();
    let new = bed.client.regenerate_storage_key(&bed.account, "key2", &call).await.unwrap();
    let changed: Vec<_> = old.iter().zip(&new).filter(|(old, new)| old.value != new.value).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].1.key_name, "key2");

    let missing = StorageAccountId::new(bed.account.subscription(), "rg1", "nosuchaccount").unwrap();
    let gone = bed.client.get::<StorageAccount>(&missing, Read::Fresh, &call).await.unwrap_err();
    assert!(gone.is_not_found(), "{gone:?}");
    assert!(gone.service().unwrap().date.is_some());
}

#[tokio::test]
async fn role_assignments_are_created_listed_read_and_deleted() {
    let bed = bed(|options| options.page_size = 2).await;
    let call = call();
    let scope = bed.account.arm();
    let new = |role: &str| NewRoleAssignment {
        role_definition_id: format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
        principal_id: ALICE.into(),
        principal_type: Some("User".into()),
        description: Some("for a test".into()),
        condition: None,
        condition_version: None,
        delegated_managed_identity_resource_id: None,
    };
    let id = |n: u128| RoleAssignmentId::new(scope.clone(), Uuid::from_u128(n));
    let none = Duration::ZERO;
    let made = bed.client.put_role_assignment(&id(1), &new(BLOB_CONTRIBUTOR), none, &call).await.unwrap();
    let age = made.date.unwrap() - made.value.properties.created_on.unwrap();
    assert!(age < time::Duration::minutes(5), "{age}");
    assert_eq!(made.value.assignment_id().unwrap(), id(1));
    assert_eq!(made.value.role_guid().unwrap().to_string(), BLOB_CONTRIBUTOR);

    let exists = bed.client.put_role_assignment(&id(2), &new(BLOB_CONTRIBUTOR), none, &call).await.unwrap_err();
    assert_eq!(exists.code(), Some(&ErrorCode::RoleAssignmentExists));
    assert_eq!(exists.service().unwrap().existing_role_assignment(), Some(id(1).name));
    bed.client.put_role_assignment(&id(2), &new(BLOB_READER), none, &call).await.unwrap();
    let list = bed.client.list(RoleAssignment::at_scope(scope), Read::Fresh, &call).await.unwrap();
    assert!(list.date.is_some());
    assert!(list.value.iter().filter(|assignment| assignment.is_held_by(ALICE)).count() == 2, "{list:?}");

    bed.emulator.clear_requests();
    let ids = [id(1), id(2), id(3)];
    bed.client.remember_reads();
    let reads = ids.iter().map(|id| bed.client.get_role_assignment(id, Read::Remembered, &call));
    let found = futures_util::future::join_all(reads).await;
    assert!(found[0].is_ok() && found[1].is_ok());
    assert!(found[2].as_ref().unwrap_err().is_not_found());
    let singly = bed.emulator.arm_requests().iter().filter(|request| request.path.ends_with(&id(3).path())).count();
    assert_eq!(singly, 1, "only the one the list lacks is asked for by itself");

    assert!(matches!(bed.client.delete_role_assignment(&id(1), &call).await.unwrap(), Deleted::Was(_)));
    assert_eq!(bed.client.delete_role_assignment(&id(1), &call).await.unwrap(), Deleted::WasAbsent);
}

#[tokio::test]
async fn role_definitions_are_found_by_name_and_by_id() {
    let bed = bed(|_| {}).await;
    let call = call();
    let scope = bed.account.arm();
    let named =
        bed.client.list(RoleDefinition::named(scope, "Storage Blob Data Reader"), Read::Fresh, &call).await.unwrap();
    assert_eq!(named.value.iter().map(|role| role.guid().unwrap().to_string()).collect::<Vec<_>>(), [BLOB_READER]);
    let got = bed
        .client
        .get::<RoleDefinition>(&RoleDefinition::id_at(scope, named.value[0].guid().unwrap()), Read::Fresh, &call)
        .await
        .unwrap();
    assert!(got.properties.role_name == "Storage Blob Data Reader");
    assert!(bed.client.list::<RoleDefinition>(List::below(scope), Read::Fresh, &call).await.unwrap().value.len() > 5);
    let none = bed
        .client
        .get::<RoleDefinition>(&RoleDefinition::id_at(scope, Uuid::nil()), Read::Fresh, &call)
        .await
        .unwrap_err();
    assert!(none.is_not_found(), "{none:?}");
}

#[tokio::test]
async fn a_revoked_token_is_replaced_and_a_wrong_secret_is_explained() {
    let bed = bed(|_| {}).await;
    let call = call();
    bed.client.get::<Workspace>(&bed.hub, Read::Fresh, &call).await.unwrap();
    bed.emulator.revoke_tokens();
    bed.client.get::<Workspace>(&bed.hub, Read::Fresh, &call).await.unwrap();

    let bed = bed_with_secret(|_| {}, Some("not-the-secret")).await;
    let refused = bed.client.get::<Workspace>(&bed.hub, Read::Fresh, &call).await.unwrap_err();
    let Error::Token(error) = &refused else { panic!("{refused:?}") };
    assert_eq!(error.code(), Some(7_000_215));
    assert!(!format!("{refused:?} {error}").contains("not-the-secret"));
}
