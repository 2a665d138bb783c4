//! The pages of docs/: those that are generated from the schemas and the examples, guides, and rules for every schema.
//!
//! A page that is out of date is rewritten and the test fails once: look at the change and commit it. [`pages`] prints them,
//! [`requirements`] what they say about permissions and api-versions. [`schemas`] has the rules. [`guides`],
//! [`article`] and [`troubleshooting`] look at what is written by hand, [`registry`] at all pages as a registry does.

mod article;
mod guides;
mod pages;
mod registry;
mod requirements;
mod schemas;
pub(crate) mod troubleshooting;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use foundryhub::{framework::server::Provider as _, provider::Provider};

/// The folders of docs/ all of whose pages are generated, as registries want them.
const FOLDERS: [&str; 5] = ["resources", "data-sources", "functions", "list-resources", "actions"];

fn provider() -> Provider {
    Provider::new(|_| None)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The pages by their paths below docs/.
fn all_pages() -> Vec<(String, String)> {
    let provider = provider();
    let page = |folder: &str, name: &str, text: String| (format!("{folder}/{}.md", pages::short(name)), text);
    let mut all = vec![("index.md".to_owned(), pages::index(&provider.schema()))];
    all.extend(provider.resources().iter().map(|it| page("resources", it.name(), pages::resource(it.as_ref()))));
    all.extend(
        provider.data_sources().iter().map(|it| page("data-sources", it.name(), pages::data_source(it.as_ref()))),
    );
    all.extend(provider.functions().iter().map(|it| page("functions", it.name(), pages::function(it.as_ref()))));
    all.extend(provider.list_resources().iter().map(|it| page("list-resources", it.name(), pages::list(it.as_ref()))));
    all.extend(provider.actions().iter().map(|it| page("actions", it.name(), pages::action(it.as_ref()))));
    all
}

#[test]
fn every_page_is_up_to_date() {
    let (docs, pages) = (root().join("docs"), all_pages());
    let mut stale = Vec::new();
    for (path, text) in &pages {
        let file = docs.join(path);
        if fs::read_to_string(&file).ok().as_deref() != Some(text) {
            fs::create_dir_all(file.parent().expect("pages are in a folder")).expect("the folder can be made");
            fs::write(&file, text).expect("the page can be written");
            stale.push(path);
        }
    }
    let printed: BTreeSet<_> = pages.iter().map(|(path, _)| path.as_str()).collect();
    for path in FOLDERS.iter().flat_map(|folder| files_in(&docs, folder)) {
        assert!(printed.contains(path.as_str()), "docs/{path} is of nothing that the provider has");
    }
    assert!(stale.is_empty(), "rewritten, look at the change and commit it: {stale:?}");
}

/// The files of a folder that need not be there, relative to the place where the folder is.
fn files_in(place: &Path, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(place.join(folder)).into_iter().flatten();
    entries.map(|entry| format!("{folder}/{}", entry.expect("a file").file_name().display())).collect()
}

/// Examples are in folders by kind and name, so that one that nothing shows has no page.
#[test]
fn every_example_of_a_kind_is_of_something_that_the_provider_has() {
    let names: BTreeSet<_> = all_pages().into_iter().map(|(path, _)| path).collect();
    for path in FOLDERS.iter().flat_map(|folder| files_in(&root().join("examples"), folder)) {
        let (folder, name) = path.split_once('/').expect("a folder");
        let page = format!("{folder}/{}.md", pages::short(name));
        assert!(names.contains(&page), "examples/{path} is of nothing that the provider has");
    }
}

#[test]
fn the_readme_shows_the_quickstart_as_it_is() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    let blocks: Vec<_> = readme.split("```hcl\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let quickstart = fs::read_to_string(root().join("examples/quickstart/main.tf")).expect("a quickstart");
    assert_eq!(blocks, [quickstart], "README.md shows examples/quickstart/main.tf, and nothing else, in HCL");
}

#[test]
fn the_readme_has_the_preview_notice_of_the_pages() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    assert!(readme.contains(pages::PREVIEW), "{}", pages::PREVIEW);
}

#[test]
fn the_code_in_adding_a_thing_is_that_of_the_echo_provider() {
    let page = fs::read_to_string(root().join("docs/internals/adding-a-thing.md")).expect("the page");
    let files = fs::read_dir(root().join("tests/echo")).expect("the provider").map(|file| file.expect("a file").path());
    let code: Vec<_> = files.map(|file| fs::read_to_string(file).expect("code")).collect();
    let blocks: Vec<_> = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 4, "one of every kind");
    for block in blocks {
        assert!(code.iter().any(|file| file.contains(block)), "nowhere in tests/echo:\n{block}");
    }
}
