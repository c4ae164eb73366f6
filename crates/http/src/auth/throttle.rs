//! How often somebody may try to sign in.
//!
//! Three limits for a login: by address, by account and address together, and by account alone, for those who guess
//! from very many addresses. The last one could keep the owner out, so it does not count where somebody has signed in
//! to the account before. Every attempt counts, whether it succeeds or not, so that nobody learns anything from
//! being turned away. Each replica counts for itself.

use std::{
    hash::{BuildHasher, Hash},
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};

use crate::{ThrottleSettings, address::throttle_key};

/// Attempts between two looks for what can be forgotten.
const SWEEP_EVERY: u64 = 1_000;
/// Where newcomers are counted when there is no room for more.
const NO_ROOM: u128 = u128::MAX;

type Limiter = RateLimiter<u128, DashMapStateStore<u128>, DefaultClock>;

/// Counts attempts to sign in.
pub(crate) struct Throttle {
    by_address: Limiter,
    by_account: Limiter,
    from_anywhere: Limiter,
    by_token: Limiter,
    /// Refusals that are worth an entry in the audit log.
    told_of_address: Limiter,
    told: DefaultDirectRateLimiter,
    attempts: AtomicU64,
    max_tracked: usize,
    /// Accounts are remembered by a keyed hash: short, and no address of anybody.
    hasher: std::hash::RandomState,
}

impl Throttle {
    pub(crate) fn new(settings: &ThrottleSettings) -> Self {
        Self {
            by_address: limiter(settings.address_burst, settings.address_per_minute),
            by_account: limiter(settings.account_burst, settings.account_per_minute),
            from_anywhere: RateLimiter::dashmap(
                Quota::per_hour(number(settings.anywhere_per_hour))
                    .allow_burst(number(settings.anywhere_burst)),
            ),
            by_token: limiter(settings.account_burst, settings.account_per_minute),
            told_of_address: limiter(1, 1),
            told: RateLimiter::direct(Quota::per_minute(number(settings.audited_per_minute))),
            attempts: AtomicU64::new(0),
            max_tracked: settings.max_tracked,
            hasher: std::hash::RandomState::new(),
        }
    }

    /// Counts an attempt; an error says how long to wait. `account` as it is compared: in lower case.
    pub(crate) fn attempt(&self, address: Option<IpAddr>, account: &str) -> Result<(), Duration> {
        let due = self.attempts.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1;
        if due || self.all().iter().any(|limiter| self.is_full(limiter)) {
            for limiter in self.all() {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
        self.count(&self.by_address, key_of(address))?;
        self.count(&self.by_account, self.hash((account, key_of(address))))
    }

    /// Counts an attempt for the account, wherever it comes from.
    pub(crate) fn attempt_from_anywhere(&self, account: &str) -> Result<(), Duration> {
        self.count(&self.from_anywhere, self.hash(account))
    }

    /// Counts a use of a refresh token, by the half that finds it: whoever has no more than that must not keep the
    /// processors busy with comparisons of the other one.
    pub(crate) fn token(&self, lookup: &str) -> Result<(), Duration> {
        self.count(&self.by_token, self.hash(lookup))
    }

    /// Whether a refused attempt is to be written down. One of an address a minute is, and no more than a number of
    /// all together: being turned away costs an attacker nothing, and must not fill anybody's disk.
    pub(crate) fn is_worth_telling(&self, address: Option<IpAddr>) -> bool {
        self.count(&self.told_of_address, key_of(address)).is_ok() && self.told.check().is_ok()
    }

    fn all(&self) -> [&Limiter; 5] {
        [&self.by_address, &self.by_account, &self.from_anywhere, &self.by_token, &self.told_of_address]
    }

    fn is_full(&self, limiter: &Limiter) -> bool {
        limiter.len() >= self.max_tracked
    }

    fn count(&self, limiter: &Limiter, key: u128) -> Result<(), Duration> {
        let key = if self.is_full(limiter) { NO_ROOM } else { key };
        limiter.check_key(&key).map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    fn hash(&self, what: impl Hash) -> u128 {
        self.hasher.hash_one(what).into()
    }
}

fn key_of(address: Option<IpAddr>) -> u128 {
    address.map_or(0, throttle_key)
}

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

fn limiter(burst: u32, per_minute: u32) -> Limiter {
    RateLimiter::dashmap(Quota::per_minute(number(per_minute)).allow_burst(number(burst)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn throttle(max_tracked: usize) -> Throttle {
        Throttle::new(&ThrottleSettings {
            address_burst: 5,
            address_per_minute: 1,
            account_burst: 2,
            account_per_minute: 1,
            anywhere_burst: 4,
            anywhere_per_hour: 1,
            max_tracked,
            audited_per_minute: 2,
        })
    }

    fn from(address: &str) -> Option<IpAddr> {
        address.parse().ok()
    }

    #[test]
    fn an_account_is_protected_without_keeping_its_owner_out() {
        let throttle = throttle(100);
        assert!(throttle.attempt(from("6.6.6.6"), "ana").is_ok());
        assert!(throttle.attempt(from("6.6.6.6"), "ana").is_ok());
        let wait = throttle.attempt(from("6.6.6.6"), "ana").unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_mins(1), "{wait:?}");
        assert!(throttle.attempt(from("1.1.1.1"), "ana").is_ok(), "the owner, from elsewhere");
    }

    #[test]
    fn one_address_cannot_try_many_accounts() {
        let throttle = throttle(100);
        let refused = (0..20).filter(|n| throttle.attempt(from("6.6.6.6"), &n.to_string()).is_err()).count();
        assert_eq!(refused, 15);
    }

    #[test]
    fn of_a_flood_of_refusals_only_a_few_are_told() {
        let throttle = throttle(100);
        let told = (0..100).filter(|_| throttle.is_worth_telling(from("6.6.6.6"))).count();
        assert_eq!(told, 1, "of one address");
        let network = |n: u8| Some(IpAddr::from([10, 0, 0, n]));
        let told = (0..100).filter(|n| throttle.is_worth_telling(network(*n))).count();
        assert_eq!(told, 1, "of all together, with the one before");
    }

    #[test]
    fn an_account_counts_apart_from_where_it_is_tried() {
        let throttle = throttle(100);
        let refused = (0..20).filter(|_| throttle.attempt_from_anywhere("ana").is_err()).count();
        assert_eq!(refused, 16);
        assert!(throttle.attempt_from_anywhere("luis").is_ok());
        assert!(throttle.attempt(from("1.1.1.1"), "ana").is_ok(), "whoever counts asks for both");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let throttle = throttle(100);
        let refused =
            (0..9).filter(|n| throttle.attempt(from(&format!("2001:db8::{n}")), "ana").is_err()).count();
        assert_eq!(refused, 7);
    }

    #[test]
    fn memory_is_bounded_and_newcomers_are_still_counted() {
        let throttle = throttle(10);
        let network = |n: u32| Some(IpAddr::from(std::net::Ipv4Addr::from(n)));
        let refused = (0..1_000).filter(|n| throttle.attempt(network(*n), "ana").is_err()).count();
        assert!(throttle.by_address.len() <= 11 && throttle.by_account.len() <= 11);
        assert!(refused > 900, "{refused}");
    }
}
