//! An emulator of Azure Resource Manager and Microsoft Entra for clients that know nothing of it.
//!
//! It imports nothing of the provider and knows only what Azure shows on the wire, so that a mistake in one cannot
//! hide a mistake in the other. Handlers are plain functions on a [`world::World`] behind one lock; time passes when
//! somebody looks (`World::settle`), so there are no timers, and a test that moves the clock sees at once what is due.
//! `docs/internals/emulator.md` has all switches.

mod authorization;
mod clock;
mod control;
mod data_plane;
mod documents;
mod emulator;
mod entra;
mod errors;
mod faults;
mod filter;
mod groups;
mod http;
mod ids;
mod locks;
mod log;
mod metadata;
mod metrics;
mod operations;
mod options;
mod policy;
mod private_endpoints;
mod providers;
mod routes;
mod seed;
mod server;
mod state;
mod storage;
mod store;
mod throttle;
pub(crate) mod tls;
mod vaults;
mod workspaces;
mod world;

pub(crate) use authorization::Assignment;
pub(crate) use clock::parse as parse_time;
pub(crate) use emulator::Emulator;
pub(crate) use faults::{Action, RandomFaults, Rule, wildcard};
pub(crate) use log::Record;
pub(crate) use operations::Outcome;
pub(crate) use options::{
    Datastores, EchoWhen, ExistsId, FixedProperties, HubList, HubRole, HubRolesFor, IdCasing, InsightsPatch,
    IsolationModes, Lro, ModeCasing, Nulls, OnOff, Operations, Options, Principals, PurgeDeleted, PutWithoutMode,
    Ruling, SchemaView, SignIn, UserDelegationSas,
};
