//! States that other providers have written.

use std::{fs, os::unix::fs::symlink};

use serde_json::{Value, json};

use crate::support::engine::{Engine, Product, Workspace};

use super::engine_bed::{ALICE, EngineBed};

/// An object of another provider, kept in `tests/data`.
pub(super) struct Peer {
    pub(super) file: &'static str,
    pub(super) type_name: &'static str,
    /// Namespace and type.
    pub(super) provider: &'static str,
}

impl Peer {
    /// A workspace with this configuration, whose state has the object under the name `old`; `name` is what it is called in
    /// Azure, where that is not the hub's name.
    pub(super) fn workspace(&self, bed: &EngineBed, engine: &'static Engine, config: &str, name: &str) -> Workspace {
        let workspace = bed.workspace(engine, config);
        self.stand_in(&workspace);
        let state = self.state(bed, engine, name);
        fs::write(workspace.path().join("terraform.tfstate"), state.to_string()).expect("the state is written");
        workspace
    }

    fn state(&self, bed: &EngineBed, engine: &Engine, name: &str) -> Value {
        let path = format!("{}/tests/data/{}", env!("CARGO_MANIFEST_DIR"), self.file);
        let mut text = fs::read_to_string(path).expect("the object is there");
        let (subscription, _) = bed.account.split_once("/resourceGroups/").expect("an id of a resource");
        let (group, _) = bed.hub.split_once("/providers/").expect("an id of a resource");
        let ids =
            [("account", bed.account.as_str()), ("hub", &bed.hub), ("group", group), ("subscription", subscription)];
        for (placeholder, value) in ids.into_iter().chain([("name", name), ("principal", ALICE)]) {
            text = text.replace(&format!("{{{{{placeholder}}}}}"), value);
        }
        let object: Value = serde_json::from_str(&text).expect("JSON");
        let registry = match engine.product {
            Product::Terraform => "registry.terraform.io",
            Product::OpenTofu => "registry.opentofu.org",
        };
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

    /// Lets our own binary stand in for the other provider: engines want it there, though they ask it for nothing but a
    /// schema.
    fn stand_in(&self, workspace: &Workspace) {
        let (folder, name) = (workspace.path().join("../other"), self.provider.rsplit('/').next().unwrap_or_default());
        fs::create_dir(&folder).expect("the folder is made");
        let folder = folder.canonicalize().expect("the folder is there");
        symlink(env!("CARGO_BIN_EXE_terraform-provider-foundryhub"), folder.join(format!("terraform-provider-{name}")))
            .expect("the binary is linked");
        let config = workspace.path().join("../cli.tfrc");
        let text = fs::read_to_string(&config).expect("the engine's configuration is there");
        let hosts = ["registry.terraform.io", "registry.opentofu.org"];
        let lines: String = hosts.iter().map(|host| format!("\"{host}/{}\" = {folder:?}\n", self.provider)).collect();
        fs::write(&config, text.replacen("dev_overrides {\n", &format!("dev_overrides {{\n{lines}"), 1))
            .expect("and written");
    }
}
