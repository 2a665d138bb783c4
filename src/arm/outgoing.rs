//! A request on its way: whether a connection has taken it, so that it may have arrived, is known when it is abandoned.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const WITHDRAWN: u8 = 2;

/// The body of a request. A connection that is ready asks for it, or drops it where it is empty.
struct Outgoing {
    content: Option<Bytes>,
    state: Arc<AtomicU8>,
}

/// The other end of a body.
pub(crate) struct Withdrawal(Arc<AtomicU8>);

/// A body with its other end.
pub(crate) fn body(content: Option<Vec<u8>>) -> (reqwest::Body, Withdrawal) {
    let state = Arc::new(AtomicU8::new(WAITING));
    let content = content.filter(|content| !content.is_empty()).map(Bytes::from);
    (reqwest::Body::wrap(Outgoing { content, state: state.clone() }), Withdrawal(state))
}

impl Withdrawal {
    /// Keeps the body from being sent; false where a connection has taken it already. It has to be asked before the request is
    /// dropped.
    pub(crate) fn is_in_time(&self) -> bool {
        move_on(&self.0, WITHDRAWN)
    }
}

fn move_on(state: &AtomicU8, to: u8) -> bool {
    state.compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Self { content, state } = self.get_mut();
        Poll::Ready(content.take().map(|content| match move_on(state, TAKEN) {
            true => Ok(Frame::data(content)),
            false => Err(io::Error::other("the request was withdrawn")),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content.as_ref().map_or(0, Bytes::len) as u64)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        move_on(&self.state, TAKEN);
    }
}
