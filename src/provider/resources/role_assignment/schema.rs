//! What is written in HCL, and what of it is refused without asking Azure.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{
    arm::{ArmId, RoleAssignmentId, RoleDefinitionId, StorageAccountId, WorkspaceId},
    framework::{
        Attr, Type, Value, one_of,
        schema::{Attribute, Block, IdentityAttribute, IdentitySchema, Nesting, Presence, Refusal, Schema},
        timeouts::{self, Period, Timeouts},
    },
    provider::{
        principal::{PrincipalId, PrincipalType},
        roles::Scenario,
    },
};

/// The object as configuration, plan and state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// `TARGET|PRINCIPAL|ROLE`.
    pub id: Attr<String>,
    /// The hub whose storage account is meant.
    pub hub_id: Attr<WorkspaceId>,
    /// The storage account.
    pub storage_account_id: Attr<StorageAccountId>,
    /// Where the roles are held.
    pub scope: Attr<ArmId>,
    /// Who holds them.
    pub principal_id: Attr<PrincipalId>,
    /// What that is.
    pub principal_type: Attr<PrincipalType>,
    /// One of the article's pairs.
    pub access: Attr<Access>,
    /// A row of the article's table.
    pub scenario: Attr<Scenario>,
    /// A role by name.
    pub role_definition_name: Attr<String>,
    /// A role by id.
    pub role_definition_id: Attr<RoleDefinitionId>,
    /// Free text.
    pub description: Attr<String>,
    /// Narrows the role.
    pub condition: Attr<String>,
    /// The condition's language.
    pub condition_version: Attr<String>,
    /// Reaches into another tenant.
    pub delegated_managed_identity_resource_id: Attr<ArmId>,
    /// What to do about the same grant under another name.
    pub on_existing: Attr<OnExisting>,
    /// How long an unknown principal is waited for.
    pub principal_propagation_timeout: Attr<Period>,
    /// The assignments by role name.
    pub role_assignments: Attr<BTreeMap<String, Attr<Assigned>>>,
    /// How long operations may take.
    pub timeouts: Attr<Timeouts>,
}

/// One role assignment in the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    /// Its ARM id.
    #[serde(deserialize_with = "not_null")]
    pub id: Attr<RoleAssignmentId>,
    /// The role's id.
    #[serde(deserialize_with = "not_null")]
    pub role_definition_id: Attr<RoleDefinitionId>,
    /// Whether somebody else made it.
    pub adopted: Attr<bool>,
}

/// What tells one object from another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Where the roles are held.
    pub scope: String,
    /// Who holds them.
    pub principal_id: String,
    /// `contributor`, `reader`, a scenario or the role's GUID.
    pub role: String,
}

one_of! {
    /// The article's pairs of roles.
    pub enum Access {
        /// Reads and writes blobs and files.
        Contributor = "contributor",
        /// Reads blobs and files.
        Reader = "reader",
    }
}

one_of! {
    /// What to do about a role that is assigned already, under another name.
    pub enum OnExisting {
        /// It is an error.
        Fail = "fail",
        /// It counts, and is left to whoever made it.
        Adopt = "adopt",
    }
}

/// An entry without an id stands for nothing.
fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Attr<T>, D::Error> {
    match Attr::deserialize(deserializer)? {
        Attr::Null => Err(de::Error::custom("it is not set")),
        attr => Ok(attr),
    }
}

/// How long operations may take where the configuration does not say.
pub(super) const READING: Duration = Duration::from_secs(5 * 60);
pub(super) const WRITING: Duration = Duration::from_secs(30 * 60);

const DESCRIPTION: &str = "Gives one principal the roles it needs on the storage account of a hub.

Once a hub uses Microsoft Entra authorization, whoever works with its data needs roles on its storage account: \
*Storage Blob Data Contributor* and *Storage File Data Privileged Contributor*, or the two reader roles. `access` names \
such a pair, `scenario` what the product's documentation lists for a kind of work, and `role_definition_name` or \
`role_definition_id` any single role.

| scenario | work | who | roles |
|---|---|---|---|
| `ai_speech` | AI Speech | a user or a group of users | Storage Blob Data Contributor, Storage File Data Privileged Contributor |
| `model_as_a_service` | Model-as-a-Service | the hub's system-assigned identity | Storage Blob Data Contributor; the platform makes this assignment, so the scenario is refused |
| `azure_search` | Azure Search | the hub's system-assigned identity | Storage Blob Data Contributor; the platform makes this assignment, so the scenario is refused |
| `fine_tuning` | Fine-tuning of open source models | a user-assigned managed identity | Storage Blob Data Contributor |
| `prompt_flow` | PromptFlow | a user or a group of users | Storage Blob Data Contributor, Storage File Data Privileged Contributor |
| `own_data` | Add and manage your own data | a user or a group of users | Storage Blob Data Contributor |

Names of assignments follow from the scope, the target as configured, the principal, the choice of roles and the role, so \
that repeating an interrupted apply is harmless, and resources that differ never share an assignment. A change of roles or \
target first grants what is missing and then removes what is no longer wanted. A replacement keeps the assignments that its \
successor needs too, whatever their names. The roles that the platform gives a hub's own identity are never made, changed or \
removed from here.

A role is granted to a principal on a scope by one resource: two are refused when they are planned. Where hubs share a \
storage account, grant the roles by `storage_account_id`. `terraform destroy` plans the configuration first and is refused, \
too; `terraform destroy -refresh=false` does not. To rename a resource write a `moved` block. Without it an assignment that \
was made here goes from the old name to the new one, and the plan says so; one that was imported, moved here or made by an \
earlier version keeps its name, and the plan is refused. Over several principals use `for_each` with the principals as keys: \
where `count` shifts, each number gets another principal, and a role can be removed a moment before it is granted again.

A principal that is not known when the plan is made replaces the resource, and its roles are removed before they are granted \
again, also if the principal turns out to be the same. `create_before_destroy` in `lifecycle` keeps them. An assignment that \
was imported or moved here can be replaced in that order only with `on_existing = \"adopt\"`, since there is room for one.

Let grants name `hub_id`, and let a `foundryhub_storage_auth` of the same hub list them in `depends_on`: then everybody \
has their roles before keys go off.";

const SCENARIO: &str = "What a kind of work needs, as the product's documentation lists it: \
`ai_speech` (AI Speech: a user or a group of users, Storage Blob Data Contributor and Storage File Data Privileged Contributor), \
`fine_tuning` (Fine-tuning of open source models: a user-assigned managed identity, Storage Blob Data Contributor), \
`prompt_flow` (PromptFlow: a user or a group of users, Storage Blob Data Contributor and Storage File Data Privileged Contributor) or \
`own_data` (Add and manage your own data: a user or a group of users, Storage Blob Data Contributor). \
`model_as_a_service` (Model-as-a-Service) and `azure_search` (Azure Search) are refused: they take Storage Blob Data Contributor \
of the hub's system-assigned identity, which the platform assigns by itself and which must not be changed.";

/// The schema.
pub(super) fn schema() -> Schema {
    let text = |name, description| Attribute::optional(name, Type::String, description);
    let assigned = vec![
        Attribute::computed(
            "id",
            Type::String,
            "The assignment's ARM id; for one in another tenant followed by `|` and the tenant's id.",
        )
        .parsed::<RoleAssignmentId>(),
        Attribute::computed("role_definition_id", Type::String, "The role's ARM id, as Azure writes it.")
            .parsed::<RoleDefinitionId>(),
        Attribute::computed(
            "adopted",
            Type::Bool,
            "Whether the assignment was made by somebody else: it counts, and is never changed or deleted from here.",
        ),
    ];
    let attributes = vec![
        Attribute::computed(
            "id",
            Type::String,
            "`TARGET|PRINCIPAL|ROLE`: the hub or scope, the principal, and `contributor`, `reader`, a scenario or the role's GUID.",
        ),
        text("hub_id", "ARM id of a hub. The roles are held on its default storage account. One target is needed: `hub_id`, `storage_account_id` or `scope`; several must agree.")
            .parsed::<WorkspaceId>(),
        text("storage_account_id", "ARM id of the storage account to hold the roles on.")
            .or_computed()
            .parsed::<StorageAccountId>(),
        text("scope", "ARM id of whatever the roles are held on: a resource, resource group, subscription or management group.")
            .or_computed()
            .parsed::<ArmId>(),
        Attribute::required(
            "principal_id",
            Type::String,
            "Object id of the user, group, service principal or managed identity. It is not the client id of an application.",
        )
        .parsed::<PrincipalId>()
        .replaces(),
        text("principal_type", "`User`, `Group` or `ServicePrincipal`, which managed identities are too. Set it for a principal that was made only just now: Azure then need not find it in the directory. An import may bring `ForeignGroup` or `Device`, which Azure is not told.")
            .or_computed()
            .parsed::<PrincipalType>()
            .replaces(),
        text("access", "`contributor` (Storage Blob Data Contributor and Storage File Data Privileged Contributor) or `reader` (Storage Blob Data Reader and Storage File Data Privileged Reader). One choice is needed: `access`, `scenario`, or `role_definition_name` and `role_definition_id`, which must agree if both are set.")
            .parsed::<Access>(),
        text("scenario", SCENARIO).parsed::<Scenario>(),
        text("role_definition_name", "Name of one role, built-in or custom.")
            .or_computed()
            .same(str::eq_ignore_ascii_case)
            .not_blank(),
        text("role_definition_id", "Id of one role: the GUID alone, its ARM id, or the `id` of an `azurerm_role_definition`, which has a scope behind it.")
            .or_computed()
            .parsed::<RoleDefinitionId>(),
        text("description", "Free text kept with the assignments."),
        text("condition", "Condition that narrows a single role, in Azure's condition language."),
        text("condition_version", "Version of the condition's language; `2.0` if not set.").or_computed().check(condition_version),
        text("delegated_managed_identity_resource_id", "ARM id of the managed identity by which the assignment reaches into another tenant.")
            .parsed::<ArmId>()
            .replaces(),
        text("on_existing", "What to do when the principal already holds a role on the scope by an assignment of another name: `fail`, or `adopt` it, which counts it and never changes or deletes it.")
            .setting("fail")
            .parsed::<OnExisting>(),
        text("principal_propagation_timeout", "How long a principal that Azure does not find is asked for again, since a new one takes a while to be known everywhere.")
            .setting("2m")
            .parsed::<Period>(),
        Attribute::nested(
            "role_assignments",
            Nesting::Map,
            Presence::Computed,
            assigned,
            "The role assignments, by the name of the role.",
        ),
    ];
    let blocks = vec![timeouts::block([
        "For granting the roles; 30 minutes if not set.",
        "For looking at them; 5 minutes if not set.",
        "For changing them; 30 minutes if not set.",
        "For removing them; 30 minutes if not set.",
    ])];
    Schema { version: 0, block: Block { description: DESCRIPTION, attributes, blocks } }
}

/// The identity's schema.
pub(super) fn identity_schema() -> IdentitySchema {
    let attribute =
        |name, description| IdentityAttribute { name, ty: Type::String, required_for_import: true, description };
    IdentitySchema {
        version: 0,
        attributes: vec![
            attribute("scope", "ARM id of what the roles are held on."),
            attribute("principal_id", "Object id of the principal."),
            attribute("role", "`contributor`, `reader`, a scenario or the GUID of a role."),
        ],
    }
}

impl State {
    /// What names of assignments and ids of roles follow from: the hub where one is named, and else `scope`. `None` while
    /// it is not known whether a hub is named.
    pub(super) fn named_target(&self, scope: Option<&ArmId>) -> Option<ArmId> {
        match &self.hub_id {
            Attr::Unknown => None,
            hub => hub.known().map(WorkspaceId::arm).or(scope).cloned(),
        }
    }

    /// The condition's language, which goes without saying.
    pub(super) fn language(&self) -> Attr<String> {
        match (&self.condition_version, &self.condition) {
            (Attr::Unknown, Attr::Null) => Attr::Null,
            (Attr::Unknown, Attr::Known(_)) => "2.0".to_owned().into(),
            (version, _) => version.clone(),
        }
    }

    /// What of the role assignments can be changed in place: description, condition and the condition's language.
    pub(super) fn mutable_properties(&self) -> [Attr<String>; 3] {
        [self.description.clone(), self.condition.clone(), self.language()]
    }

    /// The time that an operation may take.
    pub(super) fn timeout(&self, which: impl Fn(&Timeouts) -> &Attr<Period>, default: Duration) -> Duration {
        timeouts::allowed(&self.timeouts, which, default)
    }

    /// Whether grants of others are taken as they are.
    pub(super) fn adopts(&self) -> bool {
        self.on_existing.known() == Some(&OnExisting::Adopt)
    }
}

/// Whether two objects are known to be about the same principal.
pub(super) fn same_principal(a: &State, b: &State) -> bool {
    a.principal_id.known().is_some() && a.principal_id.known() == b.principal_id.known()
}

fn condition_version(value: &Value) -> Result<(), Refusal> {
    match value.as_str() {
        Some(text) if text != "2.0" => Err(Refusal::not_one_of(text, &["2.0"])),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::roles;

    #[test]
    fn every_scenario_is_documented_with_its_title_who_it_is_about_and_its_roles() {
        for scenario in roles::SCENARIOS {
            let name = format!("`{}`", scenario.name);
            let row = DESCRIPTION.lines().find(|line| line.starts_with(&format!("| {name} |"))).expect("a row");
            let names: Vec<_> = scenario.roles.iter().map(|role| role.name).collect();
            for text in [scenario.title, scenario.holder.words(), &names.join(", ")] {
                assert!(row.contains(text), "{name}: {text}");
            }
            assert_eq!(row.contains("refused"), scenario.holder == roles::Holder::Hub);
            let (_, attribute) = SCENARIO.split_once(&name).expect("it is named");
            for text in [scenario.title, scenario.holder.words(), &names.join(" and ")] {
                assert!(attribute.contains(text), "{name}: {text}");
            }
        }
    }
}
