//! `foundryhub_storage_access`.

use std::time::Instant;

use serde_json::{Value, json};

use super::{assert_ended_after_a_second, bed, bed_with, count, each};
use crate::azure::{Action as Fault, Datastores, HubRole, Options, Rule};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};
use crate::support::{
    bed::Bed,
    core::{Diagnostics, UNKNOWN},
    ids::{ALICE, BLOB_CONTRIBUTOR_NAME, BLOB_READER_NAME, BOB, CAROL, CONTRIBUTOR_NAMES, READER_NAMES},
};

const TYPE: &str = "foundryhub_storage_access";

/// An identity of the hub.
const IDENTITY: &str = "dddddddd-0000-4000-8000-000000000004";

/// A hub on identity, whose account refuses keys and whose data Alice can work with.
async fn keyless() -> Bed {
    keyless_with(|_| {}).await
}

async fn keyless_with(change: impl FnOnce(&mut Options)) -> Bed {
    let bed = bed_with(change).await;
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.emulator.seed("role_assignments: [{ scope: sa1, principal: hub1, role: Storage Blob Data Contributor }]");
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed
}

async fn read(bed: &mut Bed, mut config: Value) -> Value {
    config["hub_id"] = json!(bed.hub);
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(diagnostics.0, []);
    data
}

/// The errors of a configuration, by default of the bed's hub.
async fn refused(bed: &mut Bed, mut config: Value) -> Diagnostics {
    config.as_object_mut().expect("an object").entry("hub_id").or_insert(json!(bed.hub));
    let (data, diagnostics) = bed.core.read_data(TYPE, config).await;
    assert_eq!(data, Value::Null);
    diagnostics
}

/// `error: principal_lacks_roles`, in order.
fn findings(data: &Value) -> Vec<String> {
    let found = data["findings"].as_array().expect("a list").iter();
    found.map(|one| format!("{}: {}", one["severity"].as_str().unwrap(), one["code"].as_str().unwrap())).collect()
}

fn verdict(data: &Value) -> (bool, bool) {
    (data["compliant"].as_bool().expect("known"), data["verified"].as_bool().expect("known"))
}

fn text<'d>(data: &'d Value, code: &str) -> &'d str {
    let found = data["findings"].as_array().expect("a list").iter().find(|one| one["code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {data:#}"))["text"].as_str().expect("a text")
}

/// The standing of a principal.
fn standing<'d>(data: &'d Value, id: &str) -> &'d Value {
    let found = data["principals"].as_array().expect("a list").iter().find(|one| one["principal_id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {data:#}"))
}

/// The hub has a user-assigned identity alone, with all roles.
fn assigned_with_roles(bed: &Bed) {
    identities(bed, &json!({ "type": "UserAssigned", "userAssignedIdentities": assigned(&[IDENTITY]) }), None);
    bed.seed_roles(IDENTITY, &CONTRIBUTOR_NAMES);
    for role in ["Contributor", "Key Vault Administrator"] {
        bed.emulator.seed_assignment(&bed.group, IDENTITY, role);
    }
}

/// The hub has a vault with these access policies.
fn in_vault(bed: &Bed, policies: &Value) {
    bed.emulator.seed(&format!("vaults: [{{ name: kv1, properties: {{ accessPolicies: {policies} }} }}]"));
    let vault = bed.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
    bed.emulator.change(&bed.hub, |hub| hub["properties"]["keyVault"] = json!(vault));
}

/// The account can be reached by this endpoint alone.
fn private(bed: &Bed, name: &str) {
    bed.emulator.seed(&format!("private_endpoints: [{{ name: {name}, storage_account: sa1, service: blob }}]"));
    bed.emulator.change(&bed.account, |account| account["properties"]["publicNetworkAccess"] = json!("Disabled"));
}

fn identities(bed: &Bed, identity: &Value, primary: Option<&str>) {
    bed.emulator.change(&bed.hub, |hub| {
        let system = hub["identity"].clone();
        hub["identity"] = identity.clone();
        if identity["type"].as_str().is_some_and(|kind| kind.contains("System")) {
            hub["identity"]["principalId"] = system["principalId"].clone();
        }
        hub["properties"]["primaryUserAssignedIdentity"] = json!(primary);
    });
}

fn assigned(ids: &[&str]) -> Value {
    let named = ids.iter().enumerate();
    named.map(|(n, id)| (format!("/subscriptions/s/u{n}"), json!({ "principalId": id, "clientId": id }))).collect()
}

#[tokio::test]
async fn a_hub_that_needs_no_keys_is_shown_with_all_who_reach_its_data() {
    let mut bed = keyless().await;
    bed.seed_roles(BOB, &READER_NAMES);
    bed.seed_roles(CAROL, &[BLOB_READER_NAME, "Contributor"]);
    let system = bed.emulator.resource(&bed.hub).unwrap()["identity"]["principalId"].clone();
    let data = read(&mut bed, json!({ "principal_ids": [ALICE.to_uppercase()] })).await;
    let principal = |id: &str, kind: &str, access: &str, roles: &[&str]| {
        json!({
            "principal_id": id, "principal_type": kind, "access": access, "roles": roles,
            "is_hub_identity": id == system, "is_required": id == ALICE.to_uppercase(),
        })
    };
    let mut principals = vec![
        principal(&ALICE.to_uppercase(), "User", "contributor", &CONTRIBUTOR_NAMES),
        principal(BOB, "User", "reader", &READER_NAMES),
        principal(CAROL, "User", "partial", &[BLOB_READER_NAME]),
        principal(system.as_str().unwrap(), "ServicePrincipal", "partial", &[BLOB_CONTRIBUTOR_NAME]),
    ];
    principals.sort_by_key(|one| one["principal_id"].as_str().unwrap().to_lowercase());
    let expected = json!({
        "hub_id": bed.hub,
        "principal_ids": [ALICE.to_uppercase()],
        "storage_account_id": bed.account,
        "system_datastores_auth_mode": "identity",
        "shared_access_key_enabled": false,
        "principals": principals,
        "findings": [],
        "compliant": true,
        "verified": true,
        "timeouts": null,
        "ignore_ids": null,
    });
    assert_eq!(data, expected);
}

/// A datastore or connection that has stored a credential, as a seed.
fn stored(what: &str, credential: &str) -> String {
    match what {
        "datastores" => format!(
            "datastores: [{{ parent: hub1, name: d1, properties: {{ datastoreType: AzureBlob, accountName: SA1, containerName: c, \
             credentials: {{ credentialsType: {credential} }} }} }}]"
        ),
        _ => format!(
            "connections: [{{ parent: hub1, name: c1, properties: {{ authType: {credential}, category: AzureBlob, \
             target: 'https://sa1.blob.core.windows.net/c', credentials: {{ key: planted }} }} }}]"
        ),
    }
}

#[tokio::test]
async fn every_situation_has_its_findings_and_its_verdict() {
    type Arrange = fn(&Bed);
    type Row = (&'static str, Arrange, &'static [&'static str], (bool, bool));
    const FINE: (bool, bool) = (true, true);
    const BROKEN: (bool, bool) = (false, true);
    const UNSEEN: (bool, bool) = (true, false);
    let rows: &[Row] = &[
        ("nothing", |_| {}, &[], FINE),
        ("keys on", |bed| bed.emulator.set_shared_key_access(&bed.account, Some(true)), &[], BROKEN),
        ("keys on by default", |bed| bed.emulator.set_shared_key_access(&bed.account, None), &[], BROKEN),
        ("hub on keys", |bed| bed.emulator.set_mode(&bed.hub, "accesskey"), &[], BROKEN),
        ("hub on signatures", |bed| bed.emulator.set_mode(&bed.hub, "UserDelegationSAS"), &[], BROKEN),
        (
            "a person without roles",
            |bed| drop_roles(bed, ALICE),
            &["error: principal_lacks_roles", "warning: nobody_holds_roles"],
            BROKEN,
        ),
        (
            "a person whose group has roles",
            |bed| {
                drop_roles(bed, ALICE);
                bed.emulator.seed(&format!("principals: [{{ id: {CAROL}, type: Group }}]"));
                bed.seed_roles(CAROL, &CONTRIBUTOR_NAMES);
            },
            &["unverified: principal_not_verifiable"],
            UNSEEN,
        ),
        (
            "the system-assigned identity without its role",
            |bed| {
                drop_roles(bed, bed.emulator.resource(&bed.hub).unwrap()["identity"]["principalId"].as_str().unwrap())
            },
            &["error: hub_identity_lacks_roles"],
            BROKEN,
        ),
        (
            "a user-assigned identity without roles",
            |bed| {
                identities(
                    bed,
                    &json!({ "type": "UserAssigned", "userAssignedIdentities": assigned(&[IDENTITY]) }),
                    None,
                )
            },
            // On the hub and on the account.
            &[
                "error: hub_identity_lacks_roles",
                "warning: assigned_identity_lacks_roles",
                "warning: assigned_identity_lacks_roles",
            ],
            BROKEN,
        ),
        (
            "two identities of which none is primary",
            |bed| {
                let both = assigned(&[IDENTITY, BOB]);
                identities(bed, &json!({ "type": "UserAssigned", "userAssignedIdentities": both }), None);
            },
            &["unverified: hub_identity_unknown"],
            UNSEEN,
        ),
        (
            "no identity",
            |bed| identities(bed, &json!({ "type": "None" }), None),
            &["error: hub_identity_unknown"],
            BROKEN,
        ),
        (
            "a primary identity beside the system-assigned one",
            |bed| {
                let identity =
                    json!({ "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": assigned(&[IDENTITY]) });
                identities(bed, &identity, Some("/subscriptions/s/u0"));
            },
            &[
                "warning: assigned_identity_lacks_roles",
                "warning: assigned_identity_lacks_roles",
                "warning: primary_identity_lacks_roles",
            ],
            FINE,
        ),
        (
            "a vault whose policies do not name the identity",
            |bed| {
                assigned_with_roles(bed);
                in_vault(bed, &json!([]));
            },
            &["warning: assigned_identity_lacks_roles"],
            FINE,
        ),
        (
            "a vault whose policies name somebody else",
            |bed| {
                assigned_with_roles(bed);
                in_vault(
                    bed,
                    &json!([{ "objectId": CAROL, "permissions": {
                    "keys": ["all"], "secrets": ["all"], "certificates": ["all"] } }]),
                );
            },
            &["unverified: assigned_identity_not_verifiable"],
            UNSEEN,
        ),
        (
            "a policy against keys",
            |bed| {
                bed.emulator.seed(
                    "policies: [deny Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true, \
                     deny Microsoft.Storage/storageAccounts location=eastus]",
                )
            },
            &["warning: policy_refuses_keys"],
            FINE,
        ),
        (
            "a private endpoint that the hub's own identity can perhaps read by what the platform gives it",
            |bed| private(bed, "pe-blob"),
            &["unverified: private_endpoint_not_verifiable"],
            UNSEEN,
        ),
        (
            "another hub on keys",
            |bed| {
                bed.another_hub("hub2");
            },
            &["error: other_workspaces_use_keys"],
            BROKEN,
        ),
        ("another hub on identity", |bed| bed.emulator.set_mode(&bed.another_hub("hub2"), "identity"), &[], FINE),
        (
            "a key",
            |bed| bed.emulator.seed(&stored("datastores", "AccountKey")),
            &["error: datastore_holds_key"],
            BROKEN,
        ),
        ("a signature", |bed| bed.emulator.seed(&stored("datastores", "Sas")), &["warning: datastore_holds_sas"], FINE),
        ("a datastore without", |bed| bed.emulator.seed(&stored("datastores", "None")), &[], FINE),
        (
            "a key of a connection",
            |bed| bed.emulator.seed(&stored("connections", "AccountKey")),
            &["error: connection_holds_key"],
            BROKEN,
        ),
        (
            "a signature of a connection",
            |bed| bed.emulator.seed(&stored("connections", "SAS")),
            &["warning: connection_holds_sas"],
            FINE,
        ),
        (
            "containers and shares",
            |bed| {
                bed.emulator.seed(
                    "containers: [{ parent: sa1, name: tfstate }, { parent: sa1, name: azure-webjobs-hosts }, \
                     { parent: sa1, name: insights-logs-x }, { parent: sa1, name: data }]\n\
                     shares: [{ parent: sa1, name: x7azscripts }, { parent: sa1, name: cs-alice-x-1 }]",
                );
            },
            &[
                "warning: cloud_shell",
                "warning: deployment_scripts",
                "warning: diagnostic_settings",
                "warning: functions",
                "warning: terraform_state",
            ],
            FINE,
        ),
        // Azure does not show whether it was restarted since the switch.
        (
            "a compute",
            |bed| {
                bed.emulator
                    .seed("computes: [{ parent: hub1, name: ci1, properties: { computeType: ComputeInstance } }]")
            },
            &[],
            FINE,
        ),
    ];
    for (row, arrange, expected, expected_verdict) in rows {
        let mut bed = keyless().await;
        arrange(&bed);
        let data = read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
        assert_eq!(findings(&data), *expected, "{row}: {data:#}");
        assert_eq!(verdict(&data), *expected_verdict, "{row}");
        for text in each(&data["findings"], "text") {
            assert_is_about_no_run(text.as_str().unwrap());
        }
    }
}

/// There is no run that changes anything, and keys may be off already.
#[track_caller]
fn assert_is_about_no_run(text: &str) {
    for word in
        ["depends_on", "pply again", "parallelism", "platform_grant_timeout", "his run", "access_check", "would"]
    {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

fn drop_roles(bed: &Bed, principal: &str) {
    for found in bed.emulator.assignments().into_iter().filter(|found| found.principal_id == principal) {
        bed.emulator.remove_assignment(&found.name);
    }
}

#[tokio::test]
async fn a_finding_says_what_it_is_about_and_what_to_do() {
    let mut bed = keyless().await;
    drop_roles(&bed, ALICE);
    let other = bed.another_hub("hub2");
    bed.emulator.seed(&stored("datastores", "AccountKey"));
    let data = read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let subjects: Vec<_> = each(&data["findings"], "subject").into_iter().map(|one| one.as_str().unwrap()).collect();
    let datastore = format!("{}/datastores/d1", bed.hub);
    assert_eq!(subjects, [&datastore, &bed.account, ALICE, &bed.account]);
    assert!(text(&data, "other_workspaces_use_keys").contains(&other));
    let lacks = text(&data, "principal_lacks_roles");
    let grant = format!("resource \"foundryhub_role_assignment\" \"NAME\" {{\n  hub_id       = \"{}\"", bed.hub);
    assert!(lacks.starts_with(&format!("{ALICE} lacks ")) && lacks.contains(&grant), "{lacks}");
    // Keys are off already.
    let holds = text(&data, "datastore_holds_key");
    assert!(holds.contains(&datastore) && holds.contains("fails with KeyBasedAuthenticationNotPermitted"), "{holds}");
}

#[tokio::test]
async fn system_datastores_that_do_not_follow_the_hub_are_an_error() {
    let mut bed = keyless_with(|options| options.datastores = Datastores::Never).await;
    let data = read(&mut bed, json!({})).await;
    assert_eq!(findings(&data), ["error: system_datastores_use_keys"]);
    assert_eq!(verdict(&data), (false, true));
    let text = text(&data, "system_datastores_use_keys");
    assert!(text.contains("workspaceblobstore") && text.contains(&bed.hub), "{text}");
    assert_is_about_no_run(text);
}

/// Before the switch the platform may not have assigned it.
#[tokio::test]
async fn a_hub_on_keys_does_not_need_the_platforms_role_yet() {
    let mut bed = bed_with(|options| options.hub_roles = vec![HubRole::None]).await;
    let data = read(&mut bed, json!({})).await;
    assert_eq!(findings(&data), ["warning: nobody_holds_roles"]);
    assert_eq!(verdict(&data), (false, true));
}

#[tokio::test]
async fn what_a_principal_may_do_is_told_from_all_that_it_holds() {
    let mut bed = keyless().await;
    let custom = "99999999-0000-4000-8000-000000000009";
    let people = ["1", "2", "3", "4"].map(|n| format!("eeeeeeee-0000-4000-8000-00000000000{n}"));
    let [custom_role, owner, below, above] = &people;
    bed.emulator.seed_assignment(&bed.account, custom_role, custom);
    bed.seed_roles(owner, &["Owner"]);
    let container = format!("{}/blobServices/default/containers/c", bed.account);
    bed.emulator.seed_assignment(&container, below, BLOB_CONTRIBUTOR_NAME);
    for role in CONTRIBUTOR_NAMES {
        bed.emulator.seed_assignment(&bed.subscription, above, role);
        bed.emulator.seed_assignment(&bed.account, above, role);
    }
    let data = read(&mut bed, json!({ "principal_ids": [custom_role, owner] })).await;
    let id = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{custom}", bed.subscription);
    for (who, access, roles) in [
        (custom_role, "not_verifiable", json!([id])),
        (owner, "none", json!([])),
        (above, "contributor", json!(CONTRIBUTOR_NAMES)),
    ] {
        let standing = standing(&data, who);
        assert_eq!((&standing["access"], &standing["roles"]), (&json!(access), &roles), "{standing}");
    }
    let all = each(&data["principals"], "principal_id");
    assert!(!all.contains(&&json!(below)), "{all:?}");

    // Who is not required and holds roles that the provider does not know is left out.
    let data = read(&mut bed, json!({})).await;
    assert!(!each(&data["principals"], "principal_id").contains(&&json!(custom_role)));
}

/// The requests that the page of the data source promises.
#[tokio::test]
async fn nine_requests_are_sent_and_two_more_for_each_project() {
    let mut bed = keyless().await;
    bed.requests();
    read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let requests = bed.requests();
    assert_eq!(requests.len(), 9, "{requests:#?}");
    assert_eq!((count(&requests, "GET hub1"), count(&requests, "GET sa1")), (1, 1));
    bed.emulator.seed(
        "workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }, \
         { name: support, kind: Project, properties: { hubResourceId: hub1 } }]",
    );
    bed.requests();
    read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let requests = bed.requests();
    assert_eq!(requests.len(), 13, "{requests:#?}");
    let asks = |request: &&String| request.starts_with("GET ") || request.starts_with("POST checkPolicyRestrictions");
    assert_eq!(requests.iter().filter(asks).count(), 13, "{requests:#?}");

    // The identity's roles are listed once, for its own scopes and for the endpoint, and the role that is not known is looked up.
    assigned_with_roles(&bed);
    drop_roles(&bed, IDENTITY);
    bed.seed_roles(IDENTITY, &CONTRIBUTOR_NAMES);
    bed.seed_roles(IDENTITY, &["Storage Account Contributor"]);
    in_vault(&bed, &json!([]));
    private(&bed, "pe-blob");
    bed.requests();
    read(&mut bed, json!({ "principal_ids": [ALICE] })).await;
    let requests = bed.requests();
    assert_eq!(requests.len(), 17, "{requests:#?}");
    assert_eq!(["GET kv1", "GET pe-blob", "GET sa1"].map(|one| count(&requests, one)), [1; 3], "{requests:#?}");
}

#[tokio::test]
async fn the_order_does_not_depend_on_pages_and_all_pages_are_read() {
    let mut bed = keyless().await;
    let (mut containers, mut stores) = (Vec::new(), Vec::new());
    for number in (0..35).rev() {
        containers.push(format!("{{ parent: sa1, name: tfstate{number:02} }}"));
        stores.push(format!(
            "{{ parent: hub1, name: d{number:02}, properties: {{ datastoreType: AzureBlob, accountName: sa1, containerName: c, \
             credentials: {{ credentialsType: AccountKey }} }} }}"
        ));
    }
    bed.emulator.seed(&format!("containers: [{}]\ndatastores: [{}]", containers.join(", "), stores.join(", ")));
    for number in 0..5 {
        bed.seed_roles(&format!("eeeeeeee-0000-4000-8000-00000000000{number}"), &READER_NAMES);
    }
    let whole = read(&mut bed, json!({})).await;
    assert_eq!((findings(&whole).len(), each(&whole["principals"], "access").len()), (70, 7));
    bed.emulator.configure(|options| options.page_size = 3);
    bed.requests();
    assert_eq!(read(&mut bed, json!({})).await, whole);
    assert!(bed.requests().len() > 20, "there were pages");
    let subjects: Vec<_> = each(&whole["findings"], "subject").into_iter().map(|one| one.as_str().unwrap()).collect();
    assert!(subjects[..35].is_sorted() && subjects[35..].is_sorted(), "{subjects:#?}");
    assert!(each(&whole["principals"], "principal_id").into_iter().map(|one| one.as_str().unwrap()).is_sorted());
}

/// Every list is left out once, and the others are read all the same.
#[tokio::test]
async fn a_list_that_may_not_be_read_is_a_finding_of_its_own() {
    for (path, code, action) in [
        ("*/storageAccounts/sa1", "account", "Microsoft.Storage/storageAccounts/read"),
        ("*/roleAssignments", "role_assignments", "Microsoft.Authorization/roleAssignments/read"),
        ("/subscriptions/*/providers/Microsoft.MachineLearningServices/workspaces", "workspaces", "workspaces/read"),
        ("*/workspaces/sales/datastores", "datastores", "workspaces/datastores/read"),
        ("*/workspaces/sales/connections", "connections", "workspaces/connections/read"),
        ("*/blobServices/default/containers", "containers", "blobServices/containers/read"),
        ("*/fileServices/default/shares", "shares", "fileServices/shares/read"),
    ] {
        let mut bed = keyless().await;
        bed.emulator.seed(
            "workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }]\n\
             containers: [{ parent: sa1, name: tfstate }]\nshares: [{ parent: sa1, name: cs-alice-x-1 }]",
        );
        bed.emulator.seed(&stored("datastores", "AccountKey"));
        bed.emulator.seed(&stored("connections", "AccountKey"));
        let all = [
            "error: connection_holds_key",
            "error: datastore_holds_key",
            "warning: cloud_shell",
            "warning: terraform_state",
        ];
        assert_eq!(findings(&read(&mut bed, json!({})).await), all);
        let denied = bed.emulator.fault(Rule::on("GET", path, Fault::Denied));
        let data = read(&mut bed, json!({})).await;
        let hidden = match code {
            "containers" => Some(all[3]),
            "shares" => Some(all[2]),
            _ => None,
        };
        let seen = all.into_iter().filter(|one| Some(*one) != hidden).map(str::to_owned);
        let code = format!("{code}_not_readable");
        let mut expected: Vec<_> = seen.chain([format!("unverified: {code}")]).collect();
        expected.sort();
        assert_eq!(findings(&data), expected);
        assert_eq!(verdict(&data), (false, false), "{code}");
        assert!(text(&data, &code).contains(action) && text(&data, &code).contains("cannot be verified"), "{data:#}");
        assert_eq!(data["shared_access_key_enabled"].is_null(), code == "account_not_readable");
        if code == "role_assignments_not_readable" {
            assert!(each(&data["principals"], "access").into_iter().all(|access| access == "not_verifiable"));
        }
        bed.emulator.release(denied);
    }
}

#[tokio::test]
async fn the_datastores_of_the_hub_tell_of_both_kinds() {
    let mut bed = keyless().await;
    bed.emulator.fault(Rule::on("GET", "*/workspaces/hub1/datastores", Fault::Denied));
    let data = read(&mut bed, json!({})).await;
    let expected = ["unverified: datastores_not_readable", "unverified: system_datastores_not_readable"];
    assert_eq!((findings(&data), verdict(&data)), (expected.map(str::to_owned).to_vec(), (true, false)));
}

#[tokio::test]
async fn an_account_that_is_gone_is_no_failure() {
    let mut bed = keyless().await;
    bed.emulator.remove(&bed.account);
    let data = read(&mut bed, json!({})).await;
    assert!(findings(&data).contains(&"unverified: account_not_readable".to_owned()), "{data:#}");
    assert_eq!((data["shared_access_key_enabled"].clone(), verdict(&data)), (Value::Null, (false, false)));
    assert!(text(&data, "account_not_readable").contains("ResourceNotFound"));
}

/// With the ids of a request every plan would show a change.
#[tokio::test]
async fn what_failed_is_told_in_the_same_words_each_time() {
    let mut bed = keyless().await;
    bed.core.configure(json!({ "max_retries": 0 }));
    bed.emulator.fault(Rule::on("GET", "*/shares", Fault::Status(503)).code("Odd"));
    let first = read(&mut bed, json!({})).await;
    assert_eq!(
        (findings(&first), verdict(&first)),
        (vec!["unverified: shares_not_readable".to_owned()], (true, false))
    );
    assert!(text(&first, "shares_not_readable").contains("Azure error code: Odd"), "{first:#}");
    assert_eq!(read(&mut bed, json!({})).await, first);
}

/// Here the emulator checks the caller's own roles.
#[tokio::test]
async fn reader_is_enough_to_see_all_of_it_and_less_shows_less() {
    let (client, object) = ("66666666-0000-0000-0000-000000000006", "77777777-0000-0000-0000-000000000007");
    let as_caller = async |on: fn(&Bed) -> &str| {
        let mut bed = keyless_with(|options| options.enforce_rbac = true).await;
        bed.emulator.seed(&format!("clients: [{{ client_id: {client}, object_id: {object}, secret: other }}]"));
        bed.emulator.seed(&stored("datastores", "AccountKey"));
        bed.emulator.seed_assignment(on(&bed), object, "Reader");
        bed.core.configure(json!({ "client_id": client, "client_secret": "other" }));
        read(&mut bed, json!({ "principal_ids": [ALICE] })).await
    };
    let data = as_caller(|bed| &bed.subscription).await;
    assert_eq!((findings(&data), verdict(&data)), (vec!["error: datastore_holds_key".to_owned()], (false, true)));

    let data = as_caller(|bed| &bed.hub).await;
    let unseen = ["account", "containers", "role_assignments", "shares", "workspaces"];
    let unseen = unseen.map(|what| format!("unverified: {what}_not_readable"));
    assert_eq!(findings(&data), [&["error: datastore_holds_key".to_owned()], &unseen[..]].concat());
    assert_eq!(verdict(&data), (false, false));
    assert_eq!(standing(&data, ALICE)["access"], "not_verifiable");
}

#[tokio::test]
async fn a_workspace_without_a_hub_is_read_and_others_are_refused() {
    let mut bed = keyless().await;
    bed.emulator.change(&bed.hub, |hub| hub["kind"] = json!("default"));
    assert_eq!(verdict(&read(&mut bed, json!({})).await), (true, true));
    bed.emulator.change(&bed.hub, |hub| hub["kind"] = json!("FeatureStore"));
    let found = refused(&mut bed, json!({})).await;
    assert!(found.error("Not a hub").detail.contains("is a feature store"), "{found}");
    bed.emulator.change(&bed.hub, |hub| hub["kind"] = json!("Hub"));
    bed.emulator.seed("workspaces: [{ name: sales, kind: Project, properties: { hubResourceId: hub1 } }]");
    let project = bed.emulator.id("rg1", WORKSPACES, "sales");
    let found = refused(&mut bed, json!({ "hub_id": project })).await;
    let error = found.error("Not a hub");
    assert!(
        error.detail.contains(&format!("Set hub_id to its hub:\n{}", bed.hub)) && error.path == "hub_id",
        "{error}"
    );
}

#[tokio::test]
async fn a_hub_that_is_not_there_or_may_not_be_read_is_an_error() {
    let mut bed = keyless().await;
    let missing = bed.emulator.id("rg1", WORKSPACES, "nowhere");
    let found = refused(&mut bed, json!({ "hub_id": missing })).await;
    assert_eq!(found.error("The hub does not exist").path, "hub_id");
    bed.emulator.fault(Rule::on("GET", &bed.hub, Fault::Denied));
    let found = refused(&mut bed, json!({})).await;
    assert!(found.error("Cannot read the hub").detail.contains("workspaces/read"), "{found}");
}

#[tokio::test]
async fn a_wrong_argument_or_an_unknown_provider_sends_nothing() {
    let mut bed = bed().await;
    let account = bed.emulator.id("rg1", ACCOUNTS, "sa1");
    for (config, path) in [
        (json!({ "hub_id": account }), "hub_id"),
        (json!({ "hub_id": bed.hub, "principal_ids": ["alice"] }), "principal_ids"),
        (json!({ "hub_id": bed.hub, "timeouts": { "read": "soon" } }), "timeouts.read"),
    ] {
        let found = refused(&mut bed, config).await;
        assert!(found.0.iter().any(|one| one.is_error && one.path.starts_with(path)), "{path}: {found}");
    }
    bed.core.configure(json!({ "client_id": UNKNOWN }));
    refused(&mut bed, json!({})).await.error("The provider is not configured yet");
    assert_eq!(bed.requests(), [""; 0]);
}

#[tokio::test]
async fn the_roles_of_an_identity_and_its_vault_are_read_while_the_account_is_not_there_yet() {
    let mut bed = keyless().await;
    assigned_with_roles(&bed);
    in_vault(&bed, &json!([]));
    bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Hold));
    let arm = bed.arm.clone();
    bed.core.interrupt_when(async move {
        let lists_roles = |value: &str| value.starts_with("assignedTo");
        arm.emulator.request_seen(|one| one.query.iter().any(|(_, value)| lists_roles(value))).await;
        arm.emulator.request_seen(|one| one.path.ends_with("/vaults/kv1")).await;
    });
    let stopped = refused(&mut bed, json!({ "timeouts": { "read": "20s" } })).await;
    assert!(
        stopped.error("The access to the hub's storage was not read").detail.contains("cancelled while"),
        "{stopped}"
    );
}

#[tokio::test]
async fn the_deadline_and_an_interruption_end_the_read() {
    for (held, summary) in [
        ("*/workspaces/hub1", "Cannot read the hub"),
        ("*/roleAssignments", "The access to the hub's storage was not read"),
        ("*/shares", "The access to the hub's storage was not read"),
    ] {
        let mut bed = keyless().await;
        bed.emulator.fault(Rule::on("GET", held, Fault::Hold));
        let began = Instant::now();
        let late = refused(&mut bed, json!({ "timeouts": { "read": "1s" } })).await;
        assert_ended_after_a_second(began, &late.error(summary).detail);

        bed.emulator.clear_requests();
        let (arm, last) = (bed.arm.clone(), held.rsplit('/').next().unwrap().to_owned());
        bed.core.interrupt_when(async move {
            arm.emulator.request_seen(|request| request.path.ends_with(&last)).await;
        });
        let stopped = refused(&mut bed, json!({})).await;
        assert!(stopped.error(summary).detail.contains("cancelled while"), "{stopped}");
    }
}
