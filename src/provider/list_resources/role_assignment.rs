//! The list of role assignments: those directly on one scope, or on the storage accounts of all hubs.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
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
        self, ArmId, Call, Dated, Item, List, Read, ResourceGroupName, RoleAssignmentId, StorageAccountId,
        SubscriptionId, WorkspaceId,
        role_assignments::RoleAssignment,
        workspaces::{Workspace, WorkspaceKind},
    },
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Summary, Type,
        context::Context,
        list_resource::{ListRequest, ListResource, Listed, Objects},
        resource::Resource,
        schema::{Attribute, Block},
    },
    provider::{
        Session, hub,
        hubs::{self, Place},
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
            Diagnostic::error("The place to look in is named twice", detail).at(Path::root(other))
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
    scopes: HashSet<ArmId>,
    pages: Pages,
    platform: Platform,
    /// `None` once all pages have been read.
    pairs: Option<Pairs>,
    /// What is found and not yet given out.
    found: Vec<Found>,
}

/// What the platform assigns, as far as it is known.
#[derive(Debug, Default)]
struct Platform {
    assignments: PlatformAssignments,
    /// The subscriptions whose workspaces are among them, in lower case.
    subscriptions: HashSet<String>,
}

impl Search {
    async fn begin(session: Arc<Session>, call: Call, config: &Config) -> Result<Self, Diagnostic> {
        let principal = config.principal_id.text().and_then(|id| Uuid::try_parse(id).ok());
        let (mut platform, mut found, mut scopes) = (Platform::default(), Vec::new(), HashSet::new());
        // Where to ask, and for what.
        let mut places = Vec::new();
        if let Some(scope) = target(&session, &call, config, &mut platform).await? {
            scopes.insert(scope.clone());
            places.push(Where::At(scope));
        } else {
            let subscription = session.subscription_to_read(&config.subscription_id, &call).await?;
            let place = Place {
                subscription: subscription.to_string(),
                resource_group: config.resource_group_name.text().map(str::to_owned),
            };
            let all = session.arm.list(place.list().items(), Read::Remembered, &call).await;
            let all = all.map_err(|error| hubs::not_listed(&error, &place))?;
            platform.assignments.add(readable(&all.value));
            if place.resource_group.is_none() {
                platform.subscriptions.insert(place.subscription.to_lowercase());
            }
            // The subscription of an account may be another than the hub's.
            let mut accounts: BTreeMap<String, BTreeSet<ArmId>> = BTreeMap::new();
            for item in &all.value {
                match account_of(item) {
                    Ok(None) => {}
                    Ok(Some(account)) => {
                        scopes.insert(account.arm().clone());
                        accounts.entry(account.subscription().to_lowercase()).or_default().insert(account.into());
                    }
                    Err(unreadable) => found.push(Err(skipped(unreadable))),
                }
            }
            let by_subscription = accounts.into_iter().filter_map(|(id, accounts)| {
                Some(Where::Below(ArmId::subscription_scope(&id).ok()?, accounts.into_iter().collect()))
            });
            places.extend(by_subscription);
        }
        let pages = {
            let (session, call) = (session.clone(), call.clone());
            stream::iter(places).flat_map(move |place| place.pages(&session, &call, principal)).boxed()
        };
        Ok(Self { session, call, scopes, pages, platform, pairs: Some(Pairs::default()), found })
    }

    /// The objects of the next page, and after the last one those that wait for the other half of a pair.
    async fn chunk(&mut self) -> Option<Vec<Found>> {
        let mut pairs = self.pairs.take()?;
        match self.pages.next().await {
            None => self.found.extend(pairs.rest().map(Ok)),
            Some(Ok(page)) => match self.add(page.value, &mut pairs).await {
                Ok(()) => self.pairs = Some(pairs),
                Err(error) => self.found.push(Err(error.into())),
            },
            Some(Err(error)) => self.found.push(Err(error.into())),
        }
        Some(std::mem::take(&mut self.found))
    }

    async fn add(&mut self, page: Vec<Item<RoleAssignment>>, pairs: &mut Pairs) -> Result<(), Diagnostic> {
        for item in page {
            let (id, found) = match on(&self.scopes, item) {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(unreadable) => {
                    self.found.push(Err(skipped(unreadable)));
                    continue;
                }
            };
            if self.is_platforms(&found, &id.scope).await? {
                continue;
            }
            match pairs.add(id, found) {
                Ok(groups) => self.found.extend(groups.into_iter().map(Ok)),
                Err((id, why)) => self.found.push(Err(skipped(not_readable(&id, &why)))),
            }
        }
        Ok(())
    }

    /// Whether the platform has made an assignment. The workspaces of the account's subscription are read when that first
    /// matters.
    async fn is_platforms(&mut self, found: &RoleAssignment, scope: &ArmId) -> Result<bool, Diagnostic> {
        if !PlatformAssignments::may_have(found, scope) {
            return Ok(false);
        }
        if self.platform.assignments.has(found, scope) {
            return Ok(true);
        }
        let subscription = scope.subscription().unwrap_or_default().to_lowercase();
        if self.platform.subscriptions.contains(&subscription) {
            return Ok(false);
        }
        let list = List::<Workspace>::in_subscription(&subscription).items();
        match self.session.arm.list(list, Read::Remembered, &self.call).await {
            Ok(all) => self.platform.assignments.add(readable(&all.value)),
            Err(error) if error.is_forbidden() => {
                self.found.push(Err(skipped(platform_unknown(&subscription, &error))));
            }
            Err(error) => return Err(hubs_not_listed(&subscription, &error)),
        }
        self.platform.subscriptions.insert(subscription);
        Ok(self.platform.assignments.has(found, scope))
    }
}

/// An assignment directly on one of these scopes, with its id; `None` for one that is elsewhere.
fn on(
    scopes: &HashSet<ArmId>,
    item: Item<RoleAssignment>,
) -> Result<Option<(RoleAssignmentId, RoleAssignment)>, Diagnostic> {
    let found = match item {
        Item::Readable(found) => found,
        Item::Unreadable { id, why } => return Err(not_readable(&id, &why)),
    };
    let id = found.assignment_id().map_err(|error| not_readable(&found.id, &error.to_string()))?;
    Ok(scopes.contains(&id.scope).then_some((id, found)))
}

/// Where role assignments are listed.
enum Where {
    /// At a scope.
    At(ArmId),
    /// In a subscription, at these accounts of it.
    Below(ArmId, Vec<ArmId>),
}

type Pages = BoxStream<'static, Result<Dated<Vec<Item<RoleAssignment>>>, Diagnostic>>;

impl Where {
    fn pages(self, session: &Arc<Session>, call: &Call, principal: Option<Uuid>) -> Pages {
        let list = move |scope: &ArmId, all: List<RoleAssignment>| match principal {
            Some(principal) => RoleAssignment::of_principal(scope, principal),
            None => all,
        };
        match self {
            Self::At(scope) => {
                let list = list(&scope, RoleAssignment::at_scope(&scope));
                session.arm.pages(list.items(), call).map_err(move |error| not_listed(&scope, &error)).boxed()
            }
            Self::Below(subscription, accounts) => {
                let all = session.arm.pages(list(&subscription, List::below(&subscription)).items(), call);
                let (session, call) = (session.clone(), call.clone());
                let pages = all.flat_map(move |page| match page {
                    // Those on an account may be readable all the same.
                    Err(error) if error.is_forbidden() => {
                        let places = accounts.clone().into_iter().map(Self::At);
                        let (session, call) = (session.clone(), call.clone());
                        stream::iter(places).flat_map(move |place| place.pages(&session, &call, principal)).boxed()
                    }
                    page => {
                        let page = page.map_err(|error| not_listed(&subscription, &error));
                        stream::once(ready(page)).boxed()
                    }
                });
                pages.boxed()
            }
        }
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
    let object = match include_object {
        true => group.object(&session, &call).await.map_err(skipped)?,
        false => group.named(),
    };
    let display_name = group.display_name(&object);
    Ok(Listed { display_name, object, warnings: Diagnostics::default() })
}

/// The scope that a configuration names. What the platform assigns to a hub that is read for it is known then.
async fn target(
    session: &Session,
    call: &Call,
    config: &Config,
    platform: &mut Platform,
) -> Result<Option<ArmId>, Diagnostic> {
    if let Some(id) = config.hub_id.known() {
        let found = hub::read(session, id, Read::Remembered, call).await.map_err(|error| error.diagnostic(id))?;
        if let Some(error) = hub::refused_project(id, &found) {
            return Err(error);
        }
        platform.assignments.add([&found]);
        return Ok(Some(hub::account_of(id, &found)?.into()));
    }
    let account = config.storage_account_id.known().map(StorageAccountId::arm);
    Ok(account.or(config.scope.known()).map(ArmId::without_trailing_slash))
}

fn readable(all: &[Item<Workspace>]) -> impl Iterator<Item = &Workspace> {
    all.iter().filter_map(|item| match item {
        Item::Readable(workspace) => Some(workspace),
        Item::Unreadable { .. } => None,
    })
}

/// The storage account of a hub; `None` where the workspace is none.
fn account_of(item: &Item<Workspace>) -> Result<Option<StorageAccountId>, Diagnostic> {
    match item {
        Item::Unreadable { id, why } => Err(not_readable(id, why)),
        Item::Readable(hub) if matches!(hub.kind(), WorkspaceKind::Hub | WorkspaceKind::Default) => {
            let account = StorageAccountId::parse(&hub.properties.storage_account);
            account.map(Some).map_err(|error| not_readable(&hub.id, &error.to_string()))
        }
        Item::Readable(_) => Ok(None),
    }
}

fn not_readable(id: &str, why: &str) -> Diagnostic {
    let detail =
        format!("Azure lists {id:?} in a form that the provider does not understand: {why}. Please report this.");
    Diagnostic::warning("Something in the list cannot be read", detail)
}

fn not_listed(scope: &ArmId, error: &arm::Error) -> Diagnostic {
    let action = "Microsoft.Authorization/roleAssignments/read";
    report::not_readable(Summary("Cannot list the role assignments"), error, action, scope.as_str(), "Reader")
}

fn hubs_not_listed(subscription: &str, error: &arm::Error) -> Diagnostic {
    let scope = format!("/subscriptions/{subscription}");
    let action = "Microsoft.MachineLearningServices/workspaces/read";
    report::not_readable(Summary("Cannot list the hubs"), error, action, &scope, "Reader")
}

fn platform_unknown(subscription: &str, error: &arm::Error) -> Diagnostic {
    let error = hubs_not_listed(subscription, error);
    let detail = format!(
        "Which role assignments the platform has created for hubs is not known, so these are listed, too. They must not be \
         managed.\n\n{}",
        error.detail
    );
    Diagnostic { detail, ..error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ACCOUNT: &str = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/sa1";
    const NAME: &str = "0f000000-0000-4000-8000-000000000001";

    /// Whether an assignment with this id and `properties.scope` is on the account.
    fn is_on_account(id: &str, scope: Value) -> Result<bool, Diagnostic> {
        let scopes = HashSet::from([ArmId::parse(ACCOUNT).expect("an id")]);
        let item = json!({ "id": id, "name": NAME, "properties": { "scope": scope, "principalId": "p" } });
        Ok(on(&scopes, serde_json::from_value(item).expect("an item"))?.is_some())
    }

    fn at(scope: &str) -> String {
        format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{NAME}")
    }

    #[test]
    fn the_id_says_where_an_assignment_is() {
        for scope in [json!(null), json!(""), json!("?"), json!(ACCOUNT)] {
            for id in [at(ACCOUNT), at(&ACCOUNT.to_uppercase())] {
                assert_eq!(is_on_account(&id, scope.clone()).ok(), Some(true), "{id} {scope}");
            }
            for elsewhere in ["/subscriptions/11111111-2222-3333-4444-555555555555", &ACCOUNT.replace("sa1", "sa2")] {
                assert_eq!(is_on_account(&at(elsewhere), scope.clone()).ok(), Some(false), "{elsewhere} {scope}");
            }
        }
    }

    #[test]
    fn an_assignment_whose_id_cannot_be_read_is_told() {
        for id in ["", "?", ACCOUNT] {
            let told = is_on_account(id, json!(ACCOUNT)).expect_err(id);
            assert!(told.detail.contains(&format!("{id:?}")), "{}", told.detail);
        }
    }
}
