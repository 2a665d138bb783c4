//! Long-running operations: what an answer means for its operation, and what to poll next.
//!
//! [`Operation`] sends nothing; [`super::Client::operate`] does so. The rules are those that Azure's own Python and Go
//! clients agree on: the first answer chooses how the operation is followed (`Azure-AsyncOperation`, else
//! `Operation-Location`, else `Location`, else the resource's own state), and the method decides how it ends.

use super::body::without_bom;
use super::error::{Error, OperationError, OperationOutcome, ServiceError};
use super::request::{Answer, check_host};
use super::retry::{at_least_shortest, retry_after};
use http::{HeaderMap, Method, StatusCode};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;
use time::OffsetDateTime;
use url::Url;

/// The polling interval where Azure sends no Retry-After.
pub const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(5);

/// An operation in progress.
#[derive(Debug)]
pub struct Operation {
    method: Method,
    path: String,
    /// The URL of the request that started it.
    original: Url,
    tracking: Tracking,
}

/// How the operation is followed.
#[derive(Debug)]
enum Tracking {
    /// A status document; the result of a POST may be at another URL.
    Status { result: Option<Url> },
    /// A URL that answers 202 until the result is there.
    Location(Url),
    /// The resource's provisioning state.
    Resource,
    /// The resource, until it is not found.
    Absence,
    /// Only the result is still to be fetched.
    Result,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait, then poll this URL.
    Poll(Url),
    /// Wait, then poll this URL; the operation has succeeded when it is not found.
    PollUntilGone(Url),
    /// Fetch the result here, at once.
    Fetch(Url),
    /// The last answer is the result.
    Done,
}

impl Operation {
    /// Begins with the answer to the request that started the operation, and its body.
    ///
    /// # Errors
    /// [`Error::Operation`] when it has failed already, [`Error::Protocol`] when the answer makes no sense.
    pub fn start(original: Url, answer: &Answer, body: &Progress) -> Result<(Self, Step), Error> {
        let mut operation =
            Self { method: answer.method.clone(), path: answer.path.clone(), original, tracking: Tracking::Result };
        let location = operation.link(answer, "location")?;
        if let Some(status) = operation.status_link(answer)? {
            operation.tracking = Tracking::Status { result: location };
            return Ok((operation, Step::Poll(status)));
        }
        if let Some(location) = location {
            operation.tracking = Tracking::Location(location.clone());
            return Ok((operation, Step::Poll(location)));
        }
        let step = match operation.method {
            Method::PUT | Method::PATCH => {
                operation.tracking = Tracking::Resource;
                operation.next_by_resource(answer, body)?
            }
            Method::DELETE if answer.status == StatusCode::ACCEPTED => {
                operation.tracking = Tracking::Absence;
                Step::PollUntilGone(operation.original.clone())
            }
            _ => Step::Done,
        };
        Ok((operation, step))
    }

    /// Goes on with the answer to the last step.
    ///
    /// # Errors
    /// As [`Operation::start`].
    pub fn next(&mut self, answer: &Answer, body: &Progress) -> Result<Step, Error> {
        match &self.tracking {
            Tracking::Status { .. } => self.next_by_status(answer, body),
            Tracking::Location(_) => self.next_by_location(answer, body),
            Tracking::Resource => self.next_by_resource(answer, body),
            Tracking::Absence => Ok(Step::PollUntilGone(self.original.clone())),
            Tracking::Result => Ok(Step::Done),
        }
    }

    fn next_by_status(&mut self, answer: &Answer, body: &Progress) -> Result<Step, Error> {
        let Some(status) = &body.status else {
            return Err(answer.breaks_protocol("the status of an operation has no `status`"));
        };
        match State::read(status) {
            State::Running => Ok(Step::Poll(self.status_link(answer)?.unwrap_or_else(|| answer.url.clone()))),
            State::Failed(outcome) => Err(self.failed(outcome, answer, body)),
            State::Succeeded => {
                let Tracking::Status { result } = std::mem::replace(&mut self.tracking, Tracking::Result) else {
                    return Ok(Step::Done);
                };
                Ok(match (&self.method, result) {
                    (&Method::PUT | &Method::PATCH, _) => Step::Fetch(self.original.clone()),
                    (&Method::POST, Some(result)) => Step::Fetch(result),
                    _ => Step::Done,
                })
            }
        }
    }

    fn next_by_location(&mut self, answer: &Answer, body: &Progress) -> Result<Step, Error> {
        if let Some(moved) = self.link(answer, "location")? {
            self.tracking = Tracking::Location(moved);
        }
        let state = match answer.status {
            StatusCode::ACCEPTED => State::Running,
            _ => body.provisioning_state().unwrap_or(State::Succeeded),
        };
        match (state, &self.tracking) {
            (State::Running, Tracking::Location(location)) => Ok(Step::Poll(location.clone())),
            (State::Running, _) => Ok(Step::Poll(self.original.clone())),
            (State::Failed(outcome), _) => Err(self.failed(outcome, answer, body)),
            (State::Succeeded, _) => Ok(self.result_or_fetch(body)),
        }
    }

    fn next_by_resource(&mut self, answer: &Answer, body: &Progress) -> Result<Step, Error> {
        let state = body.provisioning_state().unwrap_or(match answer.status {
            StatusCode::ACCEPTED | StatusCode::CREATED => State::Running,
            _ => State::Succeeded,
        });
        match state {
            State::Running => Ok(Step::Poll(self.original.clone())),
            State::Failed(outcome) => Err(self.failed(outcome, answer, body)),
            State::Succeeded => Ok(self.result_or_fetch(body)),
        }
    }

    /// A PUT or PATCH gives the resource, which is fetched if the answer is not one.
    fn result_or_fetch(&mut self, body: &Progress) -> Step {
        self.tracking = Tracking::Result;
        let wants_resource = matches!(self.method, Method::PUT | Method::PATCH);
        if wants_resource && !body.is_resource { Step::Fetch(self.original.clone()) } else { Step::Done }
    }

    fn status_link(&self, answer: &Answer) -> Result<Option<Url>, Error> {
        match self.link(answer, "azure-asyncoperation")? {
            Some(url) => Ok(Some(url)),
            None => self.link(answer, "operation-location"),
        }
    }

    /// The URL in a header. It is requested with the token, so that it has to be on the host that started the operation.
    fn link(&self, answer: &Answer, name: &str) -> Result<Option<Url>, Error> {
        let Some(text) = answer.header(name) else { return Ok(None) };
        let url = Url::parse(text)
            .map_err(|_| answer.breaks_protocol(format!("its {name} header is not an absolute URL")))?;
        check_host(&url, &self.original)?;
        Ok(Some(url))
    }

    fn failed(&self, outcome: OperationOutcome, answer: &Answer, body: &Progress) -> Error {
        let text = body.error.as_deref().map_or(r#"{"message":"Azure gave no reason"}"#, RawValue::get);
        let error = ServiceError::read(&self.method, &self.path, answer.status, &answer.headers, text.as_bytes());
        Error::Operation(Box::new(OperationError { outcome, error }))
    }
}

/// What a body says of an operation: the status of the operation, or the resource that it changes. Nothing else of it is kept.
#[derive(Debug, Default)]
pub struct Progress {
    status: Option<String>,
    /// The provisioning state of a resource.
    state: Option<String>,
    /// Beside the status, or in the properties of a resource.
    error: Option<Box<RawValue>>,
    is_resource: bool,
}

impl Progress {
    /// Reads a body. What is no JSON says nothing, as does a member of another type.
    pub fn read(body: &[u8]) -> Self {
        // Of a member that is there twice the last one counts.
        type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;
        let body: Members<'_> = serde_json::from_slice(without_bom(body)).unwrap_or_default();
        let properties = body.get("properties").filter(|inner| inner.get() != "null");
        let inner: Members<'_> =
            properties.and_then(|inner| serde_json::from_str(inner.get()).ok()).unwrap_or_default();
        let text = |value: Option<&&RawValue>| serde_json::from_str(value?.get()).ok();
        let errors = [body.get("error"), inner.get("error")].into_iter().flatten();
        Self {
            status: text(body.get("status")),
            state: text(inner.get("provisioningState")),
            error: errors.copied().find(|error| error.get().starts_with('{')).map(ToOwned::to_owned),
            is_resource: properties.is_some(),
        }
    }

    fn provisioning_state(&self) -> Option<State> {
        self.state.as_deref().map(State::read)
    }
}

/// The status of an operation or the provisioning state of a resource.
#[derive(Debug, Clone, Copy)]
enum State {
    Running,
    Succeeded,
    Failed(OperationOutcome),
}

impl State {
    /// Whatever is not a terminal state is running: services have their own names for that.
    fn read(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "succeeded" | "completed" => State::Succeeded,
            "failed" => State::Failed(OperationOutcome::Failed),
            "canceled" | "cancelled" => State::Failed(OperationOutcome::Canceled),
            _ => State::Running,
        }
    }
}

/// How long to wait before the next poll: as long as Azure asks in the headers of its last answer, and otherwise for this
/// interval. If the deadline comes first, until shortly before it: the operation may have ended by then.
pub fn wait(now: OffsetDateTime, headers: &HeaderMap, interval: Duration, left: Duration) -> Duration {
    const LAST_POLL: Duration = Duration::from_secs(5);
    let asked = at_least_shortest(retry_after(now, headers).unwrap_or(interval));
    if asked >= left && left > 2 * LAST_POLL { left - LAST_POLL } else { asked }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGINAL: &str = "https://arm/hub?api-version=v";
    const STATUS: &str = "https://arm/locations/eastus/workspaceOperationsStatus/1?type=async";
    const LOCATION: &str = "https://arm/locations/eastus/workspaceOperationsStatus/1?type=location";

    fn answer(method: &str, status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        Answer {
            method: method.parse().unwrap(),
            path: "/hub".into(),
            url: Url::parse(STATUS).unwrap(),
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect(),
            body: body.as_bytes().into(),
        }
    }

    /// Status, headers and body of one answer after the other.
    type Answers<'a> = &'a [(u16, &'a [(&'static str, &'a str)], &'a str)];
    /// A name, the method, the answers, and what is to be done after each.
    type Case<'a> = (&'a str, &'a str, Answers<'a>, &'a [&'a str]);

    /// Plays answers one after the other and gives what was done in between.
    fn play(method: &str, answers: Answers) -> Result<Vec<String>, Error> {
        let show = |step: &Step| match step {
            Step::Poll(url) => format!("poll {}", url.as_str()),
            Step::PollUntilGone(url) => format!("until gone {}", url.as_str()),
            Step::Fetch(url) => format!("fetch {}", url.as_str()),
            Step::Done => "done".to_owned(),
        };
        let (status, headers, body) = answers[0];
        let first = answer(method, status, headers, body);
        let json = |body: &str| Progress::read(body.as_bytes());
        let (mut operation, step) = Operation::start(Url::parse(ORIGINAL).unwrap(), &first, &json(body))?;
        let mut steps = vec![show(&step)];
        for (status, headers, body) in &answers[1..] {
            steps.push(show(&operation.next(&answer("GET", *status, headers, body), &json(body))?));
        }
        Ok(steps)
    }

    const ASYNC: (&str, &str) = ("azure-asyncoperation", STATUS);
    const LOC: (&str, &str) = ("location", LOCATION);
    const HUB: &str = r#"{"id":"/hub","properties":{"provisioningState":"Succeeded"}}"#;
    const UPDATING: &str = r#"{"id":"/hub","properties":{"provisioningState":"Updating"}}"#;
    const RUNNING: &str = r#"{"status":"InProgress","percentComplete":50}"#;
    const SUCCEEDED: &str = r#"{"status":"Succeeded"}"#;

    #[test]
    fn every_shape_of_answer_is_followed_to_its_end() {
        let (poll_status, poll_location) = (format!("poll {STATUS}"), format!("poll {LOCATION}"));
        let (poll_hub, fetch_hub) = (format!("poll {ORIGINAL}"), format!("fetch {ORIGINAL}"));
        let (poll_status, poll_location, poll_hub, fetch_hub) =
            (poll_status.as_str(), poll_location.as_str(), poll_hub.as_str(), fetch_hub.as_str());
        let fetch_location = format!("fetch {LOCATION}");
        let until_gone = format!("until gone {ORIGINAL}");
        let cases: &[Case] = &[
            // PATCH and PUT, as a workspace answers them.
            ("200 with the resource", "PATCH", &[(200, &[], HUB)], &["done"]),
            ("200 with a resource without state", "PUT", &[(200, &[], r#"{"properties":{}}"#)], &["done"]),
            (
                "200 with a resource that is updating",
                "PATCH",
                &[(200, &[], UPDATING), (200, &[], UPDATING), (200, &[], HUB)],
                &[poll_hub, poll_hub, "done"],
            ),
            (
                "202 with Location",
                "PATCH",
                &[(202, &[LOC], ""), (202, &[LOC], ""), (200, &[], HUB)],
                &[poll_location, poll_location, "done"],
            ),
            (
                "202 with Location that moves and ends without a body",
                "PATCH",
                &[(202, &[LOC], ""), (202, &[("location", STATUS)], ""), (204, &[], ""), (200, &[], HUB)],
                &[poll_location, poll_status, fetch_hub, "done"],
            ),
            (
                "Location whose resource is still updating",
                "PUT",
                &[(202, &[LOC], ""), (200, &[], UPDATING), (200, &[], HUB)],
                &[poll_location, poll_location, "done"],
            ),
            (
                "202 with Azure-AsyncOperation",
                "PATCH",
                &[(202, &[ASYNC], ""), (200, &[], RUNNING), (200, &[], SUCCEEDED), (200, &[], HUB)],
                &[poll_status, poll_status, fetch_hub, "done"],
            ),
            (
                "202 with both",
                "PATCH",
                &[(202, &[ASYNC, LOC], ""), (202, &[], r#"{"status":"succeeded"}"#), (200, &[], HUB)],
                &[poll_status, fetch_hub, "done"],
            ),
            (
                "200 with Operation-Location",
                "PUT",
                &[(200, &[("operation-location", STATUS)], UPDATING), (200, &[], SUCCEEDED), (200, &[], HUB)],
                &[poll_status, fetch_hub, "done"],
            ),
            (
                "202 without headers",
                "PATCH",
                &[(202, &[], ""), (200, &[], UPDATING), (200, &[], HUB)],
                &[poll_hub, poll_hub, "done"],
            ),
            ("201 without state", "PUT", &[(201, &[], r#"{"properties":{}}"#), (200, &[], HUB)], &[poll_hub, "done"]),
            ("204", "PATCH", &[(204, &[], ""), (200, &[], HUB)], &[fetch_hub, "done"]),
            // POST: the result may be elsewhere.
            ("200", "POST", &[(200, &[], "")], &["done"]),
            ("202 without headers", "POST", &[(202, &[], "")], &["done"]),
            ("202 with Location", "POST", &[(202, &[LOC], ""), (200, &[], "{}")], &[poll_location, "done"]),
            (
                "202 with both",
                "POST",
                &[(202, &[ASYNC, LOC], ""), (200, &[], SUCCEEDED), (200, &[], "{}")],
                &[poll_status, &fetch_location, "done"],
            ),
            (
                "202 with Azure-AsyncOperation",
                "POST",
                &[(202, &[ASYNC], ""), (200, &[], r#"{"status":"Completed"}"#)],
                &[poll_status, "done"],
            ),
            // DELETE: there is nothing to get.
            ("200", "DELETE", &[(200, &[], "")], &["done"]),
            ("204", "DELETE", &[(204, &[], "")], &["done"]),
            (
                "202 with Location",
                "DELETE",
                &[(202, &[LOC], ""), (202, &[], ""), (204, &[], "")],
                &[poll_location, poll_location, "done"],
            ),
            ("202 with Location, 200", "DELETE", &[(202, &[LOC], ""), (200, &[], "")], &[poll_location, "done"]),
            ("202 with both", "DELETE", &[(202, &[ASYNC, LOC], ""), (200, &[], SUCCEEDED)], &[poll_status, "done"]),
            (
                "202 without headers",
                "DELETE",
                &[(202, &[], ""), (200, &[], r#"{"properties":{"provisioningState":"Deleting"}}"#)],
                &[&until_gone, &until_gone],
            ),
        ];
        for (name, method, answers, expected) in cases {
            let steps = play(method, answers).unwrap_or_else(|error| panic!("{method} {name}: {error}"));
            assert_eq!(&steps, expected, "{method} {name}");
        }
    }

    #[test]
    fn a_failed_operation_is_an_error_with_the_reason_inside() {
        let failed =
            r#"{"status":"Failed","error":{"code":"ScopeLocked","message":"locked","details":[{"code":"X"}]}}"#;
        let error = play("PATCH", &[(202, &[ASYNC], ""), (200, &[], failed)]).unwrap_err();
        let Error::Operation(operation) = &error else { panic!("{error:?}") };
        assert_eq!(operation.outcome, OperationOutcome::Failed);
        assert_eq!(operation.error.details.len(), 1);
        assert_eq!(error.code().unwrap().as_str(), "ScopeLocked");
        assert_eq!(error.to_string(), "the operation started by PATCH /hub failed: ScopeLocked: locked");

        for (answers, outcome) in [
            (&[(202, &[ASYNC][..], ""), (200, &[], r#"{"status":"Canceled"}"#)][..], OperationOutcome::Canceled),
            (&[(202, &[ASYNC], ""), (200, &[], r#"{"status":"cancelled"}"#)], OperationOutcome::Canceled),
            (
                &[(202, &[LOC], ""), (200, &[], r#"{"properties":{"provisioningState":"Failed"}}"#)],
                OperationOutcome::Failed,
            ),
            (&[(200, &[], r#"{"properties":{"provisioningState":"Canceled"}}"#)], OperationOutcome::Canceled),
        ] {
            let error = play("PATCH", answers).unwrap_err();
            assert!(matches!(&error, Error::Operation(operation) if operation.outcome == outcome), "{error:?}");
        }
    }

    #[test]
    fn answers_that_make_no_sense_are_refused() {
        for (answers, problem) in [
            (&[(202, &[ASYNC][..], ""), (200, &[], "{}")][..], "has no `status`"),
            (&[(202, &[ASYNC], ""), (200, &[], r#"{"status":7}"#)], "has no `status`"),
            (&[(202, &[("location", "/relative")], "")], "location header is not an absolute URL"),
            (&[(202, &[("azure-asyncoperation", "x/y")], "")], "azure-asyncoperation header is not an absolute URL"),
        ] {
            let error = play("PATCH", answers).unwrap_err();
            assert!(matches!(error, Error::Protocol { .. }) && error.to_string().contains(problem), "{error}");
        }
    }

    /// What is of another type, or no JSON, says nothing, and hides nothing else.
    #[test]
    fn of_a_body_only_what_is_known_is_read() {
        for (body, status, state, error, is_resource) in [
            (r#"{"status":"Running","properties":7,"error":null,"x":[{}]}"#, Some("Running"), None, None, true),
            (
                r#"{"status":7,"error":"e","properties":{"provisioningState":"Failed"}}"#,
                None,
                Some("Failed"),
                None,
                true,
            ),
            (r#"{"error":[],"properties":{"error":{"code":"C"}}}"#, None, None, Some(r#"{"code":"C"}"#), true),
            ("\u{feff}{\"status\":\"Done\",\"properties\":null}", Some("Done"), None, None, false),
            (r#"{"status":"Running"}x"#, None, None, None, false),
            (r#"{"status":"Running","status":"Succeeded"}"#, Some("Succeeded"), None, None, false),
            ("[]", None, None, None, false),
            ("<html>", None, None, None, false),
            ("", None, None, None, false),
        ] {
            let read = Progress::read(body.as_bytes());
            let found = (read.status.as_deref(), read.state.as_deref(), read.error.as_deref().map(RawValue::get));
            assert_eq!((found, read.is_resource), ((status, state, error), is_resource), "{body}");
        }
    }

    #[test]
    fn the_last_poll_is_shortly_before_the_deadline() {
        for (asked, left, expected) in [("30", 31, 30), ("600", 100, 95), ("600", 5, 600)] {
            let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, asked.parse().unwrap())]);
            let wait = wait(OffsetDateTime::UNIX_EPOCH, &headers, DEFAULT_POLL_INTERVAL, Duration::from_secs(left));
            assert_eq!(wait, Duration::from_secs(expected));
        }
    }

    #[test]
    fn no_poll_follows_at_once() {
        let wait = wait(OffsetDateTime::UNIX_EPOCH, &HeaderMap::new(), Duration::ZERO, Duration::from_secs(60));
        assert!((1..=2).contains(&wait.as_secs()), "{wait:?}");
    }
}
