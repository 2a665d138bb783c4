//! The provider foundryhub: its configuration, and the registry of everything it offers.

mod access;
mod actions;
mod claims;
pub mod config;
mod data_sources;
mod functions;
mod hub;
mod hub_refusal;
mod hubs;
mod key_holds;
mod key_states;
mod list_resources;
mod principal;
mod properties;
mod refusal;
mod report;
mod resources;
mod roles;
mod session;
mod shared_keys;
mod state_advice;
mod walk_keys;
mod write_error;

use crate::framework::{
    Diagnostics, Value, action::AnyAction, any_resource::AnyResource, data_source::AnyDataSource, erased::Erased,
    function::AnyFunction, list_resource::AnyListResource, schema::Schema, server,
};
use functions::{
    hub_id::HubId, parse_hub_id::ParseHubId, required_roles::RequiredRoles, role_definition_id::RoleDefinitionIdOf,
};

pub use session::Session;
pub(crate) use session::SessionAssignment;

/// The guide in the registry; the page is docs/guides/troubleshooting.md.
const TROUBLESHOOTING: &str =
    "https://registry.terraform.io/providers/foundryhub/foundryhub/latest/docs/guides/troubleshooting";

/// Where configuration comes from when the provider block does not say: the look-up of one environment variable.
pub type Environment = fn(&str) -> Option<String>;

/// The provider.
#[derive(Debug)]
pub struct Provider {
    environment: Environment,
}

impl Provider {
    /// A provider that finds defaults of its configuration in `environment`.
    pub fn new(environment: Environment) -> Self {
        Self { environment }
    }
}

impl server::Provider for Provider {
    type Client = Session;

    fn troubleshooting(&self) -> &'static str {
        TROUBLESHOOTING
    }

    fn schema(&self) -> Schema {
        config::schema()
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        config::validate(config)
    }

    async fn configure(&self, config: &Value, engine_version: &str) -> (Option<Session>, Diagnostics) {
        config::configure(config, engine_version, &self.environment).await
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource<Session>>> {
        vec![
            Box::new(Erased::resource(resources::hub::Hub)),
            Box::new(Erased::resource(resources::storage_auth::StorageAuth)),
            Box::new(Erased::resource(resources::role_assignment::RoleAssignment)),
        ]
    }

    fn data_sources(&self) -> Vec<Box<dyn AnyDataSource<Session>>> {
        vec![
            Box::new(Erased::data_source(data_sources::hub::Hub)),
            Box::new(Erased::data_source(data_sources::hubs::Hubs)),
            Box::new(Erased::data_source(data_sources::storage_access::StorageAccess)),
            Box::new(Erased::data_source(data_sources::storage_key_usage::StorageKeyUsage)),
        ]
    }

    fn functions(&self) -> Vec<Box<dyn AnyFunction>> {
        vec![Box::new(ParseHubId), Box::new(HubId), Box::new(RequiredRoles), Box::new(RoleDefinitionIdOf)]
    }

    fn list_resources(&self) -> Vec<Box<dyn AnyListResource<Session>>> {
        vec![
            Box::new(Erased::list_resource(list_resources::hub::Hubs)),
            Box::new(Erased::list_resource(list_resources::storage_auth::StorageAuths)),
            Box::new(Erased::list_resource(list_resources::role_assignment::RoleAssignments)),
        ]
    }

    fn actions(&self) -> Vec<Box<dyn AnyAction<Session>>> {
        vec![
            Box::new(Erased::action(actions::rotate_storage_keys::RotateStorageKeys)),
            Box::new(Erased::action(actions::resync_keys::ResyncKeys)),
        ]
    }

    fn begin_writing(&self, session: &Session) {
        session.arm.stop_remembering();
    }
}
