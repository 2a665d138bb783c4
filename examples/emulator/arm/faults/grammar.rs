//! How rules are written: `METHOD PATH[?TEXT] -> ACTION [CODE] [key=value]…`.

use std::str::FromStr;

use super::super::clock;
use super::{Action, Rule};

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (request, answer) = text.split_once("->").ok_or("a rule is METHOD PATH -> ACTION")?;
        let (method, path) = request.trim().split_once(' ').ok_or("a method and a path stand before ->")?;
        let (path, contained) = path.trim().split_once('?').unwrap_or((path.trim(), ""));
        let words = words(answer)?;
        let (action, settings) = words.split_first().ok_or("an action stands after ->")?;
        let action = match action.as_str() {
            "challenge" => Action::Challenge,
            "denied" => Action::Denied,
            "slow" => Action::Slow,
            "close" => Action::Close,
            "lose" => Action::Lose,
            "reset" => Action::Reset,
            "reset-late" => Action::ResetLate,
            "refuse" => Action::Refuse,
            "truncate" => Action::Truncate,
            "stall" => Action::Stall,
            "empty" => Action::Empty,
            "plain" => Action::Plain,
            "huge" => Action::Huge,
            "endless" => Action::Endless,
            "loop" => Action::Loop,
            "astray" => Action::Astray,
            "redirect" => Action::Redirect,
            "hold" => Action::Hold,
            "fail-operation" => Action::FailOperation,
            "cancel-operation" => Action::CancelOperation,
            "lose-operation" => Action::LoseOperation,
            status => match status.parse() {
                Ok(status @ 200..=599) => Action::Status(status),
                _ => return Err(format!("{status:?} is no action")),
            },
        };
        let mut rule = Self::on(method, path, action).containing(contained);
        for setting in settings {
            let number = |value: &str| value.parse().map_err(|_| format!("{value:?} is no number"));
            rule = match setting.split_once('=') {
                None => rule.code(setting),
                Some(("message", value)) => rule.message(value),
                Some(("target", value)) => rule.target(value),
                Some(("detail", value)) => {
                    let (code, message) = value.split_once(':').ok_or("detail is CODE:TEXT")?;
                    rule.detail(code, message.trim())
                }
                Some((name @ ("retry-after" | "retry-at"), value)) => rule.header(name, value),
                Some(("body", "html")) => rule.html(),
                Some(("delay", value)) => rule.delay(clock::duration(value)?),
                Some(("after", value)) => rule.after(number(value)?),
                Some(("times", value)) => rule.times(number(value)?),
                Some((name, _)) => {
                    return Err(format!(
                        "{name:?} is none of message, target, detail, retry-after, retry-at, body=html, delay, after, times"
                    ));
                }
            };
        }
        Ok(rule)
    }
}

/// Splits at spaces, except within double quotes.
pub(crate) fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.extend((!word.is_empty()).then(|| std::mem::take(&mut word))),
            c => word.push(c),
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    words.extend((!word.is_empty()).then_some(word));
    Ok(words)
}
