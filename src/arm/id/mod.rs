//! Azure resource ids: reading, building and comparing them.
//!
//! Azure compares ids without regard to case and clients spell the fixed segments in several ways
//! (`resourceGroups`, `resourcegroups`), so equality here ignores case while the text keeps the spelling it came with.

/// An id is parsed from a text, and from the text that serde finds.
macro_rules! parsed_from_text {
    ($id:ident) => {
        impl FromStr for $id {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $id {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }
    };
}

mod names;
mod role_assignment;
mod typed;

pub use names::{ResourceGroupName, SubscriptionId, WorkspaceName};
pub use role_assignment::{RoleAssignmentId, RoleDefinitionId};
pub use typed::{StorageAccountId, WorkspaceId};

use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, hash, iter, str::FromStr, sync::Arc};
use uuid::Uuid;

/// Why a text is not the id that was asked for. Found without asking Azure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("the id is empty; expected {expected}")]
    Empty {
        /// The form of id that was wanted.
        expected: &'static str,
    },
    /// An id is a path from the root.
    #[error("`{text}` does not start with a slash; expected {expected}")]
    NoLeadingSlash {
        /// The id as given.
        text: String,
        /// The form of id that was wanted.
        expected: &'static str,
    },
    /// Two slashes in a row, or a `.` or `..` segment.
    #[error("`{text}` has an empty or relative segment")]
    BadSegment {
        /// The id as given.
        text: String,
    },
    /// A character that cannot be part of an id and would change the meaning of the URL made of it.
    #[error("`{text}` contains {character:?}, which cannot be part of an Azure resource id")]
    BadCharacter {
        /// The id as given.
        text: String,
        /// The first offending character.
        character: char,
    },
    /// The segments are not those of the wanted kind of id.
    #[error("`{text}` is not of the form {expected}")]
    WrongShape {
        /// The id as given.
        text: String,
        /// The form of id that was wanted.
        expected: &'static str,
    },
    /// A well-formed id of another resource type.
    #[error("`{text}` is the id of a {got}, expected one of a {expected}")]
    WrongType {
        /// The id as given.
        text: String,
        /// The resource type that was wanted.
        expected: &'static str,
        /// The resource type it is.
        got: String,
    },
    /// The subscription segment is no GUID.
    #[error("the subscription `{subscription}` is not a GUID")]
    BadSubscription {
        /// The segment as given.
        subscription: String,
    },
    /// A name breaks the naming rule of its resource type.
    #[error("`{name}` cannot be the name of a {resource_type}: {rule}")]
    BadName {
        /// The name as given.
        name: String,
        /// The resource type.
        resource_type: &'static str,
        /// The rule in words.
        rule: &'static str,
    },
}

/// Any id or scope: the tenant root `/`, a management group, a subscription, a resource group, a resource or an
/// extension of one. It keeps the spelling it came with.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArmId(Arc<Spelling>);

/// An id as it came, and as it compares.
struct Spelling {
    text: String,
    key: String,
}

impl ArmId {
    const FORM: &'static str = "an Azure resource id such as /subscriptions/…/resourceGroups/…/providers/…";

    /// Reads an id.
    ///
    /// # Errors
    /// [`IdError`] when the text is no path, has empty or relative segments, or characters that would change the URL.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        Self::check(text)?;
        Ok(Self::spelt(text.to_owned()))
    }

    fn check(text: &str) -> Result<(), IdError> {
        if text.is_empty() {
            return Err(IdError::Empty { expected: Self::FORM });
        }
        if !text.starts_with('/') {
            return Err(IdError::NoLeadingSlash { text: text.to_owned(), expected: Self::FORM });
        }
        if is_plain(text) {
            return Ok(());
        }
        let is_bad = |char: &char| char.is_control() || matches!(char, '?' | '#' | '%' | '\\' | '|');
        if let Some(character) = text.chars().find(is_bad) {
            return Err(IdError::BadCharacter { text: text.to_owned(), character });
        }
        let is_bad = |segment: &str| segment.trim().is_empty() || matches!(segment, "." | "..");
        if text != "/" && trimmed(text)[1..].split('/').any(is_bad) {
            return Err(IdError::BadSegment { text: text.to_owned() });
        }
        Ok(())
    }

    fn spelt(text: String) -> Self {
        let shown = trimmed(&text);
        let key = if shown.is_ascii() { shown.to_ascii_lowercase() } else { lower_case(shown).collect() };
        Self(Arc::new(Spelling { text, key }))
    }

    /// The tenant root.
    pub fn root() -> Self {
        Self::spelt("/".to_owned())
    }

    /// The scope of a whole subscription.
    ///
    /// # Errors
    /// [`IdError::BadSubscription`] when the text is no GUID.
    pub fn subscription_scope(subscription: &str) -> Result<Self, IdError> {
        check_subscription(subscription)?;
        Ok(Self::spelt(format!("/subscriptions/{subscription}")))
    }

    /// The id as written, without a trailing slash.
    pub fn as_str(&self) -> &str {
        trimmed(&self.0.text)
    }

    /// The same id for use where nobody has spelled it.
    pub fn without_trailing_slash(&self) -> Self {
        if self.as_str().len() == self.0.text.len() { self.clone() } else { Self::spelt(self.as_str().to_owned()) }
    }

    /// The id in lower case: equal for equal ids.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// The keys of this id and of all above it, the tenant root last.
    pub fn keys_upwards(&self) -> impl Iterator<Item = &str> {
        let below_root = Some(self.key()).filter(|key| *key != "/");
        fn above<'k>(key: &&'k str) -> Option<&'k str> {
            key.rsplit_once('/').map(|(above, _)| above).filter(|above| !above.is_empty())
        }
        iter::successors(below_root, above).chain(["/"])
    }

    /// The id of something below this one; `rest` starts with a slash.
    pub(crate) fn below(&self, rest: &str) -> Self {
        Self::spelt(self.path_below(rest))
    }

    /// The same where it is not compared, as the path of a request.
    pub(crate) fn path_below(&self, rest: &str) -> String {
        format!("{}{rest}", self.0.text.trim_end_matches('/'))
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.text.split('/').skip(1).filter(|segment| !segment.is_empty())
    }

    /// The value that follows a fixed segment, such as the name after `resourceGroups`.
    fn after(&self, fixed: &str) -> Option<&str> {
        let mut segments = self.segments();
        while let Some(segment) = segments.next() {
            let value = segments.next();
            if segment.eq_ignore_ascii_case(fixed) {
                return value;
            }
            // Past `providers` the segments are names somebody chose, which may look like fixed ones.
            if segment.eq_ignore_ascii_case("providers") {
                return None;
            }
        }
        None
    }

    /// The subscription's GUID, if the id lies in one.
    pub fn subscription(&self) -> Option<&str> {
        self.after("subscriptions")
    }

    /// The resource group's name, if the id lies in one.
    pub fn resource_group(&self) -> Option<&str> {
        self.after("resourceGroups")
    }

    /// The last segment: the resource's own name.
    pub fn name(&self) -> &str {
        self.as_str().rsplit('/').next().unwrap_or_default()
    }

    /// The type with its namespace, such as `Microsoft.Storage/storageAccounts`; that of the extension for an
    /// extension resource, and nothing for a bare subscription or group.
    pub fn resource_type(&self) -> Option<String> {
        resource_type(self.as_str())
    }

    /// Whether this id is `scope` or lies below it.
    pub fn is_within(&self, scope: &ArmId) -> bool {
        let (id, scope) = (self.key(), scope.key());
        scope == "/" || id.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl AsRef<str> for ArmId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// As written.
impl From<ArmId> for String {
    fn from(id: ArmId) -> Self {
        id.0.text.clone()
    }
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for ArmId {}

impl Ord for ArmId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for ArmId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl hash::Hash for ArmId {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.text)
    }
}

parsed_from_text!(ArmId);

/// A text in the form in which texts are compared. It is taken character by character: that of a whole text depends on where
/// words end.
fn lower_case(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Whether a path has only letters, digits, `-`, `_`, single slashes, and dots that begin no segment, as nearly all ids do. Such a
/// path needs no further check, which counts: each object has its ids read many times.
fn is_plain(text: &str) -> bool {
    let mut previous = 0;
    text.bytes().all(|byte| {
        let follows_slash = std::mem::replace(&mut previous, byte) == b'/';
        match byte {
            b'/' | b'.' => !follows_slash,
            b'-' | b'_' => true,
            _ => byte.is_ascii_alphanumeric(),
        }
    })
}

/// The text before and after the last `/providers/` of an id.
fn split_at_last_provider(text: &str) -> Option<(&str, &str)> {
    const WORD: &str = "/providers/";
    let is_word = |at: &usize| text.get(*at..at + WORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(WORD));
    let at = text.rmatch_indices('/').map(|(at, _)| at).find(is_word)?;
    Some((&text[..at], &text[at + WORD.len()..]))
}

fn resource_type(text: &str) -> Option<String> {
    let (_, tail) = split_at_last_provider(text)?;
    let mut segments = tail.split('/');
    let namespace = segments.next()?;
    let types: Vec<&str> = segments.step_by(2).collect();
    (!types.is_empty()).then(|| format!("{namespace}/{}", types.join("/")))
}

/// An id without the slash that some clients write at its end.
fn trimmed(text: &str) -> &str {
    match text.strip_suffix('/') {
        None | Some("") => text,
        Some(trimmed) => trimmed,
    }
}

fn check_subscription(subscription: &str) -> Result<(), IdError> {
    match Uuid::try_parse(subscription) {
        Ok(_) if subscription.len() == 36 => Ok(()),
        _ => Err(IdError::BadSubscription { subscription: subscription.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SUB: &str = "11111111-2222-3333-4444-555555555555";

    fn workspace(name: &str) -> String {
        format!("/subscriptions/{SUB}/resourceGroups/rg1/providers/Microsoft.MachineLearningServices/workspaces/{name}")
    }

    #[test]
    fn parts_of_ids_are_found() {
        let id = ArmId::parse(&workspace("hub1")).unwrap();
        assert_eq!(id.subscription(), Some(SUB));
        assert_eq!(id.resource_group(), Some("rg1"));
        assert_eq!(id.name(), "hub1");
        assert_eq!(id.resource_type().as_deref(), Some("Microsoft.MachineLearningServices/workspaces"));

        let group = ArmId::parse("/providers/Microsoft.Management/managementGroups/resourceGroups").unwrap();
        assert_eq!(group.resource_group(), None);
        assert_eq!(group.resource_type().as_deref(), Some("Microsoft.Management/managementGroups"));
        assert_eq!(ArmId::subscription_scope(SUB).unwrap().resource_type(), None);

        let nested = ArmId::parse(&format!("{}/datastores/d1", workspace("hub1"))).unwrap();
        assert_eq!(nested.resource_type().as_deref(), Some("Microsoft.MachineLearningServices/workspaces/datastores"));
    }

    #[test]
    fn ids_are_equal_whatever_their_case_and_trailing_slash() {
        let a = ArmId::parse(&workspace("hub1")).unwrap();
        let b = ArmId::parse(&format!("{}/", workspace("HUB1").to_uppercase())).unwrap();
        assert_eq!(a, b);
        assert_eq!(a.key(), b.key());
        assert_eq!(std::collections::HashSet::from([a, b]).len(), 1);
        assert_ne!(ArmId::parse("/a").unwrap(), ArmId::parse("/b").unwrap());
    }

    #[test]
    fn a_scope_holds_what_is_below_it_and_not_what_merely_starts_like_it() {
        let hub = ArmId::parse(&workspace("hub1")).unwrap();
        let longer = ArmId::parse(&workspace("hub11")).unwrap();
        assert!(hub.is_within(&hub));
        assert!(hub.is_within(&ArmId::root()));
        assert!(hub.is_within(&ArmId::parse(&format!("/SUBSCRIPTIONS/{SUB}")).unwrap()));
        assert!(!longer.is_within(&hub));
        assert!(!ArmId::root().is_within(&hub));
    }

    #[test]
    fn malformed_ids_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "the id is empty"),
            ("subscriptions/x", "does not start with a slash"),
            ("/subscriptions//x", "empty or relative segment"),
            ("/subscriptions/../x", "empty or relative segment"),
            ("/subscriptions/x?y", "contains '?'"),
            ("/subscriptions/x%2f", "contains '%'"),
            ("/subscriptions/x\n", "contains '\\n'"),
        ] {
            let message = ArmId::parse(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text:?}: {message}");
        }
    }

    proptest! {
        #[test]
        fn reading_any_text_never_panics_and_what_is_read_is_stable(text in "/?[ -~é/]{0,60}") {
            if let Ok(id) = ArmId::parse(&text) {
                let again = ArmId::parse(id.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), id.as_str());
                let _ = (id.resource_type(), id.subscription(), id.resource_group(), id.name());
            }
            let _ = (WorkspaceId::parse(&text), StorageAccountId::parse(&text), RoleAssignmentId::parse(&text));
        }
    }
}
