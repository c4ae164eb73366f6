//! The ledger that explains a ticket's deadlines.

use actix_web::HttpResponse;
use serde::Serialize;
use techsupport_application::{
    tickets::{self, Ledger, LedgerPage, RanStep},
    wire_time,
};
use techsupport_domain::{
    TicketId,
    sla::{Cycle, Segment, Step},
};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::{
    inbound::Inbound,
    openapi::{Operation, Tag, samples, terms},
    routes::Answer,
};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SlaLedger)]
struct LedgerDto {
    #[schema(required, schema_with = terms::id)]
    ticket_id: String,
    clocks: Vec<PageDto>,
    /// Whether all of the history was looked at. Of a very long one only the beginning is.
    complete: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerClock)]
struct PageDto {
    #[schema(required, schema_with = terms::metric)]
    metric: &'static str,
    #[schema(required, schema_with = terms::clock_state)]
    state: &'static str,
    /// The version of the policy that is in force for this clock.
    #[schema(required, schema_with = terms::id)]
    policy_version_id: String,
    #[schema(required, schema_with = terms::calendar)]
    calendar: &'static str,
    #[schema(required, schema_with = terms::minutes)]
    target_minutes: u32,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    started_at: OffsetDateTime,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    due_at: OffsetDateTime,
    #[serde(serialize_with = "wire_time::option::serialize")]
    #[schema(required, schema_with = terms::or_null::moment)]
    stopped_at: Option<OffsetDateTime>,
    /// Oldest first; the last one is the present one.
    cycles: Vec<CycleDto>,
    /// Of the present cycle, earliest first.
    steps_to_come: Vec<ComingDto>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerCycle)]
struct CycleDto {
    #[schema(required, schema_with = terms::count)]
    cycle: u16,
    segments: Vec<SegmentDto>,
    steps_run: Vec<RanDto>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerSegment)]
struct SegmentDto {
    #[schema(required, schema_with = terms::segment)]
    segment: &'static str,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    from: OffsetDateTime,
    /// Null while it lasts.
    #[serde(serialize_with = "wire_time::option::serialize")]
    #[schema(required, schema_with = terms::or_null::moment)]
    to: Option<OffsetDateTime>,
    #[schema(required, schema_with = terms::segment_reason)]
    why: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerStepRun)]
struct RanDto {
    #[schema(required, schema_with = terms::step)]
    step: i16,
    #[schema(required, schema_with = terms::timeline_action)]
    action: String,
    #[schema(required, schema_with = terms::moment)]
    due_at: String,
    #[serde(serialize_with = "wire_time::serialize")]
    #[schema(required, schema_with = terms::moment)]
    ran_at: OffsetDateTime,
    #[schema(required, schema_with = terms::id)]
    event_id: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerStepToCome)]
struct ComingDto {
    #[schema(required, schema_with = terms::step)]
    step: i16,
    #[schema(required, schema_with = terms::step_action)]
    action: &'static str,
    /// Null while the clock stands still.
    #[serde(serialize_with = "wire_time::option::serialize")]
    #[schema(required, schema_with = terms::or_null::moment)]
    at: Option<OffsetDateTime>,
}

impl From<Ledger> for LedgerDto {
    fn from(ledger: Ledger) -> Self {
        Self {
            ticket_id: ledger.ticket.id.to_string(),
            clocks: ledger.pages.into_iter().map(PageDto::from).collect(),
            complete: ledger.complete,
        }
    }
}

impl From<LedgerPage> for PageDto {
    fn from(LedgerPage { clock, cycles, steps }: LedgerPage) -> Self {
        Self {
            metric: clock.metric.name(),
            state: clock.state().name(),
            policy_version_id: clock.terms.policy_version.to_string(),
            calendar: clock.terms.calendar.name(),
            target_minutes: clock.terms.target.get(),
            started_at: clock.started_at,
            due_at: clock.due_at,
            stopped_at: clock.stopped_at(),
            cycles: cycles.into_iter().map(|cycle| cycle_dto(cycle, &steps)).collect(),
            steps_to_come: clock.steps_to_come().into_iter().map(ComingDto::from).collect(),
        }
    }
}

fn cycle_dto(cycle: Cycle, steps: &[RanStep]) -> CycleDto {
    let ran = steps.iter().filter(|step| step.cycle == cycle.number);
    CycleDto {
        cycle: cycle.number,
        segments: cycle.segments.into_iter().map(SegmentDto::from).collect(),
        steps_run: ran.map(RanDto::from).collect(),
    }
}

impl From<Segment> for SegmentDto {
    fn from(segment: Segment) -> Self {
        Self { segment: segment.stretch.name(), from: segment.from, to: segment.to, why: segment.why.name() }
    }
}

impl From<&RanStep> for RanDto {
    fn from(step: &RanStep) -> Self {
        Self {
            step: step.step,
            action: step.action.clone(),
            due_at: step.due_at.clone(),
            ran_at: step.ran_at,
            event_id: step.event.to_string(),
        }
    }
}

impl From<(Step, Option<OffsetDateTime>)> for ComingDto {
    fn from((step, at): (Step, Option<OffsetDateTime>)) -> Self {
        Self { step: step.key.get(), action: step.action.name(), at }
    }
}

/// `GET /api/tickets/{id}/sla`
pub(crate) async fn ledger(inbound: Inbound) -> Answer {
    let id = inbound.id(TicketId::new)?;
    let ledger = inbound.run(move |ctx| tickets::sla_ledger(ctx, id)).await?;
    Ok(HttpResponse::Ok().json(LedgerDto::from(ledger)))
}

pub(crate) fn ledger_docs() -> Operation {
    let sample = samples::ticket().map(|ticket| {
        let page = |clock: &techsupport_domain::sla::Clock| LedgerPage {
            clock: clock.clone(),
            cycles: clock.ledger(ticket.created_at, &[]),
            steps: Vec::new(),
        };
        let pages = ticket.clocks.iter().map(page).collect();
        LedgerDto::from(Ledger { pages, complete: true, ticket: ticket.clone() })
    });
    Operation::new("explainDeadlines", Tag::Tickets, "Explain a ticket's deadlines")
        .about(
            "For each clock its cycles (a new one begins when a ticket is reopened after a breach), each with the stretches \
             in which it ran and stood still and why, and the steps that ran; the steps still to come; the version of the \
             policy in force. Where stretches leave a gap the ticket was answered. With the calendar 24X7 there are no \
             stretches outside of working hours.",
        )
        .answers(200, "The ledger.", sample)
}
