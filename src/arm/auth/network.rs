//! What sign-in methods send their requests with.

use crate::arm::call::Clock;
use crate::arm::files::off_the_runtime;
use std::io;
use std::sync::{Arc, LazyLock};
use url::{Host, Url};

/// The address of Microsoft Entra, HTTP clients and the clock.
#[derive(Debug, Clone)]
pub struct Network {
    /// Microsoft Entra: scheme, host and port.
    pub(crate) authority: Url,
    pub(crate) clients: HttpClients,
    /// The clock by which tokens expire.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Network {
    /// What one client reaches, with or without a proxy.
    pub fn new(authority: Url, http: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { authority, clients: HttpClients::new(http.clone(), || http), clock }
    }
}

/// HTTP clients that differ only in the proxy.
#[derive(Debug, Clone)]
pub(crate) struct HttpClients {
    /// Uses the proxy that the environment names, if it does.
    pub(crate) http: reqwest::Client,
    direct: Arc<Direct>,
}

/// Made when it is first needed, which is rare: making a client reads the certificates of the machine.
type Direct = LazyLock<reqwest::Client, Box<dyn FnOnce() -> reqwest::Client + Send>>;

impl HttpClients {
    /// `direct` makes a client without a proxy.
    pub(crate) fn new(http: reqwest::Client, direct: impl FnOnce() -> reqwest::Client + Send + 'static) -> Self {
        Self { http, direct: Arc::new(LazyLock::new(Box::new(direct))) }
    }

    /// The client for a managed identity endpoint, which may be on this machine or its host, where no proxy reaches it.
    ///
    /// # Errors
    /// When the certificates of the machine cannot be read in time.
    pub(super) async fn for_identity(&self, url: &Url) -> io::Result<reqwest::Client> {
        let near = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
            Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unicast_link_local(),
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            None => false,
        };
        if !near {
            return Ok(self.http.clone());
        }
        let direct = self.direct.clone();
        off_the_runtime(move || LazyLock::force(&direct).clone()).await
    }
}
