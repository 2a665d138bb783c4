//! Rules about several attributes of a configuration.

use std::collections::BTreeMap;

use super::{explain, schema::State, words};
use crate::{
    arm::workspaces::AuthModeKind,
    framework::{Attr, Diagnostic, Diagnostics, Path},
    provider::access,
};

pub(super) fn validate(config: &State) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let mode = config.system_datastores_auth_mode.known();
    if mode.is_some_and(|mode| mode.kind() == AuthModeKind::UserDelegationSas) {
        let detail = "Azure does not document userdelegationsas and has answered it with server errors. Use identity for Microsoft Entra authorization.";
        let path = Path::root("system_datastores_auth_mode");
        diagnostics.push(Diagnostic::warning("userdelegationsas is not documented", detail).at(path));
    }
    if config.properties().locks_the_hub_out() {
        diagnostics.push(explain::locks_the_hub_out());
    }
    diagnostics.0.extend(identities(config));
    // An identity that is left out is known at the plan.
    diagnostics.0.extend(primary_identity(config).filter(|_| !config.identity.is_null()));
    diagnostics.0.extend(serverless(config));
    diagnostics.0.extend(vault_of_key(config));
    diagnostics.0.extend(tags(config));
    diagnostics.0.extend(access::stops_nothing(&config.access_check, &config.access_check_stop_on));
    diagnostics
}

/// Identities go with the types that have them.
fn identities(config: &State) -> Option<Diagnostic> {
    let identity = config.identity.known()?;
    let kind = identity.kind.known()?;
    let path = Path::root("identity").attribute("identity_ids");
    let is_empty = match &identity.identity_ids {
        Attr::Unknown => return None,
        Attr::Null => true,
        Attr::Known(ids) => ids.is_empty(),
    };
    match (kind.has_user(), is_empty) {
        (true, true) => {
            let detail = "The types UserAssigned and \"SystemAssigned, UserAssigned\" need the ids of the identities.";
            Some(Diagnostic::error("identity_ids is missing", detail).at(path))
        }
        (false, false) => {
            let detail = "The type SystemAssigned has no user-assigned identities. Remove identity_ids, or set the type to \
                          \"SystemAssigned, UserAssigned\".";
            Some(Diagnostic::error("identity_ids does not fit the type", detail).at(path))
        }
        _ => None,
    }
}

/// The primary identity is one of the hub's.
pub(super) fn primary_identity(object: &State) -> Option<Diagnostic> {
    let primary = object.primary_user_assigned_identity.known()?;
    let ids = match &object.identity {
        Attr::Unknown => return None,
        Attr::Null => &Attr::Null,
        Attr::Known(identity) => &identity.identity_ids,
    };
    let is_unknown = ids.is_unknown() || ids.known().is_some_and(|ids| ids.iter().any(Attr::is_unknown));
    let is_own = ids.known().is_some_and(|ids| ids.iter().any(|id| id.known() == Some(primary)));
    if is_unknown || is_own {
        return None;
    }
    let detail = format!("{primary} is none of identity.identity_ids. Add it there.");
    let path = Path::root("primary_user_assigned_identity");
    Some(Diagnostic::error("The primary identity is not the hub's", detail).at(path))
}

/// A key is one of the vault that is named beside it.
fn vault_of_key(config: &State) -> Option<Diagnostic> {
    let encryption = config.encryption.known()?;
    let vault = encryption.key_vault_id.known()?;
    let key = encryption.key_id.text()?;
    let of_key = words::vault_of_key(key)?;
    if of_key.eq_ignore_ascii_case(vault.name()) {
        return None;
    }
    let detail =
        format!("{key} is a key of the vault {of_key}, and key_vault_id is\n{vault}\n\nTake both from one vault.");
    let path = Path::root("encryption").attribute("key_id");
    Some(Diagnostic::error("The key is of another vault", detail).at(path))
}

/// Azure keeps no tag without a value, and takes names that differ only in case for one.
fn tags(config: &State) -> Vec<Diagnostic> {
    let Some(tags) = config.tags.known() else { return Vec::new() };
    let mut seen = BTreeMap::new();
    let refused = tags.iter().filter_map(|(name, value)| {
        let detail = match (value.is_null(), seen.insert(name.to_lowercase(), name)) {
            (true, _) => format!("The tag {name} is null. Leave it out, or set \"\" for a tag without a text."),
            (false, Some(other)) => format!("Azure takes the tags {other} and {name} for one. Keep one of the two."),
            (false, None) => return None,
        };
        Some(Diagnostic::error("Invalid tags", detail).at(Path::root("tags")))
    });
    refused.collect()
}

/// Without a subnet, serverless computes reach the service by public addresses or over public networks (facts: azure.md §9.3).
fn serverless(config: &State) -> Option<Diagnostic> {
    let compute = config.serverless_compute.known()?;
    let has_no_public_ip = match &compute.public_ip_enabled {
        Attr::Known(public) => !public,
        Attr::Null => true,
        Attr::Unknown => false,
    };
    let is_closed = config.public_network_access.known().is_some_and(|access| access.is("Disabled"));
    if !compute.subnet_id.is_null() || !has_no_public_ip || !is_closed {
        return None;
    }
    let detail = "While public_network_access is Disabled, serverless computes need a subnet or public addresses. Set \
                  serverless_compute.subnet_id, or public_ip_enabled = true.";
    let path = Path::root("serverless_compute").attribute("public_ip_enabled");
    Some(Diagnostic::error("Serverless computes could not connect", detail).at(path))
}
