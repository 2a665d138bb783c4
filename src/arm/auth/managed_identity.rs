//! The managed identity of the machine, the app or the function this runs on (docs/internals/azure.md §6.4).

use super::entra::{by_clock, innermost};
use super::transport::{Destination, Seen, Transport};
use super::{AccessToken, Held, Network, TokenError, TokenRequest, TokenSource};
use azure_core::credentials::TokenCredential as _;
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use futures_util::future::BoxFuture;
use url::Url;

/// Signs in with a managed identity.
#[derive(Debug, Clone, Default)]
pub struct ManagedIdentity {
    /// The client id of a user-assigned identity; otherwise the system-assigned one.
    pub client_id: Option<Held>,
    /// The URL to ask, when not the well-known one of the place this runs in.
    pub endpoint: Option<Url>,
    /// The `api-version` to ask with, when not the default.
    pub api_version: Option<String>,
}

impl TokenSource for ManagedIdentity {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            let refuse = |message: String| TokenError::Credential { credential: "managed identity", message };
            if request.tenant.is_some() {
                return Err(refuse("it cannot get tokens of auxiliary tenants".to_owned()));
            }
            if request.claims.is_some() {
                let message = "Azure wants a token that meets a claims challenge, as of a Conditional Access policy, and the \
                               endpoint of a managed identity takes no claims. Exempt this identity from the policy, or \
                               sign in by another method";
                return Err(refuse(message.to_owned()));
            }
            let user_assigned_id = match &self.client_id {
                Some(id) => Some(UserAssignedId::ClientId(id.text().await?.reveal().to_owned())),
                None => None,
            };
            let (endpoint, api_version) = (self.endpoint.clone(), self.api_version.clone());
            let transport = Transport::new(network, Destination::Identity { endpoint, api_version });
            let client_options = transport.options(&network.authority);
            let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
            let token = match ManagedIdentityCredential::new(Some(options)) {
                Ok(credential) => credential.get_token(&[request.scope.as_str()], None).await,
                Err(error) => Err(error),
            };
            token.map(|token| by_clock(token, network)).map_err(|error| match transport.seen() {
                Some(seen) => explain(seen),
                None => refuse(innermost(&error)),
            })
        })
    }

    fn may_change(&self) -> bool {
        self.client_id.as_ref().is_some_and(Held::may_change)
    }
}

/// Says what went wrong from what was seen, rather than from the crate's text.
fn explain(seen: Seen) -> TokenError {
    match seen {
        Seen::Nothing { from, reason, source } => TokenError::Unreachable { from, reason, source },
        Seen::Answer { from, status, .. } if (200..300).contains(&status) => TokenError::NoToken { from, status },
        Seen::Answer { status, body, app_service, .. } => TokenError::ManagedIdentity {
            status,
            message: String::from_utf8_lossy(&body).chars().take(300).collect(),
            // The crate is patient with a virtual machine's endpoint, and asks any other once.
            asked_again: !app_service,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_of_an_app_is_asked_again_and_that_of_a_machine_was() {
        for (status, app_service, transient) in
            [(429, true, true), (503, true, true), (400, true, false), (200, true, false), (503, false, false)]
        {
            let (from, body) = ("http://identity".to_owned(), b"planted".to_vec());
            let error = explain(Seen::Answer { from, status, body, app_service });
            assert_eq!(error.is_transient(), transient, "{status} {app_service}");
            assert_eq!(error.to_string().contains("planted"), status != 200, "{error}");
        }
    }
}
