//! Workspaces (azure.md §1.1 to §1.6, §1.9).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::client::{ACCOUNTS, Arm, BLOB_CONTRIBUTOR, WORKSPACES, arm, arm_with, grant, names};
use super::versions::STABLE_WITHOUT_MODE;
use crate::azure::{IdCasing, Lro, ModeCasing, PutWithoutMode, SchemaView, UserDelegationSas};

/// Polls a Location until it is no longer 202, and answers the last reply.
async fn follow(arm: &Arm, mut reply: super::client::Reply) -> super::client::Reply {
    while reply.status == 202 {
        let url = reply.header("location").expect("a Location").to_owned();
        reply = arm.get(&url).await;
    }
    reply
}

pub(super) fn project(arm: &Arm) -> Value {
    json!({ "location": "eastus", "kind": "Project", "properties": { "hubResourceId": arm.hub } })
}

/// azure.md §1.1: 3 to 33 characters.
#[tokio::test]
async fn names_follow_the_pattern() {
    let arm = arm().await;
    for (name, valid) in [
        ("ab", false),
        ("abc", true),
        ("0ab", true),
        ("-abc", false),
        ("_abc", false),
        ("a_b-c", true),
        ("a.bc", false),
        ("abc%C3%9F", false),
        (&"a".repeat(33) as &str, true),
        (&"a".repeat(34), false),
    ] {
        let id = arm.emulator.id("rg1", WORKSPACES, name);
        let reply = arm.put(&format!("{id}?api-version=2025-06-01"), arm.hub_body()).await;
        assert_eq!(reply.status, if valid { 202 } else { 400 }, "{name}");
    }
}

/// azure.md §1.2: every listed api-version is served, and unknown newer ones.
#[tokio::test]
async fn every_api_version_is_served_and_shows_the_mode() {
    let arm = arm().await;
    let later = [
        "2025-06-01",
        "2025-09-01",
        "2025-12-01",
        "2026-03-01",
        "2026-05-01",
        "2023-08-01-preview",
        "2024-10-01-preview",
        "2031-01-01",
    ];
    for version in STABLE_WITHOUT_MODE.iter().copied().chain(later) {
        let reply = arm.get(&format!("{}?api-version={version}", arm.hub)).await;
        assert_eq!(
            (reply.status, reply.at("/properties/systemDatastoresAuthMode")),
            (200, "accesskey".into()),
            "{version}"
        );
    }
}

/// azure.md §1.2: with the published schemas, the mode is there in some versions only, and in fewer PATCH bodies.
#[tokio::test]
async fn the_strict_view_hides_and_drops_the_mode_where_the_schema_lacks_it() {
    let arm = arm_with(|options| {
        options.schema = SchemaView::Strict;
        options.lro = Lro::Done;
    })
    .await;
    for (version, in_get, in_patch) in [
        ("2024-04-01", false, false),
        ("2024-10-01", false, false),
        ("2025-04-01", false, false),
        ("2025-06-01", true, true),
        ("2025-12-01", true, true),
        ("2023-08-01-preview", true, true),
        ("2024-04-01-preview", true, false),
        ("2024-10-01-preview", true, true),
    ] {
        let path = format!("{}?api-version={version}", arm.hub);
        assert_eq!(!arm.get(&path).await.at("/properties/systemDatastoresAuthMode").is_null(), in_get, "{version}");
        arm.emulator.set_mode(&arm.hub, "accesskey");
        arm.patch(&path, json!({ "properties": { "systemDatastoresAuthMode": "identity" } })).await;
        let after = arm.get(&arm.hub_path()).await.at("/properties/systemDatastoresAuthMode");
        assert_eq!(after == "identity", in_patch, "{version}");
    }
}

/// azure.md §1.2: the live service takes the mode at 2024-04-01, as the article's template and one runbook do.
#[tokio::test]
async fn a_patch_at_2024_04_01_changes_the_mode() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let path = format!("{}?api-version=2024-04-01", arm.hub);
    let reply = arm.patch(&path, json!({ "properties": { "systemDatastoresAuthMode": "identity" } })).await;
    assert_eq!((reply.status, reply.at("/properties/systemDatastoresAuthMode")), (200, "identity".into()));
}

/// azure.md §1.3: GET answers 200 or 404 ResourceNotFound with the text that names the resource.
#[tokio::test]
async fn a_missing_item_is_resource_not_found() {
    let arm = arm().await;
    let reply = arm.get(&format!("{}?api-version=2025-06-01", arm.emulator.id("rg1", WORKSPACES, "none"))).await;
    assert_eq!(reply.error(), (404, "ResourceNotFound".to_owned()));
    assert_eq!(
        reply.message(),
        "The Resource 'Microsoft.MachineLearningServices/workspaces/none' under resource group 'rg1' was not found. For \
         more details please go to https://aka.ms/ARMResourceNotFoundFix"
    );
}

/// azure.md §1.3: PUT answers 202 with Location and Retry-After, never 201; its end is 200 with the workspace.
#[tokio::test]
async fn a_put_is_202_and_ends_in_the_workspace() {
    let arm = arm().await;
    let id = arm.emulator.id("rg1", WORKSPACES, "hub2");
    let body = json!({
        "location": "eastus", "kind": "Hub", "sku": { "name": "Basic", "tier": "Basic" },
        "identity": { "type": "SystemAssigned" },
        "properties": { "friendlyName": "f", "storageAccount": arm.account, "systemDatastoresAuthMode": "identity" },
    });
    let reply = arm.put(&format!("{id}?api-version=2024-04-01"), body).await;
    assert_eq!((reply.status, reply.text.as_str()), (202, ""));
    assert!(reply.header("retry-after").is_some());
    let location = reply.header("location").expect("a Location").to_owned();
    let (path, query) =
        location.strip_prefix(arm.emulator.url()).expect("an absolute URL").split_once('?').expect("a query");
    let start = format!(
        "{}/providers/Microsoft.MachineLearningServices/locations/eastus/workspaceOperationsStatus/",
        arm.subscription
    );
    assert!(path.starts_with(&start), "{path}");
    assert!(query.contains("api-version=2024-04-01"), "{query}");
    let done = follow(&arm, reply).await;
    assert_eq!(
        (done.status, done.at("/name"), done.at("/properties/provisioningState")),
        (200, "hub2".into(), "Succeeded".into())
    );
}

/// azure.md §1.3: DELETE answers 202, then nothing; 204 when the workspace is absent.
#[tokio::test]
async fn a_delete_is_202_with_location_only_and_204_when_absent() {
    let arm = arm().await;
    let reply = arm.delete(&arm.hub_path()).await;
    assert_eq!(reply.status, 202);
    assert!(reply.header("azure-asyncoperation").is_none());
    let done = follow(&arm, reply).await;
    assert!([200, 204].contains(&done.status) && done.text.is_empty(), "{done:?}");
    assert_eq!(arm.get(&arm.hub_path()).await.status, 404);
    assert_eq!(arm.delete(&arm.hub_path()).await.status, 204);
}

/// azure.md §1.1: the item's actions.
#[tokio::test]
async fn actions_answer_as_the_spec_says() {
    let arm = arm_with(|options| options.lro = Lro::Location).await;
    let act = async |name: &str| arm.post(&format!("{}/{name}?api-version=2025-06-01", arm.hub), json!({})).await;
    let keys = act("listKeys").await;
    assert_eq!((keys.status, keys.at("/userStorageResourceId")), (200, arm.account.as_str().into()));
    for member in
        ["userStorageKey", "appInsightsInstrumentationKey", "containerRegistryCredentials", "notebookAccessKeys"]
    {
        assert!(keys.body().get(member).is_some(), "{member}");
    }
    // The types of these api-versions, and the clients that send them, have another name for it.
    for version in ["2023-08-01-preview", "2024-10-01-preview", "2025-12-01"] {
        let keys = arm.post(&format!("{}/listKeys?api-version={version}", arm.hub), json!({})).await;
        assert_eq!(keys.at("/userStorageArmId"), arm.account.as_str(), "{version}");
        assert!(keys.body().get("userStorageResourceId").is_none(), "{version}");
    }
    for action in ["listNotebookAccessToken", "listNotebookKeys", "listStorageAccountKeys"] {
        assert_eq!(act(action).await.status, 200, "{action}");
    }
    for action in ["resyncKeys", "diagnose", "prepareNotebook", "provisionManagedNetwork"] {
        let reply = act(action).await;
        assert_eq!(reply.status, 202, "{action}");
        assert_eq!(follow(&arm, reply).await.status, 200, "{action}");
    }
}

/// azure.md §1.4: pages with an absolute nextLink, $skip as the token, no $top; kind filters by a list, whatever the
/// case.
#[tokio::test]
async fn lists_are_paged_and_filtered_by_kind() {
    let arm = arm_with(|options| {
        options.page_size = 2;
        options.lro = Lro::Done;
    })
    .await;
    for n in 2..=4 {
        arm.emulator.seed_hub(&arm.emulator.id("rg1", WORKSPACES, &format!("hub{n}")), &arm.account, json!({}));
    }
    arm.emulator.seed_hub(&arm.emulator.id("rg2", WORKSPACES, "hub9"), &arm.account, json!({}));
    let id = arm.emulator.id("rg1", WORKSPACES, "prj1");
    assert_eq!(arm.put(&format!("{id}?api-version=2025-06-01"), project(&arm)).await.status, 200);

    let all = async |path: &str| {
        let (mut found, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let page = arm.get(&path).await;
            assert_eq!(page.status, 200, "{}", page.text);
            assert!(names(&page.body()).len() <= 2);
            found.extend(names(&page.body()));
            next = page.at("/nextLink").as_str().map(str::to_owned);
            assert!(
                next.as_ref().is_none_or(|next| next.starts_with("https://") && next.contains("skip=")),
                "{next:?}"
            );
        }
        found
    };
    let group = format!("{}/providers/{WORKSPACES}?api-version=2025-06-01", arm.group);
    assert_eq!(all(&group).await, ["hub1", "hub2", "hub3", "hub4", "prj1"]);
    let first = arm.get(&format!("{group}&$top=1")).await;
    assert_eq!(names(&first.body()).len(), 2, "no $top");
    assert_eq!(all(&format!("{group}&kind=PROJECT")).await, ["prj1"]);
    assert_eq!(all(&format!("{group}&kind=project,featurestore")).await, ["prj1"]);
    assert_eq!(all(&format!("{group}&kind=hub,project")).await.len(), 5);
    assert_eq!(all(&format!("{}/providers/{WORKSPACES}?api-version=2024-04-01", arm.subscription)).await.len(), 6);
}

/// azure.md §1.5: storageAccount, keyVault and hubResourceId cannot be changed.
#[tokio::test]
async fn fixed_properties_cannot_be_changed() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let other = arm.emulator.id("rg1", ACCOUNTS, "sa2");
    for method in [Method::PUT, Method::PATCH] {
        let body = json!({ "kind": "Hub", "properties": { "storageAccount": other } });
        assert_eq!(arm.send(method.clone(), &arm.hub_path(), body).await.status, 400, "{method}");
        let body = json!({ "kind": "Hub", "properties": { "storageAccount": arm.account.to_uppercase() } });
        assert_eq!(arm.send(method.clone(), &arm.hub_path(), body).await.status, 200, "{method}");
    }
}

/// azure.md §1.5: a PATCH takes what its schema has and leaves the rest alone.
#[tokio::test]
async fn a_patch_changes_only_what_it_names() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let before = arm.get(&arm.hub_path()).await.body();
    let body = json!({ "kind": "Project", "location": "moon", "tags": { "env": "demo" }, "properties": {
        "friendlyName": "n", "description": "d", "publicNetworkAccess": "Disabled", "applicationInsights": "/a",
        "containerRegistry": null, "imageBuildCompute": "c", "primaryUserAssignedIdentity": "/i",
        "managedNetwork": { "isolationMode": "AllowInternetOutbound" }, "hbiWorkspace": true,
    }});
    let after = arm.patch(&arm.hub_path(), body).await.body();
    assert_eq!((&after["kind"], &after["location"]), (&before["kind"], &before["location"]));
    assert_eq!(after["tags"], json!({ "env": "demo" }));
    for (name, value) in
        [("friendlyName", "n"), ("description", "d"), ("publicNetworkAccess", "Disabled"), ("imageBuildCompute", "c")]
    {
        assert_eq!(after["properties"][name], value);
    }
    assert_eq!(after["properties"]["managedNetwork"]["isolationMode"], "AllowInternetOutbound");
    for name in ["storageAccount", "systemDatastoresAuthMode", "hbiWorkspace", "workspaceId"] {
        assert_eq!(after["properties"][name], before["properties"][name], "{name}");
    }
}

/// azure.md §1.5: a full PUT built from GET, as azapi and the CLI send it, is taken; read-only members are ignored, an
/// identity reduced to its type keeps its ids, and booleans may be texts.
#[tokio::test]
async fn a_put_of_what_get_showed_is_taken() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let before = arm.get(&arm.hub_path()).await.body();
    let mut body = before.clone();
    body["identity"] = json!({ "type": "SystemAssigned" });
    body["properties"]["workspaceId"] = json!("changed");
    body["properties"]["provisioningState"] = json!("Failed");
    body["properties"]["hbiWorkspace"] = json!("false");
    body["properties"]["v1LegacyMode"] = json!("true");
    for deprecated in ["softDeleteEnabled", "allowRecoverSoftDeletedWorkspace", "allowRoleAssignmentOnRG"] {
        body["properties"][deprecated] = json!("false");
    }
    for (deprecated, value) in
        [("networkAcls", json!({})), ("ipAllowlist", json!([])), ("existingWorkspaces", json!([]))]
    {
        body["properties"][deprecated] = value;
    }
    let reply = arm.put(&arm.hub_path(), body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    for member in
        ["/identity/principalId", "/properties/workspaceId", "/properties/provisioningState", "/systemData/createdAt"]
    {
        assert_eq!(reply.at(member), *before.pointer(member).expect("a member"), "{member}");
    }
    assert_eq!(
        (reply.at("/properties/hbiWorkspace"), reply.at("/properties/v1LegacyMode")),
        (false.into(), true.into())
    );
}

/// azure.md §1.5: identity types with and without a space; null removes a user-assigned one; None removes all.
#[tokio::test]
async fn identities_come_and_go() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let user = arm.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", "uai1");
    let patch =
        async |identity: Value| arm.patch(&arm.hub_path(), json!({ "identity": identity })).await.at("/identity");
    let principal = arm.get(&arm.hub_path()).await.at("/identity/principalId");
    let both =
        patch(json!({ "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": { user.clone(): {} } })).await;
    assert_eq!((&both["type"], &both["principalId"]), (&json!("SystemAssigned,UserAssigned"), &principal));
    let held = &both["userAssignedIdentities"][&user];
    assert!(held["principalId"].is_string() && held["clientId"].is_string(), "{both}");
    let one =
        patch(json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": { user.clone(): null } })).await;
    assert_eq!(one["userAssignedIdentities"], json!({}));
    let only = patch(json!({ "type": "UserAssigned", "userAssignedIdentities": { user: {} } })).await;
    assert!(only.get("principalId").is_none());
    assert_eq!(patch(json!({ "type": "None" })).await["type"], "None");
    let again = patch(json!({ "type": "SystemAssigned" })).await;
    assert_ne!(again["principalId"], principal);
}

/// A seed may say which ids an identity has. A request cannot, and other workspaces show the same.
#[tokio::test]
async fn a_seeded_user_assigned_identity_has_the_ids_that_it_is_given() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let id = |name: &str| arm.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", name);
    let (given, half) = (id("given"), id("half"));
    let (principal, client) = ("dddddddd-0000-4000-8000-000000000001", "dddddddd-0000-4000-8000-000000000002");
    let seed = json!([{ "name": "hub2", "kind": "Hub", "properties": { "storageAccount": "sa1" }, "identity": {
        "type": "UserAssigned",
        "userAssignedIdentities": { &given: { "principalId": principal, "clientId": client }, &half: { "clientId": client } },
    } }]);
    arm.emulator.seed(&json!({ "workspaces": seed }).to_string());
    let hub = arm.hub_path().replace("hub1", "hub2");
    let held = arm.get(&hub).await.at("/identity/userAssignedIdentities");
    assert_eq!(held[&given], json!({ "principalId": principal, "clientId": client }));
    assert_eq!(held[&half]["clientId"], client);
    assert!(held[&half]["principalId"].is_string(), "{held}");
    let name = "0f000000-0000-4000-8000-000000000001";
    let path =
        format!("{}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01", arm.account);
    let granted = arm.put(&path, grant(principal, BLOB_CONTRIBUTOR)).await;
    assert_eq!(granted.at("/properties/principalType"), "ServicePrincipal", "it is somebody");

    let other = json!({ "principalId": client, "clientId": principal });
    let identity = json!({ "type": "UserAssigned", "userAssignedIdentities": { given.to_uppercase(): other } });
    let shown =
        arm.patch(&arm.hub_path(), json!({ "identity": identity })).await.at("/identity/userAssignedIdentities");
    assert_eq!(shown[given.to_uppercase()], held[&given]);
}

/// azure.md §1.6: any casing is taken; GET echoes it, lower-cases it or spells it as the enum does; unset and "" are
/// accesskey.
#[tokio::test]
async fn the_mode_is_echoed_as_the_switch_says() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let show = async |casing, sent: &str| {
        arm.emulator.configure(|options| options.mode_casing = casing);
        arm.patch(&arm.hub_path(), json!({ "properties": { "systemDatastoresAuthMode": sent } })).await;
        arm.get(&arm.hub_path()).await.at("/properties/systemDatastoresAuthMode")
    };
    for (casing, sent, shown) in [
        (ModeCasing::Written, "Identity", "Identity"),
        (ModeCasing::Written, "identity", "identity"),
        (ModeCasing::Written, "accessKey", "accessKey"),
        (ModeCasing::Written, "", "accesskey"),
        (ModeCasing::Lower, "Identity", "identity"),
        (ModeCasing::Canonical, "identity", "Identity"),
        (ModeCasing::Canonical, "userdelegationsas", "UserDelegationSAS"),
        (ModeCasing::Canonical, "", "AccessKey"),
    ] {
        assert_eq!(show(casing, sent).await, shown, "{casing:?} {sent:?}");
    }
}

/// azure.md §1.6, §12.1: a PUT that omits the mode keeps or resets it.
#[tokio::test]
async fn a_put_without_the_mode_keeps_or_resets_it() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    for (what, after) in [(PutWithoutMode::Keep, "identity"), (PutWithoutMode::Reset, "accesskey")] {
        arm.emulator.configure(|options| options.put_without_mode = what);
        arm.emulator.set_mode(&arm.hub, "identity");
        let reply = arm.put(&arm.hub_path(), arm.hub_body()).await;
        assert_eq!(reply.at("/properties/systemDatastoresAuthMode"), after);
        assert_eq!(reply.at("/properties/storageAccount"), arm.account.as_str());
    }
}

/// azure.md §12.4: UserDelegationSAS is taken as an Entra-based mode, or answered with a server error.
#[tokio::test]
async fn user_delegation_sas_is_taken_or_fails() {
    let arm = arm_with(|options| options.lro = Lro::Done).await;
    let body = json!({ "properties": { "systemDatastoresAuthMode": "UserDelegationSAS" } });
    assert_eq!(arm.patch(&arm.hub_path(), body.clone()).await.status, 200);
    arm.emulator.configure(|options| options.user_delegation_sas = UserDelegationSas::Error);
    assert_eq!(arm.patch(&arm.hub_path(), body).await.status, 500);
}

/// azure.md §1.6, §5.8: ids compare whatever the case, with doubled slashes; answers keep the casing of the creation,
/// or the request's, or lower case.
#[tokio::test]
async fn ids_compare_whatever_their_case() {
    let arm = arm().await;
    let odd = arm.hub.replace("resourceGroups", "resourcegroups").replace("rg1", "RG1").replace("hub1", "HUB1");
    let path = format!("/{odd}?api-version=2025-06-01");
    assert_eq!(arm.get(&path).await.at("/id"), arm.hub.as_str());
    arm.emulator.configure(|options| options.id_casing = IdCasing::Request);
    assert_eq!(arm.get(&path).await.at("/id"), odd.as_str());
    arm.emulator.configure(|options| options.id_casing = IdCasing::Lower);
    assert_eq!(arm.get(&path).await.at("/id"), arm.hub.to_lowercase().as_str());
}

/// azure.md §5.3: a write to a workspace that another operation works on is 409.
#[tokio::test]
async fn a_second_write_while_one_is_under_way_is_409() {
    let arm = arm_with(|options| options.operations = crate::azure::Operations::Explicit).await;
    let body = json!({ "properties": { "description": "d" } });
    assert_eq!(arm.patch(&arm.hub_path(), body.clone()).await.status, 202);
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/provisioningState"), "Updating");
    assert_eq!(arm.patch(&arm.hub_path(), body.clone()).await.status, 409);
    assert_eq!(arm.delete(&arm.hub_path()).await.status, 409);
    let id = arm.emulator.operation_started(&arm.hub).await;
    assert!(arm.emulator.finish_operation(&id, crate::azure::Outcome::Succeeded));
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/description"), "d");
    assert_eq!(arm.patch(&arm.hub_path(), body).await.status, 202);
}

/// Read-after-write: GET and lists show for a while what was there before.
#[tokio::test]
async fn reads_lag_behind_writes_when_told_to() {
    let arm = arm_with(|options| {
        options.lro = Lro::Done;
        options.read_delay = Duration::from_secs(10);
    })
    .await;
    arm.patch(&arm.hub_path(), json!({ "properties": { "description": "new" } })).await;
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/description"), "");
    arm.emulator.advance(Duration::from_secs(10));
    assert_eq!(arm.get(&arm.hub_path()).await.at("/properties/description"), "new");
    let id = arm.emulator.id("rg1", WORKSPACES, "hub2");
    let path = format!("{id}?api-version=2025-06-01");
    assert_eq!(arm.put(&path, arm.hub_body()).await.status, 200);
    assert_eq!(arm.get(&path).await.status, 404);
    arm.emulator.advance(Duration::from_secs(10));
    assert_eq!(arm.get(&path).await.status, 200);
}

/// The sample PATCH of azure-ai-ml (azure.md §1.7), and its mode without a value (§1.6).
#[tokio::test]
async fn the_sdks_patch_is_taken() {
    let arm = arm().await;
    let body = json!({
        "identity": { "type": "SystemAssigned" }, "tags": { "env": "demo" },
        "properties": {
            "friendlyName": "My hub", "description": "d", "publicNetworkAccess": "Enabled",
            "managedNetwork": { "isolationMode": "Disabled", "outboundRules": {} },
            "systemDatastoresAuthMode": "identity",
        },
    });
    for version in ["2023-08-01-preview", "2024-10-01-preview"] {
        let reply = arm.patch(&format!("{}?api-version={version}", arm.hub), body.clone()).await;
        let done = follow(&arm, reply).await;
        assert_eq!((done.status, done.at("/properties/systemDatastoresAuthMode")), (200, "identity".into()));
    }
}
