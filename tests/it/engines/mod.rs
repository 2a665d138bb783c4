//! What only real engines can show.

mod actions;
mod demo;
mod earlier_states;
mod echo;
mod empty;
pub(crate) mod engine_bed;
mod examples;
mod functions;
mod guides;
mod hub;
mod hubs;
mod key_users;
mod mistakes;
mod other_providers;
mod provider;
mod query;
mod role_assignment;
mod role_assignment_objects;
mod runner;
mod secrets;
mod shared_account;
mod storage_access;
mod storage_auth;
mod storage_auth_failures;
mod storage_auth_objects;
mod storage_key_usage;
mod two_resources;
