//! Looks for logins that other replicas have ended, so that this one turns their access tokens away (ADR 010).
//!
//! A notification wakes it within milliseconds of a commit; the poll is the safety net while the connection that
//! listens is down. It has a connection of its own: neither a flood of requests nor a slow sweep may keep somebody's
//! rights alive.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use techsupport_application::{AppError, Budget, ports::Reader};
use techsupport_http::{RevocationSettings, Revocations};
use time::OffsetDateTime;

use super::{Next, Pass};
use crate::settings::ms;

/// See the module.
pub(crate) struct EndedSessions {
    reader: Arc<dyn Reader>,
    revocations: Arc<Revocations>,
    settings: RevocationSettings,
    /// Since when to look, by the database's clock. `None` before the first look.
    since: Option<OffsetDateTime>,
}

impl EndedSessions {
    pub(crate) fn new(
        reader: Arc<dyn Reader>,
        revocations: Arc<Revocations>,
        settings: RevocationSettings,
    ) -> Self {
        Self { reader, revocations, settings, since: None }
    }
}

impl Pass for EndedSessions {
    fn name(&self) -> &'static str {
        "ended-sessions"
    }

    /// Never waits longer than usual after a failure: meanwhile rights live on that somebody has taken away.
    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.poll_ms), ms(self.settings.poll_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let looked = Instant::now();
        let budget = Budget::lasting(ms(self.settings.max_age_ms));
        let ended = self.reader.ended_sessions(&budget, self.since, self.revocations.window())?;
        // The time of an end is older than its commit, by as long as a transaction may last. So every look goes
        // over the end of the stretch before it once more.
        self.since = Some(ended.as_of - Duration::from_secs(self.settings.overlap_s));
        self.revocations.learn(looked, ended.ids);
        Ok(Next::Within(ms(self.settings.poll_ms)))
    }
}
