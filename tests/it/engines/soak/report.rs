//! What a run saw: every diagnostic is one of the provider's own, and the numbers that it prints at its end.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    azure::{Emulator, wildcard},
    support::engine::Outcome,
};

use super::objects::SECRET;

/// What no command may say, killed or not.
const NEVER: [&str; 5] = [SECRET, ".eyJ", "panicked", "Provider produced", "Provider returned invalid"];

pub(super) struct Report {
    begun: Instant,
    /// The texts of the provider's source, in which what is filled in is `*`.
    own: Vec<String>,
    pub(super) requests: usize,
    /// How many commands succeeded and failed, by name.
    commands: BTreeMap<&'static str, (u32, u32)>,
    /// The headlines of diagnostics, with how often each was seen.
    headlines: BTreeMap<String, u32>,
    pub(super) kills: Vec<String>,
    pub(super) imported: usize,
    /// How often an engine was killed while it wrote the state.
    pub(super) cut_states: usize,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            begun: Instant::now(),
            own: own_texts(),
            requests: 0,
            commands: BTreeMap::new(),
            headlines: BTreeMap::new(),
            kills: Vec::new(),
            imported: 0,
            cut_states: 0,
        }
    }

    /// Says how far the run is.
    pub(super) fn progress(&self, what: &str) {
        eprintln!("soak: {:>4} s  {what}", self.begun.elapsed().as_secs());
    }

    /// Notes how a command ended, and passes if all that it says is fit to be said.
    pub(super) fn ended(&mut self, name: &'static str, outcome: &Outcome, is_killed: bool) {
        let said = outcome.to_string();
        for never in NEVER {
            assert!(!said.contains(never), "{never:?} is in {outcome}");
        }
        if is_killed {
            return;
        }
        let is_success = outcome.code != Some(1);
        let counted = self.commands.entry(name).or_default();
        *(if is_success { &mut counted.0 } else { &mut counted.1 }) += 1;
        let headlines = outcome.errors().into_iter().chain(outcome.warnings());
        for headline in headlines {
            assert!(self.is_own(headline), "{headline:?} is not the provider's: {outcome}");
            *self.headlines.entry(headline.to_owned()).or_default() += 1;
        }
        assert!(is_success || !outcome.errors().is_empty(), "a failure without a reason: {outcome}");
    }

    fn is_own(&self, headline: &str) -> bool {
        // Engines count what they have no room for.
        let headline =
            headline.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (and ")).map_or(headline, |(text, _)| text);
        self.own.iter().any(|text| wildcard(text, headline))
    }

    pub(super) fn print(&self, emulator: &Emulator) {
        let drawn = emulator.faults_drawn();
        eprintln!("{self} {}:", drawn.values().sum::<u64>());
        for (fault, count) in drawn {
            eprintln!("  {count:>5} {fault}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "soak: passed after {} s", self.begun.elapsed().as_secs())?;
        for (name, (succeeded, failed)) in &self.commands {
            writeln!(f, "  {name}: {succeeded} succeeded, {failed} failed")?;
        }
        writeln!(
            f,
            "  {} hubs imported after a kill, {} states restored that were cut by one",
            self.imported, self.cut_states
        )?;
        writeln!(f, "killed:")?;
        self.kills.iter().try_for_each(|kill| writeln!(f, "  {kill}"))?;
        writeln!(f, "diagnostics:")?;
        self.headlines.iter().try_for_each(|(headline, count)| writeln!(f, "  {count:>5} {headline}"))?;
        write!(f, "{} requests, of which went wrong", self.requests)
    }
}

/// All texts in the provider's source that say something.
fn own_texts() -> Vec<String> {
    let mut texts = Vec::new();
    let mut folders: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.extend(fs::read_to_string(path).unwrap().split('"').map(pattern));
            }
        }
    }
    texts.retain(|text| text.chars().filter(char::is_ascii_alphabetic).count() >= 8);
    texts
}

/// A text with `*` where something is filled in.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    for part in text.split('{') {
        let rest = part.split_once('}').map_or(part, |(_, rest)| rest);
        pattern.push_str(if pattern.is_empty() && !text.starts_with('{') { "" } else { "*" });
        pattern.push_str(rest);
    }
    pattern
}
