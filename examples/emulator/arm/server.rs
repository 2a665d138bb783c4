//! The socket side: accepts connections, reads requests whole, lets faults and latency have their way, and writes
//! what the handlers answered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, request};
use futures_util::{StreamExt as _, stream};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use super::errors::ArmError;
use super::faults::{Action, RuleId, Verdict, redirect};
use super::http::{self, Answer, CONTENT_TYPE, Payload, Request, percent_decode};
use super::options::{EchoWhen, OnOff};
use super::state::{Keeper, State};
use super::world::World;
use super::{clock, entra, errors, routes};

/// The largest body that is read; ARM's own limit is of this order.
const MAX_BODY: usize = 8 << 20;

/// What every connection shares.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    world: Arc<Mutex<World>>,
    /// Counts changes that somebody may wait for: requests seen and answered, operations started, rules removed.
    changes: watch::Sender<u64>,
    /// How often everybody must hang up.
    hang_ups: watch::Sender<u64>,
    /// How long the last outage was to be.
    outages: watch::Sender<Option<Outage>>,
    /// Writes the state file, if there is to be one.
    keeper: Option<Arc<Keeper>>,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        let keeper = world.options.state.clone().map(Keeper::new).map(Arc::new);
        let (changes, hang_ups, outages) = (watch::Sender::new(0), watch::Sender::new(0), watch::Sender::default());
        Self { world: Arc::new(Mutex::new(world)), changes, hang_ups, outages, keeper }
    }

    /// The world, brought up to the present.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A handler that panicked has already failed its own request; the state is as good as it left it.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.settle();
        world
    }

    /// Keeps what has changed since the last time. Nobody may hold the world meanwhile.
    pub(crate) fn save(&self) {
        let state = self.world().take_state();
        self.keep(state);
    }

    fn keep(&self, state: Option<State>) {
        if let (Some(keeper), Some(state)) = (&self.keeper, state) {
            keeper.keep(&state);
        }
    }

    /// Tells waiters to look again.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Closes every open connection.
    pub(crate) fn hang_up(&self) {
        self.hang_ups.send_modify(|count| *count += 1);
    }

    /// Closes every open connection, and takes none meanwhile.
    fn refuse(&self, outage: Outage) {
        self.outages.send_replace(Some(outage));
    }

    /// Waits until `look` finds something in the world.
    pub(crate) async fn wait_for<T>(&self, mut look: impl FnMut(&mut World) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            if let Some(found) = look(&mut self.world()) {
                return found;
            }
            // The sender lives in `self`, so this cannot fail.
            let _ = changes.changed().await;
        }
    }
}

/// Accepts connections for ever; dropping the future closes them all.
pub(crate) async fn serve(mut listener: TcpListener, tls: TlsAcceptor, shared: Shared) {
    let mut connections = JoinSet::new();
    let mut outages = shared.outages.subscribe();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that was gone before we took it is no reason to stop.
                let Ok((socket, peer)) = accepted else { continue };
                let local = peer.ip().to_canonical().is_loopback();
                connections.spawn(greet(socket, local, tls.clone(), shared.clone()));
            }
            Some(_) = connections.join_next() => {}
            Ok(()) = outages.changed() => {
                let Some(outage) = *outages.borrow_and_update() else { continue };
                listener = close_for(outage, listener, &shared).await.expect("the port that was taken a moment ago");
            }
        }
    }
}

/// How long connections are refused.
#[derive(Debug, Clone, Copy)]
enum Outage {
    /// For a time.
    Lasts(Duration),
    /// Until the rule is taken back.
    Stands(RuleId),
}

/// Closes the port and every connection for a time. The port stays taken, so that connections are refused.
async fn close_for(outage: Outage, listener: TcpListener, shared: &Shared) -> std::io::Result<TcpListener> {
    let address = listener.local_addr()?;
    drop(listener);
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    shared.hang_up();
    match outage {
        Outage::Lasts(time) => tokio::time::sleep(time).await,
        Outage::Stands(rule) => shared.wait_for(|world| (!world.faults.stands(rule)).then_some(())).await,
    }
    socket.listen(1024)
}

/// One connection, from its first byte to its end. One port serves with and without TLS, whichever the peer begins with.
async fn greet(socket: TcpStream, local: bool, tls: TlsAcceptor, shared: Shared) {
    /// How every TLS connection begins (RFC 8446, section 5.1).
    const HANDSHAKE: u8 = 22;
    // Small answers must not wait for the peer's acknowledgements.
    let _ = socket.set_nodelay(true);
    let hang_ups = shared.hang_ups.subscribe();
    let mut first = [0];
    match socket.peek(&mut first).await {
        Ok(1) if first == [HANDSHAKE] => {
            let Ok(stream) = tls.accept(socket).await else { return };
            converse(stream, Peer { local, plain: false }, shared, hang_ups).await;
        }
        Ok(1) => converse(socket, Peer { local, plain: true }, shared, hang_ups).await,
        _ => {}
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
struct Peer {
    /// This machine.
    local: bool,
    /// Somebody without TLS.
    plain: bool,
}

/// Answers one request after another until either side has enough.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    shared: Shared,
    mut hang_ups: watch::Receiver<u64>,
) {
    let cut = Arc::new(tokio::sync::Notify::new());
    let service = hyper::service::service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let (shared, cut) = (shared.clone(), cut.clone());
        async move {
            let (head, body) = request.into_parts();
            match exchange(&shared, head, Body::new(body), peer).await {
                Reply::Answer(answer) => Ok(*answer),
                Reply::Reset => Err(Reset),
                Reply::Cut => {
                    cut.notify_one();
                    std::future::pending().await
                }
            }
        }
    });
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A peer that breaks off, or one that is told to go: either way the connection is over.
        _ = connection => {}
        () = cut.notified() => {}
        _ = hang_ups.changed() => {}
    }
}

/// What becomes of a request.
enum Reply {
    Answer(Box<Response<Body>>),
    /// Its stream is reset.
    Reset,
    /// The connection is closed.
    Cut,
}

/// The error that has hyper reset a stream, or close the connection of HTTP/1.1.
#[derive(Debug)]
struct Reset;

impl std::fmt::Display for Reset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the rule resets the stream here")
    }
}

impl std::error::Error for Reset {}

/// How the body of an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Whole,
    /// Half of it, and then the end of the stream.
    Half,
    /// The second half after this time; for no time at all never.
    Halves(Duration),
}

/// One request and what becomes of it.
async fn exchange(shared: &Shared, head: request::Parts, body: Body, peer: Peer) -> Reply {
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let refusal = Response::builder().status(StatusCode::PAYLOAD_TOO_LARGE).body(Body::empty());
        return Reply::Answer(Box::new(refusal.expect("fixed parts")));
    };
    let mut request = read(head, body, peer);
    let (number, latency, verdict) = {
        let mut world = shared.world();
        let (now, random) = (world.clock.now(), world.options.random_faults);
        let number = world.log.arrived(&request, now);
        (number, world.options.latency, world.faults.judge(&request, random))
    };
    shared.changed();
    pause(latency).await;

    let (action, delay) = verdict.as_ref().map_or((None, Duration::ZERO), |v| (Some(v.action), v.delay));
    if !matches!(action, Some(Action::Stall | Action::Refuse)) {
        pause(delay).await;
    }
    match (action, &verdict) {
        (Some(Action::Close), _) => return Reply::Cut,
        (Some(Action::Reset), _) => return Reply::Reset,
        (Some(Action::Refuse), Some(verdict)) => {
            shared.refuse(if delay.is_zero() { Outage::Stands(verdict.id) } else { Outage::Lasts(delay) });
            return Reply::Cut;
        }
        (Some(Action::Hold), Some(verdict)) => {
            shared.wait_for(|world| (!world.faults.stands(verdict.id)).then_some(())).await;
        }
        _ => {}
    }
    let mut answer = handle(shared, &mut request, number, verdict.as_ref());
    match action {
        Some(Action::Lose) => return Reply::Cut,
        Some(Action::ResetLate) => return Reply::Reset,
        _ => {}
    }
    if let Some(verdict) = &verdict {
        verdict.spoil(&request, &mut answer);
    }
    shared.world().log.answered(number, &answer);
    shared.changed();
    let delivery = match action {
        Some(Action::Truncate) => Delivery::Half,
        Some(Action::Stall) => Delivery::Halves(delay),
        _ => Delivery::Whole,
    };
    Reply::Answer(Box::new(write(shared, &request, answer, delivery)))
}

/// Lets the handlers answer, the fault having its say.
fn handle(shared: &Shared, request: &mut Request, number: u64, verdict: Option<&Verdict>) -> Answer {
    let mut world = shared.world();
    if let Ok(caller) = entra::caller(&world, request) {
        world.log.asked_by(number, &caller.object_id);
        request.caller = caller.object_id;
    }
    let request = &*request;
    let mut answer = match verdict {
        Some(Verdict { action: Action::Status(status), failure, headers, .. }) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut answer = match entra::Refusal::of(status, failure) {
                Some(refusal) => refusal.into_answer(&world, request),
                None => ArmError::of(status, failure.clone()).into_answer(),
            };
            if status.is_success() {
                answer.body = Payload::Empty;
            }
            if status == StatusCode::UNAUTHORIZED {
                let claims = world.options.claims_challenge;
                answer.headers.push(entra::challenge(&world, request, &failure.message, claims));
            }
            for (name, value) in headers {
                match (name.as_str(), value.parse()) {
                    ("retry-after", _) => answer.headers.push(("retry-after", value.clone())),
                    ("retry-at", Ok(seconds)) => {
                        let at = clock::after(world.clock.now(), Duration::from_secs(seconds));
                        answer.headers.push(("retry-after", clock::http(at)));
                    }
                    _ => {}
                }
            }
            answer
        }
        Some(Verdict { action: Action::Challenge, .. }) => entra::claims_challenge(&world, request).into_answer(),
        Some(Verdict { action: Action::Redirect, .. }) => redirect(request),
        Some(Verdict { action: Action::Denied, .. }) => routes::denied(&world, request).into_answer(),
        Some(verdict) => {
            world.next_operation = verdict.fate();
            let answer = routes::answer(&mut world, request);
            world.next_operation = None;
            answer
        }
        None => routes::answer(&mut world, request),
    };
    if world.options.error_nulls == OnOff::On
        && request.path().to_ascii_lowercase().contains("/providers/microsoft.machinelearningservices/")
        && let Payload::Json(body) = &mut answer.body
        && let Some(error) = body.get_mut("error")
    {
        errors::with_nulls(error);
    }
    if !matches!(request.method, Method::GET | Method::HEAD) {
        world.settle();
        world.changed = true;
    }
    let state = world.take_state();
    drop(world);
    shared.keep(state);
    answer
}

/// A request as the handlers want it.
fn read(head: request::Parts, body: axum::body::Bytes, peer: Peer) -> Request {
    let host = head
        .uri
        .authority()
        .map(ToString::to_string)
        .or_else(|| head.headers.get("host").and_then(|host| host.to_str().ok()).map(str::to_owned));
    let raw_path = head.uri.path().to_owned();
    let raw_query = head.uri.query().unwrap_or("").to_owned();
    Request {
        method: head.method,
        segments: raw_path.split('/').filter(|segment| !segment.is_empty()).map(percent_decode).collect(),
        query: url::form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
        raw_path,
        raw_query,
        headers: head.headers,
        body,
        base: format!("https://{}", host.unwrap_or_default()),
        local: peer.local,
        plain: peer.plain,
        caller: String::new(),
    }
}

/// Puts an answer on the wire, with the headers that every answer has (facts: azure.md §5.4).
fn write(shared: &Shared, request: &Request, answer: Answer, delivery: Delivery) -> Response<Body> {
    let (now, echo) = {
        let world = shared.world();
        (world.clock.now(), world.options.echo_client_request_id)
    };
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let id = Uuid::new_v4().to_string();
    set("date", &clock::http(now));
    set("cache-control", "no-cache");
    set("x-ms-request-id", &id);
    set("x-ms-correlation-request-id", request.header("x-ms-correlation-request-id").unwrap_or(&id));
    set("x-ms-routing-request-id", &format!("EMULATOR:{}:{id}", clock::seconds(now).replace([':', '-'], "")));
    let asked = request.header("x-ms-return-client-request-id").is_some_and(|yes| yes.eq_ignore_ascii_case("true"));
    let echoed = echo == EchoWhen::Always || (echo == EchoWhen::WhenAsked && asked);
    if let Some(id) = request.header("x-ms-client-request-id").filter(|_| echoed) {
        set("x-ms-client-request-id", id);
    }
    for (name, value) in &answer.headers {
        set(name, value);
    }
    let (kind, mut bytes) = match answer.body {
        Payload::Empty => (None, Vec::new()),
        Payload::Json(body) => (Some(http::JSON), body.to_string().into_bytes()),
        Payload::Text(kind, text) => (Some(kind), text.into_bytes()),
    };
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if delivery != Delivery::Whole {
        headers.insert("content-length", HeaderValue::from(bytes.len()));
        let rest = bytes.split_off(bytes.len() / 2);
        let rest = async move {
            match delivery {
                // The length still promises the whole; the connection ends in the middle of it.
                Delivery::Half => Err(std::io::Error::other("the rule cuts the answer here")),
                Delivery::Halves(Duration::ZERO) => std::future::pending().await,
                Delivery::Halves(delay) => {
                    pause(delay).await;
                    Ok(rest)
                }
                Delivery::Whole => Ok(rest),
            }
        };
        let halves = stream::once(async { Ok(bytes) }).chain(stream::once(rest));
        return respond(answer.status, headers, Body::from_stream(halves));
    }
    if request.method == Method::HEAD {
        bytes.clear();
    }
    respond(answer.status, headers, Body::from(bytes))
}

fn respond(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Waits real time, if there is any to wait.
async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
