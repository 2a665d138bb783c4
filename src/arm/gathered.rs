//! Reading a resource together with others of its type that are read at the same time.

use super::call::Call;
use super::client::Client;
use super::error::Error;
use super::gathering::{Asked, Decision};
use super::listed::Listed;
use super::reads::Read;
use super::request::Dated;
use super::resource::{List, Resource};

/// A type whose lists have all that a single read has and is looked at.
pub(crate) trait Gathered: Resource + Clone {
    /// How a read is counted.
    fn asked(id: &Self::Id) -> Asked;

    /// The list of the resource's near surroundings.
    fn near(id: &Self::Id) -> List<Self>;

    /// The list of the whole place.
    fn whole(id: &Self::Id) -> List<Self>;

    /// The resource in such a list.
    fn find<'l>(list: &'l Listed<Self>, id: &Self::Id) -> Option<&'l Self>;
}

impl Client {
    /// Reads one resource, which for a remembered read may be with a list: see [`Client::get_gathered`].
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn get_with_others<T: Gathered>(&self, id: &T::Id, read: Read, call: &Call) -> Result<T, Error> {
        match read {
            Read::Remembered => Ok(self.get_gathered(id, read, call).await?.value),
            Read::Fresh => self.get(id, read, call).await,
        }
    }

    /// Reads one resource. With several of its type that are read at the same time it costs a single list; one that the list
    /// lacks is read by itself.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::is_not_found`] when there is none.
    pub(crate) async fn get_gathered<T: Gathered>(
        &self,
        id: &T::Id,
        read: Read,
        call: &Call,
    ) -> Result<Dated<T>, Error> {
        let inner = &self.0;
        let period = inner.reads.period().filter(|_| read == Read::Remembered);
        let (gathering, limits) = (inner.gatherings.of::<T>(), inner.sender.limits(call));
        let list = match gathering.decide(&T::asked(id), period, &inner.sender.tokens, &limits).await? {
            Decision::OneByOne => return self.get_dated(id, read, call).await,
            Decision::Near => T::near(id),
            Decision::Whole => T::whole(id),
        };
        match self.list(list, read, call).await {
            Ok(list) => match T::find(&list, id) {
                Some(found) => Ok(Dated { value: found.clone(), date: list.date }),
                None => self.get_dated(id, read, call).await,
            },
            // Reading one may be allowed where listing is not, and a list may have another resource that is not understood.
            Err(error) if error.is_forbidden() || matches!(error, Error::Decode { .. } | Error::Protocol { .. }) => {
                self.get_dated(id, read, call).await
            }
            Err(error) => Err(error),
        }
    }
}
