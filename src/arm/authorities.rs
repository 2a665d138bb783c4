//! The certificate authorities that this system trusts.

use super::error::Error;

/// The error that says so when there are none.
#[cfg(target_os = "linux")]
pub(crate) fn missing() -> Option<Error> {
    let found = rustls_native_certs::load_native_certs();
    let problems = found.errors.iter().map(ToString::to_string).collect();
    found.certs.is_empty().then_some(Error::NoAuthorities { problems })
}

/// The system itself verifies certificates.
#[cfg(not(target_os = "linux"))]
pub(crate) fn missing() -> Option<Error> {
    None
}
