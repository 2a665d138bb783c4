//! What Azure's refusals of a write mean, whatever was to be written.

use super::report;
use crate::arm::{self, Error, ErrorCode};

/// A write that was tried.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// What it was, after "forbids to": `switch the hub`.
    pub doing: &'a str,
    /// What the refusal for lack of a permission is called: `Not allowed to switch the hub`.
    pub not_allowed: &'static str,
    /// The permission that it takes.
    pub action: &'a str,
    /// Where.
    pub scope: &'a str,
    /// Which roles have the permission, in a sentence.
    pub roles: &'a str,
}

/// A summary and what to do; `None` where the code means nothing that holds for all writes.
pub fn explain(error: &Error, attempt: Attempt<'_>) -> Option<(&'static str, String)> {
    let Attempt { doing, not_allowed, action, scope, roles } = attempt;
    match error.cause() {
        Error::Cancelled { .. } => return Some(("Interrupted", String::new())),
        Error::DeadlineExceeded { .. } if error.code().is_none() => {
            let next =
                "The operation took longer than the timeouts block allows. Raise create, update or delete there.";
            return Some(("Out of time", next.to_owned()));
        }
        _ => {}
    }
    let explained = match error.code()? {
        ErrorCode::AuthorizationFailed | ErrorCode::LinkedAuthorizationFailed => {
            (not_allowed, report::lacks(error, action, scope, roles))
        }
        ErrorCode::ScopeLocked => (
            "A lock is in the way",
            format!(
                "A lock on the resource or above it forbids to {doing}. Remove the lock, apply again, and set it again; az lock \
                 list shows the locks."
            ),
        ),
        ErrorCode::RequestDisallowedByPolicy => {
            let violations = error.service().map(arm::ServiceError::policy_violations).unwrap_or_default();
            let policy = |found: &arm::error::PolicyViolation| {
                format!("{:?} (definition {:?})", found.assignment, found.definition)
            };
            let policies: Vec<_> = violations.iter().map(policy).collect();
            let by =
                if policies.is_empty() { String::new() } else { format!(" The policy is {}.", policies.join(", ")) };
            (
                "A policy is in the way",
                format!("A policy forbids to {doing}.{by} Ask whoever keeps it for an exemption."),
            )
        }
        ErrorCode::ReadOnlyDisabledSubscription => {
            ("The subscription is disabled", "A disabled subscription can only be read. Enable it first.".to_owned())
        }
        ErrorCode::MissingSubscriptionRegistration => {
            let namespace = action.split('/').next().unwrap_or_default();
            (
                "A resource provider is not registered",
                format!("Run az provider register --namespace {namespace}, which this provider never does by itself."),
            )
        }
        _ => return None,
    };
    Some(explained)
}
