//! Role assignments as they are kept, so that a list is a range, and as they are written.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;

use super::super::store::{Lagged, is_below};
use super::super::{clock, ids};

/// One role assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Assignment {
    /// The GUID it is named by, as written.
    pub(crate) name: String,
    /// Where it applies, as written.
    pub(crate) scope: String,
    /// The role's GUID in lower case.
    pub(crate) role: String,
    pub(crate) principal_id: String,
    pub(crate) principal_type: String,
    pub(crate) description: Option<String>,
    pub(crate) condition: Option<String>,
    pub(crate) condition_version: Option<String>,
    pub(crate) delegated_managed_identity: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) created_on: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(crate) updated_on: OffsetDateTime,
    pub(crate) created_by: String,
    pub(crate) updated_by: String,
}

/// All role assignments, by scope (a key) and then by lower-case name, so that a list is a range.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Assignments {
    by_scope: BTreeMap<String, BTreeMap<String, Lagged<Assignment>>>,
    /// Names are unique in the tenant: where each one is.
    scope_of: BTreeMap<String, String>,
}

impl Assignments {
    /// The assignment of a name, wherever it is.
    pub(crate) fn named(&self, name: &str) -> Option<&Assignment> {
        let name = name.to_ascii_lowercase();
        self.by_scope.get(self.scope_of.get(&name)?)?.get(&name)?.current()
    }

    /// What readers see at one scope under one name.
    pub(super) fn seen(&self, scope: &str, name: &str, at: OffsetDateTime, lag: Duration) -> Option<&Assignment> {
        self.by_scope.get(scope)?.get(&name.to_ascii_lowercase())?.seen(at, lag)
    }

    /// Writes an assignment under its name.
    pub(crate) fn put(&mut self, assignment: Assignment, at: OffsetDateTime, lag: Duration) {
        let (scope, name) = (ids::key(&assignment.scope), assignment.name.to_ascii_lowercase());
        self.scope_of.insert(name.clone(), scope.clone());
        let here = self.by_scope.entry(scope).or_default();
        match here.get_mut(&name) {
            Some(entry) => entry.write(Some(assignment), at, lag),
            None => _ = here.insert(name, Lagged::new(assignment, at)),
        }
    }

    /// Removes an assignment by its name; what it was.
    pub(crate) fn remove(&mut self, name: &str, at: OffsetDateTime, lag: Duration) -> Option<Assignment> {
        let name = name.to_ascii_lowercase();
        let scope = self.scope_of.remove(&name)?;
        let here = self.by_scope.get_mut(&scope)?;
        let old = here.get(&name)?.current()?.clone();
        if lag.is_zero() {
            here.remove(&name);
            if here.is_empty() {
                self.by_scope.remove(&scope);
            }
        } else if let Some(entry) = here.get_mut(&name) {
            entry.write(None, at, lag);
        }
        Some(old)
    }

    /// Removes all at and below a scope (a key), as when the resource is deleted.
    pub(crate) fn remove_below(&mut self, scope: &str, at: OffsetDateTime) {
        let names: Vec<String> = self
            .scope_of
            .iter()
            .filter(|(_, place)| place.as_str() == scope || is_below(scope, place))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.remove(&name, at, Duration::ZERO);
        }
    }

    /// Removes all of a principal, as when it is deleted.
    pub(crate) fn remove_of(&mut self, principal: &str, at: OffsetDateTime) {
        let held = self.all().filter(|assignment| assignment.principal_id.eq_ignore_ascii_case(principal));
        let names: Vec<String> = held.map(|assignment| assignment.name.clone()).collect();
        for name in names {
            self.remove(&name, at, Duration::ZERO);
        }
    }

    /// Those at exactly a scope (a key), as they are.
    pub(crate) fn at(&self, scope: &str) -> impl Iterator<Item = &Assignment> {
        self.by_scope.get(scope).into_iter().flat_map(BTreeMap::values).filter_map(Lagged::current)
    }

    /// Scopes strictly below one (keys), with what is at them.
    pub(super) fn below<'a>(
        &'a self,
        scope: &'a str,
    ) -> impl Iterator<Item = &'a BTreeMap<String, Lagged<Assignment>>> {
        self.by_scope
            .range::<str, _>((Bound::Excluded(scope), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(scope))
            .filter(move |(key, _)| is_below(scope, key))
            .map(|(_, here)| here)
    }

    /// Shows an assignment to everybody at once.
    pub(super) fn show(&mut self, scope: &str, name: &str) {
        if let Some(entry) = self.by_scope.get_mut(scope).and_then(|here| here.get_mut(&name.to_ascii_lowercase())) {
            entry.show();
        }
    }

    /// Those at a scope (a key), under their names, for readers who lag behind.
    pub(super) fn here(&self, scope: &str) -> Option<&BTreeMap<String, Lagged<Assignment>>> {
        self.by_scope.get(scope)
    }

    /// All of them, as they are.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Assignment> {
        self.by_scope.values().flat_map(BTreeMap::values).filter_map(Lagged::current)
    }
}

/// An assignment as ARM writes it. Written without a tree of values in between: lists of them are long.
pub(super) struct Shown<'a>(pub(super) &'a Assignment);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Item<'a> {
            id: String,
            name: &'a str,
            r#type: &'a str,
            properties: Properties<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Properties<'a> {
            role_definition_id: String,
            principal_id: &'a str,
            principal_type: &'a str,
            scope: &'a str,
            condition: &'a Option<String>,
            condition_version: &'a Option<String>,
            description: &'a Option<String>,
            created_on: String,
            updated_on: String,
            created_by: &'a str,
            updated_by: &'a str,
            delegated_managed_identity_resource_id: &'a Option<String>,
        }
        let assignment = self.0;
        let scope = if assignment.scope == "/" { "" } else { &assignment.scope };
        let subscription = ids::part(scope, "subscriptions").map(|id| format!("/subscriptions/{id}"));
        Item {
            id: format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", assignment.name),
            name: &assignment.name,
            r#type: "Microsoft.Authorization/roleAssignments",
            properties: Properties {
                role_definition_id: format!(
                    "{}/providers/Microsoft.Authorization/roleDefinitions/{}",
                    subscription.unwrap_or_default(),
                    assignment.role
                ),
                principal_id: &assignment.principal_id,
                principal_type: &assignment.principal_type,
                scope: &assignment.scope,
                condition: &assignment.condition,
                condition_version: &assignment.condition_version,
                description: &assignment.description,
                created_on: clock::ticks(assignment.created_on),
                updated_on: clock::ticks(assignment.updated_on),
                created_by: &assignment.created_by,
                updated_by: &assignment.updated_by,
                delegated_managed_identity_resource_id: &assignment.delegated_managed_identity,
            },
        }
        .serialize(serializer)
    }
}
