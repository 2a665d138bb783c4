//! References between resources: the order in which resources are worked on, and what stands for a reference.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::support::core::{Resource, report::Address, value::UNKNOWN};

/// The resources in the order of their dependencies: each wave depends on the ones before it only.
pub(super) fn waves(resources: &[Resource]) -> Vec<Vec<usize>> {
    let mut waiting: Vec<usize> = (0..resources.len()).collect();
    let mut waves = Vec::new();
    while !waiting.is_empty() {
        let is_waiting = |address: &Address| waiting.iter().any(|index| resources[*index].address == *address);
        let (ready, later): (Vec<_>, Vec<_>) =
            waiting.iter().copied().partition(|index| !dependencies(&resources[*index]).iter().any(is_waiting));
        assert!(!ready.is_empty(), "resources refer to each other in a circle");
        waves.push(ready);
        waiting = later;
    }
    waves
}

/// What a resource refers to, and what it says it depends on.
pub(super) fn dependencies(resource: &Resource) -> Vec<Address> {
    let mut addresses = resource.depends_on.clone();
    collect_references(&resource.config, &mut addresses);
    addresses
}

fn collect_references(json: &Json, addresses: &mut Vec<Address>) {
    match json {
        Json::String(text) => addresses.extend(reference(text).map(|(address, _)| address)),
        Json::Array(items) => items.iter().for_each(|item| collect_references(item, addresses)),
        Json::Object(members) => members.values().for_each(|member| collect_references(member, addresses)),
        _ => {}
    }
}

/// Reads `${type.name.attribute.…}`.
fn reference(text: &str) -> Option<(Address, Vec<&str>)> {
    let mut parts = text.strip_prefix("${")?.strip_suffix('}')?.split('.');
    Some((Address::new(parts.next()?, parts.next()?), parts.collect()))
}

/// The configuration with every reference replaced by what it stands for.
pub(super) fn resolve(json: &Json, look_up: &dyn Fn(&str) -> Json) -> Json {
    match json {
        Json::String(text) if reference(text).is_some() => look_up(text),
        Json::Array(items) => items.iter().map(|item| resolve(item, look_up)).collect(),
        Json::Object(members) => {
            Json::Object(members.iter().map(|(name, member)| (name.clone(), resolve(member, look_up))).collect())
        }
        other => other.clone(),
    }
}

/// The value that a reference stands for. An attribute of an unknown value is unknown.
pub(super) fn look_up(known: &BTreeMap<Address, Json>, text: &str) -> Json {
    let (address, path) = reference(text).expect("only references are looked up");
    let object = known.get(&address).unwrap_or_else(|| panic!("{text} refers to nothing"));
    path.iter().fold(object.clone(), |value, step| match value {
        Json::String(text) if text == UNKNOWN => json!(UNKNOWN),
        Json::Array(items) => {
            step.parse::<usize>().ok().and_then(|index| items.get(index).cloned()).unwrap_or_default()
        }
        value => value.get(step).cloned().unwrap_or_default(),
    })
}
