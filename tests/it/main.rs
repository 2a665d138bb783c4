//! The one integration-test binary: each module is one concern.

#[path = "../../examples/emulator/arm/mod.rs"]
#[expect(dead_code, reason = "some of the emulator is only there for its command line")]
mod azure;

mod arm_auth;
mod arm_calls;
mod arm_emulator;
mod arm_send;
mod citations;
mod docs;
mod echo;
mod emulator;
mod engines;
mod examples;
mod handshake;
mod process;
mod proto_files;
mod provider_block;
mod role_assignment;
mod storage_auth;
mod support;
mod tidy;
