//! What else needs the account's keys: datastores, connections, computes, containers and file shares.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Bed, TYPE, bed, bed_with};
use crate::storage_auth::UNTOUCHED;
use crate::{
    azure::{Action as Fault, HubList, Rule},
    emulator::client::WORKSPACES,
    support::core::{Diagnostics, Plan, resource},
    support::ids::{ALICE, CONTRIBUTOR_NAMES},
    support::key_users::{
        COMPUTES, CONNECTIONS_WITH_KEY, DATASTORES_WITH_KEY, DATASTORES_WITH_SAS, KEY_USERS, PLANTED, TERRAFORM_STATE,
    },
};

const VERSION: &str = "api-version=2024-10-01";

/// A hub with two projects, three datastores, a connection, a compute and a container with state of Terraform; Alice has access.
async fn busy_bed() -> Bed {
    let bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(KEY_USERS);
    bed
}

/// Summaries and details of the warnings about what needs keys, in order.
fn key_users(diagnostics: &Diagnostics) -> Vec<(&str, &str)> {
    let found = diagnostics.0.iter().filter(|one| !one.is_error);
    found.map(|one| (one.summary.as_str(), one.detail.as_str())).collect()
}

fn summaries(plan: &Plan) -> Vec<&str> {
    key_users(&plan.diagnostics).into_iter().map(|(summary, _)| summary).collect()
}

#[tokio::test]
async fn a_plan_names_all_that_needs_keys_until_it_is_mended() {
    let mut bed = busy_bed().await;
    let mut config = bed.checked("enforce");
    let planned = bed.plan(&config).await.ok();
    assert_eq!(
        summaries(&planned),
        [DATASTORES_WITH_KEY, DATASTORES_WITH_SAS, CONNECTIONS_WITH_KEY, COMPUTES, TERRAFORM_STATE]
    );
    let detail = |summary| planned.warning(summary).detail.clone();
    let stores = detail(DATASTORES_WITH_KEY);
    assert!(
        stores.contains("/workspaces/hub1/datastores/shared signs in to the account sa1 with an account key"),
        "{stores}"
    );
    assert!(
        stores.contains("/workspaces/support/datastores/tickets ") && stores.contains("without credentials"),
        "{stores}"
    );
    assert!(detail(DATASTORES_WITH_SAS).contains("/workspaces/sales/datastores/orders "));
    assert!(detail(CONNECTIONS_WITH_KEY).contains("/workspaces/support/connections/archive "));
    assert!(detail(COMPUTES).contains("/workspaces/hub1/computes/ci1 ") && detail(COMPUTES).contains("Restart it"));
    let backend =
        "use_azuread_auth     = true\n    storage_account_name = \"sa1\"\n    container_name       = \"tfstate\"";
    assert!(detail(TERRAFORM_STATE).contains(backend), "{}", detail(TERRAFORM_STATE));
    assert!(detail(TERRAFORM_STATE).ends_with("if access_check_stop_on has \"terraform_state\"."));
    assert!(!planned.diagnostics.to_string().contains(PLANTED));

    let [sales, support] = ["sales", "support"].map(|name| bed.emulator.id("rg1", WORKSPACES, name));
    let store = |kind: &str, place: &str| {
        json!({ "properties": {
            "datastoreType": kind, "accountName": "sa1", place: "x", "credentials": { "credentialsType": "None" },
        } })
    };
    let mends = [
        (format!("{sales}/datastores/orders?{VERSION}"), store("AzureDataLakeGen2", "filesystem"), DATASTORES_WITH_SAS),
        (format!("{}/datastores/shared?{VERSION}", bed.hub), store("AzureBlob", "containerName"), ""),
        (format!("{support}/datastores/tickets?{VERSION}"), store("AzureFile", "fileShareName"), DATASTORES_WITH_KEY),
        (
            format!("{support}/connections/archive?{VERSION}"),
            json!({ "properties": { "authType": "AAD", "category": "AzureBlob", "target": "https://sa1.blob.core.windows.net" } }),
            CONNECTIONS_WITH_KEY,
        ),
    ];
    let mut left = vec![DATASTORES_WITH_KEY, DATASTORES_WITH_SAS, CONNECTIONS_WITH_KEY, COMPUTES, TERRAFORM_STATE];
    for (path, body, gone) in mends {
        let put = bed.arm.put(&path, body).await;
        assert!([200, 201].contains(&put.status), "{}", put.text);
        left.retain(|summary| *summary != gone);
        let planned = bed.plan(&config).await.ok();
        assert_eq!(summaries(&planned), left, "after {path}");
    }
    // The backend signs in with Microsoft Entra now, and the container keeps its name.
    let container = format!("{}/blobServices/default/containers/TFSTATE", bed.account);
    assert!(detail(TERRAFORM_STATE).contains("list its id in access_check_ignore_ids"));
    config["access_check_ignore_ids"] = json!([container]);
    assert_eq!(summaries(&bed.plan(&config).await.ok()), [COMPUTES]);
    let planned = bed.plan(&config).await.ok();
    let report = bed.core.apply_saved(planned).await.ok();
    let in_apply = report.diagnostics.0.iter().filter(|one| one.from.starts_with("ApplyResourceChange")).count();
    assert_eq!(in_apply, 0, "{}", report.diagnostics);
    assert_eq!(bed.keys(), Some(false));
    bed.plan(&config).await.ok().assert_empty();
}

#[tokio::test]
async fn what_is_named_in_access_check_stop_on_stops_enforce_with_nothing_touched() {
    for (code, summary) in [
        ("datastore_holds_key", DATASTORES_WITH_KEY),
        ("datastore_holds_sas", DATASTORES_WITH_SAS),
        ("connection_holds_key", CONNECTIONS_WITH_KEY),
        ("TERRAFORM_STATE", TERRAFORM_STATE),
        ("compute_mounts_with_key", COMPUTES),
    ] {
        let mut bed = busy_bed().await;
        let mut config = bed.checked("enforce");
        config["access_check_stop_on"] = json!([code]);
        let planned = bed.plan(&config).await.ok();
        assert!(planned.warning(summary).detail.contains("the apply will stop"), "{code}");
        bed.emulator.clear_requests();
        let report = bed.core.apply_saved(planned).await.failed();
        assert!(report.error(summary).detail.contains("nothing more is changed"), "{code}: {}", report.diagnostics);
        assert_eq!(bed.writes(), [""; 0], "{code}");
        // Without enforce it warns.
        config["access_check"] = json!("warn");
        bed.apply(&config).await.ok().warning(summary);
        assert_eq!(bed.keys(), Some(false), "{code}");
    }
}

#[tokio::test]
async fn enforce_passes_what_it_is_not_told_to_stop_on_and_warns() {
    let mut bed = busy_bed().await;
    let report = bed.apply(&bed.checked("enforce")).await.ok();
    let said: Vec<_> = key_users(&report.diagnostics).into_iter().map(|(summary, _)| summary).collect();
    // The plan has named the compute, and what is the account's.
    let again = [DATASTORES_WITH_KEY, DATASTORES_WITH_SAS, CONNECTIONS_WITH_KEY];
    assert_eq!(
        said,
        [&[DATASTORES_WITH_KEY, DATASTORES_WITH_SAS, CONNECTIONS_WITH_KEY, COMPUTES, TERRAFORM_STATE], &again[..]]
            .concat()
    );
    assert_eq!(bed.keys(), Some(false));
}

/// Every code that a plan says will stop an apply does.
#[tokio::test]
async fn whatever_is_named_in_access_check_stop_on_stops_in_a_change_of_the_mode_too() {
    let mut bed = bed().await;
    let config = json!({
        "hub_id": bed.hub, "access_check": "enforce", "access_check_stop_on": ["nobody_holds_roles"],
    });
    let planned = bed.plan(&config).await.ok();
    assert!(planned.warning("Nobody has roles").detail.contains("the apply will stop"));
    bed.core.apply_saved(planned).await.failed().error("Nobody has roles");
    assert_eq!(bed.settings(), UNTOUCHED);
    bed.emulator.fault(Rule::on("GET", "*/computes", Fault::Denied));
    let mut config = bed.checked("enforce");
    config["access_check_principal_ids"] = json!([]);
    config["access_check_stop_on"] = json!(["computes_not_readable"]);
    let report = bed.apply(&config).await.failed();
    assert!(report.error("Access cannot be verified").detail.contains("computes/read"), "{}", report.diagnostics);
    assert_eq!(bed.keys(), None);
}

/// Keys are the account's, so that whoever disables them takes them from all its hubs, whose own objects may change their modes
/// alone.
#[tokio::test]
async fn what_other_hubs_of_the_account_and_their_projects_have_is_found_too() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.set_mode(&bed.another_hub("hub2"), "Identity");
    bed.emulator.seed(
        "workspaces:
  - { name: theirs, resource_group: rg2, kind: Project, properties: { hubResourceId: hub2 } }
  - { name: classic, kind: Default, properties: { storageAccount: sa1, systemDatastoresAuthMode: identity } }
datastores:
  - { parent: hub2, name: d2, properties: { datastoreType: AzureBlob, accountName: sa1, containerName: x, credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } } } }
  - { parent: classic, name: d3, properties: { datastoreType: AzureBlob, accountName: sa1, containerName: x, credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } } } }
connections:
  - { parent: theirs, name: c1, properties: { authType: AccountKey, category: AzureBlob, target: 'https://sa1.blob.core.windows.net/x', credentials: { key: planted } } }
computes: [{ parent: hub2, name: cluster, properties: { computeType: AmlCompute } }]",
    );
    let mut config = bed.checked("enforce");
    let planned = bed.plan(&config).await.ok();
    let stores = &planned.warning(DATASTORES_WITH_KEY).detail;
    assert!(stores.contains("/hub2/datastores/d2 ") && stores.contains("/classic/datastores/d3 "), "{stores}");
    assert!(planned.warning(CONNECTIONS_WITH_KEY).detail.contains("/resourceGroups/rg2/"), "{}", planned.diagnostics);
    assert!(planned.warning(COMPUTES).detail.contains("scale down to no nodes"));
    config["access_check_stop_on"] = json!(["datastore_holds_key"]);
    bed.apply(&config).await.failed().error(DATASTORES_WITH_KEY);
    assert_eq!(bed.keys(), None);
}

/// What is about the account is no matter of one hub.
#[tokio::test]
async fn what_is_about_the_account_is_said_once_for_all_its_hubs() {
    let mut bed = busy_bed().await;
    let mut other = bed.checked("enforce");
    other["hub_id"] = json!(bed.another_hub("hub2"));
    bed.emulator.seed("datastores:
  - parent: hub2
    name: second
    properties: { datastoreType: AzureBlob, accountName: sa1, containerName: x, credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } } }");
    let both = vec![resource(TYPE, "a", bed.checked("enforce")), resource(TYPE, "b", other.clone())];
    let planned = bed.core.plan_all(both).await.ok();
    let count = |summary| summaries(&planned).into_iter().filter(|said| *said == summary).count();
    assert_eq!((count(TERRAFORM_STATE), count(DATASTORES_WITH_KEY)), (1, 2), "{}", planned.diagnostics);
    // Each that must stop is told why.
    let mut first = bed.checked("enforce");
    for config in [&mut first, &mut other] {
        config["access_check_stop_on"] = json!(["terraform_state"]);
    }
    let report = bed.core.apply_all(vec![resource(TYPE, "a", first), resource(TYPE, "b", other)]).await.failed();
    let errors = report.diagnostics.0.iter().filter(|one| one.is_error && one.summary == TERRAFORM_STATE).count();
    assert_eq!(errors, 2, "{}", report.diagnostics);
}

/// A creation that switches a hub whose account refuses keys already takes none from anybody.
#[tokio::test]
async fn keys_that_are_disabled_already_are_taken_from_nobody() {
    let mut bed = busy_bed().await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    assert_eq!(summaries(&planned), ["Nothing to restore on destroy"], "{}", planned.diagnostics);
    assert!(!bed.requests().iter().any(|request| request.ends_with("connections")));
    bed.core.apply_saved(planned).await.ok();
}

#[tokio::test]
async fn nothing_is_asked_unless_keys_go_off() {
    let mut bed = busy_bed().await;
    let config = json!({ "hub_id": bed.hub });
    bed.apply(&config).await.ok();
    let asked = ["connections", "computes", "containers", "shares"];
    let requests = bed.requests();
    assert!(!requests.iter().any(|request| asked.iter().any(|kind| request.ends_with(kind))), "{requests:?}");
    bed.apply(&bed.keyless()).await.ok();
    let requests = bed.requests();
    assert!(!requests.iter().any(|request| asked.iter().any(|kind| request.ends_with(kind))), "{requests:?}");
    // Keys are off already.
    bed.plan(&bed.checked("warn")).await.ok();
    let requests = bed.requests();
    assert!(!requests.iter().any(|request| asked.iter().any(|kind| request.ends_with(kind))), "{requests:?}");
}

#[tokio::test]
async fn what_needs_no_keys_of_this_account_is_not_named() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(
        "storage_accounts: [{ name: sa2 }]
datastores:
  - { parent: hub1, name: other, properties: { datastoreType: AzureBlob, accountName: sa2, containerName: x, credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } } } }
  - { parent: hub1, name: entra, properties: { datastoreType: AzureBlob, accountName: sa1, containerName: x, credentials: { credentialsType: None } } }
connections:
  - { parent: hub1, name: c1, properties: { authType: AccountKey, category: AzureBlob, target: 'https://sa2.blob.core.windows.net/x', credentials: { key: planted } } }
  - { parent: hub1, name: c2, properties: { authType: AAD, category: AzureBlob, target: 'https://sa1.blob.core.windows.net/x' } }
  - { parent: hub1, name: c4, properties: { authType: AccountKey, category: CosmosDb, target: 'https://sa1.documents.azure.com', metadata: { accountName: sa1 }, credentials: { key: planted } } }
  - { parent: hub1, name: c3, properties: { authType: ApiKey, category: AzureOpenAI, target: 'https://sa1.openai.azure.com', credentials: { key: planted } } }
computes:
  - { parent: hub1, name: k8s, properties: { computeType: Kubernetes } }
containers: [{ parent: sa1, name: data }]
shares:
  - { parent: sa1, name: cs-nfs, properties: { enabledProtocols: NFS } }
  - { parent: sa1, name: files }",
    );
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    assert_eq!(summaries(&planned), [""; 0], "{}", planned.diagnostics);
}

#[tokio::test]
async fn the_makers_of_containers_and_shares_are_told_by_their_names() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(
        "containers:
  - { parent: sa1, name: azure-webjobs-hosts }
  - { parent: sa1, name: insights-logs-auditevent }
  - { parent: sa1, name: abcazscripts }
shares:
  - { parent: sa1, name: abcazscripts }
  - { parent: sa1, name: cs-alice-contoso-com-1003200 }",
    );
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let serves = |what: &str| planned.warning(&format!("The account may serve {what}")).detail.clone();
    assert!(
        serves("Azure Functions").contains("/containers/azure-webjobs-hosts ")
            && serves("Azure Functions").contains("__accountName")
    );
    let scripts = serves("deployment scripts");
    assert!(scripts.contains("/containers/abcazscripts ") && scripts.contains("/shares/abcazscripts "), "{scripts}");
    assert!(serves("Cloud Shell").contains("/shares/cs-alice-contoso-com-1003200 "));
    assert!(
        planned
            .warning("The account receives logs or metrics")
            .detail
            .contains("/containers/insights-logs-auditevent ")
    );
}

#[tokio::test]
async fn a_projects_own_datastore_is_named_beside_one_of_its_hub_that_has_another_credential() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(
        "workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }]
datastores:
  - { parent: hub1, name: d1, properties: { datastoreType: AzureBlob, accountName: sa1, containerName: x, credentials: { credentialsType: Sas, secrets: { secretsType: Sas, sasToken: planted } } } }
  - { parent: sales, name: d1, properties: { datastoreType: AzureBlob, accountName: sa1, containerName: x, credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } } } }",
    );
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    assert!(planned.warning(DATASTORES_WITH_SAS).detail.contains("/hub1/datastores/d1 "));
    assert!(planned.warning(DATASTORES_WITH_KEY).detail.contains("/sales/datastores/d1 "), "{}", planned.diagnostics);
}

/// A project's lists may repeat what is its hub's.
#[tokio::test]
async fn what_a_project_repeats_of_its_hub_is_named_once() {
    let lists = vec![HubList::Datastores, HubList::Connections, HubList::Computes];
    let mut bed = bed_with(|options| options.project_lists = lists).await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(
        "workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }]
datastores:
  - { parent: hub1, name: d1, properties: { datastoreType: AzureBlob, accountName: sa1, containerName: x, credentials: { credentialsType: AccountKey, secrets: { secretsType: AccountKey, key: planted } } } }
connections:
  - { parent: hub1, name: c1, properties: { authType: AccountKey, category: AzureBlob, target: 'https://sa1.blob.core.windows.net/x', isSharedToAll: true, credentials: { key: planted } } }
computes: [{ parent: hub1, name: ci1, properties: { computeType: ComputeInstance } }]",
    );
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    for (summary, id) in [
        (DATASTORES_WITH_KEY, "/datastores/d1 "),
        (CONNECTIONS_WITH_KEY, "/connections/c1 "),
        (COMPUTES, "/computes/ci1 "),
    ] {
        let detail = &planned.warning(summary).detail;
        assert_eq!(detail.matches(id).count(), 1, "{detail}");
    }
}

#[tokio::test]
async fn a_list_that_may_not_be_read_is_never_a_failure() {
    for (path, action, scope) in [
        ("*/workspaces/sales/datastores", "workspaces/datastores/read", "/workspaces/sales"),
        ("*/connections", "workspaces/connections/read", "/workspaces/hub1"),
        ("*/computes", "workspaces/computes/read", "/workspaces/hub1"),
        ("*/containers", "blobServices/containers/read", "/storageAccounts/sa1"),
        ("*/shares", "fileServices/shares/read", "/storageAccounts/sa1"),
    ] {
        let mut bed = busy_bed().await;
        bed.fault(Rule::on("GET", path, Fault::Denied));
        let config = bed.checked("enforce");
        let planned = bed.plan(&config).await.ok();
        let detail = &planned.warning("Access cannot be verified").detail;
        assert!(detail.contains(action) && detail.contains(scope), "{path}: {detail}");
        bed.core.apply_saved(planned).await.ok();
        assert_eq!(bed.keys(), Some(false), "{path}");
    }
}

/// Accounts of some kinds have no blobs, others no files.
#[tokio::test]
async fn an_account_without_the_service_has_nothing_there() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.fault(Rule::on("GET", "*/shares", Fault::Status(400)).code("FeatureNotSupportedForAccount"));
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!(bed.keys(), Some(false));
}

#[tokio::test]
async fn access_check_stop_on_is_refused_or_warned_of_where_it_says_nothing() {
    let mut bed = bed().await;
    let mut config = bed.checked("enforce");
    config["access_check_stop_on"] = json!(["terraform_states"]);
    let found = bed.core.validate(TYPE, "a", config.clone()).await;
    let error = found.error("Invalid value");
    assert!(error.detail.contains("terraform_state"), "{error}");
    config["access_check_stop_on"] = json!(["terraform_state"]);
    assert!(bed.core.validate(TYPE, "a", config.clone()).await.0.is_empty());
    for check in [json!("warn"), json!("off"), Value::Null] {
        config["access_check"] = check;
        bed.core.validate(TYPE, "a", config.clone()).await.warning("access_check_stop_on has no effect");
    }
}

#[tokio::test]
async fn the_guide_has_all_codes_of_findings() {
    let mut bed = bed().await;
    let mut config = bed.checked("enforce");
    config["access_check_stop_on"] = json!(["?"]);
    let found = bed.core.validate(TYPE, "a", config).await;
    let detail = found.error("Invalid value").detail.trim_end_matches('.');
    let (_, codes) = detail.split_once("one of ").expect("a list");
    let guide = include_str!("../../../../docs/guides/before-keys-go-off.md");
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.collect::<BTreeSet<_>>(), codes.split(", ").collect());
}
