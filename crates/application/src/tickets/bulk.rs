//! Many tickets at once.

use techsupport_domain::{
    AgentId, TicketId,
    ticket::{Status, Ticket},
};

use super::{AssignTicket, ChangeStatus, Expected, assign_ticket, change::notice_due_steps, change_status};
use crate::{
    AppError, Ctx, Joined,
    ports::{Tx, UnitOfWorkExt},
};

/// What is to become of one ticket.
#[derive(Debug, Clone)]
pub struct BulkItem {
    /// Which one.
    pub ticket: TicketId,
    /// What is wished for it.
    pub wish: Wish,
}

/// What is wished for one ticket of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Move it.
    Move(Status),
    /// Give it to an agent, or take it away.
    Assign(Option<AgentId>),
    /// Both, or neither.
    MoveAndAssign(Status, Option<AgentId>),
}

/// Changes tickets in the order given, in one transaction; each succeeds or is refused on its own, as if it had been
/// asked for alone. A ticket may appear several times.
///
/// What nobody has decided fails the whole, and nothing is changed: a deadlock, a server that goes away, somebody who
/// holds a lock for too long, a ticket that cannot be read or written. As one outcome among others it would be kept for
/// whoever repeats the request, and without it the others would be done a second time.
pub fn change_in_bulk(ctx: Ctx<'_>, items: &[BulkItem]) -> Result<Vec<Result<Ticket, AppError>>, AppError> {
    let mut tickets: Vec<TicketId> = items.iter().map(|item| item.ticket).collect();
    tickets.sort_unstable();
    tickets.dedup();
    ctx.work.run_for(&ctx.call.budget, |tx| {
        // In one order for all, whatever the order of the items: two that share tickets wait and do not deadlock.
        tx.hold_tickets(&tickets)?;
        items.iter().map(|item| settled(change(ctx, tx, item))).collect()
    })
}

fn settled(outcome: Result<Ticket, AppError>) -> Result<Result<Ticket, AppError>, AppError> {
    match outcome {
        Err(error) if error.is_transient() => Err(error),
        Err(error @ (AppError::Corrupt { .. } | AppError::Internal(_))) => Err(error),
        outcome => Ok(outcome),
    }
}

fn change(ctx: Ctx<'_>, tx: &mut dyn Tx, item: &BulkItem) -> Result<Ticket, AppError> {
    let assign = |ctx: Ctx<'_>, agent| {
        assign_ticket(ctx, &AssignTicket { ticket: item.ticket, expected: Expected::Anything, agent })
    };
    let go = |ctx: Ctx<'_>, to| {
        let command = ChangeStatus { ticket: item.ticket, expected: Expected::Anything, to, comment: None };
        change_status(ctx, &command)
    };
    match item.wish {
        Wish::Move(to) => go(ctx.joining(&Joined::new(tx)), to),
        Wish::Assign(agent) => assign(ctx.joining(&Joined::new(tx)), agent),
        Wish::MoveAndAssign(to, agent) => {
            // Apart from the wishes, so that what is noticed stays when they are undone.
            tx.attempt_for(|tx| notice_due_steps(ctx, tx, item.ticket))?;
            tx.attempt_for(|tx| {
                let joined = Joined::new(tx);
                let ctx = ctx.joining(&joined);
                // The agent is to have the ticket while it is worked on: so one that is answered by the move is
                // assigned before it, and any other one after it, when it is clear what the agent has to be able
                // to.
                if to.is_answered() {
                    assign(ctx, agent)?;
                    go(ctx, to)
                } else {
                    go(ctx, to)?;
                    assign(ctx, agent)
                }
            })
        }
    }
}
