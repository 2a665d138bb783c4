//! Numbers without loss.

use std::{fmt, str::FromStr};

/// A decimal number, kept as its shortest text so that no digit is lost between reading and writing. Terraform computes
/// with 512-bit floats, which no machine type holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(String);

/// The text is not a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a number")]
pub struct NotANumber(String);

/// The largest power of ten written out in full. Beyond it a short text could stand for gigabytes of zeros.
const MAX_EXPONENT: u64 = 4096;

impl Number {
    /// The number in plain decimal notation, without exponent or needless zeros; `Inf` and `-Inf` for the infinities.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, when it is an integer that fits.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The value as a binary float, when it is exactly one.
    pub(crate) fn as_exact_f64(&self) -> Option<f64> {
        match self.0.as_str() {
            "Inf" => return Some(f64::INFINITY),
            "-Inf" => return Some(f64::NEG_INFINITY),
            _ => {}
        }
        let float: f64 = self.0.parse().ok()?;
        // A double needs at most 1074 decimals to be written exactly.
        let exact = Self::from_str(&format!("{float:.1074}")).ok()?;
        (exact == *self).then_some(float)
    }

    /// The number that an engine means by a binary float, of which it compares and shows the shortest text that reads back
    /// as the same float. `None` for NaN, which Terraform does not know.
    ///
    /// Engines also send a float for a fraction that they computed with 512 bits and that is exactly a float, such as
    /// 1 / 1099511627776. Nothing distinguishes the two, and no text is right for that one: a plan is compared with all of
    /// its 28 digits, and an apply with the float that the plan file holds.
    pub(crate) fn from_f64(float: f64) -> Option<Self> {
        match float {
            _ if float.is_nan() => None,
            f64::INFINITY => Some(Self("Inf".to_owned())),
            f64::NEG_INFINITY => Some(Self("-Inf".to_owned())),
            _ => Self::from_str(&format!("{float:?}")).ok(),
        }
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self(integer.to_string())
    }
}

impl From<u64> for Number {
    fn from(integer: u64) -> Self {
        Self(integer.to_string())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads decimal notation with an optional sign, point and exponent.
impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || NotANumber(text.chars().take(64).collect());
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if unsigned.eq_ignore_ascii_case("inf") {
            return Ok(Self(if negative { "-Inf" } else { "Inf" }.to_owned()));
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().map_err(|_| refuse())?),
            None => (unsigned, 0),
        };
        if exponent.unsigned_abs() > MAX_EXPONENT {
            return Err(refuse());
        }
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if integer.len() + fraction.len() == 0 || !all_digits(integer) || !all_digits(fraction) {
            return Err(refuse());
        }
        Ok(Self(canonical(negative, integer, fraction, exponent)))
    }
}

/// Shifts the point by `exponent` and drops needless zeros.
fn canonical(negative: bool, integer: &str, fraction: &str, exponent: i64) -> String {
    let mut digits = format!("{integer}{fraction}");
    let mut point = integer.len() as i64 + exponent;
    if point < 0 {
        digits.insert_str(0, &"0".repeat(point.unsigned_abs() as usize));
        point = 0;
    }
    let point = point as usize;
    if digits.len() < point {
        digits.push_str(&"0".repeat(point - digits.len()));
    }
    let (integer, fraction) = digits.split_at(point);
    let integer = integer.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    let sign = if negative && !(integer.is_empty() && fraction.is_empty()) { "-" } else { "" };
    let integer = if integer.is_empty() { "0" } else { integer };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{integer}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().expect("the case is a number")
    }

    #[test]
    fn one_number_has_one_text() {
        for (written, kept) in [
            ("0.1", "0.1"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("1e3", "1000"),
            ("1.50e-2", "0.015"),
            ("18446744073709551615", "18446744073709551615"),
            ("1E30", "1000000000000000000000000000000"),
            (".5", "0.5"),
            ("007", "7"),
            ("-inf", "-Inf"),
        ] {
            assert_eq!(number(written).as_str(), kept, "{written}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in
            ["", "-", ".", "1.2.3", "0x10", "one", "1e", "1e99999999999", "1e-9223372036854775808", "NaN", "--1"]
        {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_exact_floats_are_floats() {
        assert_eq!(number("0.5").as_exact_f64(), Some(0.5));
        assert_eq!(number("0.1").as_exact_f64(), None);
        assert_eq!(number("0.33333333333333333333333333333333").as_exact_f64(), None);
        assert_eq!(number("Inf").as_exact_f64(), Some(f64::INFINITY));
        assert_eq!(Number::from_f64(0.1), Some(number("0.1")));
        assert_eq!(Number::from_f64(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn floats_round_trip(float in any::<f64>().prop_filter("a number", |float| !float.is_nan())) {
            let number = Number::from_f64(float).expect("a number");
            let read: f64 = number.as_str().parse().expect("a float");
            prop_assert_eq!(read, float);
            prop_assert!(number.as_exact_f64().is_none_or(|sent| sent == float));
        }
    }
}
