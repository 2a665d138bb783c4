//! Where the roles are held.

use super::{Fault, schema::State};
use crate::{
    arm::{ArmId, Call, Read, StorageAccountId, WorkspaceId, subscriptions::Subscription, workspaces::Workspace},
    framework::{Attr, Diagnostic, Path},
    provider::{
        Session,
        checks::same_id_attr,
        hub::{self, Unread},
        report,
    },
};

/// A target.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// Where the roles are held; `None` while that cannot be known.
    pub(super) scope: Option<ArmId>,
    /// The hub, if it had to be looked at.
    pub(super) hub: Option<Workspace>,
}

/// Finds the target of a configuration. A hub is looked at only where `known`, the state or plan so far, does not say
/// which account it has.
pub(super) async fn resolve(
    config: &State,
    known: Option<&State>,
    session: Option<&Session>,
    read: Read,
    call: &Call,
) -> Result<Target, Fault> {
    let (given, open) = (given(config), is_open(config));
    let Some(hub_text) = config.hub_id.text() else {
        // An unknown hub may turn out to be null, or has to agree in any case.
        return Ok(Target { scope: given, hub: None });
    };
    if let Some(scope) = of_the_same_hub(config, known)
        && given.as_ref().is_none_or(|given| *given == scope)
        && !open
    {
        return Ok(Target { scope: Some(scope), hub: None });
    }
    let (Some(session), Ok(hub_id)) = (session, WorkspaceId::parse(hub_text)) else {
        return Ok(Target { scope: given, hub: None });
    };
    let hub = match hub::read(session, &hub_id, read, call).await {
        Ok(hub) => hub,
        Err(unread @ Unread::Missing(_)) => return Err(Fault::Missing(unread.error(&hub_id))),
        Err(unread) => {
            let is_forbidden = matches!(&unread, Unread::Failed(error) if error.is_forbidden());
            let mut diagnostic = unread.error(&hub_id);
            if is_forbidden {
                diagnostic
                    .detail
                    .push_str("\n\nNaming storage_account_id instead of hub_id does without reading the hub.");
            }
            return Err(Fault::Failed(diagnostic));
        }
    };
    if let Some(error) = hub::refused_project(&hub_id, &hub) {
        return Err(Fault::Failed(error));
    }
    let account = hub::account_of(&hub_id, &hub).map_err(Fault::Failed)?.arm().clone();
    if let Some(given) = &given
        && *given != account
    {
        let name = if config.storage_account_id.is_null() { "scope" } else { "storage_account_id" };
        let detail = format!(
            "The storage account of {hub_text} is {account}, and {name} is {given}. Remove one of them, or make them agree."
        );
        return Err(Fault::Failed(Diagnostic::error("Two targets", detail).at(Path::root(name))));
    }
    Ok(Target { scope: Some(given.unwrap_or(account)), hub: Some(hub) })
}

/// The scope as far as it follows from the configuration and the prior object. Which account a hub has, only Azure knows.
pub(super) fn shown(config: &State, prior: Option<&State>) -> Option<ArmId> {
    let given = given(config);
    if given.is_some() || is_open(config) { given } else { of_the_same_hub(config, prior) }
}

/// The scope that a configuration names itself.
fn given(config: &State) -> Option<ArmId> {
    let id = |attr: &Attr<String>| attr.text().and_then(|text| ArmId::parse(text).ok());
    id(&config.storage_account_id).or_else(|| id(&config.scope))
}

/// Whether a scope may still turn out to be named.
fn is_open(config: &State) -> bool {
    config.storage_account_id.is_unknown() || config.scope.is_unknown()
}

/// Where `known`, a plan or state, holds the roles of the hub that a configuration names.
fn of_the_same_hub(config: &State, known: Option<&State>) -> Option<ArmId> {
    let known = known.filter(|known| same_id_attr(&known.hub_id, &config.hub_id))?;
    ArmId::parse(&known.held_on()?).ok()
}

/// Fills a plan with the target. What the configuration says stays, and so does a spelling that means the same.
pub(super) fn fill(planned: &mut State, config: &State, scope: Option<&ArmId>) {
    let fill = |place: &mut Attr<String>, config: &Attr<String>, id: Option<&ArmId>| {
        let kept = place.text().and_then(|text| ArmId::parse(text).ok());
        if config.is_null() && (kept.is_none() || kept.as_ref() != id) {
            *place = id.map_or(Attr::Unknown, |id| Attr::Known(id.as_str().to_owned()));
        }
    };
    fill(&mut planned.scope, &config.scope, scope);
    match scope {
        Some(scope) if StorageAccountId::try_from(scope).is_err() => {
            if config.storage_account_id.is_null() {
                planned.storage_account_id = Attr::Null;
            }
        }
        scope => fill(&mut planned.storage_account_id, &config.storage_account_id, scope),
    }
}

/// The tenant of the subscription that the scope lies in, by which an assignment that was made there through delegation
/// is found again.
pub(super) async fn tenant_of(session: &Session, scope: &ArmId, call: &Call) -> Result<Option<String>, Diagnostic> {
    let subscription = scope.subscription().and_then(|subscription| ArmId::subscription_scope(subscription).ok());
    let Some(subscription) = subscription else { return Ok(None) };
    let found = session.arm.get::<Subscription>(&subscription, Read::Fresh, call).await.map_err(|error| {
        let why = "Reader allows it. An assignment made with delegated_managed_identity_resource_id is found again only by the \
                   tenant of its subscription.";
        let next = report::lacks(&error, "Microsoft.Resources/subscriptions/read", subscription.as_str(), why);
        report::failure("Cannot read the subscription", &error, &next)
    })?;
    Ok(Some(found.tenant_id).filter(|tenant| uuid::Uuid::try_parse(tenant).is_ok()))
}
