//! The client of Azure Resource Manager. It knows Azure and nothing of Terraform.
//!
//! From the outside in: the typed calls ([`workspaces`], [`storage_accounts`], [`role_assignments`],
//! [`role_definitions`], [`subscriptions`]) say what there is to ask for, and `resource` and `client` ask for it; `lro`
//! follows operations to their end; `share` and `batch` make one request of many; `send` is the one loop that sends and sleeps, by what `retry` says a failure
//! means and by [`auth`] which token to use. Everything that decides is free of input and output: [`id`],
//! [`request`], `retry`, `lro`, `no_answer` and [`error`] take values and give values.
//!
//! **Nothing here reads the environment**: whatever comes from there is a value of [`Settings`] or [`Credential`].
//! **A token goes to the configured host only**, whatever an answer points to, and redirects are not followed.
//! **No secret is in an error or a log.**

pub mod auth;
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
