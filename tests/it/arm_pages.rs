//! Lists without an end, in pages and in memory.

use crate::support::arm::{SUBSCRIPTION, call, client};
use crate::support::scripted::{Exchange, Scripted, on};
use foundryhub::arm::workspaces::Workspace;
use foundryhub::arm::{Call, Client, Error, List, Listed, Read};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

async fn list(client: &Client, call: &Call) -> Result<Arc<Listed<Workspace>>, Error> {
    client.list(List::in_subscription(SUBSCRIPTION), Read::Remembered, call).await
}

/// Answers with this page again and again, each with a link to the next.
fn pages(items: &'static str, pages: usize) -> Exchange {
    on("GET", "/").each(move |n| {
        let next = if n + 1 < pages { format!(r#","nextLink":"{{self}}/pages/{}""#, n + 1) } else { String::new() };
        format!(r#"{{"value":[{items}]{next}}}"#)
    })
}

#[tokio::test]
async fn a_million_pages_end_with_an_error_and_none_of_them_is_remembered() {
    const HUB: &str = r#"{"name":"hub1"}"#;
    let server = Scripted::start(vec![pages(HUB, 1_000_000)]).await;
    let (client, _, _) = client(&server);
    client.remember_reads();
    let endless = list(&client, &call()).await.unwrap_err();
    assert!(matches!(endless, Error::Protocol { .. }), "{endless:?}");
    assert!(endless.to_string().contains("goes on after 2000 pages"), "{endless}");
    assert_eq!(server.received().len(), 2_000);
    // What failed is asked for again.
    let short = Call::new(CancellationToken::new(), Duration::from_millis(200));
    let late = list(&client, &short).await.unwrap_err();
    assert!(matches!(late, Error::DeadlineExceeded { .. }), "{late:?}");
    assert!(server.received().len() > 2_000);
    server.finish();
}

#[tokio::test]
async fn a_list_has_as_many_pages_as_azure_needs() {
    const HUB: &str = r#"{"name":"hub1"}"#;
    let server = Scripted::start(vec![pages(HUB, 1_999)]).await;
    let (client, _, _) = client(&server);
    assert_eq!(list(&client, &call()).await.unwrap().value.len(), 1_999);
    server.finish();
}

/// Three bytes of text are a thousand in memory.
#[tokio::test]
async fn pages_end_where_they_take_too_much_memory() {
    let items = |count: usize| &*format!("{{}}{}", ",{}".repeat(count - 1)).leak();
    for (count, pages_read, says) in [(450_000, 1, "are too many"), (10_000, 2, "take more than 128 MiB")] {
        let server = Scripted::start(vec![pages(items(count), 1_000_000)]).await;
        let (client, _, _) = client(&server);
        let large = list(&client, &call()).await.unwrap_err();
        let chain = format!("{large} {:?}", std::error::Error::source(&large));
        assert!(chain.contains(says), "{chain}");
        let received = server.received().len();
        assert!(received >= pages_read && received < 50, "{received}");
        server.finish();
    }
}
