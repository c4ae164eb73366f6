//! Moving a ticket.

use techsupport_domain::{
    CommentId, TicketId,
    ticket::{Decision, Status, Ticket},
};

use super::{
    Expected, Remark,
    change::{change_locked, returning, run_due_steps},
};
use crate::{AppError, Ctx, Entity, ports::UnitOfWorkExt};

/// Move a ticket to another status.
#[derive(Debug, Clone)]
pub struct ChangeStatus {
    /// Which one.
    pub ticket: TicketId,
    /// Which versions of it.
    pub expected: Expected,
    /// Where to.
    pub to: Status,
    /// What to say about it.
    pub comment: Option<Remark>,
}

/// Moves a ticket. Of several callers who race for one transition exactly one succeeds; the others are
/// refused like anybody who asks for what the table does not allow.
///
/// A ticket that is reopened comes under the policy in force by then, for the type that its client is of by then; a deadline that has passed by those terms is
/// breached in the same transaction.
pub fn change_status(ctx: Ctx<'_>, command: &ChangeStatus) -> Result<Ticket, AppError> {
    let comment = command.comment.as_ref().map(|remark| remark.named(CommentId::new(ctx.new_id())));
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let (ticket, now) = tx.lock_ticket(command.ticket)?.ok_or(AppError::NotFound(Entity::Ticket))?;
        let moved = change_locked(ctx, tx, (ticket, now), &command.expected, &mut |tx, ticket, now| {
            let moved = if (ticket.status, command.to) == (Status::Resolved, Status::InProgress) {
                let (ticket, tier, policy) = returning(tx, ticket)?;
                ticket.reopen(tier, &policy, now)?
            } else {
                ticket.transition(command.to, now)?
            };
            let Some(comment) = comment.clone() else { return Ok(moved) };
            let commented = moved.state.comment(comment, now);
            Ok(Decision { state: commented.state, events: [moved.events, commented.events].concat() })
        })?;
        moved.map_or_else(|refusal| Ok(Err(refusal)), |it| run_due_steps(ctx, tx, it, now).map(Ok))
    })?
}
