//! The provider foundryhub: its configuration, and the registry of everything it offers.

mod access;
pub mod config;
mod hub;
mod principal;
mod refusal;
mod report;
mod resources;
mod roles;
mod session;
mod state_advice;
mod write_error;

use crate::framework::{Diagnostics, Value, any_resource::AnyResource, erased::Erased, schema::Schema, server};

pub use session::Session;
pub(crate) use session::SessionAssignment;

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

    fn schema(&self) -> Schema {
        config::schema()
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        config::validate(config)
    }

    fn configure(&self, config: &Value, engine_version: &str) -> (Option<Session>, Diagnostics) {
        config::configure(config, engine_version, &self.environment)
    }

    fn resources(&self) -> Vec<Box<dyn AnyResource<Session>>> {
        vec![
            Box::new(Erased::resource(resources::storage_auth::StorageAuth)),
            Box::new(Erased::resource(resources::role_assignment::RoleAssignment)),
        ]
    }

    fn begin_writing(&self, session: &Session) {
        session.arm.stop_remembering();
    }
}
