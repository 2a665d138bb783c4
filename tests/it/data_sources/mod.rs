//! The data sources, over the protocol against the emulator.

mod hub;
mod hubs;

use serde_json::{Value, json};

use crate::azure::{Options, Record};
use crate::emulator::client::{ACCOUNTS, WORKSPACES};
use crate::support::bed::Bed;

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
