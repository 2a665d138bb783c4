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
async fn dynamic_values_keep_their_own_types() {
    let values = [
        json!({ "a": 1, "b": [true] }),
        json!([1, "two", null, { "three": 3 }]),
        json!("text"),
        json!(0.25),
        json!([]),
        json!(null),
    ];
    for value in values {
        let state = check(json!({ "dynamic": value })).await;
        assert_eq!(state["dynamic"], value);
    }
    let mut echo = Echo::new();
    let plan = echo.core.plan("echo_value", "a", json!({ "dynamic": UNKNOWN })).await.ok();
    assert_eq!(plan.change().planned["dynamic"], UNKNOWN);
    let plan = echo.core.plan("echo_value", "a", json!({ "dynamic": { "a": UNKNOWN } })).await.ok();
    assert_eq!(plan.change().planned["dynamic"], json!({ "a": UNKNOWN }));
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
        "objects": [{ "text": "b", "number": 2 }, { "text": "a", "number": 1 }],
        "tuple": ["a", false],
    });
    let state = check(config.clone()).await;
    for name in ["string", "number", "bool", "list", "map", "object", "tuple"] {
        assert_eq!(state[name], config[name], "{name}");
    }
    assert_eq!(state["set"], json!(["a", "b"]));
    assert_eq!(state["objects"], json!([{ "text": "a", "number": 1 }, { "text": "b", "number": 2 }]));
}

#[tokio::test]
async fn computed_values_in_nested_attributes_and_blocks_are_kept() {
    let config = json!({
        "single": { "text": "s", "number": 1 },
        "nested_list": [{ "text": "a" }, { "either": "given" }],
        "nested_set": [{ "text": "a" }, { "text": "b" }],
        "nested_map": { "k": { "text": "m" } },
        "single_block": { "text": "s" },
        "group_block": { "text": "g" },
        "list_block": [{ "text": "a" }, { "text": "b" }],
        "set_block": [{ "text": "a" }, { "text": "b" }],
        "map_block": { "k": { "text": "m" } },
    });
    let state = check(config).await;
    let element = json!({
        "text": "a", "number": null, "made": "made", "none": null, "either": "made", "mode": "plain", "kind": null,
        "secret": null,
    });
    assert_eq!(state["nested_list"][0], element);
    assert_eq!(state["list_block"][0], element);
    assert_eq!(state["nested_list"][1]["either"], "given");
    assert_eq!(state["nested_set"][1]["made"], "made");
    assert_eq!(state["map_block"]["k"]["made"], "made");
}

/// Elements of sets have no names, so that an engine has to guess the prior element when it proposes a new one.
#[tokio::test]
async fn attributes_in_set_elements_keep_computed_values_return_to_defaults_and_replace() {
    for name in ["nested_set", "set_block"] {
        let mut echo = Echo::new();
        let first = json!({ name: [{ "text": "a", "kind": "k" }, { "text": "b", "mode": "own", "kind": "k" }] });
        echo.core.apply("echo_value", "a", first.clone()).await.quiet();
        echo.core.plan("echo_value", "a", first).await.assert_empty();

        let second = json!({ name: [{ "text": "b", "kind": "k" }, { "text": "a", "kind": "k" }] });
        let updated = echo.core.apply("echo_value", "a", second.clone()).await.quiet();
        assert_eq!(updated.action(), Action::Update);
        let state = echo.core.state("echo_value", "a");
        for (index, text) in ["a", "b"].into_iter().enumerate() {
            let element = &state[name][index];
            let found = (&element["text"], &element["mode"], &element["made"], &element["none"]);
            assert_eq!(found, (&json!(text), &json!("plain"), &json!("made"), &Json::Null));
        }
        echo.core.plan("echo_value", "a", second).await.assert_empty();

        let third = json!({ name: [{ "text": "b", "kind": "k" }, { "text": "a", "kind": "other" }] });
        let plan = echo.core.plan("echo_value", "a", third).await.ok();
        assert_eq!(plan.action(), Action::Replace);
        assert_eq!(plan.change().requires_replace, [name]);

        let refused = json!({ name: [{ "text": "a", "mode": "Wild" }] });
        let diagnostics = echo.core.validate("echo_value", "a", refused).await;
        assert_eq!(diagnostics.error("Not lower case").path, name);
    }
}

#[tokio::test]
async fn what_is_not_configured_is_null_or_empty() {
    let state = check(json!({})).await;
    assert_eq!(state["string"], Json::Null);
    assert_eq!(state["single"], Json::Null);
    assert_eq!(state["single_block"], Json::Null);
    assert_eq!(state["group_block"]["text"], Json::Null);
    assert_eq!(state["list_block"], json!([]));
    assert_eq!(state["set_block"], json!([]));
    assert_eq!(state["map_block"], json!({}));
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
        "list_block": [{ "text": UNKNOWN }],
        "map_block": UNKNOWN,
    });
    let plan = echo.core.plan("echo_value", "a", config.clone()).await.ok();
    let planned = &plan.change().planned;
    for name in ["string", "list", "object", "nested_list", "nested_map", "map_block"] {
        assert_eq!(planned[name], config[name], "{name}");
    }
    assert_eq!(planned["id"], UNKNOWN);
    assert_eq!(planned["set"].as_array().map(Vec::len), Some(3));
    assert_eq!(planned["single"]["text"], UNKNOWN);
    assert_eq!(planned["list_block"][0]["made"], UNKNOWN);
}

#[tokio::test]
async fn write_only_values_are_stored_nowhere() {
    const SECRET: &str = "do-not-keep-me";
    let mut echo = Echo::new();
    let config = json!({
        "secret": SECRET,
        "single": { "text": "a", "secret": SECRET },
        "nested_map": { "k": { "secret": SECRET } },
        "list_block": [{ "secret": SECRET }],
        "group_block": { "secret": SECRET },
    });
    echo.core.apply("echo_value", "a", config.clone()).await.quiet();
    echo.core.plan("echo_value", "a", config).await.assert_empty();
    // The resource gets it, and it is stored nowhere even if the create fails.
    let thing = json!({ "name": "t", "secret": SECRET, "mode": "fail after create" });
    echo.core.apply("echo_thing", "t", thing).await.failed();
    assert_eq!(echo.core.state("echo_thing", "t")["secret_length"], SECRET.len());
    assert!(!echo.core.transcript().contains(SECRET));
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
