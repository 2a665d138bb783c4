//! The scope of the role assignments.

use super::{schema::State, unresolved::Unresolved};
use uuid::Uuid;

use crate::{
    arm::{ArmId, Call, Read, StorageAccountId, subscriptions::Subscription, workspaces::Workspace},
    framework::{Attr, Diagnostic, Path, Summary},
    provider::{
        Session,
        hub::{self, HubError},
        report,
    },
};

#[derive(Debug, Default)]
pub(super) struct ResolvedScope {
    /// `None` while it cannot be known.
    pub(super) scope: Option<ArmId>,
    /// The hub, if it had to be read.
    pub(super) hub: Option<Workspace>,
}

/// Resolves the scope of a configured target. A hub is read only where `known`, a state or plan, does not have its account.
pub(super) async fn resolve(
    config: &State,
    known: Option<&State>,
    session: Option<&Session>,
    read: Read,
    call: &Call,
) -> Result<ResolvedScope, Unresolved> {
    let (given, open) = (given(config), is_open(config));
    let Some(hub_id) = config.hub_id.known() else {
        // An unknown hub may turn out to be null, and otherwise has to agree.
        return Ok(ResolvedScope { scope: given, hub: None });
    };
    if let Some(scope) = of_the_same_hub(config, known)
        && given.as_ref().is_none_or(|given| *given == scope)
        && !open
    {
        return Ok(ResolvedScope { scope: Some(scope), hub: None });
    }
    let Some(session) = session else { return Ok(ResolvedScope { scope: given, hub: None }) };
    let hub = match hub::read(session, hub_id, read, call).await {
        Ok(hub) => hub,
        Err(error @ HubError::Missing(_)) => return Err(Unresolved::Missing(error.diagnostic(hub_id))),
        Err(error) => {
            let is_forbidden = matches!(&error, HubError::NotReadable(error) if error.is_forbidden());
            let mut diagnostic = error.diagnostic(hub_id);
            if is_forbidden {
                diagnostic.detail.push_str("\n\nWith storage_account_id instead of hub_id the hub need not be read.");
            }
            return Err(Unresolved::Failed(diagnostic));
        }
    };
    if let Some(error) = hub::refused_project(hub_id, &hub) {
        return Err(Unresolved::Failed(error));
    }
    let account = hub::account_of(hub_id, &hub).map_err(Unresolved::Failed)?.arm().clone();
    if let Some(given) = &given
        && *given != account
    {
        let name = if config.storage_account_id.is_null() { "scope" } else { "storage_account_id" };
        let detail = format!(
            "The storage account of {hub_id} is {account}, and {name} is {given}. Remove one of them, or make them agree."
        );
        return Err(Unresolved::Failed(Diagnostic::error("The scope is named twice", detail).at(Path::root(name))));
    }
    Ok(ResolvedScope { scope: Some(given.unwrap_or(account)), hub: Some(hub) })
}

/// The scope as far as it follows from the configuration and the prior object, without reading the hub.
pub(super) fn shown(config: &State, prior: Option<&State>) -> Option<ArmId> {
    let given = given(config);
    if given.is_some() || is_open(config) { given } else { of_the_same_hub(config, prior) }
}

/// The scope that a configuration sets.
fn given(config: &State) -> Option<ArmId> {
    let named = config.storage_account_id.known().map(StorageAccountId::arm).or(config.scope.known());
    named.map(ArmId::without_trailing_slash)
}

/// Whether a scope may still turn out to be set.
fn is_open(config: &State) -> bool {
    config.storage_account_id.is_unknown() || config.scope.is_unknown()
}

/// The scope in `known`, a plan or state, if that has the configured hub.
fn of_the_same_hub(config: &State, known: Option<&State>) -> Option<ArmId> {
    known.filter(|known| known.hub_id.known() == config.hub_id.known())?.assigned_at()
}

/// Fills the scope into a plan. What is configured stays, and so does a spelling that means the same.
pub(super) fn fill(planned: &mut State, config: &State, scope: Option<&ArmId>) {
    if config.scope.is_null() && (scope.is_none() || planned.scope.known() != scope) {
        planned.scope = scope.map_or(Attr::Unknown, |scope| scope.clone().into());
    }
    if !config.storage_account_id.is_null() {
        return;
    }
    match scope.map(StorageAccountId::try_from) {
        Some(Err(_)) => planned.storage_account_id = Attr::Null,
        Some(Ok(account)) if planned.storage_account_id.known() == Some(&account) => {}
        Some(Ok(account)) => planned.storage_account_id = account.into(),
        None => planned.storage_account_id = Attr::Unknown,
    }
}

/// The tenant of the scope's subscription, by which an assignment with a delegated managed identity is found again.
pub(super) async fn tenant_of(session: &Session, scope: &ArmId, call: &Call) -> Result<Option<Uuid>, Diagnostic> {
    let subscription = scope.subscription().and_then(|subscription| ArmId::subscription_scope(subscription).ok());
    let Some(subscription) = subscription else { return Ok(None) };
    let found = session.arm.get::<Subscription>(&subscription, Read::Fresh, call).await.map_err(|error| {
        let why = "Reader allows it. An assignment made with delegated_managed_identity_resource_id is found again only by the \
                   tenant of its subscription.";
        let action = "Microsoft.Resources/subscriptions/read";
        report::not_readable(Summary("Cannot read the subscription"), &error, action, subscription.as_str(), why)
    })?;
    Ok(Uuid::try_parse(&found.tenant_id).ok())
}
