//! Bringing a deleted ticket back.

use techsupport_domain::{
    TicketId,
    ticket::{Decision, Ticket},
};

use super::{
    Expected,
    change::{change_locked, returning, run_due_steps},
};
use crate::{AppError, Ctx, Entity, ports::UnitOfWorkExt};

/// Restore a soft-deleted ticket.
#[derive(Debug, Clone)]
pub struct RestoreTicket {
    /// Which one.
    pub ticket: TicketId,
    /// Which versions of it.
    pub expected: Expected,
}

/// Brings a ticket back. Its clocks go on where they stood, under the policy that is in force now for the
/// type that its client is of. A ticket that was not deleted is handed back as it is, so that asking twice does no harm.
pub fn restore_ticket(ctx: Ctx<'_>, command: &RestoreTicket) -> Result<Ticket, AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let (ticket, now) = tx.lock_any_ticket(command.ticket)?.ok_or(AppError::NotFound(Entity::Ticket))?;
        let restored = change_locked(ctx, tx, (ticket, now), &command.expected, &mut |tx, ticket, now| {
            if ticket.deleted_at.is_none() {
                return Ok(Decision { state: ticket, events: Vec::new() });
            }
            let (ticket, tier, policy) = returning(tx, ticket)?;
            Ok(ticket.restore(tier, &policy, now))
        })?;
        restored.map_or_else(|refusal| Ok(Err(refusal)), |it| run_due_steps(ctx, tx, it, now).map(Ok))
    })?
}
