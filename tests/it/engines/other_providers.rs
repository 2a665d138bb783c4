//! States that azurerm and azapi have written, to be moved to this provider.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};

use crate::support::{
    engine::{Engine, REGISTRIES, Workspace},
    provider,
};

use super::engine_bed::{ALICE, EngineBed};

/// An object in the state of another provider, as a file of `tests/data` keeps it.
pub(super) struct ForeignObject {
    pub(super) file: &'static str,
    pub(super) type_name: &'static str,
    /// Namespace and type.
    pub(super) provider: &'static str,
}

impl ForeignObject {
    /// A workspace with this configuration and a state in which the object has the name `old`. In Azure it has the name
    /// `azure_name`, unless it is the hub.
    pub(super) fn workspace(
        &self,
        bed: &EngineBed,
        engine: &'static Engine,
        config: &str,
        azure_name: &str,
    ) -> Workspace {
        let workspace = bed.workspace(engine, config);
        self.install_other_provider(&workspace);
        let state = self.state(bed, engine, azure_name);
        fs::write(workspace.path().join("terraform.tfstate"), state.to_string()).expect("the state is written");
        workspace
    }

    fn state(&self, bed: &EngineBed, engine: &Engine, azure_name: &str) -> Value {
        let path = format!("{}/tests/data/{}", env!("CARGO_MANIFEST_DIR"), self.file);
        let mut text = fs::read_to_string(path).expect("the object is there");
        let (subscription, _) = bed.account.split_once("/resourceGroups/").expect("an id of a resource");
        let (group, _) = bed.hub.split_once("/providers/").expect("an id of a resource");
        let ids =
            [("account", bed.account.as_str()), ("hub", &bed.hub), ("group", group), ("subscription", subscription)];
        for (placeholder, value) in ids.into_iter().chain([("name", azure_name), ("principal", ALICE)]) {
            text = text.replace(&format!("{{{{{placeholder}}}}}"), value);
        }
        let object: Value = serde_json::from_str(&text).expect("JSON");
        let registry = engine.product.registry();
        json!({
            "version": 4,
            "terraform_version": "1.9.0",
            "serial": 1,
            "lineage": "00000000-0000-0000-0000-000000000001",
            "outputs": {},
            "resources": [{
                "mode": "managed",
                "type": self.type_name,
                "name": "old",
                "provider": format!("provider[\"{registry}/{}\"]", self.provider),
                "instances": [{ "schema_version": object["schema_version"], "attributes": object["attributes"] }],
            }],
        })
    }

    /// Installs this provider's binary under the other provider's name. Engines need the other provider to be
    /// installed, though they ask it for nothing but its schema.
    fn install_other_provider(&self, workspace: &Workspace) {
        let (folder, name) = (workspace.path().join("../other"), self.provider.rsplit('/').next().unwrap_or_default());
        fs::create_dir(&folder).expect("the folder is made");
        let folder = folder.canonicalize().expect("the folder is there");
        symlink(provider(), folder.join(format!("terraform-provider-{name}"))).expect("the binary is linked");
        let config = workspace.path().join("../cli.tfrc");
        let text = fs::read_to_string(&config).expect("the engine's configuration is there");
        let lines = REGISTRIES.map(|host| format!("\"{host}/{}\" = {folder:?}\n", self.provider)).concat();
        fs::write(&config, text.replacen("dev_overrides {\n", &format!("dev_overrides {{\n{lines}"), 1))
            .expect("and written");
    }
}
