//! What only real engines can show.

mod auth;
mod auth_failures;
mod auth_objects;
mod demo;
mod earlier_states;
mod echo;
mod empty;
mod engine_bed;
mod examples;
mod grants;
mod mistakes;
mod moves;
mod peers;
mod provider;
mod runner;
mod secrets;
mod shared_account;
mod succession;
