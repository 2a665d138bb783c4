//! What debug mode prints: the variable that makes a host attach to this process instead of starting its own.

use serde::Serialize;

use crate::plugin::{Config, handshake::Address};

/// One entry of the reattach variable, in go-plugin's spelling.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reattach {
    protocol: &'static str,
    protocol_version: u32,
    pid: u32,
    /// Tells the host not to end the process.
    test: bool,
    addr: Addr,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Addr {
    network: &'static str,
    string: String,
}

/// The text that tells which variable to set, for the shells of this system.
pub(super) fn instructions(config: &Config, pid: u32, address: &Address) -> String {
    let variable = config.reattach_variable;
    let value = value(config, pid, address);
    let lines = if cfg!(windows) {
        format!("\tcmd:        set \"{variable}={value}\"\n\tPowerShell: $env:{variable}='{value}'\n")
    } else {
        format!("\t{variable}='{value}'\n")
    };
    format!(
        "Provider started. It serves every program that runs with this variable set, until it is interrupted:\n\n{lines}"
    )
}

/// The variable's value: one entry for each address, as hosts differ in the one they complete a short name to.
///
/// It can stand between single quotes: only the socket's path can have a quote of its own, which JSON escapes.
fn value(config: &Config, pid: u32, address: &Address) -> String {
    let entry = Reattach {
        protocol: "grpc",
        protocol_version: config.protocol_version,
        pid,
        test: true,
        addr: Addr { network: address.network(), string: address.to_string() },
    };
    let entries = config.provider_addresses.iter().map(|address| (*address, &entry));
    let entries = std::collections::BTreeMap::from_iter(entries);
    serde_json::to_string(&entries).expect("strings and numbers are always JSON").replace('\'', "\\u0027")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONFIG: Config = Config {
        magic_cookie: ("COOKIE", "chocolate"),
        protocol_version: 6,
        provider_addresses: &["one.example/a/b", "two.example/a/b"],
        reattach_variable: "REATTACH",
    };

    #[test]
    fn the_value_names_every_address() {
        let value = value(&CONFIG, 7, &Address::Unix("/tmp/it's here".to_owned()));
        assert!(!value.contains('\''), "{value}");
        let entry = json!({
            "Protocol": "grpc", "ProtocolVersion": 6, "Pid": 7, "Test": true,
            "Addr": {"Network": "unix", "String": "/tmp/it's here"},
        });
        let value: serde_json::Value = serde_json::from_str(&value).unwrap();
        assert_eq!(value, json!({"one.example/a/b": entry, "two.example/a/b": entry}));
    }

    #[cfg(unix)]
    #[test]
    fn the_instructions_hold_one_line_to_copy() {
        let address = Address::Tcp("127.0.0.1:1".parse().unwrap());
        let text = instructions(&CONFIG, 7, &address);
        assert!(text.starts_with("Provider started."), "{text}");
        assert!(text.ends_with(&format!("\n\tREATTACH='{}'\n", value(&CONFIG, 7, &address))), "{text}");
    }
}
