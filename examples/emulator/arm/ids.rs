//! Resource ids: taken apart for routing, and compared without regard to case (facts: azure.md §5.8).

/// The form of an id that compares: lower case, one slash between segments, none at the end.
pub(crate) fn key(id: &str) -> String {
    let mut key = String::with_capacity(id.len() + 1);
    for segment in id.split('/').filter(|segment| !segment.is_empty()) {
        key.push('/');
        key.push_str(&segment.to_ascii_lowercase());
    }
    key
}

/// Whether two ids name one thing.
pub(crate) fn same(a: &str, b: &str) -> bool {
    key(a) == key(b)
}

/// The last segment of an id.
pub(crate) fn name(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id)
}

/// The segment after `label` in an id, as in `resourceGroups/{this}`.
pub(crate) fn part<'a>(id: &'a str, label: &str) -> Option<&'a str> {
    let mut segments = id.split('/').filter(|segment| !segment.is_empty());
    segments.by_ref().find(|segment| segment.eq_ignore_ascii_case(label))?;
    segments.next()
}

/// The resource group's id within an id.
pub(crate) fn group(id: &str) -> Option<String> {
    Some(format!("/subscriptions/{}/resourceGroups/{}", part(id, "subscriptions")?, part(id, "resourceGroups")?))
}

/// Whether a text is a GUID in its hyphenated form, the only one ARM takes.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// A path under a resource provider, taken apart: `{scope}/providers/{namespace}/{type}/{name}/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// What stands before the last `/providers/`; empty for the tenant's root.
    pub(crate) scope: String,
    /// As written by the caller.
    pub(crate) namespace: String,
    /// Type segments, as written: `workspaces`, or `workspaces`, `datastores`.
    pub(crate) types: Vec<String>,
    /// Name segments, one per type segment, or one fewer for a collection or an action.
    pub(crate) names: Vec<String>,
}

impl Target {
    /// Takes a path's segments apart; `None` when it is not under a provider or names no type.
    pub(crate) fn parse(segments: &[String]) -> Option<Self> {
        let at = segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers"))?;
        let [namespace, rest @ ..] = &segments[at + 1..] else { return None };
        if rest.is_empty() {
            return None;
        }
        let scope = segments[..at].iter().map(|segment| format!("/{segment}")).collect();
        let types = rest.iter().step_by(2).cloned().collect();
        let names = rest.iter().skip(1).step_by(2).cloned().collect();
        Some(Self { scope, namespace: namespace.clone(), types, names })
    }

    /// The full type in lower case, such as `microsoft.storage/storageaccounts`.
    pub(crate) fn kind(&self) -> String {
        format!("{}/{}", self.namespace, self.types.join("/")).to_ascii_lowercase()
    }

    /// Whether the path ends in a name, and not in a collection or an action.
    pub(crate) fn is_item(&self) -> bool {
        self.types.len() == self.names.len()
    }

    /// The id of the item the path names, or of the one that a child collection or an action belongs to.
    pub(crate) fn id(&self) -> String {
        let mut id = format!("{}/providers/{}", self.scope, self.namespace);
        for (kind, name) in self.types.iter().zip(&self.names) {
            id.push_str(&format!("/{kind}/{name}"));
        }
        id
    }
}
