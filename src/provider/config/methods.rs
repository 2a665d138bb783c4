//! The sign-in methods in their order, with the settings of each.

use std::sync::Arc;

use super::{
    app_service::app_service,
    check::{base64_lines, guid, http_url, https_url, no_spaces, single_line, tenant, unchecked},
    lookup::Lookup,
    method::Method,
    setting::{Setting, Shape, setting},
};
use crate::arm::auth::{
    AzureCli, AzureDevOps, ClientCertificate, ClientSecret, GitHub, ManagedIdentity, OidcToken, ValueOrFile,
};

/// The sign-in methods: the first complete one is used. Credentials of an application go before those of the machine, as with azurerm (docs/internals/azure.md §11.1).
pub(super) static METHODS: [Method; 8] = [
    Method {
        name: "client certificate",
        guide: "authenticating-client-certificate",
        switch: None,
        by_default: false,
        selected_by: &[&CLIENT_CERTIFICATE, &CLIENT_CERTIFICATE_PASSWORD],
        supplied: None,
        needs: &[&CLIENT_CERTIFICATE, &TENANT_ID, &CLIENT_ID],
        takes: &[&CLIENT_CERTIFICATE_PASSWORD],
        source: |lookup| {
            Ok(Arc::new(ClientCertificate {
                tenant_id: lookup.needed(Lookup::text, &TENANT_ID)?,
                client_id: lookup.needed(Lookup::value_or_file, &CLIENT_ID)?,
                certificate: lookup.needed(Lookup::value_or_file, &CLIENT_CERTIFICATE)?,
                password: lookup.secret(&CLIENT_CERTIFICATE_PASSWORD)?,
            }))
        },
    },
    Method {
        name: "client secret",
        guide: "authenticating-client-secret",
        switch: None,
        by_default: false,
        selected_by: &[&CLIENT_SECRET],
        supplied: None,
        needs: &[&CLIENT_SECRET, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        source: |lookup| {
            Ok(Arc::new(ClientSecret {
                tenant_id: lookup.needed(Lookup::text, &TENANT_ID)?,
                client_id: lookup.needed(Lookup::value_or_file, &CLIENT_ID)?,
                client_secret: lookup.needed(Lookup::value_or_file, &CLIENT_SECRET)?,
            }))
        },
    },
    Method {
        name: "OIDC token",
        guide: "authenticating-oidc-token",
        switch: Some(&USE_OIDC),
        by_default: false,
        selected_by: &[&OIDC_TOKEN],
        supplied: None,
        needs: &[&OIDC_TOKEN, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        source: |lookup| {
            Ok(Arc::new(OidcToken {
                tenant_id: lookup.needed(Lookup::text, &TENANT_ID)?,
                client_id: lookup.needed(Lookup::value_or_file, &CLIENT_ID)?,
                token: lookup.needed(Lookup::value_or_file, &OIDC_TOKEN)?,
            }))
        },
    },
    Method {
        name: "Azure DevOps OIDC",
        guide: "authenticating-azure-devops",
        switch: Some(&USE_OIDC),
        by_default: false,
        selected_by: &[&OWN_REQUEST_TOKEN],
        supplied: Some(
            "a pipeline sets SYSTEM_OIDCREQUESTURI (System.OidcRequestUri) by itself, and SYSTEM_ACCESSTOKEN once a step has \
             `SYSTEM_ACCESSTOKEN: $(System.AccessToken)` in its env",
        ),
        needs: &[&SERVICE_CONNECTION_ID, &DEVOPS_REQUEST_URL, &DEVOPS_REQUEST_TOKEN, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        source: |lookup| {
            Ok(Arc::new(AzureDevOps {
                tenant_id: lookup.needed(Lookup::text, &TENANT_ID)?,
                client_id: lookup.needed(Lookup::value_or_file, &CLIENT_ID)?,
                request_url: lookup.needed(Lookup::url, &DEVOPS_REQUEST_URL)?,
                request_token: lookup.needed(Lookup::secret, &DEVOPS_REQUEST_TOKEN)?,
                service_connection_id: lookup.needed(Lookup::text, &SERVICE_CONNECTION_ID)?,
            }))
        },
    },
    Method {
        name: "GitHub OIDC",
        guide: "authenticating-github",
        switch: Some(&USE_OIDC),
        by_default: false,
        selected_by: &[&OWN_REQUEST_TOKEN],
        supplied: Some(
            "a workflow sets ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN by itself once its job has \
             `permissions: id-token: write`",
        ),
        needs: &[&GITHUB_REQUEST_URL, &GITHUB_REQUEST_TOKEN, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        source: |lookup| {
            Ok(Arc::new(GitHub {
                tenant_id: lookup.needed(Lookup::text, &TENANT_ID)?,
                client_id: lookup.needed(Lookup::value_or_file, &CLIENT_ID)?,
                request_url: lookup.needed(Lookup::url, &GITHUB_REQUEST_URL)?,
                request_token: lookup.needed(Lookup::secret, &GITHUB_REQUEST_TOKEN)?,
            }))
        },
    },
    Method {
        name: "AKS workload identity",
        guide: "authenticating-aks-workload-identity",
        switch: Some(&USE_AKS_WORKLOAD_IDENTITY),
        by_default: false,
        selected_by: &[],
        supplied: None,
        needs: &[&FEDERATED_TOKEN_FILE, &TENANT_ID, &CLIENT_ID],
        takes: &[],
        source: |lookup| {
            let file = lookup.needed(Lookup::text, &FEDERATED_TOKEN_FILE)?;
            Ok(Arc::new(OidcToken {
                tenant_id: lookup.needed(Lookup::text, &TENANT_ID)?,
                client_id: lookup.needed(Lookup::value_or_file, &CLIENT_ID)?,
                token: ValueOrFile::new("AZURE_FEDERATED_TOKEN_FILE", None, Some(file.into())),
            }))
        },
    },
    Method {
        name: "managed identity",
        guide: "authenticating-managed-identity",
        switch: Some(&USE_MSI),
        by_default: false,
        selected_by: &[],
        supplied: None,
        needs: &[],
        takes: &[&CLIENT_ID, &MSI_ENDPOINT, &MSI_API_VERSION],
        source: |lookup| {
            let endpoint = lookup.url(&MSI_ENDPOINT)?;
            Ok(Arc::new(ManagedIdentity {
                client_id: lookup.value_or_file(&CLIENT_ID)?,
                api_version: lookup.text(&MSI_API_VERSION)?,
                app_service: if endpoint.is_none() { app_service(lookup) } else { None },
                endpoint,
            }))
        },
    },
    Method {
        name: "Azure CLI",
        guide: "authenticating-azure-cli",
        switch: Some(&USE_CLI),
        by_default: true,
        selected_by: &[],
        supplied: None,
        needs: &[],
        takes: &[&TENANT_ID, &SUBSCRIPTION_ID],
        source: |lookup| {
            let tenant_id = lookup.text(&TENANT_ID)?;
            // The CLI takes one of the two.
            let subscription_id = if tenant_id.is_none() { lookup.text(&SUBSCRIPTION_ID)? } else { None };
            Ok(Arc::new(AzureCli::new(tenant_id, subscription_id)))
        },
    },
];

pub(super) static SUBSCRIPTION_ID: Setting = setting!(
    Shape::Text(guid),
    ["subscription_id"],
    ["ARM_SUBSCRIPTION_ID"],
    "The subscription of what says no other one. With the Azure CLI it is that of `az account show` if not set, and otherwise \
     also the one whose account signs in, if `tenant_id` is not set. Ids of resources have their subscription in them."
);
static TENANT_ID: Setting = setting!(
    Shape::Text(tenant),
    ["tenant_id"],
    ["ARM_TENANT_ID", "AZURE_TENANT_ID"],
    "The Microsoft Entra tenant to sign in to."
);
static CLIENT_ID: Setting = Setting {
    file: Some(&CLIENT_ID_FILE_PATH),
    ..setting!(
        Shape::Text(guid),
        ["client_id"],
        ["ARM_CLIENT_ID", "AZURE_CLIENT_ID"],
        "The application (client) id to sign in with, or that of a user-assigned managed identity."
    )
};
static CLIENT_ID_FILE_PATH: Setting = setting!(
    Shape::Text(unchecked),
    ["client_id_file_path"],
    ["ARM_CLIENT_ID_FILE_PATH"],
    "A file that holds the client id."
);
static CLIENT_SECRET: Setting = Setting {
    file: Some(&CLIENT_SECRET_FILE_PATH),
    ..setting!(Shape::Secret(single_line), ["client_secret"], ["ARM_CLIENT_SECRET"], "A secret of the application.")
};
static CLIENT_SECRET_FILE_PATH: Setting = setting!(
    Shape::Text(unchecked),
    ["client_secret_file_path"],
    ["ARM_CLIENT_SECRET_FILE_PATH"],
    "A file that holds the secret. It is read again for every token."
);
static CLIENT_CERTIFICATE: Setting = Setting {
    file: Some(&CLIENT_CERTIFICATE_PATH),
    ..setting!(
        Shape::Secret(base64_lines),
        ["client_certificate"],
        ["ARM_CLIENT_CERTIFICATE"],
        "A certificate of the application with its private key, PKCS#12 or PEM, in base64."
    )
};
static CLIENT_CERTIFICATE_PATH: Setting = setting!(
    Shape::Text(unchecked),
    ["client_certificate_path"],
    ["ARM_CLIENT_CERTIFICATE_PATH"],
    "A PKCS#12 or PEM file with the certificate and its private key. It is read again for every token."
);
static CLIENT_CERTIFICATE_PASSWORD: Setting = setting!(
    Shape::Secret(single_line),
    ["client_certificate_password"],
    ["ARM_CLIENT_CERTIFICATE_PASSWORD"],
    "The password of the PKCS#12."
);
static USE_OIDC: Setting = setting!(
    Shape::Flag,
    ["use_oidc"],
    ["ARM_USE_OIDC"],
    "Whether to sign in with an OIDC token: one that is given, or one of the Azure DevOps pipeline or the GitHub workflow \
     that this runs in. No by default; `false` rules them out."
);
static OIDC_TOKEN: Setting = Setting {
    file: Some(&OIDC_TOKEN_FILE_PATH),
    ..setting!(
        Shape::Secret(single_line),
        ["oidc_token"],
        ["ARM_OIDC_TOKEN"],
        "An OIDC token that the application trusts. A run that is longer than its life needs the file."
    )
};
static OIDC_TOKEN_FILE_PATH: Setting = setting!(
    Shape::Text(unchecked),
    ["oidc_token_file_path"],
    ["ARM_OIDC_TOKEN_FILE_PATH"],
    "A file that holds the OIDC token. It is read again for every token of Azure."
);
const OIDC_REQUEST_URL: Setting = setting!(
    Shape::Text(https_url),
    ["oidc_request_url"],
    ["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"],
    "Where the pipeline or workflow gets OIDC tokens from, which sets it by itself."
);
static DEVOPS_REQUEST_URL: Setting =
    Setting { variables: &["ARM_OIDC_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"], ..OIDC_REQUEST_URL };
static GITHUB_REQUEST_URL: Setting =
    Setting { variables: &["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL"], ..OIDC_REQUEST_URL };
const OIDC_REQUEST_TOKEN: Setting = setting!(
    Shape::Secret(single_line),
    ["oidc_request_token"],
    ["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"],
    "Token that authorizes requests to `oidc_request_url`."
);
/// The token as users set it. The other variables are set by runners of pipelines and select no method.
static OWN_REQUEST_TOKEN: Setting = Setting { variables: &["ARM_OIDC_REQUEST_TOKEN"], ..OIDC_REQUEST_TOKEN };
static DEVOPS_REQUEST_TOKEN: Setting =
    Setting { variables: &["ARM_OIDC_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"], ..OIDC_REQUEST_TOKEN };
static GITHUB_REQUEST_TOKEN: Setting =
    Setting { variables: &["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"], ..OIDC_REQUEST_TOKEN };
static SERVICE_CONNECTION_ID: Setting = setting!(
    Shape::Text(no_spaces),
    ["ado_pipeline_service_connection_id", "oidc_azure_service_connection_id"],
    [
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
        "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
    ],
    "The Azure DevOps service connection whose OIDC tokens to sign in with."
);
static USE_AKS_WORKLOAD_IDENTITY: Setting = setting!(
    Shape::Flag,
    ["use_aks_workload_identity"],
    ["ARM_USE_AKS_WORKLOAD_IDENTITY"],
    "Whether to sign in with the workload identity of a pod in AKS; no by default."
);
static FEDERATED_TOKEN_FILE: Setting = setting!(
    Shape::Text(unchecked),
    [],
    ["AZURE_FEDERATED_TOKEN_FILE"],
    "A file that holds the token of the pod's service account."
);
static USE_MSI: Setting =
    setting!(Shape::Flag, ["use_msi"], ["ARM_USE_MSI"], "Whether to sign in with a managed identity; no by default.");
static MSI_ENDPOINT: Setting = setting!(
    Shape::Text(http_url),
    ["msi_endpoint"],
    ["ARM_MSI_ENDPOINT"],
    "The URL that gives tokens of the managed identity, when not the usual one."
);
static MSI_API_VERSION: Setting = setting!(
    Shape::Text(no_spaces),
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
    use super::*;
    use crate::{
        framework::{Diagnostics, Value},
        provider::config::{
            lookup::{NotKnown, variables},
            method::choose,
        },
    };

    const SECRET: [(&str, &str); 3] =
        [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "00000000-0000-0000-0000-00000000000c"), ("ARM_CLIENT_SECRET", "s")];
    const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000005";
    const APPLICATION: [(&str, &str); 2] = [SECRET[0], SECRET[1]];
    const GITHUB: [(&str, &str); 2] =
        [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.test"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "g")];
    const DEVOPS: [(&str, &str); 3] = [
        ("SYSTEM_OIDCREQUESTURI", "https://devops.test"),
        ("SYSTEM_ACCESSTOKEN", "a"),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "sc"),
    ];

    /// What is chosen, or what is said against it.
    fn chosen(block: &[(&'static str, Value)], environment: &[(&'static str, &str)]) -> Result<String, Diagnostics> {
        let (block, environment) = (Value::object(block.iter().cloned()), variables(environment));
        let mut lookup = Lookup::new(&block, &environment);
        let chosen = choose(&METHODS, &mut lookup);
        if lookup.has_errors() {
            return Err(lookup.into_diagnostics());
        }
        Ok(match chosen {
            Err(NotKnown) => "not known".to_owned(),
            Ok(method) => format!("{:?}", method.expect("a method, or an error")),
        })
    }

    fn assert_chosen(block: &[(&'static str, Value)], environment: &[(&'static str, &str)], expected: &[&str]) {
        let found = chosen(block, environment).unwrap_or_else(|error| panic!("{block:?} {environment:?}: {error:?}"));
        for expected in expected {
            assert!(found.contains(expected), "{block:?} {environment:?}: {found}");
        }
        assert!(found.starts_with(expected[0]), "{found}");
    }

    #[test]
    fn the_first_complete_method_is_taken() {
        let (msi, oidc) = (("ARM_USE_MSI", "1"), ("ARM_USE_OIDC", "true"));
        let with = |more: &[(&'static str, &'static str)]| [&APPLICATION[..], more].concat();
        let aks = [("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"), ("AZURE_FEDERATED_TOKEN_FILE", "/token")];
        for (environment, expected) in [
            (vec![], &["AzureCli", "tenant_id: None, subscription_id: None"][..]),
            (
                vec![("ARM_TENANT_ID", "t"), ("ARM_SUBSCRIPTION_ID", SUBSCRIPTION)],
                &["AzureCli", "Some(\"t\"), subscription_id: None"],
            ),
            (vec![("ARM_SUBSCRIPTION_ID", SUBSCRIPTION)], &["AzureCli", "subscription_id: Some(\"00000000"]),
            (with(&[SECRET[2], msi, oidc, GITHUB[0], GITHUB[1]]), &["ClientSecret", "tenant_id: \"t\""]),
            (with(&[SECRET[2], ("ARM_CLIENT_CERTIFICATE", "AQID")]), &["ClientCertificate", "password: None"]),
            (
                with(&[("ARM_CLIENT_CERTIFICATE_PATH", "/c"), ("ARM_CLIENT_CERTIFICATE_PASSWORD", "p")]),
                &["ClientCertificate", "file: Some(\"/c\")", "password: Some"],
            ),
            (with(&[("ARM_OIDC_TOKEN", "o")]), &["OidcToken", "name: \"oidc_token\""]),
            (
                with(&[oidc, ("ARM_OIDC_TOKEN_FILE_PATH", "/o"), GITHUB[0], GITHUB[1]]),
                &["OidcToken", "file: Some(\"/o\")"],
            ),
            (with(&[oidc, GITHUB[0], GITHUB[1]]), &["GitHub", "github.test"]),
            (with(&[("ARM_OIDC_REQUEST_TOKEN", "g"), GITHUB[0]]), &["GitHub", "github.test"]),
            (with(&[oidc, DEVOPS[0], DEVOPS[1], DEVOPS[2]]), &["AzureDevOps", "devops.test", "\"sc\""]),
            (
                with(&[oidc, DEVOPS[0], DEVOPS[1], ("ARM_OIDC_AZURE_SERVICE_CONNECTION_ID", "own"), DEVOPS[2]]),
                &["AzureDevOps", "\"own\""],
            ),
            (with(&[aks[0], aks[1]]), &["OidcToken", "AZURE_FEDERATED_TOKEN_FILE", "file: Some(\"/token\")"]),
            (vec![msi], &["ManagedIdentity", "client_id: None, endpoint: None, api_version: None"]),
            (
                vec![msi, SECRET[1], ("ARM_MSI_ENDPOINT", "http://e"), ("ARM_MSI_API_VERSION", "v")],
                &["ManagedIdentity", "client_id: Some", "endpoint: Some", "api_version: Some(\"v\")"],
            ),
            // What a runner sets by itself asks for nothing.
            (with(&[GITHUB[0], GITHUB[1], DEVOPS[0], DEVOPS[1], DEVOPS[2], aks[1]]), &["AzureCli"]),
            // An empty variable is as good as none.
            (vec![("ARM_TENANT_ID", ""), ("AZURE_TENANT_ID", "a"), ("ARM_USE_MSI", "")], &["AzureCli", "Some(\"a\")"]),
        ] {
            assert_chosen(&[], &environment, expected);
        }
        let (own, empty) = ("own".into(), Value::from(""));
        assert_chosen(&[("use_msi", false.into())], &[msi], &["AzureCli"]);
        assert_chosen(
            &[("use_msi", true.into()), ("msi_endpoint", empty.clone())],
            &[],
            &["ManagedIdentity", "endpoint: None"],
        );
        assert_chosen(&[("tenant_id", own)], &SECRET, &["ClientSecret", "tenant_id: \"own\""]);
        assert_chosen(&[("use_oidc", false.into())], &with(&[("ARM_OIDC_TOKEN", "o")]), &["AzureCli"]);
        let block = [("client_secret_file_path", "/own".into())];
        assert_chosen(&block, &SECRET, &["ClientSecret", "value: None, file: Some(\"/own\")"]);
        for name in ["ado_pipeline_service_connection_id", "oidc_azure_service_connection_id"] {
            let block = [(name, "mine".into()), ("use_oidc", true.into())];
            assert_chosen(&block, &with(&DEVOPS), &["AzureDevOps", "\"mine\""]);
        }
    }

    #[test]
    fn what_is_not_known_yet_matters_only_to_who_needs_it() {
        for (name, environment, expected) in [
            ("client_secret", &SECRET[..2], "not known"),
            ("tenant_id", &SECRET, "not known"),
            ("client_certificate", &SECRET, "not known"),
            ("use_oidc", &SECRET, "ClientSecret"),
            ("use_msi", &[], "not known"),
            ("use_cli", &[], "not known"),
            ("subscription_id", &SECRET, "ClientSecret"),
            ("subscription_id", &[("ARM_TENANT_ID", "t")], "AzureCli"),
            ("subscription_id", &[], "not known"),
            ("client_id", &[("ARM_USE_MSI", "true")], "not known"),
            ("client_id", &[], "AzureCli"),
            ("msi_endpoint", &SECRET, "ClientSecret"),
        ] {
            assert_chosen(&[(name, Value::Unknown)], environment, &[expected]);
        }
        let oidc = [APPLICATION[0], APPLICATION[1], GITHUB[0], ("ARM_USE_OIDC", "true")];
        assert_chosen(&[("oidc_request_token", Value::Unknown)], &oidc, &["not known"]);
    }

    #[test]
    fn a_method_that_is_asked_for_and_incomplete_is_an_error_that_says_what_each_lacks() {
        let no_cli = ("ARM_USE_CLI", "false");
        for (environment, asking, lacking) in [
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
                "asks for a sign-in by client secret,",
                [
                    "- client secret: lacks tenant_id (ARM_TENANT_ID)\n",
                    "- managed identity: complete",
                    "- Azure CLI: complete",
                ],
            ),
            (
                &[SECRET[2], no_cli],
                "asks for a sign-in by client secret,",
                ["lacks tenant_id (ARM_TENANT_ID) and client_id (ARM_CLIENT_ID)", "ARM_USE_MSI", "is off"],
            ),
            (
                &[("ARM_CLIENT_CERTIFICATE_PASSWORD", "p"), SECRET[0], SECRET[1]],
                "asks for a sign-in by client certificate,",
                [
                    "ARM_CLIENT_CERTIFICATE_PASSWORD asks for",
                    "lacks client_certificate (ARM_CLIENT_CERTIFICATE) or",
                    "",
                ],
            ),
            (
                &[("ARM_USE_OIDC", "true"), SECRET[0], SECRET[1], SECRET[2]],
                "asks for a sign-in by OIDC token,",
                ["ARM_USE_OIDC asks for", "OIDC token: lacks oidc_token", "GitHub OIDC: lacks oidc_request_url"],
            ),
            (
                &[("ARM_USE_OIDC", "true"), SECRET[0], SECRET[1], DEVOPS[0], DEVOPS[1]],
                "asks for a sign-in by Azure DevOps OIDC,",
                [
                    "Azure DevOps OIDC: lacks ado_pipeline_service_connection_id (ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID);",
                    "SYSTEM_ACCESSTOKEN: $(System.AccessToken)",
                    "id-token: write",
                ],
            ),
            (
                &[("ARM_USE_OIDC", "true"), SECRET[0], SECRET[1], DEVOPS[0], DEVOPS[2]],
                "asks for a sign-in by Azure DevOps OIDC,",
                ["ARM_USE_OIDC asks for", "System.OidcRequestUri", "lacks oidc_request_token"],
            ),
            (
                &[("ARM_USE_OIDC", "true"), SECRET[0], SECRET[1], GITHUB[0]],
                "asks for a sign-in by GitHub OIDC,",
                ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "permissions: id-token: write", ""],
            ),
            (
                &[("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"), SECRET[0], SECRET[1]],
                "asks for a sign-in by AKS workload identity,",
                ["lacks AZURE_FEDERATED_TOKEN_FILE", "", ""],
            ),
        ] {
            let error = chosen(&[], environment).expect_err("nothing is complete").0.remove(0);
            let said = format!("{}: {}", error.summary, error.detail);
            assert!(lacking.iter().chain([&asking]).all(|text| said.contains(text)), "{said}");
        }
        let block =
            [("ado_pipeline_service_connection_id", "a".into()), ("oidc_azure_service_connection_id", "b".into())];
        let oidc = [DEVOPS[0], DEVOPS[1], SECRET[0], SECRET[1], ("ARM_USE_OIDC", "true")];
        assert_eq!(chosen(&block, &oidc).unwrap_err().0[0].summary, "Two values for one setting");
    }

    #[test]
    fn the_place_of_a_managed_identity_matters_where_no_endpoint_is_set() {
        let msi = ("ARM_USE_MSI", "true");
        let own = ("ARM_MSI_ENDPOINT", "http://own");
        let app = [msi, ("IDENTITY_ENDPOINT", "http://app"), ("IDENTITY_HEADER", "h")];
        assert_chosen(&[], &app, &["ManagedIdentity", "app_service: Some(AppService", "Secret(..)"]);
        let with = |more: &[(&'static str, &'static str)]| [&app[..], more].concat();
        for (environment, place) in [
            (with(&[("IDENTITY_SERVER_THUMBPRINT", "t")]), "Service Fabric"),
            (vec![msi, app[1], ("IMDS_ENDPOINT", "http://i")], "Azure Arc"),
            (vec![msi, ("MSI_ENDPOINT", "http://m"), ("MSI_SECRET", "s")], "Azure Machine Learning"),
            (vec![msi, ("MSI_ENDPOINT", "http://m")], "Cloud Shell"),
        ] {
            let error = chosen(&[], &environment).expect_err(place).0.remove(0);
            assert_eq!(error.summary, "Unsupported managed identity");
            assert!(error.detail.contains(place) && error.detail.contains("msi_endpoint"), "{}", error.detail);
            let elsewhere = [&environment[..], &[own]].concat();
            assert_chosen(&[], &elsewhere, &["ManagedIdentity", "Domain(\"own\")", "app_service: None"]);
        }
        let empty = [msi, ("IDENTITY_ENDPOINT", ""), ("IDENTITY_HEADER", ""), ("MSI_ENDPOINT", ""), ("MSI_SECRET", "")];
        assert_chosen(&[], &empty, &["ManagedIdentity", "app_service: None"]);
    }

    #[test]
    fn a_tenant_is_an_id_or_a_domain() {
        let secret = [SECRET[1], SECRET[2], ("ARM_TENANT_ID", "a/b")];
        assert_eq!(chosen(&[], &secret).unwrap_err().0[0].summary, "Not a tenant");
        assert_chosen(&[("tenant_id", "contoso.onmicrosoft.com".into())], &secret, &["ClientSecret"]);
    }

    #[test]
    fn a_variable_that_is_neither_true_nor_false_is_an_error() {
        assert_chosen(&[], &[("ARM_USE_MSI", "TRUE")], &["ManagedIdentity"]);
        assert_chosen(&[], &[("ARM_USE_MSI", "f")], &["AzureCli"]);
        let error = chosen(&[], &[("ARM_USE_MSI", "maybe")]).unwrap_err();
        assert!(error.0[0].detail.contains(r#"ARM_USE_MSI is "maybe""#), "{error:?}");
    }
}
