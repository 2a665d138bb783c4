//! Invalid input, and where an engine shows the error: before anything is sent, or at least before any write.

use serde_json::json;

use crate::support::engine::for_each_engine;

use super::engine_bed::{ALICE, EngineBed};

#[tokio::test]
async fn invalid_input_in_a_resource_is_shown_at_its_line_before_anything_is_sent() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, "");
        let hub = format!("hub_id = \"{}\"", bed.hub);
        let account = format!("hub_id = \"{}\"", bed.account);
        let alice = format!("principal_id = \"{ALICE}\"");
        let bob = "principal_id = \"bob@contoso.com\"";
        let (reader, twice) = ("access = \"reader\"", "scenario = \"own_data\"");
        let keyless = "shared_access_key_enabled = false";
        let (grant, auth) = ("foundryhub_role_assignment", "foundryhub_storage_auth");
        // The resource type, its lines, the index of the wrong one, and the error.
        let mistakes = [
            (grant, vec![alice.as_str(), "hub_id = \"hub1\"", reader], 1, "hub_id: "),
            (grant, vec![&alice, &account, reader], 1, "hub_id: "),
            (grant, vec![&hub, reader, bob], 2, "principal_id: "),
            (grant, vec![&hub, &alice, reader, twice], 3, "The roles are set twice"),
            (grant, vec![&hub, &alice, "access = \"owner\""], 2, "access: "),
            (auth, vec![keyless, &account], 1, "hub_id: "),
            (auth, vec![&hub, keyless, "system_datastores_auth_mode = \"keys\""], 2, "system_datastores_auth_mode: "),
            (auth, vec![&hub, "access_check = \"maybe\""], 1, "access_check: "),
            (auth, vec![&hub, "grant_settle_time = \"soon\""], 1, "not a duration"),
        ];
        for (kind, lines, wrong, summary) in mistakes {
            workspace.config(&format!("resource \"{kind}\" \"it\" {{\n  {}\n}}\n", lines.join("\n  ")));
            // Five lines that name the provider come first.
            let (number, line) = (7 + wrong, lines[wrong]);
            let place = format!("on main.tf line {number}, in resource \"{kind}\" \"it\": {number}: {line}");
            workspace.validate().await.exits(1).says(summary).says(&place);
            workspace.plan(&[]).await.exits(1).says(summary).says(&place);
        }
        let neither = format!("resource \"foundryhub_role_assignment\" \"it\" {{\n  {hub}\n  {alice}\n}}\n");
        workspace.config(&neither);
        workspace
            .plan(&[])
            .await
            .exits(1)
            .says("The roles are not set")
            .says("/latest/docs/guides/troubleshooting#the-roles-are-not-set")
            .says("in resource \"foundryhub_role_assignment\" \"it\":");
        assert_eq!(bed.emulator.requests(), []);
    })
    .await;
}

#[tokio::test]
async fn invalid_input_in_the_provider_block_is_shown_at_its_line_before_anything_is_sent() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, "");
        // Within a value an engine may only show the block that it is in.
        let mistakes = [
            ("environment = \"mars\"", "line 7, in provider \"foundryhub\": 7: environment = \"mars\"", "usgovernment"),
            (
                "endpoint = [{ resource_manager_endpoint = \"http://localhost\" }]",
                "in provider \"foundryhub\":",
                "tokens are only ever sent over https",
            ),
        ];
        for (line, place, said) in mistakes {
            workspace.config(&format!("provider \"foundryhub\" {{\n  {line}\n}}\n{}", bed.role_assignment()));
            workspace.validate().await.exits(1).says(place).says(said);
            workspace.plan(&[]).await.exits(1).says(place).says(said);
        }
        assert_eq!(bed.emulator.requests(), []);
    })
    .await;
}

#[tokio::test]
async fn hubs_and_roles_that_do_not_exist_are_an_error_before_any_write() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let project = bed.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "project1");
        bed.emulator.seed_hub(&project, &bed.account, json!({ "hubResourceId": bed.hub }));
        bed.emulator.change(&project, |document| document["kind"] = json!("Project"));
        let elsewhere = |config: String, hub: &str| config.replace(&format!("{}\"", bed.hub), &format!("{hub}\""));
        let missing = bed.hub.replace("hub1", "hub2");
        let misspelt = bed
            .role_assignment()
            .replace("access       = \"contributor\"", "role_definition_name = \"Storage Blob Data Reeder\"");
        let workspace = bed.workspace(engine, "");
        for (config, said) in [
            (elsewhere(bed.role_assignment(), &missing), "hub2"),
            (misspelt, "Storage Blob Data Reader"),
            (elsewhere(bed.keyless(""), &missing), "The hub does not exist"),
            (elsewhere(bed.keyless(""), &project), "Not a hub"),
        ] {
            workspace.config(&config);
            workspace.apply(&[]).await.exits(1).says(said);
            assert_eq!(bed.writes(), [""; 0]);
            assert!(workspace.state().await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn a_plan_works_where_tmpdir_does_not_exist() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &bed.role_assignment());
        let missing = workspace.path().join("missing").display().to_string();
        workspace.env("TMPDIR", &missing).plan(&[]).await.exits(2);
    })
    .await;
}

#[tokio::test]
async fn a_refused_sign_in_writes_nothing() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        for config in [bed.role_assignment(), bed.keyless("")] {
            let workspace = bed.workspace(engine, &config).env("ARM_CLIENT_SECRET", "wrong");
            workspace.apply(&[]).await.exits(1).says("AADSTS7000215");
            assert_eq!(bed.emulator.arm_requests(), []);
            assert!(workspace.state().await.is_empty());
        }
    })
    .await;
}
