//! Code generated from `proto/go_plugin.proto` and `proto/grpc_health.proto`.
#![expect(unreachable_pub, clippy::allow_attributes, reason = "generated code")]

pub(super) mod go_plugin {
    include!(concat!(env!("OUT_DIR"), "/server/plugin.rs"));
}

pub(super) mod health {
    include!(concat!(env!("OUT_DIR"), "/server/grpc.health.v1.rs"));
}
