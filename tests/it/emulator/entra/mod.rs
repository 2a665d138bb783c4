//! Sign-in (azure.md §6): every way to a token, and what refuses one.

mod bearer;
mod certificates;
mod discovery;
mod federation;
mod keys;
mod managed_identity;
mod pipelines;
mod secrets;

use serde_json::Value;

use super::client::{Arm, Reply, arm, variable};
use crate::azure::SignIn;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Another application than the default one.
const APP: &str = "66666666-0000-0000-0000-000000000000";
const APP_OBJECT: &str = "66666666-0000-0000-0000-000000000001";

/// An emulator whose environment signs in this way.
async fn arm_for(sign_in: SignIn) -> Arm {
    let arm = arm().await;
    arm.emulator.configure(|options| options.sign_in = sign_in);
    arm
}

impl Arm {
    /// Asks for a token of Azure Resource Manager with an assertion.
    async fn assert(&self, client: &str, assertion: &str) -> Reply {
        let scope = format!("{}/.default", self.emulator.url());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
            ("scope", scope.as_str()),
        ];
        self.token(&form).await
    }

    /// What the log has of the last request for a token.
    fn last_sign_in(&self) -> Value {
        let requests = self.emulator.requests();
        let last = requests.iter().rfind(|request| request.path.ends_with("/oauth2/v2.0/token"));
        last.expect("a request for a token").body.clone()
    }

    /// The token endpoint of the emulator's tenant.
    fn token_endpoint(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.emulator.url(), variable(&self.emulator, "ARM_TENANT_ID"))
    }
}

/// Checks that a token was refused as azure.md §6.2 has it.
fn check_refusal(reply: &Reply, status: u16, error: &str, number: u32) {
    assert_eq!((reply.status, reply.at("/error")), (status, error.into()), "AADSTS{number}: {}", reply.text);
    assert_eq!(reply.at("/error_codes/0"), number);
    let description = reply.at("/error_description").as_str().expect("a description").to_owned();
    assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
    for part in ["Trace ID: ", "Correlation ID: ", "Timestamp: "] {
        assert!(description.contains(part), "{description}");
    }
    for member in ["timestamp", "trace_id", "correlation_id"] {
        assert!(reply.at(&format!("/{member}")).is_string(), "{member}");
    }
    assert!(reply.at("/error_uri").as_str().expect("a URL").ends_with(&format!("/error?code={number}")));
}

/// The claims of a token that was bought.
fn claims(reply: &Reply) -> Value {
    let token = reply.at("/access_token");
    let token = token.as_str().unwrap_or_else(|| panic!("no token: {}", reply.text));
    keys::part(token, 1)
}
