//! How the requests of `azure_identity` go out: through our own client, with what it cannot add to them, and noting what
//! came back, since its errors say too little and quote too much.

use super::Network;
use crate::arm::cloud::origin;
use crate::arm::exchange::{RawAnswer, exchange};
use crate::arm::no_answer::{NoAnswer, SharedSource};
use crate::arm::share::lock;
use azure_core::cloud::CustomConfiguration;
use azure_core::error::ErrorKind;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, headers::Headers,
};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use url::Url;

/// The transport under one credential.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    network: Network,
    destination: Destination,
    seen: Arc<Mutex<Option<Seen>>>,
}

/// Where requests go, and what is different from what the crate would send.
#[derive(Debug, Clone)]
pub(super) enum Destination {
    /// To Microsoft Entra.
    Authority {
        /// What a claims challenge asked for.
        claims: Option<String>,
    },
    /// To what gives tokens of a managed identity.
    Identity {
        /// Where it is, when not where the crate would ask.
        endpoint: Option<Url>,
        /// The `api-version`, when not the crate's.
        api_version: Option<String>,
    },
}

/// What came back from the place tokens come from.
#[derive(Debug)]
pub(super) enum Seen {
    /// An answer.
    Answer {
        from: String,
        status: u16,
        body: Vec<u8>,
        /// Whether it is an app or a function that asked, and proved itself as a machine does not have to.
        app_service: bool,
    },
    /// None.
    Nothing { from: String, reason: NoAnswer, source: SharedSource },
}

const APP_SERVICE: &str = "x-identity-header";

impl Transport {
    pub(super) fn new(network: &Network, destination: Destination) -> Self {
        Self { network: network.clone(), destination, seen: Arc::default() }
    }

    /// Makes a credential use it.
    pub(super) fn options(&self, authority: &Url) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority.to_string();
        ClientOptions {
            transport: Some(azure_core::http::Transport::new(Arc::new(self.clone()))),
            // Retrying is the business of our own loop, which knows the call's limits.
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(cloud.into())),
            ..ClientOptions::default()
        }
    }

    /// What came back last.
    pub(super) fn seen(&self) -> Option<Seen> {
        lock(&self.seen).take()
    }

    async fn execute(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let failed = |error: SharedSource| azure_core::Error::with_error(ErrorKind::Other, error, "request failed");
        let url = self.destination.url(request.url());
        let client = match self.destination {
            Destination::Authority { .. } => &self.network.clients.http,
            Destination::Identity { .. } => self.network.clients.for_identity(&url),
        };
        let method =
            request.method().as_str().parse().map_err(|error: http::method::InvalidMethod| failed(Arc::new(error)))?;
        let from = origin(&url);
        let mut outgoing = reqwest::Request::new(method, url);
        for (name, value) in request.headers().iter() {
            let name: http::HeaderName =
                name.as_str().parse().map_err(|error: http::header::InvalidHeaderName| failed(Arc::new(error)))?;
            let mut value: http::HeaderValue =
                value.as_str().parse().map_err(|error: http::header::InvalidHeaderValue| failed(Arc::new(error)))?;
            value.set_sensitive(true);
            outgoing.headers_mut().insert(name, value);
        }
        let app_service = outgoing.headers().contains_key(APP_SERVICE);
        let Body::Bytes(body) = request.body() else {
            return Err(azure_core::Error::with_message(ErrorKind::Other, "token requests have no streams"));
        };
        if !body.is_empty() {
            let mut body = body.to_vec();
            if let Destination::Authority { claims: Some(claims) } = &self.destination {
                let claims =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair("claims", claims).finish();
                body.extend_from_slice(format!("&{claims}").as_bytes());
            }
            *outgoing.body_mut() = Some(body.into());
        }
        match exchange(client, outgoing).await {
            Ok(RawAnswer { status, headers, body }) => {
                let status = status.as_u16();
                *lock(&self.seen) = Some(Seen::Answer { from, status, body: body.clone(), app_service });
                let mut copied = Headers::new();
                for (name, value) in &headers {
                    if let Ok(value) = value.to_str() {
                        copied.insert(name.as_str().to_owned(), value.to_owned());
                    }
                }
                Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), copied, body))
            }
            Err(error) => {
                let reason = NoAnswer::of(&error);
                let source: SharedSource = Arc::new(error.without_url());
                *lock(&self.seen) = Some(Seen::Nothing { from, reason, source: source.clone() });
                // Not `Io`, which the crate would repeat in its own way where it is a machine's identity endpoint.
                Err(failed(source))
            }
        }
    }
}

impl Destination {
    /// The address of a request that the crate would send to `url`.
    fn url(&self, url: &Url) -> Url {
        let Self::Identity { endpoint, api_version } = self else { return url.clone() };
        let mut moved = endpoint.clone().unwrap_or_else(|| url.clone());
        match api_version {
            Some(version) => {
                let others: Vec<(String, String)> = url
                    .query_pairs()
                    .filter(|(name, _)| name != "api-version")
                    .map(|(name, value)| (name.into(), value.into()))
                    .collect();
                moved.query_pairs_mut().clear().append_pair("api-version", version).extend_pairs(others);
            }
            None => moved.set_query(url.query()),
        }
        moved
    }
}

impl HttpClient for Transport {
    fn execute_request<'a, 'b, 'c>(
        &'a self,
        request: &'b Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.execute(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::{auth::HttpClients, call::SystemClock};

    #[tokio::test]
    async fn an_app_is_known_by_what_it_proves_itself_with() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let _ = socket.read(&mut [0; 4096]).await.unwrap();
                socket.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
            }
        });
        let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let clients = HttpClients::new(http, || unreachable!("nobody is near"));
        let network = Network { authority: url.clone(), clients, clock: Arc::new(SystemClock) };
        for (header, expected) in [("x-identity-header", true), ("metadata", false)] {
            let transport = Transport::new(&network, Destination::Authority { claims: None });
            let mut request = Request::new(url.clone(), azure_core::http::Method::Get);
            request.insert_header(header, "proof");
            transport.execute(&request).await.unwrap();
            let seen = transport.seen();
            assert!(matches!(seen, Some(Seen::Answer { status: 503, app_service, .. }) if app_service == expected));
        }
    }

    #[test]
    fn a_managed_identity_can_be_asked_elsewhere_and_otherwise() {
        let url = Url::parse("http://169.254.169.254/metadata/identity/oauth2/token?api-version=2019-08-01&resource=r")
            .unwrap();
        let moved = |endpoint: Option<&str>, version: Option<&str>| {
            let endpoint = endpoint.map(|text| Url::parse(text).unwrap());
            Destination::Identity { endpoint, api_version: version.map(Into::into) }.url(&url).to_string()
        };
        assert_eq!(moved(None, None), url.as_str());
        assert_eq!(
            moved(Some("http://localhost:50342/oauth2/token"), None),
            "http://localhost:50342/oauth2/token?api-version=2019-08-01&resource=r"
        );
        assert_eq!(
            moved(None, Some("2018-02-01")),
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r"
        );
    }
}
