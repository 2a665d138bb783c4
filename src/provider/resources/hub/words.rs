//! Words and names as Azure and HCL write them: each keeps the spelling it came with and compares by what it means.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::framework::{Value, schema::Refusal};

/// Declares words of Azure that compare without regard to case. A configuration may use these only; what Azure answers is
/// taken as it is.
macro_rules! words_of_azure {
    ($(#[$doc:meta])* $name:ident, [$($word:literal),+]) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(String);

        impl $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            /// The spelling that is sent.
            pub(super) fn wire(&self) -> &str {
                Self::WORDS.iter().find(|word| word.eq_ignore_ascii_case(&self.0)).copied().unwrap_or(&self.0)
            }

            pub(super) fn is(&self, word: &str) -> bool {
                self.0.eq_ignore_ascii_case(word)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self, Refusal> {
                match Self::WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) {
                    true => Ok(Self(text.to_owned())),
                    false => Err(Refusal::not_one_of(text, Self::WORDS)),
                }
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }
    };
}

words_of_azure! {
    /// Whether public networks reach a hub.
    PublicNetworkAccess, ["Enabled", "Disabled"]
}

words_of_azure! {
    /// How a managed network is isolated.
    IsolationMode, ["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"]
}

words_of_azure! {
    /// What happens to addresses without a rule.
    DefaultAction, ["Allow", "Deny"]
}

impl IsolationMode {
    /// Whether a network in this mode may change to `other`: isolation only ever grows.
    pub(super) fn may_become(&self, other: &Self) -> bool {
        let rank = |mode: &Self| Self::WORDS.iter().position(|word| mode.is(word));
        rank(self).zip(rank(other)).is_none_or(|(from, to)| from <= to)
    }
}

/// A region. Its display name, such as `East US`, is the same as its name `eastus`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Location(String);

impl Location {
    /// Its name, which is sent.
    pub(super) fn wire(&self) -> String {
        self.0.to_lowercase().replace(' ', "")
    }
}

impl From<&str> for Location {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for Location {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match text.trim().is_empty() {
            true => Err(Refusal::invalid("A region is wanted, such as eastus.")),
            false => Ok(Self(text.to_owned())),
        }
    }
}

impl PartialEq for Location {
    fn eq(&self, other: &Self) -> bool {
        self.wire() == other.wire()
    }
}

/// An IPv4 address, or a range in CIDR notation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AddressRange([u8; 4], u8);

impl FromStr for AddressRange {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let bits = bits.parse().ok().filter(|bits| *bits <= 32);
        let octets: Option<Vec<u8>> = address.split('.').map(|octet| octet.parse().ok()).collect();
        let range =
            octets.and_then(|octets| octets.try_into().ok()).zip(bits).map(|(address, bits)| Self(address, bits));
        range.ok_or_else(|| {
            Refusal::invalid(format!(
                "{text:?} is no IPv4 address, such as 198.51.100.7, and no range, such as 198.51.100.0/24."
            ))
        })
    }
}

/// The vault in the URL `https://VAULT.…/keys/NAME/VERSION` of a key; none where this is no such URL.
pub(super) fn vault_of_key(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let mut parts = rest.trim_end_matches('/').split('/');
    let (host, keys) = (parts.next()?, parts.next()?);
    let has_name_and_version = parts.by_ref().take(2).filter(|part| !part.is_empty()).count() == 2;
    let is_key = scheme.eq_ignore_ascii_case("https") && keys.eq_ignore_ascii_case("keys") && has_name_and_version;
    let vault = host.split('.').next().filter(|vault| !vault.is_empty());
    vault.filter(|_| is_key && parts.next().is_none())
}

/// Refuses a text that is no URL of a key with its version.
pub(super) fn check_key(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if vault_of_key(text).is_none() => Err(Refusal::invalid(format!(
            "{text:?} is no URL of a key with its version, such as https://VAULT.vault.azure.net/keys/NAME/VERSION."
        ))),
        _ => Ok(()),
    }
}

/// Which kinds of managed identities a hub has. It is written with a space after the comma or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum IdentityType {
    System,
    User,
    Both,
}

impl IdentityType {
    const WORDS: [(&'static str, Self); 3] =
        [("SystemAssigned", Self::System), ("UserAssigned", Self::User), ("SystemAssigned, UserAssigned", Self::Both)];

    pub(super) fn has_system(self) -> bool {
        self != Self::User
    }

    pub(super) fn has_user(self) -> bool {
        self != Self::System
    }

    /// The spelling that is sent.
    pub(super) fn wire(self) -> String {
        String::from(self).replace(' ', "")
    }
}

impl FromStr for IdentityType {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let meant = |word: &str| text.replace(' ', "").eq_ignore_ascii_case(&word.replace(' ', ""));
        let found = Self::WORDS.iter().find(|(word, _)| meant(word)).map(|(_, found)| *found);
        found.ok_or_else(|| {
            let [system, user, both] = Self::WORDS.map(|(word, _)| word);
            Refusal::invalid(format!("{text:?} is none of {system:?}, {user:?} and {both:?}."))
        })
    }
}

impl TryFrom<String> for IdentityType {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        text.parse()
    }
}

impl From<IdentityType> for String {
    fn from(is: IdentityType) -> Self {
        let word = IdentityType::WORDS.iter().find(|(_, known)| *known == is).map(|(word, _)| *word);
        word.unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_types_are_read_with_a_space_and_without() {
        for (text, is, wire) in [
            ("SystemAssigned", IdentityType::System, "SystemAssigned"),
            ("systemassigned,UserAssigned", IdentityType::Both, "SystemAssigned,UserAssigned"),
            ("SystemAssigned, UserAssigned", IdentityType::Both, "SystemAssigned,UserAssigned"),
            ("UserAssigned", IdentityType::User, "UserAssigned"),
        ] {
            let read: IdentityType = text.parse().unwrap();
            assert_eq!((read, read.wire().as_str()), (is, wire));
        }
        assert!("None".parse::<IdentityType>().is_err());
    }

    #[test]
    fn keys_are_named_with_vault_and_version() {
        let url = "https://kv1.vault.azure.net/keys/k/1";
        for (text, vault) in [
            (url, Some("kv1")),
            ("HTTPS://kv1.vault.azure.net/Keys/k/1/", Some("kv1")),
            ("http://kv1.vault.azure.net/keys/k/1", None),
            ("https://kv1.vault.azure.net/keys/k", None),
            ("https://kv1.vault.azure.net/secrets/k/1", None),
            ("https://kv1.vault.azure.net/keys/k/1/2", None),
            ("https:///keys/k/1", None),
            ("k/1", None),
        ] {
            assert_eq!(vault_of_key(text), vault, "{text}");
        }
    }

    #[test]
    fn isolation_only_grows() {
        let modes = IsolationMode::WORDS;
        for (from, to, may) in [(0, 0, true), (0, 1, true), (0, 2, true), (1, 2, true), (1, 0, false), (2, 1, false)] {
            let [from, to] = [from, to].map(|at: usize| IsolationMode::from(modes[at].to_lowercase().as_str()));
            assert_eq!(from.may_become(&to), may, "{from:?} {to:?}");
        }
    }

    #[test]
    fn a_region_is_the_same_by_name_and_display_name() {
        assert_eq!(Location::from("East US 2"), Location::from("eastus2"));
        assert_ne!(Location::from("East US"), Location::from("eastus2"));
    }
}
