//! Lists hubs, page by page.

use futures_util::{Stream, StreamExt as _};

use super::{Session, report};
use crate::{
    arm::{
        self, Call, List, StorageAccountId, WorkspaceId,
        workspaces::{Workspace, WorkspaceKind},
    },
    framework::{Diagnostic, Path, Summary},
};

/// Where hubs are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The subscription's GUID.
    pub subscription: String,
    /// One resource group of it; all where there is none.
    pub resource_group: Option<String>,
}

impl Place {
    /// The list of its workspaces.
    pub(crate) fn list(&self) -> List<Workspace> {
        match &self.resource_group {
            Some(group) => List::in_resource_group(&self.subscription, group),
            None => List::in_subscription(&self.subscription),
        }
    }
}

/// A hub of a list.
#[derive(Debug)]
pub(crate) struct ListedHub {
    pub id: WorkspaceId,
    /// Its storage account, where Azure names one.
    pub account: Option<StorageAccountId>,
    pub hub: Workspace,
}

/// The hubs of a page, in Azure's order. One that cannot be read is an error in its place.
pub(crate) type Page = Vec<Result<ListedHub, Diagnostic>>;

/// The workspaces of these kinds. A page is requested when the stream is polled for it, so that whoever has enough drops the
/// stream and nothing more is read. An error ends it.
pub(crate) fn pages(
    session: &Session,
    place: Place,
    kinds: &[WorkspaceKind],
    call: &Call,
) -> impl Stream<Item = Result<Page, Diagnostic>> + Send + use<> {
    let kinds = kinds.to_vec();
    let pages = session.arm.pages(Workspace::of_kinds(place.list().items(), &kinds), call);
    pages.map(move |page| match page {
        Ok(page) => Ok(page.value.into_iter().filter_map(|item| listed(item, &kinds)).collect()),
        Err(error) => Err(not_listed(&error, &place)),
    })
}

/// What an item of the list is; `None` for a workspace of another kind, since older api-versions answer with all.
fn listed(item: arm::Item<Workspace>, kinds: &[WorkspaceKind]) -> Option<Result<ListedHub, Diagnostic>> {
    let hub = match item {
        arm::Item::Readable(hub) => hub,
        arm::Item::Unreadable { id, why } => return Some(Err(not_readable(&id, &why))),
    };
    if !kinds.contains(&hub.kind()) {
        return None;
    }
    Some(match WorkspaceId::parse(&hub.id) {
        Ok(id) => Ok(ListedHub { id, account: StorageAccountId::parse(&hub.properties.storage_account).ok(), hub }),
        Err(error) => Err(not_readable(&hub.id, &error.to_string())),
    })
}

fn not_readable(id: &str, why: &str) -> Diagnostic {
    let id = if id.is_empty() { "a workspace without an id" } else { id };
    let detail =
        format!("Azure lists {id} in a form that the provider does not understand: {why}. Please report this.");
    Diagnostic::error("A hub of the list cannot be read", detail)
}

/// Why the hubs of a place could not be listed.
pub(crate) fn not_listed(error: &arm::Error, place: &Place) -> Diagnostic {
    let Place { subscription, resource_group } = place;
    let (scope, attribute) = match resource_group {
        Some(group) => (format!("/subscriptions/{subscription}/resourceGroups/{group}"), "resource_group_name"),
        None => (format!("/subscriptions/{subscription}"), "subscription_id"),
    };
    if error.is_not_found() || error.code() == Some(&arm::ErrorCode::SubscriptionNotFound) {
        let told =
            report::explain(error, "Check subscription_id and resource_group_name, and the tenant of the sign-in.");
        let detail = format!("There is no {scope} to list hubs of.\n\n{told}");
        return Diagnostic::error("The place to list hubs in does not exist", detail).at(Path::root(attribute));
    }
    let action = "Microsoft.MachineLearningServices/workspaces/read";
    let roles = match resource_group {
        Some(_) => "Reader",
        None => {
            "The role Reader on the subscription allows it. Where the caller may only read a resource group, set \
                 resource_group_name."
        }
    };
    report::not_readable(Summary("Cannot list the hubs"), error, action, &scope, roles)
}
