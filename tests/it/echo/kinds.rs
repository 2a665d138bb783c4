//! Data sources, functions, list resources and actions, as an engine calls them.

use std::fs;

use foundryhub::{
    framework::{Type, Value},
    wire::msgpack,
};
use serde_json::{Value as Json, json};
use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::support::{
    core::{Core, Session, UNKNOWN},
    echo::{self, Echo},
    plugin::within,
    tfplugin6::{
        DynamicValue, FunctionError, call_function, get_functions, get_metadata,
        invoke_action::{self, event::Type as Event},
        list_resource,
    },
};

/// The echo provider with these files, each with a text.
fn with_files(files: &[(&str, &str)]) -> Echo {
    let echo = Echo::with(Core::new().in_one_process());
    for (name, text) in files {
        fs::write(echo.path(name), text).unwrap();
    }
    echo
}

#[tokio::test]
async fn data_sources_functions_lists_and_actions_are_in_metadata_and_schema() {
    let session = echo::session().await;
    let catalog = session.catalog().await;
    let metadata = session.client().get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    let functions = session.client().get_functions(get_functions::Request {}).await.unwrap().into_inner().functions;
    assert_eq!(metadata.data_sources.iter().map(|it| &it.type_name).collect::<Vec<_>>(), ["echo_text"]);
    assert_eq!(metadata.functions.iter().map(|it| &it.name).collect::<Vec<_>>(), ["join"]);
    assert_eq!(metadata.list_resources.iter().map(|it| &it.type_name).collect::<Vec<_>>(), ["echo_thing"]);
    assert_eq!(metadata.actions.iter().map(|it| &it.type_name).collect::<Vec<_>>(), ["echo_write"]);
    assert!(catalog.data_sources.contains_key("echo_text") && catalog.functions.contains_key("join"));
    assert!(catalog.lists.contains_key("echo_thing") && catalog.actions.contains_key("echo_write"));
    assert!(functions.contains_key("join") && functions["join"].variadic_parameter.is_some());
    session.end().await;
}

// Data sources.

#[tokio::test]
async fn a_data_source_is_read_by_its_configuration() {
    let mut echo = with_files(&[("a", "text"), ("empty", "")]);
    let config = json!({ "name": "a", "note": "", "timeouts": { "read": "7s" } });
    let (data, diagnostics) = echo.core.read_data("echo_text", config).await;
    assert_eq!(diagnostics.0, []);
    let expected = json!({ "name": "a", "text": "text", "note": "", "timeouts": { "read": "7s" } });
    assert_eq!(data, expected);
    let (data, diagnostics) = echo.core.read_data("echo_text", json!({ "name": "empty" })).await;
    assert_eq!(data["text"], json!(""));
    diagnostics.warning("An empty file");
    assert_eq!(fs::read_to_string(echo.path("journal")).unwrap(), "configure\nread a\nconfigure\nread empty\n");
}

#[tokio::test]
async fn an_error_of_a_data_source_names_its_attribute() {
    let mut echo = with_files(&[("u", "unknown"), ("w", "wait")]);
    for (config, summary, path) in [
        (json!({ "name": "a/b" }), "Invalid value", "name"),
        (json!({ "name": "a", "note": "a" }), "The note says nothing", "note"),
        (json!({ "name": "" }), "A required value is empty", "name"),
        (json!({ "name": "a" }), "No such file", "name"),
        (json!({ "name": "a", "timeouts": { "read": "soon" } }), "Invalid value", "timeouts.read"),
        (json!({ "name": "w", "timeouts": { "read": "1ms" } }), "The file was not read in time", ""),
        (json!({ "name": "u" }), "Unknown values in the data", ""),
        (json!({ "name": "panic" }), "The provider panicked", ""),
    ] {
        let (data, diagnostics) = echo.core.read_data("echo_text", config).await;
        assert_eq!(data, Json::Null);
        assert_eq!(diagnostics.error(summary).path, path, "{diagnostics}");
    }
}

/// An ordinary plan: what the provider is configured with comes from an object that is not created yet.
#[tokio::test]
async fn while_the_provider_s_configuration_is_unknown_what_is_read_is_an_error() {
    let mut echo = with_files(&[("a", "text")]);
    echo.core.apply("echo_thing", "a", json!({ "name": "a" })).await.quiet();
    echo.core.configure(json!({ "directory": UNKNOWN }));
    let summary = "The provider is not configured yet";
    echo.core.read_data("echo_text", json!({ "name": "a" })).await.1.error(summary);
    echo.core.list("echo_thing", json!({}), true, 1).await.1.error(summary);
    echo.core.refresh().await.error(summary);
    assert_eq!(echo.core.state("echo_thing", "a")["name"], "a");
}

// Functions.

#[tokio::test]
async fn a_function_gets_null_and_unknown_where_it_allows_them_and_any_number_of_arguments() {
    let mut echo = Echo::new();
    for (arguments, result) in [
        (json!(["-", "> ", "a", "b", "c"]), json!("> a-b-c")),
        (json!([null, null, "a", "b"]), json!("ab")),
        (json!(["-", ""]), json!("")),
        (json!(["-", UNKNOWN, "a"]), json!(UNKNOWN)),
    ] {
        let called = echo.core.call("join", arguments.as_array().unwrap()).await;
        assert_eq!(called, Ok(result), "{arguments}");
    }
    let mut refused = async |arguments: Json| echo.core.call("join", arguments.as_array().unwrap()).await.unwrap_err();
    let error = refused(json!(["-", "", "a", ""])).await;
    assert_eq!((error.text.as_str(), error.function_argument), ("A text must not be empty.", Some(3)));
    let error = refused(json!(["-", "", "panic"])).await;
    assert!(error.text.contains("CallFunction ended early: joined"), "{}", error.text);
    assert_eq!(echo.journal(), [""; 0], "the process is not configured");
}

/// Arguments that engines do not send, and an empty value, which OpenTofu sends for null.
#[tokio::test]
async fn function_arguments_of_the_wrong_type_or_number_are_errors() {
    let session = echo::session().await;
    let call = async |arguments: Vec<DynamicValue>| {
        let request = call_function::Request { name: "join".to_owned(), arguments };
        let answer = session.client().call_function(request).await.unwrap().into_inner();
        match answer.error {
            Some(FunctionError { text, function_argument }) => Err((text, function_argument)),
            None => Ok(msgpack::decode(&answer.result.unwrap().msgpack, &Type::String).unwrap()),
        }
    };
    let text = |value: Value| DynamicValue { msgpack: msgpack::encode(&value, &Type::String), json: Vec::new() };
    let null = DynamicValue::default;
    assert_eq!(call(vec![null(), null(), text("a".into())]).await, Ok("a".into()));
    let error = call(vec![null(), null(), text("a".into()), null()]).await.unwrap_err();
    assert_eq!(error, ("texts must not be null.".to_owned(), Some(3)));
    assert_eq!(call(vec![text(Value::Unknown), null()]).await, Ok(Value::Unknown));
    assert_eq!(call(vec![null(), null(), text(Value::Unknown)]).await, Ok(Value::Unknown));
    let (error, argument) = call(vec![null()]).await.unwrap_err();
    assert!(error.contains("it takes 2 or more") && argument.is_none(), "{error}");
    let number = DynamicValue { msgpack: msgpack::encode(&true.into(), &Type::Bool), json: Vec::new() };
    let (error, argument) = call(vec![null(), number]).await.unwrap_err();
    assert!(error.starts_with("The provider cannot read a value") && argument == Some(1), "{error}");
    session.end().await;
}

// Lists.

#[tokio::test]
async fn a_list_stops_at_its_limit() {
    let mut echo = with_files(&[("a", "one"), ("b", "two"), ("c", "three"), ("other", "")]);
    let (listed, diagnostics) = echo.core.list("echo_thing", json!({}), true, 2).await;
    assert_eq!(diagnostics.0, []);
    assert_eq!(listed.len(), 2);
    assert_eq!((listed[0].display_name.as_str(), &listed[0].identity), ("the a", &json!({ "name": "a" })));
    assert_eq!((&listed[1].object["id"], &listed[1].object["text"]), (&json!("thing-b"), &json!("two")));
    assert_eq!(echo.journal(), ["list a", "list b"]);

    let (listed, _) = echo.core.list("echo_thing", json!({ "prefix": "o" }), false, 100).await;
    assert_eq!((listed.len(), &listed[0].object), (1, &Json::Null));
    let (listed, diagnostics) = echo.core.list("echo_thing", json!({ "prefix": "nothing" }), true, 100).await;
    assert_eq!((listed, diagnostics.0), (vec![], vec![]), "empty is empty");
    echo.journal();
    assert_eq!(echo.core.list("echo_thing", json!({}), true, 0).await.0, []);
    assert_eq!(echo.journal(), [""; 0]);
}

#[tokio::test]
async fn an_error_in_a_list_comes_after_the_objects_before_it() {
    let mut echo = with_files(&[("a", ""), ("b", "error"), ("c", ""), ("p", "panic")]);
    let (listed, diagnostics) = echo.core.list("echo_thing", json!({}), false, 100).await;
    assert_eq!(listed.len(), 1, "those before it are there");
    assert!(diagnostics.error("A bad thing").detail.contains("b is bad."));
    let (_, diagnostics) = echo.core.list("echo_thing", json!({ "prefix": "p" }), false, 100).await;
    diagnostics.error("ListResource ended early");
    assert_eq!(echo.core.list("echo_thing", json!({ "prefix": "c" }), false, 100).await.0.len(), 1);
}

#[tokio::test]
async fn a_warning_in_the_place_of_an_object_lets_the_list_go_on_and_does_not_count() {
    let mut echo = with_files(&[("a", ""), ("b", "warning"), ("c", ""), ("d", "")]);
    let (listed, diagnostics) = echo.core.list("echo_thing", json!({}), true, 2).await;
    let names: Vec<_> = listed.iter().map(|listed| listed.display_name.as_str()).collect();
    assert_eq!(names, ["the a", "the c"]);
    assert!(diagnostics.warning("A strange thing").detail.contains("b is left out."));
    assert_eq!(echo.journal(), ["list a", "list b", "list c"]);
}

#[tokio::test]
async fn a_list_whose_stream_is_dropped_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let wait = format!("wait for {}", listener.local_addr().unwrap());
    let echo = with_files(&[("a", ""), ("b", &wait)]);
    let session = configured(&echo).await;
    let config = encoded([("prefix", Value::Null)]);
    let request = list_resource::Request { type_name: "echo_thing".to_owned(), config, limit: 9, ..Default::default() };
    let mut events = session.client().list_resource(request).await.unwrap().into_inner();
    assert_eq!(within("the first", events.message()).await.unwrap().unwrap().display_name, "the a");
    let (mut connection, _) = within("the second", listener.accept()).await.unwrap();
    drop(events);
    assert_eq!(within("the end", connection.read(&mut [0])).await.unwrap(), 0, "the work is dropped");
    assert_eq!(echo.journal(), ["list a", "list b"]);
    session.end().await;
}

// Actions.

#[tokio::test]
async fn an_action_reports_its_progress_and_completes() {
    let mut echo = with_files(&[]);
    let (reported, diagnostics) = echo.core.invoke("echo_write", json!({ "name": "a", "text": "one" })).await;
    assert_eq!((reported, diagnostics.0), (vec!["writing a".to_owned(), "done".to_owned()], vec![]));
    assert_eq!(fs::read_to_string(echo.path("a")).unwrap(), "one");
    let journal = fs::read_to_string(echo.path("journal")).unwrap();
    assert_eq!(journal, "configure\nbegin writing\nwrite a\n");
}

#[tokio::test]
async fn an_error_of_an_action_names_its_attribute_and_the_process_goes_on() {
    let mut echo = with_files(&[]);
    for (config, progress, error, path) in [
        (json!({ "name": "journal" }), &[][..], "Not this file", "name"),
        (json!({ "name": "a", "text": "a" }), &[], "Nothing to write", "text"),
        (json!({ "name": UNKNOWN, "text": "unplanned" }), &[], "Not planned", "text"),
        (json!({ "name": "no/where" }), &["writing no/where"], "The file cannot be written", "name"),
        (json!({ "name": "a", "text": "panic" }), &["writing a"], "InvokeAction ended early", ""),
    ] {
        let (reported, diagnostics) = echo.core.invoke("echo_write", config).await;
        assert_eq!(reported, progress);
        assert_eq!(diagnostics.error(error).path, path, "{diagnostics}");
    }
    let (reported, diagnostics) = echo.core.invoke("echo_write", json!({ "name": "a", "text": UNKNOWN })).await;
    assert_eq!((reported, diagnostics.0), (vec![], vec![]), "it can be planned, and is not invoked");
}

#[tokio::test]
async fn an_interrupted_action_completes_with_its_diagnostics() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let echo = with_files(&[]);
    let session = configured(&echo).await;
    let text = format!("wait for {}", listener.local_addr().unwrap());
    let config = encoded([("name", "a".into()), ("text", text.into())]);
    let request = invoke_action::Request { action_type: "echo_write".to_owned(), config, ..Default::default() };
    let mut events = session.client().invoke_action(request).await.unwrap().into_inner();
    let mut next = async || within("an event", events.message()).await.unwrap().map(|event| event.r#type.unwrap());
    assert!(matches!(next().await, Some(Event::Progress(_))), "it comes while the action runs");
    within("the action", listener.accept()).await.unwrap();
    session.stop().await;
    let Some(Event::Completed(end)) = next().await else { panic!("it is not over") };
    assert_eq!(end.diagnostics[0].summary, "It was interrupted");
    assert_eq!(next().await, None);
    session.end().await;
}

#[tokio::test]
async fn an_action_in_a_process_that_is_not_configured_is_an_error() {
    let session = echo::session().await;
    let config = encoded([("name", "a".into()), ("text", Value::Null)]);
    let request = invoke_action::Request { action_type: "echo_write".to_owned(), config, ..Default::default() };
    let mut events = session.client().invoke_action(request).await.unwrap().into_inner();
    let event = within("the end", events.message()).await.unwrap().unwrap();
    let Some(Event::Completed(end)) = event.r#type else { panic!("it is not over") };
    assert_eq!(end.diagnostics[0].summary, "The provider is not configured yet");
    session.end().await;
}

/// A process that is configured for these files.
async fn configured(echo: &Echo) -> Session {
    let session = echo::session().await;
    let catalog = session.catalog().await;
    let directory = echo.path("").to_str().unwrap().to_owned();
    let diagnostics = session.configure(&catalog, &Value::object([("directory", directory.into())]), false).await;
    assert_eq!(diagnostics.0, []);
    session
}

/// A configuration all of whose attributes are strings.
fn encoded<const N: usize>(config: [(&'static str, Value); N]) -> Option<DynamicValue> {
    let ty = Type::object(config.iter().map(|(name, _)| (*name, Type::String)));
    Some(DynamicValue { msgpack: msgpack::encode(&Value::object(config), &ty), json: Vec::new() })
}
