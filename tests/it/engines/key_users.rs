//! What else needs the keys of an account, as real engines show it.

use serde_json::{Value, json};

use crate::support::{
    engine::{Workspace, for_each_engine},
    key_users::{
        COMPUTES, CONNECTIONS_WITH_KEY, DATASTORES_WITH_KEY, DATASTORES_WITH_SAS, KEY_USERS, PLANTED, TERRAFORM_STATE,
    },
};

use super::engine_bed::{ALICE, EngineBed, KEYLESS, NOTHING, WITH_KEYS};

/// One hub, two projects, three datastores, a connection, a container with state of Terraform and a compute.
#[tokio::test]
async fn a_plan_names_what_needs_keys_enforce_stops_for_what_it_is_told_and_what_is_mended_is_named_no_more() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        bed.seed_contributor(ALICE);
        bed.emulator.seed(KEY_USERS);
        let enforced = |stop_on: &str| {
            bed.storage_auth(&format!(
                "shared_access_key_enabled = false\n  access_check = \"enforce\"\n  access_check_stop_on = {stop_on}"
            ))
        };
        let workspace = bed.workspace(engine, &enforced("[]"));
        let planned = workspace.plan(&[]).await.exits(2);
        let all = [DATASTORES_WITH_KEY, DATASTORES_WITH_SAS, CONNECTIONS_WITH_KEY, COMPUTES, TERRAFORM_STATE];
        assert_eq!(planned.warnings(), all);
        let text = planned.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for named in [
            "hub1/datastores/shared",
            "sales/datastores/orders",
            "support/datastores/tickets",
            "support/connections/archive",
            "hub1/computes/ci1",
            "containers/tfstate",
        ] {
            assert!(text.contains(named), "{named}: {planned}");
        }
        for next in [
            "anew without credentials",
            "authType AAD",
            "Restart it once shared keys are disabled",
            "use_azuread_auth = true",
        ] {
            assert!(text.contains(next), "{next}: {planned}");
        }
        assert!(!text.contains(PLANTED), "{planned}");

        for stop_on in ["datastore_holds_key", "datastore_holds_sas", "connection_holds_key", "terraform_state"] {
            workspace.config(&enforced(&format!("[\"{stop_on}\"]")));
            workspace.apply(&[]).await.exits(1).says("access_check is enforce");
            assert_eq!(bed.writes(), NOTHING, "{stop_on}");
            assert_eq!(bed.settings(), WITH_KEYS);
        }

        let id = |workspace: &str, rest: &str| {
            bed.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", workspace) + rest
        };
        let entra = |id: String, pointer: &str, word: &str| {
            bed.emulator.change(&id, |properties: &mut Value| *properties.pointer_mut(pointer).unwrap() = json!(word));
        };
        entra(id("hub1", "/datastores/shared"), "/properties/credentials/credentialsType", "None");
        entra(id("support", "/datastores/tickets"), "/properties/credentials/credentialsType", "None");
        entra(id("sales", "/datastores/orders"), "/properties/credentials/credentialsType", "None");
        entra(id("support", "/connections/archive"), "/properties/authType", "AAD");
        let stop_on = "[\"datastore_holds_key\", \"connection_holds_key\", \"terraform_state\"]";
        let container = format!("{}/blobServices/default/containers/tfstate", bed.account);
        // It keeps its name when the backend signs in with Microsoft Entra.
        workspace.config(&enforced(&format!("{stop_on}\n  access_check_ignore_ids = [\"{container}\"]")));
        assert_eq!(workspace.plan(&[]).await.exits(2).warnings(), [COMPUTES]);
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.settings(), KEYLESS);
        assert_eq!(workspace.plan(&[]).await.exits(0).warnings(), NOTHING);
    })
    .await;
}

/// The guide's configuration in its two steps, and a change from outside after it.
#[tokio::test]
async fn the_guides_configuration_switches_first_and_disables_keys_once_none_are_used() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let variables = [("TF_VAR_hub_id", bed.hub.as_str()), ("TF_VAR_principal_id", ALICE)];
        let workspace = Workspace::new(engine).envs(bed.emulator.environment()).envs(variables);
        workspace.copy("examples/guides/before-keys-go-off");
        let used = "transactions: [{ account: sa1, service: blob, authentication: AccountKey, ago: 5h, count: 3 }]";
        bed.emulator.seed(used);
        bed.emulator.seed("containers: [{ parent: sa1, name: tfstate }]");
        workspace.apply(&[]).await.succeeded().says("warning: terraform_state: ");
        assert_eq!(bed.settings(), ("identity", true));
        let disable = ["-var=disable_keys=true"];
        workspace.plan(&disable).await.exits(1).says("Keys may still be in use");
        workspace.apply(&disable).await.exits(1);
        assert_eq!(bed.settings(), ("identity", true));

        bed.emulator.forget_transactions(&bed.account);
        workspace.apply(&disable).await.exits(1).says("The account may have state of Terraform");
        let mended = format!("-var=mended_ids=[\"{}/blobServices/default/containers/tfstate\"]", bed.account);
        let disable = ["-var=disable_keys=true", &mended];
        let applied = workspace.apply(&disable).await.succeeded();
        assert_eq!(applied.warnings(), NOTHING);
        assert_eq!(bed.settings(), KEYLESS);
        assert_eq!(workspace.plan(&disable).await.exits(0).warnings(), NOTHING);

        // A change outside of what this configuration sets is a change again, and anything else fails the check.
        bed.emulator.set_shared_key_access(&bed.account, Some(true));
        workspace.apply(&disable).await.succeeded();
        assert_eq!(bed.settings(), KEYLESS);
        bed.another_hub("hub2");
        // The output changes, so that a scheduled plan notices.
        let planned = workspace.plan(&disable).await.exits(2);
        assert_eq!(planned.warnings(), ["Check block assertion failed"]);
        planned.says("other_workspaces_use_keys");
    })
    .await;
}
