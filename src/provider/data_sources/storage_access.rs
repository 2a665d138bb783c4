//! `foundryhub_storage_access`: a hub's authorization as values, for `check` blocks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    arm::{
        ArmId, Call, Read as Recency, StorageAccountId, WorkspaceId,
        workspaces::{AuthMode, Workspace},
    },
    framework::{
        Attr, Diagnostics, Summary, Type,
        context::Context,
        data_source::{DataSource, Read},
        schema::{Attribute, Block, Nesting, Presence},
        timeouts::{self, ReadTimeout},
    },
    provider::{
        Session,
        access::{
            self, Access, FindingCode, FindingSeverity, Posture, PrincipalStanding, Requirements, Standing, Told,
        },
        hub,
        principal::{PrincipalId, PrincipalType},
        report,
    },
};

#[derive(Debug)]
pub(crate) struct StorageAccess;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct State {
    hub_id: Attr<WorkspaceId>,
    principal_ids: Attr<Vec<Attr<PrincipalId>>>,
    ignore_ids: Attr<Vec<Attr<ArmId>>>,
    storage_account_id: Attr<StorageAccountId>,
    system_datastores_auth_mode: Attr<AuthMode>,
    shared_access_key_enabled: Attr<bool>,
    principals: Attr<Vec<PrincipalAttributes>>,
    findings: Attr<Vec<FindingAttributes>>,
    compliant: Attr<bool>,
    verified: Attr<bool>,
    timeouts: Attr<ReadTimeout>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PrincipalAttributes {
    principal_id: Attr<PrincipalId>,
    principal_type: Attr<PrincipalType>,
    access: Attr<Standing>,
    roles: Attr<Vec<Attr<String>>>,
    is_hub_identity: Attr<bool>,
    is_required: Attr<bool>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FindingAttributes {
    code: Attr<FindingCode>,
    severity: Attr<FindingSeverity>,
    subject: Attr<String>,
    text: Attr<String>,
}

/// How long the whole read may take where the configuration does not say.
const READING: Duration = Duration::from_secs(5 * 60);

const DESCRIPTION: &str = "How the data of a hub can be reached now, as values: the hub's mode, whether its storage account accepts shared keys, who holds \
which data roles there, and what has no access without shared keys. It is made for `check` blocks and scheduled runs, and changes nothing.

The findings are those of the access check of `foundryhub_storage_auth`, true whether shared keys are disabled already or going to be. \
The guide Before keys go off has all codes. Two things are left to that check: computes, of which \
Azure does not show whether they were restarted since the switch, and what other resources of a run are going to change.

The role Reader on the subscription sees all of it. What the caller may not read is a finding of severity `unverified` and makes \
`verified` false; only a hub that does not exist or cannot be read is an error.

What policies refuse is asked about enabling shared keys, whether these are disabled already or not: the way back matters in both cases.

Nine requests are sent, and two more for each project of the hub and for each other workspace on the account; every further page of a list \
is one more. A user-assigned identity \
takes one more for the vault, one for the identity's roles in each subscription that has a resource of the hub, and, if one is missing, \
one for each role of the identity that this provider does not know. An account without public network access takes one for the roles of \
the hub's identity in each subscription that has a private endpoint of the account, unless these were read already, and one for each \
private endpoint that is in another subscription or that the identity has no role for. The hub is read first, and then everything else \
at the same time; policies and private endpoints follow the account.";

impl DataSource for StorageAccess {
    type Client = Session;
    type State = State;

    fn name(&self) -> &'static str {
        "foundryhub_storage_access"
    }

    fn schema(&self) -> Block {
        let attributes = vec![
            Attribute::required("hub_id", Type::String, "ARM id of the hub, or of a workspace of kind `Default`.")
                .parsed::<WorkspaceId>(),
            Attribute::optional(
                "principal_ids",
                Type::set(Type::String),
                "Object ids of users, groups and identities that must have a pair of roles on the storage account, as in \
                 `access_check_principal_ids` of `foundryhub_storage_auth`.",
            )
            .parsed::<PrincipalId>(),
            Attribute::optional("ignore_ids", Type::set(Type::String), access::IGNORE_IDS).parsed::<ArmId>(),
            Attribute::computed("storage_account_id", Type::String, "ARM id of the hub's default storage account.")
                .parsed::<StorageAccountId>(),
            Attribute::computed(
                "system_datastores_auth_mode",
                Type::String,
                "How the hub's system datastores sign in to the storage account: `identity`, `accesskey` or `userdelegationsas`.",
            ),
            Attribute::computed(
                "shared_access_key_enabled",
                Type::Bool,
                "Whether the storage account accepts shared keys. Null where it cannot be read.",
            ),
            Attribute::nested(
                "principals",
                Nesting::List,
                Presence::Computed,
                principal_attributes(),
                "Those of `principal_ids`, the hub's identities, and everybody who holds a data role of this provider on the storage \
                 account or above it, in the order of their ids. Roles on single containers do not count.",
            ),
            Attribute::nested(
                "findings",
                Nesting::List,
                Presence::Computed,
                finding_attributes(),
                "What has no access without shared keys or may have none, and what could not be seen, in a stable order. That the hub or \
                 its storage account uses keys is no finding: see the attributes of these names.",
            ),
            Attribute::computed(
                "compliant",
                Type::Bool,
                "Whether the hub is on `identity`, its storage account is known to refuse shared keys, and no finding has the severity \
                 `error`. What could not be seen does not count, see `verified`.",
            ),
            Attribute::computed(
                "verified",
                Type::Bool,
                "Whether everything could be seen: no finding has the severity `unverified`.",
            ),
        ];
        let blocks = vec![timeouts::block_of(&[("read", "For reading all of it; 5 minutes if not set.")])];
        Block { description: DESCRIPTION, attributes, blocks }
    }

    async fn read(&self, context: Context<Session>, config: State) -> Read<State> {
        let session = context.client.ok_or_else(report::unconfigured)?;
        let allowed = timeouts::allowed(&config.timeouts, |timeouts| &timeouts.read, READING);
        let call = Call::new(context.cancel, allowed);
        let hub_id = config.hub_id.known().expect("required attributes are set");
        let hub = hub::read(&session, hub_id, Recency::Fresh, &call).await.map_err(|error| error.diagnostic(hub_id))?;
        if let Some(refusal) = hub::refused_kind(hub_id, &hub) {
            return Err(refusal.into());
        }
        let account = hub::account_of(hub_id, &hub)?;
        let requirements = Requirements::of(&config.principal_ids, &config.ignore_ids);
        let (session, call) = (&*session, &call);
        let access =
            Access { session, call, hub_id, hub: Some(&hub), account: &account, found_account: None, requirements };
        let read = access.posture().await;
        let posture =
            read.map_err(|error| report::failure(Summary("The access to the hub's storage was not read"), &error, ""))?;
        Ok((state_of(config, &hub, account, posture), Diagnostics::default()))
    }
}

fn principal_attributes() -> Vec<Attribute> {
    let computed = |name, ty, description| Attribute::computed(name, ty, description);
    vec![
        computed("principal_id", Type::String, "Its object id."),
        computed(
            "principal_type",
            Type::String,
            "`User`, `Group`, `ServicePrincipal` and the like. Null where no role assignment tells it.",
        ),
        computed(
            "access",
            Type::String,
            "What it may do with the data: `contributor` or `reader` with roles for both blobs and files, `partial` with less, `none`, or \
             `not_verifiable` where it may have more than its own roles prove: by a condition, a custom role or a group, or because role \
             assignments cannot be read.",
        )
        .parsed::<Standing>(),
        computed(
            "roles",
            Type::set(Type::String),
            "The data roles that it holds itself on the storage account or above it, by name; roles that this provider does not know, \
             and custom ones, by id.",
        ),
        computed("is_hub_identity", Type::Bool, "Whether it is a managed identity of the hub."),
        computed("is_required", Type::Bool, "Whether `principal_ids` has it."),
    ]
}

fn finding_attributes() -> Vec<Attribute> {
    let computed = |name, description| Attribute::computed(name, Type::String, description);
    vec![
        computed("code", "What kind of finding it is. Codes stay the same in later versions.").parsed::<FindingCode>(),
        computed(
            "severity",
            "`error` if it is certain to break the work of the hub, of another one on the account or of a required principal without \
             shared keys, `warning` if it may break something, `unverified` if it says what could not be seen.",
        )
        .parsed::<FindingSeverity>(),
        computed("subject", "The object id of the principal, or ARM id of the resource, that it is about."),
        computed("text", "What was found, and what to do."),
    ]
}

fn state_of(config: State, hub: &Workspace, account: StorageAccountId, posture: Posture) -> State {
    State {
        storage_account_id: account.into(),
        // In the words of the documentation, since HCL compares with regard to case.
        system_datastores_auth_mode: hub.properties.system_datastores_auth_mode.documented().into(),
        shared_access_key_enabled: posture.shared_keys.into(),
        compliant: posture.is_compliant(hub).into(),
        verified: posture.is_verified().into(),
        principals: posture.principals.into_iter().map(PrincipalAttributes::from).collect::<Vec<_>>().into(),
        findings: posture.findings.into_iter().map(FindingAttributes::from).collect::<Vec<_>>().into(),
        ..config
    }
}

impl From<PrincipalStanding> for PrincipalAttributes {
    fn from(standing: PrincipalStanding) -> Self {
        Self {
            principal_id: standing.principal_id.into(),
            principal_type: standing.principal_type.into(),
            access: standing.access.into(),
            roles: standing.roles.into_iter().map(Attr::from).collect::<Vec<_>>().into(),
            is_hub_identity: standing.is_hub_identity.into(),
            is_required: standing.is_required.into(),
        }
    }
}

impl From<Told> for FindingAttributes {
    fn from(told: Told) -> Self {
        Self {
            code: told.code.into(),
            severity: told.severity.into(),
            subject: told.subject.into(),
            text: told.text.into(),
        }
    }
}
