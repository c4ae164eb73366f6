//! Deliveries inside a transaction.

use std::time::Duration;

use techsupport_application::{
    AppError,
    ports::{ChannelName, Claim, DeliveryTx},
};
use techsupport_domain::EventId;
use time::OffsetDateTime;

use super::Store;

/// One delivery.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub attempts: u32,
    pub forgiven: u32,
    pub not_before: Option<OffsetDateTime>,
    pub delivered: bool,
    pub given_up: Option<String>,
}

impl DeliveryTx for Store {
    fn in_inbox(&mut self, consumer: &str, event: EventId) -> Result<bool, AppError> {
        Ok(self.inbox.contains(&(consumer.to_owned(), event)))
    }

    fn put_in_inbox(&mut self, consumer: &str, event: EventId) -> Result<(), AppError> {
        self.inbox.insert((consumer.to_owned(), event));
        Ok(())
    }

    fn claim_delivery(
        &mut self,
        event: EventId,
        channel: ChannelName,
        lease: Duration,
    ) -> Result<Claim, AppError> {
        let now = self.now;
        let row = self.deliveries.entry((event, channel)).or_default();
        if row.delivered {
            return Ok(Claim::Delivered);
        }
        if let Some(reason) = row.given_up.clone() {
            return Ok(Claim::GivenUp { reason, attempts: row.attempts });
        }
        if let Some(wait) = row.not_before.filter(|at| *at > now) {
            return Ok(Claim::NotYet { wait: (wait - now).try_into().unwrap() });
        }
        row.attempts += 1;
        row.not_before = Some(now + lease);
        Ok(Claim::Granted { attempt: row.attempts, forgiven: row.forgiven })
    }

    fn delivered(&mut self, event: EventId, channel: ChannelName, attempt: u32) -> Result<(), AppError> {
        let row = self.deliveries.get_mut(&(event, channel)).unwrap();
        assert_eq!(row.attempts, attempt);
        row.delivered = true;
        Ok(())
    }

    fn failed(
        &mut self,
        event: EventId,
        channel: ChannelName,
        attempt: u32,
        error: &str,
        retry_after: Option<Duration>,
    ) -> Result<bool, AppError> {
        let now = self.now;
        let row = self.deliveries.get_mut(&(event, channel)).unwrap();
        if row.delivered || row.attempts != attempt {
            return Ok(false);
        }
        row.not_before = retry_after.map(|wait| now + wait);
        row.given_up = retry_after.is_none().then(|| error.to_owned());
        Ok(true)
    }
}
