//! Signing in to the emulator by every method: what is set for it, in the block or in the environment alone, and which
//! method the requests show.

mod azure_cli;
mod bed;
mod cloud;
mod failures;
mod guides;
mod methods;
mod peers;
mod pipelines;
mod runs;
mod secrets;
