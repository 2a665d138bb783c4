//! Rules about several attributes of a configuration.

use super::schema::State;
use crate::{
    arm::workspaces::AuthModeKind,
    framework::{Diagnostic, Diagnostics, Path},
    provider::access,
};

pub(super) fn validate(config: &State) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let modes = [
        (Path::root("system_datastores_auth_mode"), config.system_datastores_auth_mode.known()),
        (
            Path::root("restore_to").attribute("system_datastores_auth_mode"),
            config.restore_to.known().and_then(|properties| properties.system_datastores_auth_mode.known()),
        ),
    ];
    for (path, mode) in modes {
        if mode.is_some_and(|mode| mode.kind() == AuthModeKind::UserDelegationSas) {
            let detail = "Azure does not document userdelegationsas and has answered it with server errors. Use identity for Microsoft Entra authorization.";
            diagnostics.push(Diagnostic::warning("userdelegationsas is not documented", detail).at(path));
        }
    }
    if config.properties().locks_the_hub_out() {
        let detail = "With accesskey the hub signs in with a key of its storage account, which refuses keys with shared_access_key_enabled = false: the hub could not access its data. Use the mode identity, or leave shared keys enabled.";
        diagnostics.push(
            Diagnostic::warning("The hub would have no access to its data", detail)
                .at(Path::root("shared_access_key_enabled")),
        );
    }
    diagnostics.0.extend(access::stops_nothing(&config.access_check, &config.access_check_stop_on));
    diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::workspaces::AuthMode;

    #[test]
    fn a_hub_that_uses_keys_its_account_refuses_is_warned_of() {
        let config = |mode: &str, keys: bool| State {
            system_datastores_auth_mode: AuthMode::new(mode).into(),
            shared_access_key_enabled: keys.into(),
            ..State::default()
        };
        assert_eq!(validate(&config("AccessKey", false)).0.len(), 1);
        assert_eq!(validate(&config("accesskey", true)).0.len(), 0);
        assert_eq!(validate(&config("identity", false)).0.len(), 0);
        assert_eq!(validate(&config("UserDelegationSAS", false)).0.len(), 1);
    }
}
