//! go-plugin's own services. This plugin uses no broker channels and writes nothing to its standard streams, so the
//! streams for those carry nothing; they have to stay open all the same.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _, future, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, service::Routes};

use crate::plugin::generated::{
    go_plugin::{
        ConnInfo, Empty, StdioData,
        grpc_broker_server::{GrpcBroker, GrpcBrokerServer},
        grpc_controller_server::{GrpcController, GrpcControllerServer},
        grpc_stdio_server::{GrpcStdio, GrpcStdioServer},
    },
    health::{
        HealthCheckRequest, HealthCheckResponse,
        health_check_response::ServingStatus,
        health_server::{Health, HealthServer},
    },
};

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Adds the services. Their streams end with `stop`, and `Shutdown` cancels it.
pub(super) fn add_to(routes: Routes, stop: &CancellationToken) -> Routes {
    let plugin = Plugin { stop: stop.clone() };
    routes
        .add_service(GrpcControllerServer::new(plugin.clone()))
        .add_service(GrpcBrokerServer::new(plugin.clone()))
        .add_service(GrpcStdioServer::new(plugin.clone()))
        .add_service(HealthServer::new(plugin))
}

#[derive(Clone)]
struct Plugin {
    stop: CancellationToken,
}

impl Plugin {
    /// Keeps a stream open until the client cancels it or the server stops.
    fn keep_open<T: Send + 'static>(
        &self,
        stream: &'static str,
        messages: impl Stream<Item = Result<T, Status>> + Send + 'static,
    ) -> Response<Messages<T>> {
        tracing::trace!(stream, "opened");
        let closing = LogsClose { stream };
        let messages = messages.inspect(move |_| {
            let _captured = &closing;
        });
        Response::new(messages.take_until(self.stop.clone().cancelled_owned()).boxed())
    }
}

/// Logs the end of a stream when it is dropped.
struct LogsClose {
    stream: &'static str,
}

impl Drop for LogsClose {
    fn drop(&mut self) {
        tracing::trace!(stream = self.stream, "closed");
    }
}

#[tonic::async_trait]
impl GrpcController for Plugin {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        tracing::debug!("the host asks for the shutdown");
        self.stop.cancel();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcBroker for Plugin {
    type StartStreamStream = Messages<ConnInfo>;

    /// Reads the host's offers of channels and accepts none.
    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let offers = request.into_inner().filter_map(|offer| future::ready(offer.err().map(Err)));
        Ok(self.keep_open("broker", offers))
    }
}

#[tonic::async_trait]
impl GrpcStdio for Plugin {
    type StreamStdioStream = Messages<StdioData>;

    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(self.keep_open("stdio", stream::pending()))
    }
}

/// The name under which go-plugin reports the health of the whole plugin.
const HEALTH_SERVICE: &str = "plugin";

fn status_of(service: &str) -> ServingStatus {
    if service.is_empty() || service == HEALTH_SERVICE { ServingStatus::Serving } else { ServingStatus::ServiceUnknown }
}

#[tonic::async_trait]
impl Health for Plugin {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match status_of(&request.get_ref().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("unknown service")),
            status => Ok(Response::new(HealthCheckResponse { status: status.into() })),
        }
    }

    type WatchStream = Messages<HealthCheckResponse>;

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let status = status_of(&request.get_ref().service).into();
        let first = stream::iter([Ok(HealthCheckResponse { status })]);
        Ok(self.keep_open("health", first.chain(stream::pending())))
    }
}
