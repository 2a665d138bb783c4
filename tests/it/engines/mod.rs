//! What only real engines can show.

mod bed;
mod echo;
mod examples;
mod grants;
mod mistakes;
mod moves;
mod peers;
mod provider;
mod runner;
mod secrets;
