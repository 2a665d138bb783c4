//! The workflows for GitHub Actions.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::workflow::{Checkout, Script, scripts};
use crate::azure::SignIn;
use crate::support::engine::{Outcome, for_each_engine};

/// Where a run is to be seen.
const RUN: &str = "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}";

/// Runs a step on a runner of GitHub.
async fn run(checkout: &Checkout, script: &Script) -> Outcome {
    let path = |inner: &str| checkout.path(inner).display().to_string();
    let runner = [
        ("GITHUB_WORKSPACE", path("")),
        ("RUNNER_TEMP", path("temp")),
        ("GITHUB_OUTPUT", path("temp/output")),
        ("GITHUB_STEP_SUMMARY", path("temp/summary")),
    ];
    let values = |expression: &str| match expression {
        "${{ github.token }}" => Some("token".to_owned()),
        "${{ github.repository }}" => Some("contoso/infra".to_owned()),
        RUN => Some("https://github.com/contoso/infra/actions/runs/1".to_owned()),
        _ => None,
    };
    assert!(!script.shell.contains("${{"), "text of others would become code: {}", script.shell);
    checkout.run(script, &runner, values).await
}

#[tokio::test]
async fn a_pull_request_shows_its_plan_and_changes_nothing() {
    for_each_engine(async |engine| {
        let checkout = Checkout::new(engine, SignIn::Github).await;
        let scripts = scripts("github/plan.yml", "run");
        for script in &scripts {
            run(&checkout, script).await.succeeded();
        }
        assert_eq!(checkout.mode(), "accesskey");
        let summary = checkout.read("temp/summary");
        assert!(summary.contains("\n    Plan: 3 to add"), "{summary}");

        // No value ends the block, and a long plan leaves a summary that is shown.
        let plan = scripts.iter().find(|script| script.name == "Plan").unwrap();
        let long = r#"${join("", [for n in range(1000) : join("", [for m in range(100) : "aaaaaaaaaa\n"])])}"#;
        checkout.output(&format!("```\\n# Approved\\n    {long}"));
        fs::remove_file(checkout.path("temp/summary")).unwrap();
        run(&checkout, plan).await.succeeded();
        let summary = checkout.read("temp/summary");
        assert!(
            summary.len() < 1 << 20 && summary.ends_with("\n\nThe rest is in the log of the run.\n"),
            "{}",
            summary.len()
        );
        let block = summary.strip_prefix("# Plan\n\n").unwrap().lines().take_while(|line| line.starts_with("    "));
        assert!(block.count() > 10_000);
        assert!(summary.contains("# Approved"));
    })
    .await;
}

#[tokio::test]
async fn a_merge_applies_the_plan_that_was_saved() {
    for_each_engine(async |engine| {
        let checkout = Checkout::new(engine, SignIn::Github).await;
        let scripts = scripts("github/apply.yml", "run");
        for script in &scripts {
            run(&checkout, script).await.succeeded();
        }
        assert_eq!(checkout.read("temp/output"), "changes=true\n");
        assert_eq!(checkout.mode(), "identity");
        fs::remove_file(checkout.path("temp/output")).unwrap();
        let plan = scripts.iter().find(|script| script.name == "Plan").unwrap();
        run(&checkout, plan).await.succeeded();
        assert_eq!(checkout.read("temp/output"), "changes=false\n", "the second job is not started");
        checkout.program("terraform", "exit 1");
        run(&checkout, plan).await.exits(1);
    })
    .await;
}

#[tokio::test]
async fn drift_fails_the_scheduled_run_and_opens_one_issue() {
    for_each_engine(async |engine| {
        let checkout = Checkout::new(engine, SignIn::Github).await;
        for script in scripts("github/apply.yml", "run") {
            run(&checkout, &script).await.succeeded();
        }
        let scripts = scripts("github/drift.yml", "run");
        let [look, issue] = &scripts[..] else { panic!("{scripts:?}") };
        fs::remove_file(checkout.path("temp/output")).unwrap();
        run(&checkout, look).await.succeeded();
        assert_eq!(checkout.read("temp/output"), "code=0\n");
        assert!(checkout.read("temp/summary").starts_with("# No drift\n"));

        checkout.emulator.set_mode(&checkout.hub, "AccessKey");
        fs::remove_file(checkout.path("temp/output")).unwrap();
        fs::remove_file(checkout.path("temp/summary")).unwrap();
        run(&checkout, look).await.exits(2);
        assert_eq!(checkout.read("temp/output"), "code=2\n");
        let summary = checkout.read("temp/summary");
        assert!(summary.contains("| <code>contoso-hub in rg-ai</code> |"), "{summary}");

        let log = checkout.path("temp/gh");
        let gh =
            |open: &str| format!("echo \"$*\" >>'{}'\n[ \"$1 $2\" != 'issue list' ] || echo '{open}'", log.display());
        for (open, done) in [("", "issue create --title Drift in Azure --label drift"), ("7", "issue comment 7")] {
            checkout.program("gh", &gh(open));
            let _ = fs::remove_file(&log);
            run(&checkout, issue).await.succeeded();
            let called = checkout.read("temp/gh");
            let last = called.lines().last().unwrap();
            let file = checkout.path("temp/drift/summary.md");
            assert_eq!(last, format!("{done} --body-file {}", file.display()), "{called}");
            let body = fs::read_to_string(file).unwrap();
            assert!(body.contains("|\n\n[The run](https://github.com/contoso/infra/actions/runs/1)\n"), "{body}");
        }
    })
    .await;
}

#[test]
fn only_what_may_write_takes_a_lock() {
    let files = ["github/plan.yml", "github/apply.yml", "azure-devops/plan.yml", "azure-devops/apply.yml"];
    let scripts = files.map(|name| scripts(name, if name.starts_with("github") { "run" } else { "inlineScript" }));
    let lines: Vec<_> = scripts.iter().flatten().flat_map(|script| script.shell.lines()).collect();
    let [plans, applies] = ["terraform plan ", "terraform apply "]
        .map(|call| lines.iter().filter(|line| line.contains(call)).collect::<Vec<_>>());
    assert_eq!((plans.len(), applies.len()), (4, 2), "{lines:?}");
    assert!(plans.iter().all(|line| line.contains(" -lock=false ")), "{plans:?}");
    assert!(applies.iter().all(|line| line.contains(" -lock-timeout=")), "{applies:?}");
}

#[test]
fn every_workflow_passes_actionlint() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["examples/pipelines/github", ".github/workflows"] {
        files.extend(fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    assert!(files.len() >= 5, "{files:?}");
    let tool = ["-C", "tests/actionlint", "tool", "actionlint", "-no-color"];
    let output = Command::new("go").args(tool).args(files).current_dir(root).output().expect("go");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{said}");
}
