//! Hubs, their accounts and roles through creation, drift, healing and destruction, while every fifth request goes wrong and
//! the plugin and the engine are killed in turn. In the end Azure and the state agree, and nothing of others was touched.
//!
//! `make test` runs the short form. `make soak` runs the long one by a seed of its own, and `make soak SEED=n` repeats it:
//! the faults, the moments of the kills and what is changed from outside follow from the seed.

mod objects;
mod report;
mod run;

use std::{env, time::Duration};

use uuid::Uuid;

use crate::{azure::Rule, support::engine::engines};

use objects::Objects;
use run::{Command, Run};

/// How large a run is.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// Objects of foundryhub_role_assignment.
    grants: usize,
    /// Objects of foundryhub_hub; every fifth of so many hubs is there before and has a foundryhub_storage_auth alone.
    hubs: usize,
    kills: usize,
    /// The access check of the hubs that were there before; it asks a lot.
    check: &'static str,
    /// Whether some answers never come, each of which costs the two minutes that the provider waits for it.
    waits: bool,
    /// How often a command may fail before it has to succeed.
    attempts: usize,
    /// How long a command may take.
    patience: Duration,
}

const SHORT: Sizes = Sizes {
    grants: 40,
    hubs: 5,
    kills: 3,
    check: "off",
    waits: false,
    attempts: 10,
    patience: Duration::from_secs(120),
};

const LONG: Sizes = Sizes {
    grants: 1000,
    hubs: 50,
    kills: 10,
    check: "warn",
    waits: true,
    attempts: 25,
    patience: Duration::from_secs(600),
};

/// How many of a hundred requests go wrong where none has just gone wrong; that makes a fifth of all.
const PERCENT: u8 = 21;

/// Numbers that follow from a seed.
#[derive(Debug)]
struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// A number below this one.
    fn below(&mut self, end: usize) -> usize {
        self.thrown += 1;
        let drawn = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{} {}", self.seed, self.thrown).as_bytes()).as_u128();
        usize::try_from(drawn % end.max(1) as u128).expect("a number below one that fits")
    }

    /// So many different numbers below another one.
    fn some_below(&mut self, count: usize, end: usize) -> Vec<usize> {
        let mut all: Vec<_> = (0..end).collect();
        (0..count.min(end)).map(|_| all.swap_remove(self.below(all.len()))).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_nothing_is_lost_and_nothing_is_there_twice() {
    let (sizes, seed) = match env::var("FOUNDRYHUB_SOAK_SEED") {
        Err(_) => (SHORT, 13),
        Ok(seed) if seed.is_empty() => (LONG, Uuid::new_v4().as_u64_pair().0 % 1_000_000),
        Ok(seed) => (LONG, seed.parse().expect("FOUNDRYHUB_SOAK_SEED is a number")),
    };
    let engine = &engines()[usize::try_from(seed).expect("a small number") % engines().len()];
    eprintln!("soak: seed {seed} on {engine}; `make soak SEED={seed}` repeats the long form");
    let dice = Dice { seed, thrown: 0 };
    let objects = Objects::new(sizes).await;
    let mut run = Run::new(engine, objects, dice, PERCENT);
    soak(&mut run, sizes).await;
    run.report();
}

async fn soak(run: &mut Run, sizes: Sizes) {
    // All objects are made anew for each of the first, which takes longest.
    let (creating, destroying) = (sizes.kills.div_ceil(5), sizes.kills.div_ceil(4));
    let healing = sizes.kills - creating - destroying;
    if sizes.waits {
        for rule in
            ["PUT */roleAssignments/* -> hold after=90 times=1", "PUT */roleAssignments/* -> stall after=60 times=1"]
        {
            run.objects.emulator.fault(rule.parse::<Rule>().expect("a rule"));
        }
    }
    for n in 0..creating {
        if n > 0 {
            run.succeed(Command::Destroy).await;
            run.objects.are_gone(run.state());
        }
        run.kill(Command::Apply).await;
        run.succeed(Command::Apply).await;
        run.plan_nothing().await;
        run.objects.agree(run.state());
    }
    for _ in 0..healing {
        run.drift();
        run.kill(Command::Apply).await;
        run.succeed(Command::Apply).await;
        run.plan_nothing().await;
        run.objects.agree(run.state());
    }
    for _ in 0..destroying {
        run.kill(Command::Destroy).await;
        run.objects.settle();
        run.succeed(Command::Apply).await;
        run.objects.agree(run.state());
    }
    run.succeed(Command::Destroy).await;
    run.objects.are_gone(run.state());
}
