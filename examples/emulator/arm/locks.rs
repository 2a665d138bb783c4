//! Management locks: their own API, and the writes they stop (facts: azure.md §5.7).

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::errors::ArmError;
use super::http::{Answer, Request, page};
use super::ids::{self, Target};
use super::store::{is_below, upwards};
use super::workspaces::text;
use super::world::World;

/// `{scope}/providers/Microsoft.Authorization/locks[/{name}]`.
pub(crate) fn answer(world: &mut World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
    let scope = ids::key(&target.scope);
    let Some(name) = target.names.first() else {
        let matches = |key: &str| key.starts_with(&scope) && (is_below(&scope, key));
        let locks: Vec<&Value> =
            world.store.locks.iter().filter(|(key, _)| matches(key)).map(|(_, lock)| lock).collect();
        return page(request, "$skiptoken", world.options.page_size, &locks);
    };
    let key = ids::key(&target.id());
    match request.method {
        Method::GET => {
            let missing = || ArmError::not_found("LockNotFound", format!("The lock '{name}' could not be found."));
            world.store.locks.get(&key).cloned().map(Answer::ok).ok_or_else(missing)
        }
        Method::PUT => {
            let asked = request.json()?;
            let level = text(&asked, "/properties/level");
            let Some(level) = ["CanNotDelete", "ReadOnly"].into_iter().find(|known| known.eq_ignore_ascii_case(level))
            else {
                return Err(ArmError::bad_request(
                    "LockLevelInvalid",
                    format!("The lock level '{level}' is not valid."),
                ));
            };
            if !world.store.scope_exists(&scope) {
                return Err(ArmError::resource_not_found(&target.scope));
            }
            let mut properties = json!({ "level": level });
            if let Some(notes) = asked.pointer("/properties/notes").filter(|notes| notes.is_string()) {
                properties["notes"] = notes.clone();
            }
            let lock = json!({
                "id": target.id(), "name": name, "type": "Microsoft.Authorization/locks", "properties": properties,
            });
            let status = if world.store.locks.contains_key(&key) { StatusCode::OK } else { StatusCode::CREATED };
            world.store.locks.insert(key, lock.clone());
            Ok(Answer::json(status, lock))
        }
        Method::DELETE => {
            let gone = world.store.locks.remove(&key);
            Ok(Answer::empty(if gone.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT }))
        }
        _ => Err(ArmError::method_not_allowed(request.method.as_str())),
    }
}

/// Refuses a write or delete of an id that a lock on it or above it forbids; for a delete also one below it.
pub(crate) fn check(world: &World, method: &Method, id: &str) -> Result<(), ArmError> {
    if world.store.locks.is_empty() || matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let key = ids::key(id);
    let above = upwards(&key, &world.options.tenant_id);
    let stops = |lock: &Value| *method == Method::DELETE || text(lock, "/properties/level") == "ReadOnly";
    let scopes: Vec<String> = world
        .store
        .locks
        .values()
        .filter(|lock| stops(lock))
        .filter_map(|lock| {
            let id = text(lock, "/id");
            let scope = &id[..id.to_ascii_lowercase().rfind("/providers/microsoft.authorization/locks/")?];
            let scope_key = ids::key(scope);
            let touches = above.contains(&scope_key) || (*method == Method::DELETE && is_below(&key, &scope_key));
            touches.then(|| scope.to_owned())
        })
        .collect();
    if scopes.is_empty() {
        return Ok(());
    }
    let verb = if *method == Method::DELETE { "delete" } else { "write" };
    let locked = scopes.iter().map(|scope| format!("'{scope}'")).collect::<Vec<_>>().join(",");
    Err(ArmError::conflict(
        "ScopeLocked",
        format!(
            "The scope '{id}' cannot perform {verb} operation because following scope(s) are locked: {locked}. Please \
             remove the lock and try again."
        ),
    ))
}
