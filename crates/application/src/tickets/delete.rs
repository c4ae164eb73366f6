//! Taking a ticket out of sight.

use techsupport_domain::TicketId;

use super::{Expected, change::change_ticket};
use crate::{AppError, Ctx};

/// Soft-delete a ticket.
#[derive(Debug, Clone)]
pub struct DeleteTicket {
    /// Which one.
    pub ticket: TicketId,
    /// Which versions of it.
    pub expected: Expected,
}

/// Soft-deletes a ticket: it is gone from lists and SLA checks, its history stays. Deleting it again finds
/// nothing.
pub fn delete_ticket(ctx: Ctx<'_>, command: &DeleteTicket) -> Result<(), AppError> {
    change_ticket(ctx, command.ticket, &command.expected, |_, ticket, now| Ok(ticket.delete(now))).map(drop)
}
