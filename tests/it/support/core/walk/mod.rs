//! The walks over a configuration and a state: what core calls for each object, and in which order. Validation, refresh
//! and import are here; planning, applying and references have files of their own.

mod apply;
mod plan;
mod references;
mod triggers;

use std::sync::atomic::AtomicBool;

use foundryhub::framework::{Path, Value};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value as Json, json};

use super::{
    Core, Resource, decode_config,
    report::{Action, Address, Change, Diagnostic, Diagnostics, Report},
    schema::{Catalog, ResourceType},
    session::{ImportFrom, Object, PlannedChange, Session},
    state::{State, Stored},
    value::{self, UNKNOWN, to_json},
};
use references::resolve;
pub(crate) use triggers::Event;
pub(super) use triggers::Trigger;

/// How many objects core works on at once, unless told otherwise.
const PARALLELISM: usize = 10;

/// What a plan says about one object.
#[derive(Debug, Clone)]
pub(in crate::support::core) struct Planned {
    address: Address,
    /// Which of the objects that wait for their destruction this is; `None` for the current one.
    deposed: Option<usize>,
    stored: Json,
    refreshed: Refreshed,
    /// `None` when something failed before.
    decision: Option<Decision>,
    diagnostics: Diagnostics,
}

/// What is known of an object after the refresh.
#[derive(Debug, Clone)]
enum Refreshed {
    /// It could not be read.
    Unread,
    /// What was found; `None` for nothing.
    Found(Option<Object>),
}

#[derive(Debug, Clone)]
struct Decision {
    action: Action,
    change: PlannedChange,
    requires_replace: Vec<Path>,
    was_tainted: bool,
}

impl Planned {
    fn report(&self) -> Change {
        let decision = self.decision.as_ref();
        Change {
            address: self.address.clone(),
            action: decision.map(|decision| decision.action),
            stored: self.stored.clone(),
            before: match &self.refreshed {
                Refreshed::Unread => self.stored.clone(),
                Refreshed::Found(object) => object.as_ref().map_or(Json::Null, |object| to_json(&object.value)),
            },
            planned: decision.map_or(Json::Null, |decision| to_json(&decision.change.value)),
            after: Json::Null,
            requires_replace: decision
                .map(|decision| decision.requires_replace.iter().map(Path::to_string).collect())
                .unwrap_or_default(),
            was_tainted: decision.is_some_and(|decision| decision.was_tainted),
        }
    }

    pub(in crate::support::core) fn change_private(&mut self, change: impl Fn(&[u8]) -> Vec<u8>) {
        if let Some(decision) = &mut self.decision {
            decision.change.private = change(&decision.change.private);
        }
    }

    fn action(&self) -> Option<Action> {
        self.decision.as_ref().map(|decision| decision.action)
    }
}

impl Core {
    /// Validates with everything unknown that another resource will supply. The provider is not configured.
    pub(super) async fn walk_validate(&mut self, session: &Session, resources: &[Resource]) -> Diagnostics {
        let catalog = self.catalog(session).await;
        let mut diagnostics = Diagnostics::default();
        if self.provider != json!({}) {
            let config = value::config_of(&catalog.provider, &self.provider)
                .unwrap_or_else(|why| panic!("core refuses the provider's configuration: {why}"));
            diagnostics = session.validate_provider(&catalog, &config).await;
        }
        let validate = |resource: &Resource| {
            let config = decode_config(&catalog, &resource.address, &resolve(&resource.config, &|_| json!(UNKNOWN)));
            let (name, catalog) = (resource.address.type_name.clone(), &catalog);
            async move { session.validate_resource(&name, catalog.resource(&name), &config).await }
        };
        for more in concurrently(resources.iter().map(validate)).await {
            diagnostics.0.extend(more.0);
        }
        diagnostics
    }

    /// Refreshes the objects of these resources; returns the state with what was found.
    pub(super) async fn walk_refresh(&mut self, session: &Session, addresses: Vec<Address>) -> (Report, State) {
        let catalog = self.catalog(session).await;
        let diagnostics = self.configure_session(session, false).await;
        let mut report = Report { diagnostics, changes: Vec::new() };
        let mut state = self.state.clone();
        if report.diagnostics.has_errors() {
            return (report, state);
        }
        let walk = Walk::new(session, &catalog, true);
        let current = addresses.iter().filter_map(|address| Some((address, state.current(address)?)));
        let read = concurrently(current.map(|(address, stored)| walk.refresh(address, stored))).await;
        for planned in read {
            keep_refreshed(&mut state, &catalog, &planned, None);
            report.diagnostics.0.extend(planned.diagnostics.0.clone());
            report.changes.push(planned.report());
        }
        (report, state)
    }

    /// Imports an object into the state.
    pub(super) async fn walk_import(&mut self, session: &Session, address: Address, from: ImportFrom) -> Report {
        assert!(self.state.current(&address).is_none(), "{address} is in the state already");
        let catalog = self.catalog(session).await;
        let diagnostics = self.configure_session(session, false).await;
        let mut report = Report { diagnostics, changes: Vec::new() };
        if report.diagnostics.has_errors() {
            return report;
        }
        let walk = Walk::new(session, &catalog, true);
        let ty = catalog.resource(&address.type_name);
        let (object, more) = walk.import(&address, ty, &from).await;
        report.diagnostics.0.extend(more.0);
        if let Some(object) = object {
            let after = to_json(&object.value);
            self.state.set(address.clone(), Some(Stored::new(ty, &object, Vec::new())));
            report.changes.push(Change {
                address,
                action: Some(Action::Import),
                stored: Json::Null,
                before: after.clone(),
                planned: after.clone(),
                after,
                requires_replace: Vec::new(),
                was_tainted: false,
            });
        }
        report
    }
}

/// What one walk works with.
struct Walk<'a> {
    session: &'a Session,
    catalog: &'a Catalog,
    refreshes: bool,
    /// The actions of objects that are destroyed.
    triggers: Vec<Trigger>,
    /// Whether the user has asked to stop.
    stopped: AtomicBool,
}

impl<'a> Walk<'a> {
    fn new(session: &'a Session, catalog: &'a Catalog, refreshes: bool) -> Self {
        Self { session, catalog, refreshes, triggers: Vec::new(), stopped: AtomicBool::new(false) }
    }

    fn with(self, triggers: &[Trigger]) -> Self {
        Self { triggers: triggers.to_vec(), ..self }
    }

    /// Reads a stored object, and refreshes it if this walk does that.
    async fn refresh(&self, address: &Address, stored: &Stored) -> Planned {
        let ty = self.catalog.resource(&address.type_name);
        let (object, mut diagnostics) = self.session.upgrade(&address.type_name, ty, &stored.raw()).await;
        // Drift is measured from what the upgrade made of the stored object.
        let stored = object.as_ref().map_or_else(|| stored.json.clone(), |object| to_json(&object.value));
        let refreshed = match object {
            None => Refreshed::Unread,
            Some(object) if !self.refreshes => Refreshed::Found(Some(object)),
            Some(object) => {
                let (found, more) = self.session.read(&address.type_name, ty, object).await;
                let unread = more.has_errors();
                diagnostics.0.extend(more.0);
                if unread { Refreshed::Unread } else { Refreshed::Found(found) }
            }
        };
        Planned { address: address.clone(), deposed: None, stored, refreshed, decision: None, diagnostics }
    }

    async fn import(&self, address: &Address, ty: &ResourceType, from: &ImportFrom) -> (Option<Object>, Diagnostics) {
        let (object, mut diagnostics) = self.session.import(&address.type_name, ty, from).await;
        let Some(object) = object else { return (None, diagnostics) };
        let (found, more) = self.session.read(&address.type_name, ty, object).await;
        let unread = more.has_errors();
        diagnostics.0.extend(more.0);
        if found.is_none() {
            diagnostics.0.push(core_error("Cannot import non-existent remote object", address));
        }
        (found.filter(|_| !unread), diagnostics)
    }
}

fn deletion(private: Vec<u8>) -> PlannedChange {
    PlannedChange { value: Value::Null, private, identity: None, requires_replace: Vec::new() }
}

fn core_error(summary: &str, address: &Address) -> Diagnostic {
    Diagnostic {
        is_error: true,
        summary: summary.to_owned(),
        detail: address.to_string(),
        path: String::new(),
        from: "core".to_owned(),
    }
}

/// Stores what a refresh found. An object that could not be read stays what it was.
fn keep_refreshed(state: &mut State, catalog: &Catalog, planned: &Planned, depends_on: Option<Vec<Address>>) {
    let Refreshed::Found(object) = &planned.refreshed else { return };
    if let Some(index) = planned.deposed {
        if let Some(object) = object {
            let ty = catalog.resource(&planned.address.type_name);
            let mut deposed = state.deposed(&planned.address).to_vec();
            deposed[index] = Stored::new(ty, object, std::mem::take(&mut deposed[index].depends_on));
            state.set_deposed(planned.address.clone(), deposed);
        }
        return;
    }
    let depends_on = depends_on.or_else(|| Some(state.current(&planned.address)?.depends_on.clone()));
    let ty = catalog.resource(&planned.address.type_name);
    let stored = object.as_ref().map(|object| Stored::new(ty, object, depends_on.unwrap_or_default()));
    state.set(planned.address.clone(), stored);
}

async fn concurrently<F: Future>(nodes: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    stream::iter(nodes).buffered(PARALLELISM).collect().await
}
