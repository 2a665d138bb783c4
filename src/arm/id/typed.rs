//! Ids of one resource type, with the naming rules of that type.

use super::{ArmId, IdError, check_subscription};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What tells one kind of top-level resource from another.
struct Kind {
    resource_type: &'static str,
    form: &'static str,
    rule: &'static str,
    name_is_valid: fn(&str) -> bool,
}

/// Reads an id of exactly one kind: subscription, resource group and name, nothing below.
fn parse_kind(text: &str, kind: &Kind) -> Result<ArmId, IdError> {
    let id = match ArmId::parse(text) {
        Ok(id) => id,
        Err(IdError::Empty { .. }) => return Err(IdError::Empty { expected: kind.form }),
        Err(IdError::NoLeadingSlash { text, .. }) => {
            return Err(IdError::NoLeadingSlash { text, expected: kind.form });
        }
        Err(other) => return Err(other),
    };
    let segments: Vec<&str> = id.segments().collect();
    let is_of_kind = |namespace: &str, ty: &str| {
        let wanted = kind.resource_type.split_once('/');
        wanted.is_some_and(|wanted| namespace.eq_ignore_ascii_case(wanted.0) && ty.eq_ignore_ascii_case(wanted.1))
    };
    if let [subscriptions, subscription, groups, _, providers, namespace, ty, name] = segments[..]
        && subscriptions.eq_ignore_ascii_case("subscriptions")
        && groups.eq_ignore_ascii_case("resourceGroups")
        && providers.eq_ignore_ascii_case("providers")
        && is_of_kind(namespace, ty)
    {
        check_subscription(subscription)?;
        check_name(name, kind)?;
        return Ok(id);
    }
    match id.resource_type() {
        Some(got) if !got.eq_ignore_ascii_case(kind.resource_type) => {
            Err(IdError::WrongType { text: text.to_owned(), expected: kind.resource_type, got })
        }
        _ => Err(IdError::WrongShape { text: text.to_owned(), expected: kind.form }),
    }
}

fn check_name(name: &str, kind: &Kind) -> Result<(), IdError> {
    if (kind.name_is_valid)(name) {
        return Ok(());
    }
    Err(IdError::BadName { name: name.to_owned(), resource_type: kind.resource_type, rule: kind.rule })
}

/// Whether a workspace may have this name.
pub(super) fn check_workspace_name(name: &str) -> Result<(), IdError> {
    check_name(name, &WORKSPACE)
}

macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(ArmId);

        impl $name {
            /// The resource type with its namespace.
            pub const RESOURCE_TYPE: &'static str = $kind.resource_type;

            /// Reads an id of this type; a trailing slash and any casing are accepted.
            ///
            /// # Errors
            /// [`IdError`] saying what is wrong with the text.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                parse_kind(text, &$kind).map(Self)
            }

            /// Builds the id from its parts.
            ///
            /// # Errors
            /// [`IdError`] when a part breaks its naming rule.
            pub fn new(subscription: &str, resource_group: &str, name: &str) -> Result<Self, IdError> {
                Self::parse(&format!(
                    "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/{}/{name}",
                    $kind.resource_type
                ))
            }

            /// The id as a general one.
            pub fn arm(&self) -> &ArmId {
                &self.0
            }

            /// The id as written, without a trailing slash.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The subscription's GUID.
            pub fn subscription(&self) -> &str {
                self.0.subscription().unwrap_or_default()
            }

            /// The resource group's name.
            pub fn resource_group(&self) -> &str {
                self.0.resource_group().unwrap_or_default()
            }

            /// The resource's own name.
            pub fn name(&self) -> &str {
                self.0.name()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        /// As written.
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        parsed_from_text!($name);

        impl From<$name> for ArmId {
            fn from(id: $name) -> ArmId {
                id.0
            }
        }

        impl TryFrom<&ArmId> for $name {
            type Error = IdError;

            fn try_from(id: &ArmId) -> Result<Self, IdError> {
                Self::parse(id.as_str())
            }
        }
    };
}

// The naming rules are those of the services' published API specifications.
const WORKSPACE: Kind = Kind {
    resource_type: "Microsoft.MachineLearningServices/workspaces",
    form: "/subscriptions/{guid}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{name}",
    rule: "3 to 33 letters, digits, hyphens and underscores, starting with a letter or digit",
    name_is_valid: |name| {
        (3..=33).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    },
};

const STORAGE_ACCOUNT: Kind = Kind {
    resource_type: "Microsoft.Storage/storageAccounts",
    form: "/subscriptions/{guid}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}",
    rule: "3 to 24 lower-case letters and digits",
    // Case is forgiven here as everywhere in ids: Azure would find the account.
    name_is_valid: |name| (3..=24).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric()),
};

resource_id! {
    /// The id of a workspace; hubs and projects are workspaces.
    WorkspaceId, WORKSPACE
}

resource_id! {
    /// The id of a storage account.
    StorageAccountId, STORAGE_ACCOUNT
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const SUB: &str = "11111111-2222-3333-4444-555555555555";

    fn workspace(name: &str) -> String {
        format!("/subscriptions/{SUB}/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/{name}")
    }

    #[test]
    fn ids_of_another_kind_or_with_bad_parts_are_refused_with_the_reason() {
        let storage =
            format!("/subscriptions/{SUB}/resourceGroups/rg1/providers/Microsoft.Storage/storageAccounts/sa1");
        for (text, reason) in [
            (storage.as_str(), "is the id of a Microsoft.Storage/storageAccounts"),
            (&workspace("hub1/datastores/d"), "is the id of a Microsoft.MachineLearningServices/workspaces/datastores"),
            (&workspace("h"), "3 to 33 letters"),
            (&workspace("-hub"), "starting with a letter or digit"),
            (&workspace("hub1").replace(SUB, "my-subscription"), "is not a GUID"),
            (&workspace("hub1").replace("resourceGroups", "groups"), "is not of the form /subscriptions/{guid}"),
            (&format!("/subscriptions/{SUB}"), "is not of the form"),
            (&format!("/subscriptions/{SUB}/resourceGroups/rg1/providers/x/providers/hub1"), "is not of the form"),
            (
                &format!("/subscriptions/{SUB}/resourceGroups/rg1/providers/providers/{}", WorkspaceId::RESOURCE_TYPE),
                "is not of the form",
            ),
        ] {
            let message = WorkspaceId::parse(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text:?}: {message}");
        }
        assert!(StorageAccountId::new(SUB, "rg", "no_underscores").is_err());
    }

    proptest! {
        #[test]
        fn a_workspace_id_survives_being_written_and_read(
            sub in any::<u128>(), group in "[a-zA-Z0-9_.()-]{0,20}[a-zA-Z0-9_()-]", name in "[a-zA-Z0-9][a-zA-Z0-9_-]{2,32}"
        ) {
            let sub = Uuid::from_u128(sub).to_string();
            let id = WorkspaceId::new(&sub, &group, &name).unwrap();
            prop_assert_eq!(id.subscription(), sub);
            prop_assert_eq!(id.resource_group(), group);
            prop_assert_eq!(id.name(), name);
            prop_assert_eq!(&WorkspaceId::parse(id.as_str()).unwrap(), &id);
            prop_assert_eq!(&WorkspaceId::parse(&format!("{}/", id.as_str().to_uppercase())).unwrap(), &id);
        }
    }
}
