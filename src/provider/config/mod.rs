//! The provider block and the environment: which settings there are, and what they mean.
//!
//! Names of attributes and variables are those of azurerm and azapi, so that a pipeline set up for either works unchanged.
//! Nothing is sent from here.
//!
//! [`methods`] is the table of sign-in methods, from which [`method`] chooses one; `cloud` has the addresses, and `requests` the
//! other settings of requests. A `setting` is an attribute with its variables and its `check`; `lookup` reads it. `engine` warns
//! those whose engine is too old.

mod app_service;
mod check;
mod cloud;
mod engine;
mod lookup;
mod method;
mod methods;
mod requests;
mod setting;

pub use lookup::Environment;
pub use method::MethodDoc;

use super::{Session, report};
use crate::{
    arm::{self, auth::TokenSource},
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Summary, Value,
        schema::{Attribute, Block, Schema},
    },
};
use lookup::{Lookup, NotKnown};
use std::sync::Arc;

/// The schema of the provider block.
pub fn schema() -> Schema {
    let mut attributes: Vec<Attribute> = Vec::new();
    for setting in methods::METHODS.iter().flat_map(method::Method::settings) {
        if !attributes.iter().any(|attribute| setting.attributes.contains(&attribute.name)) {
            attributes.extend(setting.schema());
        }
    }
    attributes.extend(cloud::attributes());
    attributes.extend(requests::attributes());
    let description =
        "Moves Azure AI Foundry hubs from shared keys to Microsoft Entra authorization and keeps them there.";
    Schema { version: 0, block: Block { description, attributes, blocks: Vec::new() } }
}

/// The sign-in methods, for the documentation.
pub fn sign_in_methods() -> impl Iterator<Item = MethodDoc> {
    methods::METHODS.iter().map(method::Method::doc)
}

/// Checks what the schema cannot check.
pub fn validate(config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    if let Value::List(endpoints) = config.get("endpoint")
        && endpoints.len() > 1
    {
        let detail = format!("One object is wanted in the list; {} are there.", endpoints.len());
        diagnostics.push(Diagnostic::error("More than one endpoint", detail).at(Path::root("endpoint")));
    }
    diagnostics
}

/// Makes a session of the provider block. Where it depends on unknown values there is none yet, which is no error: the
/// engine configures again when they are known.
pub fn configure(
    config: &Value,
    engine_version: &str,
    environment: Environment<'_>,
) -> impl Future<Output = (Option<Session>, Diagnostics)> + use<> {
    let mut lookup = Lookup::new(config, environment);
    engine::too_old(engine_version).into_iter().for_each(|warning| lookup.push(warning));
    let wanted = wanted(&mut lookup, engine_version).ok().flatten();
    let mut diagnostics = lookup.into_diagnostics();
    async move {
        let Some((settings, method, subscription)) = wanted else { return (None, diagnostics) };
        match arm::Client::create(settings, method).await {
            Ok(client) => (Some(Session::new(client, subscription)), diagnostics),
            Err(error) => {
                diagnostics.push(report::failure(Summary("The provider cannot be configured"), &error, ""));
                (None, diagnostics)
            }
        }
    }
}

/// The settings of the client, how it signs in, and the subscription of what names none.
type Wanted = (arm::Settings, Arc<dyn TokenSource>, Attr<String>);

fn wanted(lookup: &mut Lookup<'_>, engine_version: &str) -> Result<Option<Wanted>, NotKnown> {
    let addresses = cloud::addresses(lookup);
    let method = method::choose(&methods::METHODS, lookup);
    let (Some(addresses), Some(method)) = (addresses?, method?) else { return Ok(None) };
    let settings = requests::settings(lookup, addresses, engine_version)?;
    let subscription = lookup.text(&methods::SUBSCRIPTION_ID).map_or(Attr::Unknown, Attr::from);
    Ok((!lookup.has_errors()).then_some((settings, method, subscription)))
}
