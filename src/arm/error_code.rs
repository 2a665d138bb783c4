//! The error codes of Azure that this client branches on.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Azure's machine-readable error code.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
            /// The answer named no code.
            Missing,
            /// Any other code.
            Other(String),
        }

        impl ErrorCode {
            /// Reads a code; case does not matter.
            pub fn parse(text: &str) -> Self {
                match text {
                    "" => ErrorCode::Missing,
                    $(text if text.eq_ignore_ascii_case(stringify!($name)) => ErrorCode::$name,)*
                    other => ErrorCode::Other(other.to_owned()),
                }
            }

            /// The code as Azure writes it; empty for [`ErrorCode::Missing`].
            pub fn as_str(&self) -> &str {
                match self {
                    $(ErrorCode::$name => stringify!($name),)*
                    ErrorCode::Missing => "",
                    ErrorCode::Other(text) => text,
                }
            }
        }
    };
}

error_codes! {
    /// No or a bad bearer token (401), or a storage data-plane refusal (403).
    AuthenticationFailed,
    /// The caller lacks the right for the action.
    AuthorizationFailed,
    /// The caller lacks a right on something the request refers to.
    LinkedAuthorizationFailed,
    /// Another operation on the resource is in progress.
    AnotherOperationInProgress,
    /// A conflict without further detail.
    Conflict,
    /// The resource was written by others in between.
    EtagMismatch,
    /// An expired token.
    ExpiredAuthenticationToken,
    /// A token that is not accepted.
    InvalidAuthenticationToken,
    /// A token of another tenant than the subscription's.
    InvalidAuthenticationTokenTenant,
    /// A principal id that is no GUID.
    InvalidPrincipalId,
    /// A storage account of a kind that does not have the service.
    FeatureNotSupportedForAccount,
    /// An assignment name that is no GUID.
    InvalidRoleAssignmentId,
    /// The request named no api-version.
    MissingApiVersionParameter,
    /// The resource provider is not registered for the subscription.
    MissingSubscriptionRegistration,
    /// The api-version is not offered.
    NoRegisteredProviderFound,
    /// The principal is not in the directory, or not yet.
    PrincipalNotFound,
    /// The subscription is disabled and only reads work.
    ReadOnlyDisabledSubscription,
    /// A policy denies the request.
    RequestDisallowedByPolicy,
    /// The resource group does not exist.
    ResourceGroupNotFound,
    /// The resource does not exist.
    ResourceNotFound,
    /// The same principal has the same role at the same scope under another name.
    RoleAssignmentExists,
    /// No more role assignments fit into the subscription.
    RoleAssignmentLimitExceeded,
    /// The role assignment does not exist.
    RoleAssignmentNotFound,
    /// The name is taken by an assignment of another principal or scope.
    RoleAssignmentUpdateNotPermitted,
    /// The role definition does not exist.
    RoleDefinitionDoesNotExist,
    /// A lock forbids the change.
    ScopeLocked,
    /// The storage account is still being created.
    StorageAccountBeingCreated,
    /// Another operation on the storage account is in progress.
    StorageAccountOperationInProgress,
    /// The subscription does not exist, or the caller cannot see it.
    SubscriptionNotFound,
    /// Throttled.
    TooManyRequests,
    /// The principal is of another type than stated.
    UnmatchedPrincipalType,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
