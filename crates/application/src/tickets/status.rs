//! Moving a ticket.

use techsupport_domain::{
    TicketId,
    ticket::{Status, Ticket},
};

use super::change::change_ticket;
use crate::{AppError, Ctx};

/// Move a ticket to another status.
#[derive(Debug, Clone)]
pub struct ChangeStatus {
    /// Which one.
    pub ticket: TicketId,
    /// Where to.
    pub to: Status,
}

/// Moves a ticket. Of several callers who race for one transition exactly one succeeds; the others are
/// refused like anybody who asks for what the table does not allow.
pub fn change_status(ctx: Ctx<'_>, command: &ChangeStatus) -> Result<Ticket, AppError> {
    change_ticket(ctx, command.ticket, |_, ticket, now| Ok(ticket.transition(command.to, now)?))
}
