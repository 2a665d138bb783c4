//! The conventional `timeouts` block.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Attr, Type, Value,
    schema::{Attribute, Block, NestedBlock, Refusal},
};

/// How long each operation of a resource may take, as the user wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// For creating the object.
    pub create: Attr<Period>,
    /// For reading it.
    pub read: Attr<Period>,
    /// For changing it.
    pub update: Attr<Period>,
    /// For deleting it.
    pub delete: Attr<Period>,
}

/// How long reading a data source may take, as the user wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTimeout {
    /// For the whole read.
    pub read: Attr<Period>,
}

/// How long an action may take, as the user wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvokeTimeout {
    /// For the whole action.
    pub invoke: Attr<Period>,
}

/// The name of the block.
pub(super) const NAME: &str = "timeouts";

/// The block of a resource. The texts name the default of each operation.
pub fn block([create, read, update, delete]: [&'static str; 4]) -> NestedBlock {
    block_of(&[("create", create), ("read", read), ("update", update), ("delete", delete)])
}

/// The block of a kind with these operations: their names, and texts that name the default of each.
pub fn block_of(operations: &[(&'static str, &'static str)]) -> NestedBlock {
    let attribute = |(name, description)| Attribute::optional(name, Type::String, description).check(some_time);
    let attributes = operations.iter().copied().map(attribute).collect();
    let description = "How long operations may take, as durations such as `30m` or `1h30m`.";
    NestedBlock { name: NAME, block: Block { description, attributes, blocks: Vec::new() } }
}

/// The time that the block allows for an operation, or `default` when it does not say.
pub fn allowed<T>(timeouts: &Attr<T>, which: impl Fn(&T) -> &Attr<Period>, default: Duration) -> Duration {
    timeouts.known().and_then(|timeouts| which(timeouts).known()).map_or(default, Period::length)
}

/// A duration as the user wrote it; zero is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    text: String,
    length: Duration,
}

impl Period {
    /// The duration.
    pub fn length(&self) -> Duration {
        self.length
    }
}

impl FromStr for Period {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let refused = || {
            Refusal::invalid(format!(
                "{text:?} is not a duration. Write a number with a unit, such as 90s or 5m; 0s does not wait."
            ))
        };
        let length = parse(text).ok_or_else(refused)?;
        Ok(Self { text: text.to_owned(), length })
    }
}

impl TryFrom<String> for Period {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.text
    }
}

fn some_time(value: &Value) -> Result<(), Refusal> {
    let text = value.as_str().unwrap_or_default();
    match text.parse::<Period>() {
        Ok(period) if !period.length.is_zero() => Ok(()),
        _ => Err(Refusal::invalid(format!(
            "{text:?} is not a positive duration of at most {}h. Write a number with a unit, such as 90s, 30m or 1h30m.",
            LONGEST.as_secs() / 3600
        ))),
    }
}

/// The longest duration that is accepted, a year, so that no clock overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Reads a duration in the notation of Go: numbers with the units ns, us, ms, s, m and h, one after the other. `None`
/// when it is not one, or is negative or longer than a year.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let unit_at = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_end = tail.find(|char: char| char.is_ascii_digit() || char == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        let part = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
        total = total.checked_add(part).filter(|total| *total <= LONGEST)?;
        rest = tail;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, seconds) in
            [("30m", 1800.0), ("1h30m", 5400.0), ("1.5h", 5400.0), ("90s", 90.0), ("250ms", 0.25), ("0", 0.0)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "30", "m", "-5m", "5 m", "5d", "1..5h", "99999999999999999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_timeout_is_positive_and_at_most_a_year() {
        let refused = |text: &str| some_time(&text.into()).err().map(|refusal| refusal.detail);
        assert_eq!(refused("8760h"), None);
        for text in ["0s", "8760h1ns", "5000000000000000h"] {
            assert!(refused(text).is_some_and(|detail| detail.contains("at most 8760h")), "{text}");
            assert_eq!(text.parse::<Period>().is_ok(), text == "0s");
        }
        let five = "5s".parse::<Period>().expect("a duration");
        let block = Attr::Known(Timeouts { read: five.into(), ..Timeouts::default() });
        let default = Duration::from_secs(7);
        assert_eq!(allowed(&block, |timeouts| &timeouts.read, default).as_secs(), 5);
        assert_eq!(allowed(&block, |timeouts| &timeouts.create, default), default);
        assert_eq!(allowed(&Attr::Null, |timeouts: &ReadTimeout| &timeouts.read, default), default);
    }
}
