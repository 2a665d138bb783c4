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
    use std::sync::{Arc, OnceLock};

    use hickory_resolver::config::{
        LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ServerOrderingStrategy,
    };
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use hickory_resolver::proto::op::Query;
    use hickory_resolver::proto::rr::{Name, RecordType};
    use hickory_resolver::{Hosts, TokioResolver, system_conf};
    use reqwest::dns::{Addrs, Resolve, Resolving};

    pub(crate) fn resolve_names(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.dns_resolver(Arc::new(Resolver::default()))
    }

    /// What the system's files say, read when the first name is asked for.
    #[derive(Clone, Default)]
    struct Resolver(Arc<OnceLock<Result<Files, String>>>);

    impl Resolve for Resolver {
        fn resolve(&self, name: reqwest::dns::Name) -> Resolving {
            let files = self.0.clone();
            Box::pin(async move {
                let files = files.get_or_init(|| Files::read(Path::new("/etc")).map_err(|error| error.to_string()));
                let addresses = files.as_ref().map_err(String::as_str)?.look_up(name.as_str()).await?;
                Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
            })
        }
    }

    /// The system's own names, and the name servers that know all others.
    struct Files {
        hosts: Hosts,
        servers: TokioResolver,
    }

    impl Files {
        fn read(folder: &Path) -> Result<Self, Box<dyn Error + Send + Sync>> {
            let mut hosts = Hosts::default();
            if let Ok(text) = fs::read(folder.join("hosts")) {
                hosts.read_hosts_conf(text.as_slice())?;
            }
            let text = fs::read(folder.join("resolv.conf")).unwrap_or_default();
            // Without a file or a server in it the one on this machine is meant (resolv.conf(5)).
            let (config, options) = system_conf::parse_resolv_conf(&text).unwrap_or_else(|_| {
                let here = NameServerConfig::udp_and_tcp(IpAddr::V4(Ipv4Addr::LOCALHOST));
                (ResolverConfig::from_parts(None, Vec::new(), vec![here]), Default::default())
            });
            let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
            *builder.options_mut() = options;
            let options = builder.options_mut();
            options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
            options.use_hosts_file = ResolveHosts::Never;
            // A private endpoint's address may be known to the first server alone, so that none may overtake it.
            options.num_concurrent_reqs = 1;
            options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
            Ok(Self { hosts, servers: builder.build()? })
        }

        async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
            let own = Name::from_str_relaxed(name)?;
            let lookups = [RecordType::AAAA, RecordType::A]
                .map(|kind| self.hosts.lookup_static_host(&Query::query(own.clone(), kind)));
            let own: Vec<IpAddr> = lookups
                .iter()
                .flatten()
                .flat_map(|lookup| lookup.answers().iter().filter_map(|record| record.data.ip_addr()))
                .collect();
            if !own.is_empty() {
                return Ok(own);
            }
            Ok(self.servers.lookup_ip(name).await?.iter().collect())
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn files(hosts: &str, resolv_conf: Option<&str>) -> Files {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("hosts"), hosts).unwrap();
            if let Some(text) = resolv_conf {
                fs::write(folder.path().join("resolv.conf"), text).unwrap();
            }
            Files::read(folder.path()).unwrap()
        }

        #[tokio::test]
        async fn names_in_the_hosts_file_need_no_server() {
            let files = files("10.0.0.4 ARM.example alias # comment\n::1 arm.example\n10.0.0.5 arm.example\n", None);
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
        async fn the_own_machine_has_its_name_without_any_file() {
            let addresses = files("", None).look_up("localhost").await.unwrap();
            assert!(!addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback), "{addresses:?}");
        }

        #[tokio::test]
        async fn servers_are_asked_one_after_the_other_in_the_order_of_the_file() {
            let text =
                "options ndots:3 timeout:1 attempts:4\nsearch example.org\nnameserver 10.0.0.1\nnameserver 10.0.0.2\n";
            let files = files("", Some(text));
            let options = files.servers.options();
            assert_eq!((options.ndots, options.timeout.as_secs(), options.attempts), (3, 1, 4));
            assert_eq!(options.num_concurrent_reqs, 1);
            assert_eq!(options.server_ordering_strategy, ServerOrderingStrategy::UserProvidedOrder);
        }
    }
}
