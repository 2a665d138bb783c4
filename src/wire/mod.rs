//! Terraform's plugin protocol 6.11 (`proto/tfplugin6.proto`), decoded for the framework: the only user of protobuf and
//! msgpack. [`routes`] is its entry point.

mod convert;
mod generated;
pub mod msgpack;
mod service;

use std::sync::Arc;

use tonic::service::Routes;

use crate::framework::server::{Provider, Server};

/// The largest message in either direction, in bytes, as in Terraform's own SDKs. States of several megabytes exist.
const MAX_MESSAGE: usize = 256 << 20;

/// The gRPC service for a provider.
pub fn routes(provider: impl Provider) -> Routes {
    let service = service::Service(Arc::new(Server::new(provider)));
    let service = generated::provider_server::ProviderServer::new(service)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    Routes::new(service)
}
