//! What needs the shared keys of a storage account, beside the hubs on it, as data (facts: azure.md §13).

use crate::arm::computes::ComputeKind;

/// Something that signs in with a key of the account, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyUser {
    /// A datastore of a hub or project, beyond the system ones.
    Datastore { id: String, credential: StoredCredential },
    /// A connection of a hub or project.
    Connection { id: String, credential: StoredCredential },
    /// A compute that has the files of the workspace mounted.
    Compute { id: String, kind: ComputeKind },
    /// A blob container or a file share whose name says who made it.
    Container { id: String, name: String, made_by: Maker },
}

/// What a datastore or connection has stored to sign in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoredCredential {
    Key,
    Sas,
}

/// Who makes containers and file shares that can be told by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The azurerm backend of Terraform, which signs in with a key unless it is told to use Microsoft Entra.
    TerraformState,
    Functions,
    /// Deployment scripts of ARM templates.
    DeploymentScripts,
    CloudShell,
    /// Diagnostic settings, of which is not documented whether they need keys.
    DiagnosticSettings,
}

impl KeyUser {
    /// Its id in Azure.
    pub(crate) fn id(&self) -> &str {
        let (Self::Datastore { id, .. }
        | Self::Connection { id, .. }
        | Self::Compute { id, .. }
        | Self::Container { id, .. }) = self;
        id
    }
}

impl Maker {
    /// Who made a blob container of this name.
    pub(super) fn of_container(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        if name.starts_with("azure-webjobs-") {
            return Some(Self::Functions);
        }
        if name.starts_with("insights-logs-") || name.starts_with("insights-metrics-") {
            return Some(Self::DiagnosticSettings);
        }
        if is_of_scripts(&name) {
            return Some(Self::DeploymentScripts);
        }
        let plain: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
        let words = ["tfstate", "terraform", "tofustate", "opentofu"];
        words.iter().any(|word| plain.contains(word)).then_some(Self::TerraformState)
    }

    /// Who made a file share of this name.
    pub(super) fn of_share(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        if is_of_scripts(&name) {
            return Some(Self::DeploymentScripts);
        }
        name.starts_with("cs-").then_some(Self::CloudShell)
    }
}

fn is_of_scripts(name: &str) -> bool {
    name.ends_with("azscripts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_containers_and_shares_say_who_made_them() {
        for (name, by) in [
            ("tfstate", Some(Maker::TerraformState)),
            ("Prod-TF-State", Some(Maker::TerraformState)),
            ("terraform", Some(Maker::TerraformState)),
            ("azure-webjobs-hosts", Some(Maker::Functions)),
            ("insights-logs-auditevent", Some(Maker::DiagnosticSettings)),
            ("x7kqazscripts", Some(Maker::DeploymentScripts)),
            ("azureml-blobstore-0a1b", None),
            ("insights", None),
            ("cs-alice", None),
        ] {
            assert_eq!(Maker::of_container(name), by, "{name}");
        }
        for (name, by) in [
            ("cs-alice-contoso-com-10032000", Some(Maker::CloudShell)),
            ("x7kqazscripts", Some(Maker::DeploymentScripts)),
            ("code-391ff5ac-6576-460f-ba4d-7e03433c68b6", None),
            ("tfstate", None),
        ] {
            assert_eq!(Maker::of_share(name), by, "{name}");
        }
    }
}
