//! An id, a secret or a certificate that is configured as a value or as a file. Others may replace the file at any time.

use super::TokenError;
use crate::arm::body::without_bom;
use crate::arm::files;
use crate::arm::secret::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// A value, a file that has it, or both, which must then agree when they are first read. The file is read for every token.
#[derive(Debug, Clone)]
pub struct ValueOrFile {
    /// The name of its setting, for messages.
    name: &'static str,
    value: Option<Secret>,
    file: Option<PathBuf>,
    /// Whether the value and the file have agreed. From then on the file counts, which others may write anew.
    agreed: Arc<AtomicBool>,
}

impl ValueOrFile {
    /// At least one of `value` and `file` must be given.
    pub fn new(name: &'static str, value: Option<Secret>, file: Option<PathBuf>) -> Self {
        Self { name, value, file, agreed: Arc::default() }
    }

    /// Whether others may write it anew.
    pub(super) fn may_change(&self) -> bool {
        self.file.is_some()
    }

    /// The text, without the line end after it.
    ///
    /// # Errors
    /// When the file cannot be read, is empty, has something else in it than a line, or contradicts the value.
    pub(super) async fn text(&self) -> Result<Secret, TokenError> {
        let Some(file) = &self.file else { return Ok(self.value.clone().unwrap_or_default()) };
        let content = self.content(file).await?;
        let text = str::from_utf8(&content).map_err(|_| self.file_error("is not a text"))?.trim();
        if text.is_empty() {
            return Err(self.file_error("is empty"));
        }
        if text.contains(char::is_control) {
            return Err(self.file_error("has more than one line, or a control character in it"));
        }
        self.agree(self.value.as_ref().is_none_or(|value| value.reveal() == text))?;
        Ok(text.into())
    }

    /// The bytes: a file's content, or the value decoded from base64.
    ///
    /// # Errors
    /// When the file cannot be read or contradicts the value, or the value is not base64.
    pub(super) async fn bytes(&self) -> Result<Vec<u8>, TokenError> {
        let value = self.value.as_ref().map(|value| {
            let text: String = value.reveal().split_whitespace().collect();
            STANDARD.decode(text).map_err(|_| TokenError::Credential {
                credential: self.name,
                message: "the value, which is not shown here, is not base64".to_owned(),
            })
        });
        match (value.transpose()?, &self.file) {
            (value, Some(file)) => {
                let content = self.content(file).await?;
                self.agree(value.is_none_or(|value| value == content))?;
                Ok(content)
            }
            (value, None) => Ok(value.unwrap_or_default()),
        }
    }

    async fn content(&self, file: &Path) -> Result<Vec<u8>, TokenError> {
        let content = files::read(file).await.map_err(|error| self.file_error(&format!("cannot be read: {error}")))?;
        let content = without_bom(&content);
        if content.is_empty() { Err(self.file_error("is empty")) } else { Ok(content.to_vec()) }
    }

    fn file_error(&self, problem: &str) -> TokenError {
        let path = self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        TokenError::File { name: self.name, path, problem: problem.to_owned() }
    }

    /// Notes whether the file agrees with the value, which it has to once.
    fn agree(&self, agrees: bool) -> Result<(), TokenError> {
        if !self.agreed.fetch_or(agrees, Ordering::Relaxed) && !agrees {
            return Err(self.file_error("holds another one than is set beside it; keep one of the two"));
        }
        Ok(())
    }
}

impl From<&str> for ValueOrFile {
    fn from(value: &str) -> Self {
        Self::new("value", Some(value.into()), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_or_file(value: Option<&str>, file: &Path) -> ValueOrFile {
        ValueOrFile::new("client_secret", value.map(Into::into), Some(file.to_owned()))
    }

    #[tokio::test]
    async fn a_file_is_read_each_time_and_must_agree_with_the_value() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, " s1\n").unwrap();
        let alone = value_or_file(None, &path);
        assert_eq!(alone.text().await.unwrap().reveal(), "s1");
        let both = value_or_file(Some("s1"), &path);
        assert_eq!(both.text().await.unwrap().reveal(), "s1");
        std::fs::write(&path, "\u{feff}s2").unwrap();
        assert_eq!(alone.text().await.unwrap().reveal(), "s2");
        assert_eq!(both.text().await.unwrap().reveal(), "s2", "the file is kept fresh");
        let error = value_or_file(Some("s1"), &path).text().await.unwrap_err().to_string();
        assert!(error.contains("keep one") && !error.contains("s2") && !error.contains("s1"), "{error}");
        assert_eq!(ValueOrFile::from("s3").text().await.unwrap().reveal(), "s3");
    }

    #[tokio::test]
    async fn what_is_no_secret_in_a_file_is_refused_without_waiting_or_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("empty"), "\n").unwrap();
        std::fs::write(path("lines"), "planted\nplanted").unwrap();
        std::fs::write(path("binary"), b"planted\xff").unwrap();
        std::fs::write(path("large"), vec![b'x'; usize::try_from(files::LIMIT).unwrap() + 1]).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(made.success());
        for (name, problem) in [
            ("missing", "cannot be read"),
            ("empty", "is empty"),
            ("lines", "more than one line"),
            ("binary", "not a text"),
            ("large", "larger than 1024 KiB"),
            ("pipe", "it is a named pipe, not a regular file"),
            ("", "it is a directory, not a regular file"),
        ] {
            let error = value_or_file(None, &path(name)).text().await.unwrap_err();
            let text = error.to_string();
            assert!(text.contains(problem) && text.contains("client_secret") && !text.contains("planted"), "{text}");
        }
    }

    #[tokio::test]
    async fn bytes_are_base64_in_a_value_and_themselves_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [1, 2, 3]).unwrap();
        let both = ValueOrFile::new("client_certificate", Some("AQ\nID".into()), Some(file.path().to_owned()));
        assert_eq!(both.bytes().await.unwrap(), [1, 2, 3]);
        assert!(ValueOrFile::from("!planted").bytes().await.unwrap_err().to_string().contains("not base64"));
    }
}
