//! Finding the services of a cloud that describes itself (docs/internals/azure.md §6.6).

use super::call::Limits;
use super::cloud::{Addresses, Endpoints, Metadata, origin};
use super::error::Error;
use super::exchange::{RawAnswer, exchange};
use super::no_answer::NoAnswer;
use super::token_error::TokenError;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::OnceCell;
use url::Url;

/// The api-version of the question. Its answer is one cloud; that of older ones is a list, which is read all the same.
const API_VERSION: &str = "2022-09-01";

/// The addresses of a cloud, which it is asked for when they are first needed.
#[derive(Debug)]
pub(crate) struct Directory {
    endpoints: OnceCell<Endpoints>,
    metadata: Option<Metadata>,
    http: reqwest::Client,
}

impl Directory {
    pub(crate) fn new(addresses: Addresses, http: reqwest::Client) -> Self {
        let (endpoints, metadata) = match addresses {
            Addresses::Known(endpoints) => (OnceCell::new_with(Some(endpoints)), None),
            Addresses::Published(metadata) => (OnceCell::new(), Some(metadata)),
        };
        Self { endpoints, metadata, http }
    }

    /// The addresses. Whoever comes while they are being asked for waits for the answer.
    ///
    /// # Errors
    /// [`Error::Token`] when the cloud gives none, or none that tokens may be sent to.
    pub(crate) async fn endpoints(&self, limits: &Limits<'_>) -> Result<&Endpoints, Error> {
        self.endpoints.get_or_try_init(|| self.ask(limits)).await
    }

    async fn ask(&self, limits: &Limits<'_>) -> Result<Endpoints, Error> {
        let Some(metadata) = &self.metadata else { unreachable!("known addresses are there from the beginning") };
        let doing = || format!("asking {} for the addresses of its cloud", origin(&metadata.host));
        Ok(metadata.endpoints(limits.bound(doing, None, self.description(metadata)).await??)?)
    }

    async fn description(&self, metadata: &Metadata) -> Result<Description, TokenError> {
        let mut url = metadata.host.clone();
        url.set_path("metadata/endpoints");
        url.query_pairs_mut().append_pair("api-version", API_VERSION);
        let from = origin(&url);
        let request = reqwest::Request::new(http::Method::GET, url);
        let RawAnswer { status, body, .. } = exchange(&self.http, request).await.map_err(|error| {
            let reason = NoAnswer::of(&error);
            TokenError::Unreachable { from: from.clone(), reason, source: Arc::new(error.without_url()) }
        })?;
        let problem = match (status.is_success(), serde_json::from_slice(&body)) {
            (true, Ok(Answer::One(description))) => return Ok(description),
            (true, Ok(Answer::Several(clouds))) => match own(clouds, &metadata.host) {
                Some(description) => return Ok(description),
                None => "and describes no cloud".to_owned(),
            },
            (true, Err(error)) => format!("and what it says of its cloud cannot be read ({error})"),
            (false, _) => "and does not describe its cloud".to_owned(),
        };
        let status = status.as_u16();
        Err(TokenError::Metadata { from, status, problem })
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    One(Description),
    Several(Vec<Description>),
}

/// What a cloud says of itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Description {
    #[serde(rename = "resourceManager")]
    resource_manager: String,
    authentication: Authentication,
}

#[derive(Debug, Deserialize)]
struct Authentication {
    #[serde(rename = "loginEndpoint")]
    login_endpoint: String,
    #[serde(default)]
    audiences: Vec<String>,
}

/// The cloud, of several, whose resource manager has been asked; else the first.
fn own(clouds: Vec<Description>, host: &Url) -> Option<Description> {
    let is_own =
        |cloud: &Description| Url::parse(&cloud.resource_manager).is_ok_and(|url| origin(&url) == origin(host));
    let position = clouds.iter().position(is_own).unwrap_or_default();
    clouds.into_iter().nth(position)
}

impl Metadata {
    /// The addresses of the description, less those that are configured.
    fn endpoints(&self, description: Description) -> Result<Endpoints, TokenError> {
        let Description { resource_manager, authentication } = description;
        let audience = authentication.audiences.into_iter().next().unwrap_or_else(|| resource_manager.clone());
        Endpoints::new(
            self.resource_manager.as_ref().unwrap_or(&resource_manager),
            self.audience.as_ref().unwrap_or(&audience),
            self.authority.as_ref().unwrap_or(&authentication.login_endpoint),
        )
        .map_err(|error| TokenError::Metadata {
            from: origin(&self.host),
            status: 200,
            problem: format!("and names an address that cannot be used: {error}"),
        })
    }
}
