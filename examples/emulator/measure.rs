//! `--measure`: how many GETs a second the emulator answers with 10,000 role assignments in store, client included.
//! Then how long a seed of 5,000 hubs takes. It must never be what a benchmark of something else measures, so that fewer than [`ENOUGH`] of any kind is a failure.
//! Run it in release mode.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::arm::{Emulator, Options};
use crate::say;

const ACCOUNTS: usize = 100;
const PER_ACCOUNT: usize = 100;
const CONNECTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(5);
/// How long a seed of 5,000 hubs may take.
const SEED_TIME: Duration = Duration::from_secs(1);
/// GETs a second, of each kind.
const ENOUGH: f64 = 2000.0;

/// Measures and prints a line per kind of GET.
///
/// # Errors
/// When a kind is answered too seldom.
pub(crate) async fn run(options: Options) -> Result<()> {
    let emulator = Emulator::start(options).await?;
    let account = |n: usize| emulator.id("rg1", "Microsoft.Storage/storageAccounts", &format!("account{n}"));
    let mut name = String::new();
    for n in 0..ACCOUNTS {
        emulator.seed_storage_account(&account(n), json!({}));
        for principal in 0..PER_ACCOUNT {
            let principal = format!("aaaaaaaa-0000-0000-0000-{principal:012}");
            name = emulator.seed_assignment(&account(n), &principal, "Storage Blob Data Contributor");
        }
    }
    let hub = emulator.id("rg1", "Microsoft.MachineLearningServices/workspaces", "hub1");
    emulator.seed_hub(&hub, &account(0), json!({}));
    let assignments = "providers/Microsoft.Authorization/roleAssignments";
    let last = account(ACCOUNTS - 1);
    let list = format!("{last}/{assignments}?api-version=2022-04-01&$filter");
    let mut slow = Vec::new();
    for (what, path) in [
        ("hub", format!("{hub}?api-version=2025-06-01")),
        ("storage account", format!("{last}?api-version=2023-05-01")),
        ("one role assignment", format!("{last}/{assignments}/{name}?api-version=2022-04-01")),
        ("list at a scope, 100 assignments", format!("{list}=atScope()")),
        ("list of one principal's", format!("{list}=principalId%20eq%20'aaaaaaaa-0000-0000-0000-000000000007'")),
        ("list of all it is assigned to", format!("{list}=assignedTo('aaaaaaaa-0000-0000-0000-000000000007')")),
    ] {
        let rate = measure(&emulator, &path).await?;
        emulator.clear_requests();
        say(&format!("{rate:>8.0} GET/s  {what}\n"));
        if rate < ENOUGH {
            slow.push(what);
        }
    }
    let start = Instant::now();
    emulator.seed("fleets: [{ hubs: 5000, groups: 20, modes: [identity, accesskey] }]");
    let took = start.elapsed();
    say(&format!("{:>8} ms     seed of 5,000 hubs in 20 groups\n", took.as_millis()));
    ensure!(took < SEED_TIME, "the seed took longer than {SEED_TIME:?}");
    ensure!(slow.is_empty(), "fewer than {ENOUGH} GETs a second: {}", slow.join(", "));
    Ok(())
}

async fn measure(emulator: &Emulator, path: &str) -> Result<f64> {
    let token = token(emulator).await?;
    let url = format!("{}{path}", emulator.url());
    let answered = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let workers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (client, url, token, answered) = (client(emulator), url.clone(), token.clone(), answered.clone());
            tokio::spawn(async move {
                let client = client?;
                while start.elapsed() < TIME {
                    get(&client, &url, &token).await?;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for worker in workers {
        worker.await.context("a worker")??;
    }
    Ok(answered.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64())
}

fn client(emulator: &Emulator) -> Result<reqwest::Client> {
    let pem = std::fs::read(emulator.ca_file()).context("reading the CA's certificate")?;
    let client = reqwest::Client::builder().tls_certs_only([reqwest::Certificate::from_pem(&pem)?]).no_proxy();
    Ok(client.build()?)
}

#[expect(clippy::disallowed_methods, reason = "this client must not share anything with the provider's own")]
async fn get(client: &reqwest::Client, url: &str, token: &str) -> Result<()> {
    let response = client.get(url).bearer_auth(token).send().await?.error_for_status()?;
    response.bytes().await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "this client must not share anything with the provider's own")]
async fn token(emulator: &Emulator) -> Result<String> {
    let environment = emulator.environment();
    let variable = |name: &str| environment.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", variable("ARM_CLIENT_ID"))
        .append_pair("client_secret", variable("ARM_CLIENT_SECRET"))
        .append_pair("scope", &format!("{}/.default", emulator.url()))
        .finish();
    let request = client(emulator)?
        .post(format!("{}/{}/oauth2/v2.0/token", emulator.url(), variable("ARM_TENANT_ID")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form);
    let answer: Value = serde_json::from_slice(&request.send().await?.error_for_status()?.bytes().await?)?;
    Ok(answer["access_token"].as_str().context("an answer with a token")?.to_owned())
}
