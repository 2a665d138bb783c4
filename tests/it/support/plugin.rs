//! The host's side of go-plugin: starts the real binary as an engine does, connects over mutual TLS, reads its log.
//!
//! ```ignore
//! let plugin = Plugin::launch().env("TF_LOG", "debug").start().await;
//! let mut client = ProviderClient::new(plugin.connect().await);
//! ```
//!
//! The process is killed when the [`Plugin`] is dropped. It sees no variables but those named here and those given to
//! [`Launch::env`], so nothing on the developer's machine changes a test.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::CertificateDer};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader},
    net::{TcpStream, UnixStream},
    process::{Child, ChildStderr, ChildStdout, Command},
    sync::watch,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::{
    go_plugin::{Empty, grpc_controller_client::GrpcControllerClient},
    tls::ClientIdentity,
};

/// The variable, and its value, by which a plugin recognizes an engine.
pub(crate) const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The variable that makes an engine attach to a plugin that runs already.
const REATTACH: &str = "TF_REATTACH_PROVIDERS";

/// How long anything may take before a test gives up on it. Only a hang takes that long.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// Waits for what has to happen.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.unwrap_or_else(|_| panic!("{what} took longer than {HANG:?}"))
}

/// Bytes both ways, whatever carries them.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A connection below TLS.
pub(crate) type Socket = Box<dyn Io>;

/// How a plugin is going to be started: by default as an engine does, with mutual TLS.
pub(crate) struct Launch {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    unset: Vec<&'static str>,
    client: Option<ClientIdentity>,
    debug: bool,
    stdin: Stdio,
    /// Where sockets go, unless a variable says otherwise.
    directory: TempDir,
}

impl Launch {
    /// Starts this program instead of the provider's own binary.
    pub(crate) fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Sets one variable of the process's environment; the last value given counts.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Leaves one variable unset.
    pub(crate) fn without_env(mut self, name: &'static str) -> Self {
        self.unset.push(name);
        self
    }

    /// Leaves the client certificate out, as an engine does with `TF_DISABLE_PLUGIN_TLS`.
    pub(crate) fn without_tls(mut self) -> Self {
        self.client = None;
        self
    }

    /// Starts it with `--debug` and without cookie and certificate, to attach to it.
    pub(crate) fn debug(mut self) -> Self {
        self.debug = true;
        self.without_tls()
    }

    /// Gives the process this standard input instead of an empty one.
    pub(crate) fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Starts the process and waits until it tells where it listens.
    pub(crate) async fn start(self) -> Plugin {
        let (mut child, launch) = self.spawn();
        let stderr = Log::follow(child.stderr.take().unwrap());
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let read = if launch.debug { read_reattach(&mut stdout).await } else { read_handshake(&mut stdout).await };
        let Some((line, address, server_certificate)) = read else {
            let status = within("the end of a plugin that did not start", child.wait()).await.unwrap();
            panic!("the plugin did not start: {status}\n{}", stderr.to_end().await.join("\n"));
        };
        Plugin {
            child,
            stdout,
            stderr,
            line,
            address,
            server_certificate,
            client: launch.client,
            directory: launch.directory,
        }
    }

    /// Runs the process to its end, for starts that are refused.
    pub(crate) async fn refused(self) -> Output {
        let (child, _launch) = self.spawn();
        within("refusing to start", child.wait_with_output()).await.unwrap()
    }

    fn spawn(mut self) -> (Child, Self) {
        let mut command = Command::new(&self.program);
        command.env_clear().env("TMPDIR", self.directory.path()).kill_on_drop(true);
        // Tools that measure coverage tell the process where to write.
        command.envs(env::vars_os().filter(|(name, _)| name == "PATH" || name == "LLVM_PROFILE_FILE"));
        if self.debug {
            command.arg("--debug");
        } else {
            command.env(COOKIE.0, COOKIE.1).env("PLUGIN_PROTOCOL_VERSIONS", "6,5");
            command.env("PLUGIN_MIN_PORT", "10000").env("PLUGIN_MAX_PORT", "25000");
        }
        if let Some(client) = &self.client {
            command.env("PLUGIN_CLIENT_CERT", client.pem());
        }
        let stdin = std::mem::replace(&mut self.stdin, Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        for name in &self.unset {
            command.env_remove(name);
        }
        let child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        (child.unwrap_or_else(|error| panic!("{}: {error}", self.program.display())), self)
    }
}

type Announced = (String, Address, Option<CertificateDer<'static>>);

/// Reads the handshake's line; None if there is none.
async fn read_handshake(stdout: &mut BufReader<ChildStdout>) -> Option<Announced> {
    let line = read_line(stdout).await?;
    let fields: Vec<&str> = line.split('|').collect();
    let [_core, _protocol, network, address, _grpc, certificate, ..] = fields[..] else {
        panic!("not a handshake: {line:?}");
    };
    let certificate = (!certificate.is_empty())
        .then(|| BASE64_STANDARD_NO_PAD.decode(certificate).expect("unpadded base64 in the last field").into());
    Some((line.clone(), Address::new(network, address), certificate))
}

/// Reads as far as the variable that tells how to attach, and its value; None if there is none.
async fn read_reattach(stdout: &mut BufReader<ChildStdout>) -> Option<Announced> {
    loop {
        let line = read_line(stdout).await?;
        if let Some((_, value)) = line.split_once(&format!("{REATTACH}='")) {
            let value = value.strip_suffix('\'').expect("a closing quote at the line's end").to_owned();
            let entries: Value = serde_json::from_str(&value).unwrap();
            let entry = entries.as_object().and_then(|entries| entries.values().next()).expect("an entry");
            let addr = &entry["Addr"];
            let address = Address::new(addr["Network"].as_str().unwrap(), addr["String"].as_str().unwrap());
            return Some((value, address, None));
        }
    }
}

async fn read_line(stdout: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    within("a line on standard output", stdout.read_line(&mut line)).await.unwrap();
    line.strip_suffix('\n').map(str::to_owned)
}

/// Where a plugin listens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Address {
    fn new(network: &str, address: &str) -> Self {
        match network {
            "unix" => Self::Unix(address.into()),
            "tcp" => Self::Tcp(address.to_owned()),
            _ => panic!("unknown network {network:?}"),
        }
    }

    /// Connects below TLS.
    pub(crate) async fn connect(&self) -> io::Result<Socket> {
        Ok(match self {
            Self::Unix(path) => Box::new(UnixStream::connect(path).await?),
            Self::Tcp(address) => Box::new(TcpStream::connect(address).await?),
        })
    }
}

/// A plugin that runs.
pub(crate) struct Plugin {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Log,
    line: String,
    address: Address,
    server_certificate: Option<CertificateDer<'static>>,
    client: Option<ClientIdentity>,
    directory: TempDir,
}

impl Plugin {
    /// Prepares to start the provider's own binary.
    pub(crate) fn launch() -> Launch {
        Launch {
            program: super::provider(),
            environment: Vec::new(),
            unset: Vec::new(),
            client: Some(ClientIdentity::like_go_plugin()),
            debug: false,
            stdin: Stdio::null(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// The handshake's line, without its end; in debug mode the value of the variable that makes an engine attach.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The directory where the plugin opens its socket, unless a variable names another.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn server_certificate(&self) -> &CertificateDer<'static> {
        self.server_certificate.as_ref().expect("a plugin that serves over TLS")
    }

    pub(crate) fn client(&self) -> &ClientIdentity {
        self.client.as_ref().expect("a plugin that serves over TLS")
    }

    /// Opens one more connection, as this plugin's host.
    pub(crate) async fn connect(&self) -> Channel {
        let tls = self.client.as_ref().map(|client| client.config(self.server_certificate()));
        let address = self.address.clone();
        let connector = service_fn(move |_| {
            let (address, tls) = (address.clone(), tls.clone());
            async move {
                let socket = address.connect().await?;
                let socket: Socket = match tls {
                    Some(config) => Box::new(secure(socket, config).await?),
                    None => socket,
                };
                Ok::<_, io::Error>(TokioIo::new(socket))
            }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        let connecting = within("connecting", endpoint.connect_with_connector(connector));
        connecting.await.unwrap_or_else(|error| panic!("{error:?}\n{}", self.stderr.text()))
    }

    /// Opens a connection with this TLS configuration and says nothing over it.
    pub(crate) async fn connect_tls(&self, config: ClientConfig) -> io::Result<TlsStream<Socket>> {
        within("connecting", async { secure(self.address.connect().await?, config).await }).await
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("a process that was not waited for")
    }

    /// Sends a signal by its name without SIG.
    pub(crate) async fn signal(&self, name: &str) {
        signal(&self.pid().to_string(), name).await;
    }

    /// Asks the plugin to end, over one more connection, and waits until it has.
    pub(crate) async fn shut_down(&mut self) -> ExitStatus {
        // Like engines it waits for the end of the process, which may come before the answer.
        let _ = GrpcControllerClient::new(self.connect().await).shutdown(Empty {}).await;
        self.exited().await
    }

    /// Waits until the process has ended.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        within("the process's end", self.child.wait()).await.unwrap()
    }

    /// What it wrote to standard output after the line, once the process has ended.
    pub(crate) async fn rest_of_stdout(&mut self) -> String {
        let mut rest = String::new();
        within("the end of standard output", self.stdout.read_to_string(&mut rest)).await.unwrap();
        rest
    }

    /// What it writes to standard error.
    pub(crate) fn stderr(&self) -> &Log {
        &self.stderr
    }
}

/// Sends a signal, by its name without SIG, to a process or, with a minus before its number, to a process group.
pub(crate) async fn signal(process: &str, name: &str) {
    let kill = format!("kill -s {name} -- {process}");
    let status = Command::new("sh").args(["-c", &kill]).status().await.unwrap();
    assert!(status.success(), "{kill}: {status}");
}

async fn secure(socket: Socket, config: ClientConfig) -> io::Result<TlsStream<Socket>> {
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), socket).await
}

/// The lines of a process's standard error, as they come.
pub(crate) struct Log(watch::Receiver<Vec<String>>);

impl Log {
    fn follow(stderr: ChildStderr) -> Self {
        let (sender, receiver) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                sender.send_modify(|lines| lines.push(line));
            }
        });
        Self(receiver)
    }

    /// The lines so far.
    pub(crate) fn text(&self) -> String {
        self.0.borrow().join("\n")
    }

    /// Waits for a line that `wanted` accepts.
    pub(crate) async fn wait_for(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        let mut lines = self.0.clone();
        let waiting = lines.wait_for(|lines| lines.iter().any(|line| wanted(line)));
        if within(what, waiting).await.is_err() {
            panic!("the process ended without {what}:\n{}", self.text());
        }
    }

    /// All lines, once the process has ended.
    pub(crate) async fn to_end(&self) -> Vec<String> {
        let mut lines = self.0.clone();
        within("the end of standard error", async { while lines.changed().await.is_ok() {} }).await;
        lines.borrow().clone()
    }
}

/// Reads a log line by go-plugin's rules and says what it would make of it: the fields, or why they are not understood.
pub(crate) fn read_log_line(line: &str) -> Result<Value, String> {
    if line.len() >= 64 << 10 {
        return Err(format!("{} bytes are too many", line.len()));
    }
    let fields: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
    for key in ["@message", "@level", "@timestamp"] {
        if !fields[key].is_string() {
            return Err(format!("{key} is not a string, which crashes the host"));
        }
    }
    if !["trace", "debug", "info", "warn", "error"].contains(&fields["@level"].as_str().unwrap()) {
        return Err("unknown level".to_owned());
    }
    // Go's layout 2006-01-02T15:04:05.000000Z07:00, of which we write the form in UTC.
    let digits: String =
        fields["@timestamp"].as_str().unwrap().chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if digits != "0000-00-00T00:00:00.000000Z" {
        return Err(format!("{} is no timestamp", fields["@timestamp"]));
    }
    Ok(fields)
}
