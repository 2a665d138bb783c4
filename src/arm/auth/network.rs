//! What a sign-in method reaches others with.

use crate::arm::call::Clock;
use std::sync::{Arc, LazyLock};
use url::{Host, Url};

/// Where Microsoft Entra is, HTTP clients, and the time.
#[derive(Debug, Clone)]
pub struct Network {
    /// Microsoft Entra: scheme, host and port.
    pub(crate) authority: Url,
    pub(crate) clients: HttpClients,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
}

/// HTTP clients that differ only in the proxy.
#[derive(Debug, Clone)]
pub(crate) struct HttpClients {
    /// By way of a proxy where the environment names one.
    pub(crate) http: reqwest::Client,
    direct: Arc<Direct>,
}

/// A client that few need. Making one reads the certificates of the machine.
type Direct = LazyLock<reqwest::Client, Box<dyn FnOnce() -> reqwest::Client + Send>>;

impl HttpClients {
    /// `direct` makes a client without a proxy.
    pub(crate) fn new(http: reqwest::Client, direct: impl FnOnce() -> reqwest::Client + Send + 'static) -> Self {
        Self { http, direct: Arc::new(LazyLock::new(Box::new(direct))) }
    }

    /// The client for what may be this machine or its host, which no proxy reaches.
    pub(super) fn for_identity(&self, url: &Url) -> &reqwest::Client {
        let near = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
            Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unicast_link_local(),
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            None => false,
        };
        if near { &self.direct } else { &self.http }
    }
}
