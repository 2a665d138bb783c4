//! Why Azure refuses a hub: each of its texts is a diagnostic of its own (facts: azure.md §9.5).

use serde_json::{Value, json};

use super::{bed, on_hub};
use crate::azure::{Action as Fault, Rule};

#[tokio::test]
async fn each_text_of_a_refusal_is_explained() {
    for (code, text, summary, advice) in [
        (
            "BadRequest",
            "Soft-deleted workspace exists. Please purge or recover it.",
            "A deleted hub still has this name",
            "az ml workspace delete",
        ),
        (
            "BadRequest",
            "Cannot use storage with HNS enabled.",
            "The storage account does not fit",
            "hierarchical namespace",
        ),
        (
            "BadRequest",
            "Detaching Container Registry with workspace is not supported.",
            "A container registry cannot be removed",
            "another one",
        ),
        (
            "ValidationError",
            "Managed network cannot be disabled once enabled.",
            "A managed network cannot be disabled",
            "only ever grows",
        ),
        (
            "ValidationError",
            "Missing dependent resources in workspace json",
            "A resource that the hub needs is missing",
            "in the hub's region",
        ),
        (
            "BadRequest",
            "CMK workspaces should have purge protection enabled on their CMK keyvault.",
            "The key vault has no purge protection",
            "--enable-purge-protection",
        ),
        (
            "BadRequest",
            "User assigned identity doesn't have enough permissions",
            "The identity may not use the encryption key",
            "Key Vault Crypto User",
        ),
        (
            "FailedIdentityOperation",
            "a non-UserAssigned identity type should not contain: userAssignedIdentities",
            "The identities do not fit their type",
            "identity_ids",
        ),
        (
            "ValidationError",
            "Request body was malformed",
            "Azure does not understand the request",
            "workspaces_api_version",
        ),
        (
            "CannotDeleteResource",
            "Cannot delete resource while nested resources exist.",
            "Something below the hub is still there",
            "90 seconds",
        ),
    ] {
        let mut bed = bed().await;
        bed.emulator.fault(on_hub("PUT", Fault::Status(400)).code(code).message(text));
        let report = bed.apply(&bed.minimal()).await.failed();
        let error = report.error(summary);
        assert!(error.detail.contains(advice) && error.detail.contains(code), "{error}");
        assert_eq!((bed.state(), bed.writes()), (Value::Null, vec!["PUT hub2".to_owned()]));
        bed.emulator.clear_faults();
        bed.apply(&bed.minimal()).await.quiet();
        bed.emulator.clear_requests();

        // The same of a change, and inside another error.
        let outer = on_hub("PATCH", Fault::Status(400)).code("ResourceDeploymentFailure").message("It failed.");
        bed.emulator.fault(outer.detail(code, text));
        bed.apply(&bed.with(json!({ "description": "d" }))).await.failed().error(summary);
        assert_eq!(bed.writes(), ["PATCH hub2"]);
        bed.emulator.clear_faults();
        bed.emulator.fault(on_hub("DELETE", Fault::Status(400)).code(code).message(text));
        bed.destroy().await.failed().error(summary);
        assert_eq!(bed.state()["name"], "hub2");
    }
}

#[tokio::test]
async fn what_any_write_may_meet_is_explained_too() {
    for (status, code, summary) in [
        (409, "ScopeLocked", "A lock prevents the change"),
        (403, "RequestDisallowedByPolicy", "A policy prevents the change"),
        (409, "ReadOnlyDisabledSubscription", "The subscription is disabled"),
        (409, "MissingSubscriptionRegistration", "A resource provider is not registered"),
        (418, "Unheard", "Cannot create the hub"),
    ] {
        let mut bed = bed().await;
        bed.emulator.fault(on_hub("PUT", Fault::Status(status)).code(code));
        let report = bed.apply(&bed.minimal()).await.failed();
        assert!(report.error(summary).detail.contains(code));
        assert_eq!(bed.state(), Value::Null);
    }
}

#[tokio::test]
async fn another_operation_on_the_hub_is_waited_for_and_then_explained() {
    let mut bed = bed().await;
    bed.core.configure(json!({ "max_retries": 1 }));
    bed.apply(&bed.minimal()).await.quiet();
    let busy =
        on_hub("PATCH", Fault::Status(409)).code("Conflict").message("The hub has an ongoing operation running.");
    bed.emulator.fault(busy.clone().times(1));
    bed.apply(&bed.with(json!({ "description": "d" }))).await.quiet();
    assert_eq!(bed.writes(), ["PUT hub2", "PATCH hub2", "PATCH hub2"]);
    bed.emulator.fault(busy);
    let report = bed.apply(&bed.with(json!({ "description": "e" }))).await.failed();
    report.error("Another operation on the hub is running");
}

#[tokio::test]
async fn a_group_or_a_subscription_that_is_not_known_is_said_before_anything_is_changed() {
    let mut bed = bed().await;
    let keys_off = json!({ "resource_group_name": "rg9", "shared_access_key_enabled": false });
    let missing = Rule::on("GET", "*/rg9/*", Fault::Status(404)).code("ResourceGroupNotFound").message("No rg9.");
    bed.emulator.fault(missing);
    let report = bed.apply(&bed.with(keys_off)).await.failed();
    assert_eq!(report.error("The resource group does not exist").path, "resource_group_name");
    assert_eq!(bed.writes(), [""; 0]);

    // The subscription of the resource goes before that of the provider.
    let other = "22222222-3333-4444-5555-666666666666";
    let planned = bed.plan(&bed.with(json!({ "subscription_id": other }))).await.ok();
    let id = planned.change().planned["id"].as_str().expect("an id").to_owned();
    assert!(id.starts_with(&format!("/subscriptions/{other}/")), "{id}");
    let core = std::mem::replace(&mut bed.core, crate::support::core::Core::new());
    bed.core = core.env("ARM_SUBSCRIPTION_ID", "");
    let planned = bed.plan(&bed.minimal()).await;
    let error = planned.report.error("The subscription is not known");
    assert!(error.detail.contains("ARM_SUBSCRIPTION_ID") && error.path == "subscription_id", "{error}");
    let core = std::mem::replace(&mut bed.core, crate::support::core::Core::new());
    bed.core = core.env("ARM_SUBSCRIPTION_ID", "my subscription");
    assert!(bed.plan(&bed.minimal()).await.report.diagnostics.has_errors());
}
