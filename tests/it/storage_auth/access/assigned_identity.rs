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

/// Which lists of an identity's roles and which vaults were read since the last look.
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
    asked.collect()
}

#[tokio::test]
async fn each_scope_where_it_lacks_roles_is_named_with_what_assigns_them() {
    let mut bed = identity_bed().await;
    let config = bed.checked("enforce");
    let planned = bed.plan(&config).await.ok();
    let list = format!("assignedTo('{IDENTITY}')");
    assert_eq!(asked(&bed), [list.as_str(), "vault"]);
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
    assert_eq!(asked(&bed), [list.as_str(), "vault", list.as_str(), "vault"]);
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn roles_above_and_of_groups_count_and_then_no_vault_is_read() {
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
            let list = format!("assignedTo('{IDENTITY}')");
            assert_eq!(asked(&bed), [list.as_str(); 3], "{holder} {role}");
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
    for (policies, lacking) in [
        (all(Value::Null, json!(["All"])), None),
        (all(Value::Null, json!(["get", "list"])), Some("keys: update, create")),
        (all(json!("eeeeeeee-0000-0000-0000-000000000005"), json!(["all"])), Some("secrets: get, list")),
        (json!([]), Some("certificates: get, list")),
        (Value::Null, Some("keys: get, list")),
    ] {
        let mut bed = identity_bed().await;
        bed.emulator.seed_assignment(&bed.group, IDENTITY, "Contributor");
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
    let list = format!("assignedTo('{IDENTITY}')");
    assert_eq!(asked(&bed), [list.as_str(), "vault"].repeat(3));
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
