//! The emulator as a program of its own: its command line, its files, and its end.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::{Certificate, Method};
use serde_json::{Value, json};

use super::client::{Reply, arm, read, send};
use crate::support::example;

/// The program while it runs, and the environment that it printed.
struct Program {
    child: Child,
    environment: HashMap<String, String>,
    http: reqwest::Client,
}

impl Program {
    /// Starts it and waits until it says that it is ready.
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let file = folder.join("environment");
        let mut child = Command::new(example("emulator"))
            .args(arguments)
            .arg("--env-file")
            .arg(&file)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the emulator starts");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let lines: Vec<String> = lines.map_while(Result::ok).take_while(|line| line != "ready").collect();
        let written = std::fs::read_to_string(&file).expect("the environment");
        assert_eq!(written.lines().collect::<Vec<_>>(), lines, "the file has what was printed");
        let pairs = lines.iter().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
        let environment: HashMap<_, _> =
            pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect();
        let pem = std::fs::read(&environment["SSL_CERT_FILE"]).expect("the CA's certificate");
        let certificate = Certificate::from_pem(&pem).expect("a certificate");
        let http = reqwest::Client::builder().tls_certs_only([certificate]).no_proxy().build().expect("a client");
        Self { child, environment, http }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.environment["ARM_RESOURCE_MANAGER_ENDPOINT"])
    }

    /// A call with a token of its own.
    async fn call(&self, method: Method, path: &str, body: Value) -> Reply {
        let variable = |name: &str| self.environment[name].as_str();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", variable("ARM_CLIENT_ID"))
            .append_pair("client_secret", variable("ARM_CLIENT_SECRET"))
            .append_pair("scope", &self.url("/.default"))
            .finish();
        let token = self.http.post(self.url(&format!("/{}/oauth2/v2.0/token", variable("ARM_TENANT_ID"))));
        let token = read(token.header("content-type", "application/x-www-form-urlencoded").body(form)).await;
        let token = token.at("/access_token").as_str().expect("a token").to_owned();
        let request = self.http.request(method, self.url(path)).bearer_auth(token);
        read(if body.is_null() { request } else { request.body(body.to_string()) }).await
    }

    /// Asks it to end, and waits until it has.
    fn end(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        assert!(self.child.wait().expect("an end").success(), "it ends well when it is asked to");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only a test that failed leaves it running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `--seed`, `--state`, `--latency` and the environment, across a restart.
#[tokio::test]
async fn the_program_plants_its_seed_and_keeps_its_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = "storage_accounts: [{ name: seeded }]\nworkspaces: [{ name: hub1, kind: Hub, properties: { storageAccount: seeded } }]\n";
    std::fs::write(folder.path().join("seed.yaml"), seed).expect("a seed");
    let arguments = [
        "--seed",
        "seed.yaml",
        "--state",
        "state.json",
        "--latency",
        "1ms",
        "--operation-time",
        "1h",
        "--lro",
        "202-async",
    ];
    let group = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1/providers";
    let hub = format!("{group}/Microsoft.MachineLearningServices/workspaces/hub1?api-version=2025-06-01");
    let account = format!("{group}/Microsoft.Storage/storageAccounts/seeded?api-version=2023-05-01");

    let program = Program::start(folder.path(), &arguments);
    let flag = json!({ "properties": { "allowSharedKeyAccess": false } });
    assert_eq!(program.call(Method::PATCH, &account, flag).await.status, 200);
    let change = json!({ "properties": { "systemDatastoresAuthMode": "identity" } });
    assert_eq!(program.call(Method::PATCH, &hub, change).await.status, 202);
    let mode = "/properties/systemDatastoresAuthMode";
    assert_eq!(program.call(Method::GET, &hub, Value::Null).await.at(mode), "accesskey");
    assert_eq!(program.call(Method::POST, "/_emulator/clock/advance?by=59m", Value::Null).await.status, 200);
    program.end();

    // The seed is not planted over what has become of it, and the operation has a minute to go still.
    let program = Program::start(folder.path(), &arguments);
    let flag = program.call(Method::GET, &account, Value::Null).await.at("/properties/allowSharedKeyAccess");
    assert_eq!(flag, false);
    assert_eq!(program.call(Method::GET, &hub, Value::Null).await.at(mode), "accesskey");
    assert_eq!(program.call(Method::POST, "/_emulator/clock/advance?by=1m", Value::Null).await.status, 200);
    assert_eq!(program.call(Method::GET, &hub, Value::Null).await.at(mode), "identity");
    let endpoint = program.call(Method::GET, &account, Value::Null).await.at("/properties/primaryEndpoints/blob");
    assert_eq!(endpoint, program.url("/storage/seeded/"), "where it is now, not where it was");
    program.end();
}

/// `--sign-in` chooses what the environment signs in with.
#[test]
fn the_program_prints_how_to_sign_in() {
    let folder = tempfile::tempdir().expect("a folder");
    for (how, variable) in [
        ("secret", "ARM_CLIENT_SECRET"),
        ("github", "ACTIONS_ID_TOKEN_REQUEST_URL"),
        ("azure-devops", "SYSTEM_OIDCREQUESTURI"),
        ("virtual-machine", "ARM_MSI_ENDPOINT"),
        ("app-service", "IDENTITY_ENDPOINT"),
    ] {
        let program = Program::start(folder.path(), &["--sign-in", how]);
        let known = |name: &str| program.environment.contains_key(name);
        assert!(known(variable) && known("ARM_CLIENT_ID"), "{how}: {:?}", program.environment);
        assert_eq!(known("ARM_CLIENT_SECRET"), how == "secret", "{how}");
        program.end();
    }
}

/// What the command line cannot mean ends the program with a reason.
#[test]
fn the_program_says_what_is_wrong_with_its_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("broken.yaml"), "storage_accounts: 7").expect("a seed");
    std::fs::write(folder.path().join("broken.json"), "{").expect("a state");
    for (arguments, reason) in [
        (["--seed", "missing.yaml"], "missing.yaml"),
        (["--seed", "broken.yaml"], "broken.yaml"),
        (["--state", "broken.json"], "broken.json"),
        (["--lro", "299"], "299"),
        (["--latency", "soon"], "soon"),
        (["--fault", "GET /x"], "METHOD PATH -> ACTION"),
    ] {
        let ran = Command::new(example("emulator")).args(arguments).current_dir(folder.path()).output().expect("a run");
        assert!(!ran.status.success(), "{arguments:?}");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(said.contains(reason), "{arguments:?}: {said}");
    }
}

/// `--latency` holds every answer back, and is no property of the connection.
#[tokio::test]
async fn latency_holds_answers_back() {
    let arm = arm().await;
    let latency = |time| arm.emulator.configure(|options| options.latency = time);
    latency(std::time::Duration::from_secs(3600));
    let (path, account) = (arm.hub_path(), arm.account_path());
    let held = send(arm.request(Method::GET, &path, Value::Null));
    let look = async {
        let seen = arm.emulator.request_seen(|record| record.path == arm.hub).await;
        assert_eq!(seen.status, None);
        latency(std::time::Duration::from_millis(1));
        assert_eq!(arm.get(&account).await.status, 200, "an answer that came later is there first");
        let seen = arm.emulator.request_seen(|record| record.path == arm.hub).await;
        assert_eq!(seen.status, None, "the one before is still held");
        arm.emulator.hang_up();
    };
    let (cut, ()) = tokio::join!(held, look);
    assert!(cut.is_err());
}
