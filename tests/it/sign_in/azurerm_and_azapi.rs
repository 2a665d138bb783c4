//! The settings of azurerm and azapi (tests/data/peer-settings.tsv): all of them are here, under both names, and their
//! variables are looked at.

use std::{cell::RefCell, collections::BTreeSet, fs, path::Path};

use foundryhub::{
    framework::{
        Value,
        schema::{Attribute, Kind},
    },
    provider::config,
};

#[tokio::test]
async fn every_setting_of_the_peers_is_an_attribute_with_their_variables() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/peer-settings.tsv");
    let table = fs::read_to_string(file).expect("the file");
    let attributes = config::schema().block.attributes;
    let looked_at = variables_looked_at();
    let mut faults = Vec::new();
    for row in table.lines().skip(1) {
        let columns: Vec<_> = row.split('\t').collect();
        let [setting, azurerm, azapi, variables] = columns[..] else { panic!("not four columns: {row}") };
        let (mut documented, mut without_effect) = (String::new(), false);
        if (azurerm, azapi) == ("-", "-") {
            // What has no attribute is named among what the methods need.
            let needs = config::sign_in_methods().flat_map(|method| method.needs).flatten();
            documented.extend(needs.map(|name| format!("`{name}`")));
        }
        for name in [azurerm, azapi].into_iter().filter(|name| *name != "-") {
            match (find(&attributes, name), name.starts_with('(')) {
                (Some(attribute), false) => {
                    documented.push_str(attribute.description);
                    without_effect |= attribute.description.starts_with("Accepted for compatibility");
                }
                (None, true) => {}
                (found, _) => faults.push(format!("{setting}: {name} is an attribute: {}", found.is_some())),
            }
        }
        for variable in variables.split(' ').filter(|variable| *variable != "-") {
            if let Some(foreign) = variable.strip_prefix('(').and_then(|variable| variable.strip_suffix(')')) {
                if looked_at.contains(foreign) || refused(foreign).await {
                    faults.push(format!("{setting}: {foreign} makes a difference"));
                }
                continue;
            }
            if !documented.contains(&format!("`{variable}`")) {
                faults.push(format!("{setting}: {variable} is not described"));
            }
            if !without_effect && !looked_at.contains(variable) {
                faults.push(format!("{setting}: {variable} is not looked at"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    let (name, inner) = name.split_once('.').map_or((name, None), |(name, inner)| (name, Some(inner)));
    let found = attributes.iter().find(|attribute| attribute.name == name)?;
    match (inner, &found.kind) {
        (None, _) => Some(found),
        (Some(inner), Kind::Nested(_, attributes)) => find(attributes, inner),
        _ => None,
    }
}

/// Whether it is an error to set a variable.
async fn refused(variable: &str) -> bool {
    let environment = |name: &str| (name == variable).then(|| "none".to_owned());
    config::configure(&Value::object::<String>([]), "1", &environment).await.0.is_none()
}

/// Every variable that is looked at when one method or another is asked for.
fn variables_looked_at() -> BTreeSet<String> {
    let seen = RefCell::new(BTreeSet::new());
    for asked in ["", "ARM_USE_OIDC", "ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_USE_MSI"] {
        let environment = |name: &str| {
            seen.borrow_mut().insert(name.to_owned());
            (name == asked).then(|| "true".to_owned())
        };
        // What is awaited of it looks at nothing.
        drop(config::configure(&Value::object::<String>([]), "1", &environment));
    }
    seen.into_inner()
}
