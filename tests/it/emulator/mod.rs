//! Contract tests of the ARM emulator: one per row of the tables of facts that it is built from, over HTTPS, written
//! from the facts and not from the emulator's code. A comment above each test names its rows (`arm.md §…`).

pub(crate) mod client;

mod common;
mod entra;
mod hubs;
mod operations;
mod page;
mod random;
mod roles;
mod storage;
mod workspaces;
