//! What else needs the keys of an account, as real engines show it.

use serde_json::{Value, json};

use crate::support::{
    engine::for_each_engine,
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
        for next in
            ["anew without credentials", "authType AAD", "Restart it after the switch", "use_azuread_auth = true"]
        {
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
        bed.emulator.remove(&format!("{}/blobServices/default/containers/tfstate", bed.account));
        workspace.config(&enforced("[\"datastore_holds_key\", \"connection_holds_key\", \"terraform_state\"]"));
        assert_eq!(workspace.plan(&[]).await.exits(2).warnings(), [COMPUTES]);
        workspace.apply(&[]).await.succeeded();
        assert_eq!(bed.settings(), KEYLESS);
        assert_eq!(workspace.plan(&[]).await.exits(0).warnings(), NOTHING);
    })
    .await;
}
