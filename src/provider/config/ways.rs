//! Ways to sign in that other providers have and this one does not have yet.
//!
//! A setting of such a way is an error. Going on with another credential would act as somebody else.

use super::lookup::Lookup;
use crate::framework::{Diagnostic, Path, Type, Value, schema::Attribute};

/// A way to sign in.
struct Way {
    /// What it signs in with.
    with: &'static str,
    /// Its switch, if it has one. Off, it makes the other settings those of nobody.
    switch: Option<Setting>,
    /// What else it takes.
    settings: &'static [Setting],
    /// What to do instead, where there is more than the general advice.
    instead: &'static str,
}

/// An attribute and the variable that stands for it. Those that a runner of pipelines sets by itself are no choice of
/// anybody and not among them.
struct Setting {
    attribute: &'static str,
    variable: &'static str,
    description: &'static str,
    sensitive: bool,
}

macro_rules! setting {
    ($attribute:literal, $variable:literal, $error:literal, $sensitive:literal) => {
        Setting {
            attribute: $attribute,
            variable: $variable,
            description: concat!("Not available yet: ", $error, " Also `", $variable, "`."),
            sensitive: $sensitive,
        }
    };
}

macro_rules! switch {
    ($attribute:literal, $variable:literal) => {
        setting!($attribute, $variable, "`true` is an error, and `false` overrides the variables of this way.", false)
    };
}

macro_rules! text {
    ($attribute:literal, $variable:literal) => {
        setting!($attribute, $variable, "any value but an empty one is an error.", false)
    };
}

macro_rules! secret {
    ($attribute:literal, $variable:literal) => {
        setting!($attribute, $variable, "any value but an empty one is an error.", true)
    };
}

const WAYS: [Way; 3] = [
    Way {
        with: "a client certificate",
        switch: None,
        settings: &[
            secret!("client_certificate", "ARM_CLIENT_CERTIFICATE"),
            text!("client_certificate_path", "ARM_CLIENT_CERTIFICATE_PATH"),
            secret!("client_certificate_password", "ARM_CLIENT_CERTIFICATE_PASSWORD"),
        ],
        instead: "",
    },
    Way {
        with: "an OIDC token",
        switch: Some(switch!("use_oidc", "ARM_USE_OIDC")),
        settings: &[
            secret!("oidc_token", "ARM_OIDC_TOKEN"),
            text!("oidc_token_file_path", "ARM_OIDC_TOKEN_FILE_PATH"),
            text!("oidc_request_url", "ARM_OIDC_REQUEST_URL"),
            secret!("oidc_request_token", "ARM_OIDC_REQUEST_TOKEN"),
            text!("ado_pipeline_service_connection_id", "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID"),
            text!("oidc_azure_service_connection_id", "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID"),
        ],
        instead: " In a pipeline, azure/login and the task AzureCLI@2 sign the Azure CLI in with such a token.",
    },
    Way {
        with: "AKS workload identity",
        switch: Some(switch!("use_aks_workload_identity", "ARM_USE_AKS_WORKLOAD_IDENTITY")),
        settings: &[],
        instead: "",
    },
];

/// The attributes of all these ways.
pub(super) fn attributes() -> impl Iterator<Item = Attribute> {
    let attribute = |setting: &Setting, kind| {
        let attribute = Attribute::optional(setting.attribute, kind, setting.description);
        if setting.sensitive { attribute.sensitive() } else { attribute }
    };
    WAYS.iter().flat_map(move |way| {
        let switch = way.switch.iter().map(move |switch| attribute(switch, Type::Bool));
        switch.chain(way.settings.iter().map(move |setting| attribute(setting, Type::String)))
    })
}

/// Refuses what is set of these ways, and takes them out of the block, which has nothing to do with them any more.
pub(super) fn refuse(lookup: &mut Lookup<'_>, block: &mut Value) {
    for way in &WAYS {
        // The names of what is set, and the first that stands in the block.
        let (mut names, mut written) = (Vec::new(), None);
        let mut on = None;
        if let Some(switch) = &way.switch {
            on = match take(block, switch) {
                Some(Value::Bool(on)) => {
                    written = on.then_some(switch.attribute);
                    Some((switch.attribute, on))
                }
                _ => lookup.variable_flag(switch.variable).map(|on| (switch.variable, on)),
            };
            names.extend(on.filter(|(_, on)| *on).map(|(name, _)| name));
        }
        for setting in way.settings {
            match take(block, setting) {
                Some(Value::String(text)) if !text.is_empty() => {
                    written = written.or(Some(setting.attribute));
                    names.push(setting.attribute);
                }
                _ => names.extend(lookup.variable(&[setting.variable]).map(|(name, _)| name)),
            }
        }
        if names.is_empty() || matches!(on, Some((_, false))) {
            continue;
        }
        let off = way
            .switch
            .as_ref()
            .map_or_else(String::new, |switch| format!(" or set {} = false in the provider block", switch.attribute));
        let detail = format!(
            "{}: this is for signing in with {}, which this version of the provider cannot do. Nor does it take another way \
             instead, as that may be to act as somebody else. Unset what is named here{off}, and sign in with a client secret \
             (ARM_CLIENT_SECRET), a managed identity (ARM_USE_MSI) or the Azure CLI.{}",
            names.join(", "),
            way.with,
            way.instead,
        );
        let error = Diagnostic::error("This way to sign in is not available", detail);
        lookup.diagnostics.push(match written {
            Some(attribute) => error.at(Path::root(attribute)),
            None => error,
        });
    }
}

fn take(block: &mut Value, setting: &Setting) -> Option<Value> {
    match block {
        Value::Map(members) => members.remove(setting.attribute),
        _ => None,
    }
}
