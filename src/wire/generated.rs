//! Code generated from `proto/tfplugin6.proto`.
#![expect(unreachable_pub, clippy::allow_attributes, reason = "generated code")]
// Messages that only hold others are never made. An expectation of that counts as unfulfilled once it is met.
#![allow(dead_code, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/server/tfplugin6.rs"));
