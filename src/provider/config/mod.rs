//! The provider block: what may be written in it or in the environment, and what it means.
//!
//! Names of attributes and variables are those of azurerm and azapi, so that a pipeline set up for either works unchanged.
//! Nothing is sent from here.

use std::fs;

use serde::{Deserialize, Serialize};

use super::{Environment, Session};
use crate::{
    arm::{self, Cloud, CorrelationId, Credential, Endpoints, Secret, Settings},
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Type, Value,
        schema::{Attribute, Block, Nesting, Presence, Refusal, Schema},
        state::from_value,
    },
};

/// The provider block as written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    subscription_id: Attr<String>,
    tenant_id: Attr<String>,
    auxiliary_tenant_ids: Attr<Vec<Attr<String>>>,
    client_id: Attr<String>,
    client_id_file_path: Attr<String>,
    client_secret: Attr<String>,
    client_secret_file_path: Attr<String>,
    use_msi: Attr<bool>,
    msi_endpoint: Attr<String>,
    msi_api_version: Attr<String>,
    use_cli: Attr<bool>,
    environment: Attr<String>,
    endpoint: Attr<Vec<Attr<WrittenEndpoint>>>,
    disable_instance_discovery: Attr<bool>,
    partner_id: Attr<String>,
    disable_terraform_partner_id: Attr<bool>,
    custom_correlation_request_id: Attr<String>,
    disable_correlation_request_id: Attr<bool>,
    skip_provider_registration: Attr<bool>,
    workspaces_api_version: Attr<String>,
    max_retries: Attr<i64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct WrittenEndpoint {
    resource_manager_endpoint: Attr<String>,
    resource_manager_audience: Attr<String>,
    active_directory_authority_host: Attr<String>,
}

/// The schema of the provider block.
pub fn schema() -> Schema {
    let text = |name, description| Attribute::optional(name, Type::String, description);
    let flag = |name, description| Attribute::optional(name, Type::Bool, description);
    let endpoint = vec![
        text(
            "resource_manager_endpoint",
            "URL of Azure Resource Manager, `https` only. Also `ARM_RESOURCE_MANAGER_ENDPOINT`.",
        )
        .check(https),
        text(
            "resource_manager_audience",
            "Whom tokens for Azure Resource Manager are for; its endpoint if not set. Also `ARM_RESOURCE_MANAGER_AUDIENCE`.",
        ),
        text(
            "active_directory_authority_host",
            "URL of Microsoft Entra, `https` only. Also `ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST`.",
        )
        .check(https),
    ];
    let attributes = vec![
        text("subscription_id", "The subscription of resources whose ids do not say it. Also `ARM_SUBSCRIPTION_ID`."),
        text("tenant_id", "The Microsoft Entra tenant to sign in to. Also `ARM_TENANT_ID`."),
        Attribute::optional(
            "auxiliary_tenant_ids",
            Type::list(Type::String),
            "Further tenants, at most three, whose resources are used by id. Also `ARM_AUXILIARY_TENANT_IDS`, separated by `;`.",
        )
        .check(at_most_three),
        text("client_id", "The application (client) id to sign in with. Also `ARM_CLIENT_ID` or `AZURE_CLIENT_ID`."),
        text("client_id_file_path", "A file that holds the client id. Also `ARM_CLIENT_ID_FILE_PATH`."),
        text("client_secret", "A secret of the application. Also `ARM_CLIENT_SECRET`.").sensitive(),
        text("client_secret_file_path", "A file that holds the secret. Also `ARM_CLIENT_SECRET_FILE_PATH`."),
        flag("use_msi", "Whether to sign in with a managed identity; no by default. Also `ARM_USE_MSI`."),
        text("msi_endpoint", "The URL that gives tokens of the managed identity, when not the usual one. Also `ARM_MSI_ENDPOINT`."),
        text("msi_api_version", "The api-version to ask that URL with. Also `ARM_MSI_API_VERSION`."),
        flag("use_cli", "Whether to sign in as the user of the Azure CLI when nothing else is configured; yes by default. Also `ARM_USE_CLI`."),
        text("environment", "The cloud: `public` (default), `usgovernment`, `china`, or `custom` with `endpoint`. Also `ARM_ENVIRONMENT`.")
            .check(environment_name),
        Attribute::nested(
            "endpoint",
            Nesting::List,
            Presence::Optional,
            endpoint,
            "Addresses of a cloud of your own, in a list of one object. They go before those of `environment`.",
        ),
        flag("disable_instance_discovery", "Accepted for compatibility: this provider never asks the public cloud about an authority. Also `ARM_DISABLE_INSTANCE_DISCOVERY`."),
        text("partner_id", "A GUID for Microsoft's partner attribution. Also `ARM_PARTNER_ID`.").check(guid),
        flag("disable_terraform_partner_id", "Accepted for compatibility: without `partner_id` no attribution is sent. Also `ARM_DISABLE_TERRAFORM_PARTNER_ID`."),
        text("custom_correlation_request_id", "The value of `x-ms-correlation-request-id`, by which Azure's logs tie requests together; random by default. Also `ARM_CORRELATION_REQUEST_ID`."),
        flag("disable_correlation_request_id", "Whether to leave that header out. Also `ARM_DISABLE_CORRELATION_REQUEST_ID`."),
        flag("skip_provider_registration", "Accepted for compatibility: this provider never registers resource providers. Also `ARM_SKIP_PROVIDER_REGISTRATION`."),
        text("workspaces_api_version", "The api-version for workspaces instead of the built-in one."),
        Attribute::optional("max_retries", Type::Number, "How often a request is repeated after a passing failure; 6 by default. Throttling does not count.")
            .check(not_negative),
    ];
    let description =
        "Moves Azure AI Foundry hubs from shared keys to Microsoft Entra authorization and keeps them there.";
    Schema { version: 0, block: Block { description, attributes, blocks: Vec::new() } }
}

fn refuse<T>(summary: &str, detail: String) -> Result<T, Refusal> {
    Err(Refusal { summary: summary.to_owned(), detail })
}

fn https(value: &Value) -> Result<(), Refusal> {
    let Some(text) = value.as_str() else { return Ok(()) };
    match Endpoints::new(text, text, text) {
        Ok(_) => Ok(()),
        Err(_) => refuse(
            "Not an https address",
            format!(
                "{text:?} must be a URL such as https://management.azure.com: tokens are only ever sent over https."
            ),
        ),
    }
}

fn at_most_three(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::List(tenants) if tenants.len() > 3 => refuse(
            "Too many tenants",
            format!("Azure takes at most three auxiliary tenants; {} are given.", tenants.len()),
        ),
        _ => Ok(()),
    }
}

fn environment_name(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(name) if Cloud::by_name(name).is_none() && !name.eq_ignore_ascii_case("custom") => {
            refuse("Unknown environment", format!("{name:?} is none of public, usgovernment, china and custom."))
        }
        _ => Ok(()),
    }
}

fn guid(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if uuid::Uuid::try_parse(text).is_err() => refuse("Not a GUID", format!("{text:?} is not a GUID.")),
        _ => Ok(()),
    }
}

fn not_negative(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Number(number) if number.as_i64().is_none_or(|number| !(0..=1000).contains(&number)) => {
            refuse("Not a number of retries", format!("{number} is not a whole number from 0 to 1000."))
        }
        _ => Ok(()),
    }
}

/// What the schema alone cannot refuse.
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

/// Finds each setting in the block, or else in the environment.
struct Lookup {
    environment: Environment,
    diagnostics: Diagnostics,
}

impl Lookup {
    fn variable(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| (self.environment)(name)).filter(|text| !text.is_empty())
    }

    fn text(&self, written: &Attr<String>, variables: &[&str]) -> Option<String> {
        written.text().filter(|text| !text.is_empty()).map(str::to_owned).or_else(|| self.variable(variables))
    }

    fn flag(&mut self, written: &Attr<bool>, variable: &str, default: bool) -> bool {
        if let Some(flag) = written.known() {
            return *flag;
        }
        match self.variable(&[variable]).map(|text| (text.to_lowercase(), text)) {
            None => default,
            Some((lower, _)) if ["true", "1", "t", "yes"].contains(&lower.as_str()) => true,
            Some((lower, _)) if ["false", "0", "f", "no"].contains(&lower.as_str()) => false,
            Some((_, text)) => {
                let detail = format!("{variable} is {text:?}. Set it to true or false.");
                self.diagnostics.push(Diagnostic::error("Unreadable environment variable", detail));
                default
            }
        }
    }

    /// A text that may also stand in a file. Both at once must agree.
    fn text_or_file(&mut self, name: &str, text: Option<String>, file: Option<String>) -> Option<String> {
        let Some(file) = file else { return text };
        match fs::read_to_string(&file) {
            Ok(content) => {
                let content = content.trim().to_owned();
                if text.as_ref().is_some_and(|text| *text != content) {
                    let detail = format!("{name} is set, and {file} says something else. Keep one of the two.");
                    self.diagnostics
                        .push(Diagnostic::error("Two values for one setting", detail).at(Path::root(name.to_owned())));
                }
                Some(content)
            }
            Err(error) => {
                let detail = format!("{file}, which should hold {name}, cannot be read: {error}.");
                self.diagnostics.push(
                    Diagnostic::error("A file cannot be read", detail).at(Path::root(format!("{name}_file_path"))),
                );
                text
            }
        }
    }
}

/// Makes a session of the provider block. With unknown values in it there is none yet, which is no error: the engine
/// configures again when they are known.
pub fn configure(config: &Value, engine_version: &str, environment: Environment) -> (Option<Session>, Diagnostics) {
    if !config.is_wholly_known() {
        return (None, Diagnostics::default());
    }
    let written: Written = match from_value(config.clone()) {
        Ok(written) => written,
        Err(mismatch) => {
            let detail = format!(
                "The provider block does not fit the provider's schema at {}: {}.",
                mismatch.path, mismatch.reason
            );
            return (None, Diagnostic::error("The provider block cannot be read", detail).into());
        }
    };
    let mut lookup = Lookup { environment, diagnostics: Diagnostics::default() };
    let endpoints = endpoints(&mut lookup, &written);
    let credential = credential(&mut lookup, &written);
    let (Some(endpoints), Some(credential)) = (endpoints, credential) else { return (None, lookup.diagnostics) };
    let settings = settings(&mut lookup, &written, endpoints, engine_version);
    if lookup.diagnostics.has_errors() {
        return (None, lookup.diagnostics);
    }
    match arm::Client::new(settings, credential) {
        Ok(client) => (Some(Session::new(client)), lookup.diagnostics),
        Err(error) => {
            lookup.diagnostics.push(super::report::failure("The provider cannot be configured", &error, ""));
            (None, lookup.diagnostics)
        }
    }
}

fn endpoints(lookup: &mut Lookup, written: &Written) -> Option<Endpoints> {
    let none = WrittenEndpoint::default();
    let endpoint = written.endpoint.known().and_then(|list| list.first()).and_then(Attr::known).unwrap_or(&none);
    let resource_manager = lookup.text(&endpoint.resource_manager_endpoint, &["ARM_RESOURCE_MANAGER_ENDPOINT"]);
    let audience = lookup.text(&endpoint.resource_manager_audience, &["ARM_RESOURCE_MANAGER_AUDIENCE"]);
    let authority = lookup.text(&endpoint.active_directory_authority_host, &["ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"]);
    let name = lookup.text(&written.environment, &["ARM_ENVIRONMENT"]).unwrap_or_else(|| "public".to_owned());
    let known = Cloud::by_name(&name).map(Cloud::endpoints);
    if known.is_none() && !name.eq_ignore_ascii_case("custom") {
        let detail = format!("ARM_ENVIRONMENT is {name:?}; it must be public, usgovernment, china or custom.");
        lookup.diagnostics.push(Diagnostic::error("Unknown environment", detail).at(Path::root("environment")));
        return None;
    }
    let default = |choose: fn(&Endpoints) -> &url::Url| known.as_ref().map(|known| choose(known).to_string());
    let audience = audience.or_else(|| match &resource_manager {
        Some(own) => Some(own.clone()),
        None => known.as_ref().map(|known| known.audience.clone()),
    });
    let resource_manager = resource_manager.or_else(|| default(|known| &known.resource_manager));
    let authority = authority.or_else(|| default(|known| &known.authority));
    let (Some(resource_manager), Some(audience), Some(authority)) = (resource_manager, audience, authority) else {
        let detail = "The environment custom needs resource_manager_endpoint and active_directory_authority_host in endpoint, \
                      or ARM_RESOURCE_MANAGER_ENDPOINT and ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST.";
        lookup
            .diagnostics
            .push(Diagnostic::error("A custom cloud without addresses", detail).at(Path::root("endpoint")));
        return None;
    };
    match Endpoints::new(&resource_manager, &audience, &authority) {
        Ok(endpoints) => Some(endpoints),
        Err(error) => {
            lookup.diagnostics.push(
                super::report::failure("Not an https address", &error, "Check endpoint and the ARM_… variables.")
                    .at(Path::root("endpoint")),
            );
            None
        }
    }
}

/// Chooses the one credential: a client secret, else a managed identity, else the Azure CLI. The first that is
/// configured is used, and its failure is not covered up by trying the next.
fn credential(lookup: &mut Lookup, written: &Written) -> Option<Credential> {
    let tenant_id = lookup.text(&written.tenant_id, &["ARM_TENANT_ID", "AZURE_TENANT_ID"]);
    let client_id = lookup.text(&written.client_id, &["ARM_CLIENT_ID", "AZURE_CLIENT_ID"]);
    let client_id_file = lookup.text(&written.client_id_file_path, &["ARM_CLIENT_ID_FILE_PATH"]);
    let client_id = lookup.text_or_file("client_id", client_id, client_id_file);
    let secret = lookup.text(&written.client_secret, &["ARM_CLIENT_SECRET"]);
    let secret_file = lookup.text(&written.client_secret_file_path, &["ARM_CLIENT_SECRET_FILE_PATH"]);
    let secret = lookup.text_or_file("client_secret", secret, secret_file);
    let use_msi = lookup.flag(&written.use_msi, "ARM_USE_MSI", false);
    let use_cli = lookup.flag(&written.use_cli, "ARM_USE_CLI", true);

    let lacking = match (&secret, &tenant_id, &client_id) {
        (None, ..) => "client_secret (ARM_CLIENT_SECRET) is not set",
        (_, None, _) => "client_secret is set and tenant_id (ARM_TENANT_ID) is not",
        (_, _, None) => "client_secret is set and client_id (ARM_CLIENT_ID) is not",
        (Some(secret), Some(tenant_id), Some(client_id)) => {
            return Some(Credential::ClientSecret {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                client_secret: Secret::new(secret.clone()),
            });
        }
    };
    let half_a_secret = secret.is_some();
    if use_msi && !half_a_secret {
        return Some(Credential::ManagedIdentity {
            client_id,
            endpoint: lookup.text(&written.msi_endpoint, &["ARM_MSI_ENDPOINT"]),
            api_version: lookup.text(&written.msi_api_version, &["ARM_MSI_API_VERSION"]),
        });
    }
    if use_cli && !half_a_secret {
        let subscription_id = lookup.text(&written.subscription_id, &["ARM_SUBSCRIPTION_ID"]);
        return Some(Credential::AzureCli { tenant_id, subscription_id });
    }
    let detail = format!(
        "Ways to sign in, in the order they are looked at:\n- client secret: {lacking}\n- managed identity: {}\n- Azure \
         CLI: {}\n\nComplete one of them.",
        if use_msi { "use_msi is set, but a client secret goes first" } else { "use_msi (ARM_USE_MSI) is not set" },
        if use_cli { "use_cli is on, but a client secret goes first" } else { "use_cli (ARM_USE_CLI) is off" },
    );
    lookup.diagnostics.push(Diagnostic::error("No way to sign in to Azure", detail));
    None
}

fn settings(lookup: &mut Lookup, written: &Written, endpoints: Endpoints, engine_version: &str) -> Settings {
    let mut settings = Settings::new(endpoints);
    settings.user_agent = user_agent(
        engine_version,
        lookup.text(&written.partner_id, &["ARM_PARTNER_ID"]).as_deref(),
        lookup.variable(&["AZURE_HTTP_USER_AGENT"]).as_deref(),
    );
    let fixed = lookup.text(&written.custom_correlation_request_id, &["ARM_CORRELATION_REQUEST_ID"]);
    settings.correlation_id = match (
        lookup.flag(&written.disable_correlation_request_id, "ARM_DISABLE_CORRELATION_REQUEST_ID", false),
        fixed,
    ) {
        (true, _) => CorrelationId::Disabled,
        (false, Some(fixed)) => CorrelationId::Fixed(fixed),
        (false, None) => CorrelationId::Random,
    };
    if let Some(retries) = written.max_retries.known() {
        settings.max_retries = u32::try_from(*retries).unwrap_or(settings.max_retries);
    }
    settings.workspaces_api_version = lookup.text(&written.workspaces_api_version, &[]);
    settings.auxiliary_tenant_ids = match written.auxiliary_tenant_ids.known() {
        Some(tenants) => tenants.iter().filter_map(|tenant| tenant.text().map(str::to_owned)).collect(),
        None => lookup
            .variable(&["ARM_AUXILIARY_TENANT_IDS"])
            .map(|text| text.split(';').filter(|tenant| !tenant.is_empty()).map(str::to_owned).collect())
            .unwrap_or_default(),
    };
    settings
}

fn user_agent(engine_version: &str, partner_id: Option<&str>, appended: Option<&str>) -> String {
    let engine = if engine_version.is_empty() { "unknown" } else { engine_version };
    let mut text = format!("Terraform/{engine} terraform-provider-foundryhub/{}", env!("CARGO_PKG_VERSION"));
    for part in [appended.map(str::to_owned), partner_id.map(|id| format!("pid-{id}"))].into_iter().flatten() {
        text.push(' ');
        text.push_str(&part);
    }
    text
}
