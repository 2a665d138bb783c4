//! What needs the shared keys of an account beside the hubs on it: what is read to find it.

use std::collections::HashSet;

use futures_util::future::{BoxFuture, FutureExt as _};

use super::{
    Access, Finding, List,
    key_user::{KeyUser, Maker, StoredCredential},
    side_by_side::side_by_side,
};
use crate::arm::{
    self, ArmId, ErrorCode, Read,
    computes::Compute,
    connections::Connection,
    datastores::Datastore,
    storage_services::{Container, Share},
};

/// Whether computes count. They have files mounted until they are restarted, and Azure does not show whether they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Computes {
    Counted,
    LeftOut,
}

/// A name and a place in lower case, by which a key user of a hub is known again. The list of a project may repeat it under
/// another id (azure.md §13.1, §13.3).
type Called = (String, String);

/// A key user in a list.
struct Listed {
    user: KeyUser,
    called: Called,
    of_project: bool,
}

impl Access<'_> {
    /// Datastores, connections and computes of the hub and its projects, and containers and file shares of the account, that use
    /// keys of the account or may. A list that cannot be read is a finding, too.
    pub(super) async fn key_users(&self, read: Read, computes: Computes) -> Vec<Finding> {
        let projects = self.hub.iter().flat_map(|hub| &hub.properties.associated_workspaces);
        let projects = projects.filter_map(|id| ArmId::parse(id).ok());
        let hub = self.hub.map(|_| self.hub_id.arm().clone());
        let workspaces: Vec<ArmId> = hub.into_iter().chain(projects).collect();
        let of_each = || workspaces.iter().cloned();
        let mut lists: Vec<BoxFuture<'_, Result<Vec<Listed>, Finding>>> = Vec::new();
        lists.extend(of_each().map(|workspace| self.datastores_with_keys(workspace, read).boxed()));
        lists.extend(of_each().map(|workspace| self.connections_with_keys(workspace, read).boxed()));
        if computes == Computes::Counted {
            lists.extend(of_each().map(|workspace| self.computes_with_mounts(workspace, read).boxed()));
        }
        lists.push(self.containers(read).boxed());
        lists.push(self.shares(read).boxed());
        let (mut listed, mut findings) = (Vec::new(), Vec::new());
        for list in side_by_side(lists).await {
            match list {
                Ok(mut list) => listed.append(&mut list),
                Err(not_readable) => findings.push(not_readable),
            }
        }
        let of_hub: HashSet<_> = listed.iter().filter(|one| !one.of_project).map(|one| one.called.clone()).collect();
        listed.retain(|one| !one.of_project || !of_hub.contains(&one.called));
        findings.extend(listed.into_iter().map(|one| Finding::UsesKeys(one.user)));
        findings
    }

    async fn datastores_with_keys(&self, workspace: ArmId, read: Read) -> Result<Vec<Listed>, Finding> {
        let key_user = |store: &Datastore| {
            let credential = stored(store.uses_account_key(), store.uses_sas())?;
            let is_found = !store.is_system() && store.is_on(self.account.name());
            is_found
                .then(|| (KeyUser::Datastore { id: store.id.clone(), credential }, called(&store.name, store.place())))
        };
        self.listed(List::Datastores, &workspace, read, key_user).await
    }

    async fn connections_with_keys(&self, workspace: ArmId, read: Read) -> Result<Vec<Listed>, Finding> {
        let key_user = |connection: &Connection| {
            let credential = stored(connection.uses_key(), connection.uses_sas())?;
            let user = KeyUser::Connection { id: connection.id.clone(), credential };
            let called = called(&connection.name, &connection.properties.target);
            connection.is_to(self.account.name()).then_some((user, called))
        };
        self.listed(List::Connections, &workspace, read, key_user).await
    }

    async fn computes_with_mounts(&self, workspace: ArmId, read: Read) -> Result<Vec<Listed>, Finding> {
        let key_user = |compute: &Compute| {
            let user = KeyUser::Compute { id: compute.id.clone() };
            compute.mounts_files().then(|| (user, called(&compute.name, &compute.location)))
        };
        self.listed(List::Computes, &workspace, read, key_user).await
    }

    async fn containers(&self, read: Read) -> Result<Vec<Listed>, Finding> {
        let key_user = |Container { id, name }: &Container| {
            let made_by = Maker::of_container(name)?;
            Some((KeyUser::Container { id: id.clone(), name: name.clone(), made_by }, called(name, "")))
        };
        self.listed(List::Containers, self.account.arm(), read, key_user).await
    }

    async fn shares(&self, read: Read) -> Result<Vec<Listed>, Finding> {
        let key_user = |share: &Share| {
            let made_by = Maker::of_share(&share.name).filter(|_| !share.is_nfs())?;
            let user = KeyUser::Container { id: share.id.clone(), name: share.name.clone(), made_by };
            Some((user, called(&share.name, "")))
        };
        self.listed(List::Shares, self.account.arm(), read, key_user).await
    }

    /// The key users in a list below a scope, each with what it is called. A scope that is gone has none, and neither has an
    /// account without the service.
    async fn listed<T: arm::Resource>(
        &self,
        list: List,
        scope: &ArmId,
        read: Read,
        key_user: impl Fn(&T) -> Option<(KeyUser, Called)>,
    ) -> Result<Vec<Listed>, Finding> {
        let of_project = [self.hub_id.arm(), self.account.arm()].iter().all(|own| *own != scope);
        let listed = |(user, called)| Listed { user, called, of_project };
        match self.session.arm.list::<T>(arm::List::below(scope), read, self.call).await {
            Ok(all) => Ok(all.value.iter().filter_map(key_user).map(listed).collect()),
            Err(error) if error.is_not_found() || error.code() == Some(&ErrorCode::FeatureNotSupportedForAccount) => {
                Ok(Vec::new())
            }
            Err(error) => Err(Finding::NotReadable { list, scope: scope.to_string(), error }),
        }
    }
}

fn called(name: &str, place: &str) -> Called {
    (name.to_lowercase(), place.to_lowercase())
}

fn stored(key: bool, sas: bool) -> Option<StoredCredential> {
    match (key, sas) {
        (true, _) => Some(StoredCredential::Key),
        (_, true) => Some(StoredCredential::Sas),
        _ => None,
    }
}
