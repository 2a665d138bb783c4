//! Empty strings under real engines, as modules with `optional(string, "")` write them.

use crate::support::engine::for_each_engine;

use super::engine_bed::{ALICE, EngineBed};

#[tokio::test]
async fn an_empty_string_means_null_in_every_optional_attribute_of_both_types() {
    for_each_engine(async |engine| {
        let bed = EngineBed::new().await;
        let workspace = bed.workspace(engine, &configuration(&bed));
        for value in ["-var=left_out=false", "-var=left_out=true", "-var=left_out=false"] {
            workspace.plan(&[value]).await.exits(2).says("0 to destroy");
            workspace.apply_planned().await.succeeded();
            workspace.plan(&[value]).await.exits(0);
            workspace.plan(&[value, "-refresh=false"]).await.exits(0);
        }
        workspace.plan(&["-refresh-only"]).await.says("found no differences");
        let text = bed.emulator.arm_requests().iter().map(|request| request.body.to_string()).collect::<String>();
        assert!(!text.contains("\"\""), "{text}");
        let mut writes = bed.writes();
        writes.sort();
        assert_eq!(writes, ["PATCH hub1 identity", "PUT role", "PUT role", "PUT role", "PUT role", "PUT role"]);
        let kept = workspace.in_state("foundryhub_role_assignment.hub").await.unwrap()["values"].clone();
        assert_eq!(kept["description"], "");
        workspace.destroy(&[]).await.succeeded();
        assert_eq!(bed.held(ALICE), [""; 0]);
    })
    .await;
}

/// A configuration with a value in each optional string, which is empty or null. No role is granted twice.
fn configuration(bed: &EngineBed) -> String {
    let common = r#"
  principal_type                         = local.empty
  description                            = local.empty
  condition                              = local.empty
  condition_version                      = local.empty
  delegated_managed_identity_resource_id = local.empty
  on_existing                            = local.empty
  principal_propagation_timeout          = local.empty
  timeouts {
    create = local.empty
    read   = local.empty
    update = local.empty
    delete = local.empty
  }
"#;
    let attributes =
        ["hub_id", "storage_account_id", "scope", "access", "scenario", "role_definition_name", "role_definition_id"];
    let account = &bed.account;
    let blob_owner = "/providers/Microsoft.Authorization/roleDefinitions/b7e6dc6d-f1e8-4753-8033-0f276bb0955b";
    let grants = [
        ("hub", ["hub_id", "access"], [bed.hub.as_str(), "reader"]),
        ("account", ["storage_account_id", "scenario"], [account, "own_data"]),
        ("scope", ["scope", "role_definition_name"], [account, "Reader"]),
        ("id", ["scope", "role_definition_id"], [account, blob_owner]),
    ];
    let grants = grants.map(|(name, set, values)| {
        let line = |attribute: &&str| {
            let value = set.iter().position(|set| set == attribute).map(|at| format!("{:?}", values[at]));
            format!("  {attribute} = {}\n", value.unwrap_or_else(|| "local.empty".to_owned()))
        };
        let lines: String = attributes.iter().map(line).collect();
        format!(
            "resource \"foundryhub_role_assignment\" \"{name}\" {{\n  principal_id = \"{ALICE}\"\n{lines}{common}}}\n"
        )
    });
    let auth = r#"
  system_datastores_auth_mode = local.empty
  access_check                = local.empty
  grant_settle_time           = local.empty
  restore_to                  = { system_datastores_auth_mode = local.empty }
  timeouts {
    create = local.empty
    delete = local.empty
  }
"#;
    format!(
        "variable \"left_out\" {{\n  default = false\n}}\nlocals {{\n  empty = var.left_out ? null : \"\"\n}}\n{}{}",
        grants.concat(),
        bed.storage_auth(auth)
    )
}
