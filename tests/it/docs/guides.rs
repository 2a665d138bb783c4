//! The guides that are written by hand: their HCL is that of examples, which tests under real engines apply.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::root;

/// The files below a folder whose names end like this.
pub(super) fn files(folder: &Path, ends: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).into_iter().flatten().map(|entry| entry.expect("a file").path()) {
            if path.is_dir() {
                folders.push(path);
            } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(super) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of HCL on a page.
fn blocks(page: &str) -> BTreeSet<String> {
    page.split("```terraform\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

/// The pages about signing in are another matter (`sign_in::guides`).
fn guides() -> Vec<(String, String)> {
    let pages = files(&root().join("docs/guides"), &[".md"]).into_iter();
    let pages = pages.map(|path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), read(&path)));
    pages.filter(|(name, _)| !name.starts_with("authenticating-")).collect()
}

#[test]
fn hcl_in_guides_is_that_of_examples_and_every_file_of_a_guide_is_shown() {
    let examples: BTreeSet<_> =
        files(&root().join("examples"), &[".tf", ".hcl"]).iter().map(|path| read(path)).collect();
    for (name, page) in guides() {
        let blocks = blocks(&page);
        for block in &blocks {
            assert!(examples.contains(block), "docs/guides/{name} has HCL that is no file below examples/:\n{block}");
        }
        for file in files(&root().join("examples/guides").join(&name), &[".tf", ".hcl"]) {
            assert!(blocks.contains(&read(&file)), "{} is not in docs/guides/{name}", file.display());
        }
    }
    let names: BTreeSet<_> = guides().into_iter().map(|(name, _)| name).collect();
    for folder in fs::read_dir(root().join("examples/guides")).expect("examples").map(|entry| entry.expect("a folder"))
    {
        let name = folder.file_name().to_string_lossy().into_owned();
        assert!(names.contains(&name), "examples/guides/{name} is of no guide");
    }
}

#[test]
fn the_readmes_of_modules_show_their_examples_as_they_are() {
    for page in files(&root().join("examples/modules"), &["README.md"]) {
        let example = page.with_file_name("example").join("main.tf");
        assert_eq!(blocks(&read(&page)), BTreeSet::from([read(&example)]), "{}", page.display());
    }
}

/// The targets of the links on a page that stay in the repository.
fn links(page: &str) -> Vec<&str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://")).collect()
}

/// The anchors of a page: those that it sets, and those of its headings as registries and GitHub make them.
pub(super) fn anchors(page: &str) -> BTreeSet<String> {
    let set = page.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| {
        let text = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    });
    set.chain(headings).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let root = root();
    let mut pages = [files(&root.join("docs"), &[".md"]), files(&root.join("examples"), &[".md"])].concat();
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root.join(name)));
    let mut dead = Vec::new();
    for page in &pages {
        let text = read(page);
        for target in links(&text) {
            let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { page.clone() } else { page.with_file_name("").join(path) };
            let found = file.exists() && anchor.is_none_or(|anchor| anchors(&read(&file)).contains(anchor));
            if !found {
                dead.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = "# A page\n\n[one](other#there) and [two](https://example.com) and <a id=\"own\"></a> [three](#own)\n";
    assert_eq!(links(page), ["other#there", "#own"]);
    assert_eq!(anchors(page), BTreeSet::from(["a-page", "own"].map(str::to_owned)));
}
