//! Another provider that manages the account or the workspace as well, such as azurerm and azapi, and changes it after our plan:
//! while the plan waits for its apply, and in the same apply.
//!
//! What must come of it:
//!
//! | we plan | and the other one has changed it: we |
//! |---|---|
//! | a creation or a replacement | set what is configured; `original` of a creation is what the apply finds, as in [`super::original`] |
//! | the first change of a property, or to leave it as it was found | stop before anything is sent: the plan has said what destroying restores |
//! | another change, of a property that we have changed before | set both as configured |
//! | a change of what Azure does not know, or none | send nothing; the next plan shows the drift |
//! | to destroy | restore what is not restored yet, and leave alone, with a warning, what should be something else |

use serde_json::{Value, json};

use super::{Bed, KEYLESS, TYPE, bed};
use crate::azure::{Action as Fault, Record, Rule};
use crate::emulator::client::Arm;
use crate::support::{
    beside::{Fixture, Other, Step, both, case, check, keys, mode, nothing},
    core::Action,
};

const NO_ACCESS: &str = "The hub has no access to its data";
const LEFT_ALONE: &str = "A setting was changed by somebody else";

async fn fixture() -> Fixture {
    let bed = bed().await;
    let base = json!({ "hub_id": bed.hub, "access_check": "off" });
    Fixture { hub: bed.hub.clone(), base, bed }
}

/// The same with an argument that Azure does not know.
fn unrestored(mut config: Value) -> Value {
    config["restore_on_destroy"] = json!(false);
    config
}

const ON: (&str, bool) = ("accesskey", true);
const OFF: (&str, bool) = ("accesskey", false);
const TO_IDENTITY: &[&str] = &["PATCH hub1 identity"];
const TO_KEYS: &[&str] = &["PATCH hub1 accesskey", "POST resyncKeys"];

#[tokio::test]
async fn keys_that_another_provider_changes_before_a_creation() {
    use {Other::Keys, Step::Apply};
    let cases = [
        case("off, found off", ON, Value::Null, Apply(keys(false)), Keys(false))
            .sends(TO_IDENTITY, ("identity", false))
            .restores(Some("accesskey"), None),
        case("off, found on", OFF, Value::Null, Apply(keys(false)), Keys(true))
            .sends(&["PATCH hub1 identity", "PATCH sa1 false"], ("identity", false))
            .restores(Some("accesskey"), Some(true)),
        case("on, found on", OFF, Value::Null, Apply(keys(true)), Keys(true))
            .sends(TO_IDENTITY, ("identity", true))
            .restores(Some("accesskey"), None),
        case("on, found off", ON, Value::Null, Apply(keys(true)), Keys(false))
            .sends(&["PATCH hub1 identity", "PATCH sa1 true"], ("identity", true))
            .restores(Some("accesskey"), Some(false)),
        case("observed, found off", ON, Value::Null, Apply(nothing()), Keys(false))
            .sends(TO_IDENTITY, ("identity", false))
            .restores(Some("accesskey"), None),
        case("observed, found on", OFF, Value::Null, Apply(nothing()), Keys(true))
            .sends(TO_IDENTITY, ("identity", true))
            .restores(Some("accesskey"), None),
    ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn keys_that_another_provider_changes_before_an_update_of_keys_or_mode() {
    use {Other::Keys, Step::Apply};
    let cases =
        [
            case("the first change, to off", ON, nothing(), Apply(keys(false)), Keys(false)).stops(
                "allowSharedKeyAccess",
                "true",
                "false",
            ),
            case("the first change, to on", OFF, nothing(), Apply(keys(true)), Keys(true)).stops(
                "allowSharedKeyAccess",
                "false",
                "true",
            ),
            case("a second change, to on", ON, keys(false), Apply(keys(true)), Keys(true))
                .sends(&[], ("identity", true))
                .restores(Some("accesskey"), Some(true)),
            case("a second change, to off", OFF, keys(true), Apply(keys(false)), Keys(false))
                .sends(&[], ("identity", false))
                .restores(Some("accesskey"), Some(false)),
            case("the mode, keys found on", ON, keys(true), Apply(both("accesskey", true)), Keys(false)).stops(
                "allowSharedKeyAccess",
                "true",
                "false",
            ),
            case("the mode, keys found off", OFF, keys(false), Apply(both("userdelegationsas", false)), Keys(true))
                .stops("allowSharedKeyAccess", "false", "true"),
            case("the mode, keys set on", OFF, keys(true), Apply(both("accesskey", true)), Keys(false))
                .sends(&["PATCH hub1 accesskey", "PATCH sa1 true", "POST resyncKeys"], ON)
                .restores(Some("accesskey"), Some(false)),
            case("the mode, keys set off", ON, keys(false), Apply(both("userdelegationsas", false)), Keys(true))
                .sends(&["PATCH hub1 userdelegationsas", "PATCH sa1 false"], ("userdelegationsas", false))
                .restores(Some("accesskey"), Some(true)),
            case("to keys, observed", ON, nothing(), Apply(mode("accesskey")), Keys(false))
                .sends(&["PATCH hub1 accesskey"], OFF)
                .warns(NO_ACCESS),
            case("to identity, observed", ON, mode("accesskey"), Apply(mode("identity")), Keys(false))
                .sends(TO_IDENTITY, ("identity", false))
                .restores(Some("accesskey"), None),
        ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn keys_that_another_provider_changes_before_an_apply_that_changes_nothing_in_azure() {
    use {Other::Keys, Step::Apply};
    let cases = [
        case("an argument, set off", ON, keys(false), Apply(unrestored(keys(false))), Keys(true))
            .sends(&[], ("identity", true)),
        case("an argument, set on", OFF, keys(true), Apply(unrestored(keys(true))), Keys(false))
            .sends(&[], ("identity", false)),
        case("nothing, set off", ON, keys(false), Apply(keys(false)), Keys(true)).sends(&[], ("identity", true)),
        case("nothing, set on", OFF, keys(true), Apply(keys(true)), Keys(false)).sends(&[], ("identity", false)),
    ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn keys_that_another_provider_changes_before_a_destroy_or_a_replacement() {
    use {Other::Keys, Step::Destroy, Step::Replace};
    let pinned = json!({
        "shared_access_key_enabled": false, "restore_to": { "shared_access_key_enabled": false },
    });
    let cases = [
        case("destroy, set off", ON, keys(false), Destroy, Keys(true)).sends(TO_KEYS, ON),
        case("destroy, set on", OFF, keys(true), Destroy, Keys(false))
            .sends(&["PATCH hub1 accesskey"], OFF)
            .warns(NO_ACCESS),
        case("destroy, observed", ON, nothing(), Destroy, Keys(false))
            .sends(&["PATCH hub1 accesskey"], OFF)
            .warns(NO_ACCESS),
        case("destroy to off", ON, pinned, Destroy, Keys(true)).sends(TO_KEYS, ON).warns(LEFT_ALONE),
        case("replace, set off", ON, keys(false), Replace(keys(false)), Keys(true))
            .sends(&["PATCH sa1 false"], ("identity", false))
            .restores(Some("accesskey"), Some(true)),
        case("replace, set on", OFF, keys(true), Replace(keys(true)), Keys(false))
            .sends(&["PATCH sa1 true"], ("identity", true))
            .restores(Some("accesskey"), Some(false)),
    ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn a_mode_that_another_provider_changes_before_a_creation_or_an_update() {
    use {Other::Mode, Step::Apply};
    let property = "systemDatastoresAuthMode";
    let on_identity = ("identity", true);
    let cases =
        [
            case("a creation, found on keys", on_identity, Value::Null, Apply(nothing()), Mode("accesskey"))
                .sends(TO_IDENTITY, on_identity)
                .restores(Some("accesskey"), None),
            case("a creation, found on identity", ON, Value::Null, Apply(mode("accesskey")), Mode("identity"))
                .sends(TO_KEYS, ON)
                .restores(Some("identity"), None),
            case("the first change, to identity", ON, mode("accesskey"), Apply(nothing()), Mode("identity")).stops(
                property,
                "accesskey",
                "identity",
            ),
            case("the first change, to keys", on_identity, nothing(), Apply(mode("accesskey")), Mode("accesskey"))
                .stops(property, "identity", "accesskey"),
            case("a second change, to keys", ON, nothing(), Apply(mode("accesskey")), Mode("accesskey"))
                .sends(&[], ON)
                .restores(Some("accesskey"), None),
            case("a second change, to identity", on_identity, mode("accesskey"), Apply(nothing()), Mode("identity"))
                .sends(&[], on_identity)
                .restores(Some("identity"), None),
            case("keys off, mode found", on_identity, nothing(), Apply(keys(false)), Mode("accesskey")).stops(
                property,
                "identity",
                "accesskey",
            ),
            case("keys off, mode set", ON, nothing(), Apply(keys(false)), Mode("accesskey"))
                .sends(&["PATCH hub1 identity", "PATCH sa1 false"], ("identity", false))
                .restores(Some("accesskey"), Some(true)),
            case("keys on, mode found", OFF, mode("accesskey"), Apply(both("accesskey", true)), Mode("identity"))
                .stops(property, "accesskey", "identity"),
            case("an argument, on identity", ON, nothing(), Apply(unrestored(nothing())), Mode("accesskey"))
                .sends(&[], ON),
            case("an argument, on keys", ON, mode("accesskey"), Apply(unrestored(mode("accesskey"))), Mode("identity"))
                .sends(&[], on_identity),
            case("nothing, on identity", ON, nothing(), Apply(nothing()), Mode("accesskey")).sends(&[], ON),
            case("nothing, on keys", ON, mode("accesskey"), Apply(mode("accesskey")), Mode("identity"))
                .sends(&[], on_identity),
        ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn a_mode_that_another_provider_changes_before_a_destroy_or_a_replacement() {
    use {Other::Mode, Step::Destroy, Step::Replace};
    let on_identity = ("identity", true);
    let cases = [
        case("destroy, to keys", ON, nothing(), Destroy, Mode("accesskey")).sends(&[], ON),
        case("destroy, to identity", on_identity, mode("accesskey"), Destroy, Mode("identity")).sends(&[], on_identity),
        case("destroy, to something else", ON, nothing(), Destroy, Mode("userdelegationsas"))
            .sends(&[], ("userdelegationsas", true))
            .warns(LEFT_ALONE),
        case("replace, on identity", ON, nothing(), Replace(nothing()), Mode("accesskey"))
            .sends(TO_IDENTITY, on_identity)
            .restores(Some("accesskey"), None),
        case("replace, on keys", on_identity, mode("accesskey"), Replace(mode("accesskey")), Mode("identity"))
            .sends(TO_KEYS, ON)
            .restores(Some("identity"), None),
    ];
    check(fixture, cases).await;
}

/// An azurerm_storage_account without shared_access_key_enabled, which is true then. Each apply changes its tags as well.
struct StorageAccount {
    ignores_changes: bool,
}

impl StorageAccount {
    /// The keys that it plans to set.
    fn plan(&self, bed: &Bed) -> Option<bool> {
        (!self.ignores_changes && bed.keys() == Some(false)).then_some(true)
    }

    /// Sends the account as it is read, with what was planned.
    async fn apply(arm: &Arm, planned: Option<bool>) {
        let mut account = arm.get(&arm.account_path()).await.body();
        account["tags"] = json!({ "applied": "again" });
        if let Some(keys) = planned {
            account["properties"]["allowSharedKeyAccess"] = json!(keys);
        }
        let answer = arm.put(&arm.account_path(), account).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn an_azurerm_storage_account_in_the_same_configuration() {
    for (ignores_changes, ours_is_last) in [(true, true), (true, false), (false, true), (false, false)] {
        let (mut bed, other) = (bed().await, StorageAccount { ignores_changes });
        let config = bed.keyless();
        // Keys after each apply. Two owners undo each other's work, which each plan shows.
        let expected = if ignores_changes { [false; 4] } else { [false, true, false, true] };
        for allowed in expected {
            let is_keyless = bed.settings() == KEYLESS;
            let (planned, others) = (bed.plan(&config).await.ok(), other.plan(&bed));
            assert_eq!(planned.is_empty(), is_keyless, "{}", planned.report.diagnostics);
            let arm = bed.arm.clone();
            let work = async move { StorageAccount::apply(&arm, others).await };
            if ours_is_last {
                bed.core.apply_before(TYPE, "a", work);
                bed.core.apply_saved(planned).await.quiet();
            } else {
                bed.core.apply_saved(planned).await.quiet();
                work.await;
            }
            assert_eq!(bed.settings(), ("identity", Some(allowed)), "ignore_changes {ignores_changes}");
        }
    }
}

#[tokio::test]
async fn keys_that_another_provider_turns_on_while_we_turn_them_off_are_an_error_that_says_who_may_do_that() {
    let mut bed = bed().await;
    bed.emulator.set_mode(&bed.hub, "identity");
    let config = bed.keyless();
    let planned = bed.plan(&config).await.ok();
    bed.emulator.clear_requests();
    // The apply reads the account for its own plan, before the change and after it.
    let reread = bed.emulator.fault(Rule::on("GET", "*/storageAccounts/sa1", Fault::Hold).after(2));
    let arm = bed.arm.clone();
    let other = async {
        let is_read = |request: &Record| request.method == "GET" && request.path.ends_with("/sa1");
        arm.emulator.requests_seen(3, is_read).await;
        arm.emulator.set_shared_key_access(&arm.account, Some(true));
        arm.emulator.release(reread);
    };
    let (report, ()) = futures_util::future::join(bed.core.apply_saved(planned), other).await;
    let report = report.failed();
    let error = report.error("The storage account did not keep the setting");
    for text in [&bed.account, "allowSharedKeyAccess false", "has true now", "azurerm_storage_account", "depends_on"] {
        assert!(error.detail.contains(text), "{text}: {error}");
    }
    assert_eq!((bed.keys(), bed.state()["shared_access_key_enabled"].clone()), (Some(true), json!(true)));
    let planned = bed.plan(&config).await.ok();
    assert_eq!(planned.action(), Action::Replace);
    bed.core.apply_saved(planned).await.ok();
    bed.plan(&config).await.ok().assert_empty();
    assert_eq!(bed.settings(), KEYLESS);
}
