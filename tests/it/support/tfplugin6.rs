//! The provider protocol's messages and client, generated from `proto/tfplugin6.proto`.
#![expect(unreachable_pub, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/client/tfplugin6.rs"));
