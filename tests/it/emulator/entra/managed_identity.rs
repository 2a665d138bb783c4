//! The endpoints of managed identities (azure.md §6.4).

use serde_json::json;

use super::super::client::{Arm, Reply, read, variable};
use super::{APP, APP_OBJECT, arm_for, claims};
use crate::azure::{OnOff, SignIn};

const IDENTITIES: &str =
    "/subscriptions/s/resourceGroups/rg1/providers/Microsoft.ManagedIdentity/userAssignedIdentities";
const RESOURCE: &str = "resource=https%3A%2F%2Fmanagement.azure.com";

/// A machine's endpoint, or that of an App Service, with the header that it wants.
struct Endpoint {
    url: String,
    header: (&'static str, String),
    resource_id: &'static str,
}

async fn machine() -> (Arm, Endpoint) {
    let arm = arm_for(SignIn::VirtualMachine).await;
    let url = format!("{}?api-version=2018-02-01", variable(&arm.emulator, "ARM_MSI_ENDPOINT"));
    (arm, Endpoint { url, header: ("Metadata", "true".to_owned()), resource_id: "msi_res_id" })
}

async fn service() -> (Arm, Endpoint) {
    let arm = arm_for(SignIn::AppService).await;
    let url = format!("{}?api-version=2019-08-01", variable(&arm.emulator, "IDENTITY_ENDPOINT"));
    let header = ("X-IDENTITY-HEADER", variable(&arm.emulator, "IDENTITY_HEADER"));
    (arm, Endpoint { url, header, resource_id: "mi_res_id" })
}

impl Endpoint {
    async fn ask(&self, arm: &Arm, query: &str) -> Reply {
        let url = format!("{}&{RESOURCE}{query}", self.url);
        read(arm.http.get(url).header(self.header.0, &self.header.1)).await
    }
}

fn user_assigned(arm: &Arm, client: &str, object: &str, name: &str) {
    let client = json!({ "client_id": client, "object_id": object, "resource_id": format!("{IDENTITIES}/{name}") });
    arm.emulator.seed(&json!({ "clients": [client] }).to_string());
}

/// azure.md §6.4: both endpoints are asked without TLS, and choose the identity by any of its ids.
#[tokio::test]
async fn an_identity_is_chosen_by_any_of_its_ids() {
    for (arm, endpoint) in [machine().await, service().await] {
        assert!(endpoint.url.starts_with("http://127.0.0.1:"), "{}", endpoint.url);
        user_assigned(&arm, APP, APP_OBJECT, "uai1");
        for id in [
            format!("&client_id={APP}"),
            format!("&object_id={APP_OBJECT}"),
            format!("&{}={IDENTITIES}/UAI1", endpoint.resource_id),
        ] {
            let reply = endpoint.ask(&arm, &id).await;
            assert_eq!(reply.status, 200, "{id}: {}", reply.text);
            assert_eq!((reply.at("/client_id"), reply.at("/token_type")), (APP.into(), "Bearer".into()), "{id}");
            assert_eq!(reply.at("/resource"), "https://management.azure.com");
            let end: i64 = reply.at("/expires_on").as_str().expect("a string").parse().expect("seconds");
            assert!((end - arm.emulator.now().unix_timestamp() - 3599).abs() <= 60, "{end}");
            let claims = claims(&reply);
            assert_eq!((&claims["oid"], &claims["exp"]), (&json!(APP_OBJECT), &json!(end)));
            let hub = arm.http.get(format!("{}{}", arm.emulator.url(), arm.hub_path()));
            let token = reply.at("/access_token").as_str().expect("a token").to_owned();
            assert_eq!(read(hub.bearer_auth(token)).await.status, 200);
        }
        let system = endpoint.ask(&arm, "").await;
        assert_eq!(system.at("/client_id"), variable(&arm.emulator, "ARM_CLIENT_ID"), "the system-assigned one");
    }
}

/// azure.md §6.4: IMDS says why, and over TLS too.
#[tokio::test]
async fn a_machine_refuses_with_its_own_errors() {
    let (arm, endpoint) = machine().await;
    let secure = endpoint.url.replacen("http", "https", 1);
    let headless = read(arm.http.get(format!("{secure}&{RESOURCE}"))).await;
    assert_eq!((headless.status, headless.at("/error")), (400, "invalid_request".into()));
    assert_eq!(headless.at("/error_description"), "Required metadata header not specified");
    let bare = endpoint.url.split('?').next().expect("a URL");
    let versionless = read(arm.http.get(format!("{bare}?{RESOURCE}")).header("Metadata", "true")).await;
    assert_eq!(versionless.status, 400);
    assert!(versionless.at("/newest-versions").is_array(), "{}", versionless.text);
    let reply = read(arm.http.get(&secure).header("Metadata", "true")).await;
    assert_eq!((reply.status, reply.at("/error")), (400, "invalid_request".into()));

    // An application that is no managed identity is not to be had here.
    arm.emulator
        .seed(&json!({ "clients": [{ "client_id": APP, "object_id": APP_OBJECT, "secret": "s" }] }).to_string());
    let not_found = async |query: &str| {
        let reply = endpoint.ask(&arm, query).await;
        assert_eq!((reply.status, reply.at("/error")), (400, "invalid_request".into()), "{query}");
        reply.at("/error_description").as_str().expect("a text").to_owned()
    };
    assert_eq!(not_found(&format!("&client_id={APP}")).await, "Identity not found");
    assert_eq!(not_found(&format!("&msi_res_id={IDENTITIES}/none")).await, "Identity not found");
    arm.emulator.configure(|options| options.system_identity = OnOff::Off);
    assert_eq!(not_found("").await, "Identity not found");
    user_assigned(&arm, APP, APP_OBJECT, "uai1");
    assert_eq!(endpoint.ask(&arm, "").await.at("/client_id"), APP, "the only one");
    user_assigned(&arm, APP_OBJECT, APP, "uai2");
    assert!(not_found("").await.starts_with("Multiple user assigned identities exist"));
}

/// azure.md §6.4: App Service wants its header and its version, and has errors of its own.
#[tokio::test]
async fn an_app_service_refuses_with_its_own_errors() {
    let (arm, endpoint) = service().await;
    let headless = read(arm.http.get(format!("{}&{RESOURCE}", endpoint.url))).await;
    assert_eq!((headless.status, headless.at("/statusCode")), (401, 401.into()));
    let client_secret =
        arm.http.get(format!("{}&{RESOURCE}", endpoint.url)).header("X-IDENTITY-HEADER", "emulator-secret");
    assert_eq!(read(client_secret).await.status, 401);
    let old = endpoint.url.replace("2019-08-01", "2017-09-01");
    let old = read(arm.http.get(format!("{old}&{RESOURCE}")).header(endpoint.header.0, &endpoint.header.1)).await;
    assert_eq!(old.status, 400);
    let reply = endpoint.ask(&arm, &format!("&client_id={APP}")).await;
    assert_eq!((reply.status, reply.at("/statusCode")), (400, 400.into()));
    let message = reply.at("/message").as_str().expect("a message").to_owned();
    assert!(message.starts_with("No User Assigned or Delegated Managed Identity found"), "{message}");
    assert!(!format!("{:?}", arm.emulator.requests()).contains(&endpoint.header.1), "the log has no secret");
}
