//! The metrics of Azure Monitor: what has happened to a resource, counted (azure.md §10).

use super::body::{lenient_time, or_default, without_nulls};
use super::call::Call;
use super::client::Client;
use super::error::{Error, ServiceError};
use super::id::ArmId;
use super::reads::Read;
use super::request::{Answer, Request};
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const API_VERSION: &str = "2024-02-01";

/// More series than any dimension asked for has values. Without this parameter Azure answers ten and says nothing of others
/// (azure.md §10.1).
const MOST_SERIES: &str = "100";

/// A question about one metric of a resource.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub(crate) resource: &'a ArmId,
    pub(crate) name: &'static str,
    /// The time span, at most 30 days: of longer ones Azure answers the last part and says nothing of the rest
    /// (azure.md §10.5).
    pub(crate) span: &'a Span,
    /// How long a point of a series is, as in `P1D`.
    pub(crate) interval: &'static str,
    /// Which series, by their dimensions.
    pub(crate) filter: &'static str,
}

/// The time from one whole second to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: OffsetDateTime,
    pub(crate) until: OffsetDateTime,
}

/// What was counted for one combination of dimensions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Series {
    #[serde(rename = "metadatavalues", deserialize_with = "without_nulls")]
    dimensions: Vec<Dimension>,
    #[serde(rename = "data", deserialize_with = "without_nulls")]
    pub(crate) points: Vec<Point>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dimension {
    #[serde(deserialize_with = "or_default")]
    name: Name,
    #[serde(deserialize_with = "or_default")]
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Name {
    #[serde(deserialize_with = "or_default")]
    value: String,
}

/// The count of one interval, which is absent where nothing was counted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Point {
    /// When the interval began.
    #[serde(rename = "timeStamp", deserialize_with = "lenient_time")]
    pub(crate) time: Option<OffsetDateTime>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) total: f64,
}

#[derive(Deserialize)]
struct Metrics {
    value: Vec<Metric>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metric {
    #[serde(deserialize_with = "or_default")]
    error_code: String,
    #[serde(deserialize_with = "or_default")]
    error_message: String,
    #[serde(deserialize_with = "without_nulls")]
    timeseries: Vec<Series>,
}

impl Span {
    /// A time as Azure Monitor reads it, in UTC.
    fn text(time: OffsetDateTime) -> String {
        time.to_utc().format(&Rfc3339).expect("a time of these years has a text")
    }
}

impl Series {
    /// Its value of a dimension; empty if it has none. Azure writes names of dimensions in lower case.
    pub(crate) fn dimension(&self, name: &str) -> &str {
        let named = self.dimensions.iter().find(|dimension| dimension.name.value.eq_ignore_ascii_case(name));
        named.map_or("", |dimension| &dimension.value)
    }
}

impl Client {
    /// The totals of a metric, each series by itself. Requested now.
    ///
    /// # Errors
    /// See [`Error`]; also [`Error::Service`] where Azure answers with success that the metric could not be read.
    pub(crate) async fn totals(&self, query: &Query<'_>, call: &Call) -> Result<Vec<Series>, Error> {
        let path = query.resource.path_below("/providers/Microsoft.Insights/metrics");
        let span = format!("{}/{}", Span::text(query.span.from), Span::text(query.span.until));
        let request = Request::get(path, API_VERSION)
            .query("metricnames", query.name)
            .query("aggregation", "Total")
            .query("timespan", span)
            .query("interval", query.interval)
            .query("$filter", query.filter)
            .query("top", MOST_SERIES);
        let answer = self.read(&request, Read::Fresh, call).await?;
        series(&answer, self.decode(&request, &answer, call).await?.value)
    }
}

fn series(answer: &Answer, metrics: Metrics) -> Result<Vec<Series>, Error> {
    let metric = metrics.value.into_iter().next().ok_or_else(|| answer.breaks_protocol("it has no metric"))?;
    if metric.error_code.is_empty() || metric.error_code.eq_ignore_ascii_case("Success") {
        return Ok(metric.timeseries);
    }
    let body = json!({ "code": metric.error_code, "message": metric.error_message }).to_string();
    Err(ServiceError::read(&answer.method, &answer.path, answer.status, &answer.headers, body.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, Method, StatusCode};
    use time::macros::datetime;

    fn read(body: &str) -> Result<Vec<Series>, Error> {
        let answer = Answer {
            method: Method::GET,
            path: "/sa1".to_owned(),
            url: "https://arm.test/sa1".parse().unwrap(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.as_bytes().into(),
        };
        series(&answer, serde_json::from_str(body).unwrap())
    }

    #[test]
    fn what_is_absent_or_null_was_not_counted() {
        for body in [
            r#"{"value":[{"errorCode":"success","timeseries":[]}]}"#,
            r#"{"value":[{"errorCode":null,"timeseries":null}]}"#,
            r#"{"value":[{}]}"#,
        ] {
            assert!(read(body).unwrap().is_empty(), "{body}");
        }
        let found = read(
            r#"{"value":[{"errorCode":"Success","timeseries":[
                {"metadatavalues":[{"name":{"value":"transactiontype"},"value":"User"},
                    {"name":{"value":"authentication"},"value":"SAS"}],
                 "data":[{"timeStamp":"2027-01-01T00:00:00Z"},{"timeStamp":"2027-01-02T00:00:00Z","total":null},
                    {"timeStamp":"2027-01-03T00:00:00Z","total":2.0},{"timeStamp":null,"total":3}]},
                {"metadatavalues":null,"data":null}]}]}"#,
        );
        let [counted, empty] = <[_; 2]>::try_from(found.unwrap()).unwrap();
        assert_eq!((counted.dimension("Authentication"), empty.dimension("Authentication")), ("SAS", ""));
        assert_eq!(counted.points.iter().map(|point| point.total).collect::<Vec<_>>(), [0.0, 0.0, 2.0, 3.0]);
        assert_eq!(counted.points[2].time, Some(datetime!(2027-01-03 00:00 UTC)));
        assert!(empty.points.is_empty());
    }

    #[test]
    fn an_answer_that_does_not_tell_is_an_error() {
        assert!(matches!(read(r#"{"value":[]}"#), Err(Error::Protocol { .. })));
        assert!(serde_json::from_str::<Metrics>("{}").is_err());
        let failed = read(r#"{"value":[{"errorCode":"ServerError","errorMessage":"try later","timeseries":[]}]}"#);
        assert_eq!(failed.unwrap_err().to_string(), "GET /sa1 was answered with 200 ServerError: try later");
    }
}
