//! Kills at random and starts again, every victim on a thread of its own, so that they are down together in every combination.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rand::rngs::ChaCha12Rng;
use rand::{RngExt, SeedableRng};

use super::target::{Target, Victim};
use crate::error::{Error, Result};
use crate::{signals, wait};

/// How many kills, of whom, and how long at least.
pub(super) struct Orders<'a> {
    pub(super) kills: u32,
    pub(super) victims: &'a [Victim],
    /// The last deadline: until then somebody is always being killed.
    pub(super) until: Instant,
    pub(super) seed: u64,
    /// Whether most of the work is done: kills that hit nobody at work prove nothing, so the killing goes on until then, or
    /// until [`PATIENCE`] is at its end. Asked again and again.
    pub(super) is_mostly_done: &'a (dyn Fn() -> bool + Sync),
}

/// How long after the last deadline the killing ends in any case.
const PATIENCE: Duration = Duration::from_mins(4);
/// On a slow machine everybody may be dead before getting anything done. So for each of so many kills more than were ordered
/// all live longer by as much as at first.
const STRETCH: u32 = 10;

/// What happened to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often each was killed by us.
    pub kills: BTreeMap<String, u32>,
    /// How often each ended by itself and was started again, for example because the database was away.
    pub ended: BTreeMap<String, u32>,
}

/// Milliseconds that a victim runs before it is killed. A broker takes seconds to come back, and events flow only while it is
/// there.
fn lifetime(victim: Victim) -> RangeInclusive<u64> {
    match victim {
        Victim::Api => 300..=2_500,
        Victim::Worker => 200..=1_500,
        Victim::Broker => 1_500..=5_000,
        Victim::Database => 1_000..=5_000,
    }
}

/// Milliseconds that it stays dead.
const GRAVE: RangeInclusive<u64> = 0..=400;
/// A service that ends by itself gets a moment's rest, as any supervisor would give it.
const REST: Duration = Duration::from_millis(200);

struct Shared<'a> {
    orders: &'a Orders<'a>,
    /// Every victim is killed at least so often.
    share: u32,
    killed: AtomicU32,
    /// What `is_mostly_done` said last.
    mostly_done: AtomicBool,
    /// Threads that still kill.
    raging: AtomicUsize,
    failed: AtomicBool,
    /// Nothing needs to be kept alive any more.
    over: AtomicBool,
    bar: &'a ProgressBar,
}

/// Kills and restarts as ordered; then, with everything running and kept so, does `afterwards`.
pub(super) fn rage<T>(
    targets: Vec<(Victim, Box<dyn Target + '_>)>,
    orders: &Orders<'_>,
    bar: &ProgressBar,
    afterwards: impl FnOnce() -> Result<T>,
) -> Result<(Tally, T)> {
    let hunted = u32::try_from(orders.victims.len()).unwrap_or(u32::MAX).max(1);
    let shared = Shared {
        orders,
        share: orders.kills / (hunted * 4).max(1) + u32::from(orders.kills >= hunted),
        killed: AtomicU32::new(0),
        mostly_done: AtomicBool::new(orders.kills == 0),
        raging: AtomicUsize::new(targets.len()),
        failed: AtomicBool::new(false),
        over: AtomicBool::new(false),
        bar,
    };
    thread::scope(|scope| {
        let shared = &shared;
        let threads: Vec<_> = targets
            .into_iter()
            .map(|(victim, target)| (victim, scope.spawn(move || haunt(victim, target, shared))))
            .collect();
        let outcome = wait_for_calm(shared).and_then(|()| afterwards());
        shared.over.store(true, Ordering::SeqCst);
        let mut tally = Tally::default();
        for (victim, thread) in threads {
            let (kills, ended) = join(thread)?;
            tally.kills.insert(victim.to_string(), kills);
            tally.ended.insert(victim.to_string(), ended);
        }
        outcome.map(|done| (tally, done))
    })
}

fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err(Error::Refused("a thread of chaos panicked".into())))
}

/// A thread that failed reports its error itself, when it is joined.
fn wait_for_calm(shared: &Shared<'_>) -> Result<()> {
    while shared.raging.load(Ordering::SeqCst) > 0 {
        if shared.failed.load(Ordering::SeqCst) {
            return Err(Error::Refused("a process could not be started again".into()));
        }
        if signals::stop_requested() {
            return Err(Error::Interrupted);
        }
        wait::pause(Duration::from_millis(100));
        if !shared.mostly_done.load(Ordering::SeqCst) && (shared.orders.is_mostly_done)() {
            shared.mostly_done.store(true, Ordering::SeqCst);
        }
    }
    Ok(())
}

/// One victim's life, to the end of the run. Gives how often it was killed, and how often it ended by itself.
fn haunt(victim: Victim, mut target: Box<dyn Target + '_>, shared: &Shared<'_>) -> Result<(u32, u32)> {
    let outcome = haunted(victim, target.as_mut(), shared);
    if outcome.is_err() {
        shared.failed.store(true, Ordering::SeqCst);
    }
    outcome
}

fn haunted(victim: Victim, target: &mut dyn Target, shared: &Shared<'_>) -> Result<(u32, u32)> {
    let stream = shared.orders.seed.wrapping_mul(31).wrapping_add(victim as u64);
    let mut chance = ChaCha12Rng::seed_from_u64(stream);
    let (mut kills, mut ended) = (0, 0);
    if shared.orders.kills > 0 && shared.orders.victims.contains(&victim) {
        while !shared.is_done(kills) {
            let length = Duration::from_millis(chance.random_range(lifetime(victim)));
            ended += live(target, shared.stretched(length), shared)?;
            if shared.is_done(kills) {
                break;
            }
            target.kill()?;
            kills += 1;
            shared.killed.fetch_add(1, Ordering::SeqCst);
            shared.bar.inc(1);
            wait::pause(Duration::from_millis(chance.random_range(GRAVE)));
            target.start()?;
        }
    } else {
        while !shared.is_done(u32::MAX) {
            ended += live(target, Duration::from_millis(100), shared)?;
        }
    }
    shared.raging.fetch_sub(1, Ordering::SeqCst);
    while !shared.over.load(Ordering::SeqCst) && !shared.is_hopeless() {
        ended += live(target, Duration::from_millis(100), shared)?;
    }
    Ok((kills, ended))
}

/// Lets it run for a while, and starts it again when it ends by itself.
fn live(target: &mut dyn Target, length: Duration, shared: &Shared<'_>) -> Result<u32> {
    let (end, mut ended) = (Instant::now() + length, 0);
    while Instant::now() < end && !shared.is_hopeless() {
        if !target.is_running() {
            ended += 1;
            wait::pause(REST);
            target.start()?;
        }
        wait::pause(Duration::from_millis(10));
    }
    Ok(ended)
}

impl Shared<'_> {
    /// Whether a victim that was killed so often need not be killed again.
    fn is_done(&self, own: u32) -> bool {
        let now = Instant::now();
        let worked = self.mostly_done.load(Ordering::SeqCst) || now >= self.orders.until + PATIENCE;
        let enough = own >= self.share && self.killed.load(Ordering::SeqCst) >= self.orders.kills;
        self.is_hopeless() || (worked && enough && now >= self.orders.until)
    }

    fn stretched(&self, length: Duration) -> Duration {
        let excess = self.killed.load(Ordering::SeqCst).saturating_sub(self.orders.kills);
        length + length * excess / STRETCH
    }

    fn is_hopeless(&self) -> bool {
        self.failed.load(Ordering::SeqCst) || signals::stop_requested()
    }
}

#[cfg(test)]
mod tests;
