//! The page that documents the emulator's switches is made from their one definition.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::azure::Options;

const START: &str = "<!-- switches: written by a test from examples/emulator/arm/options.rs -->\n";
const END: &str = "<!-- end of switches -->";

/// One row per switch: flag, value, default, meaning.
fn table() -> String {
    let command = Options::augment_args(clap::Command::new("emulator"));
    let mut table = "| switch | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    for argument in command.get_arguments() {
        let flag = argument.get_long().expect("a long flag");
        let takes_value = argument.get_action().takes_values();
        let choices: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|_| takes_value)
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let value = match argument.get_value_names() {
            _ if !choices.is_empty() => choices.join(" "),
            Some(names) if takes_value => names[0].to_string(),
            _ => String::new(),
        };
        let default: Vec<String> = argument
            .get_default_values()
            .iter()
            .filter(|_| takes_value)
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        let help = argument.get_help().expect("a description").to_string();
        table.push_str(&format!("| `--{flag}` | {value} | {} | {help} |\n", default.join(" ")));
    }
    table
}

/// Every switch is in the table with its default; a stale page is rewritten, and the test fails once.
#[test]
fn the_page_names_every_switch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/internals/emulator.md");
    let page = fs::read_to_string(&path).expect("docs/internals/emulator.md");
    let (before, rest) = page.split_once(START).expect("the start of the table");
    let (_, after) = rest.split_once(END).expect("the end of the table");
    let fresh = format!("{before}{START}{}{END}{after}", table());
    if page != fresh {
        fs::write(&path, fresh).expect("the page can be written");
        panic!("docs/internals/emulator.md was stale and has been rewritten: look at it and commit it");
    }
}
