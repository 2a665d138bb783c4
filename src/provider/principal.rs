//! Who holds roles, as HCL and Azure name them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{arm::ArmId, framework::schema::Refusal};

/// The object id of a user, group, service principal or managed identity. It keeps the spelling it came with and compares
/// without regard to case. What Azure answers is taken as it is; what is parsed has to be a GUID.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PrincipalId(String);

impl FromStr for PrincipalId {
    type Err = Refusal;

    /// Other notations of a GUID, such as without hyphens, are not what Azure shows.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        if text.len() == 36 && Uuid::try_parse(text).is_ok() {
            return Ok(Self(text.to_owned()));
        }
        // A user is often known by the name to sign in with, and an identity by its id.
        let kind = ArmId::parse(text).ok().and_then(|id| id.resource_type());
        let command = match kind.as_deref() {
            Some(kind) if kind.eq_ignore_ascii_case("Microsoft.ManagedIdentity/userAssignedIdentities") => {
                Some(format!("az identity show --ids {text} --query principalId"))
            }
            Some(_) => Some(format!("az resource show --ids {text} --query identity.principalId")),
            None if text.contains('@') => Some(format!("az ad user show --id {text} --query id")),
            None => None,
        };
        let next = command.map(|command| format!(" To find it: {command} --output tsv")).unwrap_or_default();
        Err(Refusal::invalid(format!(
            "{text:?} is not a GUID. A principal is named by its object id, not by a user name, display name, e-mail address \
             or ARM id.{next}"
        )))
    }
}

/// What a principal is. It keeps the spelling it came with and compares without regard to case. Azure's answers may have
/// more words than a configuration may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct PrincipalType(String);

/// The types that a request may name.
const SENT: [&str; 3] = ["User", "Group", "ServicePrincipal"];

/// Types that only Azure answers. An import brings them into a configuration.
const ANSWERED: [&str; 2] = ["ForeignGroup", "Device"];

impl PrincipalType {
    /// Whether a request may name it.
    pub(crate) fn may_be_sent(&self) -> bool {
        SENT.iter().any(|sent| sent.eq_ignore_ascii_case(&self.0))
    }

    /// Whether it is a service principal, which managed identities are too.
    pub(crate) fn is_service_principal(&self) -> bool {
        self.0.eq_ignore_ascii_case("ServicePrincipal")
    }
}

impl FromStr for PrincipalType {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let known = [&SENT[..], &ANSWERED[..]].concat();
        match known.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            true => Ok(Self(text.to_owned())),
            false => Err(Refusal::not_one_of(text, &known)),
        }
    }
}

/// What Azure answers is taken as it is, compares without regard to case and is shown in its own spelling.
macro_rules! text_of_azure {
    ($name:ident) => {
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl Eq for $name {}

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.eq_ignore_ascii_case(&other.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_of_azure!(PrincipalId);
text_of_azure!(PrincipalType);
