//! Reading: what hub and account are now.

use super::{
    explain, missing_hub,
    own_values::OwnValues,
    schema::State,
    set_state::{set_all, set_computed},
};
use crate::{
    arm::{Call, Read, StorageAccountId, WorkspaceId, workspaces::Workspace},
    framework::{Diagnostics, Private, resource::Outcome},
    provider::{
        Session,
        hub::{self, Account, HubAndAccount, HubError, ReadError},
        properties::PropertyAttributes,
    },
};

pub(super) async fn read(
    session: &Session,
    call: &Call,
    hub: &WorkspaceId,
    mut state: State,
    mut private: Private,
) -> Outcome<State> {
    let (account, keys) = (&state.storage_account_id, &state.shared_access_key_enabled);
    hub::spare_reads(session, hub, |found| is_as(&state, found), account, keys, call).await;
    let known = state.storage_account_id.known().cloned();
    let mut diagnostics = Diagnostics::default();
    let current = match HubAndAccount::read(session, hub, known.clone(), Read::Remembered, call).await {
        Ok(current) => current,
        Err(ReadError::Hub(HubError::Missing(_), _)) => {
            return missing_hub::read(session, call, hub, state, private).await;
        }
        Err(ReadError::Hub(error, _)) => return Outcome::kept(state, private, error.diagnostic(hub)),
        Err(ReadError::Account(error)) => return Outcome::kept(state, private, error),
    };
    if let Some(known) = known.filter(|known| *known != current.account_id) {
        diagnostics.push(explain::another_account(hub, &known, &current.account_id));
        state.original = PropertyAttributes::default().into();
        OwnValues::default().save(&mut private);
    } else if is_recreated(&state, &current) {
        diagnostics.extend(missing_hub::forget_original_mode(&mut state, &mut private, hub));
    }
    match &current.account {
        Account::Found(_) => {}
        Account::Missing(_) => diagnostics.push(explain::account_missing(&current.account_id)),
        Account::NotReadable(error) => diagnostics.push(hub::account_unobserved(&current.account_id, error)),
    }
    set_all(&mut state, &current);
    Outcome { state: Some(state), private, diagnostics }
}

/// Whether the hub has nothing else than the state.
fn is_as(state: &State, hub: &Workspace) -> bool {
    let Ok(account) = StorageAccountId::parse(&hub.properties.storage_account) else { return false };
    let mut now = State {
        system_datastores_auth_mode: hub.properties.system_datastores_auth_mode.clone().into(),
        ..state.clone()
    };
    set_computed(&mut now, hub, &account);
    now == *state
}

/// Whether the hub was recreated: a hub keeps its system-assigned identity as long as it exists.
fn is_recreated(state: &State, current: &HubAndAccount) -> bool {
    let known = state.hub_principal_id.text().zip(current.hub.system_principal_id());
    known.is_some_and(|(known, now)| !known.eq_ignore_ascii_case(now))
}
