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

    /// Replaces the secret in a text that is going to be shown, in case a service has echoed it, as it is or with characters
    /// escaped as in URLs or in JSON. A text is cut only afterwards, since half a secret is not found.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        let text = text.replace(&self.0, REDACTED);
        let (mut shown, mut rest) = (String::with_capacity(text.len()), text.as_str());
        while let Some(next) = rest.chars().next() {
            let (show, length) = match escaped(self.0.as_bytes(), rest.as_bytes()) {
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

/// The length of the escaped secret that a text begins with.
fn escaped(secret: &[u8], text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for byte in secret {
        let rest = text.get(at..)?;
        // A byte may have several forms: the % of `%25` is not the end of it.
        at += [hexadecimal(rest, b"%", 2), hexadecimal(rest, b"\\u", 4), short(rest), literal(rest)]
            .into_iter()
            .flatten()
            .find(|(decoded, _)| decoded == byte || (rest.first() == Some(&b'+') && *byte == b' '))
            .map(|(_, length)| length)?;
    }
    Some(at)
}

/// The byte that is written with a number of hexadecimal digits after a prefix, and the length of that.
fn hexadecimal(text: &[u8], prefix: &[u8], digits: usize) -> Option<(u8, usize)> {
    let digits = str::from_utf8(text.strip_prefix(prefix)?.get(..digits)?).ok()?;
    let byte = u32::from_str_radix(digits, 16).ok()?.try_into().ok()?;
    Some((byte, prefix.len() + digits.len()))
}

/// A character that JSON writes after a backslash as it is.
fn short(text: &[u8]) -> Option<(u8, usize)> {
    let after = *text.strip_prefix(b"\\")?.first()?;
    matches!(after, b'"' | b'\\' | b'/').then_some((after, 2))
}

fn literal(text: &[u8]) -> Option<(u8, usize)> {
    Some((*text.first()?, 1))
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
        for echoed in ["a~/+ é%", "a%7E%2F%2B+%C3%A9%25", "a~%2f%2b%20%c3%a9%25", r"a~\/\u002B é\u0025"] {
            assert_eq!(odd.redact(&format!("ö {echoed}x")), "ö (redacted)x");
        }
        let quoted = Secret::new(r#"a"b\c"#);
        assert_eq!(quoted.redact(r#"{"is":"a\"b\\c"}"#), r#"{"is":"(redacted)"}"#);
        assert_eq!(quoted.redact(r#"a"b\d a"b"#), r#"a"b\d a"b"#);
    }
}
