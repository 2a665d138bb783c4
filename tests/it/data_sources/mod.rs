//! The data sources, over the protocol against the emulator.

mod hub;
mod hubs;
mod storage_access;
mod storage_key_usage;

use std::time::{Duration, Instant};

use foundryhub::framework::Value as Decoded;
use serde_json::{Value, json};

use crate::azure::{Options, Record};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};
use crate::support::{bed::Bed, core::Session, plugin::Plugin};

/// A subscription besides the default one.
const ELSEWHERE: &str = "eeeeeeee-0000-4000-8000-000000000001";

async fn bed() -> Bed {
    bed_with(|_| {}).await
}

async fn bed_with(change: impl FnOnce(&mut Options)) -> Bed {
    Bed::new("none", short, change).await
}

/// What a request was for: the place and what is listed there, or the name of what is read.
fn short(request: &Record) -> String {
    let (place, rest) = request.path.split_once("/providers/").unwrap_or((&request.path, ""));
    let place = place.rsplit('/').next().unwrap_or_default();
    match rest.split('/').collect::<Vec<_>>()[..] {
        [_, kind] => format!("{} {kind} of {place}", request.method),
        [.., name] => format!("{} {name}", request.method),
        [] => format!("{} {}", request.method, request.path),
    }
}

/// A hub of this name in a group, on an account of the same name with `hub` replaced by `sa`, which accepts keys or not.
fn seed(bed: &Bed, group: &str, name: &str, mode: &str, keys: bool) -> String {
    let account = bed.emulator.id(group, ACCOUNTS, &name.replace("hub", "sa"));
    bed.emulator.seed_storage_account(&account, json!({ "allowSharedKeyAccess": keys }));
    let hub = bed.emulator.id(group, WORKSPACES, name);
    bed.emulator.seed_hub(&hub, &account, json!({ "systemDatastoresAuthMode": mode }));
    hub
}

/// The GUID of the default subscription.
fn subscription(bed: &Bed) -> String {
    bed.subscription.rsplit('/').next().expect("a GUID").to_owned()
}

/// How many of the requests are these.
fn count(requests: &[String], wanted: &str) -> usize {
    requests.iter().filter(|request| *request == wanted).count()
}

/// One member of each object of a list.
fn each<'v>(list: &'v Value, member: &str) -> Vec<&'v Value> {
    list.as_array().expect("a list").iter().map(|object| &object[member]).collect()
}

/// A read that may take a second has ended because it was over, and not by the five minutes that there are by default.
fn assert_ended_after_a_second(began: Instant, detail: &str) {
    let (took, second) = (began.elapsed(), Duration::from_secs(1));
    assert!(took >= second && took < 20 * second, "{took:?}");
    assert!(detail.contains("out of time while"), "{detail}");
}

/// What another resource of the same apply has changed, on which the data source depends.
#[tokio::test]
async fn a_change_is_seen_by_the_next_read_of_the_same_process() {
    let bed = bed().await;
    let launch =
        bed.emulator.environment().into_iter().fold(Plugin::launch(), |launch, (name, value)| launch.env(name, value));
    let session = Session::start(launch).await;
    let catalog = session.catalog().await;
    let none = Decoded::object(catalog.provider.attributes.keys().map(|name| (name.clone(), Decoded::Null)));
    assert_eq!(session.configure(&catalog, &none, true).await.0, []);
    let read = async |name: &str, (argument, id): (&str, &str)| {
        let block = &catalog.data_sources[name];
        let members = block.attributes.keys().chain(block.blocks.keys());
        let config =
            members.map(|name| (name.clone(), if name == argument { Decoded::from(id) } else { Decoded::Null }));
        let (data, diagnostics) = session.read_data(name, block, &Decoded::object(config)).await;
        assert_eq!(diagnostics.0, []);
        data
    };
    let state = |hub: &Decoded| {
        let (mode, keys) = (hub.get("system_datastores_auth_mode"), hub.get("shared_access_key_enabled"));
        (mode.as_str().expect("a mode").to_owned(), *keys == Decoded::from(true))
    };
    let states = async || {
        let hubs = read("foundryhub_hubs", ("", "")).await;
        let Decoded::List(hubs) = hubs.get("hubs") else { panic!("no list") };
        let hub = read("foundryhub_hub", ("id", &bed.hub)).await;
        let access = read("foundryhub_storage_access", ("hub_id", &bed.hub)).await;
        [&hub, &access, &hubs[0]].map(state)
    };
    let verdict = async || {
        let usage = read("foundryhub_storage_key_usage", ("storage_account_id", &bed.account)).await;
        usage.get("total").get("verdict").as_str().expect("a verdict").to_owned()
    };
    assert_eq!(verdict().await, "none_seen");
    assert_eq!(states().await, ["accesskey"; 3].map(|mode| (mode.to_owned(), true)));
    bed.emulator.set_mode(&bed.hub, "identity");
    bed.emulator.set_shared_key_access(&bed.account, Some(false));
    assert_eq!(states().await, ["identity"; 3].map(|mode| (mode.to_owned(), false)));
    bed.emulator.seed("transactions: [{ account: sa1, service: blob, authentication: SAS, ago: 2h, count: 1 }]");
    assert_eq!(verdict().await, "possible");
    session.end().await;
}
