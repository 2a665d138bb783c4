//! Another provider that manages the account or the hub as well, such as azurerm and azapi, and changes it after our plan: while the
//! plan waits for its apply, and in the same apply. An update changes what its plan shows and nothing else, unless the hub would
//! lose access to its data together with what the other one has changed.

use serde_json::{Value, json};

use super::bed;
use crate::support::beside::{Fixture, Other, Step, both, case, check, keys, mode, nothing};

const NO_ACCESS: &str = "The hub would have no access to its data";

async fn fixture() -> Fixture {
    let bed = bed().await;
    let base = bed.with(json!({ "purge_on_destroy": true }));
    Fixture { hub: bed.own_hub(), base, bed }
}

/// The same with another argument set.
fn with(mut config: Value, name: &str, value: Value) -> Value {
    config[name] = value;
    config
}

fn described(config: Value) -> Value {
    with(config, "description", json!("d"))
}

fn forced(config: Value) -> Value {
    with(config, "force_destroy", json!(true))
}

const ON: (&str, bool) = ("", true);
const OFF: (&str, bool) = ("", false);
const KEYLESS: (&str, bool) = ("identity", false);
const WITH_KEYS: (&str, bool) = ("identity", true);

#[tokio::test]
async fn keys_that_another_provider_changes_before_a_creation() {
    use {Other::Keys, Step::Apply};
    let cases = [
        case("off, found off", ON, Value::Null, Apply(keys(false)), Keys(false)).sends(&["PUT hub2"], KEYLESS),
        case("off, found on", OFF, Value::Null, Apply(keys(false)), Keys(true))
            .sends(&["PATCH sa1 false", "PUT hub2"], KEYLESS),
        case("on, found on", OFF, Value::Null, Apply(keys(true)), Keys(true)).sends(&["PUT hub2"], WITH_KEYS),
        case("on, found off", ON, Value::Null, Apply(keys(true)), Keys(false))
            .sends(&["PATCH sa1 true", "PUT hub2"], WITH_KEYS),
        case("observed, found off", ON, Value::Null, Apply(nothing()), Keys(false)).sends(&["PUT hub2"], KEYLESS),
        case("observed, found on", OFF, Value::Null, Apply(nothing()), Keys(true)).sends(&["PUT hub2"], WITH_KEYS),
    ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn keys_that_another_provider_changes_before_an_update() {
    use {Other::Keys, Step::Apply};
    let cases = [
        case("to off", ON, keys(true), Apply(keys(false)), Keys(false)).sends(&["PATCH sa1 false"], KEYLESS),
        case("to on", OFF, keys(false), Apply(keys(true)), Keys(true)).sends(&["PATCH sa1 true"], WITH_KEYS),
        case("a description, set off", ON, keys(false), Apply(described(keys(false))), Keys(true))
            .sends(&["PATCH hub2"], WITH_KEYS),
        case("a description, set on", ON, keys(true), Apply(described(keys(true))), Keys(false))
            .sends(&["PATCH hub2"], KEYLESS),
        case("to keys, set on", ON, both("identity", true), Apply(both("accesskey", true)), Keys(false))
            .sends(&["PATCH sa1 true", "PATCH hub2", "POST resyncKeys"], ("accesskey", true)),
        case("to keys, observed", ON, mode("identity"), Apply(mode("accesskey")), Keys(false))
            .sends(&["PATCH hub2"], ("accesskey", false))
            .warns(NO_ACCESS),
        case("to keys, observed off", OFF, mode("identity"), Apply(mode("accesskey")), Keys(true))
            .sends(&["PATCH hub2", "POST resyncKeys"], ("accesskey", true)),
        case("to identity, observed", ON, mode("accesskey"), Apply(mode("identity")), Keys(false))
            .sends(&["PATCH hub2"], KEYLESS),
        case("an argument, set off", ON, keys(false), Apply(forced(keys(false))), Keys(true)).sends(&[], WITH_KEYS),
        case("an argument, set on", ON, keys(true), Apply(forced(keys(true))), Keys(false)).sends(&[], KEYLESS),
        case("nothing, set off", ON, keys(false), Apply(keys(false)), Keys(true)).sends(&[], WITH_KEYS),
        case("nothing, set on", ON, keys(true), Apply(keys(true)), Keys(false)).sends(&[], KEYLESS),
    ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn keys_that_another_provider_changes_before_a_destroy_or_a_replacement() {
    use {Other::Keys, Step::Destroy, Step::Replace};
    let cases = [
        case("destroy, set off", ON, keys(false), Destroy, Keys(true)).sends(&["DELETE hub2 purge"], ON),
        case("destroy, set on", ON, keys(true), Destroy, Keys(false)).sends(&["DELETE hub2 purge"], OFF),
        case("replace, set off", ON, keys(false), Replace(keys(false)), Keys(true))
            .sends(&["DELETE hub2 purge", "PATCH sa1 false", "PUT hub2"], KEYLESS),
        case("replace, set on", ON, keys(true), Replace(keys(true)), Keys(false))
            .sends(&["DELETE hub2 purge", "PATCH sa1 true", "PUT hub2"], WITH_KEYS),
    ];
    check(fixture, cases).await;
}

#[tokio::test]
async fn a_mode_that_another_provider_changes() {
    use {Other::Mode, Step::Apply, Step::Destroy};
    let (on_keys, on_identity) = (both("accesskey", true), both("identity", true));
    let keyless = both("identity", false);
    let cases = [
        case("to identity", ON, on_keys.clone(), Apply(on_identity.clone()), Mode("identity"))
            .sends(&["PATCH hub2"], WITH_KEYS),
        case("to keys", ON, on_identity.clone(), Apply(on_keys.clone()), Mode("accesskey"))
            .sends(&["PATCH hub2", "POST resyncKeys"], ("accesskey", true)),
        case(
            "a description, on identity",
            ON,
            on_identity.clone(),
            Apply(described(on_identity.clone())),
            Mode("accesskey"),
        )
        .sends(&["PATCH hub2"], ("accesskey", true)),
        case("a description, on keys", ON, on_keys.clone(), Apply(described(on_keys.clone())), Mode("identity"))
            .sends(&["PATCH hub2"], WITH_KEYS),
        case("keys off, on identity", ON, on_identity.clone(), Apply(keyless), Mode("accesskey")).stops(
            "systemDatastoresAuthMode",
            "was not accesskey",
            "accesskey",
        ),
        case("keys off together with the mode", ON, on_keys.clone(), Apply(both("identity", false)), Mode("identity"))
            .sends(&["PATCH hub2", "PATCH sa1 false"], KEYLESS),
        case(
            "an argument, on identity",
            ON,
            on_identity.clone(),
            Apply(forced(on_identity.clone())),
            Mode("accesskey"),
        )
        .sends(&[], ("accesskey", true)),
        case("nothing, on keys", ON, on_keys.clone(), Apply(on_keys), Mode("identity")).sends(&[], WITH_KEYS),
        case("destroy", ON, on_identity, Destroy, Mode("accesskey")).sends(&["DELETE hub2 purge"], ON),
    ];
    check(fixture, cases).await;
}

/// Where the configuration leaves the mode to others, they may take the hub to keys before it takes these from the account.
#[tokio::test]
async fn keys_that_go_off_under_a_hub_that_another_provider_has_switched_to_keys_are_warned_of_by_the_plan() {
    let mut bed = bed().await;
    bed.apply(&bed.with(keys(true))).await.ok();
    let keyless = bed.with(keys(false));
    let planned = bed.plan(&keyless).await.ok();
    assert_eq!(planned.report.diagnostics.0.len(), 0, "{}", planned.report.diagnostics);
    bed.emulator.set_mode(&bed.own_hub(), "AccessKey");
    bed.emulator.clear_requests();
    bed.core.apply_saved(planned).await.failed().error("Azure has changed since the plan");
    assert_eq!(bed.writes(), [""; 0]);
    bed.plan(&keyless).await.ok().warning(NO_ACCESS);
}
