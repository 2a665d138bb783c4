//! The cloud, and the addresses of its services.

use super::{
    check::{environment_name, https_origin, metadata_host, no_spaces},
    lookup::{Lookup, NotKnown},
    setting::{Setting, Shape, setting},
};
use crate::{
    arm::{Addresses, Cloud, Endpoints, MetadataHost},
    framework::{
        Diagnostic, Path, Summary, Value,
        schema::{Attribute, Nesting, Presence},
    },
    provider::report,
};

static ENVIRONMENT: Setting = setting!(
    Shape::Text(environment_name),
    ["environment"],
    ["ARM_ENVIRONMENT"],
    "The cloud: `public` (default), `usgovernment`, `china`, or `custom` with `endpoint` or `metadata_host`."
);
static METADATA_HOST: Setting = setting!(
    Shape::Text(metadata_host),
    ["metadata_host"],
    ["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST"],
    "The host, with a port if need be, that publishes the addresses of the cloud, over `https`. They go before those of \
     `environment`, and those of `endpoint` before them."
);
static RESOURCE_MANAGER: Setting = setting!(
    Shape::Text(https_origin),
    ["resource_manager_endpoint"],
    ["ARM_RESOURCE_MANAGER_ENDPOINT"],
    "URL of Azure Resource Manager, `https` only."
);
static AUDIENCE: Setting = setting!(
    Shape::Text(no_spaces),
    ["resource_manager_audience"],
    ["ARM_RESOURCE_MANAGER_AUDIENCE"],
    "Audience of the tokens for Azure Resource Manager; its endpoint if not set."
);
static AUTHORITY: Setting = setting!(
    Shape::Text(https_origin),
    ["active_directory_authority_host"],
    ["ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"],
    "URL of Microsoft Entra, `https` only."
);

/// The attributes about the cloud.
pub(super) fn attributes() -> Vec<Attribute> {
    let mut attributes: Vec<_> = [&ENVIRONMENT, &METADATA_HOST].into_iter().flat_map(Setting::schema).collect();
    attributes.push(Attribute::nested(
        "endpoint",
        Nesting::List,
        Presence::Optional,
        [&RESOURCE_MANAGER, &AUDIENCE, &AUTHORITY].into_iter().flat_map(Setting::schema).collect(),
        "Addresses of a cloud of your own, in a list of one object. They go before those of `environment`.",
    ));
    attributes
}

/// Where the cloud's services are; `None` when that cannot be told, for which there is a diagnostic then.
///
/// # Errors
/// When it depends on a value that is not known yet.
pub(super) fn addresses(lookup: &mut Lookup<'_>) -> Result<Option<Addresses>, NotKnown> {
    let endpoint = match lookup.block("endpoint") {
        Value::List(elements) => elements.first().unwrap_or(&Value::Null),
        other => other,
    };
    if endpoint.is_unknown() {
        return Err(NotKnown);
    }
    let (resource_manager, audience, authority) = lookup.within(endpoint, |lookup| {
        Ok((lookup.text(&RESOURCE_MANAGER)?, lookup.text(&AUDIENCE)?, lookup.text(&AUTHORITY)?))
    })?;
    let host = lookup.text(&METADATA_HOST)?;
    let name = match lookup.text(&ENVIRONMENT) {
        // Everything that it could say is said better.
        Err(NotKnown) if host.is_some() || (resource_manager.is_some() && authority.is_some()) => None,
        name => name?,
    };
    let name = name.unwrap_or_else(|| "public".to_owned());
    if lookup.has_errors() {
        return Ok(None);
    }
    if let Some(Ok(metadata)) = host.as_deref().map(MetadataHost::of) {
        return Ok(Some(Addresses::Published(MetadataHost { resource_manager, audience, authority, ..metadata })));
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
                      or ARM_RESOURCE_MANAGER_ENDPOINT and ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST, or metadata_host \
                      (ARM_METADATA_HOSTNAME).";
        lookup.push(Diagnostic::error("A custom cloud without addresses", detail).at(Path::root("endpoint")));
        return Ok(None);
    };
    match Endpoints::new(&resource_manager, &audience, &authority) {
        Ok(endpoints) => Ok(Some(endpoints.into())),
        Err(error) => {
            let next = "Check endpoint and the ARM_… variables.";
            lookup.push(report::failure(Summary("Not an https address"), &error, next).at(Path::root("endpoint")));
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::config::lookup::variables;

    #[test]
    fn an_environment_that_is_not_known_yet_does_not_matter_where_the_addresses_are() {
        let block = Value::object([("environment", Value::Unknown)]);
        let read = |environment: &[(&'static str, &str)]| {
            let environment = variables(environment);
            addresses(&mut Lookup::new(&block, &environment))
        };
        let authority = ("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "https://login.test");
        let whole = [("ARM_RESOURCE_MANAGER_ENDPOINT", "https://arm.test"), authority];
        assert!(matches!(read(&whole), Ok(Some(Addresses::Known(_)))));
        assert!(matches!(read(&[("ARM_METADATA_HOSTNAME", "host.test")]), Ok(Some(Addresses::Published(_)))));
        assert_eq!(read(&[authority]), Err(NotKnown));
    }

    #[test]
    fn a_cloud_is_named_or_spelled_out() {
        let read = |environment: &[(&'static str, &str)]| {
            let environment = variables(environment);
            let mut lookup = Lookup::new(&Value::Null, &environment);
            let found = addresses(&mut lookup).unwrap();
            found.ok_or_else(|| lookup.into_diagnostics().0.into_iter().map(|found| found.summary).collect::<Vec<_>>())
        };
        assert_eq!(read(&[]), Ok(Cloud::Public.endpoints().into()));
        assert_eq!(read(&[("ARM_ENVIRONMENT", "USGovernment")]), Ok(Cloud::UsGovernment.endpoints().into()));
        for (name, cloud) in
            [("global", Cloud::Public), ("usgovernmentl4", Cloud::UsGovernment), ("DoD", Cloud::UsGovernment)]
        {
            assert_eq!(read(&[("ARM_ENVIRONMENT", name)]), Ok(cloud.endpoints().into()));
        }
        let hybrid = [("ARM_ENVIRONMENT", "hybrid"), ("ARM_METADATA_HOSTNAME", "host.test")];
        assert_eq!(read(&hybrid), Ok(Addresses::Published(MetadataHost::of("host.test").unwrap())));
        assert_eq!(read(&hybrid[..1]), Err(vec!["A custom cloud without addresses"]));
        assert_eq!(read(&[("ARM_ENVIRONMENT", "german")]), Err(vec!["Unknown environment"]));
        let custom = [("ARM_ENVIRONMENT", "custom"), ("ARM_RESOURCE_MANAGER_ENDPOINT", "https://arm.test")];
        assert_eq!(read(&custom), Err(vec!["A custom cloud without addresses"]));
        let whole = [custom[0], custom[1], ("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "https://login.test")];
        assert_eq!(
            read(&whole),
            Ok(Endpoints::new("https://arm.test", "https://arm.test", "https://login.test").unwrap().into())
        );
    }
}
