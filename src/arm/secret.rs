//! Secrets, without a readable `Debug`, `Display` or `Serialize`.

use serde::Deserialize;
use std::fmt;

/// A client secret, a storage key or a token. Only [`Secret::reveal`] gives the text, so a search for that word finds
/// every place that handles it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The beginning of an answer that is going to be shown, without the secret.
    pub(crate) fn excerpt(&self, body: &[u8]) -> String {
        self.redact(&String::from_utf8_lossy(body)).chars().take(300).collect()
    }

    /// Replaces the secret in a text that is going to be shown, in case a service has echoed it, as it is or percent-encoded
    /// in whole or in part. A text is cut only afterwards, since half a secret is not found.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let text = text.replace(&self.0, REDACTED);
        let (mut shown, mut rest) = (String::with_capacity(text.len()), text.as_str());
        while let Some(next) = rest.chars().next() {
            let (show, length) = match encoded(self.0.as_bytes(), rest.as_bytes()) {
                Some(length) => (REDACTED, length),
                None => (&rest[..next.len_utf8()], next.len_utf8()),
            };
            shown.push_str(show);
            rest = &rest[length..];
        }
        shown
    }
}

const REDACTED: &str = "(redacted)";

/// The length of the percent-encoded secret that a text begins with.
fn encoded(secret: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for byte in secret {
        let digits = text.get(at..at + 3).and_then(|part| str::from_utf8(part.strip_prefix(b"%")?).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        at += match text.get(at)? {
            _ if decoded == Some(*byte) => 3,
            literal if literal == byte || (*literal == b'+' && *byte == b' ') => 1,
            _ => return None,
        };
    }
    Some(at)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_and_can_be_taken_out_of_a_text() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?} {:#?}", Some(&secret)), "Secret(..) Some(\n    Secret(..),\n)");
        assert_eq!(secret.redact("wrong secret hunter2."), "wrong secret (redacted).");
        assert_eq!(Secret::default().redact("unchanged"), "unchanged");
        let odd = Secret::new("a~/+ é%");
        for echoed in ["a~/+ é%", "a%7E%2F%2B+%C3%A9%25", "a~%2f%2b%20%c3%a9%25"] {
            assert_eq!(odd.redact(&format!("ö {echoed}x")), "ö (redacted)x");
        }
    }
}
