//! Planning: what is to be done with each object.

use std::collections::{BTreeMap, BTreeSet};

use foundryhub::framework::Value;
use serde_json::Value as Json;

use super::{
    Decision, Planned, Refreshed, Walk, concurrently, deletion, keep_refreshed,
    references::{dependencies, look_up, resolve, waves},
};
use crate::support::core::{
    Core, Plan, Resource, check, decode_config,
    propose::proposed_new_state,
    report::{Action, Address, Diagnostics, Report},
    schema::ResourceType,
    session::{Object, PlannedChange, Question, Session},
    state::Stored,
    value::{self, to_json},
};

impl Core {
    /// Plans the resources, and the destroy of objects that are no longer in the configuration.
    pub(in crate::support::core) async fn walk_plan(
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
            let walk = Walk::new(session, &catalog, refreshes).with(&self.triggers);
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

            let places: BTreeMap<_, _> = resources.iter().enumerate().map(|(at, each)| (&each.address, at)).collect();
            let place = |planned: &Planned| places.get(&planned.address).copied();
            planned.sort_by_key(|planned| (place(planned).unwrap_or(usize::MAX), planned.deposed.is_some()));
            for planned in &planned {
                let depends_on = place(planned).map(|at| dependencies(&resources[at]));
                keep_refreshed(&mut state, &catalog, planned, depends_on);
            }
        }
        for planned in &planned {
            report.diagnostics.0.extend(planned.diagnostics.0.clone());
            report.changes.push(planned.report());
        }
        Plan { report, resources, planned, state }
    }
}

impl Walk<'_> {
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

    /// Lets the provider plan, checks the plan, and concludes what to do from it. A replacement is planned twice: as
    /// the change it is, and as the create that it becomes.
    pub(super) async fn decide(
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
            if prior.is_some() && (before != after || after.is_some_and(|after| !after.is_wholly_known())) {
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
            if !planned.diagnostics.has_errors() {
                planned.diagnostics.0.extend(self.plan_triggers(address, &object.value).await.0);
            }
        }
        planned
    }

    pub(super) async fn decide_delete(
        &self,
        address: &Address,
        object: &Object,
    ) -> (Option<PlannedChange>, Diagnostics) {
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
}
