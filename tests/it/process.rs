//! How the process lives, logs and ends once it has started.

use std::{
    env,
    io::{Seek as _, Write as _},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use foundryhub::plugin::log;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    sync::mpsc,
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming, transport::Channel};

use crate::{
    handshake::check_serves,
    support::{
        echo,
        go_plugin::{
            ConnInfo, Empty, StdioData,
            grpc_broker_client::GrpcBrokerClient,
            grpc_controller_client::GrpcControllerClient,
            grpc_stdio_client::GrpcStdioClient,
            health::{HealthCheckRequest, health_client::HealthClient},
        },
        plugin::{Address, COOKIE, HANG, Launch, Plugin, read_log_line, signal, within},
        provider,
        tfplugin6::{DynamicValue, call_function, provider_client::ProviderClient},
        tls::ClientIdentity,
    },
};

/// The streams that an engine opens as soon as it is connected, and keeps.
struct Streams {
    broker: Streaming<ConnInfo>,
    /// Holds the other direction of the broker's stream open.
    _offers: mpsc::Sender<ConnInfo>,
    stdio: Streaming<StdioData>,
}

impl Streams {
    async fn open(channel: &Channel) -> Self {
        let (offers, receiver) = mpsc::channel(1);
        let broker = GrpcBrokerClient::new(channel.clone()).start_stream(ReceiverStream::new(receiver)).await;
        let stdio = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await;
        Self { broker: broker.unwrap().into_inner(), _offers: offers, stdio: stdio.unwrap().into_inner() }
    }
}

/// An engine kills a process that is still there two seconds after it asked for its end, and waits until then: once for
/// each process of a command. The process itself is gone at once. A machine that is busy with other tests may take its
/// time to run it again, so that only the fastest of several is held to the 200 ms that it may take.
#[tokio::test]
async fn shutdown_is_answered_and_ends_the_process_despite_open_streams() {
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let mut plugin = Plugin::launch().start().await;
        let channel = plugin.connect().await;
        let mut streams = Streams::open(&channel).await;
        // A second connection on which nothing happens must not be waited for either.
        let _idle = plugin.connect().await;

        GrpcControllerClient::new(channel).shutdown(Empty {}).await.expect("an answer before the end");
        let answered = Instant::now();
        let status = plugin.exited().await;
        let took = answered.elapsed();
        assert_eq!(status.code(), Some(0));
        assert!(took < Duration::from_secs(2), "an engine kills after two seconds; this took {took:?}");
        assert!(streams.stdio.message().await.unwrap().is_none(), "the stream ends in good order");
        assert!(streams.broker.message().await.unwrap().is_none(), "the stream ends in good order");
        assert_eq!(plugin.rest_of_stdout().await, "");
        fastest = fastest.min(took);
    }
    assert!(fastest < Duration::from_millis(200), "the fastest of five was gone {fastest:?} after the answer");
}

#[tokio::test]
async fn streams_end_when_the_client_cancels_them() {
    let plugin = Plugin::launch().env("TF_LOG", "trace").start().await;
    let channel = plugin.connect().await;
    let Streams { broker, _offers, stdio } = Streams::open(&channel).await;
    let closed = |stream: &'static str| {
        move |line: &str| {
            read_log_line(line).is_ok_and(|fields| fields["stream"] == stream && fields["@message"] == "closed")
        }
    };
    drop(stdio);
    plugin.stderr().wait_for("the stdio stream's end", closed("stdio")).await;
    drop((broker, _offers));
    plugin.stderr().wait_for("the broker stream's end", closed("broker")).await;
    check_serves(&plugin).await;
}

#[tokio::test]
async fn health_checks_answer_for_the_plugin_and_for_the_server() {
    let plugin = Plugin::launch().start().await;
    let mut client = HealthClient::new(plugin.connect().await);
    for service in ["", "plugin"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        assert_eq!(client.check(request.clone()).await.unwrap().into_inner().status, 1, "1 is SERVING");
        let mut watched = client.watch(request).await.unwrap().into_inner();
        assert_eq!(watched.message().await.unwrap().unwrap().status, 1, "1 is SERVING");
    }
    let unknown = HealthCheckRequest { service: "tfplugin6.Unknown".to_owned() };
    assert_eq!(client.check(unknown.clone()).await.unwrap_err().code(), Code::NotFound);
    let mut watched = client.watch(unknown).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status, 3, "3 is SERVICE_UNKNOWN");
}

#[tokio::test]
async fn sigint_does_not_end_the_plugin() {
    let mut plugin = Plugin::launch().start().await;
    plugin.signal("INT").await;
    check_serves(&plugin).await;
    assert_eq!(plugin.shut_down().await.code(), Some(0), "ended by the shutdown, not by the signal");
}

#[tokio::test]
async fn sigterm_and_sighup_end_the_process_and_remove_its_socket() {
    for signal in ["TERM", "HUP"] {
        let mut plugin = Plugin::launch().start().await;
        let directory = plugin.directory().to_owned();
        assert_eq!(directory.read_dir().unwrap().count(), 1);
        plugin.signal(signal).await;
        assert_eq!(plugin.exited().await.code(), Some(0), "{signal}");
        assert_eq!(directory.read_dir().unwrap().count(), 0, "the socket outlived the process after {signal}");
    }
}

/// Starts what `PLUGIN` names, with these lines of a shell around it.
fn launch_from_shell(folder: &Path, script: &str) -> Launch {
    let file = folder.join("launch");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    Plugin::launch().program(file)
}

/// An engine that runs under `nohup` goes on when its terminal is closed, and needs its plugins.
#[tokio::test]
async fn sighup_has_no_effect_where_it_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let launch = launch_from_shell(folder.path(), "trap '' HUP; exec \"$PLUGIN\"").env("PLUGIN", provider());
    let mut plugin = launch.start().await;
    plugin.signal("HUP").await;
    check_serves(&plugin).await;
    assert_eq!(plugin.shut_down().await.code(), Some(0), "ended by the shutdown, not by the signal");
}

#[tokio::test]
async fn what_a_killed_process_has_left_is_removed_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let start = async || Plugin::launch().env("TMPDIR", directory.path()).start().await;
    let (mut killed, live) = (start().await, start().await);
    killed.signal("KILL").await;
    killed.exited().await;
    let Address::Unix(left) = killed.address().clone() else { panic!("{} has no path", killed.line()) };
    assert!(left.exists());
    let next = start().await;
    assert!(!left.parent().unwrap().exists());
    check_serves(&live).await;
    check_serves(&next).await;
}

/// Makes a call that blocks the only thread on which the plugin has tasks. It needs the echo provider.
async fn stall(launch: Launch) -> Plugin {
    let plugin = launch.start().await;
    let mut client = ProviderClient::new(plugin.connect().await);
    let texts =
        ["", "", "stall"].map(|text| DynamicValue { json: json!(text).to_string().into(), msgpack: Vec::new() });
    let request = call_function::Request { name: "join".to_owned(), arguments: texts.into() };
    tokio::spawn(async move { client.call_function(request).await });
    plugin.stderr().wait_for("the call", |line| line == "stalled").await;
    plugin
}

#[tokio::test]
async fn sigterm_ends_a_process_whose_tasks_are_all_blocked() {
    let mut plugin = stall(Plugin::launch().program(echo::program())).await;
    let directory = plugin.directory().to_owned();
    plugin.signal("TERM").await;
    assert_eq!(plugin.exited().await.code(), Some(0));
    assert_eq!(directory.read_dir().unwrap().count(), 0, "the socket outlived the process");
}

#[tokio::test]
async fn a_process_whose_tasks_are_all_blocked_ends_with_its_host_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let launch = launch_from_shell(folder.path(), "\"$PLUGIN\" & wait").env("PLUGIN", echo::program());
    // The process that is killed is the shell.
    let mut plugin = stall(launch).await;
    let directory = plugin.directory().to_owned();
    plugin.signal("KILL").await;
    plugin.exited().await;
    // Only the orphan holds the other end of the pipe.
    assert_eq!(plugin.rest_of_stdout().await, "");
    assert_eq!(directory.read_dir().unwrap().count(), 0, "the socket outlived the process");
}

#[tokio::test]
async fn the_process_ends_with_the_process_that_started_it() {
    let directory = tempfile::tempdir().unwrap();
    // The shell plays the engine: it starts the plugin and lives until its standard input ends.
    let mut shell = Command::new("sh")
        .args(["-c", "\"$PLUGIN\" & cat >/dev/null"])
        .env("PLUGIN", provider())
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_CLIENT_CERT", ClientIdentity::like_go_plugin().pem())
        .env("TMPDIR", directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .process_group(0)
        .spawn()
        .unwrap();
    let group = shell.id().unwrap();
    let mut stdout = shell.stdout.take().unwrap();
    let first = within("the plugin's start", stdout.read_u8()).await.unwrap();
    assert_eq!(first, b'1', "the handshake's line");

    drop(shell.stdin.take());
    within("the shell's end", shell.wait()).await.unwrap();
    // Now only the plugin holds the other end of the pipe, and is left in the process group.
    let ended = timeout(HANG, stdout.read_to_end(&mut Vec::new())).await;
    if ended.is_err() {
        signal(&format!("-{group}"), "KILL").await;
    }
    ended.expect("the plugin outlived its host").unwrap();
    assert_eq!(directory.path().read_dir().unwrap().count(), 0, "the socket outlived the process");
}

#[tokio::test]
async fn an_idle_connection_does_not_keep_others_from_being_served() {
    for launch in [Plugin::launch(), Plugin::launch().debug()] {
        let plugin = launch.start().await;
        let silent = plugin.address().connect().await.unwrap();
        for _ in 0..10 {
            drop(plugin.address().connect().await.unwrap());
        }
        check_serves(&plugin).await;
        drop(silent);
        check_serves(&plugin).await;
    }
}

#[tokio::test]
async fn the_plugin_does_not_read_standard_input() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"yes\n").unwrap();
    file.rewind().unwrap();
    // A duplicated descriptor shares its position, as the terminal's would share what was typed.
    let mut plugin = Plugin::launch().stdin(file.try_clone().unwrap()).start().await;
    check_serves(&plugin).await;
    plugin.shut_down().await;
    assert_eq!(file.stream_position().unwrap(), 0);
}

#[tokio::test]
async fn debug_mode_prints_the_reattach_variable_and_serves_until_sigint() {
    let mut plugin = Plugin::launch().debug().start().await;
    let variable: Value = serde_json::from_str(plugin.line()).unwrap();
    let entry = &variable["registry.terraform.io/foundryhub/foundryhub"];
    let address = entry["Addr"]["String"].as_str().unwrap();
    assert!(address.starts_with(plugin.directory().to_str().unwrap()), "{address}");
    let expected = json!({
        "Protocol": "grpc", "ProtocolVersion": 6, "Pid": plugin.pid(), "Test": true,
        "Addr": {"Network": "unix", "String": address},
    });
    assert_eq!(
        variable,
        json!({
            "registry.terraform.io/foundryhub/foundryhub": expected,
            "registry.opentofu.org/foundryhub/foundryhub": expected,
        })
    );

    let (first, second) = (plugin.connect().await, plugin.connect().await);
    let _first = Streams::open(&first).await;
    drop(Streams::open(&second).await);
    drop(second);
    check_serves(&plugin).await;

    plugin.signal("INT").await;
    assert_eq!(plugin.exited().await.code(), Some(0));
    assert_eq!(plugin.directory().read_dir().unwrap().count(), 0, "the socket outlived the process");
}

#[tokio::test]
async fn every_log_line_follows_the_rules_of_go_plugin() {
    for variable in ["TF_LOG", "TF_LOG_PROVIDER", "TF_LOG_PROVIDER_FOUNDRYHUB"] {
        let mut plugin = Plugin::launch().env(variable, "TRACE").start().await;
        let channel = plugin.connect().await;
        let streams = Streams::open(&channel).await;
        // A line about a connection that fails comes from the accept loop.
        let mut socket = plugin.address().connect().await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        plugin.stderr().wait_for("a failed connection", |line| line.contains("failed before")).await;
        drop(streams);
        plugin.shut_down().await;

        let lines = plugin.stderr().to_end().await;
        let fields: Vec<Value> = lines
            .iter()
            .map(|line| read_log_line(line).unwrap_or_else(|problem| panic!("{problem}: {line}")))
            .collect();
        for level in ["trace", "debug"] {
            assert!(fields.iter().any(|fields| fields["@level"] == level), "no {level} in {lines:#?}");
        }
    }
}

#[tokio::test]
async fn with_logging_off_nothing_is_logged() {
    let mut plugin = Plugin::launch().env("TF_LOG", "trace").env("TF_LOG_PROVIDER", "off").start().await;
    Streams::open(&plugin.connect().await).await;
    plugin.shut_down().await;
    assert_eq!(plugin.stderr().to_end().await, Vec::<String>::new());
}

#[tokio::test]
async fn command_line_arguments_decide_exit_code_and_output() {
    let program = provider();
    for (arguments, code, stdout) in [
        (&["--version"][..], 0, concat!("terraform-provider-foundryhub ", env!("CARGO_PKG_VERSION"), "\n")),
        (&["--unknown"], 2, ""),
        (&["argument"], 2, ""),
    ] {
        let output = Command::new(&program).args(arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), stdout, "{arguments:?}");
    }
    let output = Command::new(program).arg("--help").output().await.unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(["--debug", "--version", "--help"].iter().all(|flag| help.contains(flag)), "{help}");
}

/// With this variable the next test is the process that panics, which it starts itself.
const PANICKING: &str = "FOUNDRYHUB_TEST_PANICKING";

thread_local! {
    /// Whether panics on this thread are contained, as those in a call are.
    static CONTAINED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Panics once where it is contained and once where it is not, with the real hook writing to the real standard error.
fn panic_both_ways() {
    log::init(&["TF_LOG"], &["it"]);
    log::install_panic_hook(|| CONTAINED.get());
    let contained = std::thread::spawn(|| {
        CONTAINED.set(true);
        panic!("contained: {}", "y".repeat(100_000));
    });
    assert!(contained.join().is_err());
    let lost = std::thread::Builder::new().name("lost".to_owned()).spawn(|| panic!("not contained\nat all"));
    assert!(lost.unwrap().join().is_err());
}

#[tokio::test]
async fn only_a_panic_outside_of_calls_is_logged_as_a_crash() {
    // A hook belongs to a whole process, so this test runs itself in another one.
    if env::var_os(PANICKING).is_some() {
        return panic_both_ways();
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "process::only_a_panic_outside_of_calls_is_logged_as_a_crash", "--nocapture"])
        .env(PANICKING, "1")
        .env("TF_LOG", "error")
        .env_remove("RUST_BACKTRACE")
        .output()
        .await
        .unwrap();
    assert!(output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = stderr.lines().collect();

    let fields = read_log_line(lines[0]).unwrap_or_else(|problem| panic!("{problem}: {}", lines[0]));
    assert_eq!(fields["@level"], "error");
    assert_eq!(fields["@message"], "panicked");
    assert!(fields["panic"].as_str().unwrap().starts_with("contained: yyy"));
    assert!(fields["location"].as_str().unwrap().starts_with("tests/it/process.rs:"));

    assert_eq!(lines[1..4], ["panic: not contained", "  at all", ""]);
    assert!(lines[4].starts_with("in thread lost at tests/it/process.rs:"), "{stderr}");
    assert_eq!(lines.len(), 6, "{stderr}");
}
