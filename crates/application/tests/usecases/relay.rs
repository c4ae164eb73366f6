//! One pass of the relay.

use std::time::Duration;

use techsupport_application::{
    AppError,
    events::OutboxMessage,
    ports::{EventPublisher, Outbox, PublishFailure, PublishReport},
    relay_outbox,
};
use techsupport_domain::EventId;

use crate::fakes::new_id;

/// Hands over nothing and answers as if this had been published.
struct Shelf(PublishReport);

impl Outbox for Shelf {
    fn relay(
        &self,
        _: u32,
        _: Duration,
        publish: &mut dyn FnMut(&[OutboxMessage]) -> Result<PublishReport, AppError>,
    ) -> Result<PublishReport, AppError> {
        publish(&[])?;
        Ok(self.0.clone())
    }
}

struct Broker(bool);

impl EventPublisher for Broker {
    fn publish(&self, _: &[OutboxMessage]) -> Result<PublishReport, AppError> {
        let reason = "connection refused".to_owned();
        if self.0 {
            Ok(PublishReport::default())
        } else {
            Err(AppError::Unavailable { reason, retry_after: Duration::from_secs(1) })
        }
    }
}

#[test]
fn a_full_batch_of_which_something_got_through_says_that_there_is_more() {
    let event = || EventId::new(new_id());
    let failed = vec![PublishFailure { event: event(), reason: "NO_ROUTE".to_owned() }];
    let shelf = Shelf(PublishReport { published: vec![event(), event()], failed: failed.clone() });
    let report = |batch| relay_outbox(&shelf, &Broker(true), batch, Duration::from_secs(1)).unwrap();
    assert_eq!((report(3).published, report(3).more), (2, true));
    assert_eq!(report(3).failed, failed);
    assert!(!report(4).more);
    let shelf = Shelf(PublishReport { published: Vec::new(), failed });
    let report = relay_outbox(&shelf, &Broker(true), 1, Duration::from_secs(1)).unwrap();
    assert!(!report.more, "going on at once would be a busy loop");
}

#[test]
fn a_broker_that_is_down_is_an_error_that_goes_away() {
    let shelf = Shelf(PublishReport::default());
    let error = relay_outbox(&shelf, &Broker(false), 10, Duration::from_secs(1)).unwrap_err();
    assert!(error.is_transient());
}
