//! The deadline sweep: finds SLA steps whose time has come and runs them.
//!
//! A pass claims a batch of tickets with a due step, passing over what others have locked, lets the domain
//! decide, and records everything in one transaction. The key (ticket, metric, cycle, step) is unique in
//! the database, so no number of sweeps, replicas or crashes runs a step twice; what a crash rolls back
//! is still due.
//!
//! A ticket that cannot be processed is set aside with its reason, for a while that doubles each time, and
//! reported. It never holds up the others: when a batch fails for a reason that will not go away by itself,
//! its tickets are taken one by one to find out which of them it is.

use std::time::Duration;

use techsupport_domain::{TicketId, ticket::Ticket};
use time::OffsetDateTime;

use crate::{
    Actor, AppError, Ctx, StepRun, TicketChange,
    ports::{SetAside, Tx, UnitOfWorkExt},
};

/// What a pass of the sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Tickets that were claimed.
    pub claimed: usize,
    /// How late each step was run: from when it was due to when the ticket was locked.
    pub lags: Vec<Duration>,
    /// Tickets that were set aside, with the reason.
    pub set_aside: Vec<SetAside>,
    /// Whether the batch was full, so that there is probably more.
    pub more: bool,
}

/// Runs one batch of due steps. Tickets that fail are hidden for `set_aside_for`, doubling each time.
pub fn sweep_deadlines(ctx: Ctx<'_>, batch: u32, set_aside_for: Duration) -> Result<SweepReport, AppError> {
    let mut claimed = Vec::new();
    let swept = ctx.ports.work.run_for(&ctx.call.budget, |tx| {
        let due = tx.claim_due(batch)?;
        claimed = due.tickets.iter().map(|ticket| ticket.id).collect();
        tx.set_aside(&due.corrupt, set_aside_for)?;
        let lags = run_steps(ctx, tx, due.tickets, due.now)?;
        Ok((lags, due.corrupt))
    });
    let full = usize::try_from(batch).unwrap_or(usize::MAX);
    match swept {
        Ok((lags, corrupt)) => {
            let count = claimed.len() + corrupt.len();
            Ok(SweepReport { claimed: count, lags, set_aside: corrupt, more: count >= full })
        }
        Err(error) if error.is_transient() => Err(error),
        Err(error) if claimed.is_empty() => Err(error),
        Err(_) => one_by_one(ctx, &claimed, set_aside_for),
    }
}

fn one_by_one(ctx: Ctx<'_>, tickets: &[TicketId], set_aside_for: Duration) -> Result<SweepReport, AppError> {
    let mut report = SweepReport { claimed: tickets.len(), more: true, ..SweepReport::default() };
    for &id in tickets {
        let swept = ctx.ports.work.run_for(&ctx.call.budget, |tx| match tx.lock_ticket(id)? {
            Some((ticket, now)) => run_steps(ctx, tx, vec![ticket], now),
            None => Ok(Vec::new()),
        });
        match swept {
            Ok(lags) => report.lags.extend(lags),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                let aside = SetAside { ticket: id, reason: error.to_string() };
                ctx.ports.work.run_for(&ctx.call.budget, |tx| {
                    tx.set_aside(std::slice::from_ref(&aside), set_aside_for)
                })?;
                report.set_aside.push(aside);
            }
        }
    }
    Ok(report)
}

fn run_steps(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    tickets: Vec<Ticket>,
    now: OffsetDateTime,
) -> Result<Vec<Duration>, AppError> {
    let mut changes = Vec::with_capacity(tickets.len());
    for ticket in tickets {
        if let Some(decision) = ticket.run_due_steps(now) {
            changes.extend(TicketChange::of(ctx, decision, Actor::System, now)?);
        }
    }
    tx.record(&changes)?;
    let lag = |step: &StepRun| Duration::try_from(now - step.due_at).unwrap_or_default();
    Ok(changes.iter().flat_map(|change| change.steps().iter().map(lag)).collect())
}
