//! Deleting: not while the hub has projects, unless that is asked for, and until Azure does not find it any more.

use super::{explain, schema::State};
use crate::{
    arm::{Call, Read, WorkspaceId},
    framework::{
        Diagnostics, Private,
        resource::Outcome,
        walk::{Fate, Succession},
    },
    provider::{
        Session,
        hub::{self, HubError},
        walk_keys::hub_key,
    },
};

pub(super) async fn delete(
    session: &Session,
    call: &Call,
    id: &WorkspaceId,
    prior: State,
    private: Private,
    succession: &Succession,
) -> Outcome<State> {
    let _lock = match session.lock(id.arm(), call).await {
        Ok(lock) => lock,
        Err(error) => return Outcome::kept(prior, private, explain::not_locked(&error)),
    };
    match succession.fate(&hub_key(id)) {
        Fate::Keep | Fate::Succeeded => return Outcome::none(explain::kept_for_another(id)),
        // A replacement of the same name needs the old hub out of its way.
        Fate::Undo | Fate::HandOver => {}
    }
    let force = prior.force_destroy.known() == Some(&true);
    let purge = prior.purge_on_destroy.known() == Some(&true);
    let was = match hub::read_twice_if_missing(session, id, Read::Fresh, call).await {
        // Somebody else's deletion has kept its name.
        Err(HubError::Missing(_)) if purge => None,
        Err(HubError::Missing(_)) => return Outcome::none(Diagnostics::default()),
        Err(HubError::NotReadable(error)) => return Outcome::kept(prior, private, hub::not_readable(id, &error)),
        Ok(hub) => {
            let projects = &hub.properties.associated_workspaces;
            if let Some(error) = explain::not_a_hub(id, &hub) {
                return Outcome::kept(prior, private, error);
            }
            if !force && !projects.is_empty() {
                return Outcome::kept(prior, private, explain::has_projects(id, projects));
            }
            hub.properties.workspace_id
        }
    };
    match session.arm.delete_workspace(id, was.as_deref(), purge, call).await {
        Ok(_) => Outcome::none(Diagnostics::default()),
        Err(error) => Outcome::kept(prior, private, explain::not_deleted(id, &error)),
    }
}
