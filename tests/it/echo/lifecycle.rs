//! The life of a resource's object: create, refresh, update, upgrade, move, import, replace and destroy, also where one
//! of them fails, panics or is interrupted.

use std::fs;

use foundryhub::{
    framework::{Type, Value},
    wire::msgpack,
};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use crate::support::{
    core::{Action, Core, ImportFrom, MoveFrom, Stored, resource},
    echo::{self, Echo},
    plugin::within,
    tfplugin6::{
        DynamicValue, call_function, diagnostic::Severity, import_resource_state, plan_resource_change, read_resource,
        validate_data_resource_config, validate_resource_config,
    },
};

// The life of an object.

#[tokio::test]
async fn a_failed_create_with_an_object_is_tainted_and_replaced_by_the_next_apply() {
    let mut echo = Echo::new();
    let config = |mode: &str| json!({ "name": "a", "mode": mode });
    echo.core.apply("echo_thing", "a", config("fail after create")).await.error("created badly");
    assert_eq!(echo.core.state("echo_thing", "a")["id"], "thing-a");
    assert!(echo.core.stored("echo_thing", "a").tainted);
    assert_eq!(echo.core.identity("echo_thing", "a"), json!({ "name": "a" }));

    echo.journal();
    let applied = echo.core.apply("echo_thing", "a", config("calm")).await.quiet();
    assert_eq!(applied.action(), Action::Replace);
    assert!(applied.change().was_tainted);
    assert_eq!(echo.journal(), ["delete a to replace it", "create a"]);
    assert!(!echo.core.stored("echo_thing", "a").tainted);
}

#[tokio::test]
async fn a_created_object_that_cannot_be_encoded_is_kept_as_planned() {
    let mut echo = Echo::new();
    let config = json!({ "name": "a", "text": "one", "mode": "no value after create" });
    echo.core.apply("echo_thing", "a", config).await.error("cannot read its own values");
    let state = echo.core.state("echo_thing", "a");
    assert_eq!((&state["name"], &state["text"], &state["revision"]), (&json!("a"), &json!("one"), &Json::Null));
    assert!(echo.core.stored("echo_thing", "a").tainted);
    assert!(!echo.core.stored("echo_thing", "a").private.is_empty());
}

#[tokio::test]
async fn a_failed_create_without_an_object_is_not_stored() {
    let mut echo = Echo::new();
    let config = json!({ "name": "a", "mode": "fail before create" });
    echo.core.apply("echo_thing", "a", config).await.error("not created");
    assert_eq!(echo.core.state("echo_thing", "a"), Json::Null);
}

#[tokio::test]
async fn a_failed_update_keeps_the_object_and_does_not_taint_it() {
    let mut echo = Echo::new();
    echo.core.apply("echo_thing", "a", json!({ "name": "a", "text": "one" })).await.quiet();
    let config = json!({ "name": "a", "text": "two", "mode": "fail in update" });
    echo.core.apply("echo_thing", "a", config).await.error("not updated");
    assert_eq!(echo.core.state("echo_thing", "a")["text"], "one");
    assert!(!echo.core.stored("echo_thing", "a").tainted);
}

#[tokio::test]
async fn an_interrupted_create_keeps_its_object_and_the_process_goes_on() {
    let mut echo = Echo::with(Core::new().in_one_process());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let notify = listener.local_addr().unwrap().to_string();
    echo.core.interrupt_when(async move {
        listener.accept().await.unwrap();
    });
    let config = json!({ "name": "a", "mode": "wait in create", "notify": notify });
    let resources = vec![
        resource("echo_thing", "a", config),
        resource("echo_thing", "b", json!({ "name": "b" })).depends_on("echo_thing", "a"),
    ];
    let applied = within("an interrupted apply", echo.core.apply_all(resources)).await;
    applied.error("It was interrupted");
    assert_eq!(echo.core.state("echo_thing", "a")["id"], "thing-a");
    assert!(echo.core.stored("echo_thing", "a").tainted);
    assert_eq!(echo.core.state("echo_thing", "b"), Json::Null);
    // The same process goes on.
    echo.core.apply("echo_thing", "c", json!({ "name": "c" })).await.quiet();
}

#[tokio::test]
async fn a_refresh_keeps_private_data_and_identity_and_finds_drift() {
    let mut echo = Echo::new();
    let config = json!({ "name": "a", "text": "one" });
    echo.core.apply("echo_thing", "a", config.clone()).await.quiet();
    let before = echo.core.stored("echo_thing", "a").clone();
    assert!(!before.private.is_empty());
    let refreshed = echo.core.refresh().await.quiet();
    assert!(!refreshed.change().drifted());
    let after = echo.core.stored("echo_thing", "a").clone();
    assert_eq!((before.private, before.identity), (after.private, after.identity));

    fs::write(echo.path("a"), "changed by somebody").unwrap();
    let plan = echo.core.plan("echo_thing", "a", config.clone()).await.ok();
    assert!(plan.change().drifted());
    assert_eq!(plan.change().before["text"], "changed by somebody");
    assert_eq!(plan.action(), Action::Update);
    echo.core.apply_saved(plan).await.quiet();
    assert_eq!(fs::read_to_string(echo.path("a")).unwrap(), "one");

    fs::remove_file(echo.path("a")).unwrap();
    let plan = echo.core.plan("echo_thing", "a", config).await.ok();
    assert_eq!(plan.action(), Action::Create);
}

#[tokio::test]
async fn a_state_of_the_same_version_may_lack_an_attribute() {
    let mut echo = Echo::new();
    fs::write(echo.path("a"), "old").unwrap();
    echo.core.store("echo_thing", "a", made(2, json!({ "id": "thing-a", "name": "a", "text": "old" })));
    let updated = echo.core.apply("echo_thing", "a", json!({ "name": "a", "text": "old" })).await.quiet();
    assert_eq!(updated.action(), Action::Update);
    assert_eq!(echo.core.state("echo_thing", "a")["mode"], "calm");
}

#[tokio::test]
async fn a_state_without_what_is_null_plans_nothing() {
    let mut echo = Echo::new();
    let state = json!({ "id": "made", "kind": "plain", "either": "made" });
    echo.core.store("echo_value", "a", Stored::written_by(0, state));
    assert_eq!(echo.core.plan("echo_value", "a", json!({})).await.ok().action(), Action::NoOp);
    echo.core.refresh().await.quiet();
    let state = echo.core.state("echo_value", "a");
    assert_eq!((state.get("single_block"), state.get("nested_list")), (Some(&Json::Null), Some(&Json::Null)));
}

#[tokio::test]
async fn a_state_of_an_older_version_is_upgraded() {
    let mut echo = Echo::new();
    fs::write(echo.path("a"), "old").unwrap();
    echo.core.store("echo_thing", "a", made(0, json!({ "id": "thing-a", "name": "a", "title": "old" })));
    echo.core.plan("echo_thing", "a", json!({ "name": "a", "text": "old" })).await.change();
    echo.core.refresh().await.quiet();
    assert_eq!(echo.core.state("echo_thing", "a")["text"], "old");
    assert_eq!(echo.core.stored("echo_thing", "a").version, 2);
}

/// The identity schema has version 1 and the state has no identity, so that the engine asks to upgrade nothing.
#[tokio::test]
async fn a_missing_resource_identity_is_set_by_the_refresh() {
    let mut echo = Echo::new();
    fs::write(echo.path("a"), "").unwrap();
    echo.core.store("echo_thing", "a", made(2, json!({ "id": "thing-a", "name": "a", "text": null })));
    assert_eq!(echo.core.identity("echo_thing", "a"), Json::Null);
    echo.core.refresh().await.quiet();
    assert_eq!(echo.core.identity("echo_thing", "a"), json!({ "name": "a" }));
}

/// What the echo provider would have stored.
fn made(version: i64, state: Json) -> Stored {
    Stored { private: br#"{"made":true}"#.to_vec(), ..Stored::written_by(version, state) }
}

#[tokio::test]
async fn a_state_of_another_provider_is_moved() {
    let mut echo = Echo::new();
    fs::write(echo.path("a"), "").unwrap();
    let mut from = MoveFrom {
        provider_address: "registry.terraform.io/others/old".to_owned(),
        type_name: "old_thing".to_owned(),
        schema_version: 7,
        state: json!({ "label": "a", "anything": [1, { "else": null }] }),
        private: b"opaque \xff".to_vec(),
        identity: None,
    };
    let diagnostics = echo.core.move_from("echo_thing", "a", from.clone()).await;
    assert!(!diagnostics.has_errors(), "{diagnostics}");
    echo.core.plan("echo_thing", "a", json!({ "name": "a" })).await.assert_empty();

    from.type_name = "other_thing".to_owned();
    let diagnostics = echo.core.move_from("echo_thing", "b", from).await;
    diagnostics.error("cannot be moved to this type");
}

#[tokio::test]
async fn the_destroy_of_a_replacement_is_planned_only_with_create_before_destroy() {
    let mut echo = Echo::new();
    echo.core.apply("echo_thing", "a", json!({ "name": "a" })).await.quiet();
    echo.journal();
    let replaced = echo.core.apply("echo_thing", "a", json!({ "name": "b" })).await.quiet();
    assert_eq!(replaced.action(), Action::Replace);
    assert_eq!(replaced.change().requires_replace, ["name"]);
    assert_eq!(echo.journal(), ["delete a to replace it", "create b"]);

    let swapped = resource("echo_thing", "a", json!({ "name": "c" })).create_before_destroy();
    echo.core.apply_one(swapped).await.warning("A thing goes");
    assert_eq!(echo.journal(), ["create c", "plan to delete b", "delete b"]);
}

#[tokio::test]
async fn a_destroy_is_planned_and_its_warning_is_shown() {
    let mut echo = Echo::new();
    echo.core.apply("echo_thing", "a", json!({ "name": "a" })).await.quiet();
    echo.journal();
    let destroyed = echo.core.destroy("echo_thing", "a").await.ok();
    destroyed.warning("a is going to be deleted");
    assert_eq!(destroyed.action(), Action::Delete);
    assert_eq!(echo.journal(), ["plan to delete a", "delete a"]);
    assert_eq!(echo.core.state("echo_thing", "a"), Json::Null);
}

#[tokio::test]
async fn another_spelling_plans_nothing() {
    let mut echo = Echo::new();
    echo.core.apply("echo_thing", "a", json!({ "name": "a" })).await.quiet();
    echo.core.plan("echo_thing", "a", json!({ "name": "A" })).await.assert_empty();
}

#[tokio::test]
async fn a_resource_is_applied_after_the_one_that_it_refers_to_and_destroyed_before_it() {
    let mut echo = Echo::new();
    let resources = || {
        vec![
            resource("echo_thing", "b", json!({ "name": "b", "text": "${echo_thing.a.id}" })),
            resource("echo_thing", "a", json!({ "name": "a" })),
        ]
    };
    echo.core.apply_all(resources()).await.quiet();
    assert_eq!(echo.core.state("echo_thing", "b")["text"], "thing-a");
    assert_eq!(echo.journal(), ["create a", "create b"]);
    echo.core.plan_all(resources()).await.assert_empty();
    echo.core.destroy_all().await.ok();
    let deletes: Vec<_> = echo.journal().into_iter().filter(|line| line.starts_with("delete")).collect();
    assert_eq!(deletes, ["delete b", "delete a"]);
}

#[tokio::test]
async fn an_import_of_an_object_that_does_not_exist_is_an_error() {
    let mut echo = Echo::new();
    fs::write(echo.path("a"), "text").unwrap();
    echo.core.import("echo_thing", "a", ImportFrom::Identity(json!({ "name": "a" }))).await.quiet();
    echo.core.plan("echo_thing", "a", json!({ "name": "a", "text": "text" })).await.assert_empty();
    let missing = echo.core.import("echo_thing", "b", ImportFrom::Id("b".to_owned())).await.failed();
    missing.error("non-existent");
}

#[tokio::test]
async fn a_second_configuration_of_a_process_replaces_the_first() {
    let mut echo = Echo::with(Core::new().in_one_process());
    echo.core.apply("echo_thing", "a", json!({ "name": "a" })).await.quiet();
    let elsewhere = tempfile::tempdir().unwrap();
    echo.core.configure(json!({ "directory": elsewhere.path() }));
    echo.core.apply("echo_thing", "b", json!({ "name": "b" })).await.quiet();
    assert!(elsewhere.path().join("b").exists());
    let configured = fs::read_to_string(echo.path("journal")).unwrap();
    assert_eq!(
        configured.lines().filter(|line| *line == "configure").count(),
        2,
        "one for the plan, one for the apply"
    );
}

#[tokio::test]
async fn an_invalid_value_is_an_error_at_its_attribute_before_the_create() {
    let mut echo = Echo::new();
    let applied = echo.core.apply("echo_thing", "a", json!({ "name": "a", "mode": "wild" })).await.failed();
    assert_eq!(applied.error("Unknown mode").path, "mode");
    assert_eq!(echo.journal(), [""; 0]);
    echo.core.configure(json!({ "directory": "nowhere" }));
    let diagnostics = echo.core.validate("echo_thing", "a", json!({ "name": "a" })).await;
    assert_eq!(diagnostics.error("No directory").path, "directory");
}

// Failures, and calls that engines make rarely.

#[tokio::test]
async fn a_panic_is_an_error_of_its_call_and_the_process_goes_on() {
    let mut echo = Echo::with(Core::new().in_one_process());
    let config = |mode: &str| json!({ "name": "a", "mode": mode });
    let diagnostics = echo.core.validate("echo_thing", "a", config("panic in validate")).await;
    diagnostics.error("ValidateResourceConfig ended early");
    let plan = echo.core.plan("echo_thing", "a", config("panic in plan")).await;
    plan.error("PlanResourceChange ended early");
    let applied = echo.core.apply("echo_thing", "a", config("panic in create")).await;
    applied.error("ApplyResourceChange ended early: created");
    // It may exist, so that it is kept as tainted.
    assert_eq!(echo.core.state("echo_thing", "a")["name"], "a");
    assert!(echo.core.stored("echo_thing", "a").tainted);

    echo.core.apply("echo_thing", "b", json!({ "name": "b" })).await.quiet();
    let updated = json!({ "name": "b", "mode": "panic in read" });
    echo.core.apply("echo_thing", "b", updated.clone()).await.quiet();
    let before = echo.core.state("echo_thing", "b");
    echo.core.plan("echo_thing", "b", updated).await.error("ReadResource ended early");
    assert_eq!(echo.core.state("echo_thing", "b"), before);
}

/// What `"pre-${unknown}"` is in a configuration: an unknown string that is not null and begins with `pre-`.
#[tokio::test]
async fn an_unknown_value_with_refinements_is_decoded() {
    let session = echo::session().await;
    let catalog = session.catalog().await;
    let ty = catalog.resource("echo_thing").block.ty();
    let Type::Object(members) = &ty else { panic!("an object") };
    let mut config = vec![0x80 | members.len() as u8];
    for name in members.keys() {
        config.extend(msgpack::encode(&name.as_ref().into(), &Type::String));
        match name.as_ref() {
            "name" => config.extend(b"\xc7\x09\x0c\x82\x01\xc2\x02\xa4pre-"),
            _ => config.push(0xc0),
        }
    }
    let config = Some(DynamicValue { msgpack: config, json: Vec::new() });
    let nil = Some(DynamicValue { msgpack: vec![0xc0], json: Vec::new() });
    let request = plan_resource_change::Request {
        type_name: "echo_thing".to_owned(),
        prior_state: nil,
        proposed_new_state: config.clone(),
        config,
        ..plan_resource_change::Request::default()
    };
    let answer = session.client().plan_resource_change(request).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    let planned = msgpack::decode(&answer.planned_state.unwrap().msgpack, &ty).unwrap();
    assert_eq!(planned.get("name"), &Value::Unknown);
    session.end().await;
}

#[tokio::test]
async fn an_unknown_type_or_function_is_an_error_that_names_it() {
    let session = echo::session().await;
    let nothing = || "echo_nothing".to_owned();
    let request = validate_resource_config::Request { type_name: nothing(), ..Default::default() };
    let mut answers = vec![session.client().validate_resource_config(request).await.unwrap().into_inner().diagnostics];
    let request = validate_data_resource_config::Request { type_name: nothing(), ..Default::default() };
    answers.push(session.client().validate_data_resource_config(request).await.unwrap().into_inner().diagnostics);
    let request = read_resource::Request { type_name: nothing(), ..Default::default() };
    answers.push(session.client().read_resource(request).await.unwrap().into_inner().diagnostics);
    let request = import_resource_state::Request { type_name: nothing(), ..Default::default() };
    answers.push(session.client().import_resource_state(request).await.unwrap().into_inner().diagnostics);
    for answer in answers {
        assert_eq!(answer.len(), 1);
        assert_eq!(answer[0].severity(), Severity::Error);
        assert!(answer[0].detail.contains("echo_nothing"), "{}", answer[0].detail);
    }
    let request = call_function::Request { name: nothing(), arguments: Vec::new() };
    let error = session.client().call_function(request).await.unwrap().into_inner().error.unwrap();
    assert!(error.text.contains("echo_nothing"), "{}", error.text);
    session.end().await;
}
