//! Cloud metadata: the addresses that a cloud publishes about itself (docs/internals/azure.md §6.6).

use super::call::Limits;
use super::cloud::{Addresses, Endpoints, MetadataHost, origin};
use super::error::Error;
use super::exchange::{LARGEST_OF_SIGN_IN, RawAnswer, exchange};
use super::token_error::TokenError;
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

/// The api-version of the request. Its answer is one cloud; that of older versions is a list, which is read all the same.
const API_VERSION: &str = "2022-09-01";

/// The addresses of a cloud, known or requested from its metadata host when they are first needed.
#[derive(Debug)]
pub(crate) struct CloudMetadata {
    endpoints: OnceCell<Endpoints>,
    host: Option<MetadataHost>,
    http: reqwest::Client,
}

impl CloudMetadata {
    pub(crate) fn new(addresses: Addresses, http: reqwest::Client) -> Self {
        let (endpoints, host) = match addresses {
            Addresses::Known(endpoints) => (OnceCell::new_with(Some(endpoints)), None),
            Addresses::Published(host) => (OnceCell::new(), Some(host)),
        };
        Self { endpoints, host, http }
    }

    /// The addresses. Concurrent callers wait for one request.
    ///
    /// # Errors
    /// [`Error::Token`] when the cloud gives none, or none that tokens may be sent to.
    pub(crate) async fn endpoints(&self, limits: &Limits<'_>) -> Result<&Endpoints, Error> {
        self.endpoints.get_or_try_init(|| self.request(limits)).await
    }

    async fn request(&self, limits: &Limits<'_>) -> Result<Endpoints, Error> {
        let Some(host) = &self.host else { unreachable!("known addresses are there from the beginning") };
        let doing = || format!("asking {} for the addresses of its cloud", origin(&host.url));
        Ok(host.endpoints(limits.bound(doing, None, self.description(host)).await??)?)
    }

    async fn description(&self, host: &MetadataHost) -> Result<Description, TokenError> {
        let mut url = host.url.clone();
        url.set_path("metadata/endpoints");
        url.query_pairs_mut().append_pair("api-version", API_VERSION);
        let from = origin(&url);
        let request = reqwest::Request::new(http::Method::GET, url);
        let RawAnswer { status, body, .. } = exchange(&self.http, request, LARGEST_OF_SIGN_IN)
            .await
            .map_err(|failed| TokenError::unanswered(from.clone(), failed))?;
        let problem = match (status.is_success(), serde_json::from_slice(&body)) {
            (true, Ok(Answer::One(description))) => return Ok(description),
            (true, Ok(Answer::Several(clouds))) => match own(clouds, &host.url) {
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

/// A cloud, in the answer of its metadata host.
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

impl MetadataHost {
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
            from: origin(&self.url),
            status: 200,
            problem: format!("and names an address that cannot be used: {error}"),
        })
    }
}
