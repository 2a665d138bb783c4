//! Signing in: one file for each method, which gets tokens as a [`TokenSource`], and the `cache` of tokens.
//!
//! `entra` asks Microsoft Entra for a token with what proves who is asking; certificates and OIDC tokens do so by an
//! `assertion`. `value_or_file` reads ids and secrets, and `transport` sends the requests of `azure_identity`.

mod assertion;
mod azure_cli;
mod azure_devops;
mod cache;
mod client_certificate;
mod client_secret;
mod entra;
mod github;
mod managed_identity;
mod network;
mod oidc_token;
mod source;
mod transport;
mod value_or_file;

pub use super::token_error::{EntraError, Proof, SignInFailure, TokenError};
pub use azure_cli::AzureCli;
pub use azure_devops::AzureDevOps;
pub(crate) use cache::{CachedToken, Tokens};
pub use client_certificate::ClientCertificate;
pub use client_secret::ClientSecret;
pub use github::GitHub;
pub use managed_identity::{AppService, ManagedIdentity};
pub(crate) use network::HttpClients;
pub use network::Network;
pub use oidc_token::OidcToken;
pub use source::{AccessToken, TokenRequest, TokenSource};
pub use value_or_file::ValueOrFile;
