//! The demonstration of `examples/quickstart`, as `make demo` runs it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::support::{
    engine::{Outcome, Workspace, for_each_engine},
    example, provider,
};

/// The titles of its steps, in order.
const STEPS: [&str; 9] = [
    "1. A hub whose storage is reached with keys",
    "2. init",
    "3. plan: what it would take to do without keys",
    "4. apply",
    "5. plan: nothing left to do",
    "6. Somebody sets the hub back to keys behind the engine's back",
    "7. plan: the drift shows",
    "8. apply: the drift is healed",
    "9. destroy: what was found is put back",
];

/// Where the provider and, below it, the emulator are.
fn binaries() -> PathBuf {
    let emulator = example("emulator");
    emulator.ancestors().nth(2).expect("examples are below the other executables").to_owned()
}

/// Runs the demonstration with an engine's program.
async fn demo(workspace: &Workspace, binaries: &Path, engine: &Path) -> Outcome {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/quickstart/demo.py");
    let provider = provider();
    let [engine, binaries, provider] =
        [engine, binaries, &provider].map(|path| path.to_str().expect("a path of plain text"));
    let arguments = [script, engine, "--binaries", binaries, "--provider", provider];
    workspace.start_program(Path::new("python3"), &arguments).finish().await
}

#[tokio::test]
async fn the_demonstration_shows_every_step() {
    let binaries = binaries();
    for_each_engine(async |engine| {
        let workspace = Workspace::new(engine);
        let outcome = demo(&workspace, &binaries, engine.program()).await.succeeded();
        let mut rest = outcome.stdout.as_str();
        for step in STEPS {
            let Some(at) = rest.find(&format!("\n{step}")) else {
                panic!("{step:?} is missing after others: {outcome}")
            };
            rest = &rest[at + 1..];
        }
        assert!(rest.ends_with("\nEvery step behaved.\n"), "{outcome}");
        assert_eq!(outcome.stdout.matches("Azure says: mode identity, keys off").count(), 2, "{outcome}");
        assert_eq!(outcome.stderr, "");
    })
    .await;
}

/// A program that runs the engine, except for one command, where it does nothing and succeeds.
fn lazy(workspace: &Workspace, engine: &Path, command: &str) -> PathBuf {
    let program = workspace.path().join("lazy");
    let text = format!("#!/bin/sh\n[ \"$1\" = {command} ] && exit 0\nexec '{}' \"$@\"\n", engine.display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[tokio::test]
async fn the_demonstration_fails_when_a_step_does_not_behave() {
    let binaries = binaries();
    for_each_engine(async |engine| {
        for (command, last_step, problem) in [
            ("plan", STEPS[2], "ended with 0, not 2"),
            ("apply", STEPS[3], "expected that Azure says: mode identity, keys off"),
        ] {
            let workspace = Workspace::new(engine);
            let outcome = demo(&workspace, &binaries, &lazy(&workspace, engine.program(), command)).await.exits(1);
            assert!(outcome.stderr.starts_with("\nFAILED: ") && outcome.stderr.contains(problem), "{outcome}");
            let (_, shown) = outcome.stdout.rsplit_once(last_step).expect("the step was begun");
            assert!(!shown.contains("behaved"), "{outcome}");
        }
    })
    .await;
}
