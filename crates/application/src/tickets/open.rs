//! Opening a ticket.

use techsupport_domain::{
    ClientId, TicketId,
    text::{Description, Title},
    ticket::{NewTicket, Priority, Tags, Ticket},
};

use super::change::record;
use crate::{AppError, Ctx, ports::UnitOfWorkExt};

/// Open a ticket.
#[derive(Debug, Clone)]
pub struct OpenTicket {
    /// In a few words.
    pub title: Title,
    /// In full.
    pub description: Description,
    /// For whom.
    pub client: ClientId,
    /// How urgent.
    pub priority: Priority,
    /// What people group it by.
    pub tags: Tags,
}

/// Opens a ticket and starts its clocks, by the database's clock.
pub fn open_ticket(ctx: Ctx<'_>, command: &OpenTicket) -> Result<Ticket, AppError> {
    let id = TicketId::new(ctx.new_id());
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let opening = tx
            .opening(command.client, command.priority)?
            .ok_or_else(|| AppError::unprocessable("/clientId", "there is no such client"))?;
        let new = NewTicket {
            id,
            number: opening.number,
            title: command.title.clone(),
            description: command.description.clone(),
            priority: command.priority,
            tags: command.tags.clone(),
            client: command.client,
            tier: opening.tier,
            policy: opening.policy,
        };
        record(ctx, tx, Ticket::open(new, opening.now), ctx.call.actor, opening.now)
    })
}
