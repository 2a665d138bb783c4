//! The script that looks for drift, and the summary that it writes.

use std::fs;
use std::time::Duration;

use serde_json::json;

use super::file;
use crate::engines::engine_bed::{ALICE, EngineBed};
use crate::support::engine::{Engine, Outcome, Workspace, for_each_engine};

/// A hub that was moved off keys by an apply, and the people who were given roles.
async fn applied(engine: &'static Engine) -> (EngineBed, Workspace) {
    let bed = EngineBed::new().await;
    let config = bed.keyless("") + &bed.role_assignment();
    let workspace = bed.applied(engine, &config).await;
    // An assignment that is missing soon after it was made counts as delayed.
    bed.emulator.advance(Duration::from_secs(600));
    (bed, workspace)
}

/// Runs the script; gives how it ended and the summary.
async fn look(engine: &Engine, workspace: &Workspace) -> (Outcome, String) {
    // The program comes last, so that it is the engine of the test whatever is on PATH.
    let run = ["ENGINE=\"$1\" exec \"$2\" drift"];
    let (program, script) = (engine.program().to_str().unwrap(), file("drift.sh"));
    let arguments = ["-c", run[0], "sh", program, script.to_str().unwrap()];
    let outcome = workspace.start_program("/bin/sh".as_ref(), &arguments).finish().await;
    (outcome, fs::read_to_string(workspace.path().join("drift/summary.md")).unwrap())
}

#[tokio::test]
async fn nothing_is_found_where_nothing_has_drifted() {
    for_each_engine(async |engine| {
        let (_bed, workspace) = applied(engine).await;
        let (outcome, summary) = look(engine, &workspace).await;
        outcome.exits(0);
        assert_eq!(summary, "# No drift\n\nAzure, the state and the configuration agree.\n");
    })
    .await;
}

#[tokio::test]
async fn drift_is_told_with_hub_attribute_and_both_values() {
    for_each_engine(async |engine| {
        let (bed, workspace) = applied(engine).await;
        bed.emulator.set_mode(&bed.hub, "AccessKey");
        bed.emulator.set_shared_key_access(&bed.account, Some(true));
        let role = bed.emulator.assignments().into_iter().find(|found| found.principal_id == ALICE).unwrap();
        assert!(bed.emulator.remove_assignment(&role.name));
        bed.writes();
        let (outcome, summary) = look(engine, &workspace).await;
        outcome.exits(2);
        let expected = fs::read_to_string(file("example-summary.md")).unwrap();
        assert_eq!(summary, expected, "examples/pipelines/example-summary.md shows what is written");
        assert_eq!(bed.writes(), [""; 0], "looking changes nothing");
    })
    .await;
}

#[tokio::test]
async fn a_configuration_that_was_not_applied_is_told_apart_from_drift() {
    for_each_engine(async |engine| {
        let (bed, workspace) = applied(engine).await;
        workspace.config(&bed.keyless(""));
        let (outcome, summary) = look(engine, &workspace).await;
        outcome.exits(2);
        assert!(summary.contains("Found by `plan -refresh-only`: nothing."), "{summary}");
        let row =
            "| <code>foundryhub_role_assignment.alice</code> | <code>hub1 in rg1</code> | (all) | there | missing |";
        assert!(summary.contains(row), "{summary}");
    })
    .await;
}

#[tokio::test]
async fn a_failed_sign_in_is_no_absence_of_drift() {
    for_each_engine(async |engine| {
        let (_bed, workspace) = applied(engine).await;
        let (outcome, _) = look(engine, &workspace).await;
        outcome.exits(0);
        let workspace = workspace.env("ARM_CLIENT_SECRET", "wrong");
        let (outcome, summary) = look(engine, &workspace).await;
        outcome.exits(1).says("AADSTS7000215");
        assert!(summary.starts_with("# Drift: not known\n"), "{summary}");
        assert!(!summary.to_lowercase().contains("no drift"), "{summary}");
    })
    .await;
}

/// What no resource of this provider shows: secrets, values that are not known yet, replaced, moved and imported
/// objects, outputs, and text that would break a table.
#[test]
fn a_summary_hides_secrets_and_keeps_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = json!({});
    let plan = json!({
        "resource_changes": [
            { "address": "a.secret", "change": { "actions": ["update"],
                "before": { "id": "x", "password": "old", "deep": { "key": "old", "plain": 1 } },
                "after": { "id": "x", "password": "new", "deep": { "key": "new", "plain": 2 } },
                "after_unknown": {},
                "before_sensitive": { "password": true, "deep": { "key": true } },
                "after_sensitive": { "password": true, "deep": { "key": true } } } },
            { "address": "a.unknown", "change": { "actions": ["delete", "create"],
                "before": { "id": "x", "tags": ["one"] }, "after": { "tags": ["a|b\n`c` <d>"] },
                "after_unknown": { "id": true }, "before_sensitive": {}, "after_sensitive": {} } },
            { "address": "a.moved", "previous_address": "a.old", "change": { "actions": ["no-op"],
                "before": { "id": "x" }, "after": { "id": "x" } } },
            { "address": "a.imported", "change": { "actions": ["no-op"], "importing": { "id": "x" },
                "before": { "id": "x" }, "after": { "id": "x" } } },
            { "address": "data.a.read", "change": { "actions": ["read"], "before": null, "after": {} } },
        ],
        "output_changes": {
            "shown": { "actions": ["update"], "before": 1, "after": 2, "after_unknown": false },
            "hidden": { "actions": ["create"], "before": null, "after": "secret", "after_sensitive": true },
            "kept": { "actions": ["no-op"], "before": 1, "after": 1 },
        },
    });
    let files = [("nothing.json", nothing), ("plan.json", plan)].map(|(name, content)| {
        let path = folder.path().join(name);
        fs::write(&path, content.to_string()).unwrap();
        path
    });
    let output = std::process::Command::new("python3").arg(file("drift_summary.py")).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<_> = summary.lines().filter(|line| line.starts_with("| <")).collect();
    assert_eq!(
        rows,
        [
            "| <code>a.secret</code> | <code>x</code> | <code>deep.key</code> | (sensitive) | (sensitive) |",
            "| <code>a.secret</code> | <code>x</code> | <code>deep.plain</code> | <code>1</code> | <code>2</code> |",
            "| <code>a.secret</code> | <code>x</code> | <code>password</code> | (sensitive) | (sensitive) |",
            "| <code>a.unknown</code> | <code>x</code> | (all) | there | replaced |",
            "| <code>a.unknown</code> | <code>x</code> | <code>id</code> | <code>x</code> | known after apply |",
            "| <code>a.unknown</code> | <code>x</code> | <code>tags</code> | <code>[\"one\"]</code> | \
             <code>[\"a&#124;b\\n`c` &lt;d&gt;\"]</code> |",
            "| <code>a.moved</code> | <code>x</code> | address | <code>a.old</code> | <code>a.moved</code> |",
            "| <code>a.imported</code> | <code>x</code> | state | missing | imported |",
            "| <code>output.hidden</code> |  | value | unset | (sensitive) |",
            "| <code>output.shown</code> |  | value | <code>1</code> | <code>2</code> |",
        ]
    );
}
