//! States, private data and saved plans that somebody has edited: an error that says so or no effect, never a fault of the
//! provider, and nothing is written for what cannot be understood. Single entries of role assignments are in
//! `role_assignment::changed_by_others`.

use serde_json::{Value, json};

use crate::azure::Record;
use crate::support::bed::{AUTH, Bed, HUB, ROLE};
use crate::support::core::{Core, Diagnostics, Stored};

const TYPES: [&str; 3] = [HUB, ROLE, AUTH];

/// A state with an object of every type.
async fn applied() -> Bed {
    let short = |record: &Record| format!("{} {}", record.method, record.path);
    let mut bed = Bed::new(AUTH, short, |_| {}).await;
    bed.core = std::mem::replace(&mut bed.core, Core::new()).in_one_process();
    let all = bed.of_every_type();
    bed.core.apply_all(all).await.ok();
    bed.emulator.clear_requests();
    bed
}

/// Ways to spoil private data.
fn spoilt(private: &[u8]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = ["", "{}", "[]", "null", "5", "\"x\"", "{\"written\":", "\u{feff}{}", "{} {}"]
        .map(|text| text.as_bytes().to_vec())
        .into();
    all.push(vec![0xff; 100]);
    all.push(vec![b'['; 100_000]);
    all.push([r#"{"written":"#.repeat(100_000), "0".to_owned()].concat().into_bytes());
    all.push(private[..private.len() / 2].to_vec());
    // Every entry there can be, as something else.
    let own: Value = serde_json::from_slice(private).unwrap_or_default();
    let own = own.as_object().into_iter().flat_map(|own| own.keys().cloned());
    let reserved =
        [".creates", ".replaces", ".keeps", ".seen_with_others", ".planned_by", ".imported", "written", "times"];
    let names: Vec<String> = own.chain(reserved.map(str::to_owned)).collect();
    for entry in [json!(5), json!("x"), json!([]), json!({}), json!([[null]]), Value::Null, json!({ "x": -1 })] {
        all.push(Value::from_iter(names.iter().map(|name| (name.clone(), entry.clone()))).to_string().into_bytes());
    }
    all
}

#[track_caller]
fn not_blamed(what: &str, diagnostics: &Diagnostics) {
    let told = diagnostics.to_string();
    for blamed in ["panicked", "ended early", "This is a mistake of the"] {
        assert!(!told.contains(blamed), "{what}: {told}");
    }
}

#[tokio::test]
async fn private_data_that_is_spoilt_or_another_objects_counts_as_none() {
    let mut bed = applied().await;
    let all = bed.of_every_type();
    let stored: Vec<Stored> = TYPES.map(|name| bed.core.stored(name, "a").clone()).into();
    for (number, name) in TYPES.into_iter().enumerate() {
        let mut privates = spoilt(&stored[number].private);
        privates.extend(stored.iter().map(|other| other.private.clone()));
        for private in privates {
            let what = format!("{name} with {}", String::from_utf8_lossy(&private[..private.len().min(200)]));
            bed.core.stored(name, "a").private = private;
            let planned = bed.core.plan_all(all.clone()).await;
            not_blamed(&what, &planned.diagnostics);
            assert!(!planned.diagnostics.has_errors(), "{what}: {}", planned.diagnostics);
            planned.assert_empty();
            bed.core.store(name, "a", stored[number].clone());
        }
    }
    assert_eq!(bed.writes(), [""; 0]);
}

#[tokio::test]
async fn a_destroy_with_spoilt_private_data_undoes_what_the_state_says() {
    let private = b"{\"written\":[[null]],\".keeps\":5}".to_vec();
    for saved in [false, true] {
        for spoilt in [Vec::new(), private.clone(), vec![b'['; 100_000]] {
            let mut bed = applied().await;
            let plan = if saved {
                bed.core.plan_all(Vec::new()).await.ok().with_private(|_| spoilt.clone())
            } else {
                TYPES.iter().for_each(|name| bed.core.stored(name, "a").private = spoilt.clone());
                bed.core.plan_all(Vec::new()).await.ok()
            };
            bed.core.apply_saved(plan).await.ok();
            assert_eq!(bed.in_azure_of_every_type(), json!([false, "accesskey", true, 0]), "{saved} {spoilt:?}");
        }
    }
}

#[tokio::test]
async fn a_saved_creation_with_spoilt_private_data_is_applied_as_planned() {
    for spoilt in [Vec::new(), b"{\".replaces\":\"x\",\".creates\":{}}".to_vec(), vec![b'['; 100_000]] {
        let short = |record: &Record| format!("{} {}", record.method, record.path);
        let mut bed = Bed::new(AUTH, short, |_| {}).await;
        let all = bed.of_every_type();
        let plan = bed.core.plan_all(all.clone()).await.ok().with_private(|_| spoilt.clone());
        bed.core.apply_saved(plan).await.ok();
        assert_eq!(bed.in_azure_of_every_type(), json!([true, "identity", false, 2]));
        bed.core.plan_all(all).await.ok().assert_empty();
    }
}

/// Every attribute in turn becomes something else in the state. Engines refuse none of it.
#[tokio::test]
async fn an_attribute_of_the_state_that_was_edited_is_drift_or_an_error_and_nothing_is_written_for_it() {
    let mut bed = applied().await;
    let all = bed.of_every_type();
    for name in TYPES {
        let stored = bed.core.stored(name, "a").clone();
        let attributes: Vec<String> = stored.json.as_object().expect("an object").keys().cloned().collect();
        assert!(attributes.len() > 5, "{attributes:?}");
        for attribute in attributes {
            for value in [Value::Null, json!(""), json!("junk/../%2e%2e?#\u{1b}[31m"), json!(-5), json!([{}])] {
                let what = format!("{name}.{attribute} = {value}");
                let mut json = stored.json.clone();
                json[&attribute] = value;
                let edited = Stored { text: json.to_string(), json, ..stored.clone() };
                bed.core.store(name, "a", edited.clone());
                let planned = bed.core.plan_all(all.clone()).await;
                not_blamed(&what, &planned.diagnostics);
                assert!(!planned.diagnostics.to_string().contains('\u{1b}'), "{what}");
                bed.core.refresh_in_plans(false);
                not_blamed(&what, &bed.core.plan_all(Vec::new()).await.diagnostics);
                bed.core.refresh_in_plans(true);
                bed.core.store(name, "a", stored.clone());
            }
        }
    }
    assert_eq!(bed.writes(), [""; 0]);
    bed.core.plan_all(all).await.ok().assert_empty();
}

/// An identity that fits its schema, and belongs to another object.
#[tokio::test]
async fn an_identity_of_another_object_is_an_error_that_says_what_to_do_and_nothing_is_written() {
    let mut bed = applied().await;
    let all = bed.of_every_type();
    for name in TYPES {
        let stored = bed.core.stored(name, "a").clone();
        let (version, text) = stored.identity.clone().expect("an identity");
        for other in [text.replace("hub1", "hub9").replace("hub2", "hub9").replace("sa1", "sa9"), {
            let identity: Value = serde_json::from_str(&text).expect("JSON");
            let names = identity.as_object().expect("an object").keys().cloned();
            Value::from_iter(names.map(|name| (name, json!("junk")))).to_string()
        }] {
            assert_ne!(other, text);
            let edited = Stored { identity: Some((version, other)), ..stored.clone() };
            bed.core.store(name, "a", edited);
            let planned = bed.core.plan_all(all.clone()).await;
            let error = planned.error("The state has another identity");
            assert!(error.detail.contains(name) && error.detail.contains("state rm"), "{error}");
            let refreshed = bed.core.refresh().await;
            refreshed.error("The state has another identity");
            bed.core.store(name, "a", stored.clone());
        }
    }
    assert_eq!(bed.writes(), [""; 0]);
    bed.core.plan_all(all).await.ok().assert_empty();
}
