//! Signing in: one file for each method, which gives tokens as a [`TokenSource`], and how long tokens are kept (`cache`).
//!
//! `entra` asks Microsoft Entra for a token with what proves who is asking; certificates and OIDC tokens do so by an
//! `assertion`. `held` is where a method has its secret from, and `transport` how the requests of `azure_identity` go out.

mod assertion;
mod azure_cli;
mod azure_devops;
mod cache;
mod client_certificate;
mod client_secret;
mod entra;
mod github;
mod held;
mod managed_identity;
mod network;
mod oidc_token;
mod source;
mod transport;

pub use super::token_error::{EntraError, SignInFailure, TokenError};
pub use azure_cli::AzureCli;
pub use azure_devops::AzureDevOps;
pub(crate) use cache::{CachedToken, Tokens};
pub use client_certificate::ClientCertificate;
pub use client_secret::ClientSecret;
pub use github::GitHub;
pub use held::Held;
pub use managed_identity::{AppService, ManagedIdentity};
pub(crate) use network::HttpClients;
pub use network::Network;
pub use oidc_token::OidcToken;
pub use source::{AccessToken, TokenRequest, TokenSource};
