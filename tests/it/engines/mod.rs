//! What only real engines can show.

mod bed;
mod examples;
mod grants;
mod mistakes;
mod moves;
mod provider;
mod runner;
mod secrets;
