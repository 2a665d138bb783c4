//! Between the provider protocol's bytes and the framework: the only user of protobuf and msgpack.
//!
//! [`routes`] is all that the rest of the program needs: a provider in, a gRPC service out. Protocol 6 with every
//! message and procedure of its minor version 11 is described in `proto/tfplugin6.proto`.

mod convert;
mod generated;
pub mod msgpack;
mod service;

use std::sync::Arc;

use tonic::service::Routes;

use crate::framework::server::{Provider, Server};

/// The largest message either way, in bytes: what Terraform's own SDKs allow. States of several megabytes exist.
const MAX_MESSAGE: usize = 256 << 20;

/// The gRPC service that makes a plugin of a provider.
pub fn routes(provider: impl Provider) -> Routes {
    let service = service::Service(Arc::new(Server::new(provider)));
    let service = generated::provider_server::ProviderServer::new(service)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    Routes::new(service)
}
