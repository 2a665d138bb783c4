//! Imports by the hub's id or identity, and moves from other providers' states.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    explain,
    plan::note_moved,
    schema::{Identity, State},
};
use crate::{
    arm::{Call, Read, WorkspaceId, workspaces::Workspace},
    framework::{
        Attr, Diagnostic, Private,
        resource::{ImportTarget, MoveSource},
    },
    provider::{Session, hub},
};

/// The object of a hub, with all that it has.
pub(super) async fn import(
    session: &Session,
    call: &Call,
    target: ImportTarget<Identity>,
) -> Result<State, Diagnostic> {
    let text = match target {
        ImportTarget::Id(text) => text,
        ImportTarget::Identity(identity) => identity.id,
    };
    let id = WorkspaceId::parse(&text)
        .map_err(|error| Diagnostic::error("Nothing can be imported by this id", format!("{error}.")))?;
    // The engine reads it next, from the same answer.
    let found = session.arm.get::<Workspace>(&id, Read::Remembered, call).await;
    let hub = found.map_err(|error| match error.is_not_found() {
        true => explain::nothing_to_import(&id, &error),
        false => hub::not_readable(&id, &error),
    })?;
    match explain::not_a_hub(&id, &hub) {
        Some(error) => Err(error),
        None => Ok(State::of(&id, &hub)),
    }
}

/// The state of an azurerm_ai_foundry, or of an azapi_resource that is a workspace, as ours. The read that follows fills in
/// everything but the tags that are declared. The private data tell what its configuration has set.
pub(super) fn move_state(source: &MoveSource) -> Option<(State, Private)> {
    let text = |name: &str| source.state.get(name).and_then(Json::as_str);
    let provider = source.provider_address.to_lowercase();
    let is_ours = match source.type_name.as_str() {
        "azurerm_ai_foundry" => provider.ends_with("/hashicorp/azurerm"),
        "azapi_resource" => {
            let (resource_type, _) = text("type")?.split_once('@')?;
            provider.ends_with("/azure/azapi") && resource_type.eq_ignore_ascii_case(WorkspaceId::RESOURCE_TYPE)
        }
        _ => false,
    };
    let id = text("id").filter(|_| is_ours).and_then(|id| WorkspaceId::parse(id).ok())?;
    let tags = source.state.get("tags").and_then(Json::as_object).filter(|tags| !tags.is_empty());
    let tags = tags.map(|tags| {
        let tags = tags.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned().into())));
        tags.collect::<BTreeMap<_, Attr<String>>>()
    });
    let mut state = State {
        location: text("location").map(Into::into).into(),
        friendly_name: text("friendly_name").filter(|name| !name.is_empty()).map(str::to_owned).into(),
        tags: tags.into(),
        ..State::default()
    };
    state.set_id(&id);
    let mut private = Private::default();
    note_moved(&mut private, |attribute, member| match text("type") {
        Some(_) => body_of(source).pointer(&format!("/properties/{member}")).is_some_and(is_set),
        None => source.state.get(attribute).is_some_and(is_set),
    });
    Some((state, private))
}

fn is_set(value: &Json) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// The body of an azapi_resource, which its old releases have as a text.
fn body_of(source: &MoveSource) -> Json {
    match source.state.get("body") {
        Some(Json::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(body) => body.clone(),
        None => Json::Null,
    }
}
