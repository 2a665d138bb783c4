//! How names of hosts become addresses.
//!
//! On Linux they do so in this process: from `/etc/hosts`, else from the name servers in `/etc/resolv.conf`, as in
//! programs written in Go. The C library would load the modules that `/etc/nsswitch.conf` names, which a static executable
//! cannot: they belong to the C library of the system that it was started on
//! (docs/internals/decisions/0009-a-static-executable.md). Elsewhere the system resolves names.

/// Makes a client resolve names so.
#[cfg(not(target_os = "linux"))]
pub(crate) fn resolve_names(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
}

#[cfg(target_os = "linux")]
pub(crate) use linux::resolve_names;

#[cfg(target_os = "linux")]
mod linux {
    use std::error::Error;
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr};
    use std::path::Path;
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, SystemTime};

    use hickory_resolver::config::{LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::proto::op::Query;
    use hickory_resolver::proto::rr::{Name, RecordType};
    use hickory_resolver::{Hosts, TokioResolver};
    use reqwest::dns::{Addrs, Resolve, Resolving};

    use super::super::files::{off_the_runtime, read_here};
    use super::super::lock::lock;

    type Failure = Box<dyn Error + Send + Sync>;

    /// The largest of the files that is read. Lists of hosts that block advertisements have some megabytes.
    const LIMIT: u64 = 16 << 20;

    pub(crate) fn resolve_names(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.dns_resolver(Arc::new(Resolver::default()))
    }

    /// The system's files, as they were last read.
    #[derive(Clone, Default)]
    struct Resolver(Arc<Mutex<Option<Arc<Files>>>>);

    impl Resolver {
        /// What the files say now: servers change while a long apply runs, when somebody joins a VPN for example.
        fn files(&self) -> Result<Arc<Files>, Failure> {
            let folder = Path::new("/etc");
            let changed = changed(folder);
            if let Some(files) = lock(&self.0).as_ref().filter(|files| files.changed == changed) {
                return Ok(files.clone());
            }
            let files = Arc::new(Files::read(folder)?);
            *lock(&self.0) = Some(files.clone());
            Ok(files)
        }
    }

    /// When the two files were changed.
    fn changed(folder: &Path) -> [Option<SystemTime>; 2] {
        ["hosts", "resolv.conf"].map(|name| fs::metadata(folder.join(name)).and_then(|file| file.modified()).ok())
    }

    impl Resolve for Resolver {
        fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
            let resolver = self.clone();
            Box::pin(async move {
                let files = off_the_runtime(move || resolver.files()).await??;
                let addresses = files.look_up(name.as_str()).await?;
                Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
            })
        }
    }

    /// The system's own names, and the name servers that know all others.
    struct Files {
        changed: [Option<SystemTime>; 2],
        hosts: Hosts,
        /// In the order of the file. Each is a resolver, because one with several servers does not go on to the next when one
        /// is silent or refuses.
        servers: Vec<TokioResolver>,
        attempts: u32,
        ndots: usize,
        search: Vec<Name>,
    }

    impl Files {
        fn read(folder: &Path) -> Result<Self, Failure> {
            let changed = changed(folder);
            let text = |name| {
                read_here(&folder.join(name), LIMIT).unwrap_or_else(|error| {
                    tracing::warn!(name, %error, "a file about names of hosts is passed over");
                    Vec::new()
                })
            };
            let mut hosts = Hosts::default();
            hosts.read_hosts_conf(String::from_utf8_lossy(&text("hosts")).as_bytes())?;
            // What cannot be read in it is passed over.
            let (config, _) = resolv_conf::Config::parse_with_errors(&text("resolv.conf"));
            let connect = if config.use_vc { NameServerConfig::tcp } else { NameServerConfig::udp_and_tcp };
            let mut addresses: Vec<IpAddr> = config.nameservers.iter().map(IpAddr::from).collect();
            if addresses.is_empty() {
                // The one on this machine is meant (resolv.conf(5)).
                addresses.push(Ipv4Addr::LOCALHOST.into());
            }
            let server = |address| {
                let only = ResolverConfig::from_parts(None, Vec::new(), vec![connect(address)]);
                let mut builder = TokioResolver::builder_with_config(only, TokioRuntimeProvider::default());
                *builder.options_mut() = options(&config);
                builder.build()
            };
            let search = config.get_last_search_or_domain().filter_map(|domain| Name::from_str_relaxed(domain).ok());
            Ok(Self {
                changed,
                hosts,
                servers: addresses.into_iter().map(server).collect::<Result<_, _>>()?,
                attempts: config.attempts.clamp(1, 5),
                ndots: config.ndots.min(15) as usize,
                search: search.collect(),
            })
        }

        async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
            let name = Name::from_str_relaxed(name)?;
            let lookups = [RecordType::AAAA, RecordType::A]
                .map(|kind| self.hosts.lookup_static_host(&Query::query(name.clone(), kind)));
            let own: Vec<IpAddr> = lookups
                .iter()
                .flatten()
                .flat_map(|lookup| lookup.answers().iter().filter_map(|record| record.data.ip_addr()))
                .collect();
            if !own.is_empty() {
                return Ok(own);
            }
            let mut failure = None;
            for name in self.candidates(name) {
                match self.ask(name).await {
                    Ok(addresses) => return Ok(addresses),
                    // What the last one says is about a name that nobody wrote.
                    Err(error) => failure = failure.or(Some(error)),
                }
            }
            Err(failure.unwrap_or_else(|| "it is no name of a host".into()))
        }

        /// The complete names that are meant by one: as it is, and below the domains of the search list.
        fn candidates(&self, name: Name) -> Vec<Name> {
            let mut absolute = name.clone();
            absolute.set_fqdn(true);
            if name.is_fqdn() {
                return vec![absolute];
            }
            let mut below: Vec<Name> =
                self.search.iter().filter_map(|domain| name.clone().append_domain(domain).ok()).collect();
            below.iter_mut().for_each(|name| name.set_fqdn(true));
            let dots = usize::from(name.num_labels()).saturating_sub(1);
            below.insert(if dots >= self.ndots { 0 } else { below.len() }, absolute);
            below
        }

        /// Asks one server after the other, until one says which addresses the name has, or that it has none.
        async fn ask(&self, name: Name) -> Result<Vec<IpAddr>, Failure> {
            let mut failure = None;
            for _ in 0..self.attempts {
                for server in &self.servers {
                    match server.lookup_ip(name.clone()).await {
                        Ok(found) => return Ok(found.iter().collect()),
                        Err(error) if error.is_no_records_found() => return Err(error.into()),
                        Err(error) => failure = Some(error),
                    }
                }
            }
            Err(failure.map_or_else(|| "there is no name server".into(), Into::into))
        }
    }

    /// How one server is asked once.
    fn options(config: &resolv_conf::Config) -> ResolverOpts {
        let mut options = ResolverOpts::default();
        options.timeout = Duration::from_secs(config.timeout.clamp(1, 30).into());
        options.attempts = 0;
        options.edns0 = config.edns0;
        options.ip_strategy = if config.no_aaaa { LookupIpStrategy::Ipv4Only } else { LookupIpStrategy::Ipv6AndIpv4 };
        options.use_hosts_file = ResolveHosts::Never;
        options
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn files(hosts: &[u8], resolv_conf: Option<&str>) -> Files {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("hosts"), hosts).unwrap();
            if let Some(text) = resolv_conf {
                fs::write(folder.path().join("resolv.conf"), text).unwrap();
            }
            Files::read(folder.path()).unwrap()
        }

        fn candidates(files: &Files, name: &str) -> Vec<String> {
            let name = Name::from_str_relaxed(name).unwrap();
            files.candidates(name).iter().map(ToString::to_string).collect()
        }

        #[tokio::test]
        async fn names_in_the_hosts_file_need_no_server() {
            let text = b"# b\xfcro\n10.0.0.4 ARM.example alias # comment\n::1 arm.example\n10.0.0.5 arm.example\n";
            let files = files(text, None);
            for name in ["arm.example", "Arm.Example", "arm.example."] {
                assert_eq!(
                    files.look_up(name).await.unwrap(),
                    ["::1", "10.0.0.4", "10.0.0.5"].map(|ip| ip.parse::<IpAddr>().unwrap()),
                    "{name}"
                );
            }
            assert_eq!(files.look_up("alias").await.unwrap(), ["10.0.0.4".parse::<IpAddr>().unwrap()]);
        }

        #[tokio::test]
        async fn files_that_would_be_waited_for_count_as_missing() {
            let folder = tempfile::tempdir().unwrap();
            for name in ["hosts", "resolv.conf"] {
                let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap();
                assert!(made.success());
            }
            let folder = folder.path().to_owned();
            let files = off_the_runtime(move || Files::read(&folder)).await.expect("an end").unwrap();
            assert!(!files.look_up("localhost").await.unwrap().is_empty());
        }

        #[tokio::test]
        async fn the_own_machine_has_its_name_without_any_file() {
            let addresses = files(b"", None).look_up("localhost").await.unwrap();
            assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
        }

        #[tokio::test]
        async fn a_line_that_cannot_be_read_spoils_no_other() {
            let text = "nameserver here\nsearch a..b example.org\noptions magic ndots:2 attempts:0 timeout:0\n\
                        nameserver 10.0.0.1\nnameserver 10.0.0.2\nnonsense\n";
            let files = files(b"", Some(text));
            assert_eq!((files.servers.len(), files.attempts, files.ndots), (2, 1, 2));
            assert!(files.servers.iter().all(|server| server.options().timeout == Duration::from_secs(1)));
            assert_eq!(candidates(&files, "a.b.c"), ["a.b.c.", "a.b.c.example.org."]);
        }

        #[tokio::test]
        async fn a_name_with_few_dots_is_sought_in_the_search_list_first() {
            let files = files(b"", Some("search example.org example.com\noptions ndots:2\n"));
            assert_eq!(candidates(&files, "a"), ["a.example.org.", "a.example.com.", "a."]);
            assert_eq!(candidates(&files, "a.b"), ["a.b.example.org.", "a.b.example.com.", "a.b."]);
            assert_eq!(candidates(&files, "a.b.c"), ["a.b.c.", "a.b.c.example.org.", "a.b.c.example.com."]);
            assert_eq!(candidates(&files, "a."), ["a."]);
        }
    }
}
