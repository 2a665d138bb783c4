//! Faults at random: which request goes wrong, and how, follows from a seed.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use axum::http::Method;
use uuid::Uuid;

use super::super::http::Request;
use super::Rule;

/// How many of a hundred requests go wrong, and by which seed. Written as `SEED/PERCENT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RandomFaults {
    seed: u64,
    percent: u8,
}

/// Which requests a fault is drawn for.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// All, those that sign in included.
    All,
    /// Those to Azure Resource Manager.
    Arm,
    /// Its GETs.
    Reads,
    /// Its GETs of lists.
    Lists,
    /// What changes something in it.
    Writes,
    /// What changes a workspace.
    HubWrites,
    /// What changes a storage account.
    AccountWrites,
}

/// The faults, as rules write them, each with how often it is drawn beside the others of its request. What a client can
/// repeat is frequent. What ends its work is rare among reads: of a plan, which reads everything, one such fault is the end.
#[rustfmt::skip]
const FAULTS: &[(Of, u32, &str)] = &[
    (Of::All, 240, "408 RequestTimeout"),
    (Of::All, 16, "429 TooManyRequests retry-after=1"),
    (Of::All, 16, "429 TooManyRequests retry-at=2"),
    (Of::All, 400, "500 InternalServerError"),
    (Of::All, 240, "502 body=html"),
    (Of::All, 240, "503 ServerBusy"),
    (Of::All, 160, "503 ServiceUnavailable retry-after=1"),
    (Of::All, 240, "504 GatewayTimeout"),
    (Of::All, 360, "reset"),
    (Of::All, 360, "reset-late"),
    (Of::All, 120, "reset delay=2s"),
    (Of::All, 120, "reset-late delay=2s"),
    (Of::All, 80, "slow delay=2s"),
    (Of::All, 120, "stall delay=2s"),
    (Of::All, 240, "truncate"),
    (Of::All, 240, "plain"),
    (Of::All, 12, "close"),
    (Of::All, 12, "lose"),
    (Of::All, 6, "refuse delay=1s"),
    (Of::Arm, 160, "401 ExpiredAuthenticationToken"),
    (Of::Arm, 40, "challenge"),
    (Of::Reads, 1, "empty"),
    (Of::Reads, 1, "200 body=html"),
    (Of::Reads, 1, "404 body=html"),
    (Of::Reads, 1, "404 TenantNotFound"),
    (Of::Reads, 1, "404 EndpointNotFound"),
    (Of::Reads, 1, "redirect"),
    (Of::Reads, 1, "huge"),
    (Of::Lists, 2, "loop"),
    (Of::Lists, 2, "astray"),
    (Of::Writes, 80, "empty"),
    (Of::Writes, 40, "200 body=html"),
    (Of::Writes, 40, "404 body=html"),
    (Of::Writes, 40, "404 EndpointNotFound"),
    (Of::Writes, 40, "redirect"),
    (Of::Writes, 12, "huge"),
    (Of::HubWrites, 400, "409 Conflict retry-after=1"),
    (Of::HubWrites, 240, "fail-operation InternalServerError"),
    (Of::HubWrites, 240, "cancel-operation"),
    (Of::HubWrites, 240, "lose-operation"),
    (Of::HubWrites, 240, "astray"),
    (Of::AccountWrites, 400, "409 StorageAccountOperationInProgress"),
];

impl RandomFaults {
    pub(crate) fn new(seed: u64, percent: u8) -> Self {
        Self { seed, percent }
    }
}

impl FromStr for RandomFaults {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(seed, percent)| Some((seed.parse().ok()?, percent.parse().ok()?)));
        match parts {
            Some((seed, percent @ 0..=100)) => Ok(Self { seed, percent }),
            _ => Err(format!("{text:?} is not SEED/PERCENT")),
        }
    }
}

impl Of {
    fn has(self, request: &Request) -> bool {
        let path = request.path().to_ascii_lowercase();
        let below = |kind: &str| path.rsplit_once(kind).is_some_and(|(_, name)| !name.contains('/'));
        let (is_arm, is_read) = (path.starts_with("/subscriptions/"), request.method == Method::GET);
        match self {
            Self::All => is_arm || path.ends_with("/token"),
            Self::Arm => is_arm,
            Self::Reads => is_arm && is_read,
            Self::Lists => is_arm && is_read && is_collection(&path),
            Self::Writes => is_arm && matches!(request.method, Method::PUT | Method::PATCH | Method::DELETE),
            Self::HubWrites => Self::Writes.has(request) && below("/workspaces/"),
            Self::AccountWrites => Self::Writes.has(request) && below("/storageaccounts/"),
        }
    }
}

/// Whether a path ends with a type, and not with a name.
fn is_collection(path: &str) -> bool {
    let (_, rest) = path.rsplit_once("/providers/").unwrap_or_default();
    // A namespace, and then types and names in turn.
    rest.split('/').count() % 2 == 0
}

/// How often in a row the same thing goes wrong at most, so that waits between repeats stay short.
const IN_A_ROW: u32 = 2;

/// What was drawn so far.
#[derive(Debug, Default)]
pub(crate) struct Draws {
    /// How often each thing was asked for, and how often in a row it went wrong last.
    asked: HashMap<String, (u64, u32)>,
    drawn: BTreeMap<&'static str, u64>,
}

impl Draws {
    /// The fault of a request, if it is to have one. That is decided by the seed, by what is asked for, and by how often
    /// it was asked for before, so that the order of requests for different things makes no difference.
    pub(super) fn draw(&mut self, RandomFaults { seed, percent }: RandomFaults, request: &Request) -> Option<Rule> {
        if !Of::All.has(request) {
            return None;
        }
        let path = request.path().to_ascii_lowercase();
        // Operations have other ids in every run.
        let path = path.split_once("/workspaceoperationsstatus/").map_or(path.as_str(), |(before, _)| before);
        let asked = format!("{} {path}", request.method);
        let (times, in_a_row) = self.asked.entry(asked.clone()).or_default();
        *times += 1;
        let chance = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{seed} {asked} {times}").as_bytes()).as_u128();
        if chance % 100 >= u128::from(percent) || *in_a_row == IN_A_ROW {
            *in_a_row = 0;
            return None;
        }
        *in_a_row += 1;
        let all = || FAULTS.iter().filter(|(of, ..)| of.has(request));
        let mut at = chance / 100 % u128::from(all().map(|(_, weight, _)| weight).sum::<u32>());
        for (_, weight, fault) in all() {
            let Some(left) = at.checked_sub(u128::from(*weight)) else {
                *self.drawn.entry(fault).or_default() += 1;
                return Some(format!("* * -> {fault}").parse().expect("the table has rules"));
            };
            at = left;
        }
        None
    }

    pub(super) fn drawn(&self) -> &BTreeMap<&'static str, u64> {
        &self.drawn
    }
}
