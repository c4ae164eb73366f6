//! Explaining the deadlines of a ticket.

use serde_json::Value;
use techsupport_domain::{
    EventId, TicketId, UnknownName,
    sla::{Clock, Cycle, Happening, Metric, What},
    ticket::{Status, Ticket},
};
use time::OffsetDateTime;

use crate::{
    AppError, Ctx, Entity,
    ports::{TimelineActor, TimelineRow},
};

/// How much of a ticket's history is looked at. Far more than people make; somebody who moves a ticket to and fro
/// by a program must not make the explanation arbitrarily expensive.
const MOST_ENTRIES: u32 = 10_000;

/// Why the deadlines of a ticket are where they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// The ticket with its clocks.
    pub ticket: Ticket,
    /// For each clock of the ticket, in the same order.
    pub pages: Vec<LedgerPage>,
    /// Whether all of the history was looked at. Of a very long one only the beginning is.
    pub complete: bool,
}

/// What happened to one clock.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerPage {
    /// The clock.
    pub clock: Clock,
    /// Its cycles, oldest first.
    pub cycles: Vec<Cycle>,
    /// The steps that ran in any of them, in order.
    pub steps: Vec<RanStep>,
}

/// A step that ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RanStep {
    /// In which cycle.
    pub cycle: u16,
    /// Which one: 0 is the breach.
    pub step: i16,
    /// What the timeline calls it.
    pub action: String,
    /// The deadline as it was then, as the timeline writes it.
    pub due_at: String,
    /// When it ran.
    pub ran_at: OffsetDateTime,
    /// The event that tells of it.
    pub event: EventId,
}

/// Explains the deadlines of a ticket from its history.
pub fn sla_ledger(ctx: Ctx<'_>, id: TicketId) -> Result<Ledger, AppError> {
    let found = ctx.ports.reader.history(&ctx.call.budget, id, MOST_ENTRIES)?;
    let (ticket, rows) = found.ok_or(AppError::NotFound(Entity::Ticket))?;
    let corrupt = |reason: String| AppError::Corrupt { ticket: id, reason };
    let mut history = Vec::with_capacity(rows.len());
    let mut steps: Vec<(Metric, RanStep)> = Vec::new();
    let mut escalated_at = None;
    for row in &rows {
        let entry = read(row, escalated_at).map_err(corrupt)?;
        if let Some((_, true)) = entry.step {
            escalated_at = Some(row.at);
        }
        history.extend(entry.what.map(|what| Happening { at: row.at, what }));
        if let Some((metric, _)) = entry.step {
            steps.push((metric, ran_step(row).map_err(corrupt)?));
        }
    }
    let page = |clock: &Clock| LedgerPage {
        clock: clock.clone(),
        cycles: clock.ledger(ticket.created_at, &history),
        steps: steps.iter().filter(|(of, _)| *of == clock.metric).map(|(_, step)| step.clone()).collect(),
    };
    let pages = ticket.clocks.iter().map(page).collect();
    let complete = u32::try_from(rows.len()).is_ok_and(|count| count < MOST_ENTRIES);
    Ok(Ledger { ticket, pages, complete })
}

/// What a line of the history means.
#[derive(Default)]
struct Entry {
    what: Option<What>,
    /// A step of this clock ran, and whether it escalated the ticket.
    step: Option<(Metric, bool)>,
}

/// Reads a line. A deadline that moves the ticket has said so in the line before, at the same time; a person may
/// have moved it again at that very time.
fn read(row: &TimelineRow, escalated_at: Option<OffsetDateTime>) -> Result<Entry, String> {
    let name = |unknown: UnknownName| unknown.to_string();
    Ok(match row.action.as_str() {
        "STATUS_CHANGED" => {
            let from = Status::parse(text(&row.before, "status")?).map_err(name)?;
            let to = Status::parse(text(&row.after, "status")?).map_err(name)?;
            let by_itself = to == Status::Escalated && escalated_at == Some(row.at);
            let by_person = !by_itself || matches!(row.actor, TimelineActor::User { .. });
            Entry { what: Some(What::Moved { from, to, by_person }), ..Entry::default() }
        }
        "COMMENTED" if text(&row.after, "visibility")? == "PUBLIC" => {
            Entry { what: Some(What::Answered), ..Entry::default() }
        }
        "DELETED" => Entry { what: Some(What::Deleted), ..Entry::default() },
        "RESTORED" => Entry { what: Some(What::Restored), ..Entry::default() },
        "SLA_BREACHED" => {
            let metric = Metric::parse(text(&row.after, "metric")?).map_err(name)?;
            let escalated = row.after.get("escalated") == Some(&Value::Bool(true));
            Entry { what: Some(What::Breached { metric }), step: Some((metric, escalated)) }
        }
        "SLA_WARNED" | "SLA_ESCALATED" => {
            let metric = Metric::parse(text(&row.after, "metric")?).map_err(name)?;
            let escalated = row.after.get("escalated") == Some(&Value::Bool(true));
            Entry { what: None, step: Some((metric, escalated)) }
        }
        _ => Entry::default(),
    })
}

fn ran_step(row: &TimelineRow) -> Result<RanStep, String> {
    let number = |member: &str| row.after.get(member).and_then(Value::as_i64).ok_or(format!("no {member}"));
    Ok(RanStep {
        cycle: u16::try_from(number("cycle")?).map_err(|error| error.to_string())?,
        step: i16::try_from(number("step")?).map_err(|error| error.to_string())?,
        action: row.action.clone(),
        due_at: text(&row.after, "dueAt")?.to_owned(),
        ran_at: row.at,
        event: row.event,
    })
}

fn text<'v>(value: &'v Value, member: &str) -> Result<&'v str, String> {
    value.get(member).and_then(Value::as_str).ok_or_else(|| format!("a history entry without {member}"))
}
