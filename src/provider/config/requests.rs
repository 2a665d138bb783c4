//! The settings of requests that do not depend on the sign-in method: headers, tenants, api-version and retries.

use super::{
    check::{api_version, guid, header_value, retries, tenants},
    lookup::{Lookup, NotKnown},
    setting::{Setting, Shape, setting},
};
use crate::{
    arm::{Addresses, CorrelationId, Settings},
    framework::{Type, Value, schema::Attribute},
};

static AUXILIARY_TENANT_IDS: &str = "ARM_AUXILIARY_TENANT_IDS";
static APPENDED_USER_AGENT: Setting =
    setting!(Shape::Text(header_value), [], ["AZURE_HTTP_USER_AGENT"], "Appended to the User-Agent.");
static DISABLE_INSTANCE_DISCOVERY: Setting = setting!(
    Shape::Flag,
    ["disable_instance_discovery"],
    ["ARM_DISABLE_INSTANCE_DISCOVERY"],
    "Accepted for compatibility: this provider never asks the public cloud about an authority."
);
static PARTNER_ID: Setting =
    setting!(Shape::Text(guid), ["partner_id"], ["ARM_PARTNER_ID"], "A GUID for Microsoft's partner attribution.");
static DISABLE_TERRAFORM_PARTNER_ID: Setting = setting!(
    Shape::Flag,
    ["disable_terraform_partner_id"],
    ["ARM_DISABLE_TERRAFORM_PARTNER_ID"],
    "Accepted for compatibility: without `partner_id` no attribution is sent."
);
static CORRELATION_REQUEST_ID: Setting = setting!(
    Shape::Text(guid),
    ["custom_correlation_request_id"],
    ["ARM_CORRELATION_REQUEST_ID"],
    "The value of `x-ms-correlation-request-id`, a GUID by which Azure's logs tie requests together; random by default."
);
static DISABLE_CORRELATION_REQUEST_ID: Setting = setting!(
    Shape::Flag,
    ["disable_correlation_request_id"],
    ["ARM_DISABLE_CORRELATION_REQUEST_ID"],
    "Whether to leave that header out."
);
static SKIP_PROVIDER_REGISTRATION: Setting = setting!(
    Shape::Flag,
    ["skip_provider_registration"],
    ["ARM_SKIP_PROVIDER_REGISTRATION"],
    "Accepted for compatibility: this provider never registers resource providers."
);

/// The attributes of the settings in this file.
pub(super) fn attributes() -> Vec<Attribute> {
    let auxiliary_tenants = Attribute::optional(
        "auxiliary_tenant_ids",
        Type::list(Type::String),
        "Further tenants, at most three, whose resources are used by id. Also `ARM_AUXILIARY_TENANT_IDS`, separated by `;`.",
    );
    let version = "The api-version for workspaces instead of the built-in one, such as `2025-06-01`.";
    let max_retries =
        "How often a request is repeated after a transient failure; 6 by default. Throttling does not count.";
    let settings = [
        &DISABLE_INSTANCE_DISCOVERY,
        &PARTNER_ID,
        &DISABLE_TERRAFORM_PARTNER_ID,
        &CORRELATION_REQUEST_ID,
        &DISABLE_CORRELATION_REQUEST_ID,
        &SKIP_PROVIDER_REGISTRATION,
    ];
    let mut attributes = vec![auxiliary_tenants.check(tenants)];
    attributes.extend(settings.into_iter().flat_map(Setting::schema));
    attributes.push(Attribute::optional("workspaces_api_version", Type::String, version).check(api_version));
    attributes.push(Attribute::optional("max_retries", Type::Number, max_retries).check(retries));
    attributes
}

/// The client's settings except for the sign-in method. Ids in headers and the number of retries need not be known for a plan.
///
/// # Errors
/// When another setting is not known yet.
pub(super) fn settings(
    lookup: &mut Lookup<'_>,
    addresses: Addresses,
    engine_version: &str,
) -> Result<Settings, NotKnown> {
    let mut settings = Settings::new(addresses);
    let partner_id = lookup.text(&PARTNER_ID).unwrap_or_default();
    let appended = lookup.in_environment(&APPENDED_USER_AGENT);
    settings.user_agent = user_agent(engine_version, partner_id.as_deref(), appended.as_deref());
    let disabled = lookup.flag(&DISABLE_CORRELATION_REQUEST_ID).unwrap_or_default().unwrap_or_default();
    settings.correlation_id = match (disabled, lookup.text(&CORRELATION_REQUEST_ID).unwrap_or_default()) {
        (true, _) => CorrelationId::Disabled,
        (false, Some(fixed)) => CorrelationId::Fixed(fixed),
        (false, None) => CorrelationId::Random,
    };
    if let Value::Number(retries) = lookup.block("max_retries") {
        let retries = retries.as_i64().and_then(|retries| u32::try_from(retries).ok());
        settings.max_retries = retries.unwrap_or(settings.max_retries);
    }
    settings.workspaces_api_version = match lookup.block("workspaces_api_version") {
        Value::Unknown => return Err(NotKnown),
        version => version.as_str().map(str::to_owned),
    };
    settings.auxiliary_tenant_ids = auxiliary_tenant_ids(lookup)?;
    Ok(settings)
}

fn auxiliary_tenant_ids(lookup: &mut Lookup<'_>) -> Result<Vec<String>, NotKnown> {
    match lookup.block("auxiliary_tenant_ids") {
        value if !value.is_wholly_known() => return Err(NotKnown),
        Value::List(ids) => {
            let ids = ids.iter().filter_map(Value::as_str).filter(|id| !id.is_empty());
            return Ok(ids.map(str::to_owned).collect());
        }
        _ => {}
    }
    let text = lookup.variable(&[AUXILIARY_TENANT_IDS]).map_or_else(String::new, |(_, text)| text);
    let found: Vec<_> = text.split(';').map(str::trim).filter(|tenant| !tenant.is_empty()).map(str::to_owned).collect();
    lookup.check(AUXILIARY_TENANT_IDS, &Value::List(found.iter().cloned().map(Value::from).collect()), tenants);
    Ok(found)
}

/// The longest version that an engine says it has.
const LONGEST_VERSION: usize = 100;

fn user_agent(engine_version: &str, partner_id: Option<&str>, appended: Option<&str>) -> String {
    let is_version = |text: &str| text.len() <= LONGEST_VERSION && text.chars().all(|c| c.is_ascii_graphic());
    let engine = Some(engine_version).filter(|text| !text.is_empty() && is_version(text)).unwrap_or("unknown");
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
    use crate::{
        arm::{Cloud, DEFAULT_MAX_RETRIES},
        provider::config::lookup::variables,
    };

    #[test]
    fn settings_are_those_of_the_block_or_else_of_the_environment() {
        let read = |block: &[(&'static str, Value)], environment: &[(&'static str, &str)]| {
            let (block, environment) = (Value::object(block.iter().cloned()), variables(environment));
            let mut lookup = Lookup::new(&block, &environment);
            let settings = settings(&mut lookup, Cloud::Public.endpoints().into(), "1.2.3");
            let refused = lookup.into_diagnostics().0.into_iter().map(|found| found.summary).collect::<Vec<_>>();
            (settings, refused)
        };
        let tenants = Value::List(vec!["a".into(), "b".into()]);
        for (block, variable, expected) in [
            (&[("auxiliary_tenant_ids", tenants)][..], "x", &["a", "b"][..]),
            (&[], "a; b;;", &["a", "b"]),
            (&[], "", &[]),
        ] {
            let (settings, refused) = read(block, &[("ARM_AUXILIARY_TENANT_IDS", variable)]);
            assert_eq!(settings.unwrap().auxiliary_tenant_ids, expected);
            assert_eq!(refused, Vec::<String>::new());
        }
        assert_eq!(read(&[], &[("ARM_AUXILIARY_TENANT_IDS", "a;b;c;d")]).1, ["Too many tenants"]);
        assert_eq!(read(&[], &[("ARM_PARTNER_ID", "me")]).1, ["Not a GUID"]);

        for (retries, expected) in [
            (Value::Null, DEFAULT_MAX_RETRIES),
            (Value::Unknown, DEFAULT_MAX_RETRIES),
            (0.into(), 0),
            (1000.into(), 1000),
        ] {
            assert_eq!(read(&[("max_retries", retries)], &[]).0.unwrap().max_retries, expected);
        }
        let version = |version: Value| read(&[("workspaces_api_version", version)], &[]).0;
        assert_eq!(version("2030-01-01".into()).unwrap().workspaces_api_version.as_deref(), Some("2030-01-01"));
        assert!(version(Value::Unknown).is_err());
        let engine = |version: &str| user_agent(version, None, None).split(' ').next().map(str::to_owned);
        for (version, expected) in
            [("1.2.3", "1.2.3"), ("", "unknown"), ("1\r\nX: y", "unknown"), (&"1".repeat(101), "unknown")]
        {
            assert_eq!(engine(version), Some(format!("Terraform/{expected}")));
        }
        assert!(read(&[("auxiliary_tenant_ids", Value::List(vec![Value::Unknown]))], &[]).0.is_err());
    }
}
