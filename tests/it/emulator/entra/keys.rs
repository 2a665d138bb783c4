//! A client's own key and certificate, and the assertions that it signs.

use std::sync::LazyLock;

use aws_lc_rs::digest::{Algorithm, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::Value;

/// An RSA key and a certificate of it.
pub(super) struct Key {
    pub(super) pem: String,
    pub(super) der: Vec<u8>,
    key: rsa::KeyPair,
}

/// The key of an application, and one that nobody knows. RSA keys take a while to make, so that tests share them.
pub(super) static OWN: LazyLock<Key> = LazyLock::new(Key::new);
pub(super) static STRANGE: LazyLock<Key> = LazyLock::new(Key::new);

impl Key {
    fn new() -> Self {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
        let certificate = CertificateParams::default().self_signed(&key).expect("a certificate");
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key: rsa::KeyPair::from_pkcs8(key.serialized_der()).expect("the same key"),
        }
    }

    pub(super) fn thumbprint(&self, algorithm: &'static Algorithm) -> String {
        URL_SAFE_NO_PAD.encode(digest(algorithm, &self.der))
    }

    /// The assertion with this header and these claims, signed by the header's algorithm.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let padding: &dyn RsaEncoding = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(padding, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The header (0) or the claims (1) of a token.
pub(super) fn part(token: &str, index: usize) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "a token has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[index]).expect("base64")).expect("JSON")
}
