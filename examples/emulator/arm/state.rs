//! The state file: what `--state` keeps of the world across restarts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::store::Store;

/// What the file holds.
#[derive(Debug, Deserialize)]
pub(crate) struct Kept {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
}

/// The file as it is to be, with a number that grows from one to the next.
#[derive(Debug)]
pub(crate) struct State {
    number: u64,
    text: Vec<u8>,
}

impl State {
    /// Writes the world down.
    pub(crate) fn new(number: u64, clock: &Clock, store: &Store) -> Self {
        #[derive(Serialize)]
        struct Written<'a> {
            clock: &'a Clock,
            store: &'a Store,
        }
        let text = serde_json::to_vec(&Written { clock, store }).expect("a world has nothing that JSON cannot say");
        Self { number, text }
    }
}

/// Reads the file back.
pub(crate) fn read(path: &Path) -> Result<Kept> {
    let text = fs::read(path).with_context(|| format!("reading the state file {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("the state file {}", path.display()))
}

/// Writes the file, away from the world's lock, and never an older state over a newer one.
#[derive(Debug)]
pub(crate) struct Keeper {
    path: PathBuf,
    last: Mutex<u64>,
}

impl Keeper {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::new(0) }
    }

    pub(crate) fn keep(&self, state: &State) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if state.number <= *last {
            return;
        }
        let new = self.path.with_extension("new");
        match fs::write(&new, &state.text).and_then(|()| fs::rename(&new, &self.path)) {
            Ok(()) => *last = state.number,
            Err(error) => {
                eprintln!("emulator: the state file {} could not be written: {error}", self.path.display());
            }
        }
    }
}
