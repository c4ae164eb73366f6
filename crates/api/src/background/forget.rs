//! The loop that forgets kept answers and settled dead letters whose time is over, a bounded number at a time.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    Actor, AppError, Budget, Call, Ctx, Ports, TraceContext, dead_letters::forget_dead_letters,
    repeats::forget_answers,
};
use techsupport_bootstrap::ids;

use super::{Next, Pass, meters};
use crate::settings::{DeadLetterSettings, IdempotencySettings, ms};

/// See the module.
pub(crate) struct Forget {
    ports: Arc<Ports>,
    settings: IdempotencySettings,
    dead_letters: DeadLetterSettings,
}

impl Forget {
    pub(crate) fn new(
        ports: Arc<Ports>,
        settings: IdempotencySettings,
        dead_letters: DeadLetterSettings,
    ) -> Self {
        Self { ports, settings, dead_letters }
    }
}

impl Pass for Forget {
    fn name(&self) -> &'static str {
        "forget"
    }

    fn backoff(&self) -> (Duration, Duration) {
        (ms(self.settings.backoff_ms), ms(self.settings.max_backoff_ms))
    }

    fn run(&mut self) -> Result<Next, AppError> {
        let call = Call {
            actor: Actor::System,
            origin: None,
            trace: TraceContext::start(ids::new_id(), ids::new_id()),
            budget: Arc::new(Budget::lasting(ms(self.settings.budget_ms))),
        };
        let (ctx, batch) = (Ctx::new(&self.ports, &call), self.settings.batch);
        let answers = if self.settings.enabled { forget_answers(ctx, batch)? } else { 0 };
        meters::forgotten(answers);
        let keep = Duration::from_hours(self.dead_letters.keep_settled_hours);
        let dead_letters = if self.dead_letters.forget { forget_dead_letters(ctx, keep, batch)? } else { 0 };
        meters::dead_letters_forgotten(dead_letters);
        // A full batch says that there is more. It rests all the same: nobody waits for it.
        let is_full = answers >= batch || dead_letters >= batch;
        let wait = if is_full { self.settings.pause_ms } else { self.settings.poll_ms };
        Ok(Next::After(ms(wait)))
    }
}
