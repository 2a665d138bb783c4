//! Rules about the source text: which layer may depend on which layers and crates, and what only one place may do.

use std::{
    collections::{BTreeMap, BTreeSet},
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
            "aws_lc_rs",
            "azure_core",
            "azure_identity",
            "backon",
            "base64",
            "bytes",
            "futures_util",
            "hickory_resolver",
            "http",
            "http_body",
            "httpdate",
            "p12_keystore",
            "reqwest",
            "resolv_conf",
            "rustls",
            "rustls_native_certs",
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
            "aws_lc_rs",
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

/// Doors to the outside in `std` and `tokio`, and the layers that have no business there.
const DOORS: [(&str, &[&str]); 3] = [
    ("framework", &["env", "fs", "io", "net", "process", "thread"]),
    ("wire", &["env", "fs", "io", "net", "process", "thread"]),
    ("provider", &["env", "fs", "io", "net", "process", "thread"]),
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
fn the_files_of_a_layer_form_no_circle() {
    let mut found = Vec::new();
    for (layer, _) in LAYERS {
        let texts = files_of(layer).into_iter().map(|(file, text)| (module(&file), text)).collect();
        let circles = circles(&uses_between(&texts)).into_iter();
        found.extend(circles.map(|circle| circle.iter().map(|module| module.join("/")).collect::<Vec<_>>()));
    }
    assert!(found.is_empty(), "these files use each other in circles: {found:#?}");
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

#[test]
fn circles_are_seen_through_re_exports() {
    let file = |path: &str, text: &str| (path.split('/').map(str::to_owned).collect::<Module>(), text.to_owned());
    let facade = file("arm", "mod a; mod b; pub use a::{A, c::C}; pub use b::B;");
    let names = |circles: Vec<Vec<Module>>| {
        circles.iter().map(|circle| circle.iter().map(|file| file.join("/")).collect()).collect::<Vec<Vec<_>>>()
    };
    for (a, b, in_circle) in [
        ("use super::b::B;", "use super::A;", true),
        ("use crate::arm::{x::y, b::{self, B}};", "fn f() { crate::arm::A::new() }", true),
        ("use super::B;", "use super::C;", false),
        ("use super::B;", "#[cfg(test)]\nmod tests { use super::super::A; }", false),
        ("use super::B;", "struct A;", false),
    ] {
        let texts = [facade.clone(), file("arm/a", a), file("arm/b", b), file("arm/a/c", "")].into();
        let expected = if in_circle { vec![vec!["arm/a".to_owned(), "arm/b".to_owned()]] } else { Vec::new() };
        assert_eq!(names(circles(&uses_between(&texts))), expected, "{a} {b}");
    }
    let parent = [file("arm", "mod a; use a::A; struct B;"), file("arm/a", "use super::B;")].into();
    assert_eq!(names(circles(&uses_between(&parent))), [["arm", "arm/a"]]);
}

/// The names of the modules that lead to a file, from its layer on.
type Module = Vec<String>;

fn module(file: &Path) -> Module {
    let inner = file.strip_prefix(root().join("src")).expect("a file of the source").with_extension("");
    let names = inner.components().map(|name| name.as_os_str().to_string_lossy().into_owned());
    names.filter(|name| name != "mod").collect()
}

/// Which of the files use which others of them. What a file only hands on by `pub use` is used by whoever names it there.
fn uses_between(texts: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    let all: Vec<_> = texts.iter().flat_map(|(module, text)| paths(module, without_tests(text), texts)).collect();
    let mut handed_on = BTreeMap::new();
    for (module, path, _) in all.iter().filter(|(module, path, public)| *public && path.starts_with(module)) {
        let name = path.last().expect("a path has a name").clone();
        handed_on.insert((module.clone(), name), file_of(path, texts).to_vec());
    }
    let mut uses: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, path, public) in all {
        let file = file_of(&path, texts);
        let name = path.get(file.len()).cloned().unwrap_or_default();
        let used = handed_on.get(&(file.to_vec(), name)).map_or(file, Vec::as_slice);
        let only_handed_on = public && path.starts_with(&module);
        if used != module && !used.is_empty() && !only_handed_on {
            uses.entry(module).or_default().insert(used.to_vec());
        }
    }
    uses
}

/// The longest beginning of a path that is a file.
fn file_of<'p>(path: &'p [String], texts: &BTreeMap<Module, String>) -> &'p [String] {
    let length = (0..=path.len()).rev().find(|length| texts.contains_key(&path[..*length]));
    &path[..length.unwrap_or_default()]
}

/// The paths in a file that lead to modules of the crate, from the layer on, and whether a `pub use` names them.
fn paths(module: &Module, text: &str, texts: &BTreeMap<Module, String>) -> Vec<(Module, Module, bool)> {
    let tokens = tokens(text);
    let token = |index: usize| tokens.get(index).map_or("", String::as_str);
    let mut found = Vec::new();
    let mut public = false;
    for index in 0..tokens.len() {
        match (index.checked_sub(1).map_or("", token), token(index)) {
            (before, "use") => public = before == "pub" || before == ")",
            (_, ";") => public = false,
            _ => {}
        }
        let begins = token(index + 1) == "::" && index.checked_sub(1).is_none_or(|before| token(before) != "::");
        let mut base = module.clone();
        let start = match token(index) {
            _ if !begins => continue,
            "crate" => {
                base.clear();
                index + 2
            }
            "self" => index + 2,
            "super" => index,
            name => {
                base.push(name.to_owned());
                if !texts.contains_key(&base) {
                    continue;
                }
                index + 2
            }
        };
        let mut ends = Vec::new();
        path_ends(&tokens, start, base, &mut ends);
        found.extend(ends.into_iter().map(|path| (module.clone(), path, public)));
    }
    found
}

/// Where a path leads that goes on from here; in braces there are several. Gives the position behind it.
fn path_ends(tokens: &[String], mut index: usize, mut path: Module, ends: &mut Vec<Module>) -> usize {
    loop {
        match tokens.get(index).map_or("", String::as_str) {
            "{" => {
                while tokens.get(index).is_some_and(|token| token != "}") {
                    index = path_ends(tokens, index + 1, path.clone(), ends);
                }
                return index + 1;
            }
            "super" => drop(path.pop()),
            "self" | "*" => {}
            name if name.chars().all(|char| char.is_alphanumeric() || char == '_') && !name.is_empty() => {
                path.push(name.to_owned());
            }
            _ => return index,
        }
        index += 1;
        if tokens.get(index).is_none_or(|token| token != "::") {
            ends.push(path);
            // Past another name for it.
            while tokens.get(index).is_some_and(|token| token == "as" || token.chars().all(char::is_alphanumeric)) {
                index += 1;
            }
            return index;
        }
        index += 1;
    }
}

/// Groups of files each of which leads to all others of its group.
fn circles(uses: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    let reached = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            next.extend(uses.get(file).into_iter().flatten().filter(|used| seen.insert((*used).clone())));
        }
        seen
    };
    let reach: BTreeMap<_, _> = uses.keys().map(|file| (file, reached(file))).collect();
    let mut circles: Vec<Vec<Module>> = Vec::new();
    for (file, seen) in reach.iter().filter(|(file, seen)| seen.contains(**file)) {
        let is_mutual = |other: &&Module| reach.get(other).is_some_and(|back| back.contains(*file));
        let circle: Vec<_> = seen.iter().filter(is_mutual).cloned().collect();
        if !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
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
    // Those of one system stand in `[target.….dependencies]`.
    let sections = manifest.split("\n[").filter_map(|section| section.split_once("dependencies]\n"));
    let ours = sections.filter(|(of, _)| of.is_empty() || of.starts_with("target."));
    let lines = ours.flat_map(|(_, section)| section.lines());
    lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")).collect()
}

/// The text as far as its tests, which stand last.
pub(crate) fn without_tests(text: &str) -> &str {
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
