//! Long-running operations: a line with the method and the seconds left, then the answers one after the other.

use crate::{
    answer::{answer, line, parts},
    errors::assert_shown,
};
use foundryhub::{
    arm::{
        Answer, Error,
        lro::{self, DEFAULT_POLL_INTERVAL, Operation, Progress, Step},
    },
    framework::shown,
};
use http::{HeaderMap, Method};
use std::time::Duration;
use time::OffsetDateTime;
use url::Url;

/// The shortest wait, and how much longer than asked a wait may be.
const SHORTEST: Duration = Duration::from_secs(1);
/// With less left than this, a wait that is too long ends the call.
const ENOUGH: Duration = Duration::from_secs(10);

pub(crate) fn check(input: &[u8]) {
    let parts = parts(input);
    let (first, _) = line(parts[0]);
    let (method, left) = first.split_once(' ').unwrap_or_default();
    let (Ok(method), Ok(left)) = (method.parse::<Method>(), left.parse()) else { return };
    let left = Duration::from_secs(left);
    let original = Url::parse("https://arm.test/hub?api-version=v").expect("a URL");
    let mut operation: Option<Operation> = None;
    let mut url = original.clone();
    for part in &parts[1..] {
        let Some((status, headers, body)) = answer(part).filter(|(status, ..)| status.is_success()) else { return };
        assert_wait(&headers, left);
        let answer = Answer { method: method.clone(), path: "/hub".into(), url, status, headers, body: body.into() };
        let body = Progress::read(body);
        let step = match &mut operation {
            Some(operation) => operation.next(&answer, &body),
            None => Operation::start(original.clone(), &answer, &body).map(|(begun, step)| {
                operation = Some(begun);
                step
            }),
        };
        url = match step {
            Ok(Step::Done) => return,
            Ok(Step::Poll(url) | Step::PollUntilGone(url) | Step::Fetch(url)) => url,
            Err(error) => return assert_ended(&error),
        };
        assert_eq!(url.origin(), original.origin(), "the token goes to {url}");
        assert!(url.username().is_empty() && url.password().is_none(), "{url}");
    }
}

/// An operation ends by what Azure says of it, or because what it says makes no sense.
fn assert_ended(error: &Error) {
    assert!(
        matches!(error, Error::Operation(_) | Error::Protocol { .. } | Error::ForeignHost { .. }),
        "an answer made {error:?}"
    );
    assert!(error.may_have_had_effect());
    assert_shown(&shown(&error.to_string()));
}

/// A wait is never shorter than a second, ends before the deadline where there is a choice, and is what was asked for where
/// that is possible.
fn assert_wait(headers: &HeaderMap, left: Duration) {
    let wait = lro::wait(OffsetDateTime::UNIX_EPOCH, headers, DEFAULT_POLL_INTERVAL, left);
    assert!(wait >= SHORTEST, "{wait:?} for {headers:?}");
    assert!(wait < left || left <= ENOUGH, "{wait:?} of {left:?} for {headers:?}");
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let (None, None, Some(asked)) =
        (text("retry-after-ms"), text("x-ms-retry-after-ms"), text("retry-after").and_then(|text| text.parse().ok()))
    {
        let asked = Duration::from_secs(asked);
        assert!(
            wait == asked || (asked < 2 * SHORTEST && wait <= 2 * SHORTEST) || asked >= left,
            "{wait:?}, {asked:?}"
        );
    }
    if headers.keys().all(|name| !name.as_str().contains("retry-after")) && left > DEFAULT_POLL_INTERVAL {
        assert_eq!(wait, DEFAULT_POLL_INTERVAL);
    }
}
