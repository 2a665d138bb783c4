//! Commands that are repeated until they succeed, and commands that are killed.

use std::{fs, pin::pin, time::Duration};

use crate::{
    azure::RandomFaults,
    support::{
        bed::is_write,
        engine::{Engine, Outcome, Workspace, plugins_of},
        plugin::{signal, within},
    },
};

use super::{
    Dice,
    objects::{Objects, State},
    report::Report,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Apply,
    Destroy,
}

impl Command {
    fn name(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Destroy => "destroy",
        }
    }
}

pub(super) struct Run {
    pub(super) objects: Objects,
    workspace: Workspace,
    dice: Dice,
    report: Report,
}

impl Run {
    pub(super) fn new(engine: &'static Engine, objects: Objects, dice: Dice, percent: u8) -> Self {
        let workspace = Workspace::new(engine).envs(objects.emulator.environment());
        workspace.config(&objects.configuration());
        let faults = RandomFaults::new(dice.seed, percent);
        objects.emulator.configure(|options| options.random_faults = Some(faults));
        Self { objects, workspace, dice, report: Report::new() }
    }

    pub(super) fn drift(&mut self) {
        self.report.progress("drift");
        self.objects.drift(&mut self.dice);
    }

    /// The state file.
    pub(super) fn state(&self) -> State {
        let file = fs::read(self.workspace.path().join("terraform.tfstate")).unwrap();
        State::read(&file).expect("a whole state")
    }

    /// Repeats a command until it succeeds, doing meanwhile what diagnostics ask for.
    pub(super) async fn succeed(&mut self, command: Command) {
        self.objects.shuffle(&mut self.dice);
        let (mut imports, mut last) = (String::new(), None);
        for _ in 0..self.objects.sizes.attempts {
            let outcome = self.command(&[command.name(), "-auto-approve"], command.name()).await;
            if outcome.code == Some(0) {
                return self.workspace.config(&self.objects.configuration());
            }
            // A hub whose creation was killed is in Azure and in no state. The error has the command that imports it.
            for hub in outcome.words().split("terraform import ADDRESS '").skip(1) {
                let block = Objects::import(hub.split('\'').next().unwrap());
                if !imports.contains(&block) {
                    imports += &block;
                    self.report.imported += 1;
                }
            }
            self.workspace.config(&(self.objects.configuration() + &imports));
            last = Some(outcome);
        }
        panic!("no {} succeeds: {}", command.name(), last.expect("an attempt"));
    }

    /// Passes if a plan has nothing to do.
    pub(super) async fn plan_nothing(&mut self) {
        for _ in 0..self.objects.sizes.attempts {
            let outcome = self.command(&["plan", "-detailed-exitcode"], "plan").await;
            if outcome.code != Some(1) {
                _ = outcome.exits(0);
                return;
            }
        }
        panic!("plan does not succeed");
    }

    async fn command(&mut self, arguments: &[&str], name: &'static str) -> Outcome {
        let running = self.workspace.start(&with_common(arguments));
        let outcome = running.finish_within(self.objects.sizes.patience).await;
        self.ended(name, &outcome, false);
        outcome
    }

    fn ended(&mut self, name: &'static str, outcome: &Outcome, is_killed: bool) {
        let sent = self.objects.emulator.requests();
        self.objects.emulator.clear_requests();
        self.report.requests += sent.len();
        let writes = sent.iter().filter(|record| is_write(record)).count();
        let end = if is_killed { "was killed".to_owned() } else { format!("ended with {:?}", outcome.code) };
        let (sent, errors) = (sent.len(), outcome.errors().len());
        let said = format!("{name} {end} after {sent} requests, {writes} of them writes, and {errors} errors");
        self.report.progress(&said);
        self.report.ended(name, outcome, is_killed);
    }

    /// Begins a command and kills, in turn, the plugin and the engine after some of its requests.
    pub(super) async fn kill(&mut self, command: Command) {
        // One of four while it reads.
        let (reads, mut most) = (self.dice.below(4) == 0, self.objects.sizes.hubs * 4);
        for _ in 0..self.objects.sizes.attempts {
            let count = 1 + self.dice.below(most);
            if self.killed(command, reads, count).await {
                return;
            }
            // It was over before.
            most = most.div_ceil(2);
        }
        panic!("no {} lasts until it is killed", command.name());
    }

    async fn killed(&mut self, command: Command, reads: bool, count: usize) -> bool {
        self.objects.shuffle(&mut self.dice);
        let name = command.name();
        let running = self.workspace.start(&with_common(&[name, "-auto-approve"]));
        let (engine, emulator) = (running.pid().to_owned(), &self.objects.emulator);
        let mut end = pin!(running.finish_within(self.objects.sizes.patience));
        let early = tokio::select! {
            outcome = &mut end => Some(outcome),
            () = emulator.requests_seen(count, |record| record.is_arm() && is_write(record) != reads) => None,
        };
        if let Some(outcome) = early {
            let is_success = outcome.code == Some(0);
            self.ended(name, &outcome, false);
            if is_success && command == Command::Destroy {
                self.succeed(Command::Apply).await;
            } else if is_success {
                self.drift();
            }
            return false;
        }
        let plugins = plugins_of(&engine).await;
        let victim = if self.report.kills.len().is_multiple_of(2) { "plugin" } else { "engine" };
        let Some(plugin) = plugins.first() else { panic!("{name} sends requests without a plugin") };
        signal(if victim == "plugin" { plugin } else { &engine }, "KILL").await;
        let outcome = end.await;
        for plugin in &plugins {
            within("the plugin's end", ended(plugin)).await;
        }
        let kind = if reads { "read" } else { "write" };
        self.report.kills.push(format!("{victim} at {kind} {count} of {name}"));
        self.ended(name, &outcome, true);
        self.restore_a_cut_state();
        true
    }

    /// An engine that is killed while it writes the state leaves a part of it, and beside it the state of before.
    fn restore_a_cut_state(&mut self) {
        let [state, backup] =
            ["terraform.tfstate", "terraform.tfstate.backup"].map(|name| self.workspace.path().join(name));
        let is_cut = fs::read(&state).is_ok_and(|file| State::read(&file).is_none());
        if is_cut {
            self.report.cut_states += 1;
            fs::rename(&backup, &state).or_else(|_| fs::remove_file(&state)).unwrap();
        }
    }

    pub(super) fn report(&self) {
        self.report.print(&self.objects.emulator);
    }
}

/// Waits until a process that is nobody's child here has ended.
async fn ended(process: &str) {
    loop {
        let state =
            tokio::process::Command::new("ps").args(["-o", "stat=", "-p", process]).output().await.unwrap().stdout;
        // One that nobody has waited for is a zombie.
        if state.is_empty() || state.starts_with(b"Z") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn with_common<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["-input=false", "-no-color", "-parallelism=30"]].concat()
}
