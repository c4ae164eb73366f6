//! Bringing an event to the people who have to know, once.
//!
//! Each event has one delivery for each channel that wants it. An attempt is counted and leased in one
//! transaction, made outside of any, and settled in another one together with the inbox row. A worker that
//! dies in between leaves a lease that ends by itself; the next one attempts again, knowing that it is not
//! the first. Nothing is acknowledged to the broker before the settlement has committed.
//!
//! The inbox row says that everybody who wanted the event has it. An event that somebody gave up never gets
//! one, so that a message that comes again, because the worker died before its dead letter was written, is
//! dead-lettered then. Only a replay (`dead_letters.rs`) has it tried again, as often as if it were new; the
//! numbers of the attempts go on.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use techsupport_domain::EventId;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    AppError, Budget,
    events::EventType,
    ports::{Channel, ChannelError, ChannelName, Claim, Notification, Parcel, Tx, UnitOfWork, UnitOfWorkExt},
};

/// How often to try, and when.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Attempts before a delivery is given up; at least 1.
    pub max_attempts: u32,
    /// Waits between attempts; the last one repeats.
    pub delays: Vec<Duration>,
    /// How much longer than the channel's own timeout a lease lasts.
    pub lease_margin: Duration,
}

impl RetryPolicy {
    /// The wait after this attempt, from 1; `None` when it was the last.
    pub fn after(&self, attempt: u32) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        self.delays.get(index).or(self.delays.last()).copied()
    }
}

/// What is to become of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everybody who wanted it has it, or there was nobody. Acknowledge.
    Done,
    /// Somebody has to wait. Hand it back after this time, then acknowledge.
    Later {
        /// How long.
        wait: Duration,
        /// Why, for the log.
        reason: String,
    },
    /// No attempt is left, or none makes sense. Dead-letter with the reason, then acknowledge.
    Dead {
        /// For the administrator.
        reason: String,
        /// How many attempts were made.
        attempts: u32,
    },
}

/// The members of a CloudEvents document that a consumer needs.
#[derive(Debug, Deserialize)]
struct Received {
    id: Uuid,
    #[serde(rename = "type")]
    event_type: String,
    #[serde(with = "time::serde::rfc3339")]
    time: OffsetDateTime,
    #[serde(default)]
    traceparent: String,
    data: Value,
}

/// Brings the event in `body` through each of the channels that wants it.
///
/// An error means that the database could not be used: nothing is known, the message has to stay.
pub fn deliver_event(
    work: &dyn UnitOfWork,
    budget: &Budget,
    consumer: &str,
    channels: &[Box<dyn Channel>],
    retry: &RetryPolicy,
    body: &[u8],
) -> Result<Verdict, AppError> {
    // Nobody listens here: not even an event of a later release, which this one does not know, is a mistake.
    if channels.is_empty() {
        return Ok(Verdict::Done);
    }
    let parcel = match open_parcel(body) {
        Ok(Some(parcel)) => parcel,
        Ok(None) => return Ok(Verdict::Done),
        Err(reason) => return Ok(Verdict::Dead { reason, attempts: 0 }),
    };
    let wanted: Vec<&dyn Channel> =
        channels.iter().map(AsRef::as_ref).filter(|channel| channel.wants(&parcel.notification)).collect();
    if wanted.is_empty() || work.run_for(budget, |tx| tx.in_inbox(consumer, parcel.event))? {
        return Ok(Verdict::Done);
    }
    let delivery = Delivery { work, budget, consumer, retry, parcel: &parcel };
    let mut verdict = Verdict::Done;
    for (index, channel) in wanted.iter().enumerate() {
        let closes = index + 1 == wanted.len() && verdict == Verdict::Done;
        verdict = worse(verdict, delivery.attempt(*channel, closes)?);
    }
    Ok(verdict)
}

/// `None` for events that no channel could want, an error for what is no event of ours.
fn open_parcel(body: &[u8]) -> Result<Option<Parcel>, String> {
    let received: Received =
        serde_json::from_slice(body).map_err(|error| format!("not a CloudEvents document: {error}"))?;
    let Some(event_type) = EventType::parse(&received.event_type) else {
        return Err(format!("unknown event type {}", received.event_type));
    };
    let wrong = |error: serde_json::Error| format!("malformed data of {}: {error}", event_type.name());
    let notification = match event_type {
        EventType::SlaWarning => Notification::Warning(serde_json::from_value(received.data).map_err(wrong)?),
        EventType::SlaBreached => Notification::Breach(serde_json::from_value(received.data).map_err(wrong)?),
        EventType::TicketCreated
        | EventType::TicketEdited
        | EventType::TicketStatusChanged
        | EventType::TicketAssigned
        | EventType::TicketCommented
        | EventType::TicketDeleted
        | EventType::TicketRestored
        | EventType::ImportRequested => return Ok(None),
    };
    Ok(Some(Parcel {
        event: EventId::new(received.id),
        at: received.time,
        traceparent: received.traceparent,
        notification,
    }))
}

/// An attempt that was granted.
#[derive(Clone, Copy)]
struct Attempt {
    /// Its number, from 1.
    number: u32,
    /// How many of those came before the last replay.
    forgiven: u32,
}

impl Attempt {
    /// The same, from 1 since the last replay: what the limit and the waits go by.
    fn counted(self) -> u32 {
        self.number.saturating_sub(self.forgiven)
    }
}

struct Delivery<'a> {
    work: &'a dyn UnitOfWork,
    budget: &'a Budget,
    consumer: &'a str,
    retry: &'a RetryPolicy,
    parcel: &'a Parcel,
}

impl Delivery<'_> {
    /// One attempt through one channel. With `closes` everybody has the event once this channel has: then
    /// the inbox row is written in the transaction of the effect.
    fn attempt(&self, channel: &dyn Channel, closes: bool) -> Result<Verdict, AppError> {
        let (event, name) = (self.parcel.event, channel.name());
        let lease = channel.send_timeout() + self.retry.lease_margin;
        let claim = self.in_transaction(|tx| {
            let claim = tx.claim_delivery(event, name, lease)?;
            if claim == Claim::Delivered && closes {
                tx.put_in_inbox(self.consumer, event)?;
            }
            Ok(claim)
        })?;
        let attempt = match claim {
            Claim::Delivered => return Ok(Verdict::Done),
            Claim::GivenUp { reason, attempts } => {
                return Ok(Verdict::Dead { reason: format!("{}: {reason}", name.0), attempts });
            }
            Claim::NotYet { wait } => {
                let reason = format!("the delivery through {} is leased or not due yet", name.0);
                return Ok(Verdict::Later { wait, reason });
            }
            Claim::Granted { attempt, forgiven } => Attempt { number: attempt, forgiven },
        };
        // Nobody reported the attempts before: whoever made them died each time. It will not be the last one
        // that does, unless somebody stops it.
        if attempt.counted() > self.retry.max_attempts {
            let error = ChannelError::Permanent("the worker did not survive any attempt".to_owned());
            return self.failed(name, attempt, &error);
        }
        match channel.send(self.parcel, attempt.number) {
            Ok(()) => {
                self.in_transaction(|tx| {
                    tx.delivered(event, name, attempt.number)?;
                    if closes { tx.put_in_inbox(self.consumer, event) } else { Ok(()) }
                })?;
                Ok(Verdict::Done)
            }
            Err(error) => self.failed(name, attempt, &error),
        }
    }

    fn failed(
        &self,
        channel: ChannelName,
        attempt: Attempt,
        error: &ChannelError,
    ) -> Result<Verdict, AppError> {
        let event = self.parcel.event;
        let again = match error {
            ChannelError::Temporary(_) => self.retry.after(attempt.counted()),
            ChannelError::Permanent(_) => None,
        };
        let reason = format!("{}: {error}", channel.0);
        let number = attempt.number;
        if !self.in_transaction(|tx| tx.failed(event, channel, number, &error.to_string(), again))? {
            // Another attempt has taken over, or has settled it: what became of that one is known later.
            return Ok(Verdict::Later { wait: self.retry.lease_margin, reason });
        }
        Ok(match again {
            Some(wait) => Verdict::Later { wait, reason },
            None => Verdict::Dead { reason, attempts: number },
        })
    }

    fn in_transaction<T>(&self, work: impl FnMut(&mut dyn Tx) -> Result<T, AppError>) -> Result<T, AppError> {
        self.work.run_for(self.budget, work)
    }
}

/// A channel that has to wait keeps the message alive; of two waits the shorter one counts. A channel that
/// gave up makes a dead letter once no other one waits.
fn worse(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (Verdict::Done, verdict) | (verdict, Verdict::Done) => verdict,
        (Verdict::Later { wait, reason }, Verdict::Later { wait: shorter, reason: other }) => {
            if shorter < wait {
                Verdict::Later { wait: shorter, reason: other }
            } else {
                Verdict::Later { wait, reason }
            }
        }
        (later @ Verdict::Later { .. }, Verdict::Dead { .. })
        | (Verdict::Dead { .. }, later @ Verdict::Later { .. }) => later,
        (Verdict::Dead { reason, attempts }, Verdict::Dead { reason: other, attempts: more }) => {
            Verdict::Dead { reason: format!("{reason}; {other}"), attempts: attempts.max(more) }
        }
    }
}
