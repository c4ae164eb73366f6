//! The road every change of a ticket takes: lock, decide, record.

use techsupport_domain::{
    TicketId,
    ticket::{Decision, Ticket, TicketEvent},
};
use time::OffsetDateTime;

use crate::{Actor, AppError, Ctx, Entity, TicketChange, ports::Tx, ports::UnitOfWorkExt};

/// What a decision about a locked ticket came to.
pub(super) type Decided = Result<Decision<Ticket, TicketEvent>, AppError>;

/// Locks the ticket, lets `decide` have it, records what came of it.
///
/// A deadline that has passed but was not noticed yet is dealt with first, under the same lock: a person
/// who answers a second too late does not make the breach disappear.
pub(super) fn change_ticket(
    ctx: Ctx<'_>,
    id: TicketId,
    mut decide: impl FnMut(&mut dyn Tx, Ticket, OffsetDateTime) -> Decided,
) -> Result<Ticket, AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let (mut ticket, now) = tx.lock_ticket(id)?.ok_or(AppError::NotFound(Entity::Ticket))?;
        if let Some(overdue) = ticket.clone().run_due_steps(now) {
            ticket = record(ctx, tx, overdue, Actor::System, now)?;
        }
        let decision = decide(tx, ticket, now)?;
        record(ctx, tx, decision, ctx.call.actor, now)
    })
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
