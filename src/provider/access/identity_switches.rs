//! The hubs that this run switches to identity. Hubs that share an account wait for each other: shared keys of the account
//! may be disabled only when all of them use identity.

use std::{collections::HashMap, collections::HashSet, time::Duration};

use tokio::sync::watch;

use crate::arm::ArmId;

/// How long to wait for hubs that share an account to begin. Engines start what they run in parallel within moments; what
/// has not started by then waits for something to end first.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SwitchStage {
    /// A plan switches it.
    Planned,
    /// Its apply has begun.
    Begun,
    /// It uses identity.
    Done,
    /// Its apply has ended without that.
    Failed,
}

#[derive(Debug, Default)]
pub(crate) struct IdentitySwitches(watch::Sender<Known>);

#[derive(Debug, Default)]
struct Known {
    stages: HashMap<ArmId, SwitchStage>,
    /// The accounts whose hubs did not all begin in time.
    timed_out: HashSet<ArmId>,
}

/// The switch of one hub. It has failed if it is dropped before the hub is done.
#[derive(Debug)]
pub(crate) struct IdentitySwitch<'s> {
    switches: &'s IdentitySwitches,
    hub: ArmId,
}

impl Drop for IdentitySwitch<'_> {
    fn drop(&mut self) {
        self.switches.move_on(&self.hub, SwitchStage::Failed);
    }
}

impl IdentitySwitches {
    /// Notes in a plan that a hub will be switched.
    pub(crate) fn plan(&self, hub: &ArmId) {
        self.0.send_modify(|known| _ = known.stages.entry(hub.clone()).or_insert(SwitchStage::Planned));
    }

    /// Notes at the start of an apply that a hub is being switched.
    pub(crate) fn begin(&self, hub: &ArmId) -> IdentitySwitch<'_> {
        self.0.send_modify(|known| _ = known.stages.insert(hub.clone(), SwitchStage::Begun));
        IdentitySwitch { switches: self, hub: hub.clone() }
    }

    /// Notes that a hub uses identity.
    pub(crate) fn done(&self, hub: &ArmId) {
        self.move_on(hub, SwitchStage::Done);
    }

    /// The stage of a hub; `None` where this run is not known to switch it.
    pub(crate) fn stage(&self, hub: &ArmId) -> Option<SwitchStage> {
        self.0.borrow().stages.get(hub).copied()
    }

    /// Waits a few seconds for all of these hubs of an account to reach a stage that is `awaited`, or for one to fail. After
    /// a timeout nobody waits for the account's hubs again.
    pub(crate) async fn wait_to_begin(&self, account: &ArmId, hubs: &[ArmId], awaited: impl Fn(SwitchStage) -> bool) {
        let over = |known: &Known| {
            let mut stages = hubs.iter().map(|hub| known.stages.get(hub).copied());
            known.timed_out.contains(account)
                || stages.clone().any(|stage| stage == Some(SwitchStage::Failed))
                || stages.all(|stage| stage.is_some_and(&awaited))
        };
        let mut changes = self.0.subscribe();
        if tokio::time::timeout(BEGIN_TIMEOUT, changes.wait_for(over)).await.is_err() {
            self.0.send_modify(|known| _ = known.timed_out.insert(account.clone()));
        }
    }

    /// Waits until none of these hubs is being switched.
    pub(crate) async fn wait_to_end(&self, hubs: &[ArmId]) {
        let is_under_way = |known: &Known, hub: &ArmId| known.stages.get(hub) == Some(&SwitchStage::Begun);
        let mut changes = self.0.subscribe();
        // The sender lives as long as what is borrowed here.
        _ = changes.wait_for(|known| !hubs.iter().any(|hub| is_under_way(known, hub))).await;
    }

    /// Changes the stage of a hub that has begun.
    fn move_on(&self, hub: &ArmId, to: SwitchStage) {
        self.0.send_if_modified(|known| match known.stages.get_mut(hub) {
            Some(stage) if *stage == SwitchStage::Begun => {
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

    fn begun(stage: SwitchStage) -> bool {
        matches!(stage, SwitchStage::Begun | SwitchStage::Done)
    }

    #[test]
    fn a_switch_that_is_dropped_before_the_hub_is_done_has_failed() {
        let switches = IdentitySwitches::default();
        switches.done(&hub("hub1"));
        assert_eq!(switches.stage(&hub("hub1")), None);
        switches.plan(&hub("hub1"));
        assert_eq!(switches.stage(&hub("HUB1")), Some(SwitchStage::Planned));
        let switch = switches.begin(&hub("hub1"));
        switches.plan(&hub("hub1"));
        assert_eq!(switches.stage(&hub("hub1")), Some(SwitchStage::Begun));
        drop(switch);
        assert_eq!(switches.stage(&hub("hub1")), Some(SwitchStage::Failed));
        let switch = switches.begin(&hub("hub1"));
        switches.done(&hub("hub1"));
        drop(switch);
        assert_eq!(switches.stage(&hub("hub1")), Some(SwitchStage::Done));
    }

    #[tokio::test(start_paused = true)]
    async fn hubs_that_do_not_begin_are_waited_for_once() {
        let (switches, start) = (IdentitySwitches::default(), Instant::now());
        switches.plan(&hub("hub2"));
        switches.wait_to_begin(&account(), &[hub("hub2")], begun).await;
        assert_eq!(start.elapsed(), BEGIN_TIMEOUT);
        switches.wait_to_begin(&account(), &[hub("hub3")], begun).await;
        assert_eq!(start.elapsed(), BEGIN_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_when_all_have_begun_or_one_has_failed() {
        let (switches, start) = (IdentitySwitches::default(), Instant::now());
        let wait = async { switches.wait_to_begin(&account(), &[hub("hub2"), hub("hub3")], begun).await };
        let begin = async { (switches.begin(&hub("hub2")), switches.begin(&hub("hub3"))) };
        let ((), (second, third)) = futures_util::future::join(wait, begin).await;
        let wait = async { switches.wait_to_end(&[hub("hub2"), hub("hub3"), hub("hub4")]).await };
        let end = async {
            switches.done(&hub("hub2"));
            drop((second, third));
        };
        futures_util::future::join(wait, end).await;
        assert_eq!(switches.stage(&hub("hub3")), Some(SwitchStage::Failed));
        switches.wait_to_begin(&account(), &[hub("hub3"), hub("hub4")], begun).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
