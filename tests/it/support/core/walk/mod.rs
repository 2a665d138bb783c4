//! The walks over a configuration and a state: what core calls for each object, and in which order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use foundryhub::framework::{Path, Value};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value as Json, json};

use super::{
    Core, Plan, Resource, check, decode_config,
    propose::proposed_new_state,
    report::{Action, Address, Change, Diagnostic, Diagnostics, Report},
    schema::{Catalog, ResourceType},
    session::{ImportFrom, Object, PlannedChange, Question, Session},
    state::{State, Stored},
    value::{self, UNKNOWN, to_json},
};

/// How many objects core works on at once, unless told otherwise.
const PARALLELISM: usize = 10;

/// What a plan says about one object.
#[derive(Debug, Clone)]
pub(super) struct Planned {
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

/// What an apply left of one object.
enum Outcome {
    /// What was there before.
    Kept,
    Gone,
    Is(Object),
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

    /// Plans the resources, and the destruction of what is gone from the configuration.
    pub(super) async fn walk_plan(
        &mut self,
        session: &Session,
        resources: Vec<Resource>,
        gone: Vec<Address>,
        refreshes: bool,
    ) -> Plan {
        let catalog = self.catalog(session).await;
        let diagnostics = self.configure_session(session, false).await;
        let mut report = Report { diagnostics, changes: Vec::new() };
        let mut state = self.state.clone();
        let mut planned: Vec<Planned> = Vec::new();
        if !report.diagnostics.has_errors() {
            let walk = Walk { session, catalog: &catalog, refreshes, stopped: AtomicBool::new(false) };
            let mut known: BTreeMap<_, _> =
                state.addresses().into_iter().map(|address| (address.clone(), state.json(&address))).collect();
            let mut failed = BTreeSet::new();
            let deposed = resources.iter().map(|resource| &resource.address).chain(&gone).flat_map(|address| {
                state.deposed(address).iter().enumerate().map(move |(index, stored)| (address, Some(index), stored))
            });
            let current = gone.iter().filter_map(|address| Some((address, None, state.current(address)?)));
            let deletes =
                current.chain(deposed).map(|(address, deposed, stored)| walk.plan_delete(address, deposed, stored));
            let mut deletes = deletes.collect::<Vec<_>>();
            if self.plans_deletes_first {
                planned.extend(concurrently(std::mem::take(&mut deletes)).await);
            }
            for wave in waves(&resources) {
                let ready = wave.iter().map(|index| &resources[*index]).filter(|resource| {
                    let fails = dependencies(resource).iter().any(|dependency| failed.contains(dependency));
                    if fails {
                        failed.insert(resource.address.clone());
                    }
                    !fails
                });
                let ready: Vec<_> = ready.collect();
                let nodes = ready.into_iter().map(|resource| {
                    let config = resolve(&resource.config, &|reference| look_up(&known, reference));
                    walk.plan(resource, state.current(&resource.address), config)
                });
                let done = concurrently(nodes).await;
                for planned in &done {
                    let visible = planned.decision.as_ref().map(|decision| to_json(&decision.change.value));
                    known.insert(planned.address.clone(), visible.unwrap_or(Json::Null));
                    if planned.decision.is_none() {
                        failed.insert(planned.address.clone());
                    }
                }
                planned.extend(done);
            }
            planned.extend(concurrently(deletes).await);

            let position =
                |planned: &Planned| resources.iter().position(|resource| resource.address == planned.address);
            planned.sort_by_key(|planned| (position(planned).unwrap_or(usize::MAX), planned.deposed.is_some()));
            for planned in &planned {
                let resource = resources.iter().find(|resource| resource.address == planned.address);
                let depends_on = resource.map(dependencies);
                keep_refreshed(&mut state, &catalog, planned, depends_on);
            }
        }
        for planned in &planned {
            report.diagnostics.0.extend(planned.diagnostics.0.clone());
            report.changes.push(planned.report());
        }
        Plan { report, resources, planned, state }
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
        let walk = Walk { session, catalog: &catalog, refreshes: true, stopped: AtomicBool::new(false) };
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
        let walk = Walk { session, catalog: &catalog, refreshes: true, stopped: AtomicBool::new(false) };
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

    /// Does what was planned: destroys, then creates and updates, then destroys what was replaced beforehand.
    pub(super) async fn walk_apply(
        &mut self,
        session: &Session,
        resources: Vec<Resource>,
        planned: Vec<Planned>,
        mut report: Report,
    ) -> Report {
        let catalog = self.catalog(session).await;
        let diagnostics = self.configure_session(session, true).await;
        report.diagnostics.0.extend(diagnostics.0);
        if !report.diagnostics.has_errors() {
            let walk = Walk { session, catalog: &catalog, refreshes: false, stopped: AtomicBool::new(false) };
            let interrupt = self.interrupt.take();
            let work = self.apply_phases(&walk, &resources, &planned);
            tokio::pin!(work);
            let interrupted = async {
                match interrupt {
                    Some(event) => event.await,
                    None => std::future::pending().await,
                }
                walk.stopped.store(true, Ordering::SeqCst);
                session.stop().await;
            };
            let diagnostics = tokio::select! {
                diagnostics = &mut work => diagnostics,
                () = interrupted => work.await,
            };
            report.diagnostics.0.extend(diagnostics.0);
        }
        for change in &mut report.changes {
            change.after = self.state.json(&change.address);
        }
        report
    }

    async fn apply_phases(&mut self, walk: &Walk<'_>, resources: &[Resource], planned: &[Planned]) -> Diagnostics {
        let creates_first = |planned: &Planned| {
            let resource = resources.iter().find(|resource| resource.address == planned.address);
            resource.is_some_and(|resource| resource.create_before_destroy)
        };
        let mut run = Run { diagnostics: Diagnostics::default(), failed: BTreeSet::new() };
        let current = |action: Action| {
            planned.iter().filter(move |planned| planned.deposed.is_none() && planned.action() == Some(action))
        };

        let mut before: Vec<_> = current(Action::Replace).filter(|planned| !creates_first(planned)).collect();
        let mut after = Vec::new();
        if self.deletes_last { &mut after } else { &mut before }.extend(current(Action::Delete));
        self.apply_deletes(walk, before, &mut run).await;

        let mut known: BTreeMap<_, _> =
            self.state.addresses().into_iter().map(|address| (address.clone(), self.state.json(&address))).collect();
        for wave in waves(resources) {
            let mut nodes = Vec::new();
            for resource in wave.iter().map(|index| &resources[*index]) {
                let planned =
                    planned.iter().find(|planned| planned.deposed.is_none() && planned.address == resource.address);
                let planned = planned.expect("every resource has a plan");
                let depends_on_failed = dependencies(resource).iter().any(|dependency| run.failed.contains(dependency));
                if depends_on_failed || run.failed.contains(&resource.address) {
                    run.failed.insert(resource.address.clone());
                    continue;
                }
                if planned.action() == Some(Action::Replace) && creates_first(planned) {
                    self.state.depose(&resource.address);
                }
                let config = resolve(&resource.config, &|reference| look_up(&known, reference));
                nodes.push((resource, planned, self.state.current(&resource.address).cloned(), config));
            }
            let done = concurrently(nodes.into_iter().map(|(resource, planned, stored, config)| async move {
                (resource, walk.apply(resource, planned, stored, config).await)
            }));
            for (resource, (outcome, diagnostics)) in done.await {
                let address = &resource.address;
                self.commit(walk.catalog, address, outcome, dependencies(resource));
                if run.note(address, diagnostics) {
                    self.state.restore(address);
                }
                known.insert(address.clone(), self.state.json(address));
            }
        }

        self.apply_deletes(walk, after, &mut run).await;
        for address in self.state.addresses() {
            self.apply_deposed(walk, &address, &mut run).await;
        }
        run.diagnostics
    }

    /// Destroys current objects, those first that depend on others.
    async fn apply_deletes(&mut self, walk: &Walk<'_>, mut waiting: Vec<&Planned>, run: &mut Run) {
        while !waiting.is_empty() {
            let depends = |other: &Address, on: &Address| {
                self.state.current(other).is_some_and(|stored| stored.depends_on.contains(on))
            };
            let needed = |address: &Address| waiting.iter().any(|other| depends(&other.address, address));
            let (ready, later): (Vec<&Planned>, Vec<&Planned>) =
                waiting.iter().partition(|planned| !needed(&planned.address));
            assert!(!ready.is_empty(), "resources depend on each other in a circle");
            let nodes: Vec<_> = ready
                .into_iter()
                .filter_map(|planned| {
                    let address = &planned.address;
                    if run.failed.iter().any(|failed| depends(failed, address)) {
                        run.failed.insert(address.clone());
                        return None;
                    }
                    Some((planned, self.state.current(address)?.clone()))
                })
                .collect();
            let done = concurrently(nodes.into_iter().map(|(planned, stored)| async move {
                let change = planned.decision.as_ref().map(|decision| decision.change.private.clone());
                (&planned.address, walk.delete(&planned.address, &stored, change).await)
            }));
            for (address, (outcome, diagnostics)) in done.await {
                self.commit(walk.catalog, address, outcome, Vec::new());
                run.note(address, diagnostics);
            }
            waiting = later;
        }
    }

    /// Destroys the objects of a resource that were replaced before. Core plans these in the apply.
    async fn apply_deposed(&mut self, walk: &Walk<'_>, address: &Address, run: &mut Run) {
        if run.failed.contains(address) {
            return;
        }
        let mut left = Vec::new();
        for stored in self.state.deposed(address).to_vec() {
            let (outcome, diagnostics) = walk.delete(address, &stored, None).await;
            match outcome {
                Outcome::Gone => {}
                Outcome::Kept => left.push(stored),
                Outcome::Is(object) => {
                    left.push(Stored::new(walk.catalog.resource(&address.type_name), &object, stored.depends_on));
                }
            }
            run.note(address, diagnostics);
        }
        self.state.set_deposed(address.clone(), left);
    }

    fn commit(&mut self, catalog: &Catalog, address: &Address, outcome: Outcome, depends_on: Vec<Address>) {
        match outcome {
            Outcome::Kept => {}
            Outcome::Gone => self.state.set(address.clone(), None),
            Outcome::Is(object) => {
                let stored = Stored::new(catalog.resource(&address.type_name), &object, depends_on);
                self.state.set(address.clone(), Some(stored));
            }
        }
    }
}

/// How an apply is going.
struct Run {
    diagnostics: Diagnostics,
    /// What failed, and what was not begun because of that.
    failed: BTreeSet<Address>,
}

impl Run {
    /// Takes note of messages. Returns whether they say that it failed.
    fn note(&mut self, address: &Address, diagnostics: Diagnostics) -> bool {
        let failed = diagnostics.has_errors();
        if failed {
            self.failed.insert(address.clone());
        }
        self.diagnostics.0.extend(diagnostics.0);
        failed
    }
}

/// What one walk works with.
struct Walk<'a> {
    session: &'a Session,
    catalog: &'a Catalog,
    refreshes: bool,
    /// Whether the user has asked to stop.
    stopped: AtomicBool,
}

impl Walk<'_> {
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

    /// Plans one resource.
    async fn plan(&self, resource: &Resource, stored: Option<&Stored>, config: Json) -> Planned {
        let address = &resource.address;
        let ty = self.catalog.resource(&address.type_name);
        let mut planned = match (stored, &resource.import) {
            (Some(stored), _) => self.refresh(address, stored).await,
            (None, Some(from)) => {
                let (object, diagnostics) = self.import(address, ty, from).await;
                let refreshed = match object {
                    Some(object) => Refreshed::Found(Some(object)),
                    None => Refreshed::Unread,
                };
                let address = address.clone();
                Planned { address, deposed: None, stored: Json::Null, refreshed, decision: None, diagnostics }
            }
            (None, None) => Planned {
                address: address.clone(),
                deposed: None,
                stored: Json::Null,
                refreshed: Refreshed::Found(None),
                decision: None,
                diagnostics: Diagnostics::default(),
            },
        };
        let Refreshed::Found(prior) = &planned.refreshed else { return planned };
        let config = decode_config(self.catalog, address, &config);
        let mut diagnostics = self.session.validate_resource(&address.type_name, ty, &config).await;
        if !diagnostics.has_errors() {
            let (decision, more) = self.decide(address, ty, prior.as_ref(), &config, resource.replaced).await;
            planned.decision = decision;
            diagnostics.0.extend(more.0);
        }
        planned.diagnostics.0.extend(diagnostics.0);
        planned
    }

    /// Lets the provider plan, checks the plan, and concludes what to do from it. A replacement is planned twice: as the
    /// change it is, and as the create that it becomes.
    async fn decide(
        &self,
        address: &Address,
        ty: &ResourceType,
        prior: Option<&Object>,
        config: &Value,
        replaced: bool,
    ) -> (Option<Decision>, Diagnostics) {
        let name = &address.type_name;
        let was_tainted = prior.is_some_and(|prior| prior.tainted);
        // A tainted object is planned as if it did not exist.
        let prior = prior.filter(|prior| !prior.tainted);
        let prior_value = prior.map_or(&Value::Null, |prior| &prior.value);
        let proposed = proposed_new_state(&ty.block, prior_value, config);
        let question = Question {
            prior: prior_value,
            proposed: &proposed,
            config,
            private: prior.map_or(&[], |prior| &prior.private),
            identity: prior.and_then(|prior| prior.identity.as_ref()),
        };
        let (change, mut diagnostics) = self.session.plan(name, ty, question).await;
        let Some(mut change) = change else { return (None, diagnostics) };
        let problems = check::plan_problems(&ty.block, prior_value, config, &change.value);
        self.session.refuse_all(&format!("{address}: provider produced invalid plan"), problems);

        let mut requires_replace = Vec::new();
        for path in &change.requires_replace {
            let (before, after) = (value::at(prior_value, path), value::at(&change.value, path));
            let nowhere = before.is_none() && after.is_none() && prior.is_some();
            let problem = format!("requires_replace names {path}, which neither value has");
            self.session.refuse_all(
                &format!("{address}: provider produced invalid plan"),
                nowhere.then_some(problem).into_iter().collect(),
            );
            let write_only = ty.block.attribute(path).is_some_and(|attribute| attribute.write_only);
            if prior.is_some() && (before != after || after.is_some_and(|after| !after.is_wholly_known()) || write_only)
            {
                requires_replace.push(path.clone());
            }
        }
        let action = match prior {
            None if was_tainted => Action::Replace,
            None => Action::Create,
            Some(_) if replaced => Action::Replace,
            Some(prior) if prior.value == change.value => Action::NoOp,
            Some(_) if requires_replace.is_empty() => Action::Update,
            Some(_) => Action::Replace,
        };
        if action == Action::Replace && prior.is_some() {
            let proposed = proposed_new_state(&ty.block, &Value::Null, config);
            let question = Question {
                prior: &Value::Null,
                proposed: &proposed,
                config,
                private: &change.private,
                identity: change.identity.as_ref(),
            };
            let (second, more) = self.session.plan(name, ty, question).await;
            match second {
                // Its warnings were in all likelihood said before.
                Some(second) => change = PlannedChange { requires_replace: Vec::new(), ..second },
                None => {
                    diagnostics.0.extend(more.0);
                    return (None, diagnostics);
                }
            }
        }
        (Some(Decision { action, change, requires_replace, was_tainted }), diagnostics)
    }

    /// Plans the destruction of an object.
    async fn plan_delete(&self, address: &Address, deposed: Option<usize>, stored: &Stored) -> Planned {
        let mut planned = self.refresh(address, stored).await;
        planned.deposed = deposed;
        if let Refreshed::Found(Some(object)) = &planned.refreshed {
            let (change, more) = self.decide_delete(address, object).await;
            planned.decision = change.map(|change| Decision {
                action: Action::Delete,
                change,
                requires_replace: Vec::new(),
                was_tainted: object.tainted,
            });
            planned.diagnostics.0.extend(more.0);
        }
        planned
    }

    async fn decide_delete(&self, address: &Address, object: &Object) -> (Option<PlannedChange>, Diagnostics) {
        if !self.catalog.capabilities.plan_destroy {
            return (Some(deletion(object.private.clone())), Diagnostics::default());
        }
        let ty = self.catalog.resource(&address.type_name);
        let question = Question {
            prior: &object.value,
            proposed: &Value::Null,
            config: &Value::Null,
            private: &object.private,
            identity: object.identity.as_ref(),
        };
        let (change, diagnostics) = self.session.plan(&address.type_name, ty, question).await;
        let survives = change.as_ref().is_some_and(|change| !change.value.is_null());
        let problem = survives.then(|| "a non-null value was planned for a destroy".to_owned());
        self.session.refuse_all(&format!("{address}: provider produced invalid plan"), problem.into_iter().collect());
        (change, diagnostics)
    }

    /// Creates or updates what a plan said, after planning once more with what is known now.
    async fn apply(
        &self,
        resource: &Resource,
        planned: &Planned,
        stored: Option<Stored>,
        config: Json,
    ) -> (Outcome, Diagnostics) {
        let address = &resource.address;
        let ty = self.catalog.resource(&address.type_name);
        let promised = planned.decision.as_ref().expect("a plan without errors");
        if promised.action == Action::NoOp {
            return (Outcome::Kept, Diagnostics::default());
        }
        if self.stopped.load(Ordering::SeqCst) {
            return (Outcome::Kept, halted(address));
        }
        let config = decode_config(self.catalog, address, &config);
        assert!(config.is_wholly_known(), "{address}: the configuration is still unknown when it is applied");
        let mut diagnostics = Diagnostics::default();
        let prior = match (promised.action, stored) {
            (Action::Update, Some(stored)) => {
                let (object, more) = self.session.upgrade(&address.type_name, ty, &stored.raw()).await;
                diagnostics.0.extend(more.0);
                object
            }
            _ => None,
        };
        if !diagnostics.has_errors() {
            diagnostics.0.extend(self.session.validate_resource(&address.type_name, ty, &config).await.0);
        }
        if diagnostics.has_errors() {
            return (Outcome::Kept, diagnostics);
        }
        let (decision, more) = self.decide(address, ty, prior.as_ref(), &config, false).await;
        let Some(decision) = decision else {
            diagnostics.0.extend(more.0);
            return (Outcome::Kept, diagnostics);
        };
        let inconsistent = format!("{address}: provider produced inconsistent final plan");
        let expected = if promised.action == Action::Replace { Action::Create } else { promised.action };
        if expected == Action::Update && decision.action == Action::NoOp {
            return (Outcome::Kept, diagnostics);
        }
        let turned = (decision.action != expected)
            .then(|| format!("the action changed from {expected:?} to {:?}", decision.action));
        self.session.refuse_all(&inconsistent, turned.into_iter().collect());
        let problems = check::result_problems(&ty.block, &promised.change.value, &decision.change.value);
        self.session.refuse_all(&inconsistent, problems);

        let prior_value = prior.as_ref().map_or(&Value::Null, |prior| &prior.value);
        let (object, more) = self.session.apply(&address.type_name, ty, prior_value, &decision.change, &config).await;
        let failed = more.has_errors();
        diagnostics.0.extend(more.0);
        let outcome = match object {
            Some(object) => {
                let tainted = failed && decision.action == Action::Create;
                Outcome::Is(Object { tainted, ..object })
            }
            None if decision.action == Action::Create => Outcome::Gone,
            None => Outcome::Kept,
        };
        (outcome, diagnostics)
    }

    /// Destroys an object with the private data its plan gave; without one it is planned now.
    async fn delete(&self, address: &Address, stored: &Stored, planned: Option<Vec<u8>>) -> (Outcome, Diagnostics) {
        if self.stopped.load(Ordering::SeqCst) {
            return (Outcome::Kept, halted(address));
        }
        let ty = self.catalog.resource(&address.type_name);
        let (object, mut diagnostics) = self.session.upgrade(&address.type_name, ty, &stored.raw()).await;
        let Some(object) = object else { return (Outcome::Kept, diagnostics) };
        let change = match planned {
            Some(private) => deletion(private),
            None => {
                let (change, more) = self.decide_delete(address, &object).await;
                diagnostics.0.extend(more.0);
                match change {
                    Some(change) => change,
                    None => return (Outcome::Kept, diagnostics),
                }
            }
        };
        let (left, more) = self.session.apply(&address.type_name, ty, &object.value, &change, &Value::Null).await;
        let failed = more.has_errors();
        diagnostics.0.extend(more.0);
        let outcome = match left {
            Some(left) => Outcome::Is(Object { tainted: object.tainted, ..left }),
            None if failed => Outcome::Kept,
            None => Outcome::Gone,
        };
        (outcome, diagnostics)
    }
}

fn deletion(private: Vec<u8>) -> PlannedChange {
    PlannedChange { value: Value::Null, private, identity: None, requires_replace: Vec::new() }
}

fn halted(address: &Address) -> Diagnostics {
    Diagnostics(vec![core_error("Execution halted", address)])
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

/// The resources in the order of their dependencies: each wave depends on the ones before it only.
fn waves(resources: &[Resource]) -> Vec<Vec<usize>> {
    let mut waiting: Vec<usize> = (0..resources.len()).collect();
    let mut waves = Vec::new();
    while !waiting.is_empty() {
        let is_waiting = |address: &Address| waiting.iter().any(|index| resources[*index].address == *address);
        let (ready, later): (Vec<_>, Vec<_>) =
            waiting.iter().copied().partition(|index| !dependencies(&resources[*index]).iter().any(is_waiting));
        assert!(!ready.is_empty(), "resources refer to each other in a circle");
        waves.push(ready);
        waiting = later;
    }
    waves
}

/// What a resource refers to, and what it says it depends on.
fn dependencies(resource: &Resource) -> Vec<Address> {
    let mut addresses = resource.depends_on.clone();
    collect_references(&resource.config, &mut addresses);
    addresses
}

fn collect_references(json: &Json, addresses: &mut Vec<Address>) {
    match json {
        Json::String(text) => addresses.extend(reference(text).map(|(address, _)| address)),
        Json::Array(items) => items.iter().for_each(|item| collect_references(item, addresses)),
        Json::Object(members) => members.values().for_each(|member| collect_references(member, addresses)),
        _ => {}
    }
}

/// Reads `${type.name.attribute.…}`.
fn reference(text: &str) -> Option<(Address, Vec<&str>)> {
    let mut parts = text.strip_prefix("${")?.strip_suffix('}')?.split('.');
    Some((Address::new(parts.next()?, parts.next()?), parts.collect()))
}

/// The configuration with every reference replaced by what it stands for.
fn resolve(json: &Json, look_up: &dyn Fn(&str) -> Json) -> Json {
    match json {
        Json::String(text) if reference(text).is_some() => look_up(text),
        Json::Array(items) => items.iter().map(|item| resolve(item, look_up)).collect(),
        Json::Object(members) => {
            Json::Object(members.iter().map(|(name, member)| (name.clone(), resolve(member, look_up))).collect())
        }
        other => other.clone(),
    }
}

fn look_up(known: &BTreeMap<Address, Json>, text: &str) -> Json {
    let (address, path) = reference(text).expect("only references are looked up");
    let object = known.get(&address).unwrap_or_else(|| panic!("{text} refers to nothing"));
    path.iter().fold(object.clone(), |value, step| match value {
        Json::String(text) if text == UNKNOWN => json!(UNKNOWN),
        Json::Array(items) => {
            step.parse::<usize>().ok().and_then(|index| items.get(index).cloned()).unwrap_or_default()
        }
        value => value.get(step).cloned().unwrap_or_default(),
    })
}
