//! Every switch the emulator has: one definition that tests fill in as a struct, the command line parses, and
//! `docs/internals/emulator.md` prints as a table. Points that the facts leave open are switches here, with the
//! documented default.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgAction, Args, Command, FromArgMatches, Parser, ValueEnum};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::faults::{RandomFaults, Rule};
use super::policy::Policy;
use super::{clock, throttle};

/// How the emulator behaves. Durations are measured on the emulator's clock, except `latency`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The host by which clients reach it and its certificate knows it (the address if not given)
    #[arg(long, value_name = "NAME")]
    pub(crate) host_name: Option<String>,
    /// Where to write the certificate of the emulator's own CA (a temporary file if not given)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// YAML file with what is there at the start
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// JSON file that keeps the state across restarts; read at the start if it is there, written after every change
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Real time that every answer waits
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0ms")]
    pub(crate) latency: Duration,
    /// A request to answer wrongly (see the grammar below); may be repeated
    #[arg(long, value_name = "RULE")]
    pub(crate) fault: Vec<Rule>,
    /// How many of a hundred requests go wrong at random (see below); the same seed draws the same faults
    #[arg(long, value_name = "SEED/PERCENT")]
    pub(crate) random_faults: Option<RandomFaults>,
    /// A policy to enforce on writes (see the grammar below); may be repeated
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Vec<Policy>,
    /// The tenant
    #[arg(long, value_name = "GUID", default_value = "11111111-1111-1111-1111-111111111111")]
    pub(crate) tenant_id: String,
    /// The subscription that is there without a seed
    #[arg(long, value_name = "GUID", default_value = "22222222-2222-2222-2222-222222222222")]
    pub(crate) subscription_id: String,
    /// The application that is there without a seed; an Owner of everything
    #[arg(long, value_name = "GUID", default_value = "33333333-3333-3333-3333-333333333333")]
    pub(crate) client_id: String,
    /// Its secret
    #[arg(long, value_name = "TEXT", default_value = "emulator-secret")]
    pub(crate) client_secret: String,
    /// The object id of its service principal
    #[arg(long, value_name = "GUID", default_value = "44444444-4444-4444-4444-444444444444")]
    pub(crate) client_object_id: String,
    /// Items on a page of a list
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(crate) page_size: usize,
    /// Whether long-running operations end by time or wait to be finished by hand
    #[arg(long, value_name = "MODE", default_value = "auto")]
    pub(crate) operations: Operations,
    /// How long an operation runs in auto mode
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) operation_time: Duration,
    /// What a workspace's PUT, PATCH and POST answer (open: azure.md §12.2)
    #[arg(long, value_name = "SHAPE", default_value = "202-both")]
    pub(crate) lro: Lro,
    /// What a workspace's DELETE answers
    #[arg(long, value_name = "SHAPE", default_value = "202-location")]
    pub(crate) lro_delete: Lro,
    /// Seconds in Retry-After of operations
    #[arg(long, value_name = "SECONDS", default_value_t = 1)]
    pub(crate) retry_after: u64,
    /// How long reads of workspaces and storage accounts still show what was there before a write
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) read_delay: Duration,
    /// How long reads still show a workspace after the end of its deletion, if that is longer (facts: azure.md §9.9)
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) deletion_read_delay: Duration,
    /// How long reads and lists of role assignments still show what was there before a write
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) assignment_read_delay: Duration,
    /// Answer 429 when a bucket is empty (the headers are there in any case)
    #[arg(long, num_args = 0..=1, require_equals = true, action = ArgAction::Set, default_value_t = false)]
    #[arg(default_missing_value = "true")]
    pub(crate) throttle: bool,
    /// Reads a principal may do: size of the bucket, and refill per second (refill open: azure.md §5.2)
    #[arg(long, value_name = "SIZE/RATE", default_value = "250/25")]
    pub(crate) read_bucket: throttle::Rate,
    /// Writes a principal may do
    #[arg(long, value_name = "SIZE/RATE", default_value = "200/10")]
    pub(crate) write_bucket: throttle::Rate,
    /// Deletes a principal may do (refill open: azure.md §5.2)
    #[arg(long, value_name = "SIZE/RATE", default_value = "200/10")]
    pub(crate) delete_bucket: throttle::Rate,
    /// How many times a principal's bucket all principals of a subscription have together (open: azure.md §5.2)
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub(crate) global_bucket_factor: u32,
    /// Refuse callers whose roles lack the action
    #[arg(long, num_args = 0..=1, require_equals = true, action = ArgAction::Set, default_value_t = false)]
    #[arg(default_missing_value = "true")]
    pub(crate) enforce_rbac: bool,
    /// How long a new role assignment has no effect on what its principal may do
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) rbac_delay: Duration,
    /// A resource provider that is not registered; may be repeated
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) unregistered: Vec<String>,
    /// How long a registration takes
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) registration_time: Duration,
    /// A subscription that is disabled, so that writes are refused; may be repeated
    #[arg(long, value_name = "GUID")]
    pub(crate) disabled_subscription: Vec<String>,
    /// An api-version to answer with NoRegisteredProviderFound; may be repeated
    #[arg(long, value_name = "VERSION")]
    pub(crate) reject_api_version: Vec<String>,
    /// Whether systemDatastoresAuthMode and an account's flags are honoured at every api-version, or only where the published schema has them
    #[arg(long, value_name = "VIEW", default_value = "live")]
    pub(crate) schema: SchemaView,
    /// How GET writes systemDatastoresAuthMode (open: azure.md §12.1)
    #[arg(long, value_name = "CASING", default_value = "written")]
    pub(crate) mode_casing: ModeCasing,
    /// What a PUT without systemDatastoresAuthMode does to it (open: azure.md §12.1)
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    pub(crate) put_without_mode: PutWithoutMode,
    /// Whether UserDelegationSAS is taken or answered with a server error (open: azure.md §12.4)
    #[arg(long, value_name = "WHAT", default_value = "accept")]
    pub(crate) user_delegation_sas: UserDelegationSas,
    /// Roles the platform gives a hub's system identity (open: azure.md §12.5): blob, file, administrator, contributor;
    /// or none
    #[arg(long, value_name = "ROLES", default_value = "blob,administrator", value_delimiter = ',')]
    pub(crate) hub_roles: Vec<HubRole>,
    /// Whether it gives them beside user-assigned identities, too, where the customer has to (facts: azure.md §9.7)
    #[arg(long, value_name = "WHICH", default_value = "alone")]
    pub(crate) hub_roles_for: HubRolesFor,
    /// How long the platform takes to give them
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) hub_role_delay: Duration,
    /// Whether the blob role that the platform gives a hub with data isolation has a condition (open: azure.md §9.7)
    #[arg(long, value_name = "ON|OFF", default_value = "on")]
    pub(crate) hub_role_condition: OnOff,
    /// Whether the system datastores follow the workspace's mode (open: azure.md §12.6)
    #[arg(long, value_name = "WHAT", default_value = "follow")]
    pub(crate) datastores: Datastores,
    /// How long they take to follow
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) datastore_lag: Duration,
    /// Which lists of a project have its hub's items, too (open: azure.md §13.1 to §13.3): datastores, connections (that
    /// are shared), computes; or none
    #[arg(long, value_name = "LISTS", default_value = "connections", value_delimiter = ',')]
    pub(crate) project_lists: Vec<HubList>,
    /// Whether a workspace's DELETE without forceToPurge keeps its name taken
    #[arg(long, value_name = "ON|OFF", default_value = "on")]
    pub(crate) soft_delete: OnOff,
    /// What a DELETE with forceToPurge answers for a workspace that is soft-deleted already: it takes the name free, or
    /// ResourceNotFound (open: azure.md §12.9)
    #[arg(long, value_name = "WHAT", default_value = "accept")]
    pub(crate) purge_deleted: PurgeDeleted,
    /// How long after a purge the name of a workspace is still taken
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) purge_time: Duration,
    /// What becomes of a write that would change a workspace's fixed properties hbiWorkspace, enableDataIsolation or
    /// encryption: refused, answered with a server error, or taken without effect (open: azure.md §12.7)
    #[arg(long, value_name = "WHAT", default_value = "refuse")]
    pub(crate) fixed_properties: FixedProperties,
    /// Whether a workspace may give up its system-assigned identity for user-assigned ones (open: azure.md §12.8)
    #[arg(long, value_name = "WHAT", default_value = "accept")]
    pub(crate) system_identity_removal: Ruling,
    /// Whether a PATCH changes applicationInsights at api-versions whose published PATCH body lacks it (open: azure.md §12.7)
    #[arg(long, value_name = "WHAT", default_value = "ignore")]
    pub(crate) insights_patch: InsightsPatch,
    /// Whether GET lists managedNetwork.changeableIsolationModes (facts: azure.md §9.6)
    #[arg(long, value_name = "WHAT", default_value = "listed")]
    pub(crate) isolation_modes: IsolationModes,
    /// Which properties of a workspace that are not set are null in answers, and not absent (facts: azure.md §9.10)
    #[arg(long, value_name = "WHICH", default_value = "seen")]
    pub(crate) nulls: Nulls,
    /// Whether errors of workspaces have explicit nulls (facts: azure.md §9.5); Python clients cannot read them
    #[arg(long, value_name = "ON|OFF", default_value = "off")]
    pub(crate) error_nulls: OnOff,
    /// An errorCode that answers about metrics have in a 200, instead of Success (facts: azure.md §10.4)
    #[arg(long, value_name = "CODE")]
    pub(crate) metrics_error: Option<String>,
    /// How paths of returned ids are written (open: azure.md §1.6)
    #[arg(long, value_name = "CASING", default_value = "stored")]
    pub(crate) id_casing: IdCasing,
    /// What RoleAssignmentExists says of the assignment that is there
    #[arg(long, value_name = "WHAT", default_value = "hex")]
    pub(crate) exists_id: ExistsId,
    /// Status of an identical role assignment PUT (open: azure.md §12.3)
    #[arg(long, value_name = "STATUS", default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..=201))]
    pub(crate) repeated_put: u16,
    /// Status when the role definition of an assignment is unknown (open: azure.md §12.3)
    #[arg(long, value_name = "STATUS", default_value_t = 400, value_parser = clap::value_parser!(u16).range(400..=404))]
    pub(crate) unknown_role: u16,
    /// Status of UnmatchedPrincipalType (open: azure.md §3)
    #[arg(long, value_name = "STATUS", default_value_t = 400, value_parser = clap::value_parser!(u16).range(400..=409))]
    pub(crate) unmatched_type: u16,
    /// Which principals role assignments take: any; known (or any with a principalType); strict (known only)
    #[arg(long, value_name = "WHICH", default_value = "known")]
    pub(crate) principals: Principals,
    /// How long after it was made a principal is still unknown to role assignments
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "0s")]
    pub(crate) principal_delay: Duration,
    /// Role assignments a subscription may hold
    #[arg(long, value_name = "N", default_value_t = 4000)]
    pub(crate) assignment_limit: usize,
    /// Role assignments a management group may hold
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub(crate) management_group_assignment_limit: usize,
    /// Status of RoleAssignmentLimitExceeded (open: azure.md §3)
    #[arg(long, value_name = "STATUS", default_value_t = 400, value_parser = clap::value_parser!(u16).range(400..=409))]
    pub(crate) assignment_limit_status: u16,
    /// Audiences that a token for ARM may have, besides the emulator's own URL
    #[arg(long, value_name = "URLS", value_delimiter = ',', default_value = AUDIENCES)]
    pub(crate) audience: Vec<String>,
    /// A domain of the tenant, by which it can be named, too
    #[arg(long, value_name = "NAME", default_value = "contoso.onmicrosoft.com")]
    pub(crate) tenant_domain: String,
    /// Another tenant that the same clients may sign in to, whose tokens ARM refuses; may be repeated
    #[arg(long, value_name = "GUID")]
    pub(crate) foreign_tenant: Vec<String>,
    /// How long a token lives
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "3599s")]
    pub(crate) token_lifetime: Duration,
    /// How long an assertion lives that a pipeline or a cluster gets
    #[arg(long, value_name = "TIME", value_parser = clock::duration, default_value = "5m")]
    pub(crate) assertion_lifetime: Duration,
    /// The subject of a GitHub job's assertions; the default application trusts the one of the start
    #[arg(long, value_name = "TEXT", default_value = "repo:octo-org/octo-repo:environment:prod")]
    pub(crate) github_subject: String,
    /// What a GitHub job presents to get them
    #[arg(long, value_name = "TEXT", default_value = "github-request-token")]
    pub(crate) github_request_token: String,
    /// The subject of an Azure DevOps service connection's assertions; the default application trusts the one of the start
    #[arg(long, value_name = "TEXT", default_value = "sc://emulator/project/connection")]
    pub(crate) devops_subject: String,
    /// The id of the service connection
    #[arg(long, value_name = "GUID", default_value = "55555555-5555-5555-5555-555555555555")]
    pub(crate) devops_connection: String,
    /// What an Azure DevOps job presents to get them
    #[arg(long, value_name = "TEXT", default_value = "devops-access-token")]
    pub(crate) devops_access_token: String,
    /// Whether the default application is the machine's system-assigned identity
    #[arg(long, value_name = "ON|OFF", default_value = "on")]
    pub(crate) system_identity: OnOff,
    /// What App Service wants to see in X-IDENTITY-HEADER
    #[arg(long, value_name = "TEXT", default_value = "app-service-identity-header")]
    pub(crate) identity_header: String,
    /// How the environment that is printed signs in
    #[arg(long, value_name = "HOW", default_value = "secret")]
    pub(crate) sign_in: SignIn,
    /// Add a claims challenge to every 401
    #[arg(long, num_args = 0..=1, require_equals = true, action = ArgAction::Set, default_value_t = false)]
    #[arg(default_missing_value = "true")]
    pub(crate) claims_challenge: bool,
    /// Whether x-ms-client-request-id is echoed always, never, or when asked (open: azure.md §5.4)
    #[arg(long, value_name = "WHEN", default_value = "when-asked")]
    pub(crate) echo_client_request_id: EchoWhen,
    /// The clock's time at the start (the real time if not given)
    #[arg(long, value_name = "RFC3339", value_parser = clock::parse)]
    pub(crate) time: Option<OffsetDateTime>,
    /// Keep the clock still
    #[arg(long)]
    pub(crate) stop_clock: bool,
}

impl Default for Options {
    /// What the command line gives without arguments.
    fn default() -> Self {
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            options: Options,
        }
        Line::parse_from(["emulator"]).options
    }
}

/// The audiences of ARM in the public cloud, the US Government's and China's (facts: azure.md §6.1).
const AUDIENCES: &str = "https://management.azure.com,https://management.core.windows.net,\
    https://management.usgovcloudapi.net,https://management.core.usgovcloudapi.net,\
    https://management.chinacloudapi.cn,https://management.core.chinacloudapi.cn";

/// What has had its effect once the emulator runs.
const FIXED: [&str; 14] = [
    "listen",
    "ca_file",
    "seed",
    "state",
    "fault",
    "tenant_id",
    "subscription_id",
    "client_id",
    "client_secret",
    "client_object_id",
    "unregistered",
    "disabled_subscription",
    "time",
    "stop_clock",
];

impl Options {
    /// Changes switches, written as on the command line; those that are not named stay as they are.
    pub(crate) fn change(&mut self, words: &[String]) -> Result<(), String> {
        let command =
            Self::augment_args_for_update(Command::new("options").no_binary_name(true).disable_help_flag(true));
        // A default would count as if it had been named.
        let command = command.mut_args(|switch| switch.default_value(None::<&'static str>));
        let named = command.try_get_matches_from(words).map_err(|error| error.render().to_string())?;
        if let Some(fixed) = FIXED.into_iter().find(|name| named.value_source(name) == Some(ValueSource::CommandLine)) {
            return Err(format!("--{} can be given at the start only", fixed.replace('_', "-")));
        }
        let mut changed = self.clone();
        changed.update_from_arg_matches(&named).map_err(|error| error.to_string())?;
        *self = changed;
        Ok(())
    }

    /// The defaults for tests of clients: operations end with their first answer, since nobody polls without a pause.
    pub(crate) fn quick() -> Self {
        Self { lro: Lro::Done, lro_delete: Lro::Done, ..Self::default() }
    }
}

/// How operations come to their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Operations {
    /// After `operation_time`.
    Auto,
    /// When somebody finishes them.
    Explicit,
}

/// The shapes of azure.md §1.3 in which a write can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Lro {
    /// 200 with the finished resource.
    #[value(name = "200")]
    Done,
    /// 200 with `provisioningState` Updating; the resource is polled.
    #[value(name = "200-updating")]
    Updating,
    /// 202 with `Location`.
    #[value(name = "202-location")]
    Location,
    /// 202 with `Azure-AsyncOperation`.
    #[value(name = "202-async")]
    Async,
    /// 202 with `Operation-Location`.
    #[value(name = "202-operation-location")]
    OperationLocation,
    /// 202 with `Location` and `Azure-AsyncOperation`.
    #[value(name = "202-both")]
    Both,
    /// 202 without any of them; the resource is polled.
    #[value(name = "202-bare")]
    Bare,
}

/// Which api-versions know systemDatastoresAuthMode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaView {
    /// All of them, as the live service seems to.
    Live,
    /// Those whose published schema has it: elsewhere it is hidden and dropped.
    Strict,
}

/// How a mode is written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeCasing {
    /// As it was written.
    Written,
    /// In lower case.
    Lower,
    /// As the newer schemas spell it: AccessKey, Identity, UserDelegationSAS.
    Canonical,
}

/// What a full PUT that leaves the mode out means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PutWithoutMode {
    /// The mode stays.
    Keep,
    /// The mode becomes accesskey.
    Reset,
}

/// What becomes of a UserDelegationSAS mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UserDelegationSas {
    /// It is taken and behaves as identity does.
    Accept,
    /// 500 InternalServerError.
    Error,
}

/// A role that the platform gives a hub's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HubRole {
    /// Storage Blob Data Contributor on the storage account.
    Blob,
    /// Storage File Data Privileged Contributor on the storage account.
    File,
    /// Azure AI Administrator on the resource group (hubs made since 2024-11-19).
    Administrator,
    /// Contributor on the resource group (older hubs).
    Contributor,
    /// No role.
    None,
}

/// Whose system identities get roles of the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HubRolesFor {
    /// Those of hubs that have no other.
    Alone,
    /// All.
    Any,
}

/// Whether datastores follow the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Datastores {
    /// After `datastore_lag`.
    Follow,
    /// They keep the credentials they had.
    Never,
}

/// A list of a project that may have its hub's items, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HubList {
    Datastores,
    /// Those that are shared with projects.
    Connections,
    Computes,
    /// No list.
    None,
}

/// What a purge of a workspace that is soft-deleted answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PurgeDeleted {
    /// The name is free afterwards.
    Accept,
    /// ResourceNotFound, and the name stays taken.
    NotFound,
}

/// What becomes of a change that the service does not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FixedProperties {
    /// 400.
    Refuse,
    /// 500 InternalServerError.
    Error,
    /// It is answered as any write, and has no effect.
    Ignore,
}

/// Whether something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ruling {
    /// It is.
    Accept,
    /// 400.
    Refuse,
}

/// What a PATCH of applicationInsights does where it is not documented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InsightsPatch {
    /// Nothing.
    Ignore,
    /// It changes the property.
    Accept,
}

/// Whether a workspace tells which isolation modes it can go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IsolationModes {
    /// All that can be reached.
    Listed,
    /// Always `[]`.
    Empty,
    /// Not at all.
    Absent,
}

/// Which properties are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Nulls {
    /// Those that were seen so: etag, containerRegistry, imageBuildCompute.
    Seen,
    /// None.
    None,
    /// All that the schema has.
    All,
}

/// Casing of returned ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum IdCasing {
    /// As stored at creation.
    Stored,
    /// As in the request.
    Request,
    /// Lower case.
    Lower,
}

/// A way to sign in as the default application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignIn {
    /// Its secret.
    Secret,
    /// The assertions of a GitHub job.
    Github,
    /// Those of an Azure DevOps service connection.
    AzureDevops,
    /// The managed identity of a virtual machine.
    VirtualMachine,
    /// That of an App Service.
    AppService,
}

/// What a RoleAssignmentExists tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExistsId {
    /// The name's 32 hex digits.
    Hex,
    /// Nothing.
    None,
}

/// Which principals are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Principals {
    /// Every GUID.
    Any,
    /// Those of the directory, and any other when principalType is sent.
    Known,
    /// Those of the directory.
    Strict,
}

/// When the client's request id comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EchoWhen {
    /// If `x-ms-return-client-request-id: true` was sent.
    WhenAsked,
    /// If one was sent.
    Always,
    /// Not at all.
    Never,
}

/// A switch with two positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnOff {
    /// On.
    On,
    /// Off.
    Off,
}

impl FromStr for throttle::Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (size, rate) = text.split_once('/').ok_or_else(|| format!("{text:?} is not SIZE/RATE"))?;
        let number = |text: &str| text.parse::<u32>().map_err(|error| format!("{text:?}: {error}"));
        Ok(Self { size: number(size)?, per_second: number(rate)? })
    }
}
