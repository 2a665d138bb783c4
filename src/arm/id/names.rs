//! The parts of an id that users name by themselves, with the naming rule of each.

use super::{IdError, WorkspaceId, check_subscription, lower_case, typed};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! part_of_id {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        ///
        /// It keeps the spelling it came with and compares without regard to case.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads it.
            ///
            /// # Errors
            /// [`IdError`] with the rule that the text breaks.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }

            /// As written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                lower_case(&self.0).eq(lower_case(&other.0))
            }
        }

        impl Eq for $name {}

        impl From<$name> for String {
            fn from(part: $name) -> Self {
                part.0
            }
        }

        parsed_from_text!($name);
    };
}

part_of_id! {
    /// The GUID of a subscription.
    SubscriptionId, check_subscription
}

part_of_id! {
    /// The name of a resource group.
    ResourceGroupName, check_resource_group
}

part_of_id! {
    /// The name of a workspace; hubs and projects are workspaces.
    WorkspaceName, typed::check_workspace_name
}

impl WorkspaceId {
    /// The id of the workspace with these parts.
    pub fn of(subscription: &SubscriptionId, resource_group: &ResourceGroupName, name: &WorkspaceName) -> Self {
        Self::new(subscription.as_str(), resource_group.as_str(), name.as_str()).expect("each part keeps its rule")
    }
}

fn check_resource_group(name: &str) -> Result<(), IdError> {
    let allowed = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.' | '(' | ')');
    if (1..=90).contains(&name.chars().count()) && name.chars().all(allowed) && !name.ends_with('.') {
        return Ok(());
    }
    Err(IdError::BadName {
        name: name.to_owned(),
        resource_type: "Microsoft.Resources/resourceGroups",
        rule: "1 to 90 letters, digits, hyphens, underscores, parentheses and periods, not ending with a period",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_ids_are_checked_by_the_rule_of_each() {
        let group = |text: &str| ResourceGroupName::parse(text).map(String::from).map_err(|error| error.to_string());
        for text in ["rg1", "Größe", "a.b-(c)_d", &"x".repeat(90)] {
            assert_eq!(group(text).as_deref(), Ok(text));
        }
        for text in ["", "rg.", "r g", "rg/x", "rg|x", &"x".repeat(91)] {
            assert!(group(text).unwrap_err().contains("1 to 90 letters"), "{text:?}");
        }
        assert!(WorkspaceName::parse("h").unwrap_err().to_string().contains("3 to 33 letters"));
        assert!(SubscriptionId::parse("prod").unwrap_err().to_string().contains("is not a GUID"));
        let subscription = SubscriptionId::parse("11111111-2222-3333-4444-555555555555").unwrap();
        for (of, name) in
            [("Größe", "hub-1_a"), ("a.b-(c)_d", "999"), ("providers", "providers"), ("workspaces", "hub")]
        {
            let (of, name) = (ResourceGroupName::parse(of).unwrap(), WorkspaceName::parse(name).unwrap());
            let id = WorkspaceId::of(&subscription, &of, &name);
            assert_eq!((id.resource_group(), id.name()), (of.as_str(), name.as_str()));
        }
        assert_eq!(WorkspaceName::parse("Hub1").unwrap(), WorkspaceName::parse("hub1").unwrap());
        assert_eq!(ResourceGroupName::parse("ΑΣ").unwrap(), ResourceGroupName::parse("ασ").unwrap());
    }
}
