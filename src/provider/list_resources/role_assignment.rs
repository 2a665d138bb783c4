//! The list of role assignments: those directly on one scope, or on the storage accounts of all hubs.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    future::ready,
    sync::Arc,
};

use futures_util::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{LISTING, skipped};
use crate::{
    arm::{
        self, ArmId, Call, Dated, Item, List, Read, ResourceGroupName, StorageAccountId, SubscriptionId, WorkspaceId,
        role_assignments::RoleAssignment,
        workspaces::{Workspace, WorkspaceKind},
    },
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Type,
        context::Context,
        list_resource::{ListRequest, ListResource, Listed, Objects},
        resource::Resource,
        schema::{Attribute, Block},
    },
    provider::{
        Session, hub,
        principal::PrincipalId,
        report,
        resources::role_assignment::{Group, Pairs, PlatformAssignments, RoleAssignment as RoleAssignmentResource},
    },
};

pub(crate) struct RoleAssignments;

type State = <RoleAssignmentResource as Resource>::State;

#[derive(Debug, Deserialize)]
pub(crate) struct Config {
    subscription_id: Attr<SubscriptionId>,
    resource_group_name: Attr<ResourceGroupName>,
    hub_id: Attr<WorkspaceId>,
    storage_account_id: Attr<StorageAccountId>,
    scope: Attr<ArmId>,
    principal_id: Attr<PrincipalId>,
}

const DESCRIPTION: &str = "Finds role assignments that `foundryhub_role_assignment` can manage: those directly on the storage account of a hub, on any other scope, or on the storage accounts of all hubs of a subscription or resource group.

The two roles of `access = \"contributor\"` or `\"reader\"` that one principal holds on a scope are one result; every other \
assignment is one of its own. Inherited assignments are left out, and so are those that the platform creates for a hub's \
system-assigned identity, which must not be managed.

Generated configuration names the storage account, or else the scope.";

impl ListResource for RoleAssignments {
    type Resource = RoleAssignmentResource;
    type Config = Config;

    fn resource(&self) -> RoleAssignmentResource {
        RoleAssignmentResource
    }

    fn schema(&self) -> Block {
        let text = |name, description| Attribute::optional(name, Type::String, description);
        let attributes = vec![
            text("subscription_id", "GUID of a subscription, of whose hubs the storage accounts are looked at. That of the provider block if neither this nor a scope is set.")
                .parsed::<SubscriptionId>(),
            text("resource_group_name", "Name of a resource group, to whose hubs the list is limited. Their storage accounts may be elsewhere.")
                .parsed::<ResourceGroupName>(),
            text("hub_id", "ARM id of a hub, whose storage account is looked at. At most one of `hub_id`, `storage_account_id` and `scope` may be set.")
                .parsed::<WorkspaceId>(),
            text("storage_account_id", "ARM id of the storage account to look at.").parsed::<StorageAccountId>(),
            text("scope", "ARM id of the scope to look at: a resource, resource group, subscription or management group.")
                .parsed::<ArmId>(),
            text("principal_id", "Object id of the only principal to look for.").parsed::<PrincipalId>(),
        ];
        Block { description: DESCRIPTION, attributes, blocks: Vec::new() }
    }

    fn validate(&self, config: &Config) -> Diagnostics {
        let targets = [
            ("hub_id", config.hub_id.presence()),
            ("storage_account_id", config.storage_account_id.presence()),
            ("scope", config.scope.presence()),
        ];
        let set: Vec<_> =
            targets.into_iter().filter(|(_, set)| *set == Attr::Known(())).map(|(name, _)| name).collect();
        let places = [
            ("subscription_id", config.subscription_id.presence()),
            ("resource_group_name", config.resource_group_name.presence()),
        ];
        let [first, others @ ..] = &set[..] else { return Diagnostics::default() };
        let places = places.into_iter().filter(|(_, set)| *set == Attr::Known(())).map(|(name, _)| name);
        let superfluous = others.iter().copied().chain(places).map(|other| {
            let detail = format!("{first} says where to look. Remove it or {other}.");
            Diagnostic::error(format!("{first} and {other} are set"), detail).at(Path::root(other))
        });
        superfluous.collect()
    }

    fn list(
        &self,
        context: Context<Session>,
        ListRequest { config, include_object }: ListRequest<Config>,
    ) -> Objects<State> {
        let Some(session) = context.client else {
            return stream::once(ready(Err(report::unconfigured().into()))).boxed();
        };
        let call = Call::new(context.cancel, LISTING);
        let search = async move {
            let search = Search::begin(session.clone(), call.clone(), &config).await?;
            let chunks = stream::unfold(search, |mut search| async move { Some((search.chunk().await?, search)) });
            let listed = move |found| listed(session.clone(), call.clone(), include_object, found);
            Ok::<_, Diagnostics>(chunks.flat_map(stream::iter).then(listed))
        };
        stream::once(search).try_flatten().boxed()
    }
}

/// An object, or what there is to say about one that is left out.
type Found = Result<Group, Diagnostics>;

/// A list in progress.
struct Search {
    session: Arc<Session>,
    call: Call,
    scopes: HashSet<String>,
    pages: BoxStream<'static, Result<Dated<Vec<Item<RoleAssignment>>>, Diagnostic>>,
    /// What the platform assigns, by the subscription of the account in lower case, once it matters.
    platform: HashMap<String, PlatformAssignments>,
    /// `None` once all pages have been read.
    pairs: Option<Pairs>,
    /// What is found and not yet given out.
    found: Vec<Found>,
}

impl Search {
    async fn begin(session: Arc<Session>, call: Call, config: &Config) -> Result<Self, Diagnostic> {
        let principal = config.principal_id.text().and_then(|id| Uuid::try_parse(id).ok());
        let (mut platform, mut found, mut scopes) = (HashMap::new(), Vec::new(), HashSet::new());
        // Where to ask, and for what is at and above it, or also for what is below it.
        let mut places = Vec::new();
        if let Some(scope) = target(&session, &call, config).await? {
            scopes.insert(scope.key());
            places.push((scope.clone(), RoleAssignment::at_scope(&scope)));
        } else {
            let subscription = match config.subscription_id.known() {
                Some(subscription) => subscription.clone(),
                None => session.subscription_to_read(&call).await?,
            };
            let all = workspaces(&session, subscription.as_str(), &call).await?;
            let known = PlatformAssignments::of(readable(&all.value));
            platform.insert(subscription.as_str().to_lowercase(), known);
            // The subscription of the account may be another than the hub's.
            let mut subscriptions = BTreeSet::new();
            for item in &all.value {
                match account_of(item, config.resource_group_name.known()) {
                    Ok(None) => {}
                    Ok(Some(account)) => {
                        subscriptions.insert(account.subscription().to_lowercase());
                        scopes.insert(account.arm().key());
                    }
                    Err(unreadable) => found.push(Err(skipped(unreadable))),
                }
            }
            let subscriptions = subscriptions.iter().filter_map(|id| ArmId::subscription_scope(id).ok());
            places.extend(subscriptions.map(|scope| (scope.clone(), List::below(&scope))));
        }
        let pages = {
            let (session, call) = (session.clone(), call.clone());
            let pages = move |(scope, list): (ArmId, List<RoleAssignment>)| {
                let list = match principal {
                    Some(principal) => RoleAssignment::of_principal(&scope, principal),
                    None => list,
                };
                session.arm.pages(list.items(), &call).map_err(move |error| not_listed(&scope, &error))
            };
            stream::iter(places).flat_map(pages).boxed()
        };
        Ok(Self { session, call, scopes, pages, platform, pairs: Some(Pairs::default()), found })
    }

    /// The objects of the next page, and after the last one those that wait for the other half of a pair.
    async fn chunk(&mut self) -> Option<Vec<Found>> {
        let pairs = self.pairs.as_mut()?;
        match self.pages.next().await {
            None => {
                self.found.extend(std::mem::take(pairs).rest().map(Ok));
                self.pairs = None;
            }
            Some(Ok(page)) => {
                for item in page.value {
                    self.add(item).await;
                }
            }
            Some(Err(error)) => {
                self.found.push(Err(error.into()));
                self.pairs = None;
            }
        }
        Some(std::mem::take(&mut self.found))
    }

    async fn add(&mut self, item: Item<RoleAssignment>) {
        let found = match item {
            Item::Readable(found) => found,
            Item::Unreadable { id, why } => return self.found.push(Err(skipped(not_readable(&id, &why)))),
        };
        let scope = ArmId::parse(&found.properties.scope).ok().filter(|scope| self.scopes.contains(&scope.key()));
        let Some(scope) = scope else { return };
        if PlatformAssignments::may_have(&found, &scope) && self.platform_at(&scope).await.has(&found, &scope) {
            return;
        }
        let id = found.id.clone();
        let added = self.pairs.as_mut().map(|pairs| pairs.add(found));
        match added {
            Some(Ok(groups)) => self.found.extend(groups.into_iter().map(Ok)),
            Some(Err(why)) => self.found.push(Err(skipped(not_readable(&id, &why)))),
            None => {}
        }
    }

    /// What the platform assigns in the subscription of an account. The workspaces are read when it first matters.
    async fn platform_at(&mut self, account: &ArmId) -> &PlatformAssignments {
        let subscription = account.subscription().unwrap_or_default().to_lowercase();
        if !self.platform.contains_key(&subscription) {
            let platform = match workspaces(&self.session, &subscription, &self.call).await {
                Ok(all) => PlatformAssignments::of(readable(&all.value)),
                Err(error) => {
                    self.found.push(Err(skipped(platform_unknown(error))));
                    PlatformAssignments::default()
                }
            };
            self.platform.insert(subscription.clone(), platform);
        }
        &self.platform[&subscription]
    }
}

/// What an engine gets of what was found.
async fn listed(
    session: Arc<Session>,
    call: Call,
    include_object: bool,
    found: Found,
) -> Result<Listed<State>, Diagnostics> {
    let group = found?;
    let display_name = group.display_name();
    let object = match include_object {
        true => group.object(&session, &call).await.map_err(skipped)?,
        false => group.named(),
    };
    Ok(Listed { display_name, object, warnings: Diagnostics::default() })
}

/// The scope that a configuration names.
async fn target(session: &Session, call: &Call, config: &Config) -> Result<Option<ArmId>, Diagnostic> {
    if let Some(id) = config.hub_id.known() {
        let found = hub::read(session, id, Read::Remembered, call).await.map_err(|error| error.diagnostic(id))?;
        return match hub::refused_project(id, &found) {
            Some(error) => Err(error),
            None => Ok(Some(hub::account_of(id, &found)?.into())),
        };
    }
    let account = config.storage_account_id.known().map(StorageAccountId::arm);
    Ok(account.or(config.scope.known()).map(ArmId::without_trailing_slash))
}

async fn workspaces(
    session: &Session,
    subscription: &str,
    call: &Call,
) -> Result<Arc<Dated<Vec<Item<Workspace>>>>, Diagnostic> {
    let list = List::in_subscription(subscription);
    session.arm.list(list, Read::Remembered, call).await.map_err(|error| {
        let scope = format!("/subscriptions/{subscription}");
        let action = "Microsoft.MachineLearningServices/workspaces/read";
        report::not_readable("Cannot list the hubs", &error, action, &scope, "Reader")
    })
}

fn readable(all: &[Item<Workspace>]) -> impl Iterator<Item = &Workspace> {
    all.iter().filter_map(|item| match item {
        Item::Readable(workspace) => Some(workspace),
        Item::Unreadable { .. } => None,
    })
}

/// The storage account of a hub in this resource group; `None` where the workspace is no such hub.
fn account_of(
    item: &Item<Workspace>,
    group: Option<&ResourceGroupName>,
) -> Result<Option<StorageAccountId>, Diagnostic> {
    let hub = match item {
        Item::Readable(hub) => hub,
        Item::Unreadable { id, why } => return Err(not_readable(id, why)),
    };
    if !matches!(hub.kind(), WorkspaceKind::Hub | WorkspaceKind::Default) {
        return Ok(None);
    }
    let id = WorkspaceId::parse(&hub.id).map_err(|error| not_readable(&hub.id, &error.to_string()))?;
    if group.is_some_and(|group| !group.as_str().eq_ignore_ascii_case(id.resource_group())) {
        return Ok(None);
    }
    let account = StorageAccountId::parse(&hub.properties.storage_account);
    account.map(Some).map_err(|error| not_readable(&hub.id, &error.to_string()))
}

fn not_readable(id: &str, why: &str) -> Diagnostic {
    let detail =
        format!("Azure lists {id:?} in a form that the provider does not understand: {why}. Please report this.");
    Diagnostic::warning("Something in the list cannot be read", detail)
}

fn not_listed(scope: &ArmId, error: &arm::Error) -> Diagnostic {
    let action = "Microsoft.Authorization/roleAssignments/read";
    report::not_readable("Cannot list the role assignments", error, action, scope.as_str(), "Reader")
}

fn platform_unknown(error: Diagnostic) -> Diagnostic {
    let detail = format!(
        "Which role assignments the platform has created for hubs is not known, so these are listed, too. They must not be \
         managed.\n\n{}",
        error.detail
    );
    Diagnostic { detail, ..error }
}
