//! What is written in HCL, and what of it is refused without asking Azure.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{choice::Choice, grant};
use crate::{
    arm::{
        ArmId, StorageAccountId,
        id::{role_definition, role_definition_guid},
    },
    framework::{
        Attr, Diagnostic, Diagnostics, Path, Type, Value,
        schema::{Attribute, Block, IdentityAttribute, IdentitySchema, Nesting, Presence, Refusal, Schema},
        timeouts::{self, Timeouts},
    },
    provider::{
        checks::{self, hub_id, id, object_id, refuse, same_id},
        roles,
    },
};

/// The object as configuration, plan and state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// `TARGET|PRINCIPAL|ROLE`.
    pub id: Attr<String>,
    /// The hub whose storage account is meant.
    pub hub_id: Attr<String>,
    /// The storage account.
    pub storage_account_id: Attr<String>,
    /// Where the roles are held.
    pub scope: Attr<String>,
    /// Who holds them.
    pub principal_id: Attr<String>,
    /// What that is.
    pub principal_type: Attr<String>,
    /// One of the article's pairs.
    pub access: Attr<String>,
    /// A row of the article's table.
    pub scenario: Attr<String>,
    /// A role by name.
    pub role_definition_name: Attr<String>,
    /// A role by id.
    pub role_definition_id: Attr<String>,
    /// Free text.
    pub description: Attr<String>,
    /// Narrows the role.
    pub condition: Attr<String>,
    /// The condition's language.
    pub condition_version: Attr<String>,
    /// Reaches into another tenant.
    pub delegated_managed_identity_resource_id: Attr<String>,
    /// What to do about the same grant under another name.
    pub on_existing: Attr<String>,
    /// How long an unknown principal is waited for.
    pub principal_propagation_timeout: Attr<String>,
    /// The assignments by role name.
    pub role_assignments: Attr<BTreeMap<String, Attr<Assigned>>>,
    /// How long operations may take.
    pub timeouts: Attr<Timeouts>,
}

/// One role assignment in the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Assigned {
    /// Its ARM id.
    pub id: Attr<String>,
    /// The role's id.
    pub role_definition_id: Attr<String>,
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
        ),
        Attribute::computed("role_definition_id", Type::String, "The role's ARM id, as Azure writes it."),
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
            .same(same_id)
            .check(hub_id),
        text("storage_account_id", "ARM id of the storage account to hold the roles on.")
            .or_computed()
            .same(same_id)
            .check(storage_account_id),
        text("scope", "ARM id of whatever the roles are held on: a resource, resource group, subscription or management group.")
            .or_computed()
            .same(same_id)
            .check(any_id),
        Attribute::required(
            "principal_id",
            Type::String,
            "Object id of the user, group, service principal or managed identity. It is not the client id of an application.",
        )
        .same(str::eq_ignore_ascii_case)
        .replaces()
        .check(principal_id),
        text("principal_type", "`User`, `Group` or `ServicePrincipal`, which managed identities are too. Set it for a principal that was made only just now: Azure then need not find it in the directory. An import may bring `ForeignGroup` or `Device`, which Azure is not told.")
            .or_computed()
            .same(str::eq_ignore_ascii_case)
            .replaces()
            .check(principal_type),
        text("access", "`contributor` (Storage Blob Data Contributor and Storage File Data Privileged Contributor) or `reader` (Storage Blob Data Reader and Storage File Data Privileged Reader). One choice is needed: `access`, `scenario`, or `role_definition_name` and `role_definition_id`, which must agree if both are set.")
            .same(str::eq_ignore_ascii_case)
            .check(access),
        text("scenario", SCENARIO)
            .same(str::eq_ignore_ascii_case)
            .check(scenario),
        text("role_definition_name", "Name of one role, built-in or custom.")
            .or_computed()
            .same(str::eq_ignore_ascii_case)
            .check(role_name),
        text("role_definition_id", "Id of one role: the GUID alone, its ARM id, or the `id` of an `azurerm_role_definition`, which has a scope behind it.")
            .or_computed()
            .same(same_role)
            .check(role_id),
        text("description", "Free text kept with the assignments."),
        text("condition", "Condition that narrows a single role, in Azure's condition language."),
        text("condition_version", "Version of the condition's language; `2.0` if not set.").or_computed().check(condition_version),
        text("delegated_managed_identity_resource_id", "ARM id of the managed identity by which the assignment reaches into another tenant.")
            .same(same_id)
            .replaces()
            .check(any_id),
        text("on_existing", "What to do when the principal already holds a role on the scope by an assignment of another name: `fail`, or `adopt` it, which counts it and never changes or deletes it.")
            .default("fail")
            .same(str::eq_ignore_ascii_case)
            .check(on_existing),
        text("principal_propagation_timeout", "How long a principal that Azure does not find is asked for again, since a new one takes a while to be known everywhere.")
            .default("2m")
            .check(duration),
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
    /// The identity, once all of it is known.
    pub(super) fn identity(&self) -> Option<Identity> {
        let role = Choice::of(self).key()?;
        Some(Identity { scope: self.held_on()?, principal_id: self.principal_id.text()?.to_owned(), role })
    }

    /// Where the roles are held, as far as anything says so. A scope that the user has left empty is not in the state.
    pub(super) fn held_on(&self) -> Option<String> {
        let named = self.scope.text().or(self.storage_account_id.text()).map(str::to_owned);
        named.or_else(|| Some(grant::entries(self).ok()?.first()?.id.scope.to_string()))
    }

    /// What names of assignments and ids of roles follow from: the hub where one is named, and else `scope`. `None` while
    /// it is not known whether a hub is named.
    pub(super) fn named_target(&self, scope: Option<&ArmId>) -> Option<ArmId> {
        match &self.hub_id {
            Attr::Unknown => None,
            hub => hub.text().and_then(|hub| ArmId::parse(hub).ok()).or_else(|| scope.cloned()),
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

    /// The text to import it by.
    pub(super) fn import_id(&self) -> Attr<String> {
        let target = match (&self.hub_id, &self.scope) {
            (Attr::Null, scope) => scope,
            (hub, _) => hub,
        };
        match (target.text(), self.principal_id.text(), Choice::of(self).key()) {
            (Some(target), Some(principal), Some(role)) => format!("{target}|{principal}|{role}").into(),
            _ => Attr::Unknown,
        }
    }

    /// The time that an operation may take.
    pub(super) fn timeout(&self, which: impl Fn(&Timeouts) -> &Attr<String>, default: Duration) -> Duration {
        timeouts::allowed(&self.timeouts, which, default)
    }

    /// Whether grants of others are taken as they are.
    pub(super) fn adopts(&self) -> bool {
        self.on_existing.text().is_some_and(|text| text.eq_ignore_ascii_case("adopt"))
    }
}

/// What only several attributes together can say against a configuration.
pub(super) fn validate(config: &State) -> Diagnostics {
    let mut found = Diagnostics::default();
    let mut refuse = |at: &str, summary: &str, detail: String| {
        found.push(Diagnostic::error(summary, detail).at(Path::root(at)));
    };

    if config.hub_id.is_null() && config.storage_account_id.is_null() && config.scope.is_null() {
        let detail = "Set hub_id, storage_account_id or scope to say where the roles are held.";
        refuse("hub_id", "No target", detail.to_owned());
    }
    if let (Some(account), Some(scope)) = (config.storage_account_id.text(), config.scope.text())
        && let (Ok(account_id), Ok(scope_id)) = (ArmId::parse(account), ArmId::parse(scope))
        && account_id != scope_id
    {
        let detail =
            format!("storage_account_id is {account} and scope is {scope}. Remove one of them, or make them agree.");
        refuse("scope", "Two targets", detail);
    }

    let chosen = [
        ("access", &config.access),
        ("scenario", &config.scenario),
        ("role_definition_name", &config.role_definition_name),
        ("role_definition_id", &config.role_definition_id),
    ];
    // What is unknown may turn out to be null.
    let open = chosen.iter().any(|(_, value)| value.is_unknown());
    let chosen: Vec<_> = chosen.iter().filter(|(_, value)| value.known().is_some()).map(|(name, _)| *name).collect();
    match chosen.as_slice() {
        [] if open => {}
        [] => {
            let detail =
                "Set access, scenario, role_definition_name or role_definition_id to say which roles are meant.";
            refuse("access", "No roles", detail.to_owned());
        }
        [_] | ["role_definition_name", "role_definition_id"] => {}
        [first, second, ..] => {
            let detail = format!("{first} and {second} exclude each other. Remove one of them.");
            refuse(second, "Two choices of roles", detail);
        }
    }
    if let (Some(name), Some(id)) = (config.role_definition_name.text(), config.role_definition_id.text())
        && let (Some(by_name), Some(guid)) = (roles::by_name(name), role_definition_guid(id))
        && by_name.guid != guid
    {
        let other = roles::by_guid(guid).map_or_else(|| guid.to_string(), |role| format!("{:?}", role.name));
        let detail = format!(
            "role_definition_name is {name:?}, whose id is {}, and role_definition_id is that of {other}.",
            by_name.guid
        );
        refuse("role_definition_id", "Two different roles", detail);
    }

    if config.condition.known().is_some() && Choice::of(config).preset().is_some_and(|roles| roles.len() > 1) {
        let detail = "A condition speaks of what one role allows, and this choice means several. Use one resource per role with role_definition_name.";
        refuse("condition", "A condition for several roles", detail.to_owned());
    }
    if config.condition.is_null() && config.condition_version.known().is_some() {
        refuse("condition_version", "No condition", "condition_version means nothing without condition.".to_owned());
    }
    if let Some(scenario) = config.scenario.text().and_then(roles::scenario)
        && let Some(principal_type) = config.principal_type.text()
        && !scenario.holder.fits(principal_type)
    {
        let detail = format!(
            "The scenario {} ({}) is about {}, and principal_type is {principal_type}. The roles are granted all the same.",
            scenario.name,
            scenario.title,
            scenario.holder.words()
        );
        found.push(Diagnostic::warning("Unusual principal for this scenario", detail).at(Path::root("principal_type")));
    }
    found
}

/// Whether two objects are known to be about the same principal.
pub(super) fn same_principal(a: &State, b: &State) -> bool {
    a.principal_id.text().zip(b.principal_id.text()).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b))
}

fn same_role(a: &str, b: &str) -> bool {
    role_definition_guid(a).is_some() && role_definition_guid(a) == role_definition_guid(b)
}

fn storage_account_id(value: &Value) -> Result<(), Refusal> {
    id(value, "Invalid storage account id", |text| StorageAccountId::parse(text).map(drop))
}

fn any_id(value: &Value) -> Result<(), Refusal> {
    id(value, "Invalid ARM id", |text| ArmId::parse(text).map(drop))
}

fn principal_id(value: &Value) -> Result<(), Refusal> {
    object_id(value.as_str().unwrap_or_default())
}

fn one_of(value: &Value, summary: &str, allowed: &[&str]) -> Result<(), Refusal> {
    let text = value.as_str().unwrap_or_default();
    if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(text)) {
        return Ok(());
    }
    refuse(summary, format!("{text:?} is not one of {}.", allowed.join(", ")))
}

/// The principal types that a request may name. Azure has more words for what it knows better.
const SENT: [&str; 3] = ["User", "Group", "ServicePrincipal"];

/// Whether a principal type may be named in a request.
pub(super) fn may_be_sent(principal_type: &str) -> bool {
    SENT.iter().any(|known| known.eq_ignore_ascii_case(principal_type))
}

fn principal_type(value: &Value) -> Result<(), Refusal> {
    // The last two come with imports.
    one_of(value, "Unknown principal type", &["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"])
}

fn access(value: &Value) -> Result<(), Refusal> {
    one_of(value, "Unknown access", &["contributor", "reader"])
}

fn scenario(value: &Value) -> Result<(), Refusal> {
    let offered: Vec<_> = roles::SCENARIOS
        .iter()
        .filter(|scenario| scenario.holder != roles::Holder::Hub)
        .map(|scenario| scenario.name)
        .collect();
    match value.as_str().and_then(roles::scenario) {
        Some(scenario) if scenario.holder == roles::Holder::Hub => refuse(
            "Scenario of the platform",
            format!(
                "{} ({}) needs a role of the hub's own identity, and the platform makes that assignment when the hub is \
                 provisioned. It must not be changed by hand, so there is nothing to configure.",
                scenario.name, scenario.title
            ),
        ),
        _ => one_of(value, "Unknown scenario", &offered),
    }
}

fn role_name(value: &Value) -> Result<(), Refusal> {
    if value.as_str().is_some_and(|text| !text.trim().is_empty()) {
        return Ok(());
    }
    refuse("Empty role name", "Name a role, such as Storage Blob Data Reader.")
}

fn role_id(value: &Value) -> Result<(), Refusal> {
    role_definition(value.as_str().unwrap_or_default()).map(drop).or_else(|error| {
        refuse("Invalid role definition id", format!("{error}. To name a role use role_definition_name."))
    })
}

fn condition_version(value: &Value) -> Result<(), Refusal> {
    one_of(value, "Unknown condition version", &["2.0"])
}

fn on_existing(value: &Value) -> Result<(), Refusal> {
    one_of(value, "Invalid on_existing value", &["fail", "adopt"])
}

fn duration(value: &Value) -> Result<(), Refusal> {
    checks::duration(value, "2m; 0s asks once")
}

#[cfg(test)]
mod tests {
    use super::*;

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
