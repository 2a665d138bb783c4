//! Which place's managed identity it is, where no endpoint is set (docs/internals/azure.md §6.4).

use super::{
    check::{http_url, single_line},
    lookup::Lookup,
};
use crate::{
    arm::auth::AppService,
    framework::{Diagnostic, Path},
};
use url::Url;

/// The identity endpoint of the app or function this runs in; `None` on a machine, and where there is none that can be asked,
/// which has been said then.
pub(super) fn app_service(lookup: &mut Lookup<'_>) -> Option<AppService> {
    let read = |name| lookup.variable(&[name]).map(|(_, text)| text);
    let (endpoint, header, thumbprint, imds, msi_endpoint, msi_secret) = (
        read("IDENTITY_ENDPOINT"),
        read("IDENTITY_HEADER"),
        read("IDENTITY_SERVER_THUMBPRINT"),
        read("IMDS_ENDPOINT"),
        read("MSI_ENDPOINT"),
        read("MSI_SECRET"),
    );
    let (place, by) = match (endpoint, header) {
        (Some(_), Some(_)) if thumbprint.is_some() => ("Service Fabric", "IDENTITY_SERVER_THUMBPRINT"),
        (Some(endpoint), Some(header)) => {
            lookup.check("IDENTITY_ENDPOINT", &endpoint.as_str().into(), http_url);
            lookup.check("IDENTITY_HEADER", &header.as_str().into(), single_line);
            return Url::parse(&endpoint).ok().map(|endpoint| AppService { endpoint, header: header.into() });
        }
        (Some(_), None) if imds.is_some() => ("Azure Arc", "IMDS_ENDPOINT"),
        (None, _) if msi_endpoint.is_some() && msi_secret.is_some() => ("Azure Machine Learning", "MSI_SECRET"),
        (None, _) if msi_endpoint.is_some() => ("Cloud Shell", "MSI_ENDPOINT"),
        _ => return None,
    };
    let detail = format!(
        "{by} is set, so this runs in {place}, whose managed identities the provider cannot use. If another endpoint gives \
         tokens as that of a virtual machine does, set msi_endpoint (ARM_MSI_ENDPOINT). Otherwise sign in by another method, \
         and unset use_msi (ARM_USE_MSI)."
    );
    lookup.push(Diagnostic::error("Unsupported managed identity", detail).at(Path::root("use_msi")));
    None
}
