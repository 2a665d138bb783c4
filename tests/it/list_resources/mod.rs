//! The list resources over the protocol, against the emulator.

mod hub;
mod role_assignment;
mod storage_auth;

use serde_json::Value;

use crate::azure::{Options, Record};
use crate::support::{
    bed::Bed,
    core::{Diagnostics, ImportFrom, Listed},
};

async fn bed_with(change: impl FnOnce(&mut Options)) -> Bed {
    Bed::new("none", short, change).await
}

async fn bed() -> Bed {
    bed_with(|_| {}).await
}

/// The last segment of what a request was for: `GET workspaces`, `GET hub1`.
fn short(request: &Record) -> String {
    format!("{} {}", request.method, request.path.rsplit('/').next().unwrap_or_default())
}

impl Bed {
    /// What a list finds, without whole objects and without a diagnostic.
    async fn found(&mut self, type_name: &str, config: Value) -> Vec<Listed> {
        let (listed, diagnostics) = self.core.list(type_name, config, false, 1000).await;
        assert_eq!(diagnostics.0, []);
        listed
    }

    /// The diagnostics of a list that finds nothing.
    async fn refused(&mut self, type_name: &str, config: Value) -> Diagnostics {
        let (listed, diagnostics) = self.core.list(type_name, config, true, 1000).await;
        assert_eq!(listed, []);
        diagnostics
    }

    /// Imports an object of a list by its identity. The plan for the generated configuration has to be empty then, and is what
    /// is returned.
    async fn imported(&mut self, type_name: &str, listed: &Listed) -> Value {
        let config = self.core.generate(type_name, &listed.object).await;
        let identity = ImportFrom::Identity(listed.identity.clone());
        self.core.import(type_name, &listed.display_name, identity).await.quiet();
        let plan = self.core.plan(type_name, &listed.display_name, config.clone()).await.ok();
        plan.assert_empty();
        config
    }

    /// The GUID of the default subscription.
    fn subscription_id(&self) -> String {
        self.subscription.rsplit('/').next().expect("a GUID").to_owned()
    }
}

fn names(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|listed| listed.display_name.as_str()).collect()
}
