//! What is said of a list that could not be read.

use super::explanation::Explanation;
use crate::{
    arm::{self, Error},
    framework::Summary,
    provider::{access::List, report},
};

/// Where a look was not done in its share of the time.
const TOO_SLOW: &str = "A look of the access check has half of the time that is left of its operation. Raise that in the timeouts \
                        block, or set access_check = \"off\".";

pub(super) fn of(list: List, scope: &str, error: &Error) -> Explanation {
    let (what, action) = match list {
        List::Account => (
            "Whether the storage account accepts shared keys and public networks",
            "Microsoft.Storage/storageAccounts/read",
        ),
        List::RoleAssignments => {
            ("Who holds which roles on the storage account", "Microsoft.Authorization/roleAssignments/read")
        }
        List::Workspaces => (
            "Whether other workspaces use the keys of this account",
            "Microsoft.MachineLearningServices/workspaces/read",
        ),
        List::SystemDatastores => (
            "Whether the hub's system datastores still use the key",
            "Microsoft.MachineLearningServices/workspaces/datastores/read",
        ),
        List::Datastores => (
            "Which datastores hold keys of the account",
            "Microsoft.MachineLearningServices/workspaces/datastores/read",
        ),
        List::Connections => (
            "Which connections hold keys of the account",
            "Microsoft.MachineLearningServices/workspaces/connections/read",
        ),
        List::Computes => (
            "Which computes have mounted their files with the key",
            "Microsoft.MachineLearningServices/workspaces/computes/read",
        ),
        List::Containers => (
            "Whether containers tell of others who use the keys",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
        ),
        List::Shares => (
            "Whether file shares tell of others who use the keys",
            "Microsoft.Storage/storageAccounts/fileServices/shares/read",
        ),
        List::IdentityRoles => ("Which roles the hub's identity holds", "Microsoft.Authorization/roleAssignments/read"),
        List::Vault => ("Whether the hub's identity may use what is in the vault", "Microsoft.KeyVault/vaults/read"),
        List::PrivateEndpoints => {
            ("Whether the hub's identity has to read a private endpoint", "Microsoft.Network/privateEndpoints/read")
        }
        List::PolicyRestrictions => (
            "Whether policies refuse to enable shared keys again",
            "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
        ),
    };
    let text = match error.service().and_then(arm::ServiceError::denied) {
        _ if !error.is_forbidden() => {
            let next = if matches!(error, Error::DeadlineExceeded { .. }) { TOO_SLOW } else { "" };
            format!("{what} cannot be verified: {}", report::explain(error, next))
        }
        Some(denied) => format!("{what} cannot be verified: the caller lacks {} on {}.", denied.action, denied.scope),
        None => format!("{what} cannot be verified: the caller lacks {action} on {scope}."),
    };
    Explanation::new(Summary("Access cannot be verified"), text, "")
}
