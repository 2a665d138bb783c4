//! What Azure Monitor is asked about a storage account.

use futures_util::future::try_join_all;
use time::{Duration, OffsetDateTime};

use super::usage::Usage;
use crate::{
    arm::{
        self, Call, StorageAccountId,
        metrics::{Query, Span},
    },
    provider::Session,
};

/// What one request may ask for: of a longer time Azure answers the last part alone, without a word (azure.md §10.5).
const LONGEST_SPAN: Duration = Duration::days(30);

/// Without what Azure does by itself (azure.md §10.3).
const CALLS: &str = "Authentication eq '*' and TransactionType eq 'User'";

/// One wildcard is allowed in a filter (azure.md §10.2), so that refused calls have to be asked for by themselves.
const REFUSED: &str = "Authentication eq 'AccountKey' or Authentication eq 'SAS' and TransactionType eq 'User' and \
                       ResponseType eq 'AuthenticationError' or ResponseType eq 'AuthorizationError'";

/// The spans of the last days, of which the last one ends with a whole hour: data sources that are read together ask for the
/// same.
pub(super) fn spans(now: OffsetDateTime, days: u32) -> Vec<Span> {
    let until = now.truncate_to_hour();
    let begins = |from: &OffsetDateTime| Some(*from + LONGEST_SPAN).filter(|next| *next < until);
    std::iter::successors(Some(until - Duration::days(days.into())), begins)
        .map(|from| Span { from, until: until.min(from + LONGEST_SPAN) })
        .collect()
}

/// The calls to a service of an account, such as `blob`.
pub(super) async fn usage(
    session: &Session,
    account: &StorageAccountId,
    service: &str,
    spans: &[Span],
    call: &Call,
) -> Result<Usage, arm::Error> {
    let mut sum = Usage::default();
    let parts = spans.iter().map(|span| usage_in(session, account, service, span, call));
    try_join_all(parts).await?.iter().for_each(|part| sum.add(part));
    Ok(sum)
}

async fn usage_in(
    session: &Session,
    account: &StorageAccountId,
    service: &str,
    span: &Span,
    call: &Call,
) -> Result<Usage, arm::Error> {
    let resource = account.arm().below(&format!("/{service}Services/default"));
    let query = |filter| Query { resource: &resource, name: "Transactions", span, interval: "P1D", filter };
    let mut usage = Usage::of(&session.arm.totals(&query(CALLS), call).await?);
    if usage.has_calls_by_key_or_sas() {
        usage.set_apart(&session.arm.totals(&query(REFUSED), call).await?);
    }
    Ok(usage)
}
