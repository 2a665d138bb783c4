//! Settings in the provider block and in the environment, and the requests to Azure that follow from them.

use std::{collections::BTreeSet, fs, time::Duration};

use foundryhub::arm::{StorageAccountId, WorkspaceId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    azure::{Emulator, Options, Record},
    support::{
        core::{Core, Plan},
        ids::ALICE,
    },
};

const PARTNER: &str = "12345678-0000-4000-8000-000000000000";

/// An emulator with a hub, and the variables that sign in to it.
struct ConfigurationBed {
    emulator: Emulator,
    environment: Vec<(String, String)>,
}

impl ConfigurationBed {
    async fn new() -> Self {
        let emulator = Emulator::start(Options::quick()).await.expect("the emulator starts");
        let account = emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa1");
        emulator.seed_storage_account(&account, json!({}));
        emulator.seed_hub(&Self::hub(&emulator), &account, json!({}));
        let environment = emulator.environment();
        Self { emulator, environment }
    }

    fn hub(emulator: &Emulator) -> String {
        emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, "hub1")
    }

    /// Plans something that looks at the hub, with this provider block and these variables besides.
    async fn plan(&self, block: Value, variables: &[(&str, &str)]) -> Plan {
        self.emulator.clear_requests();
        let mut core = self.environment.iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
        core = variables.iter().fold(core, |core, (name, value)| core.env(*name, *value));
        core.configure(block);
        core.plan("foundryhub_storage_auth", "a", json!({ "hub_id": Self::hub(&self.emulator) })).await
    }

    /// The requests of such a plan, tokens and all.
    async fn sent(&self, block: Value, variables: &[(&str, &str)]) -> Vec<Record> {
        self.plan(block, variables).await.ok();
        let requests = self.emulator.requests();
        assert!(requests.iter().any(Record::is_arm));
        requests
    }
}

#[tokio::test]
async fn the_user_agent_names_engine_provider_and_partner() {
    let bed = ConfigurationBed::new().await;
    let provider = concat!(" terraform-provider-foundryhub/", env!("CARGO_PKG_VERSION"));
    for (block, variables, end) in [
        (json!({}), &[][..], ""),
        (json!({}), &[("AZURE_HTTP_USER_AGENT", "pipeline/7"), ("ARM_PARTNER_ID", PARTNER)], " pipeline/7 pid-"),
        (json!({ "partner_id": PARTNER }), &[], " pid-"),
    ] {
        let end = if end.is_empty() { String::new() } else { format!("{end}{PARTNER}") };
        for request in bed.sent(block.clone(), variables).await.iter().filter(|request| request.is_arm()) {
            let said = &request.user_agent;
            assert!(said.starts_with("Terraform/") && said.ends_with(&format!("{provider}{end}")), "{said}");
        }
    }
}

#[tokio::test]
async fn who_has_an_engine_that_is_too_old_is_told_so() {
    let bed = ConfigurationBed::new().await;
    for (version, expected) in [("1.5.7", &["This Terraform is not supported"][..]), ("1.6.0", &[])] {
        let core = bed.environment.iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
        let config =
            json!({ "hub_id": ConfigurationBed::hub(&bed.emulator), "system_datastores_auth_mode": "accesskey" });
        let plan = core.engine_version(version).plan("foundryhub_storage_auth", "a", config).await.ok();
        let said: Vec<_> = plan.report.diagnostics.0.iter().map(|found| found.summary.as_str()).collect();
        let said: Vec<_> = said.into_iter().filter(|summary| summary.contains("not supported")).collect();
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn the_correlation_id_is_one_at_random_or_fixed_or_left_out() {
    let bed = ConfigurationBed::new().await;
    let ids = async |block, variables: &[(&str, &str)]| {
        let requests = bed.sent(block, variables).await.into_iter().filter(Record::is_arm);
        requests.map(|request| request.correlation_id).collect::<BTreeSet<_>>()
    };
    let random = ids(json!({}), &[]).await;
    assert!(matches!(random.first(), Some(Some(id)) if random.len() == 1 && Uuid::try_parse(id).is_ok()), "{random:?}");
    let fixed = ("ARM_CORRELATION_REQUEST_ID", "eeeeeeee-0000-4000-8000-000000000001");
    assert_eq!(ids(json!({}), &[fixed]).await, [Some(fixed.1.to_owned())].into());
    let other = "bbbbbbbb-0000-4000-8000-000000000002";
    let block = json!({ "custom_correlation_request_id": other });
    assert_eq!(ids(block, &[fixed]).await, [Some(other.to_owned())].into());
    assert_eq!(ids(json!({ "disable_correlation_request_id": true }), &[fixed]).await, [None].into());
    assert_eq!(ids(json!({}), &[("ARM_DISABLE_CORRELATION_REQUEST_ID", "true")]).await, [None].into());
}

/// The emulator knows one tenant only, so that the request for the first token of another is the last request.
#[tokio::test]
async fn tokens_of_auxiliary_tenants_are_asked_for() {
    let bed = ConfigurationBed::new().await;
    let tenant = "10000000-0000-4000-8000-00000000000a";
    let several = format!("{tenant};10000000-0000-4000-8000-00000000000b");
    for (block, variable) in [(json!({ "auxiliary_tenant_ids": ["", tenant] }), ""), (json!({}), several.as_str())] {
        let plan = bed.plan(block, &[("ARM_AUXILIARY_TENANT_IDS", variable)]).await;
        let error = plan.error("could not sign in to Azure");
        assert!(error.detail.contains(&format!("for the auxiliary tenant {tenant}: ")), "{error}");
        assert!(error.detail.contains("every tenant that auxiliary_tenant_ids names"), "{error}");
        let requests = bed.emulator.requests();
        assert!(requests.iter().any(|request| request.path == format!("/{tenant}/oauth2/v2.0/token")), "{requests:#?}");
        assert!(!requests.iter().any(Record::is_arm));
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let bed = ConfigurationBed::new().await;
    let arm = |url: &str| json!({ "resource_manager_endpoint": url });
    for (block, variables, summary, path) in [
        (
            json!({ "endpoint": [arm("http://127.0.0.1:1")] }),
            &[][..],
            "Not an https address",
            "endpoint[0].resource_manager_endpoint",
        ),
        (
            json!({ "endpoint": [{ "active_directory_authority_host": "http://127.0.0.1:1" }] }),
            &[],
            "Not an https address",
            "endpoint[0].active_directory_authority_host",
        ),
        (json!({}), &[("ARM_RESOURCE_MANAGER_ENDPOINT", "http://127.0.0.1:1")], "Not an https address", ""),
        (json!({}), &[("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "login")], "Not an https address", ""),
        (
            json!({ "endpoint": [arm("https://a.test"), arm("https://b.test")] }),
            &[],
            "More than one endpoint",
            "endpoint",
        ),
        (
            json!({ "environment": "custom" }),
            &[("ARM_RESOURCE_MANAGER_ENDPOINT", "")],
            "A custom cloud without addresses",
            "endpoint",
        ),
        (json!({ "environment": "german" }), &[], "Unknown environment", "environment"),
        (json!({ "max_retries": -1 }), &[], "Not a number of retries", "max_retries"),
        (json!({ "max_retries": 1001 }), &[], "Not a number of retries", "max_retries"),
        (json!({ "max_retries": 0.5 }), &[], "Not a number of retries", "max_retries"),
        (json!({ "auxiliary_tenant_ids": ["a", "b", "c", "d"] }), &[], "Too many tenants", "auxiliary_tenant_ids"),
        (json!({}), &[("ARM_AUXILIARY_TENANT_IDS", "a;b;c;d")], "Too many tenants", ""),
        (json!({ "partner_id": "me" }), &[], "Not a GUID", "partner_id"),
        (json!({}), &[("ARM_USE_MSI", "maybe")], "Unreadable environment variable", ""),
        (json!({}), &[("ARM_CLIENT_SECRET", "")], "No sign-in method is configured", ""),
    ] {
        let plan = bed.plan(block.clone(), variables).await;
        assert_eq!(plan.error(summary).path, path, "{block} {variables:?}");
        assert_eq!(bed.emulator.requests(), [], "{block} {variables:?}");
    }
}

/// URLs that lead elsewhere than they seem to, and ids that are none, in the block or in a variable, which is named.
#[tokio::test]
async fn an_address_or_id_in_another_form_is_refused_where_it_is_read() {
    let bed = ConfigurationBed::new().await;
    let nested = ["resource_manager_endpoint", "active_directory_authority_host"];
    let https = &["https://user:planted@h", "https://h/path", "https://h?q", "https://h#f", "http://h"][..];
    let guids = &["me", "{12345678-0000-4000-8000-000000000000}", "12345678000040008000000000000000"][..];
    let tenants = &["..", "a..b", ".a", "a/b", "a?b"][..];
    for (attribute, variables, values, summary) in [
        (nested[0], &["ARM_RESOURCE_MANAGER_ENDPOINT"][..], https, "Not an https address"),
        (nested[1], &["ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"], https, "Not an https address"),
        (
            "metadata_host",
            &["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST"],
            &["user:planted@h", "h/path", "h?q", "h#f", "https://h", "h:x"],
            "Not a host",
        ),
        (
            "oidc_request_url",
            &["ARM_OIDC_REQUEST_URL"],
            &["http://h/p?q", "https://user:planted@h/p?q", "https://h/p#f", "h"],
            "Not an https URL",
        ),
        (
            "msi_endpoint",
            &["ARM_MSI_ENDPOINT"],
            &["ftp://h", "http://user:planted@h/p", "http://h/p#f", "h"],
            "Not a URL",
        ),
        ("partner_id", &["ARM_PARTNER_ID"], guids, "Not a GUID"),
        ("custom_correlation_request_id", &["ARM_CORRELATION_REQUEST_ID"], guids, "Not a GUID"),
        ("subscription_id", &["ARM_SUBSCRIPTION_ID"], guids, "Not a GUID"),
        ("client_id", &["ARM_CLIENT_ID"], guids, "Not a GUID"),
        ("tenant_id", &["ARM_TENANT_ID"], tenants, "Not a tenant"),
        ("auxiliary_tenant_ids", &["ARM_AUXILIARY_TENANT_IDS"], tenants, "Not a tenant"),
        (
            "workspaces_api_version",
            &[],
            &["latest", "2025-6-1", "2025-06-01-beta", "2025-06-01-preview&x=y", "20250601"],
            "Not an api-version",
        ),
    ] {
        for value in values {
            let (block, path) = match attribute {
                "auxiliary_tenant_ids" => (json!({ attribute: [value] }), attribute.to_owned()),
                _ if nested.contains(&attribute) => {
                    (json!({ "endpoint": [{ attribute: value }] }), format!("endpoint[0].{attribute}"))
                }
                _ => (json!({ attribute: value }), attribute.to_owned()),
            };
            let plan = bed.plan(block, &[]).await;
            assert_eq!(plan.error(summary).path, path, "{value}");
            assert!(!plan.report.diagnostics.to_string().contains("planted"), "{}", plan.report.diagnostics);
            for name in variables {
                // A method reads its own settings only.
                let method = match attribute {
                    "oidc_request_url" => &[("ARM_USE_OIDC", "true"), ("ARM_OIDC_REQUEST_TOKEN", "x")][..],
                    "msi_endpoint" => &[("ARM_USE_MSI", "true"), ("ARM_CLIENT_SECRET", "")],
                    _ => &[],
                };
                let plan = bed.plan(json!({}), &[method, &[(*name, *value)]].concat()).await;
                let error = plan.error(summary);
                assert!(
                    error.detail.starts_with(&format!("{name}: ")) && error.path.is_empty(),
                    "{name} {value}: {error}"
                );
                assert!(!plan.report.diagnostics.to_string().contains("planted"), "{}", plan.report.diagnostics);
            }
            assert_eq!(bed.emulator.requests(), [], "{attribute} {value}");
        }
    }
    for version in ["2025-06-01", "2025-07-01-preview"] {
        bed.plan(json!({ "workspaces_api_version": version }), &[]).await.ok();
    }
}

/// What App Service sets is read where no endpoint is set.
#[tokio::test]
async fn the_identity_endpoint_of_an_app_is_checked_as_a_setting_is() {
    let bed = ConfigurationBed::new().await;
    let msi = [("ARM_USE_MSI", "true"), ("ARM_CLIENT_SECRET", "")];
    for (endpoint, header, name) in [
        ("http://127.0.0.1:1/\n", "x", "IDENTITY_ENDPOINT"),
        ("http://user:planted@127.0.0.1:1/", "x", "IDENTITY_ENDPOINT"),
        ("here", "x", "IDENTITY_ENDPOINT"),
        ("http://127.0.0.1:1/", "planted\r\nx: y", "IDENTITY_HEADER"),
    ] {
        let app = [("IDENTITY_ENDPOINT", endpoint), ("IDENTITY_HEADER", header)];
        let plan = bed.plan(json!({}), &[msi, app].concat()).await;
        assert!(plan.error(name).detail.starts_with(&format!("{name}: ")), "{}", plan.report.diagnostics);
        assert!(!plan.report.diagnostics.to_string().contains("planted"), "{}", plan.report.diagnostics);
    }
}

/// Whatever the environment or the engine adds to it, it stays one header of a bearable length.
#[tokio::test]
async fn a_user_agent_that_no_server_would_take_is_refused_or_left_out() {
    let bed = ConfigurationBed::new().await;
    let long = "x".repeat(513);
    for (value, summary) in [("a\r\nX-Evil: y", "Unexpected character"), (&*long, "Too long")] {
        let plan = bed.plan(json!({}), &[("AZURE_HTTP_USER_AGENT", value)]).await;
        assert!(plan.error(summary).detail.starts_with("AZURE_HTTP_USER_AGENT: "), "{}", plan.report.diagnostics);
        assert_eq!(bed.emulator.requests(), []);
    }
    // Those of other providers change nothing here.
    for request in bed.sent(json!({}), &[("TF_APPEND_USER_AGENT", "x\r\nX-Evil: y")]).await {
        assert!(!request.user_agent.contains("Evil"), "{}", request.user_agent);
    }
    for version in ["1.9.0\r\nX-Evil: y", &long] {
        let core = bed.environment.iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
        let config = json!({ "hub_id": ConfigurationBed::hub(&bed.emulator) });
        bed.emulator.clear_requests();
        core.engine_version(version).plan("foundryhub_storage_auth", "a", config).await.ok();
        for request in bed.emulator.requests().iter().filter(|request| request.is_arm()) {
            assert!(request.user_agent.starts_with("Terraform/unknown "), "{}", request.user_agent);
        }
    }
}

/// Opening a pipe waits for somebody who writes to it, as a network file system can hang. The files of the sign-in are in
/// `sign_in::failures`.
#[tokio::test]
async fn a_pipe_in_the_place_of_the_certificates_to_trust_is_an_error_and_not_waited_for_for_ever() {
    let bed = ConfigurationBed::new().await;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let pipe = pipe.to_str().unwrap();
    let variables = [("SSL_CERT_FILE", pipe)];
    let plan = bed.plan(json!({}), &variables);
    let plan = tokio::time::timeout(Duration::from_secs(60), plan).await.expect("an end");
    let error = plan.error("The provider cannot be configured");
    assert!(error.detail.contains("it took longer than 10 seconds"), "{}", plan.report.diagnostics);
}

/// A runner of pipelines sets some variables by itself, azurerm's backend has some of its own, and some change nothing here.
#[tokio::test]
async fn variables_that_ask_for_no_sign_in_method_are_no_error() {
    let bed = ConfigurationBed::new().await;
    let variables = [
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "SYSTEM_OIDCREQUESTURI",
        "SYSTEM_ACCESSTOKEN",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "ARM_ACCESS_KEY",
        "ARM_SAS_TOKEN",
        "ARM_USE_AZUREAD",
        "ARM_RESOURCE_PROVIDER_REGISTRATIONS",
        "ARM_ENABLE_PREFLIGHT",
    ]
    .map(|name| (name, "x"));
    let off = [
        ("ARM_USE_OIDC", "false"),
        ("ARM_OIDC_TOKEN", "x"),
        ("ARM_USE_AKS_WORKLOAD_IDENTITY", "0"),
        ("ARM_CLIENT_CERTIFICATE", ""),
        ("ARM_CLIENT_CERTIFICATE_PATH", ""),
    ];
    bed.sent(json!({}), &[&variables[..], &off].concat()).await;
    let written = json!({ "use_oidc": false, "client_certificate_path": "", "use_aks_workload_identity": null });
    bed.sent(written, &[("ARM_USE_OIDC", "true"), ("ARM_OIDC_REQUEST_URL", "x")]).await;
}

#[tokio::test]
async fn a_method_that_is_asked_for_and_incomplete_is_said_and_no_other_is_taken() {
    let bed = ConfigurationBed::new().await;
    const SECRET: &str = "cGxhbnRlZA==";
    for (attribute, variable, value) in [
        ("use_oidc", "ARM_USE_OIDC", json!(true)),
        ("oidc_token", "ARM_OIDC_TOKEN", json!(SECRET)),
        ("oidc_token_file_path", "ARM_OIDC_TOKEN_FILE_PATH", json!("/x")),
        ("oidc_request_token", "ARM_OIDC_REQUEST_TOKEN", json!(SECRET)),
        ("use_aks_workload_identity", "ARM_USE_AKS_WORKLOAD_IDENTITY", json!(true)),
        ("client_secret", "ARM_CLIENT_SECRET", json!(SECRET)),
        ("client_secret_file_path", "ARM_CLIENT_SECRET_FILE_PATH", json!("/x")),
        ("client_certificate", "ARM_CLIENT_CERTIFICATE", json!(SECRET)),
        ("client_certificate_path", "ARM_CLIENT_CERTIFICATE_PATH", json!("/x")),
        ("client_certificate_password", "ARM_CLIENT_CERTIFICATE_PASSWORD", json!(SECRET)),
    ] {
        let text = value.as_str().unwrap_or("true").to_owned();
        let others = [("ARM_CLIENT_SECRET", ""), ("ARM_TENANT_ID", ""), ("ARM_USE_CLI", "true")];
        for (block, variables, name, path) in [
            (json!({ attribute: value }), others.to_vec(), attribute, attribute),
            (json!({}), [&others[..], &[(variable, text.as_str())]].concat(), variable, ""),
        ] {
            let plan = bed.plan(block, &variables).await;
            let error = plan.error("The sign-in method is incomplete");
            assert!(error.detail.starts_with(&format!("{name} asks for")) && !error.detail.contains(SECRET), "{error}");
            assert_eq!(error.path, path);
            assert_eq!(bed.emulator.requests(), [], "{name}");
        }
    }
    bed.plan(json!({}), &[("ARM_USE_OIDC", "maybe")]).await.error("Unreadable environment variable");
}

#[tokio::test]
async fn a_character_that_cannot_be_meant_is_shown_where_it_is_read() {
    let bed = ConfigurationBed::new().await;
    let msi = ("ARM_USE_MSI", "true");
    for (variables, name, shown) in [
        (&[("ARM_TENANT_ID", "t1\n")][..], "ARM_TENANT_ID", r#""t1\n""#),
        (&[("ARM_CLIENT_ID", "c1 ")], "ARM_CLIENT_ID", r#""c1\u{20}""#),
        (&[("ARM_CLIENT_ID", ""), ("AZURE_CLIENT_ID", "\tc1")], "AZURE_CLIENT_ID", r#""\tc1""#),
        (
            &[
                ("ARM_CLIENT_SECRET", ""),
                ("ARM_TENANT_ID", ""),
                ("ARM_USE_CLI", "true"),
                ("ARM_SUBSCRIPTION_ID", "a\u{2013}b"),
            ],
            "ARM_SUBSCRIPTION_ID",
            r#""a\u{2013}b""#,
        ),
        (&[("ARM_RESOURCE_MANAGER_ENDPOINT", "https://arm\n")], "ARM_RESOURCE_MANAGER_ENDPOINT", r#""https://arm\n""#),
        (&[("ARM_RESOURCE_MANAGER_AUDIENCE", "https://a\r\n")], "ARM_RESOURCE_MANAGER_AUDIENCE", r#""https://a\r\n""#),
        (&[("ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST", "https://a\u{a0}")], "AUTHORITY_HOST", r#""https://a\u{a0}""#),
        (&[("ARM_AUXILIARY_TENANT_IDS", "a;b\u{200b}")], "ARM_AUXILIARY_TENANT_IDS", r#""b\u{200b}""#),
        (&[("ARM_CORRELATION_REQUEST_ID", "x\n")], "ARM_CORRELATION_REQUEST_ID", r#""x\n""#),
        (&[("ARM_PARTNER_ID", "x\n")], "ARM_PARTNER_ID", r#""x\n""#),
        (&[("ARM_ENVIRONMENT", "public\n")], "ARM_ENVIRONMENT", r#""public\n""#),
        (&[("AZURE_HTTP_USER_AGENT", "a b\n")], "AZURE_HTTP_USER_AGENT", r#""a b\n""#),
        (&[msi, ("ARM_CLIENT_SECRET", ""), ("ARM_MSI_ENDPOINT", "http://x\n")], "ARM_MSI_ENDPOINT", r#""http://x\n""#),
        (&[msi, ("ARM_CLIENT_SECRET", ""), ("ARM_MSI_API_VERSION", "v ")], "ARM_MSI_API_VERSION", r#""v\u{20}""#),
        (&[msi, ("ARM_CLIENT_SECRET", ""), ("ARM_MSI_ENDPOINT", "here")], "ARM_MSI_ENDPOINT", r#""here""#),
    ] {
        let plan = bed.plan(json!({}), variables).await;
        let error = plan.error(name);
        assert!(error.from.starts_with("ConfigureProvider"), "{error} {}", error.from);
        assert!(error.detail.contains(shown), "{error}");
        assert_eq!(bed.emulator.requests(), [], "{name}");
    }
    let secret = bed.plan(json!({}), &[("ARM_CLIENT_SECRET", "planted\n")]).await;
    assert!(!secret.error("ARM_CLIENT_SECRET").detail.contains("planted"));
    assert_eq!(bed.emulator.requests(), []);

    let endpoint = |name: &str, value: &str| (format!("endpoint[0].{name}"), json!({ "endpoint": [{ name: value }] }));
    let text = |name: &str| (name.to_owned(), json!({ name: "x\n" }));
    for (path, block) in [
        text("tenant_id"),
        text("client_id"),
        text("subscription_id"),
        text("client_secret"),
        text("partner_id"),
        text("custom_correlation_request_id"),
        text("environment"),
        text("msi_endpoint"),
        text("msi_api_version"),
        text("workspaces_api_version"),
        endpoint("resource_manager_endpoint", "https://x\n"),
        endpoint("resource_manager_audience", "https://x\n"),
        endpoint("active_directory_authority_host", "https://x\n"),
        ("auxiliary_tenant_ids".to_owned(), json!({ "auxiliary_tenant_ids": ["x\n"] })),
    ] {
        let plan = bed.plan(block, &[]).await;
        let error = plan.error(&path);
        assert_eq!(error.path, path);
        assert_eq!(error.detail.contains(r"x\n"), path != "client_secret", "{error}");
        assert_eq!(bed.emulator.requests(), [], "{path}");
    }
}

/// Everything that asks Azure says what went wrong, and only what has to do with permissions speaks of them.
#[tokio::test]
async fn who_could_not_even_ask_is_not_told_about_roles() {
    let bed = ConfigurationBed::new().await;
    let hub = ConfigurationBed::hub(&bed.emulator);
    let account = bed.emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa1");
    let custom = Uuid::from_u128(7).to_string();
    let grant = |members: Value| {
        let mut config = json!({ "storage_account_id": account, "principal_id": ALICE });
        config.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        config
    };
    let delegated = json!({ "role_definition_name": "Storage Blob Data Reader",
        "delegated_managed_identity_resource_id": bed.emulator.id("rg1", "Microsoft.ManagedIdentity/userAssignedIdentities", "i") });
    let untrusted = tempfile::NamedTempFile::new().unwrap();
    let other = Emulator::start(Options::quick()).await.expect("the emulator starts");
    fs::copy(other.ca_file(), untrusted.path()).unwrap();
    let untrusted = untrusted.path().display().to_string();
    for (variable, says) in [
        (("ARM_CLIENT_SECRET", "wrong"), "The client secret is wrong."),
        (("SSL_CERT_FILE", untrusted.as_str()), "The server's certificate is not trusted."),
    ] {
        for (kind, config) in [
            ("foundryhub_storage_auth", json!({ "hub_id": hub })),
            ("foundryhub_role_assignment", json!({ "hub_id": hub, "principal_id": ALICE, "access": "reader" })),
            ("foundryhub_role_assignment", grant(json!({ "role_definition_name": "Own" }))),
            ("foundryhub_role_assignment", grant(json!({ "role_definition_id": custom }))),
            ("foundryhub_role_assignment", grant(json!({ "access": "reader" }))),
            ("foundryhub_role_assignment", grant(delegated.clone())),
        ] {
            let mut core = bed.environment.iter().fold(Core::new(), |core, (name, value)| core.env(name, value));
            core = core.env(variable.0, variable.1);
            let report = core.apply(kind, "a", config.clone()).await.failed();
            let error = report.error(says);
            for word in ["Microsoft.", " role_definition_id", "storage_account_id instead", "Reader"] {
                assert!(!error.detail.replace(&hub, "").replace(&account, "").contains(word), "{config}: {error}");
            }
        }
    }
}
