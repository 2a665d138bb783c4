//! Reading: what hub and account are now.

use super::{explain, schema::State};
use crate::{
    arm::{Call, Error, Read, StorageAccountId, WorkspaceId, storage_accounts::StorageAccount, workspaces::Workspace},
    framework::{Attr, Diagnostic, Diagnostics, Path, Private, resource::Outcome, walk::Walk},
    provider::{Session, claims, hub},
};

pub(super) async fn read(
    session: &Session,
    walk: &Walk,
    call: &Call,
    id: &WorkspaceId,
    mut state: State,
    private: Private,
) -> Outcome<State> {
    let hub = match session.arm.get::<Workspace>(id, Read::Remembered, call).await {
        Ok(hub) => hub,
        Err(error) if error.is_not_found() => {
            claims::note_gone(walk, id);
            return Outcome { state: None, private: Private::default(), diagnostics: Diagnostics::default() };
        }
        Err(error) => {
            let error = explain::not_readable(id, &error);
            return Outcome { state: Some(state), private, diagnostics: error.into() };
        }
    };
    if let Some(error) = explain::not_a_hub(id, &hub) {
        return Outcome { state: Some(state), private, diagnostics: error.into() };
    }
    state.set_service(id, &hub);
    let diagnostics = read_keys(session, call, &mut state, Read::Remembered).await;
    Outcome { state: Some(state), private, diagnostics }
}

/// Sets whether the hub's account accepts shared keys. Where that cannot be read, what was known before stays.
pub(super) async fn read_keys(session: &Session, call: &Call, state: &mut State, read: Read) -> Diagnostics {
    let Some(account) = state.storage_account_id.known().cloned() else { return Diagnostics::default() };
    let keys = &mut state.shared_access_key_enabled;
    match session.arm.get::<StorageAccount>(&account, read, call).await {
        Ok(found) => {
            *keys = found.shared_key_enabled().into();
            Diagnostics::default()
        }
        Err(error) => {
            let known = keys.known().is_some();
            if !known {
                *keys = Attr::Null;
            }
            // A caller who may not read the account has nothing to lose where nothing was known of it.
            if known || !error.is_forbidden() { not_read(&account, &error).into() } else { Diagnostics::default() }
        }
    }
}

fn not_read(account: &StorageAccountId, error: &Error) -> Diagnostic {
    let reason = hub::account_not_readable(account, error);
    let detail =
        format!("Whether shared keys are enabled is not known, and a change goes unnoticed.\n\n{}", reason.detail);
    let warning = Diagnostic::warning("Cannot read the storage account", detail);
    Diagnostic { of_provider: reason.of_provider, ..warning }.at(Path::root("shared_access_key_enabled"))
}
