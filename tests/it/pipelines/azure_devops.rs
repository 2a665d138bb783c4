//! The pipelines for Azure DevOps.

use std::fs;

use super::workflow::{Checkout, Script, scripts};
use crate::azure::SignIn;
use crate::support::engine::{Outcome, for_each_engine};

/// Runs a step on an agent of Azure DevOps.
async fn run(checkout: &Checkout, script: &Script) -> Outcome {
    let path = |inner: &str| checkout.path(inner).display().to_string();
    let agent = [
        ("BUILD_SOURCESDIRECTORY", path("")),
        ("AGENT_TEMPDIRECTORY", path("temp")),
        ("PIPELINE_WORKSPACE", path("temp/workspace")),
        // A step has the variables of a group, and the task AzureCLI@2 sets this one.
        ("ARM_TENANT_ID", checkout.variable("ARM_TENANT_ID")),
        ("ARM_SUBSCRIPTION_ID", checkout.variable("ARM_SUBSCRIPTION_ID")),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", checkout.variable("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID")),
    ];
    let values =
        |expression: &str| (expression == "$(System.AccessToken)").then(|| checkout.variable("SYSTEM_ACCESSTOKEN"));
    assert!(script.shell.starts_with("set -eu\n"), "{}", script.shell);
    assert!(!script.shell.contains("$("), "text of others would become code: {}", script.shell);
    checkout.run(script, &agent, values).await
}

/// Runs the pipeline that applies, with what the service does between its stages.
async fn apply(checkout: &Checkout) {
    let scripts = scripts("azure-devops/apply.yml", "inlineScript");
    let [plan, apply] = &scripts[..] else { panic!("{scripts:?}") };
    run(checkout, plan).await.succeeded().says("##vso[task.setvariable variable=changes;isOutput=true]true");
    fs::create_dir_all(checkout.path("temp/workspace/planned")).unwrap();
    fs::copy(checkout.path("temp/planned"), checkout.path("temp/workspace/planned/planned")).unwrap();
    run(checkout, apply).await.succeeded();
    assert_eq!(checkout.mode(), "identity");
    run(checkout, plan).await.succeeded().says("##vso[task.setvariable variable=changes;isOutput=true]false");
}

#[tokio::test]
async fn a_pull_request_shows_its_plan_and_changes_nothing() {
    for_each_engine(async |engine| {
        let checkout = Checkout::new(engine, SignIn::AzureDevops).await;
        checkout.output("```\\n# Approved");
        for script in scripts("azure-devops/plan.yml", "inlineScript") {
            let tab = checkout.path("temp/plan.md");
            run(&checkout, &script).await.succeeded().says(&format!("##vso[task.uploadsummary]{}", tab.display()));
        }
        let tab = checkout.read("temp/plan.md");
        assert!(tab.contains("\n    Plan: 3 to add") && tab.contains("# Approved"), "{tab}");
        let mut block = tab.strip_prefix("# Plan\n\n").unwrap().lines();
        assert!(block.all(|line| line.starts_with("    ")), "no value ends the block: {tab}");
        assert_eq!(checkout.mode(), "accesskey");
    })
    .await;
}

#[tokio::test]
async fn drift_fails_the_scheduled_run_and_is_on_its_tab() {
    for_each_engine(async |engine| {
        let checkout = Checkout::new(engine, SignIn::AzureDevops).await;
        apply(&checkout).await;
        let scripts = scripts("azure-devops/drift.yml", "inlineScript");
        let [look] = &scripts[..] else { panic!("{scripts:?}") };
        let tab = format!("##vso[task.uploadsummary]{}", checkout.path("temp/drift/summary.md").display());
        run(&checkout, look).await.succeeded().says(&tab);
        assert!(checkout.read("temp/drift/summary.md").starts_with("# No drift\n"));

        checkout.emulator.set_mode(&checkout.hub, "AccessKey");
        run(&checkout, look).await.exits(2).says(&tab).says("##vso[task.logissue type=error]");
        let summary = checkout.read("temp/drift/summary.md");
        assert!(summary.contains("| <code>contoso-hub in rg-ai</code> |"), "{summary}");
    })
    .await;
}
