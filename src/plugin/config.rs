//! What a plugin and its host have agreed on.

/// What differs between one plugin and another, as go-plugin's HandshakeConfig does.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Name and value of the environment variable by which a host shows that it is one.
    pub magic_cookie: (&'static str, &'static str),
    /// The one version of the application's protocol that this plugin speaks.
    pub protocol_version: u32,
    /// Every full address under which a host may look for this plugin in a reattach variable.
    pub provider_addresses: &'static [&'static str],
    /// The variable that tells a host to attach to a plugin that already runs.
    pub reattach_variable: &'static str,
}
