//! The sign-in methods in their order, with the settings of each.

use super::{
    check::{anything, http_url, visible},
    lookup::{Lookup, NotKnown},
    method::Method,
    setting::{Setting, Shape, setting},
};
use crate::arm::{Credential, Secret};

/// The sign-in methods: the first complete one is taken. Those that prove an application's identity go before those that
/// take what the machine offers, as with azurerm (docs/internals/azure.md §11.1).
pub(super) static METHODS: [Method; 8] = [
    Method {
        name: "client certificate",
        switch: None,
        by_default: false,
        own: &[&CLIENT_CERTIFICATE, &CLIENT_CERTIFICATE_PASSWORD],
        needs: &[&CLIENT_CERTIFICATE, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        credential: None,
    },
    Method {
        name: "client secret",
        switch: None,
        by_default: false,
        own: &[&CLIENT_SECRET],
        needs: &[&CLIENT_SECRET, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        credential: Some(|lookup| {
            Ok(Credential::ClientSecret {
                tenant_id: lookup.text(&TENANT_ID)?.unwrap_or_default(),
                client_id: client_id(lookup)?.unwrap_or_default(),
                client_secret: lookup.held(&CLIENT_SECRET)?.unwrap_or_default(),
            })
        }),
    },
    Method {
        name: "OIDC token",
        switch: Some(&USE_OIDC),
        by_default: false,
        own: &[&OIDC_TOKEN],
        needs: &[&OIDC_TOKEN, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        credential: None,
    },
    Method {
        name: "Azure DevOps OIDC",
        switch: Some(&USE_OIDC),
        by_default: false,
        own: &[],
        needs: &[&SERVICE_CONNECTION_ID, &OIDC_REQUEST_URL, &OIDC_REQUEST_TOKEN, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        credential: None,
    },
    Method {
        name: "GitHub OIDC",
        switch: Some(&USE_OIDC),
        by_default: false,
        own: &[],
        needs: &[&OIDC_REQUEST_URL, &OIDC_REQUEST_TOKEN, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        credential: None,
    },
    Method {
        name: "AKS workload identity",
        switch: Some(&USE_AKS_WORKLOAD_IDENTITY),
        by_default: false,
        own: &[],
        needs: &[],
        takes: &[],
        credential: None,
    },
    Method {
        name: "managed identity",
        switch: Some(&USE_MSI),
        by_default: false,
        own: &[],
        needs: &[],
        takes: &[&CLIENT_ID, &MSI_ENDPOINT, &MSI_API_VERSION],
        credential: Some(|lookup| {
            Ok(Credential::ManagedIdentity {
                client_id: client_id(lookup)?,
                endpoint: lookup.text(&MSI_ENDPOINT)?,
                api_version: lookup.text(&MSI_API_VERSION)?,
            })
        }),
    },
    Method {
        name: "Azure CLI",
        switch: Some(&USE_CLI),
        by_default: true,
        own: &[],
        needs: &[],
        takes: &[&TENANT_ID, &SUBSCRIPTION_ID],
        credential: Some(|lookup| {
            let tenant_id = lookup.text(&TENANT_ID)?;
            // The CLI takes one of the two.
            let subscription_id = if tenant_id.is_none() { lookup.text(&SUBSCRIPTION_ID)? } else { None };
            Ok(Credential::AzureCli { tenant_id, subscription_id })
        }),
    },
];

fn client_id(lookup: &mut Lookup<'_>) -> Result<Option<String>, NotKnown> {
    Ok(lookup.held(&CLIENT_ID)?.as_ref().map(Secret::reveal).map(str::to_owned))
}

static SUBSCRIPTION_ID: Setting = setting!(
    Shape::Text(visible),
    ["subscription_id"],
    ["ARM_SUBSCRIPTION_ID"],
    "The subscription whose account the Azure CLI signs in with, if `tenant_id` is not set. Nothing else needs it: ids of \
     resources have their subscription in them."
);
static TENANT_ID: Setting = setting!(
    Shape::Text(visible),
    ["tenant_id"],
    ["ARM_TENANT_ID", "AZURE_TENANT_ID"],
    "The Microsoft Entra tenant to sign in to."
);
static CLIENT_ID: Setting = Setting {
    file: Some(&CLIENT_ID_FILE_PATH),
    ..setting!(
        Shape::Text(visible),
        ["client_id"],
        ["ARM_CLIENT_ID", "AZURE_CLIENT_ID"],
        "The application (client) id to sign in with."
    )
};
static CLIENT_ID_FILE_PATH: Setting = setting!(
    Shape::Text(anything),
    ["client_id_file_path"],
    ["ARM_CLIENT_ID_FILE_PATH"],
    "A file that holds the client id."
);
static CLIENT_SECRET: Setting = Setting {
    file: Some(&CLIENT_SECRET_FILE_PATH),
    ..setting!(Shape::Secret, ["client_secret"], ["ARM_CLIENT_SECRET"], "A secret of the application.")
};
static CLIENT_SECRET_FILE_PATH: Setting = setting!(
    Shape::Text(anything),
    ["client_secret_file_path"],
    ["ARM_CLIENT_SECRET_FILE_PATH"],
    "A file that holds the secret."
);
static CLIENT_CERTIFICATE: Setting = Setting {
    file: Some(&CLIENT_CERTIFICATE_PATH),
    ..setting!(Shape::Secret, ["client_certificate"], ["ARM_CLIENT_CERTIFICATE"], "Not available yet.")
};
static CLIENT_CERTIFICATE_PATH: Setting =
    setting!(Shape::Text(anything), ["client_certificate_path"], ["ARM_CLIENT_CERTIFICATE_PATH"], "Not available yet.");
static CLIENT_CERTIFICATE_PASSWORD: Setting =
    setting!(Shape::Secret, ["client_certificate_password"], ["ARM_CLIENT_CERTIFICATE_PASSWORD"], "Not available yet.");
static USE_OIDC: Setting = setting!(Shape::Flag, ["use_oidc"], ["ARM_USE_OIDC"], "Not available yet.");
static OIDC_TOKEN: Setting = Setting {
    file: Some(&OIDC_TOKEN_FILE_PATH),
    ..setting!(Shape::Secret, ["oidc_token"], ["ARM_OIDC_TOKEN"], "Not available yet.")
};
static OIDC_TOKEN_FILE_PATH: Setting =
    setting!(Shape::Text(anything), ["oidc_token_file_path"], ["ARM_OIDC_TOKEN_FILE_PATH"], "Not available yet.");
static OIDC_REQUEST_URL: Setting = setting!(
    Shape::Text(visible),
    ["oidc_request_url"],
    ["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"],
    "Not available yet."
);
static OIDC_REQUEST_TOKEN: Setting = setting!(
    Shape::Secret,
    ["oidc_request_token"],
    ["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"],
    "Not available yet."
);
static SERVICE_CONNECTION_ID: Setting = setting!(
    Shape::Text(visible),
    ["ado_pipeline_service_connection_id", "oidc_azure_service_connection_id"],
    [
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
        "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
    ],
    "Not available yet."
);
static USE_AKS_WORKLOAD_IDENTITY: Setting =
    setting!(Shape::Flag, ["use_aks_workload_identity"], ["ARM_USE_AKS_WORKLOAD_IDENTITY"], "Not available yet.");
static USE_MSI: Setting =
    setting!(Shape::Flag, ["use_msi"], ["ARM_USE_MSI"], "Whether to sign in with a managed identity; no by default.");
static MSI_ENDPOINT: Setting = setting!(
    Shape::Text(http_url),
    ["msi_endpoint"],
    ["ARM_MSI_ENDPOINT"],
    "The URL that gives tokens of the managed identity, when not the usual one."
);
static MSI_API_VERSION: Setting = setting!(
    Shape::Text(visible),
    ["msi_api_version"],
    ["ARM_MSI_API_VERSION"],
    "The api-version to ask that URL with."
);
static USE_CLI: Setting = setting!(
    Shape::Flag,
    ["use_cli"],
    ["ARM_USE_CLI"],
    "Whether to sign in as the user of the Azure CLI when nothing else is configured; yes by default."
);

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        framework::{Diagnostics, Value},
        provider::config::{lookup::variables, method::choose},
    };

    const SECRET: [(&str, &str); 3] = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c"), ("ARM_CLIENT_SECRET", "s")];

    /// What is chosen, in a few words, or what is said against it.
    fn chosen(block: &[(&'static str, Value)], environment: &[(&'static str, &str)]) -> Result<String, Diagnostics> {
        let (block, environment) = (Value::object(block.iter().cloned()), variables(environment));
        let mut lookup = Lookup::new(&block, &environment);
        let chosen = choose(&METHODS, &mut lookup);
        if lookup.refused() {
            return Err(lookup.into_diagnostics());
        }
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        Ok(match chosen {
            Err(NotKnown) => "not known".to_owned(),
            Ok(None) => panic!("a credential, or an error"),
            Ok(Some(Credential::ClientSecret { tenant_id, client_id, client_secret })) => {
                format!("secret {tenant_id} {client_id} {}", client_secret.reveal())
            }
            Ok(Some(Credential::ManagedIdentity { client_id, endpoint, api_version })) => {
                format!("identity {} {} {}", or_none(client_id), or_none(endpoint), or_none(api_version))
            }
            Ok(Some(Credential::AzureCli { tenant_id, subscription_id })) => {
                format!("cli {} {}", or_none(tenant_id), or_none(subscription_id))
            }
            Ok(Some(Credential::Source(_))) => unreachable!("only tests have such"),
        })
    }

    #[test]
    fn the_first_complete_method_is_taken() {
        let msi = ("ARM_USE_MSI", "1");
        let use_msi = ("use_msi", Value::Bool(true));
        for (block, environment, expected) in [
            (&[][..], &[][..], "cli - -"),
            (&[], &[("ARM_TENANT_ID", "t"), ("ARM_SUBSCRIPTION_ID", "u")], "cli t -"),
            (&[], &[("ARM_SUBSCRIPTION_ID", "u")], "cli - u"),
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
            assert_eq!(chosen(block, environment).as_deref(), Ok(expected), "{block:?} {environment:?}");
        }
    }

    #[test]
    fn what_is_not_known_yet_matters_only_to_who_needs_it() {
        for (name, environment, expected) in [
            ("client_secret", &SECRET[..2], "not known"),
            ("tenant_id", &SECRET, "not known"),
            ("client_certificate", &SECRET, "not known"),
            ("use_oidc", &SECRET, "secret t c s"),
            ("use_msi", &[], "not known"),
            ("use_cli", &[], "not known"),
            ("subscription_id", &SECRET, "secret t c s"),
            ("subscription_id", &[("ARM_TENANT_ID", "t")], "cli t -"),
            ("subscription_id", &[], "not known"),
            ("client_id", &[("ARM_USE_MSI", "true")], "not known"),
            ("client_id", &[], "cli - -"),
            ("msi_endpoint", &SECRET, "secret t c s"),
        ] {
            assert_eq!(chosen(&[(name, Value::Unknown)], environment).as_deref(), Ok(expected), "{name}");
        }
    }

    #[test]
    fn without_a_complete_method_it_is_said_what_each_lacks() {
        let no_cli = ("ARM_USE_CLI", "false");
        for (environment, summary, lacking) in [
            (
                &[no_cli][..],
                "No sign-in method is configured",
                [
                    "- client secret: client_secret (ARM_CLIENT_SECRET) or client_secret_file_path",
                    "- managed identity: use_msi (ARM_USE_MSI) is not set",
                    "- Azure CLI: use_cli (ARM_USE_CLI) is off",
                ],
            ),
            (
                &[SECRET[1], SECRET[2], ("ARM_USE_MSI", "true")],
                "Incomplete sign-in by client secret",
                [
                    "- client secret: lacks tenant_id (ARM_TENANT_ID)\n",
                    "- managed identity: complete",
                    "- Azure CLI: complete",
                ],
            ),
            (
                &[SECRET[2], no_cli],
                "Incomplete sign-in by client secret",
                ["lacks tenant_id (ARM_TENANT_ID) and client_id (ARM_CLIENT_ID)", "ARM_USE_MSI", "is off"],
            ),
            (
                &[("ARM_CLIENT_CERTIFICATE_PASSWORD", "p"), SECRET[0], SECRET[1]],
                "Incomplete sign-in by client certificate",
                [
                    "ARM_CLIENT_CERTIFICATE_PASSWORD asks for",
                    "lacks client_certificate (ARM_CLIENT_CERTIFICATE) or",
                    "",
                ],
            ),
            (
                &[("ARM_USE_OIDC", "true"), SECRET[0], SECRET[1]],
                "Incomplete sign-in by OIDC token",
                ["ARM_USE_OIDC asks for", "OIDC token: lacks oidc_token", "GitHub OIDC: lacks oidc_request_url"],
            ),
        ] {
            let error = chosen(&[], environment).expect_err("nothing is complete").0.remove(0);
            assert_eq!(error.summary, summary);
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
        assert_eq!(chosen(&[], &by_variables).as_deref(), Ok("secret t c s"));
        let by_block =
            [("client_id_file_path", id.as_str().into()), ("client_secret_file_path", secret.as_str().into())];
        let others = [SECRET[0], ("ARM_CLIENT_ID", "other"), ("ARM_CLIENT_SECRET", "other")];
        assert_eq!(chosen(&by_block, &others).as_deref(), Ok("secret t c s"), "the block beats the environment");

        for (path, value, summary, attribute) in [
            (&by_variables[2].1.to_owned(), "other", "Two values for one setting", "client_secret"),
            (&missing, "", "A file cannot be read", "client_secret_file_path"),
            (&empty, "", "A file is empty", "client_secret_file_path"),
        ] {
            let secret = [("ARM_CLIENT_SECRET", value), ("ARM_CLIENT_SECRET_FILE_PATH", path.as_str())];
            let error = chosen(&[], &[SECRET[0], SECRET[1], secret[0], secret[1]]).expect_err(summary).0.remove(0);
            assert_eq!((error.summary.as_str(), error.path.unwrap().to_string().as_str()), (summary, attribute));
            assert!(error.detail.contains(path) && !error.detail.contains("other"), "{}", error.detail);
        }
    }

    #[test]
    fn a_variable_that_is_neither_true_nor_false_is_an_error() {
        for (text, expected) in [("TRUE", Some("identity - - -")), ("f", Some("cli - -")), ("maybe", None)] {
            match (chosen(&[], &[("ARM_USE_MSI", text)]), expected) {
                (Ok(chosen), Some(expected)) => assert_eq!(chosen, expected),
                (Err(error), None) => assert!(error.0[0].detail.contains(r#"ARM_USE_MSI is "maybe""#), "{error:?}"),
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
    }
}
