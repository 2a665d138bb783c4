//! What a request for metrics asks, and the texts of refusals (facts: azure.md §10.1, §10.2, §10.5, §10.6).

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::super::clock;
use super::super::filter::quoted;
use super::super::http::Request;
use super::{METRIC, RETENTION, not_configured};

/// The dimensions of the metric.
const DIMENSIONS: [&str; 5] = ["ResponseType", "GeoType", "ApiName", "Authentication", "TransactionType"];

/// The supported intervals and how the refusal writes them.
const GRAINS: [(&str, Duration, &str); 8] = [
    ("PT1M", Duration::minutes(1), "00:01:00"),
    ("PT5M", Duration::minutes(5), "00:05:00"),
    ("PT15M", Duration::minutes(15), "00:15:00"),
    ("PT30M", Duration::minutes(30), "00:30:00"),
    ("PT1H", Duration::hours(1), "01:00:00"),
    ("PT6H", Duration::hours(6), "06:00:00"),
    ("PT12H", Duration::hours(12), "12:00:00"),
    ("P1D", Duration::days(1), "1.00:00:00"),
];

/// One point for the whole span.
const FULL: &str = "FULL";

/// What is answered of a span that is longer.
const MONTH: Duration = Duration::days(30);

/// A question that can be answered.
#[derive(Debug)]
pub(super) struct Query {
    /// As it was asked.
    pub(super) timespan: String,
    start: OffsetDateTime,
    end: OffsetDateTime,
    /// As it was asked.
    pub(super) interval: String,
    /// The length of a point.
    grain: Duration,
    /// Dimensions and the values that are wanted of each; `*` is all.
    filter: Vec<(&'static str, Vec<String>)>,
    /// How many series are answered.
    pub(super) top: usize,
}

impl Query {
    /// Reads the parameters of a request for a resource of a type, or says what is wrong with them.
    pub(super) fn read(request: &Request, kind: &str, now: OffsetDateTime) -> Result<Self, String> {
        for name in request.query("metricnames").unwrap_or_default().split(',') {
            if !name.eq_ignore_ascii_case(METRIC) {
                return Err(not_configured(kind.trim_start_matches("Microsoft.Storage/"), name, METRIC));
            }
        }
        if let Some(namespace) = request.query("metricnamespace").filter(|given| !given.eq_ignore_ascii_case(kind)) {
            return Err(format!("Detect invalid value: {namespace} for query parameter: 'metricnamespace'"));
        }
        if let Some(aggregation) = request.query("aggregation").filter(|given| !given.eq_ignore_ascii_case("Total")) {
            return Err(format!("Detect invalid value: {aggregation} for query parameter: 'aggregation'"));
        }
        let timespan = request.query("timespan").unwrap_or_default();
        let (start, end) = span(timespan, now).filter(|(start, end)| start < end).ok_or_else(|| {
            format!(
                "Detected invalid time interval input: {timespan}, supported Iso 8601 time interval format: start/end"
            )
        })?;
        if end < now - RETENTION {
            let end = clock::seconds(end);
            return Err(format!("Query endTime: {end} is out of the Max metrics retention period: 93.00:00:00"));
        }
        // Nothing says that the rest is missing.
        let start = if end - start > Duration::days(31) { end - MONTH } else { start };
        let interval = request.query("interval").unwrap_or("PT1M").to_owned();
        let grain = match GRAINS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&interval)) {
            Some((_, grain, _)) => *grain,
            None if interval.eq_ignore_ascii_case(FULL) => end - start,
            None => {
                let supported = GRAINS.map(|(.., text)| text).join(",");
                return Err(format!("Invalid time grain duration: {interval}, supported ones are: {supported}"));
            }
        };
        let filter = match request.query("$filter") {
            None => Vec::new(),
            Some(text) => filter(text, request.query("ValidateDimensions") != Some("false"))?,
        };
        let top = match request.query("top") {
            None => 10,
            Some(text) => text
                .parse()
                .ok()
                .filter(|_| request.query("$filter").is_some())
                .ok_or_else(|| format!("Detect invalid value: {text} for query parameter: 'top'"))?,
        };
        Ok(Self { timespan: timespan.to_owned(), start, end, interval, grain, filter, top })
    }

    /// When each interval begins.
    pub(super) fn intervals(&self) -> impl Iterator<Item = OffsetDateTime> {
        let (grain, end) = (self.grain, self.end);
        std::iter::successors(Some(self.start), move |start| Some(*start + grain)).take_while(move |start| *start < end)
    }

    /// The number of the interval that a time is in.
    pub(super) fn interval_of(&self, time: OffsetDateTime) -> Option<usize> {
        let within = self.start <= time && time < self.end;
        within.then(|| ((time - self.start).whole_seconds() / self.grain.whole_seconds()) as usize)
    }

    /// The dimensions that series are told apart by.
    pub(super) fn dimensions(&self) -> impl Iterator<Item = &'static str> {
        self.filter.iter().map(|(name, _)| *name)
    }

    /// Whether the filter has these values of dimensions.
    pub(super) fn selects(&self, dimensions: &BTreeMap<String, String>) -> bool {
        let wanted = |name: &str, values: &[String]| {
            values.iter().any(|value| value == "*" || value.eq_ignore_ascii_case(&dimensions[name]))
        };
        self.filter.iter().all(|(name, values)| wanted(name, values))
    }
}

/// Start and end, either of which may be a duration, or a duration until now.
fn span(text: &str, now: OffsetDateTime) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let Some((from, until)) = text.split_once('/') else { return Some((now - duration(text)?, now)) };
    match (clock::parse(from), clock::parse(until)) {
        (Ok(from), Ok(until)) => Some((from, until)),
        (Ok(from), Err(_)) => Some((from, from + duration(until)?)),
        (Err(_), Ok(until)) => Some((until - duration(from)?, until)),
        (Err(_), Err(_)) => None,
    }
}

/// An ISO 8601 duration of days, hours, minutes and seconds.
fn duration(text: &str) -> Option<Duration> {
    let (days, rest) = text.strip_prefix('P')?.split_once('T').unwrap_or((text.strip_prefix('P')?, ""));
    let mut total = Duration::ZERO;
    for (part, units) in [(days, &[('D', 86_400)][..]), (rest, &[('H', 3_600), ('M', 60), ('S', 1)])] {
        let mut part = part;
        for (unit, seconds) in units {
            if let Some((number, after)) = part.split_once(*unit) {
                total += Duration::seconds(number.parse::<i64>().ok()? * seconds);
                part = after;
            }
        }
        if !part.is_empty() {
            return None;
        }
    }
    Some(total)
}

/// Equalities: of one dimension joined by `or`, of several by `and`, with a wildcard for one of them.
fn filter(text: &str, validate: bool) -> Result<Vec<(&'static str, Vec<String>)>, String> {
    let refused = || format!("Detect invalid value: {text} for query parameter: '$filter'");
    let mut terms: Vec<(&str, Vec<String>)> = Vec::new();
    let (mut joint, mut rest) = ("and", text);
    loop {
        let (name, after) = word(rest);
        let (equals, after) = word(after);
        let (value, after) = quoted(after).filter(|_| equals.eq_ignore_ascii_case("eq")).ok_or_else(refused)?;
        match (joint.to_ascii_lowercase().as_str(), terms.last_mut()) {
            ("and", _) => terms.push((name, vec![value])),
            ("or", Some((before, values))) if before.eq_ignore_ascii_case(name) => values.push(value),
            _ => return Err(refused()),
        }
        if after.trim().is_empty() {
            break;
        }
        (joint, rest) = word(after);
    }
    let mut filter = Vec::new();
    for (name, values) in terms {
        match DIMENSIONS.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
            Some(known) => filter.push((known, values)),
            None if validate => return Err(refused()),
            None => {}
        }
    }
    let wildcards = filter.iter().filter(|(_, values)| values.iter().any(|value| value == "*")).count();
    if wildcards > 1 { Err(refused()) } else { Ok(filter) }
}

/// The first word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.trim_start().split_once(' ').unwrap_or((text.trim_start(), ""));
    (word, rest.trim_start())
}
