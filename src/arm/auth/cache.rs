//! The token cache: a token is fetched once for all callers, renewed before it expires, and at once when Azure refuses it.

use super::{AccessToken, HttpClients, Network, SignInFailure, TokenError, TokenRequest, TokenSource};
use crate::arm::call::{Clock, Limits};
use crate::arm::cloud_metadata::CloudMetadata;
use crate::arm::error::Error;
use crate::arm::in_flight::InFlight;
use crate::arm::lock::lock;
use crate::arm::secret::Secret;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use time::{Duration, OffsetDateTime};

/// How long a good token is used before its renewal is tried again after a failure, which may have been a timeout.
const RENEWAL_PAUSE: Duration = Duration::seconds(30);

/// A token in the cache.
#[derive(Debug, Clone)]
pub(crate) struct CachedToken {
    pub(crate) token: Secret,
    expires_on: OffsetDateTime,
    /// From when on a new one is fetched: five minutes before it expires, or after two thirds of a life under 15 minutes.
    renew_at: OffsetDateTime,
    /// Tells this token from those before and after it.
    serial: u64,
    /// What it was fetched with.
    claims: Option<String>,
}

impl CachedToken {
    /// Whether it is one that is wanted: a claims challenge is met only by a token that was fetched with those claims.
    fn meets(&self, wanted: &TokenNeed) -> bool {
        self.serial > wanted.newer_than && (wanted.claims.is_none() || self.claims == wanted.claims)
    }
}

/// The tokens of one client, by tenant: `None` is the method's own.
pub(crate) struct Tokens {
    method: Arc<dyn TokenSource>,
    cloud_metadata: Arc<CloudMetadata>,
    clients: HttpClients,
    clock: Arc<dyn Clock>,
    cached: Mutex<HashMap<Option<String>, Arc<CachedToken>>>,
    /// Final failures by tenant; not retried.
    failed: Mutex<HashMap<Option<String>, TokenError>>,
    /// Whether a failed sign-in has been reported to the user.
    reported: Arc<AtomicBool>,
    in_flight: InFlight<TokenNeed, Result<Arc<CachedToken>, Error>>,
    serial: AtomicU64,
}

/// Which token is wanted: of which tenant, newer than which, and with which claims.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct TokenNeed {
    tenant: Option<String>,
    newer_than: u64,
    claims: Option<String>,
}

impl Tokens {
    pub(crate) fn new(
        method: Arc<dyn TokenSource>,
        cloud_metadata: Arc<CloudMetadata>,
        clients: HttpClients,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            method,
            cloud_metadata,
            clients,
            clock,
            cached: Mutex::default(),
            failed: Mutex::default(),
            reported: Arc::default(),
            in_flight: InFlight::default(),
            serial: AtomicU64::new(1),
        }
    }

    /// The subscription that the method knows, if it does.
    pub(crate) async fn subscription(&self) -> Option<String> {
        self.method.subscription().await
    }

    /// A token that does not expire during a request.
    pub(crate) async fn get(&self, tenant: Option<&str>, limits: &Limits<'_>) -> Result<Arc<CachedToken>, Error> {
        self.want(TokenNeed { tenant: tenant.map(str::to_owned), newer_than: 0, claims: None }, limits).await
    }

    /// A newer token than the one that was refused. Callers whose requests were refused with the same token share one renewal.
    pub(crate) async fn renew(
        &self,
        tenant: Option<&str>,
        refused: &CachedToken,
        claims: Option<String>,
        limits: &Limits<'_>,
    ) -> Result<Arc<CachedToken>, Error> {
        self.want(TokenNeed { tenant: tenant.map(str::to_owned), newer_than: refused.serial, claims }, limits).await
    }

    async fn want(&self, wanted: TokenNeed, limits: &Limits<'_>) -> Result<Arc<CachedToken>, Error> {
        let ready = || {
            let cached = lock(&self.cached).get(&wanted.tenant).cloned()?;
            (cached.meets(&wanted) && self.clock.utc() < cached.renew_at).then_some(cached)
        };
        let work = || async {
            let known = lock(&self.failed).get(&wanted.tenant).cloned();
            let fetched = match known {
                Some(error) => Err(error),
                None => self.fetch(&wanted, limits).await?,
            };
            match fetched {
                Ok(token) => Ok(Arc::new(self.numbered(token, wanted.claims.clone()))),
                Err(error) => self.or_cached(&wanted, error),
            }
        };
        let store = |cached: Arc<CachedToken>| {
            let mut kept = lock(&self.cached);
            // Another call may have fetched a newer one than the one that is kept for want of it.
            if kept.get(&wanted.tenant).is_none_or(|other| other.serial <= cached.serial) {
                kept.insert(wanted.tenant.clone(), cached.clone());
            }
            cached
        };
        self.in_flight.join(wanted.clone(), limits, ready, work, store).await
    }

    async fn fetch(&self, wanted: &TokenNeed, limits: &Limits<'_>) -> Result<Result<AccessToken, TokenError>, Error> {
        let endpoints = match self.cloud_metadata.endpoints(limits).await {
            Ok(endpoints) => endpoints,
            Err(Error::Token(failure)) => return Ok(Err(failure.into_error())),
            Err(error) => return Err(error),
        };
        let request =
            TokenRequest { scope: endpoints.scope(), tenant: wanted.tenant.clone(), claims: wanted.claims.clone() };
        let network = Network {
            authority: endpoints.authority.clone(),
            clients: self.clients.clone(),
            clock: self.clock.clone(),
        };
        limits.bound(|| "signing in".to_owned(), None, self.method.token(&request, &network)).await
    }

    /// The token with its serial number and the time to renew it.
    fn numbered(&self, token: AccessToken, claims: Option<String>) -> CachedToken {
        let life: Duration = token.expires_on - self.clock.utc();
        let margin = (life / 3_i32).clamp(Duration::ZERO, Duration::minutes(5));
        CachedToken {
            token: token.token,
            expires_on: token.expires_on,
            renew_at: token.expires_on - margin,
            serial: self.serial.fetch_add(1, Ordering::Relaxed),
            claims,
        }
    }

    /// Renewing before the end is a precaution: while the old token is good, it does, whatever the failure is. A failure is
    /// remembered only where there is no such token and a further request would end the same way.
    fn or_cached(&self, wanted: &TokenNeed, error: TokenError) -> Result<Arc<CachedToken>, Error> {
        let old = lock(&self.cached).get(&wanted.tenant).cloned();
        match old {
            Some(old) if old.meets(wanted) && self.clock.utc() < old.expires_on => {
                tracing::debug!(error = &error as &dyn std::error::Error, "keeping a token that could not be renewed");
                let renew_at = (self.clock.utc() + RENEWAL_PAUSE).min(old.expires_on);
                Ok(Arc::new(CachedToken { renew_at, ..(*old).clone() }))
            }
            _ => {
                if error.is_final() && !self.method.may_change() && wanted.claims.is_none() {
                    lock(&self.failed).insert(wanted.tenant.clone(), error.clone());
                }
                Err(Error::Token(SignInFailure::new(error, wanted.tenant.clone(), self.reported.clone())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::auth::EntraError;
    use crate::arm::call::Call;
    use crate::arm::cloud::Cloud;
    use crate::arm::no_answer::{NoAnswer, SharedSource};
    use crate::arm::token_error::Proof;
    use futures_util::future::BoxFuture;
    use time::macros::datetime;
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    #[derive(Debug)]
    struct SetClock(Mutex<OffsetDateTime>);

    impl SetClock {
        fn pass(&self, time: Duration) {
            *lock(&self.0) += time;
        }
    }

    impl Clock for SetClock {
        fn now(&self) -> Instant {
            Instant::now()
        }

        fn utc(&self) -> OffsetDateTime {
            *lock(&self.0)
        }

        fn pause(&self, _: std::time::Duration) -> BoxFuture<'_, ()> {
            Box::pin(async {})
        }
    }

    /// Gives tokens named by their number.
    #[derive(Debug)]
    struct Numbered {
        clock: Arc<SetClock>,
        life: Duration,
        given: Mutex<Vec<TokenRequest>>,
        down: Mutex<Option<TokenError>>,
        may_change: AtomicBool,
        failures: AtomicU64,
    }

    impl TokenSource for Numbered {
        fn token<'a>(
            &'a self,
            request: &'a TokenRequest,
            _: &'a Network,
        ) -> BoxFuture<'a, Result<AccessToken, TokenError>> {
            Box::pin(async move {
                tokio::task::yield_now().await;
                if let Some(error) = lock(&self.down).clone() {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    return Err(error);
                }
                lock(&self.given).push(request.clone());
                let token = lock(&self.given).len().to_string().into();
                Ok(AccessToken { token, expires_on: self.clock.utc() + self.life })
            })
        }

        fn may_change(&self) -> bool {
            self.may_change.load(Ordering::Relaxed)
        }
    }

    fn tokens(life: Duration) -> (Tokens, Arc<Numbered>, Arc<SetClock>, Call) {
        let clock = Arc::new(SetClock(Mutex::new(datetime!(2026-01-01 00:00:00 UTC))));
        let source = Arc::new(Numbered {
            clock: clock.clone(),
            life,
            given: Mutex::default(),
            down: Mutex::default(),
            may_change: AtomicBool::default(),
            failures: AtomicU64::default(),
        });
        let call = Call::new(CancellationToken::new(), std::time::Duration::from_secs(60));
        let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let cloud_metadata = Arc::new(CloudMetadata::new(Cloud::Public.endpoints().into(), http.clone()));
        let clients = HttpClients::new(http, || unreachable!("nobody is near"));
        (Tokens::new(source.clone(), cloud_metadata, clients, clock.clone()), source, clock, call)
    }

    #[tokio::test]
    async fn a_token_is_renewed_five_minutes_or_a_third_of_its_life_before_its_end() {
        for (life, kept_until) in
            [(Duration::hours(1), Duration::minutes(55)), (Duration::minutes(6), Duration::minutes(4))]
        {
            let (tokens, _, clock, call) = tokens(life);
            let limits = Limits { call: &call, clock: &*tokens.clock };
            assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "1");
            clock.pass(kept_until - Duration::SECOND);
            assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "1");
            clock.pass(Duration::SECOND);
            assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "2");
        }
    }

    #[tokio::test]
    async fn many_who_want_a_token_cause_one_request() {
        let (tokens, source, _, call) = tokens(Duration::HOUR);
        let limits = Limits { call: &call, clock: &*tokens.clock };
        let all = futures_util::future::join_all((0..20).map(|_| tokens.get(None, &limits))).await;
        let first = all[0].as_ref().unwrap().clone();
        assert!(all.iter().all(|cached| Arc::ptr_eq(cached.as_ref().unwrap(), &first)));
        let renewed = futures_util::future::join_all((0..20).map(|_| tokens.renew(None, &first, None, &limits))).await;
        assert!(renewed.iter().all(|cached| cached.as_ref().unwrap().token.reveal() == "2"));
        assert_eq!(tokens.renew(None, &first, None, &limits).await.unwrap().token.reveal(), "2", "already renewed");
        assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "2");
        assert_eq!(lock(&source.given).len(), 2);
    }

    #[tokio::test]
    async fn tenants_have_their_own_tokens_and_claims_are_passed_on() {
        let (tokens, source, _, call) = tokens(Duration::HOUR);
        let limits = Limits { call: &call, clock: &*tokens.clock };
        let own = tokens.get(None, &limits).await.unwrap();
        tokens.get(Some("other"), &limits).await.unwrap();
        tokens.renew(None, &own, Some("{}".into()), &limits).await.unwrap();
        let asked: Vec<_> = lock(&source.given).iter().map(|r| (r.tenant.clone(), r.claims.clone())).collect();
        assert_eq!(asked, [(None, None), (Some("other".into()), None), (None, Some("{}".into()))]);
    }

    #[tokio::test]
    async fn a_claims_challenge_is_met_only_by_a_token_that_was_fetched_with_its_claims() {
        let (tokens, source, _, call) = tokens(Duration::HOUR);
        let limits = Limits { call: &call, clock: &*tokens.clock };
        let first = tokens.get(None, &limits).await.unwrap();
        assert_eq!(tokens.renew(None, &first, None, &limits).await.unwrap().token.reveal(), "2");
        let challenged = |claims: &str| tokens.renew(None, &first, Some(claims.to_owned()), &limits);
        assert_eq!(challenged("{}").await.unwrap().token.reveal(), "3", "the second was fetched without");
        assert_eq!(challenged("{}").await.unwrap().token.reveal(), "3");
        *lock(&source.down) = Some(unreachable());
        assert_eq!(challenged("{}").await.unwrap().token.reveal(), "3");
        assert!(challenged(r#"{"other":1}"#).await.is_err(), "no other token is taken for it");
        assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "3", "which is good for everything else");
    }

    fn unreachable() -> TokenError {
        let source: SharedSource = Arc::new(std::fmt::Error);
        TokenError::Unreachable { from: "https://login".into(), reason: NoAnswer::Broken, hint: "", source }
    }

    fn machine(status: u16) -> TokenError {
        TokenError::ManagedIdentity { status, message: String::new() }
    }

    fn refused(code: u32) -> TokenError {
        let body = format!(r#"{{"error":"invalid_client","error_codes":[{code}]}}"#);
        TokenError::Refused(EntraError::read(401, body.as_bytes(), Proof::Secret))
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_a_good_token_in_use_and_a_refused_one_not() {
        for failure in [unreachable(), refused(700_024), machine(404), machine(503)] {
            let (tokens, source, clock, call) = tokens(Duration::HOUR);
            let limits = Limits { call: &call, clock: &*tokens.clock };
            let first = tokens.get(None, &limits).await.unwrap();
            *lock(&source.down) = Some(failure);
            clock.pass(Duration::minutes(57));
            assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "1");
            assert!(matches!(tokens.renew(None, &first, None, &limits).await, Err(Error::Token(_))));
            clock.pass(Duration::minutes(3));
            assert!(matches!(tokens.get(None, &limits).await, Err(Error::Token(_))));
            *lock(&source.down) = None;
            assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "2", "it was not final");
        }
    }

    /// A secret may be taken away early, and be back before the token ends.
    #[tokio::test]
    async fn a_good_token_stays_in_use_whatever_the_failure_of_its_renewal() {
        let (tokens, source, clock, call) = tokens(Duration::HOUR);
        let limits = Limits { call: &call, clock: &*tokens.clock };
        tokens.get(None, &limits).await.unwrap();
        *lock(&source.down) = Some(refused(7_000_222));
        clock.pass(Duration::minutes(57));
        assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "1");
        *lock(&source.down) = None;
        clock.pass(Duration::minutes(3));
        assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "2", "the failure is not remembered");
    }

    #[tokio::test]
    async fn a_renewal_that_failed_is_tried_again_after_half_a_minute() {
        let (tokens, source, clock, call) = tokens(Duration::HOUR);
        let limits = Limits { call: &call, clock: &*tokens.clock };
        tokens.get(None, &limits).await.unwrap();
        *lock(&source.down) = Some(unreachable());
        clock.pass(Duration::minutes(56));
        for (passed, failures) in [(0, 1), (29, 1), (1, 2), (29, 2)] {
            clock.pass(Duration::seconds(passed));
            assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "1");
            assert_eq!(source.failures.load(Ordering::Relaxed), failures);
        }
        *lock(&source.down) = None;
        clock.pass(Duration::SECOND);
        assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "2");
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered_where_others_can_change_what_signs_in() {
        let (tokens, source, _, call) = tokens(Duration::HOUR);
        let limits = Limits { call: &call, clock: &*tokens.clock };
        source.may_change.store(true, Ordering::Relaxed);
        *lock(&source.down) = Some(refused(7_000_215));
        assert!(tokens.get(None, &limits).await.is_err());
        *lock(&source.down) = None;
        assert_eq!(tokens.get(None, &limits).await.unwrap().token.reveal(), "1");
    }

    #[tokio::test]
    async fn a_final_failure_is_remembered_for_its_tenant() {
        let (tokens, source, _, call) = tokens(Duration::HOUR);
        let limits = Limits { call: &call, clock: &*tokens.clock };
        *lock(&source.down) = Some(refused(7_000_215));
        assert!(tokens.get(None, &limits).await.is_err());
        *lock(&source.down) = None;
        assert!(tokens.get(None, &limits).await.is_err(), "nobody is asked again");
        assert_eq!(tokens.get(Some("other"), &limits).await.unwrap().token.reveal(), "1");
    }
}
