//! The pages about signing in (docs/guides): one for each method, with the least that it takes.

use std::{collections::BTreeSet, fs, path::Path};

use foundryhub::{framework::Value, provider::config};

/// What a runner, an agent or a cluster sets by itself.
const AROUND: [(&str, &str); 7] = [
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.test"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
    ("SYSTEM_OIDCREQUESTURI", "https://devops.test"),
    ("SYSTEM_ACCESSTOKEN", "t"),
    ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
    ("AZURE_CLIENT_ID", "c"),
    ("AZURE_TENANT_ID", "t"),
];

/// The first block of code in this language.
fn block<'p>(page: &'p str, language: &str) -> &'p str {
    let begin = page.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no {language} in {page}")).1;
    begin.split_once("```").expect("an end").0
}

/// The value that a line of HCL or of a shell gives.
fn value(text: &str) -> Value {
    match text.trim() {
        "true" => true.into(),
        text => text.trim_matches('"').into(),
    }
}

#[test]
fn every_method_has_a_page_with_the_least_that_it_takes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides");
    let pages: BTreeSet<_> = fs::read_dir(&folder)
        .expect("guides")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("authenticating-"))
        .collect();
    let named: BTreeSet<_> = config::sign_in_methods().map(|method| format!("{}.md", method.guide)).collect();
    assert_eq!(pages, named);
    for method in config::sign_in_methods() {
        let page = fs::read_to_string(folder.join(format!("{}.md", method.guide))).expect("the page");
        assert!(page.contains("## In a pipeline\n"), "{}", method.guide);
        let attributes = block(&page, "terraform").lines().filter_map(|line| line.split_once(" = "));
        let attributes = Value::object(attributes.map(|(name, text)| (name.trim(), value(text))));
        let variables: Vec<_> =
            block(&page, "shell").lines().filter_map(|line| line.strip_prefix("export ")?.split_once('=')).collect();
        let around = |name: &str| AROUND.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        let exported = |name: &str| {
            let (_, text) = variables.iter().find(|(known, _)| *known == name)?;
            Some(text.trim_matches('"').to_owned())
        };
        let nothing = Value::object::<String>([]);
        let in_block = config::configure(&attributes, "1", &around);
        let in_environment = config::configure(&nothing, "1", &|name| exported(name).or_else(|| around(name)));
        for (session, diagnostics) in [in_block, in_environment] {
            assert!(session.is_some(), "{}: {diagnostics:?}", method.guide);
        }
        // Of each setting that is needed, one of its names is in the block, or else it is of those that are set anyway.
        for need in &method.needs {
            let is_given = need.iter().any(|name| !attributes.get(name).is_null());
            let is_around = AROUND.iter().any(|(name, _)| page.contains(name));
            assert!(is_given || is_around, "{}: {need:?}", method.guide);
        }
    }
}
