//! What only real engines can show.

mod runner;
