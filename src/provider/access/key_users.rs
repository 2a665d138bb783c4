//! What needs the shared keys of an account beside the hubs on it: what is read to find it.

use std::collections::HashSet;

use futures_util::future::{BoxFuture, FutureExt as _, join};

use super::{
    Access, Finding, FindingCode, List,
    key_user::{KeyUser, Maker, StoredCredential},
    side_by_side::side_by_side,
};
use crate::arm::{
    self, ArmId, ErrorCode, Read,
    computes::Compute,
    connections::Connection,
    datastores::Datastore,
    storage_services::{Container, Share},
    workspaces::{Workspace, WorkspaceKind},
};

/// Whether computes count. They have files mounted until they are restarted, and Azure does not show whether they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Computes {
    Counted,
    LeftOut,
}

/// Which other hubs of the account are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OtherHubs {
    All,
    /// Those that no object of this run has looked at without a finding that stops it: hubs that share an account would each look
    /// at all others.
    NotSeen,
}

/// A workspace that may have key users.
#[derive(Clone, Debug)]
struct Place {
    id: ArmId,
    /// A project's hub; any other workspace itself.
    hub: ArmId,
}

/// What a key user is called, in lower case, together with its hub: the list of a project may repeat what is its hub's under
/// another id (azure.md §13.1 to §13.3).
type Called = (ArmId, FindingCode, String, String);

/// A key user in a list.
struct Listed {
    user: KeyUser,
    called: Called,
    of_project: bool,
}

impl Access<'_> {
    /// Datastores, connections and computes of all hubs on the account and of their projects, and containers and file shares of the
    /// account, that use keys of the account or may. A list that cannot be read is a finding, too.
    pub(super) async fn key_users(&self, read: Read, computes: Computes, others: OtherHubs) -> Vec<Finding> {
        let own = self.own_places();
        let of_account = || [self.containers(read).boxed(), self.shares(read).boxed()];
        let (in_own, (elsewhere, in_others)) =
            join(side_by_side(self.lists(&own, read, computes).chain(of_account()).collect()), async {
                let elsewhere = self.other_places(read, others).await;
                let lists = side_by_side(self.lists(&elsewhere, read, computes).collect()).await;
                (elsewhere, lists)
            })
            .await;
        let (mut listed, mut findings) = (Vec::new(), Vec::new());
        for list in in_own.into_iter().chain(in_others) {
            match list {
                Ok(mut list) => listed.append(&mut list),
                Err(not_readable) => findings.push(not_readable),
            }
        }
        let of_hubs: HashSet<_> = listed.iter().filter(|one| !one.of_project).map(|one| one.called.clone()).collect();
        listed.retain(|one| !one.of_project || !of_hubs.contains(&one.called));
        findings.extend(listed.into_iter().map(|one| Finding::UsesKeys(one.user)));
        if others == OtherHubs::NotSeen && !findings.iter().any(|finding| self.stops(finding)) {
            self.session.note_seen(own.into_iter().chain(elsewhere).map(|place| place.hub));
        }
        findings
    }

    /// The lists of workspaces, by their kinds.
    fn lists<'p>(
        &'p self,
        places: &'p [Place],
        read: Read,
        computes: Computes,
    ) -> impl Iterator<Item = BoxFuture<'p, Result<Vec<Listed>, Finding>>> {
        let datastores = places.iter().map(move |place| self.datastores_with_keys(place, read).boxed());
        let connections = places.iter().map(move |place| self.connections_with_keys(place, read).boxed());
        let counted = places.iter().filter(move |_| computes == Computes::Counted);
        datastores.chain(connections).chain(counted.map(move |place| self.computes_with_mounts(place, read).boxed()))
    }

    /// The hub and its projects.
    fn own_places(&self) -> Vec<Place> {
        let Some(hub) = self.hub else { return Vec::new() };
        let own = self.hub_id.arm();
        let projects = hub.properties.associated_workspaces.iter().filter_map(|id| ArmId::parse(id).ok());
        [own.clone()].into_iter().chain(projects).map(|id| Place { id, hub: own.clone() }).collect()
    }

    /// The other hubs on the account and their projects; none where workspaces cannot be listed, which is a finding of its own.
    async fn other_places(&self, read: Read, others: OtherHubs) -> Vec<Place> {
        let Ok(all) = self.workspaces(read).await else { return Vec::new() };
        let is_wanted =
            |id: &ArmId| id != self.hub_id.arm() && (others == OtherHubs::All || !self.session.has_seen(id));
        let on_account = all.on_account(self.account.arm()).filter(|other| other.kind() != WorkspaceKind::Project);
        let hubs: HashSet<ArmId> = on_account.filter_map(|hub| ArmId::parse(&hub.id).ok()).filter(is_wanted).collect();
        let place = |other: &Workspace| {
            let id = ArmId::parse(&other.id).ok()?;
            let of = other.properties.hub_resource_id.as_deref().and_then(|of| ArmId::parse(of).ok());
            let hub = of.unwrap_or_else(|| id.clone());
            hubs.contains(&hub).then_some(Place { id, hub })
        };
        all.value.iter().filter_map(place).collect()
    }

    async fn datastores_with_keys(&self, place: &Place, read: Read) -> Result<Vec<Listed>, Finding> {
        self.key_users_in(
            List::Datastores,
            place,
            read,
            |store: &Datastore| &store.name,
            |id, store| {
                let credential = stored(store.uses_account_key(), store.uses_sas())?;
                let is_found = !store.is_system() && store.is_on(self.account.name());
                is_found.then(|| (KeyUser::Datastore { id, credential }, store.place().to_owned()))
            },
        )
        .await
    }

    async fn connections_with_keys(&self, place: &Place, read: Read) -> Result<Vec<Listed>, Finding> {
        self.key_users_in(
            List::Connections,
            place,
            read,
            |connection: &Connection| &connection.name,
            |id, connection| {
                let credential = stored(connection.uses_key(), connection.uses_sas())?;
                let is_found = connection.is_to(self.account.name());
                is_found.then(|| (KeyUser::Connection { id, credential }, connection.properties.target.clone()))
            },
        )
        .await
    }

    async fn computes_with_mounts(&self, place: &Place, read: Read) -> Result<Vec<Listed>, Finding> {
        self.key_users_in(
            List::Computes,
            place,
            read,
            |compute: &Compute| &compute.name,
            |id, compute| {
                let kind = compute.kind()?;
                Some((KeyUser::Compute { id, kind }, compute.location.clone()))
            },
        )
        .await
    }

    async fn containers(&self, read: Read) -> Result<Vec<Listed>, Finding> {
        self.key_users_in(
            List::Containers,
            &self.of_account(),
            read,
            |container: &Container| &container.name,
            |id, container| {
                let made_by = Maker::of_container(&container.name)?;
                Some((KeyUser::Container { id, name: container.name.clone(), made_by }, String::new()))
            },
        )
        .await
    }

    async fn shares(&self, read: Read) -> Result<Vec<Listed>, Finding> {
        self.key_users_in(
            List::Shares,
            &self.of_account(),
            read,
            |share: &Share| &share.name,
            |id, share| {
                let made_by = Maker::of_share(&share.name).filter(|_| !share.is_nfs())?;
                Some((KeyUser::Container { id, name: share.name.clone(), made_by }, String::new()))
            },
        )
        .await
    }

    fn of_account(&self) -> Place {
        Place { id: self.account.arm().clone(), hub: self.account.arm().clone() }
    }

    /// The key users in a list. `key_user` gets the id of an item, and gives where it leads. A place that is gone has none, and
    /// neither has an account without the service.
    async fn key_users_in<T: arm::Resource>(
        &self,
        list: List,
        place: &Place,
        read: Read,
        name: fn(&T) -> &str,
        key_user: impl Fn(String, &T) -> Option<(KeyUser, String)>,
    ) -> Result<Vec<Listed>, Finding> {
        let listed = |item: &T| {
            let name = name(item);
            // Azure's own ids of these are not of one form.
            let id = place.id.path_below(&format!("{}/{name}", T::COLLECTION));
            let (user, at) = key_user(id, item)?;
            let called = (place.hub.clone(), FindingCode::of_key_user(&user), name.to_lowercase(), at.to_lowercase());
            Some(Listed { user, called, of_project: place.id != place.hub })
        };
        match self.session.arm.list::<T>(arm::List::below(&place.id), read, self.call).await {
            Ok(all) => Ok(all.value.iter().filter_map(listed).collect()),
            Err(error) if error.is_not_found() || error.code() == Some(&ErrorCode::FeatureNotSupportedForAccount) => {
                Ok(Vec::new())
            }
            Err(error) => Err(Finding::NotReadable { list, scope: place.id.to_string(), error }),
        }
    }
}

fn stored(key: bool, sas: bool) -> Option<StoredCredential> {
    match (key, sas) {
        (true, _) => Some(StoredCredential::Key),
        (_, true) => Some(StoredCredential::Sas),
        _ => None,
    }
}
