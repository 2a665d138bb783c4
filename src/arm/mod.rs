//! The client of Azure Resource Manager, which knows nothing of Terraform.
//!
//! From the outside in: [`workspaces`] with [`datastores`], `connections` and `computes`, [`storage_accounts`] with
//! `storage_services`, [`role_assignments`], [`role_definitions`] and the like are the types of resources, `metrics` is
//! what Azure Monitor counts of them; `resource`, `pages` and `client` have the calls for any type, and `listed` finds
//! items of a list; `lro` follows long-running operations; `reads` joins and remembers reads, by means of `in_flight`;
//! `gathering` decides when a list takes the place of single reads, and `sparing` does so for any type; `cloud_metadata` has
//! the addresses of the cloud; `send` is the one loop that sends and sleeps, with a token of [`auth`] and by what `retry` decides about a
//! failure; `outgoing` is what it sends. [`id`], `request`, `retry`, `lro`, `no_answer` and [`error`] take and give values
//! and send nothing.
//!
//! **Nothing here reads the environment**: what comes from there is in [`Settings`] or in a sign-in method.
//! **Nothing here blocks the runtime**: what may take long on this machine is done by `files`.
//! **A token goes to the configured host only**: redirects and URLs to other hosts are not followed.
//! **No secret is in an error or a log.**

pub mod auth;
mod auth_mode;
mod authorities;
mod body;
mod call;
mod client;
pub mod cloud;
mod cloud_metadata;
pub(crate) mod computes;
pub(crate) mod connections;
pub mod datastores;
pub mod error;
mod error_code;
mod exchange;
mod files;
mod gathering;
pub mod id;
mod in_flight;
mod listed;
mod lock;
pub mod lro;
pub(crate) mod metrics;
mod no_answer;
mod outgoing;
mod pages;
pub(crate) mod policy_restrictions;
pub(crate) mod private_endpoints;
mod reads;
mod request;
mod resolver;
mod resource;
mod retry;
pub mod role_assignments;
pub mod role_definitions;
mod secret;
mod send;
mod service_error;
mod sparing;
pub mod storage_accounts;
pub(crate) mod storage_services;
pub mod subscriptions;
mod token_error;
pub(crate) mod vaults;
pub mod workspaces;

pub use body::Body;
pub use call::{Call, Clock, SystemClock};
pub use client::{Client, CorrelationId, Settings};
pub use cloud::{Addresses, Cloud, Endpoints, MetadataHost};
pub use error::{Error, ErrorCode, ServiceError};
pub(crate) use gathering::WORTH_A_LIST;
pub use id::{
    ArmId, IdError, ResourceGroupName, RoleAssignmentId, RoleDefinitionId, StorageAccountId, SubscriptionId,
    WorkspaceId, WorkspaceName,
};
pub use listed::Listed;
pub use no_answer::{CertificateFault, NoAnswer};
pub use reads::Read;
pub use request::{Answer, Dated};
pub use resource::List;
pub(crate) use resource::{Item, Resource};
pub use retry::DEFAULT_MAX_RETRIES;
pub use secret::Secret;
