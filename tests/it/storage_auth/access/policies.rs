//! Policies that would refuse to enable shared keys again (azure.md §13.7).

use serde_json::json;

use super::{Bed, TYPE, bed};
use crate::{
    azure::{Action as Fault, Record, Rule},
    storage_auth::{ALICE, KEYLESS, UNTOUCHED},
    support::{core::resource, ids::CONTRIBUTOR_NAMES},
};

const REFUSE: &str = "Policies would refuse shared keys";
const NOT_VERIFIED: &str = "Access cannot be verified";

async fn bed_with_policy(effect: &str) -> Bed {
    let bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator
        .seed(&format!("policies: [{effect} Microsoft.Storage/storageAccounts properties.allowSharedKeyAccess=true]"));
    bed.emulator.clear_requests();
    bed
}

/// The questions what policies say since the last look.
fn asked(bed: &Bed) -> Vec<Record> {
    let records = bed.emulator.arm_requests();
    bed.emulator.clear_requests();
    records.into_iter().filter(|record| record.path.ends_with("/checkPolicyRestrictions")).collect()
}

#[tokio::test]
async fn a_policy_that_denies_shared_keys_is_named_before_they_go_off() {
    let mut bed = bed_with_policy("deny").await;
    bed.emulator.change(&bed.account, |account| account["tags"] = json!({ "team": "data" }));
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let warning = planned.warning(REFUSE);
    assert_eq!(warning.path, "shared_access_key_enabled");
    let named = ["/policyAssignments/emulated", "/policyDefinitions/emulated", &bed.account];
    assert!(named.iter().all(|named| warning.detail.contains(named)), "{warning}");
    assert_eq!(warning.detail.matches("/policyAssignments/emulated").count(), 1, "{warning}");
    let advice = ["exemption", "restore_on_destroy = false", "restore_to"];
    assert!(advice.iter().all(|advice| warning.detail.contains(advice)), "{warning}");

    // Policies look at all of the account, as it would be with keys.
    let [question] = &asked(&bed)[..] else { panic!("one question at plan") };
    let account = bed.emulator.resource(&bed.account).expect("the account");
    let content = &question.body["resourceDetails"]["resourceContent"];
    for member in ["id", "name", "type", "location", "kind", "sku", "tags"] {
        assert_eq!(content[member], account[member], "{member}");
    }
    assert_eq!(content["properties"]["allowSharedKeyAccess"], json!(true));
    assert_eq!(content["properties"]["creationTime"], account["properties"]["creationTime"]);
    assert!(content["properties"]["primaryEndpoints"].is_object(), "{content}");
    let field = json!([{ "field": "Microsoft.Storage/storageAccounts/allowSharedKeyAccess", "values": ["true"] }]);
    assert_eq!(question.body["pendingFields"], field);

    bed.core.apply_saved(planned).await.ok().warning(REFUSE);
    assert_eq!(bed.settings(), KEYLESS);
    // An apply plans again first. Its check gets the account as it was read before; the last read is the one after the change.
    let records = bed.emulator.arm_requests();
    let account = records.iter().filter(|record| record.method == "GET" && record.path == bed.account);
    assert_eq!(account.count(), 3);
    assert_eq!(asked(&bed).len(), 2);
}

#[tokio::test]
async fn other_policies_and_none_object_to_nothing() {
    for effect in ["audit", "modify"] {
        let mut bed = bed_with_policy(effect).await;
        bed.plan(&bed.checked("enforce")).await.report.quiet();
        assert_eq!(asked(&bed).len(), 1, "{effect}");
    }
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!(asked(&bed).len(), 3);
}

/// The account is judged as a whole, by policies that have nothing to do with keys.
#[tokio::test]
async fn a_policy_that_denies_something_else_does_not_matter() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed("policies: [deny Microsoft.Storage/storageAccounts properties.minimumTlsVersion=TLS1_0]");
    bed.emulator.change(&bed.account, |account| account["properties"]["minimumTlsVersion"] = json!("TLS1_0"));
    bed.emulator.clear_requests();
    bed.plan(&bed.checked("enforce")).await.report.quiet();
    assert_eq!(asked(&bed).len(), 1);
}

#[tokio::test]
async fn without_the_permission_it_cannot_be_verified() {
    let mut bed = bed_with_policy("deny").await;
    bed.fault(Rule::on("POST", "*/checkPolicyRestrictions", Fault::Denied));
    let report = bed.apply(&bed.checked("enforce")).await.ok();
    let needs = format!("the caller lacks Microsoft.PolicyInsights/checkPolicyRestrictions/read on {}", bed.group);
    let warning = report.warning(NOT_VERIFIED);
    assert!(warning.detail.contains(&needs), "{warning}");
    // Once in each plan and once in the apply: a refused read is not repeated with a new token.
    assert_eq!(asked(&bed).len(), 3);
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn it_is_asked_again_where_no_answer_came() {
    let mut bed = bed_with_policy("deny").await;
    bed.fault(Rule::on("POST", "*/checkPolicyRestrictions", Fault::Lose).times(1));
    bed.plan(&bed.checked("enforce")).await.ok().warning(REFUSE);
    assert_eq!(asked(&bed).len(), 2);
}

#[tokio::test]
async fn a_change_that_leaves_keys_on_does_not_ask() {
    let mut bed = bed_with_policy("deny").await;
    let config = json!({ "hub_id": bed.hub, "access_check": "enforce", "access_check_principal_ids": [ALICE] });
    bed.apply(&config).await.quiet();
    assert_eq!(asked(&bed).len(), 0);
}

#[tokio::test]
async fn hubs_of_one_account_ask_once_in_a_plan_and_say_it_once() {
    let mut bed = bed_with_policy("deny").await;
    let second = bed.another_hub("hub2");
    let mut other = bed.checked("warn");
    other["hub_id"] = json!(second);
    let all = vec![resource(TYPE, "a", bed.checked("warn")), resource(TYPE, "b", other)];
    let planned = bed.core.plan_all(all).await.ok();
    assert_eq!(planned.diagnostics.0.iter().filter(|one| one.summary == REFUSE).count(), 1, "{}", planned.diagnostics);
    assert_eq!(asked(&bed).len(), 1);
}

#[tokio::test]
async fn access_check_stop_on_makes_it_stop_enforce() {
    let mut bed = bed_with_policy("deny").await;
    let mut config = bed.checked("enforce");
    config["access_check_stop_on"] = json!(["policy_refuses_keys"]);
    let planned = bed.plan(&config).await.ok();
    assert!(planned.warning(REFUSE).detail.contains("the apply will stop"));
    bed.core.apply_saved(planned).await.failed().error(REFUSE);
    assert_eq!(bed.settings(), UNTOUCHED);
    assert_eq!(bed.writes(), [""; 0]);
}
