//! Rules that make chosen requests go wrong: a status, a delay, a cut connection, an operation that fails.

mod grammar;
mod random;
mod spoiled;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::errors::Failure;
use super::http::Request;
use super::operations::Fate;
pub(crate) use grammar::words;
use random::Draws;
pub(crate) use random::RandomFaults;
pub(crate) use spoiled::redirect;

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
    html: bool,
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
    /// The request is not served, and its stream reset; other requests of the connection go on.
    Reset,
    /// The request is served, and its stream reset.
    ResetLate,
    /// All connections are closed before the request is served, and none is taken for the rule's delay.
    Refuse,
    /// The request is served, but half of the answer's body is missing.
    Truncate,
    /// The request is served, and the second half of the answer's body comes after the rule's delay; without one never.
    Stall,
    /// The request is served, and the answer has no body.
    Empty,
    /// The request is served, and the answer says that it is plain text.
    Plain,
    /// The request is served, and the answer has a body of 64 MiB.
    Huge,
    /// The request is served, and the next page of a list is this one.
    Loop,
    /// The request is served, and the links of the answer lead to another host.
    Astray,
    /// The caller is sent to another host.
    Redirect,
    /// The list that is asked for goes on after each page.
    Endless,
    /// The answer waits until the rule is removed.
    Hold,
    /// The operation that the request starts fails.
    FailOperation,
    /// The operation that the request starts is canceled.
    CancelOperation,
    /// The operation that the request starts does its work, and nobody finds it.
    LoseOperation,
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
            html: false,
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

    /// A page of HTML instead of the error, as proxies and front ends answer.
    pub(crate) fn html(mut self) -> Self {
        self.html = true;
        self
    }

    /// Real time to wait before the action; how long a [`Action::Stall`] or [`Action::Refuse`] lasts.
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
    pub(crate) html: bool,
    pub(crate) delay: Duration,
}

impl Verdict {
    fn new(id: RuleId, rule: &Rule) -> Self {
        Self {
            id,
            action: rule.action,
            failure: rule.failure.clone(),
            headers: rule.headers.clone(),
            html: rule.html,
            delay: rule.delay,
        }
    }

    /// What is to become of an operation that the request starts.
    pub(crate) fn fate(&self) -> Option<Fate> {
        match self.action {
            Action::FailOperation => Some(Fate::Fails(self.failure.clone())),
            Action::CancelOperation => Some(Fate::IsCanceled),
            Action::LoseOperation => Some(Fate::Vanishes),
            _ => None,
        }
    }
}

/// The rules in force, in the order they were set; the first that matches decides.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(RuleId, Rule)>,
    next: u64,
    draws: Draws,
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

    /// How often each fault was drawn at random, as rules write it.
    pub(crate) fn drawn(&self) -> &BTreeMap<&'static str, u64> {
        self.draws.drawn()
    }

    /// Decides about a request and counts it: by the rules, and where none matches by chance.
    pub(crate) fn judge(&mut self, request: &Request, random: Option<RandomFaults>) -> Option<Verdict> {
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
            return Some(Verdict::new(*id, rule));
        }
        let drawn = self.draws.draw(random?, request)?;
        Some(Verdict::new(RuleId(0), &drawn))
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
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
