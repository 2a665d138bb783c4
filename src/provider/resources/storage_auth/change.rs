//! Bringing a hub and its account to where they shall be, step by step, with what is known after each.

use std::{iter, time::Duration};

use super::{
    explain,
    keys::account_key,
    record::{Record, wire},
    settings::Settings,
};
use crate::{
    arm::{
        Call, Error, Read, StorageAccountId, WorkspaceId,
        storage_accounts::StorageAccount,
        workspaces::{AuthMode, Workspace},
    },
    framework::{Diagnostic, Diagnostics, Severity, walk::Walk},
    provider::{
        Session,
        access::{Access, AccessCheck, Finding},
        hub, report,
    },
};

/// How long the hub may take to be put back after the account refused. It is granted beyond the operation's own time,
/// since the hub would otherwise be left without access.
const PUTTING_BACK: Duration = Duration::from_secs(5 * 60);

/// The pauses between looks at a value that should have changed.
const LATE: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The longest pause between looks at a hub whose operation was lost sight of.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A change under way.
#[derive(Debug)]
pub(super) struct Change<'c> {
    pub(super) session: &'c Session,
    /// The other objects of this run.
    pub(super) walk: &'c Walk,
    pub(super) call: &'c Call,
    pub(super) hub: &'c WorkspaceId,
    pub(super) account: &'c StorageAccountId,
    /// What is there, as far as is known.
    pub(super) now: Settings,
    /// What was written, or may have been.
    pub(super) wrote: Settings,
    /// Which values are this resource's own doing.
    pub(super) record: Record,
    /// What there is to say beside an error that ended it.
    pub(super) found: Diagnostics,
}

/// What ended a change.
#[derive(Debug)]
struct Stopped {
    diagnostic: Diagnostic,
    /// Whether a request was under way whose effect nobody has looked for.
    interrupted: bool,
}

impl From<Diagnostic> for Stopped {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, interrupted: false }
    }
}

impl Change<'_> {
    /// Brings hub and account to `target`; what it leaves open stays. The hub goes first in both directions: on the way to
    /// identities it must not need keys when they go off, and on the way back the order is the product's, so the gap in
    /// between is kept short.
    ///
    /// Where somebody may lose access, `access` is asked before anything is changed and again before keys go off.
    pub(super) async fn run(&mut self, target: &Settings, access: Option<&Access<'_>>) -> Result<(), Diagnostic> {
        let before = self.now.clone();
        let mode = target.mode.as_ref().filter(|mode| self.now.mode.as_ref() != Some(mode));
        let keys = target.keys.filter(|keys| self.now.keys != Some(*keys));
        // A removal holds the lock of the account already.
        let holds_lock = access.is_none();
        let access =
            access.filter(|access| access.requirements.check != AccessCheck::Off && target.takes_keys_away(&before));
        let mut others = Vec::new();
        if let Some(access) = access {
            let (findings, found) = access.before_anything(keys == Some(false)).await;
            self.weigh(access, &findings)?;
            others = found;
        }
        if let Some(mode) = mode {
            let set = self.set_mode(mode, self.call).await;
            set.map_err(|stopped| self.incomplete(stopped))?;
        }
        if self.now.leaves_keys() {
            self.session.switches.done(self.hub.arm());
        }
        if let (Some(access), Some(false)) = (access, keys) {
            let findings = access.before_keys_go_off(mode.is_some(), &others).await;
            let weighed = findings.and_then(|findings| self.weigh(access, &findings));
            weighed.map_err(|error| self.incomplete(error.into()))?;
        }
        if let Some(keys) = keys
            && let Err(stopped) = self.set_keys_locked(keys, holds_lock).await
        {
            let stopped = self.put_hub_back(&before, stopped).await;
            return Err(self.incomplete(stopped));
        }
        if self.now.needs_keys() && (mode.is_some() || keys == Some(true)) {
            if self.now.locks_the_hub_out() {
                self.found.push(explain::keys_are_off(self.hub, self.account));
            } else if let Err(error) = self.session.arm.resync_keys(self.hub, self.call).await {
                self.found.push(explain::not_resynced(self.hub, &error));
            }
        }
        Ok(())
    }

    /// Takes note of findings; the last of those that stop is the error.
    fn weigh(&mut self, access: &Access<'_>, findings: &[Finding]) -> Result<(), Diagnostic> {
        self.found.extend(access.apply_messages(findings));
        match self.found.0.iter().rposition(|found| found.severity == Severity::Error) {
            Some(position) => Err(self.found.0.remove(position)),
            None => Ok(()),
        }
    }

    /// What ended the change, together with what is there now.
    fn incomplete(&self, Stopped { diagnostic, interrupted }: Stopped) -> Diagnostic {
        Diagnostic { detail: diagnostic.detail + &explain::left(&self.now, interrupted), ..diagnostic }
    }

    async fn set_mode(&mut self, mode: &AuthMode, call: &Call) -> Result<(), Stopped> {
        let (found, problem) = match self.session.arm.set_auth_mode(self.hub, mode, call).await {
            Ok(hub) => {
                let got = self.mode_at_last(mode, hub, call).await;
                (Some(got), None)
            }
            Err(Error::NotKept { got, .. }) => (Some(AuthMode::new(got)), None),
            Err(error) if !error.may_have_had_effect() => {
                return Err(explain::mode_not_set(self.hub, mode, &error).into());
            }
            Err(error) => match self.mode_after(&error, call).await {
                Some((got, true)) if got == *mode && !matches!(error, Error::Operation(_)) => {
                    self.found.push(explain::not_followed(self.hub, mode, &error));
                    (Some(got), None)
                }
                found => (found.map(|(got, _)| got), Some(error)),
            },
        };
        let before = self.now.mode.as_ref().map(wire);
        self.record.mode.write(&wire(mode), before.as_ref(), found.as_ref().map(wire).as_ref());
        self.wrote.mode = Some(mode.clone());
        let interrupted = found.is_none();
        self.now.mode = found.or(self.now.mode.take());
        match (problem, &self.now.mode) {
            (Some(error), _) => Err(Stopped { diagnostic: explain::mode_not_set(self.hub, mode, &error), interrupted }),
            (None, Some(got)) if got != mode => Err(explain::mode_not_kept(self.hub, mode, got).into()),
            (None, _) => Ok(()),
        }
    }

    /// The mode of a hub that was switched. What Azure answers may lag behind what it has done.
    async fn mode_at_last(&self, mode: &AuthMode, mut hub: Workspace, call: &Call) -> AuthMode {
        for pause in LATE {
            if hub.properties.system_datastores_auth_mode == *mode || self.pause(pause, call).await.is_err() {
                break;
            }
            match self.session.arm.get::<Workspace>(self.hub, Read::Fresh, call).await {
                Ok(found) => hub = found,
                Err(_) => break,
            }
        }
        hub.properties.system_datastores_auth_mode
    }

    /// The mode after a request that Azure took and whose end could not be seen, and whether the hub is at rest. Nothing
    /// when there is no time left to look.
    async fn mode_after(&self, error: &Error, call: &Call) -> Option<(AuthMode, bool)> {
        if error.is_interruption() {
            return None;
        }
        let mut pauses = iter::successors(LATE.first().copied(), |pause| Some((*pause * 2).min(LONGEST_PAUSE)));
        loop {
            let hub = self.session.arm.get::<Workspace>(self.hub, Read::Fresh, call).await.ok()?;
            let at_rest = hub.is_at_rest();
            let may_still_change = !at_rest && !matches!(error, Error::Operation(_));
            if !may_still_change || self.pause(pauses.next()?, call).await.is_err() {
                return Some((hub.properties.system_datastores_auth_mode, at_rest));
            }
        }
    }

    /// Switches keys while no other resource of this run does. The lock is held for this alone: a hub that waits for
    /// others on its account must not keep them from what it waits for.
    async fn set_keys_locked(&mut self, keys: bool, holds_lock: bool) -> Result<(), Stopped> {
        let lock = match holds_lock {
            true => None,
            false => Some(self.session.lock(self.account.arm(), self.call).await),
        };
        match lock.transpose() {
            Ok(_lock) => self.set_keys(keys).await,
            Err(error) => {
                let next = "Other resources of this run change the same account. Raise the timeouts block.";
                Err(Diagnostic::error("Keys were not switched yet", report::explain(&error, next)).into())
            }
        }
    }

    /// Switches keys, and looks whether they are: a policy may answer with success and keep the old value.
    async fn set_keys(&mut self, keys: bool) -> Result<(), Stopped> {
        self.walk.changing(&account_key(self.account));
        let arm = &self.session.arm;
        let (found, problem) = match arm.set_shared_key_access(self.account, keys, self.call).await {
            Ok(answer) => match self.keys_at_last(keys, answer.shared_key_enabled()).await {
                Ok(got) => (Some(got), None),
                Err(error) => (None, Some(hub::account_not_read(self.account, &error))),
            },
            Err(error) if !error.may_have_had_effect() => {
                return Err(explain::keys_not_set(self.account, keys, &error).into());
            }
            Err(error) => {
                let found = match error.is_interruption() {
                    true => None,
                    false => arm.get::<StorageAccount>(self.account, Read::Fresh, self.call).await.ok(),
                };
                let found = found.map(|account| account.shared_key_enabled());
                (found, Some(explain::keys_not_set(self.account, keys, &error)))
            }
        };
        self.record.keys.write(&keys, self.now.keys.as_ref(), found.as_ref());
        self.wrote.keys = Some(keys);
        self.now.keys = found.or(self.now.keys);
        match (problem, found) {
            (Some(diagnostic), _) => Err(Stopped { diagnostic, interrupted: found.is_none() }),
            (None, Some(got)) if got != keys => Err(explain::keys_not_kept(self.account, keys, got).into()),
            (None, _) => Ok(()),
        }
    }

    /// What keys are after they were switched. Where Azure's own answer was right, an old value may just be late; a
    /// policy does not let go of it.
    async fn keys_at_last(&self, keys: bool, answered: bool) -> Result<bool, Error> {
        let look = || self.session.arm.get::<StorageAccount>(self.account, Read::Fresh, self.call);
        let mut got = look().await?.shared_key_enabled();
        for pause in LATE.into_iter().filter(|_| answered == keys) {
            if got == keys || self.pause(pause, self.call).await.is_err() {
                break;
            }
            got = look().await?.shared_key_enabled();
        }
        Ok(got)
    }

    async fn pause(&self, pause: Duration, call: &Call) -> Result<(), Error> {
        self.session.arm.pause(pause, "waiting for Azure to show a change", call).await
    }

    /// Puts the hub back when it was switched to keys that the account then refused to take.
    async fn put_hub_back(&mut self, before: &Settings, stopped: Stopped) -> Stopped {
        let Some(mode) = before.mode.as_ref().filter(|mode| self.now.mode.as_ref() != Some(mode)) else {
            return stopped;
        };
        if !self.now.locks_the_hub_out() || self.call.cancel.is_cancelled() {
            return stopped;
        }
        let call = Call::new(self.call.cancel.clone(), PUTTING_BACK);
        let result = self.set_mode(mode, &call).await;
        let diagnostic = explain::put_back(stopped.diagnostic, mode, result.map_err(|second| second.diagnostic));
        Stopped { diagnostic, ..stopped }
    }
}
