//! Rules that make chosen requests go wrong: a status, a delay, a cut connection, an operation that fails.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::clock;
use super::errors::Failure;
use super::http::Request;

/// Which requests go wrong, how often, and how.
///
/// Written as `METHOD PATH[?TEXT] -> ACTION [key=value]…`; see `docs/internals/emulator.md` for the grammar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rule {
    method: String,
    path: String,
    text: String,
    action: Action,
    failure: Failure,
    headers: Vec<(String, String)>,
    delay: Duration,
    after: u64,
    times: Option<u64>,
}

/// What happens to a request that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// An error answer instead of the real one.
    Status(u16),
    /// 401 with a challenge that asks for a token with further claims.
    Challenge,
    /// AuthorizationFailed with the text that names caller, action and scope.
    Denied,
    /// The request is served, after the rule's delay.
    Slow,
    /// The connection is closed before the request is served.
    Close,
    /// The request is served, and the connection closed instead of answering.
    Lose,
    /// The request is served, but half of the answer's body is missing.
    Truncate,
    /// The answer waits until the rule is removed.
    Hold,
    /// The operation that the request starts fails.
    FailOperation,
}

impl Rule {
    /// A rule for a method (`*` for any) and a path with `*` for any text, compared without regard to case.
    pub(crate) fn on(method: &str, path: &str, action: Action) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_ascii_lowercase(),
            text: String::new(),
            action,
            failure: Failure::new("EmulatedFault", "The emulator was told to answer this."),
            headers: Vec::new(),
            delay: Duration::ZERO,
            after: 0,
            times: None,
        }
    }

    /// Only requests whose query or body has this text in it.
    pub(crate) fn containing(mut self, text: &str) -> Self {
        self.text = text.to_ascii_lowercase();
        self
    }

    /// The error's code.
    pub(crate) fn code(mut self, code: &str) -> Self {
        self.failure.code = code.to_owned();
        self
    }

    /// The error's text.
    pub(crate) fn message(mut self, message: &str) -> Self {
        self.failure.message = message.to_owned();
        self
    }

    /// What the error is about.
    pub(crate) fn target(mut self, target: &str) -> Self {
        self.failure.target = Some(target.to_owned());
        self
    }

    /// One more error within the error.
    pub(crate) fn detail(mut self, code: &str, message: &str) -> Self {
        self.failure.details.push(Failure::new(code, message));
        self
    }

    /// A header of the error answer, such as Retry-After.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Real time to wait before the action.
    pub(crate) fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Lets this many matching requests pass first.
    pub(crate) fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    /// Wears off after this many requests; without it a rule stays.
    pub(crate) fn times(mut self, requests: u64) -> Self {
        self.times = Some(requests);
        self
    }

    fn matches(&self, request: &Request) -> bool {
        (self.method == "*" || self.method.eq_ignore_ascii_case(request.method.as_str()))
            && wildcard(&self.path, &request.path().to_ascii_lowercase())
            && (self.text.is_empty()
                || request
                    .query
                    .iter()
                    .any(|(key, value)| format!("{key}={value}").to_ascii_lowercase().contains(&self.text))
                || String::from_utf8_lossy(&request.body).to_ascii_lowercase().contains(&self.text))
    }
}

/// A rule that has been set, told apart from others like it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RuleId(u64);

/// What was decided about one request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) id: RuleId,
    pub(crate) action: Action,
    pub(crate) failure: Failure,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) delay: Duration,
}

/// The rules in force, in the order they were set; the first that matches decides.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(RuleId, Rule)>,
    next: u64,
}

impl Faults {
    /// Puts a rule in force.
    pub(crate) fn add(&mut self, rule: Rule) -> RuleId {
        self.next += 1;
        self.rules.push((RuleId(self.next), rule));
        RuleId(self.next)
    }

    /// Takes a rule back; requests it holds go on.
    pub(crate) fn remove(&mut self, id: RuleId) {
        self.rules.retain(|(other, _)| *other != id);
    }

    /// Takes all rules back.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Whether a rule still stands.
    pub(crate) fn stands(&self, id: RuleId) -> bool {
        self.rules.iter().any(|(other, _)| *other == id)
    }

    /// Decides about a request and counts it.
    pub(crate) fn judge(&mut self, request: &Request) -> Option<Verdict> {
        for (id, rule) in &mut self.rules {
            if rule.times == Some(0) || !rule.matches(request) {
                continue;
            }
            if rule.after > 0 {
                rule.after -= 1;
                continue;
            }
            if let Some(times) = &mut rule.times {
                *times -= 1;
            }
            return Some(Verdict {
                id: *id,
                action: rule.action,
                failure: rule.failure.clone(),
                headers: rule.headers.clone(),
                delay: rule.delay,
            });
        }
        None
    }
}

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
            "truncate" => Action::Truncate,
            "hold" => Action::Hold,
            "fail-operation" => Action::FailOperation,
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
                Some(("retry-after", value)) => rule.header("retry-after", value),
                Some(("delay", value)) => rule.delay(clock::duration(value)?),
                Some(("after", value)) => rule.after(number(value)?),
                Some(("times", value)) => rule.times(number(value)?),
                Some((name, _)) => {
                    return Err(format!(
                        "{name:?} is none of message, target, detail, retry-after, delay, after, times"
                    ));
                }
            };
        }
        Ok(rule)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
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

/// Whether a text matches a pattern in which `*` stands for any text, slashes included.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
