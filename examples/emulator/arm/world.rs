//! All that a handler may look at and change, behind one lock, and how time makes things happen in it.

use anyhow::Result;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::clock::Clock;
use super::entra::{self, Client, Signer};
use super::errors::ArmError;
use super::faults::Faults;
use super::log::Log;
use super::operations::{self, Fate};
use super::options::Options;
use super::policy::Policy;
use super::state::State;
use super::store::{Event, Lagged, Pending, Store, Subscription};
use super::throttle::Throttle;
use super::{authorization, ids, providers, state, workspaces};

/// The emulated cloud.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    pub(crate) throttle: Throttle,
    pub(crate) signer: Signer,
    /// What will become of the operation started next.
    pub(crate) next_operation: Option<Fate>,
    /// Whether anything has happened since the state was last taken.
    pub(crate) changed: bool,
    /// How often the state was taken.
    taken: u64,
}

impl World {
    /// The world as its options, its state file and the defaults make it.
    pub(crate) fn new(options: Options) -> Result<Self> {
        let (mut clock, store) = match &options.state {
            Some(path) if path.exists() => {
                let kept = state::read(path)?;
                (kept.clock, kept.store)
            }
            _ => (Clock::default(), Store::default()),
        };
        clock.run();
        if let Some(time) = options.time {
            clock.set(time);
        }
        if options.stop_clock {
            clock.stop();
        }
        let mut faults = Faults::default();
        for rule in &options.fault {
            faults.add(rule.clone());
        }
        let mut world = Self {
            options,
            clock,
            store,
            faults,
            log: Log::default(),
            throttle: Throttle::default(),
            signer: Signer::new(),
            next_operation: None,
            changed: false,
            taken: 0,
        };
        world.furnish();
        Ok(world)
    }

    /// Puts in what is there without any seed.
    fn furnish(&mut self) {
        let options = self.options.clone();
        let default = Client {
            client_id: options.client_id,
            object_id: options.client_object_id,
            secret: Some(options.client_secret),
            federated: entra::trusted(&options.github_subject, &options.devops_subject),
            owner: true,
            ..Client::default()
        };
        if !self.store.clients.iter().any(|client| client.client_id == default.client_id) {
            self.add_client(default);
        }
        self.add_subscription(&options.subscription_id, "Emulated subscription");
        for id in &options.disabled_subscription {
            self.add_subscription(id, "Emulated subscription");
            if let Some(subscription) = self.store.subscriptions.get_mut(&id.to_ascii_lowercase()) {
                subscription.disabled = true;
            }
        }
        for namespace in &options.unregistered {
            for subscription in self.store.subscriptions.values_mut() {
                subscription.registrations.insert(namespace.to_ascii_lowercase(), "NotRegistered".to_owned());
            }
        }
    }

    /// Adds an application and its service principal.
    pub(crate) fn add_client(&mut self, client: Client) {
        self.add_principal(&client.object_id, "ServicePrincipal", Vec::new());
        self.store.clients.retain(|other| other.client_id != client.client_id);
        self.store.clients.push(client);
    }

    /// Adds an object to the directory.
    pub(crate) fn add_principal(&mut self, id: &str, kind: &str, groups: Vec<String>) {
        let created = self.clock.now();
        let groups = groups.iter().map(|group| group.to_ascii_lowercase()).collect();
        self.store
            .principals
            .insert(id.to_ascii_lowercase(), super::store::Principal { kind: kind.to_owned(), groups, created });
    }

    /// Adds a subscription, unless it is there.
    pub(crate) fn add_subscription(&mut self, id: &str, name: &str) {
        self.store.subscriptions.entry(id.to_ascii_lowercase()).or_insert_with(|| Subscription {
            id: id.to_owned(),
            name: name.to_owned(),
            disabled: false,
            registrations: Default::default(),
        });
    }

    /// Lets everything happen whose time has come, in order.
    pub(crate) fn settle(&mut self) {
        let now = self.clock.now();
        loop {
            let operation = operations::next_due(self, now);
            let pending = self
                .store
                .pending
                .iter()
                .enumerate()
                .filter(|(_, pending)| pending.due <= now)
                .min_by_key(|(at, pending)| (pending.due, *at))
                .map(|(at, pending)| (pending.due, at));
            match (operation, pending) {
                (None, None) => return,
                (Some((due, id)), other) if other.is_none_or(|(later, _)| due <= later) => {
                    self.changed = true;
                    operations::end(self, &id, None, due);
                }
                (_, Some((due, at))) => {
                    self.changed = true;
                    let Pending { event, .. } = self.store.pending.remove(at);
                    self.happen(event, due);
                }
                (Some(_), None) => unreachable!("an operation alone is taken above"),
            }
        }
    }

    fn happen(&mut self, event: Event, at: OffsetDateTime) {
        match event {
            Event::GrantHubRoles { workspace } => authorization::platform::grant_hub_roles(self, &workspace, at),
            Event::SwitchDatastores { workspace } => workspaces::system_datastores::follow(self, &workspace),
            Event::Registered { subscription, namespace } => providers::registered(self, &subscription, &namespace),
        }
    }

    /// Applies all policies to a document about to be written.
    pub(crate) fn apply_policies(
        &self,
        kind: &str,
        id: &str,
        before: Option<&Value>,
        after: &mut Value,
    ) -> Result<(), ArmError> {
        self.policies().try_for_each(|policy| policy.apply(kind, id, before, after))
    }

    /// All policies, those of the command line first.
    pub(crate) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.options.policy.iter().chain(&self.store.policies)
    }

    /// A workspace as readers see it.
    pub(crate) fn workspace_seen<'a>(&self, entry: &'a Lagged<Value>) -> Option<&'a Value> {
        entry.seen_after(self.clock.now(), self.options.read_delay, self.options.deletion_read_delay)
    }

    /// The object id of a new system identity of a resource; a resource that is made again gets another one.
    pub(crate) fn new_identity(&mut self, resource: &str) -> String {
        self.store.identities += 1;
        let seed = format!("{}#{}", ids::key(resource), self.store.identities);
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes()).to_string();
        self.add_principal(&id, "ServicePrincipal", Vec::new());
        id
    }

    /// What a resource shows of a user-assigned identity that it holds.
    pub(crate) fn user_assigned(&mut self, resource: &str) -> Value {
        self.seed_user_assigned(resource, &json!({}))
    }

    /// The same for an identity whose object id or client id may be given. One that is known keeps its ids.
    pub(crate) fn seed_user_assigned(&mut self, resource: &str, given: &Value) -> Value {
        let key = ids::key(resource);
        let id = |name: &str| {
            let made = || Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{name}:{key}").as_bytes()).to_string();
            given[name].as_str().map_or_else(made, str::to_owned)
        };
        let shown = json!({ "principalId": id("principalId"), "clientId": id("clientId") });
        let shown = self.store.user_assigned.entry(key).or_insert(shown).clone();
        let principal = shown["principalId"].as_str().unwrap_or_default();
        if !self.store.principals.contains_key(principal) {
            self.add_principal(principal, "ServicePrincipal", Vec::new());
        }
        shown
    }

    /// What the state file should hold, if there is to be one and anything has changed.
    pub(crate) fn take_state(&mut self) -> Option<State> {
        if !std::mem::take(&mut self.changed) || self.options.state.is_none() {
            return None;
        }
        self.taken += 1;
        Some(State::new(self.taken, &self.clock, &self.store))
    }
}
