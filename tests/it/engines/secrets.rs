//! Secrets, which may be in no output, plan, state or log.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{azure::Options, support::engine::for_each_engine};

use super::engine_bed::EngineBed;

#[tokio::test]
async fn no_secret_is_in_any_log_plan_or_state() {
    for_each_engine(async |engine| {
        let secret = "planted-S3cret";
        let bed = EngineBed::with(Options { client_secret: secret.to_owned(), ..Options::quick() }).await;
        let workspace = bed.workspace(engine, &bed.role_assignment()).env("TF_LOG", "trace");
        let first = workspace.plan(&[]).await.exits(2);
        let planned = workspace.planned().await.to_string();
        let applied = workspace.apply_planned().await.succeeded();
        let state = workspace.run(&["state", "pull"]).await.succeeded().json();
        let private = state["resources"][0]["instances"][0]["private"].as_str().expect("private data in the state");
        let private = String::from_utf8(STANDARD.decode(private).unwrap()).unwrap();
        let outcomes = [
            first,
            applied,
            workspace.plan(&["-refresh-only"]).await.exits(0),
            workspace.destroy(&[]).await.succeeded(),
            workspace.plan(&[]).await.exits(2),
        ];
        for outcome in &outcomes {
            assert!(outcome.stderr.contains("provider.terraform-provider-foundryhub"), "the provider's log is missing");
            // An engine says this of what a plugin writes past its log.
            assert!(!outcome.stderr.contains("unexpected data"), "{outcome}");
        }
        let said = outcomes.map(|outcome| outcome.to_string()).concat();
        for (what, text) in
            [("output", said), ("plan", planned), ("files", workspace.files()), ("private data", private)]
        {
            assert!(!text.contains(secret), "the secret is in {what} of {engine}");
            // Parts of a token are JSON in base64, and begin like this after a dot.
            assert!(!text.contains(".eyJ"), "a token is in {what} of {engine}");
        }
    })
    .await;
}
