//! Private endpoints of an account without public network access, which the hub's identity has to read (azure.md §13.8).

use serde_json::{Value, json};

use super::{Bed, bed};
use crate::{
    azure::{Action as Fault, Rule},
    storage_auth::{ALICE, KEYLESS, UNTOUCHED},
    support::ids::CONTRIBUTOR_NAMES,
};

const ENDPOINTS: &str = "Microsoft.Network/privateEndpoints";
const CANNOT_READ: &str = "The hub's identity cannot read a private endpoint";
const NOT_VERIFIED: &str = "Access cannot be verified";

/// An account without public network access, with endpoints in a group of their own.
async fn private_bed() -> Bed {
    let bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(
        "private_endpoints:
  - { name: pe-blob, storage_account: sa1, service: blob, resource_group: network }
  - { name: pe-file, storage_account: sa1, service: File, resource_group: network }
  - { name: pe-table, storage_account: sa1, service: table, resource_group: network }
  - { name: pe-asking, storage_account: sa1, service: blob, resource_group: network, approved: false }",
    );
    bed.emulator.change(&bed.account, |account| account["properties"]["publicNetworkAccess"] = json!("disabled"));
    bed.emulator.clear_requests();
    bed
}

fn endpoint(bed: &Bed, name: &str) -> String {
    bed.emulator.id("network", ENDPOINTS, name)
}

fn identity(bed: &Bed) -> String {
    let hub = bed.emulator.resource(&bed.hub).expect("the hub");
    hub["identity"]["principalId"].as_str().expect("a system-assigned identity").to_owned()
}

/// Which lists of an identity's roles and which endpoints were read since the last look, sorted.
fn asked(bed: &Bed) -> Vec<String> {
    let records = bed.emulator.arm_requests();
    bed.emulator.clear_requests();
    let asked = records.iter().filter_map(|record| {
        let is_of_roles = record.query.iter().any(|(_, value)| value.starts_with("assignedTo"));
        let name = record.path.rsplit('/').next().unwrap_or_default();
        (is_of_roles || record.path.contains("/privateEndpoints/")).then(|| name.to_owned())
    });
    let mut asked: Vec<String> = asked.collect();
    asked.sort();
    asked
}

#[tokio::test]
async fn endpoints_for_blobs_and_files_that_it_cannot_read_are_named() {
    let mut bed = private_bed().await;
    let identity = identity(&bed);
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    // Only an endpoint itself says which service it is for.
    let all = ["pe-blob", "pe-file", "pe-table", "roleAssignments"];
    assert_eq!(asked(&bed), all);
    let found: Vec<_> = planned.diagnostics.0.iter().filter(|one| one.summary == CANNOT_READ).collect();
    assert_eq!(found.len(), 2, "{}", planned.diagnostics);
    for name in ["pe-blob", "pe-file"] {
        let endpoint = endpoint(&bed, name);
        let detail = &found.iter().find(|one| one.detail.contains(&endpoint)).expect("a warning").detail;
        assert!(detail.contains(&format!("{identity} lacks \"Reader\" on {endpoint}.")), "{detail}");
        assert!(detail.contains(&format!("scope                = {endpoint:?}")), "{detail}");
        assert!(detail.contains("role_definition_name = \"Reader\"") && detail.contains(&bed.account), "{detail}");
    }
    let report = bed.core.apply_saved(planned).await.ok();
    report.warning(CANNOT_READ);
    // An apply plans again first.
    let mut twice = [all, all].concat();
    twice.sort_unstable();
    assert_eq!(asked(&bed), twice);
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn an_endpoint_that_it_can_read_is_not_read_here() {
    let mut bed = private_bed().await;
    let identity = identity(&bed);
    bed.emulator.seed_assignment(&endpoint(&bed, "pe-blob"), &identity, "Reader");
    bed.emulator.seed_assignment(&endpoint(&bed, "pe-file"), &identity, "Owner");
    bed.plan(&bed.checked("enforce")).await.report.quiet();
    assert_eq!(asked(&bed), ["pe-table", "roleAssignments"]);
    let network = bed.group.replace("rg1", "network");
    bed.emulator.seed_assignment(&network, &identity, "Contributor");
    bed.apply(&bed.checked("enforce")).await.quiet();
    assert_eq!(asked(&bed), ["roleAssignments"; 3]);
    assert_eq!(bed.settings(), KEYLESS);
}

#[tokio::test]
async fn an_account_with_public_network_access_asks_for_nothing() {
    for public in [json!("Enabled"), json!("SecuredByPerimeter"), Value::Null] {
        let mut bed = private_bed().await;
        bed.emulator.change(&bed.account, |account| account["properties"]["publicNetworkAccess"] = public.clone());
        bed.apply(&bed.checked("enforce")).await.quiet();
        assert_eq!(asked(&bed), [""; 0], "{public}");
    }
}

#[tokio::test]
async fn one_list_serves_the_endpoints_and_the_other_roles_of_a_user_assigned_identity() {
    let mut bed = private_bed().await;
    let id = "dddddddd-0000-0000-0000-000000000004";
    bed.seed_roles(id, &CONTRIBUTOR_NAMES);
    bed.emulator.change(&bed.hub, |document| {
        document["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": {
            "/subscriptions/s/u1": { "principalId": id, "clientId": id },
        }});
    });
    let report = bed.apply(&bed.checked("enforce")).await.ok();
    report.warning(CANNOT_READ);
    report.warning("The hub's user-assigned identity lacks roles");
    let each = ["pe-blob", "pe-file", "pe-table", "roleAssignments"];
    // In the plan, in the second one of the apply, and in the apply.
    let mut all = each.repeat(3);
    all.sort_unstable();
    assert_eq!(asked(&bed), all);

    // And one refusal is said once.
    bed.destroy().await.ok();
    bed.fault(Rule::on("GET", "*/roleAssignments", Fault::Denied).containing("assignedTo"));
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let [hidden] = &planned.diagnostics.0[..] else { panic!("{}", planned.diagnostics) };
    assert_eq!(hidden.summary, NOT_VERIFIED);
    assert_eq!(hidden.detail.matches("Microsoft.Authorization/roleAssignments/read").count(), 1, "{hidden}");
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_read_here_is_not_verifiable() {
    let mut bed = private_bed().await;
    bed.fault(Rule::on("GET", "*/privateEndpoints/pe-blob", Fault::Denied));
    // As one of a network that the vendor manages.
    bed.fault(Rule::on("GET", "*/privateEndpoints/pe-file", Fault::Status(404)).code("ResourceNotFound"));
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let [hidden] = &planned.diagnostics.0[..] else { panic!("{}", planned.diagnostics) };
    assert_eq!(hidden.summary, NOT_VERIFIED);
    let needs = format!("the caller lacks Microsoft.Network/privateEndpoints/read on {}", endpoint(&bed, "pe-blob"));
    assert!(hidden.detail.contains(&needs), "{hidden}");
    assert!(hidden.detail.contains(&endpoint(&bed, "pe-file")), "{hidden}");
    bed.core.apply_saved(planned).await.ok();
    assert_eq!(bed.settings(), KEYLESS);
}

/// Endpoints of a managed network are in the vendor's subscription, where nothing can be read or mended.
#[tokio::test]
async fn an_endpoint_in_a_subscription_of_others_counts_only_if_it_can_be_read() {
    const ELSEWHERE: &str = "99999999-0000-4000-8000-000000000009";
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(&format!(
        "subscriptions: {{ {ELSEWHERE}: Another }}
private_endpoints:
  - {{ name: pe-managed, storage_account: sa1, service: blob, resource_group: vendor, subscription: {ELSEWHERE} }}
  - {{ name: pe-table, storage_account: sa1, service: table, resource_group: vendor, subscription: {ELSEWHERE} }}"
    ));
    bed.emulator.change(&bed.account, |account| account["properties"]["publicNetworkAccess"] = json!("Disabled"));
    let in_vendors = format!("/subscriptions/{ELSEWHERE}/*");
    for (refusal, code) in [
        (Fault::Denied, "AuthorizationFailed"),
        (Fault::Status(404), "ResourceNotFound"),
        (Fault::Status(404), "SubscriptionNotFound"),
        (Fault::Status(401), "InvalidAuthenticationTokenTenant"),
    ] {
        let denied = bed.emulator.fault(Rule::on("GET", &in_vendors, refusal).code(code));
        bed.emulator.clear_requests();
        bed.plan(&bed.checked("enforce")).await.report.quiet();
        let mut asked = asked(&bed);
        asked.dedup();
        assert_eq!(asked, ["pe-managed", "pe-table"], "{code}");
        bed.emulator.release(denied);
    }
    // The caller's own subscriptions are more than the hub's.
    let planned = bed.plan(&bed.checked("enforce")).await.ok();
    let [warning] = &planned.diagnostics.0[..] else { panic!("{}", planned.diagnostics) };
    assert!(warning.summary == CANNOT_READ && warning.detail.contains("pe-managed"), "{warning}");
    assert_eq!(asked(&bed), ["pe-managed", "pe-table", "roleAssignments"]);
}

/// Which of its identities a hub with both kinds uses is not documented (azure.md §13.9), and no text says that it were.
#[tokio::test]
async fn no_identity_is_said_to_be_the_one_that_the_hub_uses() {
    let mut bed = private_bed().await;
    let system = identity(&bed);
    let planned = bed.plan(&bed.checked("warn")).await.ok();
    let detail = &planned.warning(CANNOT_READ).detail;
    let says = format!(
        "Reader\" on {}. It is the system-assigned identity of the hub {}.",
        endpoint(&bed, "pe-blob"),
        bed.hub
    );
    assert!(detail.contains(&format!("{system} lacks")) && planned.diagnostics.to_string().contains(&says), "{detail}");
    assert!(!planned.diagnostics.to_string().contains("the identity with which the hub"), "{detail}");
}

#[tokio::test]
async fn access_check_stop_on_makes_it_stop_enforce() {
    for (code, summary) in
        [("private_endpoint_lacks_reader", CANNOT_READ), ("private_endpoints_not_readable", NOT_VERIFIED)]
    {
        let mut bed = private_bed().await;
        if summary == NOT_VERIFIED {
            bed.fault(Rule::on("GET", "*/privateEndpoints/*", Fault::Denied));
        }
        let mut config = bed.checked("enforce");
        config["access_check_stop_on"] = json!([code]);
        bed.apply(&config).await.failed().error(summary);
        assert_eq!(bed.settings(), UNTOUCHED, "{code}");
        assert_eq!(bed.writes(), [""; 0], "{code}");
    }
}
