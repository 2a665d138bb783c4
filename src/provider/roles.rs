//! Azure's built-in roles that the provider deals with, and which of them the article asks for.
//!
//! The article is the product's on hubs whose storage accounts refuse shared keys; azure.md §7 has its statements.
//!
//! Built-in roles have the same id everywhere, so that no request is needed to find one.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::{Uuid, uuid};

use super::principal::PrincipalType;
use crate::framework::{one_of, schema::Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub name: &'static str,
    pub guid: Uuid,
}

macro_rules! roles {
    ($($(#[$doc:meta])* $constant:ident = $name:literal, $guid:literal;)*) => {
        $($(#[$doc])* pub(crate) const $constant: Role = Role { name: $name, guid: uuid!($guid) };)*

        pub(crate) const ALL: &[Role] = &[$($constant),*];
    };
}

roles! {
    /// Reads, writes and deletes blobs.
    BLOB_CONTRIBUTOR = "Storage Blob Data Contributor", "ba92f5b4-2d11-453d-a403-e96b0029c9fe";
    /// Reads blobs.
    BLOB_READER = "Storage Blob Data Reader", "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1";
    /// Everything about blobs, ownership included.
    BLOB_OWNER = "Storage Blob Data Owner", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b";
    /// Reads, writes and deletes files whatever their own permissions; not the SMB share role.
    FILE_CONTRIBUTOR = "Storage File Data Privileged Contributor", "69566ab7-960f-475b-8e7c-b3118f30c6bd";
    /// Reads files whatever their own permissions.
    FILE_READER = "Storage File Data Privileged Reader", "b8eda974-7b85-4f76-af95-65846b26df6d";
    /// Files over SMB, which is not enough for a hub.
    FILE_SMB_CONTRIBUTOR = "Storage File Data SMB Share Contributor", "0c867c2a-1d8c-454a-a3db-ab2ea1bdc8bb";
    /// Works in hubs and projects.
    AI_DEVELOPER = "Azure AI Developer", "64702f94-c441-49e6-a78b-ef80e0188fee";
    /// Administers hubs; what a new hub's own identity gets.
    AI_ADMINISTRATOR = "Azure AI Administrator", "b78c5d69-af96-48a3-bf8d-a8b4d589de94";
    /// Everything but assigning roles; no data.
    CONTRIBUTOR = "Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c";
    /// Everything; no data.
    OWNER = "Owner", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
    /// Reads everything; no data.
    READER = "Reader", "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    /// Everything about the keys, secrets and certificates of a vault that uses roles.
    KEY_VAULT_ADMINISTRATOR = "Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483";
    /// Assigns any role.
    USER_ACCESS_ADMINISTRATOR = "User Access Administrator", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";
    /// Assigns roles.
    RBAC_ADMINISTRATOR = "Role Based Access Control Administrator", "f58310d9-a9f6-439a-9e8d-f62e7b41a168";
}

/// What users of a hub need on its storage account to work with its default datastores.
pub(crate) const CONTRIBUTOR_PAIR: [Role; 2] = [BLOB_CONTRIBUTOR, FILE_CONTRIBUTOR];

/// What users who only read need instead.
pub(crate) const READER_PAIR: [Role; 2] = [BLOB_READER, FILE_READER];

one_of! {
    /// What users of a hub do with its default datastores.
    pub(crate) enum Access {
        Contributor = "contributor",
        Reader = "reader",
    }
}

impl Access {
    /// The roles that it takes.
    pub(crate) fn roles(self) -> &'static [Role] {
        match self {
            Self::Contributor => &CONTRIBUTOR_PAIR,
            Self::Reader => &READER_PAIR,
        }
    }
}

/// What the platform assigns to a hub's system-assigned identity on the hub's storage account.
pub(crate) const ASSIGNED_BY_PLATFORM: [Role; 2] = [BLOB_CONTRIBUTOR, FILE_CONTRIBUTOR];

/// Who needs the roles of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A person, or a group of them.
    User,
    UserAssignedIdentity,
    /// The hub's system-assigned identity, whose roles the platform assigns.
    Hub,
}

impl Holder {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::User => "a user or a group of users",
            Self::UserAssignedIdentity => "a user-assigned managed identity",
            Self::Hub => "the hub's system-assigned identity",
        }
    }

    /// Whether it may be a principal of this type.
    pub(crate) fn fits(self, principal_type: &PrincipalType) -> bool {
        principal_type.is_service_principal() != (self == Self::User)
    }
}

/// Work with a hub that needs roles on its storage account once shared keys are off: a row of the table in the
/// article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub name: &'static str,
    /// Its name in the article.
    pub title: &'static str,
    /// Who needs the roles.
    pub holder: Holder,
    pub roles: &'static [Role],
}

/// All scenarios, in the article's order. The copy of the article at hand names nobody for AI Speech; a later revision
/// names the user.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "ai_speech", title: "AI Speech", holder: Holder::User, roles: &CONTRIBUTOR_PAIR },
    Scenario {
        name: "model_as_a_service",
        title: "Model-as-a-Service",
        holder: Holder::Hub,
        roles: &[BLOB_CONTRIBUTOR],
    },
    Scenario { name: "azure_search", title: "Azure Search", holder: Holder::Hub, roles: &[BLOB_CONTRIBUTOR] },
    Scenario {
        name: "fine_tuning",
        title: "Fine-tuning of open source models",
        holder: Holder::UserAssignedIdentity,
        roles: &[BLOB_CONTRIBUTOR],
    },
    Scenario { name: "prompt_flow", title: "PromptFlow", holder: Holder::User, roles: &CONTRIBUTOR_PAIR },
    Scenario {
        name: "own_data",
        title: "Add and manage your own data",
        holder: Holder::User,
        roles: &[BLOB_CONTRIBUTOR],
    },
];

/// The scenario of this name; case does not matter.
pub(crate) fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name.eq_ignore_ascii_case(name))
}

/// The names of the scenarios whose roles the user assigns.
pub(crate) fn assigned_by_users() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().filter(|scenario| scenario.holder != Holder::Hub).map(|scenario| scenario.name)
}

impl FromStr for Scenario {
    type Err = Refusal;

    /// Reads the name of a scenario whose roles the user assigns.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        match scenario(text) {
            Some(scenario) if scenario.holder == Holder::Hub => Err(Refusal::invalid(format!(
                "{} ({}) needs a role of the hub's system-assigned identity, which the platform assigns when it provisions the \
                 hub. That assignment must not be changed by hand; there is nothing to assign.",
                scenario.name, scenario.title
            ))),
            Some(scenario) => Ok(*scenario),
            None => Err(Refusal::not_one_of(text, &assigned_by_users().collect::<Vec<_>>())),
        }
    }
}

impl Serialize for Scenario {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for Scenario {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The built-in role of this name; case does not matter.
pub(crate) fn by_name(name: &str) -> Option<Role> {
    ALL.iter().copied().find(|role| role.name.eq_ignore_ascii_case(name))
}

/// The built-in role with this id.
pub(crate) fn by_guid(guid: Uuid) -> Option<Role> {
    ALL.iter().copied().find(|role| role.guid == guid)
}

/// The question whether one of the names was meant that resemble the wanted one, three at most; empty where none does.
pub(crate) fn did_you_mean<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> String {
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(nearness, _)| *nearness > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let near: Vec<_> = near.iter().take(3).map(|(_, name)| format!("{name:?}")).collect();
    if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(", ")) }
}
