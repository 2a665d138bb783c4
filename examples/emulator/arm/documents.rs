//! Resources that are read and written whole and at once: datastores, connections and computes of workspaces, containers
//! and shares of storage accounts, private endpoints.

use std::collections::BTreeMap;
use std::ops::Bound;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::errors::ArmError;
use super::http::{Answer, Request};
use super::ids;
use super::store::is_below;
use super::world::World;

/// All of them, by [`ids::key`]. They are kept with their secrets, which [`Kind::shown`] leaves out.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Documents(BTreeMap<String, Value>);

/// How many segments the id of a workspace or an account has, the empty one before the first slash included.
const OF_RESOURCE: usize = 9;

/// How those of one type are written and read.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The document that a PUT makes of an id, of what is there and of the body.
    pub(crate) made: fn(&World, &str, Option<&Value>, &Value) -> Result<Value, ArmError>,
    /// What a PUT that makes a new one answers.
    pub(crate) created: StatusCode,
    /// What is seen of one.
    pub(crate) shown: fn(&Value) -> Value,
    /// The refusal when there is none of this id.
    pub(crate) missing: fn(&str) -> ArmError,
}

impl Documents {
    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// Those of a collection (a key), by name.
    pub(crate) fn of<'a>(&'a self, collection: &'a str) -> impl Iterator<Item = &'a Value> {
        self.below(collection).map(|(_, document)| document)
    }

    /// Removes one; whether it was there.
    pub(crate) fn remove(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }

    /// Removes all that are below a scope (a key).
    pub(crate) fn remove_below(&mut self, scope: &str) {
        let gone: Vec<String> = self.below(scope).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.0.remove(&key);
        }
    }

    fn below<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.0
            .range::<str, _>((Bound::Excluded(scope), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(scope))
            .filter(move |(key, _)| is_below(scope, key))
    }
}

/// A document with the members that all resources have; its id is in the spelling of the resource that it belongs to.
pub(crate) fn new(world: &World, id: &str, kind: &str, properties: Map<String, Value>) -> Value {
    let segments: Vec<&str> = id.split('/').collect();
    let (parent, own) = segments.split_at(OF_RESOURCE.min(segments.len()));
    let parent = parent.join("/");
    let stored = world.store.resource(&ids::key(&parent)).and_then(|parent| parent["id"].as_str()).unwrap_or(&parent);
    let id: String = std::iter::once(stored).chain(own.iter().copied()).collect::<Vec<_>>().join("/");
    json!({ "id": id, "name": ids::name(&id), "type": kind, "properties": properties })
}

/// The properties of a body.
pub(crate) fn properties(asked: &Value) -> Map<String, Value> {
    asked.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

impl Kind {
    /// Answers a request for one of them.
    pub(crate) fn item(&self, world: &mut World, request: &Request, id: &str) -> Result<Answer, ArmError> {
        match request.method {
            Method::GET => self.find(world, id).map(|document| Answer::ok((self.shown)(document))),
            Method::PUT => {
                let existed = world.store.documents.get(&ids::key(id)).is_some();
                let document = self.put(world, id, &request.json()?)?;
                Ok(Answer::json(if existed { StatusCode::OK } else { self.created }, (self.shown)(document)))
            }
            Method::DELETE if world.store.documents.remove(&ids::key(id)) => Ok(Answer::empty(StatusCode::OK)),
            Method::DELETE => Ok(Answer::empty(StatusCode::NO_CONTENT)),
            _ => Err(ArmError::method_not_allowed(request.method.as_str())),
        }
    }

    /// One of them, with its secrets.
    pub(crate) fn find<'a>(&self, world: &'a World, id: &str) -> Result<&'a Value, ArmError> {
        world.store.documents.get(&ids::key(id)).ok_or_else(|| (self.missing)(id))
    }

    /// Writes one from the body of a PUT, or of a seed.
    pub(crate) fn put<'a>(&self, world: &'a mut World, id: &str, asked: &Value) -> Result<&'a Value, ArmError> {
        let key = ids::key(id);
        let document = (self.made)(world, id, world.store.documents.get(&key), asked)?;
        Ok(world.store.documents.0.entry(key).insert_entry(document).into_mut())
    }
}
