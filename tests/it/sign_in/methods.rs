//! Every method, from HCL and from the environment alone.

use serde_json::json;

use super::bed::{KINDS, SignInBed, method_of};
use crate::support::{core::UNKNOWN, engine::for_each_engine};

#[tokio::test]
async fn every_method_signs_in_from_the_block_and_from_the_environment() {
    let bed = SignInBed::new().await;
    for kind in KINDS {
        for in_block in [true, false] {
            bed.plan(&bed.given(kind), in_block).await.ok();
            assert_eq!(bed.method(), method_of(kind), "{kind} {in_block}");
        }
    }
}

/// At a plan not everything may be known yet.
#[tokio::test]
async fn only_what_the_method_needs_has_to_be_known() {
    let bed = SignInBed::new().await;
    for (name, known) in [
        ("subscription_id", true),
        ("partner_id", true),
        ("max_retries", true),
        ("msi_endpoint", true),
        // The addresses are in the block.
        ("environment", true),
        ("tenant_id", false),
    ] {
        let (mut block, variables) = bed.as_written(&bed.given("client secret"), true);
        block[name] = json!(UNKNOWN);
        let mut core = bed.core(block, &variables);
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await;
        assert_eq!(bed.token_requests().is_empty(), !known, "{name}");
    }
}

/// Without addresses nobody can be asked yet, which is no error.
#[tokio::test]
async fn a_cloud_that_is_not_known_yet_is_not_taken_for_the_public_one() {
    let bed = SignInBed::new().await;
    let mut block = bed.given("client secret").block();
    block["environment"] = json!(UNKNOWN);
    for endpoint in [json!(null), json!([{ "resource_manager_endpoint": bed.emulator.url() }])] {
        block["endpoint"] = endpoint;
        let mut core = bed.core(block.clone(), &[]);
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await.ok();
        assert_eq!(bed.emulator.requests(), []);
    }
}

#[tokio::test]
async fn the_order_decides_between_complete_methods_and_the_log_says_so() {
    let bed = SignInBed::new().await;
    let (block, mut variables) = bed.as_written(&bed.given("managed identity of a machine"), true);
    variables.extend(bed.given("client secret").variables());
    let mut core = bed.core(block, &variables).env("TF_LOG", "INFO");
    core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await.ok();
    assert_eq!(bed.method(), "client secret");
    let log = core.transcript();
    let line =
        log.lines().find(|line| line.contains("the sign-in method is chosen")).unwrap_or_else(|| panic!("{log}"));
    for said in ["\"@level\":\"info\"", "client secret", "ARM_CLIENT_SECRET", "managed identity"] {
        assert!(line.contains(said), "{line}");
    }
}

#[tokio::test]
async fn the_whole_chain_of_a_certificate_is_sent() {
    let bed = SignInBed::new().await;
    bed.plan(&bed.given("client certificate"), true).await.ok();
    let header = &bed.token_requests()[0].body["client_assertion"]["header"];
    assert_eq!(header["x5c"].as_array().map(Vec::len), Some(2), "{header}");
}

/// Plans on every engine with a method's settings in HCL, and again with them in the environment.
async fn plans_on_every_engine(kind: &str) {
    for_each_engine(async |engine| {
        let bed = SignInBed::new().await;
        for in_block in [true, false] {
            bed.plan_on(engine, &bed.given(kind), in_block).await;
            assert_eq!(bed.method(), method_of(kind), "{engine} {in_block}");
        }
    })
    .await;
}

macro_rules! on_every_engine {
    ($($test:ident => $kind:literal,)*) => {
        $(
            #[tokio::test]
            async fn $test() {
                plans_on_every_engine($kind).await;
            }
        )*
    };
}

on_every_engine! {
    a_client_certificate_signs_in_on_every_engine => "client certificate",
    a_client_secret_signs_in_on_every_engine => "client secret",
    an_oidc_token_signs_in_on_every_engine => "OIDC token in a file",
    azure_devops_signs_in_on_every_engine => "Azure DevOps OIDC",
    github_signs_in_on_every_engine => "GitHub OIDC",
    aks_signs_in_on_every_engine => "AKS workload identity",
    a_managed_identity_signs_in_on_every_engine => "managed identity assigned by a user",
}
