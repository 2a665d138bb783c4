//! What Azure's errors mean for any write.

use super::report;
use crate::{
    arm::{self, Error, ErrorCode},
    framework::Summary,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Write<'a> {
    /// The write, as in `switching the hub`.
    pub doing: &'a str,
    /// The summary where the caller lacks the permission.
    pub not_allowed: Summary,
    /// The permission.
    pub action: &'a str,
    pub scope: &'a str,
    /// Which roles have the permission, in a sentence.
    pub roles: &'a str,
}

/// A summary and what to do; `None` for errors that mean something else for each write.
pub(crate) fn explain(error: &Error, attempt: Write<'_>) -> Option<(Summary, String)> {
    let Write { doing, not_allowed, action, scope, roles } = attempt;
    match error.cause() {
        Error::Cancelled { .. } => return Some((Summary("Interrupted"), String::new())),
        Error::DeadlineExceeded { .. } if error.code().is_none() => {
            let next = "The operation took longer than its timeout. Raise it in the timeouts block.";
            return Some((Summary("The operation timed out"), next.to_owned()));
        }
        _ => {}
    }
    let explained = match error.code()? {
        ErrorCode::AuthorizationFailed | ErrorCode::LinkedAuthorizationFailed => {
            (not_allowed, report::lacks(error, action, scope, roles))
        }
        ErrorCode::ScopeLocked => (
            Summary("A lock prevents the change"),
            format!(
                "A lock on the resource or above it forbids {doing}. az lock list shows the locks. Remove it, apply \
                 again, and set it again."
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
                Summary("A policy prevents the change"),
                format!("A policy forbids {doing}.{by} Ask its owner for an exemption."),
            )
        }
        ErrorCode::ReadOnlyDisabledSubscription => (
            Summary("The subscription is disabled"),
            "A disabled subscription is read-only. Enable it, and apply again.".to_owned(),
        ),
        ErrorCode::MissingSubscriptionRegistration => {
            let namespace = action.split('/').next().unwrap_or_default();
            (
                Summary("A resource provider is not registered"),
                format!("Run az provider register --namespace {namespace}; this provider never registers one."),
            )
        }
        _ => return None,
    };
    Some(explained)
}
