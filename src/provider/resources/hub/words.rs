//! Words and names as Azure and HCL write them: each keeps the spelling it came with and compares by what it means.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::framework::schema::Refusal;

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
