//! Sends the requests of `azure_identity` through our own client, adds what that crate cannot add to them, and records the
//! answers, since the crate's errors say too little and quote too much.

use super::Network;
use crate::arm::body as answer;
use crate::arm::cloud::origin;
use crate::arm::exchange::{LARGEST_OF_SIGN_IN, RawAnswer, exchange};
use crate::arm::lock::lock;
use crate::arm::no_answer::SharedSource;
use crate::arm::token_error::TokenError;
use azure_core::cloud::CustomConfiguration;
use azure_core::error::ErrorKind;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, headers::Headers,
};
use serde::Deserialize;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use url::Url;

/// The transport under one credential.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    network: Network,
    /// What a claims challenge asked for.
    claims: Option<String>,
    seen: Arc<Mutex<Option<Seen>>>,
}

/// What came back from the place tokens come from.
#[derive(Debug)]
pub(super) enum Seen {
    /// An answer.
    Answer { from: String, status: u16, body: answer::Body },
    /// None that can be used.
    Failed(TokenError),
}

impl Transport {
    pub(super) fn new(network: &Network, claims: Option<String>) -> Self {
        Self { network: network.clone(), claims, seen: Arc::default() }
    }

    /// The options with which a credential uses this transport.
    pub(super) fn options(&self, authority: &Url) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority.to_string();
        ClientOptions {
            transport: Some(azure_core::http::Transport::new(Arc::new(self.clone()))),
            // Our own loop retries: it knows the call's limits.
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
        let url = request.url().clone();
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
        let Body::Bytes(body) = request.body() else {
            return Err(azure_core::Error::with_message(ErrorKind::Other, "token requests have no streams"));
        };
        if !body.is_empty() {
            let mut body = body.to_vec();
            if let Some(claims) = &self.claims {
                let claims =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair("claims", claims).finish();
                body.extend_from_slice(format!("&{claims}").as_bytes());
            }
            *outgoing.body_mut() = Some(body.into());
        }
        match exchange(&self.network.clients.http, outgoing, LARGEST_OF_SIGN_IN).await {
            Ok(RawAnswer { status, headers, body }) => {
                let is_readable = !status.is_success() || has_a_life(&body);
                let status = status.as_u16();
                *lock(&self.seen) = Some(Seen::Answer { from, status, body: body.clone() });
                if !is_readable {
                    return Err(azure_core::Error::with_message(ErrorKind::Other, "no token that has a life"));
                }
                let mut copied = Headers::new();
                for (name, value) in &headers {
                    if let Ok(value) = value.to_str() {
                        copied.insert(name.as_str().to_owned(), value.to_owned());
                    }
                }
                Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), copied, body.to_vec()))
            }
            Err(error) => {
                *lock(&self.seen) = Some(Seen::Failed(TokenError::unanswered(from, error)));
                Err(azure_core::Error::with_message(ErrorKind::Io, "no answer"))
            }
        }
    }
}

/// Whether an answer says how long its token lives, in a way that the crate can add to the time: it panics where that is later
/// than any date.
fn has_a_life(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Life {
        expires_in: u32,
    }
    serde_json::from_slice::<Life>(body).is_ok_and(|life| life.expires_in > 0)
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
