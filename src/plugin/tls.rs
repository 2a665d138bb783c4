//! Mutual TLS as go-plugin's AutoMTLS defines it: each side creates a self-signed certificate for this one process and
//! accepts only the certificate that the other side announced.
//!
//! The host's certificate has an ECDSA P-521 key and is marked as a certificate authority. Chain validation refuses that
//! for a client, so the certificate is pinned instead: it has to be the announced one, byte for byte, and the handshake's
//! signature has to be of its key. P-521 needs aws-lc-rs.

use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use tokio_rustls::TlsAcceptor;

use crate::plugin::Error;

/// The name that go-plugin's clients expect in the certificate, whatever the socket.
const SERVER_NAME: &str = "localhost";

/// This plugin's certificate, and the TLS configuration that presents it.
pub(super) struct Identity {
    certificate: CertificateDer<'static>,
    config: ServerConfig,
}

impl Identity {
    /// Creates a certificate to serve the one client that presents `client_certificate`.
    pub(super) fn for_client(client_certificate: CertificateDer<'static>) -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(Error::Certificate)?;
        let certificate = server_certificate(&key).map_err(Error::Certificate)?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pinned =
            PinnedClient { certificate: client_certificate, algorithms: provider.signature_verification_algorithms };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let key = PrivatePkcs8KeyDer::from(key.serialize_der());
                builder
                    .with_client_cert_verifier(Arc::new(pinned))
                    .with_single_cert(vec![certificate.clone()], key.into())
            })
            .map_err(Error::Tls)?;
        // Newer gRPC clients close the connection if the server does not select HTTP/2 here.
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self { certificate, config })
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    pub(super) fn into_acceptor(self) -> TlsAcceptor {
        Arc::new(self.config).into()
    }
}

fn server_certificate(key: &KeyPair) -> Result<CertificateDer<'static>, rcgen::Error> {
    let mut params = CertificateParams::new([SERVER_NAME.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    Ok(params.self_signed(key)?.into())
}

/// Accepts only the client that presents this certificate.
#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for PinnedClient {
    /// Empty: Go's client presents no certificate if its issuer is not among these.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if *end_entity == self.certificate {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
