//! Logins that have ended while access tokens of them may still be about.
//!
//! Every replica keeps them in memory, so that a request costs no query: what it ends itself at once, what others
//! end as soon as a look at the database tells ([`Revocations::learn`], ADR 010). An end is forgotten when no token
//! of the login can be good any more, so there are never more than logins end within that time, and those are
//! bounded by how often somebody can sign in.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use techsupport_domain::SessionId;

use crate::{AuthSettings, HttpSettings};

/// The ends of logins that matter, shared between the server and whoever looks for them.
#[derive(Debug)]
pub struct Revocations {
    keep: Duration,
    max_age: Duration,
    known: RwLock<Known>,
}

#[derive(Debug)]
struct Known {
    /// Until when to remember each.
    ended: HashMap<SessionId, Instant>,
    /// When the last look began that was answered.
    looked: Instant,
}

impl Revocations {
    /// Nothing is known yet: the first look has to come before the first request.
    pub fn new(auth: &AuthSettings, http: &HttpSettings) -> Self {
        // A refresh may sign its token as late as its request lasts after the login has ended, with a clock that is
        // ahead by the leeway.
        let after_the_end = http.request_timeout() + Duration::from_secs(auth.leeway_s);
        let life = Duration::from_secs(auth.access_lifetime_s.saturating_add(auth.leeway_s));
        Self {
            keep: life + after_the_end,
            max_age: Duration::from_millis(auth.revocations.max_age_ms),
            known: RwLock::new(Known { ended: HashMap::new(), looked: Instant::now() }),
        }
    }

    /// How long ago a login may have ended whose tokens could still be good.
    pub fn window(&self) -> Duration {
        self.keep
    }

    /// What a look has found that began at `looked`.
    pub fn learn(&self, looked: Instant, ended: impl IntoIterator<Item = SessionId>) {
        let mut known = self.write();
        known.ended.retain(|_, until| *until > looked);
        for session in ended {
            known.ended.entry(session).or_insert(looked + self.keep);
        }
        known.looked = known.looked.max(looked);
        metrics::gauge!("auth_ended_sessions_known")
            .set(f64::from(u32::try_from(known.ended.len()).unwrap_or(u32::MAX)));
    }

    /// What this process has just ended itself.
    pub(crate) fn add(&self, ended: impl IntoIterator<Item = SessionId>) {
        let until = Instant::now() + self.keep;
        let mut known = self.write();
        known.ended.extend(ended.into_iter().map(|session| (session, until)));
    }

    /// Whether the login has ended; an error when nobody has been able to tell for too long.
    pub(crate) fn is_ended(&self, session: SessionId) -> Result<bool, TooOld> {
        let known = self.read();
        if self.is_too_old(&known) {
            return Err(TooOld);
        }
        Ok(known.ended.contains_key(&session))
    }

    /// Whether nobody has been able to tell for too long.
    pub(crate) fn are_too_old(&self) -> bool {
        self.is_too_old(&self.read())
    }

    fn is_too_old(&self, known: &Known) -> bool {
        known.looked.elapsed() > self.max_age
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of ended logins is too old to let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooOld;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use uuid::Uuid;

    use super::*;

    const KEEP: Duration = Duration::from_mins(1);

    fn revocations(max_age: Duration) -> Revocations {
        let known = RwLock::new(Known { ended: HashMap::new(), looked: Instant::now() });
        Revocations { keep: KEEP, max_age, known }
    }

    fn session(n: u128) -> SessionId {
        SessionId::new(Uuid::from_u128(n))
    }

    #[test]
    fn an_end_is_known_at_once_and_forgotten_when_its_tokens_have_expired() {
        let revocations = revocations(Duration::MAX);
        let now = Instant::now();
        revocations.add([session(1)]);
        revocations.learn(now, [session(2)]);
        let known = |n| revocations.is_ended(session(n)).unwrap();
        assert_eq!([known(1), known(2), known(3)], [true, true, false]);
        // Found again by a later look, it is not kept for longer.
        revocations.learn(now + KEEP / 2, [session(2), session(3)]);
        revocations.learn(now + KEEP + Duration::from_secs(1), []);
        assert_eq!([known(2), known(3)], [false, true]);
    }

    #[test]
    fn nobody_is_let_in_on_knowledge_that_is_too_old() {
        let revocations = revocations(Duration::ZERO);
        assert_eq!(revocations.is_ended(session(1)), Err(TooOld));
        revocations.learn(Instant::now() + KEEP, []);
        assert_eq!(revocations.is_ended(session(1)), Ok(false));
    }
}
