//! From a message to the use case.

use std::{sync::Arc, time::Duration};

use techsupport_application::{
    AppError, Budget,
    deliveries::{RetryPolicy, Verdict, deliver_event},
    ports::{Channel, UnitOfWork},
};
use techsupport_messaging::{Handler, Message};

/// Delivers the events of one subscription through its channels.
pub(crate) struct Deliver {
    pub(crate) work: Arc<dyn UnitOfWork + Send + Sync>,
    /// By this name the inbox remembers what is done.
    pub(crate) consumer: &'static str,
    pub(crate) channels: Vec<Box<dyn Channel>>,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: Duration,
}

impl Handler for Deliver {
    fn handle(&self, message: &Message) -> Result<Verdict, AppError> {
        let budget = Budget::lasting(self.budget);
        let work = self.work.as_ref();
        deliver_event(work, &budget, self.consumer, &self.channels, &self.retry, &message.body)
    }
}
