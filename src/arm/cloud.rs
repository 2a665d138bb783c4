//! The Azure clouds: where their resource manager and their sign-in service are.

use super::error::Error;
use url::Url;

/// The three addresses that make up a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Azure Resource Manager: scheme, host and port.
    pub resource_manager: Url,
    /// Whom tokens are for, as written: the sign-in service compares it literally.
    pub audience: String,
    /// Microsoft Entra: scheme, host and port.
    pub authority: Url,
}

/// Where the services of a cloud are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// The addresses of a named cloud, or those that are configured.
    Known(Endpoints),
    /// Addresses that the cloud publishes. They are requested when they are first needed.
    Published(MetadataHost),
}

/// A host that publishes the addresses of its cloud, and the addresses that are configured instead of published ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataHost {
    /// Scheme, host and port.
    pub url: Url,
    /// The resource manager's, instead of the published one.
    pub resource_manager: Option<String>,
    /// The audience of tokens, instead of the published one.
    pub audience: Option<String>,
    /// Microsoft Entra's, instead of the published one.
    pub authority: Option<String>,
}

impl From<Endpoints> for Addresses {
    fn from(endpoints: Endpoints) -> Self {
        Self::Known(endpoints)
    }
}

impl MetadataHost {
    /// The metadata host of this name, which may have a port.
    ///
    /// # Errors
    /// [`Error::Endpoint`] when the text is not a host with an optional port.
    pub fn of(host: &str) -> Result<Self, Error> {
        let url = https_origin("metadata host", &format!("https://{host}"))?;
        Ok(Self { url, resource_manager: None, audience: None, authority: None })
    }
}

/// A cloud with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Azure.
    Public,
    /// Azure for the US government.
    UsGovernment,
    /// Azure in China, run by 21Vianet.
    China,
}

impl Cloud {
    /// Every cloud, by the names that configurations use: its own first, then those that azurerm takes too.
    pub const NAMES: [(&'static str, Cloud); 7] = [
        ("public", Cloud::Public),
        ("usgovernment", Cloud::UsGovernment),
        ("china", Cloud::China),
        ("global", Cloud::Public),
        ("usgovernmentl4", Cloud::UsGovernment),
        ("usgovernmentl5", Cloud::UsGovernment),
        ("dod", Cloud::UsGovernment),
    ];

    /// The cloud of that name; case does not matter.
    pub fn by_name(name: &str) -> Option<Cloud> {
        Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, cloud)| *cloud)
    }

    /// The cloud's addresses. The audience is the resource manager itself, which every cloud accepts; the older
    /// `management.core.…` names mean the same.
    pub fn endpoints(self) -> Endpoints {
        let (resource_manager, authority) = match self {
            Cloud::Public => ("https://management.azure.com", "https://login.microsoftonline.com"),
            Cloud::UsGovernment => ("https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
            Cloud::China => ("https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        };
        Endpoints::new(resource_manager, resource_manager, authority).expect("the table holds https URLs")
    }
}

impl Endpoints {
    /// Reads the addresses of a cloud that is not in the table.
    ///
    /// # Errors
    /// [`Error::Endpoint`] when an address is not an `https` URL with a host and no path: bearer tokens are sent
    /// there. Loopback is no exception.
    pub fn new(resource_manager: &str, audience: &str, authority: &str) -> Result<Self, Error> {
        Ok(Self {
            resource_manager: https_origin("resource manager endpoint", resource_manager)?,
            audience: audience.to_owned(),
            authority: https_origin("Active Directory authority host", authority)?,
        })
    }

    /// What to ask a token for. An audience that ends with a slash keeps it, so that the token's `aud` is exactly
    /// the audience; the other clients do the same.
    pub fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }
}

fn https_origin(what: &'static str, text: &str) -> Result<Url, Error> {
    let refuse = |problem| Error::Endpoint { what, text: text.to_owned(), problem };
    let url = Url::parse(text).map_err(|_| refuse("is not a URL such as https://management.azure.com"))?;
    if url.scheme() != "https" {
        return Err(refuse("does not use https, and tokens are only ever sent over https"));
    }
    if url.host_str().is_none_or(str::is_empty) || !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("needs a host and no user name"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("has a path or a query; only scheme, host and port belong there"));
    }
    Ok(url)
}

/// Scheme, host and port, for messages and comparison.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_clouds_have_their_own_addresses() {
        for (name, arm, login) in [
            ("public", "https://management.azure.com", "https://login.microsoftonline.com"),
            ("USGovernment", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
            ("china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        ] {
            let endpoints = Cloud::by_name(name).unwrap().endpoints();
            assert_eq!(origin(&endpoints.resource_manager), arm);
            assert_eq!(origin(&endpoints.authority), login);
            assert_eq!(endpoints.scope(), format!("{arm}/.default"));
        }
        assert_eq!(Cloud::by_name("german"), None);
    }

    #[test]
    fn an_address_that_could_leak_a_token_is_refused() {
        for (text, problem) in [
            ("http://management.azure.com", "does not use https"),
            ("http://127.0.0.1:8080", "does not use https"),
            ("ftp://x", "does not use https"),
            ("management.azure.com", "is not a URL"),
            ("https://user@host", "no user name"),
            ("https://host/path", "has a path"),
            ("https://host?x=1", "has a path or a query"),
        ] {
            let error = Endpoints::new(text, "a", "https://login").unwrap_err().to_string();
            assert!(error.starts_with("the resource manager endpoint") && error.contains(problem), "{error}");
            let error = Endpoints::new("https://arm", "a", text).unwrap_err().to_string();
            assert!(error.starts_with("the Active Directory authority host"), "{error}");
        }
        let slash = Endpoints::new("https://arm:8443/", "https://aud/", "https://login/").unwrap();
        assert_eq!(slash.scope(), "https://aud//.default");
        assert_eq!(origin(&slash.resource_manager), "https://arm:8443");
    }
}
