//! The provider block: what may be written in it or in the environment, and what it means.
//!
//! Names of attributes and variables are those of azurerm and azapi, so that a pipeline set up for either works unchanged.
//! Nothing is sent from here.

mod credential;
mod lookup;
mod ways;

use serde::Deserialize;

use super::Session;
use credential::credential;
use lookup::{Lookup, one_line, unbroken, visible};

use crate::{
    arm::{self, Cloud, CorrelationId, Endpoints, Secret, Settings},
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Type, Value,
        erased::MISFIT,
        schema::{Attribute, Block, Nesting, Presence, Refusal, Schema},
        state::from_value,
    },
};

/// Looks at one environment variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The provider block as written.
#[derive(Debug, Default, Deserialize)]
struct Written {
    subscription_id: Attr<String>,
    tenant_id: Attr<String>,
    auxiliary_tenant_ids: Attr<Vec<Attr<String>>>,
    client_id: Attr<String>,
    client_id_file_path: Attr<String>,
    client_secret: Attr<Secret>,
    client_secret_file_path: Attr<String>,
    use_msi: Attr<bool>,
    msi_endpoint: Attr<String>,
    msi_api_version: Attr<String>,
    use_cli: Attr<bool>,
    environment: Attr<String>,
    endpoint: Attr<Vec<Attr<WrittenEndpoint>>>,
    #[expect(dead_code, reason = "accepted, and there is nothing to do")]
    disable_instance_discovery: Attr<bool>,
    partner_id: Attr<String>,
    #[expect(dead_code, reason = "accepted, and there is nothing to do")]
    disable_terraform_partner_id: Attr<bool>,
    custom_correlation_request_id: Attr<String>,
    disable_correlation_request_id: Attr<bool>,
    #[expect(dead_code, reason = "accepted, and there is nothing to do")]
    skip_provider_registration: Attr<bool>,
    workspaces_api_version: Attr<String>,
    max_retries: Attr<i64>,
}

#[derive(Debug, Default, Deserialize)]
struct WrittenEndpoint {
    resource_manager_endpoint: Attr<String>,
    resource_manager_audience: Attr<String>,
    active_directory_authority_host: Attr<String>,
}

/// The schema of the provider block.
pub fn schema() -> Schema {
    let file = |name, description| Attribute::optional(name, Type::String, description);
    let text = |name, description| Attribute::optional(name, Type::String, description).check(visible);
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
    let mut attributes = vec![
        text("subscription_id", "The subscription of resources whose ids do not say it. Also `ARM_SUBSCRIPTION_ID`."),
        text("tenant_id", "The Microsoft Entra tenant to sign in to. Also `ARM_TENANT_ID`."),
        Attribute::optional(
            "auxiliary_tenant_ids",
            Type::list(Type::String),
            "Further tenants, at most three, whose resources are used by id. Also `ARM_AUXILIARY_TENANT_IDS`, separated by `;`.",
        )
        .check(tenants),
        text("client_id", "The application (client) id to sign in with. Also `ARM_CLIENT_ID` or `AZURE_CLIENT_ID`."),
        file("client_id_file_path", "A file that holds the client id. Also `ARM_CLIENT_ID_FILE_PATH`."),
        text("client_secret", "A secret of the application. Also `ARM_CLIENT_SECRET`.").sensitive().check(unbroken),
        file("client_secret_file_path", "A file that holds the secret. Also `ARM_CLIENT_SECRET_FILE_PATH`."),
        flag("use_msi", "Whether to sign in with a managed identity; no by default. Also `ARM_USE_MSI`."),
        text("msi_endpoint", "The URL that gives tokens of the managed identity, when not the usual one. Also `ARM_MSI_ENDPOINT`.").check(token_url),
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
    attributes.extend(ways::attributes());
    let description =
        "Moves Azure AI Foundry hubs from shared keys to Microsoft Entra authorization and keeps them there.";
    Schema { version: 0, block: Block { description, attributes, blocks: Vec::new() } }
}

fn https(value: &Value) -> Result<(), Refusal> {
    visible(value)?;
    let Some(text) = value.as_str() else { return Ok(()) };
    match Endpoints::new(text, text, text) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refusal::new(
            "Not an https address",
            format!(
                "{text:?} must be a URL such as https://management.azure.com: tokens are only ever sent over https."
            ),
        )),
    }
}

fn token_url(value: &Value) -> Result<(), Refusal> {
    visible(value)?;
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    match url::Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(()),
        _ => Err(Refusal::new(
            "Not a URL",
            format!("{text:?} must be a URL such as http://169.254.169.254/metadata/identity/oauth2/token."),
        )),
    }
}

fn tenants(value: &Value) -> Result<(), Refusal> {
    let Value::List(tenants) = value else { return Ok(()) };
    tenants.iter().try_for_each(visible)?;
    if tenants.len() <= 3 {
        return Ok(());
    }
    let detail = format!("Azure takes at most three auxiliary tenants; {} are given.", tenants.len());
    Err(Refusal::new("Too many tenants", detail))
}

fn environment_name(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(name) if Cloud::by_name(name).is_none() && !name.eq_ignore_ascii_case("custom") => Err(Refusal::new(
            "Unknown environment",
            format!("{name:?} is none of public, usgovernment, china and custom."),
        )),
        _ => Ok(()),
    }
}

fn guid(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if uuid::Uuid::try_parse(text).is_err() => {
            Err(Refusal::new("Not a GUID", format!("{text:?} is not a GUID.")))
        }
        _ => Ok(()),
    }
}

fn not_negative(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Number(number) if number.as_i64().is_none_or(|number| !(0..=1000).contains(&number)) => {
            Err(Refusal::new("Not a number of retries", format!("{number} is not a whole number from 0 to 1000.")))
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

/// Makes a session of the provider block. With unknown values in it there is none yet, which is no error: the engine
/// configures again when they are known.
pub fn configure(config: &Value, engine_version: &str, environment: Environment<'_>) -> (Option<Session>, Diagnostics) {
    if !config.is_wholly_known() {
        return (None, Diagnostics::default());
    }
    let mut lookup = Lookup::new(environment);
    let mut block = config.clone();
    ways::refuse(&mut lookup, &mut block);
    let written: Written = match from_value(block) {
        Ok(written) => written,
        Err(mismatch) => {
            let detail = format!(
                "The provider block does not fit the provider's schema at {}: {}.",
                mismatch.path, mismatch.reason
            );
            return (None, Diagnostic::error(MISFIT, detail).into());
        }
    };
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

fn endpoints(lookup: &mut Lookup<'_>, written: &Written) -> Option<Endpoints> {
    let none = WrittenEndpoint::default();
    let endpoint = written.endpoint.known().and_then(|list| list.first()).and_then(Attr::known).unwrap_or(&none);
    let resource_manager =
        lookup.text(&endpoint.resource_manager_endpoint, &["ARM_RESOURCE_MANAGER_ENDPOINT"], visible);
    let audience = lookup.text(&endpoint.resource_manager_audience, &["ARM_RESOURCE_MANAGER_AUDIENCE"], visible);
    let authority =
        lookup.text(&endpoint.active_directory_authority_host, &["ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"], visible);
    let name = lookup
        .text(&written.environment, &["ARM_ENVIRONMENT"], environment_name)
        .unwrap_or_else(|| "public".to_owned());
    if lookup.diagnostics.has_errors() {
        return None;
    }
    let known = Cloud::by_name(&name).map(Cloud::endpoints);
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

fn settings(lookup: &mut Lookup<'_>, written: &Written, endpoints: Endpoints, engine_version: &str) -> Settings {
    let mut settings = Settings::new(endpoints);
    let partner_id = lookup.text(&written.partner_id, &["ARM_PARTNER_ID"], guid);
    let appended = lookup.checked(&["AZURE_HTTP_USER_AGENT"], one_line);
    settings.user_agent = user_agent(engine_version, partner_id.as_deref(), appended.as_deref());
    let fixed = lookup.text(&written.custom_correlation_request_id, &["ARM_CORRELATION_REQUEST_ID"], visible);
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
    settings.workspaces_api_version = lookup.text(&written.workspaces_api_version, &[], visible);
    settings.auxiliary_tenant_ids = auxiliary_tenant_ids(lookup, written);
    settings
}

fn auxiliary_tenant_ids(lookup: &mut Lookup<'_>, written: &Written) -> Vec<String> {
    const VARIABLE: &str = "ARM_AUXILIARY_TENANT_IDS";
    if let Some(tenants) = written.auxiliary_tenant_ids.known() {
        return tenants.iter().filter_map(|tenant| tenant.text().map(str::to_owned)).collect();
    }
    let text = lookup.variable(&[VARIABLE]).map_or_else(String::new, |(_, text)| text);
    let found: Vec<_> = text.split(';').map(str::trim).filter(|tenant| !tenant.is_empty()).map(str::to_owned).collect();
    lookup.check(VARIABLE, &Value::List(found.iter().cloned().map(Value::from).collect()), tenants);
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider block with these attributes, and no others, set.
    pub(super) fn written(members: &[(&'static str, Value)]) -> Written {
        let Value::Map(mut block) = schema().block.null_object() else { unreachable!("a block is an object") };
        block.extend(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let mut block = Value::Map(block);
        ways::refuse(&mut Lookup::new(&|_| None), &mut block);
        from_value(block).unwrap()
    }

    /// The environment with these variables.
    pub(super) fn variables(variables: &[(&'static str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
    }

    #[test]
    fn settings_are_those_of_the_block_or_else_of_the_environment() {
        let read = |block: &[(&'static str, Value)], environment: &[(&'static str, &str)]| {
            let environment = variables(environment);
            let mut lookup = Lookup::new(&environment);
            let settings = settings(&mut lookup, &written(block), Cloud::Public.endpoints(), "1.2.3");
            (settings, lookup.diagnostics.0.into_iter().map(|found| found.summary).collect::<Vec<_>>())
        };
        let tenants = Value::List(vec!["a".into(), "b".into()]);
        for (block, variable, expected) in [
            (&[("auxiliary_tenant_ids", tenants)][..], "x", &["a", "b"][..]),
            (&[], "a; b;;", &["a", "b"]),
            (&[], "", &[]),
        ] {
            let (settings, refused) = read(block, &[("ARM_AUXILIARY_TENANT_IDS", variable)]);
            assert_eq!(
                (settings.auxiliary_tenant_ids, refused),
                (expected.iter().map(|t| (*t).to_owned()).collect(), vec![])
            );
        }
        assert_eq!(read(&[], &[("ARM_AUXILIARY_TENANT_IDS", "a;b;c;d")]).1, ["Too many tenants"]);
        assert_eq!(read(&[], &[("ARM_PARTNER_ID", "me")]).1, ["Not a GUID"]);

        for (retries, expected) in [(Value::Null, arm::DEFAULT_MAX_RETRIES), (0.into(), 0), (1000.into(), 1000)] {
            assert_eq!(read(&[("max_retries", retries)], &[]).0.max_retries, expected);
        }
        let version = [("workspaces_api_version", "2030-01-01".into())];
        assert_eq!(read(&version, &[]).0.workspaces_api_version.as_deref(), Some("2030-01-01"));
    }

    #[test]
    fn a_cloud_is_named_or_spelled_out() {
        let read = |environment: &[(&'static str, &str)]| {
            let environment = variables(environment);
            let mut lookup = Lookup::new(&environment);
            let found = endpoints(&mut lookup, &written(&[]));
            found.ok_or_else(|| lookup.diagnostics.0.into_iter().map(|found| found.summary).collect::<Vec<_>>())
        };
        assert_eq!(read(&[]), Ok(Cloud::Public.endpoints()));
        assert_eq!(read(&[("ARM_ENVIRONMENT", "USGovernment")]), Ok(Cloud::UsGovernment.endpoints()));
        assert_eq!(read(&[("ARM_ENVIRONMENT", "german")]), Err(vec!["Unknown environment".to_owned()]));
        let custom = [("ARM_ENVIRONMENT", "custom"), ("ARM_RESOURCE_MANAGER_ENDPOINT", "https://arm.test")];
        assert_eq!(read(&custom), Err(vec!["A custom cloud without addresses".to_owned()]));
        let whole = [custom[0], custom[1], ("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "https://login.test")];
        assert_eq!(
            read(&whole),
            Ok(Endpoints::new("https://arm.test", "https://arm.test", "https://login.test").unwrap())
        );
    }
}
