//! Which credential it is.

use super::{
    Lookup, Written,
    lookup::{anything, visible},
    token_url,
};
use crate::{arm::Credential, framework::Diagnostic};

/// Chooses the one credential: a client secret, else a managed identity, else the Azure CLI. The first that is
/// configured is used, and its failure is not covered up by trying the next.
pub(super) fn credential(lookup: &mut Lookup<'_>, written: &Written) -> Option<Credential> {
    let subscription_id = lookup.text(&written.subscription_id, &["ARM_SUBSCRIPTION_ID"], visible);
    let tenant_id = lookup.text(&written.tenant_id, &["ARM_TENANT_ID", "AZURE_TENANT_ID"], visible);
    let client_id = lookup.text(&written.client_id, &["ARM_CLIENT_ID", "AZURE_CLIENT_ID"], visible);
    let client_id_file = lookup.text(&written.client_id_file_path, &["ARM_CLIENT_ID_FILE_PATH"], anything);
    let client_id = lookup.or_in_file("client_id", client_id, client_id_file);
    let secret = lookup.secret(&written.client_secret, &["ARM_CLIENT_SECRET"]);
    let secret_file = lookup.text(&written.client_secret_file_path, &["ARM_CLIENT_SECRET_FILE_PATH"], anything);
    let secret = lookup.or_in_file("client_secret", secret, secret_file);
    let use_msi = lookup.flag(&written.use_msi, "ARM_USE_MSI", false);
    let use_cli = lookup.flag(&written.use_cli, "ARM_USE_CLI", true);

    let lacking = match (&secret, &tenant_id, &client_id) {
        (None, ..) => "client_secret (ARM_CLIENT_SECRET) is not set",
        (_, None, _) => "client_secret is set and tenant_id (ARM_TENANT_ID) is not",
        (_, _, None) => "client_secret is set and client_id (ARM_CLIENT_ID) is not",
        (Some(secret), Some(tenant_id), Some(client_id)) => {
            return Some(Credential::ClientSecret {
                tenant_id: tenant_id.clone(),
                client_id: client_id.clone(),
                client_secret: secret.clone(),
            });
        }
    };
    let half_a_secret = secret.is_some();
    if use_msi && !half_a_secret {
        return Some(Credential::ManagedIdentity {
            client_id,
            endpoint: lookup.text(&written.msi_endpoint, &["ARM_MSI_ENDPOINT"], token_url),
            api_version: lookup.text(&written.msi_api_version, &["ARM_MSI_API_VERSION"], visible),
        });
    }
    if use_cli && !half_a_secret {
        return Some(Credential::AzureCli { tenant_id, subscription_id });
    }
    let detail = format!(
        "Ways to sign in, in the order they are looked at:\n- client secret: {lacking}\n- managed identity: {}\n- Azure \
         CLI: {}\n\nComplete one of them.",
        if use_msi { "use_msi is set, but a client secret goes first" } else { "use_msi (ARM_USE_MSI) is not set" },
        if use_cli { "use_cli is on, but a client secret goes first" } else { "use_cli (ARM_USE_CLI) is off" },
    );
    lookup.diagnostics.push(Diagnostic::error("No way to sign in to Azure", detail));
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        framework::{Diagnostics, Value},
        provider::config::tests::{variables, written},
    };

    const SECRET: [(&str, &str); 3] = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c"), ("ARM_CLIENT_SECRET", "s")];

    /// What is chosen, in a few words, or what is said against it.
    fn choose(block: &[(&'static str, Value)], environment: &[(&'static str, &str)]) -> Result<String, Diagnostics> {
        let environment = variables(environment);
        let mut lookup = Lookup::new(&environment);
        let chosen = credential(&mut lookup, &written(block));
        if lookup.diagnostics.has_errors() {
            return Err(lookup.diagnostics);
        }
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        Ok(match chosen.expect("a credential, or an error") {
            Credential::ClientSecret { tenant_id, client_id, client_secret } => {
                format!("secret {tenant_id} {client_id} {}", client_secret.reveal())
            }
            Credential::ManagedIdentity { client_id, endpoint, api_version } => {
                format!("identity {} {} {}", or_none(client_id), or_none(endpoint), or_none(api_version))
            }
            Credential::AzureCli { tenant_id, subscription_id } => {
                format!("cli {} {}", or_none(tenant_id), or_none(subscription_id))
            }
            Credential::Source(_) => unreachable!("only tests have such"),
        })
    }

    #[test]
    fn the_first_complete_credential_is_taken() {
        let msi = ("ARM_USE_MSI", "1");
        let use_msi = ("use_msi", Value::Bool(true));
        for (block, environment, expected) in [
            (&[][..], &[][..], "cli - -"),
            (&[], &[("ARM_TENANT_ID", "t"), ("ARM_SUBSCRIPTION_ID", "u")], "cli t u"),
            (&[], &[SECRET[0], SECRET[1], SECRET[2], msi], "secret t c s"),
            (&[("client_secret", "own".into())], &SECRET, "secret t c own"),
            (&[("client_secret", "".into())], &SECRET, "secret t c s"),
            (std::slice::from_ref(&use_msi), &[], "identity - - -"),
            (&[], &[msi, ("ARM_CLIENT_ID", "c")], "identity c - -"),
            (&[], &[msi, ("ARM_MSI_ENDPOINT", "http://e"), ("ARM_MSI_API_VERSION", "v")], "identity - http://e v"),
            (&[("use_msi", false.into())], &[msi], "cli - -"),
            // An empty variable is as good as none.
            (&[], &[("ARM_CLIENT_ID", ""), ("AZURE_CLIENT_ID", "a"), SECRET[0], SECRET[2]], "secret t a s"),
            (&[], &[("ARM_TENANT_ID", ""), ("AZURE_TENANT_ID", "a"), ("ARM_USE_MSI", "")], "cli a -"),
        ] {
            assert_eq!(choose(block, environment).as_deref(), Ok(expected), "{block:?} {environment:?}");
        }
    }

    #[test]
    fn without_a_credential_it_is_said_what_each_lacks() {
        let no_cli = ("ARM_USE_CLI", "false");
        for (environment, lacking) in [
            (
                &[no_cli][..],
                [
                    "client_secret (ARM_CLIENT_SECRET) is not set",
                    "use_msi (ARM_USE_MSI) is not set",
                    "use_cli (ARM_USE_CLI) is off",
                ],
            ),
            (
                &[SECRET[1], SECRET[2], ("ARM_USE_MSI", "true")],
                [
                    "client_secret is set and tenant_id (ARM_TENANT_ID) is not",
                    "use_msi is set, but a client secret goes first",
                    "use_cli is on, but a client secret goes first",
                ],
            ),
            (
                &[SECRET[0], SECRET[2], no_cli],
                [
                    "client_secret is set and client_id (ARM_CLIENT_ID) is not",
                    "use_msi (ARM_USE_MSI) is not set",
                    "is off",
                ],
            ),
        ] {
            let error = choose(&[], environment).expect_err("nothing is complete").0.remove(0);
            assert_eq!(error.summary, "No way to sign in to Azure");
            assert!(lacking.iter().all(|lacking| error.detail.contains(lacking)), "{}", error.detail);
        }
    }

    #[test]
    fn ids_and_secrets_may_stand_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (id, secret, empty) = (file("id", "c\n"), file("secret", " s\n"), file("empty", "\n"));
        let missing = folder.path().join("missing").display().to_string();
        let by_variables = [SECRET[0], ("ARM_CLIENT_ID_FILE_PATH", &id), ("ARM_CLIENT_SECRET_FILE_PATH", &secret)];
        assert_eq!(choose(&[], &by_variables).as_deref(), Ok("secret t c s"));
        let by_block =
            [("client_id_file_path", id.as_str().into()), ("client_secret_file_path", secret.as_str().into())];
        assert_eq!(choose(&by_block, &SECRET).as_deref(), Ok("secret t c s"), "both say the same");

        for (path, value, summary, attribute) in [
            (&by_variables[2].1.to_owned(), "other", "Two values for one setting", "client_secret"),
            (&missing, "", "A file cannot be read", "client_secret_file_path"),
            (&empty, "", "A file is empty", "client_secret_file_path"),
        ] {
            let secret = [("ARM_CLIENT_SECRET", value), ("ARM_CLIENT_SECRET_FILE_PATH", path.as_str())];
            let error = choose(&[], &[SECRET[0], SECRET[1], secret[0], secret[1]]).expect_err(summary).0.remove(0);
            assert_eq!((error.summary.as_str(), error.path.unwrap().to_string().as_str()), (summary, attribute));
            assert!(error.detail.contains(path) && !error.detail.contains("other"), "{}", error.detail);
        }
    }

    #[test]
    fn a_variable_that_is_neither_true_nor_false_is_an_error() {
        for (text, expected) in [("TRUE", Some("identity - - -")), ("f", Some("cli - -")), ("maybe", None)] {
            match (choose(&[], &[("ARM_USE_MSI", text)]), expected) {
                (Ok(chosen), Some(expected)) => assert_eq!(chosen, expected),
                (Err(error), None) => assert!(error.0[0].detail.contains(r#"ARM_USE_MSI is "maybe""#), "{error:?}"),
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_block_as_written_shows_no_secret() {
        let shown = format!("{:?}", written(&[("client_secret", "hunter2".into())]));
        assert!(shown.contains("client_secret") && !shown.contains("hunter2"), "{shown}");
    }
}
