//! Calls that engines do not make: of rpcs that the provider does not serve, and with messages that cannot be decoded.

use std::fs;

use foundryhub::{
    framework::{Value, json},
    wire::msgpack,
};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use prost::bytes::{Buf as _, BufMut as _};
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

use crate::support::{
    core::Session,
    echo,
    plugin::{Plugin, within},
    tfplugin6::{
        self as proto, DynamicValue, apply_resource_change, diagnostic::Severity, get_metadata, get_provider_schema,
        plan_resource_change, read_resource, upgrade_resource_state, validate_resource_config,
    },
};

/// Rpcs about kinds that no schema of this provider has, so that engines do not call them.
const WITHOUT_USE: [&str; 11] = [
    "CloseEphemeralResource",
    "ConfigureStateStore",
    "DeleteState",
    "GetStates",
    "LockState",
    "OpenEphemeralResource",
    "ReadStateBytes",
    "RenewEphemeralResource",
    "UnlockState",
    "ValidateEphemeralResourceConfig",
    "ValidateStateStoreConfig",
];

#[tokio::test]
async fn every_rpc_is_answered() {
    let session = echo::session().await;
    for procedure in procedures() {
        let answer = call(&session, &procedure, Vec::new()).await;
        let expected = WITHOUT_USE.contains(&procedure.as_str()) || procedure == "WriteStateBytes";
        match answer {
            Ok(_) => assert!(!expected, "{procedure} has a use now"),
            Err(status) => {
                assert_eq!((status.code(), expected), (Code::Unimplemented, true), "{procedure}: {status}");
            }
        }
    }
    session.end().await;
}

/// So that engines call none of the procedures above.
#[tokio::test]
async fn no_provider_has_ephemeral_resources_or_state_stores() {
    for session in [echo::session().await, Session::start(Plugin::launch()).await] {
        let schema = session.client().get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
        assert!(!schema.resource_schemas.is_empty());
        assert!(schema.ephemeral_resource_schemas.is_empty() && schema.state_store_schemas.is_empty());
        let metadata = session.client().get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
        assert!(metadata.ephemeral_resources.is_empty() && metadata.state_stores.is_empty());
        session.end().await;
    }
}

#[tokio::test]
async fn no_message_ends_the_process_or_goes_unanswered() {
    let session = echo::session().await;
    let mut runner =
        TestRunner::new_with_rng(ProptestConfig::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let noise = prop::collection::vec(any::<u8>(), 0..120);
    let mut sample = || noise.new_tree(&mut runner).unwrap().current();
    // Random bytes as the message: what cannot be decoded is refused by the gRPC library.
    for procedure in procedures() {
        for _ in 0..20 {
            let _ = call(&session, &procedure, sample()).await;
        }
    }
    // A message that can be decoded, with values in it that mostly cannot: every answer has an error for those.
    let catalog = session.catalog().await;
    let mut unreadable = 0;
    for type_name in ["echo_value", "echo_thing"] {
        let block = &catalog.resource(type_name).block;
        let ty = block.ty();
        let null = Value::object(block.attributes.keys().map(|name| (name.clone(), Value::Null)));
        let valid = msgpack::encode(&null, &ty);
        for _ in 0..100 {
            let value = damaged(&valid, &sample());
            // An empty message is null.
            let refused = !value.msgpack.is_empty() && msgpack::decode(&value.msgpack, &ty).is_err();
            unreadable += u32::from(refused);
            for (procedure, diagnostics) in answers(&session, type_name, value, sample()).await {
                assert!(!refused || says_unreadable(&diagnostics), "{procedure}: {diagnostics:?}");
            }
            let text = sample();
            let refused = json::decode(&text, &ty).is_err();
            let diagnostics = upgraded(&session, type_name, 2, text).await.diagnostics;
            assert!(!refused || says_unreadable(&diagnostics), "UpgradeResourceState: {diagnostics:?}");
        }
    }
    assert!(unreadable > 100, "too little of the damage does any: {unreadable}");
    // Nested deeper than a recursive decoder can decode.
    let json = format!("{{\"string\": {}null{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = upgraded(&session, "echo_value", 0, json.into_bytes()).await;
    assert_eq!(answer.diagnostics[0].summary, "The state cannot be read");
    session.catalog().await;
    session.end().await;
}

/// The diagnostics of each rpc that takes an object, called with this value in every place.
pub(super) async fn answers(
    session: &Session,
    type_name: &str,
    value: DynamicValue,
    private: Vec<u8>,
) -> [(&'static str, Vec<proto::Diagnostic>); 4] {
    let (type_name, value) = (|| type_name.to_owned(), || Some(value.clone()));
    let validate =
        validate_resource_config::Request { type_name: type_name(), config: value(), client_capabilities: None };
    let read = read_resource::Request {
        type_name: type_name(),
        current_state: value(),
        private: private.clone(),
        ..Default::default()
    };
    let plan = plan_resource_change::Request {
        type_name: type_name(),
        prior_state: value(),
        proposed_new_state: value(),
        config: value(),
        prior_private: private.clone(),
        ..Default::default()
    };
    let apply = apply_resource_change::Request {
        type_name: type_name(),
        prior_state: value(),
        planned_state: value(),
        config: value(),
        planned_private: private,
        ..Default::default()
    };
    let mut client = session.client();
    [
        ("ValidateResourceConfig", client.validate_resource_config(validate).await.unwrap().into_inner().diagnostics),
        ("ReadResource", client.read_resource(read).await.unwrap().into_inner().diagnostics),
        ("PlanResourceChange", client.plan_resource_change(plan).await.unwrap().into_inner().diagnostics),
        ("ApplyResourceChange", client.apply_resource_change(apply).await.unwrap().into_inner().diagnostics),
    ]
}

pub(super) async fn upgraded(
    session: &Session,
    type_name: &str,
    version: i64,
    json: Vec<u8>,
) -> upgrade_resource_state::Response {
    let request = upgrade_resource_state::Request {
        type_name: type_name.to_owned(),
        version,
        raw_state: Some(proto::RawState { json, ..Default::default() }),
    };
    session.client().upgrade_resource_state(request).await.unwrap().into_inner()
}

pub(super) fn says_unreadable(diagnostics: &[proto::Diagnostic]) -> bool {
    let summaries = ["The provider cannot read a value", "The state cannot be read"];
    matches!(diagnostics, [only] if only.severity() == Severity::Error && summaries.contains(&only.summary.as_str()))
}

/// Valid bytes with some of them replaced, or cut short.
fn damaged(valid: &[u8], noise: &[u8]) -> DynamicValue {
    let mut msgpack = valid.to_vec();
    for pair in noise.chunks(2).take(3) {
        let position = pair[0] as usize * msgpack.len() / 256;
        msgpack[position] = *pair.last().unwrap();
    }
    if noise.len().is_multiple_of(3) {
        msgpack.truncate(noise.len() * 2);
    }
    DynamicValue { msgpack, json: Vec::new() }
}

/// The names of all rpcs of the protocol.
pub(super) fn procedures() -> Vec<String> {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tfplugin6.tsv");
    let table = fs::read_to_string(table).unwrap();
    let names: Vec<_> =
        table.lines().filter_map(|line| line.strip_prefix("rpc\ttfplugin6.Provider.")?.split('\t').next()).collect();
    assert!(names.len() > 30);
    names.into_iter().map(str::to_owned).collect()
}

/// Calls an rpc with these bytes as its message; returns those of the first answer.
pub(super) async fn call(session: &Session, procedure: &str, message: Vec<u8>) -> Result<Vec<u8>, Status> {
    let mut client: Grpc<Channel> = Grpc::new(session.channel());
    client.ready().await.unwrap();
    let path: PathAndQuery = format!("/tfplugin6.Provider/{procedure}").parse().unwrap();
    let answer = within(procedure, client.server_streaming(tonic::Request::new(message), path, Bytes)).await;
    let mut answers = answer?.into_inner();
    Ok(within(procedure, answers.message()).await?.unwrap_or_default())
}

/// A codec that passes the bytes of messages on without decoding them.
#[derive(Debug, Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(length).to_vec()))
    }
}
