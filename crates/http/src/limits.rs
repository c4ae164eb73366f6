//! How often somebody may call: a quota that fills up again steadily, so that all of it can be used at once.
//!
//! Counted is the signed-in user, so that a whole office behind one address is not one caller, and otherwise the
//! address. The two are counted apart, also in memory: whoever floods from a thousand addresses takes nothing from
//! those who are signed in. Each replica counts for itself.

use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use techsupport_domain::UserId;
use uuid::Uuid;

use crate::{RateLimitSettings, address::throttle_key};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Where newcomers are counted when there is no room for more.
const NO_ROOM: u128 = u128::MAX;
/// Calls between two looks at how full it is.
const LOOK_EVERY: u32 = 64;

/// For whom a call counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    /// A signed-in user.
    User(UserId),
    /// Anybody else.
    Address(Option<IpAddr>),
}

impl Who {
    /// For the metrics.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Who::User(_) => "user",
            Who::Address(_) => "address",
        }
    }
}

/// Counts calls.
pub(crate) struct Limits {
    quotas: Option<Quotas>,
}

impl Limits {
    pub(crate) fn new(settings: &RateLimitSettings) -> Self {
        Self { quotas: settings.enabled.then(|| Quotas::new(settings)) }
    }

    /// Counts a call and says how the caller stands; `None` when nobody is limited.
    pub(crate) fn count(&self, who: Who) -> Option<Standing> {
        self.quotas.as_ref().map(|quotas| quotas.count(who))
    }

    /// Forgets who has all of the quota again. To be called now and then.
    pub(crate) fn forget(&self) {
        if let Some(quotas) = &self.quotas {
            quotas.users.forget();
            quotas.addresses.forget();
        }
    }
}

/// How a caller stands, as the fields of an answer say it (draft-ietf-httpapi-ratelimit-headers-10).
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    policy: HeaderValue,
    limit: HeaderValue,
    /// How long to wait, when the call is one too many.
    pub(crate) refused: Option<Duration>,
}

impl Standing {
    /// Adds the fields to an answer.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.policy.clone());
        headers.insert(LIMIT, self.limit.clone());
    }
}

struct Quotas {
    users: Counter<Uuid>,
    addresses: Counter<u128>,
    policy: HeaderValue,
    /// How long it takes until one more call is allowed.
    refill: Duration,
    requests: u32,
}

impl Quotas {
    fn new(settings: &RateLimitSettings) -> Self {
        let (requests, window_s) = (settings.requests.max(1), settings.window_s.max(1));
        let refill = Duration::from_secs(window_s) / requests;
        let policy = format!("\"default\";q={requests};w={window_s}");
        Self {
            users: Counter::new(refill, requests, settings.max_tracked),
            addresses: Counter::new(refill, requests, settings.max_tracked),
            policy: header(&policy),
            refill,
            requests,
        }
    }

    fn count(&self, who: Who) -> Standing {
        let outcome = match who {
            Who::User(user) => self.users.count(user.uuid(), Uuid::max()),
            Who::Address(address) => self.addresses.count(address.map_or(0, throttle_key), NO_ROOM),
        };
        let (remaining, refused) = match outcome {
            Ok(remaining) => (remaining, None),
            Err(wait) => (0, Some(wait)),
        };
        // Until all of the quota is there again; for those who have none left, until some is.
        let reset = match refused {
            Some(wait) => wait,
            None if remaining == 0 => self.refill,
            None => self.refill.saturating_mul(self.requests.saturating_sub(remaining)),
        };
        let reset_s = reset.as_secs() + u64::from(reset.subsec_nanos() > 0);
        let limit = header(&format!("\"default\";r={remaining};t={}", reset_s.max(1)));
        Standing { policy: self.policy.clone(), limit, refused }
    }
}

fn header(text: &str) -> HeaderValue {
    // Digits and a few signs: always sane.
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// One kind of callers, in bounded memory.
struct Counter<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    max_tracked: usize,
    calls: AtomicU32,
    full: AtomicBool,
}

impl<K: Hash + Eq + Clone> Counter<K> {
    fn new(refill: Duration, requests: u32, max_tracked: usize) -> Self {
        let burst = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(refill.max(Duration::from_nanos(1)))
            .unwrap_or(Quota::per_second(burst))
            .allow_burst(burst);
        Self {
            limiter: RateLimiter::dashmap(quota).with_middleware(),
            max_tracked,
            calls: AtomicU32::new(0),
            full: AtomicBool::new(false),
        }
    }

    /// How much is left, or how long to wait. `no_room` is whom newcomers count for when there is no room.
    fn count(&self, key: K, no_room: K) -> Result<u32, Duration> {
        // Counting the places takes every lock of the map.
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK_EVERY) {
            self.full.store(self.limiter.len() >= self.max_tracked, Ordering::Relaxed);
        }
        let key = if self.full.load(Ordering::Relaxed) { no_room } else { key };
        match self.limiter.check_key(&key) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(not_until) => Err(not_until.wait_time_from(DefaultClock::default().now())),
        }
    }

    fn forget(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.full.store(self.limiter.len() >= self.max_tracked, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Instant;

    use super::*;

    /// Nothing fills up again while a test runs, however slow the machine is.
    const WINDOW_S: u64 = 3_600;

    fn limits(requests: u32, max_tracked: usize) -> Limits {
        Limits::new(&RateLimitSettings { enabled: true, requests, window_s: WINDOW_S, max_tracked })
    }

    fn from(address: &str) -> Who {
        Who::Address(Some(address.parse().unwrap()))
    }

    fn said(standing: &Standing) -> (String, String) {
        let mut headers = HeaderMap::new();
        standing.tell(&mut headers);
        let text = |name: &HeaderName| headers.get(name).unwrap().to_str().unwrap().to_owned();
        (text(&POLICY), text(&LIMIT))
    }

    #[test]
    fn the_fields_say_what_is_left_and_until_when() {
        let limits = limits(6_000, 100);
        let first = limits.count(from("1.2.3.4")).unwrap();
        assert!(first.refused.is_none());
        let wanted = ("\"default\";q=6000;w=3600".to_owned(), "\"default\";r=5999;t=1".to_owned());
        assert_eq!(said(&first), wanted);
    }

    #[test]
    fn all_of_the_quota_can_be_used_at_once_and_then_no_more() {
        let limits = limits(3, 100);
        let began = Instant::now();
        for left in [2, 1, 0] {
            let standing = limits.count(from("1.2.3.4")).unwrap();
            assert!(standing.refused.is_none());
            assert!(said(&standing).1.contains(&format!(";r={left};")), "{standing:?}");
        }
        let standing = limits.count(from("1.2.3.4")).unwrap();
        let wait = standing.refused.unwrap();
        let took = began.elapsed();
        // From the first call on, a third of the window.
        let refill = Duration::from_secs(WINDOW_S / 3);
        assert!(wait <= refill && wait + took >= refill, "{wait:?} after {took:?}");
        let rounded_up = wait.as_nanos().div_ceil(1_000_000_000);
        assert_eq!(said(&standing).1, format!("\"default\";r=0;t={rounded_up}"));
    }

    #[test]
    fn users_and_addresses_are_counted_apart() {
        let limits = limits(1, 100);
        let user = |n| Who::User(UserId::new(Uuid::from_u128(n)));
        for who in [user(1), user(2), from("1.2.3.4"), from("2001:db8::1")] {
            assert!(limits.count(who).unwrap().refused.is_none(), "{who:?}");
            assert!(limits.count(who).unwrap().refused.is_some(), "{who:?}");
        }
        assert!(limits.count(from("2001:db8::2")).unwrap().refused.is_some(), "the same network");
    }

    #[test]
    fn memory_is_bounded_and_a_flood_of_addresses_harms_no_user() {
        let limits = limits(2, 10);
        let network = |n: u32| Who::Address(Some(IpAddr::from(std::net::Ipv4Addr::from(n))));
        let refused = (0..1_000).filter(|n| limits.count(network(*n)).unwrap().refused.is_some()).count();
        let tracked = limits.quotas.as_ref().unwrap().addresses.limiter.len();
        assert!(tracked <= 10 + LOOK_EVERY as usize, "{tracked}");
        assert!(refused > 900, "{refused}");
        assert!(limits.count(Who::User(UserId::new(Uuid::nil()))).unwrap().refused.is_none());
    }

    #[test]
    fn who_has_all_of_the_quota_again_is_forgotten() {
        let limits = Limits::new(&RateLimitSettings {
            enabled: true,
            requests: 1_000_000,
            window_s: 1,
            max_tracked: 1,
        });
        limits.count(from("1.2.3.4"));
        let addresses = &limits.quotas.as_ref().unwrap().addresses;
        while !addresses.limiter.is_empty() {
            limits.forget();
        }
        assert!(!addresses.full.load(Ordering::Relaxed));
    }

    #[test]
    fn it_can_be_switched_off() {
        let off = RateLimitSettings { enabled: false, requests: 1, window_s: 60, max_tracked: 1 };
        assert!(Limits::new(&off).count(from("1.2.3.4")).is_none());
    }
}
