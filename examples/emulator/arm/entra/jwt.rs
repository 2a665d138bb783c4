//! JSON Web Tokens: written, read, and verified against an RSA key (RFC 7515, RFC 7518).

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A token that was read, and not verified yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Jwt {
    /// How it is signed, and with which key.
    pub(crate) header: Value,
    /// What it says.
    pub(crate) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    /// Reads the compact form; `None` if it is not three parts of which two are JSON objects.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| serde_json::from_slice(&decoded(part)?).ok().filter(Value::is_object);
        Some(Self {
            header: object(header)?,
            claims: object(claims)?,
            signed: signed.to_owned(),
            signature: decoded(signature)?,
        })
    }

    /// A claim's text; empty if it has none.
    pub(crate) fn claim(&self, name: &str) -> &str {
        self.claims.get(name).and_then(Value::as_str).unwrap_or("")
    }

    /// A claim's time, in whole seconds since 1970; some clients write fractions of them.
    pub(crate) fn time(&self, name: &str) -> Option<i64> {
        let time = self.claims.get(name)?;
        time.as_i64().or_else(|| time.as_f64().map(|time| time as i64))
    }

    /// What the signature is of.
    pub(crate) fn signed(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// The signature.
    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether the holder of an RSA key (its SubjectPublicKeyInfo or PKCS #1 form) signed it with RS256 or PS256.
    pub(crate) fn is_signed_by(&self, public_key: &[u8]) -> bool {
        let algorithm = match self.header["alg"].as_str() {
            Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
            Some("PS256") => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm, public_key).verify(self.signed(), &self.signature).is_ok()
    }
}

/// The compact form of a token that `sign` signs.
pub(crate) fn write(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Clients may pad what the standard leaves unpadded.
fn decoded(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}
