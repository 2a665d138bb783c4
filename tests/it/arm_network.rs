//! What a network does to requests: connections that are reset, requests that a server of HTTP/2 has not processed, names
//! that nobody knows, and proxies that refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use foundryhub::arm::role_definitions::RoleDefinition;
use foundryhub::arm::storage_accounts::StorageAccount;
use foundryhub::arm::workspaces::AuthMode;
use foundryhub::arm::{ArmId, Client, Endpoints, Error, NoAnswer, Read, Settings, role_assignments::RoleAssignment};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::arm::{NumberedTokens, SUBSCRIPTION, SkippingClock, account, call, client, hub, settings};
use crate::support::scripted::{Scripted, acceptor, on};

const ACCOUNT: &str = r#"{"id":"/sa1","name":"sa1","properties":{"allowSharedKeyAccess":false}}"#;

/// A server that does something of its own with each connection, which is counted from zero.
struct Server {
    url: String,
    root: Vec<u8>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    async fn start<F: Future<Output = Option<()>> + Send>(
        protocol: &'static [u8],
        serve: impl Fn(usize, TlsAcceptor, TcpStream) -> F + Clone + Send + 'static,
    ) -> Self {
        let certificate = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let (root, tls) = acceptor(certificate, &[protocol]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let number = counted.fetch_add(1, Ordering::SeqCst);
                let (serve, tls) = (serve.clone(), tls.clone());
                tokio::spawn(async move { serve(number, tls, socket).await });
            }
        });
        Self { url, root, connections }
    }

    fn client(&self, others: &Settings) -> Client {
        let endpoints = Endpoints::new(&self.url, "https://arm.test", &self.url).unwrap();
        let settings = Settings { addresses: endpoints.into(), extra_roots: vec![self.root.clone()], ..others.clone() };
        Client::new(settings, Arc::<NumberedTokens>::default()).unwrap()
    }
}

/// Settings whose addresses are replaced.
async fn elsewhere() -> (Settings, Arc<SkippingClock>) {
    let (server, clock) = (Scripted::start(Vec::new()).await, Arc::<SkippingClock>::default());
    (settings(&server, &clock), clock)
}

/// Reads a request of HTTP/1 with its body.
async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?.into());
    }
    let length = text.to_lowercase().split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(text + &String::from_utf8_lossy(&body))
}

/// RST where a connection would end in good order.
#[tokio::test]
async fn a_connection_that_is_reset_before_or_after_the_request_is_made_anew() {
    #[derive(Clone, Copy, Debug)]
    enum Resets {
        BeforeTls,
        BeforeTheRequest,
        AfterTheRequest,
    }
    for resets in [Resets::BeforeTls, Resets::BeforeTheRequest, Resets::AfterTheRequest] {
        let server = Server::start(b"http/1.1", move |number, tls, socket| async move {
            if number == 0 {
                socket.set_zero_linger().unwrap();
                if matches!(resets, Resets::BeforeTls) {
                    return None;
                }
            }
            let mut stream = tls.accept(socket).await.ok()?;
            if number == 0 && matches!(resets, Resets::BeforeTheRequest) {
                return None;
            }
            read_request(&mut stream).await?;
            if number == 0 {
                return None;
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", ACCOUNT.len());
            stream.write_all(format!("{head}{ACCOUNT}").as_bytes()).await.ok()?;
            stream.flush().await.ok()
        })
        .await;
        let (settings, clock) = elsewhere().await;
        let changed = server.client(&settings).set_shared_key_access(&account(), false, &call()).await;
        changed.unwrap_or_else(|error| panic!("{resets:?}: {error:?}"));
        assert!(clock.pauses().len() <= 1, "{resets:?}: {:?}", clock.pauses());
        assert_eq!(server.connections.load(Ordering::SeqCst), 2, "{resets:?}");
    }
}

/// Where every connection is reset after the request, nobody knows whether it was processed, and the error says so.
#[tokio::test]
async fn a_write_that_is_always_reset_may_have_had_effect() {
    let server = Server::start(b"http/1.1", |_, tls, socket| async move {
        socket.set_zero_linger().unwrap();
        read_request(&mut tls.accept(socket).await.ok()?).await.map(drop)
    })
    .await;
    let (settings, _) = elsewhere().await;
    let client = server.client(&Settings { max_retries: 2, ..settings });
    let failed = client.set_shared_key_access(&account(), false, &call()).await.unwrap_err();
    assert!(failed.may_have_had_effect(), "{failed:?}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 3);
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A server of HTTP/2 that goes away has processed no request but those that it names.
#[tokio::test]
async fn a_request_that_a_server_going_away_has_not_processed_is_sent_again() {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    const END_STREAM: u8 = 1;
    const END_HEADERS: u8 = 4;
    /// `:status: 200` in the table of RFC 7541.
    const OK: u8 = 0x88;
    let server = Server::start(b"h2", |number, tls, socket| async move {
        let mut stream = tls.accept(socket).await.ok()?;
        stream.read_exact(&mut [0; 24]).await.ok()?;
        stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.ok()?;
            let [_, a, b, kind, flags, id @ ..] = head;
            stream.read_exact(&mut vec![0; u32::from_be_bytes([0, head[0], a, b]) as usize]).await.ok()?;
            let is_request = [DATA, HEADERS].contains(&kind) && flags & END_STREAM != 0;
            if is_request && number == 0 {
                // The last stream that was processed is none, and nothing is wrong.
                stream.write_all(&frame(GOAWAY, 0, 0, &[0; 8])).await.ok()?;
                return stream.shutdown().await.ok();
            }
            if is_request {
                let id = u32::from_be_bytes(id);
                stream.write_all(&frame(HEADERS, END_HEADERS, id, &[OK])).await.ok()?;
                stream.write_all(&frame(DATA, END_STREAM, id, ACCOUNT.as_bytes())).await.ok()?;
                stream.flush().await.ok()?;
            }
        }
    })
    .await;
    let (settings, _) = elsewhere().await;
    server.client(&settings).set_shared_key_access(&account(), false, &call()).await.unwrap();
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_an_error_that_names_it() {
    let (settings, clock) = elsewhere().await;
    // Names below `invalid` are never anybody's (RFC 6761), and those with a label of 64 letters are no names.
    let host = format!("https://{}.invalid", "x".repeat(64));
    let endpoints = Endpoints::new(&host, "https://arm.test", &host).unwrap();
    let settings = Settings { addresses: endpoints.into(), max_retries: 2, ..settings };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();
    let failed = client.set_shared_key_access(&account(), false, &call()).await.unwrap_err();
    assert!(matches!(failed, Error::Transport { reason: NoAnswer::Unreached, .. }), "{failed:?}");
    assert!(failed.to_string().contains(&host) && !failed.may_have_had_effect(), "{failed}");
    assert_eq!(clock.pauses().len(), 2);
}

/// Nor anywhere else where a user name, another scheme or another port leads. Other hosts are in `arm_send`.
#[tokio::test]
async fn a_token_is_not_sent_without_tls_not_even_to_the_same_host() {
    let scope = ArmId::subscription_scope(SUBSCRIPTION).unwrap();
    let list = format!("{scope}/providers/Microsoft.Authorization/roleAssignments");
    let server = Scripted::start(Vec::new()).await;
    let (client, clock, _) = client(&server);
    let here = &server.url;
    let links = [
        here.replace("https:", "http:"),
        here.replace("https:", "ftp:"),
        here.replace("https://", "https://user@"),
        here.replace("https://", "https://user:password@"),
        format!("{here}@127.0.0.1:1"),
        "//127.0.0.1:1".to_owned(),
    ];
    for link in links.map(|link| link + "/x") {
        for header in ["Location", "Azure-AsyncOperation", "Operation-Location"] {
            server.also(on("PATCH", hub().to_string()).answer(202, "").header(header, &link));
            let failed = client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap_err();
            assert!(failed.may_have_had_effect() && !failed.to_string().contains("password"), "{link}: {failed}");
        }
        server.also(on("GET", &list).answer(200, json!({ "value": [], "nextLink": link }).to_string()));
        client.list(RoleAssignment::at_scope(&scope), Read::Fresh, &call()).await.unwrap_err();
        for status in [301, 302, 303, 307, 308] {
            server.also(on("GET", account().to_string()).answer(status, "").header("Location", &link));
            client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.unwrap_err();
        }
    }
    assert!(clock.pauses().is_empty());
    server.finish();
}

/// Whether a configuration or an answer has made it so long.
#[tokio::test]
async fn a_request_whose_url_no_server_would_take_is_not_sent() {
    let long = format!("/{}", "x".repeat(1 << 20));
    let scope = ArmId::subscription_scope(SUBSCRIPTION).unwrap();
    let server = Scripted::start(Vec::new()).await;
    let (client, clock, _) = client(&server);
    let at = ArmId::parse(&format!("{scope}{long}")).unwrap();
    let unsent = client.list(RoleDefinition::named(&at, "role"), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(unsent, Error::TooLong { length, .. } if length > 1 << 20) && !unsent.may_have_had_effect());
    let unsent = client.list(RoleDefinition::named(&scope, &long), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(unsent, Error::TooLong { .. }));

    let list = format!("{scope}/providers/Microsoft.Authorization/roleAssignments");
    let next = json!({ "value": [], "nextLink": format!("{{self}}{long}") });
    server.also(on("GET", &list).answer(200, next.to_string()));
    let page = client.list(RoleAssignment::at_scope(&scope), Read::Fresh, &call()).await.unwrap_err();
    assert!(matches!(page, Error::TooLong { .. }));
    // Of a header no more is read than a client allows.
    let location = format!("{{self}}/{}", "x".repeat(17 << 10));
    server.also(on("PATCH", hub().to_string()).answer(202, "").header("Location", location));
    let followed = client.set_auth_mode(&hub(), &AuthMode::identity(), &call()).await.unwrap_err();
    assert!(
        matches!(&followed, Error::Uncertain { accepted: true, source, .. } if matches!(**source, Error::TooLong { .. }))
    );
    assert_eq!(clock.pauses().len(), 1, "the wait before the poll");
    server.finish();
}
