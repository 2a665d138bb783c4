//! Which cloud to sign in to, and how to get there.

use std::sync::Arc;

use foundryhub::arm::{Client, MetadataHost, Settings, auth::TokenError};
use serde_json::{Value, json};

use super::bed::SignInBed;
use crate::{
    azure::{Options, Record},
    emulator::client::variable,
    support::{
        arm::{NumberedTokens, SkippingClock, account, call, settings},
        core::Plan,
        scripted::{Exchange, Scripted, on},
    },
};
use foundryhub::arm::{Read, storage_accounts::StorageAccount};

/// Plans with a secret in the block, these attributes and variables, and no other address of the emulator.
async fn plan(bed: &SignInBed, more: Value, variables: &[(&'static str, String)]) -> Plan {
    let mut block = bed.given("client secret").block();
    block.as_object_mut().expect("a block").extend(more.as_object().expect("attributes").clone());
    let mut core = bed.core(block, variables);
    core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await
}

fn scopes(bed: &SignInBed) -> Vec<String> {
    bed.token_requests().iter().map(|token| token.body["scope"].as_str().expect("a scope").to_owned()).collect()
}

#[tokio::test]
async fn a_cloud_tells_its_addresses_when_they_are_first_needed() {
    let bed = SignInBed::new().await;
    let host = bed.emulator.url().strip_prefix("https://").expect("https").to_owned();
    let asked = |bed: &SignInBed| {
        bed.emulator.requests().iter().filter(|request| request.path == "/metadata/endpoints").count()
    };
    for (block, variables) in [
        (json!({ "metadata_host": host }), vec![]),
        (json!({}), vec![("ARM_METADATA_HOSTNAME", host.clone())]),
        (json!({}), vec![("ARM_METADATA_HOST", host.clone())]),
        (json!({ "environment": "custom", "metadata_host": host }), vec![]),
        (json!({ "environment": "china", "metadata_host": host }), vec![("ARM_METADATA_HOSTNAME", "x".to_owned())]),
    ] {
        plan(&bed, block.clone(), &variables).await.ok();
        assert_eq!(asked(&bed), 1, "{block} {variables:?}");
        assert_eq!(scopes(&bed), [format!("{}//.default", bed.emulator.url())]);
    }
    // What is configured goes before what is told.
    let audience = json!([{ "resource_manager_audience": bed.emulator.url() }]);
    plan(&bed, json!({ "metadata_host": host, "endpoint": audience }), &[]).await.ok();
    assert_eq!(scopes(&bed), [format!("{}/.default", bed.emulator.url())]);

    // Nothing is called before a resource needs it.
    let mut core = bed.core(json!({ "metadata_host": host, "use_cli": true }), &[]);
    core.plan_all(Vec::new()).await.ok();
    assert_eq!(bed.emulator.requests(), []);

    let wrong = plan(&bed, json!({ "metadata_host": "https://management.azure.com" }), &[]).await;
    assert_eq!(wrong.error("Not a host").path, "metadata_host");
    let gone = plan(&bed, json!({ "metadata_host": "127.0.0.1:1", "max_retries": 0 }), &[]).await;
    let error = gone.error("The provider could not sign in to Azure");
    assert!(error.detail.contains("https://127.0.0.1:1 could not be reached"), "{error}");
}

#[tokio::test]
async fn both_forms_of_a_description_are_read_and_nothing_else_is() {
    let described = |address: &str, login: &str| json!({ "resourceManager": address, "authentication": { "loginEndpoint": login, "audiences": ["https://aud"] } });
    let own = described("{self}/", "{self}");
    let other = described("https://other.test", "https://other.test");
    let read = async |answers: Vec<Exchange>| {
        let server = Scripted::start(answers).await;
        let clock = Arc::new(SkippingClock::default());
        let host = server.url.strip_prefix("https://").expect("https");
        let addresses = foundryhub::arm::Addresses::Published(MetadataHost::of(host).unwrap());
        let settings = Settings { addresses, ..settings(&server, &clock) };
        let tokens = Arc::<NumberedTokens>::default();
        let client = Client::new(settings, tokens.clone()).unwrap();
        let read = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await;
        let scopes: Vec<_> = tokens.asked.lock().unwrap().iter().map(|asked| asked.scope.clone()).collect();
        (read.map(drop), scopes)
    };
    let answer = |status: u16, body: &Value| {
        on("GET", "/metadata/endpoints?api-version=2022-09-01").answer(status, body.to_string())
    };
    let found = || on("GET", account().to_string()).answer(200, r#"{"id":"/sa"}"#);
    for body in [own.clone(), json!([own]), json!([other, own])] {
        let (read, scopes) = read(vec![answer(200, &body), found()]).await;
        read.unwrap_or_else(|error| panic!("{body}: {error:?}"));
        assert_eq!(scopes, ["https://aud/.default"]);
    }
    // What fails in passing is asked again.
    read(vec![answer(503, &json!({})), answer(200, &own), found()]).await.0.unwrap();

    let (plain, path) = (described("http://arm.test", "{self}"), described("{self}", "{self}/adfs"));
    for (status, body) in [(404, own), (200, json!([])), (200, json!({ "name": "x" })), (200, plain), (200, path)] {
        let (read, scopes) = read(vec![answer(status, &body)]).await;
        let error = read.expect_err("no cloud");
        let sign_in = error.sign_in().expect("a sign-in that failed");
        assert!(matches!(**sign_in, TokenError::Metadata { .. }), "{body}: {error:?}");
        assert!(sign_in.to_string().contains("(metadata_host)") && error.hint().unwrap().contains("endpoint"));
        assert!(scopes.is_empty(), "nobody is asked for a token");
    }
}

#[tokio::test]
async fn a_cloud_that_tells_an_unusable_address_is_asked_once_and_its_fault_told_once() {
    let body = json!({ "resourceManager": "http://arm.test", "authentication": { "loginEndpoint": "{self}" } });
    let described = on("GET", "/metadata/endpoints?api-version=2022-09-01").answer(200, body.to_string());
    let server = Scripted::start(vec![described]).await;
    let clock = Arc::new(SkippingClock::default());
    let addresses = foundryhub::arm::Addresses::Published(
        MetadataHost::of(server.url.strip_prefix("https://").expect("https")).unwrap(),
    );
    let settings = Settings { addresses, ..settings(&server, &clock) };
    let client = Client::new(settings, Arc::<NumberedTokens>::default()).unwrap();
    for first in [true, false] {
        let error = client.get::<StorageAccount>(&account(), Read::Fresh, &call()).await.expect_err("no cloud");
        let failure = error.sign_in().expect("a sign-in that failed");
        assert!(failure.to_string().contains("`http://arm.test` does not use https"), "{failure}");
        assert_eq!(failure.claim_report(), first);
    }
    server.finish();
}

#[tokio::test]
async fn a_cloud_of_ones_own_is_spelled_out_in_the_block_or_in_the_environment() {
    let bed = SignInBed::new().await;
    plan(&bed, json!({ "environment": "custom", "endpoint": bed.endpoint() }), &[]).await.ok();
    let custom = ("ARM_ENVIRONMENT", "custom".to_owned());
    plan(&bed, json!({}), &[bed.endpoint_variables(), vec![custom]].concat()).await.ok();
    // The block beats the environment, address by address.
    let wrong = ("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "https://127.0.0.1:1".to_owned());
    plan(&bed, json!({ "endpoint": bed.endpoint() }), &[wrong]).await.ok();
}

#[tokio::test]
async fn the_audience_is_taken_as_it_is_written() {
    let bed = SignInBed::new().await;
    for audience in [bed.emulator.url().to_owned(), format!("{}/", bed.emulator.url())] {
        let mut endpoint = bed.endpoint();
        endpoint[0]["resource_manager_audience"] = json!(audience);
        plan(&bed, json!({ "endpoint": endpoint }), &[]).await.ok();
        assert_eq!(scopes(&bed), [format!("{audience}/.default")]);
    }
}

#[tokio::test]
async fn every_method_of_an_application_signs_in_to_auxiliary_tenants_too() {
    let other = "10000000-0000-4000-8000-00000000000a".to_owned();
    let bed = SignInBed::with(Options { foreign_tenant: vec![other.clone()], ..Options::quick() }).await;
    for kind in [
        "client secret",
        "client certificate",
        "GitHub OIDC",
        "Azure DevOps OIDC",
        "OIDC token",
        "AKS workload identity",
    ] {
        let (mut block, around) = bed.as_written(&bed.given(kind), true);
        block["auxiliary_tenant_ids"] = json!([other]);
        let mut core = bed.core(block, &around).env("TF_LOG", "TRACE");
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await.ok();
        let tokens: Vec<_> = bed.token_requests().iter().map(|token| token.path[1..37].to_owned()).collect();
        assert_eq!(tokens, [variable(&bed.emulator, "ARM_TENANT_ID"), other.clone()], "{kind}");
        // Parts of a token are JSON in base64, and begin like this after a dot.
        assert!(!core.transcript().contains(".eyJ"), "{kind}");
    }
}

#[tokio::test]
async fn an_identity_has_no_tokens_of_auxiliary_tenants_and_says_so() {
    let bed = SignInBed::new().await;
    for kind in ["managed identity of a machine", "managed identity of an app"] {
        let (mut block, around) = bed.as_written(&bed.given(kind), true);
        block["auxiliary_tenant_ids"] = json!(["10000000-0000-4000-8000-00000000000a"]);
        let mut core = bed.core(block, &around);
        let plan = core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await;
        let error = plan.error("could not sign in to Azure");
        assert!(error.detail.contains("cannot get tokens of auxiliary tenants"), "{error}");
        assert!(!bed.emulator.requests().iter().any(Record::is_arm), "{kind}");
    }
}

#[tokio::test]
async fn a_tenant_may_be_named_by_its_domain() {
    let bed = SignInBed::new().await;
    let domain = "contoso.onmicrosoft.com";
    for kind in ["client secret", "client certificate", "GitHub OIDC", "Azure DevOps OIDC", "OIDC token"] {
        bed.plan(&bed.given(kind).setting("tenant_id", json!(domain)), true).await.ok();
        let tokens = bed.token_requests();
        assert!(tokens.iter().all(|token| token.path.starts_with(&format!("/{domain}/"))), "{kind}: {tokens:#?}");
        assert_eq!(tokens.len(), 1, "{kind}");
    }
    let pod = bed.given("AKS workload identity");
    let around = pod.around.clone().into_iter().map(|(name, value)| match name {
        "AZURE_TENANT_ID" => (name, domain.to_owned()),
        _ => (name, value),
    });
    bed.plan(&pod.around(around.collect::<Vec<_>>()), true).await.ok();
    assert!(bed.token_requests()[0].path.starts_with(&format!("/{domain}/")));
}

/// A port at which nobody listens stands for a proxy: who goes there does not arrive.
#[tokio::test]
async fn proxies_are_for_what_is_not_on_this_machine() {
    let bed = SignInBed::new().await;
    let dead = "http://127.0.0.1:1".to_owned();
    let core = async |kind: &str, variables: &[(&'static str, String)]| {
        let given = bed.given(kind);
        let (mut block, around) = bed.as_written(&given, true);
        block["max_retries"] = json!(0);
        let mut core = bed.core(block, &[around, variables.to_vec()].concat());
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await
    };
    let proxied = core("client secret", &[("HTTPS_PROXY", dead.clone())]).await;
    proxied.error("could not be reached");
    let open = ("NO_PROXY", "127.0.0.1".to_owned());
    core("client secret", &[("HTTPS_PROXY", dead.clone()), open]).await.ok();
    // The endpoint of a machine or app is on it.
    for kind in ["managed identity of a machine", "managed identity of an app"] {
        core(kind, &[("HTTP_PROXY", dead.clone())]).await.ok();
    }

    // A proxy that refuses is not the place that was asked, and nothing of the sign-in goes there in the open.
    for (status, body) in [(403, "blocked"), (407, "who?"), (502, "<html>")] {
        let proxy = Scripted::start_plain(vec![on("CONNECT", "127.0.0.1:").answer(status, body)]).await;
        let refused = core("client secret", &[("HTTPS_PROXY", proxy.url.clone())]).await;
        let error = refused.error("could not be reached");
        assert!(error.detail.contains("HTTPS_PROXY"), "{error}");
        assert!(proxy.received().iter().all(|request| request.method == "CONNECT" && request.body.is_empty()));
    }

    // One that is not goes by way of the proxy.
    let expires = time::OffsetDateTime::now_utc().unix_timestamp() + 3600;
    let token =
        json!({ "access_token": "x", "expires_on": expires.to_string(), "resource": "r", "token_type": "Bearer" });
    let endpoint = "http://identity.test/token";
    let answer = || on("GET", endpoint).answer(200, token.to_string());
    let proxy = Scripted::start_plain(vec![answer(), answer()]).await;
    let given = bed.given("managed identity of a machine").setting("msi_endpoint", json!(endpoint));
    let (block, _) = bed.as_written(&given, true);
    let mut core = bed.core(block, &[("HTTP_PROXY", proxy.url.clone())]);
    // The token is none of the emulator's.
    let plan = core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await;
    let error = plan.error("InvalidAuthenticationToken");
    assert!(error.detail.contains("nor a new one"), "{error}");
    proxy.finish();
}
