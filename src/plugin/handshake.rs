//! go-plugin's handshake: the host sets environment variables, and the plugin answers with a line on standard output.
//!
//! Only [`environment`] and [`announce`] touch the process; everything else takes and gives values.

use std::{
    env,
    ffi::OsString,
    io::{self, Write as _},
    net::SocketAddr,
    ops::RangeInclusive,
    path::PathBuf,
};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::plugin::Error;

/// The version of go-plugin's own protocol, the line's first field.
const CORE_PROTOCOL_VERSION: u32 = 1;

/// What the host asks for.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    /// The only certificate a client may present. Without one the host wants a connection without TLS.
    pub(super) client_certificate: Option<CertificateDer<'static>>,
    pub(super) sockets: Sockets,
    /// Whether the line needs the field that says if the broker's channels can share the connection. Hosts that do not
    /// ask for it cannot read a line that has it.
    pub(super) asks_for_multiplexing: bool,
}

/// Where the plugin may listen.
#[derive(Debug, PartialEq)]
pub(super) struct Sockets {
    /// The directory for the Unix socket.
    pub(super) directory: PathBuf,
    /// The group, by name or number, that may use the Unix socket beside this user.
    pub(super) group: Option<String>,
    /// The ports to try in this order, where there are no Unix sockets. None leaves the choice to the system.
    pub(super) ports: Option<RangeInclusive<u16>>,
}

/// Where the plugin listens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Address {
    #[cfg_attr(not(unix), expect(dead_code, reason = "made only where there are Unix sockets"))]
    Unix(String),
    Tcp(SocketAddr),
}

impl Address {
    /// The network's name in Go's terms.
    pub(super) fn network(&self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Tcp(_) => "tcp",
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => formatter.write_str(path),
            Self::Tcp(address) => address.fmt(formatter),
        }
    }
}

impl Request {
    /// Reads the request from `variable`, which looks up one variable of the environment.
    ///
    /// The host also lists the protocol versions it speaks. A plugin that speaks a single one has nothing to choose: it
    /// names its version, and a host that does not know it reports that.
    pub(super) fn read(
        (cookie, expected): (&str, &str),
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, Error> {
        if variable(cookie).is_none_or(|value| value != expected) {
            return Err(Error::NotAHost);
        }
        let client_certificate = text(&variable, "PLUGIN_CLIENT_CERT")
            .map(|pem| {
                CertificateDer::from_pem_slice(pem.as_bytes())
                    .map_err(|_| Error::Variable { name: "PLUGIN_CLIENT_CERT", expected: "a certificate in PEM form" })
            })
            .transpose()?;
        Ok(Self {
            client_certificate,
            asks_for_multiplexing: text(&variable, "PLUGIN_MULTIPLEX_GRPC").is_some(),
            sockets: Sockets::read(variable)?,
        })
    }
}

impl Sockets {
    /// Reads from `variable` where sockets go.
    pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let directory = ["PLUGIN_UNIX_SOCKET_DIR", "TMPDIR"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
            .map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        let ports = match (port(&variable, "PLUGIN_MIN_PORT")?, port(&variable, "PLUGIN_MAX_PORT")?) {
            (Some(first), Some(last)) if first <= last => Some(first..=last),
            (Some(_), Some(_)) => {
                return Err(Error::Variable { name: "PLUGIN_MAX_PORT", expected: "at least PLUGIN_MIN_PORT" });
            }
            _ => None,
        };
        Ok(Self { directory, group: text(&variable, "PLUGIN_UNIX_SOCKET_GROUP"), ports })
    }
}

/// The value of a variable that is set to something; go-plugin reads an empty value as none.
fn text(variable: impl Fn(&str) -> Option<OsString>, name: &str) -> Option<String> {
    variable(name).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

fn port(variable: impl Fn(&str) -> Option<OsString>, name: &'static str) -> Result<Option<u16>, Error> {
    text(variable, name)
        .map(|value| value.parse().map_err(|_| Error::Variable { name, expected: "a port number" }))
        .transpose()
}

/// The line that tells the host where to connect and which certificate to expect.
pub(super) fn line(
    protocol_version: u32,
    address: &Address,
    certificate: Option<&CertificateDer<'_>>,
    asks_for_multiplexing: bool,
) -> String {
    // The host decodes with Go's RawStdEncoding, which refuses padding.
    let certificate = certificate.map(|der| BASE64_STANDARD_NO_PAD.encode(der)).unwrap_or_default();
    let network = address.network();
    let multiplexing = if asks_for_multiplexing { "|false" } else { "" };
    format!("{CORE_PROTOCOL_VERSION}|{protocol_version}|{network}|{address}|grpc|{certificate}{multiplexing}\n")
}

/// One variable of this process's environment.
pub(super) fn environment(name: &str) -> Option<OsString> {
    env::var_os(name)
}

/// Writes to standard output what the host, or in debug mode the developer, waits for.
pub(super) fn announce(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Error::Announce)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOKIE: (&str, &str) = ("COOKIE", "chocolate");

    /// Reads a request from these variables and the right cookie.
    fn read(variables: &[(&str, &str)]) -> Result<Request, Error> {
        Request::read(COOKIE, lookup(&[&[COOKIE], variables].concat()))
    }

    fn lookup(variables: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> {
        |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    }

    #[test]
    fn only_the_exact_cookie_is_a_host() {
        for variables in [&[][..], &[("COOKIE", "")], &[("COOKIE", "vanilla")], &[("cookie", "chocolate")]] {
            let result = Request::read(COOKIE, lookup(variables));
            assert!(matches!(result, Err(Error::NotAHost)), "{variables:?} gave {result:?}");
        }
        assert!(read(&[]).is_ok());
    }

    #[test]
    fn the_notice_has_three_lines() {
        assert_eq!(Error::NotAHost.to_string().lines().count(), 3);
    }

    #[test]
    fn a_bare_host_gets_no_tls_and_the_system_s_choice() {
        assert_eq!(
            read(&[]).unwrap(),
            Request {
                client_certificate: None,
                sockets: Sockets { directory: "/tmp".into(), group: None, ports: None },
                asks_for_multiplexing: false,
            }
        );
    }

    #[test]
    fn every_variable_is_understood() {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let request = read(&[
            ("PLUGIN_CLIENT_CERT", &key.cert.pem()),
            ("PLUGIN_UNIX_SOCKET_DIR", "/run/plugins"),
            ("TMPDIR", "/var/tmp"),
            ("PLUGIN_UNIX_SOCKET_GROUP", "staff"),
            ("PLUGIN_MULTIPLEX_GRPC", "true"),
            ("PLUGIN_MIN_PORT", "10000"),
            ("PLUGIN_MAX_PORT", "25000"),
        ]);
        assert_eq!(
            request.unwrap(),
            Request {
                client_certificate: Some(key.cert.der().clone()),
                sockets: Sockets {
                    directory: "/run/plugins".into(),
                    group: Some("staff".to_owned()),
                    ports: Some(10000..=25000)
                },
                asks_for_multiplexing: true,
            }
        );
        assert_eq!(read(&[("TMPDIR", "/var/tmp")]).unwrap().sockets.directory, PathBuf::from("/var/tmp"));
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named() {
        for (name, value, message) in [
            ("PLUGIN_CLIENT_CERT", "no certificate", "PLUGIN_CLIENT_CERT is not a certificate in PEM form"),
            ("PLUGIN_MIN_PORT", "low", "PLUGIN_MIN_PORT is not a port number"),
            ("PLUGIN_MAX_PORT", "65536", "PLUGIN_MAX_PORT is not a port number"),
        ] {
            assert_eq!(read(&[(name, value)]).unwrap_err().to_string(), message);
        }
        let upside_down = read(&[("PLUGIN_MIN_PORT", "2"), ("PLUGIN_MAX_PORT", "1")]);
        assert_eq!(upside_down.unwrap_err().to_string(), "PLUGIN_MAX_PORT is not at least PLUGIN_MIN_PORT");
    }

    #[test]
    fn the_line_has_six_fields_and_a_seventh_on_request() {
        let address = Address::Unix("/tmp/plugin1".to_owned());
        assert_eq!(line(6, &address, None, false), "1|6|unix|/tmp/plugin1|grpc|\n");
        let address = Address::Tcp("127.0.0.1:10000".parse().unwrap());
        let certificate = CertificateDer::from(vec![255; 4]);
        assert_eq!(line(6, &address, Some(&certificate), true), "1|6|tcp|127.0.0.1:10000|grpc|/////w|false\n");
    }
}
