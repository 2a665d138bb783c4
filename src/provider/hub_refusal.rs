//! Why Azure refuses a hub. The service has one code for many reasons, so that they are told apart by their texts (facts:
//! azure.md §9.5); everything else goes by codes.

use crate::{arm::Error, framework::Summary};

/// A refusal that Azure tells by a text.
struct Known {
    /// A part of the text.
    says: &'static str,
    summary: Summary,
    /// What to do.
    next: &'static str,
}

const SOFT_DELETED: Known = Known {
    says: "Soft-deleted workspace",
    summary: Summary("A deleted hub still has this name"),
    next: "Azure keeps a deleted hub for 14 days, and its name with it.",
};

const KNOWN: [Known; 11] = [
    SOFT_DELETED,
    Known {
        says: "storage with HNS enabled",
        summary: Summary("The storage account does not fit"),
        next: "A hub's storage account must not have a hierarchical namespace (Data Lake Storage), and must be a standard \
               general-purpose one: premium and BlobStorage accounts do not work either. Choose another storage_account_id.",
    },
    Known {
        says: "Detaching Container Registry",
        summary: Summary("A container registry cannot be removed"),
        next: "Once a hub has a container registry, it can only be given another one.",
    },
    Known {
        says: "Managed network cannot be disabled once enabled",
        summary: Summary("A managed network cannot be disabled"),
        next: "The isolation of a hub's network only ever grows: Disabled, AllowInternetOutbound, AllowOnlyApprovedOutbound. \
               Set managed_network.isolation_mode to what the hub has, or replace the hub.",
    },
    Known {
        says: "Missing dependent resources",
        summary: Summary("A resource that the hub needs is missing"),
        next: "Check that the storage account, the key vault, and the Application Insights component and container registry \
               if set exist, in the hub's region.",
    },
    Known {
        says: "should have purge protection enabled",
        summary: Summary("The key vault has no purge protection"),
        next: "The vault of encryption.key_vault_id needs it: az keyvault update --name VAULT --enable-purge-protection.",
    },
    Known {
        says: "identity doesn't have enough permissions",
        summary: Summary("The identity may not use the encryption key"),
        next: "encryption.user_assigned_identity_id needs the roles Key Vault Crypto User and Reader on the vault. A new role \
               assignment takes some minutes to work.",
    },
    Known {
        says: "should not contain: userAssignedIdentities",
        summary: Summary("The identities do not fit their type"),
        next: "identity.identity_ids go with the types UserAssigned and \"SystemAssigned, UserAssigned\" only.",
    },
    Known {
        says: "Request body was malformed",
        summary: Summary("Azure does not understand the request"),
        next: "Where workspaces_api_version is set in the provider block, that version may not know one of the attributes. \
               Otherwise this is a mistake of the provider; please report it.",
    },
    Known {
        says: "has an ongoing operation running",
        summary: Summary("Another operation on the hub is running"),
        next: "Somebody else changes the hub, or an outbound rule of its network, right now. Apply again when that has ended.",
    },
    Known {
        says: "nested resources",
        summary: Summary("Something below the hub is still there"),
        next: "Endpoints of its projects have to go first; Azure notices about 90 seconds after they are gone. Delete them, \
               and apply again.",
    },
];

fn known(error: &Error) -> Option<&'static Known> {
    let service = error.service()?;
    KNOWN.iter().find(|known| service.says(known.says))
}

/// The summary and what to do; `None` for any other refusal.
pub(crate) fn explain(error: &Error) -> Option<(Summary, &'static str)> {
    known(error).map(|known| (known.summary, known.next))
}

/// Whether a deleted hub stands in the way, which keeps its name until it is purged.
pub(crate) fn is_soft_deleted(error: &Error) -> bool {
    error.service().is_some_and(|service| service.says(SOFT_DELETED.says))
}
