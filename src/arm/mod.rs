//! The client of Azure Resource Manager, which knows nothing of Terraform.
//!
//! From the outside in: [`workspaces`], [`storage_accounts`], [`role_assignments`], [`role_definitions`] and
//! [`subscriptions`] are the types of resources; `resource` and `client` have the calls for any type; `lro` follows
//! long-running operations; `share` and `batch` join reads; `send` is the one loop that sends and sleeps, with a token of
//! [`auth`] and by what `retry` decides about a failure. [`id`], `request`, `retry`, `lro`, `no_answer` and [`error`] take
//! and give values and send nothing.
//!
//! **Nothing here reads the environment**: what comes from there is in [`Settings`] or [`Credential`].
//! **A token goes to the configured host only**: redirects and URLs to other hosts are not followed.
//! **No secret is in an error or a log.**

pub mod auth;
mod authorities;
mod batch;
mod body;
mod call;
mod client;
pub mod cloud;
pub mod error;
mod error_code;
mod exchange;
pub mod id;
mod lro;
mod no_answer;
mod request;
mod resolver;
mod resource;
mod retry;
pub mod role_assignments;
pub mod role_definitions;
mod secret;
mod send;
mod service_error;
mod share;
pub mod storage_accounts;
pub mod subscriptions;
mod token_error;
pub mod workspaces;

pub use auth::Credential;
pub use call::{Call, Clock};
pub use client::{Client, CorrelationId, Settings};
pub use cloud::{Cloud, Endpoints};
pub use error::{Error, ErrorCode, ServiceError};
pub use id::{ArmId, IdError, RoleAssignmentId, RoleDefinitionId, StorageAccountId, WorkspaceId};
pub use no_answer::{CertificateFault, NoAnswer};
pub use request::Dated;
pub use resource::List;
pub use retry::DEFAULT_MAX_RETRIES;
pub use secret::Secret;
pub use share::Read;
