//! The account that is signed in to the Azure CLI.

use super::entra::innermost;
use super::{AccessToken, Network, TokenError, TokenRequest, TokenSource};
use crate::arm::files;
use azure_core::credentials::TokenCredential as _;
use azure_identity::{AzureCliCredential, AzureCliCredentialOptions, Executor};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{
    ffi::OsStr,
    io,
    pin::Pin,
    process::{Output, Stdio},
};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use uuid::Uuid;

/// What is said of output that is not quoted, since what it has may be a token.
const NO_TOKEN: &str = "its answer has no token in it that can be read";

/// Signs in as the account of the Azure CLI.
#[derive(Debug, Clone)]
pub struct AzureCli {
    /// The tenant, when not the CLI's own default.
    pub tenant_id: Option<String>,
    /// The subscription whose account to use, when not the CLI's current one. The CLI refuses it beside a tenant.
    pub subscription_id: Option<String>,
    runner: Arc<dyn Executor>,
}

impl AzureCli {
    /// Signs in with the account of this subscription or this tenant.
    pub fn new(tenant_id: Option<String>, subscription_id: Option<String>) -> Self {
        Self { tenant_id, subscription_id, runner: Arc::new(KilledOnDrop) }
    }

    /// Runs the CLI for a token.
    async fn run(
        &self,
        scope: &str,
        tenant_id: Option<String>,
        subscription: Option<String>,
    ) -> Result<azure_core::credentials::AccessToken, TokenError> {
        let executor = Arc::new(RecordsSuccess { runner: self.runner.clone(), succeeded: AtomicBool::new(false) });
        let options = AzureCliCredentialOptions { tenant_id, subscription, executor: Some(executor.clone()) };
        let token = match AzureCliCredential::new(Some(options)) {
            Ok(credential) => credential.get_token(&[scope], None).await,
            Err(error) => Err(error),
        };
        token.map_err(|error| TokenError::AzureCli {
            message: match executor.succeeded.load(Ordering::Relaxed) {
                true => NO_TOKEN.to_owned(),
                false => innermost(&error),
            },
        })
    }

    /// Runs the CLI again without a tenant, if it refused the first time because its account accepts none.
    async fn run_without_tenant(
        &self,
        request: &TokenRequest,
        tenant: &str,
        refused: TokenError,
    ) -> Result<azure_core::credentials::AccessToken, TokenError> {
        let account = self.account().await.filter(CliAccount::takes_no_tenant);
        let Some(CliAccount { tenant_id: own, .. }) = account else { return Err(refused) };
        // A tenant may be configured by its domain, which the account does not have.
        let by_domain = request.tenant.is_none() && Uuid::try_parse(tenant).is_err();
        if !by_domain && !tenant.eq_ignore_ascii_case(&own) {
            let message = format!(
                "it is signed in with a managed identity or in Cloud Shell, to the tenant {own}, and gives no tokens of the \
                 tenant {tenant}. Unset tenant_id (ARM_TENANT_ID) and auxiliary_tenant_ids if {own} is meant, or sign in as \
                 somebody else with az login --tenant {tenant}"
            );
            return Err(TokenError::Credential { credential: "Azure CLI", message });
        }
        self.run(&request.scope, None, None).await
    }

    /// The account that the Azure CLI uses.
    async fn account(&self) -> Option<CliAccount> {
        let (shell, switch, folder) =
            if cfg!(windows) { ("cmd", "/C", "%SYSTEMROOT%") } else { ("/bin/sh", "-c", "/bin") };
        // As the crate does, so that no program of the working directory is run instead of the CLI.
        let command = format!("cd {folder} && az account show -o json");
        let output = self.runner.run(OsStr::new(shell), &[OsStr::new(switch), OsStr::new(&command)]).await.ok()?;
        serde_json::from_slice(&output.stdout).ok()
    }
}

impl TokenSource for AzureCli {
    fn token<'a>(
        &'a self,
        request: &'a TokenRequest,
        network: &'a Network,
    ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
        Box::pin(async {
            if request.claims.is_some() {
                let message = "Azure wants a token that meets a claims challenge, as after a change of a Conditional Access \
                               policy or a session that was revoked, and the CLI is not asked for such a token. Sign in to \
                               it anew with az logout and az login";
                return Err(TokenError::Credential { credential: "Azure CLI", message: message.to_owned() });
            }
            let tenant = request.tenant.clone().or_else(|| self.tenant_id.clone());
            let subscription = if tenant.is_some() { None } else { self.subscription_id.clone() };
            let token = match (self.run(&request.scope, tenant.clone(), subscription).await, tenant) {
                (Err(refused), Some(tenant)) => self.run_without_tenant(request, &tenant, refused).await,
                (token, _) => token,
            };
            AccessToken::by_clock(&token?, network).ok_or_else(|| TokenError::AzureCli { message: NO_TOKEN.to_owned() })
        })
    }

    /// Somebody may sign in to it in another shell.
    fn may_change(&self) -> bool {
        true
    }

    fn subscription(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async {
            match &self.subscription_id {
                Some(id) => Some(id.clone()),
                None => self.account().await.map(|account| account.subscription_id).filter(|id| !id.is_empty()),
            }
        })
    }
}

/// The output of `az account show`: the account in use.
#[derive(Debug, Deserialize)]
struct CliAccount {
    #[serde(rename = "id", default)]
    subscription_id: String,
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
    /// Whether the CLI accepts no tenant: its account is a managed identity, or that of Cloud Shell.
    fn takes_no_tenant(&self) -> bool {
        self.user.cloud_shell || ["systemAssignedIdentity", "userAssignedIdentity"].contains(&self.user.name.as_str())
    }
}

/// Runs the Azure CLI, and kills it when its result is no longer awaited.
#[derive(Debug)]
struct KilledOnDrop;

impl Executor for KilledOnDrop {
    fn run<'a, 'b, 'c, 'd, 'e>(
        &'a self,
        program: &'b OsStr,
        args: &'c [&'d OsStr],
    ) -> Pin<Box<dyn Future<Output = io::Result<Output>> + Send + 'e>>
    where
        'a: 'e,
        'b: 'e,
        'c: 'e,
        'd: 'e,
        Self: 'e,
    {
        Box::pin(async move {
            let mut command = tokio::process::Command::new(program);
            command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
            let mut child = files::off_the_runtime(move || command.spawn()).await??;
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            let (stdout, stderr, status) = tokio::try_join!(read(stdout), read(stderr), child.wait())?;
            Ok(Output { status, stdout, stderr })
        })
    }
}

/// Reads what the CLI says: a token, an account or an error, none of which is large.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(files::LIMIT + 1).read_to_end(&mut content).await?;
    }
    if content.len() as u64 > files::LIMIT {
        let message = format!("its output is larger than {} KiB", files::LIMIT >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(content)
}

/// Runs the Azure CLI and records whether it succeeded: its output then has a token in it and must not be quoted.
#[derive(Debug)]
struct RecordsSuccess {
    runner: Arc<dyn Executor>,
    succeeded: AtomicBool,
}

impl Executor for RecordsSuccess {
    fn run<'a, 'b, 'c, 'd, 'e>(
        &'a self,
        program: &'b OsStr,
        args: &'c [&'d OsStr],
    ) -> Pin<Box<dyn Future<Output = io::Result<Output>> + Send + 'e>>
    where
        'a: 'e,
        'b: 'e,
        'c: 'e,
        'd: 'e,
        Self: 'e,
    {
        Box::pin(async move {
            let output = self.runner.run(program, args).await?;
            self.succeeded.store(output.status.success(), Ordering::Relaxed);
            Ok(output)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::{auth::HttpClients, call::SystemClock, lock::lock};
    use std::sync::Mutex;
    use url::Url;

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
        ) -> Pin<Box<dyn Future<Output = io::Result<Output>> + Send + 'e>>
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

    fn network() -> Network {
        let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let authority = Url::parse("https://login.test").unwrap();
        Network {
            authority,
            clients: HttpClients::new(http, || unreachable!("nobody is asked")),
            clock: Arc::new(SystemClock),
        }
    }

    fn source(runner: &Arc<FakeCli>, tenant: Option<&str>, subscription: Option<&str>) -> AzureCli {
        let (tenant_id, subscription_id) = (tenant.map(Into::into), subscription.map(Into::into));
        AzureCli { tenant_id, subscription_id, runner: runner.clone() }
    }

    fn request(tenant: Option<&str>) -> TokenRequest {
        TokenRequest { scope: "https://arm.test/.default".into(), tenant: tenant.map(Into::into), claims: None }
    }

    #[tokio::test]
    async fn the_azure_cli_is_asked_for_the_scope_in_the_right_tenant() {
        let ends = time::OffsetDateTime::now_utc().unix_timestamp() + 3600;
        let stdout = format!(r#"{{"accessToken":"abc","expires_on":{ends},"tokenType":"Bearer"}}"#);
        let (cli, network) = (Arc::new(FakeCli { stdout, ..FakeCli::default() }), network());
        let token = source(&cli, None, Some("sub")).token(&request(None), &network).await.unwrap();
        assert_eq!(token.token.reveal(), "abc");
        assert!((token.expires_on.unix_timestamp() - ends).abs() <= 1);
        source(&cli, Some("home"), Some("sub")).token(&request(None), &network).await.unwrap();
        source(&cli, Some("home"), None).token(&request(Some("other")), &network).await.unwrap();
        let commands = lock(&cli.commands);
        let tail = |n: usize| commands[n].split("--scope ").nth(1).unwrap().to_owned();
        assert_eq!(tail(0), "https://arm.test/.default --subscription \"sub\"");
        assert_eq!(tail(1), "https://arm.test/.default --tenant home");
        assert_eq!(tail(2), "https://arm.test/.default --tenant other");
    }

    #[tokio::test]
    async fn the_subscription_is_the_configured_one_or_that_of_the_account() {
        let stdout = r#"{"id":"sub1","tenantId":"t","user":{"name":"alice"}}"#.to_owned();
        let cli = Arc::new(FakeCli { stdout, ..FakeCli::default() });
        assert_eq!(source(&cli, None, Some("sub2")).subscription().await.as_deref(), Some("sub2"));
        assert!(lock(&cli.commands).is_empty());
        assert_eq!(source(&cli, Some("t"), None).subscription().await.as_deref(), Some("sub1"));
        let signed_out = Arc::new(FakeCli { status: 1, ..FakeCli::default() });
        assert_eq!(source(&signed_out, None, None).subscription().await, None);
    }

    #[tokio::test]
    async fn the_azure_cli_is_not_asked_for_what_it_cannot_be_told() {
        let cli = Arc::<FakeCli>::default();
        let challenged = TokenRequest { claims: Some("{}".into()), ..request(None) };
        let error = source(&cli, None, None).token(&challenged, &network()).await.unwrap_err().to_string();
        assert!(error.contains("claims challenge") && error.contains("az login"), "{error}");
        assert!(lock(&cli.commands).is_empty());
    }

    #[tokio::test]
    async fn an_azure_cli_that_gives_no_token_is_said_with_advice_and_no_answer_is_quoted() {
        for (status, stdout, stderr, said) in [
            (127, "", "sh: az: not found", "az not found on PATH"),
            (1, "", "ERROR: Please run 'az login'\n", "Please run 'az login'"),
            (0, r#"{"accessToken":{"planted":1},"expires_on":"planted"}"#, "", "no token in it"),
            (0, "planted", "", "no token in it"),
        ] {
            let cli = Arc::new(FakeCli { status, stderr, stdout: stdout.to_owned(), ..FakeCli::default() });
            let error = source(&cli, None, None).token(&request(None), &network()).await.unwrap_err();
            assert!(matches!(&error, TokenError::AzureCli { message } if message.contains(said)), "{error:?}");
            assert!(error.hint().unwrap().contains("az login") && !error.is_transient());
            assert!(!format!("{error:?}").contains("planted"));
        }
    }

    #[tokio::test]
    async fn an_output_without_an_end_is_not_kept() {
        let run = async |script: &str| KilledOnDrop.run("/bin/sh".as_ref(), &["-c".as_ref(), script.as_ref()]).await;
        assert_eq!(run("exec yes").await.unwrap_err().to_string(), "its output is larger than 1024 KiB");
        let output = run("echo a; echo b >&2; exit 3").await.unwrap();
        assert_eq!((output.status.code(), &*output.stdout, &*output.stderr), (Some(3), &b"a\n"[..], &b"b\n"[..]));
    }
}
