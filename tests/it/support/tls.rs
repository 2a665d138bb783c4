//! The host's half of mutual TLS, with certificates of the shape go-plugin gives its clients.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P521_SHA512,
};
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, SupportedProtocolVersion,
    client::{ResolvesClientCert, WantsClientCert},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};

/// Every TLS version a client may offer.
pub(crate) const ALL_VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// A client's certificate and key.
pub(crate) struct ClientIdentity {
    params: CertificateParams,
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl ClientIdentity {
    /// Makes one as go-plugin does: ECDSA P-521, self-signed, `localhost`, an authority that is also a leaf.
    pub(crate) fn like_go_plugin() -> Self {
        Self::with_key(KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).unwrap())
    }

    /// The same with another kind of key.
    pub(crate) fn with_another_kind_of_key() -> Self {
        Self::with_key(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    /// Another certificate for the same key and names.
    pub(crate) fn issued_again(&self) -> Self {
        Self::with_key(KeyPair::try_from(self.key.serialize_der()).unwrap())
    }

    /// A certificate for another key that this one, which is an authority, vouches for.
    pub(crate) fn vouches_for(&self) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).unwrap();
        let certificate = self.params.signed_by(&key, &Issuer::from_params(&self.params, &self.key)).unwrap();
        Self { params: self.params.clone(), certificate, key }
    }

    fn with_key(key: KeyPair) -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.distinguished_name.push(DnType::OrganizationName, "HashiCorp");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyAgreement,
            KeyUsagePurpose::KeyCertSign,
        ];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        Self { certificate: params.self_signed(&key).unwrap(), params, key }
    }

    /// The certificate as the handshake carries it.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Presents this certificate with its key.
    pub(crate) fn config(&self, server: &CertificateDer<'static>) -> ClientConfig {
        self.config_with_key_of(self, server, ALL_VERSIONS)
    }

    /// Presents this certificate and signs with the key of `other`, offering only `versions` of TLS.
    pub(crate) fn config_with_key_of(
        &self,
        other: &Self,
        server: &CertificateDer<'static>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(other.key.serialize_der()));
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        let certified = CertifiedKey::new(vec![self.certificate.der().clone()], key);
        over_http2(trusting(server, versions).with_client_cert_resolver(Arc::new(Always(Arc::new(certified)))))
    }
}

/// Presents no certificate, offering only `versions` of TLS.
pub(crate) fn anonymous_config(
    server: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    over_http2(trusting(server, versions).with_no_client_auth())
}

/// Trusts the handshake's certificate and no other.
fn trusting(
    server: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(server.clone()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
}

fn over_http2(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// Presents one certificate, whatever the server asks for.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
