//! Contract tests of the ARM emulator: one per row of the tables of facts that it is built from, over HTTPS, written
//! from the facts and not from the emulator's code. A comment above each test names its rows (`azure.md §…`).
//!
//! - Azure Machine Learning: `workspaces`, `properties`, `hubs` (datastores, projects, roles), `hub_writes`, `hub_deletion`
//! - what of a workspace may need keys: `datastores`, `connections`, `computes`
//! - storage: `accounts`, `blobs`, `containers` (and shares), `metrics`, `private_endpoints`
//! - roles: `assignments`, `definitions`, `rbac` (who may do what)
//! - all of ARM: `common`, `errors`, `locks`, `restrictions` (policies), `throttle`, `versions`, `operations` and `shapes` (long-running operations)
//! - sign-in: `entra`, a file per way
//! - whole samples and sequences: `sample`, `azapi`, `random`, `fleets` (many hubs)
//! - the program and its switches: `binary`, `control`, `faults`, `state`, `switches_page`

pub(crate) mod client;

mod accounts;
mod assignments;
mod azapi;
mod binary;
mod blobs;
mod common;
mod computes;
mod connections;
mod containers;
mod control;
mod datastores;
mod definitions;
mod entra;
mod errors;
mod faults;
mod fleets;
mod hub_deletion;
mod hub_writes;
mod hubs;
mod locks;
mod metrics;
mod operations;
mod private_endpoints;
mod properties;
mod random;
mod rbac;
mod restrictions;
mod sample;
mod shapes;
mod state;
mod switches_page;
mod throttle;
mod vaults;
mod versions;
mod workspaces;

/// The name that most tests give an assignment or a role definition.
const NAME: &str = "716c4d15-9bc8-476d-a3c1-6ccb70082517";

/// Another such name.
const OTHER: &str = "00000000-0000-0000-0000-0000000000aa";

/// Where a hub's answer says how it reaches its storage.
const MODE: &str = "/properties/systemDatastoresAuthMode";
