//! The few `$filter` expressions that ARM's lists take (facts: azure.md §3, §4).

use super::errors::ArmError;

/// One term of a filter; terms are joined by `and`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    /// `name()`, in lower case.
    Call(String),
    /// `name('argument')`, the name in lower case.
    CallWith(String, String),
    /// `name eq 'value'`, the name as written.
    Equals(String, String),
}

/// Reads a filter; an empty one has no terms.
pub(crate) fn parse(text: &str) -> Result<Vec<Term>, ArmError> {
    let refuse = || ArmError::bad_request("InvalidFilter", format!("The filter '{text}' is not supported."));
    let mut terms = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let after = after.trim_start();
        if name.is_empty() {
            return Err(refuse());
        }
        if let Some(arguments) = after.strip_prefix('(') {
            let arguments = arguments.trim_start();
            if let Some(tail) = arguments.strip_prefix(')') {
                terms.push(Term::Call(name.to_ascii_lowercase()));
                rest = tail;
            } else {
                let (argument, tail) = quoted(arguments).ok_or_else(refuse)?;
                rest = tail.trim_start().strip_prefix(')').ok_or_else(refuse)?;
                terms.push(Term::CallWith(name.to_ascii_lowercase(), argument));
            }
        } else {
            let value = after.get(..2).filter(|word| word.eq_ignore_ascii_case("eq")).map(|_| after[2..].trim_start());
            let (value, tail) = value.and_then(quoted).ok_or_else(refuse)?;
            terms.push(Term::Equals(name.to_owned(), value));
            rest = tail;
        }
        rest = rest.trim_start();
        if !rest.is_empty() {
            let joined = rest.get(..3).filter(|word| word.eq_ignore_ascii_case("and")).map(|_| rest[3..].trim_start());
            rest = joined.filter(|rest| !rest.is_empty()).ok_or_else(refuse)?;
        }
    }
    Ok(terms)
}

/// Reads a filter that has only equalities: names and values.
pub(crate) fn equalities(text: &str) -> Result<Vec<(String, String)>, ArmError> {
    let term = |term| match term {
        Term::Equals(name, value) => Ok((name, value)),
        _ => Err(ArmError::bad_request("InvalidFilter", format!("The filter '{text}' is not supported."))),
    };
    parse(text)?.into_iter().map(term).collect()
}

/// A text in single quotes, two of which stand for one within it, and what follows it.
pub(crate) fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let end = rest.find('\'')?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, rest)),
        }
    }
}
