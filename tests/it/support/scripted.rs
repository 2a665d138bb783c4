//! A loopback HTTP server that plays a script: for each request it expects, the bytes it answers.
//!
//! It is no model of Azure. It exists for what the emulator would have to be broken to do: to hang up, to answer
//! nonsense, to point elsewhere, and to hold an answer back until the test lets it go.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, rustls};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Method and target in one, for comparing.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// One expected request and what happens on it.
pub(crate) struct Exchange {
    method: &'static str,
    target: String,
    held_by: Option<Arc<Semaphore>>,
    adds_to: Option<Arc<Semaphore>>,
    reaction: Reaction,
}

enum Reaction {
    Answer { status: u16, headers: Vec<(String, String)>, body: String },
    Raw(Vec<u8>),
    Repeated { head: String, part: Vec<u8>, times: usize },
    Each { asked: usize, body: Box<dyn Fn(usize) -> String + Send + Sync> },
}

/// Expects a request whose target begins like this.
pub(crate) fn on(method: &'static str, target: impl Into<String>) -> Exchange {
    let reaction = Reaction::Answer { status: 200, headers: Vec::new(), body: String::new() };
    Exchange { method, target: target.into(), held_by: None, adds_to: None, reaction }
}

impl Exchange {
    /// The status and the body of the answer. `{self}` in the body stands for the server's URL.
    pub(crate) fn answer(mut self, status: u16, body: impl Into<String>) -> Self {
        if let Reaction::Answer { status: old_status, body: old_body, .. } = &mut self.reaction {
            (*old_status, *old_body) = (status, body.into());
        }
        self
    }

    /// A header of the answer. `{self}` stands for the server's URL.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Reaction::Answer { headers, .. } = &mut self.reaction {
            headers.push((name.to_owned(), value.into()));
        }
        self
    }

    /// These bytes and no more, then the end of the connection; none at all is hanging up.
    pub(crate) fn raw(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.reaction = Reaction::Raw(bytes.into());
        self
    }

    /// A head, and a body of this part again and again, unless the other side hangs up before.
    pub(crate) fn repeated(mut self, head: impl Into<String>, part: impl Into<Vec<u8>>, times: usize) -> Self {
        self.reaction = Reaction::Repeated { head: head.into(), part: part.into(), times };
        self
    }

    /// Any number of requests, also none: the body of the answer to the nth, from zero.
    pub(crate) fn each(mut self, body: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        self.reaction = Reaction::Each { asked: 0, body: Box::new(body) };
        self
    }

    /// Adds a permit once all has been written.
    pub(crate) fn then_adds_to(mut self, written: &Arc<Semaphore>) -> Self {
        self.adds_to = Some(written.clone());
        self
    }

    /// Only after the test has added a permit; of what is repeated, all but the first.
    pub(crate) fn held_by(mut self, gate: &Arc<Semaphore>) -> Self {
        self.held_by = Some(gate.clone());
        self
    }
}

/// The running server. It ends with the value.
pub(crate) struct Scripted {
    pub(crate) url: String,
    /// The certificate to trust, in PEM.
    pub(crate) root: Vec<u8>,
    state: Arc<State>,
    listening: JoinHandle<()>,
}

struct State {
    url: String,
    script: Mutex<Vec<Exchange>>,
    received: Mutex<Vec<Received>>,
    unexpected: Mutex<Vec<String>>,
    connections: AtomicUsize,
    arrival: Notify,
}

impl Scripted {
    /// Starts with TLS.
    pub(crate) async fn start(script: Vec<Exchange>) -> Self {
        Self::start_as(rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap(), script).await
    }

    /// Starts with TLS and a certificate of one's own.
    pub(crate) async fn start_as(certificate: rcgen::CertificateParams, script: Vec<Exchange>) -> Self {
        let (root, tls) = acceptor(certificate, &[]);
        Self::serve(script, "https", root, Some(tls)).await
    }

    /// Starts without TLS, as the identity endpoints of machines are.
    pub(crate) async fn start_plain(script: Vec<Exchange>) -> Self {
        Self::serve(script, "http", Vec::new(), None).await
    }

    async fn serve(script: Vec<Exchange>, scheme: &str, root: Vec<u8>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            url: url.clone(),
            script: Mutex::new(script),
            received: Mutex::default(),
            unexpected: Mutex::default(),
            connections: AtomicUsize::default(),
            arrival: Notify::new(),
        });
        let serving = state.clone();
        let listening = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::Relaxed);
                let (state, tls) = (serving.clone(), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => state.talk(stream).await,
                        // A client that does not trust us ends here.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => state.talk(stream).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { url, root, state, listening }
    }

    /// Expects a further request.
    pub(crate) fn also(&self, exchange: Exchange) {
        self.state.script.lock().unwrap().push(exchange);
    }

    /// What has come so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// How many connections there were, also of clients that did not trust us.
    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Method and target of what has come so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.received().iter().map(Received::line).collect()
    }

    /// Waits until this many requests have come.
    pub(crate) async fn arrived(&self, count: usize) {
        let all = async {
            loop {
                let arrival = self.state.arrival.notified();
                if self.received().len() >= count {
                    return;
                }
                arrival.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(60), all).await.is_err() {
            panic!("waiting for {count} requests, got {:#?}", self.lines());
        }
    }

    /// Checks that all that was expected came, and nothing else.
    pub(crate) fn finish(self) {
        let unexpected = self.state.unexpected.lock().unwrap();
        assert!(unexpected.is_empty(), "nobody expected {unexpected:#?}");
        let script = self.state.script.lock().unwrap();
        let expected = script.iter().filter(|e| !matches!(e.reaction, Reaction::Each { .. }));
        let missing: Vec<_> = expected.map(|e| format!("{} {}", e.method, e.target)).collect();
        assert!(missing.is_empty(), "these never came: {missing:#?}");
    }
}

/// The server's side of TLS with this certificate, which it signs itself, and the certificate to trust, in PEM.
pub(crate) fn acceptor(certificate: rcgen::CertificateParams, protocols: &[&[u8]]) -> (Vec<u8>, TlsAcceptor) {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    (certificate.pem().into_bytes(), TlsAcceptor::from(Arc::new(config)))
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl State {
    /// Answers the requests of one connection. `None` is the end of it.
    async fn talk(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<()> {
        loop {
            let request = read_request(&mut stream).await?;
            let exchange = {
                let mut script = self.script.lock().unwrap();
                let at =
                    script.iter().position(|e| e.method == request.method && request.target.starts_with(&e.target));
                at.map(|at| match &mut script[at].reaction {
                    Reaction::Each { asked, body } => {
                        *asked += 1;
                        on("", "").answer(200, body(*asked - 1))
                    }
                    _ => script.remove(at),
                })
            };
            let line = request.line();
            self.received.lock().unwrap().push(request);
            self.arrival.notify_waiters();
            let Some(exchange) = exchange else {
                self.unexpected.lock().unwrap().push(line);
                stream.write_all(b"HTTP/1.1 418 Unexpected\r\nContent-Length: 0\r\n\r\n").await.ok()?;
                continue;
            };
            let gate = async || {
                if let Some(gate) = &exchange.held_by {
                    gate.acquire().await.ok()?.forget();
                }
                Some(())
            };
            if !matches!(exchange.reaction, Reaction::Repeated { .. }) {
                gate().await?;
            }
            match exchange.reaction {
                Reaction::Raw(bytes) => {
                    stream.write_all(&bytes).await.ok()?;
                    stream.shutdown().await.ok()?;
                    return None;
                }
                Reaction::Repeated { head, part, times } => {
                    stream.write_all(head.as_bytes()).await.ok()?;
                    for n in 0..times {
                        if n == 1 {
                            gate().await?;
                        }
                        stream.write_all(&part).await.ok()?;
                        stream.flush().await.ok()?;
                    }
                    stream.shutdown().await.ok()?;
                    return None;
                }
                Reaction::Each { .. } => unreachable!("it became an answer"),
                Reaction::Answer { status, headers, body } => {
                    let body = body.replace("{self}", &self.url);
                    let mut answer = format!("HTTP/1.1 {status} Scripted\r\n");
                    // A 204 has no body and must not state a length.
                    if status != 204 {
                        answer += &format!("Content-Length: {}\r\n", body.len());
                    }
                    for (name, value) in headers {
                        answer += &format!("{name}: {}\r\n", value.replace("{self}", &self.url));
                    }
                    stream.write_all(format!("{answer}\r\n{body}").as_bytes()).await.ok()?;
                    stream.flush().await.ok()?;
                }
            }
            if let Some(written) = &exchange.adds_to {
                written.add_permits(1);
            }
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(Some(0), |(_, v)| v.parse().ok())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received { method, target, headers, body: String::from_utf8(body).ok()? })
}
