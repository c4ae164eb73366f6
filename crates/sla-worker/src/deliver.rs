//! From a message to the use case.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    Actor, AppError, Budget, Call, Ctx, Ports, TraceContext,
    deliveries::{RetryPolicy, Verdict, deliver_event},
    ports::{Channel, Passwords},
};
use techsupport_messaging::{Handler, Message};

/// Delivers the events of one subscription through its channels.
pub(crate) struct Deliver {
    pub(crate) ports: Arc<Ports>,
    /// By this name the inbox remembers what is done.
    pub(crate) consumer: &'static str,
    pub(crate) channels: Vec<Box<dyn Channel>>,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Duration,
}

impl Handler for Deliver {
    fn handle(&self, message: &Message) -> Result<Verdict, AppError> {
        let call = Call {
            actor: Actor::System,
            trace: self.trace(message),
            budget: Arc::new(Budget::lasting(self.budget)),
        };
        let ctx = Ctx { ports: &self.ports, call: &call };
        deliver_event(ctx, self.consumer, &self.channels, &self.retry, &message.body)
    }
}

impl Deliver {
    fn trace(&self, message: &Message) -> TraceContext {
        let fresh = self.ports.new_id;
        match message.traceparent.as_deref().and_then(TraceContext::parse) {
            Some(parent) => parent.child(fresh()),
            None => TraceContext::start(fresh(), fresh()),
        }
    }
}

/// The worker signs nobody in.
pub(crate) struct NoPasswords;

impl NoPasswords {
    fn refused<T>() -> Result<T, AppError> {
        Err(AppError::internal("the worker has no business with passwords"))
    }
}

impl Passwords for NoPasswords {
    fn hash(&self, _: &str) -> Result<String, AppError> {
        Self::refused()
    }

    fn verify(&self, _: &str, _: Option<&str>) -> Result<bool, AppError> {
        Self::refused()
    }

    fn is_common(&self, _: &str) -> bool {
        true
    }
}
