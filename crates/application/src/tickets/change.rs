//! The road every change of a ticket takes: lock, notice what is overdue, compare, decide, record.

use techsupport_domain::{
    ClientTier, TicketId,
    sla::Policy,
    ticket::{Decision, Ticket, TicketEvent},
};
use time::OffsetDateTime;

use super::Expected;
use crate::{Actor, AppError, Ctx, Entity, TicketChange, ports::Tx, ports::UnitOfWorkExt};

/// What a decision about a locked ticket came to.
pub(super) type Decided = Result<Decision<Ticket, TicketEvent>, AppError>;

/// What a change came to inside of a transaction that is to be kept either way.
pub(super) type Settled = Result<Ticket, AppError>;

/// Locks the ticket, lets `decide` have it, records what came of it.
pub(super) fn change_ticket(
    ctx: Ctx<'_>,
    id: TicketId,
    expected: &Expected,
    mut decide: impl FnMut(&mut dyn Tx, Ticket, OffsetDateTime) -> Decided,
) -> Result<Ticket, AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let (ticket, now) = tx.lock_ticket(id)?.ok_or(AppError::NotFound(Entity::Ticket))?;
        change_locked(ctx, tx, (ticket, now), expected, &mut decide)
    })?
}

/// Decides about a locked ticket and records what came of it.
///
/// A deadline that has passed but was not noticed yet is dealt with first, under the same lock: a person
/// who answers a second too late does not make the breach disappear. It stays noticed when the person is
/// refused, who could not see otherwise why; then the refusal is the value.
pub(super) fn change_locked(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    (ticket, now): (Ticket, OffsetDateTime),
    expected: &Expected,
    decide: &mut dyn FnMut(&mut dyn Tx, Ticket, OffsetDateTime) -> Decided,
) -> Result<Settled, AppError> {
    let before = ticket.version;
    let ticket = run_due_steps(ctx, tx, ticket, now)?;
    let noticed = ticket.version != before;
    match expected.check(&ticket).and_then(|()| decide(tx, ticket, now)) {
        Ok(decision) => record(ctx, tx, decision, ctx.call.actor, now).map(Ok),
        Err(refusal) if noticed && refusal.is_refusal() => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}

/// A ticket that returns to work as its history knows it, the tier its client is of now, and the policy in force for
/// it. A change of the client's type passes over tickets that are resolved or deleted: so one that is no longer must
/// not miss a change that is under way.
pub(super) fn returning(
    tx: &mut dyn Tx,
    mut ticket: Ticket,
) -> Result<(Ticket, ClientTier, Policy), AppError> {
    let tier = tx.hold_tier(ticket.client)?;
    let policy = tx.policy_in_force(tier, ticket.priority)?;
    ticket.tier = tx.told_tier(ticket.id)?.unwrap_or(tier);
    Ok((ticket, tier, policy))
}

/// Deals with a deadline that has passed but was not noticed yet, for whoever may undo what comes next.
pub(super) fn notice_due_steps(ctx: Ctx<'_>, tx: &mut dyn Tx, id: TicketId) -> Result<(), AppError> {
    match tx.lock_ticket(id)? {
        Some((ticket, now)) => run_due_steps(ctx, tx, ticket, now).map(drop),
        None => Ok(()),
    }
}

/// Runs and records the steps that are due, if any are.
pub(super) fn run_due_steps(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    ticket: Ticket,
    now: OffsetDateTime,
) -> Result<Ticket, AppError> {
    match ticket.clone().run_due_steps(now) {
        Some(due) => record(ctx, tx, due, Actor::System, now),
        None => Ok(ticket),
    }
}

/// Writes what was decided, if anything was, and hands the ticket back.
pub(super) fn record(
    ctx: Ctx<'_>,
    tx: &mut dyn Tx,
    decision: Decision<Ticket, TicketEvent>,
    actor: Actor,
    at: OffsetDateTime,
) -> Result<Ticket, AppError> {
    let unchanged = decision.events.is_empty().then(|| decision.state.clone());
    match (TicketChange::of(ctx, decision, actor, at)?, unchanged) {
        (Some(change), _) => {
            tx.record(std::slice::from_ref(&change))?;
            Ok(change.into_ticket())
        }
        (None, Some(ticket)) => Ok(ticket),
        (None, None) => Err(AppError::internal("a decision with events came to no change")),
    }
}
