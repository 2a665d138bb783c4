//! The executable as it is released for Linux: it needs nothing of the system that it is started on.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use serde_json::json;
use tokio::net::UdpSocket;
use tokio::process::Command;

use super::root::Root;
use crate::azure::{Emulator, Options};
use crate::engines::engine_bed::{EngineBed, KEYLESS, WITH_KEYS};
use crate::support::core::{Core, Plan};
use crate::support::engine::{Engine, Provider, Workspace, for_each_engine};
use crate::support::release;

/// What the tests call Azure Resource Manager.
const ARM: &str = "arm.foundryhub.test";

/// Where the distributions keep the certificates of authorities.
const AUTHORITIES: [&str; 5] = [
    // Debian and Ubuntu, and Alpine with the package ca-certificates.
    "/etc/ssl/certs/ca-certificates.crt",
    // Alpine without it.
    "/etc/ssl/cert.pem",
    // RHEL and Fedora, new and old.
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    // SUSE.
    "/etc/ssl/ca-bundle.pem",
];

/// Modules of a system that are not there, as those of another system are not.
const NSSWITCH: &str = "hosts: mymachines resolve [!UNAVAIL=return] ldap files dns wins\npasswd: sss ldap\n";

/// A hub in an emulator with a name, and a root that trusts it.
async fn bed() -> (EngineBed, Root) {
    let bed = EngineBed::with(Options { host_name: Some(ARM.to_owned()), ..Options::quick() }).await;
    let root = Root::new().file(AUTHORITIES[0], fs::read(bed.emulator.ca_file()).unwrap());
    (bed, root)
}

/// What points at the emulator, without what makes it trusted.
fn environment(emulator: &Emulator) -> Vec<(String, String)> {
    emulator.environment().into_iter().filter(|(name, _)| name != "SSL_CERT_FILE").collect()
}

/// Plans and applies from inside the root, and takes it back.
async fn goes_through(engine: &'static Engine, bed: &EngineBed, root: &Root) {
    let provider = Provider::new("foundryhub/foundryhub", &root.program());
    let workspace = Workspace::with_provider(engine, provider).envs(environment(&bed.emulator));
    workspace.config(&bed.keyless(""));
    workspace.plan(&[]).await.exits(2);
    workspace.apply_planned().await.succeeded();
    assert_eq!(bed.settings(), KEYLESS);
    workspace.destroy(&[]).await.succeeded();
    assert_eq!(bed.settings(), WITH_KEYS);
}

fn number(bytes: &[u8], at: usize, length: usize) -> usize {
    bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

#[test]
fn the_executable_names_no_interpreter_and_no_library() {
    const DYNAMIC: usize = 2;
    const INTERP: usize = 3;
    const NEEDED: usize = 1;
    let bytes = fs::read(release()).unwrap();
    assert_eq!(bytes[..5], *b"\x7fELF\x02");
    let (table, size, count) = (number(&bytes, 0x20, 8), number(&bytes, 0x36, 2), number(&bytes, 0x38, 2));
    for segment in (0..count).map(|index| &bytes[table + index * size..]) {
        let (kind, start, length) = (number(segment, 0, 4), number(segment, 8, 8), number(segment, 0x20, 8));
        assert_ne!(kind, INTERP, "an interpreter");
        if kind == DYNAMIC {
            let mut entries = bytes[start..start + length].chunks(16);
            assert!(entries.all(|entry| number(entry, 0, 8) != NEEDED), "a shared library");
        }
    }
}

#[test]
fn the_executable_is_small_and_names_no_folder_of_the_machine_that_built_it() {
    let bytes = fs::read(release()).unwrap();
    assert!(bytes.len() <= 12_000_000, "{} bytes", bytes.len());
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME")).unwrap();
    for folder in [env!("CARGO_MANIFEST_DIR"), &format!("{home}/")] {
        assert!(!bytes.windows(folder.len()).any(|window| window == folder.as_bytes()), "{folder}");
    }
}

#[tokio::test]
async fn the_version_is_printed_in_an_empty_root() {
    let output = Command::new(Root::new().program()).arg("--version").output().await.unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        concat!("terraform-provider-foundryhub ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[tokio::test]
async fn an_apply_needs_authorities_and_a_hosts_file_alone() {
    for_each_engine(async |engine| {
        let (bed, root) = bed().await;
        let root = root.file("/etc/hosts", format!("127.0.0.1 localhost\n127.0.0.1 {ARM}\n"));
        goes_through(engine, &bed, &root.file("/etc/resolv.conf", "")).await;
    })
    .await;
}

#[tokio::test]
async fn modules_that_nsswitch_conf_names_are_not_wanted() {
    for_each_engine(async |engine| {
        let (bed, root) = bed().await;
        let root = root.file("/etc/nsswitch.conf", NSSWITCH);
        let root = root.file("/etc/hosts", format!("127.0.0.1 {ARM}\n")).file("/etc/resolv.conf", "");
        goes_through(engine, &bed, &root).await;
    })
    .await;
}

#[tokio::test]
async fn the_servers_of_resolv_conf_are_asked() {
    for_each_engine(async |engine| {
        let [first, second] = [Server::start(Says::Addresses).await, Server::start(Says::Nothing).await];
        let (bed, root) = bed().await;
        let text = format!("search example.org\nnameserver {}\nnameserver {}\n", first.address, second.address);
        goes_through(engine, &bed, &root.file("/etc/nsswitch.conf", NSSWITCH).file("/etc/resolv.conf", text)).await;
        // The name has more than one dot, so that it is nobody's below example.org.
        assert!(first.asked().iter().all(|name| name == &format!("{ARM}.")), "{:?}", first.asked());
        assert_eq!(second.asked(), [""; 0], "the second server is for when the first one does not answer");
    })
    .await;
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_silent_fails_or_refuses() {
    let known = Server::start(Says::Addresses).await;
    for first in [Says::Nothing, Says::Code(ResponseCode::ServFail), Says::Code(ResponseCode::Refused)] {
        let (bed, root) = bed().await;
        let server = Server::start(first).await;
        let text = format!("options timeout:1\nnameserver {}\nnameserver {}\n", server.address, known.address);
        let report = plan(&bed, &root.file("/etc/resolv.conf", text)).await.report;
        assert!(!report.diagnostics.has_errors(), "{first:?}: {}", report.diagnostics);
        assert_ne!(server.asked(), [""; 0], "{first:?}");
    }
}

#[tokio::test]
async fn a_name_that_the_first_server_denies_is_no_name() {
    let [first, second] = [Says::Code(ResponseCode::NXDomain), Says::Addresses].map(Server::start);
    let (first, second) = (first.await, second.await);
    let (bed, root) = bed().await;
    let text = format!("nameserver {}\nnameserver {}\n", first.address, second.address);
    let report = plan(&bed, &root.file("/etc/resolv.conf", text)).await.report.diagnostics;
    assert!(report.to_string().contains(ARM), "{report}");
    assert_eq!(second.asked(), [""; 0], "a private name may have another meaning there");
}

#[tokio::test]
async fn a_name_with_fewer_dots_than_asked_for_is_sought_below_the_search_list_first() {
    let server = Server::start(Says::Addresses).await;
    let (bed, root) = bed().await;
    let text = format!("search example.org\noptions ndots:5\nnameserver {}\n", server.address);
    let report = plan(&bed, &root.file("/etc/resolv.conf", text)).await.report;
    assert!(!report.diagnostics.has_errors(), "{}", report.diagnostics);
    let mut asked = server.asked();
    asked.dedup();
    assert_eq!(asked, [format!("{ARM}.example.org."), format!("{ARM}.")]);
}

/// Plans in the root with the test core.
async fn plan(bed: &EngineBed, root: &Root) -> Plan {
    let core = Core::new().program(root.program());
    let mut core = environment(&bed.emulator).into_iter().fold(core, |core, (name, value)| core.env(name, value));
    let config = json!({ "hub_id": bed.hub, "shared_access_key_enabled": false, "access_check": "off" });
    core.plan("foundryhub_storage_auth", "a", config).await
}

#[tokio::test]
async fn authorities_are_found_where_each_distribution_keeps_them() {
    let (bed, _) = bed().await;
    let authority = fs::read(bed.emulator.ca_file()).unwrap();
    for path in AUTHORITIES {
        let root = Root::new().file("/etc/hosts", format!("127.0.0.1 {ARM}\n")).file(path, &authority);
        let report = plan(&bed, &root).await.report;
        assert!(!report.diagnostics.has_errors(), "{path}: {}", report.diagnostics);
    }
}

#[tokio::test]
async fn missing_authorities_are_explained() {
    let (bed, _) = bed().await;
    let report = plan(&bed, &Root::new()).await.report.diagnostics.to_string();
    for text in ["no certificate authority to trust was found", "ca-certificates", "SSL_CERT_FILE"] {
        assert!(report.contains(text), "{text:?} is missing from {report}");
    }
}

/// What a name server answers.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// That [`ARM`] is here, and nothing else is anywhere.
    Addresses,
    Code(ResponseCode),
    Nothing,
}

/// A name server.
struct Server {
    address: IpAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(says: Says) -> Self {
        // resolv.conf has no ports, but every address of 127.0.0.0/8 is this machine.
        let [a, b, c, ..] = *uuid::Uuid::new_v4().as_bytes();
        let address = IpAddr::from([127, a, b, c | 2]);
        let socket = UdpSocket::bind(SocketAddr::new(address, 53)).await.unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let server = Self { address, asked: asked.clone() };
        tokio::spawn(async move {
            let mut buffer = [0; 1500];
            loop {
                let (length, client) = socket.recv_from(&mut buffer).await.unwrap();
                let request = Message::from_vec(&buffer[..length]).unwrap();
                let query = request.queries[0].clone();
                let name = query.name().to_string();
                let mut answer = Message::response(request.id, request.op_code);
                answer.add_query(query.clone());
                match says {
                    Says::Addresses if name != format!("{ARM}.") => {
                        answer.metadata.response_code = ResponseCode::NXDomain
                    }
                    Says::Addresses if query.query_type() == RecordType::A => {
                        let here = RData::A(Ipv4Addr::LOCALHOST.into());
                        answer.add_answer(Record::from_rdata(query.name().clone(), 60, here));
                    }
                    Says::Code(code) => answer.metadata.response_code = code,
                    Says::Addresses | Says::Nothing => {}
                }
                asked.lock().unwrap().push(name);
                if !matches!(says, Says::Nothing) {
                    socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
                }
            }
        });
        server
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
