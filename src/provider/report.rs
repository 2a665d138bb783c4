//! Diagnostics for errors of Azure, and texts that several diagnostics share.

use std::iter;

use crate::{
    arm,
    framework::{Diagnostic, Summary},
};

/// The error for a failed call, with the chain of causes, what to do next, and Azure's code and ids. `next` says what to do
/// about an answer of Azure; the error may have advice of its own.
///
/// A sign-in that fails is the provider's failure, and that of every call of the run: its reason is told once.
pub(crate) fn failure(summary: Summary, error: &arm::Error, next: &str) -> Diagnostic {
    match error.sign_in() {
        None => summary.error(explain(error, next)),
        Some(failure) if failure.claim_report() => NOT_SIGNED_IN.error(explain(error, next)).of_provider(),
        Some(_) => {
            let told = NOT_SIGNED_IN.0;
            summary
                .error(format!("The provider is not signed in. Another error of this run says why: \"{told}\"."))
                .of_provider()
        }
    }
}

/// The call was interrupted before anything was sent that changes something.
pub(crate) fn interrupted() -> Diagnostic {
    Diagnostic::error("Interrupted", "Nothing was changed.")
}

const NOT_SIGNED_IN: Summary = Summary("The provider could not sign in to Azure");

/// The text of [`failure`], for diagnostics that say more around it.
pub(crate) fn explain(error: &arm::Error, next: &str) -> String {
    let chain: Vec<_> = iter::successors(Some(error as &dyn std::error::Error), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    let mut text = sentence(&chain.join(": "));
    // Advice about Azure's answer does not apply where there is none.
    let next = if error.is_unanswered() { "" } else { next };
    for advice in [error.hint().unwrap_or_default(), next] {
        if !advice.is_empty() {
            text.push_str("\n\n");
            text.push_str(advice);
        }
    }
    let ids: Vec<_> = ids(error).iter().map(|(name, id)| format!("{name}: {id}")).collect();
    if !ids.is_empty() {
        text.push_str("\n\n");
        text.push_str(&ids.join(", "));
    }
    text
}

/// Azure's code and ids, by their names.
fn ids(error: &arm::Error) -> Vec<(&'static str, &str)> {
    if let Some(failure) = error.sign_in() {
        return failure.ids();
    }
    let Some(service) = error.service() else { return Vec::new() };
    let ids = [
        ("Azure error code", Some(service.code.as_str())),
        ("correlation id", service.correlation_id.as_deref()),
        ("request id", service.request_id.as_deref()),
    ];
    ids.into_iter().filter_map(|(name, id)| Some((name, id.filter(|id| !id.is_empty())?))).collect()
}

/// The error for a read that failed. `roles` is as in [`lacks`].
pub(crate) fn not_readable(summary: Summary, error: &arm::Error, action: &str, scope: &str, roles: &str) -> Diagnostic {
    failure(summary, error, &lacks(error, action, scope, roles))
}

/// Which permission the caller lacks; empty when the error is another one. `roles` names one role that has the permission,
/// or says in a sentence which ones do.
pub(crate) fn lacks(error: &arm::Error, action: &str, scope: &str, roles: &str) -> String {
    if !error.is_forbidden() {
        return String::new();
    }
    let denied = error.service().and_then(arm::ServiceError::denied);
    let (action, scope) = match &denied {
        Some(denied) => (denied.action.as_str(), denied.scope.as_str()),
        None => (action, scope),
    };
    let roles = if roles.ends_with('.') { roles.to_owned() } else { format!("The role {roles} allows it.") };
    format!("The caller lacks {action} on {scope}. {roles} A new role assignment takes some minutes to work.")
}

/// What to say of something that is missing while planning.
pub(crate) const MAY_BE_CREATED: &str =
    "If it is created before the apply gets here, nothing is wrong; otherwise the apply will fail.";

pub(crate) fn unconfigured() -> Diagnostic {
    Diagnostic::error(
        "The provider is not configured yet",
        "Its configuration depends on values that are not known yet, and no request to Azure can be sent without it. Apply \
         the resources that those values come from first, with -target.",
    )
}

/// `what` should have been known by the time of an apply.
pub(crate) fn still_unknown(what: &str) -> Diagnostic {
    let detail = format!(
        "{what} has to be known by the time of the apply. This is a mistake of the foundryhub provider; please report it."
    );
    Diagnostic::error("A value is still unknown", detail)
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
