//! The emulator's own time: real time plus an offset that a test moves. Every delay is measured on it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::{datetime, format_description};

/// The last moment that there is. Whatever would come later is then.
const END_OF_TIME: OffsetDateTime = datetime!(9999-12-31 23:59:59 UTC);

/// The time that lies `by` after another.
pub(crate) fn after(at: OffsetDateTime, by: Duration) -> OffsetDateTime {
    by.try_into().ok().and_then(|by: time::Duration| at.checked_add(by)).unwrap_or(END_OF_TIME).min(END_OF_TIME)
}

/// The time that a token writes in seconds since 1970; whatever would be later than there is, is the end.
pub(crate) fn unix(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(END_OF_TIME)
}

/// Whether something that takes a time after `since` is over. What takes no time is over whatever the clock says, also
/// when it was turned back.
pub(crate) fn over(since: OffsetDateTime, takes: Duration, now: OffsetDateTime) -> bool {
    takes.is_zero() || now >= after(since, takes)
}

/// A clock that runs with the real one, shifted, unless it was stopped.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    shift: time::Duration,
    #[serde(with = "time::serde::rfc3339::option")]
    stopped: Option<OffsetDateTime>,
}

impl Clock {
    /// The emulator's present.
    pub(crate) fn now(&self) -> OffsetDateTime {
        let unmoved = self.stopped.unwrap_or_else(OffsetDateTime::now_utc);
        unmoved.checked_add(self.shift).unwrap_or(END_OF_TIME)
    }

    /// Moves the present forward.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.shift = self.shift.saturating_add(by.try_into().unwrap_or(time::Duration::MAX));
    }

    /// Makes `to` the present, forwards or backwards; time goes on from there unless the clock is stopped.
    pub(crate) fn set(&mut self, to: OffsetDateTime) {
        self.shift = time::Duration::ZERO;
        self.shift = to - self.now();
    }

    /// Lets time go on from where it is.
    pub(crate) fn run(&mut self) {
        if self.stopped.is_some() {
            let now = self.now();
            self.stopped = None;
            self.set(now);
        }
    }

    /// Holds the present still: only [`Clock::advance`] and [`Clock::set`] move it from here on.
    pub(crate) fn stop(&mut self) {
        self.stopped = Some(self.now());
        self.shift = time::Duration::ZERO;
    }
}

/// A time as systemData and operations write it: whole seconds.
pub(crate) fn seconds(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    at.format(&format).expect("a date of these years formats")
}

/// A time as role assignments and storage keys write it: seven digits of fraction.
pub(crate) fn ticks(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
    at.format(&format).expect("a date of these years formats")
}

/// A time as the token endpoint's errors write it.
pub(crate) fn plain(at: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
    at.format(&format).expect("a date of these years formats")
}

/// A time as ARM's errors about tokens write it.
pub(crate) fn american(at: OffsetDateTime) -> String {
    let format = format_description!(
        "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute]:[second] [period]"
    );
    at.format(&format).expect("a date of these years formats")
}

/// A time as the HTTP Date header writes it.
pub(crate) fn http(at: OffsetDateTime) -> String {
    let seconds = u64::try_from(at.unix_timestamp()).unwrap_or(0);
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Reads a time as the command line and seeds write it (RFC 3339).
pub(crate) fn parse(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| format!("{text:?} is no RFC 3339 time: {error}"))
}

/// Reads a length of time: `250ms`, `90s`, `10m`, `2h`, or a bare number of seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| format!("{text:?} does not begin with a number"))?;
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        unit => Err(format!("{unit:?} is none of ms, s, m, h")),
    }
}
