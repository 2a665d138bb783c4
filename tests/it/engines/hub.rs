//! `foundryhub_hub` under real engines: creating, drift, import, a creation that fails, and a hub of azurerm.

use serde_json::json;

use crate::{
    azure::{Action, Lro, Rule},
    support::{
        engine::{Engine, for_each_engine, for_each_engine_that},
        hcl::moved,
    },
};

use super::{
    engine_bed::{EngineBed, NOTHING},
    other_providers::ForeignObject,
};

const ADDRESS: &str = "foundryhub_hub.hub";

/// A hub of azurerm, in the state of its release 4.
const AZURERM: ForeignObject =
    ForeignObject { file: "azurerm-4-ai-foundry.json", type_name: "azurerm_ai_foundry", provider: "hashicorp/azurerm" };

impl EngineBed {
    fn own_hub(&self) -> String {
        self.emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "hub2")
    }

    /// The hub `hub2` with these further arguments, without the access check.
    fn hub_block(&self, lines: &str) -> String {
        let vault = self.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
        format!(
            "resource \"foundryhub_hub\" \"hub\" {{\n  name = \"hub2\"\n  resource_group_name = \"rg1\"\n  location = \"East US\"\n  \
             storage_account_id = \"{}\"\n  key_vault_id = \"{vault}\"\n  access_check = \"off\"\n  {lines}\n}}\n",
            self.account
        )
    }
}

#[tokio::test]
async fn a_hub_and_what_depends_on_it_is_one_apply_and_a_change_from_outside_is_put_right() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let tagged = bed.hub_block("shared_access_key_enabled = false\n  tags = { purpose = \"demo\" }");
        let auth = "resource \"foundryhub_storage_auth\" \"auth\" {\n  hub_id = foundryhub_hub.hub.id\n  access_check = \"off\"\n}\n";
        let workspace = bed.workspace(engine, &(tagged.clone() + auth));
        let applied = workspace.apply(&[]).await.succeeded();
        assert_eq!(applied.warnings(), NOTHING);
        assert_eq!(bed.writes(), ["PATCH sa1 false", "PUT hub2 identity"]);
        workspace.plan(&[]).await.exits(0);

        bed.emulator.change(&bed.own_hub(), |hub| {
            hub["tags"] = json!({ "purpose": "other", "policy": "p" });
            hub["properties"]["description"] = json!("changed");
        });
        workspace.plan(&[]).await.exits(2).says("0 to add, 1 to change, 0 to destroy");
        workspace.apply_planned().await.succeeded();
        assert_eq!(bed.writes(), ["PATCH hub2"]);
        let hub = bed.emulator.resource(&bed.own_hub()).unwrap();
        assert_eq!(hub["tags"], json!({ "purpose": "demo", "policy": "p" }));
        workspace.plan(&[]).await.exits(0);
        workspace.destroy(&[]).await.succeeded().says("Shared keys stay disabled");
        assert_eq!(bed.writes(), ["DELETE hub2"]);
    })
    .await;
}

#[tokio::test]
async fn an_imported_hub_plans_empty_and_keeps_its_mode() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.applied(engine, &bed.hub_block("description = \"d\"")).await;
        workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
        bed.emulator.set_mode(&bed.own_hub(), "AccessKey");
        bed.writes();
        workspace.import(ADDRESS, &bed.own_hub()).await.succeeded();
        // The check is a setting of the provider, which an import does not know.
        workspace.config(&bed.hub_block("description = \"d\"").replace("  access_check = \"off\"\n", ""));
        workspace.plan(&[]).await.exits(0);
        assert_eq!(bed.writes(), NOTHING);
        assert_eq!(bed.mode_of(&bed.own_hub()), "AccessKey");
    })
    .await;
}

#[tokio::test]
async fn a_creation_that_fails_after_azure_accepted_it_is_tainted_and_can_be_untainted() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        bed.emulator.configure(|options| options.lro = Lro::Both);
        bed.emulator.fault(Rule::on("PUT", "*/workspaces/hub2", Action::FailOperation).code("InternalServerError"));
        let config = bed.hub_block("shared_access_key_enabled = false");
        let workspace = bed.workspace(engine, &config);
        workspace.apply(&[]).await.exits(1).says("Azure failed to create the hub");
        assert_eq!(workspace.state().await[0]["address"], ADDRESS);
        bed.emulator.clear_faults();
        workspace.plan(&[]).await.exits(1).says("A deleted hub keeps its name");
        workspace.run(&["untaint", ADDRESS]).await.succeeded();
        bed.writes();
        workspace.plan(&[]).await.succeeded();

        // A refused creation leaves nothing, and the account as it was.
        let bed = EngineBed::new().await;
        bed.emulator.fault(Rule::on("PUT", "*/workspaces/hub2", Action::Status(400)).code("BadRequest"));
        let workspace = bed.workspace(engine, &bed.hub_block("shared_access_key_enabled = false"));
        workspace.apply(&[]).await.exits(1).says("Cannot create the hub");
        assert_eq!(bed.writes(), ["PATCH sa1 false", "PUT hub2 identity", "PATCH sa1 true"]);
        assert!(workspace.state().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_hub_of_azurerm_is_moved_and_plans_empty() {
    for_each_engine_that(Engine::knows_moves_between_types, async |engine| {
        let bed = EngineBed::new().await;
        bed.another_hub("hub2");
        let vault = bed.emulator.id("rg1", "Microsoft.KeyVault/vaults", "kv1");
        bed.emulator.change(&bed.own_hub(), |hub| {
            (hub["kind"], hub["tags"]) = (json!("Hub"), json!({ "a": "1", "policy": "p" }));
            hub["properties"]["keyVault"] = json!(vault);
        });
        let block = bed.hub_block("tags = { a = \"1\" }").replace("  access_check = \"off\"\n", "");
        let config = block + &moved("azurerm_ai_foundry.old", ADDRESS);
        let workspace = AZURERM.workspace(&bed, engine, &config, "hub2");
        workspace.plan(&[]).await.says("has moved to").says("0 to add, 0 to change, 0 to destroy");
        workspace.apply_planned().await.succeeded();
        assert_eq!(workspace.state().await[0]["address"], ADDRESS);
        workspace.plan(&[]).await.exits(0);
        assert_eq!(bed.writes(), NOTHING);
        assert_eq!(bed.mode_of(&bed.own_hub()), "accesskey");
    })
    .await;
}
