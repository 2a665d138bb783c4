//! Azure Monitor's Transactions metric of storage accounts and their services (facts: azure.md §10).

mod query;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::errors::ArmError;
use super::http::{Answer, Request};
use super::ids::{self, Target};
use super::world::World;
use super::{clock, storage};
use query::Query;

/// The one metric that there is.
const METRIC: &str = "Transactions";

/// How long transactions are kept.
const RETENTION: Duration = Duration::days(93);

/// The services of an account, by their resource types and by their names in `primaryEndpoints`.
const SERVICES: [(&str, &str); 4] =
    [("blobServices", "blob"), ("fileServices", "file"), ("queueServices", "queue"), ("tableServices", "table")];

/// Calls of one kind that a service has answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transactions {
    /// The account, as a key of [`ids::key`].
    account: String,
    /// `blob`, `file`, `queue` or `table`.
    service: String,
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
    /// The value of each dimension, by its name.
    dimensions: BTreeMap<String, String>,
    count: u64,
}

/// Transactions as a seed has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeedTransactions {
    /// An id, or the name of a seeded storage account.
    pub(crate) account: String,
    /// `blob`, `file`, `queue` or `table`.
    service: String,
    /// AccountKey, SAS, OAuth, Anonymous and so on.
    authentication: String,
    count: u64,
    /// How long ago they were, as in `36h`; an alternative to `time`.
    #[serde(default)]
    ago: Option<String>,
    #[serde(default)]
    time: Option<String>,
    #[serde(default = "user")]
    transaction_type: String,
    #[serde(default = "success")]
    response_type: String,
    #[serde(default = "get_blob")]
    api_name: String,
}

fn user() -> String {
    "User".to_owned()
}

fn success() -> String {
    "Success".to_owned()
}

fn get_blob() -> String {
    "GetBlob".to_owned()
}

impl SeedTransactions {
    /// Puts them in for an account (an id).
    pub(crate) fn plant(self, world: &mut World, account: &str) -> Result<()> {
        SERVICES
            .iter()
            .find(|(_, name)| *name == self.service)
            .context("service is none of blob, file, queue, table")?;
        let time = match (self.ago, self.time) {
            (Some(ago), None) => world.clock.now() - clock::duration(&ago).map_err(anyhow::Error::msg)?,
            (None, Some(time)) => clock::parse(&time).map_err(anyhow::Error::msg)?,
            _ => anyhow::bail!("either ago or time says when they were"),
        };
        let dimensions = [
            ("Authentication", self.authentication),
            ("TransactionType", self.transaction_type),
            ("ResponseType", self.response_type),
            ("ApiName", self.api_name),
            ("GeoType", "Primary".to_owned()),
        ];
        world.store.transactions.push(Transactions {
            account: ids::key(account),
            service: self.service,
            time,
            dimensions: dimensions.map(|(name, value)| (name.to_owned(), value)).into(),
            count: self.count,
        });
        Ok(())
    }
}

/// Forgets the transactions of an account (a key), as when it is deleted or moved.
pub(crate) fn forget(world: &mut World, account: &str) {
    world.store.transactions.retain(|transactions| transactions.account != account);
}

/// What metrics are asked of: an account, and one of its services if it is not all of it.
struct Subject {
    account: String,
    service: Option<(&'static str, &'static str)>,
}

impl Subject {
    /// `{account}` or `{account}/{service}/default`.
    fn parse(scope: &str) -> Option<Self> {
        let segments: Vec<String> = scope.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        let target = Target::parse(&segments)?;
        let kind = format!("{}/{}", target.namespace, target.types.first()?);
        if !kind.eq_ignore_ascii_case(storage::TYPE) || !target.is_item() {
            return None;
        }
        let account = format!("{}/providers/{}/{}", target.scope, storage::TYPE, target.names[0]);
        let service = match (&target.types[1..], &target.names[1..]) {
            ([], []) => None,
            ([kind], [name]) if name == "default" => {
                Some(*SERVICES.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind))?)
            }
            _ => return None,
        };
        Some(Self { account, service })
    }

    /// The resource type, which is also the namespace of its metrics.
    fn kind(&self) -> String {
        match self.service {
            None => storage::TYPE.to_owned(),
            Some((kind, _)) => format!("{}/{kind}", storage::TYPE),
        }
    }
}

/// `{resource}/providers/Microsoft.Insights/metrics`.
pub(crate) fn answer(world: &World, request: &Request, target: &Target) -> Result<Answer, ArmError> {
    if request.method != Method::GET {
        return Err(ArmError::method_not_allowed(request.method.as_str()));
    }
    let Some(subject) = Subject::parse(&target.scope) else {
        return Ok(bad_request(format!("Failed to find metric configuration for '{}'.", target.scope)));
    };
    let account = world.store.resource(&ids::key(&subject.account));
    let account = account.ok_or_else(|| ArmError::resource_not_found(&subject.account))?;
    if let Some((kind, name)) = subject.service
        && account.pointer(&format!("/properties/primaryEndpoints/{name}")).is_none_or(Value::is_null)
    {
        return Ok(bad_request(not_configured(&format!("storageAccounts/{kind}"), METRIC, "")));
    }
    if let Some(name) = ["orderby", "rollupby", "resultType"].into_iter().find(|name| request.query(name).is_some()) {
        let error = ArmError::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotImplemented",
            format!("The emulator does not know the parameter '{name}'."),
        );
        return Err(error);
    }
    Ok(match Query::read(request, &subject.kind(), world.clock.now()) {
        Ok(query) => Answer::ok(metrics(world, &subject, &query, account["location"].as_str().unwrap_or_default())),
        Err(message) => bad_request(message),
    })
}

/// The refusal that has no envelope.
fn bad_request(message: String) -> Answer {
    Answer::json(StatusCode::BAD_REQUEST, json!({ "code": "BadRequest", "message": message }))
}

fn not_configured(kind: &str, metric: &str, valid: &str) -> String {
    format!(
        "Failed to find metric configuration for provider: Microsoft.Storage, resource Type: {kind}, metric: {metric}, \
         Valid metrics: {valid}"
    )
}

fn metrics(world: &World, subject: &Subject, query: &Query, region: &str) -> Value {
    let id = match subject.service {
        None => subject.account.clone(),
        Some((kind, _)) => format!("{}/{kind}/default", subject.account),
    };
    let intervals: Vec<_> = query.intervals().collect();
    let series = series(world, subject, query, intervals.len());
    let named = |name: &str| json!({ "value": name, "localizedValue": name });
    let shown = series.iter().take(query.top).map(|Series { values, totals }| {
        let dimensions = query.dimensions().zip(values);
        let dimensions = dimensions.map(|(name, value)| json!({ "name": named(&name.to_lowercase()), "value": value }));
        let points = intervals.iter().zip(totals).map(|(start, total)| match total {
            0 => json!({ "timeStamp": clock::seconds(*start) }),
            total => json!({ "timeStamp": clock::seconds(*start), "total": *total as f64 }),
        });
        json!({ "metadatavalues": dimensions.collect::<Vec<_>>(), "data": points.collect::<Vec<_>>() })
    });
    let mut metric = json!({
        "id": format!("{id}/providers/Microsoft.Insights/metrics/{METRIC}"),
        "type": "Microsoft.Insights/metrics",
        "name": named(METRIC),
        "displayDescription": "The number of requests made to a storage service or the specified API operation.",
        "unit": "Count",
        "errorCode": "Success",
        "timeseries": shown.collect::<Vec<_>>(),
    });
    if let Some(code) = &world.options.metrics_error {
        metric["errorCode"] = json!(code);
        metric["errorMessage"] = json!("The metric could not be read.");
        metric["timeseries"] = json!([]);
    }
    json!({
        "cost": 0,
        "timespan": query.timespan,
        "interval": query.interval,
        "namespace": subject.kind(),
        "resourceregion": region,
        "value": [metric],
    })
}

/// The totals of one combination of values, an entry for each interval.
struct Series<'w> {
    values: Vec<&'w str>,
    totals: Vec<u64>,
}

/// In the order in which their first transactions were seeded. Without any there is no series.
fn series<'w>(world: &'w World, subject: &Subject, query: &Query, intervals: usize) -> Vec<Series<'w>> {
    let account = ids::key(&subject.account);
    let oldest = world.clock.now() - RETENTION;
    let counted = world.store.transactions.iter().filter(|calls| {
        calls.account == account
            && subject.service.is_none_or(|(_, name)| name == calls.service)
            && calls.time >= oldest
            && query.selects(&calls.dimensions)
    });
    let mut found: Vec<Series<'_>> = Vec::new();
    for calls in counted {
        let Some(interval) = query.interval_of(calls.time) else { continue };
        let values: Vec<&str> = query.dimensions().map(|name| calls.dimensions[name].as_str()).collect();
        let at = found.iter().position(|series| series.values == values).unwrap_or_else(|| {
            found.push(Series { values, totals: vec![0; intervals] });
            found.len() - 1
        });
        found[at].totals[interval] += calls.count;
    }
    found
}
