//! The guide of troubleshooting has an entry for the summary of every diagnostic, and no other.

use std::{collections::BTreeSet, sync::LazyLock};

use foundryhub::framework::server::Provider as _;

use crate::tidy::without_tests;

use super::{
    guides::{anchors, files, read},
    provider, root,
};

/// What the summary of a diagnostic is the first argument of.
const TAKE_SUMMARIES: [&str; 4] = ["Diagnostic::error(", "Diagnostic::warning(", "Refusal::new(", "Summary("];

/// The files that define these, and hand a summary on.
const HAND_ON: [&str; 2] = ["framework/diagnostics.rs", "framework/schema.rs"];

fn page() -> String {
    read(&root().join("docs/guides/troubleshooting.md"))
}

fn entries(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("### ")).collect()
}

/// The first arguments in this code that are literals, and what stands where another one is none.
fn summaries(code: &str) -> (Vec<&str>, Vec<&str>) {
    let arguments = TAKE_SUMMARIES.iter().flat_map(|call| code.split(call).skip(1)).map(str::trim_start);
    let (literals, others): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.starts_with('"'));
    let literals = literals.into_iter().filter_map(|literal| literal.split('"').nth(1)).collect();
    (literals, others.into_iter().filter_map(|other| other.lines().next()).collect())
}

#[test]
fn every_diagnostic_has_an_entry_and_every_entry_a_diagnostic() {
    let source = root().join("src");
    let mut known = BTreeSet::new();
    for file in files(&source, &[".rs"]) {
        let text = read(&file);
        let (literals, others) = summaries(without_tests(&text));
        known.extend(literals.into_iter().map(str::to_owned));
        let hands_on = HAND_ON.iter().any(|name| file == source.join(name));
        assert!(others.is_empty() || hands_on, "{} has a summary that is no literal: {others:#?}", file.display());
    }
    let page = page();
    let entries = entries(&page);
    let described: BTreeSet<_> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    assert_eq!(entries.len(), described.len(), "an entry is there twice");
    let missing: Vec<_> = known.difference(&described).collect();
    let unused: Vec<_> = described.difference(&known).collect();
    assert!(missing.is_empty() && unused.is_empty(), "without an entry: {missing:#?}\nof no diagnostic: {unused:#?}");
    let long: Vec<_> = known.iter().filter(|summary| summary.chars().count() > 60).collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// A detail as it was before it got the link to the entry of its summary, which has to be there.
///
/// # Errors
/// What is wrong with the link.
pub(crate) fn without_link<'d>(summary: &str, detail: &'d str) -> Result<&'d str, String> {
    static ANCHORS: LazyLock<BTreeSet<String>> = LazyLock::new(|| anchors(&page()));
    let (told, link) = detail.rsplit_once("\n\nMore: ").ok_or("a diagnostic has no link")?;
    let (guide, anchor) = link.split_once('#').ok_or_else(|| format!("{link} has no anchor"))?;
    let is_own = guide == provider().troubleshooting();
    match anchors(&format!("# {summary}")).contains(anchor) && (!is_own || ANCHORS.contains(anchor)) {
        true => Ok(told),
        false => Err(format!("{link} is no entry for {summary:?}")),
    }
}
