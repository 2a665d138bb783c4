//! What may be written nowhere, whoever signs in.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::bed::{Given, KINDS, SignInBed, method_of};
use crate::support::engine::{Workspace, engines};

/// Checks that a text has nothing in it that nobody may see. Parts of a token are JSON in base64, and begin like this after
/// a dot.
fn check(what: &str, text: &str, given: &Given, kind: &str) {
    for secret in given.secrets.iter().map(String::as_str).chain([".eyJ"]) {
        let at = text.find(secret).map(|at| &text[..at]);
        let before: Option<String> = at.map(|before| before.chars().rev().take(200).collect());
        let before: Option<String> = before.map(|before| before.chars().rev().collect());
        assert!(before.is_none(), "{kind}: {secret:?} is in {what}, after {before:?}");
    }
}

#[tokio::test]
async fn no_log_plan_state_or_diagnostic_shows_what_a_method_is_given() {
    let bed = SignInBed::new().await;
    let config = json!({ "hub_id": bed.hub(), "access_check": "off" });
    for (kind, in_block) in KINDS.into_iter().flat_map(|kind| [(kind, true), (kind, false)]) {
        let given = bed.given(kind);
        let (block, variables) = bed.as_written(&given, in_block);
        let mut core = bed.core(block, &variables).env("TF_LOG", "TRACE");
        core.apply("foundryhub_storage_auth", "a", config.clone()).await.ok();
        core.refresh().await.ok();
        core.destroy("foundryhub_storage_auth", "a").await.ok();
        assert_eq!(bed.method(), method_of(kind));
        let transcript = core.transcript();
        assert!(transcript.contains("the sign-in method is chosen"), "the log is there: {transcript}");
        check("what the provider said", &transcript, &given, kind);
        check("the requests", &format!("{:?}", bed.emulator.requests()), &given, kind);
    }
}

/// On engines the settings are in the environment: what stands in a configuration, engines copy into their plans. Each kind
/// runs on one engine.
#[tokio::test]
async fn no_engine_writes_what_a_method_is_given() {
    let engines = engines();
    for (kind, engine) in KINDS.into_iter().zip(engines.iter().cycle()) {
        let bed = SignInBed::new().await;
        let given = bed.given(kind);
        let (_, variables) = bed.as_written(&given, false);
        let workspace = Workspace::new(engine).envs([bed.trust()]).envs(variables).env("TF_LOG", "trace");
        let hub = format!("hub_id = \"{}\"\n  access_check = \"off\"", bed.hub());
        workspace.config(&format!("resource \"foundryhub_storage_auth\" \"hub\" {{\n  {hub}\n}}\n"));
        let planned = workspace.plan(&[]).await.exits(2);
        let plan = workspace.planned().await.to_string();
        let applied = workspace.apply_planned().await.succeeded();
        let state = workspace.run(&["state", "pull"]).await.succeeded().json();
        let private = state["resources"][0]["instances"][0]["private"].as_str().expect("private data in the state");
        let private = String::from_utf8(STANDARD.decode(private).expect("base64")).expect("text");
        let destroyed = workspace.destroy(&[]).await.succeeded();
        let said = [planned, applied, destroyed].map(|outcome| outcome.to_string()).concat();
        assert!(said.contains("the sign-in method is chosen"), "the provider's log is missing");
        for (what, text) in [("output", said), ("plan", plan), ("files", workspace.files()), ("private data", private)]
        {
            check(&format!("{what} of {engine}"), &text, &given, kind);
        }
    }
}
