//! The loop that forgets kept answers whose time is over, a bounded number at a time.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    Actor, AppError, Budget, Call, Ctx, Ports, TraceContext, repeats::forget_answers,
};
use techsupport_bootstrap::ids;

use super::{Next, Pass, meters};
use crate::settings::{IdempotencySettings, ms};

/// See the module.
pub(crate) struct Forget {
    ports: Arc<Ports>,
    settings: IdempotencySettings,
}

impl Forget {
    pub(crate) fn new(ports: Arc<Ports>, settings: IdempotencySettings) -> Self {
        Self { ports, settings }
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
        let forgotten = forget_answers(Ctx::new(&self.ports, &call), self.settings.batch)?;
        meters::forgotten(forgotten);
        // A full batch says that there is more. It rests all the same: nobody waits for it.
        let wait =
            if forgotten >= self.settings.batch { self.settings.pause_ms } else { self.settings.poll_ms };
        Ok(Next::After(ms(wait)))
    }
}
