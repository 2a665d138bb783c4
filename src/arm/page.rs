//! Lists that come in pages.

use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::request::{Dated, Request};
use super::share::Read;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use url::Url;

/// A page. Azure leaves the link out, or writes null or nothing, when there is no next one.
#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "nextLink", default)]
    next_link: Option<String>,
}

impl Client {
    /// Reads all pages of a list.
    ///
    /// # Errors
    /// Any error of a single request, [`Error::ForeignHost`] when a page points elsewhere, and [`Error::Protocol`]
    /// when the pages go round in a circle.
    pub async fn list<T: DeserializeOwned>(
        &self,
        request: &Request,
        read: Read,
        call: &Call,
    ) -> Result<Dated<Vec<T>>, Error> {
        let mut items = Vec::new();
        let mut date = None;
        let mut seen = HashSet::new();
        let mut next = request.clone();
        loop {
            let answer = self.read(&next, read, call).await?;
            // The first page's time: what was made later than that may be missing from it.
            date = date.or_else(|| answer.date());
            let page: Page<T> = answer.json()?;
            items.extend(page.value);
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else {
                return Ok(Dated { value: items, date });
            };
            let url = Url::parse(&link).map_err(|_| answer.breaks_protocol("its nextLink is not an absolute URL"))?;
            if !seen.insert(link) {
                return Err(answer.breaks_protocol("its nextLink leads back to a page already read"));
            }
            next = Request::follow(url, request.id);
        }
    }
}
