//! Bringing an event to its channels.

mod channels;
mod documents;
mod retries;

use std::time::Duration;

use techsupport_application::{
    deliveries::{RetryPolicy, Verdict, deliver_event},
    ports::ChannelError,
};
use techsupport_domain::EventId;
use uuid::Uuid;

use crate::fakes::{Desk, FakeChannel, channels};

const BREACH: &str = r#"{
  "specversion": "1.0",
  "id": "01990000-0000-7000-8000-000000000001",
  "source": "/techsupport-pro",
  "type": "pro.techsupport.sla.breached.v1",
  "subject": "01990000-0000-7000-8000-000000000002",
  "time": "2026-02-12T22:45:23.123Z",
  "datacontenttype": "application/json",
  "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  "data": {
    "ticketId": "01990000-0000-7000-8000-000000000002", "number": "TS-1042", "clientType": "VIP",
    "metric": "FIRST_RESPONSE", "dueAt": "2026-02-12T22:45:23.123Z", "step": 0, "escalated": true,
    "needsSupervisorNotif": false, "escalationLevel": 1, "slaHoursElapsed": 2.0
  }
}"#;

const WARNING: &str = r#"{
  "id": "01990000-0000-7000-8000-000000000001",
  "type": "pro.techsupport.sla.warning.v1",
  "time": "2026-02-12T22:00:00Z",
  "data": {
    "ticketId": "01990000-0000-7000-8000-000000000002", "number": "TS-1042", "clientType": "VIP",
    "metric": "RESOLUTION", "dueAt": "2026-02-12T22:45:23.123Z", "percent": 75
  }
}"#;

fn event() -> EventId {
    EventId::new(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001))
}

/// Three attempts, one second and then ten seconds apart.
fn three_attempts() -> RetryPolicy {
    RetryPolicy {
        max_attempts: 3,
        delays: vec![Duration::from_secs(1), Duration::from_secs(10)],
        lease_margin: Duration::from_secs(5),
    }
}

fn deliver(desk: &Desk, to: &[&FakeChannel], body: &str) -> Verdict {
    let ctx = desk.ctx();
    let work = ctx.work;
    deliver_event(work, &ctx.call.budget, "notify", &channels(to), &three_attempts(), body.as_bytes())
        .unwrap()
}

fn in_inbox(desk: &Desk) -> bool {
    desk.store().inbox.contains(&("notify".to_owned(), event()))
}

fn busy() -> Result<(), ChannelError> {
    Err(ChannelError::Temporary("busy".to_owned()))
}

fn gone() -> Result<(), ChannelError> {
    Err(ChannelError::Permanent("no such mailbox".to_owned()))
}

fn later(seconds: u64, reason: &str) -> Verdict {
    Verdict::Later { wait: Duration::from_secs(seconds), reason: reason.to_owned() }
}

fn dead(attempts: u32, reason: &str) -> Verdict {
    Verdict::Dead { reason: reason.to_owned(), attempts }
}
