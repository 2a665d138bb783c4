//! How the plugin is started and who may connect: the rules of go-plugin, kept by the real binary.

use std::{
    fs,
    io::{self, ErrorKind},
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use rustls::{
    AlertDescription, ClientConfig, ProtocolVersion,
    version::{TLS12, TLS13},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tonic::Code;

use crate::support::{
    go_plugin::health::{HealthCheckRequest, health_client::HealthClient},
    plugin::{Address, COOKIE, Launch, Plugin, within},
    tfplugin6::{DynamicValue, provider_client::ProviderClient, validate_provider_config},
    tls::{ALL_VERSIONS, ClientIdentity, anonymous_config},
};

/// Passes if the plugin answers a health check.
pub(crate) async fn check_serves(plugin: &Plugin) {
    let request = HealthCheckRequest { service: "plugin".to_owned() };
    let mut client = HealthClient::new(plugin.connect().await);
    let answer = within("a health check", client.check(request)).await.unwrap();
    assert_eq!(answer.into_inner().status, 1, "1 is SERVING");
}

/// Starts a plugin that must end with exit code 1 before it opens or announces anything; gives back what it says.
async fn check_refuses_to_start(launch: Launch) -> String {
    let sockets = tempfile::tempdir().unwrap();
    let output = launch.env("PLUGIN_UNIX_SOCKET_DIR", sockets.path()).refused().await;
    let notice = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{notice}");
    assert_eq!(output.stdout, b"", "{notice}");
    assert_eq!(fs::read_dir(sockets.path()).unwrap().count(), 0, "{notice}");
    notice
}

#[tokio::test]
async fn the_plugin_does_not_start_without_the_right_cookie() {
    let launches = [Plugin::launch().without_env(COOKIE.0)]
        .into_iter()
        .chain(["", "wrong", &COOKIE.1[1..]].map(|value| Plugin::launch().env(COOKIE.0, value)));
    for launch in launches {
        let notice = check_refuses_to_start(launch).await;
        assert!(notice.starts_with("This program is a plugin."), "{notice}");
        assert_eq!(notice.lines().count(), 3, "{notice}");
    }
}

#[tokio::test]
async fn the_plugin_does_not_start_with_an_unreadable_client_certificate() {
    let notice = check_refuses_to_start(Plugin::launch().env("PLUGIN_CLIENT_CERT", "none")).await;
    assert_eq!(notice, "PLUGIN_CLIENT_CERT is not a certificate in PEM form\n");
}

#[tokio::test]
async fn the_handshake_line_has_the_address_and_the_server_certificate() {
    let plugin = Plugin::launch().start().await;
    let fields: Vec<&str> = plugin.line().split('|').collect();
    let [core, protocol, network, address, kind, certificate] = fields[..] else {
        panic!("{} has another number of fields", plugin.line());
    };
    assert_eq!([core, protocol, network, kind], ["1", "6", "unix", "grpc"]);
    let name = Path::new(address).strip_prefix(plugin.directory()).unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("foundryhub-{}-", plugin.pid())), "{name}");
    assert!(fs::metadata(address).unwrap().file_type().is_socket());
    assert!(certificate.len() > 50 && !certificate.contains('='), "{certificate}");
    assert_eq!(BASE64_STANDARD_NO_PAD.decode(certificate).unwrap(), plugin.server_certificate().as_ref());
    check_serves(&plugin).await;
}

#[tokio::test]
async fn the_protocol_version_is_6_whatever_the_host_offers() {
    for offered in ["5,6", "6,5", "5", "7", ""] {
        let plugin = Plugin::launch().env("PLUGIN_PROTOCOL_VERSIONS", offered).start().await;
        assert!(plugin.line().starts_with("1|6|"), "{}", plugin.line());
    }
    let plugin = Plugin::launch().without_env("PLUGIN_PROTOCOL_VERSIONS").start().await;
    assert!(plugin.line().starts_with("1|6|"), "{}", plugin.line());
}

#[tokio::test]
async fn a_host_that_asks_for_multiplexing_is_told_that_there_is_none() {
    let plugin = Plugin::launch().env("PLUGIN_MULTIPLEX_GRPC", "true").start().await;
    assert_eq!(plugin.line().split('|').nth(6), Some("false"));
    check_serves(&plugin).await;
}

#[tokio::test]
async fn a_host_that_sends_no_certificate_is_served_without_tls() {
    let plugin = Plugin::launch().without_tls().start().await;
    assert!(plugin.line().ends_with("|grpc|"), "{}", plugin.line());
    check_serves(&plugin).await;
}

#[tokio::test]
async fn the_socket_has_the_directory_and_the_group_that_the_host_names() {
    let directory = tempfile::tempdir().unwrap();
    let check = async |group: Option<u32>, own_mode, mode| {
        let mut launch = Plugin::launch().env("PLUGIN_UNIX_SOCKET_DIR", directory.path());
        if let Some(group) = group {
            launch = launch.env("PLUGIN_UNIX_SOCKET_GROUP", group.to_string());
        }
        let mut plugin = launch.start().await;
        let Address::Unix(path) = plugin.address().clone() else { panic!("{} has no path", plugin.line()) };
        let own = path.parent().unwrap();
        assert_eq!(own.parent(), Some(directory.path()));
        for (path, mode) in [(own, own_mode), (&path, mode)] {
            let metadata = fs::metadata(path).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, mode, "{}", path.display());
            assert!(group.is_none_or(|group| metadata.gid() == group), "{}", path.display());
        }
        check_serves(&plugin).await;
        plugin.shut_down().await;
        assert!(!own.exists(), "the socket outlived the process");
    };
    check(None, 0o700, 0o600).await;
    // A user may always hand a file to a group of its own.
    check(Some(fs::metadata(directory.path()).unwrap().gid()), 0o710, 0o660).await;
}

/// Only root can be somebody else, so that this looks at nothing where the tests are run by anybody else.
#[tokio::test]
async fn another_user_does_not_even_see_the_socket() {
    let directory = tempfile::tempdir().unwrap();
    if fs::metadata(directory.path()).unwrap().uid() != 0 {
        return;
    }
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let plugin = Plugin::launch().without_tls().env("TMPDIR", directory.path()).start().await;
    let Address::Unix(path) = plugin.address() else { panic!("{} has no path", plugin.line()) };
    let as_user = async |user: u32, code: &str| {
        let program = format!("import os, socket, sys\n{code}");
        let python = tokio::process::Command::new("python3").arg("-c").arg(program).arg(path).uid(user).output();
        String::from_utf8(python.await.unwrap().stderr).unwrap()
    };
    const NOBODY: u32 = 65534;
    for code in ["socket.socket(socket.AF_UNIX).connect(sys.argv[1])", "os.stat(sys.argv[1])"] {
        assert_eq!(as_user(0, code).await, "", "{code}");
        let refused = as_user(NOBODY, code).await;
        assert!(refused.contains("PermissionError"), "{code}: {refused}");
    }
}

#[tokio::test]
async fn the_plugin_does_not_start_with_a_socket_group_that_does_not_exist() {
    let notice = check_refuses_to_start(Plugin::launch().env("PLUGIN_UNIX_SOCKET_GROUP", "no such group")).await;
    assert_eq!(notice, "PLUGIN_UNIX_SOCKET_GROUP is not a group of this machine\n");
}

/// Launches with a directory whose path is too long for the address of a socket.
fn without_room_for_a_path() -> Launch {
    Plugin::launch().env("PLUGIN_UNIX_SOCKET_DIR", "/long".repeat(30))
}

#[tokio::test]
async fn a_socket_path_that_is_too_long_makes_the_plugin_listen_on_loopback() {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let busy_port = busy.local_addr().unwrap().port();
    let launch = without_room_for_a_path().env("PLUGIN_MIN_PORT", busy_port.to_string());
    let plugin = launch.env("PLUGIN_MAX_PORT", u16::MAX.to_string()).start().await;
    let Address::Tcp(address) = plugin.address() else { panic!("{} has no port", plugin.line()) };
    let port: u16 = address.strip_prefix("127.0.0.1:").unwrap().parse().unwrap();
    assert!(port > busy_port, "{port} is not in the range from {busy_port}");
    check_serves(&plugin).await;
}

/// Nobody can create a file in `/proc`, as in a folder that is mounted read-only.
#[tokio::test]
async fn a_directory_without_sockets_makes_the_plugin_listen_on_loopback() {
    let missing = tempfile::tempdir().unwrap().path().join("missing");
    for directory in [missing.as_path(), Path::new("/proc"), Path::new("/dev/null")] {
        let launch = Plugin::launch().without_env("PLUGIN_UNIX_SOCKET_DIR").env("TMPDIR", directory);
        let plugin = launch.env("TF_LOG", "warn").start().await;
        let Address::Tcp(address) = plugin.address() else { panic!("{} has no port", plugin.line()) };
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        check_serves(&plugin).await;
        let directory = directory.to_str().unwrap();
        plugin.stderr().wait_for("a warning", |line| line.contains("no Unix socket") && line.contains(directory)).await;
    }
}

#[tokio::test]
async fn the_plugin_does_not_start_when_every_port_is_taken() {
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let output = without_room_for_a_path().env("PLUGIN_MIN_PORT", &port).env("PLUGIN_MAX_PORT", &port).refused().await;
    let notice = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{notice}");
    assert_eq!(output.stdout, b"", "{notice}");
    assert!(notice.starts_with(&format!("listening on 127.0.0.1, ports {port} to {port}: ")), "{notice}");
}

#[tokio::test]
async fn the_announced_client_is_accepted_with_http2() {
    let plugin = Plugin::launch().start().await;
    for (version, negotiated) in [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)] {
        let config = plugin.client().config_with_key_of(plugin.client(), plugin.server_certificate(), &[version]);
        let stream = plugin.connect_tls(config).await.unwrap();
        let (_, session) = stream.get_ref();
        assert_eq!(session.protocol_version(), Some(negotiated));
        assert_eq!(session.alpn_protocol(), Some(&b"h2"[..]));
    }
    check_serves(&plugin).await;
}

/// Connects with `config` and returns the TLS alert with which the plugin closes the connection.
///
/// In TLS 1.3 a client learns only from its first read whether the server accepts its certificate.
async fn alert(plugin: &Plugin, config: ClientConfig) -> AlertDescription {
    let read = async {
        let mut stream = plugin.connect_tls(config).await?;
        stream.read(&mut [0]).await
    };
    let error: io::Error = within("a refusal", read).await.expect_err("the connection was accepted");
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::AlertReceived(alert)) => *alert,
        _ => panic!("not an alert: {error:?}"),
    }
}

#[tokio::test]
async fn every_other_client_is_refused() {
    let plugin = Plugin::launch().start().await;
    let server = plugin.server_certificate();
    let (stranger, another_kind) = (ClientIdentity::like_go_plugin(), ClientIdentity::with_another_kind_of_key());
    for versions in [ALL_VERSIONS, &[&TLS12]] {
        let nobody = anonymous_config(server, versions);
        assert_eq!(alert(&plugin, nobody).await, AlertDescription::CertificateRequired);

        for other in [&stranger, &another_kind, &plugin.client().issued_again(), &plugin.client().vouches_for()] {
            let other = other.config_with_key_of(other, server, versions);
            assert_eq!(alert(&plugin, other).await, AlertDescription::AccessDenied);
        }

        let thief = plugin.client().config_with_key_of(&stranger, server, versions);
        assert_eq!(alert(&plugin, thief).await, AlertDescription::DecryptError);
    }
    check_serves(&plugin).await;
}

#[tokio::test]
async fn a_connection_without_tls_is_not_served() {
    let plugin = Plugin::launch().start().await;
    let mut socket = plugin.address().connect().await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    within("hanging up", socket.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer.first(), Some(&21), "a TLS alert record is all there is");
    check_serves(&plugin).await;
}

/// HTTP/1 is not spoken, neither where it is offered in the TLS handshake nor where nothing is.
#[tokio::test]
async fn http_1_is_not_served() {
    let plugin = Plugin::launch().start().await;
    let mut config = plugin.client().config(plugin.server_certificate());
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    assert_eq!(alert(&plugin, config.clone()).await, AlertDescription::NoApplicationProtocol);

    config.alpn_protocols.clear();
    let mut stream = plugin.connect_tls(config).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // It may hang up without the end that TLS has.
    let _ = within("hanging up", stream.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP/1"), "{}", String::from_utf8_lossy(&answer));
    check_serves(&plugin).await;
}

#[tokio::test]
async fn many_connections_are_served_at_once_beside_many_that_say_nothing() {
    let plugin = Plugin::launch().start().await;
    let Address::Unix(path) = plugin.address().clone() else { panic!("{} has no path", plugin.line()) };
    // Connecting waits for its turn where the socket's queue is full.
    let connect = move || (0..silent()).map(|_| UnixStream::connect(&path).unwrap()).collect::<Vec<_>>();
    let silent = within("connecting", tokio::task::spawn_blocking(connect)).await.unwrap();
    futures_util::future::join_all((0..200).map(|_| check_serves(&plugin))).await;
    drop(silent);
}

/// Two thousand, unless this system allows a process fewer open files.
fn silent() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let limit =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    limit.map_or(50, |limit: usize| limit / 4).min(2000)
}

#[tokio::test]
async fn messages_have_up_to_256_mib() {
    let plugin = Plugin::launch().start().await;
    let mut client = ProviderClient::new(plugin.connect().await).max_encoding_message_size(usize::MAX);
    let mut send = async |mib: usize| {
        // No value begins with this byte, so that it is read no further.
        let config = Some(DynamicValue { msgpack: vec![0xc1; mib << 20], json: Vec::new() });
        let request = validate_provider_config::Request { config };
        within("an answer", client.validate_provider_config(request)).await
    };
    let read = send(250).await.unwrap().into_inner().diagnostics;
    assert!(matches!(&read[..], [found] if found.summary == "The provider cannot read a value"), "{read:?}");
    let refused = send(257).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
    check_serves(&plugin).await;
}
