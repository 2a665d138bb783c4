//! What the provider itself spends on one object: `cargo bench`. The engine, the wire and Azure are left out.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use foundryhub::{
    arm::ArmId,
    framework::{Value, server::Provider as _},
    plugin,
    provider::Provider,
    wire::{self, msgpack},
};
use protocol::{DynamicValue, get_provider_schema, plan_resource_change, provider_client::ProviderClient};
use tonic::service::Routes;

/// The provider protocol's messages and client.
mod protocol {
    #![expect(unreachable_pub, reason = "generated code")]
    #![allow(dead_code, reason = "messages that are not sent here")]

    include!(concat!(env!("OUT_DIR"), "/client/tfplugin6.rs"));
}

const TYPE: &str = "foundryhub_role_assignment";
const ACCOUNT: &str = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-ai/providers/Microsoft.Storage/storageAccounts/contosodata";

fn client() -> ProviderClient<Routes> {
    ProviderClient::new(wire::routes(Provider::new(|_| None)))
}

/// The configuration of a role assignment of the principal with this number, and its type.
fn assignment(number: u64) -> (Value, foundryhub::framework::Type) {
    let resources = Provider::new(|_| None).resources();
    let resource = resources.iter().find(|resource| resource.name() == TYPE).expect("the type");
    let Value::Map(mut config) = resource.schema().block.null_object() else { unreachable!("a block is an object") };
    let set = [
        ("storage_account_id", ACCOUNT),
        ("principal_id", &*format!("aaaaaaaa-0000-4000-8000-{number:012}")),
        ("principal_type", "User"),
        ("role_definition_name", "Storage Blob Data Reader"),
    ];
    config.extend(set.map(|(name, value)| (name.into(), value.into())));
    (Value::Map(config), resource.ty().clone())
}

fn ids(criterion: &mut Criterion) {
    criterion.bench_function("id: parse", |bench| bench.iter(|| ArmId::parse(black_box(ACCOUNT))));
    let (one, other) = (ArmId::parse(ACCOUNT).expect("an id"), ArmId::parse(&ACCOUNT.to_uppercase()).expect("an id"));
    criterion.bench_function("id: compare", |bench| bench.iter(|| black_box(&one) == black_box(&other)));
}

fn values(criterion: &mut Criterion) {
    let (config, ty) = assignment(1);
    let bytes = msgpack::encode(&config, &ty);
    criterion.bench_function("value: decode", |bench| bench.iter(|| msgpack::decode(black_box(&bytes), &ty)));
    criterion.bench_function("value: encode", |bench| bench.iter(|| msgpack::encode(black_box(&config), &ty)));
}

fn calls(criterion: &mut Criterion) {
    let runtime = plugin::runtime().expect("a runtime");
    let client = client();
    criterion.bench_function("call: GetProviderSchema", |bench| {
        bench.to_async(&runtime).iter(|| {
            let mut client = client.clone();
            async move { client.get_provider_schema(get_provider_schema::Request {}).await.expect("an answer") }
        });
    });
    let mut number = 0;
    // Two resources that assign the same role are refused.
    let mut request = || {
        number += 1;
        let (config, ty) = assignment(number);
        let value = |value: &Value| Some(DynamicValue { msgpack: msgpack::encode(value, &ty), json: Vec::new() });
        plan_resource_change::Request {
            type_name: TYPE.to_owned(),
            prior_state: value(&Value::Null),
            proposed_new_state: value(&config),
            config: value(&config),
            ..Default::default()
        }
    };
    criterion.bench_function("call: PlanResourceChange of a role assignment", |bench| {
        let plan = |request| {
            let mut client = client.clone();
            async move {
                let answer = client.plan_resource_change(request).await.expect("an answer").into_inner();
                assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
                answer
            }
        };
        bench.to_async(&runtime).iter_batched(&mut request, plan, BatchSize::SmallInput);
    });
}

criterion_group!(benches, ids, values, calls);
criterion_main!(benches);
