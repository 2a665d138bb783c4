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
    let cancel = CancellationToken::new();
    let again = Call::new(cancel.clone(), Duration::from_secs(3600));
    let (again, ()) = tokio::join!(list(&client, &again), async {
        server.arrived(2_001).await;
        cancel.cancel();
    });
    assert!(matches!(again, Err(Error::Cancelled { .. })), "{again:?}");
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

/// A few bytes of text are many times as much in memory.
#[tokio::test]
async fn pages_end_where_they_take_too_much_memory() {
    let empty = |count: usize| format!("{{}}{}", ",{}".repeat(count - 1));
    let tags: Vec<_> = (0..500_000).map(|n| format!(r#""{n:x}":"""#)).collect();
    for (items, pages_read, says) in [
        (empty(600_000), 1, "has more than 1000000 values"),
        (empty(10_000), 2, "take more than 256 MiB"),
        (format!(r#"{{"tags":{{{}}}}}"#, tags.join(",")), 4, "take more than 256 MiB"),
    ] {
        let server = Scripted::start(vec![pages(items.leak(), 1_000_000)]).await;
        let (client, _, _) = client(&server);
        let large = list(&client, &call()).await.unwrap_err();
        let chain = format!("{large} {:?}", std::error::Error::source(&large));
        assert!(chain.contains(says), "{chain}");
        let received = server.received().len();
        assert!(received >= pages_read && received < 50, "{received}");
        server.finish();
    }
}
