//! Applying: doing what a plan says, and what is left of it in the state when something fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use foundryhub::framework::Value;
use serde_json::Value as Json;

use super::{
    Event, Planned, Walk, concurrently, core_error, deletion,
    references::{dependencies, look_up, resolve, waves},
};
use crate::support::core::{
    Core, Resource, check, decode_config,
    report::{Action, Address, Diagnostics, Report},
    schema::Catalog,
    session::{Object, Session},
    state::Stored,
};

/// What an apply left of one object.
enum Outcome {
    /// What was there before.
    Kept,
    Gone,
    Is(Object),
}

impl Core {
    /// Does what was planned: destroys, then creates and updates, then destroys what was replaced beforehand. `None` when it was
    /// killed.
    pub(in crate::support::core) async fn walk_apply(
        &mut self,
        session: &Session,
        resources: Vec<Resource>,
        planned: Vec<Planned>,
        mut report: Report,
    ) -> Option<Report> {
        let catalog = self.catalog(session).await;
        let diagnostics = self.configure_session(session, true).await;
        report.diagnostics.0.extend(diagnostics.0);
        if !report.diagnostics.has_errors() {
            let walk = Walk::new(session, &catalog, false).with(&self.triggers);
            let (kill, stopped) = (self.kill.take(), &walk.stopped);
            let interrupt = self.interrupt.take().map(|event| async move {
                event.await;
                stopped.store(true, Ordering::SeqCst);
            });
            let work = self.apply_phases(&walk, &resources, &planned);
            let diagnostics = tokio::select! {
                diagnostics = session.interruptible(interrupt, work) => diagnostics,
                () = kill.unwrap_or_else(|| Box::pin(std::future::pending())) => return None,
            };
            report.diagnostics.0.extend(diagnostics.0);
        }
        for change in &mut report.changes {
            change.after = self.state.json(&change.address);
        }
        Some(report)
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
                let others: Vec<_> = self.others.extract_if(.., |(address, _)| *address == resource.address).collect();
                nodes.push((resource, planned, self.state.current(&resource.address).cloned(), config, others));
            }
            let done = concurrently(nodes.into_iter().map(|(resource, planned, stored, config, others)| async move {
                for (_, work) in others {
                    work.await;
                }
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

impl Walk<'_> {
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
        diagnostics.0.extend(self.invoke_triggers(Event::BeforeDestroy, address, &object.value).await.0);
        if diagnostics.has_errors() {
            return (Outcome::Kept, diagnostics);
        }
        let (left, more) = self.session.apply(&address.type_name, ty, &object.value, &change, &Value::Null).await;
        let failed = more.has_errors();
        diagnostics.0.extend(more.0);
        if !failed {
            diagnostics.0.extend(self.invoke_triggers(Event::AfterDestroy, address, &object.value).await.0);
        }
        let outcome = match left {
            Some(left) => Outcome::Is(Object { tainted: object.tainted, ..left }),
            None if failed => Outcome::Kept,
            None => Outcome::Gone,
        };
        (outcome, diagnostics)
    }
}

fn halted(address: &Address) -> Diagnostics {
    Diagnostics(vec![core_error("Execution halted", address)])
}
