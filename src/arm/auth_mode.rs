//! How a workspace's system datastores authenticate to its storage account.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// How a workspace's system datastores authenticate to its storage account.
///
/// It keeps the spelling it was read in and compares case-insensitively; absent or empty means `accesskey`.
#[derive(Clone, Default, Deserialize)]
#[serde(from = "Option<String>")]
pub struct AuthMode(String);

/// The kind of an [`AuthMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthModeKind {
    /// With the account's shared key.
    AccessKey,
    /// With Microsoft Entra identities.
    Identity,
    /// With a user-delegation SAS; undocumented.
    UserDelegationSas,
    /// A mode this client does not know.
    Other,
}

impl AuthMode {
    /// A mode of any spelling.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `accesskey`.
    pub fn access_key() -> Self {
        Self::new("accesskey")
    }

    /// `identity`.
    pub fn identity() -> Self {
        Self::new("identity")
    }

    /// Which of the known modes it is; case does not matter.
    pub fn kind(&self) -> AuthModeKind {
        match self.0.to_ascii_lowercase().as_str() {
            "" | "accesskey" => AuthModeKind::AccessKey,
            "identity" => AuthModeKind::Identity,
            "userdelegationsas" => AuthModeKind::UserDelegationSas,
            _ => AuthModeKind::Other,
        }
    }

    /// The spelling it was read in; `accesskey` when it was empty.
    pub fn as_str(&self) -> &str {
        if self.0.is_empty() { "accesskey" } else { &self.0 }
    }

    /// The same mode in the spelling of the product documentation, where that knows it.
    pub(crate) fn documented(&self) -> Self {
        Self::new(self.wire())
    }

    /// The spelling that is sent: that of the product documentation for known modes.
    pub(crate) fn wire(&self) -> &str {
        match self.kind() {
            AuthModeKind::AccessKey => "accesskey",
            AuthModeKind::Identity => "identity",
            AuthModeKind::UserDelegationSas => "userdelegationsas",
            AuthModeKind::Other => &self.0,
        }
    }
}

/// A text that names no mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of identity, accesskey and userdelegationsas")]
pub struct UnknownAuthMode(String);

impl FromStr for AuthMode {
    type Err = UnknownAuthMode;

    fn from_str(text: &str) -> Result<Self, UnknownAuthMode> {
        let mode = Self::new(text);
        if text.is_empty() || mode.kind() == AuthModeKind::Other { Err(UnknownAuthMode(mode.0)) } else { Ok(mode) }
    }
}

impl Serialize for AuthMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl From<Option<String>> for AuthMode {
    fn from(text: Option<String>) -> Self {
        Self(text.unwrap_or_default())
    }
}

impl PartialEq for AuthMode {
    fn eq(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Eq for AuthMode {}

impl Hash for AuthMode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().to_ascii_lowercase().hash(state);
    }
}

impl fmt::Display for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for AuthMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthMode({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_in_every_spelling_and_keeps_it() {
        for (text, kind, shown, wire) in [
            ("identity", AuthModeKind::Identity, "identity", "identity"),
            ("Identity", AuthModeKind::Identity, "Identity", "identity"),
            ("accessKey", AuthModeKind::AccessKey, "accessKey", "accesskey"),
            ("AccessKey", AuthModeKind::AccessKey, "AccessKey", "accesskey"),
            ("", AuthModeKind::AccessKey, "accesskey", "accesskey"),
            ("UserDelegationSAS", AuthModeKind::UserDelegationSas, "UserDelegationSAS", "userdelegationsas"),
            ("Quantum", AuthModeKind::Other, "Quantum", "Quantum"),
        ] {
            let mode = AuthMode::new(text);
            assert_eq!((mode.kind(), mode.as_str(), mode.wire()), (kind, shown, wire));
        }
        assert_eq!(AuthMode::new("IDENTITY"), AuthMode::identity());
        assert_eq!(AuthMode::default(), AuthMode::access_key());
        assert_ne!(AuthMode::identity(), AuthMode::access_key());
    }
}
