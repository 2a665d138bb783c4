//! How reads of a check that do not depend on each other are made.

use futures_util::{StreamExt as _, future::BoxFuture, stream};

/// How many are made at the same time. A hub can have hundreds of projects.
const AT_ONCE: usize = 16;

/// The results of reads, in their order.
pub(super) async fn side_by_side<T>(reads: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    stream::iter(reads).buffered(AT_ONCE).collect().await
}
