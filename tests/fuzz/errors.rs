//! Error answers of Azure Resource Manager.

use crate::answer::answer;
use foundryhub::{
    arm::{Error, ServiceError},
    framework::shown,
};
use http::{Method, StatusCode};

pub(crate) fn check(input: &[u8]) {
    let Some((status, headers, body)) = answer(input) else { return };
    let error = ServiceError::read(&Method::PATCH, "/subscriptions/s", status, &headers, body);
    let text = shown(&error.to_string());
    assert_shown(&text);
    assert!(text.starts_with(&format!("PATCH /subscriptions/s was answered with {}", status.as_u16())), "{text}");
    let _ = (error.denied(), error.existing_role_assignment());
    let error = Error::from(error);
    assert!(!error.is_not_found() || status == StatusCode::NOT_FOUND, "{error:?}");
    assert!(!error.is_forbidden() || status == StatusCode::FORBIDDEN, "{error:?}");
    let _ = error.hint();
}

/// A terminal obeys nothing of it, it can be read at all, and no URL in it has a user name or password.
pub(crate) fn assert_shown(text: &str) {
    let obeyed = text.chars().find(|char| char.is_control() && !matches!(char, '\n' | '\t'));
    assert_eq!(obeyed, None, "{text:?}");
    assert!(text.chars().count() <= 16_200, "it has {} characters", text.chars().count());
    for url in text.split("://").skip(1) {
        let authority = url.split(|char: char| char.is_whitespace() || "\"<>/?#".contains(char)).next();
        assert!(!authority.is_some_and(|authority| authority.contains('@')), "{text:?}");
    }
}
