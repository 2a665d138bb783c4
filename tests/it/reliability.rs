//! The tables of docs/internals/reliability.md name the test that shows each row, and every test that they name is there.

use std::{fs, path::Path};

const PAGE: &str = "docs/internals/reliability.md";
const COLUMNS: usize = 4;

#[test]
fn every_row_names_tests_that_are_there() {
    let page = read(PAGE);
    let tables =
        page.split("\n## ").skip(1).map(|section| section.split_once("\n\n").expect("a heading and its table"));
    let mut headings = Vec::new();
    for (heading, table) in tables {
        headings.push(heading);
        let mut lines = table.lines();
        assert_eq!(lines.next(), Some("| fault | what the user sees | in the state | test |"), "{heading}");
        assert_eq!(lines.next(), Some("|---|---|---|---|"), "{heading}");
        for row in lines {
            let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), COLUMNS, "{row}");
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}");
            let tests = cells[COLUMNS - 1].split_whitespace();
            let faults: Vec<_> = tests.filter_map(|test| fault(test.trim_matches('`'))).collect();
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }
    assert_eq!(headings, ["Service", "Network", "Engine", "Other providers", "Hostile input", "Idempotence"]);
}

#[test]
fn tests_that_are_not_there_are_found() {
    assert_eq!(fault("reliability::every_row_names_tests_that_are_there"), None);
    assert_eq!(fault("echo::bad_calls::every_rpc_is_answered"), None);
    for (test, says) in [
        ("reliability::no_such_test", "has no test no_such_test"),
        ("reliability::fault", "has no test fault"),
        ("nowhere::test", "there is no module nowhere"),
        ("test", "there is no module "),
    ] {
        let fault = fault(test).unwrap_or_else(|| panic!("{test} is found"));
        assert!(fault.contains(says), "{fault}");
    }
}

/// What is wrong with the name of a test: a path from the root of the tests to a function with the attribute.
fn fault(test: &str) -> Option<String> {
    let (module, name) = test.rsplit_once("::").unwrap_or(("", test));
    let folder = format!("tests/it/{}", module.replace("::", "/"));
    let file = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
    let Some(file) = file.into_iter().find(|file| !module.is_empty() && root().join(file).is_file()) else {
        return Some(format!("{test}: there is no module {module}"));
    };
    let text = read(&file);
    let lines: Vec<_> = text.lines().collect();
    let (function, is_attribute) = (format!("fn {name}("), |line: &&&str| line.starts_with("#["));
    let is_test = |at: usize| lines[..at].iter().rev().take_while(is_attribute).any(|line| line.contains("test"));
    let mut places = (0..lines.len()).filter(|at| lines[*at].trim_start_matches("async ").starts_with(&function));
    (!places.any(is_test)).then(|| format!("{file} has no test {name}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
