//! Changing what a ticket says.

use techsupport_domain::{
    TicketId,
    text::{Description, Title},
    ticket::{Edit, Priority, Tags, Ticket},
};

use super::{
    Expected,
    change::{change_locked, run_due_steps},
};
use crate::{AppError, Ctx, Entity, ports::UnitOfWorkExt};

/// Edit a ticket. `None` stays as it is.
#[derive(Debug, Clone)]
pub struct EditTicket {
    /// Which one.
    pub ticket: TicketId,
    /// Which versions of it.
    pub expected: Expected,
    /// In a few words.
    pub title: Option<Title>,
    /// In full.
    pub description: Option<Description>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// What people group it by: all of them.
    pub tags: Option<Tags>,
}

/// Edits a ticket. A new priority brings the policy in force for it; a deadline that has passed by the new terms
/// is breached in the same transaction, so that it is neither late nor seen by anybody before it is.
pub fn edit_ticket(ctx: Ctx<'_>, command: &EditTicket) -> Result<Ticket, AppError> {
    ctx.work.run_for(&ctx.call.budget, |tx| {
        let (ticket, now) = tx.lock_ticket(command.ticket)?.ok_or(AppError::NotFound(Entity::Ticket))?;
        let edited = change_locked(ctx, tx, (ticket, now), &command.expected, &mut |tx, ticket, now| {
            let priority = match command.priority.filter(|priority| *priority != ticket.priority) {
                Some(priority) => Some((priority, tx.policy_in_force(ticket.tier, priority)?)),
                None => None,
            };
            let edit = Edit {
                title: command.title.clone(),
                description: command.description.clone(),
                priority,
                tags: command.tags.clone(),
            };
            Ok(ticket.edit(edit, now))
        })?;
        edited.map_or_else(|refusal| Ok(Err(refusal)), |it| run_due_steps(ctx, tx, it, now).map(Ok))
    })?
}
