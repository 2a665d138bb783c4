//! Panics end the call that they occur in and nothing else.

use std::{any::Any, cell::Cell, future::Future, panic::AssertUnwindSafe, pin::pin};

use futures_util::{Stream, StreamExt as _, stream};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread, now, would end a call only. A panic hook asks this to tell that from a crash.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

/// Runs `work`; when it panics, the text of the panic is the error.
pub(crate) async fn contain<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    // Unwind safety: a future that panicked is not polled again, and what calls share is behind [`super::lock`].
    let marked = std::future::poll_fn(move |context| {
        let before = CONTAINED.replace(true);
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        CONTAINED.set(before);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(text(panic.as_ref()))),
        }
    });
    marked.await
}

/// The stream with a panic in it as its last item, an error with the text of the panic.
pub(crate) fn contain_each<S: Stream>(items: S) -> impl Stream<Item = Result<S::Item, String>> {
    stream::unfold(Some(Box::pin(items)), |items| async {
        let mut items = items?;
        match contain(items.next()).await {
            Ok(item) => item.map(|item| (Ok(item), Some(items))),
            Err(panic) => Some((Err(panic), None)),
        }
    })
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_and_nothing_else_is() {
        assert_eq!(contain(async { is_contained() }).await, Ok(true));
        let failed: Result<(), _> = contain(async { panic!("at {}", 1) }).await;
        assert_eq!(failed, Err("at 1".to_owned()));
        assert!(!is_contained());
    }
}
