//! A service principal with a client certificate: PKCS#12 or PEM, with its RSA key.

use super::{AccessToken, Network, TokenError, TokenRequest, TokenSource, ValueOrFile, assertion};
use crate::arm::secret::Secret;
use crate::arm::token_error::Proof;
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use futures_util::future::BoxFuture;
use p12_keystore::Pkcs12Archive;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use serde_json::json;
use time::Duration;
use uuid::Uuid;

/// How long an assertion is good for. It is used at once.
const LIFE: Duration = Duration::minutes(10);

/// Signs in with a certificate of an application, and sends its chain along, so that applications which trust an issuer
/// and a subject take it too.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The tenant to sign in to.
    pub tenant_id: String,
    /// The application's client id.
    pub client_id: ValueOrFile,
    /// The certificate with its key: PKCS#12 or PEM.
    pub certificate: ValueOrFile,
    /// The password of the PKCS#12.
    pub password: Option<Secret>,
}

impl TokenSource for ClientCertificate {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            let content = self.certificate.bytes().await?;
            let password = self.password.clone().unwrap_or_default();
            let tenant = request.tenant.as_ref().unwrap_or(&self.tenant_id);
            let client_id = self.client_id.text().await?;
            let now = network.clock.utc();
            let claims = json!({
                "aud": format!("{}{tenant}/oauth2/v2.0/token", network.authority),
                "iss": client_id.reveal(),
                "sub": client_id.reveal(),
                "jti": Uuid::new_v4().to_string(),
                "nbf": now.unix_timestamp(),
                "iat": now.unix_timestamp(),
                "exp": (now + LIFE).unix_timestamp(),
            });
            // Deriving a key of the password takes its time.
            let signed =
                tokio::task::spawn_blocking(move || Certificate::read(&content, &password)?.sign(&claims)).await;
            let signed = signed.unwrap_or(Err("reading it ended early")).map_err(|problem| TokenError::Credential {
                credential: "client certificate",
                message: problem.to_owned(),
            })?;
            assertion::token(request, network, &self.tenant_id, &self.client_id, Proof::Certificate, signed).await
        })
    }

    fn may_change(&self) -> bool {
        self.client_id.may_change() || self.certificate.may_change()
    }
}

/// A key and its certificate, followed by those that lead to its issuer.
struct Certificate {
    key: RsaKeyPair,
    chain: Vec<Vec<u8>>,
}

impl Certificate {
    fn read(content: &[u8], password: &Secret) -> Result<Self, &'static str> {
        let text = str::from_utf8(content).ok().filter(|text| text.contains("-----BEGIN "));
        let (key, mut chain) = match text {
            Some(text) => of_pem(text)?,
            None => of_pkcs12(content, password)?,
        };
        // Every certificate has the key that it is about in itself, and this is how the leaf is told from its issuers.
        let public = key.public_key().as_ref();
        let is_leaf = |certificate: &Vec<u8>| certificate.windows(public.len()).any(|part| part == public);
        let leaf = chain.iter().position(is_leaf).ok_or("it has no certificate for its private key")?;
        chain[..=leaf].rotate_right(1);
        Ok(Self { key, chain })
    }

    /// A JSON Web Token of these claims, signed with PS256.
    fn sign(&self, claims: &serde_json::Value) -> Result<Secret, &'static str> {
        let header = json!({
            "alg": "PS256",
            "typ": "JWT",
            "x5t#S256": URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.chain[0])),
            "x5c": self.chain.iter().map(|certificate| STANDARD.encode(certificate)).collect::<Vec<_>>(),
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        let done = self.key.sign(&RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature);
        done.map_err(|_| "its private key cannot sign")?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

type KeyAndCertificates = (RsaKeyPair, Vec<Vec<u8>>);

const NOT_RSA: &str = "its private key is not an RSA key, and Microsoft Entra takes no other";

fn of_pem(text: &str) -> Result<KeyAndCertificates, &'static str> {
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err("the private key in the PEM is encrypted; take PKCS#12 for a certificate with a password");
    }
    let certificates = CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| "the PEM has a certificate in it that cannot be read")?;
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| "the PEM has no private key in it")?;
    let key = match key {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        _ => return Err(NOT_RSA),
    };
    Ok((key.map_err(|_| NOT_RSA)?, certificates.into_iter().map(|certificate| certificate.to_vec()).collect()))
}

fn of_pkcs12(content: &[u8], password: &Secret) -> Result<KeyAndCertificates, &'static str> {
    use p12_keystore::error::Error;
    let archive = Pkcs12Archive::from_pkcs12(content, password.reveal()).map_err(|error| match error {
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => {
            "the password (client_certificate_password) is wrong, or the PKCS#12 is damaged"
        }
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => {
            "the PKCS#12 is encrypted in a way that this provider does not know; export it anew with AES-256"
        }
        _ => "it is neither PKCS#12 nor PEM",
    })?;
    let key = archive.keys.first().ok_or("the PKCS#12 has no private key in it")?;
    let key = RsaKeyPair::from_pkcs8(key.key.as_der()).map_err(|_| NOT_RSA)?;
    Ok((key, archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
    use std::{fs, path::Path};

    const PASSWORD: &str = "planted-password";

    fn file(name: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/certificates").join(name)).unwrap()
    }

    #[test]
    fn every_form_is_read_with_the_leaf_first_and_signs() {
        let leaf = CertificateDer::from_pem_slice(&file("leaf.pem")).unwrap();
        for (name, password, certificates) in [
            ("modern.p12", PASSWORD, 2),
            ("legacy.p12", PASSWORD, 2),
            ("no-password.p12", "", 2),
            ("chain.pem", "", 2),
            ("chain.pem", PASSWORD, 2),
            ("pkcs1.pem", "", 1),
        ] {
            let read =
                Certificate::read(&file(name), &password.into()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!((read.chain.len(), read.chain[0].as_slice()), (certificates, leaf.as_ref()), "{name}");
            let token = read.sign(&json!({ "iss": "c" })).unwrap();
            let (signed, signature) = token.reveal().rsplit_once('.').unwrap();
            let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, read.key.public_key().as_ref());
            key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
            let header = URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
            let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
            assert_eq!(header["x5c"][0], STANDARD.encode(&leaf));
            assert_eq!(header["x5c"].as_array().unwrap().len(), certificates);
            assert_eq!(header["x5t#S256"], URL_SAFE_NO_PAD.encode(digest(&SHA256, &leaf)));
        }
    }

    #[test]
    fn what_is_no_certificate_with_its_key_is_said_in_other_words_than_its_own() {
        let other_key = [file("leaf.pem"), file("ec.pem")].concat();
        for (content, password, problem) in [
            (file("modern.p12"), "wrong", "password (client_certificate_password) is wrong"),
            (file("legacy.p12"), "wrong", "password (client_certificate_password) is wrong"),
            (file("modern.p12"), "", "password (client_certificate_password) is wrong"),
            (file("encrypted.pem"), PASSWORD, "is encrypted"),
            (file("leaf.pem"), "", "no private key in it"),
            (file("ec.pem"), "", "not an RSA key"),
            (other_key, "", "not an RSA key"),
            (b"planted".to_vec(), "", "neither PKCS#12 nor PEM"),
            (Vec::new(), "", "neither PKCS#12 nor PEM"),
        ] {
            let error = Certificate::read(&content, &password.into()).err().expect(problem);
            assert!(error.contains(problem), "{problem}: {error}");
        }
    }
}
