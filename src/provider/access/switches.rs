//! The hubs that this run takes off keys, and how far each one is. Hubs that share an account learn of each other here:
//! the account's keys may go off only when all of them sign in with identities.

use std::{collections::HashMap, collections::HashSet, time::Duration};

use tokio::sync::watch;

use crate::arm::ArmId;

/// How long to wait for hubs that share an account to begin. An engine starts what it does at the same time within
/// moments; what it has not started by then waits for something to end first.
const BEGINNING: Duration = Duration::from_secs(3);

/// How far a hub is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is planned to leave keys.
    Planned,
    /// Its apply has begun.
    Begun,
    /// It signs in with identities.
    Done,
    /// Its apply has ended before that.
    Failed,
}

/// The hubs of one run.
#[derive(Debug, Default)]
pub struct Switches(watch::Sender<Known>);

#[derive(Debug, Default)]
struct Known {
    stages: HashMap<ArmId, Stage>,
    /// The accounts whose hubs have been waited for and did not all begin.
    missed: HashSet<ArmId>,
}

/// A switch under way. Where it ends without the hub being done it has failed.
#[derive(Debug)]
pub struct Switch<'s> {
    switches: &'s Switches,
    hub: ArmId,
}

impl Drop for Switch<'_> {
    fn drop(&mut self) {
        self.switches.move_on(&self.hub, Stage::Failed);
    }
}

impl Switches {
    /// Notes in a plan that a hub is going to leave keys.
    pub fn plan(&self, hub: &ArmId) {
        self.0.send_modify(|known| _ = known.stages.entry(hub.clone()).or_insert(Stage::Planned));
    }

    /// Notes at the start of an apply that a hub is leaving keys.
    pub fn begin(&self, hub: &ArmId) -> Switch<'_> {
        self.0.send_modify(|known| _ = known.stages.insert(hub.clone(), Stage::Begun));
        Switch { switches: self, hub: hub.clone() }
    }

    /// Notes that a hub signs in with identities.
    pub fn done(&self, hub: &ArmId) {
        self.move_on(hub, Stage::Done);
    }

    /// How far a hub is, if this run is known to take it off keys.
    pub fn stage(&self, hub: &ArmId) -> Option<Stage> {
        self.0.borrow().stages.get(hub).copied()
    }

    /// Waits a few seconds for all of these hubs of an account to come to a stage that is `awaited`. One that has failed
    /// ends the wait, as it will not. Where that was in vain nobody waits for the account's hubs again.
    pub(super) async fn wait_to_begin(&self, account: &ArmId, hubs: &[ArmId], awaited: impl Fn(Stage) -> bool) {
        let over = |known: &Known| {
            let mut stages = hubs.iter().map(|hub| known.stages.get(hub).copied());
            known.missed.contains(account)
                || stages.clone().any(|stage| stage == Some(Stage::Failed))
                || stages.all(|stage| stage.is_some_and(&awaited))
        };
        let mut changes = self.0.subscribe();
        if tokio::time::timeout(BEGINNING, changes.wait_for(over)).await.is_err() {
            self.0.send_modify(|known| _ = known.missed.insert(account.clone()));
        }
    }

    /// Waits until none of these hubs is under way.
    pub(super) async fn wait_to_end(&self, hubs: &[ArmId]) {
        let is_under_way = |known: &Known, hub: &ArmId| known.stages.get(hub) == Some(&Stage::Begun);
        let mut changes = self.0.subscribe();
        // The sender lives as long as what is borrowed here.
        _ = changes.wait_for(|known| !hubs.iter().any(|hub| is_under_way(known, hub))).await;
    }

    /// Moves a hub on that has begun.
    fn move_on(&self, hub: &ArmId, to: Stage) {
        self.0.send_if_modified(|known| match known.stages.get_mut(hub) {
            Some(stage) if *stage == Stage::Begun => {
                *stage = to;
                true
            }
            _ => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    fn hub(name: &str) -> ArmId {
        let group = "/subscriptions/s/resourceGroups/r/providers";
        ArmId::parse(&format!("{group}/Microsoft.MachineLearningServices/workspaces/{name}")).unwrap()
    }

    fn account() -> ArmId {
        let group = "/subscriptions/s/resourceGroups/r/providers";
        ArmId::parse(&format!("{group}/Microsoft.Storage/storageAccounts/sa1")).unwrap()
    }

    fn begun(stage: Stage) -> bool {
        matches!(stage, Stage::Begun | Stage::Done)
    }

    #[test]
    fn a_switch_that_ends_before_the_hub_is_done_has_failed() {
        let switches = Switches::default();
        switches.done(&hub("hub1"));
        assert_eq!(switches.stage(&hub("hub1")), None);
        switches.plan(&hub("hub1"));
        assert_eq!(switches.stage(&hub("HUB1")), Some(Stage::Planned));
        let switch = switches.begin(&hub("hub1"));
        switches.plan(&hub("hub1"));
        assert_eq!(switches.stage(&hub("hub1")), Some(Stage::Begun));
        drop(switch);
        assert_eq!(switches.stage(&hub("hub1")), Some(Stage::Failed));
        let switch = switches.begin(&hub("hub1"));
        switches.done(&hub("hub1"));
        drop(switch);
        assert_eq!(switches.stage(&hub("hub1")), Some(Stage::Done));
    }

    #[tokio::test(start_paused = true)]
    async fn hubs_that_do_not_begin_are_waited_for_once() {
        let (switches, start) = (Switches::default(), Instant::now());
        switches.plan(&hub("hub2"));
        switches.wait_to_begin(&account(), &[hub("hub2")], begun).await;
        assert_eq!(start.elapsed(), BEGINNING);
        switches.wait_to_begin(&account(), &[hub("hub3")], begun).await;
        assert_eq!(start.elapsed(), BEGINNING);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_all_have_begun_or_one_has_failed() {
        let (switches, start) = (Switches::default(), Instant::now());
        let wait = async { switches.wait_to_begin(&account(), &[hub("hub2"), hub("hub3")], begun).await };
        let begin = async { (switches.begin(&hub("hub2")), switches.begin(&hub("hub3"))) };
        let ((), (second, third)) = futures_util::future::join(wait, begin).await;
        let wait = async { switches.wait_to_end(&[hub("hub2"), hub("hub3"), hub("hub4")]).await };
        let end = async {
            switches.done(&hub("hub2"));
            drop((second, third));
        };
        futures_util::future::join(wait, end).await;
        assert_eq!(switches.stage(&hub("hub3")), Some(Stage::Failed));
        switches.wait_to_begin(&account(), &[hub("hub3"), hub("hub4")], begun).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
