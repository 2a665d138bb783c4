//! The blob and the file service of an account, with their containers and shares (facts: azure.md §13.4).

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::super::clock;
use super::super::documents::{self, Kind};
use super::super::errors::ArmError;
use super::super::http::{Answer, Request, page};
use super::super::ids::{self, Target};
use super::super::world::World;
use super::{TYPE, text};

/// A service that accounts have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Blob,
    File,
}

pub(crate) const CONTAINERS: Kind = Kind {
    made: container,
    created: StatusCode::CREATED,
    shown: Value::clone,
    missing: |_| ArmError::not_found("ContainerNotFound", "The specified container does not exist."),
};

pub(crate) const SHARES: Kind = Kind {
    made: share,
    created: StatusCode::CREATED,
    shown: Value::clone,
    missing: |_| ArmError::not_found("ShareNotFound", "The specified share does not exist."),
};

impl Service {
    /// The service that a type segment (in lower case) names.
    pub(super) fn named(kind: &str) -> Option<Self> {
        match kind {
            "blobservices" => Some(Self::Blob),
            "fileservices" => Some(Self::File),
            _ => None,
        }
    }

    /// Where an account (an id or a key) has its containers or shares.
    pub(crate) fn collection(self, account: &str) -> String {
        match self {
            Self::Blob => format!("{account}/blobServices/default/containers"),
            Self::File => format!("{account}/fileServices/default/shares"),
        }
    }

    /// Makes a container or a share, unless it is there.
    pub(crate) fn ensure(self, world: &mut World, account: &str, name: &str) {
        let id = format!("{}/{name}", self.collection(account));
        let kind = self.kind();
        if kind.find(world, &id).is_err() {
            // An empty body is never refused.
            let _ = kind.put(world, &id, &Value::Null);
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Blob => CONTAINERS,
            Self::File => SHARES,
        }
    }

    /// Answers a request for the service itself, or for what it has.
    pub(super) fn answer(self, world: &mut World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
        let id = target.id();
        let account_id = format!("{}/providers/{TYPE}/{}", target.scope, target.names[0]);
        let account = world.store.resource(&ids::key(&account_id));
        let account = account.ok_or_else(|| ArmError::resource_not_found(&account_id))?;
        let is_default = target.names.get(1).is_some_and(|name| name.eq_ignore_ascii_case("default"));
        let collection = self.collection(text(account, "/id"));
        let named = |kind: &String| ids::name(&collection).eq_ignore_ascii_case(kind);
        match (&request.method, target.types.len(), target.names.len()) {
            _ if !is_default => Err(ArmError::resource_not_found(&id)),
            (&Method::GET, 2, 2) => Ok(Answer::ok(settings(target))),
            (_, 3, _) if !target.types.last().is_some_and(named) => {
                Err(ArmError::unknown_type(&target.namespace, &target.types.join("/")))
            }
            (_, 3, _) if !self.is_had_by(account) => Err(ArmError::bad_request(
                "FeatureNotSupportedForAccount",
                format!("{self:?} is not supported for the account."),
            )),
            (&Method::GET, 3, 2) => list(world, request, &ids::key(&collection)),
            (_, 3, 3) => self.kind().item(world, request, &id),
            _ => Err(super::invalid_verb()),
        }
    }

    fn is_had_by(self, account: &Value) -> bool {
        let kind = text(account, "/kind").to_ascii_lowercase();
        match self {
            Self::Blob => kind != "filestorage",
            Self::File => !["blobstorage", "blockblobstorage"].contains(&kind.as_str()),
        }
    }
}

/// Those of a collection (a key) whose names begin with the filter.
fn list(world: &World, request: &Request, collection: &str) -> Result<Answer, ArmError> {
    let prefix = request.query("$filter").unwrap_or("");
    let items = world.store.documents.of(collection);
    let items: Vec<&Value> = items.filter(|item| text(item, "/name").starts_with(prefix)).collect();
    let size = request.query("$maxpagesize").and_then(|size| size.parse().ok()).unwrap_or(usize::MAX);
    page(request, "$skipToken", world.options.page_size.min(size), &items)
}

/// The few settings of a service that other clients read.
fn settings(target: &Target) -> Value {
    json!({
        "id": target.id(),
        "name": target.names[1],
        "type": format!("{TYPE}/{}", target.types[1]),
        "properties": {
            "cors": { "corsRules": [] },
            "deleteRetentionPolicy": { "enabled": false, "allowPermanentDelete": false },
            "shareDeleteRetentionPolicy": { "enabled": false },
            "protocolSettings": { "smb": {} },
        },
    })
}

fn container(world: &World, id: &str, _: Option<&Value>, asked: &Value) -> Result<Value, ArmError> {
    let own =
        [("publicAccess", json!("None")), ("hasLegalHold", json!(false)), ("hasImmutabilityPolicy", json!(false))];
    Ok(made(world, id, "blobServices/containers", asked, own))
}

fn share(world: &World, id: &str, _: Option<&Value>, asked: &Value) -> Result<Value, ArmError> {
    let tier = json!("TransactionOptimized");
    let own = [("accessTier", tier), ("enabledProtocols", json!("SMB")), ("shareQuota", json!(5120))];
    Ok(made(world, id, "fileServices/shares", asked, own))
}

fn made<const N: usize>(
    world: &World,
    id: &str,
    kind: &str,
    asked: &Value,
    defaults: [(&'static str, Value); N],
) -> Value {
    let now = world.clock.now();
    let mut properties: Map<String, Value> = documents::properties(asked);
    for (name, value) in defaults {
        properties.entry(name).or_insert(value);
    }
    for (name, value) in [
        ("lastModifiedTime", json!(clock::ticks(now))),
        ("leaseStatus", json!("Unlocked")),
        ("leaseState", json!("Available")),
    ] {
        properties.insert(name.to_owned(), value);
    }
    let mut document = documents::new(world, id, &format!("{TYPE}/{kind}"), properties);
    document["etag"] = json!(format!("\"0x{:X}\"", now.unix_timestamp_nanos()));
    document
}
