//! Events about deadlines.

use serde::{Deserialize, Serialize};
use techsupport_domain::{
    sla::{DueStep, Offset},
    ticket::{EscalationLevel, Ticket},
};
use time::{Duration, OffsetDateTime};

use crate::wire_time;

/// `pro.techsupport.sla.warning.v1`: a deadline is near.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlaWarningV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// `VIP` or `NORMAL`.
    pub client_type: String,
    /// `FIRST_RESPONSE` or `RESOLUTION`.
    pub metric: String,
    /// The deadline.
    #[serde(serialize_with = "wire_time::serialize", deserialize_with = "time::serde::rfc3339::deserialize")]
    pub due_at: OffsetDateTime,
    /// How much of the target is used up, in whole percent.
    pub percent: u32,
}

impl SlaWarningV1 {
    pub(super) fn of(ticket: &Ticket, due: &DueStep) -> Self {
        let percent = match due.step.offset {
            Offset::Percent(percent) => u32::from(percent),
            Offset::Minutes(_) => percent_used(ticket, due),
        };
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            client_type: ticket.tier.name().to_owned(),
            metric: due.metric.name().to_owned(),
            due_at: due.due_at,
            percent,
        }
    }
}

fn percent_used(ticket: &Ticket, due: &DueStep) -> u32 {
    let target =
        ticket.clocks.iter().find(|clock| clock.metric == due.metric).map(|clock| clock.terms.target);
    target
        .map_or(0, |target| {
            due.step.threshold(target).whole_seconds() * 100 / target.duration().whole_seconds()
        })
        .try_into()
        .unwrap_or(0)
}

/// `pro.techsupport.sla.breached.v1`: a deadline passed, or a step after it was due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlaBreachedV1 {
    /// Which ticket.
    pub ticket_id: String,
    /// Its number, for people.
    pub number: String,
    /// `VIP` or `NORMAL`.
    pub client_type: String,
    /// `FIRST_RESPONSE` or `RESOLUTION`.
    pub metric: String,
    /// The deadline.
    #[serde(serialize_with = "wire_time::serialize", deserialize_with = "time::serde::rfc3339::deserialize")]
    pub due_at: OffsetDateTime,
    /// 0 is the breach, higher numbers come after it.
    pub step: i16,
    /// Whether the ticket was escalated by this step.
    pub escalated: bool,
    /// Whether a supervisor has to be told.
    pub needs_supervisor_notif: bool,
    /// How often the ticket is escalated now, 0 to 3.
    pub escalation_level: u8,
    /// Working hours used up when the step was run, rounded to hundredths.
    pub sla_hours_elapsed: f64,
}

impl SlaBreachedV1 {
    pub(super) fn of(
        ticket: &Ticket,
        due: &DueStep,
        escalated: bool,
        needs_supervisor_notif: bool,
        level: EscalationLevel,
    ) -> Self {
        Self {
            ticket_id: ticket.id.to_string(),
            number: ticket.number.to_string(),
            client_type: ticket.tier.name().to_owned(),
            metric: due.metric.name().to_owned(),
            due_at: due.due_at,
            step: due.step.key.get(),
            escalated,
            needs_supervisor_notif,
            escalation_level: level.get(),
            sla_hours_elapsed: hours(due.elapsed),
        }
    }
}

fn hours(elapsed: Duration) -> f64 {
    (elapsed.as_seconds_f64() / 36.0).round() / 100.0
}
