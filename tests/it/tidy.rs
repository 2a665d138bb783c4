//! Rules about the source text: which layer may depend on which layers and crates, and what only one place may do.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What each layer may use of the crate beside itself (docs/internals/architecture.md).
const LAYERS: [(&str, &[&str]); 5] =
    [("arm", &[]), ("framework", &[]), ("plugin", &[]), ("wire", &["framework"]), ("provider", &["arm", "framework"])];

/// The crates of others that each layer may use: HTTP and sign-in in `arm` only, gRPC in `plugin` and `wire`, protobuf and
/// msgpack in `wire`, and hardly anything in `framework`.
const CRATES: [(&str, &[&str]); 5] = [
    (
        "arm",
        &[
            "azure_core",
            "azure_identity",
            "backon",
            "base64",
            "futures_util",
            "http",
            "httpdate",
            "reqwest",
            "rustls",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "thiserror",
            "time",
            "tokio",
            "tokio_util",
            "tracing",
            "url",
            "uuid",
        ],
    ),
    ("framework", &["futures_util", "serde", "serde_json", "thiserror", "tokio", "tokio_util"]),
    (
        "plugin",
        &[
            "base64",
            "futures_util",
            "prost",
            "rcgen",
            "rustls",
            "serde",
            "serde_json",
            "thiserror",
            "time",
            "tokio",
            "tokio_rustls",
            "tokio_stream",
            "tokio_util",
            "tonic",
            "tonic_prost",
            "tracing",
            "tracing_subscriber",
            "uuid",
        ],
    ),
    (
        "wire",
        &[
            "prost",
            "prost_types",
            "rmp",
            "serde_json",
            "thiserror",
            "tokio_stream",
            "tonic",
            "tonic_prost",
            "unicode_normalization",
        ],
    ),
    ("provider", &["futures_util", "serde", "serde_json", "strsim", "time", "tokio", "tracing", "url", "uuid"]),
];

/// Doors to the outside in `std` and `tokio`, and the layers that have no business there. The provider reads the files
/// that its block names.
const DOORS: [(&str, &[&str]); 3] = [
    ("framework", &["env", "fs", "io", "net", "process", "thread"]),
    ("wire", &["env", "fs", "io", "net", "process", "thread"]),
    ("provider", &["env", "net", "process", "thread"]),
];

#[test]
fn dependencies_point_one_way() {
    let mut faults = Vec::new();
    for (layer, allowed) in LAYERS {
        for (file, text) in files_of(layer) {
            for used in crate_paths(&text, "crate::") {
                if used != layer && !allowed.contains(&used.as_str()) {
                    faults.push(format!("{}: {layer} uses crate::{used}", file.display()));
                }
            }
            // A file could climb out of its layer without naming the crate.
            if climbs_out(&text, module_depth(&file)) {
                faults.push(format!("{}: climbs out of {layer} with super", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn each_layer_uses_the_crates_that_it_is_there_for() {
    let dependencies = dependencies();
    let mut faults = Vec::new();
    for (layer, allowed) in CRATES {
        for (file, text) in files_of(layer) {
            let text = without_tests(&text);
            for used in dependencies.iter().filter(|name| uses(text, name) && !allowed.contains(&name.as_str())) {
                faults.push(format!("{}: {layer} uses {used}", file.display()));
            }
            let closed = DOORS.iter().find(|(of, _)| *of == layer).map_or(&[][..], |(_, doors)| doors);
            let opened = ["std::", "tokio::"].into_iter().flat_map(|prefix| crate_paths(text, prefix));
            for door in opened.filter(|name| closed.contains(&name.as_str())) {
                faults.push(format!("{}: {layer} opens {door}", file.display()));
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
    assert!(crate_paths("use std::{cell::Cell, fs};", "std::").contains("fs"));

    // The depth is that of src/LAYER/file.rs: one step leads to the layer, two lead out of it.
    for (text, climbs) in [
        ("use super::Value;", false),
        ("use super::super::wire;", true),
        ("use super::{super::wire, Value};", true),
        ("use super::{Value, plan::{self, check}};", false),
        ("pub(super) fn f() { super::g('{', \"{\") }", false),
        ("mod tests { use super::super::Value; }", false),
        ("mod tests { fn f() { super::super::super::wire::f() } }", true),
        ("mod tests { use super::*; }\nuse super::super::wire;", true),
    ] {
        assert_eq!(climbs_out(text, 2), climbs, "{text}");
    }
    assert!(climbs_out("use super::wire;", module_depth(&root().join("src/arm/mod.rs"))));
    assert_eq!(module_depth(&root().join("src/arm/auth/cache.rs")), 3);

    assert!(uses("use reqwest::Client;", "reqwest") && uses("#[derive(thiserror::Error)]", "thiserror"));
    assert!(!uses("azure_core::http::Url", "http") && !uses("my_http::Url", "http"));
    assert!(dependencies().contains("tokio_rustls") && !dependencies().contains("axum"));
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n"), "a\n");
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

/// The files of a layer, without comments.
fn files_of(layer: &str) -> Vec<(PathBuf, String)> {
    let files = rust_files(&root().join("src").join(layer));
    assert!(!files.is_empty(), "the layer {layer} has no files: the tables above are out of date");
    files.into_iter().map(|file| (file.clone(), code(&file))).collect()
}

/// The names, as code spells them, of what the library depends on.
fn dependencies() -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest is readable");
    let (_, section) = manifest.split_once("[dependencies]\n").expect("a section of dependencies");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect()
}

/// The text as far as its tests, which stand last.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Whether a path in the text begins with this name.
fn uses(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        text[start + name.len()..].starts_with("::")
            && !before.is_some_and(|char| char.is_alphanumeric() || char == '_' || char == ':')
    })
}

/// How many modules a path from the crate's root to this file names.
fn module_depth(file: &Path) -> usize {
    let inner = file.strip_prefix(root().join("src")).expect("a file of the source");
    inner.components().count() - usize::from(inner.ends_with("mod.rs"))
}

/// Whether a path in the text, which is that of a module at this depth, leads to the crate's root or above by `super`.
fn climbs_out(text: &str, depth: usize) -> bool {
    let tokens = tokens(text);
    // What each open brace stands for: a module, or the rest of a path that has climbed so many steps.
    let mut open: Vec<(bool, usize)> = Vec::new();
    let mut climbed = 0;
    for (index, token) in tokens.iter().enumerate() {
        let before = |back: usize| index.checked_sub(back).map_or("", |index| tokens[index].as_str());
        match token.as_str() {
            "{" => {
                open.push((before(2) == "mod", if before(1) == "::" { climbed } else { 0 }));
                climbed = 0;
            }
            "}" => {
                open.pop();
                climbed = 0;
            }
            "super" if tokens.get(index + 1).is_some_and(|next| next == "::") => {
                let inherited =
                    if before(1) == "::" { climbed } else { open.last().map_or(0, |(_, climbed)| *climbed) };
                climbed = inherited + 1;
                if climbed >= depth + open.iter().filter(|(is_module, _)| *is_module).count() {
                    return true;
                }
            }
            "::" => {}
            _ => climbed = 0,
        }
    }
    false
}

/// Names, `::` and single characters, without blanks and without what stands in quotes.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("::") {
            2
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, mut tail) = rest.split_at(length);
        if let Some(quoted) = quoted(rest) {
            tail = &rest[quoted..];
        } else if !first.is_whitespace() {
            tokens.push(token.to_owned());
        }
        rest = tail;
    }
    tokens
}

/// How long the string or character is that the text begins with.
fn quoted(text: &str) -> Option<usize> {
    if let Some(raw) = text.strip_prefix("r").map(|raw| raw.trim_start_matches('#'))
        && raw.starts_with('"')
    {
        let hashes = text.len() - raw.len() - 1;
        let end = format!("\"{}", "#".repeat(hashes));
        return raw[1..].find(&end).map(|at| text.len() - raw.len() + 1 + at + end.len());
    }
    let quote = text.chars().next().filter(|char| ['"', '\''].contains(char))?;
    let mut escaped = false;
    let end = text[1..].find(|char| {
        let ends = char == quote && !escaped;
        escaped = char == '\\' && !escaped;
        ends
    })? + 2;
    // A lifetime has a quote before it and none behind.
    (quote == '"' || text[..end].chars().count() <= 4 || text.starts_with("'\\")).then_some(end)
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
