//! The certificate authorities that this system trusts.

use super::error::Error;

/// The error of a file of authorities (`SSL_CERT_FILE`) that is none, and would be waited for.
#[cfg(target_os = "linux")]
pub(crate) fn unreadable() -> Option<Error> {
    let path = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty())?;
    match super::files::check_regular(path.as_ref()) {
        // What is missing is found to be so when it is read.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            Some(Error::NoAuthorities { problems: vec![format!("SSL_CERT_FILE is {}: {error}", path.display())] })
        }
        _ => None,
    }
}

/// The system itself verifies certificates.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unreadable() -> Option<Error> {
    None
}

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
