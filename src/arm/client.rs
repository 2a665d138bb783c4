//! The client: its settings, single requests, reads and long-running operations.

use super::auth::{HttpClients, TokenSource, Tokens};
use super::authorities;
use super::call::{Call, Clock, SystemClock};
use super::cloud::Addresses;
use super::cloud_metadata::CloudMetadata;
use super::error::Error;
use super::files;
use super::lro::{self, DEFAULT_POLL_INTERVAL, Operation, Progress, Step};
use super::reads::{Read, Reads};
use super::request::{Answer, Dated, Request};
use super::resolver;
use super::retry::{self, DEFAULT_MAX_RETRIES};
use super::send::Sender;
use http::HeaderValue;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// The value of `x-ms-correlation-request-id`, which all requests of a client have in Azure's logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrelationId {
    /// A random one for this client.
    Random,
    /// This one.
    Fixed(String),
    /// The header is not sent.
    Disabled,
}

/// Everything about a client but how it signs in.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the resource manager and the sign-in service are.
    pub addresses: Addresses,
    /// The `User-Agent`.
    pub user_agent: String,
    /// The correlation id of all requests.
    pub correlation_id: CorrelationId,
    /// How often a request is retried after errors for which Azure sends no Retry-After. Throttling and conflicts with
    /// operations in progress do not count; the call's deadline ends them.
    pub max_retries: u32,
    /// The polling interval of operations for which Azure sends no Retry-After.
    pub poll_interval: Duration,
    /// The api-version for workspaces, instead of the default and its fallback.
    pub workspaces_api_version: Option<String>,
    /// Further tenants whose tokens are sent, too (`x-ms-authorization-auxiliary`).
    pub auxiliary_tenant_ids: Vec<String>,
    /// Certificates (PEM) trusted in addition to the platform's, which on Linux are those of `SSL_CERT_FILE` if set.
    pub extra_roots: Vec<Vec<u8>>,
    /// The clock of all waits.
    pub clock: Arc<dyn Clock>,
}

impl Settings {
    /// The defaults for the cloud at these addresses.
    pub fn new(addresses: impl Into<Addresses>) -> Self {
        Self {
            addresses: addresses.into(),
            user_agent: concat!("terraform-provider-foundryhub/", env!("CARGO_PKG_VERSION")).to_owned(),
            correlation_id: CorrelationId::Random,
            max_retries: DEFAULT_MAX_RETRIES,
            poll_interval: DEFAULT_POLL_INTERVAL,
            workspaces_api_version: None,
            auxiliary_tenant_ids: Vec::new(),
            extra_roots: Vec::new(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// A client of one cloud with one credential. Clones share everything: tokens, connections, throttling and reads.
#[derive(Clone)]
pub struct Client(pub Arc<Inner>);

pub struct Inner {
    pub(crate) sender: Sender,
    pub(crate) reads: Reads,
    pub(crate) poll_interval: Duration,
    pub(crate) workspaces_api_version: Option<String>,
    /// Whether the default api-version for workspaces turned out not to be offered.
    pub(crate) workspaces_fell_back: AtomicBool,
}

impl Client {
    /// Creates a client that signs in by this method, away from the runtime. Nothing is sent yet.
    ///
    /// # Errors
    /// Those of [`Client::new`], and [`Error::NoAuthorities`] when the certificates of the machine cannot be read in time.
    pub async fn create(settings: Settings, method: Arc<dyn TokenSource>) -> Result<Self, Error> {
        let created = files::off_the_runtime(move || Self::new(settings, method)).await;
        created.unwrap_or_else(|error| Err(Error::NoAuthorities { problems: vec![error.to_string()] }))
    }

    /// The same where blocking is allowed: the certificates of the machine are read.
    ///
    /// # Errors
    /// [`Error::Setting`] when the correlation id or the user agent cannot be a header or a certificate cannot be
    /// read, [`Error::NoAuthorities`] when there is no certificate to trust.
    pub fn new(settings: Settings, method: Arc<dyn TokenSource>) -> Result<Self, Error> {
        let correlation_id = match settings.correlation_id {
            CorrelationId::Random => Some(Uuid::new_v4().to_string()),
            CorrelationId::Fixed(id) => Some(id),
            CorrelationId::Disabled => None,
        };
        let correlation_id = correlation_id
            .map(HeaderValue::try_from)
            .transpose()
            .map_err(|error| Error::Setting { what: "correlation request id", source: Arc::new(error) })?;
        let mut roots = Vec::new();
        for pem in &settings.extra_roots {
            roots.extend(
                reqwest::Certificate::from_pem_bundle(pem)
                    .map_err(|error| Error::Setting { what: "root certificate", source: Arc::new(error) })?,
            );
        }
        let user_agent = settings.user_agent;
        let builder = move || {
            resolver::resolve_names(reqwest::Client::builder())
                .user_agent(user_agent.clone())
                .redirect(reqwest::redirect::Policy::none())
                // A call may take an hour; a dead connection should end sooner.
                .connect_timeout(retry::CONNECT_TIMEOUT)
                .read_timeout(Duration::from_secs(120))
                .tls_certs_merge(roots.clone())
        };
        let http = builder().build().map_err(|error| {
            authorities::missing()
                .unwrap_or_else(|| Error::Setting { what: "user agent or TLS set-up", source: Arc::new(error) })
        })?;
        let direct = move || builder().no_proxy().build().expect("the same settings have made a client before");
        let clients = HttpClients::new(http.clone(), direct);
        let clock = settings.clock;
        let cloud_metadata = Arc::new(CloudMetadata::new(settings.addresses, http.clone()));
        let sender = Sender {
            tokens: Tokens::new(method, cloud_metadata.clone(), clients, clock.clone()),
            http,
            cloud_metadata,
            auxiliary_tenants: settings.auxiliary_tenant_ids,
            correlation_id,
            max_retries: settings.max_retries,
            clock,
            paused_until: Mutex::new(None),
        };
        Ok(Self(Arc::new(Inner {
            sender,
            reads: Reads::default(),
            poll_interval: settings.poll_interval,
            workspaces_api_version: settings.workspaces_api_version,
            workspaces_fell_back: AtomicBool::new(false),
        })))
    }

    /// Begins to remember the answers of reads that allow it, forgetting those remembered before: for planning, when
    /// nothing is written. The first write ends it.
    pub fn remember_reads(&self) {
        self.0.reads.remember();
    }

    /// Ends remembering, because others may write.
    pub fn stop_remembering(&self) {
        self.0.reads.forget();
    }

    /// The subscription that is in use where the sign-in method looks: that of the Azure CLI. Nothing is sent.
    pub(crate) async fn subscription(&self) -> Option<String> {
        self.0.sender.tokens.subscription().await
    }

    /// Whether reads are being remembered.
    pub(crate) fn remembers_reads(&self) -> bool {
        self.0.reads.memory().is_some()
    }

    /// Waits by the client's clock.
    ///
    /// # Errors
    /// [`Error::Cancelled`], or [`Error::DeadlineExceeded`] at once when the wait would not end in time.
    pub(crate) async fn pause(&self, wait: Duration, doing: &str, call: &Call) -> Result<(), Error> {
        self.0.sender.limits(call).pause(wait, || doing.to_owned(), None).await
    }

    /// Waits for an event, such as the release of a lock, within the call's limits.
    ///
    /// # Errors
    /// [`Error::Cancelled`] and [`Error::DeadlineExceeded`].
    pub(crate) async fn wait_for<T>(
        &self,
        event: impl Future<Output = T>,
        doing: &str,
        call: &Call,
    ) -> Result<T, Error> {
        self.0.sender.limits(call).bound(|| doing.to_owned(), None, event).await
    }

    /// The time of day by the client's clock.
    pub(crate) fn utc(&self) -> OffsetDateTime {
        self.0.sender.clock.utc()
    }

    /// The time that is left of a call.
    pub(crate) fn left(&self, call: &Call) -> Duration {
        self.0.sender.limits(call).left()
    }

    /// A call with half of the time that is left of this one, which an interrupt ends with it.
    pub(crate) fn half_of(&self, call: &Call) -> Call {
        call.earlier(self.left(call) / 2)
    }

    /// Sends one request and gives its answer, without following an operation that it starts.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn send(&self, request: &Request, call: &Call) -> Result<Answer, Error> {
        let _writing = request.is_write.then(|| self.0.reads.writing());
        self.0.sender.send(request, call).await
    }

    /// Sends a read, or takes its answer from those remembered or in flight.
    ///
    /// # Errors
    /// See [`Error`].
    pub(crate) async fn read(&self, request: &Request, read: Read, call: &Call) -> Result<Arc<Answer>, Error> {
        let sender = &self.0.sender;
        self.0.reads.get(&request.key(), read, &sender.limits(call), || sender.send(request, call)).await
    }

    /// Sends a request and follows the operation it starts to its end. The answer is the resource for a PUT or PATCH
    /// and the result for a POST.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::Operation`] when Azure took the request and then failed, [`Error::Uncertain`] when the
    /// operation could not be followed to its end.
    pub(crate) async fn operate(&self, request: &Request, call: &Call) -> Result<Answer, Error> {
        // The operation writes until it ends.
        let _writing = self.0.reads.writing();
        let answer = self.0.sender.send(request, call).await?;
        let followed = self.follow(request, answer, call).await;
        followed.map_err(|error| request.accepted(error))
    }

    /// Reads the body of the answer to a request, together with the time of the answer.
    ///
    /// # Errors
    /// [`Error::Decode`], and [`Error::Uncertain`] when the call ends meanwhile and the request was a write.
    pub(crate) async fn decode<T: DeserializeOwned + Send + 'static>(
        &self,
        request: &Request,
        answer: &Answer,
        call: &Call,
    ) -> Result<Dated<T>, Error> {
        let read = answer.json(&self.0.sender.limits(call)).await;
        Ok(Dated { value: read.map_err(|error| request.accepted(error))?, date: answer.date() })
    }

    /// Follows an operation to its end, from the answer that Azure accepted it with.
    async fn follow(&self, request: &Request, mut answer: Answer, call: &Call) -> Result<Answer, Error> {
        let limits = self.0.sender.limits(call);
        let doing = || format!("waiting for the operation started by {} {}", request.method, request.path());
        let body = answer.read(Progress::read, &limits).await?;
        let (mut operation, mut step) = Operation::start(answer.url.clone(), &answer, &body)?;
        loop {
            let url = match &step {
                Step::Done => return Ok(answer),
                Step::Fetch(url) => url,
                Step::Poll(url) | Step::PollUntilGone(url) => {
                    let now = limits.clock.utc();
                    let wait = lro::wait(now, &answer.headers, self.0.poll_interval, limits.left());
                    limits.pause(wait, doing, None).await?;
                    url
                }
            };
            // One id for the whole operation; giving up on a poll would abandon it.
            let poll = Request::follow(url.clone(), request.id).retry_until_deadline();
            answer = match self.0.sender.send(&poll, call).await {
                Err(error) if error.is_not_found() && matches!(step, Step::PollUntilGone(_)) => return Ok(answer),
                result => result?,
            };
            let body = answer.read(Progress::read, &limits).await?;
            step = operation.next(&answer, &body)?;
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("cloud_metadata", &self.0.sender.cloud_metadata).finish_non_exhaustive()
    }
}
