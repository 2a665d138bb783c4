//! Calls at the same time: engines make ten, and nothing in the protocol forbids more.

use std::{fs, path::Path};

use foundryhub::{framework::Value, wire::msgpack};
use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpListener;
use tonic::Code;

use super::bad_calls::{call, procedures};
use crate::support::{
    core::{Catalog, Session},
    echo,
    plugin::within,
    tfplugin6::{DynamicValue, call_function, configure_provider, invoke_action, list_resource, read_data_source},
};

/// Configures the provider for a directory.
async fn configure(session: &Session, catalog: &Catalog, directory: &Path) {
    let config = Value::object([("directory", directory.to_str().unwrap().into())]);
    let config = DynamicValue { msgpack: msgpack::encode(&config, &catalog.provider.ty()), json: Vec::new() };
    let request = configure_provider::Request { config: Some(config), ..Default::default() };
    let answer = within("a configuration", session.client().configure_provider(request)).await;
    assert_eq!(answer.unwrap().into_inner().diagnostics, []);
}

fn json_value(value: serde_json::Value) -> DynamicValue {
    DynamicValue { json: value.to_string().into(), msgpack: Vec::new() }
}

/// Writes a file by the action, which waits if its text says so. The diagnostics of its end.
async fn write(session: &Session, name: &str, text: &str) -> usize {
    let config = Some(json_value(json!({ "name": name, "text": text })));
    let request = invoke_action::Request { action_type: "echo_write".to_owned(), config, ..Default::default() };
    let mut events = within("the action", session.client().invoke_action(request)).await.unwrap().into_inner();
    let mut told = 0;
    while let Some(event) = within("the action's end", events.message()).await.unwrap() {
        if let Some(invoke_action::event::Type::Completed(end)) = event.r#type {
            told = end.diagnostics.len();
        }
    }
    told
}

#[tokio::test]
async fn of_fifty_configurations_at_once_one_counts_and_the_next_one_replaces_it() {
    let session = echo::session().await;
    let catalog = session.catalog().await;
    let directories: Vec<_> = (0..50).map(|_| tempfile::tempdir().unwrap()).collect();
    join_all(directories.iter().map(|directory| configure(&session, &catalog, directory.path()))).await;
    for name in ["a", "b", "c"] {
        write(&session, name, "x").await;
    }
    let written = directories.iter().map(|directory| ["a", "b", "c"].map(|name| directory.path().join(name).exists()));
    let mut written: Vec<_> = written.filter(|files| files.contains(&true)).collect();
    assert_eq!(written.pop(), Some([true; 3]));
    assert_eq!(written, [[true; 3]; 0]);

    configure(&session, &catalog, directories[7].path()).await;
    write(&session, "d", "x").await;
    assert!(directories[7].path().join("d").exists());
    session.end().await;
}

#[tokio::test]
async fn what_is_under_way_keeps_the_configuration_that_it_began_with() {
    let session = echo::session().await;
    let catalog = session.catalog().await;
    let [first, second] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    configure(&session, &catalog, first.path()).await;
    // The list waits for the file that is last by its name, and has noted by then that it listed it.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    fs::write(first.path().join("a"), "text").unwrap();
    fs::write(first.path().join("b"), format!("wait for {}", listener.local_addr().unwrap())).unwrap();
    fs::write(second.path().join("c"), "text").unwrap();
    let list = async || {
        let config = Some(json_value(json!({ "prefix": null })));
        let type_name = "echo_thing".to_owned();
        let request = list_resource::Request { type_name, config, limit: 10, ..Default::default() };
        within("a list", session.client().list_resource(request)).await.unwrap().into_inner()
    };
    let mut began = list().await;
    let display_name = |event: Option<list_resource::Event>| event.map(|event| event.display_name);
    assert_eq!(display_name(began.message().await.unwrap()).as_deref(), Some("the a"));
    let (_waiting, _) = within("the list's wait", listener.accept()).await.unwrap();
    configure(&session, &catalog, second.path()).await;
    let mut later = list().await;
    assert_eq!(display_name(later.message().await.unwrap()).as_deref(), Some("the c"));
    assert_eq!(display_name(later.message().await.unwrap()), None);
    let journal = |directory: &Path| fs::read_to_string(directory.join("journal")).unwrap();
    assert_eq!(journal(first.path()), "configure\nlist a\nlist b\n");
    assert_eq!(journal(second.path()), "configure\nlist c\n");
    session.end().await;
}

/// Of each procedure ten calls without a message, and beside them ten of every kind that have something to do.
#[tokio::test]
async fn ten_calls_of_every_procedure_at_once_are_answered_each() {
    let session = echo::session().await;
    let catalog = session.catalog().await;
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("text"), "text").unwrap();
    configure(&session, &catalog, directory.path()).await;
    // Those would leave nobody configured, and end what is under way.
    let procedures = procedures();
    let harmless = procedures.iter().filter(|name| !["ConfigureProvider", "StopProvider"].contains(&name.as_str()));
    let alone = |answer: &Result<Vec<u8>, tonic::Status>| answer.as_ref().err().map(tonic::Status::code);
    let calls = harmless.flat_map(|name| std::iter::repeat_n(name, 10)).map(async |name| {
        let answer = call(&session, name, Vec::new()).await;
        assert!([None, Some(Code::Unimplemented)].contains(&alone(&answer)), "{name}: {answer:?}");
    });
    let work = (0..10).map(async |number| {
        assert_eq!(write(&session, &format!("file-{number}"), "x").await, 0);
        let config = Some(json_value(json!({ "name": "text" })));
        let request = read_data_source::Request { type_name: "echo_text".to_owned(), config, ..Default::default() };
        let data = within("data", session.client().read_data_source(request)).await.unwrap().into_inner();
        assert_eq!(data.diagnostics, []);
        let arguments = ["-", "a", "b"].map(|text| json_value(json!(text))).into();
        let request = call_function::Request { name: "join".to_owned(), arguments };
        let joined = within("a function", session.client().call_function(request)).await.unwrap().into_inner();
        assert_eq!(joined.error, None);
    });
    futures_util::join!(join_all(calls), join_all(work));
    assert!((0..10).all(|number| directory.path().join(format!("file-{number}")).exists()));
    session.end().await;
}
