//! Why a request got no answer.

use std::{error::Error, io, sync::Arc};

/// The transport's own error, which cannot be cloned, kept so that all who share a request get it.
pub(crate) type SharedSource = Arc<dyn Error + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAnswer {
    /// No connection could be made: an unknown host name, a closed port or no route.
    Unreached,
    /// The connection timed out, as behind a firewall that drops packets.
    TimedOut,
    /// The server's certificate is not accepted, which a retry does not change.
    Untrusted(CertificateFault),
    /// The connection broke before the whole answer arrived; the request may have arrived.
    Broken,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateFault {
    /// Its issuer is not trusted, or it is otherwise invalid.
    Issuer,
    /// It has expired or is not valid yet.
    Time,
    /// It is for another host.
    Name,
}

impl NoAnswer {
    /// Reads it from the transport's error.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        match certificate_fault(error) {
            Some(certificate_fault) => Self::Untrusted(certificate_fault),
            None if error.is_connect() && error.is_timeout() => Self::TimedOut,
            None if error.is_connect() => Self::Unreached,
            None => Self::Broken,
        }
    }

    /// Whether the request was certainly not sent, so that it had no effect.
    pub(crate) fn is_before_sending(self) -> bool {
        !matches!(self, Self::Broken)
    }

    /// What the user can do.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Untrusted(CertificateFault::Issuer) => {
                "The server's certificate is not trusted. If it, or a proxy that inspects traffic, has an authority of its \
                 own, install that authority's certificate on this machine or name it in SSL_CERT_FILE."
            }
            Self::Untrusted(CertificateFault::Time) => {
                "The server's certificate has expired or is not valid yet. Check this machine's clock; if it is right, \
                 whoever runs the server, or a proxy that inspects traffic, has to renew the certificate."
            }
            Self::Untrusted(CertificateFault::Name) => {
                "The server's certificate is for another host. Check the environment and the addresses that are \
                 configured, and whether a proxy or DNS leads somewhere else."
            }
            Self::Unreached | Self::TimedOut | Self::Broken => {
                "Check the network, the proxy (HTTPS_PROXY, NO_PROXY), and the environment and the addresses that are \
                 configured."
            }
        }
    }
}

/// What is wrong with the server's certificate, if that is the cause.
fn certificate_fault(error: &reqwest::Error) -> Option<CertificateFault> {
    use rustls::CertificateError as Certificate;
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(rustls::Error::InvalidCertificate(problem)) = this.downcast_ref() {
            return Some(match problem {
                Certificate::Expired
                | Certificate::ExpiredContext { .. }
                | Certificate::NotValidYet
                | Certificate::NotValidYetContext { .. } => CertificateFault::Time,
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => CertificateFault::Name,
                _ => CertificateFault::Issuer,
            });
        }
        cause = match this.downcast_ref::<io::Error>() {
            // Its `source` is that of the wrapped error, which skips the wrapped error itself.
            Some(wrapper) => wrapper.get_ref().map(|wrapped| wrapped as _),
            None => this.source(),
        };
    }
    None
}
