//! Comments and documents cite facts by section, for example `azure.md §3.2`, and every section that they cite is
//! there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// What pipelines write: names that these folders alone use.
const WRITTEN: [&str; 3] = ["plan.md", "summary.md", "notes.md"];
const PIPELINES: [&str; 2] = ["examples/pipelines", "tests/it/pipelines"];

/// Where facts are kept, below docs/internals. Their sections are numbered: `## 3 Role assignments`, `### 3.1 Calls`.
const DOCUMENTS: [&str; 2] = ["azure.md", "protocol.md"];

#[test]
fn every_cited_section_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files: Vec<_> =
        ["src", "tests", "examples", "docs"].iter().flat_map(|folder| files(&root.join(folder))).collect();
    let sections = DOCUMENTS.map(|document| {
        let text = fs::read_to_string(root.join("docs/internals").join(document)).expect("a document of facts");
        (document, sections(&text))
    });
    let known = Known {
        pages: files
            .iter()
            .filter_map(|file| file.file_name()?.to_str())
            .chain(["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
            .collect(),
        sections: sections.into(),
    };

    let mut faults = Vec::new();
    // This file cites on purpose what is not there.
    for file in files.iter().filter(|file| !file.ends_with(file!())) {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let own = DOCUMENTS.into_iter().find(|document| file.ends_with(document));
        let written = PIPELINES.iter().any(|folder| file.starts_with(root.join(folder)));
        let written = if written { &WRITTEN[..] } else { &[] };
        faults
            .extend(known.faults(&text, own, written).into_iter().map(|fault| format!("{}: {fault}", file.display())));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn wrong_citations_are_found() {
    let headings = sections("# Facts\n\n## 1 One\n\n### 1.2 Two\n\n## No number\n\n#### 1.2.3 Three\n");
    assert_eq!(headings, BTreeSet::from(["1", "1.2", "1.2.3"].map(str::to_owned)));
    let pages = ["azure.md", "emulator.md"].into();
    let known = Known { pages, sections: BTreeMap::from([("azure.md", headings)]) };

    assert!(known.faults("azure.md §1, §1.2 to §1.2.3. See §1.", None, &[]).is_empty());
    assert!(known.faults("/// docs/internals/azure.md\n/// §1.2, behind the end of a line", None, &[]).is_empty());
    assert!(known.faults("§1 of the document itself; {page}.md and azure.md §…", Some("azure.md"), &[]).is_empty());
    assert!(known.faults("plan.md", None, &WRITTEN).is_empty());
    for (text, fault) in [
        ("azure.md §1, §2", "azure.md has no §2"),
        ("azure.md §1.20", "azure.md has no §1.20"),
        ("azure.md §Calls", "azure.md has no §"),
        ("emulator.md §1", "emulator.md has no §1"),
        ("azure.md §1, service.md", "there is no service.md"),
        ("plan.md", "there is no plan.md"),
        ("my-azure.md", "there is no my-azure.md"),
        ("of §1", "§1 of which document?"),
    ] {
        assert_eq!(known.faults(text, None, &[]), [fault], "{text}");
    }
}

/// What can be cited.
struct Known<'name> {
    pages: BTreeSet<&'name str>,
    sections: BTreeMap<&'name str, BTreeSet<String>>,
}

impl Known<'_> {
    /// What is wrong with the citations of a text, which is itself a document of facts if `own` names it; `written`
    /// are names in it that are no pages. A section belongs to the page that was named last.
    fn faults(&self, text: &str, own: Option<&str>, written: &[&str]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut page = own;
        for (at, piece) in text.split('§').enumerate() {
            let section =
                &piece[..piece.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(piece.len())];
            let section = section.trim_end_matches('.');
            match page {
                // Nothing is cited before the first sign, nor where a section is left open.
                _ if at == 0 || piece.starts_with('…') => {}
                None => faults.push(format!("§{section} of which document?")),
                Some(page) if self.sections.get(page).is_some_and(|sections| sections.contains(section)) => {}
                Some(page) => faults.push(format!("{page} has no §{section}")),
            }
            for named in pages(piece) {
                page = Some(named);
                if !self.pages.contains(named) && !written.contains(&named) {
                    faults.push(format!("there is no {named}"));
                }
            }
        }
        faults
    }
}

/// The names of Markdown files in a text, without their folders.
fn pages(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|char: char| !char.is_alphanumeric() && !"._-".contains(char));
    words.map(|word| word.trim_end_matches('.')).filter(|word| word.len() > 3 && word.ends_with(".md"))
}

/// The numbers of a document's sections.
fn sections(document: &str) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    for heading in document.lines().filter(|line| line.starts_with('#')) {
        let first = heading.trim_start_matches('#').split_whitespace().next().unwrap_or_default();
        if first.starts_with(|char: char| char.is_ascii_digit()) {
            assert!(numbers.insert(first.to_owned()), "two sections have the number {first}");
        }
    }
    numbers
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
