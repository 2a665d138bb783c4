//! Asking Microsoft Entra for a token, with a credential of `azure_identity`.
//!
//! That crate keeps the tokens it fetched and cannot be told to forget one or to satisfy a claims challenge. So a
//! credential is made anew for every token.

use super::transport::{Seen, Transport};
use super::{AccessToken, Network, TokenError, TokenRequest};
use crate::arm::secret::Secret;
use crate::arm::token_error::{EntraError, Proof};
use azure_core::credentials::TokenCredential;
use azure_core::http::ClientOptions;
use std::sync::Arc;

/// Gets a token with the credential that `make` makes. `proof`, its secret or assertion of this kind, is redacted from
/// messages.
pub(super) async fn token<C: TokenCredential>(
    request: &TokenRequest,
    network: &Network,
    kind: Proof,
    proof: &Secret,
    make: impl FnOnce(ClientOptions) -> azure_core::Result<Arc<C>>,
) -> Result<AccessToken, TokenError> {
    let transport = Transport::new(network, request.claims.clone());
    let token = match make(transport.options(&network.authority)) {
        Ok(credential) => credential.get_token(&[request.scope.as_str()], None).await,
        Err(error) => Err(error),
    };
    let unreadable = match token.map(|token| AccessToken::by_clock(&token, network)) {
        Ok(Some(token)) => return Ok(token),
        Ok(None) => "the answer has no token that can be sent".to_owned(),
        Err(error) => proof.redact(&innermost(&error)),
    };
    Err(match transport.seen() {
        Some(Seen::Failed(error)) => error,
        Some(Seen::Answer { from, status, .. }) if (200..300).contains(&status) => TokenError::NoToken { from, status },
        Some(Seen::Answer { status, body, .. }) => {
            TokenError::Refused(EntraError::read(status, &body, kind).map_texts(|text| proof.redact(text)))
        }
        None => TokenError::Credential { credential: "Microsoft Entra", message: unreadable },
    })
}

/// The message of the first cause, without the errors that wrap it.
pub(super) fn innermost(error: &azure_core::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().trim().to_owned()
}
