//! What pages say about permissions and api-versions: with these actions, or these built-in roles, and nothing else the
//! provider does what it does for somebody who may do everything, and none of them can be left out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::azure::Record;
use crate::support::{
    bed::{AUTH, Bed, HUB, ROLE},
    core::Diagnostics,
    ids::{ALICE, BOB, CONTRIBUTOR_NAMES},
    requirements::{Needed, OPERATOR, Operation, Operator, Requirements, Scope},
};

/// The user-assigned identity of the hub.
const IDENTITY: &str = "dddddddd-0000-0000-0000-000000000004";

/// The hub has a user-assigned identity and the account no public network access: the case that needs the most.
const SEED: &str = "
vaults: [{ name: kv1, properties: { enableRbacAuthorization: true } }]
custom_roles: [{ id: 99999999-0000-0000-0000-000000000009, name: Of our own, permissions: [] }]
private_endpoints: [{ name: pe1, storage_account: sa1, service: table, resource_group: network }]
principals: [{ id: dddddddd-0000-0000-0000-000000000004, type: ServicePrincipal }]
role_assignments: [{ scope: sa1, principal: aaaaaaaa-0000-4000-8000-000000000001, role: 99999999-0000-0000-0000-000000000009 }]
";

/// A bed, and who is going to do something there.
struct Place {
    bed: Bed,
    operator: Operator,
}

impl Place {
    async fn new(mode: &str) -> Self {
        let bed = Bed::new("none", |record| record.path.clone(), |_| {}).await;
        bed.emulator.seed(SEED);
        for principal in [ALICE, IDENTITY] {
            bed.seed_roles(principal, &CONTRIBUTOR_NAMES);
        }
        for role in ["Contributor", "Key Vault Administrator"] {
            bed.emulator.seed_assignment(&bed.group, IDENTITY, role);
        }
        let (identity, vault) = (identity(&bed), vault(&bed));
        bed.emulator.change(&bed.account, |account| account["properties"]["publicNetworkAccess"] = json!("Disabled"));
        bed.emulator.change(&bed.hub, |hub| {
            hub["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": {
                identity: { "principalId": IDENTITY, "clientId": IDENTITY },
            }});
            hub["properties"]["keyVault"] = json!(vault);
            hub["properties"]["systemDatastoresAuthMode"] = json!(mode);
        });
        let operator = Operator::new(&bed.emulator, &bed.hub, &bed.account);
        bed.emulator.clear_requests();
        Self { bed, operator }
    }

    /// Lets somebody who may do everything apply a resource.
    async fn applied(&mut self, type_name: &str, config: Value) {
        self.bed.core.configure(json!({}));
        self.bed.core.apply(type_name, "a", config).await.ok();
        self.bed.core.configure(Operator::configuration());
    }
}

fn identity(bed: &Bed) -> String {
    bed.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", "u1")
}

fn vault(bed: &Bed) -> String {
    bed.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1")
}

/// Plans, applies or destroys a resource, whose configuration changes once.
async fn live(place: &mut Place, operation: Operation, type_name: &str, [first, second]: [Value; 2]) -> Diagnostics {
    match operation {
        Operation::Plan => {
            let mut told = place.bed.core.plan(type_name, "a", first.clone()).await.report.diagnostics;
            place.applied(type_name, second.clone()).await;
            for config in [second, first] {
                told.0.extend(place.bed.core.plan(type_name, "a", config).await.report.diagnostics.0);
            }
            told
        }
        Operation::Apply => {
            let mut told = place.bed.core.apply(type_name, "a", first).await.diagnostics;
            if !told.has_errors() {
                told.0.extend(place.bed.core.apply(type_name, "a", second).await.diagnostics.0);
            }
            told
        }
        Operation::Destroy => {
            place.applied(type_name, first).await;
            place.bed.core.destroy(type_name, "a").await.diagnostics
        }
        other => panic!("{other:?} is nothing that is done to a resource"),
    }
}

/// What came of an operation.
#[derive(Debug, PartialEq)]
struct Outcome {
    told: Diagnostics,
    /// What was read or found.
    seen: Value,
}

/// Runs every operation of a thing with what `requirements.json` in its folder names, and then with less.
async fn check(folder: &str, mode: &str, run: impl AsyncFn(&mut Place, Operation) -> Outcome) {
    let requirements = Requirements::of(&format!("examples/{folder}"));
    let all = Needed { action: "*".to_owned(), scope: Scope::Subscription, ..requirements.actions[0].clone() };
    let mut asked = BTreeSet::new();
    let mut needed_roles = BTreeSet::new();
    for operation in requirements.operations() {
        let with = async |give: &dyn Fn(&Place)| {
            let mut place = Place::new(mode).await;
            give(&place);
            place.bed.core.configure(Operator::configuration());
            let outcome = run(&mut place, operation).await;
            (outcome, place.bed.emulator.arm_requests())
        };
        let with_actions =
            async |needed: &[Needed]| with(&|place: &Place| place.operator.may(&place.bed.emulator, needed)).await;
        let (whole, _) = with_actions(std::slice::from_ref(&all)).await;
        assert!(!whole.told.has_errors(), "{operation:?}: {}", whole.told);

        let needed: Vec<_> =
            requirements.actions.iter().filter(|needed| needed.operations.contains(&operation)).cloned().collect();
        let (outcome, requests) = with_actions(&needed).await;
        assert_eq!(outcome, whole, "{operation:?} with {:?}", needed.iter().map(|it| &it.action).collect::<Vec<_>>());
        asked.extend(requests.iter().filter(|request| is_operators(request)).filter_map(type_and_version));

        for left_out in needed.iter().map(|needed| &needed.action).collect::<BTreeSet<_>>() {
            let less: Vec<_> = needed.iter().filter(|needed| needed.action != *left_out).cloned().collect();
            let (outcome, _) = with_actions(&less).await;
            assert_ne!(outcome, whole, "{operation:?} does without {left_out}");
            let writes = left_out.ends_with("/write") || left_out.ends_with("/delete");
            assert!(!writes || outcome.told.has_errors(), "{operation:?} without {left_out}: {}", outcome.told);
        }

        let with_roles =
            async |roles: &[_]| with(&|place: &Place| place.operator.holds(&place.bed.emulator, roles)).await.0;
        assert_eq!(with_roles(&requirements.roles).await, whole, "{operation:?} with the built-in roles");
        for left_out in &requirements.roles {
            let less: Vec<_> = requirements.roles.iter().filter(|role| role.role != left_out.role).cloned().collect();
            if with_roles(&less).await != whole {
                needed_roles.insert(&left_out.role);
            }
        }
    }
    assert_eq!(needed_roles.len(), requirements.roles.len(), "of the built-in roles only {needed_roles:?} are needed");
    assert_eq!(asked, requirements.api_versions.iter().cloned().collect());
}

fn is_operators(request: &Record) -> bool {
    request.principal.as_deref() == Some(OPERATOR.object_id)
}

/// `Microsoft.Storage/storageAccounts@2023-05-01`; nothing for an operation that is followed.
fn type_and_version(request: &Record) -> Option<String> {
    let (_, named) = request.path.rsplit_once("/providers/")?;
    let mut segments = named.split('/');
    let namespace = segments.next()?;
    let types: Vec<_> = segments.step_by(2).filter(|word| !["resyncKeys", "regenerateKey"].contains(word)).collect();
    let name = format!("{namespace}/{}", types.join("/"));
    let name = name.replace("Services/default", "Services");
    (!name.contains("/locations/")).then(|| format!("{name}@{}", request.query("api-version").unwrap_or_default()))
}

#[tokio::test]
async fn storage_auth_needs_what_its_page_says_and_no_less() {
    check("resources/foundryhub_storage_auth", "accesskey", async |place, operation| {
        let configs = [("identity", false), ("accesskey", true)].map(|(mode, keys)| {
            json!({
                "hub_id": place.bed.hub, "system_datastores_auth_mode": mode, "shared_access_key_enabled": keys,
                "access_check": "enforce", "access_check_principal_ids": [ALICE],
            })
        });
        Outcome { told: live(place, operation, AUTH, configs).await, seen: Value::Null }
    })
    .await;
}

#[tokio::test]
async fn role_assignment_needs_what_its_page_says_and_no_less() {
    check("resources/foundryhub_role_assignment", "identity", async |place, operation| {
        let configs = ["Of our own", "Storage Blob Data Reader"]
            .map(|role| json!({ "hub_id": place.bed.hub, "principal_id": BOB, "role_definition_name": role }));
        Outcome { told: live(place, operation, ROLE, configs).await, seen: Value::Null }
    })
    .await;
}

#[tokio::test]
async fn hub_needs_what_its_page_says_and_no_less() {
    check("resources/foundryhub_hub", "identity", async |place, operation| {
        let configs = [("identity", false), ("accesskey", true)].map(|(mode, keys)| {
            let mut config = place.bed.new_hub();
            config["identity"] = json!({ "type": "UserAssigned", "identity_ids": [identity(&place.bed)] });
            config["primary_user_assigned_identity"] = json!(identity(&place.bed));
            config["system_datastores_auth_mode"] = json!(mode);
            config["shared_access_key_enabled"] = json!(keys);
            // They change at api-versions of their own.
            config["network_acls"] = json!({ "default_action": if keys { "Allow" } else { "Deny" }, "ip_rules": [] });
            let insights = if keys { "ai2" } else { "ai1" };
            config["application_insights_id"] =
                json!(place.bed.emulator.id("rg1", "Microsoft.Insights/components", insights));
            config["access_check"] = json!("warn");
            config["access_check_principal_ids"] = json!([ALICE]);
            config
        });
        Outcome { told: live(place, operation, HUB, configs).await, seen: Value::Null }
    })
    .await;
}

#[tokio::test]
async fn data_sources_need_what_their_pages_say_and_no_less() {
    type Config = fn(&Bed) -> Value;
    let all: [(&str, Config); 4] = [
        ("foundryhub_hub", |bed| json!({ "id": bed.hub })),
        ("foundryhub_hubs", |_| json!({})),
        ("foundryhub_storage_access", |bed| json!({ "hub_id": bed.hub, "principal_ids": [ALICE] })),
        ("foundryhub_storage_key_usage", |bed| json!({ "hub_id": bed.hub })),
    ];
    for (name, config) in all {
        check(&format!("data-sources/{name}"), "identity", async |place, _| {
            let (mut seen, told) = place.bed.core.read_data(name, config(&place.bed)).await;
            for time in ["from", "until"] {
                seen.as_object_mut().map(|seen| seen.remove(time));
            }
            Outcome { told, seen }
        })
        .await;
    }
}

#[tokio::test]
async fn list_resources_need_what_their_pages_say_and_no_less() {
    for name in [HUB, AUTH, ROLE] {
        check(&format!("list-resources/{name}"), "identity", async |place, _| {
            let (listed, told) = place.bed.core.list(name, json!({}), true, 1000).await;
            // Others than the operator, whose roles are what differs, and without names that are drawn.
            let others = listed.into_iter().filter(|listed| !listed.identity.to_string().contains(OPERATOR.object_id));
            let seen: BTreeSet<_> = others
                .map(|listed| match name {
                    ROLE => format!("{} {}", listed.identity, listed.object["role_definition_name"]),
                    _ => listed.object.to_string(),
                })
                .collect();
            Outcome { told, seen: seen.into_iter().collect() }
        })
        .await;
    }
}

#[tokio::test]
async fn actions_need_what_their_pages_say_and_no_less() {
    for (name, rotates) in [("foundryhub_resync_keys", false), ("foundryhub_rotate_storage_keys", true)] {
        check(&format!("actions/{name}"), "accesskey", async |place, _| {
            let mut config = json!({ "hub_id": place.bed.hub });
            if rotates {
                config["on_keys_enabled"] = json!("rotate");
            }
            Outcome { told: place.bed.core.invoke(name, config).await.1, seen: Value::Null }
        })
        .await;
    }
}
