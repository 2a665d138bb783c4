//! Long-running operations: the answers that start them, the URLs that follow them, and their end
//! (facts: azure.md §1.3, §5.6).

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::clock;
use super::errors::{ArmError, Failure};
use super::http::{Answer, Request};
use super::options::{Lro, Operations};
use super::store::is_below;
use super::world::World;
use super::{groups, ids, storage, workspaces};

/// How many operations are remembered; those that ended longest ago go first.
const KEPT: usize = 1000;

/// One operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Operation {
    /// A GUID.
    pub(crate) id: String,
    /// The resource it works on, as an id.
    pub(crate) resource: String,
    /// PUT, PATCH, DELETE or POST.
    pub(crate) method: String,
    /// What it does when it succeeds.
    pub(crate) effect: Effect,
    pub(crate) state: State,
    /// What will become of it, if it was told.
    pub(crate) fate: Option<Fate>,
    /// In which shape the request that started it was answered.
    pub(crate) shape: Lro,
    /// The object id of whoever started it, who may also follow it.
    pub(crate) started_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) started: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) due: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(crate) ended: Option<OffsetDateTime>,
}

/// What an operation does when it succeeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Effect {
    /// The resource becomes this document.
    Write(Value),
    /// The resource goes; a workspace for good or not.
    Delete { purge: bool },
    /// The resource group goes with all in it.
    DeleteGroup,
    /// The workspace's datastores take the account's present keys.
    ResyncKeys,
    /// The workspace's managed network is built.
    ProvisionNetwork,
    /// Nothing that can be seen.
    Nothing,
}

/// What becomes of an operation other than success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    Fails(Failure),
    IsCanceled,
    /// It succeeds, but polls do not find it.
    Vanishes,
}

/// Where an operation stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Running,
    Succeeded,
    Failed(Failure),
    Canceled,
}

/// How a finished operation went, as a test says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Failed { code: String, message: String },
    Canceled,
}

/// Starts an operation and answers the request that asked for it.
pub(crate) fn start(
    world: &mut World,
    request: &Request,
    resource: &str,
    effect: Effect,
    shape: Lro,
) -> Result<Answer, ArmError> {
    let now = world.clock.now();
    let key = ids::key(resource);
    if shape == Lro::Done {
        match world.next_operation.take() {
            Some(Fate::Fails(failure)) => return Err(ArmError::of(StatusCode::BAD_REQUEST, failure)),
            Some(Fate::IsCanceled) => return Err(canceled()),
            Some(Fate::Vanishes) | None => {}
        }
        apply(world, &key, &effect, now);
        return Ok(result(world, request, resource, &effect));
    }
    let operation = Operation {
        id: Uuid::new_v4().to_string(),
        resource: resource.to_owned(),
        method: request.method.to_string(),
        state: State::Running,
        fate: world.next_operation.take(),
        shape,
        started_by: request.caller.clone(),
        started: now,
        due: (world.options.operations == Operations::Auto).then(|| clock::after(now, world.options.operation_time)),
        ended: None,
        effect,
    };
    show_progress(world, &key, &operation);
    let answer = match (shape, &operation.effect) {
        (Lro::Updating, Effect::Write(_)) => match world.store.resource(&key).cloned() {
            Some(document) => Answer::ok(workspaces::view(world, request, document)),
            None => started(world, request, &operation, Lro::Bare),
        },
        // A delete or an action without a body has nothing to poll but its headers.
        (Lro::Updating, _) => started(world, request, &operation, Lro::Location),
        (shape, _) => started(world, request, &operation, shape),
    };
    let operations = &mut world.store.operations;
    if operations.len() >= KEPT
        && let Some(oldest) = operations.iter().position(|operation| operation.state != State::Running)
    {
        operations.remove(oldest);
    }
    operations.push(operation);
    Ok(answer)
}

/// The 202 of a running operation.
fn started(world: &World, request: &Request, operation: &Operation, shape: Lro) -> Answer {
    let url = |kind: &str| url(world, request, operation, kind);
    let mut answer = Answer::empty(StatusCode::ACCEPTED);
    if matches!(shape, Lro::Location | Lro::Both) {
        answer = answer.with("location", url("location"));
    }
    if matches!(shape, Lro::Async | Lro::Both) {
        answer = answer.with("azure-asyncoperation", url("async"));
    }
    if shape == Lro::OperationLocation {
        answer = answer.with("operation-location", url("async"));
    }
    if shape == Lro::Bare { answer } else { answer.with("retry-after", world.options.retry_after.to_string()) }
}

fn url(world: &World, request: &Request, operation: &Operation, kind: &str) -> String {
    let subscription = ids::part(&operation.resource, "subscriptions").unwrap_or("");
    let (base, id, version) = (&request.base, &operation.id, encode(request.api_version()));
    let location = world
        .store
        .resource(&ids::key(&operation.resource))
        .or(match &operation.effect {
            Effect::Write(document) => Some(document),
            _ => None,
        })
        .and_then(|document| document.get("location"))
        .and_then(Value::as_str)
        .map_or_else(|| "eastus".to_owned(), |location| location.replace(' ', "").to_ascii_lowercase());
    if matches!(operation.effect, Effect::DeleteGroup) {
        return format!("{base}/subscriptions/{subscription}/operationresults/{id}?api-version={version}&type={kind}");
    }
    let (namespace, kind_of) = if operation.resource.to_ascii_lowercase().contains("/providers/microsoft.storage/") {
        ("Microsoft.Storage", "asyncoperations")
    } else {
        ("Microsoft.MachineLearningServices", "workspaceOperationsStatus")
    };
    format!(
        "{base}/subscriptions/{subscription}/providers/{namespace}/locations/{location}/{kind_of}/{id}?api-version={version}&type={kind}"
    )
}

fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Answers a poll.
pub(crate) fn poll(world: &World, request: &Request, id: &str) -> Result<Answer, ArmError> {
    let operations = &world.store.operations;
    let operation = operations
        .iter()
        .find(|operation| operation.id.eq_ignore_ascii_case(id) && operation.fate != Some(Fate::Vanishes))
        .ok_or_else(|| ArmError::not_found("NotFound", format!("The operation '{id}' was not found.")))?
        .clone();
    if request.query("type") != Some("location") {
        return Ok(status(world, request, &operation));
    }
    match &operation.state {
        // A poll repeats the headers of the answer that started the operation.
        State::Running if operation.shape == Lro::Both => Ok(started(world, request, &operation, Lro::Both)),
        State::Running => Ok(started(world, request, &operation, Lro::Location)),
        State::Succeeded => Ok(result(world, request, &operation.resource, &operation.effect)),
        State::Failed(failure) => Err(ArmError::of(StatusCode::BAD_REQUEST, failure.clone())),
        State::Canceled => Err(canceled()),
    }
}

fn canceled() -> ArmError {
    ArmError::conflict("OperationCanceled", "The operation was canceled.")
}

/// The body that an `Azure-AsyncOperation` poll answers.
fn status(world: &World, request: &Request, operation: &Operation) -> Answer {
    let (name, percent) = match operation.state {
        State::Running => ("InProgress", 50.0),
        State::Succeeded => ("Succeeded", 100.0),
        State::Failed(_) => ("Failed", 100.0),
        State::Canceled => ("Canceled", 100.0),
    };
    let mut body = json!({
        "id": request.path(),
        "name": operation.id,
        "status": name,
        "startTime": clock::ticks(operation.started),
        "percentComplete": percent,
    });
    if let Some(ended) = operation.ended {
        body["endTime"] = json!(clock::ticks(ended));
    }
    if let State::Failed(failure) = &operation.state {
        body["error"] = json!(failure);
    }
    let answer = Answer::ok(body);
    if operation.state == State::Running {
        answer.with("retry-after", world.options.retry_after.to_string())
    } else {
        answer
    }
}

/// What the original call would have answered, had it been quick.
fn result(world: &World, request: &Request, resource: &str, effect: &Effect) -> Answer {
    match effect {
        Effect::Write(_) => match world.store.resource(&ids::key(resource)).cloned() {
            Some(document) => Answer::ok(workspaces::view(world, request, document)),
            None => Answer::empty(StatusCode::NO_CONTENT),
        },
        Effect::Delete { .. } | Effect::DeleteGroup if request.query("type").is_some() => {
            Answer::empty(StatusCode::NO_CONTENT)
        }
        Effect::Delete { .. }
        | Effect::DeleteGroup
        | Effect::ResyncKeys
        | Effect::ProvisionNetwork
        | Effect::Nothing => Answer::empty(StatusCode::OK),
    }
}

/// Refuses a write to a resource that another operation works on.
pub(crate) fn refuse_concurrent(world: &World, resource: &str) -> Result<(), ArmError> {
    if is_busy(world, resource) {
        return Err(ArmError::conflict(
            "Conflict",
            format!(
                "'{}' has an ongoing operation running. Please try again after it has finished.",
                ids::name(resource)
            ),
        ));
    }
    Ok(())
}

/// Whether an operation works on a resource.
pub(crate) fn is_busy(world: &World, resource: &str) -> bool {
    let mut running = world.store.operations.iter().filter(|operation| operation.state == State::Running);
    running.any(|operation| ids::same(&operation.resource, resource))
}

/// Whether a request follows an operation that its caller started, which needs no role.
pub(crate) fn is_own_poll(world: &World, request: &Request) -> bool {
    let Some(id) = request.segments.last().filter(|_| request.method == Method::GET) else { return false };
    let own = |operation: &Operation| operation.id.eq_ignore_ascii_case(id) && operation.started_by == request.caller;
    !request.caller.is_empty() && world.store.operations.iter().any(own)
}

/// Cancels what is running on something that has gone (a key), or below it, so that it cannot come back.
pub(crate) fn abandon(world: &mut World, key: &str, at: OffsetDateTime) {
    for operation in world.store.operations.iter_mut().filter(|operation| operation.state == State::Running) {
        let resource = ids::key(&operation.resource);
        if resource == key || is_below(key, &resource) {
            operation.state = State::Canceled;
            operation.ended = Some(at);
        }
    }
}

/// The running operation that is due first, with its time, if it is due by `now`.
pub(crate) fn next_due(world: &World, now: OffsetDateTime) -> Option<(OffsetDateTime, String)> {
    world
        .store
        .operations
        .iter()
        .filter(|operation| operation.state == State::Running)
        .filter_map(|operation| Some((operation.due?, operation.id.clone())))
        .filter(|(due, _)| *due <= now)
        .min_by_key(|(due, _)| *due)
}

/// Ends an operation: as told, or by itself when its time has come. Whether there was one to end.
pub(crate) fn end(world: &mut World, id: &str, outcome: Option<Outcome>, at: OffsetDateTime) -> bool {
    let found = world.store.operations.iter_mut().find(|operation| operation.id == id);
    let Some(operation) = found.filter(|operation| operation.state == State::Running) else { return false };
    operation.ended = Some(at);
    operation.state = match (outcome, operation.fate.clone()) {
        (Some(Outcome::Failed { code, message }), _) => State::Failed(Failure::new(code, message)),
        (Some(Outcome::Canceled), _) | (None, Some(Fate::IsCanceled)) => State::Canceled,
        (None, Some(Fate::Fails(failure))) => State::Failed(failure),
        (Some(Outcome::Succeeded) | None, _) => State::Succeeded,
    };
    let (key, effect, state) = (ids::key(&operation.resource), operation.effect.clone(), operation.state.clone());
    match state {
        State::Succeeded => apply(world, &key, &effect, at),
        State::Canceled => set_state(world, &key, "Canceled"),
        _ => set_state(world, &key, "Failed"),
    }
    true
}

/// Shows in the resource that something is under way.
fn show_progress(world: &mut World, key: &str, operation: &Operation) {
    match &operation.effect {
        Effect::Write(document) if world.store.resource(key).is_none() => {
            let mut document = document.clone();
            document["properties"]["provisioningState"] = json!("Creating");
            world.store.write(key, Some(document), operation.started, world.options.read_delay);
        }
        Effect::Write(_) => set_state(world, key, "Updating"),
        Effect::Delete { .. } => set_state(world, key, "Deleting"),
        Effect::DeleteGroup => groups::set_state(world, key, "Deleting"),
        Effect::ResyncKeys | Effect::ProvisionNetwork | Effect::Nothing => {}
    }
}

fn set_state(world: &mut World, key: &str, state: &str) {
    groups::set_state(world, key, state);
    if let Some(properties) = world.store.resource_mut(key).and_then(|document| document.get_mut("properties")) {
        properties["provisioningState"] = json!(state);
    }
}

fn apply(world: &mut World, key: &str, effect: &Effect, at: OffsetDateTime) {
    let is_workspace = key.contains("/providers/microsoft.machinelearningservices/workspaces/");
    match effect {
        Effect::Write(document) if is_workspace => workspaces::write(world, key, document.clone(), at),
        Effect::Write(document) => storage::write(world, key, document.clone(), at),
        Effect::Delete { purge } if is_workspace => workspaces::remove(world, key, *purge, at),
        Effect::Delete { .. } => storage::remove(world, key, at),
        Effect::DeleteGroup => groups::remove(world, key, at),
        Effect::ResyncKeys => workspaces::system_datastores::resync(world, key),
        Effect::ProvisionNetwork => workspaces::provision_network(world, key),
        Effect::Nothing => {}
    }
    if matches!(effect, Effect::Delete { .. } | Effect::DeleteGroup) {
        abandon(world, key, at);
    }
}
