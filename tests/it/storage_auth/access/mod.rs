//! The access check as a whole. It looks twice, at two gates: before anything is changed, and before keys go off.

mod assigned_identity;
mod first_gate;
mod identities;
mod key_users;
mod other_hubs;
mod permissions;
mod policies;
mod private_endpoints;
mod second_gate;
mod time;

use serde_json::{Value, json};

use super::{ALICE, BOB, Bed, KEYLESS, TYPE, bed, bed_with, short};
use crate::azure::Lro;
use crate::support::core::{Resource, resource};
use crate::support::ids::CONTRIBUTOR_NAMES;

const ROLE_ASSIGNMENT: &str = "foundryhub_role_assignment";

impl Bed {
    /// Hub on identity, keys off, with the access check; Alice must have access.
    fn checked(&self, check: &str) -> Value {
        json!({
            "hub_id": self.hub, "shared_access_key_enabled": false, "access_check": check,
            "access_check_principal_ids": [ALICE],
        })
    }
}

/// A block of this name for the contributor roles of a user.
fn role_assignment(bed: &Bed, name: &str, principal: &str) -> Resource {
    let config = json!({
        "hub_id": bed.hub, "principal_id": principal, "principal_type": "User", "access": "contributor",
    });
    resource(ROLE_ASSIGNMENT, name, config)
}

/// What else uses keys is asked in one request for each of these, in the plan and before anything is changed; computes in the
/// plan alone.
const KEY_USERS: [&str; 4] = ["datastores", "connections", "containers", "shares"];

/// What policies would refuse is asked in the plan and before anything is changed, about the account as it is, which the plan of a
/// creation has to read for that.
const POLICIES: [&str; 3] = ["GET sa1", "POST checkPolicyRestrictions", "POST checkPolicyRestrictions"];

/// One apply with its plan, and the refresh after it. Polls of the operation do not count, and what else uses keys and what
/// policies would refuse are counted by themselves.
#[tokio::test]
async fn two_people_and_a_keyless_hub_take_at_most_18_requests_to_apply_12_more_for_key_users_and_policies_and_3_to_refresh()
 {
    for lro in [Lro::Done, Lro::Both, Lro::Location] {
        let mut bed = bed_with(|options| options.lro = lro).await;
        let mut config = bed.checked("enforce");
        config["access_check_principal_ids"] = json!([ALICE, BOB]);
        let all = vec![
            role_assignment(&bed, "alice", ALICE),
            role_assignment(&bed, "bob", BOB),
            resource(TYPE, "a", config).depends_on(ROLE_ASSIGNMENT, "alice").depends_on(ROLE_ASSIGNMENT, "bob"),
        ];
        bed.core.apply_all(all.clone()).await.quiet();
        let records = bed.emulator.arm_requests();
        let mut requests: Vec<_> =
            records.iter().filter(|record| !record.path.contains("workspaceOperationsStatus")).map(short).collect();
        let lists = [&KEY_USERS[..], &KEY_USERS, &["computes"]].concat().into_iter().map(|name| format!("GET {name}"));
        for counted in lists.chain(POLICIES.map(str::to_owned)) {
            let asked = requests.iter().position(|request| *request == counted);
            requests.remove(asked.unwrap_or_else(|| panic!("{counted} is asked: {requests:#?}")));
        }
        assert!(requests.len() <= 18, "{requests:#?}");
        let wrote: Vec<_> = requests.iter().filter(|request| !request.starts_with("GET")).collect();
        assert_eq!(wrote.len(), 6, "{wrote:?}");
        assert_eq!(bed.settings(), KEYLESS);
        bed.emulator.clear_requests();
        bed.core.plan_all(all).await.ok().assert_empty();
        let refresh = bed.requests();
        assert_eq!(refresh.len(), 3, "{refresh:?}");
    }
}

/// Each project has three lists in the plan, and two before anything is changed.
#[tokio::test]
async fn key_users_take_a_fixed_number_of_requests_and_each_list_is_read_once_for_several_hubs() {
    let mut bed = bed().await;
    bed.seed_roles(ALICE, &CONTRIBUTOR_NAMES);
    bed.emulator.seed(
        "workspaces:
  - { name: sales, kind: Project, properties: { hubResourceId: hub1 } }
  - { name: support, kind: Project, properties: { hubResourceId: hub1 } }",
    );
    let second = bed.another_hub("hub2");
    let mut other = bed.checked("enforce");
    other["hub_id"] = json!(second);
    let both = vec![resource(TYPE, "a", bed.checked("enforce")), resource(TYPE, "b", other)];
    let count =
        |requests: &[String], name: &str| requests.iter().filter(|request| **request == format!("GET {name}")).count();
    bed.core.plan_all(both.clone()).await.ok();
    let asked = bed.requests();
    let counts = ["datastores", "connections", "computes", "containers", "shares"].map(|name| count(&asked, name));
    assert_eq!(counts, [4, 4, 4, 1, 1], "{asked:#?}");
    // An apply plans again, and looks before anything is changed: each hub in its own lists, and in those that nobody has seen.
    bed.core.apply_all(both).await.ok();
    let asked = bed.requests();
    assert!((8..=16).contains(&count(&asked, "connections")), "{asked:#?}");
}

#[tokio::test]
async fn access_check_off_reads_neither_role_assignments_nor_datastores() {
    let mut bed = bed().await;
    let mut config = bed.checked("off");
    config["grant_settle_time"] = json!("10m");
    bed.apply(&config).await.quiet();
    assert_eq!(bed.keys(), Some(false));
    assert!(
        !bed.requests().iter().any(|request| request.contains("roleAssignments") || request.contains("datastores"))
    );
}

#[tokio::test]
async fn a_change_back_to_keys_is_not_checked() {
    let mut bed = bed().await;
    bed.apply(&bed.keyless()).await.quiet();
    bed.emulator.clear_requests();
    let back = json!({
        "hub_id": bed.hub, "system_datastores_auth_mode": "accesskey", "shared_access_key_enabled": true,
        "access_check": "enforce", "access_check_principal_ids": [ALICE],
    });
    bed.apply(&back).await.quiet();
    assert!(!bed.requests().iter().any(|request| request.contains("roleAssignments")));
}
