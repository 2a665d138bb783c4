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
use time::OffsetDateTime;

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
    token.map(|token| by_clock(token, network)).map_err(|error| match transport.seen() {
        Some(Seen::Nothing { from, reason, source }) => {
            TokenError::Unreachable { from, reason, hint: reason.hint(), source }
        }
        Some(Seen::Answer { from, status, .. }) if (200..300).contains(&status) => TokenError::NoToken { from, status },
        Some(Seen::Answer { status, body, .. }) => {
            let refusal = EntraError::read(status, &body, kind);
            let (error, message) = (proof.redact(&refusal.error), proof.redact(&refusal.message));
            TokenError::Refused(EntraError { error, message, ..refusal })
        }
        None => TokenError::Credential { credential: "Microsoft Entra", message: proof.redact(&innermost(&error)) },
    })
}

/// The token, with its expiry by the client's clock rather than the system's.
pub(super) fn by_clock(token: azure_core::credentials::AccessToken, network: &Network) -> AccessToken {
    let left = token.expires_on - OffsetDateTime::now_utc();
    AccessToken { token: Secret::new(token.token.secret()), expires_on: network.clock.utc() + left }
}

/// The message of the first cause, without the errors that wrap it.
pub(super) fn innermost(error: &azure_core::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().trim().to_owned()
}
