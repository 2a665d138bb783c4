//! What a thing needs in Azure, as `requirements.json` beside its example says it. Pages print it, and tests run with just that.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::azure::Emulator;

/// What the signed-in principal needs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirements {
    /// For a custom role, or several where the scopes differ.
    pub(crate) actions: Vec<Needed>,
    /// Built-in roles that have all of it.
    pub(crate) roles: Vec<Role>,
    /// What Azure's documentation names besides and the emulator does not ask for (azure.md §9.7).
    #[serde(default)]
    pub(crate) further: Vec<String>,
    /// Types of resources with the api-versions at which they are asked for: `TYPE@VERSION`.
    pub(crate) api_versions: Vec<String>,
}

/// An action.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Needed {
    pub(crate) action: String,
    pub(crate) scope: Scope,
    pub(crate) operations: Vec<Operation>,
    #[serde(rename = "for")]
    pub(crate) purpose: String,
    /// A case without which the action is not needed, in words that begin with "if".
    pub(crate) when: Option<String>,
}

/// A built-in role.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Role {
    pub(crate) role: String,
    pub(crate) scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    Hub,
    StorageAccount,
    /// Where roles are assigned.
    Target,
    ResourceGroup,
    Subscription,
    KeyVault,
    PrivateEndpoint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// Planning and refreshing.
    Plan,
    /// Creating and updating, with the plan that goes before.
    Apply,
    /// Destroying, with the refresh and the plan that go before.
    Destroy,
    Read,
    List,
    Invoke,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subscription => "subscription",
            Self::ResourceGroup => "resource group",
            Self::Hub => "hub",
            Self::StorageAccount => "storage account",
            Self::KeyVault => "key vault",
            Self::PrivateEndpoint => "private endpoint",
            Self::Target => "target",
        })
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Destroy => "destroy",
            Self::Read => "read",
            Self::List => "list",
            Self::Invoke => "invoke",
        })
    }
}

impl Requirements {
    /// What stands in a folder such as `examples/resources/foundryhub_hub`.
    pub(crate) fn of(folder: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("requirements.json");
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// The operations, each once.
    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut all: Vec<_> = self.actions.iter().flat_map(|needed| needed.operations.clone()).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Who runs the provider where a test is about what that takes.
pub(crate) const OPERATOR: Client = Client {
    client_id: "66666666-0000-0000-0000-000000000006",
    object_id: "77777777-0000-0000-0000-000000000007",
    secret: "operator-secret",
};

pub(crate) struct Client {
    client_id: &'static str,
    pub(crate) object_id: &'static str,
    secret: &'static str,
}

/// [`OPERATOR`] in an emulator, which has the roles that a test gives it.
pub(crate) struct Operator {
    places: BTreeMap<Scope, String>,
}

impl Operator {
    /// Without a role. The scopes are those of the hub and the account of a test.
    pub(crate) fn new(emulator: &Emulator, hub: &str, account: &str) -> Self {
        let Client { client_id, object_id, secret } = OPERATOR;
        emulator.seed(&format!("clients: [{{ client_id: {client_id}, object_id: {object_id}, secret: {secret} }}]"));
        emulator.configure(|options| options.enforce_rbac = true);
        let (group, _) = hub.split_once("/providers/").expect("an id");
        let (subscription, _) = group.split_once("/resourceGroups/").expect("an id");
        let places = [
            (Scope::Subscription, subscription.to_owned()),
            (Scope::ResourceGroup, group.to_owned()),
            (Scope::Hub, hub.to_owned()),
            (Scope::StorageAccount, account.to_owned()),
            (Scope::Target, account.to_owned()),
            (Scope::KeyVault, emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1")),
            (Scope::PrivateEndpoint, emulator.id("network", "Microsoft.Network/privateEndpoints", "pe1")),
        ];
        Self { places: places.into() }
    }

    /// What signs it in: variables of the environment.
    pub(crate) fn environment() -> [(&'static str, &'static str); 2] {
        [("ARM_CLIENT_ID", OPERATOR.client_id), ("ARM_CLIENT_SECRET", OPERATOR.secret)]
    }

    /// The same as a provider block.
    pub(crate) fn configuration() -> Value {
        json!({ "client_id": OPERATOR.client_id, "client_secret": OPERATOR.secret })
    }

    /// Gives it custom roles with these actions, and takes away what it had.
    pub(crate) fn may(&self, emulator: &Emulator, needed: &[Needed]) {
        self.dismiss(emulator);
        for (number, (scope, place)) in self.places.iter().enumerate() {
            let actions: Vec<_> = needed.iter().filter(|it| it.scope == *scope).map(|it| &it.action).collect();
            let id = format!("90000000-0000-4000-8000-{number:012}");
            let role = json!({ "id": id, "name": scope.to_string(), "permissions": [{ "actions": actions }] });
            // JSON is YAML.
            emulator.seed(&json!({ "custom_roles": [role] }).to_string());
            emulator.seed_assignment(place, OPERATOR.object_id, &id);
        }
    }

    /// Gives it built-in roles, and takes away what it had.
    pub(crate) fn holds(&self, emulator: &Emulator, roles: &[Role]) {
        self.dismiss(emulator);
        for Role { role, scope } in roles {
            emulator.seed_assignment(&self.places[scope], OPERATOR.object_id, role);
        }
    }

    fn dismiss(&self, emulator: &Emulator) {
        let held = emulator.assignments().into_iter().filter(|found| found.principal_id == OPERATOR.object_id);
        held.for_each(|assignment| _ = emulator.remove_assignment(&assignment.name));
    }
}
