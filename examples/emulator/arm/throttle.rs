//! Token buckets per principal and per subscription, and the headers that count them (facts: azure.md §5.2).

use std::collections::HashMap;

use axum::http::{Method, StatusCode};
use time::OffsetDateTime;

use super::errors::ArmError;
use super::options::Options;

/// A bucket's size and how many tokens come back each second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) size: u32,
    pub(crate) per_second: u32,
}

/// What a request counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    Reads,
    Writes,
    Deletes,
}

impl Class {
    fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Reads,
            Method::DELETE => Self::Deletes,
            _ => Self::Writes,
        }
    }

    /// The header that counts what is left, by whether the path is under a subscription.
    fn header(self, subscription: bool) -> &'static str {
        match (self, subscription) {
            (Self::Reads, true) => "x-ms-ratelimit-remaining-subscription-reads",
            (Self::Writes, true) => "x-ms-ratelimit-remaining-subscription-writes",
            (Self::Deletes, true) => "x-ms-ratelimit-remaining-subscription-deletes",
            (Self::Reads, false) => "x-ms-ratelimit-remaining-tenant-reads",
            (Self::Writes | Self::Deletes, false) => "x-ms-ratelimit-remaining-tenant-writes",
        }
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: OffsetDateTime,
}

impl Bucket {
    /// Refills; answers whether there is a token now.
    fn fill(&mut self, rate: Rate, now: OffsetDateTime) -> bool {
        let passed = (now - self.filled).as_seconds_f64().max(0.0);
        self.filled = now;
        self.tokens = (self.tokens + passed * f64::from(rate.per_second)).min(f64::from(rate.size));
        self.tokens >= 1.0
    }

    /// Whole seconds until there is a token again.
    fn wait(&self, rate: Rate) -> u64 {
        if rate.per_second == 0 {
            3600
        } else {
            ((1.0 - self.tokens) / f64::from(rate.per_second)).ceil().max(1.0) as u64
        }
    }
}

/// All buckets.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    buckets: HashMap<(String, String, Class), Bucket>,
}

impl Throttle {
    /// Counts a request; the header to answer with, or the refusal if throttling is on and a bucket is empty.
    pub(crate) fn admit(
        &mut self,
        options: &Options,
        now: OffsetDateTime,
        method: &Method,
        subscription: Option<&str>,
        principal: &str,
    ) -> Result<(&'static str, String), ArmError> {
        let class = Class::of(method);
        let own = match class {
            Class::Reads => options.read_bucket,
            Class::Writes => options.write_bucket,
            Class::Deletes => options.delete_bucket,
        };
        let factor = options.global_bucket_factor.max(1);
        let shared = Rate { size: own.size.saturating_mul(factor), per_second: own.per_second.saturating_mul(factor) };
        let place = subscription.unwrap_or("").to_ascii_lowercase();
        let header = class.header(subscription.is_some());
        let places = [(own, principal), (shared, "")].map(|(rate, who)| (rate, (place.clone(), who.to_owned(), class)));
        // Nothing is taken from either bucket unless both have something.
        for (rate, place) in &places {
            let full = || Bucket { tokens: f64::from(rate.size), filled: now };
            let bucket = self.buckets.entry(place.clone()).or_insert_with(full);
            if !bucket.fill(*rate, now) && options.throttle {
                let wait = bucket.wait(*rate);
                let mut error = ArmError::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    if subscription.is_some() { "SubscriptionRequestsThrottled" } else { "TenantRequestsThrottled" },
                    format!("Number of requests exceeded the limit. Please try again after '{wait}' seconds."),
                );
                error.headers.push(("retry-after", wait.to_string()));
                error.headers.push((header, "0".to_owned()));
                return Err(error);
            }
        }
        let mut left = f64::INFINITY;
        for (_, place) in &places {
            if let Some(bucket) = self.buckets.get_mut(place) {
                bucket.tokens = (bucket.tokens - 1.0).max(0.0);
                left = left.min(bucket.tokens);
            }
        }
        Ok((header, (left as u64).to_string()))
    }
}
