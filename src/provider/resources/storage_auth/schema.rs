//! The resource in HCL.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    arm::{ArmId, StorageAccountId, WorkspaceId, workspaces::AuthMode},
    framework::{
        Attr, Type,
        resource::Upgrade,
        schema::{Attribute, Block, IdentityAttribute, IdentitySchema, Nesting, Presence, Schema},
        timeouts::{self, Period, Timeouts},
    },
    provider::{
        access::{self, AccessCheck, FindingCode, Requirements},
        principal::PrincipalId,
        properties::{Properties, PropertyAttributes},
    },
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub id: Attr<String>,
    pub hub_id: Attr<WorkspaceId>,
    pub system_datastores_auth_mode: Attr<AuthMode>,
    pub shared_access_key_enabled: Attr<bool>,
    pub storage_account_id: Attr<StorageAccountId>,
    pub hub_principal_id: Attr<PrincipalId>,
    pub hub_user_assigned_principal_ids: Attr<Vec<Attr<PrincipalId>>>,
    pub restore_on_destroy: Attr<bool>,
    pub restore_to: Attr<PropertyAttributes>,
    pub original: Attr<PropertyAttributes>,
    pub access_check: Attr<AccessCheck>,
    pub access_check_principal_ids: Attr<Vec<Attr<PrincipalId>>>,
    pub access_check_stop_on: Attr<Vec<Attr<FindingCode>>>,
    pub access_check_ignore_ids: Attr<Vec<Attr<ArmId>>>,
    pub grant_settle_time: Attr<Period>,
    pub platform_grant_timeout: Attr<Period>,
    pub timeouts: Attr<Timeouts>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub hub_id: String,
}

/// How long operations may take where the configuration does not say.
pub(super) const READING: Duration = Duration::from_secs(5 * 60);
pub(super) const WRITING: Duration = Duration::from_secs(30 * 60);

pub(super) const TYPE: &str = "foundryhub_storage_auth";

const DESCRIPTION: &str = "Keeps the storage authorization of an Azure AI Foundry hub: how the hub signs in to its default storage account, and whether that account accepts shared keys.

On the way to Microsoft Entra authorization the hub is switched first and shared keys are disabled last; on the way back \
the hub is switched, shared keys are enabled, and the hub fetches them again. Only the property that changes is sent. \
Destroying restores what this resource has changed and nothing else; a property that somebody else has changed since is \
left alone.

Once shared keys are disabled, everybody who works with the hub's data needs roles on the storage account: assign them with \
`foundryhub_role_assignment` resources that set `hub_id`, and list these in `depends_on` here. Several hubs can share an \
account: those of one configuration wait for each other before its shared keys are disabled, whether one of them sets \
`shared_access_key_enabled` or all do. For that the engine has to switch them at the same time, with a `-parallelism` of \
at least their number; otherwise set it on one resource, and let that depend on the others.

An apply that fails half way leaves what it has done in the state, and the next apply does the rest. Replacing the object \
changes nothing in Azure, and neither does renaming it with a `moved` block. One hub has one resource: two blocks for the \
same hub are refused when they are planned, and so is a block that was renamed without a `moved` block. To destroy while \
there are two such blocks, use `terraform destroy -refresh=false`; a plain destroy is refused.

What was there before is in the state alone, as `original`. A run that is killed, or whose machine is lost, after a change in \
Azure and before the state has it, or between the two halves of a replacement, loses that: the next plan finds the setting as \
wanted and says that destroying will restore nothing of it. `restore_to` says what to restore whatever has happened.

If the hub is deleted while this resource has disabled shared keys of its account, the object stays in the state and each \
plan shows it, until it is destroyed, which enables them again, or until the hub exists again.";

pub(super) fn schema() -> Schema {
    let flag = |name, description| Attribute::optional(name, Type::Bool, description);
    let text = |name, description| Attribute::optional(name, Type::String, description);
    let computed = |name, ty, description| Attribute::computed(name, ty, description);
    let attributes = vec![
        computed("id", Type::String, "The ARM id of the hub."),
        Attribute::required(
            "hub_id",
            Type::String,
            "ARM id of the hub, or of a workspace of kind `Default`. A project uses its hub's authorization and is refused.",
        )
        .parsed::<WorkspaceId>()
        .replaces(),
        text(
            "system_datastores_auth_mode",
            "How the hub's system datastores sign in to the storage account: `identity` (\"Identity-based\" in the portal) or `accesskey` (\"Credential-based access\"). `userdelegationsas` is accepted too; it is undocumented and has been seen to fail.",
        )
        .default("identity")
        .parsed::<AuthMode>(),
        flag(
            "shared_access_key_enabled",
            "Whether the storage account accepts shared keys (`allowSharedKeyAccess`). If not set it is only read; once set it is enforced, and removing it stops that without changing the account.",
        )
        .or_computed(),
        computed("storage_account_id", Type::String, "ARM id of the hub's default storage account.")
            .parsed::<StorageAccountId>(),
        computed("hub_principal_id", Type::String, "Object id of the hub's system-assigned identity, if it has one.")
            .parsed::<PrincipalId>(),
        computed(
            "hub_user_assigned_principal_ids",
            Type::set(Type::String),
            "Object ids of the hub's user-assigned identities.",
        )
        .parsed::<PrincipalId>(),
        flag("restore_on_destroy", "Whether destroying restores what this resource has changed.").setting(true),
        Attribute::nested(
            "restore_to",
            Nesting::Single,
            Presence::Optional,
            vec![
                text("system_datastores_auth_mode", "The mode to leave the hub with.").parsed::<AuthMode>(),
                flag("shared_access_key_enabled", "Whether to leave the account with shared keys enabled."),
            ],
            "What destroying leaves behind, instead of `original`.",
        ),
        Attribute::nested(
            "original",
            Nesting::Single,
            Presence::Computed,
            vec![
                computed("system_datastores_auth_mode", Type::String, "The hub's mode before this resource first changed it."),
                computed("shared_access_key_enabled", Type::Bool, "Whether shared keys were enabled before this resource first changed that."),
            ],
            "The settings before this resource first changed them. Null means that it has never changed that setting, so that destroying leaves it alone.",
        ),
        text(
            "access_check",
            "What to do when somebody would lose access, or something still needs keys: `warn`, `enforce` (a plan only warns; the apply stops before it changes anything, or with shared keys still enabled), or `off` (no check).",
        )
        .setting("warn")
        .parsed::<AccessCheck>(),
        Attribute::optional(
            "access_check_principal_ids",
            Type::set(Type::String),
            access::PRINCIPAL_IDS,
        )
        .parsed::<PrincipalId>(),
        Attribute::optional(
            "access_check_stop_on",
            Type::set(Type::String),
            "Codes of findings that stop the change, too, where `access_check` is `enforce`: by default only what is certain to break \
             the hub's own work does. The guide \"Before keys go off\" has all codes.",
        )
        .parsed::<FindingCode>(),
        Attribute::optional(
            "access_check_ignore_ids",
            Type::set(Type::String),
            access::IGNORE_IDS,
        )
        .parsed::<ArmId>(),
        text(
            "grant_settle_time",
            "How old the youngest role assignment that the access check relies on must be before shared keys are disabled, such as `10m`. Azure can take that long to let new assignments work.",
        )
        .setting("0s")
        .parsed::<Period>(),
        text(
            "platform_grant_timeout",
            "How long to wait, once the hub is switched and before shared keys are disabled, for the platform to assign a role to the hub's system-assigned identity, for the hub's system datastores, and for other hubs of the account that the same run switches. Then `warn` goes on and `enforce` stops. `0s` does not wait.",
        )
        .setting("5m")
        .parsed::<Period>(),
    ];
    let blocks = vec![timeouts::block([
        "For the first change; 30 minutes if not set.",
        "For reading hub and account; 5 minutes if not set.",
        "For later changes; 30 minutes if not set.",
        "For restoring the original settings; 30 minutes if not set.",
    ])];
    Schema { version: 1, block: Block { description: DESCRIPTION, attributes, blocks } }
}

/// The upgrade from version 0, which had no platform_grant_timeout: a setting, which gets its default.
pub(super) fn upgrade(version: i64) -> Option<Upgrade> {
    (version == 0).then(|| (schema().block.ty(), (|state| state) as fn(_) -> _))
}

pub(super) fn identity_schema() -> IdentitySchema {
    let hub_id = IdentityAttribute {
        name: "hub_id",
        ty: Type::String,
        required_for_import: true,
        description: "ARM id of the hub.",
    };
    IdentitySchema::new(0, vec![hub_id])
}

impl State {
    /// The object of a hub that has not been read yet.
    pub(super) fn unread(hub: &WorkspaceId) -> Self {
        Self {
            id: hub.to_string().into(),
            hub_id: hub.clone().into(),
            original: PropertyAttributes::default().into(),
            ..Self::default()
        }
    }

    pub(super) fn properties(&self) -> Properties {
        Properties {
            mode: self.system_datastores_auth_mode.known().cloned(),
            shared_keys: self.shared_access_key_enabled.known().copied(),
        }
    }

    /// What destroying restores, unless somebody else has changed it.
    pub(super) fn restores(&self) -> Properties {
        if self.restore_on_destroy.known() == Some(&false) {
            return Properties::default();
        }
        let (restore_to, original) = (Properties::of(&self.restore_to), Properties::of(&self.original));
        Properties {
            mode: restore_to.mode.or(original.mode),
            shared_keys: restore_to.shared_keys.or(original.shared_keys),
        }
    }

    /// Lets destroying leave the account's keys as they are.
    pub(super) fn keep_keys(&mut self) {
        for properties in [&mut self.original, &mut self.restore_to] {
            if let Attr::Known(properties) = properties {
                properties.shared_access_key_enabled = Attr::Null;
            }
        }
    }

    /// The requirements of the access check.
    pub(super) fn requirements(&self) -> Requirements {
        let period = |period: &Attr<Period>| period.known().map_or(Duration::ZERO, Period::length);
        let requirements = Requirements::of(&self.access_check_principal_ids, &self.access_check_ignore_ids)
            .checked(&self.access_check, &self.access_check_stop_on);
        Requirements {
            grant_settle_time: period(&self.grant_settle_time),
            platform_grant_timeout: period(&self.platform_grant_timeout),
            ..requirements
        }
    }

    pub(super) fn timeout(&self, which: impl Fn(&Timeouts) -> &Attr<Period>, default: Duration) -> Duration {
        timeouts::allowed(&self.timeouts, which, default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destroying_restores_restore_to_or_else_the_original_settings() {
        let properties = |mode: Option<&str>, shared_keys| Properties { mode: mode.map(AuthMode::new), shared_keys };
        let attributes = |mode, shared_keys| Attr::Known(properties(mode, shared_keys).attributes());
        let mut state = State { original: attributes(Some("accesskey"), Some(true)), ..State::default() };
        assert_eq!(state.restores(), properties(Some("accesskey"), Some(true)));
        state.restore_to = attributes(None, Some(false));
        assert_eq!(state.restores(), properties(Some("accesskey"), Some(false)));
        state.restore_on_destroy = false.into();
        assert_eq!(state.restores(), Properties::default());
    }
}
