//! Values of every type through a create, an update, a refresh and a destroy: what is stored is what was configured.

use serde_json::{Value as Json, json};

use crate::support::{
    core::{Action, ImportFrom, UNKNOWN},
    echo::Echo,
};

/// Applies a configuration of `echo_value`, plans it again without a difference, changes it and destroys it. Returns
/// the first state.
async fn check(config: Json) -> Json {
    let mut echo = Echo::new();
    let applied = echo.core.apply("echo_value", "a", config.clone()).await.quiet();
    assert_eq!(applied.action(), Action::Create);
    let state = echo.core.state("echo_value", "a");

    echo.core.plan("echo_value", "a", config.clone()).await.assert_empty();
    let mut changed = config;
    changed["sensitive"] = json!("changed");
    let updated = echo.core.apply("echo_value", "a", changed).await.quiet();
    assert_eq!(updated.action(), Action::Update);
    echo.core.destroy("echo_value", "a").await.quiet();
    state
}

#[tokio::test]
async fn numbers_come_back_with_all_digits() {
    let third = format!("0.{}", "3".repeat(154));
    let numbers = ["0.1", "1e30", "18446744073709551615", "-9223372036854775808", "0.5", "-0", &third, "1e-30"];
    let written: Vec<String> = [
        "0.1",
        "1000000000000000000000000000000",
        "18446744073709551615",
        "-9223372036854775808",
        "0.5",
        "0",
        &third,
        "0.000000000000000000000000000001",
    ]
    .map(str::to_owned)
    .to_vec();
    for (number, written) in numbers.iter().zip(&written) {
        let mut echo = Echo::new();
        echo.core.apply("echo_value", "a", json!({ "number": number })).await.quiet();
        let text = &echo.core.stored("echo_value", "a").text;
        assert!(text.contains(&format!("\"number\": {written},")), "{number} is stored as\n{text}");
        echo.core.plan("echo_value", "a", json!({ "number": number })).await.assert_empty();
    }
    check(json!({ "list": numbers, "map": { "third": third } })).await;
}

#[tokio::test]
async fn values_of_every_type_come_back() {
    let config = json!({
        "string": "é and \"quotes\"",
        "number": 1,
        "bool": true,
        "list": [3, 1, 2, 1],
        "set": ["b", "a"],
        "map": { "one": 1, "none": null },
        "object": { "text": "t", "number": null },
    });
    let state = check(config.clone()).await;
    for name in ["string", "number", "bool", "list", "map", "object"] {
        assert_eq!(state[name], config[name], "{name}");
    }
    assert_eq!(state["set"], json!(["a", "b"]));
}

#[tokio::test]
async fn computed_values_in_nested_attributes_and_blocks_are_kept() {
    let config = json!({
        "single": { "text": "s", "number": 1 },
        "nested_list": [{ "text": "a" }, { "either": "given" }],
        "nested_map": { "k": { "text": "m" } },
        "single_block": { "text": "a" },
    });
    let state = check(config).await;
    let element = json!({
        "text": "a", "number": null, "made": "made", "none": null, "either": "made", "mode": "plain", "kind": null,
    });
    assert_eq!(state["nested_list"][0], element);
    assert_eq!(state["single_block"], element);
    assert_eq!(state["nested_list"][1]["either"], "given");
    assert_eq!(state["single"]["made"], "made");
    assert_eq!(state["nested_map"]["k"]["made"], "made");
}

#[tokio::test]
async fn attributes_in_nested_objects_keep_computed_values_return_to_defaults_and_replace() {
    type With = fn(Json) -> Json;
    let places: [(&str, &str, With); 4] = [
        ("single", "/single", |object| json!({ "single": object })),
        ("nested_list[1]", "/nested_list/1", |object| json!({ "nested_list": [{ "kind": "k" }, object] })),
        (r#"nested_map["k"]"#, "/nested_map/k", |object| json!({ "nested_map": { "k": object } })),
        ("single_block", "/single_block", |object| json!({ "single_block": object })),
    ];
    for (path, pointer, with) in places {
        let mut echo = Echo::new();
        let first = with(json!({ "text": "a", "mode": "own", "kind": "k" }));
        echo.core.apply("echo_value", "a", first.clone()).await.quiet();
        echo.core.plan("echo_value", "a", first).await.assert_empty();

        let second = with(json!({ "text": "b", "kind": "k" }));
        let updated = echo.core.apply("echo_value", "a", second.clone()).await.quiet();
        assert_eq!(updated.action(), Action::Update);
        let state = echo.core.state("echo_value", "a");
        let object = json!({
            "text": "b", "number": null, "made": "made", "none": null, "either": "made", "mode": "plain", "kind": "k",
        });
        assert_eq!(state.pointer(pointer), Some(&object));
        echo.core.plan("echo_value", "a", second).await.assert_empty();

        let third = with(json!({ "text": "b", "kind": "other" }));
        let plan = echo.core.plan("echo_value", "a", third).await.ok();
        assert_eq!(plan.action(), Action::Replace);
        assert_eq!(plan.change().requires_replace, [format!("{path}.kind")]);

        let refused = with(json!({ "mode": "Wild" }));
        let diagnostics = echo.core.validate("echo_value", "a", refused).await;
        assert_eq!(diagnostics.error("Not lower case").path, format!("{path}.mode"));
    }
}

#[tokio::test]
async fn what_is_not_configured_is_null_unless_the_provider_fills_it_in() {
    let state = check(json!({})).await;
    assert_eq!(state["string"], Json::Null);
    assert_eq!(state["single"], Json::Null);
    assert_eq!(state["single_block"], Json::Null);
    assert_eq!(state["kind"], "plain");
    assert_eq!(state["either"], "made");
}

#[tokio::test]
async fn unknown_values_stay_unknown_until_they_are_known() {
    let mut echo = Echo::new();
    let config = json!({
        "string": UNKNOWN,
        "list": [1, UNKNOWN],
        "set": ["a", UNKNOWN, UNKNOWN],
        "object": { "text": UNKNOWN, "number": 1 },
        "single": { "text": UNKNOWN },
        "nested_list": UNKNOWN,
        "nested_map": { "k": UNKNOWN },
        "single_block": UNKNOWN,
    });
    let plan = echo.core.plan("echo_value", "a", config.clone()).await.ok();
    let planned = &plan.change().planned;
    for name in ["string", "list", "object", "nested_list", "nested_map", "single_block"] {
        assert_eq!(planned[name], config[name], "{name}");
    }
    assert_eq!(planned["id"], UNKNOWN);
    assert_eq!(planned["set"].as_array().map(Vec::len), Some(3));
    assert_eq!(planned["single"]["text"], UNKNOWN);
    assert_eq!(planned["single"]["made"], UNKNOWN);
}

#[tokio::test]
async fn a_value_of_ten_mebibytes_comes_back() {
    const LENGTH: usize = 10 << 20;
    let mut echo = Echo::new();
    echo.core.apply("echo_thing", "a", json!({ "name": "a", "blob_length": LENGTH })).await.quiet();
    assert_eq!(echo.core.state("echo_thing", "a")["blob"].as_str().map(str::len), Some(LENGTH));
    echo.core.plan("echo_thing", "a", json!({ "name": "a", "blob_length": LENGTH })).await.assert_empty();
}

#[tokio::test]
async fn an_import_by_id_or_identity_is_read_and_the_plan_sets_what_it_lacks() {
    let mut echo = Echo::new();
    echo.core.import("echo_value", "a", ImportFrom::Id("made".into())).await.quiet();
    echo.core.import("echo_value", "b", ImportFrom::Identity(json!({ "id": "made" }))).await.quiet();
    assert_eq!(echo.core.state("echo_value", "a"), echo.core.state("echo_value", "b"));
    assert_eq!(echo.core.identity("echo_value", "b"), json!({ "id": "made" }));
    let updated = echo.core.apply("echo_value", "a", json!({ "string": "new" })).await.quiet();
    assert_eq!(updated.action(), Action::Replace, "the kind was not imported, and a change of it replaces");
    assert_eq!(updated.change().requires_replace, ["kind"]);
}
