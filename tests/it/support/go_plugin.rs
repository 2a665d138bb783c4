//! Clients of go-plugin's own services, generated from `proto/`.
#![expect(unreachable_pub, reason = "generated code")]

include!(concat!(env!("OUT_DIR"), "/client/plugin.rs"));

pub mod health {
    include!(concat!(env!("OUT_DIR"), "/client/grpc.health.v1.rs"));
}
