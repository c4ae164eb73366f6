//! Reading tickets.

use techsupport_domain::{TicketId, ticket::Ticket};

use crate::{
    AppError, Ctx, Entity, Page, Paged,
    ports::{CommentRow, TicketFilter, TimelineRow},
};

/// A ticket with its clocks.
pub fn show_ticket(ctx: Ctx<'_>, id: TicketId) -> Result<Ticket, AppError> {
    ctx.ports.reader.ticket(&ctx.call.budget, id)?.ok_or(AppError::NotFound(Entity::Ticket))
}

/// A page of tickets.
pub fn list_tickets(ctx: Ctx<'_>, filter: &TicketFilter, page: Page) -> Result<Paged<Ticket>, AppError> {
    ctx.ports.reader.tickets(&ctx.call.budget, filter, page)
}

/// A page of everything that ever happened to a ticket, oldest first.
pub fn ticket_timeline(ctx: Ctx<'_>, id: TicketId, page: Page) -> Result<Paged<TimelineRow>, AppError> {
    ctx.ports.reader.timeline(&ctx.call.budget, id, page)?.ok_or(AppError::NotFound(Entity::Ticket))
}

/// A page of what was said about a ticket, oldest first.
pub fn ticket_comments(ctx: Ctx<'_>, id: TicketId, page: Page) -> Result<Paged<CommentRow>, AppError> {
    ctx.ports.reader.comments(&ctx.call.budget, id, page)?.ok_or(AppError::NotFound(Entity::Ticket))
}
