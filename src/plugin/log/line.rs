//! The log line of an event.

use std::{error::Error, fmt, iter};

use serde_json::{Map, Value};
use time::OffsetDateTime;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::key;

/// The longest line, in bytes and with its line feed. The host splits longer ones and can parse neither part.
const LONGEST_LINE: usize = 64 << 10;

/// tracing's name for the field that holds an event's text.
const EVENT_TEXT: &str = "message";

/// Writes each event as a line with the fields of its spans, the outermost first, and then its own.
pub(super) struct Lines<W> {
    now: fn() -> OffsetDateTime,
    write: W,
}

impl<W: Fn(&str)> Lines<W> {
    pub(super) fn new(now: fn() -> OffsetDateTime, write: W) -> Self {
        Self { now, write }
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&str) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.0.extend(outer.0.clone());
            }
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        (self.write)(&line((self.now)(), *metadata.level(), metadata.target(), fields.0));
    }
}

/// The fields of a span or an event.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        let name = field.name();
        self.0.insert(name.strip_prefix("r#").unwrap_or(name).to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    /// Records the error with all its sources.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let chain: Vec<String> =
            iter::successors(Some(value), |&error| error.source()).map(ToString::to_string).collect();
        self.insert(field, chain.join(": "));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }
}

/// The line for these fields, with its line feed. The keys that have to be strings are set last, so that no field can
/// replace them.
fn line(now: OffsetDateTime, level: Level, target: &str, mut fields: Map<String, Value>) -> String {
    let message = match fields.remove(EVENT_TEXT) {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    };
    fields.insert(key::MESSAGE.to_owned(), message.into());
    fields.insert(key::LEVEL.to_owned(), level.as_str().to_ascii_lowercase().into());
    fields.insert(key::TIMESTAMP.to_owned(), timestamp(now).into());
    fields.insert(key::MODULE.to_owned(), target.into());

    let mut longest_text = LONGEST_LINE / 2;
    loop {
        let line = format!("{}\n", Value::Object(fields.clone()));
        if line.len() <= LONGEST_LINE || longest_text == 0 {
            return line;
        }
        longest_text /= 2;
        fields.values_mut().for_each(|value| shorten(value, longest_text));
    }
}

/// Cuts a text of more than `longest` bytes and marks the cut.
fn shorten(value: &mut Value, longest: usize) {
    if let Value::String(text) = value
        && text.len() > longest
    {
        text.truncate(text.floor_char_boundary(longest));
        text.push('…');
    }
}

fn timestamp(now: OffsetDateTime) -> String {
    let (date, time) = (now.date(), now.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.microsecond()
    )
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::json;
    use tracing::{Subscriber, info, info_span};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_000_042_999).unwrap()
    }

    /// Runs `log` and gives back the lines it wrote, having checked what holds for every line.
    fn logged(log: impl FnOnce()) -> Vec<Value> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Lines::new(now, {
            let lines = Arc::clone(&lines);
            move |line: &str| lines.lock().unwrap().push(line.to_owned())
        });
        let subscriber: Box<dyn Subscriber + Send + Sync> = Box::new(tracing_subscriber::registry().with(writer));
        tracing::subscriber::with_default(subscriber, log);
        let lines = lines.lock().unwrap();
        lines.iter().map(|line| check(line)).collect()
    }

    fn check(line: &str) -> Value {
        assert!(line.len() <= LONGEST_LINE, "{} bytes", line.len());
        assert_eq!(line.find('\n'), Some(line.len() - 1), "{line}");
        let line: Value = serde_json::from_str(line).unwrap();
        for key in [key::MESSAGE, key::LEVEL, key::TIMESTAMP] {
            assert!(line[key].is_string(), "{key} in {line}");
        }
        line
    }

    #[test]
    fn a_line_has_the_event_s_fields_and_those_of_its_spans() {
        let lines = logged(|| {
            let outer = info_span!("outer", rpc = "Read", attempt = 1, late = tracing::field::Empty).entered();
            outer.record("late", true);
            let _inner = info_span!("inner", attempt = 2_u64).entered();
            info!(target: "a::b", share = 0.5, r#type = "hub", path = ?Some("x"), "read {}", 3);
        });
        assert_eq!(
            lines,
            [json!({
                "@level": "info", "@message": "read 3", "@module": "a::b", "@timestamp": "2023-11-14T22:13:20.000042Z",
                "rpc": "Read", "attempt": 2, "late": true, "share": 0.5, "type": "hub", "path": "Some(\"x\")",
            })]
        );
    }

    #[test]
    fn no_field_can_take_the_place_of_a_key_that_has_to_be_a_string() {
        let lines = logged(|| {
            let _span = info_span!("span", { key::MESSAGE } = 1, message = 2).entered();
            info!({ key::LEVEL } = 3, { key::TIMESTAMP } = false);
            info!(message = 4);
        });
        let messages: Vec<_> = lines.iter().map(|line| &line[key::MESSAGE]).collect();
        assert_eq!(messages, ["2", "4"]);
        assert!(lines.iter().all(|line| line[key::LEVEL] == "info"), "{lines:?}");
    }

    #[test]
    fn an_error_is_written_with_its_causes() {
        let lines = logged(|| {
            let error = crate::plugin::Error::Announce(io::Error::other("closed"));
            info!(error = &error as &dyn Error);
        });
        assert_eq!(lines[0]["error"], "writing the address to standard output: closed");
    }

    #[test]
    fn a_long_text_is_cut_and_the_others_stay() {
        let lines = logged(|| {
            // A control character takes six bytes in JSON; the other takes four and no cut may divide it.
            info!(controls = "\u{1}".repeat(100_000), smileys = "😀".repeat(100_000), short = "whole", "text");
        });
        assert_eq!(lines[0][key::MESSAGE], "text");
        assert_eq!(lines[0]["short"], "whole");
        assert!(lines[0]["smileys"].as_str().unwrap().ends_with("😀…"));
        assert!(lines[0]["controls"].as_str().unwrap().len() > 4_000);
    }
}
