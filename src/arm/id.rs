//! Azure resource ids: reading, building and comparing them.
//!
//! Azure compares ids without regard to case and clients spell the fixed segments in several ways
//! (`resourceGroups`, `resourcegroups`), so equality here ignores case while the text keeps the spelling it came with.

use std::{fmt, hash, str::FromStr};
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
    /// The last segment breaks the naming rule of its resource type.
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
/// extension of one. A trailing slash is dropped, everything else stays as written.
#[derive(Clone)]
pub struct ArmId(String);

impl ArmId {
    const FORM: &'static str = "an Azure resource id such as /subscriptions/…/resourceGroups/…/providers/…";

    /// Reads an id.
    ///
    /// # Errors
    /// [`IdError`] when the text is no path, has empty or relative segments, or characters that would change the URL.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Err(IdError::Empty { expected: Self::FORM });
        }
        if !text.starts_with('/') {
            return Err(IdError::NoLeadingSlash { text: text.to_owned(), expected: Self::FORM });
        }
        if let Some(character) = text.chars().find(|c| c.is_control() || matches!(c, '?' | '#' | '%' | '\\' | '|')) {
            return Err(IdError::BadCharacter { text: text.to_owned(), character });
        }
        if text == "/" {
            return Ok(Self::root());
        }
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        if trimmed[1..].split('/').any(|segment| segment.trim().is_empty() || matches!(segment, "." | "..")) {
            return Err(IdError::BadSegment { text: text.to_owned() });
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The tenant root.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The scope of a whole subscription.
    ///
    /// # Errors
    /// [`IdError::BadSubscription`] when the text is no GUID.
    pub fn subscription_scope(subscription: &str) -> Result<Self, IdError> {
        check_subscription(subscription)?;
        Ok(Self(format!("/subscriptions/{subscription}")))
    }

    /// The id as written, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in lower case: equal for equal ids.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// The id of something below this one; `rest` starts with a slash.
    pub(crate) fn below(&self, rest: &str) -> String {
        format!("{}{rest}", self.0.trim_end_matches('/'))
    }

    fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1).filter(|segment| !segment.is_empty())
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
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The type with its namespace, such as `Microsoft.Storage/storageAccounts`; that of the extension for an
    /// extension resource, and nothing for a bare subscription or group.
    pub fn resource_type(&self) -> Option<String> {
        let (_, tail) = self.split_at_last_provider()?;
        let mut segments = tail.split('/');
        let namespace = segments.next()?;
        let types: Vec<&str> = segments.step_by(2).collect();
        (!types.is_empty()).then(|| format!("{namespace}/{}", types.join("/")))
    }

    /// The text before and after the last `/providers/`.
    fn split_at_last_provider(&self) -> Option<(&str, &str)> {
        const WORD: &str = "/providers/";
        // Lower-casing ASCII only keeps every byte where it was.
        let at = self.0.to_ascii_lowercase().rfind(WORD)?;
        Some((&self.0[..at], &self.0[at + WORD.len()..]))
    }

    /// Whether this id is `scope` or lies below it.
    pub fn is_within(&self, scope: &ArmId) -> bool {
        let (id, scope) = (self.key(), scope.key());
        scope == "/" || id == scope || id.strip_prefix(&scope).is_some_and(|rest| rest.starts_with('/'))
    }
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.0.chars().flat_map(char::to_lowercase).eq(other.0.chars().flat_map(char::to_lowercase))
    }
}

impl Eq for ArmId {}

impl hash::Hash for ArmId {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.chars().flat_map(char::to_lowercase).for_each(|c| c.hash(state));
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl FromStr for ArmId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

fn check_subscription(subscription: &str) -> Result<(), IdError> {
    match Uuid::try_parse(subscription) {
        Ok(_) if subscription.len() == 36 => Ok(()),
        _ => Err(IdError::BadSubscription { subscription: subscription.to_owned() }),
    }
}

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
    if let Some(got) = id.resource_type()
        && !got.eq_ignore_ascii_case(kind.resource_type)
    {
        return Err(IdError::WrongType { text: text.to_owned(), expected: kind.resource_type, got });
    }
    let is = |at: usize, word: &str| segments[at].eq_ignore_ascii_case(word);
    if segments.len() != 8 || !is(0, "subscriptions") || !is(2, "resourceGroups") || !is(4, "providers") {
        return Err(IdError::WrongShape { text: text.to_owned(), expected: kind.form });
    }
    check_subscription(segments[1])?;
    check_name(segments[7], kind)?;
    Ok(id)
}

fn check_name(name: &str, kind: &Kind) -> Result<(), IdError> {
    if (kind.name_is_valid)(name) {
        return Ok(());
    }
    Err(IdError::BadName { name: name.to_owned(), resource_type: kind.resource_type, rule: kind.rule })
}

macro_rules! resource_id {
    ($(#[$doc:meta])* $name:ident, $kind:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

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

/// The id of a role assignment: a name at a scope, and for assignments that live in another tenant that tenant's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoleAssignmentId {
    /// Where the role is held.
    pub scope: ArmId,
    /// The assignment's name, unique across the tenant.
    pub name: Uuid,
    /// The tenant of a delegated assignment; written after a `|` as azurerm does.
    pub tenant: Option<String>,
}

impl RoleAssignmentId {
    const FORM: &'static str = "{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}";
    const RESOURCE_TYPE: &'static str = "Microsoft.Authorization/roleAssignments";

    /// An assignment of the client's own tenant.
    pub fn new(scope: ArmId, name: Uuid) -> Self {
        Self { scope, name, tenant: None }
    }

    /// Reads `{scope}/providers/Microsoft.Authorization/roleAssignments/{guid}`, optionally followed by `|{tenant}`.
    ///
    /// # Errors
    /// [`IdError`] saying what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let wrong_shape = || IdError::WrongShape { text: text.to_owned(), expected: Self::FORM };
        let (path, tenant) = match text.split_once('|') {
            Some((path, tenant)) if Uuid::try_parse(tenant).is_ok() => (path, Some(tenant.to_owned())),
            Some(_) => return Err(wrong_shape()),
            None => (text, None),
        };
        let id = ArmId::parse(path)?;
        match id.resource_type() {
            Some(got) if got.eq_ignore_ascii_case(Self::RESOURCE_TYPE) => {}
            Some(got) => {
                return Err(IdError::WrongType { text: text.to_owned(), expected: Self::RESOURCE_TYPE, got });
            }
            None => return Err(wrong_shape()),
        }
        let (scope, tail) = id.split_at_last_provider().ok_or_else(wrong_shape)?;
        if tail.split('/').count() != 3 {
            return Err(wrong_shape());
        }
        let name = Uuid::try_parse(id.name()).map_err(|_| IdError::BadName {
            name: id.name().to_owned(),
            resource_type: Self::RESOURCE_TYPE,
            rule: "a GUID",
        })?;
        let scope = ArmId(if scope.is_empty() { "/".to_owned() } else { scope.to_owned() });
        Ok(Self { scope, name, tenant })
    }

    /// The path of the assignment, without the tenant.
    pub fn path(&self) -> String {
        self.scope.below(&format!("/providers/{}/{}", Self::RESOURCE_TYPE, self.name))
    }
}

impl fmt::Display for RoleAssignmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())?;
        match &self.tenant {
            Some(tenant) => write!(f, "|{tenant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for RoleAssignmentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

/// The GUID at the end of a role definition id. Two definition ids mean the same role exactly when these are equal:
/// callers write the root, the subscription or the resource form.
pub fn role_definition_guid(role_definition_id: &str) -> Option<Uuid> {
    Uuid::try_parse(role_definition_id.trim_end_matches('/').rsplit('/').next()?).ok()
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
        assert_ne!(WorkspaceId::parse(&workspace("hub1")).unwrap(), WorkspaceId::parse(&workspace("hub2")).unwrap());
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
        ] {
            let message = WorkspaceId::parse(text).unwrap_err().to_string();
            assert!(message.contains(reason), "{text:?}: {message}");
        }
        assert!(StorageAccountId::new(SUB, "rg", "no_underscores").is_err());
    }

    #[test]
    fn role_assignment_ids_are_read_at_every_kind_of_scope() {
        let name = "0f000000-0000-4000-8000-000000000001";
        for scope in [
            "/".to_owned(),
            format!("/subscriptions/{SUB}"),
            "/providers/Microsoft.Management/managementGroups/mg1".to_owned(),
            workspace("hub1"),
        ] {
            let text = format!(
                "{}/providers/Microsoft.Authorization/roleAssignments/{name}",
                if scope == "/" { "" } else { &scope }
            );
            let id = RoleAssignmentId::parse(&text).unwrap();
            assert_eq!(id.scope.as_str(), scope);
            assert_eq!(id.to_string(), text);
        }
        let delegated = format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleAssignments/{name}|{SUB}");
        let id = RoleAssignmentId::parse(&delegated).unwrap();
        assert_eq!((id.tenant.as_deref(), id.to_string()), (Some(SUB), delegated));
        for bad in [
            format!("/subscriptions/{SUB}"),
            "/providers/Microsoft.Authorization/roleAssignments/not-a-guid".to_owned(),
            format!("/providers/Microsoft.Authorization/roleDefinitions/{name}"),
            format!("/providers/Microsoft.Authorization/roleAssignments/{name}|tenant"),
        ] {
            assert!(RoleAssignmentId::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn role_definitions_are_told_apart_by_their_guid() {
        let guid = "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
        let forms = [
            guid.to_owned(),
            format!("/providers/Microsoft.Authorization/roleDefinitions/{}", guid.to_uppercase()),
            format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{guid}/"),
        ];
        for form in forms {
            assert_eq!(role_definition_guid(&form).unwrap().to_string(), guid);
        }
        assert_eq!(role_definition_guid("Contributor"), None);
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
            prop_assert_eq!(&WorkspaceId::parse(&id.to_string()).unwrap(), &id);
            prop_assert_eq!(&WorkspaceId::parse(&format!("{}/", id.as_str().to_uppercase())).unwrap(), &id);
        }

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
