//! Calls to a storage service, by how they were authorized, and what they say about keys (azure.md §10.3).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    arm::metrics::Series,
    framework::{Attr, Type, one_of, schema::Attribute},
};

one_of! {
    /// What calls say about the use of keys. No word says that keys may go off: a client can be silent for longer.
    pub(crate) enum Verdict {
        Certain = "certain",
        Possible = "possible",
        NoneSeen = "none_seen",
    }
}

/// The calls to a service or an account, as attributes. All are null where they are not known.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct UsageAttributes {
    verdict: Attr<Verdict>,
    last_key_use: Attr<String>,
    account_key: Attr<u64>,
    sas: Attr<u64>,
    user_delegation_sas: Attr<u64>,
    oauth: Attr<u64>,
    anonymous: Attr<u64>,
    other: Attr<u64>,
    failed: Attr<u64>,
}

pub(super) fn attributes() -> Vec<Attribute> {
    let count = |name, description| Attribute::computed(name, Type::Number, description);
    vec![
        Attribute::computed(
            "verdict",
            Type::String,
            "`certain` with calls by account key; `possible` with calls by SAS, which may be one of user delegation, or by \
             `other`; otherwise `none_seen`. Null where it is not known.",
        )
        .parsed::<Verdict>(),
        Attribute::computed(
            "last_key_use",
            Type::String,
            "When the last day of 24 hours began that has calls for which the verdict is not `none_seen` (RFC 3339). Null \
             without any.",
        ),
        count("account_key", "Calls with an account key that were not refused."),
        count(
            "sas",
            "Calls with a SAS that were not refused. Unless Azure counts those of user delegation by themselves, they are \
             among them.",
        ),
        count(
            "user_delegation_sas",
            "Calls with a SAS of user delegation, which needs no key, where Azure tells them apart.",
        ),
        count("oauth", "Calls with a Microsoft Entra token."),
        count("anonymous", "Calls without authorization, which go on without keys."),
        count("other", "Calls that Azure counts by a name that the provider does not know."),
        count("failed", "Calls with an account key or SAS that were refused: clients that still try after keys went off."),
    ]
}

/// How a call was authorized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Authentication {
    AccountKey,
    Sas,
    UserDelegationSas,
    OAuth,
    Anonymous,
    Other,
}

impl Authentication {
    fn of(series: &Series) -> Self {
        match series.dimension("Authentication").to_ascii_lowercase().as_str() {
            "accountkey" => Self::AccountKey,
            "sas" => Self::Sas,
            "oauth" => Self::OAuth,
            "anonymous" | "anonymouspreflight" => Self::Anonymous,
            // The spelling of the value that is announced is not known.
            name if name.contains("delegation") => Self::UserDelegationSas,
            _ => Self::Other,
        }
    }

    fn may_be_by_key(self) -> bool {
        matches!(self, Self::AccountKey | Self::Sas | Self::Other)
    }
}

/// Calls to a service or to a whole account.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    /// By authentication and by the beginning of the day. Those by key or SAS that were refused are not among them.
    calls: BTreeMap<(Authentication, Option<OffsetDateTime>), f64>,
    failed: f64,
}

impl Usage {
    pub(super) fn of(series: &[Series]) -> Self {
        let mut usage = Self::default();
        for (call, total) in totals(series) {
            *usage.calls.entry(call).or_default() += total;
        }
        usage
    }

    /// Whether there are calls for which it matters whether they were refused.
    pub(super) fn has_calls_by_key_or_sas(&self) -> bool {
        self.count(Authentication::AccountKey) + self.count(Authentication::Sas) > 0
    }

    /// Counts calls apart that are among the others and were refused.
    pub(super) fn set_apart(&mut self, refused: &[Series]) {
        for (call, total) in totals(refused) {
            self.failed += total;
            if let Some(calls) = self.calls.get_mut(&call) {
                *calls = (*calls - total).max(0.0);
            }
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.failed += other.failed;
        for (call, total) in &other.calls {
            *self.calls.entry(*call).or_default() += total;
        }
    }

    fn count(&self, by: Authentication) -> u64 {
        whole(self.calls.iter().filter(|((of, _), _)| *of == by).map(|(_, total)| total).sum())
    }

    fn verdict(&self) -> Verdict {
        let is_seen = |by| self.count(by) > 0;
        if is_seen(Authentication::AccountKey) {
            Verdict::Certain
        } else if is_seen(Authentication::Sas) || is_seen(Authentication::Other) {
            Verdict::Possible
        } else {
            Verdict::NoneSeen
        }
    }

    pub(super) fn shown(&self) -> UsageAttributes {
        let by_key = self.calls.iter().filter(|((by, _), total)| by.may_be_by_key() && **total > 0.0);
        UsageAttributes {
            verdict: self.verdict().into(),
            last_key_use: by_key.filter_map(|((_, day), _)| *day).max().map(rfc3339).into(),
            account_key: self.count(Authentication::AccountKey).into(),
            sas: self.count(Authentication::Sas).into(),
            user_delegation_sas: self.count(Authentication::UserDelegationSas).into(),
            oauth: self.count(Authentication::OAuth).into(),
            anonymous: self.count(Authentication::Anonymous).into(),
            other: self.count(Authentication::Other).into(),
            failed: whole(self.failed).into(),
        }
    }
}

fn totals(series: &[Series]) -> impl Iterator<Item = ((Authentication, Option<OffsetDateTime>), f64)> {
    series.iter().flat_map(|series| {
        let by = Authentication::of(series);
        series.points.iter().map(move |point| ((by, point.time), point.total))
    })
}

/// Azure writes counts with a decimal point.
fn whole(total: f64) -> u64 {
    total.round() as u64
}

/// A time as HCL reads and compares it.
pub(super) fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).expect("a time of these years has a text")
}
