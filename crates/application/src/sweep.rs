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

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use techsupport_domain::{
    TicketId,
    ticket::{Decision, Ticket, TicketEvent},
};
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
    let swept = ctx.work.run_for(&ctx.call.budget, |tx| {
        let due = tx.claim_due(batch)?;
        claimed = due.tickets.iter().map(|ticket| ticket.id).collect();
        let mut pass = run_steps(ctx, tx, due.tickets, due.now)?;
        pass.claimed += due.corrupt.len();
        pass.set_aside.extend(due.corrupt);
        pass.set_aside = tx.set_aside(&pass.set_aside, set_aside_for)?;
        Ok(pass)
    });
    match swept {
        Ok(pass) => {
            let more = pass.claimed >= usize::try_from(batch).unwrap_or(usize::MAX);
            Ok(SweepReport { more, ..pass })
        }
        Err(error) if error.is_transient() => Err(error),
        Err(error) if claimed.is_empty() => Err(error),
        Err(_) => one_by_one(ctx, &claimed, set_aside_for),
    }
}

fn one_by_one(ctx: Ctx<'_>, tickets: &[TicketId], set_aside_for: Duration) -> Result<SweepReport, AppError> {
    let mut report = SweepReport { more: true, ..SweepReport::default() };
    let mut add = |pass: SweepReport| {
        report.claimed += pass.claimed;
        report.lags.extend(pass.lags);
        report.set_aside.extend(pass.set_aside);
    };
    for &id in tickets {
        let swept = ctx.work.run_for(&ctx.call.budget, |tx| {
            let Some((ticket, now)) = tx.lock_ticket(id)? else { return Ok(SweepReport::default()) };
            let mut pass = run_steps(ctx, tx, vec![ticket], now)?;
            pass.set_aside = tx.set_aside(&pass.set_aside, set_aside_for)?;
            Ok(pass)
        });
        match swept {
            Ok(pass) => add(pass),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                let aside = [SetAside { ticket: id, reason: error.to_string() }];
                let set_aside =
                    ctx.work.run_for(&ctx.call.budget, |tx| tx.set_aside(&aside, set_aside_for))?;
                add(SweepReport { claimed: 1, set_aside, ..SweepReport::default() });
            }
        }
    }
    Ok(report)
}

/// Runs the due steps of locked tickets and records them. Tickets the domain makes nothing of are named for
/// setting aside.
fn run_steps(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    tickets: Vec<Ticket>,
    now: OffsetDateTime,
) -> Result<SweepReport, AppError> {
    let mut pass = SweepReport { claimed: tickets.len(), ..SweepReport::default() };
    let mut changes = Vec::with_capacity(tickets.len());
    for ticket in tickets {
        let id = ticket.id;
        match decide(ticket, now) {
            Ok(decision) => changes.extend(TicketChange::of(ctx, decision, Actor::System, now)?),
            Err(reason) => pass.set_aside.push(SetAside { ticket: id, reason: reason.to_owned() }),
        }
    }
    tx.record(&changes)?;
    let lag = |step: &StepRun| Duration::try_from(now - step.due_at).unwrap_or_default();
    pass.lags = changes.iter().flat_map(|change| change.steps().iter().map(lag)).collect();
    Ok(pass)
}

/// One ticket whose rules panic, or disagree with the database about what is due, must not take the others of
/// its batch with it, again and again.
fn decide(ticket: Ticket, now: OffsetDateTime) -> Result<Decision<Ticket, TicketEvent>, &'static str> {
    match catch_unwind(AssertUnwindSafe(|| ticket.run_due_steps(now))) {
        Ok(Some(decision)) => Ok(decision),
        Ok(None) => Err("the database says that a step is due, the rules say that none is"),
        Err(_) => Err("the rules panicked"),
    }
}
