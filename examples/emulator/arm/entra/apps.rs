//! App registrations: who may sign in, and with which credentials.

use anyhow::{Context, Error};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::server::ParsedCertificate;

use super::pipelines;

/// An application that may sign in, with its service principal; or a managed identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    /// Application (client) id.
    pub(crate) client_id: String,
    /// Object id of the service principal.
    pub(crate) object_id: String,
    /// The one tenant that has it; without it every tenant has it.
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// A secret that never runs out.
    #[serde(default)]
    pub(crate) secret: Option<String>,
    /// Further secrets.
    #[serde(default)]
    pub(crate) secrets: Vec<ClientSecret>,
    /// Certificates, whose keys sign assertions.
    #[serde(default)]
    pub(crate) certificates: Vec<ClientCertificate>,
    /// Whose assertions it takes from other issuers.
    #[serde(default)]
    pub(crate) federated: Vec<Federation>,
    /// Whether the principal may do everything, whatever roles it has.
    #[serde(default)]
    pub(crate) owner: bool,
    /// The resource id, if it is a user-assigned identity.
    #[serde(default)]
    pub(crate) resource_id: Option<String>,
}

/// A secret that may run out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientSecret {
    pub(crate) value: String,
    #[serde(default, with = "rfc3339::option")]
    pub(crate) expires: Option<OffsetDateTime>,
}

/// A certificate that may run out. As in Entra, that time belongs to the registration; the certificate's own is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCertificate {
    /// In PEM.
    pub(crate) certificate: Certificate,
    #[serde(default, with = "rfc3339::option")]
    pub(crate) expires: Option<OffsetDateTime>,
}

/// A federated credential: all three are compared as they are, case included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Federation {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    #[serde(default = "exchange")]
    pub(crate) audience: String,
}

fn exchange() -> String {
    pipelines::EXCHANGE.to_owned()
}

/// Whether something that runs out at a time has done so.
pub(crate) fn ran_out(expires: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    expires.is_some_and(|end| end <= now)
}

/// An X.509 certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Certificate {
    pem: String,
    der: Vec<u8>,
    public_key: Vec<u8>,
}

impl Certificate {
    /// Whether this is its thumbprint, by SHA-1 or SHA-256.
    pub(crate) fn has_thumbprint(&self, thumbprint: &[u8]) -> bool {
        [&SHA1_FOR_LEGACY_USE_ONLY, &SHA256]
            .into_iter()
            .any(|algorithm| digest(algorithm, &self.der).as_ref() == thumbprint)
    }

    /// Its SubjectPublicKeyInfo.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

impl TryFrom<String> for Certificate {
    type Error = Error;

    fn try_from(pem: String) -> Result<Self, Error> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).context("a certificate is not in PEM")?;
        let parsed = ParsedCertificate::try_from(&der).context("a certificate cannot be read")?;
        let public_key = parsed.subject_public_key_info().to_vec();
        Ok(Self { der: der.to_vec(), public_key, pem })
    }
}

impl From<Certificate> for String {
    fn from(certificate: Certificate) -> Self {
        certificate.pem
    }
}
