//! The provider protocol's messages and client, generated from `proto/tfplugin6.proto`.
#![expect(unreachable_pub, reason = "generated code")]
#![allow(dead_code, reason = "messages that only hold others together are never made, and expecting that hides it")]

include!(concat!(env!("OUT_DIR"), "/client/tfplugin6.rs"));
