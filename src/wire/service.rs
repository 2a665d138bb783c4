//! One method per remote procedure, in the order of the protocol's file: decode, one call of the framework, encode.
//!
//! Errors within a call are diagnostics of its answer. Engines show a gRPC status as a broken plugin, without its text, so
//! that one says only that a procedure is not implemented.

use std::{collections::HashMap, pin::Pin, sync::Arc};

use tokio_stream::{Empty, Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::{
    convert::{self, Fields},
    generated::{
        self as proto, apply_resource_change, call_function, close_ephemeral_resource, configure_provider,
        configure_state_store, delete_state, generate_resource_config, get_functions, get_metadata,
        get_provider_schema, get_resource_identity_schemas, get_states,
        import_resource_state::{self, ImportedResource},
        invoke_action, list_resource, lock_state, move_resource_state, open_ephemeral_resource, plan_action,
        plan_resource_change, provider_server, read_data_source, read_resource, read_state_bytes,
        renew_ephemeral_resource, stop_provider, unlock_state, upgrade_resource_identity, upgrade_resource_state,
        validate_action_config, validate_data_resource_config, validate_ephemeral_resource_config,
        validate_list_resource_config, validate_provider_config, validate_resource_config, validate_state_store_config,
        write_state_bytes,
    },
};
use crate::framework::{
    Diagnostic,
    action::ActionEvent,
    contain::{contain, contain_each},
    erased::Described,
    registry::Registry,
    resource::ImportTarget,
    server::{self, Provider, Server},
};

/// The protocol's service for a provider.
pub(super) struct Service<P: Provider>(pub(super) Arc<Server<P>>);

type Answer<T> = Result<Response<T>, Status>;

/// The answers of a procedure that has several.
type Events<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// An answer that can carry an error.
trait Failable {
    fn failed(error: Diagnostic) -> Self;
    fn diagnostics(&mut self) -> &mut [proto::Diagnostic];
}

macro_rules! failable {
    ($($answer:path: $diagnostics:ident,)*) => {
        $(impl Failable for $answer {
            fn failed(error: Diagnostic) -> Self {
                let mut answer = Self::default();
                answer.$diagnostics.extend(convert::diagnostics(error.into()));
                answer
            }

            fn diagnostics(&mut self) -> &mut [proto::Diagnostic] {
                &mut self.$diagnostics
            }
        })*
    };
}

failable! {
    validate_provider_config::Response: diagnostics,
    configure_provider::Response: diagnostics,
    validate_resource_config::Response: diagnostics,
    validate_data_resource_config::Response: diagnostics,
    validate_list_resource_config::Response: diagnostics,
    validate_action_config::Response: diagnostics,
    upgrade_resource_state::Response: diagnostics,
    upgrade_resource_identity::Response: diagnostics,
    read_resource::Response: diagnostics,
    plan_resource_change::Response: diagnostics,
    apply_resource_change::Response: diagnostics,
    import_resource_state::Response: diagnostics,
    move_resource_state::Response: diagnostics,
    generate_resource_config::Response: diagnostics,
    read_data_source::Response: diagnostics,
    list_resource::Event: diagnostic,
    plan_action::Response: diagnostics,
}

impl Failable for call_function::Response {
    fn failed(error: Diagnostic) -> Self {
        convert::call_failed(error.into())
    }

    fn diagnostics(&mut self) -> &mut [proto::Diagnostic] {
        &mut []
    }
}

impl Failable for invoke_action::Event {
    fn failed(error: Diagnostic) -> Self {
        convert::action_event(ActionEvent::Completed(error.into()))
    }

    fn diagnostics(&mut self) -> &mut [proto::Diagnostic] {
        match &mut self.r#type {
            Some(invoke_action::event::Type::Completed(completed)) => &mut completed.diagnostics,
            _ => &mut [],
        }
    }
}

/// The answer of `work`, or one with its error alone. The framework turns panics in what it calls into diagnostics; this does
/// so for those in decoding and encoding.
async fn answered<T: Failable>(procedure: &str, work: impl Future<Output = Result<T, Diagnostic>>) -> T {
    let result = contain(work).await.unwrap_or_else(|panic| Err(server::crash(procedure, &panic)));
    result.unwrap_or_else(T::failed)
}

/// Engines call these procedures only for ephemeral resources and state stores that the schema names, and it names none.
fn not_implemented<T>() -> Answer<T> {
    Err(Status::unimplemented("this provider has no ephemeral resources and no state stores"))
}

/// The schemas of a kind by name.
fn schemas<T: Described + ?Sized>(types: &Registry<T>) -> HashMap<String, proto::Schema> {
    types.iter().map(|(name, each)| (name, convert::schema(each.schema()))).collect()
}

impl<P: Provider> Service<P> {
    /// The answer of a procedure, whose diagnostics have links.
    async fn answer<T: Failable>(
        &self,
        procedure: &str,
        work: impl Future<Output = Result<T, Diagnostic>>,
    ) -> Answer<T> {
        let mut answer = answered(procedure, work).await;
        convert::link(answer.diagnostics(), self.0.troubleshooting());
        Ok(Response::new(answer))
    }

    /// The events of the stream that `begin` creates, or a single one with its error. A panic in the stream becomes its last
    /// event.
    async fn events<T, S>(
        &self,
        procedure: &'static str,
        begin: impl Future<Output = Result<S, Diagnostic>>,
    ) -> Answer<Events<T>>
    where
        T: Failable + Send + 'static,
        S: Stream<Item = T> + Send + 'static,
    {
        let guide = self.0.troubleshooting();
        let linked = move |mut event: T| {
            convert::link(event.diagnostics(), guide);
            Ok(event)
        };
        let begun = contain(begin).await.unwrap_or_else(|panic| Err(server::crash(procedure, &panic)));
        let unless = move |panic: String| T::failed(server::crash(procedure, &panic));
        let events: Events<T> = match begun {
            Ok(events) => Box::pin(contain_each(events).map(move |event| linked(event.unwrap_or_else(unless)))),
            Err(error) => Box::pin(tokio_stream::once(linked(T::failed(error)))),
        };
        Ok(Response::new(events))
    }

    /// Validates the configuration of one of the provider's types.
    async fn validated<T: Described + ?Sized>(
        &self,
        rpc: &str,
        of: &T,
        config: Option<proto::DynamicValue>,
    ) -> Result<Vec<proto::Diagnostic>, Diagnostic> {
        let config = convert::value(config, of.ty())?;
        Ok(convert::diagnostics(self.0.validate(rpc, of, config).await))
    }
}

/// The signatures of all functions by name.
fn functions<P: Provider>(server: &Server<P>) -> HashMap<String, proto::Function> {
    server.functions.iter().map(|(name, each)| (name, convert::function(&each.signature()))).collect()
}

#[tonic::async_trait]
impl<P: Provider> provider_server::Provider for Service<P> {
    // Metadata and schemas.

    async fn get_metadata(&self, _: Request<get_metadata::Request>) -> Answer<get_metadata::Response> {
        use get_metadata::{
            ActionMetadata, DataSourceMetadata, FunctionMetadata, ListResourceMetadata, ResourceMetadata,
        };
        let Server { resources, data_sources, functions, list_resources, actions, .. } = &*self.0;
        Ok(Response::new(get_metadata::Response {
            server_capabilities: Some(convert::CAPABILITIES),
            resources: resources.names().map(|type_name| ResourceMetadata { type_name }).collect(),
            data_sources: data_sources.names().map(|type_name| DataSourceMetadata { type_name }).collect(),
            functions: functions.names().map(|name| FunctionMetadata { name }).collect(),
            list_resources: list_resources.names().map(|type_name| ListResourceMetadata { type_name }).collect(),
            actions: actions.names().map(|type_name| ActionMetadata { type_name }).collect(),
            ..get_metadata::Response::default()
        }))
    }

    async fn get_provider_schema(
        &self,
        _: Request<get_provider_schema::Request>,
    ) -> Answer<get_provider_schema::Response> {
        let action = |(name, schema)| (name, proto::ActionSchema { schema: Some(schema) });
        Ok(Response::new(get_provider_schema::Response {
            provider: Some(convert::schema(self.0.schema())),
            resource_schemas: schemas(&self.0.resources),
            data_source_schemas: schemas(&self.0.data_sources),
            functions: functions(&self.0),
            list_resource_schemas: schemas(&self.0.list_resources),
            action_schemas: schemas(&self.0.actions).into_iter().map(action).collect(),
            server_capabilities: Some(convert::CAPABILITIES),
            ..get_provider_schema::Response::default()
        }))
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<get_resource_identity_schemas::Request>,
    ) -> Answer<get_resource_identity_schemas::Response> {
        let schemas = self
            .0
            .resources
            .iter()
            .filter_map(|(name, resource)| Some((name, convert::identity_schema(resource.identity_schema())?)));
        Ok(Response::new(get_resource_identity_schemas::Response {
            identity_schemas: schemas.collect(),
            diagnostics: Vec::new(),
        }))
    }

    // The provider's configuration.

    async fn validate_provider_config(
        &self,
        request: Request<validate_provider_config::Request>,
    ) -> Answer<validate_provider_config::Response> {
        self.answer("ValidateProviderConfig", async {
            let config = convert::value(request.into_inner().config, &self.0.schema().block.ty())?;
            let diagnostics = convert::diagnostics(self.0.validate_provider(config).await);
            Ok(validate_provider_config::Response { diagnostics })
        })
        .await
    }

    async fn configure_provider(
        &self,
        request: Request<configure_provider::Request>,
    ) -> Answer<configure_provider::Response> {
        let request = request.into_inner();
        self.answer("ConfigureProvider", async {
            let config = convert::value(request.config, &self.0.schema().block.ty())?;
            let diagnostics = self.0.configure(config, &request.terraform_version).await;
            Ok(configure_provider::Response { diagnostics: convert::diagnostics(diagnostics) })
        })
        .await
    }

    // Other configurations.

    async fn validate_resource_config(
        &self,
        request: Request<validate_resource_config::Request>,
    ) -> Answer<validate_resource_config::Response> {
        let request = request.into_inner();
        self.answer("ValidateResourceConfig", async {
            let of = self.0.resources.get(&request.type_name)?;
            let diagnostics = self.validated("ValidateResourceConfig", of, request.config).await?;
            Ok(validate_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<validate_data_resource_config::Request>,
    ) -> Answer<validate_data_resource_config::Response> {
        let request = request.into_inner();
        self.answer("ValidateDataResourceConfig", async {
            let of = self.0.data_sources.get(&request.type_name)?;
            let diagnostics = self.validated("ValidateDataResourceConfig", of, request.config).await?;
            Ok(validate_data_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn validate_ephemeral_resource_config(
        &self,
        _: Request<validate_ephemeral_resource_config::Request>,
    ) -> Answer<validate_ephemeral_resource_config::Response> {
        not_implemented()
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<validate_list_resource_config::Request>,
    ) -> Answer<validate_list_resource_config::Response> {
        let request = request.into_inner();
        self.answer("ValidateListResourceConfig", async {
            let of = self.0.list_resources.get(&request.type_name)?;
            let diagnostics = self.validated("ValidateListResourceConfig", of, request.config).await?;
            Ok(validate_list_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn validate_state_store_config(
        &self,
        _: Request<validate_state_store_config::Request>,
    ) -> Answer<validate_state_store_config::Response> {
        not_implemented()
    }

    async fn validate_action_config(
        &self,
        request: Request<validate_action_config::Request>,
    ) -> Answer<validate_action_config::Response> {
        let request = request.into_inner();
        self.answer("ValidateActionConfig", async {
            let of = self.0.actions.get(&request.action_type)?;
            let diagnostics = self.validated("ValidateActionConfig", of, request.config).await?;
            Ok(validate_action_config::Response { diagnostics })
        })
        .await
    }

    // Managed resources.

    async fn upgrade_resource_state(
        &self,
        request: Request<upgrade_resource_state::Request>,
    ) -> Answer<upgrade_resource_state::Response> {
        let request = request.into_inner();
        self.answer("UpgradeResourceState", async {
            let resource = self.0.resources.get(&request.type_name)?;
            let stored = convert::stored(request.raw_state)?;
            let (state, diagnostics) = self.0.upgrade_resource(resource, request.version, &stored).await;
            Ok(upgrade_resource_state::Response {
                upgraded_state: convert::field(&state, resource.ty()),
                diagnostics: convert::diagnostics(diagnostics),
            })
        })
        .await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<upgrade_resource_identity::Request>,
    ) -> Answer<upgrade_resource_identity::Response> {
        let request = request.into_inner();
        self.answer("UpgradeResourceIdentity", async {
            let resource = self.0.resources.get(&request.type_name)?;
            let stored = convert::stored(request.raw_identity)?;
            let (identity, diagnostics) = self.0.upgrade_identity(resource, &stored).await;
            // OpenTofu requires data, even if null.
            let identity_data = convert::field(&identity, resource.identity_schema().ty());
            Ok(upgrade_resource_identity::Response {
                upgraded_identity: Some(proto::ResourceIdentityData { identity_data }),
                diagnostics: convert::diagnostics(diagnostics),
            })
        })
        .await
    }

    async fn read_resource(&self, request: Request<read_resource::Request>) -> Answer<read_resource::Response> {
        let request = request.into_inner();
        self.answer("ReadResource", async {
            let resource = self.0.resources.get(&request.type_name)?;
            let state = convert::value(request.current_state, resource.ty())?;
            let identity = convert::identity(request.current_identity, resource.identity_schema())?;
            let outcome = self.0.read(resource, state, identity, request.private).await;
            let Fields { state, identity, private, diagnostics } = convert::outcome(resource, outcome);
            Ok(read_resource::Response {
                new_state: state,
                diagnostics,
                private,
                deferred: None,
                new_identity: identity,
            })
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<plan_resource_change::Request>,
    ) -> Answer<plan_resource_change::Response> {
        let request = request.into_inner();
        self.answer("PlanResourceChange", async {
            let resource = self.0.resources.get(&request.type_name)?;
            let ty = resource.ty();
            let change = convert::change(ty, request.prior_state, request.config, request.prior_private)?;
            let planned = self.0.plan(resource, change).await;
            Ok(convert::planned(resource, planned))
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<apply_resource_change::Request>,
    ) -> Answer<apply_resource_change::Response> {
        let request = request.into_inner();
        self.answer("ApplyResourceChange", async {
            let resource = self.0.resources.get(&request.type_name)?;
            let ty = resource.ty();
            let change = convert::change(ty, request.prior_state, request.config, request.planned_private)?;
            let planned = convert::value(request.planned_state, ty)?;
            let identity = convert::identity(request.planned_identity, resource.identity_schema())?;
            let outcome = self.0.apply(resource, change, planned, identity).await;
            let Fields { state: new_state, identity: new_identity, private, diagnostics } =
                convert::outcome(resource, outcome);
            Ok(apply_resource_change::Response {
                new_state,
                private,
                diagnostics,
                legacy_type_system: false,
                new_identity,
            })
        })
        .await
    }

    async fn import_resource_state(
        &self,
        request: Request<import_resource_state::Request>,
    ) -> Answer<import_resource_state::Response> {
        let request = request.into_inner();
        self.answer("ImportResourceState", async {
            let resource = self.0.resources.get(&request.type_name)?;
            let identity = convert::identity(request.identity, resource.identity_schema())?;
            let outcome = self.0.import(resource, ImportTarget::new(request.id, identity)).await;
            let found = !outcome.state.is_null();
            let Fields { state, identity, private, diagnostics } = convert::outcome(resource, outcome);
            let imported = ImportedResource { type_name: request.type_name, state, private, identity };
            let imported_resources = if found { vec![imported] } else { Vec::new() };
            Ok(import_resource_state::Response { imported_resources, diagnostics, deferred: None })
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<move_resource_state::Request>,
    ) -> Answer<move_resource_state::Response> {
        let request = request.into_inner();
        self.answer("MoveResourceState", async {
            let resource = self.0.resources.get(&request.target_type_name)?;
            let source = convert::source(request)?;
            let outcome = self.0.move_state(resource, &source).await;
            let Fields { state, identity, private, diagnostics } = convert::outcome(resource, outcome);
            Ok(move_resource_state::Response {
                target_state: state,
                diagnostics,
                target_private: private,
                target_identity: identity,
            })
        })
        .await
    }

    async fn generate_resource_config(
        &self,
        request: Request<generate_resource_config::Request>,
    ) -> Answer<generate_resource_config::Response> {
        let request = request.into_inner();
        self.answer("GenerateResourceConfig", async {
            let resource = self.0.resources.get(&request.type_name)?;
            let state = convert::value(request.state, resource.ty())?;
            let (config, diagnostics) = self.0.configuration(resource, state).await;
            let (config, diagnostics) = (convert::field(&config, resource.ty()), convert::diagnostics(diagnostics));
            Ok(generate_resource_config::Response { config, diagnostics })
        })
        .await
    }

    // Data sources.

    async fn read_data_source(
        &self,
        request: Request<read_data_source::Request>,
    ) -> Answer<read_data_source::Response> {
        let request = request.into_inner();
        self.answer("ReadDataSource", async {
            let source = self.0.data_sources.get(&request.type_name)?;
            let config = convert::value(request.config, source.ty())?;
            let (data, diagnostics) = self.0.read_data(source, config).await;
            let (state, diagnostics) = (convert::field(&data, source.ty()), convert::diagnostics(diagnostics));
            Ok(read_data_source::Response { state, diagnostics, deferred: None })
        })
        .await
    }

    // Ephemeral resources.

    async fn open_ephemeral_resource(
        &self,
        _: Request<open_ephemeral_resource::Request>,
    ) -> Answer<open_ephemeral_resource::Response> {
        not_implemented()
    }

    async fn renew_ephemeral_resource(
        &self,
        _: Request<renew_ephemeral_resource::Request>,
    ) -> Answer<renew_ephemeral_resource::Response> {
        not_implemented()
    }

    async fn close_ephemeral_resource(
        &self,
        _: Request<close_ephemeral_resource::Request>,
    ) -> Answer<close_ephemeral_resource::Response> {
        not_implemented()
    }

    // List resources.

    type ListResourceStream = Events<list_resource::Event>;

    async fn list_resource(&self, request: Request<list_resource::Request>) -> Answer<Self::ListResourceStream> {
        let request = request.into_inner();
        self.events("ListResource", async {
            let list = self.0.list_resources.share(&request.type_name)?;
            let config = convert::value(request.config, list.ty())?;
            let listed = self.0.list(Arc::clone(&list), config, request.include_resource_object, request.limit);
            Ok(listed.map(move |listed| convert::listed(list.resource(), listed, request.include_resource_object)))
        })
        .await
    }

    // Functions.

    async fn get_functions(&self, _: Request<get_functions::Request>) -> Answer<get_functions::Response> {
        Ok(Response::new(get_functions::Response { functions: functions(&self.0), diagnostics: Vec::new() }))
    }

    async fn call_function(&self, request: Request<call_function::Request>) -> Answer<call_function::Response> {
        let request = request.into_inner();
        self.answer("CallFunction", async {
            let function = self.0.functions.get(&request.name)?;
            let signature = function.signature();
            let result = match convert::arguments(&signature, request.arguments) {
                Ok(arguments) => self.0.call(function, arguments).await,
                Err(error) => Err(error),
            };
            Ok(convert::called(result, &signature.returns))
        })
        .await
    }

    // State stores.

    async fn configure_state_store(
        &self,
        _: Request<configure_state_store::Request>,
    ) -> Answer<configure_state_store::Response> {
        not_implemented()
    }

    type ReadStateBytesStream = Empty<Result<read_state_bytes::ResponseChunk, Status>>;

    async fn read_state_bytes(&self, _: Request<read_state_bytes::Request>) -> Answer<Self::ReadStateBytesStream> {
        not_implemented()
    }

    async fn write_state_bytes(
        &self,
        _: Request<Streaming<write_state_bytes::RequestChunk>>,
    ) -> Answer<write_state_bytes::Response> {
        not_implemented()
    }

    async fn lock_state(&self, _: Request<lock_state::Request>) -> Answer<lock_state::Response> {
        not_implemented()
    }

    async fn unlock_state(&self, _: Request<unlock_state::Request>) -> Answer<unlock_state::Response> {
        not_implemented()
    }

    async fn get_states(&self, _: Request<get_states::Request>) -> Answer<get_states::Response> {
        not_implemented()
    }

    async fn delete_state(&self, _: Request<delete_state::Request>) -> Answer<delete_state::Response> {
        not_implemented()
    }

    // Actions.

    async fn plan_action(&self, request: Request<plan_action::Request>) -> Answer<plan_action::Response> {
        let request = request.into_inner();
        self.answer("PlanAction", async {
            let action = self.0.actions.get(&request.action_type)?;
            let config = convert::value(request.config, action.ty())?;
            let diagnostics = convert::diagnostics(self.0.plan_action(action, config).await);
            Ok(plan_action::Response { diagnostics, deferred: None })
        })
        .await
    }

    type InvokeActionStream = Events<invoke_action::Event>;

    async fn invoke_action(&self, request: Request<invoke_action::Request>) -> Answer<Self::InvokeActionStream> {
        let request = request.into_inner();
        self.events("InvokeAction", async {
            let action = self.0.actions.share(&request.action_type)?;
            let config = convert::value(request.config, action.ty())?;
            Ok(self.0.invoke(action, config).map(convert::action_event))
        })
        .await
    }

    // Stopping.

    async fn stop_provider(&self, _: Request<stop_provider::Request>) -> Answer<stop_provider::Response> {
        self.0.stop();
        Ok(Response::new(stop_provider::Response::default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_decoding_is_an_answer() {
        let panicking = async { panic!("while reading") };
        let answer: read_resource::Response = answered("ReadResource", panicking).await;
        assert_eq!(answer.new_state, None);
        assert!(answer.diagnostics[0].detail.starts_with("ReadResource ended early: while reading."));
    }
}
