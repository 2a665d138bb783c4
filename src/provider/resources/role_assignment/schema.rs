//! The resource in HCL.

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
        roles::{Access, Scenario},
    },
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub id: Attr<String>,
    pub hub_id: Attr<WorkspaceId>,
    pub storage_account_id: Attr<StorageAccountId>,
    pub scope: Attr<ArmId>,
    pub principal_id: Attr<PrincipalId>,
    pub principal_type: Attr<PrincipalType>,
    pub access: Attr<Access>,
    pub scenario: Attr<Scenario>,
    pub role_definition_name: Attr<String>,
    pub role_definition_id: Attr<RoleDefinitionId>,
    pub description: Attr<String>,
    pub condition: Attr<String>,
    pub condition_version: Attr<String>,
    pub delegated_managed_identity_resource_id: Attr<ArmId>,
    pub on_existing: Attr<OnExisting>,
    pub principal_propagation_timeout: Attr<Period>,
    pub role_assignments: Attr<BTreeMap<String, Attr<AssignmentAttributes>>>,
    pub timeouts: Attr<Timeouts>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AssignmentAttributes {
    #[serde(deserialize_with = "not_null")]
    pub id: Attr<RoleAssignmentId>,
    #[serde(deserialize_with = "not_null")]
    pub role_definition_id: Attr<RoleDefinitionId>,
    /// Whether somebody else made it.
    pub adopted: Attr<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub scope: String,
    pub principal_id: String,
    pub role: String,
}

one_of! {
    /// What to do about a role that is already assigned under another name.
    pub(crate) enum OnExisting {
        Fail = "fail",
        /// Use it, and never change or delete it.
        Adopt = "adopt",
    }
}

/// An entry has an id.
fn not_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Attr<T>, D::Error> {
    match Attr::deserialize(deserializer)? {
        Attr::Null => Err(de::Error::custom("it is not set")),
        attr => Ok(attr),
    }
}

/// How long operations may take where the configuration does not say.
pub(super) const READING: Duration = Duration::from_secs(5 * 60);
pub(super) const WRITING: Duration = Duration::from_secs(30 * 60);

const DESCRIPTION: &str = "Assigns the roles that one principal needs on the storage account of a hub.

Once a hub uses Microsoft Entra authorization, whoever works with its data needs roles on its storage account: \
*Storage Blob Data Contributor* and *Storage File Data Privileged Contributor*, or the two reader roles. `access` names \
such a pair, `scenario` what the product's documentation lists for a kind of work, and `role_definition_name` or \
`role_definition_id` any single role.

| scenario | work | who | roles |
|---|---|---|---|
| `ai_speech` | AI Speech | a user or a group of users | Storage Blob Data Contributor, Storage File Data Privileged Contributor |
| `model_as_a_service` | Model-as-a-Service | the hub's system-assigned identity | Storage Blob Data Contributor; the platform assigns it, so the scenario is refused |
| `azure_search` | Azure Search | the hub's system-assigned identity | Storage Blob Data Contributor; the platform assigns it, so the scenario is refused |
| `fine_tuning` | Fine-tuning of open source models | a user-assigned managed identity | Storage Blob Data Contributor |
| `prompt_flow` | PromptFlow | a user or a group of users | Storage Blob Data Contributor, Storage File Data Privileged Contributor |
| `own_data` | Add and manage your own data | a user or a group of users | Storage Blob Data Contributor |

Names of assignments follow from the scope, the target as configured, the principal, the choice of roles and the role, so \
that repeating an interrupted apply is harmless, and resources that differ never share an assignment. A change of roles or \
target first creates what is missing and then deletes what is no longer wanted. A replacement keeps the assignments that the \
new object needs, whatever their names. The role assignments that the platform creates for a hub's system-assigned identity \
are never created, changed or deleted.

Destroying deletes the assignments of the resource, also those that were imported or moved here. One that `on_existing = \"adopt\"` \
took over stays.

One resource assigns a role to a principal on a scope: two are refused when they are planned. Where hubs share a storage \
account, set `storage_account_id` instead of `hub_id`. To destroy while there are two such blocks, use `terraform \
destroy -refresh=false`; a plain destroy is refused. To rename a resource write a `moved` block. Without it an assignment that \
this provider created moves from the old resource to the new one, and the plan says so; for one that was imported, moved here \
or created by an earlier version the plan is refused. For several principals use `for_each` with the principals as keys: \
where `count` shifts, each number gets another principal, and a role can be deleted a moment before it is assigned again.

A principal that is not known when the plan is made replaces the resource, and its role assignments are deleted before they \
are created again, even if the principal turns out to be the same. `create_before_destroy` in `lifecycle` keeps them. An \
assignment that was imported or moved here can be replaced in that order only with `on_existing = \"adopt\"`, since Azure \
allows only one.

Set `hub_id` here, and list these resources in `depends_on` of the `foundryhub_storage_auth` of the same hub: then everybody \
has their roles before shared keys are disabled.";

const SCENARIO: &str = "What a kind of work needs, as the product's documentation lists it: \
`ai_speech` (AI Speech: a user or a group of users, Storage Blob Data Contributor and Storage File Data Privileged Contributor), \
`fine_tuning` (Fine-tuning of open source models: a user-assigned managed identity, Storage Blob Data Contributor), \
`prompt_flow` (PromptFlow: a user or a group of users, Storage Blob Data Contributor and Storage File Data Privileged Contributor) or \
`own_data` (Add and manage your own data: a user or a group of users, Storage Blob Data Contributor). \
`model_as_a_service` (Model-as-a-Service) and `azure_search` (Azure Search) are refused: they take Storage Blob Data Contributor \
of the hub's system-assigned identity, which the platform assigns by itself and which must not be changed.";

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
            "Whether somebody else created the assignment. It is then never changed or deleted.",
        ),
    ];
    let attributes = vec![
        Attribute::computed(
            "id",
            Type::String,
            "`TARGET|PRINCIPAL|ROLE`: the hub or scope, the principal, and `contributor`, `reader`, a scenario or the role's GUID.",
        ),
        text("hub_id", "ARM id of a hub. The roles are assigned on its default storage account. One target is needed: `hub_id`, `storage_account_id` or `scope`; several must agree.")
            .parsed::<WorkspaceId>(),
        text("storage_account_id", "ARM id of the storage account to assign the roles on.")
            .or_computed()
            .parsed::<StorageAccountId>(),
        text("scope", "ARM id of the scope to assign the roles on: a resource, resource group, subscription or management group.")
            .or_computed()
            .parsed::<ArmId>(),
        Attribute::required(
            "principal_id",
            Type::String,
            "Object id of the user, group, service principal or managed identity. It is not the client id of an application.",
        )
        .parsed::<PrincipalId>()
        .replaces(),
        text("principal_type", "`User`, `Group` or `ServicePrincipal`, which managed identities are too. Set it for a new principal: Azure then need not find it in the directory. An import may bring `ForeignGroup` or `Device`, which is not sent to Azure.")
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
        text("role_definition_id", "Id of one role: the GUID alone, its ARM id, or the `id` of an `azurerm_role_definition`, which ends with a scope.")
            .or_computed()
            .parsed::<RoleDefinitionId>(),
        text("description", "Description of the role assignments."),
        text("condition", "Condition that narrows a single role, in Azure's condition language."),
        text("condition_version", "Version of the condition's language; `2.0` if not set.").or_computed().check(condition_version),
        text("delegated_managed_identity_resource_id", "ARM id of the managed identity through which a role is assigned in another tenant.")
            .parsed::<ArmId>()
            .replaces(),
        text("on_existing", "What to do when the role is already assigned to the principal on the scope under another name: `fail`, or `adopt` that assignment, which is then never changed or deleted.")
            .setting("fail")
            .parsed::<OnExisting>(),
        text("principal_propagation_timeout", "How long to retry when Azure does not find the principal, since a new one takes a while to be known everywhere.")
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
        "For assigning the roles; 30 minutes if not set.",
        "For reading them; 5 minutes if not set.",
        "For changing them; 30 minutes if not set.",
        "For deleting them; 30 minutes if not set.",
    ])];
    Schema { version: 0, block: Block { description: DESCRIPTION, attributes, blocks } }
}

pub(super) fn identity_schema() -> IdentitySchema {
    let attribute =
        |name, description| IdentityAttribute { name, ty: Type::String, required_for_import: true, description };
    let attributes = vec![
        attribute("scope", "ARM id of the scope of the roles."),
        attribute("principal_id", "Object id of the principal."),
        attribute("role", "`contributor`, `reader`, a scenario or the GUID of a role."),
    ];
    IdentitySchema::new(0, attributes)
}

impl State {
    /// The configured target, by which assignments are named and role ids are written: the hub if one is set, else `scope`. `None` while
    /// hub_id is unknown.
    pub(super) fn configured_target(&self, scope: Option<&ArmId>) -> Option<ArmId> {
        match &self.hub_id {
            Attr::Unknown => None,
            hub => hub.known().map(WorkspaceId::arm).or(scope).cloned(),
        }
    }

    /// The version of the condition's language, with its default.
    pub(super) fn effective_condition_version(&self) -> Attr<String> {
        match (&self.condition_version, &self.condition) {
            (Attr::Unknown, Attr::Null) => Attr::Null,
            (Attr::Unknown, Attr::Known(_)) => "2.0".to_owned().into(),
            (version, _) => version.clone(),
        }
    }

    /// The properties that can be changed in place: description, condition and its version.
    pub(super) fn mutable_properties(&self) -> [Attr<String>; 3] {
        [self.description.clone(), self.condition.clone(), self.effective_condition_version()]
    }

    pub(super) fn timeout(&self, which: impl Fn(&Timeouts) -> &Attr<Period>, default: Duration) -> Duration {
        timeouts::allowed(&self.timeouts, which, default)
    }

    pub(super) fn adopts(&self) -> bool {
        self.on_existing.known() == Some(&OnExisting::Adopt)
    }
}

/// Whether two objects are known to have the same principal.
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
