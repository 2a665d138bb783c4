//! Lists, page by page, within bounds: a list without an end, or one that grows for ever, ends with an error.

use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::exchange::MIB;
use super::listed::Listed;
use super::reads::Read;
use super::request::{Answer, Dated, Request, count_values};
use super::resource::{List, Resource};
use futures_util::stream::{Stream, TryStreamExt, try_unfold};
use serde::Deserialize;
use std::collections::HashSet;
use std::sync::Arc;
use url::Url;
use uuid::Uuid;

/// The most pages of a list. The smallest pages of Azure have 30 items (azure.md §13.1), so that these are 60,000 datastores of one
/// workspace, or all role assignments of a scope many times over.
const MOST_PAGES: usize = 2_000;

/// The most memory that a list takes: the text of its pages, its items, and what these hold. By this count 20,000 hubs take
/// about 200 MiB, and all role assignments of a scope about 10.
const LARGEST_LIST: usize = 256 * MIB;

/// About what a value takes beside its text: a map has a name and a text for it, and room for as many again.
const VALUE: usize = 2 * size_of::<(String, String)>();

/// A page. On the last one Azure leaves the link out, or writes null or an empty string.
#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
    #[serde(rename = "nextLink", default)]
    next_link: Option<String>,
}

/// A list that is read page by page.
pub(super) struct Pages<T> {
    list: List<T>,
    /// The client request id of all pages.
    id: Uuid,
    /// Whether single reads can take the place of the list.
    is_dispensable: bool,
    next: Next,
    seen: HashSet<String>,
    /// How much memory the pages so far have taken.
    taken: usize,
}

/// The page to request.
enum Next {
    First,
    At(Url),
    None,
}

impl<T: Resource> Pages<T> {
    pub(super) fn new(list: List<T>, is_dispensable: bool) -> Self {
        Self { list, id: Uuid::new_v4(), is_dispensable, next: Next::First, seen: HashSet::new(), taken: 0 }
    }

    /// The items of the next page, with its answer; `None` after the last one. A page that was not read to its end is read again.
    pub(super) async fn next(&mut self, client: &Client, call: &Call) -> Result<Option<(Vec<T>, Answer)>, Error> {
        let Self { list, id, is_dispensable, .. } = &*self;
        let page = |request: Request| async move {
            let request = Request { id: *id, is_dispensable: *is_dispensable, ..request };
            let answer = client.send(&request, call).await?;
            Ok::<_, Error>((client.decode::<Page<T>>(&request, &answer, call).await?, answer))
        };
        let (Dated { value: page, .. }, answer) = match &self.next {
            Next::First => client.at_version::<T, _, _>(|version| page(list.request(version))).await?,
            Next::At(url) => page(Request::follow(url.clone(), *id)).await?,
            Next::None => return Ok(None),
        };
        let values = answer.read(count_values, &client.0.sender.limits(call)).await?;
        self.taken += answer.body.len() + size_of_val(&*page.value) + values * VALUE;
        if self.taken > LARGEST_LIST {
            return Err(answer.breaks_protocol(format!(
                "with it, {} pages of a list take more than {} MiB, and no more are read",
                self.seen.len() + 1,
                LARGEST_LIST / MIB
            )));
        }
        self.next = match page.next_link.filter(|link| !link.is_empty()) {
            None => Next::None,
            Some(link) => Next::At(self.follow(link, &answer)?),
        };
        Ok(Some((page.value, answer)))
    }

    /// The URL of the next page, unless it was read before or there were too many.
    fn follow(&mut self, link: String, answer: &Answer) -> Result<Url, Error> {
        let url = Url::parse(&link).map_err(|_| answer.breaks_protocol("its nextLink is not an absolute URL"))?;
        if !self.seen.insert(link) {
            return Err(answer.breaks_protocol("its nextLink leads back to a page already read"));
        }
        if self.seen.len() == MOST_PAGES {
            return Err(
                answer.breaks_protocol(format!("a list goes on after {MOST_PAGES} pages, and no more are read"))
            );
        }
        Ok(url)
    }
}

impl Client {
    /// Reads a list page by page, as the stream is polled.
    ///
    /// # Errors
    /// Any error of a single request, [`Error::ForeignHost`] when a page links to another host, and
    /// [`Error::Protocol`] when the pages form a circle or are too many. An error ends the stream.
    pub fn pages<T: Resource>(
        &self,
        list: List<T>,
        call: &Call,
    ) -> impl Stream<Item = Result<Dated<Vec<T>>, Error>> + Send + use<T> {
        let state = (Pages::new(list, false), self.clone(), call.clone());
        try_unfold(state, |(mut pages, client, call)| async move {
            let page = pages.next(&client, &call).await?;
            Ok(page.map(|(value, answer)| (Dated { value, date: answer.date() }, (pages, client, call))))
        })
    }

    /// Reads all pages of a list.
    ///
    /// # Errors
    /// As [`Client::pages`].
    pub async fn list<T: Resource>(&self, list: List<T>, read: Read, call: &Call) -> Result<Arc<Listed<T>>, Error> {
        let what = list.request("").key();
        let work = || async {
            self.pages(list, call)
                .try_fold(Listed::new(Vec::new(), None), |mut all, page| async move {
                    all.date = all.date.or(page.date);
                    all.value.extend(page.value);
                    Ok(all)
                })
                .await
        };
        self.0.reads.get(&what, read, &self.0.sender.limits(call), work).await
    }
}
