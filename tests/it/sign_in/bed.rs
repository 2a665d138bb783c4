//! The bed of tests about signing in: an emulator with applications and identities, and what each method takes.

use std::{fs, path::PathBuf, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use foundryhub::arm::{StorageAccountId, WorkspaceId};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::azure_cli::{Account, AzureCli};
use crate::{
    azure::{Emulator, Options, Record},
    emulator::client::{client, sign_in, variable},
    support::{
        core::{Core, Plan},
        engine::{Engine, Workspace},
    },
};

/// The application that has certificates.
pub(super) const CERTIFIED: &str = "66666666-0000-0000-0000-000000000000";

/// The user-assigned identity.
pub(super) const IDENTITY: &str = "77777777-0000-0000-0000-000000000000";

/// The password of the certificates in tests/data.
pub(super) const PASSWORD: &str = "planted-password";

/// What methods are given: each is a method, and a kind of giving it what it takes.
pub(super) const KINDS: [&str; 15] = [
    "client secret",
    "client secret in a file",
    "client certificate",
    "client certificate in a file",
    "client certificate in PEM",
    "OIDC token",
    "OIDC token in a file",
    "Azure DevOps OIDC",
    "GitHub OIDC",
    "AKS workload identity",
    "managed identity of a machine",
    "managed identity assigned by a user",
    "managed identity over https",
    "managed identity of an app",
    "Azure CLI",
];

pub(super) struct SignInBed {
    pub(super) emulator: Arc<Emulator>,
    pub(super) folder: TempDir,
    /// An Azure CLI that a user is signed in to.
    pub(super) cli: AzureCli,
    /// The token that Azure CLIs have.
    pub(super) token: String,
}

/// What is set to sign in by one method.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// Attributes and their values, each with the variable that says the same.
    settings: Vec<(&'static str, &'static str, Value)>,
    /// Variables that have no attribute.
    pub(super) around: Vec<(&'static str, String)>,
    /// Everything in it that nobody may see.
    pub(super) secrets: Vec<String>,
}

impl Given {
    fn new(settings: impl IntoIterator<Item = (&'static str, &'static str, Value)>) -> Self {
        Self { settings: settings.into_iter().collect(), ..Self::default() }
    }

    /// The same with these variables around it, and no others.
    pub(super) fn around(mut self, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.around = variables.into_iter().collect();
        self
    }

    fn secrets<'s>(mut self, secrets: impl IntoIterator<Item = &'s str>) -> Self {
        self.secrets.extend(secrets.into_iter().map(str::to_owned));
        self
    }

    /// The same with a private key in it that nobody may see, in any form: that of the certificates in tests/data, by itself
    /// and in this PKCS#12.
    fn key_in(self, pkcs12: &[u8]) -> Self {
        let pem = fs::read_to_string(certificate("chain.pem")).expect("a certificate");
        let (_, key) = pem.split_once("-----BEGIN PRIVATE KEY-----\n").expect("a private key");
        let lines: Vec<_> = key.lines().take_while(|line| !line.starts_with("-----")).collect();
        let key = STANDARD.decode(lines.concat()).expect("base64");
        // What a key begins with is in its certificate, too, and that is sent. Multiples of three bytes keep their base64.
        let parts = [&key[..], pkcs12].into_iter().flat_map(|bytes| {
            [bytes.len() / 2, bytes.len() * 3 / 4].map(|at| bytes.iter().skip(at / 3 * 3).take(30).copied().collect())
        });
        let parts: Vec<Vec<u8>> = parts.filter(|part: &Vec<u8>| !part.is_empty()).collect();
        let written = parts.iter().flat_map(|part| {
            let hex: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
            let numbers = format!("{part:?}");
            let numbers = numbers.trim_matches(['[', ']']).to_owned();
            [STANDARD.encode(part), URL_SAFE.encode(part), hex.to_uppercase(), hex, numbers]
        });
        let written: Vec<_> = written.collect();
        let line = lines[lines.len() / 2];
        self.secrets(written.iter().map(String::as_str).chain([line, "PRIVATE KEY"]))
    }

    /// The same with another value of an attribute.
    pub(super) fn setting(mut self, attribute: &str, value: Value) -> Self {
        let place = self.settings.iter_mut().find(|(name, ..)| *name == attribute).expect("a setting of the method");
        place.2 = value;
        self
    }

    /// The same without an attribute.
    pub(super) fn without(mut self, attribute: &str) -> Self {
        self.settings.retain(|(name, ..)| *name != attribute);
        self
    }

    /// The block that says it all.
    pub(super) fn block(&self) -> Value {
        self.settings.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())).collect()
    }

    /// The variables that say it all.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let settings = self.settings.iter().map(|(_, variable, value)| (*variable, text(value)));
        settings.chain(self.around.iter().cloned()).collect()
    }
}

impl SignInBed {
    pub(super) async fn new() -> Self {
        Self::with(Options::quick()).await
    }

    pub(super) async fn with(options: Options) -> Self {
        let emulator = Emulator::start(options).await.expect("the emulator starts");
        let account = emulator.id("rg1", StorageAccountId::RESOURCE_TYPE, "sa1");
        emulator.seed_storage_account(&account, json!({}));
        emulator.seed_hub(&emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, "hub1"), &account, json!({}));
        let leaf = fs::read_to_string(certificate("leaf.pem")).expect("a certificate");
        let identity =
            "/subscriptions/s/resourceGroups/rg1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
        let clients = json!([
            { "client_id": CERTIFIED, "object_id": CERTIFIED, "owner": true, "certificates": [{ "certificate": leaf }] },
            { "client_id": IDENTITY, "object_id": IDENTITY, "owner": true, "resource_id": identity },
        ]);
        emulator.seed(&json!({ "clients": clients }).to_string());
        let named = |name: &str| variable(&emulator, name);
        let http = client(&emulator);
        let signed_in = sign_in(&emulator, &http, &named("ARM_CLIENT_ID"), &named("ARM_CLIENT_SECRET")).await;
        let token = signed_in.at("/access_token").as_str().expect("a token").to_owned();
        let (subscription, tenant) = (named("ARM_SUBSCRIPTION_ID"), named("ARM_TENANT_ID"));
        let cli = AzureCli::signed_in(Account::User, &subscription, &tenant, &token);
        emulator.clear_requests();
        Self { emulator: Arc::new(emulator), folder: tempfile::tempdir().expect("a folder"), cli, token }
    }

    pub(super) fn hub(&self) -> String {
        self.emulator.id("rg1", WorkspaceId::RESOURCE_TYPE, "hub1")
    }

    /// An assertion of the issuer and about the subject that the default application trusts.
    pub(super) fn assertion(&self) -> String {
        let subject = "repo:octo-org/octo-repo:environment:prod";
        self.emulator.assertion("https://token.actions.githubusercontent.com", subject, "api://AzureADTokenExchange")
    }

    /// A file with this content.
    pub(super) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).expect("the file can be written");
        path.display().to_string()
    }

    /// What a method is given.
    pub(super) fn given(&self, kind: &str) -> Given {
        let named = |name: &str| variable(&self.emulator, name);
        let (tenant, url) = (named("ARM_TENANT_ID"), self.emulator.url());
        let plain = url.replacen("https", "http", 1);
        let application =
            |id: &str| [("tenant_id", "ARM_TENANT_ID", json!(tenant)), ("client_id", "ARM_CLIENT_ID", json!(id))];
        let own = application(&named("ARM_CLIENT_ID"));
        let with = |application: &[(&'static str, &'static str, Value); 2],
                    more: &[(&'static str, &'static str, Value)]| {
            Given::new([application, more].concat())
        };
        let use_oidc = ("use_oidc", "ARM_USE_OIDC", json!(true));
        let use_msi = ("use_msi", "ARM_USE_MSI", json!(true));
        let endpoint =
            |base: &str| ("msi_endpoint", "ARM_MSI_ENDPOINT", json!(format!("{base}/metadata/identity/oauth2/token")));
        let certified = application(CERTIFIED);
        let password = ("client_certificate_password", "ARM_CLIENT_CERTIFICATE_PASSWORD", json!(PASSWORD));
        let in_file = |name: &str| ("client_certificate_path", "ARM_CLIENT_CERTIFICATE_PATH", json!(certificate(name)));
        match kind {
            "client secret" => {
                let secret = named("ARM_CLIENT_SECRET");
                with(&own, &[("client_secret", "ARM_CLIENT_SECRET", json!(secret))]).secrets([secret.as_str()])
            }
            "client secret in a file" => {
                let secret = named("ARM_CLIENT_SECRET");
                let (id, file) =
                    (self.file("id", &format!("{}\n", own[1].2.as_str().unwrap())), self.file("secret", &secret));
                let settings = [
                    own[0].clone(),
                    ("client_id_file_path", "ARM_CLIENT_ID_FILE_PATH", json!(id)),
                    ("client_secret_file_path", "ARM_CLIENT_SECRET_FILE_PATH", json!(file)),
                ];
                Given::new(settings).secrets([secret.as_str()])
            }
            "client certificate" => {
                let content = fs::read(certificate("modern.p12")).expect("a certificate");
                let given = ("client_certificate", "ARM_CLIENT_CERTIFICATE", json!(STANDARD.encode(&content)));
                with(&certified, &[given, password]).key_in(&content).secrets([PASSWORD])
            }
            "client certificate in a file" => {
                let content = fs::read(certificate("legacy.p12")).expect("a certificate");
                with(&certified, &[in_file("legacy.p12"), password]).key_in(&content).secrets([PASSWORD])
            }
            "client certificate in PEM" => with(&certified, &[in_file("chain.pem")]).key_in(&[]),
            "OIDC token" => {
                let token = self.assertion();
                with(&own, &[use_oidc, ("oidc_token", "ARM_OIDC_TOKEN", json!(token))]).secrets([token.as_str()])
            }
            "OIDC token in a file" => {
                let token = self.assertion();
                let file = self.file("oidc", &token);
                with(&own, &[use_oidc, ("oidc_token_file_path", "ARM_OIDC_TOKEN_FILE_PATH", json!(file))])
                    .secrets([token.as_str()])
            }
            "Azure DevOps OIDC" => {
                let token = "devops-access-token";
                let connection = json!("55555555-5555-5555-5555-555555555555");
                let more = [
                    use_oidc,
                    ("oidc_request_url", "SYSTEM_OIDCREQUESTURI", json!(format!("{url}/devops/oidctoken"))),
                    ("oidc_request_token", "SYSTEM_ACCESSTOKEN", json!(token)),
                    ("ado_pipeline_service_connection_id", "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", connection),
                ];
                with(&own, &more).secrets([token])
            }
            "GitHub OIDC" => {
                let token = "github-request-token";
                let request_url = json!(format!("{url}/github/idtoken?api-version=2.0"));
                let more = [
                    use_oidc,
                    ("oidc_request_url", "ACTIONS_ID_TOKEN_REQUEST_URL", request_url),
                    ("oidc_request_token", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", json!(token)),
                ];
                with(&own, &more).secrets([token])
            }
            "AKS workload identity" => {
                let token = self.assertion();
                let around = [
                    ("AZURE_FEDERATED_TOKEN_FILE", self.file("pod", &token)),
                    ("AZURE_TENANT_ID", tenant),
                    ("AZURE_CLIENT_ID", named("ARM_CLIENT_ID")),
                ];
                let switch = ("use_aks_workload_identity", "ARM_USE_AKS_WORKLOAD_IDENTITY", json!(true));
                Given::new([switch]).around(around).secrets([token.as_str()])
            }
            "managed identity of a machine" => Given::new([use_msi, endpoint(&plain)]),
            "managed identity assigned by a user" => {
                Given::new([use_msi, endpoint(&plain), application(IDENTITY)[1].clone()])
            }
            "managed identity over https" => {
                Given::new([use_msi, endpoint(url), ("msi_api_version", "ARM_MSI_API_VERSION", json!("2018-02-01"))])
            }
            "managed identity of an app" => {
                let header = "app-service-identity-header";
                let around =
                    [("IDENTITY_ENDPOINT", format!("{plain}/msi/token")), ("IDENTITY_HEADER", header.to_owned())];
                Given::new([use_msi]).around(around).secrets([header])
            }
            "Azure CLI" => {
                let settings = [own[0].clone(), ("use_cli", "ARM_USE_CLI", json!(true))];
                Given::new(settings).around([("PATH", self.cli.path())])
            }
            other => panic!("no method is {other}"),
        }
    }

    /// The attribute that leads to the emulator.
    pub(super) fn endpoint(&self) -> Value {
        let url = self.emulator.url();
        json!([{ "resource_manager_endpoint": url, "resource_manager_audience": url, "active_directory_authority_host": url }])
    }

    /// The variables that lead to the emulator.
    pub(super) fn endpoint_variables(&self) -> Vec<(&'static str, String)> {
        ["ARM_RESOURCE_MANAGER_ENDPOINT", "ARM_RESOURCE_MANAGER_AUDIENCE", "ARM_ACTIVE_DIRECTORY_AUTHORITY_HOST"]
            .map(|name| (name, variable(&self.emulator, name)))
            .into()
    }

    /// The variable by which the emulator is trusted.
    pub(super) fn trust(&self) -> (&'static str, String) {
        ("SSL_CERT_FILE", variable(&self.emulator, "SSL_CERT_FILE"))
    }

    /// A working directory with this block and these variables.
    pub(super) fn core(&self, block: Value, variables: &[(&'static str, String)]) -> Core {
        self.emulator.clear_requests();
        let variables = variables.iter().cloned().chain([self.trust()]);
        let mut core = variables.fold(Core::new(), |core, (name, value)| core.env(name, value));
        core.configure(block);
        core
    }

    /// Plans something that looks at the hub, with what a method is given in the block or in the environment alone.
    pub(super) async fn plan(&self, given: &Given, in_block: bool) -> Plan {
        let (block, variables) = self.as_written(given, in_block);
        self.core(block, &variables).plan("foundryhub_storage_auth", "a", json!({ "hub_id": self.hub() })).await
    }

    /// The same on an engine, which has to succeed.
    pub(super) async fn plan_on(&self, engine: &'static Engine, given: &Given, in_block: bool) {
        self.emulator.clear_requests();
        let (block, variables) = self.as_written(given, in_block);
        let workspace = Workspace::new(engine).envs([self.trust()]).envs(variables);
        // HCL takes JSON as far as it goes here.
        let attributes = block.as_object().expect("a block").iter();
        let lines: String = attributes.map(|(name, value)| format!("  {name} = {value}\n")).collect();
        let resource = format!("resource \"foundryhub_storage_auth\" \"hub\" {{\n  hub_id = \"{}\"\n}}\n", self.hub());
        workspace.config(&format!("provider \"foundryhub\" {{\n{lines}}}\n{resource}"));
        workspace.plan(&[]).await.exits(2);
    }

    /// The block and the variables that say what a method is given, and where the emulator is.
    pub(super) fn as_written(&self, given: &Given, in_block: bool) -> (Value, Vec<(&'static str, String)>) {
        if !in_block {
            return (json!({}), [given.variables(), self.endpoint_variables()].concat());
        }
        let mut block = given.block();
        block["endpoint"] = self.endpoint();
        (block, given.around.clone())
    }

    /// The requests for tokens.
    pub(super) fn token_requests(&self) -> Vec<Record> {
        let requests = self.emulator.requests().into_iter();
        requests.filter(|request| request.path.ends_with("/oauth2/v2.0/token")).collect()
    }

    /// The method that the requests show.
    pub(super) fn method(&self) -> &'static str {
        let requests = self.emulator.requests();
        assert!(requests.iter().any(Record::is_arm), "{requests:#?}");
        let asked = |path: &str| requests.iter().any(|request| request.path.starts_with(path));
        let tokens = self.token_requests();
        match tokens.last().map(|token| &token.body) {
            _ if asked("/metadata/identity") || asked("/msi/token") => "managed identity",
            _ if asked("/devops/oidctoken") => "Azure DevOps OIDC",
            _ if asked("/github/idtoken") => "GitHub OIDC",
            Some(body) if !body["client_secret"].is_null() => "client secret",
            Some(body) if body["client_assertion"]["header"]["x5c"].is_array() => "client certificate",
            Some(body) if body["client_assertion"]["claims"].is_object() => "OIDC token",
            Some(body) => panic!("a token by {body}"),
            None => "Azure CLI",
        }
    }
}

/// A file of tests/data/certificates.
pub(super) fn certificate(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/certificates").join(name)
}

/// The method that a kind is of, as requests show it.
pub(super) fn method_of(kind: &str) -> &str {
    match kind {
        "AKS workload identity" => "OIDC token",
        _ => ["client secret", "client certificate", "OIDC token", "managed identity"]
            .into_iter()
            .find(|method| kind.starts_with(method))
            .unwrap_or(kind),
    }
}
