//! Changes a hub and its account step by step, with what is known after each step.

use std::{iter, time::Duration};

use super::{
    explain,
    own_values::{OwnValues, as_sent},
};
use crate::{
    arm::{
        Call, Error, Read, StorageAccountId, WorkspaceId,
        workspaces::{AuthMode, Workspace},
    },
    framework::{Diagnostic, Diagnostics, walk::Walk},
    provider::{
        Session,
        access::{Access, AccessCheck, Finding},
        properties::Properties,
        shared_keys::{self, REREAD_PAUSES, SharedKeysChange},
    },
};

/// How long the rollback of the hub may take after the change of the account failed. It may exceed the operation's timeout,
/// since the hub would otherwise be left without access.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The longest pause before a hub is read again whose operation could not be followed.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(super) struct Change<'c> {
    pub(super) session: &'c Session,
    pub(super) walk: &'c Walk,
    pub(super) call: &'c Call,
    pub(super) hub: &'c WorkspaceId,
    pub(super) account: &'c StorageAccountId,
    /// The current values, as far as they are known.
    pub(super) now: Properties,
    /// What was sent and may have had its effect.
    pub(super) sent: Properties,
    pub(super) own_values: OwnValues,
    /// The command that does the rest if the change stops: `apply` or `destroy`.
    pub(super) completed_by: &'static str,
    /// Diagnostics beside the error that stops the change.
    pub(super) diagnostics: Diagnostics,
}

/// Why a change stopped.
#[derive(Debug)]
struct Stopped {
    diagnostic: Diagnostic,
    /// Whether a request was sent whose effect is not known.
    interrupted: bool,
}

impl From<Diagnostic> for Stopped {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, interrupted: false }
    }
}

impl Change<'_> {
    /// Changes hub and account to `target`. The hub is switched first in both directions: to identity, because it must not use
    /// keys when these are disabled; back to keys, because the product documents that order.
    ///
    /// Where somebody may lose access, `access` is checked before anything is changed and again before keys are disabled.
    pub(super) async fn run(&mut self, target: &Properties, access: Option<&Access<'_>>) -> Result<(), Diagnostic> {
        let before = self.now.clone();
        let mode = target.mode.as_ref().filter(|mode| self.now.mode.as_ref() != Some(mode));
        let shared_keys = target.shared_keys.filter(|shared_keys| self.now.shared_keys != Some(*shared_keys));
        // A deletion holds the lock of the account already.
        let holds_lock = access.is_none();
        let access =
            access.filter(|access| access.requirements.check != AccessCheck::Off && target.removes_key_access(&before));
        let mut others = Vec::new();
        if let Some(access) = access {
            let (findings, hubs) = access.check_before_changes(shared_keys == Some(false)).await;
            self.report(access, &findings)?;
            others = hubs;
        }
        if let Some(mode) = mode {
            let set = self.set_mode(mode, self.call).await;
            set.map_err(|stopped| self.incomplete(stopped))?;
        }
        if self.now.uses_identity() {
            self.session.switches.done(self.hub.arm());
        }
        if let (Some(access), Some(false)) = (access, shared_keys) {
            let findings = access.check_before_disabling_keys(mode.is_some(), &others).await;
            let reported = findings.and_then(|findings| self.report(access, &findings));
            reported.map_err(|error| self.incomplete(error.into()))?;
        }
        if let Some(shared_keys) = shared_keys
            && let Err(stopped) = self.set_keys(shared_keys, holds_lock).await
        {
            let stopped = self.roll_back_hub(&before, stopped).await;
            return Err(self.incomplete(stopped));
        }
        if self.now.uses_keys() && (mode.is_some() || shared_keys == Some(true)) {
            if self.now.locks_the_hub_out() {
                self.diagnostics.push(explain::keys_are_disabled(self.hub, self.account));
            } else if let Err(error) = self.session.arm.resync_keys(self.hub, self.call).await {
                self.diagnostics.push(shared_keys::not_resynced(self.hub, &error));
            }
        }
        Ok(())
    }

    /// Adds the diagnostics of findings; the last one that stops is the error.
    fn report(&mut self, access: &Access<'_>, findings: &[Finding]) -> Result<(), Diagnostic> {
        self.diagnostics.extend(access.apply_messages(findings));
        self.diagnostics.take_error().map_or(Ok(()), Err)
    }

    /// Why the change stopped, together with the current values.
    fn incomplete(&self, Stopped { diagnostic, interrupted }: Stopped) -> Diagnostic {
        let now = explain::current_values(&self.now, interrupted, self.completed_by);
        Diagnostic { detail: diagnostic.detail + &now, ..diagnostic }
    }

    async fn set_mode(&mut self, mode: &AuthMode, call: &Call) -> Result<(), Stopped> {
        let (found, problem) = match self.session.arm.set_auth_mode(self.hub, mode, call).await {
            Ok(hub) => {
                let got = self.reread_mode(mode, hub, call).await;
                (Some(got), None)
            }
            Err(Error::NotKept { got, .. }) => (Some(AuthMode::new(got)), None),
            Err(error) if !error.may_have_had_effect() => {
                return Err(explain::mode_not_set(self.hub, mode, &error).into());
            }
            Err(error) => match self.mode_after(&error, call).await {
                Some((got, true)) if got == *mode && !matches!(error, Error::Operation(_)) => {
                    self.diagnostics.push(explain::not_followed(self.hub, mode, &error));
                    (Some(got), None)
                }
                found => (found.map(|(got, _)| got), Some(error)),
            },
        };
        let before = self.now.mode.as_ref().map(as_sent);
        self.own_values.mode.note_write(&as_sent(mode), before.as_ref(), found.as_ref().map(as_sent).as_ref());
        self.sent.mode = Some(mode.clone());
        let interrupted = found.is_none();
        self.now.mode = found.or(self.now.mode.take());
        match (problem, &self.now.mode) {
            (Some(error), _) => Err(Stopped { diagnostic: explain::mode_not_set(self.hub, mode, &error), interrupted }),
            (None, Some(got)) if got != mode => Err(explain::mode_not_kept(self.hub, mode, got).into()),
            (None, _) => Ok(()),
        }
    }

    /// The mode of a hub that was switched. Azure's answers may be stale for some seconds.
    async fn reread_mode(&self, mode: &AuthMode, mut hub: Workspace, call: &Call) -> AuthMode {
        for pause in REREAD_PAUSES {
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

    /// The mode after a request that Azure accepted and that could not be followed, and whether the hub's provisioning state
    /// is terminal. `None` when there is no time left to read it.
    async fn mode_after(&self, error: &Error, call: &Call) -> Option<(AuthMode, bool)> {
        if error.is_interruption() {
            return None;
        }
        let mut pauses =
            iter::successors(REREAD_PAUSES.first().copied(), |pause| Some((*pause * 2).min(LONGEST_PAUSE)));
        loop {
            let hub = self.session.arm.get::<Workspace>(self.hub, Read::Fresh, call).await.ok()?;
            let settled = hub.has_settled();
            let may_still_change = !settled && !matches!(error, Error::Operation(_));
            if !may_still_change || self.pause(pauses.next()?, call).await.is_err() {
                return Some((hub.properties.system_datastores_auth_mode, settled));
            }
        }
    }

    /// Sets shared keys, and notes what is known of them afterwards.
    async fn set_keys(&mut self, shared_keys: bool, holds_lock: bool) -> Result<(), Stopped> {
        let Self { session, walk, call, account, .. } = self;
        let change = match holds_lock {
            true => shared_keys::set(session, walk, call, account, shared_keys).await,
            false => shared_keys::set_locked(session, walk, call, account, shared_keys).await,
        };
        let SharedKeysChange { sent, found, result } = change;
        if sent {
            self.own_values.shared_keys.note_write(&shared_keys, self.now.shared_keys.as_ref(), found.as_ref());
            self.sent.shared_keys = Some(shared_keys);
            self.now.shared_keys = found.or(self.now.shared_keys);
        }
        result.map_err(|diagnostic| Stopped { diagnostic, interrupted: sent && found.is_none() })
    }

    async fn pause(&self, pause: Duration, call: &Call) -> Result<(), Error> {
        self.session.arm.pause(pause, "waiting for Azure to show a change", call).await
    }

    /// Restores the hub's mode when it was switched to keys and the account then refused them.
    async fn roll_back_hub(&mut self, before: &Properties, stopped: Stopped) -> Stopped {
        let Some(mode) = before.mode.as_ref().filter(|mode| self.now.mode.as_ref() != Some(mode)) else {
            return stopped;
        };
        if !self.now.locks_the_hub_out() || self.call.cancel.is_cancelled() {
            return stopped;
        }
        let call = Call::new(self.call.cancel.clone(), ROLLBACK_TIMEOUT);
        let result = self.set_mode(mode, &call).await;
        let diagnostic = explain::rolled_back(stopped.diagnostic, mode, result.map_err(|second| second.diagnostic));
        Stopped { diagnostic, ..stopped }
    }
}
