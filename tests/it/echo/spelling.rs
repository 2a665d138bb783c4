//! What an empty string means, and which of two equal spellings of a value is kept: the framework's rules. What they
//! mean for each attribute of a real type is tested with the type.

use serde_json::{Value as Json, json};

use crate::support::{
    core::{Action, resource},
    echo::Echo,
};

const TYPE: &str = "echo_value";

/// One group of settings, with this value in every optional string.
fn inner(value: &Json) -> Json {
    json!({ "text": value, "number": 1, "either": value, "mode": value, "kind": value })
}

/// The same wherever there are optional strings.
fn everywhere(value: &Json) -> Json {
    let (inner, list) = (inner(value), json!([inner(value), { "text": "x" }]));
    json!({
        "string": value, "sensitive": value, "either": value, "kind": value,
        "single": inner, "nested_list": list, "nested_map": { "k": inner }, "single_block": inner,
    })
}

/// The settings of a state that a configuration has written.
fn written<'s>(state: &'s Json, config: &Json) -> Vec<(&'static str, Json, &'s Json)> {
    let places =
        ["/string", "/sensitive", "/either", "/kind", "/single", "/nested_list/0", "/nested_map/k", "/single_block"];
    let at = |place| (place, config.pointer(place).expect("a setting").clone(), state.pointer(place).expect("a value"));
    places.map(at).into()
}

#[tokio::test]
async fn an_empty_string_stays_in_plan_and_state_wherever_it_is_written() {
    let mut echo = Echo::new();
    let config = everywhere(&json!(""));
    let report = echo.core.apply(TYPE, "a", config.clone()).await.quiet();
    let (planned, state) = (report.change().planned.clone(), echo.core.state(TYPE, "a"));
    for object in [&planned, &state] {
        for (place, config, found) in written(object, &config) {
            match config.as_object() {
                Some(config) => {
                    config.iter().for_each(|(name, config)| assert_eq!(&found[name], config, "{place}/{name}"))
                }
                None => assert_eq!(*found, config, "{place}"),
            }
        }
    }
    let plan = echo.core.plan(TYPE, "a", config.clone()).await.ok();
    plan.assert_empty();
    assert!(!plan.change().drifted(), "{} {}", plan.change().stored, plan.change().before);
    echo.core.refresh().await.quiet();
    assert_eq!(echo.core.state(TYPE, "a"), state);
    echo.core.destroy(TYPE, "a").await.quiet();
}

#[tokio::test]
async fn a_change_between_null_and_an_empty_string_replaces_nothing_and_keeps_computed_values() {
    let mut echo = Echo::new();
    let nothing = everywhere(&json!(null));
    let empty = everywhere(&json!(""));
    echo.core.apply(TYPE, "a", nothing.clone()).await.quiet();
    let before = echo.core.state(TYPE, "a");
    let report = echo.core.apply(TYPE, "a", empty.clone()).await.quiet();
    assert_eq!(report.action(), Action::Update);
    let after = echo.core.state(TYPE, "a");
    // The values of a default and of the provider count as another spelling of the empty string.
    for (name, value) in [("either", "made"), ("kind", "plain")] {
        assert_eq!((&before[name], &after[name]), (&json!(value), &json!(value)));
    }
    assert_eq!((&after["string"], &after["single"]["kind"]), (&json!(""), &json!("")));
    assert_eq!((&after["single"]["either"], &after["single"]["mode"]), (&json!("made"), &json!("plain")));
    echo.core.plan(TYPE, "a", empty).await.ok().assert_empty();
    assert_eq!(echo.core.apply(TYPE, "a", nothing.clone()).await.quiet().action(), Action::Update);
    assert_eq!(echo.core.state(TYPE, "a"), before);
    echo.core.plan(TYPE, "a", nothing).await.ok().assert_empty();
}

#[tokio::test]
async fn an_empty_string_can_be_changed_to_a_value_or_to_null() {
    for (then, kept) in [(json!("own"), "own"), (json!(null), "made")] {
        let mut echo = Echo::new();
        echo.core.apply(TYPE, "a", everywhere(&json!(""))).await.quiet();
        let config = everywhere(&then);
        // Another value of `kind` replaces.
        let report = echo.core.apply(TYPE, "a", config.clone()).await.quiet();
        assert_eq!(report.action(), if then.is_null() { Action::Update } else { Action::Replace });
        let state = echo.core.state(TYPE, "a");
        for place in
            ["/either", "/single/either", "/nested_list/0/either", "/nested_map/k/either", "/single_block/either"]
        {
            assert_eq!(state.pointer(place), Some(&json!(kept)), "{place}");
        }
        echo.core.plan(TYPE, "a", config).await.ok().assert_empty();
    }
}

#[tokio::test]
async fn an_empty_string_reaches_the_resource_as_null_and_drift_from_it_is_shown() {
    let mut echo = Echo::new();
    let config = json!({ "name": "a", "text": "", "mode": "", "notify": "" });
    assert_eq!(echo.core.validate("echo_thing", "a", config.clone()).await.0, []);
    echo.core.apply("echo_thing", "a", config.clone()).await.quiet();
    let state = echo.core.state("echo_thing", "a");
    assert_eq!([&state["text"], &state["mode"], &state["notify"]], [""; 3]);
    echo.core.plan("echo_thing", "a", config.clone()).await.ok().assert_empty();
    std::fs::write(echo.path("a"), "changed").unwrap();
    let plan = echo.core.plan("echo_thing", "a", config.clone()).await.ok();
    assert_eq!((&plan.change().before["text"], &plan.change().planned["text"]), (&json!("changed"), &json!("")));
    echo.core.apply("echo_thing", "a", config.clone()).await.quiet();
    assert_eq!(std::fs::read_to_string(echo.path("a")).unwrap(), "");
    echo.core.plan("echo_thing", "a", config.clone()).await.ok().assert_empty();
    // After a failed update and a failed create the empty string is still in the state.
    let failing = json!({ "name": "a", "text": "", "mode": "fail in update" });
    echo.core.apply("echo_thing", "a", failing).await.failed();
    assert_eq!(echo.core.state("echo_thing", "a")["text"], "");
    let failing = resource("echo_thing", "b", json!({ "name": "b", "text": "", "mode": "panic in create" }));
    echo.core.apply_one(failing).await.failed();
    assert_eq!(echo.core.state("echo_thing", "b")["text"], "");
}

#[tokio::test]
async fn an_empty_required_string_is_refused() {
    let mut echo = Echo::new();
    let found = echo.core.validate("echo_thing", "a", json!({ "name": "" })).await;
    assert_eq!(found.error("A required value is empty").path, "name");
}

#[tokio::test]
async fn an_empty_string_in_the_provider_block_means_null() {
    let mut echo = Echo::new();
    echo.core.configure(json!({ "directory": "" }));
    // The echo provider would refuse an empty directory.
    assert_eq!(echo.core.validate(TYPE, "a", json!({})).await.0, []);
    echo.core.apply(TYPE, "a", json!({ "string": "s" })).await.quiet();
}

#[tokio::test]
async fn sets_lists_and_maps_keep_their_first_spelling_while_all_elements_are_equal() {
    let mut echo = Echo::new();
    let config = |set: &[&str], list: &[&str], of_map: &str| json!({ "name_set": set, "name_list": list, "name_map": { "k": of_map } });
    let first = config(&["a", "b"], &["a", "b"], "a");
    echo.core.apply(TYPE, "a", first.clone()).await.quiet();
    let plan = echo.core.plan(TYPE, "a", config(&["B", "A"], &["A", "b"], "A")).await.ok();
    plan.assert_empty();
    assert_eq!(plan.change().planned["name_list"], first["name_list"]);

    let other = config(&["A", "b", "c"], &["B", "A"], "c");
    echo.core.apply(TYPE, "a", other.clone()).await.quiet();
    let state = echo.core.state(TYPE, "a");
    for name in ["name_set", "name_list", "name_map"] {
        assert_eq!(state[name], other[name], "all of it as it is written now");
    }
    // Two spellings of one value are two elements to an engine.
    let twice = config(&["A", "a", "b"], &["B", "A"], "c");
    assert_eq!(echo.core.apply(TYPE, "a", twice.clone()).await.quiet().action(), Action::Update);
    echo.core.plan(TYPE, "a", twice).await.ok().assert_empty();
}
