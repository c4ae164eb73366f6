//! The line itself, as bunyan readers expect it.

use serde::Serialize;
use techsupport_application::{
    TraceContext,
    ports::{Notification, Parcel},
    wire_time,
};
use time::OffsetDateTime;

use crate::log_channel::Source;

/// Bunyan's WARN: a person should look.
const LEVEL: u8 = 40;

/// What a line says, by which it is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum LineType {
    /// A deadline passed and the ticket was escalated.
    #[serde(rename = "SLA_ESCALATED")]
    Escalated,
    /// A deadline passed, or a step after it was due.
    #[serde(rename = "SLA_BREACH_NOTIFICATION")]
    Breach,
    /// A deadline is near.
    #[serde(rename = "SLA_WARNING")]
    Warning,
}

impl LineType {
    /// The names above.
    pub(crate) const NAMES: [&'static str; 3] = ["SLA_ESCALATED", "SLA_BREACH_NOTIFICATION", "SLA_WARNING"];
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bunyan<'a> {
    v: u8,
    name: &'a str,
    msg: String,
    level: u8,
    hostname: &'a str,
    pid: u32,
    #[serde(serialize_with = "wire_time::serialize")]
    time: OffsetDateTime,
    #[serde(rename = "type")]
    line_type: LineType,
    event_id: String,
    #[serde(serialize_with = "wire_time::serialize")]
    event_time: OffsetDateTime,
    attempt: u32,
    trace_id: Option<String>,
    traceparent: &'a str,
    ticket_id: &'a str,
    number: &'a str,
    client_type: &'a str,
    metric: &'a str,
    #[serde(serialize_with = "wire_time::serialize")]
    due_at: OffsetDateTime,
    #[serde(flatten)]
    details: Details,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Details {
    #[serde(rename_all = "camelCase")]
    Breach { step: i16, needs_supervisor_notif: bool, escalation_level: u8, sla_hours_elapsed: f64 },
    #[serde(rename_all = "camelCase")]
    Warning { percent: u32 },
}

/// One line of JSON, with its newline.
pub(crate) fn line(
    parcel: &Parcel,
    attempt: u32,
    source: &Source,
    now: OffsetDateTime,
) -> serde_json::Result<Vec<u8>> {
    let (line_type, msg, (ticket_id, number, client_type, metric, due_at), details) =
        match &parcel.notification {
            Notification::Breach(breach) => {
                let (line_type, what) = if breach.escalated {
                    (LineType::Escalated, "was escalated")
                } else {
                    (LineType::Breach, "needs a supervisor's attention")
                };
                (
                    line_type,
                    format!(
                        "{} of a {} client is past its {} deadline and {what}",
                        breach.number, breach.client_type, breach.metric
                    ),
                    (&breach.ticket_id, &breach.number, &breach.client_type, &breach.metric, breach.due_at),
                    Details::Breach {
                        step: breach.step,
                        needs_supervisor_notif: breach.needs_supervisor_notif,
                        escalation_level: breach.escalation_level,
                        sla_hours_elapsed: breach.sla_hours_elapsed,
                    },
                )
            }
            Notification::Warning(warning) => (
                LineType::Warning,
                format!(
                    "{} of a {} client has used {} % of its time for {}",
                    warning.number, warning.client_type, warning.percent, warning.metric
                ),
                (&warning.ticket_id, &warning.number, &warning.client_type, &warning.metric, warning.due_at),
                Details::Warning { percent: warning.percent },
            ),
        };
    let mut bytes = serde_json::to_vec(&Bunyan {
        v: 0,
        name: source.name,
        msg,
        level: LEVEL,
        hostname: &source.hostname,
        pid: source.pid,
        time: now,
        line_type,
        event_id: parcel.event.to_string(),
        event_time: parcel.at,
        attempt,
        trace_id: TraceContext::parse(&parcel.traceparent).map(|trace| trace.trace_id()),
        traceparent: &parcel.traceparent,
        ticket_id,
        number,
        client_type,
        metric,
        due_at,
        details,
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}
