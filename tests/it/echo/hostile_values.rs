//! Values that no engine sends: nested or long beyond all measure, and numbers that are none. What noise does is in
//! `bad_calls`.

use foundryhub::framework::Type;

use super::bad_calls::{answers, says_unreadable, upgraded};
use crate::support::{core::Session, echo, plugin::within, tfplugin6::DynamicValue};

/// A value in msgpack where none can be read, whatever the type.
fn unreadable() -> Vec<(&'static str, Vec<u8>)> {
    const DEPTH: usize = 100_000;
    let length = u32::MAX.to_be_bytes();
    let with_length = |marker: u8| [&[marker][..], &length].concat();
    let not_a_number = f64::NAN.to_be_bytes();
    vec![
        ("deep arrays", [vec![0x91; DEPTH], vec![0xc0]].concat()),
        ("deep maps", [[0x81, 0xa1, b'a'].repeat(DEPTH), vec![0xc0]].concat()),
        ("a long array", with_length(0xdd)),
        ("a long map", with_length(0xdf)),
        ("a long string", with_length(0xdb)),
        ("long bytes", with_length(0xc6)),
        ("a long extension", [with_length(0xc9), vec![0]].concat()),
        ("NaN", [&[0xcb][..], &not_a_number].concat()),
        ("a number that never ends", [&[0xab][..], b"1e999999999"].concat()),
        ("a number that never begins", [&[0xac][..], b"1e-999999999"].concat()),
    ]
}

/// An object in msgpack of which one member is these bytes and the others are null.
fn object(members: &[String], at: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xde];
    bytes.extend((members.len() as u16).to_be_bytes());
    for name in members {
        bytes.extend([0xd9, name.len() as u8]);
        bytes.extend(name.as_bytes());
        bytes.extend(if name == at { value } else { &[0xc0] });
    }
    bytes
}

async fn refused(session: &Session, what: &str, type_name: &str, msgpack: Vec<u8>) {
    let value = DynamicValue { msgpack, json: Vec::new() };
    let answers = within(what, answers(session, type_name, value, Vec::new())).await;
    for (procedure, diagnostics) in answers {
        assert!(says_unreadable(&diagnostics), "{procedure} of {what}: {diagnostics:?}");
    }
}

#[tokio::test]
async fn a_value_beyond_all_measure_is_refused_wherever_it_stands() {
    let session = echo::session().await;
    let catalog = session.catalog().await;
    let Type::Object(members) = catalog.resource("echo_value").block.ty() else { panic!("a block is an object") };
    let names: Vec<String> = members.keys().map(ToString::to_string).collect();
    for (what, value) in unreadable() {
        refused(&session, what, "echo_value", value.clone()).await;
        for (name, ty) in &members {
            // A text that is no number may be the value of something else.
            if !what.contains("number") || *ty == Type::Number {
                refused(&session, &format!("{what} in {name}"), "echo_value", object(&names, name, &value)).await;
            }
        }
    }
    session.end().await;
}

#[tokio::test]
async fn a_state_with_a_number_or_a_text_that_is_none_is_refused() {
    let session = echo::session().await;
    for text in [
        r#"{"number":1e999999999}"#,
        r#"{"number":-1e999999999}"#,
        r#"{"number":1e-999999999}"#,
        r#"{"number":NaN}"#,
        r#"{"number":"NaN"}"#,
        r#"{"list":[1e999999999]}"#,
        r#"{"string":"\ud800"}"#,
        "{\"string\":\"\u{0}\"}",
        r#"{"string":"#,
        "\u{feff}{}",
        "[]",
        "null null",
    ] {
        let diagnostics = within(text, upgraded(&session, "echo_value", 0, text.into())).await.diagnostics;
        assert!(says_unreadable(&diagnostics), "{text}: {diagnostics:?}");
    }
    session.end().await;
}
