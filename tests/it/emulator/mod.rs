//! Contract tests of the ARM emulator: one per row of the tables of facts that it is built from, over HTTPS, written
//! from the facts and not from the emulator's code. A comment above each test names its rows (`azure.md §…`).

pub(crate) mod client;

mod accounts;
mod azapi;
mod binary;
mod blobs;
mod common;
mod control;
mod definitions;
mod entra;
mod errors;
mod faults;
mod grants;
mod hubs;
mod locks;
mod operations;
mod page;
mod properties;
mod random;
mod rbac;
mod roles;
mod sample;
mod shapes;
mod state;
mod storage;
mod throttle;
mod tokens;
mod versions;
mod workspaces;
