//! The emulator's own certificate authority and the server certificate it signs, made anew at every start.

use std::sync::Arc;

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// Makes the acceptor, whose certificate is for this machine and `host_name`, and the CA's certificate (PEM) that clients
/// must trust.
pub(crate) fn acceptor(host_name: Option<&str>) -> Result<(TlsAcceptor, String)> {
    let ca_key = KeyPair::generate().context("making the CA's key")?;
    let mut ca = CertificateParams::default();
    ca.distinguished_name.push(DnType::CommonName, "ARM emulator CA");
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    let ca_pem = ca.self_signed(&ca_key).context("signing the CA's certificate")?.pem();

    let key = KeyPair::generate().context("making the server's key")?;
    let names = ["localhost", "127.0.0.1", "::1"].into_iter().chain(host_name).map(str::to_owned);
    let mut server = CertificateParams::new(names.collect::<Vec<_>>()).context("naming the server")?;
    server.distinguished_name.push(DnType::CommonName, "ARM emulator");
    server.is_ca = IsCa::ExplicitNoCa;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Python's strict verification wants the key identifiers.
    server.use_authority_key_identifier_extension = true;
    let certificate = server.signed_by(&key, &Issuer::new(ca, ca_key)).context("signing the server's certificate")?;

    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("choosing TLS versions")?
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(certificate.der().to_vec())],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .context("setting the server's certificate")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), ca_pem))
}
