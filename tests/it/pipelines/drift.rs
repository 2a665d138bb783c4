//! The script that looks for drift: with real engines, and with a program in their place that fails where a test wants it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::file;
use crate::engines::engine_bed::{ALICE, EngineBed};
use crate::support::engine::{Engine, Outcome, Workspace, for_each_engine};

/// A hub that was moved off keys by an apply, and the people who were given roles.
async fn applied(engine: &'static Engine) -> (EngineBed, Workspace) {
    let bed = EngineBed::new().await;
    let config = bed.keyless("") + &bed.role_assignment();
    let workspace = bed.workspace(engine, &config).mirrored();
    workspace.init().await.succeeded();
    workspace.apply(&[]).await.succeeded();
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

#[tokio::test]
async fn an_output_alone_is_a_difference() {
    for_each_engine(async |engine| {
        let (bed, workspace) = applied(engine).await;
        workspace.config(&(bed.keyless("") + &bed.role_assignment() + "output \"new\" {\n  value = \"value\"\n}\n"));
        let (outcome, summary) = look(engine, &workspace).await;
        outcome.exits(2);
        let row = "| <code>output.new</code> |  | value | unset | <code>\"value\"</code> |\n";
        assert_eq!(summary.matches(row).count(), 2, "either plan finds it: {summary}");
    })
    .await;
}

/// The script beside a program that ends, for each subcommand, as variables say: `INIT`, `PLAN`, `REFRESH_ONLY` and `SHOW`
/// are exit codes, and `JSON` is what `show` prints. It writes its arguments into `called`.
struct Stage(TempDir);

const ENGINE: &str = r#"#!/bin/sh
echo "$*" >>called
case $* in
init*) exit "${INIT:-0}" ;;
plan*-refresh-only) exit "${REFRESH_ONLY:-0}" ;;
plan*) exit "${PLAN:-0}" ;;
show*) echo "$JSON"; exit "${SHOW:-0}" ;;
esac
"#;

impl Stage {
    /// A summary of an earlier run is there.
    fn new() -> Self {
        let stage = Self(tempfile::tempdir().unwrap());
        for script in ["drift.sh", "drift_summary.py"] {
            fs::copy(file(script), stage.path(script)).unwrap();
        }
        fs::write(stage.path("engine"), ENGINE).unwrap();
        fs::set_permissions(stage.path("engine"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(stage.path("out")).unwrap();
        fs::write(stage.path("out/summary.md"), "# No drift\n").unwrap();
        stage
    }

    fn path(&self, inner: &str) -> PathBuf {
        self.0.path().join(inner)
    }

    /// Gives the exit code and the summary.
    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
        let mut command = Command::new("/bin/sh");
        command.arg(self.path("drift.sh")).args(arguments).current_dir(self.0.path());
        command.env("ENGINE", self.path("engine")).env("JSON", "{}").envs(environment.iter().copied());
        let code = command.output().unwrap().status.code();
        (code, fs::read_to_string(self.path("out/summary.md")).unwrap())
    }
}

/// A folder for PATH with what the script needs besides Python.
fn without_python(folder: &Path) -> String {
    fs::create_dir(folder).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for program in ["dirname", "mkdir", "mv", "rm", "sh"] {
        let found = std::env::split_paths(&path).map(|place| place.join(program)).find(|path| path.is_file());
        symlink(found.unwrap(), folder.join(program)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[test]
fn whatever_fails_nothing_is_known() {
    let stage = Stage::new();
    let path = without_python(&stage.path("path"));
    for (what, environment) in [
        ("init", ("INIT", "1")),
        ("init, by the code of drift", ("INIT", "2")),
        ("the first plan", ("REFRESH_ONLY", "1")),
        ("the second plan", ("PLAN", "1")),
        ("a plan that was killed", ("PLAN", "137")),
        ("show", ("SHOW", "1")),
        ("show, by the code of drift", ("SHOW", "2")),
        ("a plan that is cut off", ("JSON", "{\"resource_drift\": [")),
        ("a plan of another form", ("JSON", "{\"resource_changes\": [{}], \"resource_drift\": [{}]}")),
        ("Python that is not there", ("PATH", &path)),
    ] {
        // Drift that was found before does not make it known.
        let (code, summary) = stage.run(&["out"], &[("REFRESH_ONLY", "2"), environment]);
        assert_eq!(code, Some(1), "{what}: {summary}");
        assert!(summary.starts_with("# Drift: not known\n"), "{what}: {summary}");
        fs::write(stage.path("out/summary.md"), "# No drift\n").unwrap();
    }
    fs::remove_file(stage.path("drift_summary.py")).unwrap();
    let (code, summary) = stage.run(&["out"], &[]);
    assert_eq!(code, Some(1), "without the program: {summary}");
    assert!(summary.starts_with("# Drift: not known\n"), "{summary}");
}

#[test]
fn a_folder_has_to_be_named() {
    let stage = Stage::new();
    for arguments in [&[][..], &["out", "-destroy"]] {
        assert_eq!(stage.run(arguments, &[]).0, Some(1), "{arguments:?}");
    }
    assert!(!stage.path("called").exists(), "no engine was called");
}

#[test]
fn whoever_may_only_read_can_look() {
    let stage = Stage::new();
    assert_eq!(stage.run(&["out"], &[]).0, Some(0));
    let called = fs::read_to_string(stage.path("called")).unwrap();
    let plans: Vec<_> = called.lines().filter(|line| line.starts_with("plan ")).collect();
    assert_eq!(plans.len(), 2, "{called}");
    assert!(plans.iter().all(|line| line.contains(" -lock=false ")), "a lock is a write: {called}");
}

#[test]
fn what_no_table_shows_is_still_no_agreement() {
    let stage = Stage::new();
    let (code, summary) = stage.run(&["out"], &[]);
    assert_eq!((code, summary.as_str()), (Some(0), "# No drift\n\nAzure, the state and the configuration agree.\n"));
    let unknown = "something that is no row of a table; the log of the run has it.";
    for (variable, expected) in [
        ("REFRESH_ONLY", [format!("`plan -refresh-only`: {unknown}"), "`plan`: nothing.".to_owned()]),
        ("PLAN", ["`plan -refresh-only`: nothing.".to_owned(), format!("`plan`: {unknown}")]),
    ] {
        let (code, summary) = stage.run(&["out"], &[(variable, "2")]);
        assert_eq!(code, Some(2), "{variable}: {summary}");
        assert!(summary.starts_with("# Drift\n"), "{summary}");
        assert!(expected.iter().all(|text| summary.contains(&format!("Found by {text}\n"))), "{summary}");
    }
}
