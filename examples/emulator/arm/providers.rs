//! Resource providers: which types and api-versions there are, and registration (facts: azure.md §1.2, §2, §5.9).

use axum::http::Method;
use serde_json::{Value, json};

use super::clock;
use super::errors::ArmError;
use super::http::{Answer, Request, page};
use super::ids::Target;
use super::store::{Event, Pending};
use super::world::World;

/// Stable api-versions of workspaces, newest first.
const WORKSPACES: [&str; 24] = [
    "2026-05-01",
    "2026-03-01",
    "2025-12-01",
    "2025-09-01",
    "2025-06-01",
    "2025-04-01",
    "2024-10-01",
    "2024-04-01",
    "2023-10-01",
    "2023-04-01",
    "2022-10-01",
    "2022-05-01",
    "2021-07-01",
    "2021-04-01",
    "2021-01-01",
    "2020-08-01",
    "2020-06-01",
    "2020-04-01",
    "2020-03-01",
    "2020-01-01",
    "2019-11-01",
    "2019-06-01",
    "2019-05-01",
    "2018-11-19",
];

/// Preview api-versions of workspaces that matter to clients, newest first.
const WORKSPACE_PREVIEWS: [&str; 11] = [
    "2025-07-01-preview",
    "2025-01-01-preview",
    "2024-10-01-preview",
    "2024-07-01-preview",
    "2024-04-01-preview",
    "2024-01-01-preview",
    "2023-08-01-preview",
    "2023-06-01-preview",
    "2023-04-01-preview",
    "2023-02-01-preview",
    "2022-12-01-preview",
];

const STORAGE: [&str; 12] = [
    "2026-09-01",
    "2026-04-01",
    "2025-08-01",
    "2025-06-01",
    "2025-01-01",
    "2024-01-01",
    "2023-05-01",
    "2023-01-01",
    "2022-09-01",
    "2021-06-01",
    "2019-06-01",
    "2019-04-01",
];

/// A resource type and its api-versions, in lists that follow one another.
type Kind = (&'static str, &'static [&'static [&'static str]]);

/// Namespace, types and their api-versions, newest first.
const PROVIDERS: [(&str, &[Kind]); 8] = [
    (
        "Microsoft.MachineLearningServices",
        &[
            ("workspaces", &[&WORKSPACES, &WORKSPACE_PREVIEWS]),
            ("workspaces/datastores", &[&WORKSPACES, &WORKSPACE_PREVIEWS]),
            ("workspaces/connections", &[&WORKSPACES, &WORKSPACE_PREVIEWS]),
            ("workspaces/computes", &[&WORKSPACES, &WORKSPACE_PREVIEWS]),
            ("locations", &[&WORKSPACES]),
            ("locations/workspaceOperationsStatus", &[&WORKSPACES, &WORKSPACE_PREVIEWS]),
        ],
    ),
    (
        "Microsoft.Storage",
        &[
            ("storageAccounts", &[&STORAGE]),
            ("storageAccounts/blobServices", &[&STORAGE]),
            ("storageAccounts/blobServices/containers", &[&STORAGE]),
            ("storageAccounts/fileServices", &[&STORAGE]),
            ("storageAccounts/fileServices/shares", &[&STORAGE]),
            ("locations", &[&STORAGE]),
            ("locations/asyncoperations", &[&STORAGE]),
        ],
    ),
    (
        "Microsoft.Authorization",
        &[
            ("roleAssignments", &[&["2022-04-01", "2020-10-01-preview", "2020-04-01-preview", "2015-07-01"]]),
            ("roleDefinitions", &[&["2022-05-01-preview", "2022-04-01", "2018-01-01-preview", "2015-07-01"]]),
            ("locks", &[&["2020-05-01", "2017-04-01", "2016-09-01", "2015-01-01"]]),
        ],
    ),
    (
        "Microsoft.Resources",
        &[
            ("subscriptions", &[&["2022-12-01", "2020-01-01"]]),
            ("resourceGroups", &[&["2024-11-01", "2021-04-01", "2020-06-01"]]),
            ("tenants", &[&["2022-12-01", "2020-01-01"]]),
        ],
    ),
    ("Microsoft.Insights", &[("metrics", &[&["2024-02-01", "2023-10-01", "2021-05-01", "2019-07-01", "2018-01-01"]])]),
    ("Microsoft.Network", &[("privateEndpoints", &[&["2025-05-01", "2024-05-01", "2023-09-01"]])]),
    (
        "Microsoft.PolicyInsights",
        &[("checkPolicyRestrictions", &[&["2024-10-01", "2023-03-01", "2022-03-01", "2020-07-01"]])],
    ),
    ("Microsoft.KeyVault", &[("vaults", &[&["2024-11-01", "2023-07-01", "2019-09-01"]])]),
];

/// Whether items of a type (in lower case) are kept in the store.
pub(crate) fn is_stored(kind: &str) -> bool {
    [
        "microsoft.machinelearningservices/workspaces",
        "microsoft.storage/storageaccounts",
        "microsoft.network/privateendpoints",
    ]
    .contains(&kind)
}

/// Whether the published schema of a workspaces api-version has systemDatastoresAuthMode, in its PATCH or elsewhere.
pub(crate) fn has_mode(version: &str, in_patch: bool) -> bool {
    match version.strip_suffix("-preview") {
        Some("2023-08-01") => true,
        Some(date) if in_patch => date >= "2024-10-01",
        Some(date) => date >= "2022-12-01",
        None => version >= "2025-06-01",
    }
}

/// Whether a PATCH has applicationInsights in the published schema of a workspaces api-version.
pub(crate) fn patches_insights(version: &str) -> bool {
    !("2025-06-01".."2025-12-01").contains(&version)
}

/// How a workspaces api-version calls the storage account's id in what listKeys answers.
pub(crate) fn name_of_storage_id(version: &str) -> &'static str {
    let renamed = match version.strip_suffix("-preview") {
        Some(date) => date >= "2023-06-01",
        None => version >= "2025-12-01",
    };
    if renamed { "userStorageArmId" } else { "userStorageResourceId" }
}

/// `/subscriptions/{id}/providers` and what is below it but is no resource.
pub(crate) fn answer(
    world: &mut World,
    request: &Request,
    subscription: &str,
    rest: &[&str],
) -> Result<Answer, ArmError> {
    let known =
        |namespace: &str| PROVIDERS.iter().map(|(name, _)| *name).find(|name| name.eq_ignore_ascii_case(namespace));
    match (&request.method, rest) {
        (&Method::GET, []) => {
            let all: Vec<Value> = PROVIDERS.iter().map(|(name, _)| show(world, subscription, name)).collect();
            page(request, "$skiptoken", world.options.page_size, &all)
        }
        (&Method::GET, [namespace]) => {
            Ok(Answer::ok(show(world, subscription, known(namespace).ok_or_else(|| invalid_namespace(namespace))?)))
        }
        (&Method::POST, [namespace, "register" | "unregister"]) => {
            let namespace = known(namespace).ok_or_else(|| invalid_namespace(namespace))?;
            let registered = state(world, subscription, namespace) == "Registered";
            let key = namespace.to_ascii_lowercase();
            if rest[1] == "unregister" {
                set_state(world, subscription, &key, "NotRegistered");
            } else if !registered {
                set_state(world, subscription, &key, "Registering");
                let due = clock::after(world.clock.now(), world.options.registration_time);
                let event = Event::Registered { subscription: subscription.to_ascii_lowercase(), namespace: key };
                world.store.pending.push(Pending { due, event });
            }
            Ok(Answer::ok(show(world, subscription, namespace)))
        }
        (method, _) => Err(ArmError::method_not_allowed(method.as_str())),
    }
}

/// Refuses calls to a provider that the subscription is not registered with.
pub(crate) fn check(world: &World, target: &Target, subscription: Option<&str>) -> Result<(), ArmError> {
    if let Some(subscription) = subscription
        && state(world, subscription, &target.namespace) != "Registered"
    {
        return Err(ArmError::conflict(
            "MissingSubscriptionRegistration",
            format!(
                "The subscription is not registered to use namespace '{}'. See https://aka.ms/rps-not-found for how to register subscriptions.",
                target.namespace
            ),
        ));
    }
    Ok(())
}

/// Refuses api-versions that are to be refused, whatever is asked for.
pub(crate) fn check_version(world: &World, request: &Request) -> Result<(), ArmError> {
    let version = request.api_version();
    if !world.options.reject_api_version.iter().any(|rejected| rejected.eq_ignore_ascii_case(version)) {
        return Ok(());
    }
    let (namespace, kind) = match Target::parse(&request.segments) {
        Some(target) => (target.namespace, target.types.join("/")),
        None => {
            let kind = request.segments.iter().step_by(2).next_back();
            ("Microsoft.Resources".to_owned(), kind.cloned().unwrap_or_default())
        }
    };
    let known = PROVIDERS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&namespace))
        .and_then(|(_, kinds)| kinds.iter().find(|(name, _)| name.eq_ignore_ascii_case(&kind)))
        .map(|(_, versions)| {
            versions.iter().copied().flatten().copied().filter(|known| *known != version).collect::<Vec<_>>()
        })
        .unwrap_or_default();
    Err(ArmError::bad_request(
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for location 'eastus' and API version '{version}' for type '{kind}'. \
             The supported api-versions are '{}'. The supported locations are 'eastus, westeurope'.",
            known.join(", ")
        ),
    ))
}

pub(crate) fn invalid_namespace(namespace: &str) -> ArmError {
    ArmError::not_found("InvalidResourceNamespace", format!("The resource namespace '{namespace}' is invalid."))
}

/// A registration came to its end.
pub(crate) fn registered(world: &mut World, subscription: &str, namespace: &str) {
    if state(world, subscription, namespace) == "Registering" {
        set_state(world, subscription, namespace, "Registered");
    }
}

fn state<'a>(world: &'a World, subscription: &str, namespace: &str) -> &'a str {
    let subscription = world.store.subscriptions.get(&subscription.to_ascii_lowercase());
    subscription
        .and_then(|subscription| subscription.registrations.get(&namespace.to_ascii_lowercase()))
        .map_or("Registered", String::as_str)
}

fn set_state(world: &mut World, subscription: &str, namespace: &str, state: &str) {
    if let Some(subscription) = world.store.subscriptions.get_mut(&subscription.to_ascii_lowercase()) {
        subscription.registrations.insert(namespace.to_ascii_lowercase(), state.to_owned());
    }
}

fn show(world: &World, subscription: &str, namespace: &str) -> Value {
    let kinds = PROVIDERS.iter().find(|(name, _)| *name == namespace).map_or(&[][..], |(_, kinds)| kinds);
    let kinds: Vec<Value> = kinds
        .iter()
        .map(|(kind, versions)| {
            let versions: Vec<&str> = versions.iter().copied().flatten().copied().collect();
            json!({
                "resourceType": kind, "locations": ["East US", "West Europe"], "apiVersions": versions,
                "capabilities": "CrossResourceGroupResourceMove, SupportsTags, SupportsLocation",
            })
        })
        .collect();
    json!({
        "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": state(world, subscription, namespace),
        "resourceTypes": kinds,
    })
}
