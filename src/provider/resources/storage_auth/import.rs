//! Imports by the hub's id or identity, and moves from another provider's state.

use super::schema::{Identity, State};
use crate::{
    arm::{Call, Read, WorkspaceId},
    framework::{
        Diagnostic,
        resource::{ImportTarget, MoveSource},
    },
    provider::{Session, hub},
};

/// The object of a hub, which the engine reads next, from the same answer.
pub(super) async fn import(
    session: &Session,
    call: &Call,
    target: ImportTarget<Identity>,
) -> Result<State, Diagnostic> {
    let text = match target {
        ImportTarget::Id(text) => text,
        ImportTarget::Identity(identity) => identity.hub_id,
    };
    let hub = WorkspaceId::parse(&text)
        .map_err(|error| Diagnostic::error("Nothing can be imported by this id", format!("{error}.")))?;
    let found = hub::read(session, &hub, Read::Remembered, call).await.map_err(|error| error.diagnostic(&hub))?;
    match hub::refused_kind(&hub, &found) {
        Some(error) => Err(error),
        None => Ok(State::unread(&hub)),
    }
}

/// The state of an azapi_update_resource of a hub, as ours. The read that follows fills in what it has set; nothing tells what
/// was there before.
pub(super) fn move_state(source: &MoveSource) -> Option<State> {
    let text = |name: &str| source.state.get(name).and_then(serde_json::Value::as_str);
    let (resource_type, _) = text("type")?.split_once('@')?;
    let is_azapi = source.provider_address.to_lowercase().ends_with("/azure/azapi");
    let is_hub = resource_type.eq_ignore_ascii_case(WorkspaceId::RESOURCE_TYPE);
    if !is_azapi || source.type_name != "azapi_update_resource" || !is_hub {
        return None;
    }
    let hub = text("resource_id").or_else(|| text("id")).and_then(|id| WorkspaceId::parse(id).ok());
    hub.map(|hub| State::unread(&hub))
}
