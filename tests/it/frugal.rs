//! What the provider spends on an object does not grow with the number of objects.
//!
//! valgrind counts the instructions of the released executable, which are the same on a busy machine. For thousands of objects
//! that takes too long; there the CPU time is compared, with a wide margin.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::support::{
    bed::Bed,
    core::{Resource, resource},
    plugin::Plugin,
    release,
};

const TYPE: &str = "foundryhub_role_assignment";

/// The instructions of one start.
const NOTED_START: u64 = 28_000_000;
/// The instructions of a plan of 100 new role assignments.
const NOTED_PLAN: u64 = 185_000_000;

/// The program `valgrind`, which counts what the released provider does in each process; a file for each is in `directory`.
fn counted(directory: &Path) -> PathBuf {
    let found = Command::new("valgrind").arg("--version").output();
    assert!(found.is_ok_and(|output| output.status.success()), "valgrind is missing: apt-get install valgrind");
    let notes = directory.join("note.%p");
    let script = format!(
        "#!/bin/sh\nexec valgrind --quiet --tool=callgrind --callgrind-out-file={} {} \"$@\"\n",
        notes.display(),
        release().display()
    );
    executable(directory, &script)
}

/// Writes a script that stands for the provider.
fn executable(directory: &Path, script: &str) -> PathBuf {
    let program = directory.join("terraform-provider-foundryhub");
    fs::write(&program, script).expect("a script");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("an executable");
    program
}

/// What was noted of all processes that have ended in this directory, which is forgotten.
fn notes(directory: &Path) -> impl Iterator<Item = String> {
    let files = fs::read_dir(directory).expect("the directory").map(|file| file.expect("a file").path());
    let is_note = |file: &PathBuf| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("note."));
    files.filter(is_note).map(|file| {
        let text = fs::read_to_string(&file).expect("what was noted");
        fs::remove_file(&file).expect("a file to remove");
        text
    })
}

/// The instructions of all processes that have ended in this directory, which are forgotten.
fn instructions(directory: &Path) -> u64 {
    let counts = notes(directory).map(|text| {
        let total = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
        total.and_then(|total| total.trim().parse::<u64>().ok()).expect("a total")
    });
    counts.sum()
}

fn principal(at: usize) -> String {
    format!("aaaaaaaa-0000-4000-8000-{at:012}")
}

fn readers(number: usize, account: &str) -> Vec<Resource> {
    let reader = |at: usize| {
        let config = json!({
            "storage_account_id": account,
            "principal_id": principal(at),
            "principal_type": "User",
            "role_definition_name": "Storage Blob Data Reader",
        });
        resource(TYPE, &format!("reader{at}"), config)
    };
    (0..number).map(reader).collect()
}

/// The instructions of a start, up to the handshake, and the end.
async fn start_up() -> u64 {
    let directory = tempfile::tempdir().expect("a directory");
    let mut plugin = Plugin::launch().program(counted(directory.path())).start().await;
    assert!(plugin.shut_down().await.success());
    instructions(directory.path())
}

/// The instructions of a plan of so many new objects, of their apply, and of the plan that finds nothing to do.
async fn spent(number: usize) -> [u64; 3] {
    let directory = tempfile::tempdir().expect("a directory");
    let mut bed = Bed::new(TYPE, |record| record.path.clone(), |_| {}).await;
    let account = bed.account.clone();
    bed.core.run(counted(directory.path()));
    let count = || instructions(directory.path());
    let plan = bed.core.plan_all(readers(number, &account)).await.ok();
    let planned = count();
    bed.core.apply_saved(plan).await.ok();
    let applied = count();
    bed.core.plan_all(readers(number, &account)).await.assert_empty();
    [planned, applied, count()]
}

/// A program that runs the released provider and notes the CPU of each process in a file of the directory.
fn timed(directory: &Path) -> PathBuf {
    let script = format!(
        "#!/bin/bash\nLC_NUMERIC=C TIMEFORMAT='%U %S'\n{{ time {} \"$@\" 2>&3; }} 3>&2 2>{}/note.$$\n",
        release().display(),
        directory.display()
    );
    executable(directory, &script)
}

/// The CPU, in seconds, of a plan that refreshes so many objects of a generated state and finds nothing to do.
async fn cpu_of_a_plan(number: usize) -> f64 {
    let directory = tempfile::tempdir().expect("a directory");
    let mut bed = Bed::new(TYPE, |record| record.path.clone(), |_| {}).await;
    let (account, all) = (bed.account.clone(), readers(number, &bed.account));
    bed.core.apply_all(readers(1, &account)).await.ok();
    let first = bed.core.stored(TYPE, "reader0").clone();
    let name = first.json["role_assignments"]["Storage Blob Data Reader"]["id"].as_str().expect("an id");
    let name = name.rsplit('/').next().expect("a name");
    for at in 1..number {
        let reader = principal(at);
        let own = bed.emulator.seed_assignment(&account, &reader, "Storage Blob Data Reader");
        let change = |text: &str| text.replace(&principal(0), &reader).replace(name, &own);
        let mut stored = first.clone();
        stored.text = change(&stored.text);
        stored.identity = stored.identity.map(|(version, text)| (version, change(&text)));
        stored.json = serde_json::from_str(&stored.text).expect("JSON");
        // As after an import.
        stored.private = Vec::new();
        bed.core.store(TYPE, &format!("reader{at}"), stored);
    }
    bed.core.run(timed(directory.path()));
    bed.core.plan_all(all).await.assert_empty();
    let seconds = |text: &str| text.parse::<f64>().expect("seconds");
    notes(directory.path()).map(|text| text.split_whitespace().map(seconds).sum::<f64>()).sum()
}

#[tokio::test]
async fn a_plan_of_10_000_objects_takes_about_the_cpu_for_each_that_one_of_1_000_takes() {
    let (some, many) = (cpu_of_a_plan(1_000).await, cpu_of_a_plan(10_000).await);
    eprintln!("seconds of CPU: plan of 1,000 {some}, of 10,000 {many}");
    // A margin for a busy machine; where each object looks at all others it takes ten times as much.
    assert!(many / 10.0 < some * 1.5, "{some} s of CPU for 1,000 objects, {many} s for 10,000");
}

/// The noted numbers are in docs/internals/performance.md.
#[tokio::test]
async fn a_start_and_a_plan_take_no_more_instructions_than_was_noted_and_objects_no_more_the_more_there_are() {
    let (start, one, some, many) = (start_up().await, spent(1).await, spent(100).await, spent(200).await);
    eprintln!("instructions: start {start}; plan, apply and refresh of 1 {one:?}, of 100 {some:?}, of 200 {many:?}");
    assert!(start < NOTED_START * 6 / 5, "a start takes {start} instructions, and {NOTED_START} were noted");
    assert!(some[0] < NOTED_PLAN * 6 / 5, "a plan of 100 takes {} instructions, and {NOTED_PLAN} were noted", some[0]);
    for (step, what) in ["plan", "apply", "refresh"].into_iter().enumerate() {
        let ([some, many], one) = ([some[step], many[step]], one[step]);
        // The first object has the start on it.
        assert!(
            many - one < (some - one) * 21 / 10,
            "{what}: {one} instructions for 1 object, {some} for 100, {many} for 200"
        );
    }
}
