//! Actions that the end of an object triggers, as Terraform 1.16 calls them: planned with the object's destruction, with a
//! configuration that is wholly known, and invoked in the same process as its deletion.

use foundryhub::framework::Value;
use serde_json::Value as Json;

use super::{Walk, references::resolve};
use crate::support::core::{
    report::{Address, Diagnostics},
    value::{self, to_json},
};

/// An `action_trigger` in the `lifecycle` block of a resource. In its configuration `${caller.NAME}` is an attribute of the
/// object that is destroyed.
#[derive(Debug, Clone)]
pub(in crate::support::core) struct Trigger {
    pub(in crate::support::core) address: Address,
    pub(in crate::support::core) event: Event,
    pub(in crate::support::core) action: String,
    pub(in crate::support::core) config: Json,
}

/// When an action is triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    BeforeDestroy,
    AfterDestroy,
}

impl Walk<'_> {
    /// The actions of an object with their configurations.
    fn triggered(&self, address: &Address, caller: &Value) -> Vec<(Event, &str, Value)> {
        let caller = to_json(caller);
        let look_up = |text: &str| {
            let name = text.strip_prefix("${caller.").and_then(|rest| rest.strip_suffix('}'));
            caller[name.unwrap_or_else(|| panic!("{text} is not known when the object is destroyed"))].clone()
        };
        let of_object = self.triggers.iter().filter(|trigger| trigger.address == *address);
        let configured = of_object.map(|Trigger { event, action, config, .. }| {
            let config = value::config_of(&self.catalog.actions[action], &resolve(config, &look_up));
            (*event, action.as_str(), config.unwrap_or_else(|why| panic!("core refuses {action}: {why}")))
        });
        configured.collect()
    }

    pub(super) async fn plan_triggers(&self, address: &Address, caller: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        for (_, action, config) in self.triggered(address, caller) {
            diagnostics.0.extend(self.session.plan_action(action, &self.catalog.actions[action], &config).await.0);
        }
        diagnostics
    }

    pub(super) async fn invoke_triggers(&self, event: Event, address: &Address, caller: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        for (_, action, config) in self.triggered(address, caller).into_iter().filter(|(when, ..)| *when == event) {
            diagnostics.0.extend(self.session.invoke(action, &self.catalog.actions[action], &config).await.1.0);
        }
        diagnostics
    }
}
