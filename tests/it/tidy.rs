//! Rules about the source text itself: who may know whom, and what stands nowhere else.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What each layer may use of the crate beside itself (docs/internals/architecture.md).
const LAYERS: [(&str, &[&str]); 5] =
    [("arm", &[]), ("framework", &[]), ("plugin", &[]), ("wire", &["framework"]), ("provider", &["arm", "framework"])];

#[test]
fn dependencies_point_one_way() {
    let mut faults = Vec::new();
    for (layer, allowed) in LAYERS {
        let files = rust_files(&root().join("src").join(layer));
        assert!(!files.is_empty(), "the layer {layer} has no files: the table above is out of date");
        for file in files {
            let text = code(&file);
            for used in crate_paths(&text, "crate::") {
                if used != layer && !allowed.contains(&used.as_str()) {
                    faults.push(format!("{}: {layer} uses crate::{used}", file.display()));
                }
            }
            // With it a file could climb out of its layer without naming the crate.
            if text.contains("super::super::super") {
                faults.push(format!("{}: climbs with super::super::super", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_folder_of_the_source_is_a_layer() {
    let folders: BTreeSet<_> = fs::read_dir(root().join("src"))
        .expect("src is there")
        .map(|entry| entry.expect("src is readable").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, LAYERS.iter().map(|(layer, _)| (*layer).to_owned()).collect());
}

#[test]
fn the_emulator_knows_nothing_of_the_provider() {
    for file in rust_files(&root().join("examples/emulator")) {
        let used = crate_paths(&code(&file), "foundryhub::");
        assert!(used.is_empty(), "{} uses foundryhub::{used:?}", file.display());
    }
}

#[test]
fn the_environment_is_read_at_the_edge_only() {
    let edge = ["src/main.rs", "src/plugin"].map(|path| root().join(path));
    for file in rust_files(&root().join("src")) {
        let reads = ["env::var", "env::vars", "env::set_var", "env::remove_var"];
        let text = code(&file);
        let found = reads.iter().find(|read| text.contains(*read));
        let allowed = edge.iter().any(|edge| file.starts_with(edge));
        assert!(allowed || found.is_none(), "{} uses {found:?}", file.display());
    }
}

#[test]
fn the_rules_see_what_they_look_for() {
    let text = "use crate::{arm::{self, Error}, framework::Value};\nlet x = crate::wire::decode;";
    let expected: BTreeSet<_> = ["arm", "framework", "wire"].map(str::to_owned).into();
    assert_eq!(crate_paths(text, "crate::"), expected);
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The file without its comment lines.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("the file is readable");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The first names behind every `prefix`, those in braces included.
fn crate_paths(text: &str, prefix: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (start, _) in text.match_indices(prefix) {
        let preceded = text[..start].chars().next_back().is_some_and(|char| char.is_alphanumeric() || char == '_');
        if preceded {
            continue;
        }
        let rest = &text[start + prefix.len()..];
        match rest.strip_prefix('{') {
            None => names.extend(name(rest)),
            Some(group) => {
                let mut depth = 0;
                let mut at_name = true;
                for (position, char) in group.char_indices() {
                    match char {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => at_name = true,
                        _ if at_name && !char.is_whitespace() => {
                            names.extend(name(&group[position..]));
                            at_name = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

fn name(text: &str) -> Option<String> {
    let end = text.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}
