//! Stored objects. The first byte says what the JSON is: an object of one of the resources, which was written by the version
//! of its schema that the next byte has; an object of another provider that is moved to one of them; or, beyond these, a
//! value of a type, which the next bytes stand for.

use crate::typed::{is_of, leads_into, type_of};
use foundryhub::{
    framework::{Type, Value, any_resource::AnyResource, json, resource::MoveSource, server::Provider as _},
    provider::{Provider, Session},
};
use std::sync::LazyLock;

static RESOURCES: LazyLock<Vec<Box<dyn AnyResource<Session>>>> = LazyLock::new(|| Provider::new(|_| None).resources());

/// Whose objects are moved here: a provider, a type and the version of its schema.
const SOURCES: [(&str, &str, i64); 4] = [
    ("registry.terraform.io/azure/azapi", "azapi_resource", 2),
    ("registry.terraform.io/azure/azapi", "azapi_update_resource", 2),
    ("registry.terraform.io/hashicorp/azurerm", "azurerm_role_assignment", 0),
    ("registry.terraform.io/hashicorp/azurerm", "azurerm_ai_foundry", 0),
];

pub(crate) fn check(input: &[u8]) {
    let [kind, choice, text @ ..] = input else { return };
    let kind = usize::from(*kind);
    if let Some(resource) = RESOURCES.get(kind) {
        of_resource(&**resource, i64::from(*choice), text);
    } else if let Some(resource) = RESOURCES.get(kind - RESOURCES.len()) {
        of_another_provider(&**resource, SOURCES[usize::from(*choice) % SOURCES.len()], text);
    } else {
        let (ty, text) = type_of(&input[1..]);
        of_type(&ty, text);
    }
}

fn of_another_provider(
    resource: &dyn AnyResource<Session>,
    (provider, type_name, schema_version): (&str, &str, i64),
    text: &[u8],
) {
    let Ok(state) = serde_json::from_slice(text) else { return };
    let (provider_address, type_name) = (provider.to_owned(), type_name.to_owned());
    let moved = resource.move_state(&MoveSource { provider_address, type_name, schema_version, state });
    assert_eq!(moved.state.is_null(), moved.diagnostics.has_errors(), "{moved:?}");
    assert!(is_of(&moved.state, resource.ty()), "{moved:?}");
}

fn of_resource(resource: &dyn AnyResource<Session>, version: i64, text: &[u8]) {
    let (value, diagnostics) = resource.upgrade(version, text);
    if diagnostics.has_errors() {
        assert_eq!(value, Value::Null, "there is an object beside the error");
        if version == resource.schema().version {
            let mut paths = diagnostics.0.iter().filter_map(|diagnostic| diagnostic.path.as_ref());
            assert!(paths.all(|path| leads_into(path, resource.ty())), "{diagnostics:?}");
        }
        return;
    }
    assert!(is_of(&value, resource.ty()), "{value:?}");
    // An object of today stays what it is.
    let stored = json::encode(&value).to_string();
    let (again, diagnostics) = resource.upgrade(resource.schema().version, stored.as_bytes());
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    assert_eq!(again, value);
    // Neither of these may end the process, whatever the object is.
    let _ = resource.keys(value.clone());
    let _ = resource.configuration(value);
}

fn of_type(ty: &Type, text: &[u8]) {
    match json::decode(text, ty) {
        Ok(value) => {
            assert!(is_of(&value, ty), "{value:?} is no {ty:?}");
            let written = json::encode(&value).to_string();
            assert_eq!(json::decode(written.as_bytes(), ty).as_ref(), Ok(&value));
        }
        Err(error) => {
            assert!(leads_into(&error.path, ty), "{error} is nowhere in {ty:?}");
            assert!(error.path.0.is_empty() || error.to_string().starts_with(&format!("{}: ", error.path)));
        }
    }
}
