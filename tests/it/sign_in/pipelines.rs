//! What pipelines set in the environment (tests/data/pipelines.json), and the method that is right there.

use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, fs, path::Path};

use super::bed::SignInBed;
use crate::emulator::client::variable;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pipeline {
    pub(super) pipeline: String,
    source: String,
    pub(super) variables: BTreeMap<String, String>,
    method: String,
}

/// The pipelines that are known.
pub(super) fn pipelines() -> Vec<Pipeline> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pipelines.json");
    serde_json::from_str(&fs::read_to_string(file).expect("the file")).expect("pipelines")
}

#[tokio::test]
async fn the_right_method_is_chosen_in_every_pipeline() {
    let bed = SignInBed::new().await;
    let named = |name: &str| variable(&bed.emulator, name);
    let places = [
        ("{emulator-without-tls}", bed.emulator.url().replacen("https", "http", 1)),
        ("{emulator}", bed.emulator.url().to_owned()),
        ("{tenant}", named("ARM_TENANT_ID")),
        ("{client}", named("ARM_CLIENT_ID")),
        ("{secret}", named("ARM_CLIENT_SECRET")),
        ("{subscription}", named("ARM_SUBSCRIPTION_ID")),
        ("{connection}", "55555555-5555-5555-5555-555555555555".to_owned()),
        ("{assertion}", bed.assertion()),
    ];
    for Pipeline { pipeline, source, variables, method } in pipelines() {
        assert!(!source.is_empty(), "{pipeline}");
        // The CLI is there and signed in, whoever is meant.
        let mut core = bed.core(json!({}), &[bed.endpoint_variables(), vec![("PATH", bed.cli.path())]].concat());
        for (name, value) in variables {
            core = core.env(name, places.iter().fold(value, |value, (place, own)| value.replace(place, own)));
        }
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": bed.hub() })).await.ok();
        assert_eq!(bed.method(), method, "{pipeline}");
    }
}
