//! What only real engines can show.

mod provider;
mod runner;
