//! Tokens through the `azure_identity` crate.
//!
//! That crate keeps the tokens it fetched and cannot be told to forget one or to satisfy a claims challenge. So a
//! credential is made anew for every token, and its requests go through a transport of ours, which can add to them.

use super::{AccessToken, Credential, TokenError, TokenRequest, TokenSource};
use crate::arm::cloud::origin;
use crate::arm::exchange::{RawAnswer, exchange};
use crate::arm::no_answer::{NoAnswer, SharedSource};
use crate::arm::secret::Secret;
use crate::arm::share::lock;
use crate::arm::token_error::EntraError;
use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::TokenCredential;
use azure_core::error::ErrorKind;
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport, headers::Headers,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, Executor,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use std::sync::{Arc, Mutex};
use std::{ffi::OsStr, io, process::Output};
use url::Url;
use uuid::Uuid;

/// Signs in with one of the credentials that `azure_identity` knows.
#[derive(Debug)]
pub(crate) struct IdentitySource {
    credential: Credential,
    authority: Url,
    http: reqwest::Client,
    /// Runs the Azure CLI.
    cli: Arc<dyn Executor>,
}

impl IdentitySource {
    /// For a managed identity, `http` must not use a proxy: it asks this machine.
    pub(crate) fn new(credential: Credential, authority: Url, http: reqwest::Client) -> Self {
        Self { credential, authority, http, cli: Arc::new(KilledOnDrop) }
    }

    /// Makes the credential for one token.
    fn credential(&self, request: &TokenRequest, wire: &Wire) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let options = || {
            let mut cloud = CustomConfiguration::default();
            cloud.authority_host = self.authority.to_string();
            ClientOptions {
                transport: Some(Transport::new(Arc::new(wire.clone()))),
                // Retrying is the business of our own loop, which knows the call's limits.
                retry: RetryOptions::none(),
                cloud: Some(Arc::new(cloud.into())),
                ..ClientOptions::default()
            }
        };
        Ok(match &self.credential {
            Credential::ClientSecret { tenant_id, client_id, client_secret } => ClientSecretCredential::new(
                request.tenant.as_ref().unwrap_or(tenant_id),
                client_id.clone(),
                client_secret.reveal().to_owned().into(),
                Some(ClientSecretCredentialOptions { client_options: options() }),
            )?,
            Credential::AzureCli { tenant_id, subscription_id } => {
                // The CLI refuses a tenant and a subscription together.
                let tenant_id = request.tenant.clone().or_else(|| tenant_id.clone());
                let subscription = if tenant_id.is_some() { None } else { subscription_id.clone() };
                self.azure_cli(tenant_id, subscription)?
            }
            Credential::ManagedIdentity { client_id, .. } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
                    client_options: options(),
                }))?
            }
            Credential::Source(_) => unreachable!("a source is used as it is"),
        })
    }

    fn azure_cli(
        &self,
        tenant_id: Option<String>,
        subscription: Option<String>,
    ) -> azure_core::Result<Arc<AzureCliCredential>> {
        let executor = Some(self.cli.clone());
        AzureCliCredential::new(Some(AzureCliCredentialOptions { tenant_id, subscription, executor }))
    }

    /// Asks the Azure CLI once more, which gave no token of this tenant, if the reason is that its account takes no tenant.
    async fn without_tenant(
        &self,
        request: &TokenRequest,
        tenant: &str,
        refused: azure_core::Error,
    ) -> Result<azure_core::credentials::AccessToken, TokenError> {
        let account = self.account().await.filter(CliAccount::takes_no_tenant);
        let Some(CliAccount { tenant_id: own, .. }) = account else { return Err(self.explain(&refused, None)) };
        // A tenant may be given by its domain, which the account does not say.
        let by_domain = request.tenant.is_none() && Uuid::try_parse(tenant).is_err();
        if !by_domain && !tenant.eq_ignore_ascii_case(&own) {
            let message = format!(
                "it is signed in with a managed identity or in Cloud Shell, to the tenant {own}, and gives no tokens of the \
                 tenant {tenant}. Unset tenant_id (ARM_TENANT_ID) and auxiliary_tenant_ids if {own} is meant, or sign in as \
                 somebody else with az login --tenant {tenant}"
            );
            return Err(TokenError::Credential { credential: self.kind(), message });
        }
        let token = match self.azure_cli(None, None) {
            Ok(credential) => credential.get_token(&[request.scope.as_str()], None).await,
            Err(error) => Err(error),
        };
        token.map_err(|error| self.explain(&error, None))
    }

    /// The account that the Azure CLI uses.
    async fn account(&self) -> Option<CliAccount> {
        let (shell, switch, folder) =
            if cfg!(windows) { ("cmd", "/C", "%SYSTEMROOT%") } else { ("/bin/sh", "-c", "/bin") };
        // As the crate does: where no program of the working directory can be taken for the CLI.
        let command = format!("cd {folder} && az account show -o json");
        let output = self.cli.run(OsStr::new(shell), &[OsStr::new(switch), OsStr::new(&command)]).await.ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }

    fn kind(&self) -> &'static str {
        match &self.credential {
            Credential::ClientSecret { .. } => "client secret",
            Credential::AzureCli { .. } => "Azure CLI",
            Credential::ManagedIdentity { .. } => "managed identity",
            Credential::Source(_) => "custom credential",
        }
    }

    /// Says what went wrong from what was seen on the wire, rather than from the crate's text.
    fn explain(&self, error: &azure_core::Error, seen: Option<Seen>) -> TokenError {
        let redact = |text: &str| match &self.credential {
            Credential::ClientSecret { client_secret, .. } => client_secret.redact(text),
            _ => text.to_owned(),
        };
        match (&self.credential, seen) {
            (_, Some(Seen::Nothing { from, reason, source })) => TokenError::Unreachable { from, reason, source },
            (Credential::ManagedIdentity { .. }, Some(Seen::Answer { status, body, app_service })) => {
                TokenError::ManagedIdentity {
                    status,
                    message: String::from_utf8_lossy(&body).chars().take(300).collect(),
                    // The crate is patient with a virtual machine's endpoint, and asks any other once.
                    asked_again: !app_service,
                }
            }
            (_, Some(Seen::Answer { status, body, .. })) if status != 200 => {
                let refusal = EntraError::read(status, &body);
                TokenError::Refused(EntraError { message: redact(&refusal.message), ..refusal })
            }
            (Credential::AzureCli { .. }, _) => TokenError::AzureCli { message: innermost(error) },
            _ => TokenError::Credential { credential: self.kind(), message: redact(&innermost(error)) },
        }
    }
}

/// The message of the first cause, without the wrapping and the links around it.
fn innermost(error: &azure_core::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().trim().to_owned()
}

impl From<azure_core::credentials::AccessToken> for AccessToken {
    fn from(token: azure_core::credentials::AccessToken) -> Self {
        Self { token: Secret::new(token.token.secret()), expires_on: token.expires_on }
    }
}

impl TokenSource for IdentitySource {
    fn token<'a>(&'a self, request: &'a TokenRequest) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async move {
            let endpoint_override = match &self.credential {
                Credential::ManagedIdentity { endpoint, api_version, .. } => {
                    if request.tenant.is_some() {
                        let message = "a managed identity cannot get tokens of auxiliary tenants".to_owned();
                        return Err(TokenError::Credential { credential: self.kind(), message });
                    }
                    EndpointOverride { endpoint: endpoint.clone(), api_version: api_version.clone() }
                }
                _ => EndpointOverride::default(),
            };
            let wire = Wire {
                http: self.http.clone(),
                endpoint_override,
                claims: request.claims.clone(),
                seen: Arc::default(),
            };
            let token = match self.credential(request, &wire) {
                Ok(credential) => credential.get_token(&[request.scope.as_str()], None).await,
                Err(error) => Err(error),
            };
            let error = match token {
                Ok(token) => return Ok(token.into()),
                Err(error) => error,
            };
            if let Credential::AzureCli { tenant_id, .. } = &self.credential
                && let Some(tenant) = request.tenant.as_ref().or(tenant_id.as_ref())
            {
                return self.without_tenant(request, tenant, error).await.map(AccessToken::from);
            }
            let seen = lock(&wire.seen).take();
            Err(self.explain(&error, seen))
        })
    }
}

/// What `az account show` says of the account in use.
#[derive(Debug, Deserialize)]
struct CliAccount {
    #[serde(rename = "tenantId")]
    tenant_id: String,
    user: CliUser,
}

#[derive(Debug, Deserialize)]
struct CliUser {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "cloudShellID")]
    cloud_shell: bool,
}

impl CliAccount {
    /// Whether the CLI refuses to be told a tenant: its account is a managed identity, or that of Cloud Shell.
    fn takes_no_tenant(&self) -> bool {
        self.user.cloud_shell || ["systemAssignedIdentity", "userAssignedIdentity"].contains(&self.user.name.as_str())
    }
}

/// Where a managed identity is asked for its token, when not where the crate would.
#[derive(Debug, Clone, Default)]
struct EndpointOverride {
    endpoint: Option<String>,
    api_version: Option<String>,
}

impl EndpointOverride {
    /// Moves a request there.
    fn apply(&self, url: &Url) -> Result<Url, url::ParseError> {
        let mut moved = match &self.endpoint {
            Some(endpoint) => Url::parse(endpoint)?,
            None => url.clone(),
        };
        if let Some(version) = &self.api_version {
            let others: Vec<(String, String)> = url
                .query_pairs()
                .filter(|(name, _)| name != "api-version")
                .map(|(n, v)| (n.into(), v.into()))
                .collect();
            moved.query_pairs_mut().clear().append_pair("api-version", version).extend_pairs(others);
        } else {
            moved.set_query(url.query());
        }
        Ok(moved)
    }
}

/// The header in which an app or a function proves itself to its endpoint, as a machine does not have to.
const APP_SERVICE: &str = "x-identity-header";

/// What came back from the place tokens come from.
#[derive(Debug)]
enum Seen {
    Answer { status: u16, body: Vec<u8>, app_service: bool },
    Nothing { from: String, reason: NoAnswer, source: SharedSource },
}

/// The transport under one credential.
#[derive(Debug, Clone)]
struct Wire {
    http: reqwest::Client,
    endpoint_override: EndpointOverride,
    claims: Option<String>,
    seen: Arc<Mutex<Option<Seen>>>,
}

impl Wire {
    async fn execute(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let failed = |error: SharedSource| azure_core::Error::with_error(ErrorKind::Other, error, "request failed");
        let url = self.endpoint_override.apply(request.url()).map_err(|error| failed(Arc::new(error)))?;
        let method =
            request.method().as_str().parse().map_err(|error: http::method::InvalidMethod| failed(Arc::new(error)))?;
        let from = origin(&url);
        let mut outgoing = reqwest::Request::new(method, url);
        for (name, value) in request.headers().iter() {
            let name: http::HeaderName =
                name.as_str().parse().map_err(|error: http::header::InvalidHeaderName| failed(Arc::new(error)))?;
            let mut value: http::HeaderValue =
                value.as_str().parse().map_err(|error: http::header::InvalidHeaderValue| failed(Arc::new(error)))?;
            value.set_sensitive(true);
            outgoing.headers_mut().insert(name, value);
        }
        let app_service = outgoing.headers().contains_key(APP_SERVICE);
        let Body::Bytes(body) = request.body() else {
            return Err(azure_core::Error::with_message(ErrorKind::Other, "token requests have no streams"));
        };
        if !body.is_empty() {
            let mut body = body.to_vec();
            if let Some(claims) = &self.claims {
                let claims =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair("claims", claims).finish();
                body.extend_from_slice(format!("&{claims}").as_bytes());
            }
            *outgoing.body_mut() = Some(body.into());
        }
        match exchange(&self.http, outgoing).await {
            Ok(RawAnswer { status, headers, body }) => {
                *lock(&self.seen) = Some(Seen::Answer { status: status.as_u16(), body: body.clone(), app_service });
                let mut copied = Headers::new();
                for (name, value) in &headers {
                    if let Ok(value) = value.to_str() {
                        copied.insert(name.as_str().to_owned(), value.to_owned());
                    }
                }
                Ok(AsyncRawResponse::from_bytes(StatusCode::from(status.as_u16()), copied, body))
            }
            Err(error) => {
                let reason = NoAnswer::of(&error);
                let source: SharedSource = Arc::new(error.without_url());
                *lock(&self.seen) = Some(Seen::Nothing { from, reason, source: source.clone() });
                // Not `Io`, which the crate would repeat in its own way where it is a machine's identity endpoint.
                Err(failed(source))
            }
        }
    }
}

impl HttpClient for Wire {
    fn execute_request<'a, 'b, 'c>(
        &'a self,
        request: &'b Request,
    ) -> std::pin::Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.execute(request))
    }
}

/// Runs the Azure CLI so that it ends when nobody waits for it any more.
#[derive(Debug)]
struct KilledOnDrop;

impl Executor for KilledOnDrop {
    fn run<'a, 'b, 'c, 'd, 'e>(
        &'a self,
        program: &'b OsStr,
        args: &'c [&'d OsStr],
    ) -> std::pin::Pin<Box<dyn Future<Output = io::Result<Output>> + Send + 'e>>
    where
        'a: 'e,
        'b: 'e,
        'c: 'e,
        'd: 'e,
        Self: 'e,
    {
        Box::pin(async move {
            tokio::process::Command::new(program)
                .args(args)
                .stdin(std::process::Stdio::null())
                .kill_on_drop(true)
                .output()
                .await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Azure CLI that notes its command line and says what it was told to.
    #[derive(Debug, Default)]
    struct FakeCli {
        status: i32,
        stdout: String,
        stderr: &'static str,
        commands: Mutex<Vec<String>>,
    }

    impl Executor for FakeCli {
        fn run<'a, 'b, 'c, 'd, 'e>(
            &'a self,
            _program: &'b OsStr,
            args: &'c [&'d OsStr],
        ) -> std::pin::Pin<Box<dyn Future<Output = io::Result<Output>> + Send + 'e>>
        where
            'a: 'e,
            'b: 'e,
            'c: 'e,
            'd: 'e,
            Self: 'e,
        {
            use std::os::unix::process::ExitStatusExt;
            lock(&self.commands).push(args.last().unwrap().to_str().unwrap().to_owned());
            let status = std::process::ExitStatus::from_raw(self.status << 8);
            let (stdout, stderr) = (self.stdout.clone().into_bytes(), self.stderr.as_bytes().to_vec());
            Box::pin(async move { Ok(Output { status, stdout, stderr }) })
        }
    }

    fn source(cli: &Arc<FakeCli>, tenant: Option<&str>, subscription: Option<&str>) -> IdentitySource {
        IdentitySource {
            credential: Credential::AzureCli {
                tenant_id: tenant.map(Into::into),
                subscription_id: subscription.map(Into::into),
            },
            authority: Url::parse("https://login.test").unwrap(),
            http: reqwest::Client::builder().tls_certs_only([]).build().unwrap(),
            cli: cli.clone(),
        }
    }

    fn request(tenant: Option<&str>) -> TokenRequest {
        TokenRequest { scope: "https://arm.test/.default".into(), tenant: tenant.map(Into::into), claims: None }
    }

    #[tokio::test]
    async fn the_azure_cli_is_asked_for_the_scope_in_the_right_tenant() {
        let stdout = r#"{"accessToken":"abc","expires_on":1767225600,"tokenType":"Bearer"}"#.to_owned();
        let cli = Arc::new(FakeCli { stdout, ..FakeCli::default() });
        let token = source(&cli, None, Some("sub")).token(&request(None)).await.unwrap();
        assert_eq!((token.token.reveal(), token.expires_on.unix_timestamp()), ("abc", 1_767_225_600));
        source(&cli, Some("home"), Some("sub")).token(&request(None)).await.unwrap();
        source(&cli, Some("home"), None).token(&request(Some("other"))).await.unwrap();
        let commands = lock(&cli.commands);
        let tail = |n: usize| commands[n].split("--scope ").nth(1).unwrap().to_owned();
        assert_eq!(tail(0), "https://arm.test/.default --subscription \"sub\"");
        assert_eq!(tail(1), "https://arm.test/.default --tenant home");
        assert_eq!(tail(2), "https://arm.test/.default --tenant other");
    }

    #[tokio::test]
    async fn an_azure_cli_that_is_missing_or_signed_out_is_said_in_its_words_with_advice() {
        for (status, stderr, said) in [
            (127, "sh: az: not found", "az not found on PATH"),
            (1, "ERROR: Please run 'az login'\n", "Please run 'az login'"),
        ] {
            let cli = Arc::new(FakeCli { status, stderr, ..FakeCli::default() });
            let error = source(&cli, None, None).token(&request(None)).await.unwrap_err();
            assert!(matches!(&error, TokenError::AzureCli { message } if message.contains(said)), "{error:?}");
            assert!(error.hint().unwrap().contains("az login") && !error.is_transient());
        }
    }

    #[test]
    fn the_endpoint_of_an_app_is_asked_again_and_that_of_a_machine_was() {
        let credential = Credential::ManagedIdentity { client_id: None, endpoint: None, api_version: None };
        let source = IdentitySource { credential, ..source(&Arc::default(), None, None) };
        let error = azure_core::Error::with_message(ErrorKind::Credential, "no token");
        for (status, app_service, transient) in
            [(429, true, true), (503, true, true), (400, true, false), (200, true, false), (503, false, false)]
        {
            let seen = Seen::Answer { status, body: b"busy".to_vec(), app_service };
            assert_eq!(source.explain(&error, Some(seen)).is_transient(), transient, "{status} {app_service}");
        }
    }

    #[tokio::test]
    async fn an_app_is_known_by_what_it_proves_itself_with() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let _ = socket.read(&mut [0; 4096]).await.unwrap();
                socket.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
            }
        });
        for (header, expected) in [("x-identity-header", true), ("metadata", false)] {
            let wire = Wire {
                http: source(&Arc::default(), None, None).http,
                endpoint_override: EndpointOverride::default(),
                claims: None,
                seen: Arc::default(),
            };
            let mut request = Request::new(url.clone(), azure_core::http::Method::Get);
            request.insert_header(header, "proof");
            wire.execute(&request).await.unwrap();
            let seen = lock(&wire.seen).take();
            assert!(matches!(seen, Some(Seen::Answer { status: 503, app_service, .. }) if app_service == expected));
        }
    }

    #[test]
    fn a_managed_identity_can_be_asked_elsewhere_and_otherwise() {
        let url = Url::parse("http://169.254.169.254/metadata/identity/oauth2/token?api-version=2019-08-01&resource=r")
            .unwrap();
        let apply = |endpoint: Option<&str>, version: Option<&str>| {
            let endpoint_override =
                EndpointOverride { endpoint: endpoint.map(Into::into), api_version: version.map(Into::into) };
            endpoint_override.apply(&url).unwrap().to_string()
        };
        assert_eq!(apply(None, None), url.as_str());
        assert_eq!(
            apply(Some("http://localhost:50342/oauth2/token"), None),
            "http://localhost:50342/oauth2/token?api-version=2019-08-01&resource=r"
        );
        assert_eq!(
            apply(None, Some("2018-02-01")),
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r"
        );
    }
}
