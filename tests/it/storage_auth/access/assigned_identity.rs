//! What a user-assigned identity of the hub lacks beyond the data of the account (azure.md §13.9).

use serde_json::{Value, json};

use super::{Bed, bed};
use crate::{
    azure::{Action as Fault, Rule},
    storage_auth::{ALICE, KEYLESS, UNTOUCHED},
    support::ids::CONTRIBUTOR_NAMES,
};

const IDENTITY: &str = "dddddddd-0000-0000-0000-000000000004";
const TEAM: &str = "cccccccc-0000-0000-0000-000000000003";

const LACKS: &str = "The hub's user-assigned identity lacks roles";
const NOT_VERIFIED: &str = "Access cannot be verified";
const ADMINISTRATOR: &str = "Key Vault Administrator";

/// The hub has a user-assigned identity alone, which holds the pair on the account, and every resource that hubs use.
async fn identity_bed() -> Bed {
    let bed = bed().await;
    for principal in [ALICE, IDENTITY] {
        bed.seed_roles(principal, &CONTRIBUTOR_NAMES);
    }
    let attached = attached(&bed);
    bed.emulator.change(&bed.hub, |document| {
        document["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": {
            "/subscriptions/s/u1": { "principalId": IDENTITY, "clientId": IDENTITY },
        }});
        for (name, id) in ["keyVault", "containerRegistry", "applicationInsights"].iter().zip(&attached) {
            document["properties"][*name] = json!(id);
        }
    });
    bed.emulator.seed("vaults: [{ name: kv1, properties: { enableRbacAuthorization: true } }]");
    bed.emulator.clear_requests();
    bed
}

/// Vault, registry and insights.
fn attached(bed: &Bed) -> [String; 3] {
    [
        ("Microsoft.Keyvault/vaults", "kv1"),
        ("Microsoft.ContainerRegistry/registries", "cr1"),
        ("Microsoft.insights/components", "ai1"),
    ]
    .map(|(kind, name)| bed.emulator.id("rg1", kind, name))
}

/// Which lists of an identity's roles and which vaults were read since the last look, sorted.
fn asked(bed: &Bed) -> Vec<String> {
    let records = bed.emulator.arm_requests();
    bed.emulator.clear_requests();
    let of_roles = |query: &[(String, String)]| {
        query.iter().find(|(_, value)| value.starts_with("assignedTo")).map(|(_, filter)| filter.clone())
    };
    let asked = records.iter().filter_map(|record| match of_roles(&record.query) {
        Some(filter) => Some(filter),
        None => record.path.contains("/vaults/").then(|| "vault".to_owned()),
    });
    let mut asked: Vec<String> = asked.collect();
    asked.sort();
    asked
}

/// What was asked this many times, in the order of [`asked`].
fn times(count: usize) -> Vec<String> {
    let list = format!("assignedTo('{IDENTITY}')");
    [vec![list; count], vec!["vault".to_owned(); count]].concat()
}

#[tokio::test]
async fn each_scope_where_it_lacks_roles_is_named_with_what_assigns_them() {
    let mut bed = identity_bed().await;
    let config = bed.checked("enforce");
    let planned = bed.plan(&config).await.ok();
    assert_eq!(asked(&bed), times(1));
    let [vault, registry, insights] = attached(&bed);
    let lacks: Vec<_> = planned.diagnostics.0.iter().filter(|one| one.summary == LACKS).collect();
    assert_eq!(lacks.len(), 5, "{}", planned.diagnostics);
    for scope in [&bed.hub, &bed.account, &vault, &registry, &insights] {
        let warning = lacks.iter().find(|one| one.detail.contains(&format!("scope                = {scope:?}")));
        let detail = &warning.unwrap_or_else(|| panic!("nothing on {scope}: {}", planned.diagnostics)).detail;
        assert!(detail.contains(&format!("{IDENTITY} lacks \"Contributor\"")), "{detail}");
        assert!(detail.contains(&format!("principal_id         = {IDENTITY:?}")), "{detail}");
        assert!(!detail.contains("the apply will stop"), "{detail}");
        let roles = match scope == &vault {
            true => "for_each             = toset([\"Contributor\", \"Key Vault Administrator\"])",
            false => "role_definition_name = \"Contributor\"",
        };
        assert!(detail.contains(roles), "{detail}");
    }
    // They are no reason to stop.
    let report = bed.core.apply_saved(planned).await.ok();
    // An apply plans again first.
    assert_eq!(report.diagnostics.0.iter().filter(|one| one.summary == LACKS).count(), 10);
    assert_eq!(asked(&bed), times(2));
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn roles_above_and_of_groups_count_and_the_vault_tells_whether_they_do() {
    for holder in [IDENTITY, TEAM] {
        for role in ["Contributor", "Owner"] {
            let mut bed = identity_bed().await;
            bed.emulator.seed(&format!(
                "principals:
  - {{ id: {TEAM}, type: Group }}
  - {{ id: {IDENTITY}, type: ServicePrincipal, member_of: [{TEAM}] }}"
            ));
            bed.emulator.seed_assignment(&bed.group, holder, role);
            bed.emulator.seed_assignment(&bed.group, holder, ADMINISTRATOR);
            bed.apply(&bed.checked("enforce")).await.quiet();
            assert_eq!(bed.keys(), Some(false), "{holder} {role}");
            assert_eq!(asked(&bed), times(3), "{holder} {role}");
        }
    }
}

#[tokio::test]
async fn custom_roles_conditions_and_what_the_platform_gives_others_cannot_be_verified() {
    let custom = "99999999-0000-0000-0000-000000000009";
    for (role, condition, says) in [
        (custom, Value::Null, "may be a custom one"),
        ("b78c5d69-af96-48a3-bf8d-a8b4d589de94", Value::Null, "it holds \"Azure AI Administrator\""),
        ("b24988ac-6180-42a0-ab88-20f7382dd24c", json!("@Resource[x] StringEquals 'y'"), "has a condition"),
    ] {
        let mut bed = identity_bed().await;
        bed.emulator.seed_assignment(&bed.group, IDENTITY, ADMINISTRATOR);
        let name = bed.emulator.seed_assignment(&bed.group, IDENTITY, role);
        if !condition.is_null() {
            let path = format!(
                "{}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01",
                bed.group
            );
            let body = json!({ "properties": {
                "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
                "principalId": IDENTITY, "principalType": "ServicePrincipal", "condition": condition, "conditionVersion": "2.0",
            } });
            assert_eq!(bed.put(&path, body).await.status, 200);
        }
        let planned = bed.plan(&bed.checked("warn")).await.ok();
        let doubted: Vec<_> = planned.diagnostics.0.iter().filter(|one| one.detail.contains(says)).collect();
        assert!(doubted.iter().all(|one| one.summary == NOT_VERIFIED), "{says}: {}", planned.diagnostics);
        let has_block = |detail: &str| detail.contains("resource \"foundryhub_role_assignment\"");
        // Azure allows one assignment, with a condition or without: all that can be done is to look at the condition.
        match condition.is_null() {
            true => assert!(doubted.len() == 5 && doubted.iter().all(|one| has_block(&one.detail)), "{says}"),
            false => {
                let [all] = &doubted[..] else { panic!("{}", planned.diagnostics) };
                assert!(all.detail.contains("the condition allows") && !has_block(&all.detail), "{all}");
                assert!(all.detail.contains(&bed.hub) && all.detail.contains("/vaults/kv1"), "{all}");
            }
        }
        assert!(!planned.diagnostics.0.iter().any(|one| one.summary == LACKS), "{}", planned.diagnostics);
    }
}

#[tokio::test]
async fn a_vault_with_access_policies_needs_every_permission_but_purge() {
    let all = |application: Value, keys: Value| {
        let permissions = json!({ "keys": keys, "secrets": ["all"], "certificates": ["all"] });
        json!([{ "tenantId": "t", "objectId": IDENTITY.to_uppercase(), "applicationId": application,
            "permissions": permissions }])
    };
    let of = |object: &str, permissions: Value| json!([{ "objectId": object, "permissions": permissions }]);
    for (policies, lacking) in [
        (all(Value::Null, json!(["All"])), None),
        (all(Value::Null, json!(["get", "list"])), Some("keys: update, create")),
        (all(json!("eeeeeeee-0000-0000-0000-000000000005"), json!(["all"])), Some("secrets: get, list")),
        (json!([]), Some("certificates: get, list")),
        (of(TEAM, json!({ "keys": ["all"], "secrets": ["all"] })), Some("certificates: get, list")),
        (Value::Null, Some("keys: get, list")),
    ] {
        let mut bed = identity_bed().await;
        bed.emulator.seed_assignment(&bed.group, IDENTITY, "Contributor");
        // It counts for nothing where policies decide.
        bed.emulator.seed_assignment(&bed.group, IDENTITY, ADMINISTRATOR);
        let [vault, ..] = attached(&bed);
        bed.emulator.change(&vault, |vault| {
            vault["properties"]["enableRbacAuthorization"] = json!(false);
            vault["properties"]["accessPolicies"] = policies.clone();
        });
        let planned = bed.plan(&bed.checked("enforce")).await.ok();
        let Some(lacking) = lacking else {
            assert_eq!(planned.diagnostics.0, [], "{policies}");
            continue;
        };
        let warning = planned.warning(LACKS);
        assert!(warning.detail.contains(lacking) && warning.detail.contains("/vaults/kv1"), "{warning}");
        assert!(warning.detail.contains("all permissions but purge") && !warning.detail.contains("toset"), "{warning}");
        assert_eq!(planned.diagnostics.0.len(), 1, "{}", planned.diagnostics);
    }
}

/// A vault does not show who is a member of a group, nor that somebody is a group.
#[tokio::test]
async fn permissions_that_others_have_may_be_those_of_a_group() {
    let mut bed = identity_bed().await;
    bed.emulator.seed_assignment(&bed.group, IDENTITY, "Contributor");
    let [vault, ..] = attached(&bed);
    bed.emulator.change(&vault, |vault| {
        let all = json!({ "keys": ["all"], "secrets": ["all"], "certificates": ["all"] });
        vault["properties"]["enableRbacAuthorization"] = Value::Null;
        vault["properties"]["accessPolicies"] = json!([{ "objectId": TEAM, "permissions": all }]);
    });
    let mut config = bed.checked("enforce");
    let planned = bed.plan(&config).await.ok();
    let [doubt] = &planned.diagnostics.0[..] else { panic!("{}", planned.diagnostics) };
    assert!(doubt.summary == NOT_VERIFIED && doubt.detail.contains("keys: get, list"), "{doubt}");
    assert!(doubt.detail.contains(&format!("Whether {IDENTITY} has all permissions in {vault}")), "{doubt}");
    config["access_check_stop_on"] = json!(["assigned_identity_not_verifiable"]);
    bed.apply(&config).await.failed().error(NOT_VERIFIED);
}

/// None of Azure's other roles is a substitute for those that the vendor names.
#[tokio::test]
async fn a_built_in_role_that_the_provider_does_not_know_leaves_no_doubt() {
    let unknown = "17d1049b-9a84-46fb-8f53-869881c3d3ab";
    let looked_up = |bed: &Bed| {
        let records = bed.emulator.arm_requests();
        records.iter().filter(|record| record.path.to_lowercase().contains("/roledefinitions/")).count()
    };
    let mut bed = identity_bed().await;
    bed.emulator.seed_assignment(&bed.group, IDENTITY, unknown);
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    assert_eq!(planned.diagnostics.0.iter().filter(|one| one.summary == LACKS).count(), 5, "{}", planned.diagnostics);
    assert_eq!((planned.diagnostics.0.len(), looked_up(&bed)), (5, 1), "{}", planned.diagnostics);
    // Without the permission to look at it, it may be any role.
    bed.fault(Rule::on("GET", "*/roleDefinitions/*", Fault::Denied));
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    assert!(planned.diagnostics.0.iter().all(|one| one.summary == NOT_VERIFIED), "{}", planned.diagnostics);
    // Where nothing is missing it does not matter.
    bed.emulator.seed_assignment(&bed.group, IDENTITY, "Contributor");
    bed.emulator.seed_assignment(&bed.group, IDENTITY, ADMINISTRATOR);
    bed.emulator.clear_requests();
    bed.plan(&bed.checked("enforce")).await.report.quiet();
    assert_eq!(looked_up(&bed), 0);
}

#[tokio::test]
async fn what_may_not_be_read_is_said_with_the_permission_and_stops_nothing() {
    for (path, text, says) in [
        ("*/roleAssignments", "assignedTo", "Microsoft.Authorization/roleAssignments/read on /subscriptions/"),
        ("*/vaults/kv1", "", "the caller lacks Microsoft.Keyvault/vaults/read on /subscriptions/"),
    ] {
        let mut bed = identity_bed().await;
        bed.emulator.seed_assignment(&bed.group, IDENTITY, "Contributor");
        bed.fault(Rule::on("GET", path, Fault::Denied).containing(text));
        let report = bed.apply(&bed.checked("enforce")).await.ok();
        let warning = report.warning(NOT_VERIFIED);
        assert!(warning.detail.contains(says), "{warning}");
        let hidden = report.diagnostics.0.iter().all(|one| one.summary == NOT_VERIFIED && one.detail.contains(says));
        assert!(hidden, "{}", report.diagnostics);
        assert_eq!(bed.keys(), Some(false));
    }
}

#[tokio::test]
async fn what_the_hub_does_not_have_needs_no_roles() {
    let mut bed = identity_bed().await;
    let [vault, ..] = attached(&bed);
    bed.emulator.change(&bed.hub, |document| {
        document["properties"]["containerRegistry"] = Value::Null;
        document["properties"]["applicationInsights"] = json!("");
    });
    for scope in [&bed.hub, &bed.account] {
        bed.emulator.seed_assignment(scope, IDENTITY, "Contributor");
    }
    // A vault that is gone has no roles either.
    assert_eq!(bed.delete(&format!("{vault}?api-version=2023-07-01")).await.status, 200);
    bed.plan(&bed.checked("enforce")).await.report.quiet();
    // Where the service keeps the credentials there is no vault.
    bed.emulator.change(&bed.hub, |document| document["properties"]["keyVault"] = Value::Null);
    bed.emulator.clear_requests();
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert!(!asked(&bed).contains(&"vault".to_owned()));
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn they_are_looked_up_for_a_user_assigned_identity_alone_and_only_when_access_is_taken() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!(asked(&bed), [""; 0]);

    // A change of the mode alone takes the hub's access by key.
    let mut bed = identity_bed().await;
    let config = json!({ "hub_id": bed.hub, "access_check": "enforce", "access_check_principal_ids": [ALICE] });
    bed.apply(&config).await.ok().warning(LACKS);
    assert_eq!(asked(&bed), times(3));
    bed.plan(&config).await.ok().assert_empty();
    assert_eq!(asked(&bed), [""; 0]);
}

#[tokio::test]
async fn access_check_stop_on_makes_them_stop_enforce() {
    let mut bed = identity_bed().await;
    let mut config = bed.checked("enforce");
    config["access_check_stop_on"] = json!(["assigned_identity_lacks_roles"]);
    let planned = bed.plan(&config).await.ok();
    assert!(planned.warning(LACKS).detail.contains("the apply will stop"));
    bed.core.apply_saved(planned).await.failed().error(LACKS);
    assert_eq!(bed.settings(), UNTOUCHED);
    assert_eq!(bed.writes(), [""; 0]);
    bed.emulator.seed_assignment(&bed.group, IDENTITY, "Contributor");
    bed.emulator.seed_assignment(&bed.group, IDENTITY, ADMINISTRATOR);
    bed.apply(&config).await.quiet();
    assert_eq!(bed.settings(), KEYLESS);
}
