//! Runs that are longer than the life of tokens and assertions.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use foundryhub::arm::{
    Addresses, Call, Client, Clock, Endpoints, Settings, WorkspaceId, auth::GitHub, workspaces::AuthMode,
};
use futures_util::future::BoxFuture;
use serde_json::json;
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::bed::SignInBed;
use crate::{
    azure::{Emulator, Lro, Options},
    emulator::client::variable,
    support::engine::{Workspace, engines},
};

impl SignInBed {
    /// How many tokens were asked for; checks that each was bought with an assertion of its own and that none was refused.
    fn tokens(&self) -> usize {
        let requests = self.emulator.requests();
        assert!(requests.iter().all(|request| request.status != Some(401)), "{requests:#?}");
        let tokens = self.token_requests();
        let ids: BTreeSet<_> =
            tokens.iter().map(|token| token.body["client_assertion"]["claims"]["jti"].to_string()).collect();
        let issued = requests.iter().filter(|request| request.path == "/github/idtoken").count();
        assert_eq!((tokens.len(), ids.len()), (issued, issued), "{tokens:#?}");
        issued
    }
}

fn long_operations(time: u64, retry_after: u64, token: u64, assertion: u64) -> Options {
    Options {
        operation_time: Duration::from_secs(time),
        lro: Lro::Async,
        retry_after,
        token_lifetime: Duration::from_secs(token),
        assertion_lifetime: Duration::from_secs(assertion),
        ..Options::quick()
    }
}

/// Tokens of 10 s are renewed in the last third of their life, which polls meet every 2 s: that is every 8 s at the latest.
/// It takes its minute on one engine, since it is the provider's.
#[tokio::test]
async fn an_apply_of_a_minute_outlives_its_tokens_and_assertions() {
    let engine = engines().first().expect("an engine");
    let bed = SignInBed::with(long_operations(60, 2, 10, 20)).await;
    let (_, variables) = bed.as_written(&bed.given("GitHub OIDC"), false);
    let workspace = Workspace::new(engine).envs([bed.trust()]).envs(variables);
    let hub = format!("hub_id = \"{}\"\n  access_check = \"off\"", bed.hub());
    workspace.config(&format!("resource \"foundryhub_storage_auth\" \"hub\" {{\n  {hub}\n}}\n"));
    workspace.plan(&[]).await.exits(2);
    bed.emulator.clear_requests();
    let begun = bed.emulator.now();
    workspace.apply_planned().await.succeeded();
    let taken = bed.emulator.now() - begun;
    let tokens = bed.tokens();
    assert!(taken >= time::Duration::minutes(1), "{taken}");
    // A poll may be late on a busy machine. That none was refused has been checked.
    let least = usize::try_from(taken.whole_seconds() / 15).expect("a number");
    let most = usize::try_from(taken.whole_seconds() / 6).expect("a number") + 1;
    assert!((least..=most).contains(&tokens), "{tokens} tokens in {taken}");
}

/// A clock that a pause moves on, and the emulator's with it.
#[derive(Debug)]
struct SimulatedClock {
    emulator: Arc<Emulator>,
    passed: Mutex<Duration>,
}

impl Clock for SimulatedClock {
    fn now(&self) -> Instant {
        Instant::now() + *self.passed.lock().unwrap()
    }

    fn utc(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + *self.passed.lock().unwrap()
    }

    fn pause(&self, wait: Duration) -> BoxFuture<'_, ()> {
        *self.passed.lock().unwrap() += wait;
        self.emulator.advance(wait);
        Box::pin(async {})
    }
}

/// Tokens of 10 minutes are renewed after two thirds of their life, which polls meet every 10 s: at the beginning, and after
/// 400, 800, 1200 and 1600 of 1800 s.
#[tokio::test]
async fn an_operation_of_half_an_hour_outlives_its_tokens_and_assertions() {
    let bed = SignInBed::with(long_operations(1800, 10, 600, 300)).await;
    let url = bed.emulator.url();
    let addresses = Addresses::from(Endpoints::new(url, url, url).unwrap());
    let clock = Arc::new(SimulatedClock { emulator: bed.emulator.clone(), passed: Mutex::default() });
    let settings = Settings {
        extra_roots: vec![std::fs::read(bed.emulator.ca_file()).unwrap()],
        clock: clock.clone(),
        ..Settings::new(addresses)
    };
    let method = GitHub {
        tenant_id: variable(&bed.emulator, "ARM_TENANT_ID"),
        client_id: variable(&bed.emulator, "ARM_CLIENT_ID").as_str().into(),
        request_url: format!("{url}/github/idtoken?api-version=2.0").parse().unwrap(),
        request_token: "github-request-token".into(),
    };
    let client = Client::new(settings, Arc::new(method)).unwrap();
    let call = Call::new(CancellationToken::new(), Duration::from_secs(3600));
    let hub = WorkspaceId::parse(&bed.hub()).unwrap();
    client.set_auth_mode(&hub, &AuthMode::identity(), &call).await.unwrap();
    assert!(*clock.passed.lock().unwrap() >= Duration::from_secs(1790), "{clock:?}");
    assert_eq!(bed.tokens(), 5);
}

/// What is handed over once is good for as long as it lives; a file is looked at again.
#[tokio::test]
async fn a_file_that_is_kept_fresh_keeps_a_run_going() {
    let bed = SignInBed::with(long_operations(1800, 10, 600, 300)).await;
    let given = bed.given("OIDC token in a file");
    let path = bed.folder.path().join("oidc");
    let (block, variables) = bed.as_written(&given, true);
    let mut core = bed.core(block, &variables).in_one_process();
    let config = json!({ "hub_id": bed.hub(), "access_check": "off" });
    core.plan("foundryhub_storage_auth", "a", config.clone()).await.ok();
    bed.emulator.advance(Duration::from_secs(1000));
    core.plan("foundryhub_storage_auth", "a", config.clone()).await.error("AADSTS700024");
    std::fs::write(path, bed.assertion()).unwrap();
    core.plan("foundryhub_storage_auth", "a", config).await.ok();
}
