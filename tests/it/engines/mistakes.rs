//! What a user gets wrong, and where the engine shows it: before anything is sent, or at least before anything is changed.

use crate::support::engine::for_each_engine;

use super::bed::{ALICE, Bed};

#[tokio::test]
async fn a_mistake_in_a_resource_is_shown_where_it_is_before_anything_is_sent() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let workspace = bed.workspace(engine, "");
        let hub = format!("hub_id = \"{}\"", bed.hub);
        let account = format!("hub_id = \"{}\"", bed.account);
        let alice = format!("principal_id = \"{ALICE}\"");
        let bob = "principal_id = \"bob@contoso.com\"";
        let (reader, twice) = ("access = \"reader\"", "scenario = \"own_data\"");
        // The lines of a resource, the one of them that is wrong, and what is said of it.
        let mistakes = [
            (vec![alice.as_str(), "hub_id = \"hub1\"", reader], 1, "Invalid hub id"),
            (vec![&alice, &account, reader], 1, "Invalid hub id"),
            (vec![&hub, reader, bob], 2, "Invalid principal id"),
            (vec![&hub, &alice, reader, twice], 3, "Two choices of roles"),
            (vec![&hub, &alice, "access = \"owner\""], 2, "Unknown access"),
        ];
        for (lines, wrong, summary) in mistakes {
            let config = format!("resource \"foundryhub_role_assignment\" \"it\" {{\n  {}\n}}\n", lines.join("\n  "));
            workspace.config(&config);
            // Five lines that name the provider come first.
            let (number, line) = (7 + wrong, lines[wrong]);
            let place = format!(
                "on main.tf line {number}, in resource \"foundryhub_role_assignment\" \"it\": {number}: {line}"
            );
            workspace.validate().await.exits(1).says(summary).says(&place);
            workspace.plan(&[]).await.exits(1).says(summary).says(&place);
        }
        let neither = format!("resource \"foundryhub_role_assignment\" \"it\" {{\n  {hub}\n  {alice}\n}}\n");
        workspace.config(&neither);
        workspace.plan(&[]).await.exits(1).says("No roles").says("in resource \"foundryhub_role_assignment\" \"it\":");
        assert_eq!(bed.emulator.requests(), []);
    })
    .await;
}

#[tokio::test]
async fn a_mistake_in_the_provider_block_is_shown_where_it_is_before_anything_is_sent() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
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
            workspace.config(&format!("provider \"foundryhub\" {{\n  {line}\n}}\n{}", bed.grant()));
            workspace.validate().await.exits(1).says(place).says(said);
            workspace.plan(&[]).await.exits(1).says(place).says(said);
        }
        assert_eq!(bed.emulator.requests(), []);
    })
    .await;
}

#[tokio::test]
async fn what_azure_does_not_know_is_an_error_before_anything_is_changed() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let workspace = bed.workspace(engine, "");
        let grant = |hub: &str, roles: &str| {
            format!(
                "resource \"foundryhub_role_assignment\" \"it\" {{\n  hub_id = \"{hub}\"\n  principal_id = \"{ALICE}\"\n  \
                 {roles}\n}}\n"
            )
        };
        workspace.config(&grant(&bed.hub.replace("hub1", "hub2"), "access = \"reader\""));
        workspace.apply(&[]).await.exits(1).says("hub2");
        workspace.config(&grant(&bed.hub, "role_definition_name = \"Storage Blob Data Reeder\""));
        workspace.apply(&[]).await.exits(1).says("Storage Blob Data Reader");
        assert_eq!(bed.sent("PUT"), 0);
        assert!(workspace.state().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_that_is_refused_changes_nothing() {
    for_each_engine(async |engine| {
        let bed = Bed::new().await;
        let workspace = bed.workspace(engine, &bed.grant()).env("ARM_CLIENT_SECRET", "wrong");
        workspace.apply(&[]).await.exits(1).says("AADSTS7000215");
        assert_eq!(bed.emulator.arm_requests(), []);
        assert!(workspace.state().await.is_empty());
    })
    .await;
}
